"""A search for few rows whose removal makes a number positive; fits confirm it.

The number g is negative at the fit of all rows. Rows are taken by their effects on g to first
order, and the effects are computed again at the fit without the rows that were taken: a third of
the rows that are still needed at a time, and one by one at the end. The set of the first effects
alone is tried, too. Then rows that are not needed are put back, and pairs of rows are replaced by
single ones. Every step is decided by a fit.

Sources: Broderick, Giordano and Meager (2020), *An automatic finite-sample robustness metric*,
arXiv:2011.14999, §2.3, for the set of the first effects; Kuschnig, Zens and Crespo Cuaresma (2021),
*Hidden in plain sight: influential sets in linear regression*, for effects computed again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.arrays import Array

__all__ = ["FoundSet", "Point", "smallest_set"]

# Fits that check whether rows can be put back, and the largest set of which pairs are replaced.
_MOST_CHECKS = 100
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
    """

    rows: tuple[int, ...]
    point: Point
    reached: bool
    predicted: int | None
    is_minimal: bool


class _Fits:
    """Fits without sets of rows, each made once."""

    def __init__(self, fit_without: Callable[[tuple[int, ...]], Point]) -> None:
        self._fit_without = fit_without
        self._known: dict[tuple[int, ...], Point] = {}

    def __call__(self, rows: Iterable[int]) -> Point:
        key = tuple(sorted(rows))
        if key not in self._known:
            self._known[key] = self._fit_without(key)
        return self._known[key]

    def reaches(self, rows: Iterable[int]) -> bool:
        return self(rows).g > 0


def smallest_set(
    fit_without: Callable[[tuple[int, ...]], Point],
    effects_at: Callable[[tuple[int, ...], Point], Array],
    most: int,
    *,
    exchange: bool = True,
) -> FoundSet:
    """The smallest set of at most ``most`` rows that was found to make g positive.

    Parameters
    ----------
    fit_without : callable
        The fit without some rows.
    effects_at : callable
        At that fit, the effect on g of leaving out each row more; NaN for rows that are gone and
        those without which there is no fit.
    most : int
        Largest size.
    exchange : bool, default=True
        Whether pairs of a small set are replaced by single rows, which takes some hundred fits.

    Returns
    -------
    FoundSet
        Where none was found, the largest set of the search.
    """
    fits = _Fits(fit_without)
    start = fits(())
    first = effects_at((), start)
    predicted = _needed(first, -start.g)
    history: dict[int, float] = {}
    best = _by_steps(fits, effects_at, first, most, history)
    if predicted is not None and predicted <= most:
        at_once = tuple(sorted(_largest(first, predicted)))
        if fits.reaches(at_once) and not (fits.reaches(best) and len(best) <= predicted):
            best = at_once
    if not fits.reaches(best):
        return FoundSet(best, fits(best), False, predicted, False)
    best, is_minimal = _without_needless(fits, best, history)
    while exchange and 1 < len(best) <= _LARGEST_EXCHANGED:
        smaller = _exchanged(fits, effects_at, best)
        if smaller is None:
            break
        best, is_minimal = _without_needless(fits, smaller, history)
    return FoundSet(best, fits(best), True, predicted, is_minimal)


def _by_steps(
    fits: _Fits,
    effects_at: Callable[[tuple[int, ...], Point], Array],
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
        needed = _needed(effects, -fits(taken).g)
        needed = most - len(taken) if needed is None else needed
        count = min(max(1, needed // 3), most - len(taken))
        chosen = _largest(effects, count)
        while len(chosen) > 1 and np.isnan(fits((*taken, *chosen)).g):
            chosen = chosen[: len(chosen) // 2]
        if not chosen:
            break
        if np.isnan(fits((*taken, *chosen)).g):  # without it there is no fit
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
    checks = 0
    while len(rows) > 1:
        for row in sorted(rows, key=lambda row: history.get(row, 0.0)):
            if checks >= _MOST_CHECKS:
                return rows, False
            checks += 1
            fewer = tuple(other for other in rows if other != row)
            if fits.reaches(fewer):
                rows = fewer
                break
        else:
            return rows, True
    return rows, True


def _exchanged(
    fits: _Fits, effects_at: Callable[[tuple[int, ...], Point], Array], rows: tuple[int, ...]
) -> tuple[int, ...] | None:
    """The set with two of its rows replaced by one, if such a set reaches it."""
    for pair in itertools.combinations(rows, 2):
        kept = tuple(row for row in rows if row not in pair)
        point = fits(kept)
        if np.isnan(point.g):
            continue
        for row in _largest(effects_at(kept, point), _TRIED):
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
