"""Leverage: how far each observation of a least-squares fit pulls its own fitted value.

``H = X̃(X̃ᵀWX̃)⁺X̃ᵀW`` maps observations to fitted values; its diagonal is the leverage. Source:
Belsley, Kuh and Welsch (1980), *Regression Diagnostics*, §2.1, eq. 2.15.
"""

from __future__ import annotations

import numpy as np

from mcmodels.rows import RowBlock, Rows
from mcmodels.rows.blocks import Array
from mcmodels.rows.covariance import centred_near
from mcmodels.solvers.least_squares import LeastSquares


def whitened_rows(fit: LeastSquares, rows: Rows) -> Array:
    """Z of shape (n, rank) with ``ZZᵀ = X̃(X̃ᵀWX̃)⁺X̃ᵀ``, for the weights W of the fit."""
    root, mean = fit.inverse.root, fit.moments.x_mean

    def whiten(block: RowBlock) -> Array:
        centred, offset = centred_near(block.X, mean)
        Z = np.asarray(centred.X @ root) - offset @ root
        if not rows.intercept:
            return Z
        return np.column_stack([Z, np.full(len(Z), fit.moments.weight**-0.5)])

    return rows.map(whiten)


def leverage(fit: LeastSquares, rows: Rows, weights: Array | None) -> Array:
    """Diagonal of H, shape (n,), without an n×n matrix."""
    Z = whitened_rows(fit, rows)
    diagonal = np.einsum("ij,ij->i", Z, Z)
    return diagonal if weights is None else diagonal * weights


def hat_matrix(fit: LeastSquares, rows: Rows, weights: Array | None) -> Array:
    """H, shape (n, n)."""
    Z = whitened_rows(fit, rows)
    H = Z @ Z.T
    return H if weights is None else H * weights
