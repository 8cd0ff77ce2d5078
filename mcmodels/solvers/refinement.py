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
from mcmodels.solvers.double_double import DoubleDouble, two_product, two_sum

_MAX_STEPS = 12
_HALF_ULP = 2.0**-53


def refine(
    rows: Rows,
    params: Array,
    solve: Callable[[DoubleDouble], Array],
    scale: Array,
) -> tuple[Array, int]:
    """Refine ``params`` towards the exact minimiser of ``Σ wᵢ ‖yᵢ - x̃ᵢᵀθ‖²``.

    Parameters
    ----------
    rows : Rows
        Design rows, targets (n, m) and weights.
    params : ndarray of shape (P, m)
        A solution with at least one correct digit.
    solve : callable
        ``s -> (X̃ᵀWX̃)⁻¹ s`` approximately, for s of shape (P, m) in double-double numbers: its
        entry for the intercept may cancel most of the others.
    scale : ndarray of shape (P,)
        Lengths of the columns of X̃, in which corrections are compared.

    Returns
    -------
    params : ndarray of shape (P, m)
        The refined solution, or the best one met when the corrections stop shrinking.
    steps : int
        Corrections applied.
    """
    current = DoubleDouble.of(params)
    previous_size = np.inf
    for step in range(_MAX_STEPS):
        correction = solve(rows.reduce(residual_products(current)))
        size = _relative_size(correction, current.hi, scale)
        if not size < previous_size / 2:
            return current.hi, step
        current = current + DoubleDouble.of(correction)
        if size <= _HALF_ULP:
            return current.hi, step + 1
        previous_size = size
    return current.hi, _MAX_STEPS


def _relative_size(correction: Array, params: Array, scale: Array) -> float:
    if not np.isfinite(correction).all():
        return np.inf
    length = np.linalg.norm(params * scale[:, np.newaxis], axis=0)
    change = np.linalg.norm(correction * scale[:, np.newaxis], axis=0)
    return float(np.max(np.divide(change, length, out=np.zeros_like(change), where=length > 0)))


def residual_products(params: DoubleDouble) -> Callable[[RowBlock], DoubleDouble]:
    """Summary ``X̃ᵀW(y - X̃θ)`` of a block, of shape (P, m), in double-double arithmetic."""

    def summarise(block: RowBlock) -> DoubleDouble:
        X = block.X.dense()
        if block.X.intercept:
            X = np.column_stack([X, np.ones(X.shape[0])])
        columns = [
            _products_of_one_target(X, y, block.weights, DoubleDouble(hi, lo))
            for y, hi, lo in zip(block.y.T, params.hi.T, params.lo.T, strict=True)
        ]
        return DoubleDouble(
            np.column_stack([c.hi for c in columns]), np.column_stack([c.lo for c in columns])
        )

    return summarise


def _products_of_one_target(
    X: Array, y: Array, weights: Array | None, theta: DoubleDouble
) -> DoubleDouble:
    p, e = two_product(X, theta.hi)
    fitted = DoubleDouble(*two_sum(p, e + X * theta.lo)).sum(axis=1)
    residual = DoubleDouble.of(y) + -fitted
    if weights is not None:
        residual = residual.times(weights)
    return DoubleDouble(residual.hi[:, np.newaxis], residual.lo[:, np.newaxis]).times(X).sum(axis=0)
