"""Least squares by conjugate gradients on the rows, where a p×p matrix has no room.

The normal equations ``Sβ = s`` of centred columns, scaled to unit length, are solved with products
``Sv = Xᵀ(Xv)``, each one pass over the rows: Björck (1996), *Numerical Methods for Least Squares
Problems*, §7.4.1 (CGLS) and §7.1.3 (scaling). When the recurred residual has become small, the
true one is taken from the rows and the solution corrected by it (§2.9), so that what is reached
does not depend on how well the recurrence lasts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mcmodels.rows import ColumnMoments, RowBlock, Rows
from mcmodels.rows.blocks import Array, Design
from mcmodels.solvers.cholesky import FLOAT64_EPSILON
from mcmodels.solvers.conjugate_gradients import Jacobi, conjugate_gradients
from mcmodels.solvers.overflow import refuse_overflow, refuse_underflow
from mcmodels.solvers.solution import Status

# Relative residual at which the recurrence is given up for the true residual.
_CYCLE = 1e-8
_ROUNDING, _TINY = 16 * FLOAT64_EPSILON, float(np.finfo(np.float64).tiny)
_MAX_CYCLES, _MAX_PRODUCTS = 10, 2000
# A correction shorter than this, relative to the solution in the metric of S, is not worth a pass;
# one shorter than the second may stay, when float64 shows no smaller one.
_NEGLIGIBLE, _TOLERABLE = 1e-12, 1e-8


@dataclass(frozen=True)
class Minimiser:
    """A minimiser of the sum of squares, found without a matrix.

    Parameters
    ----------
    coef : ndarray of shape (m, p)
        Of several minimisers, the one that is shortest where columns have unit length.
    residual_products : ndarray of shape (m, p)
        ``Xᵀr`` of the (centred) columns: zero but for rounding.
    moments : ColumnMoments
        Of (x, y): about the mean with an intercept, about the origin without.
    status : Status
        RANK_DEFICIENT where columns are zero or rows fewer than columns; NOT_CONVERGED where a
        correction that is not negligible was left.
    cycles : int
        Corrections by the true residual after the first solution.
    rank : int
        The most that the rank can be; dependencies among columns are not looked for.
    condition : float
        Estimate of the condition number of the columns, at unit length; it does not see
        directions in which the targets have no part.
    """

    coef: Array
    residual_products: Array
    moments: ColumnMoments
    status: Status
    cycles: int
    rank: int
    condition: float


def minimise(rows: Rows) -> Minimiser:
    """Minimise ``Σ wᵢ ‖yᵢ - x̃ᵢᵀθ‖²`` from products with the rows alone."""
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
        # What is below the rounding of the first residual may lie outside the range of S.
        enough = max(_CYCLE, _ROUNDING * preconditioner.norm(first) / max(size, _TINY))
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
    rank = min(int(np.count_nonzero(squares)), rows.n_present - int(rows.intercept))
    if status is Status.CONVERGED and rank < p:
        status = Status.RANK_DEFICIENT
    condition = math.sqrt(largest / smallest) if rank == p and 0 < smallest < np.inf else np.inf
    return Minimiser(coef, left, moments, status, cycle, rank, condition)


def _checked(rows: Rows) -> ColumnMoments:
    """Moments of the columns about the point that the fit needs, if float64 can hold them."""
    moments = ColumnMoments.of(rows)
    with np.errstate(over="ignore", invalid="ignore"):
        about_origin = moments.about_origin()
    refuse_overflow(about_origin.x_squares, about_origin.y_squares)
    refuse_underflow(about_origin.x_squares)
    return moments if rows.intercept else about_origin


def _present_squares(moments: ColumnMoments, rows: Rows) -> Array:
    """Squares of the columns; zero where nothing is left but the rounding of the mean."""
    if not rows.intercept:
        return moments.x_squares
    noise = FLOAT64_EPSILON / 4 * np.sqrt(moments.weight) * np.abs(moments.x_mean)
    return np.where(np.sqrt(moments.x_squares) > noise, moments.x_squares, 0.0)


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
    """Where the features are centred, and how far their mean lies from there."""
    p = moments.n_features
    return moments.origin[:p], moments.offset[:p]


def _summed(X: Design, weighted: Array, offset: Array) -> Array:
    return X.adjoint(weighted) - np.outer(weighted.sum(axis=0), offset)
