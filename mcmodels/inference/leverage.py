"""Leverage: how much each observation of a least-squares fit changes its own fitted value.

``H = X̃(X̃ᵀWX̃)⁺X̃ᵀW`` maps observations to fitted values; its diagonal is the leverage. Source:
Belsley, Kuh and Welsch (1980), *Regression Diagnostics*, §2.1, eq. 2.15.
"""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array
from mcmodels.inference.whitening import Whitening
from mcmodels.rows import RowBlock, Rows
from mcmodels.solvers.least_squares import LeastSquares


def leverage(fit: LeastSquares, rows: Rows, weights: Array | None) -> Array:
    """Diagonal of H, shape (n,), without an n×n matrix."""
    whitening = Whitening.of_least_squares(fit)

    def squared_lengths(block: RowBlock) -> Array:
        Z = whitening.of(block)
        return np.einsum("ij,ij->i", Z, Z)

    diagonal = rows.map(squared_lengths)
    return diagonal if weights is None else diagonal * weights


def hat_matrix(fit: LeastSquares, rows: Rows, weights: Array | None) -> Array:
    """H, shape (n, n)."""
    Z = rows.map(Whitening.of_least_squares(fit).of)
    H = Z @ Z.T
    return H if weights is None else H * weights
