"""Tests and intervals of several quantities at once.

- Bonferroni: ``m p``, and intervals of level ``1 - α/m``.
- Holm: with p in ascending order, ``max_{i ≤ j} (m - i + 1) pᵢ``. It rejects whatever Bonferroni
  does, and more. Its intervals are Bonferroni's.
- Tukey, for all pairs of k means: ``P(q_{k,ν} > √2 |t|)`` with the studentized range q, and
  intervals of half-length ``q s/√2``. Exact for means that are independent with equal variances,
  else a little too careful (Kramer 1956; Hayter 1984).

Sources: Holm (1979), *A simple sequentially rejective multiple test procedure*, Scandinavian
Journal of Statistics 6; Kramer (1956), Biometrics 12; Hayter (1984), *A proof of the conjecture
that the Tukey-Kramer multiple comparisons procedure is conservative*, The Annals of Statistics 12.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from mcmodels.arrays import Array
from mcmodels.inference.estimate import Estimate, check_level

__all__ = ["ADJUSTMENTS", "adjusted_intervals", "adjusted_p_values"]

ADJUSTMENTS = ("tukey", "holm", "bonferroni")


def adjusted_p_values(estimate: Estimate, how: str | None, n_means: int) -> Array:
    """p-values that hold for all quantities of a family at once.

    Parameters
    ----------
    estimate : Estimate
        The family.
    how : {"tukey", "holm", "bonferroni"} or None
        The adjustment; None for none.
    n_means : int
        With "tukey", the number of means whose pairs are compared.

    Returns
    -------
    ndarray of shape (m,)
    """
    p = np.asarray(estimate.p_values, dtype=np.float64)
    m = np.count_nonzero(~np.isnan(p))  # what is not determined is not tested
    if how == "tukey":
        if n_means == 2:  # one pair is tested once
            return p
        q = np.sqrt(2.0) * np.abs(estimate.statistics)
        # The probability is computed by quadrature, and may be a rounding error below zero.
        return np.clip(stats.studentized_range.sf(q, n_means, estimate.df), p, 1.0)
    if how == "bonferroni":
        return np.minimum(m * p, 1.0)
    if how == "holm":
        order = np.argsort(p)
        factors = np.maximum(m - np.arange(len(p)), 1)
        found = np.empty_like(p)
        found[order] = np.minimum(np.maximum.accumulate(factors * p[order]), 1.0)
        return found
    return p


def adjusted_intervals(estimate: Estimate, how: str | None, n_means: int, level: float) -> Array:
    """Intervals that cover all quantities of a family with probability ``level``, shape (m, 2)."""
    check_level(level)
    m = max(int(np.count_nonzero(estimate.determined)), 1)
    reach: Any
    if how == "tukey" and n_means > 2:
        reach = stats.studentized_range.isf(1.0 - level, n_means, estimate.df) / np.sqrt(2.0)
    elif how in ("holm", "bonferroni"):
        reach = estimate.quantile(1.0 - (1.0 - level) / m)
    else:
        reach = estimate.quantile(level)
    distance = reach * estimate.standard_errors
    return np.column_stack([estimate.params - distance, estimate.params + distance])
