"""Newton's method with a line search, for objectives that give value, gradient and Hessian at once.

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
from mcmodels.solvers.cholesky import FLOAT64_EPSILON, ScaledCholesky
from mcmodels.solvers.overflow import refuse_overflow
from mcmodels.solvers.pseudoinverse import from_gram
from mcmodels.solvers.solution import Status

_ARMIJO = 1e-4
_MAX_HALVINGS = 50
# Relative length of a step, in the metric of the Hessian, that is not worth taking. The gradient
# alone would not do: it is small wherever columns are.
NEGLIGIBLE_STEP = 1e-10
# Changes of the objective below this many rounding units of its value cannot be told apart.
_ROUNDING_UNITS = 8
# A promised decrease of fewer rounding units than this cannot be verified by values either.
_BLIND = 1e3

Known = TypeVar("Known", bound=Slope)
Known_co = TypeVar("Known_co", bound=Slope, covariant=True)


class NewtonObjective(Protocol):
    """What Newton's method asks of an objective."""

    def value(self, params: Array) -> float:
        """The objective."""
        ...

    def derivatives(self, params: Array) -> Derivatives:
        """Value, gradient and Hessian."""
        ...

    def fix_gauge(self, hessian: Array, shape: tuple[int, ...]) -> Array:
        """The Hessian with curvature added along directions that never change the objective."""
        ...


@dataclass(frozen=True)
class NewtonDirection:
    """The solution of ``hessian · δ = -gradient``, the shortest when there are several.

    Parameters
    ----------
    step : ndarray, the shape of the parameters
        δ.
    decrease : float
        ``-gradientᵀδ = δᵀHδ``, twice the decrease that the quadratic model promises.
    relative_length : float
        Length of δ relative to that of the parameters, both in the metric of the Hessian.
    rank : int
        Numerical rank of the Hessian.
    condition : float
        Square root of the condition number of the Hessian with unit diagonal: the condition of
        the weighted design it is the square of.
    dependent : tuple of int
        Parameters that take part in a singularity.
    """

    step: Array
    decrease: float
    relative_length: float
    rank: int
    condition: float
    dependent: tuple[int, ...]


@dataclass(frozen=True)
class Iterate(Generic[Known_co]):
    """Where Newton's method stands.

    Parameters
    ----------
    params : ndarray
        The parameters.
    derivatives : Derivatives, or Slope where no Hessian is formed
        Value and gradient there, and the Hessian.
    direction : NewtonDirection
        The next step, if one is taken.
    count : int
        Steps taken so far.
    status : Status or None
        None while there is more to do.
    """

    params: Array
    derivatives: Known_co
    direction: NewtonDirection
    count: int
    status: Status | None


def iterates(
    objective: NewtonObjective,
    start: Array,
    *,
    gradient_tolerance: float,
    max_iter: int,
    count: int = 0,
) -> Iterator[Iterate[Derivatives]]:
    """Yield the start and every iterate after it, until one has a status.

    Parameters
    ----------
    objective : NewtonObjective
        What is minimised.
    start : ndarray
        First parameters, in any shape.
    gradient_tolerance : float
        CONVERGED when no entry of the gradient exceeds it and the next step would be negligible,
        or when float64 can show no further decrease.
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
    current = Iterate(start, derivatives, direction, count, status)
    yield current
    while current.status is None:
        with single_threaded_blas():
            current = _advance(objective, current, gradient_tolerance, max_iter)
        yield current


def _advance(
    objective: NewtonObjective,
    current: Iterate[Derivatives],
    gradient_tolerance: float,
    max_iter: int,
) -> Iterate[Derivatives]:
    accepted = line_search(objective.value, objective.derivatives, current)
    if accepted is None:
        ended = stalled(current, gradient_tolerance)
        return replace(current, count=current.count + 1, status=ended)
    params, derivatives = accepted
    direction = newton_direction(objective, params, derivatives)
    count, status = current.count + 1, _status(derivatives, direction, gradient_tolerance)
    if status is None and count >= max_iter:
        status = Status.NOT_CONVERGED
    return Iterate(params, derivatives, direction, count, status)


def _status(
    derivatives: Derivatives, direction: NewtonDirection, gradient_tolerance: float
) -> Status | None:
    """CONVERGED when the gradient is small and the next step would change nothing."""
    if not is_small(derivatives, gradient_tolerance):
        return None
    return Status.CONVERGED if direction.relative_length <= NEGLIGIBLE_STEP else None


def is_small(slope: Slope, gradient_tolerance: float) -> bool:
    """Whether no entry of the gradient exceeds the tolerance."""
    return bool(np.abs(slope.gradient).max(initial=0.0) <= gradient_tolerance)


def stalled(current: Iterate[Slope], gradient_tolerance: float) -> Status:
    """No step decreases the objective: at the precision of float64, or short of it."""
    at_precision = 0 < current.direction.decrease <= invisible(current.derivatives.value)
    if at_precision or is_small(current.derivatives, gradient_tolerance):
        return Status.CONVERGED
    return Status.NOT_CONVERGED


def invisible(value: float) -> float:
    """A promised decrease so small that values of the objective cannot confirm it."""
    return _BLIND * _ROUNDING_UNITS * FLOAT64_EPSILON * abs(value)


@np.errstate(over="ignore", invalid="ignore")  # what overflows is no decrease, and is halved
def line_search(
    value_at: Callable[[Array], float],
    know: Callable[[Array], Known],
    current: Iterate[Known],
    norm: Callable[[Array], Any] = np.linalg.norm,
) -> tuple[Array, Known] | None:
    """The longest of the steps 1, ½, ¼, … that decreases the objective enough, or None.

    Parameters
    ----------
    value_at, know : callable
        The objective at a point, and what the next iterate holds of it.
    current : Iterate
        Where the step begins.
    norm : callable
        Size of a gradient, which decides where values cannot.
    """
    value, slope = current.derivatives.value, -current.direction.decrease
    if not slope < 0:
        return None
    full = current.params + current.direction.step
    derivatives = know(full)
    if -slope <= invisible(value):
        # The objective cannot tell any more; the gradient still can.
        before = norm(current.derivatives.gradient)
        halved = norm(derivatives.gradient) <= before / 2
        no_worse = derivatives.value <= value + _ROUNDING_UNITS * FLOAT64_EPSILON * abs(value)
        return (full, derivatives) if halved and no_worse else None
    if derivatives.value <= value + _ARMIJO * slope:
        return full, derivatives
    length = 1.0
    for _ in range(_MAX_HALVINGS):
        length /= 2
        params = current.params + length * current.direction.step
        if value_at(params) <= value + _ARMIJO * length * slope:
            return params, know(params)
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
    hessian = objective.fix_gauge(derivatives.hessian, derivatives.gradient.shape)
    scale = np.sqrt(np.clip(np.diagonal(hessian), 0.0, None))
    factor = ScaledCholesky.of(hessian, scale)
    if factor is not None:
        step = -factor.apply(gradient)
        return described(params, derivatives, step, gradient.size, factor.condition)
    noise = np.sqrt(8 * gradient.size * FLOAT64_EPSILON)
    inverse = from_gram(hessian, scale, noise)
    step = -inverse.apply(gradient)
    return described(params, derivatives, step, inverse.rank, np.inf, inverse.dependent)


def described(
    params: Array,
    derivatives: Derivatives,
    step: Array,
    rank: int,
    condition: float,
    dependent: tuple[int, ...] = (),
) -> NewtonDirection:
    """A step from a point, over the raveled parameters, with what it promises there."""
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
