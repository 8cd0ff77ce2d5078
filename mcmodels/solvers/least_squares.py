"""Linear least squares: normal equations, orthogonal factorisation, and the choice between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import linalg

from mcmodels.rows import Moments, RowBlock, Rows, Triangle
from mcmodels.rows.blocks import Array
from mcmodels.rows.covariance import centred_near
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
# Relative errors that call for no correction, and that a correction in working precision may leave.
_ACCURATE, _SUFFICIENT = 1e-12, 1e-10
# Entries of a design so small that extra precision costs less than a blink.
_SMALL = 2**18


@dataclass(frozen=True)
class LeastSquares:
    """A least-squares fit and the curvature it came from.

    Parameters
    ----------
    params : ndarray of shape (m, P)
        Coefficients of each target, the intercept last when there is one.
    moments : Moments
        Of (x, y): about the mean with an intercept, about the origin without.
    factor : ndarray of shape (k, p)
        R with ``RᵀR`` = the scatter of x.
    inverse : PseudoInverse
        Of that scatter.
    """

    params: Array
    moments: Moments
    factor: Array
    inverse: PseudoInverse


def solve(
    rows: Rows, *, method: Method = "auto", rcond: float | None = None
) -> Solution[LeastSquares]:
    """Minimise ``Σ wᵢ ‖yᵢ - x̃ᵢᵀθ‖²``; of several minimisers, take the shortest coefficients.

    Parameters
    ----------
    rows : Rows
        Design rows, targets of shape (n, m), weights.
    method : {"auto", "normal", "pinv"}
        "normal": Cholesky factor of the scaled scatter matrix (its eigenvectors when it is
        singular). "pinv": R of a blockwise QR, and the SVD of R. "auto": "normal" where it keeps
        its digits, else whichever of the two factors drives extra-precise refinement.
    rcond : float, default=None
        Singular values of the column-scaled design below rcond times the largest count as zero;
        None derives it from the precision of X (:func:`rank_tolerance`).

    Returns
    -------
    Solution[LeastSquares]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        moments = rows.reduce(Moments.of)
        refuse_overflow(
            np.diagonal(moments.Sxx) + moments.weight * moments.x_mean**2,
            np.diagonal(moments.Syy) + moments.weight * moments.y_mean**2,
        )
        refuse_underflow(np.diagonal(moments.Sxx) + moments.weight * moments.x_mean**2)
    if not rows.intercept:
        moments = moments.about_origin()
    if method == "normal":
        return _normal(moments, rows, rcond) or _normal_singular(moments, rows, rcond)
    if method == "pinv" or rows.n_present <= rows.n_features:
        return _orthogonal(moments, rows, rcond)
    solution = _normal(moments, rows, rcond)
    if solution is None or solution.condition > _CHOLESKY:
        solution = _orthogonal(moments, rows, rcond)
        if solution.status is Status.RANK_DEFICIENT:
            return solution
    mild = solution.condition <= _MILD
    if mild and _error_bound(solution, rows) <= _ACCURATE:
        return solution
    large = rows.n_rows * rows.n_params > _SMALL
    if large and _error_bound(solution, rows, corrected=True) <= _SUFFICIENT:
        return _corrected_once(solution, rows)
    return _refined(solution, rows)


def _normal(moments: Moments, rows: Rows, rcond: float | None) -> Solution[LeastSquares] | None:
    """Cholesky, or None when the scaled scatter matrix is numerically singular."""
    scale = _column_lengths(np.sqrt(np.diagonal(moments.Sxx)), moments, rows)
    noise = entry_noise(rows, scale, moments.x_mean)
    # A design closer to singular than its entries are known may be singular.
    uncertain = 4 * float(np.linalg.norm(noise))
    tolerance = max(rank_tolerance(rows), uncertain) if rcond is None else rcond
    factor = ScaledCholesky.of(moments.Sxx, scale, rcond=tolerance)
    if factor is None:
        return None
    spread = np.array([factor.condition, 1.0])
    inverse = PseudoInverse(factor.inverse_root(), spread, ())
    params = _with_intercept(factor.solve(moments.Sxy), moments, rows)
    fit = LeastSquares(params, moments, factor.lower.T * scale, inverse)
    return Solution(fit, Status.CONVERGED, "normal", 0, moments.n_features, factor.condition)


def _normal_singular(moments: Moments, rows: Rows, rcond: float | None) -> Solution[LeastSquares]:
    """Minimum-norm solution of singular normal equations."""
    scale = _column_lengths(np.sqrt(np.diagonal(moments.Sxx)), moments, rows)
    # Squaring has lifted the noise from ε to √ε, and the cutoff with it.
    floor = np.sqrt(8 * max(moments.n_features, 1) * FLOAT64_EPSILON)
    noise = _noise(rows, scale, moments, rcond)
    inverse = from_gram(moments.Sxx, scale, max(rank_tolerance(rows), floor, rcond or 0.0), noise)
    coef = inverse.apply(moments.Sxy)
    factor = linalg.pinv(inverse.root) if inverse.rank else np.zeros((0, moments.n_features))
    return _assemble(coef, moments, factor, inverse, rows, "normal")


