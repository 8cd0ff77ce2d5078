"""Iterative refinement of a least-squares solution: a factor, residuals, and a rule.

The normal equations are solved for the correction only. Their right-hand side is formed from the
residuals of the present solution, as precisely as the next solution needs. Each step multiplies the
error by about ε times the condition of the factor, down to the rounding of the residuals. Sources:
Björck (1996), *Numerical Methods for Least Squares Problems*, §6.6.5 (corrected seminormal
equations); Demmel, Hida, Riedy and Li (2009), *Extra-precise iterative refinement for
overdetermined least squares problems*, ACM TOMS 35(4), §3.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows import Rows
from mcmodels.solvers.compiled_residuals import kernel_for
from mcmodels.solvers.double_double import DoubleDouble
from mcmodels.solvers.error_estimates import ErrorEstimates
from mcmodels.solvers.exact_products import MOST_SLICES
from mcmodels.solvers.least_squares_fit import LeastSquares, with_intercept
from mcmodels.solvers.residuals import residuals_by
from mcmodels.solvers.solution import Solution

# Largest number of corrections: with one correct digit at the start, each step gains at least a
# digit or stops.
MAX_STEPS = 12
# An error below this share of a parameter changes none of its digits. It is far below the unit
# roundoff, because a correction of one parameter leaves errors in the others, which may be smaller.
_EVERY_DIGIT = 1e-22
# Squares of residuals are summed once more where a correction leaves less than this share of them,
# so that the difference would lose three digits. Where every digit counts, none may be lost.
_LEAST_SHARE_OF_SQUARES = 0.5e-3


def refine(
    solution: Solution[LeastSquares], rows: Rows, errors: ErrorEstimates, goal: float
) -> Solution[LeastSquares]:
    """Correct a solution until the error of each parameter is small enough.

    Parameters
    ----------
    solution : Solution[LeastSquares]
        A solution of full rank with at least one correct digit.
    rows : Rows
        Its rows.
    errors : ErrorEstimates
        The estimates of its errors.
    goal : float
        The largest error of a parameter, relative to it or to its standard error. With 0, every
        digit is right.

    Returns
    -------
    Solution[LeastSquares]
        With the number of corrections as ``iterations``: the last solution before these stopped
        shrinking.
    """
    fit, moments, every_digit = solution.value, solution.value.moments, goal == 0
    goal, least_share = (_EVERY_DIGIT, 0.5) if every_digit else (goal, _LEAST_SHARE_OF_SQUARES)
    coef, lengths = DoubleDouble.of(fit.params[:, : moments.n_features].T), errors.factor.lengths
    step, left, previous = 0, errors.of_solution, np.inf
    while True:
        n_slices = MOST_SLICES if every_digit else _fewest_slices(errors, left, goal, rows)
        at = residuals_by(n_slices, rows, moments)(coef)
        correction = fit.inverse.apply(at.gradient)
        size = relative_size(correction * lengths, coef.hi * lengths)
        # The first correction may leave a larger error than it mends: it mends the directions in
        # which columns are long, and its rounding errors are in those in which they are short.
        if step == MAX_STEPS or not np.isfinite(size) or (step > 1 and not size < previous / 2):
            return _found(solution, rows, coef, at.mean, at.scatter, step)
        coef, step = coef + correction, step + 1
        scatter = at.scatter - at.gradient.T @ correction
        errors = errors.after(correction, scatter)
        change = errors.relative(correction, to_spread=not every_digit)
        left = change * max(errors.factor.contraction, size / previous)
        # The most exact residuals cannot be improved.
        left += 0.0 if n_slices == MOST_SLICES else errors.of_residuals(n_slices)
        is_known = (np.diagonal(scatter) >= least_share * np.diagonal(at.scatter)).all()
        if left <= goal and is_known:
            mean = at.mean + -(at.x_error @ correction)
            return _found(solution, rows, coef, mean, scatter, step)
        previous = size


def _found(
    solution: Solution[LeastSquares],
    rows: Rows,
    coef: DoubleDouble,
    mean_residual: DoubleDouble,
    residual_scatter: Array,
    steps: int,
) -> Solution[LeastSquares]:
    params = with_intercept(coef, solution.value.moments, rows, mean_residual)
    value = replace(solution.value, params=params, residual_scatter=residual_scatter)
    return replace(solution, value=value, iterations=steps)


def _fewest_slices(errors: ErrorEstimates, left: float, goal: float, rows: Rows) -> int:
    """Slices of X that the next residuals need; with 0, they are in working precision.

    A correction leaves a share of the present error. Where that is below the goal, the rounding of
    the residuals may fill up the rest; where it is not, another correction mends both.
    """
    left = left * min(errors.factor.contraction, 1.0)
    allowed = max(goal - left, left)
    # The compiled loop gives all digits in the same time.
    counts = (0,) if kernel_for(rows) else range(MOST_SLICES)
    return next((k for k in counts if errors.of_residuals(k) <= allowed), MOST_SLICES)


def relative_size(change: Array, values: Array) -> float:
    """The largest length of a column of a change, relative to that of the values."""
    if not np.isfinite(change).all():
        return np.inf
    length, change = (np.sqrt((a * a).sum(axis=0)) for a in (values, change))
    if not length.all():
        change, length = change[length > 0], length[length > 0]
    return float((change / length).max(initial=0.0))
