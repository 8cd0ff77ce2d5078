"""Extra-precise iterative refinement of a least-squares solution.

The normal equations are solved for the correction only. Their right-hand side is formed from the
residuals of the present solution, in twice the working precision. Each step multiplies the error by
about ε times the condition of the factor, so that a few steps reach full float64 accuracy. Sources:
Björck (1996), *Numerical Methods for Least Squares Problems*, §6.6.5 (corrected seminormal
equations); Demmel, Hida, Riedy and Li (2009), *Extra-precise iterative refinement for
overdetermined least squares problems*, ACM TOMS 35(4), §3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.rows import RowBlock, Rows
from mcmodels.rows.blocks import product
from mcmodels.solvers.double_double import DoubleDouble
from mcmodels.solvers.exact_products import ResidualSums, SlicedColumns
from mcmodels.solvers.tolerances import SMALL_DESIGN

# Largest number of corrections: with one correct digit at the start, each step gains at least a
# digit or stops.
MAX_STEPS = 12
# The unit roundoff of float64: a correction below it changes nothing.
_UNIT_ROUNDOFF = 2.0**-53


@dataclass(frozen=True)
class Stop:
    """When corrections end: where the error that one leaves is small enough.

    Parameters
    ----------
    goal : float
        The largest error, relative to ``sizes``.
    sizes : ndarray of shape (p, m)
        Sizes of the coefficients.
    contraction : float
        The share of an error that a correction leaves, as far as it is known before.
    """

    goal: float
    sizes: Array
    contraction: float

    def after(self, correction: Array, observed: float) -> bool:
        """Whether to stop after a correction; the last two had sizes of this ratio."""
        changed = correction != 0
        largest = np.max(np.abs(correction[changed]) / self.sizes[changed], initial=0.0)
        return float(largest) * max(self.contraction, observed) <= self.goal


@dataclass(frozen=True)
class Refined:
    """The refined solution, and the sums of its residuals.

    Parameters
    ----------
    coef : DoubleDouble of shape (p, m)
        The refined solution, or the last one before the corrections stopped shrinking.
    mean_residual : DoubleDouble of shape (m,)
        Weighted mean of the residuals: the rounding error of the means.
    residual_scatter : ndarray of shape (m, m)
        ``Σ wᵢ rᵢ rᵢᵀ`` about that mean.
    steps : int
        Corrections applied.
    """

    coef: DoubleDouble
    mean_residual: DoubleDouble
    residual_scatter: Array
    steps: int


def refine(
    rows: Rows,
    coef: Array,
    origin: Array,
    offset: Array,
    solve: Callable[[Array], Array],
    scale: Array,
    stop: Stop | None = None,
) -> Refined:
    """Refine ``coef`` towards the exact minimiser of ``Σ wᵢ ‖(yᵢ - ȳ) - (xᵢ - x̄)ᵀβ‖²``.

    Parameters
    ----------
    rows : Rows
        Rows with p features, targets (n, m) and weights.
    coef : ndarray of shape (p, m)
        A solution with at least one correct digit.
    origin, offset : ndarray of shape (p + m,)
        A point near x̄ and ȳ, and their difference from it; zeros without an intercept.
    solve : callable
        ``s -> Sxx⁻¹ s`` approximately, for s of shape (p, m) and the scatter Sxx about x̄.
    scale : ndarray of shape (p,)
        Lengths of the columns about x̄, in which corrections are compared.
    stop : Stop, default=None
        When corrections may end before they change nothing.

    Returns
    -------
    Refined
    """
    current = DoubleDouble.of(coef)
    previous_size = np.inf
    step = 0
    while True:
        gradient, mean_residual, scatter = _residual_sums(rows, current, origin, offset, scale)
        reached = Refined(current, mean_residual, scatter, step)
        correction = solve(gradient)
        size = _relative_size(correction, current.hi, scale)
        if not size < previous_size / 2 or step == MAX_STEPS:
            return reached
        current = current + DoubleDouble.of(correction)
        gained = gradient.T @ correction
        small = stop is not None and stop.after(correction, size / previous_size)
        if size <= _UNIT_ROUNDOFF or (small and _is_known_after(scatter, gained)):
            return Refined(current, mean_residual, scatter - gained, step + 1)
        previous_size = size
        step += 1


def exact_residual_scatter(rows: Rows, coef: Array, origin: Array, offset: Array) -> Array:
    """``Σ wᵢ rᵢ rᵢᵀ`` about the mean of the residuals, formed in twice the working precision."""
    return _residual_sums(rows, DoubleDouble.of(coef), origin, offset, None)[2]


def _residual_sums(
    rows: Rows, coef: DoubleDouble, origin: Array, offset: Array, lengths: Array | None
) -> tuple[Array, DoubleDouble, Array]:
    """``Σ wᵢ (xᵢ - x̄) (rᵢ - r̄)ᵀ``, r̄, and ``Σ wᵢ (rᵢ - r̄) (rᵢ - r̄)ᵀ``.

    Where x̄ and ȳ are not exactly the means, ``Σ wᵢ (xᵢ - x̄)`` and r̄ are not zero. They are small,
    but matter where columns are nearly dependent.
    """
    p = len(coef.hi)
    away = offset[:p, np.newaxis]
    y_mean = DoubleDouble.of(origin[p:]) + DoubleDouble.of(offset[p:])
    constant = y_mean + -coef.times(away).sum(axis=0)
    n_slices, bounds = _slices_of(rows), None
    if lengths is not None and n_slices == 1:
        # No entry is longer than its column.
        bounds = np.hypot(lengths, np.sqrt(rows.total_weight) * away[:, 0])
    sums = rows.reduce(
        lambda block: ResidualSums.of_block(block, coef, origin[:p], constant, n_slices, bounds)
    )
    mean_residual = sums.totals.times(np.array(1.0 / rows.total_weight))
    gradient, scatter = sums.products + -sums.totals[np.newaxis].times(away), sums.scatter
    if rows.intercept:
        about_mean = sums.columns + -DoubleDouble.of(away[:, 0]).times(np.array(rows.total_weight))
        gradient = gradient + -about_mean[:, np.newaxis].times(mean_residual)
        scatter = scatter - np.outer(sums.totals.hi, mean_residual.hi)
    return gradient.hi, mean_residual, scatter


def _slices_of(rows: Rows) -> int:
    """Slices of X: small data get every digit."""
    return 3 if rows.n_rows * rows.n_params <= SMALL_DESIGN else 1


def whitened_scatter(
    rows: Rows, root: Array, origin: Array, offset: Array, *, extra_precise: bool
) -> Array | None:
    """L with ``LLᵀ = BᵀSB``, which is near the identity when ``BBᵀ ≈ S⁻¹``: it corrects B.

    ``B L⁻ᵀ`` is a root of S⁻¹ as accurate as the rows ``Bᵀ(xᵢ - x̄)``: their error is ε times the
    condition number of the columns, or ε when they are formed in twice the working precision.

    Parameters
    ----------
    rows : Rows
        Rows with p features and weights.
    root : ndarray of shape (p, p)
        B.
    origin, offset : ndarray of shape (p,)
        A point near x̄, and its difference from it; zeros without an intercept.
    extra_precise : bool
        Whether to form the rows in twice the working precision.

    Returns
    -------
    ndarray of shape (p, p), or None when BᵀSB is not positive definite
    """
    B = DoubleDouble.of(root)
    constant = B.times(offset[:, np.newaxis]).sum(axis=0)

    def summarise(block: RowBlock) -> Array:
        if extra_precise:
            X, scratch = block.X.dense(), block.X.scratch
            image = SlicedColumns.of(X, origin, _slices_of(rows), scratch).times(B)
            Z = (image + -constant[:, np.newaxis]).hi.T
        else:
            Z = product(block.X.dense() - origin - offset, root)
        Z = np.column_stack([Z, np.ones(len(Z))])
        if block.weights is not None:
            Z *= np.sqrt(block.weights)[:, np.newaxis]
        return product(Z.T, Z)

    sums = rows.reduce(summarise)
    scatter, total = sums[:-1, :-1], sums[:-1, -1]
    if rows.intercept:  # the rounding error of the mean
        scatter = scatter - np.outer(total, total) / rows.total_weight
    L, info = linalg.lapack.dpotrf(scatter, lower=1, clean=1)
    return L if info == 0 else None


def _is_known_after(scatter: Array, gained: Array) -> bool:
    """Whether the scatter before a correction minus its gain has lost no more than three digits."""
    before, left = np.diagonal(scatter), np.diagonal(scatter - gained)
    return bool((left >= 1e-3 * before).all())


def _relative_size(correction: Array, params: Array, scale: Array) -> float:
    if not np.isfinite(correction).all():
        return np.inf
    length = np.linalg.norm(params * scale[:, np.newaxis], axis=0)
    change = np.linalg.norm(correction * scale[:, np.newaxis], axis=0)
    return float(np.max(np.divide(change, length, out=np.zeros_like(change), where=length > 0)))
