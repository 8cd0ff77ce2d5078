"""Least squares by conjugate gradients on the rows, where a p×p matrix takes too much memory.

The normal equations ``Sβ = s`` of centred columns, scaled to unit length, are solved with products
``Sv = Xᵀ(Xv)``, each one pass over the rows: Björck (1996), *Numerical Methods for Least Squares
Problems*, §7.4.1 (CGLS) and §7.1.3 (scaling). Conjugate gradients update their residual by a
recurrence, which loses accuracy. So when that residual is small, the true one is computed from the
rows and the solution is corrected by it (§2.9).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from mcmodels.rows import ColumnMoments, RowBlock, Rows
from mcmodels.rows.blocks import Array, Design
from mcmodels.solvers.conjugate_gradients import Jacobi, conjugate_gradients
from mcmodels.solvers.least_squares_fit import MatrixFreeFit, rounding_of_mean, with_intercept
from mcmodels.solvers.overflow import refuse_overflow, refuse_underflow
from mcmodels.solvers.solution import Solution, Status
from mcmodels.solvers.tolerances import FLOAT64_EPSILON, FLOAT64_TINY

# Relative residual at which conjugate gradients stop, and the true residual is computed; and the
# smallest that can be asked for, relative to the residual of zero coefficients.
_CYCLE, _ROUNDING = 1e-8, 16 * FLOAT64_EPSILON
# Largest numbers of corrections, and of products for each.
_MAX_CYCLES, _MAX_PRODUCTS = 10, 2000
# A correction shorter than the first share of the solution, in the metric of S, is not made. When
# corrections no longer shrink, the fit has converged if the next is shorter than the second share.
_NEGLIGIBLE, _TOLERABLE = 1e-12, 1e-8


def solve_matrix_free(rows: Rows) -> Solution[MatrixFreeFit]:
    """Minimise ``Σ wᵢ ‖yᵢ - x̃ᵢᵀθ‖²`` by products with the rows alone.

    Of several minimisers, the one whose coefficients are shortest where columns have unit length.

    Returns
    -------
    Solution[MatrixFreeFit]
        ``status`` is RANK_DEFICIENT where columns are zero or constant (these are ``columns``) or
        rows fewer than columns; dependencies among columns are not looked for, so that ``rank`` is
        an upper bound. It is NOT_CONVERGED
        where corrections stopped shrinking too early. ``iterations`` counts corrections by the true
        residual. ``condition`` is an estimate; it leaves out directions in which the targets have
        no component.
    """
    moments = _checked(rows)
    p = rows.n_features
    squares = _present_squares(moments, rows)
    apply = _scatter_product(rows, moments)
    n_targets = moments.y_squares.size
    preconditioner = Jacobi.of(np.tile(squares, (n_targets, 1)))
    coef = np.zeros((n_targets, p))
    first = left = _residual_products(rows, moments, coef)
    smallest, largest = np.inf, 0.0
    status = Status.CONVERGED
    cycle = 0
    while True:
        size = preconditioner.norm(left)
        # A residual below the rounding of the first one may lie outside the range of S.
        enough = max(_CYCLE, _ROUNDING * preconditioner.norm(first) / max(size, FLOAT64_TINY))
        solved = conjugate_gradients(
            apply, left, preconditioner, tolerance=enough, max_steps=_MAX_PRODUCTS
        )
        if solved.steps == 0:
            break
        smallest, largest = min(smallest, solved.smallest), max(largest, solved.largest)
        trial = coef + solved.x
        remaining = _residual_products(rows, moments, trial)
        reduced = preconditioner.norm(remaining)
        length = math.sqrt(max(float(np.vdot(trial, first - remaining)), 0.0))
        next_length = reduced / math.sqrt(smallest) if smallest > 0 else np.inf
        if reduced < size:
            coef, left = trial, remaining
        if next_length <= _NEGLIGIBLE * length:
            break
        if reduced > size / 2 or cycle == _MAX_CYCLES:
            if next_length > _TOLERABLE * length:
                status = Status.NOT_CONVERGED
            break
        cycle += 1
    still = tuple(np.flatnonzero(squares == 0).tolist())
    rank = min(p - len(still), rows.n_present - int(rows.intercept))
    columns: tuple[int, ...] = ()
    if status is Status.CONVERGED and rank < p:
        status = Status.RANK_DEFICIENT
        columns = still if rank == p - len(still) else ()
    condition = math.sqrt(largest / smallest) if rank == p and 0 < smallest < np.inf else np.inf
    params = with_intercept(coef.T, moments, rows)
    gradient = -2.0 * left
    if rows.intercept:
        slope = moments.weight * (coef @ moments.x_mean + params[:, -1] - moments.y_mean)
        gradient = np.column_stack([gradient + np.outer(2.0 * slope, moments.x_mean), 2.0 * slope])
    return Solution(
        MatrixFreeFit(params, gradient, moments),
        status,
        "cg",
        cycle,
        rank,
        condition,
        columns,
        constant=columns if rows.intercept else (),
    )


def _checked(rows: Rows) -> ColumnMoments:
    """Moments about the mean, or the origin without an intercept; ValueError on overflow."""
    moments = ColumnMoments.of(rows)
    with np.errstate(over="ignore", invalid="ignore"):
        about_origin = moments.about_origin()
    refuse_overflow(about_origin.x_squares, about_origin.y_squares)
    refuse_underflow(about_origin.x_squares, moments.x_mean, rows)
    return moments if rows.intercept else about_origin


def _present_squares(moments: ColumnMoments, rows: Rows) -> Array:
    """Squares of the columns; zero for constant columns."""
    if not rows.intercept:
        return moments.x_squares
    varies = np.sqrt(moments.x_squares) > rounding_of_mean(moments)
    return np.where(varies, moments.x_squares, 0.0)


def _scatter_product(rows: Rows, moments: ColumnMoments) -> Callable[[Array], Array]:
    """``v ↦ Sv`` for each row v of an array (k, p), with S the scatter of the (centred) columns."""
    centre, offset = _point(moments)

    def apply(V: Array) -> Array:
        shift = V @ offset

        def summarise(block: RowBlock) -> Array:
            X = block.X.centred(centre)
            return _summed(X, block.weighted(X.predictor(V) - shift), offset)

        return rows.reduce(summarise)

    return apply


def _residual_products(rows: Rows, moments: ColumnMoments, coef: Array) -> Array:
    """``Xᵀ(y - Xβ)`` of (centred) columns, for each row β of coef (m, p)."""
    centre, offset = _point(moments)
    p, shift = moments.n_features, coef @ offset

    def summarise(block: RowBlock) -> Array:
        X = block.X.centred(centre)
        y = np.asarray(block.y, dtype=np.float64).reshape(X.n_rows, -1)
        about_mean = y - moments.origin[p:] - moments.offset[p:]
        residual = about_mean - (X.predictor(coef) - shift)
        return _summed(X, block.weighted(residual), offset)

    return rows.reduce(summarise)


def _point(moments: ColumnMoments) -> tuple[Array, Array]:
    """The point about which the features are centred, and their mean relative to it."""
    p = moments.n_features
    return moments.origin[:p], moments.offset[:p]


def _summed(X: Design, weighted: Array, offset: Array) -> Array:
    return X.adjoint(weighted) - np.outer(weighted.sum(axis=0), offset)
