"""First-order estimates of the errors of least-squares parameters, before and after corrections."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows import Rows
from mcmodels.rows.sizes import MAX_BLOCK_ROWS
from mcmodels.solvers.exact_products import unit_of_slices
from mcmodels.solvers.least_squares_fit import LeastSquares
from mcmodels.solvers.residuals import RUN_OF_ROWS
from mcmodels.solvers.solution import Solution
from mcmodels.solvers.tolerances import FLOAT64_EPSILON

# First-order estimates are those of random rounding errors, of which the largest of many parameters
# has several. A sum of up to so many positive terms has an error of about one rounding. With these
# numbers, the errors in 608 problems of 150 to 50,000 rows were at most 1.2 times the estimate of
# normal equations with κ ≤ 300, and 2.0 times with κ ≤ 1e6. In 310 others with κ to 1e12 they were
# at most 1.0 times that of an orthogonal factor; in 453 of 20,000 to 150,000 rows, whose columns
# were drawn in eight ways, at most 0.8 times that of whitened rows.
_SEVERAL, _SEVERAL_OF_WHITENED, _RUN_WITHOUT_GROWTH = 3.0, 1.5, 1000
# Products of BLAS have the rounding errors of sums of about so many rows, or entries.
_RUN_OF_ROWS, _RUN_OF_ENTRIES = 256, 2**14
# Rounding errors of a factor in units of ε; those of whitened rows were up to 26 in the tests.
_ORTHOGONAL, _WHITENED = 10.0, 40.0


@dataclass(frozen=True)
class FactorErrors:
    """What is known of the errors that a factor makes, whatever the parameters are.

    Parameters
    ----------
    solution : Solution[LeastSquares]
        A solution by the factor.
    rows : Rows
        Its rows.
    """

    solution: Solution[LeastSquares]
    rows: Rows

    @functools.cached_property
    def root(self) -> Array:
        """B with ``BBᵀ`` the inverse scatter."""
        return self.solution.value.inverse.root

    @functools.cached_property
    def lengths(self) -> Array:
        """Lengths of the columns, shape (p, 1)."""
        return np.sqrt(self.solution.value.moments.x_squares)[:, np.newaxis]

    @functools.cached_property
    def deviations(self) -> Array:
        """Standard deviations of the parameters for residuals of length one, shape (P, 1)."""
        p = len(self.root)
        deviations = np.empty((p + self.rows.intercept, 1))
        deviations[:p, 0] = np.linalg.norm(self.root, axis=1)
        if self.rows.intercept:
            moments = self.solution.value.moments
            at_mean = moments.x_mean @ self.root
            deviations[p] = math.sqrt(1 / moments.weight + at_mean @ at_mean)
        return deviations

    @functools.cached_property
    def inflation(self) -> float:
        """Length of the standard deviations of scaled coefficients: √p for orthogonal columns."""
        return float(np.linalg.norm(self.deviations[: len(self.lengths)] * self.lengths))

    @functools.cached_property
    def contraction(self) -> float:
        """The share of an error that a correction leaves, because the factor is not exact."""
        kappa, method = self.solution.condition, self.solution.method
        if method == "normal":
            return self.rounding_of_scatter * kappa**2
        return (_WHITENED if method == "whitened" else _ORTHOGONAL) * FLOAT64_EPSILON * kappa

    @functools.cached_property
    def rounding_of_scatter(self) -> float:
        """Rounding error of an entry, relative to the lengths of the columns.

        It grows with the number of rows that are summed one after another. Squares about a point
        other than the mean are larger than the scatter, as is their rounding. The rounding of
        products in float32 was measured for whole sums.
        """
        moments, growth = self.solution.value.moments, 1.0
        if moments.rounding <= FLOAT64_EPSILON:
            run = min(self.rows.n_rows, MAX_BLOCK_ROWS)
            growth = _SEVERAL * math.sqrt(max(run / _RUN_WITHOUT_GROWTH, 1.0))
        shift, lengths = moments.offset[: moments.n_features, np.newaxis], self.lengths
        if not lengths.all():
            shift, lengths = shift[lengths > 0], lengths[lengths > 0]
        away = moments.weight * float(((shift / lengths) ** 2).max(initial=0.0))
        return float(growth * moments.rounding * (1 + away))

    @functools.cached_property
    def share_of_products(self) -> float:
        """Rounding error of products with a column, in units of ε times the lengths of both."""
        return self._share(max(_RUN_OF_ROWS, _RUN_OF_ENTRIES // max(len(self.lengths), 1)))

    @functools.cached_property
    def share_of_corrections(self) -> float:
        """The same of products of residuals, which are added in shorter runs."""
        return self._share(RUN_OF_ROWS)

    def _share(self, run: int) -> float:
        return math.sqrt(min(run, self.rows.n_rows) / self.rows.n_equal)


@dataclass(frozen=True)
class ErrorEstimates:
    """First-order estimates of the errors of parameters, relative as :func:`enough` says.

    Parameters
    ----------
    factor : FactorErrors
        The errors of the factor.
    params : ndarray of shape (P, m)
        The parameters.
    squares : ndarray of shape (m,)
        Squared lengths of the residuals.
    """

    factor: FactorErrors
    params: Array
    squares: Array

    @classmethod
    def of(cls, solution: Solution[LeastSquares], rows: Rows) -> Self:
        """The estimates for a solution of the rows."""
        squares = np.diagonal(solution.value.residual_scatter).clip(0.0)
        return cls(FactorErrors(solution, rows), solution.value.params.T, squares)

    def after(self, correction: Array, scatter: Array) -> Self:
        """The estimates after a correction (p, m), with the scatter (m, m) of the residuals."""
        squares = np.diagonal(scatter).clip(0.0)
        return replace(self, params=self.params + self._of_all(correction), squares=squares)

    def relative(self, change: Array, *, to_spread: bool) -> float:
        """The largest change of a parameter, relative to it or, if larger, its standard error.

        ``change`` are those of the coefficients, shape (p, m). Without ``to_spread``, it is
        relative to the parameter alone.
        """
        sizes = self._sizes if to_spread else np.abs(self.params)
        return _largest_ratio(np.abs(self._of_all(change)), sizes)

    @functools.cached_property
    def _sizes(self) -> Array:
        """The larger of each parameter and its standard error, shape (P, m)."""
        freedom = max(self.factor.solution.value.moments.weight - self.factor.rows.n_params, 1.0)
        return np.maximum(
            np.abs(self.params), np.sqrt(self.squares / freedom) * self.factor.deviations
        )

    def _of_all(self, change: Array) -> Array:
        """A change of the coefficients, and that of the intercept which it makes."""
        if not self.factor.rows.intercept:
            return change
        x_mean = self.factor.solution.value.moments.x_mean
        return np.concatenate([change, (-x_mean @ change)[np.newaxis]])

    @functools.cached_property
    def _y_lengths(self) -> Array:
        return np.sqrt(self.factor.solution.value.moments.y_squares)

    @functools.cached_property
    def _fitted(self) -> Array:
        """Scaled coefficients, shape (p, m)."""
        return self.params[: len(self.factor.lengths)] * self.factor.lengths

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
        The rounding of the products of columns and targets adds to the length of the fit.
        """
        factor, y_lengths = self.factor, self._y_lengths
        method, of_products = factor.solution.method, factor.share_of_products * y_lengths
        size = np.linalg.norm(self._fitted, axis=0) + of_products
        if method == "normal":
            error = factor.rounding_of_scatter * factor.inflation * size
        elif method == "whitened":
            explained = np.sqrt((y_lengths**2 - self.squares).clip(0.0))
            error = _SEVERAL_OF_WHITENED * FLOAT64_EPSILON * factor.inflation
            error = error * (explained + of_products)
        else:
            along = np.sqrt(self.squares * (len(self._fitted) / factor.rows.n_equal))
            error = FLOAT64_EPSILON * (_ORTHOGONAL * size + factor.inflation * along)
        return _largest_ratio(factor.deviations * error, self._sizes)

    def of_residuals(self, n_slices: int) -> float:
        """The largest error left by corrections with residuals of so many slices.

        Without slices, they are in working precision. The slices of columns whose length alone is
        known are cut as if all of it were one entry.
        """
        unit = FLOAT64_EPSILON
        if n_slices > 0:
            unit = float(np.sqrt(self.factor.rows.n_rows)) * unit_of_slices(n_slices)
        return self.of_rounding(unit)

    def of_rounding(self, unit: float) -> float:
        """The largest error left by corrections with residuals of a rounding unit.

        The rounding of the residuals is an error ``e`` in the targets, which changes a coefficient
        by at most ``‖e‖`` standard deviations. That of the products with a column is the unit times
        the lengths of the residuals and the column, times the square root of the number of rows
        that are added one after another, over that of all rows.
        """
        factor = self.factor
        of_products = factor.share_of_corrections * np.sqrt(self.squares) * factor.inflation
        error = unit * (self._y_lengths + np.abs(self._fitted).sum(axis=0) + of_products)
        return _largest_ratio(factor.deviations * error, self._sizes)


def _largest_ratio(error: Array, size: Array) -> float:
    if (size > 0).all():
        return float((error / size).max(initial=0.0))
    error = np.broadcast_to(error, size.shape)
    ratio = np.divide(error, size, out=np.where(error > 0, np.inf, 0.0), where=size > 0)
    return float(ratio.max(initial=0.0))
