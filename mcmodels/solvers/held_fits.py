"""Fits of a loss with Jeffreys' prior with combinations of the parameters held.

The penalty stays that of the whole model. This is the profile penalised likelihood of Heinze and
Schemper (2002), *A solution to the problem of separation in logistic regression*, Statistics in
Medicine 21, §2.2: a parameter that is left out is held at zero, and its column stays in the
information.

The objective may have several minima. So fits go out from several starts; the lowest end counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.objectives.jeffreys import JeffreysObjective
from mcmodels.rows import single_threaded_blas
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.jeffreys import Trust, prior_iterates
from mcmodels.solvers.jeffreys_coordinates import PenalisedByInformation
from mcmodels.solvers.refits import BoundsOfProfile
from mcmodels.solvers.solution import Status

__all__ = ["HeldFits"]

# Fits end at this gradient, by the total weight, or after so many steps.
_PRECISE, _MAX_STEPS = 1e-10, 200
# A minimum is lower by more than this share of the rise of the profile: it moves an end by about as
# much of a standard error.
_NEGLIGIBLE = 1e-6
# No other minima are looked for where an end is so near, relative to its distance, to that of a
# parabola: of 16 separated rows, the ends that were moved were farther from it by 60 % or more.
_LIKE_A_PARABOLA = 0.05
# Other minima are looked for at these shares of the way to an end, and followed to it: a fit from
# zero finds them where what is held is not far from zero.
_SHARES = (0.5, 0.75, 1.0)
# Fits from the estimate look so much beyond an end; and so often an end may be moved.
_BEYOND, _MAX_FARTHER = (1.02, 1.1), 4
# An end is looked for from here on, with this precision, both in standard errors, by so many fits.
_FIRST, _PRECISION, _MAX_FITS = 2.0, 1e-9, 60


class HeldFits(BoundsOfProfile):
    """Fits with combinations of the parameters held.

    Parameters
    ----------
    objective : PenalisedByInformation
        The objective.
    params : ndarray of shape (P,) or (K, P)
        Its minimum.
    combinations : ndarray of shape (m, n)
        Combinations of the raveled parameters; of several classes each sums to zero over them.
    """

    def __init__(
        self, objective: PenalisedByInformation, params: Array, combinations: Array
    ) -> None:
        super().__init__(combinations @ params.ravel())
        self._combinations = combinations
        self._bound = _PRECISE * objective.rows.total_weight
        self._place = place = objective.place_at(params)
        self._first = place.inner.without_shift(place.from_users(params))

    def least(self, position: int, value: float) -> float:
        """The least value of the objective with one combination held; NaN if it was not found."""
        return self.least_of([position], np.array([value]))

    def least_of(self, positions: list[int], values: Array) -> float:
        """The least value of the objective with combinations held; NaN if it was not found.

        Parameters
        ----------
        positions : list of int
            Which combinations, none of which follows from the others.
        values : ndarray of shape (k,)
            Where they are held.
        """
        held, first = self._held(positions), self._first
        # From the minimum, and from where nothing else is different from zero.
        starts = (first, held.along), (np.zeros_like(first), held.C.T)
        ends = [held.fit(values, start, along) for start, along in starts]
        return min((e.value for e in ends if e.params is not None), default=np.nan) + self._constant

    def end(self, position: int, side: float, target: float, error: float) -> float:
        """Where the profile has a value, on one side of the estimate; NaN if it was not found."""
        found = self._walk(self._held([position]), position, side, target, error)
        return super().end(position, side, target, error) if np.isnan(found) else found

    def confirmed(
        self, position: int, side: float, target: float, error: float, end: float
    ) -> tuple[float, float]:
        """An end that was found, or one farther out, where there is a lower minimum.

        Fits with the combination held at the end, or beyond it, go out from other points. If one
        ends lower, its minimum is followed to where it has the value. That no minimum is missed is
        not proved. Where the end is nearly that of a parabola, as with many rows, none is looked
        for.

        Returns
        -------
        end, least : float
            The farthest end, and the least value of the objective that was seen.
        """
        centre, least = float(self._centres[position]), target
        parabola = np.sqrt(2.0 * (target - self._minimum))
        if abs((end - centre) * side / error - parabola) <= _LIKE_A_PARABOLA * parabola:
            return end, least
        held = self._held([position])
        for _ in range(_MAX_FARTHER):
            farther = end
            for value, found in self._others(held, centre, target, end):
                least = min(least, found.value + self._constant)
                at = (value - centre) * side / error
                other = self._walk(held, position, side, target, error, at, found.params)
                farther = other if side * other > side * farther else farther
            if farther == end:
                break
            end = farther
        return end, least

    def _others(
        self, held: _Held, centre: float, target: float, end: float
    ) -> Iterator[tuple[float, _End]]:
        """Minima below the target where the combination is held at an end, or beyond it."""
        lower = target - _NEGLIGIBLE * (target - self._minimum) - self._constant
        zeros, from_zero = np.zeros_like(self._first), held.C.T
        for start, along, share in (
            *((zeros, from_zero, share) for share in _SHARES),
            (zeros, held.along, 1.0),
            *((self._first, held.along, share) for share in _BEYOND),
        ):
            value = centre + share * (end - centre)
            found = held.fit(np.array([value]), start, along)
            if share < 1.0 and found.params is not None:
                value, found = end, held.fit(np.array([end]), found.params, held.along)
            if found.params is not None and found.value < lower:
                yield value, found

    def _walk(
        self,
        held: _Held,
        position: int,
        side: float,
        target: float,
        error: float,
        at: float = _FIRST,
        point: Array | None = None,
    ) -> float:
        """Where a minimum that is followed has a value; NaN if that was not found.

        By Newton's method in the value that is held: the slope of the profile is that of the
        objective along the combination. Each fit goes out from the last.
        """
        centre = float(self._centres[position])
        inside, outside = 0.0, np.inf
        point = self._first if point is None else point
        for _ in range(_MAX_FITS):
            found = held.fit(np.array([centre + side * at * error]), point, held.along)
            if found.params is None:
                return np.nan
            excess, point = found.value + self._constant - target, found.params
            slope = side * error * float(found.slopes[0])
            inside, outside = (at, outside) if excess <= 0 else (inside, at)
            reached = at - excess / slope if slope > 0 else np.inf
            if abs(reached - at) <= _PRECISION or outside - inside <= _PRECISION:
                return centre + side * at * error
            if not inside < reached < outside:
                reached = (inside + outside) / 2.0
            at = min(reached, 2.0 * at)
        return np.nan

    @cached_property
    def _minimum(self) -> float:
        return self._place.inner.value(self._first) + self._constant

    @property
    def _constant(self) -> float:
        """What the objective of the user's parameters has more than that of the coordinates."""
        return self._place.constant(len(np.atleast_2d(self._first)))

    def _held(self, positions: list[int]) -> _Held:
        place, shape = self._place, self._first.shape
        C = self._combinations[positions].reshape(len(positions), *shape[:-1], -1)
        C = (C @ place.to_users(np.eye(shape[-1])).T).reshape(len(positions), -1)
        lengths = np.linalg.norm(C, axis=1)
        C = C / lengths[:, np.newaxis]
        shifts = np.kron(np.ones((1, shape[0])), np.eye(shape[-1])) if len(shape) > 1 else C[:0]
        free = linalg.null_space(np.vstack([C, shifts]))
        return _Held(place.inner, C, lengths, free, self._along(C), self._bound)

    def _along(self, C: Array) -> Array:
        """``H⁻¹Cᵀ`` at the minimum; Cᵀ where H is not positive definite there."""
        with single_threaded_blas():
            scale = np.sqrt(np.clip(np.diagonal(self._hessian), 0.0, None))
            factor = ScaledCholesky.of(self._hessian, scale)
            return C.T if factor is None else factor.apply(C.T)

    @cached_property
    def _hessian(self) -> Array:
        inner, first = self._place.inner, self._first
        return inner.with_shift_curvature(inner.derivatives(first).hessian, first.shape)


