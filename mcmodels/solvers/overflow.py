"""Numbers whose squares overflow or underflow float64 are refused, before they turn NaN or zero."""

from __future__ import annotations

import numpy as np

from mcmodels.rows.blocks import Array

# Below this, sums of squares lose digits to gradual underflow.
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
        if squares is None:
            continue
        tiny = np.nonzero((squares > 0) & (squares < _SMALLEST))[0]
        if tiny.size and name == "X":
            raise ValueError(
                f"the weighted squares of column(s) {tiny.tolist()} of X underflow float64; "
                "multiply the column(s), or the weights, by a power of ten."
            )
        if np.isfinite(squares).all():
            continue
        columns = np.nonzero(~np.isfinite(squares))[0].tolist()
        raise ValueError(
            f"the weighted squares of column(s) {columns} of {name} overflow float64; divide the "
            "column(s), or the weights, by a power of ten."
        )
