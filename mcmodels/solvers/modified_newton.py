"""Newton's method for objectives that need not be convex: the Hessian is made definite.

Where the Hessian has a Cholesky factor the step is Newton's. Elsewhere the Hessian is scaled by the
lengths of the columns, and its eigenvalues λ are replaced by |λ|, or by a share of the largest
where |λ| is smaller: Nocedal and Wright (2006), *Numerical Optimization*, 2nd ed., §3.4 (eigenvalue
modification). The length of such a step is not reliable. So the step is first limited to the size
of the linear predictors, and may then be lengthened. At a point where the gradient is zero and some
λ is negative, the search goes along the eigenvector of the least λ. Where some λ are zero, the
second derivatives do not tell a minimum from a maximum or an inflection: values nearby do.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.objectives.user_loss import UserDerivatives, UserObjective
from mcmodels.rows import Derivatives, RowBlock, single_threaded_blas
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.flatness import flat_directions
from mcmodels.solvers.lengthening import lengthened
from mcmodels.solvers.newton import (
    NewtonIterate,
    gradient_is_small,
    line_search,
    newton_iterates,
    status_when_stalled,
    unverifiable_decrease,
)
from mcmodels.solvers.newton_direction import NewtonDirection, direction_of, nowhere
from mcmodels.solvers.overflow import refuse_overflow
from mcmodels.solvers.recession import (
    column_squares,
    falls_for_ever,
    predictors_grow,
    recedes,
)
from mcmodels.solvers.solution import Status
from mcmodels.solvers.tolerances import (
    FLOAT64_EPSILON,
    NEGLIGIBLE_STEP,
    ZERO_EIGENVALUE,
)

# Eigenvalues below this share of the largest are raised to it.
_LEAST_SHARE = 1e-3
# An objective is steep along the parameters when its derivative is this share of itself.
_STEEP = 1e-3
# It has no minimum when its values decrease along these powers of ten times the parameters.
_DECADES = (1, 3, 6, 9, 12, 15)
# Bisections that find the length of a limited step: to a few percent.
_BISECTIONS = 6
# A gradient above this share of its terms is not the rounding of a minimum.
_CANCELLED = 1e-6
# Lengths at which values are compared where eigenvalues are zero, and the most directions.
_NEARBY, _MOST_FLAT = (1.0, 1 / 16, 1 / 256), 8


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


def newton_iterates_for(
    objective: LinearPredictorObjective,
) -> Callable[..., Iterator[NewtonIterate[Derivatives]]]:
    """Newton's method for a convex objective, or the modified one for a loss of the user."""
    return modified_newton_iterates if isinstance(objective, UserObjective) else newton_iterates


