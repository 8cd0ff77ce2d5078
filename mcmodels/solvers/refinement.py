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
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from mcmodels.rows import RowBlock, Rows
from mcmodels.rows.blocks import Array, product
from mcmodels.solvers.double_double import DoubleDouble

# Largest number of corrections: with one correct digit at the start, each step gains at least a
# digit or stops.
MAX_STEPS = 12
# The unit roundoff of float64: a correction below it changes nothing.
_UNIT_ROUNDOFF = 2.0**-53


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
    mean: DoubleDouble,
    solve: Callable[[Array], Array],
    scale: Array,
) -> Refined:
    """Refine ``coef`` towards the exact minimiser of ``Σ wᵢ ‖(yᵢ - ȳ) - (xᵢ - x̄)ᵀβ‖²``.

    Parameters
    ----------
    rows : Rows
        Rows with p features, targets (n, m) and weights.
    coef : ndarray of shape (p, m)
        A solution with at least one correct digit.
    mean : DoubleDouble of shape (p + m,)
        x̄ and ȳ, to the rounding of their deviations; zeros without an intercept.
    solve : callable
        ``s -> Sxx⁻¹ s`` approximately, for s of shape (p, m) and the scatter Sxx about x̄.
    scale : ndarray of shape (p,)
        Lengths of the columns about x̄, in which corrections are compared.

    Returns
    -------
    Refined
    """
    current = DoubleDouble.of(coef)
    previous_size = np.inf
    p = len(coef)
    step = 0
    while True:
        products, mean_residual = _about_mean_residual(rows, current, mean)
        reached = Refined(current, mean_residual, products.hi[p:], step)
        correction = solve(products.hi[:p])
        size = _relative_size(correction, current.hi, scale)
        if not size < previous_size / 2 or step == MAX_STEPS:
            return reached
        current = current + DoubleDouble.of(correction)
        if size <= _UNIT_ROUNDOFF:
            return replace(reached, coef=current, steps=step + 1)
        previous_size = size
        step += 1


def exact_residual_scatter(rows: Rows, coef: Array, mean: DoubleDouble) -> Array:
    """``Σ wᵢ rᵢ rᵢᵀ`` about the mean of the residuals, formed in twice the working precision."""
    products, _ = _about_mean_residual(rows, DoubleDouble.of(coef), mean)
    return products.hi[len(coef) :]


def _about_mean_residual(
    rows: Rows, coef: DoubleDouble, mean: DoubleDouble
) -> tuple[DoubleDouble, DoubleDouble]:
    """``Σ wᵢ (xᵢ - x̄, rᵢ) (rᵢ - r̄)ᵀ`` of shape (p + m, m), and r̄."""
    sums = rows.reduce(residual_products(coef, mean))
    mean_residual = sums[-1, :-1].times(np.array(1.0 / rows.total_weight))
    products = sums[:-1, :-1]
    if rows.intercept:
        products = products + -sums[:-1, -1:].times(mean_residual)
    return products, mean_residual


def whitened_scatter(
    rows: Rows, root: Array, mean: DoubleDouble, *, extra_precise: bool
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
    mean : DoubleDouble of shape (p,)
        x̄, to the rounding of the deviations; zeros without an intercept.
    extra_precise : bool
        Whether to form the rows in twice the working precision.

    Returns
    -------
    ndarray of shape (p, p), or None when BᵀSB is not positive definite
    """

    def summarise(block: RowBlock) -> Array:
        X = DoubleDouble.of(block.X.dense()) + -mean
        if extra_precise:
            Z = np.column_stack([X.times(b).sum(axis=1).hi for b in root.T])
        else:
            Z = product(X.hi, root)
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


def _relative_size(correction: Array, params: Array, scale: Array) -> float:
    if not np.isfinite(correction).all():
        return np.inf
    length = np.linalg.norm(params * scale[:, np.newaxis], axis=0)
    change = np.linalg.norm(correction * scale[:, np.newaxis], axis=0)
    return float(np.max(np.divide(change, length, out=np.zeros_like(change), where=length > 0)))


def residual_products(coef: DoubleDouble, mean: DoubleDouble) -> Callable[[RowBlock], DoubleDouble]:
    """Summary ``Σ wᵢ (xᵢ - x̄, rᵢ, 1) (rᵢ, 1)ᵀ`` of shape (p + m + 1, m + 1).

    The sums with ones give the difference of x̄ and ȳ from the exact means. It is small, but matters
    where columns are nearly dependent.
    """
    p = coef.hi.shape[0]

    def summarise(block: RowBlock) -> DoubleDouble:
        X = DoubleDouble.of(block.X.dense()) + -mean[:p]
        Y = DoubleDouble.of(block.y) + -mean[p:]
        ones = DoubleDouble.of(np.ones(len(Y.hi)))
        residuals = [Y[:, k] + -X.times(coef[:, k]).sum(axis=1) for k in range(Y.hi.shape[1])]
        left = DoubleDouble(
            np.column_stack([X.hi, *(r.hi for r in residuals)]),
            np.column_stack([X.lo, *(r.lo for r in residuals)]),
        )
        columns = []
        for factor in (*residuals, ones):
            weighted = factor if block.weights is None else factor.times(block.weights)
            products = left.times(weighted[:, np.newaxis]).sum(axis=0)
            columns.append((products, weighted.sum(axis=0)))
        return DoubleDouble(
            np.column_stack([np.append(c.hi, total.hi) for c, total in columns]),
            np.column_stack([np.append(c.lo, total.lo) for c, total in columns]),
        )

    return summarise
