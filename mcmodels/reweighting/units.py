"""Rows as units of a resampling: each row by itself, clusters of rows, or random groups of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from mcmodels.arrays import Array, Codes
from mcmodels.inference.weighting import Weighting
from mcmodels.rows import RowBlock

__all__ = ["Units"]


@dataclass(frozen=True)
class Units:
    """What is drawn as a whole; see :mod:`mcmodels.reweighting.multipliers`.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,), int
        The unit of each row; of rows of weight 0 it means nothing.
    counts : ndarray of shape (G,)
        κ of each unit.
    are_clusters : bool
        Whether units are clusters of rows.
    """

    codes: Codes
    counts: Array
    are_clusters: bool

    @classmethod
    def of_rows(cls, n_rows: int, weights: Array | None, weighting: Weighting) -> Self:
        """Each row by itself."""
        counts = np.ones(n_rows)
        if weights is not None:
            counts = np.asarray(weighting.in_row(weights), dtype=np.float64)
        return cls(np.arange(n_rows), counts, are_clusters=False)

    @classmethod
    def of_clusters(cls, codes: Codes) -> Self:
        """Clusters of rows; -1 are rows of weight 0."""
        count = int(codes.max()) + 1
        return cls(np.maximum(codes, 0), np.ones(count), are_clusters=True)

    @property
    def n_present(self) -> int:
        """Units that are drawn."""
        return int(np.count_nonzero(self.counts))

    def ratios(self, multipliers: Array) -> Array:
        """``m_c/κ_c``, what the weights of the rows of unit c are multiplied by; shape (m, G)."""
        return np.asarray(multipliers / np.where(self.counts > 0, self.counts, 1.0))

    def of_rows_in(self, block: RowBlock, ratios: Array) -> Array:
        """Those of the rows of a block, shape (m, b)."""
        if self.are_clusters:
            return ratios[:, self.codes[block.rows]]
        return ratios[:, block.rows]
