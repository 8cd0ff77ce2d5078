"""Some of the rows, or all rows without one of their columns."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, Self, cast

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mcmodels.rows.blocks import DenseDesign, Design, RowBlock, SparseDesign
from mcmodels.rows.source import Rows, Sum

__all__ = ["SelectedRows", "WithoutColumn"]


class SelectedRows(Rows):
    """The rows of which a condition holds; it is asked again in each walk.

    Parameters
    ----------
    rows : Rows
        The rows.
    selects : callable
        Takes a block; returns whether each of its rows is taken, shape (n_rows,).
    """

    def __init__(self, rows: Rows, selects: Callable[[RowBlock], npt.NDArray[np.bool_]]) -> None:
        self._rows, self._selects = rows, selects
        self.take_extent(rows)

        def count(block: RowBlock) -> npt.NDArray[np.float64]:
            taken = selects(block)
            return np.array([np.count_nonzero(taken), block.weights_or_ones[taken].sum()])

        present, self.total_weight = rows.reduce(count).tolist()
        self.n_present = self.n_rows = int(present)

    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Sum over the selected rows of all blocks; there must be some."""

        def of_selected(block: RowBlock) -> _Perhaps[Sum]:
            taken = self._selects(block)
            if taken.all():
                return _Perhaps(summarise(block))
            return _Perhaps(summarise(_part_of(block, taken)) if taken.any() else None)

        return cast(Sum, self._rows.reduce(of_selected).value)

    def sample(self, count: int) -> Rows:
        """About ``count`` of the rows, spread evenly; all rows if few of a sample are selected."""
        share = self.n_present / max(self._rows.n_present, 1)
        sampled = SelectedRows(self._rows.sample(int(count / max(share, 1e-9))), self._selects)
        return sampled if 2 * sampled.n_present > min(count, self.n_present) else self


class WithoutColumn(Rows):
    """The same rows without one column of the design, whose parameter is held at a value.

    Parameters
    ----------
    rows : Rows
        The rows.
    position : int
        The column; that of the intercept is the number of features.
    value : float, default=0.0
        The value, of one output: so many times the column is added to the offset.
    """

    def __init__(self, rows: Rows, position: int, value: float = 0.0) -> None:
        self._rows, self._position, self._value = rows, position, value
        self.take_extent(rows)
        if position == rows.n_features:
            self.intercept = False
        else:
            self.n_features -= 1

    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Sum over all blocks of rows of positive weight."""
        return self._rows.reduce(lambda block: summarise(self._without(block)))

    def sample(self, count: int) -> Rows:
        """About ``count`` of the rows, spread evenly."""
        return WithoutColumn(self._rows.sample(count), self._position, self._value)

    def _without(self, block: RowBlock) -> RowBlock:
        extras, kept = dict(block.extras), block.X.X
        if self._value != 0:
            unit = np.eye(1, kept.shape[1] + block.X.intercept, self._position)[0]
            held = self._value * block.X.predictor(unit)
            extras["offset"] = extras["offset"] + held if "offset" in extras else held
        if self._position < kept.shape[1]:
            kept = kept[:, np.delete(np.arange(kept.shape[1]), self._position)]
        return replace(block, X=_design(kept, block.X, self.intercept), extras=extras)


@dataclass
class _Perhaps(Generic[Sum]):
    """A sum, or None for that of no rows; ``+=`` adds in place."""

    value: Sum | None

    def __iadd__(self, other: _Perhaps[Sum]) -> Self:
        if other.value is not None:
            both = self.value is not None
            self.value = operator.iadd(self.value, other.value) if both else other.value
        return self


def _part_of(block: RowBlock, taken: npt.NDArray[np.bool_]) -> RowBlock:
    return replace(
        block,
        X=_design(block.X.X[taken], block.X, block.X.intercept),
        y=None if block.y is None else block.y[taken],
        weights=None if block.weights is None else block.weights[taken],
        extras={name: values[taken] for name, values in block.extras.items()},
    )


def _design(X: Any, like: Design, intercept: bool) -> Design:
    kind = SparseDesign if sparse.issparse(X) else DenseDesign
    return kind(X, intercept=intercept, scratch=like.scratch)
