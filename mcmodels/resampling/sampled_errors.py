"""How far approximate sums of log scores are off, from exact fits of some of the units.

Units are sorted by an indicator d of the size of their error. Those in which it is largest are
fitted exactly. The others are divided into strata with the same sum of d, and some of each are
drawn. The error of the others is bounded by twice the largest ratio of error to d that was seen in
their stratum, and in that of the next larger d, because ratios grow with d, too. Errors are never
added with different signs.
"""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array, Codes
from mcmodels.resampling.left_out_fits import LeftOutFits

__all__ = ["fit_some_exactly"]

_MOST_STRATA, _DRAWN = 8, 4
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
    rest = np.nonzero(~fits.exact)[0]
    indicator = fits.indicators()
    largest, strata, drawn = _chosen(rest, indicator, fits.some, seed)
    chosen = np.concatenate([largest, *drawn])
    fits.fit_exactly(chosen)
    error = 0.0 if replaces else float(np.abs(fits.errors(chosen)).sum())
    ratios = np.zeros(fits.count)
    ratios[chosen] = np.abs(fits.errors(chosen)) / indicator[chosen]
    ratios[~np.isfinite(ratios)] = 0.0  # without these there is no optimum: they are known
    next_larger = largest
    for stratum, sample in zip(strata, drawn, strict=True):
        left = stratum[~np.isin(stratum, sample)]
        seen = ratios[np.concatenate([sample, next_larger])].max(initial=0.0)
        error += _SAFETY * float(seen * indicator[left].sum())
        next_larger = sample
    return error


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
