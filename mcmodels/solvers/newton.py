"""Newton's method with a line search, for convex objectives that provide a Hessian.

For a loss in the linear predictor this is iteratively reweighted least squares: the step solves
``(X̃ᵀWDX̃ + αI) δ = -gradient``. Source: Nocedal and Wright (2006), *Numerical Optimization*,
2nd ed., algorithm 3.2 and §3.1 (backtracking with the Armijo condition).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows import Derivatives, Slope, single_threaded_blas
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.overflow import refuse_overflow
from mcmodels.solvers.pseudoinverse import from_gram
from mcmodels.solvers.solution import Status
from mcmodels.solvers.tolerances import (
    FLOAT64_EPSILON,
    MAX_HALVINGS,
    NEGLIGIBLE_STEP,
    SUFFICIENT_DECREASE,
    UNVERIFIABLE_DECREASE,
    factorisation_error,
)

# Two values of the objective are equal when they differ by at most this many ε, relative to them.
_ROUNDING_UNITS = 8

PointSlope = TypeVar("PointSlope", bound=Slope)
PointSlope_co = TypeVar("PointSlope_co", bound=Slope, covariant=True)


class NewtonObjective(Protocol):
    """What Newton's method needs from an objective."""

    def value(self, params: Array) -> float:
        """The objective."""
        ...

    def derivatives(self, params: Array) -> Derivatives:
        """Value, gradient and Hessian."""
        ...

    def with_shift_curvature(self, hessian: Array, shape: tuple[int, ...]) -> Array:
        """The Hessian with curvature added along directions that never change the objective."""
        ...


@dataclass(frozen=True)
class NewtonDirection:
    """A Newton step: the solution of ``hessian · δ = -gradient``, the shortest of several.

    Parameters
    ----------
    step : ndarray, the shape of the parameters
        δ.
    decrease : float
        ``-gradientᵀδ = δᵀHδ``, twice the decrease that the quadratic model predicts.
    relative_length : float
        Length of δ relative to that of the parameters, both in the metric of the Hessian.
    rank : int
        Numerical rank of the Hessian.
    condition : float
        Square root of the condition number of the Hessian scaled to unit diagonal: the condition
        number of the weighted design with columns of unit length.
    dependent : tuple of int
        Parameters that take part in a linear dependency.
    """

    step: Array
    decrease: float
    relative_length: float
    rank: int
    condition: float
    dependent: tuple[int, ...]


@dataclass(frozen=True)
class NewtonIterate(Generic[PointSlope_co]):
    """A point of Newton's method, with the next step.

    Parameters
    ----------
    params : ndarray
        The parameters.
    derivatives : Derivatives, or Slope where no Hessian is formed
        Value, gradient and Hessian there.
    direction : NewtonDirection
        The Newton step there, which has not been taken yet.
    count : int
        Steps taken so far.
    status : Status or None
        None while the iteration goes on.
    """

    params: Array
    derivatives: PointSlope_co
    direction: NewtonDirection
    count: int
    status: Status | None


