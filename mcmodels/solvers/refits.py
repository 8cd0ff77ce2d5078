"""A profile by fits with a parameter held: slower than steps along it, for what these do not find.

A parameter that is held at t is an offset ``t xⱼ``, and its column is left out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from scipy import optimize

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.rows import Rows, WithoutColumn
from mcmodels.solvers import irls
from mcmodels.solvers.solution import Status

__all__ = ["BoundsOfProfile", "Refits", "least_without"]

# Fits without a column end at this gradient, by the total weight, or after so many steps.
_PRECISE, _MAX_STEPS = 1e-10, 100

# Doublings of a standard error in which an end is looked for, and bisections of the last one.
_DOUBLINGS, _BISECTIONS = 12, 50
# The precision of an end, in standard errors.
_PRECISION = 1e-9


class _NotFoundError(Exception):
    """A fit with a parameter held has found no minimum: nothing is known of its value."""


class BoundsOfProfile(ABC):
    """The ends of intervals by fits with one parameter, or a combination of them, held.

    Parameters
    ----------
    centres : ndarray of shape (m,)
        The values of what is held, in the whole fit.
    """

    def __init__(self, centres: Array) -> None:
        self._centres = centres

    @abstractmethod
    def least(self, position: int, value: float) -> float:
        """The least value of the objective with one held; NaN if it was not found."""

    def end(self, position: int, side: float, target: float, error: float) -> float:
        """Where the profile has a value, on one side of the estimate; NaN if it was not found.

        Where the profile ends before, at the bounds of the domain, that is the end.
        """
        try:
            return self._end(position, side, target, error)
        except _NotFoundError:
            return np.nan

    def confirmed(
        self, position: int, side: float, target: float, error: float, end: float
    ) -> tuple[float, float]:
        """An end that was found, or one farther out; and the least value that was seen.

        Where there is a single minimum, the end is that.
        """
        return end, target

    def _end(self, position: int, side: float, target: float, error: float) -> float:
        centre = float(self._centres[position])

        def excess(distance: float) -> float:
            found = self.least(position, centre + side * distance * error)
            if np.isnan(found):
                raise _NotFoundError
            return found - target

        inside, outside = 0.0, 1.0
        for _ in range(_DOUBLINGS):
            above = excess(outside)
            if above > 0:
                break
            inside, outside = outside, 2.0 * outside
        else:
            return np.nan
        for _ in range(_BISECTIONS):
            if np.isfinite(above) or outside - inside <= _PRECISION:
                break
            middle = (inside + outside) / 2.0
            at = excess(middle)
            inside, outside, above = (middle, outside, above) if at <= 0 else (inside, middle, at)
        if np.isfinite(above):
            low = inside if inside > 0 else min(_PRECISION, outside / 2.0)
            outside = optimize.brentq(excess, low, outside, xtol=_PRECISION)
        return centre + side * outside * error


class Refits(BoundsOfProfile):
    """Fits with one parameter held.

    Parameters
    ----------
    rows : Rows
        The rows of the fit.
    params : ndarray of shape (P,)
        The parameters of the whole fit, the intercept last.
    fit : callable
        Takes rows and a start; returns the least value of the objective: infinite where the domain
        holds no parameters, NaN if it was not found.
    """

    def __init__(self, rows: Rows, params: Array, fit: Callable[[Rows, Array], float]) -> None:
        super().__init__(params)
        self._params, self._rows, self._fit = params, rows, fit

    def least(self, position: int, value: float) -> float:
        """The least value of the objective with a parameter held; NaN if it was not found."""
        rows = WithoutColumn(self._rows, position, value)
        return self._fit(rows, np.delete(self._params, position))


def least_without(objective: LinearPredictorObjective, params: Array, position: int) -> float:
    """The least value of an objective without a column of all outputs; NaN if it was not found.

    Parameters
    ----------
    objective : LinearPredictorObjective
        The objective, which is convex.
    params : ndarray of shape (P,) or (K, P)
        The minimum of the whole.
    position : int
        The column; that of the intercept is the last.
    """
    small = objective.over(WithoutColumn(objective.rows, position), objective.penalty)
    start = np.delete(params, position, axis=-1)
    if not start.size:
        return small.value(start)
    *_, last = irls.fit(small, start, tol=_PRECISE, max_iter=_MAX_STEPS)
    if last.iterate is None or last.status is not Status.CONVERGED:
        return np.nan
    left = max(last.iterate.direction.decrease, 0.0) / 2.0
    return float(last.iterate.derivatives.value - left)
