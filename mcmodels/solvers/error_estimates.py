"""First-order estimates of the errors of least-squares parameters, before and after corrections."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Self

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows import Rows
from mcmodels.rows.sizes import MAX_BLOCK_ROWS
from mcmodels.solvers.exact_products import MOST_SLICES, unit_of_slices
from mcmodels.solvers.least_squares_fit import LeastSquares
from mcmodels.solvers.refinement import Stop, run_of_rows
from mcmodels.solvers.solution import Solution
from mcmodels.solvers.tolerances import FLOAT64_EPSILON

# An error below this share of a coefficient changes none of its digits. It is far below the unit
# roundoff, because a correction of one coefficient leaves errors in the others, which may be
# smaller.
_EVERY_DIGIT = 1e-22
# First-order estimates are those of random rounding errors, of which the largest of many parameters
# has several. A sum of up to so many positive terms has an error of about one rounding. With these
# numbers, the errors in 608 problems of 150 to 50,000 rows were at most 1.2 times the estimate of
# normal equations with κ ≤ 300, 2.0 times with κ ≤ 1e6, and 0.3 times that of whitened rows. In 310
# others with κ to 1e12 they were at most 1.0 times that of an orthogonal factor.
_SEVERAL, _RUN_WITHOUT_GROWTH = 3.0, 1000
# Rounding errors of a factor in units of ε; those of whitened rows were up to 26 in the tests.
_ORTHOGONAL, _WHITENED = 10.0, 40.0
# Exact products take one slice of X more where the estimate of what is left is above this share of
# the goal.
_MARGIN_OF_SLICES = 1 / 4
# The first correction of 320 problems with κ from 1e8 to 1e12 was 0.003 to 5 times the estimate of
# the error, mostly more than a twentieth. If it is that small, so is what it leaves.
_LEAST_CORRECTION = 1 / 20


@dataclass(frozen=True)
class ErrorEstimates:
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
    n_rows : int
        Number of rows.
    n_equal : float
        The same, of rows of equal weight; see :attr:`Rows.n_equal`.
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
    n_rows: int
    n_equal: float
    growth: float

    @classmethod
    def of(cls, solution: Solution[LeastSquares], rows: Rows) -> Self:
        """The estimates for a solution of the rows."""
        fit, moments = solution.value, solution.value.moments
        squares = np.clip(np.diagonal(fit.residual_scatter), 0.0, None)
        freedom = max(moments.weight - rows.n_params, 1.0)
        longest_sum = max(min(rows.n_rows, MAX_BLOCK_ROWS) / _RUN_WITHOUT_GROWTH, 1.0)
        # Products in float32 have an error that was measured for whole sums.
        single = moments.rounding > FLOAT64_EPSILON
        return cls(
            solution,
            fit.params[:, : moments.n_features].T,
            fit.params[:, -1] if rows.intercept else None,
            np.sqrt(moments.x_squares)[:, np.newaxis],
            np.sqrt(moments.y_squares),
            squares,
            np.sqrt(squares / freedom),
            rows.n_rows,
            rows.n_equal,
            1.0 if single else _SEVERAL * np.sqrt(longest_sum),
        )

    @functools.cached_property
    def deviations(self) -> Array:
        """Standard deviations of the coefficients for residuals of length one, shape (p, 1)."""
        return np.linalg.norm(self._root, axis=1)[:, np.newaxis]

    @functools.cached_property
    def _root(self) -> Array:
        return self.solution.value.inverse.root

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

    @property
    def _share_of_products(self) -> float:
        """Rounding error of products with a column, in units of ε times the lengths of both."""
        return float(np.sqrt(min(run_of_rows(len(self.coef)), self.n_rows) / self.n_equal))

    def is_enough(self, goal: float) -> bool:
        """Whether the solution has a goal before corrections."""
        if self.solution.method == "normal":
            # Were the columns orthogonal, standard errors would be smaller, and need no inverse.
            least = np.maximum(np.abs(self.coef) * self.lengths, self.spread)
            if _largest_ratio(self.contraction * self._length_of_fit, least) <= goal:
                return True
        return self.of_solution <= goal

    @property
    def _of_products(self) -> Array:
        """The rounding errors of the products of columns and targets, in units of ε."""
        return self._share_of_products * self.y_lengths

    @functools.cached_property
    def _length_of_fit(self) -> Array:
        """Length of the scaled coefficients, and what the rounding of products adds to it."""
        return np.linalg.norm(self.coef * self.lengths, axis=0) + self._of_products

    @functools.cached_property
    def of_solution(self) -> float:
        """The largest error before corrections.

        In units in which columns have length one, the entries of a scatter have errors of ε, which
        grow with the number of rows that are summed one after another. So the normal equations
        change β by at most ε ``‖β‖`` times its standard deviations and their inflation; an
        orthogonal factor R by ε ``‖β‖`` times its standard deviations, and by what the residuals
        have along the errors of the columns, a share √(p/n), times the inflation (Björck 1996,
        *Numerical Methods for Least Squares Problems*, §1.4.3). Whitened rows have errors of ε
        times the inflation, in coordinates in which the fit has the length of what it explains.
        """
        method, size = self.solution.method, self._length_of_fit
        if method == "normal":
            share = self._rounding_of_scatter * self.inflation
        elif method == "whitened":
            explained = np.sqrt(np.clip(self.y_lengths**2 - self.residual_squares, 0.0, None))
            size = explained + self._of_products
            share = _SEVERAL * FLOAT64_EPSILON * self.inflation
        else:
            along = np.sqrt(self.residual_squares * (len(self.coef) / self.n_equal))
            size = _ORTHOGONAL * size + self.inflation * along
            share = FLOAT64_EPSILON
        deviations, sizes = self._of_all
        return _largest_ratio(deviations * (share * size), sizes)

    def of_residuals(self, unit: float = FLOAT64_EPSILON) -> float:
        """The largest error that is left by corrections with residuals of a rounding unit.

        The rounding of the residuals is an error ``e`` in the targets, which changes a coefficient
        by at most ``‖e‖`` standard deviations. That of the products with a column is the unit times
        the lengths of the residuals and the column, times the square root of the number of rows
        that are added one after another, over that of all rows.
        """
        explained = (np.abs(self.coef) * self.lengths).sum(axis=0)
        residuals = np.sqrt(self.residual_squares)
        of_products = self._share_of_products * residuals * self.inflation
        deviations, sizes = self._of_all
        return _largest_ratio(
            deviations * (unit * (self.y_lengths + explained + of_products)), sizes
        )

    def slices(self, goal: float) -> int:
        """Slices of X that exact products need for a goal."""
        for count in range(1, MOST_SLICES):
            if self.of_slices(count) <= _MARGIN_OF_SLICES * goal:
                return count
        return MOST_SLICES

    def slices_at_first(self, goal: float) -> int:
        """Slices for the first correction: fewer where the next one mends what they leave.

        That is where a second one will be needed anyway, or where these may be enough, too.
        """
        contraction = min(self.contraction, 1.0)
        left = contraction * self.of_solution
        if left > goal > 0:
            count = self.slices(goal / contraction)
            if _LEAST_CORRECTION * left > goal or self.of_slices(count) <= goal:
                return count
        return self.slices(goal)

    def of_slices(self, count: int) -> float:
        """The largest error that is left by corrections with exact products of so many slices.

        The slices of columns whose length alone is known are cut as if all of it were one entry.
        """
        return self.of_residuals(float(np.sqrt(self.n_rows)) * unit_of_slices(count))

    def after_correction(self) -> float:
        """The largest error after one correction with residuals in working precision."""
        return self.of_residuals() + self.contraction * self.of_solution

    def stop(self, goal: float) -> Stop:
        """When corrections by exact residuals end; with a goal of 0, when every digit is right."""
        x_mean = self.solution.value.moments.x_mean
        if goal > 0:
            return Stop(goal, self._of_all[1], x_mean, self.contraction, digits_lost=3)
        params = self.coef if self.intercept is None else np.vstack([self.coef, self.intercept])
        return Stop(_EVERY_DIGIT, np.abs(params), x_mean, self.contraction, digits_lost=0)

    @functools.cached_property
    def _of_all(self) -> tuple[Array, Array]:
        """Deviations and sizes of the coefficients and of the intercept, which has their errors."""
        if self.intercept is None:
            return self.deviations, self.sizes
        moments = self.solution.value.moments
        its_own = np.sqrt(1 / moments.weight + np.sum((moments.x_mean @ self._root) ** 2))
        size = np.maximum(np.abs(self.intercept), self.spread * its_own)
        deviations = np.append(self.deviations, [[its_own]], axis=0)
        return deviations, np.append(self.sizes, size[np.newaxis], axis=0)


def _largest_ratio(error: Array, size: Array) -> float:
    if (size > 0).all():
        return float((error / size).max(initial=0.0))
    error = np.broadcast_to(error, size.shape)
    ratio = np.divide(error, size, out=np.where(error > 0, np.inf, 0.0), where=size > 0)
    return float(ratio.max(initial=0.0))
