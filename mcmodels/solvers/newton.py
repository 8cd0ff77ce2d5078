"""Newton's method with a line search, for convex objectives that provide a Hessian.

For a loss in the linear predictor this is iteratively reweighted least squares: the step solves
``(X̃ᵀWDX̃ + αI) δ = -gradient``. Source: Nocedal and Wright (2006), *Numerical Optimization*,
2nd ed., algorithm 3.2 and §3.1 (backtracking with the Armijo condition).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.rows import Derivatives, Slope, single_threaded_blas
from mcmodels.solvers.newton_direction import (
    NewtonDirection,
    NewtonObjective,
    is_accurate,
    newton_direction,
)
from mcmodels.solvers.overflow import refuse_overflow
from mcmodels.solvers.solution import Status
from mcmodels.solvers.tolerances import (
    MAX_HALVINGS,
    NEGLIGIBLE_STEP,
    SUFFICIENT_DECREASE,
    UNVERIFIABLE_DECREASE,
)

# What the change of differences of linear predictors says of a Newton step on an unpenalised
# cross-entropy, whose third derivative along a step is at most r times the second where the change
# is r (Bach 2010, *Self-concordant analysis for logistic regression*, Electronic Journal of
# Statistics 4, §3). Up to the first number the step decreases the objective for certain, as
# (eʳ - r - 1)/r² < 1.
_CERTAIN_DECREASE = 1.5
# A Newton step of which less than this share is taken is compared with a safe one.
_MUCH_SHORTENED = 0.25
# Most doublings of a safe step: where a row is far on the wrong side, each step reaches a little.
_MAX_DOUBLINGS = 30

# A step is judged by the gradient where its predicted decrease is less than so many times what
# values can confirm.
_MARGIN = 8
# Of vectors whose squares may be outside the range of float64, unlike that of NumPy.
_NORM = functools.partial(linalg.norm, check_finite=False)

PointSlope = TypeVar("PointSlope", bound=Slope)
PointSlope_co = TypeVar("PointSlope_co", bound=Slope, covariant=True)


class Curve(Protocol):
    """What is known of the gradient beyond the Hessian, without a walk over all rows."""

    def bent(
        self,
        objective: Any,
        params: Array,
        derivatives: Derivatives,
        direction: NewtonDirection,
    ) -> NewtonDirection:
        """The direction, with a step that ends nearer to the minimum."""
        ...


class ProofOfMinimum(Protocol):
    """Whether an objective that need not have a minimum has one, and whether it is near."""

    def is_needless(self, params: Array, direction: NewtonDirection) -> bool:
        """Whether a penalty alone shows that the minimum is near."""
        ...

    def reach(self, params: Array, step: Array) -> float:
        """Largest change of a difference of linear predictors by a step."""
        ...

    def holds(self, params: Array, derivatives: Derivatives, direction: NewtonDirection) -> bool:
        """Whether the Newton step at a point proves that there is a minimum."""
        ...


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
    proof: ProofOfMinimum | None = None,
    curve: Curve | None = None,
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
    proof : ProofOfMinimum, default=None
        Given for a cross-entropy, which need not have a minimum without a penalty. The status is
        then CONVERGED only with a proof that there is one nearby, and steps are safe far from it.
    curve : Curve, default=None
        What bends the steps, if walks are so costly that it pays.
    """
    method = _Method(objective, gradient_tolerance, max_iter, proof, curve)
    with np.errstate(over="ignore", invalid="ignore"):
        derivatives = objective.derivatives(start)
    by_class = np.diagonal(derivatives.hessian).reshape(np.atleast_2d(start).shape)
    refuse_overflow(by_class.max(axis=0))
    direction = newton_direction(objective, start, derivatives)
    status = method.status(start, derivatives, direction)
    if status is None and count >= max_iter > 0:
        status = Status.NOT_CONVERGED
    current = NewtonIterate(start, derivatives, direction, count, status)
    yield current
    while current.status is None:
        with single_threaded_blas():
            current = method.advance(current)
        yield current


