"""A sum ``S = Σ wᵢ sᵢ(ηᵢ)`` over the rows that are left, at the fit without the others.

Near the fit of all rows ``S(u) = S(0) + Dᵀu + uᵀCu/2`` to second order in u, with ``D = Σ w s′ z``
and ``C = Σ w s″ zzᵀ``. So S without a row takes no pass of its own. Exactly it takes a pass over
the rows for as many fits as have room.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.arrays import Array, Codes
from mcmodels.reweighting.row_parts import portions
from mcmodels.reweighting.whitened_fit import GROUP, WhitenedFit, weights_of
from mcmodels.rows import RowBlock

__all__ = ["SumNearFit", "sums_without"]

# s of rows with one linear predictor, with its derivatives of orders 0, 1 and 2.
Summand = Callable[[Any, Array, int], Array]


@dataclass(frozen=True)
class SumNearFit:
    """S near the fit of all rows, one linear predictor.

    Parameters
    ----------
    total : float
        S at the fit.
    slope : ndarray of shape (R,)
        D.
    curvature : ndarray of shape (R, R)
        C.
    summand : callable
        s.
    """

    total: float
    slope: Array
    curvature: Array
    summand: Summand

    @classmethod
    def of(cls, fit: WhitenedFit, summand: Summand) -> SumNearFit:
        """In one pass over the rows."""

        def summarise(block: RowBlock) -> Array:
            Z, eta, w = fit.basis.rows_of(block)[:, 0], fit_eta(fit, block), weights_of(block)
            values, slopes, curvatures = (w * summand(block.y, eta, order) for order in range(3))
            curved = Z.T @ (Z * curvatures[:, np.newaxis])
            return np.concatenate([[values.sum()], slopes @ Z, curved.ravel()])

        sums, R = fit.rows.reduce(summarise), fit.basis.size
        return cls(float(sums[0]), sums[1 : R + 1], sums[R + 1 :].reshape(R, R), summand)

    def along(self, U: Array) -> Array:
        """``Dᵀu + uᵀCu/2`` of each row of U, shape (m,)."""
        return U @ self.slope + np.einsum("mr,mr->m", U @ self.curvature, U) / 2.0

    def of_row(self, y: Any, eta: Array, change: Array, weights: Array) -> Array:
        """What each row has in S(u) to second order, where its predictor changes by this."""
        value, slope, curvature = (self.summand(y, eta, order) for order in range(3))
        return weights * (value + slope * change + curvature * change**2 / 2.0)


def sums_without(
    fit: WhitenedFit,
    groups: Codes,
    U: Array,
    value: Callable[[Any, Array], Array],
) -> Array:
    """S over the rows that are not of a group, at ``θ̂ + Tu``, for each group and u; shape (m,).

    Parameters
    ----------
    fit : WhitenedFit
        Of all rows, with one linear predictor.
    groups : ndarray of shape (m,), int
        The groups.
    U : ndarray of shape (m, R)
        The fits without them.
    value : callable
        s of targets and linear predictors, both of shape (b,).
    """

    def summarise(block: RowBlock) -> Array:
        eta, w, code = fit_eta(fit, block), weights_of(block), block.extras[GROUP]
        found = np.empty(len(groups))
        for part in portions(len(groups), len(eta)):
            changes = fit.basis.changes(block, U[part].T)[:, 0].T
            m, b = changes.shape
            kept = np.where(code == groups[part, np.newaxis], 0.0, w)
            values = value(np.tile(block.y, m), (eta + changes).ravel()).reshape(m, b)
            # A row that is left out may have no value there.
            found[part] = np.where(kept > 0, kept * values, 0.0).sum(axis=1)
        return found

    return fit.rows.reduce(summarise)


def fit_eta(fit: WhitenedFit, block: RowBlock) -> Array:
    """Linear predictors of a fit with a single one, shape (b,)."""
    return block.linear_predictor(fit.params).reshape(block.X.n_rows)
