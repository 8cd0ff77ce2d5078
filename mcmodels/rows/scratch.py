"""Work arrays that a walk over blocks uses again for each block.

A new array of the size of a block costs more time than the sums that are taken from it, because
the system clears each new page. So a walk keeps one array of each kind, and each block overwrites
it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array


class Scratch:
    """Named work arrays; what one holds is valid until the same name is asked for again."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[str, str], Any] = {}
        self._inner: Scratch | None = None

    @property
    def inner(self) -> Scratch:
        """Other arrays, for results that are computed from these and must not overwrite them."""
        if self._inner is None:
            self._inner = Scratch()
        return self._inner

    def array(
        self,
        name: str,
        shape: tuple[int, int],
        *,
        by_column: bool = False,
        dtype: npt.DTypeLike = np.float64,
    ) -> Any:
        """An uninitialised array: C-ordered, or F-ordered when ``by_column``."""
        rows, columns = shape
        size = rows * columns
        key = name, np.dtype(dtype).char
        held = self._arrays.get(key)
        if held is None or held.size < size:
            held = self._arrays[key] = np.empty(size, dtype=dtype)
        if by_column:
            return held[:size].reshape(columns, rows).T
        return held[:size].reshape(rows, columns)

    def vectors(self, name: str, count: int, size: int) -> list[Array]:
        """A number of uninitialised vectors."""
        return list(self.array(name, (count, size)))