@dataclass(frozen=True)
class _End:
    """The least value that a fit has found, the slopes by what is held, and where it is."""

    value: float = np.nan
    slopes: Array = field(default_factory=lambda: np.zeros(0))
    params: Array | None = None


@dataclass(frozen=True)
class _Held:
    """Combinations that are held, in the coordinates of the objective.

    Parameters
    ----------
    inner : JeffreysObjective
        The objective.
    C : ndarray of shape (k, m)
        The combinations, with unit length.
    lengths : ndarray of shape (k,)
        What they were divided by.
    free : ndarray of shape (m, j)
        Directions that do not change them.
    along : ndarray of shape (m, k)
        Directions that change them, and the objective the least.
    bound : float
        Bound of the gradient.
    """

    inner: JeffreysObjective
    C: Array
    lengths: Array
    free: Array
    along: Array
    bound: float

    def fit(self, values: Array, start: Array, along: Array) -> _End:
        """The minimum that is found from a start, moved along some directions to the values."""
        inner = self.inner
        left = values / self.lengths - self.C @ start.ravel()
        moved = along @ linalg.lstsq(self.C @ along, left)[0]
        begin = start + inner.without_shift(moved.reshape(start.shape))
        if not np.isfinite(inner.value(begin)):
            return _End()
        *_, last = prior_iterates(inner, begin, self.bound, _MAX_STEPS, 0, Trust(), self.free)
        if last.status is not Status.CONVERGED:
            return _End()
        known, step = last.derivatives, last.direction
        multipliers = linalg.lstsq(self.C.T, known.gradient.ravel())[0]
        value = float(known.value - max(step.decrease, 0.0) / 2.0)
        return _End(value, multipliers / self.lengths, last.params)
