"""Rows in other coordinates: features minus a centre, times a matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.linalg import blas

from mcmodels.arrays import Array
from mcmodels.rows.blocks import DenseDesign, Design, RowBlock
from mcmodels.rows.source import ArrayRows, Rows, Sum


class TransformedRows(Rows):
    """Rows ``(x - centre) root``, computed from other rows block by block.

    Parameters
    ----------
    rows : Rows
        The rows.
    centre : ndarray of shape (p,)
        Subtracted from the features. Sparse columns where it is zero stay sparse.
    root : ndarray of shape (p, r), default=None
        Its columns combine the features into r new ones; None keeps the features.
    """

    def __init__(self, rows: Rows, centre: Array, root: Array | None = None) -> None:
        self.rows = rows
        self.centre = centre
        self.root = root
        self._is_triangular = False
        if root is not None and root.shape[0] == root.shape[1] and not np.tril(root, -1).any():
            self._is_triangular, self.root = True, np.asfortranarray(root)
        self.n_rows, self.n_present = rows.n_rows, rows.n_present
        self.n_features = rows.n_features if root is None else root.shape[1]
        self.total_weight = rows.total_weight
        self.dtype, self.epsilon = rows.dtype, rows.epsilon
        self.intercept = rows.intercept
        self.walks_are_costly = rows.walks_are_costly

    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Sum over all blocks of rows of positive weight."""
        return self.rows.reduce(
            lambda block: summarise(replace(block, X=self._transformed(block.X)))
        )

    def sample(self, count: int) -> Rows:
        """About ``count`` of the rows, spread evenly."""
        return TransformedRows(self.rows.sample(count), self.centre, self.root)

    def held(self) -> ArrayRows:
        """The transformed rows of positive weight, in memory and in their order."""
        parts = self.reduce(
            lambda block: [(block.X.dense().copy(), block.y, block.weights, block.extras)]
        )
        X, y, weights, extras = zip(*parts, strict=True)

        def stacked(arrays: Sequence[Any]) -> Any:
            return None if arrays[0] is None else np.concatenate(arrays)

        held = ArrayRows(
            stacked(X),
            stacked(y),
            stacked(weights),
            {name: stacked([of[name] for of in extras]) for name in extras[0]},
            intercept=self.intercept,
        )
        held.epsilon = self.epsilon
        return held

    def _transformed(self, X: Design) -> Design:
        transformed = X.centred(self.centre)
        if self.root is not None:
            transformed = _CombinedDesign(transformed, self.root, triangular=self._is_triangular)
        transformed.intercept = self.intercept
        return transformed


class _CombinedDesign(DenseDesign):
    """Design rows whose features are combinations of others."""

    def __init__(self, design: Design, root: Array, *, triangular: bool) -> None:
        if triangular and isinstance(design.X, np.ndarray):
            X = _times_triangle(design, root)
        else:
            X = np.asarray(design.X @ root)
        super().__init__(X, intercept=False, scratch=design.scratch)
        self._design, self._root = design, root

    def magnitudes(self) -> Array:
        """Sums of the magnitudes of the terms, which may be much larger than the sums."""
        return self._with_ones(np.asarray(abs(self._design.X) @ np.abs(self._root)))


def _times_triangle(design: Design, root: Array) -> Array:
    """Dense rows times an upper triangular matrix, in half the time of a general product."""
    product = design.scratch.array("combined", design.X.shape)
    np.copyto(product, design.X)
    # BLAS sees rows of C order as columns: the transpose of the product is rootᵀ Xᵀ.
    blas.dtrmm(1.0, root, product.T, side=0, lower=0, trans_a=1, overwrite_b=1)
    return product
