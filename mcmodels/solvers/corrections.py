"""Error bounds of least-squares solutions, and passes over the rows that correct them."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows import Rows
from mcmodels.rows.sizes import MAX_BLOCK_ROWS
from mcmodels.solvers.double_double import DoubleDouble
from mcmodels.solvers.exact_products import MOST_SLICES, unit_of_slices
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
# First-order estimates are those of random rounding errors, of which the largest of many parameters
# has several. A sum of up to so many positive terms has an error of about one rounding. With these
# numbers, the errors in 608 problems of 150 to 50,000 rows were at most 1.2 times the estimate of
# normal equations with κ ≤ 300, 2.0 times with κ ≤ 1e6, and 0.3 times that of whitened rows.
_SEVERAL, _RUN_WITHOUT_GROWTH = 3.0, 1000
# Rounding errors of a factor in units of ε; those of whitened rows were up to 26 in the tests.
_ORTHOGONAL, _WHITENED = 10.0, 40.0
# Exact products take one slice of X more where the estimate of what is left is above this share of
# the goal; errors were up to 6 times the estimate.
_MARGIN_OF_SLICES = 1 / 16
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
    moments, errors = solution.value.moments, _Errors.of(solution, rows)
    lengths = np.sqrt(moments.x_squares)
    if goal is None:
        goal, small = enough(rows, moments.rounding), extra_precision_is_cheap(rows)
        well_conditioned = not small or solution.condition <= WELL_CONDITIONED
        if well_conditioned and errors.of_solution(at_least=goal) <= goal:
            return with_small_residuals(solution, rows)
        goal = 0.0 if small else goal
    if goal > 0 and errors.after_correction() <= goal:
        return _after_corrections(solution, rows, working_residuals(rows, moments), max_steps=1)
    stop = errors.stop(goal)
    count = errors.slices(goal)
    residuals = exact_residuals(rows, moments, lengths, count)
    found = _after_corrections(solution, rows, residuals, stop)
    return with_corrected_inverse(found, rows) if extra_precision_is_cheap(rows) else found


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
    residual_squares : ndarray of shape (m,)
        Squared lengths of the residuals.
    spread : ndarray of shape (m,)
        Standard deviation of the residuals.
    growth : float
        Size of the rounding error of a sum over rows of positive terms, in units of ε.
    """

    solution: Solution[LeastSquares]
    coef: Array
    intercept: Array | None
    lengths: Array
    y_lengths: Array
    residual_squares: Array
    spread: Array
    growth: float

    @classmethod
    def of(cls, solution: Solution[LeastSquares], rows: Rows) -> Self:
        fit, moments = solution.value, solution.value.moments
        squares = np.clip(np.diagonal(fit.residual_scatter), 0.0, None)
        freedom = max(moments.weight - rows.n_params, 1.0)
        return cls(
            solution,
            fit.params[:, : moments.n_features].T,
            fit.params[:, -1] if rows.intercept else None,
            np.sqrt(moments.x_squares)[:, np.newaxis],
            np.sqrt(moments.y_squares),
            squares,
            np.sqrt(squares / freedom),
            _SEVERAL * np.sqrt(max(min(rows.n_rows, MAX_BLOCK_ROWS) / _RUN_WITHOUT_GROWTH, 1.0)),
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
        kappa, method = self.solution.condition, self.solution.method
        if method != "normal":
            return (_WHITENED if method == "whitened" else _ORTHOGONAL) * FLOAT64_EPSILON * kappa
        return self._rounding_of_scatter * kappa**2

    @functools.cached_property
    def _rounding_of_scatter(self) -> float:
        """Rounding error of an entry, relative to the lengths of the columns.

        It grows with the number of rows that are summed one after another. Squares about a point
        other than the mean are larger than the scatter, as is their rounding.
        """
        moments = self.solution.value.moments
        shift = moments.offset[: moments.n_features, np.newaxis]
        ratio = np.divide(shift, self.lengths, out=np.zeros_like(shift), where=self.lengths > 0)
        away = moments.weight * float((ratio**2).max(initial=0.0))
        return self.growth * moments.rounding * (1 + away)

    @functools.cached_property
    def inflation(self) -> float:
        """Length of the standard deviations of scaled coefficients: √p for orthogonal columns."""
        return float(np.linalg.norm(self.deviations * self.lengths))

    def of_solution(self, *, at_least: float = 0.0) -> float:
        """The largest error before corrections; a rough bound where that is at most ``at_least``.

        In units in which columns have length one, the entries of a scatter have errors of ε, which
        grow with the number of rows that are summed one after another. So the normal equations
        change β by at most ε ``‖β‖`` times its standard deviations and their inflation; an
        orthogonal factor R by ε ``‖β‖`` times its standard deviations. Whitened rows have errors of
        ε times the inflation, in coordinates in which the fit has the length of what it explains.
        """
        moments, method = self.solution.value.moments, self.solution.method
        # The rounding errors of the products of columns and targets.
        of_products = np.sqrt(min(run_of_rows(len(self.coef)) / moments.weight, 1.0))
        size = np.linalg.norm(self.coef * self.lengths, axis=0) + of_products * self.y_lengths
        if method == "normal":
            # Were the columns orthogonal, standard errors would be smaller, and need no inverse.
            least = np.maximum(np.abs(self.coef) * self.lengths, self.spread)
            rough = _largest_ratio(self.contraction * size, least)
            if rough <= at_least:
                return rough
            share = self._rounding_of_scatter * self.inflation
        elif method == "whitened":
            explained = np.sqrt(np.clip(self.y_lengths**2 - self.residual_squares, 0.0, None))
            size = explained + of_products * self.y_lengths
            share = _SEVERAL * FLOAT64_EPSILON * self.inflation
        else:
            share = _ORTHOGONAL * FLOAT64_EPSILON
        deviations, sizes = self._of_all()
        return _largest_ratio(deviations * (share * size), sizes)

    def of_residuals(self, unit: float = FLOAT64_EPSILON) -> float:
        """The largest error that is left by corrections with residuals of a rounding unit.

        The rounding of the residuals is an error ``e`` in the targets, which changes a coefficient
        by at most ``‖e‖`` standard deviations. That of the products with a column is the unit times
        the lengths of the residuals and the column, times the square root of the number of rows
        that are added one after another, over that of all rows.
        """
        explained = (np.abs(self.coef) * self.lengths).sum(axis=0)
        of_products = np.sqrt(run_of_rows(len(self.coef))) * self.spread * self.inflation
        deviations, sizes = self._of_all()
        return _largest_ratio(
            deviations * (unit * (self.y_lengths + explained + of_products)), sizes
        )

    def slices(self, goal: float) -> int:
        """Slices of X that exact products need for a goal."""
        for count in range(1, MOST_SLICES):
            if self.of_residuals(unit_of_slices(count)) <= _MARGIN_OF_SLICES * goal:
                return count
        return MOST_SLICES

    def after_correction(self) -> float:
        """The largest error after one correction with residuals in working precision."""
        return self.of_residuals() + self.contraction * self.of_solution()

    def stop(self, goal: float) -> Stop:
        """When corrections by exact residuals end; with a goal of 0, when every digit is right."""
        x_mean = self.solution.value.moments.x_mean
        if goal > 0:
            return Stop(goal, self._of_all()[1], x_mean, self.contraction, digits_lost=3)
        params = self.coef if self.intercept is None else np.vstack([self.coef, self.intercept])
        return Stop(_EVERY_DIGIT, np.abs(params), x_mean, self.contraction, digits_lost=0)

    def _of_all(self) -> tuple[Array, Array]:
        """Deviations and sizes of the coefficients and of the intercept, which has their errors."""
        if self.intercept is None:
            return self.deviations, self.sizes
        moments, root = self.solution.value.moments, self.solution.value.inverse.root
        its_own = np.sqrt(1 / moments.weight + np.sum((moments.x_mean @ root) ** 2))
        size = np.maximum(np.abs(self.intercept), self.spread * its_own)
        deviations = np.append(self.deviations, [[its_own]], axis=0)
        return deviations, np.append(self.sizes, size[np.newaxis], axis=0)


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


def with_corrected_inverse(solution: Solution[LeastSquares], rows: Rows) -> Solution[LeastSquares]:
    """The solution with the digits that its inverse scatter lacks, for its standard errors."""
    fit, p = solution.value, solution.value.moments.n_features
    precise = solution.condition > CHOLESKY_CONDITION
    about = fit.moments.origin[:p], fit.moments.offset[:p]
    L = whitened_scatter(rows, fit.inverse.root, *about, extra_precise=precise)
    return (
        solution
        if L is None
        else replace(solution, value=replace(fit, inverse=fit.inverse.corrected(L)))
    )


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
