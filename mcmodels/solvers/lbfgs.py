"""Minimisation by limited-memory BFGS: SciPy's, with a count of the passes over the rows.

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
from mcmodels.solvers.descent import DescentResult, refuse_undefined_start
from mcmodels.solvers.solution import Solution, Status
from mcmodels.solvers.tolerances import FLOAT64_EPSILON, UNVERIFIABLE_DECREASE

# The descent stops at a step whose relative decrease is below this.
_SMALLEST_DECREASE = 64 * FLOAT64_EPSILON
# A plateau is where the gradient is within its tolerance, but a step along it still promises to
# lower the objective by this share. There the descent goes on
_PROMISING = 0.01
# to a gradient that is smaller by this factor,
_STRICTER = 0.01
# at most so many times.
_PLATEAUS = 6
# Objectives below this, in units of the scale, have no plateaus: one that tends to zero always
# promises all of its value.
_SMALL_VALUE = 0.05
# Tolerances above this, in units of the scale, are of users who want to stop anywhere.
_ROUGH = 0.01
# Length of the trial step that measures the curvature along the gradient, relative to the
# parameters.
_TRIAL_LENGTH = 1e-5
# The curvature is measured at most so many times, and falls to no less than this share at once.
_MEASURED, _LEAST_RATIO = 50, 1e-3
# Where the objective overflows, it counts as larger by so many times its size.
_RISE = 1e3
# Largest number of evaluations in one line search, and in total: only steps are limited.
_LINE_SEARCH, _UNLIMITED = 50, 2**31 - 1


class HasSlope(Protocol):
    """What L-BFGS needs from an objective."""

    def slope(self, params: Array) -> Slope:
        """Value and gradient."""
        ...


def minimise_by_lbfgs(
    objective: HasSlope,
    start: Array,
    *,
    scale: float,
    gradient_tolerance: float,
    max_iter: int,
    after_step: Callable[[Array], bool] | None = None,
) -> Solution[DescentResult]:
    """Descend from a start.

    Parameters
    ----------
    objective : HasSlope
        What is minimised.
    start : ndarray of shape (n,)
        First parameters.
    scale : float
        The objective is divided by this for SciPy, so that it is of moderate size.
    gradient_tolerance : float
        CONVERGED when no entry of the gradient exceeds it, and it is not that of a plateau; or when
        values show no further decrease and the gradient predicts none. At a kink the gradient
        predicts more: NOT_CONVERGED.
    max_iter : int
        NOT_CONVERGED after this many steps.
    after_step : callable, default=None
        Called with the parameters after each step; True ends the descent there.

    Raises
    ------
    ValueError
        When value or gradient are not finite at the start.
    """
    passes, steps, last, first = 0, 0, np.inf, 0.0
    after_step = after_step or (lambda params: False)
    stopped, reached = False, start
    is_rough = gradient_tolerance > _ROUGH * scale

    def scaled(params: Array) -> tuple[float, Array]:
        nonlocal passes, first
        passes += 1
        slope = objective.slope(params)
        if passes == 1:
            refuse_undefined_start(slope)
        if not (np.isfinite(slope.value) and np.isfinite(slope.gradient).all()):
            return _wall(last if np.isfinite(last) else first, params - reached)
        first = slope.value / scale if passes == 1 else first
        return slope.value / scale, slope.gradient / scale

    def callback(intermediate_result: Any) -> None:
        nonlocal last, reached, stopped
        if not np.isfinite(intermediate_result.x).all():  # squares of a step have overflowed
            raise StopIteration
        reached = intermediate_result.x.copy()
        stopped = after_step(reached)
        last, before = float(intermediate_result.fun), last
        if stopped or before - last <= _SMALLEST_DECREASE * abs(last):
            raise StopIteration

    options: dict[str, Any] = {
        "maxiter": max_iter,
        "maxfun": _UNLIMITED,
        "maxls": _LINE_SEARCH,
        "gtol": gradient_tolerance / scale,
        "ftol": 0.0,  # the callback tests it: SciPy's is not relative below 1
    }
    with single_threaded_blas(), np.errstate(over="ignore", invalid="ignore"):
        for _ in range(_PLATEAUS):
            found = scipy_minimize(
                scaled, reached, jac=True, method="L-BFGS-B", callback=callback, options=options
            )
            steps += int(found.nit)
            value, gradient = float(found.fun), found.jac
            if not np.array_equal(found.x, reached):  # SciPy returned a rejected trial
                value, gradient = scaled(reached)
            largest = np.abs(gradient).max(initial=0.0) * scale
            done = largest <= gradient_tolerance
            if stopped or steps >= max_iter:
                break
            if done and (largest == 0 or value <= _SMALL_VALUE or is_rough):
                break
            predicted = _predicted_decrease(scaled, reached, value, gradient)
            if not done:
                done = predicted <= UNVERIFIABLE_DECREASE * abs(value)
                break
            if predicted <= _PROMISING * abs(value):
                break
            done, last = False, np.inf
            options |= {"gtol": _STRICTER * largest / scale, "maxiter": max_iter - steps}
    status = Status.CONVERGED if done else Status.NOT_CONVERGED
    minimum = DescentResult(reached, Slope(value * scale, gradient * scale), passes)
    return Solution(minimum, status, "lbfgs", steps, start.size, np.inf)


def _wall(value: float, step: Array) -> tuple[float, Array]:
    """What a line search is told of a trial at which the objective overflows: it is far up.

    A parabola from the last point, with no slope there: interpolation then shortens the step. Of
    infinite values SciPy's line search makes NaN, and the descent ends.
    """
    rise = _RISE * (abs(value) or 1.0)
    return value + rise, 2.0 * rise * step / float(norm(step)) ** 2


def _predicted_decrease(
    slope: Callable[[Array], tuple[float, Array]], params: Array, value: float, g: Array
) -> float:
    """The decrease ``‖g‖²/2κ`` along -g, with the curvature κ measured over a short trial step.

    Where the function is smooth, κ is its curvature, and this decrease is what is left to gain.
    At a kink no step shows a decrease either; but κ is at most 2‖g‖/t for a trial step of length
    t, so that this decrease is at least ‖g‖t/4, far more than rounding.

    Over a trial step that is too long, as of exponentials of large columns, κ is that of places far
    away, and huge. So κ is measured again over the step to the minimum of the quadratic, until it
    is no longer half of what it was; rounding errors of a small gradient do the same, and end so.
    """
    length = float(norm(g))
    if length == 0:
        return 0.0

    def curvature_over(distance: float) -> float:
        _, ahead = slope(params - distance / length * g)
        return (length - float(ahead @ g) / length) / distance

    trial = _TRIAL_LENGTH * max(float(norm(params)), 1.0)
    curvature = curvature_over(trial)
    if not (np.isfinite(curvature) and curvature > 0):
        return np.inf
    for _ in range(_MEASURED):
        predicted, step = length * (length / (2 * curvature)), length / curvature
        if predicted > UNVERIFIABLE_DECREASE * abs(value) or step >= trial:
            return predicted
        nearer = curvature_over(step)
        if nearer >= curvature / 2:
            return predicted
        curvature = max(nearer, _LEAST_RATIO * curvature)
    return np.inf
