"""How far approximate sums of log scores are off, from exact fits of some of the units.

Units are sorted by an indicator d of the size of their error. Those in which it is largest are
fitted exactly. The others are divided into strata with the same sum of d, and some of each are
drawn. The error of the others is bounded by twice the largest ratio of error to d that was seen in
their stratum: errors are never added with different signs.
"""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array, Codes
from mcmodels.resampling.left_out_fits import LeftOutFits

__all__ = ["fit_some_exactly"]

_STRATA = 8
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
    for stratum, sample in zip(strata, drawn, strict=True):
        left = stratum[~np.isin(stratum, sample)]
        if not left.size:
            continue
        ratios = np.abs(fits.errors(sample)) / indicator[sample]
        seen = ratios[np.isfinite(ratios)]
        error += _SAFETY * float(seen.max(initial=0.0) * indicator[left].sum())
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
    bounds = np.searchsorted(share, share[-1] * np.arange(1, _STRATA) / _STRATA)
    strata = [part for part in np.split(others, np.unique(bounds)) if part.size]
    random = np.random.default_rng(seed)
    each = max((count - count // 2) // len(strata), 2)
    drawn = [random.choice(part, min(each, part.size), replace=False) for part in strata]
    return largest, strata, drawn
