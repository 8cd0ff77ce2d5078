"""A search for few rows whose removal makes a number positive; fits confirm it.

The number g is negative at the fit of all rows. The search

1. takes rows by their effects on g to first order, which are computed again at the fit without the
   rows that were taken: a third of the rows that are still needed at a time, and one by one at the
   end. The set of the first effects alone is tried, too;
2. ranks all rows, those that are taken and the others, by what they contribute at the fit where g
   has become positive, and takes the first of that order, while that gives smaller sets. What rows
   contribute where g is zero decides which are needed; where the search began it may be otherwise;
3. puts rows back that are not needed, and replaces pairs of rows by single ones;
4. in small data, tries all sets of a smaller size, where they are few: a few hundred sets, or a few
   thousand pairs. Of more pairs it tries those with the largest sums of effects.

Every step is decided by a fit.

Sources: Broderick, Giordano and Meager (2020), *An automatic finite-sample robustness metric*,
arXiv:2011.14999, §2.3, for the set of the first effects; Kuschnig, Zens and Crespo Cuaresma (2021),
*Hidden in plain sight: influential sets in linear regression*, for effects computed again.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array

__all__ = ["Effects", "FoundSet", "Point", "smallest_set"]

# Fits that are kept, each with a Hessian.
_MOST_KEPT = 8
# Sets of one size that are all tried; and of pairs, which rows that hide each other may be. Of more
# pairs _MOST_SETS are tried.
_MOST_SETS = 300
_MOST_PAIRS = 2000
# Times that rows are ranked again.
_MOST_RANKINGS = 6
# Fits that check whether rows can be put back, of sets of up to so many rows and of larger ones;
# and the largest set of which pairs are replaced.
_MOST_CHECKS, _FEW_CHECKS = 100, 20
_LARGEST_EXCHANGED = 10
# Single rows that are tried in place of a pair, those with the largest effects.
_TRIED = 3


@dataclass(frozen=True)
class Point:
    """A fit without some rows.

    Parameters
    ----------
    g : float
        The number; NaN where there is no unique fit.
    fit : object
        What was fitted.
    """

    g: float
    fit: Any


@dataclass(frozen=True)
class FoundSet:
    """A set of rows.

    Parameters
    ----------
    rows : tuple of int
        Positions, ascending.
    point : Point
        The fit without them.
    reached : bool
        Whether g is positive there.
    predicted : int or None
        Size of the set by the first effects alone; None if all of them together are not enough.
    is_minimal : bool
        Whether no row of the set can be put back, each by a fit.
    is_smallest : bool
        Whether all smaller sets were tried; where g is not positive, all sets of the allowed size,
        or of ``most_tried`` rows.
    """

    rows: tuple[int, ...]
    point: Point
    reached: bool
    predicted: int | None
    is_minimal: bool
    is_smallest: bool


# What g is without rows, where fits of another search have told; None where not.
Known = Callable[[tuple[int, ...]], float | None]


class _Fits:
    """Fits without sets of rows. What g is, is kept of all; of the fits themselves the last few."""

    def __init__(self, fit_without: Callable[[tuple[int, ...]], Point], known: Known) -> None:
        self._fit_without, self._known = fit_without, known
        self._g: dict[tuple[int, ...], float] = {}
        self._last: dict[tuple[int, ...], Point] = {}

    def __call__(self, rows: Iterable[int]) -> Point:
        key = tuple(sorted(rows))
        if key not in self._last:
            self._last[key] = point = self._fit_without(key)
            self._g[key] = point.g
            if len(self._last) > _MOST_KEPT:
                del self._last[next(iter(self._last))]
        return self._last[key]

    def g(self, rows: Iterable[int]) -> float:
        key = tuple(sorted(rows))
        if key not in self._g and (known := self._known(key)) is not None:
            self._g[key] = known
        return self._g[key] if key in self._g else self(key).g

    def reaches(self, rows: Iterable[int]) -> bool:
        return self.g(rows) > 0


class Effects(Protocol):
    """Effects of rows on g at a fit without some rows."""

    def __call__(self, rows: tuple[int, ...], point: Point, *, of_all: bool = False) -> Array:
        """The effect of leaving out each row more; NaN for rows that are gone, and the like.

        With ``of_all``, what each row contributes there if its weight is that of all rows, to first
        order, whether it is gone or not.
        """
        ...


def smallest_set(
    fit_without: Callable[[tuple[int, ...]], Point],
    effects_at: Effects,
    present: npt.NDArray[np.intp],
    most: int,
    *,
    thorough: bool = True,
    most_tried: int | None = None,
    known: Known = lambda rows: None,
) -> FoundSet:
    """The smallest set of at most ``most`` rows that was found to make g positive.

    Parameters
    ----------
    fit_without : callable
        The fit without some rows.
    effects_at : callable
        Effects of rows on g.
    present : ndarray of int
        Rows that may be taken.
    most : int
        Largest size.
    thorough : bool, default=True
        Whether steps 3 (pairs) and 4 are done, which take some hundred fits, or some thousand.
    most_tried : int, default=None
        Largest size of sets in step 4, where larger ones are of no use; None if any are.
    known : callable
        What g is without some rows, where it is known; None where not.

    Returns
    -------
    FoundSet
        Where none was found, the largest set of the search.
    """
    fits = _Fits(fit_without, known)
    first = effects_at((), fits(()))
    predicted = _needed(first, -fits.g(()))
    history: dict[int, float] = {}
    candidates = [_by_steps(fits, effects_at, first, most, history)]
    if predicted is not None and predicted <= most:
        candidates.append(tuple(sorted(_largest(first, predicted))))
    best = min(candidates, key=lambda rows: (not fits.reaches(rows), len(rows)))
    best = _ranked(fits, effects_at, best, most)
    is_minimal = False
    if fits.reaches(best):
        best, is_minimal = _without_needless(fits, best, history)
        while thorough and 1 < len(best) <= _LARGEST_EXCHANGED:
            smaller = _exchanged(fits, effects_at, best)
            if smaller is None:
                break
            best, is_minimal = _without_needless(fits, smaller, history)
    is_smallest = len(best) == 1 and fits.reaches(best)
    if thorough:
        largest = len(best) - 1 if fits.reaches(best) else most
        largest = largest if most_tried is None else min(largest, most_tried)
        found, all_tried = _of_all_sets(fits, first, present, largest)
        if found is not None:
            best, is_minimal = found, True
        is_smallest = all_tried
    return FoundSet(best, fits(best), fits.reaches(best), predicted, is_minimal, is_smallest)


def _ranked(fits: _Fits, effects_at: Effects, rows: tuple[int, ...], most: int) -> tuple[int, ...]:
    """Sets of the rows that contribute most at the fit without the last set, while they shrink."""
    for _ in range(_MOST_RANKINGS):
        if not rows or np.isnan(fits.g(rows)):
            break
        order = _largest(effects_at(rows, fits(rows), of_all=True), most)
        high = len(rows) if fits.reaches(rows) else most
        if len(order) < high or not fits.reaches(order[:high]):
            break
        low = 0  # so many are not enough
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if fits.reaches(order[:middle]) else (middle, high)
        shrunk = high < len(rows) or not fits.reaches(rows)
        rows = tuple(sorted(order[:high]))
        if not shrunk:
            break
    return rows


def _of_all_sets(
    fits: _Fits, effects: Array, present: npt.NDArray[np.intp], largest: int
) -> tuple[tuple[int, ...] | None, bool]:
    """The first set of up to so many rows that reaches it, and whether all smaller were tried."""
    all_tried = True
    for size in range(1, largest + 1):
        count = math.comb(len(present), size)
        if count <= (_MOST_PAIRS if size <= 2 else _MOST_SETS):
            sets: Iterable[tuple[int, ...]] = itertools.combinations(present.tolist(), size)
            if size == 2:
                sets = _pairs(effects, present)
        elif size == 2:
            all_tried, sets = False, _pairs(effects, present)[:_MOST_SETS]
        else:
            return None, False
        for rows in sets:
            if fits.reaches(rows):
                return rows, all_tried
    return None, all_tried


def _pairs(effects: Array, present: npt.NDArray[np.intp]) -> list[tuple[int, int]]:
    """Pairs of rows, those with the largest sums of effects first; of many rows only the best."""
    value = np.nan_to_num(effects[present], nan=0.0)
    # Sums that are the _MOST_SETS largest are of rows of this rank at most.
    rank = _MOST_SETS if math.comb(len(present), 2) > _MOST_PAIRS else len(present)
    best = np.argsort(-value, kind="stable")[: rank + 1]
    first, second = np.triu_indices(len(best), 1)
    order = np.argsort(-(value[best[first]] + value[best[second]]), kind="stable")
    rows = present[best]
    pairs = np.sort(np.column_stack([rows[first], rows[second]])[order], axis=1)
    return [(int(one), int(other)) for one, other in pairs]


def _by_steps(
    fits: _Fits,
    effects_at: Effects,
    first: Array,
    most: int,
    history: dict[int, float],
) -> tuple[int, ...]:
    """Rows taken step by step; where g does not become positive, all that were taken."""
    taken: tuple[int, ...] = ()
    effects, banned = first, set[int]()
    while len(taken) < most and not fits.reaches(taken):
        effects = effects.copy()
        effects[list(banned)] = np.nan
        needed = _needed(effects, -fits.g(taken))
        needed = most - len(taken) if needed is None else needed
        count = min(max(1, needed // 3), most - len(taken))
        chosen = _largest(effects, count)
        while len(chosen) > 1 and np.isnan(fits.g((*taken, *chosen))):
            chosen = chosen[: len(chosen) // 2]
        if not chosen:
            break
        if np.isnan(fits.g((*taken, *chosen))):  # without it there is no fit
            banned.update(chosen)
            continue
        history.update({row: float(effects[row]) for row in chosen})
        taken = tuple(sorted((*taken, *chosen)))
        if not fits.reaches(taken):
            effects = effects_at(taken, fits(taken))
    return taken


def _without_needless(
    fits: _Fits, rows: tuple[int, ...], history: dict[int, float]
) -> tuple[tuple[int, ...], bool]:
    """The set without rows that can be put back, and whether none is left."""
    left = _MOST_CHECKS if len(rows) <= _MOST_CHECKS else _FEW_CHECKS
    while len(rows) > 1:
        for row in sorted(rows, key=lambda row: history.get(row, 0.0)):
            if left == 0:
                return rows, False
            left -= 1
            fewer = tuple(other for other in rows if other != row)
            if fits.reaches(fewer):
                rows = fewer
                break
        else:
            return rows, True
    return rows, True


def _exchanged(fits: _Fits, effects_at: Effects, rows: tuple[int, ...]) -> tuple[int, ...] | None:
    """The set with two of its rows replaced by one, if such a set reaches it."""
    for pair in itertools.combinations(rows, 2):
        kept = tuple(row for row in rows if row not in pair)
        if np.isnan(fits.g(kept)):
            continue
        for row in _largest(effects_at(kept, fits(kept)), _TRIED):
            if fits.reaches((*kept, row)):
                return tuple(sorted((*kept, row)))
    return None


def _largest(effects: Array, count: int) -> list[int]:
    """So many of the rows with the largest effects, all of them positive."""
    value = np.where(np.isnan(effects), -np.inf, effects)
    order = np.argsort(-value, kind="stable")[:count]
    return [int(row) for row in order if value[row] > 0]


def _needed(effects: Array, deficit: float) -> int | None:
    """How many of the largest effects sum to more than the deficit; None if all do not."""
    positive = np.sort(effects[effects > 0])[::-1]
    sums = np.cumsum(positive)
    enough = np.flatnonzero(sums > deficit)
    return int(enough[0]) + 1 if enough.size else None
