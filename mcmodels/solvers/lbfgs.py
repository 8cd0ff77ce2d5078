"""Minimisation by limited-memory BFGS: SciPy's, with passes over the rows counted.

Source: Nocedal and Wright (2006), *Numerical Optimization*, 2nd ed., algorithm 7.5; the code is
L-BFGS-B of Zhu, Byrd, Lu and Nocedal (1997), ACM Trans. Math. Softw. 23(4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from scipy.optimize import minimize as scipy_minimize

from mcmodels.rows import Slope, single_threaded_blas
from mcmodels.rows.blocks import Array
from mcmodels.solvers.minimum import Minimum, refuse_undefined_start
from mcmodels.solvers.solution import Solution, Status

# A relative decrease of a step that float64 can hardly show.
_INVISIBLE = 64 * float(np.finfo(np.float64).eps)
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
        CONVERGED when no entry of the gradient exceeds it, or when float64 shows no decrease.
    max_iter : int
        NOT_CONVERGED after this many steps.
    after_step : callable, default=None
        Called with the parameters after each step; True ends the descent there.

    Raises
    ------
    ValueError
        When value or gradient are not finite at the start.
    """
    passes = 0

    def scaled(params: Array) -> tuple[float, Array]:
        nonlocal passes
        passes += 1
        slope = objective.slope(params)
        if passes == 1:
            refuse_undefined_start(slope)
        return slope.value / scale, slope.gradient / scale

    def callback(intermediate_result: Any) -> None:
        if after_step is not None and after_step(intermediate_result.x.copy()):
            raise StopIteration

    options = {
        "maxiter": max_iter,
        "maxfun": _UNLIMITED,
        "maxls": _LINE_SEARCH,
        "gtol": gradient_tolerance / scale,
        "ftol": _INVISIBLE,
    }
    with single_threaded_blas(), np.errstate(over="ignore", invalid="ignore"):
        found = scipy_minimize(
            scaled, start, jac=True, method="L-BFGS-B", callback=callback, options=options
        )
    slope = Slope(float(found.fun) * scale, found.jac * scale)
    small = np.abs(slope.gradient).max(initial=0.0) <= gradient_tolerance
    status = Status.CONVERGED if found.success or small else Status.NOT_CONVERGED
    minimum = Minimum(found.x, slope, passes)
    return Solution(minimum, status, "lbfgs", int(found.nit), start.size, np.inf)
