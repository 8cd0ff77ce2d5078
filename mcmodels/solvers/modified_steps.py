"""Steps of Newton's methods for objectives that need not be convex: what these methods share.

A step is a Newton step, which a line search halves, or a :class:`ModifiedDirection`, whose length
is not reliable, so that it may also be lengthened. At a point with negative curvature another step
is tried along the direction of the least eigenvalue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives.user_loss import UserDerivatives, UserObjective
from mcmodels.rows import RowBlock
from mcmodels.solvers.lengthening import lengthened
from mcmodels.solvers.newton import NewtonIterate, line_search, unverifiable_decrease
from mcmodels.solvers.newton_direction import NewtonDirection
from mcmodels.solvers.overflow import refuse_overflow
from mcmodels.solvers.recession import falls_for_ever
from mcmodels.solvers.solution import Status
from mcmodels.solvers.tolerances import ZERO_EIGENVALUE

__all__ = [
    "LEAST_SHARE",
    "ModifiedDirection",
    "candidates",
    "falling_line",
    "given_up",
    "has_cancelled",
    "has_negative_curvature",
    "lower_point",
    "refuse_not_finite_start",
]

# Eigenvalues whose size is below this share of the largest are raised to it.
LEAST_SHARE = 1e-3
# A gradient above this share of its terms is not the rounding of a minimum.
_CANCELLED = 1e-6

Iterate = TypeVar("Iterate", bound=NewtonIterate[UserDerivatives])
# What an attempt has reached: parameters and derivatives there.
Reached = tuple[Array, UserDerivatives]


@dataclass(frozen=True)
class ModifiedDirection(NewtonDirection):
    """A step by the modified Hessian, or along a direction of negative curvature.

    Parameters
    ----------
    curvature : float
        ``δᵀHδ`` with the unmodified Hessian.
    least_eigenvalue : float
        Least eigenvalue of the scaled Hessian, relative to the largest magnitude.
    unraised : ndarray of shape (P,), or None
        Newton's step along the eigenvectors whose eigenvalues count as zero, by the tiny positive
        eigenvalues that they have. None where they are only rounding, and where some eigenvalue is
        negative.
    """

    curvature: float = 0.0
    least_eigenvalue: float = 0.0
    unraised: Array | None = None


def has_negative_curvature(direction: NewtonDirection) -> bool:
    """Whether a direction leaves a maximum or a saddle: some eigenvalue is negative."""
    return (
        isinstance(direction, ModifiedDirection) and direction.least_eigenvalue < -ZERO_EIGENVALUE
    )


class _Modifies(Protocol):
    def modified(
        self, params: Array, derivatives: UserDerivatives, *, along_least: bool = False
    ) -> NewtonDirection: ...


def candidates(
    method: _Modifies, current: NewtonIterate[UserDerivatives]
) -> Iterator[NewtonDirection]:
    """The direction of an iterate, then another if no step along it decreases the objective."""
    yield current.direction
    if has_negative_curvature(current.direction):
        yield method.modified(current.params, current.derivatives, along_least=True)
    elif current.direction.decrease > unverifiable_decrease(current.derivatives.value):
        # When only a few rows have curvature, the direction from the Hessian is not reliable.
        yield method.modified(current.params, current.derivatives)


@np.errstate(all="ignore")  # the loss may not be defined at the end of a step
def lower_point(
    objective: UserObjective,
    derivatives_at: Callable[[Array], UserDerivatives],
    current: NewtonIterate[UserDerivatives],
    directions: Iterable[NewtonDirection],
) -> Reached | NewtonIterate[UserDerivatives] | None:
    """A lower point along the first direction that has one, or None.

    Where the objective is seen to decrease without limit, it is the iterate with that direction and
    the status UNBOUNDED.
    """

    def evaluate(params: Array) -> UserDerivatives:
        found = derivatives_at(params)
        return found if found.is_finite or found.value == -np.inf else replace(found, value=np.inf)

    for direction in directions:
        attempt = replace(current, direction=direction)
        if isinstance(direction, ModifiedDirection):
            length = lengthened(objective, attempt, direction.curvature)
            if length == np.inf:
                return replace(attempt, count=current.count + 1, status=Status.UNBOUNDED)
            params = current.params + length * direction.step
            reached = (params, evaluate(params)) if length else None
        else:
            reached = line_search(objective.value, evaluate, attempt)
        if reached is not None and reached[1].value == -np.inf:
            return replace(attempt, count=current.count + 1, status=Status.UNBOUNDED)
        if reached is not None and np.isfinite(reached[1].value):
            return reached
    return None


def falling_line(objective: UserObjective, params: Array, lines: Iterable[Array]) -> Array | None:
    """The first line along which the objective falls for ever; None if there is none."""
    return next((s for s in lines if s.any() and falls_for_ever(objective, params, s)), None)


def given_up(objective: UserObjective, current: Iterate, start: Array) -> Iterate:
    """The iterate itself, or UNBOUNDED where the objective falls for ever along a line.

    The lines: that of the whole descent, that of the next step, and that of the intercept, along
    which no penalty grows.
    """
    lines = [current.params - start, current.direction.step]
    if objective.rows.intercept:
        axis = np.eye(1, start.size, start.size - 1)[0]
        lines += [axis, -axis]
    step = falling_line(objective, current.params, lines)
    if step is None:
        return current
    direction = replace(current.direction, step=step)
    return replace(current, direction=direction, status=Status.UNBOUNDED)


def refuse_not_finite_start(
    objective: UserObjective, params: Array, derivatives: UserDerivatives
) -> None:
    """Refuse a start at which the objective, or a derivative, is not finite; name a row."""
    if derivatives.is_finite:
        return
    row = objective.not_finite(params)
    if row:
        y, eta, value, first, second = row
        raise ValueError(
            f"the loss is not finite where the fit starts: at y={y:g}, eta={eta:g} it is "
            f"{value:g}, its derivatives are {first:g} and {second:g}. Remove or transform targets "
            "for which it is not defined, or fit an intercept."
        )
    refuse_overflow(np.diagonal(derivatives.hessian))
    raise ValueError("the sum of the losses overflows float64; divide the weights, or the loss.")


def has_cancelled(objective: UserObjective, lengths: Array, params: Array, gradient: Array) -> bool:
    """Whether the gradient is small beside ``Σ wᵢ (|ℓ′| + |ηℓ″|) |x̃ᵢⱼ|``, the size of its terms.

    The second part is the change of ℓ′ when η is rounded, which is all of it at an exact fit. The
    sum is bounded by the root of ``Σ wᵢ (|ℓ′| + |ηℓ″|)² · Σ wᵢ x̃ᵢⱼ²`` (Cauchy and Schwarz), the
    second factor the square of ``lengths``.
    """

    def squares(block: RowBlock) -> float:
        eta = block.linear_predictor(params)
        first, second = objective.loss.derivatives(block.y, eta, (1, 2))
        return float(block.weighted((np.abs(first) + np.abs(eta * second)) ** 2).sum())

    with np.errstate(over="ignore", invalid="ignore"):
        of_rows = np.sqrt(objective.rows.reduce(squares))
    terms = of_rows * lengths + objective.penalty * np.abs(params)
    return bool((np.abs(gradient) <= _CANCELLED * terms).all())
