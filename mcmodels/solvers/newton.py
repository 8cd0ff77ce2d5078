"""Newton's method with a line search, for objectives that give value, gradient and Hessian at once.

For a loss in the linear predictor this is iteratively reweighted least squares: the step solves
``(X̃ᵀWDX̃ + αI) δ = -gradient``. Source: Nocedal and Wright (2006), *Numerical Optimization*, 2nd ed.,
algorithm 3.2 and §3.1 (backtracking with the Armijo condition).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import linalg

from mcmodels.rows import Derivatives
from mcmodels.rows.blocks import Array
from mcmodels.solvers.pseudoinverse import FLOAT64_EPSILON, from_gram
from mcmodels.solvers.solution import Status

_ARMIJO = 1e-4
_MAX_HALVINGS = 50
# Changes of the objective below this many rounding units of its value cannot be told apart.
_ROUNDING_UNITS = 8


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
        ``-gradientᵀδ``, twice the decrease that the quadratic model promises.
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
    rank: int
    condition: float
    dependent: tuple[int, ...]


@dataclass(frozen=True)
class Iterate:
    """Where Newton's method stands.

    Parameters
    ----------
    params : ndarray
        The parameters.
    derivatives : Derivatives
        Value, gradient and Hessian there.
    direction : NewtonDirection
        The next step, if one is taken.
    count : int
        Steps taken so far.
    status : Status or None
        None while there is more to do.
    """

    params: Array
    derivatives: Derivatives
    direction: NewtonDirection
    count: int
    status: Status | None


def iterates(
    objective: NewtonObjective, start: Array, *, gradient_tolerance: float, max_iter: int
) -> Iterator[Iterate]:
    """Yield the start and every iterate after it, until one has a status.

    Parameters
    ----------
    objective : NewtonObjective
        What is minimised.
    start : ndarray
        First parameters, in any shape.
    gradient_tolerance : float
        CONVERGED when no entry of the gradient exceeds it, or when float64 can show no further
        decrease.
    max_iter : int
        NOT_CONVERGED after this many steps.
    """
    derivatives = objective.derivatives(start)
    direction = newton_direction(objective, derivatives)
    status = _status(derivatives, direction, gradient_tolerance, 0, max_iter)
    current = Iterate(start, derivatives, direction, 0, status)
    yield current
    while current.status is None:
        current = _advance(objective, current, gradient_tolerance, max_iter)
        yield current


def _advance(
    objective: NewtonObjective, current: Iterate, gradient_tolerance: float, max_iter: int
) -> Iterate:
    accepted = _line_search(objective, current)
    if accepted is None:
        return Iterate(
            current.params,
            current.derivatives,
            current.direction,
            current.count + 1,
            _stalled(current),
        )
    params, derivatives = accepted
    direction = newton_direction(objective, derivatives)
    count = current.count + 1
    status = _status(derivatives, direction, gradient_tolerance, count, max_iter)
    return Iterate(params, derivatives, direction, count, status)


def _status(
    derivatives: Derivatives,
    direction: NewtonDirection,
    gradient_tolerance: float,
    count: int,
    max_iter: int,
) -> Status | None:
    if np.abs(derivatives.gradient).max(initial=0.0) <= gradient_tolerance:
        return Status.CONVERGED
    return Status.NOT_CONVERGED if count >= max_iter else None


def _stalled(current: Iterate) -> Status:
    """No step decreases the objective: at the precision of float64, or short of it."""
    at_precision = current.direction.decrease <= np.sqrt(FLOAT64_EPSILON) * _rounding_scale(current)
    return Status.CONVERGED if at_precision else Status.NOT_CONVERGED


def _rounding_scale(current: Iterate) -> float:
    return abs(current.derivatives.value)


def _line_search(
    objective: NewtonObjective, current: Iterate
) -> tuple[Array, Derivatives] | None:
    """The longest of the steps 1, ½, ¼, … that decreases the objective enough, or None."""
    value, slope = current.derivatives.value, -current.direction.decrease
    if not slope < 0:
        return None
    full = current.params + current.direction.step
    derivatives = objective.derivatives(full)
    if derivatives.value <= value + _ARMIJO * slope:
        return full, derivatives
    rounding = _ROUNDING_UNITS * FLOAT64_EPSILON * _rounding_scale(current)
    if -slope <= rounding * 1e3 and derivatives.value <= value + rounding:
        # Too close to the minimum for the objective to tell; the gradient still can.
        smaller = np.linalg.norm(derivatives.gradient) < np.linalg.norm(current.derivatives.gradient)
        return (full, derivatives) if smaller else None
    length = 1.0
    for _ in range(_MAX_HALVINGS):
        length /= 2
        params = current.params + length * current.direction.step
        if objective.value(params) <= value + _ARMIJO * length * slope:
            return params, objective.derivatives(params)
    return None


def newton_direction(objective: NewtonObjective, derivatives: Derivatives) -> NewtonDirection:
    """The Newton step at a point, by Cholesky of the scaled Hessian, or its pseudo-inverse."""
    gradient = derivatives.gradient.ravel()
    size = gradient.size
    hessian = objective.fix_gauge(derivatives.hessian, derivatives.gradient.shape)
    scale = np.sqrt(np.clip(np.diagonal(hessian), 0.0, None))
    threshold = 8 * size * FLOAT64_EPSILON
    rank, condition, dependent = size, np.inf, ()
    step = None
    if size and scale.all():
        scaled = hessian / np.outer(scale, scale)
        factor, info = linalg.lapack.dpotrf(scaled, lower=1)
        if info == 0:
            one_norm = np.abs(scaled).sum(axis=0).max()
            reciprocal, _ = linalg.lapack.dpocon(factor, one_norm, uplo="L")
            if reciprocal > threshold:
                condition = float(1 / np.sqrt(reciprocal))
                step = -linalg.cho_solve((factor, True), gradient / scale, check_finite=False) / scale
    if step is None:
        inverse = from_gram(hessian, scale, np.sqrt(threshold))
        rank, dependent = inverse.rank, inverse.dependent
        step = -inverse.apply(gradient)
    decrease = -float(gradient @ step)
    return NewtonDirection(
        step.reshape(derivatives.gradient.shape), decrease, rank, condition, dependent
    )
