"""How exact a least-squares solution is, and passes over the rows that make it more so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows import RowBlock, Rows
from mcmodels.rows.covariance import centred_near
from mcmodels.solvers.cholesky import FLOAT64_EPSILON
from mcmodels.solvers.double_double import DoubleDouble
from mcmodels.solvers.least_squares_fit import LeastSquares, with_intercept
from mcmodels.solvers.refinement import exact_residual_scatter, refine, whitened_scatter
from mcmodels.solvers.solution import Solution

# Condition number of the design with unit columns up to which the Cholesky factor of its normal
# equations, which has the square of it, keeps nine digits for leverages and singular values.
CHOLESKY = 1e3
# Entries of a design so small that extra precision costs less than a blink, and products of them
# with as many columns.
_SMALL, _SMALL_SQUARED = 2**14, 2**20
# Share of the squares of the targets below which those of the residuals are taken from the rows, of
# few and of many.
_SMALL_SHARE, _SMALL_SHARE_OF_MANY = 1e-2, 1e-4
# The same, in rounding units of the moments.
_LOST = 1e6


def is_small(rows: Rows) -> bool:
    """Whether extra precision costs less than a blink."""
    return rows.n_rows * rows.n_params <= _SMALL


def error_bound(
    solution: Solution[LeastSquares],
    rows: Rows,
    *,
    corrected: bool = False,
    at_least: float = 0.0,
) -> float:
    """First-order estimate of the relative error of the worst parameter of a Cholesky solution.

    The error is taken relative to the parameter or to its standard error, whichever is larger:
    digits of a coefficient far below its standard error are noise in any case. In units in which
    columns have length one, the normal equations leave κ²ε‖β‖; after a correction in working
    precision κε‖y‖ + κ²ε‖r‖ is left, from the rounding of the residuals r and of their products
    with the columns, and what a factor with error κ²ε does not correct.
    """
    fit, moments, kappa = solution.value, solution.value.moments, solution.condition
    coef = fit.params[:, : moments.n_features].T
    unit = np.sqrt(moments.x_squares)[:, np.newaxis]
    explained = np.einsum("pm,pm->m", coef, moments.Sxy)
    residual = np.sqrt(np.clip(moments.y_squares - explained, 0.0, None))
    # Rows summed about a point other than their mean have squares that are larger than the scatter.
    shift = moments.offset[: moments.n_features, np.newaxis]
    ratio = np.divide(shift, unit, out=np.zeros_like(unit), where=unit > 0)
    rounding = moments.rounding * (1 + moments.weight * float((ratio**2).max(initial=0.0)))
    error = rounding * kappa**2 * np.linalg.norm(coef * unit, axis=0)
    if corrected:
        target = np.sqrt(moments.y_squares)
        error *= rounding * kappa**2
        error += FLOAT64_EPSILON * (kappa * target + kappa**2 * residual)
    spread = residual / np.sqrt(max(moments.weight - rows.n_params, 1.0))
    # A standard error is at least that of its column alone.
    rough = _largest_ratio(error, np.maximum(np.abs(coef) * unit, spread))
    if rough <= at_least:
        return rough
    deviation = spread * np.linalg.norm(fit.inverse.root, axis=1)[:, np.newaxis]
    return _largest_ratio(error, np.maximum(np.abs(coef), deviation) * unit)


def _largest_ratio(error: Array, size: Array) -> float:
    error = np.broadcast_to(error, size.shape)
    ratio = np.divide(error, size, out=np.where(error > 0, np.inf, 0.0), where=size > 0)
    return float(ratio.max(initial=0.0))


def with_small_residuals(solution: Solution[LeastSquares], rows: Rows) -> Solution[LeastSquares]:
    """The solution with the squares of its residuals from the rows, where they are a small share.

    As a difference of the moments they would have lost their digits.
    """
    fit, small = solution.value, is_small(rows)
    share = _SMALL_SHARE if small else _SMALL_SHARE_OF_MANY
    share = max(share, _LOST * fit.moments.rounding)
    if (np.diagonal(fit.residual_scatter) >= share * fit.moments.y_squares).all():
        return solution
    if small:
        coef = fit.params[:, : fit.moments.n_features].T
        scatter = exact_residual_scatter(rows, coef, _mean(fit))
    else:
        _, scatter = _residual_sums(fit, rows)
    return replace(solution, value=replace(fit, residual_scatter=scatter))


def corrected_once(solution: Solution[LeastSquares], rows: Rows) -> Solution[LeastSquares]:
    """The solution after one correction with residuals in working precision.

    It restores the digits that a mildly ill-conditioned system lost in forming its normal
    equations, for one light pass over the rows.
    """
    fit, moments = solution.value, solution.value.moments
    gradient, scatter = _residual_sums(fit, rows)
    correction = fit.inverse.apply(gradient)
    coef = fit.params[:, : moments.n_features].T
    corrected = DoubleDouble.of(coef) + DoubleDouble.of(correction)
    params = with_intercept(corrected, moments, rows)
    scatter = scatter - gradient.T @ correction
    value = replace(fit, params=params, residual_scatter=scatter)
    return replace(solution, value=value, iterations=1)


def _residual_sums(fit: LeastSquares, rows: Rows) -> tuple[Array, Array]:
    """``Xᵀ W r`` (p, m) and ``rᵀ W r`` (m, m) of the residuals about the mean, in one pass."""
    moments = fit.moments
    coef = fit.params[:, : moments.n_features]

    def sums(block: RowBlock) -> Array:
        X, offset = centred_near(block.X, moments.x_mean)
        residual = block.y - moments.y_mean - (X.predictor(coef) - coef @ offset)
        weighted = block.weighted(residual)
        gradient = X.adjoint(weighted) - np.outer(weighted.sum(axis=0), offset)
        return np.concatenate([gradient, residual.T @ weighted], axis=1)

    total = rows.reduce(sums).T
    return total[: moments.n_features], total[moments.n_features :]


def refined(solution: Solution[LeastSquares], rows: Rows) -> Solution[LeastSquares]:
    """The solution after extra-precise corrections, until they change nothing."""
    fit, moments = solution.value, solution.value.moments
    lengths, mean = np.sqrt(moments.x_squares), _mean(fit)
    p = moments.n_features
    coef = fit.params[:, :p].T
    reached = refine(rows, coef, mean, fit.inverse.apply, lengths)
    params = with_intercept(reached.coef, moments, rows, reached.mean_residual)
    inverse = fit.inverse
    if rows.n_rows * p**2 <= _SMALL_SQUARED:
        precise = solution.condition > CHOLESKY
        L = whitened_scatter(rows, inverse.root, mean[:p], extra_precise=precise)
        inverse = inverse if L is None else inverse.corrected(L)
    value = replace(fit, params=params, inverse=inverse, residual_scatter=reached.residual_scatter)
    return replace(solution, value=value, iterations=reached.steps)


def _mean(fit: LeastSquares) -> DoubleDouble:
    return DoubleDouble.of(fit.moments.origin) + DoubleDouble.of(fit.moments.offset)
