"""A profile by fits with a parameter held: slower than steps along it, for what these do not find.

A parameter that is held at t is an offset ``t xⱼ``, and its column is left out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import LinearPredictorObjective
from mcmodels.rows import Rows, WithoutColumn
from mcmodels.solvers import irls
from mcmodels.solvers.crossing import crossing
from mcmodels.solvers.fit_state import Progress
from mcmodels.solvers.solution import Status

__all__ = ["MAX_STEPS", "PRECISE", "BoundsOfProfile", "Held", "Refits", "held_by", "least_without"]

# Fits without a column end at this gradient, by the total weight, or after so many steps.
PRECISE, MAX_STEPS = 1e-10, 100

# Doublings of a standard error in which an end is looked for.
_DOUBLINGS = 12


@dataclass(frozen=True)
class Held:
    """What a fit with a parameter held has found.

    Parameters
    ----------
    least : float
        The least value of the objective: infinite where the domain holds no parameters, NaN if it
        was not found.
    params : ndarray of shape (P,) or None
        All parameters there; None where it is no minimum inside the domain, or is not known.
    """

    least: float
    params: Array | None = None


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
        centre = float(self._centres[position])
        return crossing(
            lambda value: self.least(position, value) - target, centre, side * error, _DOUBLINGS
        )

    def confirmed(
        self, position: int, side: float, target: float, error: float, end: float
    ) -> tuple[float, float]:
        """An end that was found, or one farther out; and the least value that was seen.

        Where there is a single minimum, the end is that.
        """
        return end, target

    def held(self, position: int, value: float) -> Held:
        """The least value of the objective with a parameter held, and where it is, if known."""
        return Held(self.least(position, value))


class Refits(BoundsOfProfile):
    """Fits with one parameter held.

    Parameters
    ----------
    rows : Rows
        The rows of the fit.
    params : ndarray of shape (P,)
        The parameters of the whole fit, the intercept last.
    fit : callable
        Takes rows and a start, both without the held parameter; returns what it has found.
    near : callable, default=None
        Parameters at which a fit with a parameter held at a value begins; None if it knows none. By
        default, and where nothing is found from there, those of the whole fit. Beside a parameter
        that is held, others may have to make up for its large share of η.
    is_convex : bool, default=True
        Whether a minimum that was found is the only one; else fits begin at both.
    """

    def __init__(
        self,
        rows: Rows,
        params: Array,
        fit: Callable[[Rows, Array], Held],
        near: Callable[[int, float], Array | None] | None = None,
        *,
        is_convex: bool = True,
    ) -> None:
        super().__init__(params)
        self._params, self._rows, self._fit = params, rows, fit
        self._near, self._is_convex = near, is_convex

    def least(self, position: int, value: float) -> float:
        """The least value of the objective with a parameter held; NaN if it was not found."""
        return self.held(position, value).least

    def held(self, position: int, value: float) -> Held:
        """The least value of the objective with a parameter held, and where it is, if known."""
        near = None if self._near is None else self._near(position, value)
        best = None
        for start in (near, self._params):
            if start is None:
                continue
            found = self._fit(
                WithoutColumn(self._rows, position, value), np.delete(start, position)
            )
            best = found if best is None else min(best, found, key=_order)
            if np.isfinite(best.least) and self._is_convex:
                break
        assert best is not None  # the parameters of the whole fit are always a start
        if best.params is None:
            return best
        return Held(best.least, np.insert(best.params, position, value))


def _order(held: Held) -> tuple[float, float]:
    """The least first; what was not found before there being nothing to find."""
    if np.isfinite(held.least):
        return 0.0, held.least
    return (1.0 if np.isnan(held.least) else 2.0), 0.0


def held_by(
    fit: Callable[..., Iterator[Progress]],
    objective: Any,
    start: Array,
    max_iter: int = MAX_STEPS,
) -> Held:
    """The least value of an objective that a fit finds from a start; NaN if it finds none."""
    with np.errstate(all="ignore"):  # the loss may not be defined there
        at = objective.derivatives(start)
    if not at.is_finite:
        return Held(np.nan)
    *_, last = fit(objective, start, tol=PRECISE, max_iter=max_iter)
    if last.status is not Status.CONVERGED:
        return Held(np.nan)
    return Held(objective.value(last.params), last.params)


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
    penalty = objective.penalty
    if isinstance(penalty, np.ndarray):
        penalty = np.delete(penalty, position)
    small = objective.over(WithoutColumn(objective.rows, position), penalty)
    start = np.delete(params, position, axis=-1)
    if not start.size:
        return small.value(start)
    *_, last = irls.fit(small, start, tol=PRECISE, max_iter=MAX_STEPS)
    if last.iterate is None or last.status is not Status.CONVERGED:
        return np.nan
    left = max(last.iterate.direction.decrease, 0.0) / 2.0
    return float(last.iterate.derivatives.value - left)
