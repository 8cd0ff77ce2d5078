"""Columns about other origins and in other units, without a rounding error.

Whether rows lie on a border is decided exactly, and what is decided of rounded rows need not hold
for the rows themselves. So an origin is subtracted only where no difference is rounded: that of
numbers within a factor of two of it never is (Sterbenz 1974, *Floating-Point Computation*, §4.3),
nor that of whole numbers. Units are powers of two.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows import ColumnMoments, RowBlock, Rows, TransformedRows

__all__ = ["ExactUnits"]


@dataclass(frozen=True)
class ExactUnits:
    """The columns ``(xⱼ - centreⱼ)/unitⱼ``, which are exact.

    Parameters
    ----------
    centre : ndarray of shape (p,)
        Near the means; zero where there is no intercept, or a difference would be rounded.
    unit : ndarray of shape (p,)
        Powers of two near the standard deviations; of columns without an intercept, near the roots
        of the mean squares.
    """

    centre: Array
    unit: Array

    @classmethod
    def of(cls, rows: Rows) -> ExactUnits:
        """Those of some rows, in two passes."""
        moments = ColumnMoments.of(rows, targets=False)
        mean, variance = moments.x_mean, moments.x_squares / moments.weight
        square = variance if rows.intercept else variance + mean**2
        unit = np.exp2(np.floor(np.log2(np.where(square > 0, square, 1.0)) / 2))
        centre = np.round(mean / unit) * unit if rows.intercept else np.zeros_like(mean)

        def rounded(block: RowBlock) -> Array:
            X = block.X.dense()
            moved = X - centre
            # The rounding error of the difference (Knuth 1998, *Seminumerical Algorithms*, §4.2.2).
            taken = moved - X
            error = (X - (moved - taken)) - (centre + taken)
            return np.array([np.count_nonzero(error, axis=0), _changed(X, unit).sum(axis=0)])

        by_centre, by_unit = rows.reduce(rounded)
        unit = np.where(by_unit == 0, unit, 1.0)
        return cls(np.where(by_centre == 0, centre, 0.0), unit)

    def about_zero(self) -> ExactUnits:
        """The same units, and no other origin."""
        return replace(self, centre=np.zeros_like(self.centre))

    def rows(self, rows: Rows) -> Rows:
        """The rows in these units."""
        return TransformedRows(rows, self.centre, np.diag(1.0 / self.unit))


def _changed(X: Array, unit: Array) -> Array:
    """Where a number is too small for a unit."""
    found: Array = (X / unit) * unit != X
    return found
