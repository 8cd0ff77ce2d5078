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
from mcmodels.solvers.residuals import exact_residuals, working_residuals
from mcmodels.solvers.solution import Solution

# Largest number of corrections: with one correct digit at the start, each step gains at least a
# digit or stops.
MAX_STEPS = 12
# An error below this share of a parameter changes none of its digits. It is far below the unit
# roundoff, because a correction of one parameter leaves errors in the others, which may be smaller.
_EVERY_DIGIT = 1e-22
# Squares of residuals are summed once more where what a correction leaves of them is less than
# this share: a difference would have lost three digits, or one binary digit of every one.
_LEFT_OF_SQUARES, _LEFT_OF_EVERY_DIGIT = 0.5e-3, 0.5


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
    fit, moments = solution.value, solution.value.moments
    every_digit, lengths = goal == 0, np.sqrt(moments.x_squares)
    share_of_squares = _LEFT_OF_EVERY_DIGIT if every_digit else _LEFT_OF_SQUARES
    coef = DoubleDouble.of(fit.params[:, : moments.n_features].T)
    left, previous = errors.of_solution, np.inf
    for step in range(MAX_STEPS + 1):
        n_slices = MOST_SLICES if every_digit else _fewest_slices(errors, left, goal, rows)
        if n_slices == 0:
            at = working_residuals(rows, moments)(coef)
        else:
            at = exact_residuals(rows, moments, n_slices)(coef)
        mean, scatter = at.mean, at.scatter
        correction = fit.inverse.apply(at.gradient)
        size = _relative_size(correction, coef.hi, lengths)
        # The first correction may leave a larger error than it mends: it mends the directions in
        # which columns are long, and its rounding errors are in those in which they are short.
        if step == MAX_STEPS or not np.isfinite(size) or (step > 1 and not size < previous / 2):
            break
        coef = coef + DoubleDouble.of(correction)
        mean = mean + -DoubleDouble.of(at.x_error @ correction)
        scatter = at.scatter - at.gradient.T @ correction
        errors = errors.after(correction, scatter)
        change = errors.relative(correction, to_spread=not every_digit)
        left = change * max(errors.contraction, size / previous)
        # The most exact residuals cannot be improved.
        left += 0.0 if n_slices == MOST_SLICES else errors.of_residuals(n_slices)
        squares, before = np.diagonal(scatter), np.diagonal(at.scatter)
        is_known = (squares >= share_of_squares * before).all()
        if left <= (goal or _EVERY_DIGIT) and is_known:
            step += 1
            break
        previous = size
    params = with_intercept(coef, moments, rows, mean)
    value = replace(fit, params=params, residual_scatter=scatter)
    return replace(solution, value=value, iterations=step)


def _fewest_slices(errors: ErrorEstimates, left: float, goal: float, rows: Rows) -> int:
    """Slices of X that the next residuals need; with 0, they are in working precision.

    A correction leaves a share of the present error. Where that is below the goal, the rounding of
    the residuals may fill up the rest; where it is not, another correction mends both.
    """
    left = left * min(errors.contraction, 1.0)
    allowed = max(goal - left, left)
    # The compiled loop gives all digits in the same time.
    counts = (0,) if kernel_for(rows) else range(MOST_SLICES)
    return next((k for k in counts if errors.of_residuals(k) <= allowed), MOST_SLICES)


def _relative_size(correction: Array, params: Array, scale: Array) -> float:
    if not np.isfinite(correction).all():
        return np.inf
    length = np.linalg.norm(params * scale[:, np.newaxis], axis=0)
    change = np.linalg.norm(correction * scale[:, np.newaxis], axis=0)
    return float(np.max(np.divide(change, length, out=np.zeros_like(change), where=length > 0)))
