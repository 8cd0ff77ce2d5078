"""Rows in other coordinates: features minus a centre, times a matrix."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from mcmodels.arrays import Array
from mcmodels.rows.blocks import DenseDesign, Design, RowBlock, SparseDesign
from mcmodels.rows.cross_sums import RowsWithCrossSums
from mcmodels.rows.source import ArrayRows, Rows, Sum
from mcmodels.rows.unlocked import times_triangle


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
    far : ndarray of shape (p,), default=None
        Given where products with vectors need no new rows: ``(x - centre) root γ`` is then computed
        as ``x θ - centre θ`` with ``θ = root γ``. Nothing is lost where columns are not far from
        zero; from the others, this is subtracted first: their centre, and zeros elsewhere.
    """

    def __init__(
        self, rows: Rows, centre: Array, root: Array | None = None, far: Array | None = None
    ) -> None:
        self.rows = rows
        self.centre = centre
        self.root = root
        self.far = far
        self._is_triangular = False
        if root is not None and root.shape[0] == root.shape[1] and not np.tril(root, -1).any():
            self._is_triangular, self.root = True, np.asfortranarray(root)
        self.take_extent(rows)
        if root is not None:
            self.n_features = root.shape[1]

    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Sum over all blocks of rows of positive weight."""
        return self.rows.reduce(
            lambda block: summarise(replace(block, X=self._transformed(block.X)))
        )

    def sample(self, count: int) -> Rows:
        """About ``count`` of the rows, spread evenly."""
        return TransformedRows(self.rows.sample(count), self.centre, self.root, self.far)

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
        if self.far is not None and self.root is not None:
            lazily = _WhenNeeded(X, self.centre, self.root, self.far, self._is_triangular)
            lazily.intercept = self.intercept
            return lazily
        transformed = X.centred(self.centre)
        if self.root is not None:
            transformed = _CombinedDesign(transformed, self.root, triangular=self._is_triangular)
        transformed.intercept = self.intercept
        return transformed


class RowsWithTargets(Rows):
    """The same rows with targets that are computed from each block.

    Parameters
    ----------
    rows : Rows
        The rows.
    targets : callable
        Takes a block and returns its targets.
    """

    def __init__(self, rows: Rows, targets: Callable[[RowBlock], Array]) -> None:
        self._rows, self._targets = rows, targets
        self.take_extent(rows)

    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Sum over all blocks of rows of positive weight."""
        return self._rows.reduce(lambda block: summarise(replace(block, y=self._targets(block))))

    def sample(self, count: int) -> Rows:
        """About ``count`` of the rows, spread evenly."""
        return RowsWithTargets(self._rows.sample(count), self._targets)


class RowsOfOutcomes(Rows):
    """Proportions y of w trials as rows of ones and zeros, of the weights ``wy`` and ``w(1 - y)``.

    Parameters
    ----------
    rows : Rows
        Rows whose targets are proportions, and whose weights count trials.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.take_extent(rows)

    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Sum over all blocks of rows of positive weight."""

        def both(block: RowBlock) -> Sum:
            y, weights = block.y, block.weights_or_ones
            if ((y == 0) | (y == 1)).all():
                return summarise(block)
            # An outcome that no trial has is that of the others, with weight 0.
            ones, zeros = np.where(y > 0, 1.0, 0.0), np.where(y < 1, 0.0, 1.0)
            total = summarise(replace(block, y=ones, weights=weights * y))
            rest = summarise(replace(block, y=zeros, weights=weights * (1.0 - y)))
            return operator.iadd(total, rest)

        return self._rows.reduce(both)

    def sample(self, count: int) -> Rows:
        """About ``count`` of the rows, spread evenly."""
        return RowsOfOutcomes(self._rows.sample(count))


class RowsWithoutWeights(Rows):
    """The rows of positive weight, each of which counts once.

    Parameters
    ----------
    rows : Rows
        The rows.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.take_extent(rows)
        self.total_weight = float(rows.n_present)

    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Sum over all blocks of rows of positive weight."""
        return self._rows.reduce(lambda block: summarise(replace(block, weights=None)))

    def sample(self, count: int) -> Rows:
        """About ``count`` of the rows, spread evenly."""
        return RowsWithoutWeights(self._rows.sample(count))


