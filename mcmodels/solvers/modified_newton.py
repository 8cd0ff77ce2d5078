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
from mcmodels.rows import Derivatives, single_threaded_blas
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.flatness import flat_directions
from mcmodels.solvers.modified_steps import (
    LEAST_SHARE,
    ModifiedDirection,
    candidates,
    given_up,
    has_cancelled,
    has_negative_curvature,
    lower_point,
    refuse_not_finite_start,
)
from mcmodels.solvers.newton import (
    NewtonIterate,
    gradient_is_small,
    newton_iterates,
    status_when_stalled,
    unverifiable_decrease,
)
from mcmodels.solvers.newton_direction import NewtonDirection, direction_of, nowhere
from mcmodels.solvers.recession import column_squares, predictors_grow, recedes
from mcmodels.solvers.solution import Status
from mcmodels.solvers.tolerances import FLOAT64_EPSILON, NEGLIGIBLE_STEP, ZERO_EIGENVALUE

# An objective is steep along the parameters when its derivative is this share of itself.
_STEEP = 1e-3
# It has no minimum when its values decrease along these powers of ten times the parameters.
_DECADES = (1, 3, 6, 9, 12, 15)
# Bisections that find the length of a limited step: to a few percent.
_BISECTIONS = 6
# Lengths at which values are compared where eigenvalues are zero, and the most directions.
_NEARBY, _MOST_FLAT = (1.0, 1 / 16, 1 / 256), 8


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
                current = given_up(objective, current, start)
        yield current
        if current.status is not None:
            return
        with single_threaded_blas():
            current = _advance(method, current, max_iter)


def _advance(
    method: _Method, current: NewtonIterate[UserDerivatives], max_iter: int
) -> NewtonIterate[UserDerivatives]:
    objective, count = method.objective, current.count + 1

    def derivatives_at(params: Array) -> UserDerivatives:
        if method.looks_quadratic:
            return objective.derivatives_after(current.derivatives, params)
        return objective.derivatives(params)

    found = lower_point(objective, derivatives_at, current, candidates(method, current))
    if isinstance(found, NewtonIterate):
        return found
    if found is None:
        ended = status_when_stalled(current, method.gradient_tolerance)
        # Where values are huge they hide any decrease, also where the gradient is not small.
        if has_negative_curvature(current.direction) or not (
            gradient_is_small(current.derivatives, method.gradient_tolerance)
            or has_cancelled(objective, method.metric, current.params, current.derivatives.gradient)
        ):
            ended = Status.NOT_CONVERGED
        return replace(current, count=count, status=ended)
    params, derivatives = found
    direction = method.direction(params, derivatives)
    status = method.status(params, derivatives, direction)
    if status is None and count >= max_iter:
        unbounded = method.decreases_along_params(params, derivatives)
        status = Status.UNBOUNDED if unbounded else Status.NOT_CONVERGED
    return NewtonIterate(params, derivatives, direction, count, status)


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
                    if not found.is_finite:
                        continue
                    new = self.direction(params, found)
                    status = self.status(params, found, new)
                    return NewtonIterate(params, found, new, current.count + 1, status)
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
                np.maximum(np.abs(values), LEAST_SHARE * largest),
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
