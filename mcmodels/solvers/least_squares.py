"""Linear least squares: normal equations, orthogonal factorisation, and the choice between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import linalg

from mcmodels.objectives import QuadraticObjective
from mcmodels.rows import (
    ColumnMoments,
    Extent,
    FactoredMoments,
    Moments,
    RowBlock,
    Rows,
    StreamedMoments,
    StreamedSums,
    Triangle,
    single_threaded_blas,
)
from mcmodels.rows.blocks import Array
from mcmodels.rows.covariance import centred_near
from mcmodels.rows.moments import point_near_mean
from mcmodels.solvers import matrix_free, room
from mcmodels.solvers.cholesky import FLOAT64_EPSILON, ScaledCholesky
from mcmodels.solvers.double_double import DoubleDouble
from mcmodels.solvers.overflow import refuse_overflow, refuse_underflow
from mcmodels.solvers.pseudoinverse import (
    PseudoInverse,
    entry_noise,
    from_factor,
    from_gram,
    rank_tolerance,
)
from mcmodels.solvers.refinement import refine
from mcmodels.solvers.solution import Solution, Status

Method = Literal["auto", "normal", "pinv"]

# Condition number of the design with unit columns up to which the Cholesky factor of its normal
# equations, which has the square of it, keeps nine digits for leverages and singular values.
_CHOLESKY = 1e3
# Up to this condition the normal equations may need no correction at all.
_MILD = 50.0
# Bounds of the relative error that call for no correction: in small data, and in large data, where
# a correction costs something and the bound is far above what is seen.
_ACCURATE, _SUFFICIENT = 1e-12, 1e-9
# The bound that a correction in working precision may leave in large data.
_CORRECTED = 1e-8
# The bound that will do for products in float32; errors were seen to be a thousandth of it.
_SUFFICIENT_FOR_SINGLE = 1e-2
# Entries of a design so small that extra precision costs less than a blink.
_SMALL = 2**18


@dataclass(frozen=True)
class LeastSquares:
    """A least-squares fit and the curvature it came from.

    Parameters
    ----------
    params : ndarray of shape (m, P)
        Coefficients of each target, the intercept last when there is one.
    moments : Moments or FactoredMoments
        Of (x, y): about the mean with an intercept, about the origin without.
    inverse : ScaledCholesky or PseudoInverse
        Of the scatter of x.
    orthogonal_factor : ndarray of shape (k, p), or None
        R with ``RᵀR`` = the scatter of x from an orthogonal factorisation, when there was one.
    """

    params: Array
    moments: Moments | FactoredMoments
    inverse: ScaledCholesky | PseudoInverse
    orthogonal_factor: Array | None = None

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
        if self.orthogonal_factor is not None:
            return self.orthogonal_factor
        if isinstance(self.inverse, ScaledCholesky):
            return self.inverse.factor
        return linalg.pinv(self.inverse.root) if self.inverse.rank else self.inverse.root.T


@dataclass(frozen=True)
class MatrixFreeFit:
    """A least-squares fit that has formed no matrix.

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


