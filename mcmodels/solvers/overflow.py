"""Refuse numbers whose squares overflow or underflow float64, before they become NaN or zero."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.rows import RowBlock, Rows

# Sums of squares below this lose digits: terms of them are near the smallest normal number, 2e-308.
SMALLEST_SQUARES = 1e-290
# Weights with a smaller sum make the steps of an iteration lose digits, as these are squared.
_SMALLEST_WEIGHTS = 1e-250


def refuse_overflow(x_squares: Array, y_squares: Array | None = None) -> None:
    """Raise ValueError when a weighted sum of squares is not finite.

    Parameters
    ----------
    x_squares : ndarray of shape (p,)
        Sums of squares of the features.
    y_squares : ndarray of shape (m,), default=None
        Sums of squares of the targets.
    """
    for name, squares in (("X", x_squares), ("y", y_squares)):
        if squares is None or np.isfinite(squares).all():
            continue
        columns = np.nonzero(~np.isfinite(squares))[0].tolist()
        raise ValueError(
            f"the weighted squares of column(s) {columns} of {name} overflow float64; divide the "
            "column(s), or the weights, by a power of ten."
        )


def refuse_underflow(x_squares: Array, x_mean: Array | None = None, rows: object = None) -> None:
    """Raise ValueError when a sum of squares may have lost digits to gradual underflow.

    Parameters
    ----------
    x_squares : ndarray of shape (p,)
        Sums of squares of the features, about zero.
    x_mean : ndarray of shape (p,), default=None
        Their means.
    rows : Rows, default=None
        The rows, if they can be walked again: where a sum of squares is zero, they tell whether the
        column is.
    """
    small = x_squares < SMALLEST_SQUARES
    if not small.any():
        return
    zero = x_squares == 0
    if x_mean is not None:
        zero &= x_mean == 0
    if zero.any() and isinstance(rows, Rows):
        zero[zero] = _counted_entries(rows, np.nonzero(zero)[0]) == 0
    columns = np.nonzero(small & ~zero)[0].tolist()
    if columns:
        raise ValueError(
            f"the weighted squares of column(s) {columns} of X underflow float64; multiply the "
            "column(s), or the weights, by a power of ten."
        )


def refuse_underflow_of_targets(y_sums: Array, y_squares: Array) -> None:
    """Raise ValueError when squares of targets have lost digits to gradual underflow.

    Parameters
    ----------
    y_sums, y_squares : ndarray of shape (m,)
        Weighted sums of the targets and of their squares.
    """
    lost = (y_squares < SMALLEST_SQUARES) & ((y_squares > 0) | (y_sums != 0))
    if lost.any():
        raise ValueError(
            f"the weighted squares of column(s) {np.nonzero(lost)[0].tolist()} of y underflow "
            "float64; multiply y, or the weights, by a power of ten."
        )


def refuse_tiny_weights(total: float) -> None:
    """Raise ValueError when the sum of the weights is so small that an objective underflows."""
    if total < _SMALLEST_WEIGHTS:
        raise ValueError(
            f"the weights sum to {total:.3g}, and their products underflow float64; multiply them "
            "by a power of ten."
        )


def _counted_entries(rows: Rows, columns: npt.NDArray[np.intp]) -> Array:
    """Entries of each of these columns that are not zero, in rows of positive weight."""

    def count(block: RowBlock) -> Array:
        nonzero = (block.X.X[:, columns] != 0).T.astype(np.float64)
        return np.asarray(nonzero @ (block.weights_or_ones > 0), dtype=np.float64)

    return rows.reduce(count)