class RowsOfColumns(Rows):
    """The same rows with some of their features.

    Parameters
    ----------
    rows : Rows
        The rows.
    columns : sequence of int
        The features that are left, in their order.
    intercept : bool, default=None
        Whether the design rows end in a one; by default as those of ``rows``.
    """

    def __init__(
        self, rows: Rows, columns: Sequence[int], *, intercept: bool | None = None
    ) -> None:
        self._rows, self._columns = rows, list(columns)
        self.take_extent(rows)
        self.n_features = len(self._columns)
        self.intercept = rows.intercept if intercept is None else intercept

    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Sum over all blocks of rows of positive weight."""
        columns, intercept = self._columns, self.intercept

        def of_columns(block: RowBlock) -> Sum:
            X: Any = block.X.X[:, columns] if columns else np.zeros((block.X.n_rows, 0))
            kind = SparseDesign if sparse.issparse(X) else DenseDesign
            return summarise(
                replace(block, X=kind(X, intercept=intercept, scratch=block.X.scratch))
            )

        return self._rows.reduce(of_columns)

    def sample(self, count: int) -> Rows:
        """About ``count`` of the rows, spread evenly."""
        return RowsOfColumns(self._rows.sample(count), self._columns, intercept=self.intercept)


class WithoutFeatures(RowsOfColumns):
    """The same rows without their features.

    Parameters
    ----------
    rows : Rows
        The rows.
    intercept : bool, default=True
        Whether the design rows are a one; else they are empty.
    """

    def __init__(self, rows: Rows, *, intercept: bool = True) -> None:
        # Sums of the features wait for a walk that reads them.
        rows = rows.without_sums if isinstance(rows, RowsWithCrossSums) else rows
        super().__init__(rows, [], intercept=intercept)


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


class _WhenNeeded(DenseDesign):
    """Combinations of features that are formed when a product of columns needs them.

    A product with a vector costs as much as with the features themselves.
    """

    def __init__(
        self, design: Design, centre: Array, root: Array, far: Array, triangular: bool
    ) -> None:
        self._design, self._root = design, root
        self._near = design.centred(far) if far.any() else design
        self._left, self._triangular = centre - far, triangular
        self.scratch = self._near.scratch.inner

    @cached_property
    def X(self) -> Any:
        """The combinations."""
        return self._formed.X

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self._design.n_rows

    @cached_property
    def _formed(self) -> _CombinedDesign:
        centred = self._near.centred(self._left)
        return _CombinedDesign(centred, self._root, triangular=self._triangular)

    def predictor(self, params: Array, *, own: bool = True) -> Array:
        """``η`` by the features."""
        coef = combination(self._root, params[..., :-1] if self.intercept else params)
        eta = self._near._times(np.ascontiguousarray(coef.T), own)
        eta += (params[..., -1] if self.intercept else 0.0) - coef @ self._left
        return eta

    def adjoint(self, r: Array) -> Array:
        """``X̃ᵀr`` by the combinations where they are formed, else by the features."""
        if "X" in self.__dict__:
            return super().adjoint(r)
        total = np.sum(r, axis=0)
        by_feature = self._near.products(r).T - np.multiply.outer(total, self._left)
        XTr = by_feature @ self._root
        return np.concatenate([XTr, total[..., np.newaxis]], axis=-1) if self.intercept else XTr

    def magnitudes(self) -> Array:
        """Sums of the magnitudes of the terms, which may be much larger than the sums."""
        return self._with_ones(self._formed.magnitudes())


def combination(root: Array, coef: Array) -> Array:
    """Coefficients of the features from those of their combinations: always by the same sums."""
    return np.stack([root @ row for row in np.atleast_2d(coef)]).reshape(*coef.shape[:-1], -1)


def _times_triangle(design: Design, root: Array) -> Array:
    """Dense rows times an upper triangular matrix, in half the time of a general product."""
    product = design.scratch.array("combined", design.X.shape)
    np.copyto(product, design.X)
    times_triangle(product, root)
    return product
