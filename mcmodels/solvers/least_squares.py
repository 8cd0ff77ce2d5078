"""Linear least squares: normal equations, orthogonal factorisation, and the choice between them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.rows import (
    Extent,
    FactoredMoments,
    Moments,
    Rows,
    StreamedMoments,
    StreamedSums,
    Triangle,
    single_threaded_blas,
)
from mcmodels.rows.moments import point_near_mean
from mcmodels.solvers import room
from mcmodels.solvers.cholesky import ScaledCholesky
from mcmodels.solvers.cholesky_qr import (
    WhitenedFactor,
    factor_by_moments,
    factor_by_sample,
    fewest_inexact_values,
)
from mcmodels.solvers.corrections import (
    by_exact_moments,
    corrected,
    enough,
    extra_precision_is_cheap,
    rounding_of_interpolation,
    with_small_residuals,
)
from mcmodels.solvers.error_estimates import ErrorEstimates
from mcmodels.solvers.least_squares_fit import (
    LeastSquares,
    MatrixFreeFit,
    column_lengths,
    with_intercept,
)
from mcmodels.solvers.matrix_free import solve_matrix_free
from mcmodels.solvers.minimum_norm import refine_shortest
from mcmodels.solvers.overflow import SMALLEST_SQUARES, refuse_overflow, refuse_underflow
from mcmodels.solvers.pseudoinverse import (
    PseudoInverse,
    entry_noise,
    from_gram,
    rank_tolerance,
    with_left_vectors,
)
from mcmodels.solvers.solution import Solution, Status
from mcmodels.solvers.tolerances import (
    CHOLESKY_CONDITION,
    CONDITION_OF_VALUES,
    NORMAL_CONDITION,
    REPEATING_CONDITION,
    factorisation_error,
)

Method = Literal["auto", "refined", "normal", "pinv"]


def solve(
    rows: Rows, *, method: Method = "auto", rcond: float | None = None
) -> Solution[LeastSquares] | Solution[MatrixFreeFit]:
    """Minimise ``Σ wᵢ ‖yᵢ - x̃ᵢᵀθ‖²``; of several minimisers, take the shortest coefficients.

    Parameters
    ----------
    rows : Rows
        Design rows, targets of shape (n, m), weights.
    method : {"auto", "refined", "normal", "pinv"}
        "normal": Cholesky factor of the scaled scatter matrix, or its eigenvectors when it is
        singular. "pinv": R of a blockwise QR, and the SVD of R. "auto": "normal" where it is
        accurate; else corrections with the Cholesky factor, or R where that is ill-conditioned;
        "pinv" with no more rows than features, so that no p×p matrix is formed; conjugate
        gradients (:mod:`mcmodels.solvers.matrix_free`) where a factor takes more than 512 MB.
        "refined": as "auto", with corrections until every digit is right.
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
            return solve_matrix_free(rows)
        goal = 0.0 if method == "refined" else None
        if method != "normal" and rows.n_present <= rows.n_features:
            with np.errstate(over="ignore", invalid="ignore"):
                centre = point_near_mean(rows)
                triangle = rows.reduce(Triangle.about(centre))
            solution = solve_triangle(triangle, centre, rows, rcond=rcond)
            return solution if method == "pinv" else _interpolation(solution, rows, goal)
        if method in ("auto", "refined") and rcond is None and not rows.are_few:
            whitened = _whitened(factor_by_sample(rows), rows)
            if whitened is not None:
                return corrected(whitened, rows, goal)
        moments = Moments.of(rows)
        if method == "normal":
            return with_small_residuals(solve_moments(moments, rows, rcond=rcond), rows)
        moments = _checked(moments, rows)
        if method == "pinv":
            return _orthogonal(moments, rows, rcond)
        return _automatic(moments, rows, rcond, goal)


def solve_moments(
    moments: Moments, extent: Extent, *, rcond: float | None = None
) -> Solution[LeastSquares]:
    """The normal equations alone, from moments of (x, y) about the mean, without the rows."""
    moments = _checked(moments, extent)
    return _normal(moments, extent, rcond) or _normal_singular(moments, extent, rcond)


def solve_triangle(
    triangle: Triangle, centre: Array, extent: Extent, *, rcond: float | None = None
) -> Solution[LeastSquares]:
    """The orthogonal factorisation alone, from R of (x, y) about ``centre``, without the rows."""
    moments = FactoredMoments.of(triangle, centre, extent.total_weight)
    _refuse_extremes(moments, extent)
    return _from_factor(triangle, moments, extent, rcond)


