"""Sums over the rows of each cluster of a linear fit, from which few-cluster inference follows.

In whitened rows z (``Σ wᵢzᵢzᵢᵀ = I``) with residuals u, a cluster g has

================  ==========================================================
gram              ``M_g = Σ_{i∈g} wᵢzᵢzᵢᵀ``; its nonzero eigenvalues are those of
                  the block ``H_gg`` of the hat matrix
scores            ``s_g = Σ_{i∈g} wᵢuᵢzᵢ``
================  ==========================================================

With ``Z_g`` the rows of a cluster times ``√wᵢ``, ``H_gg = Z_gZ_gᵀ`` and ``M_g = Z_gᵀZ_g``. So
``Z_gᵀf(H_gg) = f(M_g)Z_gᵀ`` for any function f, and no matrix has as many rows as a cluster.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.linear_model import LinearRobustModel
from mcmodels.inference.tolerances import GRAM_ENTRIES
from mcmodels.inference.weighting import Weighting
from mcmodels.rows import RowBlock, Rows
from mcmodels.rows.blocks import product

__all__ = ["ClusterSums"]


@dataclass(frozen=True)
class ClusterSums:
    """What is known of G clusters.

    Parameters
    ----------
    root : ndarray of shape (P, q)
        T: ``x̃ᵀθ = zᵀφ`` with ``θ = Tφ``, and ``TTᵀ = (X̃ᵀWX̃)⁻¹``.
    grams : ndarray of shape (G, q, q)
        ``M_g``; their sum is the identity.
    scores : ndarray of shape (G, q)
        ``s_g``; their sum is zero.
    residual_squares : float
        ``Σ wᵢuᵢ²``.
    n : float
        Number of observations.
    weighting : Weighting
        What the weights are.
    """

    root: Array
    grams: Array
    scores: Array
    residual_squares: float
    n: float
    weighting: Weighting

    @classmethod
    def of(cls, model: LinearRobustModel, rows: Rows, n_clusters: int, instead: str) -> ClusterSums:
        """In one pass over the rows, whose ``extras["groups"]`` has the cluster of each.

        ``instead`` is what the user can do where there are too many clusters.
        """
        side = model.n_params + 1
        if n_clusters * side**2 > GRAM_ENTRIES:
            raise InferenceError(
                f"groups has {n_clusters} clusters, each with a {side}×{side} matrix: too many to "
                f"be kept. The method is for few clusters; {instead}."
            )

        def summarise(block: RowBlock) -> Array:
            rows_and_residuals = np.column_stack(
                [model.whitening.of(block), model.residuals(block)]
            )
            if block.weights is not None:
                rows_and_residuals *= np.sqrt(block.weights)[:, np.newaxis]
            codes = block.extras["groups"][:, 0]
            order = np.argsort(codes, kind="stable")
            present, starts = np.unique(codes[order], return_index=True)
            ends = np.append(starts[1:], len(codes))
            sums = np.zeros((n_clusters, side, side))
            sorted_rows = rows_and_residuals[order]
            for g, start, end in zip(present, starts, ends, strict=True):
                part = sorted_rows[start:end]
                sums[g] = product(part.T, part)
            return sums

        sums = rows.reduce(summarise)
        squares = float(sums[:, -1, -1].sum())
        T, M, s = model.whitening.matrix, sums[:, :-1, :-1], sums[:, :-1, -1]
        # Rounding of the whitening, by columns far from zero, say, is in every cluster alike.
        L = linalg.cholesky(M.sum(axis=0), lower=True)
        inverse = linalg.solve_triangular(L, np.eye(len(L)), lower=True)
        weighting = model.weighting
        return cls(
            T @ inverse.T,
            inverse @ M @ inverse.T,
            s @ inverse.T,
            squares,
            weighting.count_of(rows),
            weighting,
        )