@dataclass
class _Method:
    """What does not change from one iterate to the next, and the reach of the last small step."""

    objective: NewtonObjective
    gradient_tolerance: float
    max_iter: int
    proof: ProofOfMinimum | None
    curve: Curve | None = None
    last_reach: float = np.inf

    def status(
        self, params: Array, derivatives: Derivatives, direction: NewtonDirection
    ) -> Status | None:
        """CONVERGED when the gradient is small and the next step is negligible."""
        small = gradient_is_small(derivatives, self.gradient_tolerance)
        if not small or direction.relative_length > NEGLIGIBLE_STEP:
            return None
        if direction.dropped > unverifiable_decrease(derivatives.value):
            return None
        proved = self.proof is None or self.proof.holds(params, derivatives, direction)
        return Status.CONVERGED if proved else None

    def _stalled(self, current: NewtonIterate[Derivatives]) -> Status:
        status = status_when_stalled(current, self.gradient_tolerance)
        if self.proof is None or status is Status.NOT_CONVERGED:
            return status
        proved = self.proof.holds(current.params, current.derivatives, current.direction)
        return status if proved else Status.NOT_CONVERGED

    def _may_go_on(self, params: Array, direction: NewtonDirection) -> bool:
        """Whether a step whose decrease no value can show is taken: while it gains something."""
        if self.proof is None or not is_accurate(direction):
            return False
        if self.proof.is_needless(params, direction):
            return False
        reach, last = self.proof.reach(params, direction.step), self.last_reach
        self.last_reach = reach
        # Where classes are separated, each step reaches about 1; near a minimum, ever less.
        return 0.5 < reach <= _CERTAIN_DECREASE or 0 < reach <= min(last / 2, 0.5)

    def advance(self, current: NewtonIterate[Derivatives]) -> NewtonIterate[Derivatives]:
        """The next iterate."""
        direction = current.direction
        if self.curve is not None:
            direction = self.curve.bent(
                self.objective, current.params, current.derivatives, direction
            )
        accepted = self._accepted(current, direction)
        if accepted is None and direction is not current.direction:
            accepted = self._accepted(current, current.direction)
        if self.proof is not None and _may_mislead(current, accepted):
            safe = self._safe_step(current)
            if accepted is None or (safe is not None and safe[1].value < accepted[1].value):
                accepted = safe
        if accepted is None and self._may_go_on(current.params, current.direction):
            params = current.params + current.direction.step
            accepted = params, self.objective.derivatives(params)
        if accepted is None:
            return replace(current, count=current.count + 1, status=self._stalled(current))
        params, derivatives = accepted
        direction = newton_direction(self.objective, params, derivatives)
        count, status = current.count + 1, self.status(params, derivatives, direction)
        if status is None and count >= self.max_iter:
            status = Status.NOT_CONVERGED
        return NewtonIterate(params, derivatives, direction, count, status)

    def _accepted(
        self, current: NewtonIterate[Derivatives], direction: NewtonDirection
    ) -> tuple[Array, Derivatives] | None:
        attempt = replace(current, direction=direction)
        return line_search(self.objective.value, self.objective.derivatives, attempt)

    def _safe_step(self, current: NewtonIterate[Derivatives]) -> tuple[Array, Derivatives] | None:
        """A step by curvature that rows far on the wrong side do not lack.

        It is doubled while that decreases the objective further.
        """
        hessian = self.objective.hessian(current.params, safe=True)
        derivatives = replace(current.derivatives, hessian=hessian)
        direction = newton_direction(self.objective, current.params, derivatives)
        accepted = self._accepted(current, direction)
        if accepted is None or not np.array_equal(accepted[0], current.params + direction.step):
            return accepted
        length, reached = 1.0, accepted[1].value
        for _ in range(_MAX_DOUBLINGS):
            value = self.objective.value(current.params + 2 * length * direction.step)
            if not value < reached:
                break
            length, reached = 2 * length, value
        if length == 1.0:
            return accepted
        params = current.params + length * direction.step
        return params, self.objective.derivatives(params)


def _may_mislead(
    current: NewtonIterate[Derivatives], accepted: tuple[Array, Derivatives] | None
) -> bool:
    """Whether a safe step may gain more than Newton's: where that promises too much, or is cut."""
    value, direction = current.derivatives.value, current.direction
    if direction.decrease + direction.dropped <= unverifiable_decrease(value):
        return False
    # No objective ≥ 0 decreases by more than itself.
    if accepted is None or direction.decrease / 2 > value or direction.rank < direction.step.size:
        return True
    taken, full = accepted[0] - current.params, direction.step
    return bool(np.vdot(taken, full) < _MUCH_SHORTENED * np.vdot(full, full))


def gradient_is_small(slope: Slope, gradient_tolerance: float) -> bool:
    """Whether no entry of the gradient exceeds the tolerance."""
    return bool(np.abs(slope.gradient).max(initial=0.0) <= gradient_tolerance)


def status_when_stalled(current: NewtonIterate[Slope], gradient_tolerance: float) -> Status:
    """The status when no step decreases the objective: CONVERGED if that is due to rounding."""
    direction, hidden = current.direction, unverifiable_decrease(current.derivatives.value)
    at_precision = 0 < direction.decrease <= hidden
    small = at_precision or gradient_is_small(current.derivatives, gradient_tolerance)
    return Status.CONVERGED if small and direction.dropped <= hidden else Status.NOT_CONVERGED


def unverifiable_decrease(value: float) -> float:
    """The largest predicted decrease that values of the objective cannot confirm."""
    return _MARGIN * UNVERIFIABLE_DECREASE * abs(value)


@np.errstate(over="ignore", invalid="ignore")  # a step that overflows is halved
def line_search(
    value_at: Callable[[Array], float],
    evaluate: Callable[[Array], PointSlope],
    current: NewtonIterate[PointSlope],
    norm: Callable[[Array], Any] = _NORM,
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
        no_worse = derivatives.value <= value + UNVERIFIABLE_DECREASE * abs(value)
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
