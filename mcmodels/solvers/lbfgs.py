"""Minimisation by limited-memory BFGS: SciPy's, with passes over the rows counted.

Source: Nocedal and Wright (2006), *Numerical Optimization*, 2nd ed., algorithm 7.5; the code is
L-BFGS-B of Zhu, Byrd, Lu and Nocedal (1997), ACM Trans. Math. Softw. 23(4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from scipy.linalg.blas import dnrm2 as norm
from scipy.optimize import minimize as scipy_minimize

from mcmodels.arrays import Array
from mcmodels.rows import Slope, single_threaded_blas
from mcmodels.solvers.minimum import Minimum, refuse_undefined_start
from mcmodels.solvers.solution import Solution, Status

# A relative decrease of a step that float64 can hardly show; and what may still be promised where
# steps have ceased to show any.
_INVISIBLE, _EXHAUSTED = (factor * float(np.finfo(np.float64).eps) for factor in (64, 1e3))
# How far the slope is followed to see whether it lasts, relative to the parameters.
_LOOK_AHEAD = 1e-5
# Most evaluations of one line search, and of all: steps are what is limited.
_LINE_SEARCH, _UNLIMITED = 50, 2**31 - 1


class HasSlope(Protocol):
    """What L-BFGS asks of an objective."""

    def slope(self, params: Array) -> Slope:
        """Value and gradient."""
        ...


def minimise(
    objective: HasSlope,
    start: Array,
    *,
    scale: float,
    gradient_tolerance: float,
    max_iter: int,
    after_step: Callable[[Array], bool] | None = None,
) -> Solution[Minimum]:
    """Descend from a start.

    Parameters
    ----------
    objective : HasSlope
        What is minimised.
    start : ndarray of shape (n,)
        First parameters.
    scale : float
        What the objective is divided by on the way, so that it is of moderate size.
    gradient_tolerance : float
        CONVERGED when no entry of the gradient exceeds it, or when float64 shows no further
        decrease and the gradient promises none: not at a kink.
    max_iter : int
        NOT_CONVERGED after this many steps.
    after_step : callable, default=None
        Called with the parameters after each step; True ends the descent there.

    Raises
    ------
    ValueError
        When value or gradient are not finite at the start.
    """
    passes, last = 0, np.inf
    after_step = after_step or (lambda params: False)
    stopped = False

    def scaled(params: Array) -> tuple[float, Array]:
        nonlocal passes
        passes += 1
        slope = objective.slope(params)
        if passes == 1:
            refuse_undefined_start(slope)
        return slope.value / scale, slope.gradient / scale

    def callback(intermediate_result: Any) -> None:
        nonlocal last, stopped
        stopped = after_step(intermediate_result.x.copy())
        last, before = float(intermediate_result.fun), last
        if stopped or before - last <= _INVISIBLE * abs(last):
            raise StopIteration

    options = {
        "maxiter": max_iter,
        "maxfun": _UNLIMITED,
        "maxls": _LINE_SEARCH,
        "gtol": gradient_tolerance / scale,
        "ftol": 0.0,  # SciPy's is no share of values below 1: the callback judges
    }
    with single_threaded_blas(), np.errstate(over="ignore", invalid="ignore"):
        found = scipy_minimize(
            scaled, start, jac=True, method="L-BFGS-B", callback=callback, options=options
        )
        value, gradient = float(found.fun), found.jac
        if not np.isfinite(value):  # of the last trial, where no step could be taken
            value, gradient = scaled(found.x)
        done = np.abs(gradient).max(initial=0.0) * scale <= gradient_tolerance
        if not (done or stopped or found.nit >= max_iter):
            done = _promised(scaled, found.x, gradient) <= _EXHAUSTED * abs(value)
    status = Status.CONVERGED if done else Status.NOT_CONVERGED
    minimum = Minimum(found.x, Slope(value * scale, gradient * scale), passes)
    return Solution(minimum, status, "lbfgs", int(found.nit), start.size, np.inf)


def _promised(slope: Callable[[Array], tuple[float, Array]], params: Array, g: Array) -> float:
    """The decrease ``‖g‖²/2κ`` along -g, where κ is the change of the slope over some way.

    κ is no more than the curvature where the function is smooth to rounding; a kink, at which no
    step shows a decrease either, looks bent no more than the way is short.
    """
    length = float(norm(g))
    way = _LOOK_AHEAD * max(float(norm(params)), 1.0)
    _, ahead = slope(params - way / length * g)
    curvature = (length - float(ahead @ g) / length) / way
    if not np.isfinite(curvature):
        return np.inf
    return length**2 / (2 * curvature) if curvature > 0 else np.inf