def solve(
    rows: Rows, *, method: Method = "auto", rcond: float | None = None
) -> Solution[LeastSquares] | Solution[MatrixFreeFit]:
    """Minimise ``Σ wᵢ ‖yᵢ - x̃ᵢᵀθ‖²``; of several minimisers, take the shortest coefficients.

    Parameters
    ----------
    rows : Rows
        Design rows, targets of shape (n, m), weights.
    method : {"auto", "normal", "pinv"}
        "normal": Cholesky factor of the scaled scatter matrix (its eigenvectors when it is
        singular). "pinv": R of a blockwise QR, and the SVD of R. "auto": "normal" where it keeps
        its digits, else whichever of the two factors drives extra-precise refinement; with no
        more rows than features, "pinv", and no p×p matrix; where the factor of either takes more
        room than 512 MB, conjugate gradients (:mod:`mcmodels.solvers.matrix_free`).
    rcond : float, default=None
        Singular values of the column-scaled design below rcond times the largest count as zero;
        None derives it from the precision of X (:func:`rank_tolerance`).

    Returns
    -------
    Solution[LeastSquares] or Solution[MatrixFreeFit]
    """
    with single_threaded_blas():
        if method == "auto" and not room.fits(
            min(rows.n_present, rows.n_features), rows.n_features
        ):
            return _matrix_free(rows)
        if method != "normal" and rows.n_present <= rows.n_features:
            with np.errstate(over="ignore", invalid="ignore"):
                centre = point_near_mean(rows)
                triangle = rows.reduce(Triangle.about(centre))
            return solve_triangle(triangle, centre, rows, rcond=rcond)
        moments = Moments.of(rows)
        if method == "normal":
            return solve_moments(moments, rows, rcond=rcond)
        moments = _checked(moments, rows)
        if method == "pinv":
            return _orthogonal(moments, rows, rcond)
        return _automatic(moments, rows, rcond)


def solve_moments(
    moments: Moments, extent: Extent, *, rcond: float | None = None
) -> Solution[LeastSquares]:
    """The normal equations alone, from moments of (x, y) about the mean; no row is needed."""
    moments = _checked(moments, extent)
    return _normal(moments, extent, rcond) or _normal_singular(moments, extent, rcond)


def solve_triangle(
    triangle: Triangle, centre: Array, extent: Extent, *, rcond: float | None = None
) -> Solution[LeastSquares]:
    """The orthogonal factorisation alone, from R of (x, y) about ``centre``; no row is needed."""
    moments = FactoredMoments.of(triangle, centre, extent.total_weight)
    _refuse_extremes(moments)
    return _from_factor(triangle, moments, extent, rcond)


def solve_sums(sums: StreamedSums, *, rcond: float | None = None) -> Solution[LeastSquares]:
    """The fit to rows that have been summed up, and need not be there any more."""
    with single_threaded_blas():
        if isinstance(sums, StreamedMoments):
            return solve_moments(sums.moments, sums.seen, rcond=rcond)
        return solve_triangle(sums.triangle, sums.centre, sums.seen, rcond=rcond)


def _matrix_free(rows: Rows) -> Solution[MatrixFreeFit]:
    found = matrix_free.minimise(rows)
    moments = found.moments
    params = _with_intercept(found.coef.T, moments, rows)
    gradient = -2.0 * found.residual_products
    if rows.intercept:
        slope = moments.weight * (found.coef @ moments.x_mean + params[:, -1] - moments.y_mean)
        gradient = np.column_stack([gradient + np.outer(2.0 * slope, moments.x_mean), 2.0 * slope])
    return Solution(
        MatrixFreeFit(params, gradient, moments),
        found.status,
        "cg",
        found.cycles,
        found.rank,
        found.condition,
    )


def _automatic(moments: Moments, rows: Rows, rcond: float | None) -> Solution[LeastSquares]:
    solution = _normal(moments, rows, rcond)
    if solution is None or solution.condition > _CHOLESKY:
        solution = _orthogonal(moments, rows, rcond)
        if solution.status is Status.RANK_DEFICIENT:
            return solution
    large = rows.n_rows * rows.n_params > _SMALL
    enough, corrected = (_SUFFICIENT, _CORRECTED) if large else (_ACCURATE, 0.0)
    if moments.rounding > FLOAT64_EPSILON:
        enough = corrected = _SUFFICIENT_FOR_SINGLE
    if solution.condition <= _MILD and _error_bound(solution, rows, at_least=enough) <= enough:
        return solution
    if large and _error_bound(solution, rows, corrected=True) <= corrected:
        return _corrected_once(solution, rows)
    return _refined(solution, rows)


def _checked(moments: Moments, extent: Extent) -> Moments:
    """The moments about the point that the fit needs, if float64 can hold them."""
    _refuse_extremes(moments)
    return moments if extent.intercept else moments.about_origin()


