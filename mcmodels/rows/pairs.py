"""Rows of several classes as pairs: the own class of a row against each of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import numpy as np

from mcmodels.arrays import Array
from mcmodels.rows.blocks import DenseDesign, RowBlock, rows_between
from mcmodels.rows.sizes import BLOCK_ENTRIES
from mcmodels.rows.source import Rows, Sum
from mcmodels.rows.threads import in_place_sum

__all__ = ["PairRows"]


class PairRows(Rows):
    """Rows ``x̃ᵢ ⊗ (e_own - e_other)`` for each row and other class, without the class of reference.

    With parameters δ of shape ``((K - 1)P,)``, those of each class less those of the class of
    reference, ``η_own - η_other`` is the linear predictor of such a pair: its margin. That of the
    offsets is its offset. The K - 1 pairs of a row are consecutive; in each block y numbers the
    rows that they belong to. There is no intercept: the ones of x̃ are columns like others.

    Parameters
    ----------
    rows : Rows
        Design rows with class codes 0, …, K - 1 as targets.
    n_classes : int
        K.
    reference : int
        The class of reference.
    """

    def __init__(self, rows: Rows, n_classes: int, reference: int) -> None:
        self._rows, self._n_classes, self._reference = rows, n_classes, reference
        self.take_extent(rows)
        others = n_classes - 1
        self.n_features, self.intercept = others * rows.n_params, False
        self.n_rows, self.n_present = others * rows.n_rows, others * rows.n_present
        self.total_weight = others * rows.total_weight

    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Sum over the pairs of all rows of positive weight; those of a row are in one block."""

        def of_pairs(block: RowBlock) -> Sum:
            total: Sum | None = None
            for part in self._parts(block):
                total = in_place_sum(total, summarise(self._pairs(part)))
            return cast(Sum, total)

        return self._rows.reduce(of_pairs)

    def sample(self, count: int) -> Rows:
        """The pairs of some rows, spread evenly; about ``count``."""
        rows = self._rows.sample(max(1, count // (self._n_classes - 1)))
        return PairRows(rows, self._n_classes, self._reference)

    def _parts(self, block: RowBlock) -> Iterator[RowBlock]:
        """A block in parts, so that their pairs have no more entries than a block."""
        n, each = block.X.n_rows, (self._n_classes - 1) * max(self.n_features, 1)
        step = max(1, BLOCK_ENTRIES // each)
        for begin in range(0, max(n, 1), step):
            part = slice(begin, min(begin + step, n))
            X: Any = rows_between(block.X.X, part)
            dense = DenseDesign(
                X.toarray() if hasattr(X, "toarray") else X, intercept=block.X.intercept
            )
            yield replace(
                block,
                X=dense,
                y=block.y[part],
                weights=None if block.weights is None else block.weights[part],
                start=block.start + begin,
                extras={name: values[part] for name, values in block.extras.items()},
            )

    def _pairs(self, block: RowBlock) -> RowBlock:
        K, n, own = self._n_classes, block.X.n_rows, block.y
        x = block.X.dense()
        x = np.column_stack([x, np.ones(n)]) if block.X.intercept else x
        other = np.arange(K - 1) + (np.arange(K - 1) >= own[:, np.newaxis])
        D = np.zeros((n, K - 1, K - 1, x.shape[1]))
        (index,) = np.nonzero(own != self._reference)
        D[index, :, self._position(own[index])] = x[index, np.newaxis]
        index, pair = np.nonzero(other != self._reference)
        D[index, pair, self._position(other[index, pair])] = -x[index]
        extras: dict[str, Array] = {}
        if "offset" in block.extras:
            offset, row = block.extras["offset"], np.arange(n)[:, np.newaxis]
            extras["offset"] = (offset[row, own[:, np.newaxis]] - offset[row, other]).ravel()
        return RowBlock(
            DenseDesign(D.reshape(n * (K - 1), self.n_features), intercept=False),
            np.repeat(np.arange(n), K - 1),
            None if block.weights is None else np.repeat(block.weights, K - 1),
            (K - 1) * block.start,
            extras,
        )

    def _position(self, classes: Any) -> Any:
        """Where classes are among those that are not that of reference."""
        return classes - (classes > self._reference)
