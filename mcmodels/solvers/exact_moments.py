"""Moments of few rows to 28 digits by one product of BLAS, and the solution that they give.

The square of a condition number, by which normal equations multiply rounding errors, leaves all
digits of float64 where the normal equations themselves have 28. So one small matrix replaces walks
over the rows with exact products. It is formed from slices of the columns, as in
:mod:`mcmodels.solvers.exact_products`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.rows import Moments, RowBlock, Rows
from mcmodels.rows.blocks import product
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.double_double import DoubleDouble, two_product, two_sum
from mcmodels.solvers.exact_products import power_of_two_above
from mcmodels.solvers.tolerances import FLOAT64_EPSILON

# Entries and features up to which they take less time than an orthogonal factorisation and walks
# with exact products. Measured at κ = 1e4: 0.4 of that time with 150×4, 0.7 with 1,000×10. With
# many features the products of three times as many columns take longer.
_FEW_ENTRIES, _FEW_FEATURES = 2**14, 16
# Lengths of columns whose squares have all digits of two float64.
_SHORTEST, _LONGEST = 1e-100, 1e100


def exact_moments_are_cheap(rows: Rows) -> bool:
    """Whether exact moments take less time than walks over the rows."""
    return rows.n_features <= _FEW_FEATURES and rows.n_rows * rows.n_params <= _FEW_ENTRIES


@dataclass(frozen=True)
class ExactMoments:
    """Scatter of joint rows z = (x, y) about their mean, or about zero without an intercept.

    Its errors are about 1e-28, relative to the lengths of the columns.

    Parameters
    ----------
    scatter : DoubleDouble of shape (p + m, p + m)
        ``Σ wᵢ (zᵢ - z̄)(zᵢ - z̄)ᵀ``.
    error_of_mean : ndarray of shape (p + m,)
        z̄ minus the mean of the ordinary moments: a rounding error.
    n_features : int
        p.
    """

    scatter: DoubleDouble
    error_of_mean: Array
    n_features: int

    @classmethod
    def of(cls, rows: Rows, moments: Moments) -> Self | None:
        """Those of rows with ordinary moments; None where float64 cannot hold their digits."""
        lengths = np.sqrt(np.diagonal(moments.scatter))
        if not (lengths > _SHORTEST).all() or not (lengths < _LONGEST).all():
            return None
        centre, rounding = two_sum(moments.origin, moments.offset)
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is no inverse
            sums = rows.reduce(lambda block: _sums_of_products(block, centre))
        squares, p = sums[:-1, :-1], rows.n_features
        if not rows.intercept:
            return cls(squares, np.zeros(len(centre)), p)
        # The centre is the mean but for a rounding error, whose square has 32 digits less.
        total = sums.hi[:-1, -1]
        error = total / sums.hi[-1, -1]
        scatter = DoubleDouble(squares.hi, squares.lo - np.outer(total, error))
        return cls(scatter, error - rounding, p)

    def solution(self, rough: ScaledCholesky, coef: Array) -> ExactSolution | None:
        """The least-squares solution from a rough one; None if ``rough`` is no inverse scatter.

        With a root B of the rough inverse, ``BᵀSB`` is near the identity, and is known to so many
        digits that one Newton step in coordinates of B gives the solution.
        """
        p, B = self.n_features, rough.root
        turn = np.eye(len(self.error_of_mean))
        turn[:p, :p], turn[:p, p:] = B, -coef
        # Columns of whitened x and of residuals: all of their products.
        products = _transposed_times(_transposed_times(self.scatter, turn), turn).hi
        L, info = linalg.lapack.dpotrf(products[:p, :p], lower=1, clean=1)
        if info != 0:
            return None
        gradient = products[:p, p:]
        white, _ = linalg.lapack.dpotrs(L, gradient, lower=1)
        found = DoubleDouble.of(coef) + DoubleDouble.of(B @ white)
        x_error, y_error = self.error_of_mean[:p], self.error_of_mean[p:]
        scatter = products[p:, p:] - white.T @ gradient
        return ExactSolution(found, y_error - x_error @ found.hi, scatter, rough.corrected(L))


@dataclass(frozen=True)
class ExactSolution:
    """A least-squares solution by exact moments.

    Parameters
    ----------
    coef : DoubleDouble of shape (p, m)
        The coefficients.
    mean_residual : ndarray of shape (m,)
        Mean of the residuals about the mean of the ordinary moments: a rounding error.
    residual_scatter : ndarray of shape (m, m)
        ``Σ wᵢ rᵢ rᵢᵀ``.
    inverse : ScaledCholesky
        The inverse scatter, as accurate as one from an orthogonal factorisation.
    """

    coef: DoubleDouble
    mean_residual: Array
    residual_scatter: Array
    inverse: ScaledCholesky


def _transposed_times(A: DoubleDouble, B: Array) -> DoubleDouble:
    """``AᵀB`` of small matrices."""
    factor = B[:, np.newaxis]
    hi, lo = two_product(A.hi[:, :, np.newaxis], factor)
    return DoubleDouble(hi, lo + A.lo[:, :, np.newaxis] * factor).sum(axis=0)


def _sums_of_products(block: RowBlock, origin: Array) -> DoubleDouble:
    """``Σ wᵢ z̃ᵢ z̃ᵢᵀ`` of ``z̃ = (x - x₀, y - y₀, 1)`` over a block."""
    n_rows, p, q = block.X.n_rows, block.X.X.shape[1], len(origin) + 1
    # One column after another: NumPy's inner loops are long.
    Z, error = np.ones((q, n_rows)), None
    Z[:p], Z[p:-1] = block.X.dense().T, block.y.T
    if origin.any():
        Z, error = two_sum(Z, np.append(-origin, 0.0)[:, np.newaxis])
    bits = (53 - math.ceil(math.log2(max(n_rows, 2)))) // 2
    left, units = _slices(Z, error, bits)
    right, units_right = left, units
    if block.weights is not None:
        Z, low = two_product(Z, block.weights)
        low = low if error is None else low + block.weights * error
        right, units_right = _slices(Z, low, bits)
    parts = product(left, right.T).reshape(3, q, 3, q)
    small = parts[2, :, 2] + parts[2, :, 0] + parts[2, :, 1] + parts[0, :, 2] + parts[1, :, 2]
    hi = parts[0, :, 0]
    for part in (parts[0, :, 1], parts[1, :, 0], parts[1, :, 1]):
        hi, rounding = two_sum(hi, part)
        small += rounding
    hi, lo = two_sum(hi, small)
    scale = units * units_right.T
    return DoubleDouble(hi * scale, lo * scale)


def _slices(Z: Array, error: Array | None, bits: int) -> tuple[Array, Array]:
    """Two slices of each row of ``Z + error`` and what is left, below each other; and their units.

    A unit is a power of two above a row. Products of slices with each other are exact.
    """
    units = power_of_two_above(np.maximum(Z.max(axis=1), -Z.min(axis=1)))[:, np.newaxis]
    parts = np.empty((3, *Z.shape))
    left = np.divide(Z, units, out=parts[2])
    for k in range(2):
        # Adding and subtracting it rounds to so many bits after the point.
        constant = 1.5 * 2.0 ** (52 - (k + 1) * bits)
        np.add(left, constant, out=parts[k])
        parts[k] -= constant
        left -= parts[k]
    if error is not None:
        left += error / units
    return parts.reshape(-1, Z.shape[1]), units


def rounding_of_exact_moments(n_rows: int) -> float:
    """Relative rounding error of exact moments of so many rows."""
    return FLOAT64_EPSILON * 2.0 ** (math.ceil(math.log2(max(n_rows, 2))) - 53)
