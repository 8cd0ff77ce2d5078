"""Standard errors of linear predictors ``x̃ᵀθ`` by any covariance of the parameters.

``Var x̃ᵀθ̂ = x̃ᵀVx̃ = |Rᵀx̃|²`` with ``V = RRᵀ``: Greene (2018), *Econometric Analysis*, 8th ed.,
§4.8.1. With c a centre of the features, ``Rᵀx̃ = R_βᵀ(x - c) + (R_0 + R_βᵀc)``. The sum in brackets
is formed once: if columns lie far from zero, errors lose as many digits as c by the spread of the
columns has, and not twice as many, as products with V do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy import stats

from mcmodels.arrays import Array
from mcmodels.inference.estimate import Estimate, check_level
from mcmodels.inference.tolerances import EIGENVALUE_ROUNDING
from mcmodels.inference.whitening import Whitening
from mcmodels.rows import RowBlock, Rows

__all__ = ["PredictorErrors"]

# Numbers in memory at a time.
_ENTRIES = 2**22


@dataclass(frozen=True)
class PredictorErrors:
    """Errors of linear predictors, from a covariance of the raveled parameters.

    Parameters
    ----------
    estimate : Estimate
        All parameters, with their covariance: K linear predictors of P parameters each.
    centred : Estimate
        The same with the linear predictor at the centre in place of each intercept.
    centre : ndarray of shape (p,)
        c; zeros without an intercept.
    intercept : bool
        Whether there is an intercept.
    """

    estimate: Estimate
    centred: Estimate
    centre: Array
    intercept: bool

    @classmethod
    def of(cls, estimate: Estimate, centre: Array, *, intercept: bool) -> Self:
        """From an estimate of the raveled parameters of K linear predictors in p features."""
        raw = estimate.covariance if estimate.generalized is None else estimate.generalized
        if estimate.root is not None:
            raw = estimate.root @ estimate.root.T
        # What is estimable is known in the parameters themselves, not at the centre.
        bare = replace(estimate, covariance=raw, estimable=None, generalized=None)
        if not intercept:
            return cls(estimate, bare, np.zeros(len(centre)), intercept)

        def moved(A: Array) -> Array:
            """A of shape (KP, …) with the rows of the intercepts at the centre."""
            by_output = A.reshape(-1, len(centre) + 1, A.shape[1]).copy()
            by_output[:, -1] += np.einsum("j,kjr->kr", centre, by_output[:, :-1])
            return by_output.reshape(A.shape)

        V, lost = raw.copy(), np.isnan(np.diagonal(raw))
        V[lost] = V[:, lost] = 0.0
        V = moved(moved(V).T)
        V[lost] = V[:, lost] = np.nan
        params = moved(estimate.params[:, np.newaxis])[:, 0]
        root = None if estimate.root is None else moved(estimate.root)
        centred = replace(bare, params=params, covariance=V, root=root)
        return cls(estimate, centred, centre, intercept)

    def of_one(self, block: RowBlock) -> Array:
        """Standard errors of the one linear predictor of each row, shape (b,).

        NaN in rows that have a parameter without a variance, and where a covariance that is no
        square gives no positive variance.
        """
        p, root, V = len(self.centre), self.centred.root, self.centred.covariance
        if root is not None:
            Z = Whitening(root[:p], self.centre, None).of_features(block) + root[p:].sum(axis=0)
            return np.sqrt(np.einsum("ij,ij->i", Z, Z))
        X = block.X.dense()
        lost = np.isnan(np.diagonal(V))
        told = (X[:, lost[:p]] != 0).any(axis=1) | lost[p:].any()
        X = X - self.centre
        if self.intercept:
            X = np.column_stack([X, np.ones(len(X))])
        errors = _roots(*_quadratic(X[:, ~lost], V[np.ix_(~lost, ~lost)]))
        return np.where(told, np.nan, errors)

    def quantiles(self, rows: Rows, level: float) -> float | Array:
        """Distance from predictors to the ends of intervals, in standard errors.

        A number; where each combination of the parameters has degrees of freedom of its own, one
        number for each row.
        """
        own = self.estimate.satterthwaite
        if own is None:
            return float(self.estimate.quantile(level))
        share = (1.0 - check_level(level)) / 2.0
        size = max(_ENTRIES // max(own.grams[..., 0].size, own.root.shape[1] ** 2), 1)

        def of_rows(block: RowBlock) -> Array:
            X = block.X.dense()
            if self.intercept:
                X = np.column_stack([X, np.ones(len(X))])
            parts = (X[k : k + size] for k in range(0, len(X), size))
            return np.concatenate([own.image(part).of_each for part in parts])

        return np.asarray(stats.t.isf(share, rows.map(of_rows)))


def _quadratic(X: Array, V: Array) -> tuple[Array, Array]:
    """``xᵀVx`` of each row, and the size of what is added and subtracted in it."""
    return np.einsum("ij,ij->i", X @ V, X), np.einsum("ij,ij->i", np.abs(X) @ np.abs(V), np.abs(X))


def _roots(variances: Array, sizes: Array) -> Array:
    """Standard errors; NaN where a variance is negative, or only rounding error."""
    positive = (variances > EIGENVALUE_ROUNDING * sizes) | (sizes == 0)
    return np.sqrt(np.where(positive, variances, np.nan))