def modified_newton_iterates(
    objective: UserObjective,
    start: Array,
    *,
    gradient_tolerance: float,
    max_iter: int,
    count: int = 0,
) -> Iterator[NewtonIterate[UserDerivatives]]:
    """Yield the start and every iterate after it, until one has a status.

    The parameters are those of :func:`mcmodels.solvers.newton.newton_iterates`. CONVERGED means a
    minimum, as far as the Hessian can tell; UNBOUNDED that the objective decreases without limit
    along a line.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        derivatives = objective.derivatives(start)
    refuse_not_finite_start(objective, start, derivatives)
    method = _Method(objective, gradient_tolerance, objective.looks_quadratic(start))
    direction = method.direction(start, derivatives)
    status = method.status(start, derivatives, direction)
    if status is None and count >= max_iter > 0:
        status = Status.NOT_CONVERGED
    current = NewtonIterate(start, derivatives, direction, count, status)
    while True:
        if current.status is Status.CONVERGED:
            with single_threaded_blas():
                current = method.settled(current, max_iter)
        elif current.status is Status.NOT_CONVERGED:
            with single_threaded_blas():
                current = method.given_up(current, start)
        yield current
        if current.status is not None:
            return
        with single_threaded_blas():
            current = _advance(method, current, max_iter)


def refuse_not_finite_start(
    objective: UserObjective, params: Array, derivatives: UserDerivatives
) -> None:
    """Refuse a start at which the objective, or a derivative, is not finite; name a row."""
    parts = (derivatives.value, derivatives.gradient, derivatives.hessian)
    if all(np.isfinite(part).all() for part in parts):
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


def _advance(
    method: _Method, current: NewtonIterate[UserDerivatives], max_iter: int
) -> NewtonIterate[UserDerivatives]:
    objective, count = method.objective, current.count + 1

    def evaluate(params: Array) -> UserDerivatives:
        if method.looks_quadratic:
            found = objective.derivatives_after(current.derivatives, params)
        else:
            found = objective.derivatives(params)
        finite = np.isfinite(found.gradient).all() and np.isfinite(found.hessian).all()
        return found if finite or found.value == -np.inf else replace(found, value=np.inf)

    for direction in _candidates(method, current):
        attempt = replace(current, direction=direction)
        if isinstance(direction, ModifiedDirection):
            length = lengthened(objective, attempt, direction.curvature)
            if length == np.inf:
                return replace(attempt, count=count, status=Status.UNBOUNDED)
            with np.errstate(over="ignore", invalid="ignore"):
                params = current.params + length * direction.step
                accepted = (params, evaluate(params)) if length else None
        else:
            accepted = line_search(objective.value, evaluate, attempt)
        if accepted is not None and accepted[1].value == -np.inf:
            return replace(attempt, count=count, status=Status.UNBOUNDED)
        if accepted is not None and np.isfinite(accepted[1].value):
            break
    else:
        ended = status_when_stalled(current, method.gradient_tolerance)
        # Where values are huge they hide any decrease, also where the gradient is not small.
        if has_negative_curvature(current.direction) or not (
            gradient_is_small(current.derivatives, method.gradient_tolerance)
            or _gradient_has_cancelled(method, current)
        ):
            ended = Status.NOT_CONVERGED
        return replace(current, count=count, status=ended)
    params, derivatives = accepted
    direction = method.direction(params, derivatives)
    status = method.status(params, derivatives, direction)
    if status is None and count >= max_iter:
        unbounded = method.decreases_along_params(params, derivatives)
        status = Status.UNBOUNDED if unbounded else Status.NOT_CONVERGED
    return NewtonIterate(params, derivatives, direction, count, status)


def _candidates(
    method: _Method, current: NewtonIterate[UserDerivatives]
) -> Iterator[NewtonDirection]:
    """The direction of an iterate, then another if no step along it decreases the objective."""
    yield current.direction
    if has_negative_curvature(current.direction):
        yield method.modified(current.params, current.derivatives, along_least=True)
    elif current.direction.decrease > unverifiable_decrease(current.derivatives.value):
        # When only a few rows have curvature, the direction from the Hessian is not reliable.
        yield method.modified(current.params, current.derivatives)


def has_negative_curvature(direction: NewtonDirection) -> bool:
    """Whether a direction leaves a maximum or a saddle: some eigenvalue is negative."""
    return (
        isinstance(direction, ModifiedDirection) and direction.least_eigenvalue < -ZERO_EIGENVALUE
    )


@dataclass
class _Method:
    """What does not change from one iterate to the next."""

    objective: UserObjective
    gradient_tolerance: float
    looks_quadratic: bool

    @functools.cached_property
    def metric(self) -> Array:
        """Lengths of the columns, ``√Σ wᵢ x̃ᵢⱼ²``; 1 for zero columns."""
        found = np.sqrt(column_squares(self.objective.rows))
        return np.where(found > 0, found, 1.0)

    def settled(
        self, current: NewtonIterate[UserDerivatives], max_iter: int
    ) -> NewtonIterate[UserDerivatives]:
        """The iterate itself, or a lower point nearby where zero eigenvalues leave that open."""
        direction = current.direction
        if not isinstance(direction, ModifiedDirection) or current.count >= max_iter:
            return current
        flat = flat_directions(self.objective, current.derivatives.hessian)[:, :_MOST_FLAT]
        value = current.derivatives.value
        total = np.sqrt(self.objective.rows.total_weight)
        for length in _NEARBY:
            for step in (*flat.T, *-flat.T):
                params = current.params + length * total * step
                with np.errstate(over="ignore", invalid="ignore"):
                    reached = self.objective.value(params)
                if -np.inf < reached < value - unverifiable_decrease(value):
                    found = self.objective.derivatives(params)
                    if not (np.isfinite(found.gradient).all() and np.isfinite(found.hessian).all()):
                        continue
                    new = self.direction(params, found)
                    status = self.status(params, found, new)
                    return NewtonIterate(params, found, new, current.count + 1, status)
        return current

    def given_up(
        self, current: NewtonIterate[UserDerivatives], start: Array
    ) -> NewtonIterate[UserDerivatives]:
        """The iterate itself, or UNBOUNDED where the objective falls for ever along a line.

        The lines: that of the whole descent, that of the next step, and that of the intercept,
        along which no penalty grows.
        """
        lines = [current.params - start, current.direction.step]
        if self.objective.rows.intercept:
            axis = np.eye(1, start.size, start.size - 1)[0]
            lines += [axis, -axis]
        for step in lines:
            if step.any() and falls_for_ever(self.objective, current.params, step):
                direction = replace(current.direction, step=step)
                return replace(current, direction=direction, status=Status.UNBOUNDED)
        return current

    def direction(self, params: Array, derivatives: UserDerivatives) -> NewtonDirection:
        """Newton's step, or the modified one where the Hessian has no Cholesky factor."""
        gradient, hessian = derivatives.gradient, derivatives.hessian
        if params.size == 0:
            return nowhere(params)
        with single_threaded_blas():
            scale = np.sqrt(np.clip(np.diagonal(hessian), 0.0, None))
            factor = ScaledCholesky.of(hessian, scale)
            if factor is None:
                return self.modified(params, derivatives)
            step = -factor.apply(gradient)
            return direction_of(params, derivatives, step, step.size, factor.condition)

    def modified(
        self, params: Array, derivatives: UserDerivatives, *, along_least: bool = False
    ) -> ModifiedDirection:
        """The step of the modified Hessian, at most about as long as the linear predictors.

        With ``along_least``, or where the gradient is small but the least eigenvalue negative, the
        step is along the eigenvector of that eigenvalue.
        """
        gradient, metric = derivatives.gradient, self.metric
        values, V = linalg.eigh(derivatives.hessian / np.outer(metric, metric))
        largest = float(np.abs(values).max())
        real = np.abs(values) > ZERO_EIGENVALUE * largest
        least = float(values[0]) / largest if largest > 0 else 0.0
        if self.objective.loss.is_convex:
            least = max(least, 0.0)
        small_gradient = gradient_is_small(derivatives, self.gradient_tolerance)
        unraised = None
        left = (values > len(values) * FLOAT64_EPSILON * largest) & (
            values <= ZERO_EIGENVALUE * largest
        )
        if left.any() and least >= -ZERO_EIGENVALUE:
            along = V[:, left].T @ (gradient / metric)
            unraised = -(V[:, left] @ (along / values[left])) / metric
        if along_least or (least < -ZERO_EIGENVALUE and small_gradient):
            step = np.sqrt(self.objective.rows.total_weight) * V[:, 0] / metric
            step = step if gradient @ step <= 0 else -step
        else:
            raised = np.where(
                values > ZERO_EIGENVALUE * largest,
                values,
                np.maximum(np.abs(values), _LEAST_SHARE * largest),
            )
            raised[raised == 0] = 1.0
            total = np.sqrt(self.objective.rows.total_weight)
            reach = total * max(1.0, float(np.linalg.norm(metric * params)) / total)
            along = V.T @ (gradient / metric)
            step = -(V @ (along / (raised + _shift(along, raised, reach)))) / metric
        plain = direction_of(params, derivatives, step, int(np.count_nonzero(real)), np.inf)
        curvature = float(step @ derivatives.hessian @ step)
        return ModifiedDirection(
            **vars(plain),
            curvature=curvature,
            least_eigenvalue=least if real.any() else 0.0,
            unraised=unraised,
        )

    def decreases_along_params(self, params: Array, known: UserDerivatives) -> bool:
        """Whether the objective decreases along the parameters, as far as float64 reaches.

        Where it is huge, rounding hides the decrease of a step, and steps may be short beside the
        parameters. But a point whose derivative along θ is a share of the objective is no minimum.
        """
        if not float(known.gradient @ params) < -_STEEP * abs(known.value):
            return False
        reached = known.value
        with np.errstate(over="ignore", invalid="ignore"):
            for decades in _DECADES:
                value = self.objective.value(10.0**decades * params)
                if not value < reached:
                    return False
                if value == -np.inf:
                    break
                reached = value
        return True

    def status(
        self, params: Array, slope: UserDerivatives, direction: NewtonDirection
    ) -> Status | None:
        """CONVERGED when the gradient is small, no curvature negative, and the step negligible.

        UNBOUNDED when the step is negligible only because eigenvalues were raised, and the
        objective keeps decreasing along Newton's step by the original eigenvalues.
        """
        if not gradient_is_small(slope, self.gradient_tolerance):
            return None
        if has_negative_curvature(direction) or direction.relative_length > NEGLIGIBLE_STEP:
            return None
        step = direction.unraised if isinstance(direction, ModifiedDirection) else None
        if step is not None and predictors_grow(self.objective.rows, params, step):
            return Status.UNBOUNDED if recedes(self.objective, params, step) else Status.CONVERGED
        return Status.CONVERGED


@np.errstate(over="ignore", invalid="ignore")
def _shift(along: Array, values: Array, reach: float) -> float:
    """Least μ ≥ 0 for which ``along / (values + μ)`` is no longer than ``reach``, to a few percent.

    The step of a trust region: Nocedal and Wright (2006), §4.3, eq. 4.37.
    """

    def length(shift: float) -> float:
        return float(np.linalg.norm(along / (values + shift)))

    if length(0.0) <= reach:
        return 0.0
    high = float(np.linalg.norm(along)) / reach  # an upper bound, as no value is negative
    low = high
    while length(low) <= reach:
        low /= 2
    for _ in range(_BISECTIONS):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if length(middle) > reach else (low, middle)
    return high


def _gradient_has_cancelled(method: _Method, current: NewtonIterate[UserDerivatives]) -> bool:
    gradient = current.derivatives.gradient
    return has_cancelled(method.objective, method.metric, current.params, gradient)


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
