"""How many digits a least-squares solution needs, and the corrections that give them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mcmodels.rows import Moments, Rows
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.cholesky_qr import whitened_scatter
from mcmodels.solvers.double_double import DoubleDouble
from mcmodels.solvers.error_estimates import ErrorEstimates
from mcmodels.solvers.exact_moments import (
    ExactMoments,
    exact_moments_are_cheap,
    rounding_of_exact_moments,
)
from mcmodels.solvers.exact_products import MOST_SLICES
from mcmodels.solvers.least_squares_fit import LeastSquares, with_intercept
from mcmodels.solvers.refinement import refine
from mcmodels.solvers.residuals import residuals_by
from mcmodels.solvers.solution import Solution
from mcmodels.solvers.tolerances import (
    FLOAT64_EPSILON,
    MEDIUM_DESIGN,
    SMALL_DESIGN,
    WELL_CONDITIONED,
)

# Errors that are left. Small and medium data get more digits: that takes no noticeable time.
_ENOUGH, _ENOUGH_LARGE = 1e-12, 1e-9
# The same for products in float32; measured errors were a thousandth of it.
_ENOUGH_FLOAT32 = 1e-2
# Errors of parameters and of squares of residuals that exact moments may leave, relative to them:
# less than half a unit roundoff, and a tenth of it.
_ENOUGH_OF_EXACT_MOMENTS, _SHARE_OF_EXACT_MOMENTS = 1e-17, 1e-12
# Beyond this condition number an orthogonal factorisation decides the rank.
_LARGEST_FOR_EXACT_MOMENTS = 3e4
# The squares of the residuals are summed from the rows when they are less than this share of the
# squares of the targets. A difference of moments would lose two digits, or three in large data,
# where a pass costs more. The third share is in units of the rounding error of the moments.
_SMALL_SHARE, _SMALL_SHARE_IN_LARGE_DATA, _SMALL_SHARE_IN_ROUNDINGS = 1e-2, 1e-3, 1e6


def extra_precision_is_cheap(rows: Rows) -> bool:
    """Whether the data are so small that extra precision takes no noticeable time."""
    return rows.n_rows * rows.n_params <= SMALL_DESIGN


def enough(rows: Rows, rounding: float = FLOAT64_EPSILON) -> float:
    """How much error of a parameter is left, relative to it or to its standard error.

    Digits of a coefficient far below its standard error are noise. ``rounding`` is the rounding
    unit of the scatter.
    """
    if rounding > FLOAT64_EPSILON:
        return _ENOUGH_FLOAT32
    return _ENOUGH if rows.n_rows * rows.n_params <= MEDIUM_DESIGN else _ENOUGH_LARGE


def corrected(
    solution: Solution[LeastSquares], rows: Rows, goal: float | None = None
) -> Solution[LeastSquares]:
    """The solution with as many corrections as it needs, by residuals as precise as they need.

    Parameters
    ----------
    solution : Solution[LeastSquares]
        A solution of full rank.
    rows : Rows
        Its rows.
    goal : float, default=None
        The largest error of a parameter, relative as :func:`enough` says. With 0, every digit is
        right. None: as much as is enough; ill-conditioned small data get every digit.
    """
    errors, small = ErrorEstimates.of(solution, rows), extra_precision_is_cheap(rows)
    if goal is None:
        rounding = solution.value.moments.rounding
        goal = enough(rows, rounding)
        every_digit = small and rounding <= FLOAT64_EPSILON
        every_digit = every_digit and solution.condition > WELL_CONDITIONED
        if not every_digit and errors.of_solution <= goal:
            return with_small_residuals(solution, rows)
        if small and (found := by_exact_moments(solution, rows, errors)):
            return found
        goal = 0.0 if small else goal
    found = refine(solution, rows, errors, goal)
    return with_corrected_inverse(found, rows) if small else found


def by_exact_moments(
    solution: Solution[LeastSquares], rows: Rows, errors: ErrorEstimates
) -> Solution[LeastSquares] | None:
    """The solution of few rows with every digit, and its inverse scatter, by exact moments.

    None where they would leave errors that float64 can show, or are not the quickest way.
    """
    if solution.method != "normal" or solution.condition > _LARGEST_FOR_EXACT_MOMENTS:
        return None
    if not exact_moments_are_cheap(rows):
        return None
    # Normal equations have the errors of the products, times the inflation of the deviations.
    left = errors.of_rounding(rounding_of_exact_moments(rows.n_rows)) * errors.factor.inflation
    if left > _ENOUGH_OF_EXACT_MOMENTS:
        return None
    fit, p = solution.value, solution.value.moments.n_features
    assert isinstance(fit.inverse, ScaledCholesky)
    assert isinstance(fit.moments, Moments)
    exact = ExactMoments.of(rows, fit.moments)
    found = None if exact is None else exact.solution(fit.inverse, fit.params[:, :p].T)
    if found is None:
        return None
    explained = fit.moments.x_squares @ found.coef.hi**2
    largest = np.maximum(explained, fit.moments.y_squares)
    if (np.diagonal(found.residual_scatter) < _SHARE_OF_EXACT_MOMENTS * largest).any():
        return None
    params = with_intercept(found.coef, fit.moments, rows, DoubleDouble.of(found.mean_residual))
    value = replace(
        fit, params=params, inverse=found.inverse, residual_scatter=found.residual_scatter
    )
    return replace(solution, value=value, iterations=1)


def with_small_residuals(solution: Solution[LeastSquares], rows: Rows) -> Solution[LeastSquares]:
    """The solution with the squares of its residuals summed from the rows, where they are small.

    A difference of the moments would have lost their digits.
    """
    fit, small = solution.value, extra_precision_is_cheap(rows)
    share = _SMALL_SHARE if small else _SMALL_SHARE_IN_LARGE_DATA
    share = max(share, _SMALL_SHARE_IN_ROUNDINGS * fit.moments.rounding)
    if (np.diagonal(fit.residual_scatter) >= share * fit.moments.y_squares).all():
        return solution
    n_slices = MOST_SLICES if small else 0
    coef = DoubleDouble.of(fit.params[:, : fit.moments.n_features].T)
    scatter = residuals_by(n_slices, rows, fit.moments)(coef).scatter
    return replace(solution, value=replace(fit, residual_scatter=scatter))


def with_corrected_inverse(solution: Solution[LeastSquares], rows: Rows) -> Solution[LeastSquares]:
    """The solution with the digits that its inverse scatter lacks, for its standard errors."""
    fit, p = solution.value, solution.value.moments.n_features
    about = fit.moments.origin[:p], fit.moments.offset[:p]
    L = whitened_scatter(rows, fit.inverse.root, *about)
    if L is None:
        return solution
    return replace(solution, value=replace(fit, inverse=fit.inverse.corrected(L)))


def rounding_of_interpolation(fit: LeastSquares) -> float:
    """Relative error of the shortest coefficients that fit every row.

    That is ε times the condition, bounded by Frobenius norms in the user's units, in which they are
    shortest. It is relative to the longest coefficients that targets of this length can have, as
    where rows of small weight have large coefficients.
    """
    longest = np.linalg.norm(fit.inverse.root)
    condition = np.linalg.norm(fit.factor) * longest
    coef = np.linalg.norm(fit.params[:, : fit.moments.n_features], axis=1)
    possible = longest * np.sqrt(fit.moments.y_squares)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(possible > 0, possible / coef, 1.0)
    return float(FLOAT64_EPSILON * condition * share.max(initial=1.0))
