"""Some rows of a stream, spread evenly over it, to be held in memory."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse

from mcmodels.arrays import Array, Matrix
from mcmodels.rows.gathering import Chunk

__all__ = ["SpreadSample"]

# Rows of a stream that are held in memory for starts and scales, and their entries.
_HELD_ROWS, _HELD_ENTRIES, _FEWEST_HELD = 2**16, 2**21, 64


class SpreadSample:
    """Some rows of positive weight, spread evenly over a stream, however it is cut into blocks.

    Every k-th row is kept; k doubles whenever too many are.

    Parameters
    ----------
    most : int
        The largest number of rows that are kept.
    """

    def __init__(self, most: int = _HELD_ROWS) -> None:
        self._most = most
        self._parts: list[Chunk] = []
        self._every, self._seen, self._kept = 1, 0, 0

    def add(
        self,
        X: Matrix,
        y: Any,
        weights: Array | None,
        extras: Mapping[str, Any] | None = None,
    ) -> None:
        """Take every k-th of these rows."""
        present = range(X.shape[0]) if weights is None else np.flatnonzero(weights)
        matrix: Any = X
        per_row = max(matrix.nnz // X.shape[0] if sparse.issparse(X) else X.shape[1], 1)
        most = max(min(self._most, _HELD_ENTRIES // per_row), _FEWEST_HELD)
        while True:
            wanted = slice(-self._seen % self._every, len(present), self._every)
            count = len(range(wanted.start, wanted.stop, wanted.step))
            if self._kept + count <= most:
                break
            self._every *= 2
            self._thin()
        self._seen += len(present)
        if count:
            at = wanted if isinstance(present, range) else present[wanted]
            self._parts.append(_copied(Chunk(X, y, weights, extras), at))
            self._kept += count

    def _thin(self) -> None:
        parts, self._parts, self._kept, before = self._parts, [], 0, 0
        for part in parts:
            start, n_rows = before % 2, part.X.shape[0]
            before += n_rows
            if start < n_rows:
                self._parts.append(_copied(part, slice(start, None, 2)))
                self._kept += self._parts[-1].X.shape[0]

    def __add__(self, other: SpreadSample) -> SpreadSample:
        """The samples of two parts of the rows as one, as evenly spread as the coarser of both."""
        coarse = SpreadSample(min(self._most + other._most, _HELD_ROWS))
        coarse._every = max(self._every, other._every)
        for sample in (self, other):
            part = copy.copy(sample)
            while part._every < coarse._every:
                part._every *= 2
                part._thin()
            coarse._parts += part._parts
            coarse._kept += part._kept
            coarse._seen += part._seen
        while coarse._kept > coarse._limit():
            coarse._every *= 2
            coarse._thin()
        return coarse

    def _limit(self) -> int:
        """The largest number of rows that are kept of rows like these."""
        blocks: list[Any] = [part.X for part in self._parts]
        entries = sum(int(X.nnz) if sparse.issparse(X) else X.size for X in blocks)
        per_row = max(entries // max(self._kept, 1), 1)
        return max(min(self._most, _HELD_ENTRIES // per_row), _FEWEST_HELD)

    def stacked(self) -> Chunk:
        """The rows that were kept."""
        blocks: list[Any] = [part.X for part in self._parts]
        if any(map(sparse.issparse, blocks)):
            stacked: Any = sparse.vstack([sparse.csr_array(X) for X in blocks]).tocsr()
        else:
            stacked = np.concatenate(blocks)
        targets: list[Any] = [part.y for part in self._parts if part.y is not None]
        parts: list[Any] = []
        weighted = any(part.weights is not None for part in self._parts)
        for X, _, w, *_ in self._parts if weighted else ():
            parts.append(np.ones(X.shape[0]) if w is None else w)
        return Chunk(
            stacked,
            np.concatenate(targets) if targets else None,
            np.concatenate(parts) if weighted else None,
            {
                name: np.concatenate([(part.extras or {})[name] for part in self._parts])
                for name in self._parts[0].extras or ()
            },
        )


def _copied(rows: Chunk, at: Any) -> Chunk:
    """A copy of some rows."""

    def copied(values: Any) -> Any:
        if values is None:
            return None
        return values[at] if sparse.issparse(values) else np.array(values[at])

    extras = {name: copied(values) for name, values in (rows.extras or {}).items()}
    return Chunk(copied(rows.X), copied(rows.y), copied(rows.weights), extras)
