"""Mean and variance of each column of (x, y): no cross-products, no p×p matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows.blocks import RowBlock, product
from mcmodels.rows.means import JointMean
from mcmodels.rows.moments import point_near_mean
from mcmodels.rows.source import Rows


@dataclass(frozen=True)
class ColumnMoments(JointMean):
    """Weight, mean and centred squares ``Σ wᵢ (zᵢⱼ - z̄ⱼ)²`` of the columns of ``z = (x, y)``.

    Parameters
    ----------
    weight : float
        ``Σ wᵢ``.
    origin, offset : ndarray of shape (p + m,)
        A point near the weighted mean of the p features and m targets, and the mean minus this
        point.
    squares : ndarray of shape (p + m,)
        Centred squares.
    n_features : int
        p.
    """

    weight: float
    origin: Array
    offset: Array
    squares: Array
    n_features: int

    @classmethod
    def of(cls, rows: Rows, *, targets: bool = True) -> Self:
        """Moments of the columns, in one pass; not finite where squares overflow.

        Without ``targets`` y is ignored, and m = 0.
        """
        p = rows.n_features
        with np.errstate(over="ignore", invalid="ignore"):
            origin = point_near_mean(rows)
            if not targets:
                origin = origin[:p]

            def summarise(block: RowBlock) -> Array:
                X = block.X.centred(origin[:p])
                unit = block.weights_or_ones
                sums = np.stack([product(X.X.T, unit), X.square_sums(block.weights)])
                if not targets:
                    return sums
                y = np.asarray(block.y, dtype=np.float64).reshape(X.n_rows, -1) - origin[p:]
                return np.concatenate([sums, np.stack([unit.dot(y), unit.dot(y**2)])], axis=1)

            first, second = rows.reduce(summarise)
            offset = first / rows.total_weight
            squares = (second - first * offset).clip(0.0)
        return cls(rows.total_weight, origin, offset, squares, p)

    def about_origin(self) -> ColumnMoments:
        """The same about zero: mean 0, squares ``Σ wᵢ zᵢⱼ²``."""
        zero = np.zeros_like(self.origin)
        squares = self.squares + self.weight * self.mean**2
        return ColumnMoments(self.weight, zero, zero, squares, self.n_features)
