"""Blocks of a stream, gathered until they are worth a pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from mcmodels.arrays import Array, Matrix
from mcmodels.rows.sizes import BLOCK_ENTRIES
from mcmodels.rows.source import ArrayRows

# Entries that are gathered: two blocks of a walk, so that two threads have work. Copying them costs
# half as much as one product with themselves, and saves the calls for each of the user's blocks.
_GATHERED_ENTRIES = 2 * BLOCK_ENTRIES
# A block with more entries is worth a pass, and is not copied.
_LARGE_ENTRIES = BLOCK_ENTRIES


class Chunk(NamedTuple):
    """Rows of one or more blocks.

    Parameters
    ----------
    X, y, weights, extras
        As :class:`ArrayRows` takes them.
    stays : bool, default=False
        Whether the values are ours, and stay the same while the next chunk is read. Those of a
        block of the user need not: readers may put the next block into the same array.
    """

    X: Matrix
    y: Any = None
    weights: Array | None = None
    extras: Mapping[str, Any] | None = None
    stays: bool = False

    def rows(self, *, intercept: bool) -> ArrayRows:
        """The rows."""
        return ArrayRows(self.X, self.y, self.weights, self.extras, intercept=intercept)


def gathered(blocks: Iterable[tuple[Any, ...]]) -> Iterator[Chunk]:
    """Blocks of the same kind together, as copies; large blocks as they are.

    A block is a :class:`Chunk`, or a tuple of its first parts.

    A chunk that stays is overwritten when the second one after it is asked for.
    """
    return Gatherer()(blocks)


class Gatherer:
    """:func:`gathered` for several walks: they copy into the same arrays, one walk after another.

    New arrays take as long as the copies of a whole walk, because the system clears their pages.
    """

    def __init__(self) -> None:
        self._chunks: list[tuple[_Gathering, _Gathering]] = []

    def __reduce__(self) -> Any:
        """A copy starts with arrays of its own."""
        return Gatherer, ()

    def __call__(self, blocks: Iterable[tuple[Any, ...]]) -> Iterator[Chunk]:
        """The chunks of one walk."""
        chunks = self._chunks.pop() if self._chunks else (_Gathering(), _Gathering())
        try:
            for block in blocks:
                part = block if isinstance(block, Chunk) else Chunk(*block)
                n_entries = _entries(part.X, part.y)
                if n_entries > _LARGE_ENTRIES:
                    if chunks[0].count:
                        yield chunks[0].taken()
                        chunks = chunks[::-1]
                    yield part
                    continue
                if not chunks[0].takes(part, n_entries):
                    yield chunks[0].taken()
                    chunks = chunks[::-1]
                chunks[0].add(part, n_entries)
            if chunks[0].count:
                yield chunks[0].taken()
                chunks = chunks[::-1]
        finally:
            chunks[0].clear()
            self._chunks = [chunks]


def _entries(X: Any, y: Any) -> int:
    """Numbers that a copy of a block holds, about."""
    n_rows, p = X.shape
    of_targets = 0 if y is None else y.size
    return of_targets + (int(X.nnz) + n_rows if sparse.issparse(X) else n_rows * max(p, 1))


def _kind(block: Chunk) -> tuple[Any, ...]:
    """What blocks must have in common to be stacked without a change of a value."""
    X, y, extras = block.X, block.y, block.extras
    small = X.dtype if X.dtype in (np.float16, np.float32) else np.dtype(np.float64)
    shape = None if y is None else y.shape[1:]
    return sparse.issparse(X), small, X.shape[1], shape, tuple(extras or ())


class _Gathering:
    """Copies of some blocks; dense rows are in one array, which is used again."""

    def __init__(self) -> None:
        self.count = 0
        self._kind: tuple[Any, ...] = ()
        self._rows: Any = np.empty((0, 0))
        self.clear()

    def clear(self) -> None:
        """Forget the blocks, and keep the array."""
        self.count = self._n_entries = 0
        self._sparse: list[Any] = []
        self._targets: list[Any] = []
        self._weights: list[Array] = []
        self._extras: dict[str, list[Any]] = {}
        self._lengths: list[int] = []

    def takes(self, block: Chunk, n_entries: int) -> bool:
        """Whether there is room for a block of so many entries, and it is like those before it."""
        if self.count == 0:
            return True
        return self._n_entries + n_entries <= _GATHERED_ENTRIES and self._kind == _kind(block)

    def add(self, block: Chunk, n_entries: int) -> None:
        """Copy a block of so many entries."""
        X: Any
        X, y, weights, extras, _ = block
        if self.count == 0:
            self._kind = _kind(block)
        stop = self.count + X.shape[0]
        if sparse.issparse(X):
            self._sparse.append(X.copy())
        else:
            if self._rows.dtype != self._kind[1] or self._rows.shape[1] != X.shape[1]:
                height = _GATHERED_ENTRIES // max(X.shape[1], 1)
                self._rows = np.empty((height, X.shape[1]), dtype=self._kind[1])
            self._rows[self.count : stop] = X
        if y is not None:
            self._targets.append(np.array(y))
        if weights is not None and not self._weights:
            self._weights = [np.ones(n) for n in self._lengths]
        if weights is not None or self._weights:
            self._weights.append(np.ones(X.shape[0]) if weights is None else np.array(weights))
        if extras:
            for name, values in extras.items():
                self._extras.setdefault(name, []).append(np.array(values))
        self._lengths.append(X.shape[0])
        self.count, self._n_entries = stop, self._n_entries + n_entries

    def taken(self) -> Chunk:
        """The blocks in one; the next ones begin anew."""
        X = sparse.vstack(self._sparse).tocsr() if self._sparse else self._rows[: self.count]
        y = np.concatenate(self._targets) if self._targets else None
        weights = np.concatenate(self._weights) if self._weights else None
        extras = {name: np.concatenate(parts) for name, parts in self._extras.items()}
        self.clear()
        return Chunk(X, y, weights, extras, stays=True)
