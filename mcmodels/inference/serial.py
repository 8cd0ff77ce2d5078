"""HAC: covariances that are valid under serial correlation of rows in the order of time.

With the scores sₜ of :mod:`mcmodels.inference.robust` and L lags, the middle of the sandwich is

    ``M = Γ₀ + Σ_{l=1..L} (1 - l/(L+1)) (Γ_l + Γ_lᵀ)``,  ``Γ_l = Σₜ sₜ sₜ₋ₗᵀ``:

Newey and West (1987), *A simple, positive semi-definite, heteroskedasticity and autocorrelation
consistent covariance matrix*, Econometrica 55(3). Bartlett's weights are the overlaps of windows of
``L + 1`` rows, so that

    ``M = Σₜ Wₜ Wₜᵀ / (L + 1)``,  ``Wₜ = sₜ + sₜ₋₁ + … + sₜ₋ₗ`` over all windows that hold a row,

which takes as long for any number of lags, and has no negative eigenvalues. A row of weight w is
one point in time: its score counts w times, whatever the weights are. Rows of weight 0 are absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.robust import (
    RobustCovariance,
    RobustModel,
    Totals,
    lengths_of,
    residual_df,
    scores_of,
    squares_of,
)
from mcmodels.rows import RowBlock, Rows
from mcmodels.rows.blocks import product

__all__ = ["hac_covariance"]


@dataclass
class _Windows:
    """``Σ WWᵀ`` over the windows inside consecutive rows; ``+=`` puts the next rows behind them.

    Parameters
    ----------
    lags : int
        L.
    inside : ndarray of shape (q, q)
        The sum.
    head, tail : ndarray of shape (at most L, q)
        The first and the last rows, which windows across the ends hold.
    """

    lags: int
    inside: Array
    head: Array
    tail: Array

    @classmethod
    def of(cls, scores: Array, lags: int) -> Self:
        """Of the scores of consecutive rows."""
        last = scores[max(len(scores) - lags, 0) :]
        return cls(lags, _squares_of_windows(scores, lags), scores[:lags].copy(), last.copy())

    def __iadd__(self, other: _Windows) -> Self:
        across = np.concatenate([self.tail, other.head])
        self.inside += _squares_of_windows(across, self.lags)
        self.inside += other.inside
        if len(self.head) < self.lags:
            self.head = np.concatenate([self.head, other.head])[: self.lags]
        both = across if len(other.tail) < self.lags else other.tail
        self.tail = both[max(len(both) - self.lags, 0) :]
        return self


def _squares_of_windows(scores: Array, lags: int) -> Array:
    """``Σ WWᵀ`` over the windows of ``lags + 1`` rows that lie inside."""
    if len(scores) <= lags:
        return np.zeros((scores.shape[1],) * 2)
    if lags == 0:
        return product(scores.T, scores)
    up_to = np.cumsum(scores, axis=0)
    windows = up_to[lags:].copy()
    windows[1:] -= up_to[: -lags - 1]
    return product(windows.T, windows)


def hac_covariance(
    model: RobustModel, rows: Rows, max_lags: int, *, use_correction: bool
) -> RobustCovariance:
    """HAC with Bartlett's weights over the parameters, in one pass over the rows.

    ``use_correction`` multiplies it by ``n/(n - P)``, as in statsmodels.
    """
    if max_lags >= rows.n_present:
        raise InferenceError(
            f"max_lags={max_lags} must be smaller than the number of rows, {rows.n_present}."
        )

    def summarise(block: RowBlock) -> Totals:
        U = model.residuals(block)
        Z = model.whitening.of(block)
        squares = squares_of(U, Z, block)
        return Totals([*squares, _Windows.of(scores_of(block.weighted(U), Z), max_lags)])

    of_u, of_z, found = rows.reduce(summarise)
    n = model.weighting.count_of(rows)
    factor = n / residual_df(n, model.n_params, model.weighting) if use_correction else 1.0
    # Nothing is before the first row and after the last one.
    nothing = np.zeros((max_lags, len(found.inside)))
    windows = _Windows.of(nothing, max_lags)
    windows += found
    windows += _Windows.of(nothing, max_lags)
    meat = factor / (max_lags + 1) * windows.inside
    return RobustCovariance(model.bread, meat, lengths_of(of_u, of_z, n), n)
