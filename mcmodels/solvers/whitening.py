"""A factor of ill-conditioned rows, from rows that a rough factor has made nearly orthonormal.

R with ``RᵀR`` the scatter of the rows x is ``L R₀`` where R₀ is any rough factor and ``LᵀL`` the
scatter of the whitened rows ``R₀⁻ᵀ(x - x̄)``. These are well conditioned, so that nothing is lost in
their squares: R has an error of κε for a condition number κ, as an orthogonal factorisation has,
where the scatter of the rows themselves has κ²ε. Sources: Yamamoto, Nakatsukasa, Yanagisawa and
Fukaya (2015), *Roundoff error analysis of the CholeskyQR2 algorithm*, ETNA 44; with a shift,
because the scatter may be singular in float64: Fukaya, Kannan, Nakatsukasa, Yamamoto and Yanagisawa
(2020), *Shifted Cholesky QR for computing the QR factorization of ill-conditioned matrices*, SIAM
J. Sci. Comput. 42(1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.rows import Moments, Rows, TransformedRows
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.pseudoinverse import rank_tolerance

# Largest condition number of whitened rows: their scatter, which has its square, is still far from
# singular in float64.
_WHITE = 1e6


@dataclass(frozen=True)
class WhitenedFactor:
    """A factor R of the scatter of rows, and the products of the whitened rows with the targets.

    Parameters
    ----------
    R : ndarray of shape (p, p)
        Upper triangular; ``RᵀR`` is the scatter of the rows about their mean.
    rough : ndarray of shape (p, p)
        R₀, the factor by which the rows were whitened.
    products : ndarray of shape (p, m)
        ``R₀⁻ᵀ Σ wᵢ (xᵢ - x̄) (yᵢ - ȳ)ᵀ``.
    """

    R: Array
    rough: Array
    products: Array

    def coordinates(self, root: Array) -> Array:
        """``Bᵀ Σ wᵢ (xᵢ - x̄) (yᵢ - ȳ)ᵀ`` for a root B of the inverse scatter.

        These are the coordinates of the targets in an orthonormal basis of the columns.
        """
        return (self.rough @ root).T @ self.products


def whitened_factor(rows: Rows, moments: Moments) -> WhitenedFactor | None:
    """The factor of rows whose scatter is known; None where they are singular in float64.

    Parameters
    ----------
    rows : Rows
        Rows with targets of shape (n, m) and weights.
    moments : Moments
        Their moments, about the mean with an intercept, else about zero.
    """
    scale = np.sqrt(moments.x_squares)
    if not scale.size or not scale.all():
        return None
    scaled = moments.Sxx / np.outer(scale, scale)
    # More than the rounding errors of the scatter, so that the factor exists.
    scaled[np.diag_indices_from(scaled)] += 2 * rank_tolerance(rows)
    lower, info = linalg.lapack.dpotrf(scaled, lower=0, clean=1)
    if info != 0:
        return None
    rough, root_weight = lower * scale, np.sqrt(moments.weight)
    # Whitened rows of length one would make products small when there are many.
    root = linalg.solve_triangular(rough, root_weight * np.eye(scale.size), check_finite=False)
    white = Moments.of(TransformedRows(rows, moments.x_mean, root))
    white = white if rows.intercept else white.about_origin()
    factor = ScaledCholesky.of(white.Sxx, np.sqrt(white.x_squares), rcond=1 / _WHITE)
    if factor is None:
        return None
    R = factor.factor / root_weight @ rough
    return WhitenedFactor(R, rough, white.Sxy / root_weight)
