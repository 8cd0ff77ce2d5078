"""Arrays that a walk over blocks uses again and again.

A new array of a block's size costs more than the sums that are taken from it: the system hands it
out page by page, each zeroed. So a walk has one of each kind, and every block overwrites it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array


class Scratch:
    """Named arrays, each valid until it is asked for again."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[str, str], Any] = {}
        self._inner: Scratch | None = None

    @property
    def inner(self) -> Scratch:
        """Arrays for what is made from these arrays, so that it never overwrites them."""
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
        """An array of undefined content: C-ordered, or F-ordered when ``by_column``."""
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
        """So many vectors of undefined content."""
        return list(self.array(name, (count, size)))
