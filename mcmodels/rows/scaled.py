"""Rows of which each column is shifted and divided by its size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import sparse

from mcmodels.arrays import Array
from mcmodels.rows.blocks import DenseDesign, Design, RowBlock, SparseDesign, is_by_column
from mcmodels.rows.source import Rows, Sum

__all__ = ["ScaledRows"]


class ScaledRows(Rows):
    """Rows ``(x - centre)/size``, computed from other rows block by block.

    Parameters
    ----------
    rows : Rows
        The rows, without an intercept.
    centre : ndarray of shape (p,)
        Subtracted from the features; zero for sparse ones.
    size : ndarray of shape (p,)
        What the differences are divided by.
    """

    def __init__(self, rows: Rows, centre: Array, size: Array) -> None:
        self.rows, self.centre, self.size = rows, centre, size
        self._inverse = 1.0 / size
        self.take_extent(rows)

    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Sum over all blocks of rows of positive weight."""
        return self.rows.reduce(lambda block: summarise(replace(block, X=self._scaled(block.X))))

    def sample(self, count: int) -> Rows:
        """About ``count`` of the rows, spread evenly."""
        return ScaledRows(self.rows.sample(count), self.centre, self.size)

    def _scaled(self, X: Design) -> Design:
        if isinstance(X, SparseDesign):
            scaled = sparse.csr_array(X.X)
            scaled.data = scaled.data * self._inverse[scaled.indices]
            return SparseDesign(scaled, intercept=False, scratch=X.scratch)
        scaled = X.scratch.array("in units", X.X.shape, by_column=is_by_column(X.X))
        np.subtract(X.X, self.centre, out=scaled)
        scaled *= self._inverse
        return DenseDesign(scaled, intercept=False, scratch=X.scratch.inner)
