"""Extra-precise iterative refinement of the shortest coefficients that fit every row exactly.

With fewer independent rows than columns, β is the shortest solution of ``Xβ = y``: ``β = Xᵀz`` with
multipliers z. Both equations are refined together, with residuals ``g = y - Xβ`` and
``f = Xᵀz - β`` by exact products, and corrections from one QR factorisation ``Xᵀ = QR``. Each step
multiplies the error by about ε times the condition of X. Source: Björck (1996), *Numerical Methods
for Least Squares Problems*, §2.9.2 (the augmented system), with the problem of minimum norm in
§1.1.4.

With an intercept the rows are about the mean, and 1ᵀz = 0. An orthonormal basis H of such vectors
turns the n equations into n - 1.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.rows import FactoredMoments, Moments, RowBlock, Rows, Scratch
from mcmodels.solvers.double_double import DoubleDouble
from mcmodels.solvers.exact_products import SlicedColumns
from mcmodels.solvers.least_squares_fit import LeastSquares, with_intercept
from mcmodels.solvers.refinement import MAX_STEPS, relative_size
from mcmodels.solvers.solution import Solution
from mcmodels.solvers.tolerances import FLOAT64_EPSILON

# They keep 28 digits, so that of any factor that has digits all are found.
_SLICES = 2


def refine_shortest(solution: Solution[LeastSquares], rows: Rows) -> Solution[LeastSquares]:
    """Refine the shortest coefficients with ``(xᵢ - x̄)ᵀβ = yᵢ - ȳ`` in every row.

    Parameters
    ----------
    solution : Solution[LeastSquares]
        A solution with at least one correct digit, of as large a rank as there are rows (one less
        with an intercept).
    rows : Rows
        Its rows.

    Returns
    -------
    Solution[LeastSquares]
        With the number of corrections as ``iterations``.
    """
    fit = solution.value
    about_mean = _RowsAboutMean(rows, fit.moments)
    Q, R = linalg.qr(about_mean.in_basis().T, mode="economic", check_finite=False)
    coef = fit.params[:, : fit.moments.n_features].T
    beta = DoubleDouble.of(coef)
    z = DoubleDouble.of(np.zeros((about_mean.n_rows, coef.shape[1])))
    previous, step, ended = np.inf, 0, False
    while not ended:
        g, mean = about_mean.residuals(beta)
        f = (about_mean.adjoint(z) + -beta).hi
        along = linalg.solve_triangular(R, about_mean.reflected(g), trans="T", check_finite=False)
        inside = Q.T @ f
        correction = f + Q @ (along - inside)
        size = relative_size(correction, beta.hi)
        if not size < previous / 2 or step == MAX_STEPS:
            break
        beta = beta + correction
        ended = size <= FLOAT64_EPSILON / 2
        dz = linalg.solve_triangular(R, along - inside, check_finite=False)
        z = z + about_mean.out_of_basis(dz)
        # The first step is the one that finds z; its size says nothing of the next.
        previous, step = (size if step else np.inf), step + 1
    scatter = g.T @ (about_mean.weights[:, np.newaxis] * g)
    value = replace(
        fit, params=with_intercept(beta, fit.moments, rows, mean), residual_scatter=scatter
    )
    return replace(solution, value=value, iterations=step)


class _RowsAboutMean:
    """All rows in memory, cut into slices about a point near their mean; and the basis H."""

    def __init__(self, rows: Rows, moments: Moments | FactoredMoments) -> None:
        p, self.intercept = moments.n_features, rows.intercept
        X, self.y, self.weights = map(np.concatenate, zip(*rows.reduce(_copied), strict=True))
        self.columns = SlicedColumns.of(X, moments.origin[:p], _SLICES, Scratch())
        self.X = X - moments.origin[:p] - moments.offset[:p]
        self.away = moments.offset[:p, np.newaxis]
        self.y_mean = DoubleDouble.of(moments.origin[p:]) + DoubleDouble.of(moments.offset[p:])
        self.n_rows = len(X)
        # I - vvᵀ maps 1/√n to the first unit vector: its other rows are orthonormal, and sum to 0.
        self.v = np.full(self.n_rows, 1 / np.sqrt(self.n_rows))
        self.v[0] -= 1.0
        length = np.linalg.norm(self.v)
        self.v *= np.sqrt(2.0) / length if length > 0 else 0.0

    def in_basis(self) -> Array:
        """``HᵀX``, shape (n - 1, p); X itself without an intercept."""
        return self.reflected(self.X)

    def reflected(self, values: Array) -> Array:
        """``Hᵀ`` times values of shape (n, m)."""
        if not self.intercept:
            return values
        return (values - np.outer(self.v, self.v @ values))[1:]

    def out_of_basis(self, t: Array) -> Array:
        """``Ht``."""
        if not self.intercept:
            return t
        z = np.concatenate([np.zeros((1, t.shape[1])), t])
        return z - np.outer(self.v, self.v @ z)

    def residuals(self, beta: DoubleDouble) -> tuple[Array, DoubleDouble]:
        """``y - ȳ - (X - x̄)β`` about its mean, shape (n, m), and the mean."""
        constant = self.y_mean + -beta.times(self.away).sum(axis=0)
        g = self.columns.residuals(self.y, beta, constant)
        if not self.intercept:
            return g.hi.T, DoubleDouble.of(np.zeros(len(g.hi)))
        mean = g.sum(axis=1).times(np.array(1.0 / self.n_rows))
        return (g + -mean[:, np.newaxis]).hi.T, mean

    def adjoint(self, z: DoubleDouble) -> DoubleDouble:
        """``(X - x̄)ᵀz``, shape (p, m)."""
        products, totals = self.columns.products(z)
        if self.intercept:
            # The sum of z is zero but for its rounding.
            mean = totals.times(np.array(1.0 / self.n_rows))
            ones = self.columns.column_sums()[:, np.newaxis]
            return products + -ones.times(mean[np.newaxis])
        return products


def _copied(block: RowBlock) -> list[tuple[Array, Array, Array]]:
    """The rows of a block, kept after the walk."""
    y = np.array(block.y, dtype=np.float64)
    return [(np.array(block.X.dense()), y, block.weights_or_ones.copy())]
