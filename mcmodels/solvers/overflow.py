"""Columns so large that their squares overflow float64 are refused, before anything turns NaN."""

from __future__ import annotations

import numpy as np

from mcmodels.rows.blocks import Array


def refuse_overflow(squares: Array) -> None:
    """Raise ValueError when a sum of squares is not finite.

    Parameters
    ----------
    squares : ndarray
        Sums of squares, one a column.
    """
    (columns,) = np.nonzero(~np.isfinite(squares))
    if columns.size:
        raise ValueError(
            f"the squares of column(s) {columns.tolist()} of X overflow float64; divide them by "
            "a power of ten (entries should stay below 1e150)."
        )
