"""How far approximate sums of log scores are off, from exact fits of some of the units.

Units are sorted by an indicator d of the size of their error. Those in which it is largest are
fitted exactly. The others are divided into strata with the same sum of d, and some of each are
drawn. The error of the others is bounded by twice the largest ratio of error to d that was seen in
their stratum, or where d is larger, because ratios grow with d, too. Errors are never added with
different signs. Where the bound is large, more units are fitted exactly.
"""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array, Codes
from mcmodels.resampling.left_out_fits import LeftOutFits

__all__ = ["fit_some_exactly"]

# Strata; units that are drawn from each, at least.
_MOST_STRATA, _DRAWN = 8, 4
# More units are fitted exactly while what is left may be a larger share of the sum than this, twice
# as many in each round.
_ENOUGH, _MOST_ROUNDS = 1e-3, 4
# The largest ratio in a stratum may be larger than the largest that is drawn.
_SAFETY = 2.0


def fit_some_exactly(fits: LeftOutFits, seed: int, *, replaces: bool = True) -> float:
    """Fit some units exactly; return a bound of the error of the sum that is left.

    Parameters
    ----------
    fits : LeftOutFits
        The fits, of which some become exact.
    seed : int
        Of the draws.
    replaces : bool
        Whether the exact scores take the places of the approximate ones. If not, their errors are
        in what is returned.
    """
    indicator = fits.indicators()
    ratios, chosen = np.zeros(fits.count), np.zeros(fits.count, dtype=bool)
    count = fits.some
    for _ in range(_MOST_ROUNDS):
        largest, strata, drawn = _chosen(np.nonzero(~fits.exact)[0], indicator, count, seed)
        units = np.concatenate([largest, *drawn])
        fits.fit_exactly(units)
        chosen[units] = True
        ratios[units] = np.abs(fits.errors(units)) / indicator[units]
        ratios[~np.isfinite(ratios)] = 0.0  # without these there is no optimum: they are known
        # What the first stratum starts from: the ratios where d is largest; in later rounds all
        # that were seen, also in strata with a smaller d.
        known = largest if count == fits.some else np.nonzero(chosen)[0]
        seen, left_over = float(ratios[known].max(initial=0.0)), 0.0
        for stratum, sample in zip(strata, drawn, strict=True):
            seen = max(seen, float(ratios[sample].max()))
            left = stratum[~fits.exact[stratum]]
            left_over += _SAFETY * seen * float(indicator[left].sum())
        total = np.abs(fits.sums(fits.judged())).sum()
        if left_over <= _ENOUGH * total or fits.exact.all():
            break
        count *= 2
    replaced = 0.0 if replaces else float(np.abs(fits.errors(np.nonzero(chosen)[0])).sum())
    return replaced + left_over


def _chosen(
    rest: Codes, indicator: Array, count: int, seed: int
) -> tuple[Codes, list[Codes], list[Codes]]:
    """The units with the largest indicators, strata of the others, and draws from each."""
    order = rest[np.argsort(-indicator[rest], kind="stable")]
    if len(order) <= count:
        return order, [], []
    largest, others = order[: count // 2], order[count // 2 :]
    share = np.cumsum(indicator[others])
    number = int(np.clip((count - count // 2) // _DRAWN, 1, _MOST_STRATA))
    bounds = np.searchsorted(share, share[-1] * np.arange(1, number) / number)
    strata = [part for part in np.split(others, np.unique(bounds)) if part.size]
    random = np.random.default_rng(seed)
    each = max((count - count // 2) // len(strata), _DRAWN)
    drawn = [random.choice(part, min(each, part.size), replace=False) for part in strata]
    return largest, strata, drawn
