"""Error bounds of least-squares solutions, and passes over the rows that correct them."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows import Rows
from mcmodels.solvers.double_double import DoubleDouble
from mcmodels.solvers.least_squares_fit import LeastSquares, with_intercept
from mcmodels.solvers.minimum_norm import refine_shortest
from mcmodels.solvers.refinement import (
    MAX_STEPS,
    Residuals,
    Stop,
    exact_residuals,
    refine,
    run_of_rows,
    whitened_scatter,
    working_residuals,
)
from mcmodels.solvers.solution import Solution
from mcmodels.solvers.tolerances import (
    CHOLESKY_CONDITION,
    FLOAT64_EPSILON,
    MEDIUM_DESIGN,
    SMALL_DESIGN,
    SMALL_SQUARED_DESIGN,
    WELL_CONDITIONED,
)

# Errors that are left. Small and medium data get more digits: that takes no noticeable time.
_ENOUGH, _ENOUGH_LARGE = 1e-12, 1e-9
# An error below this share of a coefficient changes none of its digits. It is far below the unit
# roundoff, because a correction of one coefficient leaves errors in the others, which may be
# smaller.
_EVERY_DIGIT = 1e-22
# The same for products in float32; measured errors were a thousandth of it.
_ENOUGH_FLOAT32 = 1e-2
# The squares of the residuals are summed from the rows when they are less than this share of the
# squares of the targets. A difference of moments would lose two digits, or four in large data,
# where a pass costs more. The third share is in units of the rounding error of the moments.
_SMALL_SHARE, _SMALL_SHARE_IN_LARGE_DATA, _SMALL_SHARE_IN_ROUNDINGS = 1e-2, 1e-4, 1e6


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


def corrected(solution: Solution[LeastSquares], rows: Rows) -> Solution[LeastSquares]:
    """The solution with as many corrections as it needs, by residuals as precise as they need."""
    goal = enough(rows, solution.value.moments.rounding)
    error = _Errors.of(solution, rows)
    if solution.condition <= WELL_CONDITIONED and error.of_solution(at_least=goal) <= goal:
        return with_small_residuals(solution, rows)
    if not extra_precision_is_cheap(rows) and error.after_correction() <= goal:
        return corrected_once(solution, rows)
    return refined(solution, rows, 0.0 if extra_precision_is_cheap(rows) else goal)


@dataclass(frozen=True)
class _Errors:
    """First-order estimates of the errors of parameters, relative as :func:`enough` says.

    Parameters
    ----------
    solution : Solution[LeastSquares]
        The solution.
    coef : ndarray of shape (p, m)
        Its coefficients.
    intercept : ndarray of shape (m,), or None
        Its intercepts.
    lengths : ndarray of shape (p, 1)
        Lengths of the columns.
    y_lengths : ndarray of shape (m,)
        Lengths of the targets.
    spread : ndarray of shape (m,)
        Standard deviation of the residuals.
    """

    solution: Solution[LeastSquares]
    coef: Array
    intercept: Array | None
    lengths: Array
    y_lengths: Array
    spread: Array

    @classmethod
    def of(cls, solution: Solution[LeastSquares], rows: Rows) -> Self:
        fit, moments = solution.value, solution.value.moments
        residual_lengths = np.sqrt(np.clip(np.diagonal(fit.residual_scatter), 0.0, None))
        freedom = max(moments.weight - rows.n_params, 1.0)
        return cls(
            solution,
            fit.params[:, : moments.n_features].T,
            fit.params[:, -1] if rows.intercept else None,
            np.sqrt(moments.x_squares)[:, np.newaxis],
            np.sqrt(moments.y_squares),
            residual_lengths / np.sqrt(freedom),
        )

    @functools.cached_property
    def deviations(self) -> Array:
        """Standard deviations of the coefficients for residuals of length one, shape (p, 1)."""
        return np.linalg.norm(self.solution.value.inverse.root, axis=1)[:, np.newaxis]

    @property
    def sizes(self) -> Array:
        """The larger of each coefficient and its standard error."""
        return np.maximum(np.abs(self.coef), self.spread * self.deviations)

    @property
    def contraction(self) -> float:
        """The share of an error that a correction leaves, because the factor is not exact."""
        moments, kappa = self.solution.value.moments, self.solution.condition
        if self.solution.method != "normal":
            return 10 * FLOAT64_EPSILON * kappa
        # Squares about a point other than the mean are larger than the scatter, as is their
        # rounding.
        shift = moments.offset[: moments.n_features, np.newaxis]
        ratio = np.divide(shift, self.lengths, out=np.zeros_like(shift), where=self.lengths > 0)
        away = moments.weight * float((ratio**2).max(initial=0.0))
        return moments.rounding * (1 + away) * kappa**2

    def of_solution(self, *, at_least: float = 0.0) -> float:
        """The largest error before corrections; a rough bound where that is at most ``at_least``.

        In units in which columns have length one it is the contraction times ``‖β‖``.
        """
        error = self.contraction * np.linalg.norm(self.coef * self.lengths, axis=0)
        # If columns were orthogonal their standard errors would be smaller, and need no inverse.
        rough = _largest_ratio(error, np.maximum(np.abs(self.coef) * self.lengths, self.spread))
        return rough if rough <= at_least else _largest_ratio(error, self.sizes * self.lengths)

    def after_correction(self) -> float:
        """The largest error after one correction with residuals in working precision.

        The rounding of the residuals is an error ``e`` in the targets, which changes a coefficient
        by at most ``‖e‖`` standard deviations. That of the products with a column is ``ε`` times
        the lengths of the residuals and the column, times the square root of the number of rows
        that are added one after another, over that of all rows. An error of the coefficients is
        one of the intercept, too.
        """
        explained = (np.abs(self.coef) * self.lengths).sum(axis=0)
        of_residuals = FLOAT64_EPSILON * (self.y_lengths + explained)
        of_products = FLOAT64_EPSILON * np.sqrt(run_of_rows(len(self.coef))) * self.spread
        inflation = float(np.linalg.norm(self.deviations * self.lengths))
        deviations, sizes = self.deviations, self.sizes
        if self.intercept is not None:
            moments, root = self.solution.value.moments, self.solution.value.inverse.root
            its_own = np.sqrt(1 / moments.weight + np.sum((moments.x_mean @ root) ** 2))
            deviations = np.append(deviations, [[its_own]], axis=0)
            size = np.maximum(np.abs(self.intercept), self.spread * its_own)
            sizes = np.append(sizes, size[np.newaxis], axis=0)
        error = deviations * (of_residuals + of_products * inflation)
        return _largest_ratio(error, sizes) + self.contraction * self.of_solution()


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
    residuals = exact_residuals if small else working_residuals
    coef = DoubleDouble.of(fit.params[:, : fit.moments.n_features].T)
    scatter = residuals(rows, fit.moments)(coef).scatter
    return replace(solution, value=replace(fit, residual_scatter=scatter))


def corrected_once(solution: Solution[LeastSquares], rows: Rows) -> Solution[LeastSquares]:
    """The solution after one correction with residuals in working precision."""
    residuals = working_residuals(rows, solution.value.moments)
    return _after_corrections(solution, rows, residuals, max_steps=1)


def refined(
    solution: Solution[LeastSquares], rows: Rows, goal: float = 0.0
) -> Solution[LeastSquares]:
    """The solution after corrections with residuals in about twice the working precision.

    They end when the error is at most ``goal``; without one, when every digit is right.
    """
    fit, moments = solution.value, solution.value.moments
    lengths, errors = np.sqrt(moments.x_squares), _Errors.of(solution, rows)
    sizes = errors.sizes if goal > 0 else np.abs(errors.coef)
    stop = Stop(goal or _EVERY_DIGIT, sizes, errors.contraction)
    found = _after_corrections(solution, rows, exact_residuals(rows, moments, lengths), stop)
    if rows.n_rows * moments.n_features**2 > SMALL_SQUARED_DESIGN:
        return found
    inverse, p = fit.inverse, moments.n_features
    precise = solution.condition > CHOLESKY_CONDITION
    about = moments.origin[:p], moments.offset[:p]
    L = whitened_scatter(rows, inverse.root, *about, extra_precise=precise)
    inverse = inverse if L is None else inverse.corrected(L)
    return replace(found, value=replace(found.value, inverse=inverse))


def _after_corrections(
    solution: Solution[LeastSquares],
    rows: Rows,
    residuals: Residuals,
    stop: Stop | None = None,
    max_steps: int = MAX_STEPS,
) -> Solution[LeastSquares]:
    fit, moments = solution.value, solution.value.moments
    coef, lengths = fit.params[:, : moments.n_features].T, np.sqrt(moments.x_squares)
    reached = refine(residuals, coef, fit.inverse.apply, lengths, stop, max_steps)
    params = with_intercept(reached.coef, moments, rows, reached.mean_residual)
    value = replace(fit, params=params, residual_scatter=reached.residual_scatter)
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