def _orthogonal(moments: Moments, rows: Rows, rcond: float | None) -> Solution[LeastSquares]:
    """R of a blockwise QR of the (centred) rows, then the SVD of R."""
    triangle = rows.reduce(Triangle.about(moments.mean))
    R = triangle.Rxx
    scale = _column_lengths(np.linalg.norm(R, axis=0), moments, rows)
    tolerance = rank_tolerance(rows) if rcond is None else rcond
    inverse = from_factor(R, scale, tolerance, _noise(rows, scale, moments, rcond))
    if inverse.rank == moments.n_features and R.shape[0] == R.shape[1]:
        coef = linalg.solve_triangular(R, triangle.Qy, check_finite=False)
    else:
        R = np.where(scale > 0, R, 0.0)
        coef = inverse.apply(R.T @ triangle.Qy)
    return _assemble(coef, moments, R, inverse, rows, "pinv")


def _assemble(
    coef: Array,
    moments: Moments,
    factor: Array,
    inverse: PseudoInverse,
    rows: Rows,
    method: str,
) -> Solution[LeastSquares]:
    full = inverse.rank == moments.n_features
    return Solution(
        LeastSquares(_with_intercept(coef, moments, rows), moments, factor, inverse),
        Status.CONVERGED if full else Status.RANK_DEFICIENT,
        method,
        0,
        inverse.rank,
        inverse.condition,
        inverse.dependent,
    )


def _error_bound(solution: Solution[LeastSquares], rows: Rows, *, corrected: bool = False) -> float:
    """First-order estimate of the relative error of the worst parameter of a Cholesky solution.

    The error is taken relative to the parameter or to its standard error, whichever is larger:
    digits of a coefficient far below its standard error are noise in any case. In units in which
    columns have length one, the normal equations leave κ²ε‖β‖; after a correction in working
    precision κε‖y‖ + κ²ε‖r‖ is left, from the rounding of the residuals r and of their products
    with the columns, and what a factor with error κ²ε does not correct.
    """
    fit, moments, kappa = solution.value, solution.value.moments, solution.condition
    coef = fit.params[:, : moments.n_features].T
    unit = np.sqrt(np.diagonal(moments.Sxx))[:, np.newaxis]
    explained = np.einsum("pm,pm->m", coef, moments.Sxy)
    residual = np.sqrt(np.clip(np.diagonal(moments.Syy) - explained, 0.0, None))
    error = FLOAT64_EPSILON * kappa**2 * np.linalg.norm(coef * unit, axis=0)
    if corrected:
        target = np.sqrt(np.diagonal(moments.Syy))
        error *= FLOAT64_EPSILON * kappa**2
        error += FLOAT64_EPSILON * (kappa * target + kappa**2 * residual)
    spread = residual / np.sqrt(max(moments.weight - rows.n_params, 1.0))
    deviation = spread * np.linalg.norm(fit.inverse.root, axis=1)[:, np.newaxis]
    size = np.maximum(np.abs(coef), deviation) * unit
    error = np.broadcast_to(error, size.shape)
    ratio = np.divide(error, size, out=np.zeros_like(size), where=size > 0)
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
    lengths = np.sqrt(np.diagonal(moments.Sxx))
    coef = fit.params[:, : moments.n_features].T
    refined, mean_residual, steps = refine(rows, coef, mean, fit.inverse.apply, lengths)
    params = _with_intercept(refined, moments, rows, mean_residual)
    return replace(solution, value=replace(fit, params=params), iterations=steps)


def _noise(rows: Rows, scale: Array, moments: Moments, rcond: float | None) -> Array:
    """Noise of the entries, unless the user has said what counts as zero."""
    if rcond is not None:
        return np.zeros_like(scale)
    return entry_noise(rows, scale, moments.x_mean)


def _column_lengths(lengths: Array, moments: Moments, rows: Rows) -> Array:
    """Lengths of the (centred) columns; zero where nothing is left but the rounding of the mean."""
    if not rows.intercept:
        return lengths
    noise = FLOAT64_EPSILON / 4 * np.sqrt(moments.weight) * np.abs(moments.x_mean)
    return np.where(lengths > noise, lengths, 0.0)


def _with_intercept(
    coef: DoubleDouble | Array,
    moments: Moments,
    rows: Rows,
    mean_residual: DoubleDouble | None = None,
) -> Array:
    """Params of shape (m, P) from coefficients of shape (p, m).

    The intercept ``ȳ - x̄ᵀβ`` is often the small difference of large numbers; means are known to
    more than float64, as a point plus an offset, and the difference is taken in double-double.
    """
    beta = coef if isinstance(coef, DoubleDouble) else DoubleDouble.of(coef)
    if not rows.intercept:
        return beta.hi.T.copy()
    mean = DoubleDouble.of(moments.origin) + DoubleDouble.of(moments.offset)
    p = moments.n_features
    intercept = mean[p:] + -beta.times(mean[:p, np.newaxis]).sum(axis=0)
    if mean_residual is not None:
        intercept = intercept + mean_residual
    return np.column_stack([beta.hi.T, intercept.hi])
