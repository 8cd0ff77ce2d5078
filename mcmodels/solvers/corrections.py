"""Error bounds of least-squares solutions, and passes over the rows that correct them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows import RowBlock, Rows
from mcmodels.rows.covariance import centred_near
from mcmodels.solvers.double_double import DoubleDouble
from mcmodels.solvers.least_squares_fit import LeastSquares, with_intercept
from mcmodels.solvers.minimum_norm import refine_shortest
from mcmodels.solvers.refinement import exact_residual_scatter, refine, whitened_scatter
from mcmodels.solvers.solution import Solution
from mcmodels.solvers.tolerances import (
    CHOLESKY_CONDITION,
    FLOAT64_EPSILON,
    SMALL_DESIGN,
    SMALL_SQUARED_DESIGN,
)

# The squares of the residuals are summed from the rows when they are less than this share of the
# squares of the targets. A difference of moments would lose two digits, or four in large data,
# where a pass costs more. The third share is in units of the rounding error of the moments.
_SMALL_SHARE, _SMALL_SHARE_IN_LARGE_DATA, _SMALL_SHARE_IN_ROUNDINGS = 1e-2, 1e-4, 1e6


def extra_precision_is_cheap(rows: Rows) -> bool:
    """Whether the data are so small that extra precision takes no noticeable time."""
    return rows.n_rows * rows.n_params <= SMALL_DESIGN


def error_bound(
    solution: Solution[LeastSquares],
    rows: Rows,
    *,
    corrected: bool = False,
    at_least: float = 0.0,
) -> float:
    """First-order estimate of the relative error of the worst parameter of a Cholesky solution.

    The error is relative to the parameter or to its standard error, whichever is larger: digits of
    a coefficient far below its standard error are noise. In units in which columns have length one,
    the normal equations have the error κ²ε‖β‖. A correction in working precision leaves three
    parts: κε‖y‖ from the rounding of the residuals r, κ²ε‖r‖ from their products with the columns,
    and the share κ²ε of the old error, which the inexact factor does not correct.
    """
    fit, moments, kappa = solution.value, solution.value.moments, solution.condition
    coef = fit.params[:, : moments.n_features].T
    unit = np.sqrt(moments.x_squares)[:, np.newaxis]
    explained = np.einsum("pm,pm->m", coef, moments.Sxy)
    residual = np.sqrt(np.clip(moments.y_squares - explained, 0.0, None))
    # Squares about a point other than the mean are larger than the scatter, as is their rounding.
    shift = moments.offset[: moments.n_features, np.newaxis]
    ratio = np.divide(shift, unit, out=np.zeros_like(unit), where=unit > 0)
    rounding = moments.rounding * (1 + moments.weight * float((ratio**2).max(initial=0.0)))
    error = rounding * kappa**2 * np.linalg.norm(coef * unit, axis=0)
    if corrected:
        target = np.sqrt(moments.y_squares)
        error *= rounding * kappa**2
        error += FLOAT64_EPSILON * (kappa * target + kappa**2 * residual)
    spread = residual / np.sqrt(max(moments.weight - rows.n_params, 1.0))
    # If columns were orthogonal their standard errors would be smaller, and need no inverse.
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
    """The solution with the squares of its residuals summed from the rows, where they are small.

    A difference of the moments would have lost their digits.
    """
    fit, small = solution.value, extra_precision_is_cheap(rows)
    share = _SMALL_SHARE if small else _SMALL_SHARE_IN_LARGE_DATA
    share = max(share, _SMALL_SHARE_IN_ROUNDINGS * fit.moments.rounding)
    if (np.diagonal(fit.residual_scatter) >= share * fit.moments.y_squares).all():
        return solution
    if small:
        coef = fit.params[:, : fit.moments.n_features].T
        scatter = exact_residual_scatter(rows, coef, fit.moments.origin, fit.moments.offset)
    else:
        _, scatter = _residual_sums(fit, rows)
    return replace(solution, value=replace(fit, residual_scatter=scatter))


def corrected_once(solution: Solution[LeastSquares], rows: Rows) -> Solution[LeastSquares]:
    """The solution after one correction with residuals in working precision.

    It restores the digits that were lost in forming normal equations of moderate condition, at the
    cost of one pass over the rows with two matrix-vector products.
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
    """The solution after corrections with residuals in twice the working precision."""
    fit, moments = solution.value, solution.value.moments
    origin, offset, lengths = moments.origin, moments.offset, np.sqrt(moments.x_squares)
    p = moments.n_features
    coef = fit.params[:, :p].T
    reached = refine(rows, coef, origin, offset, fit.inverse.apply, lengths)
    params = with_intercept(reached.coef, moments, rows, reached.mean_residual)
    inverse = fit.inverse
    if rows.n_rows * p**2 <= SMALL_SQUARED_DESIGN:
        precise = solution.condition > CHOLESKY_CONDITION
        L = whitened_scatter(rows, inverse.root, origin[:p], offset[:p], extra_precise=precise)
        inverse = inverse if L is None else inverse.corrected(L)
    value = replace(fit, params=params, inverse=inverse, residual_scatter=reached.residual_scatter)
    return replace(solution, value=value, iterations=reached.steps)


def rounding_of_interpolation(fit: LeastSquares) -> float:
    """Relative error of the shortest coefficients that fit every row: ε times the condition.

    The condition is bounded by Frobenius norms, in the user's units, in which they are shortest.
    """
    condition = np.linalg.norm(fit.factor) * np.linalg.norm(fit.inverse.root)
    return float(FLOAT64_EPSILON * condition)


def refined_interpolation(solution: Solution[LeastSquares], rows: Rows) -> Solution[LeastSquares]:
    """The shortest coefficients that fit every row, refined in twice the working precision."""
    fit = solution.value
    coef = fit.params[:, : fit.moments.n_features].T
    mean = DoubleDouble.of(fit.moments.origin) + DoubleDouble.of(fit.moments.offset)
    reached = refine_shortest(rows, coef, mean)
    params = with_intercept(reached.coef, fit.moments, rows, reached.mean_residual)
    value = replace(fit, params=params, residual_scatter=reached.residual_scatter)
    return replace(solution, value=value, iterations=reached.steps)
