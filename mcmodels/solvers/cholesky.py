"""Cholesky factor of a positive definite matrix scaled to unit diagonal, if accurate enough."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.solvers.tolerances import NOISE_MARGIN, factorisation_error


@dataclass(frozen=True)
class ScaledCholesky:
    """``A = D L Lᵀ D`` with D diagonal and ``LLᵀ`` of unit diagonal.

    Scaling to unit diagonal brings the condition number within a factor p of the least that any
    diagonal scaling reaches (van der Sluis 1969, *Condition numbers and equilibration of matrices*,
    Numerische Mathematik 14).

    Parameters
    ----------
    lower : ndarray of shape (p, p)
        L.
    scale : ndarray of shape (p,)
        Diagonal of D.
    condition : float
        Square root of the estimated condition number of ``LLᵀ``. When ``A = MᵀM``, this is the
        condition number of M with columns of unit length.
    """

    lower: Array
    scale: Array
    condition: float

    @classmethod
    def of(cls, A: Array, scale: Array, *, rcond: float = 0.0) -> Self | None:
        """Factorise the symmetric A, or return None when it is singular to working precision.

        Parameters
        ----------
        A : ndarray of shape (p, p)
            The matrix.
        scale : ndarray of shape (p,)
            Square roots of its diagonal; zero for columns that count as zero.
        rcond : float, default=0.0
            A also counts as singular when ``1 / condition`` is at most this.
        """
        if scale.size == 0 or not scale.all():
            return None
        scaled = A / scale
        scaled /= scale[:, np.newaxis]
        one_norm = np.abs(scaled).sum(axis=0).max()
        # LAPACK works by column; the transpose of a symmetric matrix is itself, without a copy.
        lower, info = linalg.lapack.dpotrf(scaled.T, lower=1, clean=1, overwrite_a=1)
        if info != 0:
            return None
        reciprocal, _ = linalg.lapack.dpocon(lower, one_norm, uplo="L")
        if reciprocal <= max(factorisation_error(scale.size), rcond**2):
            return None
        return cls(lower, scale, float(1 / np.sqrt(reciprocal)))

    @classmethod
    def of_factor(
        cls, R: Array, scale: Array, *, rcond: float, largest_condition: float = np.inf
    ) -> Self | None:
        """From R of ``A = RᵀR``, or None when R may be singular, or needs an SVD to tell.

        Parameters
        ----------
        R : ndarray of shape (k, p)
            Upper trapezoidal factor.
        scale : ndarray of shape (p,)
            Lengths of its columns; zero for columns that count as zero.
        rcond : float
            Relative singular value that counts as zero, up to a margin of two.
        largest_condition : float, default=np.inf
            None, too, beyond this condition number.
        """
        n_rows, n_columns = R.shape
        if n_rows != n_columns or n_columns == 0 or not scale.all():
            return None
        unit = R / scale
        condition = condition_of_triangle(unit)
        if not condition < largest_condition:
            return None
        # The condition in the 2-norm is at most p times that in the 1-norm, which is estimated.
        if not condition * n_columns * 10 * rcond < 1:
            singular_values = linalg.svdvals(unit, check_finite=False)
            if not singular_values[-1] > NOISE_MARGIN * rcond * singular_values[0]:
                return None
        return cls(unit.T, scale, condition)

    @property
    def rank(self) -> int:
        """Rank of A: full."""
        return self.scale.size

    @property
    def dependent(self) -> tuple[int, ...]:
        """Columns that take part in a linear dependency: none."""
        return ()

    @property
    def factor(self) -> Array:
        """R of shape (p, p), upper triangular, with ``RᵀR = A``."""
        return self.lower.T * self.scale

    @property
    def root(self) -> Array:
        """B of shape (p, p) with ``BBᵀ = A⁻¹``; computed at each call."""
        inverse, _ = linalg.lapack.dtrtri(self.lower, lower=1)
        return inverse.T / self.scale[:, np.newaxis]

    def corrected(self, L: Array) -> ScaledCholesky:
        """With the root ``B L⁻ᵀ`` in place of B."""
        return replace(self, lower=self.lower @ L)

    def apply(self, b: Array) -> Array:
        """``A⁻¹b`` for b of shape (p,) or (p, m)."""
        by_row = (b.T / self.scale).T
        solution, _ = linalg.lapack.dpotrs(self.lower, by_row, lower=1)
        return (solution.T / self.scale).T


def condition_of_triangle(R: Array) -> float:
    """The estimated condition number of an upper triangle, in the 1-norm; inf if singular."""
    reciprocal, _ = linalg.lapack.dtrcon(R)
    return float(1 / reciprocal) if reciprocal > 0 else np.inf