def solve_sums(sums: StreamedSums, *, rcond: float | None = None) -> Solution[LeastSquares]:
    """The fit from the sums of rows that arrived in parts."""
    with single_threaded_blas():
        if isinstance(sums, StreamedMoments):
            return solve_moments(sums.moments, sums.seen, rcond=rcond)
        return solve_triangle(sums.triangle, sums.centre, sums.seen, rcond=rcond)


def _automatic(
    moments: Moments, rows: Rows, rcond: float | None, goal: float | None
) -> Solution[LeastSquares]:
    small = extra_precision_is_cheap(rows)
    solution = _normal(moments, rows, rcond)
    # Small data get a correction of the factor, too.
    if (
        solution is None
        or solution.condition > CHOLESKY_CONDITION
        or (not small and _is_rough(solution, rows))
    ):
        if goal is None and solution is not None:
            exact = by_exact_moments(solution, rows, ErrorEstimates.of(solution, rows))
            if exact is not None:
                return replace(exact, method="whitened")
        white = not small and rcond is None
        solution = _whitened(factor_by_moments(rows, moments), rows) if white else None
        solution = solution or _orthogonal(moments, rows, rcond)
        if solution.status is Status.RANK_DEFICIENT:
            return solution
    return corrected(solution, rows, goal)


def _is_rough(solution: Solution[LeastSquares], rows: Rows) -> bool:
    """Whether standard errors by the normal equations would lack digits.

    Sums about a point d standard deviations from the mean have 1 + d² times the rounding errors of
    those about the mean. The errors of columns that take few values are the same in many rows, so
    that they do not cancel each other.
    """
    moments = solution.value.moments
    assert isinstance(moments, Moments)
    # The normal equations have been solved, so that no column is constant.
    shift = moments.weight * moments.offset[: moments.n_features] ** 2
    condition = solution.condition * (1 + float((shift / moments.x_squares).max()))
    if not REPEATING_CONDITION < condition <= NORMAL_CONDITION:
        return condition > NORMAL_CONDITION
    return condition > CONDITION_OF_VALUES * math.sqrt(fewest_inexact_values(rows, moments))


def _interpolation(
    solution: Solution[LeastSquares], rows: Rows, goal: float | None
) -> Solution[LeastSquares]:
    """The solution with corrections where they are needed, if it fits every row.

    With other dependent columns the minimiser itself depends on what counts as zero.
    """
    if solution.rank < rows.n_present - rows.intercept or solution.rank == 0:
        return solution
    if rounding_of_interpolation(solution.value) <= (enough(rows) if goal is None else goal):
        return solution
    if solution.rank == rows.n_features:
        return corrected(solution, rows, goal=0.0)
    return refine_shortest(solution, rows)


def _checked(moments: Moments, extent: Extent) -> Moments:
    """The moments about the point that the fit needs, if float64 can hold them."""
    _refuse_extremes(moments, extent)
    return moments if extent.intercept else moments.about_origin()


def _refuse_extremes(moments: Moments | FactoredMoments, extent: Extent) -> None:
    mean, p = moments.mean, moments.n_features
    with np.errstate(over="ignore", invalid="ignore"):
        about_zero = moments.squares + moments.weight * mean**2
        smallest = about_zero[:p].min() if p else 1.0
        if smallest >= SMALLEST_SQUARES and math.isfinite(about_zero.sum()):
            return
    refuse_overflow(about_zero[:p], about_zero[p:])
    refuse_underflow(about_zero[:p], mean[:p], extent)


def _normal(moments: Moments, extent: Extent, rcond: float | None) -> Solution[LeastSquares] | None:
    """Cholesky, or None when the scaled scatter matrix is numerically singular."""
    scale = column_lengths(np.sqrt(moments.x_squares), moments, extent)
    noise = entry_noise(extent, scale, moments.x_mean)
    # A design closer to singular than its entries are known may be singular.
    uncertain = 4 * math.sqrt(noise @ noise)
    tolerance = max(rank_tolerance(extent), uncertain) if rcond is None else rcond
    factor = ScaledCholesky.of(moments.Sxx, scale, rcond=tolerance)
    if factor is None:
        return None
    coef = factor.apply(moments.Sxy)
    params = with_intercept(coef, moments, extent)
    fit = LeastSquares(params, moments, factor, moments.residual_scatter(coef))
    return Solution(fit, Status.CONVERGED, "normal", 0, moments.n_features, factor.condition)