def newton_iterates(
    objective: NewtonObjective,
    start: Array,
    *,
    gradient_tolerance: float,
    max_iter: int,
    count: int = 0,
) -> Iterator[NewtonIterate[Derivatives]]:
    """Yield the start and every iterate after it, until one has a status.

    Parameters
    ----------
    objective : NewtonObjective
        What is minimised.
    start : ndarray
        First parameters, in any shape.
    gradient_tolerance : float
        CONVERGED when no entry of the gradient exceeds it and the next step would be negligible,
        or when no further decrease can be seen in float64.
    max_iter : int
        NOT_CONVERGED after this many steps.
    count : int, default=0
        Steps that have led to the start.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        derivatives = objective.derivatives(start)
    refuse_overflow(np.diagonal(derivatives.hessian).reshape(-1, start.shape[-1]).max(axis=0))
    direction = newton_direction(objective, start, derivatives)
    status = _status(derivatives, direction, gradient_tolerance)
    if status is None and count >= max_iter > 0:
        status = Status.NOT_CONVERGED
    current = NewtonIterate(start, derivatives, direction, count, status)
    yield current
    while current.status is None:
        with single_threaded_blas():
            current = _advance(objective, current, gradient_tolerance, max_iter)
        yield current


def _advance(
    objective: NewtonObjective,
    current: NewtonIterate[Derivatives],
    gradient_tolerance: float,
    max_iter: int,
) -> NewtonIterate[Derivatives]:
    accepted = line_search(objective.value, objective.derivatives, current)
    if accepted is None:
        ended = status_when_stalled(current, gradient_tolerance)
        return replace(current, count=current.count + 1, status=ended)
    params, derivatives = accepted
    direction = newton_direction(objective, params, derivatives)
    count, status = current.count + 1, _status(derivatives, direction, gradient_tolerance)
    if status is None and count >= max_iter:
        status = Status.NOT_CONVERGED
    return NewtonIterate(params, derivatives, direction, count, status)


def _status(
    derivatives: Derivatives, direction: NewtonDirection, gradient_tolerance: float
) -> Status | None:
    """CONVERGED when the gradient is small and the next step is negligible."""
    if not gradient_is_small(derivatives, gradient_tolerance):
        return None
    return Status.CONVERGED if direction.relative_length <= NEGLIGIBLE_STEP else None


def gradient_is_small(slope: Slope, gradient_tolerance: float) -> bool:
    """Whether no entry of the gradient exceeds the tolerance."""
    return bool(np.abs(slope.gradient).max(initial=0.0) <= gradient_tolerance)


def status_when_stalled(current: NewtonIterate[Slope], gradient_tolerance: float) -> Status:
    """The status when no step decreases the objective: CONVERGED if that is due to rounding."""
    at_precision = (
        0 < current.direction.decrease <= unverifiable_decrease(current.derivatives.value)
    )
    if at_precision or gradient_is_small(current.derivatives, gradient_tolerance):
        return Status.CONVERGED
    return Status.NOT_CONVERGED


def unverifiable_decrease(value: float) -> float:
    """The largest predicted decrease that values of the objective cannot confirm."""
    return _ROUNDING_UNITS * UNVERIFIABLE_DECREASE * abs(value)


@np.errstate(over="ignore", invalid="ignore")  # a step that overflows is halved
def line_search(
    value_at: Callable[[Array], float],
    evaluate: Callable[[Array], PointSlope],
    current: NewtonIterate[PointSlope],
    norm: Callable[[Array], Any] = np.linalg.norm,
) -> tuple[Array, PointSlope] | None:
    """The longest of the steps 1, ½, ¼, … that decreases the objective enough, or None.

    Parameters
    ----------
    value_at : callable
        The objective at a point.
    evaluate : callable
        Value and derivatives at a point, as the next iterate holds them.
    current : NewtonIterate
        Where the step begins.
    norm : callable
        Norm of a gradient. It decides where values cannot.
    """
    value, slope = current.derivatives.value, -current.direction.decrease
    if not slope < 0:
        return None
    full = current.params + current.direction.step
    derivatives = evaluate(full)
    if -slope <= unverifiable_decrease(value):
        # Rounding hides the decrease of the objective; the gradient is more accurate.
        before = norm(current.derivatives.gradient)
        halved = norm(derivatives.gradient) <= before / 2
        no_worse = derivatives.value <= value + _ROUNDING_UNITS * FLOAT64_EPSILON * abs(value)
        return (full, derivatives) if halved and no_worse else None
    if derivatives.value <= value + SUFFICIENT_DECREASE * slope:
        return full, derivatives
    length = 1.0
    for _ in range(MAX_HALVINGS):
        length /= 2
        params = current.params + length * current.direction.step
        if value_at(params) <= value + SUFFICIENT_DECREASE * length * slope:
            return params, evaluate(params)
    return None


def newton_direction(
    objective: NewtonObjective, params: Array, derivatives: Derivatives
) -> NewtonDirection:
    """The Newton step at a point, by Cholesky of the scaled Hessian, or its pseudo-inverse."""
    with single_threaded_blas():
        return _newton_direction(objective, params, derivatives)


def _newton_direction(
    objective: NewtonObjective, params: Array, derivatives: Derivatives
) -> NewtonDirection:
    gradient = derivatives.gradient.ravel()
    hessian = objective.with_shift_curvature(derivatives.hessian, derivatives.gradient.shape)
    scale = np.sqrt(np.clip(np.diagonal(hessian), 0.0, None))
    factor = ScaledCholesky.of(hessian, scale)
    if factor is not None:
        step = -factor.apply(gradient)
        return direction_of(params, derivatives, step, gradient.size, factor.condition)
    noise = np.sqrt(factorisation_error(gradient.size))
    inverse = from_gram(hessian, scale, noise)
    step = -inverse.apply(gradient)
    return direction_of(params, derivatives, step, inverse.rank, np.inf, inverse.dependent)


def direction_of(
    params: Array,
    derivatives: Derivatives,
    step: Array,
    rank: int,
    condition: float,
    dependent: tuple[int, ...] = (),
) -> NewtonDirection:
    """The direction of a step over the raveled parameters, with its predicted decrease."""
    decrease = -float(derivatives.gradient.ravel() @ step)
    point = params.ravel()
    length = float(point @ derivatives.hessian @ point)
    return NewtonDirection(
        step.reshape(params.shape),
        decrease,
        float(np.sqrt(max(decrease, 0.0) / length)) if length > 0 else np.inf,
        rank,
        condition,
        dependent,
    )
