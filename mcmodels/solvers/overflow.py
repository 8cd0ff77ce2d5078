"""Numbers whose squares overflow float64 are refused, before anything turns NaN."""

from __future__ import annotations

import numpy as np

from mcmodels.rows.blocks import Array


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
