"""Rows that need not fit in memory: blocks that a fit can read as often as it needs."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from mcmodels.rows.blocks import RowBlock
from mcmodels.rows.source import ArrayRows, Rows, Sum
from mcmodels.rows.streamed import Seen

Walk = Callable[[], Iterator[tuple[Any, ...]]]


class RowStream:
    """Training rows in blocks that can be read any number of times, one block in memory at a time.

    Give it to ``fit`` in place of X, without y.

    Parameters
    ----------
    blocks : callable or iterable
        A function without arguments that returns an iterator over the blocks, or an iterable that
        can be iterated more than once. A block is ``X``, ``(X, y)`` or ``(X, y, sample_weight)``,
        each as ``fit`` would take it. Every walk must give the same rows in the same order.

    Raises
    ------
    TypeError
        For an iterator (a generator, an open reader), which can be walked only once.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression, RowStream
    >>> def blocks():
    ...     for start in range(0, 6, 2):
    ...         X = np.arange(start, start + 2.0).reshape(2, 1)
    ...         yield X, 3 * X[:, 0] + 1
    >>> LinearRegression().fit(RowStream(blocks)).params_.round(12)
    array([3., 1.])
    """

    def __init__(self, blocks: Callable[[], Iterable[Any]] | Iterable[Any]) -> None:
        if not callable(blocks) and (
            isinstance(blocks, Iterator) or not isinstance(blocks, Iterable)
        ):
            raise TypeError(
                f"blocks is a {type(blocks).__name__}, which can be walked only once; pass a "
                "function that returns a new iterator each time it is called."
            )
        self.blocks = blocks

    def __iter__(self) -> Iterator[tuple[Any, Any, Any]]:
        """Iterate over the blocks as (X, y, sample_weight); a missing part is None."""
        for block in self.blocks() if callable(self.blocks) else self.blocks:
            parts = block if isinstance(block, tuple) else (block,)
            if not 1 <= len(parts) <= 3:
                raise ValueError(
                    f"a block of the stream has {len(parts)} parts; it must be X, (X, y) or "
                    "(X, y, sample_weight)."
                )
            X, y, weights = (*parts, None, None)[:3]
            yield X, y, weights


class StreamRows(Rows):
    """Rows of a stream of blocks.

    Parameters
    ----------
    walk : callable
        Starts a walk over ``(X, y, weights)`` or ``(X, y, weights, extras)``, each as
        :class:`ArrayRows` takes it.
    seen : Seen
        The sum over the blocks of one walk.
    dtype : dtype
        float32 when every block was, else float64.
    """

    walks_are_costly = True

    def __init__(self, walk: Walk, seen: Seen, dtype: np.dtype[Any]) -> None:
        self._walk = walk
        self.n_rows, self.n_features = seen.n_rows, seen.n_features
        self.n_present, self.total_weight = seen.n_present, seen.total_weight
        self.epsilon, self.dtype = seen.epsilon, dtype
        self.intercept = seen.intercept

    def reduce(self, summarise: Callable[[RowBlock], Sum]) -> Sum:
        """Sum over all blocks of rows of positive weight."""
        total: Sum | None = None
        n_rows = 0
        for parts in self._walk():
            rows = ArrayRows(*parts, intercept=self.intercept)
            n_rows += rows.n_rows
            if rows.n_present:
                part = rows.reduce(summarise)
                total = part if total is None else operator.iadd(total, part)
        if n_rows != self.n_rows or total is None:
            raise ValueError(
                f"the stream gave {n_rows} rows in this walk, and {self.n_rows} in the first; "
                "every walk must give the same rows. Pass a function that starts from the first."
            )
        return total

    def reweighted(self, total_weight: float) -> StreamRows:
        """The same rows, for a walk that gives other weights, with this sum."""
        seen = replace(Seen.of(self), total_weight=total_weight)
        return StreamRows(self._walk, seen, self.dtype)

    def sample(self, count: int) -> Rows:
        """The first rows of the first block that has any."""
        for parts in self._walk():
            rows = ArrayRows(*parts, intercept=self.intercept)
            if rows.n_present:
                return rows.sample(count)
        return self