def _refuse_extremes(moments: Moments | FactoredMoments) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        x_squares = moments.x_squares + moments.weight * moments.x_mean**2
        y_squares = moments.y_squares + moments.weight * moments.y_mean**2
    refuse_overflow(x_squares, y_squares)
    refuse_underflow(x_squares)


def _normal(moments: Moments, extent: Extent, rcond: float | None) -> Solution[LeastSquares] | None:
    """Cholesky, or None when the scaled scatter matrix is numerically singular."""
    scale = _column_lengths(np.sqrt(moments.x_squares), moments, extent)
    noise = entry_noise(extent, scale, moments.x_mean)
    # A design closer to singular than its entries are known may be singular.
    uncertain = 4 * float(np.linalg.norm(noise))
    tolerance = max(rank_tolerance(extent), uncertain) if rcond is None else rcond
    factor = ScaledCholesky.of(moments.Sxx, scale, rcond=tolerance)
    if factor is None:
        return None
    params = _with_intercept(factor.apply(moments.Sxy), moments, extent)
    fit = LeastSquares(params, moments, factor)
    return Solution(fit, Status.CONVERGED, "normal", 0, moments.n_features, factor.condition)


def _normal_singular(
    moments: Moments, extent: Extent, rcond: float | None
) -> Solution[LeastSquares]:
    """Minimum-norm solution of singular normal equations."""
    scale = _column_lengths(np.sqrt(moments.x_squares), moments, extent)
    # Squaring has lifted the noise from ε to √ε, and the cutoff with it.
    floor = np.sqrt(8 * max(moments.n_features, 1) * FLOAT64_EPSILON)
    noise = _noise(extent, scale, moments, rcond)
    tolerance = max(rank_tolerance(extent), floor, rcond or 0.0)
    inverse = from_gram(moments.Sxx, scale, tolerance, noise)
    coef = inverse.apply(moments.Sxy)
    return _assemble(coef, moments, inverse, extent, "normal")


def _orthogonal(moments: Moments, rows: Rows, rcond: float | None) -> Solution[LeastSquares]:
    """R of a blockwise QR of the (centred) rows, then the SVD of R."""
    return _from_factor(rows.reduce(Triangle.about(moments.mean)), moments, rows, rcond)


def _from_factor(
    triangle: Triangle, moments: Moments | FactoredMoments, extent: Extent, rcond: float | None
) -> Solution[LeastSquares]:
    R = triangle.Rxx
    scale = _column_lengths(np.linalg.norm(R, axis=0), moments, extent)
    tolerance = rank_tolerance(extent) if rcond is None else rcond
    noise = _noise(extent, scale, moments, rcond)
    inverse = _regular(R, scale, max(tolerance, float(np.linalg.norm(noise)))) or from_factor(
        R, scale, tolerance, noise
    )
    if inverse.rank == moments.n_features and R.shape[0] == R.shape[1]:
        coef = linalg.solve_triangular(R, triangle.Qy, check_finite=False)
    else:
        R = np.where(scale > 0, R, 0.0)
        coef = inverse.apply(R.T @ triangle.Qy)
    return _assemble(coef, moments, inverse, extent, "pinv", R)


def _regular(R: Array, scale: Array, tolerance: float) -> ScaledCholesky | None:
    """What R says of its square where it is so far from singular that no SVD need look."""
    n_rows, n_columns = R.shape
    if n_rows != n_columns or n_columns == 0 or not scale.all():
        return None
    unit = R / scale
    reciprocal, _ = linalg.lapack.dtrcon(unit)
    # The condition in the 2-norm is at most p times that in the 1-norm.
    if not reciprocal > max(n_columns * 10 * tolerance, 1 / _CHOLESKY):
        return None
    return ScaledCholesky(unit.T, scale, float(1 / reciprocal))


