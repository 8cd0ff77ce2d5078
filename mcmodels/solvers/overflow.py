"""Refuse numbers whose squares overflow or underflow float64, before they become NaN or zero."""

from __future__ import annotations

import numpy as np

from mcmodels.arrays import Array

# Sums of squares below this lose digits: terms of them are near the smallest normal number, 2e-308.
_SMALLEST = 1e-290


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


def refuse_underflow(x_squares: Array) -> None:
    """Raise ValueError when a sum of squares may have lost digits to gradual underflow.

    Parameters
    ----------
    x_squares : ndarray of shape (p,)
        Sums of squares of the features.
    """
    columns = np.nonzero((x_squares > 0) & (x_squares < _SMALLEST))[0].tolist()
    if columns:
        raise ValueError(
            f"the weighted squares of column(s) {columns} of X underflow float64; multiply the "
            "column(s), or the weights, by a power of ten."
        )
