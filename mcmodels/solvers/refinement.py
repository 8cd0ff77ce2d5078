"""Extra-precise iterative refinement of a least-squares solution.

The normal equations are solved for the correction only; their right-hand side, the residual of
the solution that is being refined, is formed from the rows in twice the working precision. Each
step multiplies the error by about ε times the condition of the factor, so a few steps reach full
float64 accuracy where plain solvers have lost half their digits. After Björck (1996), *Numerical
Methods for Least Squares Problems*, §6.6.5 (corrected seminormal equations) and Demmel, Hida, Riedy
and Li (2009), *Extra-precise iterative refinement for overdetermined least squares problems*, ACM
TOMS 35(4), §3.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mcmodels.rows import RowBlock, Rows
from mcmodels.rows.blocks import Array
from mcmodels.solvers.double_double import DoubleDouble

_MAX_STEPS = 12
_HALF_ULP = 2.0**-53


def refine(
    rows: Rows,
    coef: Array,
    mean: DoubleDouble,
    solve: Callable[[Array], Array],
    scale: Array,
) -> tuple[DoubleDouble, DoubleDouble, int]:
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
    coef : DoubleDouble of shape (p, m)
        The refined solution, or the last one before the corrections stopped shrinking.
    mean_residual : DoubleDouble of shape (m,)
        Weighted mean of the residuals: what rounding has left in the means.
    steps : int
        Corrections applied.
    """
    current = DoubleDouble.of(coef)
    previous_size = np.inf
    for step in range(_MAX_STEPS):
        sums = rows.reduce(residual_products(current, mean))
        mean_residual = sums[-1, :-1].times(np.array(1.0 / rows.total_weight))
        products = sums[:-1, :-1]
        if rows.intercept:
            products = products + -sums[:-1, -1:].times(mean_residual)
        correction = solve(products.hi)
        size = _relative_size(correction, current.hi, scale)
        if not size < previous_size / 2:
            return current, mean_residual, step
        current = current + DoubleDouble.of(correction)
        if size <= _HALF_ULP:
            return current, mean_residual, step + 1
        previous_size = size
    return current, mean_residual, _MAX_STEPS


def _relative_size(correction: Array, params: Array, scale: Array) -> float:
    if not np.isfinite(correction).all():
        return np.inf
    length = np.linalg.norm(params * scale[:, np.newaxis], axis=0)
    change = np.linalg.norm(correction * scale[:, np.newaxis], axis=0)
    return float(np.max(np.divide(change, length, out=np.zeros_like(change), where=length > 0)))


def residual_products(coef: DoubleDouble, mean: DoubleDouble) -> Callable[[RowBlock], DoubleDouble]:
    """Summary ``Σ wᵢ (xᵢ - x̄, 1) (rᵢ, 1)ᵀ`` of shape (p + 1, m + 1).

    The sums with ones show how far x̄ and ȳ are from the means: a little, and where columns are
    nearly dependent a little is enough to matter.
    """
    p = coef.hi.shape[0]

    def summarise(block: RowBlock) -> DoubleDouble:
        X = DoubleDouble.of(block.X.dense()) + -mean[:p]
        Y = DoubleDouble.of(block.y) + -mean[p:]
        ones = DoubleDouble.of(np.ones(len(Y.hi)))
        residuals = [Y[:, k] + -X.times(coef[:, k]).sum(axis=1) for k in range(Y.hi.shape[1])]
        columns = []
        for factor in (*residuals, ones):
            weighted = factor if block.weights is None else factor.times(block.weights)
            products = X.times(weighted[:, np.newaxis]).sum(axis=0)
            columns.append((products, weighted.sum(axis=0)))
        return DoubleDouble(
            np.column_stack([np.append(c.hi, total.hi) for c, total in columns]),
            np.column_stack([np.append(c.lo, total.lo) for c, total in columns]),
        )

    return summarise
