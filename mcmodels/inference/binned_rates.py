"""Observed rates beside predicted probabilities, in bins, with Wilson's intervals.

Of k events in n rows the interval has the values p for which ``|k/n - p| ≤ q √(p(1 - p)/n)``:

    (k + q²/2 ± q √(k(n - k)/n + q²/4)) / (n + q²)

Source: Wilson (1927), *Probable inference, the law of succession, and statistical inference*, JASA
22; Brown, Cai and DasGupta (2001), *Interval estimation for a binomial proportion*, Statistical
Science 16(2), equation (4).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from mcmodels.arrays import Array

__all__ = ["binned_rates", "wilson_interval"]


def wilson_interval(events: Array, rows: Array, level: float) -> Array:
    """Ends of Wilson's intervals, shape (k, 2)."""
    q = float(-special.ndtri((1.0 - level) / 2.0))
    k, n = np.asarray(events, dtype=np.float64), np.asarray(rows, dtype=np.float64)
    middle = (k + q**2 / 2.0) / (n + q**2)
    reach = q * np.sqrt(k * (n - k) / n + q**2 / 4.0) / (n + q**2)
    # Without an event, or with nothing else, one end is 0 or 1: rounding would leave it beside.
    lower = np.where(k == 0, 0.0, middle - reach)
    upper = np.where(k == n, 1.0, middle + reach)
    return np.column_stack([lower, upper])


def binned_rates(events: Array, probabilities: Array, bins: int, level: float) -> pd.DataFrame:
    """Rates of events in bins of equally many rows by probability.

    Rows of equal probabilities are in one bin; so there may be fewer bins.

    Parameters
    ----------
    events : ndarray of shape (n,)
        0 and 1.
    probabilities : ndarray of shape (n,)
        Predicted ones.
    bins : int
        Number of bins.
    level : float
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        Columns predicted (the mean probability), observed (the rate), lower, upper, rows.
    """
    edges = np.unique(np.quantile(probabilities, np.linspace(0.0, 1.0, bins + 1)[1:-1]))
    place = np.searchsorted(edges, probabilities, side="left")
    rows, counted, sums = (
        np.bincount(place, values, minlength=edges.size + 1).astype(np.float64)
        for values in (np.ones(place.size), events, probabilities)
    )
    present = rows > 0
    rows, counted, sums = rows[present], counted[present], sums[present]
    lower, upper = wilson_interval(counted, rows, level).T
    return pd.DataFrame(
        {
            "predicted": sums / rows,
            "observed": counted / rows,
            "lower": lower,
            "upper": upper,
            "rows": rows.astype(int),
        }
    )
