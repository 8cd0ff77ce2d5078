"""Sums of the residuals of all rows, in working precision or to as many digits as are needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from mcmodels.arrays import Array
from mcmodels.rows import FactoredMoments, Moments, RowBlock, Rows
from mcmodels.rows.blocks import product
from mcmodels.solvers import compiled_residuals
from mcmodels.solvers.double_double import DoubleDouble
from mcmodels.solvers.exact_products import MOST_SLICES, ResidualSums

# Products of residuals with columns are added for so many rows at a time: fewer roundings follow
# each other than in one long sum.
RUN_OF_ROWS = 64


@dataclass(frozen=True)
class ResidualsAt:
    """Sums of the residuals r of all rows at some coefficients, about their mean r̄.

    Parameters
    ----------
    gradient : ndarray of shape (p, m)
        ``Σ wᵢ (xᵢ - x̄) (rᵢ - r̄)ᵀ``.
    mean : DoubleDouble of shape (m,)
        r̄: the rounding error of the means, which matters to the intercept.
    scatter : ndarray of shape (m, m)
        ``Σ wᵢ (rᵢ - r̄) (rᵢ - r̄)ᵀ``.
    x_error : ndarray of shape (p,)
        The mean of the columns minus x̄: the rounding error of x̄. A change δ of the coefficients
        changes r̄ by ``-x_errorᵀδ``.
    """

    gradient: Array
    mean: DoubleDouble
    scatter: Array
    x_error: Array


Residuals = Callable[[DoubleDouble], ResidualsAt]


def residuals_by(n_slices: int, rows: Rows, moments: Moments | FactoredMoments) -> Residuals:
    """Sums of residuals by exact products of so many slices, or without any in working precision.

    Parameters
    ----------
    n_slices : int
        Slices of X.
    rows : Rows
        Rows with p features, targets (n, m) and weights.
    moments : Moments or FactoredMoments
        Their moments about the mean; about zero without an intercept.
    """
    if n_slices == 0:
        return working_residuals(rows, moments)
    return exact_residuals(rows, moments, n_slices)


def exact_residuals(
    rows: Rows,
    moments: Moments | FactoredMoments,
    n_slices: int = MOST_SLICES,
) -> Residuals:
    """Sums of residuals in about twice the working precision.

    Parameters
    ----------
    rows : Rows
        Rows with p features, targets (n, m) and weights.
    moments : Moments or FactoredMoments
        Their moments about the mean; about zero without an intercept.
    n_slices : int, default=MOST_SLICES
        Slices of X, of which each gives six digits and takes time. The compiled loop, which takes
        less, always gives all digits.
    """
    p, origin, offset = moments.n_features, moments.origin, moments.offset
    away = offset[:p, np.newaxis]
    y_mean = DoubleDouble.of(origin[p:]) + DoubleDouble.of(offset[p:])
    bounds = None
    if n_slices < MOST_SLICES:
        # No entry is longer than its column. Columns that are searched keep more bits.
        bounds = np.sqrt(moments.x_squares + rows.total_weight * away[:, 0] ** 2)

    kernel = compiled_residuals.kernel_for(rows)

    def at(coef: DoubleDouble) -> ResidualsAt:
        constant = y_mean + -coef.times(away).sum(axis=0)

        def sums_of(block: RowBlock) -> ResidualSums:
            if kernel is not None and compiled_residuals.takes(block):
                at = coef, origin[:p], constant
                return compiled_residuals.residual_sums(kernel, block, *at)
            return ResidualSums.of_block(block, coef, origin[:p], constant, n_slices, bounds)

        sums = rows.reduce(sums_of)
        mean = sums.totals.times(np.array(1.0 / rows.total_weight))
        gradient, scatter = sums.products + -sums.totals[np.newaxis].times(away), sums.scatter
        x_error = np.zeros(p)
        if rows.intercept:
            # Where x̄ is not exactly the mean, Σ wᵢ (xᵢ - x̄) is not zero. It is small, but matters
            # where columns are nearly dependent.
            weight = np.array(rows.total_weight)
            about_mean = sums.columns + -DoubleDouble.of(away[:, 0]).times(weight)
            x_error = about_mean.hi / rows.total_weight
            gradient = gradient + -about_mean[:, np.newaxis].times(mean)
            scatter = scatter - np.outer(sums.totals.hi, mean.hi)
        return ResidualsAt(gradient.hi, mean, scatter, x_error)

    return at


def working_residuals(rows: Rows, moments: Moments | FactoredMoments) -> Residuals:
    """Sums of residuals in working precision, at the cost of two matrix-vector products."""
    p, origin, offset = moments.n_features, moments.origin, moments.offset

    def at(coef: DoubleDouble) -> ResidualsAt:
        beta = np.ascontiguousarray(coef.hi.T)
        constant = offset[p:] - beta @ offset[:p]

        def sums(block: RowBlock) -> Array:
            X = block.X.centred(origin[:p])
            residual = (block.y - origin[p:]) - X.predictor(beta) - constant
            weighted = block.weighted(residual)
            total = weighted.sum(axis=0)
            products = X.products(weighted) if sparse.issparse(X.X) else _in_runs(X.X, weighted)
            gradient = products.T - total[:, np.newaxis] * offset[:p]
            return np.concatenate([gradient, residual.T @ weighted, total[:, np.newaxis]], axis=1)

        found = rows.reduce(sums).T
        mean = DoubleDouble.of(found[-1] / rows.total_weight)
        return ResidualsAt(found[:p], mean, found[p:-1], np.zeros(p))

    return at


def _in_runs(X: Array, values: Array) -> Array:
    """``Xᵀ values``, shape (p, m): of runs of rows, and then the pairwise sum of all runs."""
    whole = len(X) - len(X) % RUN_OF_ROWS
    left = product(X[whole:].T, values[whole:])
    if whole == 0:
        return left
    X, values = (a[:whole].reshape(-1, RUN_OF_ROWS, a.shape[1]) for a in (X, values))
    runs = np.matmul(X.transpose(0, 2, 1), values)
    # NumPy adds in pairs along an axis that is contiguous.
    total: Array = np.ascontiguousarray(runs.reshape(len(runs), -1).T).sum(axis=1)
    return total.reshape(left.shape) + left