def _assemble(
    coef: Array,
    moments: Moments | FactoredMoments,
    inverse: ScaledCholesky | PseudoInverse,
    extent: Extent,
    method: str,
    orthogonal_factor: Array | None = None,
) -> Solution[LeastSquares]:
    full = inverse.rank == moments.n_features
    params = _with_intercept(coef, moments, extent)
    return Solution(
        LeastSquares(params, moments, inverse, orthogonal_factor),
        Status.CONVERGED if full else Status.RANK_DEFICIENT,
        method,
        0,
        inverse.rank,
        inverse.condition,
        inverse.dependent,
    )


def _error_bound(
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


def _corrected_once(solution: Solution[LeastSquares], rows: Rows) -> Solution[LeastSquares]:
    """The solution after one correction with residuals in working precision.

    It restores the digits that a mildly ill-conditioned system lost in forming its normal
    equations, for one light pass over the rows.
    """
    fit, moments = solution.value, solution.value.moments
    coef = fit.params[:, : moments.n_features]

    def residual_products(block: RowBlock) -> Array:
        X, offset = centred_near(block.X, moments.x_mean)
        residual = block.y - moments.y_mean - (X.predictor(coef) - coef @ offset)
        weighted = block.weighted(residual)
        return X.adjoint(weighted) - np.outer(weighted.sum(axis=0), offset)

    correction = fit.inverse.apply(rows.reduce(residual_products).T)
    corrected = DoubleDouble.of(coef.T) + DoubleDouble.of(correction)
    params = _with_intercept(corrected, moments, rows)
    return replace(solution, value=replace(fit, params=params), iterations=1)


def _refined(solution: Solution[LeastSquares], rows: Rows) -> Solution[LeastSquares]:
    """The solution after extra-precise corrections, until they change nothing."""
    fit, moments = solution.value, solution.value.moments
    mean = DoubleDouble.of(moments.origin) + DoubleDouble.of(moments.offset)
    lengths = np.sqrt(moments.x_squares)
    coef = fit.params[:, : moments.n_features].T
    refined, mean_residual, steps = refine(rows, coef, mean, fit.inverse.apply, lengths)
    params = _with_intercept(refined, moments, rows, mean_residual)
    return replace(solution, value=replace(fit, params=params), iterations=steps)


def _noise(
    extent: Extent, scale: Array, moments: Moments | FactoredMoments, rcond: float | None
) -> Array:
    """Noise of the entries, unless the user has said what counts as zero."""
    if rcond is not None:
        return np.zeros_like(scale)
    return entry_noise(extent, scale, moments.x_mean)


def _column_lengths(lengths: Array, moments: Moments | FactoredMoments, extent: Extent) -> Array:
    """Lengths of the (centred) columns; zero where nothing is left but the rounding of the mean."""
    if not extent.intercept:
        return lengths
    noise = FLOAT64_EPSILON / 4 * np.sqrt(moments.weight) * np.abs(moments.x_mean)
    return np.where(lengths > noise, lengths, 0.0)


def _with_intercept(
    coef: DoubleDouble | Array,
    moments: Moments | FactoredMoments | ColumnMoments,
    extent: Extent,
    mean_residual: DoubleDouble | None = None,
) -> Array:
    """Params of shape (m, P) from coefficients of shape (p, m).

    The intercept ``ȳ - x̄ᵀβ`` is often the small difference of large numbers; means are known to
    more than float64, as a point plus an offset, and the difference is taken in double-double.
    """
    beta = coef if isinstance(coef, DoubleDouble) else DoubleDouble.of(coef)
    if not extent.intercept:
        return beta.hi.T.copy()
    mean = DoubleDouble.of(moments.origin) + DoubleDouble.of(moments.offset)
    p = moments.n_features
    intercept = mean[p:] + -beta.times(mean[:p, np.newaxis]).sum(axis=0)
    if mean_residual is not None:
        intercept = intercept + mean_residual
    return np.column_stack([beta.hi.T, intercept.hi])