def _normal_singular(
    moments: Moments, extent: Extent, rcond: float | None
) -> Solution[LeastSquares]:
    """Minimum-norm solution of singular normal equations."""
    scale = column_lengths(np.sqrt(moments.x_squares), moments, extent)
    # In a squared matrix, singular values of size √ε are rounding noise.
    floor = np.sqrt(factorisation_error(max(moments.n_features, 1)))
    noise = _noise(extent, scale, moments, rcond)
    tolerance = max(rank_tolerance(extent), floor, rcond or 0.0)
    inverse = from_gram(moments.Sxx, scale, tolerance, noise)
    coef = inverse.apply(moments.Sxy)
    residual_scatter = moments.residual_scatter(coef)
    return _assemble(coef, moments, inverse, residual_scatter, extent, "normal")


def _orthogonal(moments: Moments, rows: Rows, rcond: float | None) -> Solution[LeastSquares]:
    """R of a blockwise QR of the (centred) rows, then the SVD of R."""
    triangle = rows.reduce(Triangle.about(moments.mean))
    factored = FactoredMoments.of(triangle, moments.mean, moments.weight)
    return _from_factor(triangle, factored, rows, rcond)


def _whitened(found: WhitenedFactor | None, rows: Rows) -> Solution[LeastSquares] | None:
    """The solution by a factor from whitened rows; None where columns may depend on each other.

    It is as accurate as an orthogonal factorisation, in less than half the time. But it does not
    tell how far from singular the rows are, once that is no more than rounding.
    """
    if found is None:
        return None
    moments, inverse = found.moments, found.inverse(rows)
    _refuse_extremes(moments, rows)
    if inverse is None:
        return None
    root = inverse.root
    coordinates = found.coordinates(root)
    scatter = moments.scatter[moments.n_features :, moments.n_features :]
    scatter = scatter - coordinates.T @ coordinates
    np.einsum("ii->i", scatter).clip(0.0, out=np.einsum("ii->i", scatter))
    return _assemble(root @ coordinates, moments, inverse, scatter, rows, "whitened")


def _from_factor(
    triangle: Triangle, moments: FactoredMoments, extent: Extent, rcond: float | None
) -> Solution[LeastSquares]:
    R = triangle.Rxx
    scale = column_lengths(np.sqrt(moments.x_squares), moments, extent)
    tolerance = rank_tolerance(extent) if rcond is None else rcond
    noise = _noise(extent, scale, moments, rcond)
    # A root from the SVD keeps its digits when it is corrected, which only small data can afford.
    limit = max(tolerance, math.sqrt(noise @ noise))
    inverse: ScaledCholesky | PseudoInverse | None = ScaledCholesky.of_factor(
        R, scale, rcond=limit, largest_condition=CHOLESKY_CONDITION
    )
    U = None
    if inverse is None:
        inverse, U = with_left_vectors(R, scale, tolerance, noise)
    if U is None or (inverse.rank == moments.n_features and R.shape[0] == R.shape[1]):
        coef, _ = linalg.lapack.dtrtrs(R, triangle.Qy)
    else:
        coef = inverse.root @ (U.T @ triangle.Qy)
    residual_scatter = triangle.residual_scatter(coef)
    return _assemble(coef, moments, inverse, residual_scatter, extent, "pinv")


def _assemble(
    coef: Array,
    moments: Moments | FactoredMoments,
    inverse: ScaledCholesky | PseudoInverse,
    residual_scatter: Array,
    extent: Extent,
    method: str,
) -> Solution[LeastSquares]:
    full = inverse.rank == moments.n_features
    params = with_intercept(coef, moments, extent)
    return Solution(
        LeastSquares(params, moments, inverse, residual_scatter),
        Status.CONVERGED if full else Status.RANK_DEFICIENT,
        method,
        0,
        inverse.rank,
        inverse.condition,
        inverse.dependent,
    )


def _noise(
    extent: Extent, scale: Array, moments: Moments | FactoredMoments, rcond: float | None
) -> Array:
    """Rounding noise of the entries; none when the user has given a tolerance."""
    if rcond is not None:
        return np.zeros_like(scale)
    return entry_noise(extent, scale, moments.x_mean)
