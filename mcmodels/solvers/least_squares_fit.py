"""What least squares returns, and the intercept of given coefficients."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.objectives import QuadraticObjective
from mcmodels.rows import ColumnMoments, Extent, FactoredMoments, Moments, Rows
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.double_double import DoubleDouble, two_product, two_sum
from mcmodels.solvers.pseudoinverse import PseudoInverse, RowSpace
from mcmodels.solvers.tolerances import FLOAT64_EPSILON

# With so few coefficients, intercepts are summed number by number.
_FEW_COEFFICIENTS = 2**10
# The largest error of an intercept that float64 may leave, relative to it.
_LOST_IN_FLOAT64 = 1e-13


@dataclass(frozen=True)
class LeastSquares:
    """A least-squares fit, with the moments and the inverse scatter that it was solved by.

    Parameters
    ----------
    params : ndarray of shape (m, P)
        Coefficients of each target, the intercept last when there is one.
    moments : Moments or FactoredMoments
        Of (x, y): about the mean with an intercept, about the origin without.
    inverse : ScaledCholesky or PseudoInverse
        Of the scatter of x.
    residual_scatter : ndarray of shape (m, m)
        ``Σ wᵢ rᵢ rᵢᵀ`` of the residuals.
    """

    params: Array
    moments: Moments | FactoredMoments
    inverse: ScaledCholesky | PseudoInverse
    residual_scatter: Array

    @property
    def row_space(self) -> RowSpace | None:
        """The span of the rows; None if columns are independent."""
        return self.inverse.row_space if isinstance(self.inverse, PseudoInverse) else None

    @property
    def row_centre(self) -> Array | None:
        """The mean of the rows, about which this is their span; None without an intercept."""
        moments = self.moments
        return moments.x_mean if self.params.shape[1] > moments.n_features else None

    @property
    def quadratic(self) -> QuadraticObjective:
        """The objective of the fit."""
        intercept = self.params.shape[1] > self.moments.n_features
        return QuadraticObjective(self.moments, intercept=intercept)

    @property
    def gradient(self) -> Array:
        """The gradient at ``params``."""
        return self.quadratic.gradient(self.params)

    @property
    def factor(self) -> Array:
        """R with ``RᵀR`` = the scatter of x."""
        if isinstance(self.moments, FactoredMoments):
            return self.moments.triangle.Rxx
        if isinstance(self.inverse, ScaledCholesky):
            return self.inverse.factor
        # Bᵀ times the scatter A: its square is ``ABBᵀA = AA⁺A``, column by column to all digits.
        return self.inverse.root.T @ self.moments.Sxx


@dataclass(frozen=True)
class MatrixFreeFit:
    """A least-squares fit by products alone; no p×p matrix was formed.

    Parameters
    ----------
    params, gradient : ndarray of shape (m, P)
        Coefficients of each target, the intercept last when there is one; the gradient there.
    moments : ColumnMoments
        Of (x, y): about the mean with an intercept, about the origin without.
    """

    params: Array
    gradient: Array
    moments: ColumnMoments

    @property
    def row_space(self) -> None:
        """Not known."""
        return None


def with_intercept(
    coef: DoubleDouble | Array,
    moments: Moments | FactoredMoments | ColumnMoments,
    extent: Extent,
    mean_residual: DoubleDouble | None = None,
) -> Array:
    """Params of shape (m, P) from coefficients of shape (p, m).

    The intercept ``ȳ - x̄ᵀβ`` is often a small difference of large numbers. Means are known as a
    point plus an offset, to more digits than float64 has; the difference is taken in
    double-double. Without rows the coefficients are not corrected, so that float64 will do where
    little cancels.
    """
    if extent.intercept and isinstance(coef, np.ndarray) and not isinstance(extent, Rows):
        params = _with_intercept_in_float64(coef, moments)
        if params is not None:
            return params
    beta = coef if isinstance(coef, DoubleDouble) else DoubleDouble.of(coef)
    if not extent.intercept:
        return beta.hi.T.copy()
    p = moments.n_features
    mean = DoubleDouble(*two_sum(moments.origin, moments.offset))
    x_mean, last = mean[:p, np.newaxis], mean[p:]
    if beta.hi.size <= _FEW_COEFFICIENTS:
        more = [last] if mean_residual is None else [last, mean_residual]
        small = beta.hi * x_mean.lo + beta.lo * x_mean.hi
        few = _exact_sums(
            *two_product(beta.hi, -x_mean.hi), -small, *[[part.hi, part.lo] for part in more]
        )
        if np.isfinite(few).all():
            return np.concatenate([beta.hi.T, few[:, np.newaxis]], axis=1)
    intercept = last + -beta.times(x_mean).sum(axis=0)
    if mean_residual is not None:
        intercept = intercept + mean_residual
    return np.column_stack([beta.hi.T, intercept.hi])


def _with_intercept_in_float64(
    beta: Array, moments: Moments | FactoredMoments | ColumnMoments
) -> Array | None:
    """Params from coefficients of shape (p, m); None where an intercept would lack digits."""
    p, m = beta.shape
    params = np.empty((m, p + 1))
    params[:, :p] = beta.T
    products = (params[:, :p] * moments.x_mean).tolist()
    for row, explained, y_mean in zip(params, products, moments.y_mean.tolist(), strict=True):
        row[p] = intercept = y_mean - math.fsum(explained)
        rounding = FLOAT64_EPSILON * (abs(y_mean) + sum(map(abs, explained)))
        if not rounding <= _LOST_IN_FLOAT64 * abs(intercept):
            return None
    return params


def _exact_sums(*terms: Array | list[Array]) -> Array:
    """Sums along the first axis, over all arrays; NaN where float64 cannot hold one.

    Of few numbers they take a third of the time of :meth:`DoubleDouble.sum`.
    """
    columns = np.concatenate(terms)
    try:
        return np.array([math.fsum(column) for column in columns.T.tolist()])
    except (OverflowError, ValueError):  # infinite terms of both signs
        return np.full(columns.shape[1:], np.nan)


def rounding_of_mean(moments: Moments | FactoredMoments | ColumnMoments) -> Array:
    """Largest length of a centred column that was constant: the rounding of its mean, ε/4 a row."""
    return FLOAT64_EPSILON / 4 * math.sqrt(moments.weight) * np.abs(moments.x_mean)


def column_lengths(lengths: Array, moments: Moments | FactoredMoments, extent: Extent) -> Array:
    """Lengths of the (centred) columns; zero for constant columns."""
    if not extent.intercept:
        return lengths
    return np.where(lengths > rounding_of_mean(moments), lengths, 0.0)
