"""The memory of arrays that are filled by index while a derivative is taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.autodiff.tracing import Traced

__all__ = ["Cell"]


class Cell:
    """The entries that a filled array and its views share.

    They are kept in one of three ways: as plain numbers; as one traced value; or as pieces, where
    entry k is entry ``offset[k]`` of piece ``piece_of[k]``, and piece 0 are the plain numbers. Of
    pieces ``whole`` keeps the value that they were joined to, until the next writing.

    Parameters
    ----------
    shape : tuple of int
        The shape of the whole array.
    flat : ndarray of shape (size,)
        The numbers, in C order. The cell writes into it.
    whole : Traced or None, default=None
        The one traced value.
    positions : ndarray of int or None, default=None
        The position of each entry in C order. Its layout in memory is that of the array, and
        decides where NumPy returns views; None stands for C order.
    """

    __slots__ = ("_positions", "flat", "lent", "offset", "order", "piece_of", "pieces", "shape",
                 "whole")  # fmt: skip

    def __init__(
        self, shape: tuple[int, ...], flat: np.ndarray, whole: Any = None, positions: Any = None
    ) -> None:
        self.shape = shape
        self.flat = flat
        self.whole = whole
        self.lent = False
        self.pieces: list[Any] = []
        self.piece_of: Any = None
        self.offset: Any = None
        self._positions = positions

    @property
    def positions(self) -> npt.NDArray[np.intp]:
        """The position in C order of each entry."""
        if self._positions is None:
            self._positions = np.arange(self.flat.size).reshape(self.shape)
        return self._positions

    def read(self, at: npt.NDArray[np.intp] | None) -> Any:
        """The entries at positions, in their shape; all entries for None."""
        if at is None and self.whole is not None:
            return self.whole
        if at is not None and at.ndim == 0:
            return self.read_one(int(at))
        if self.whole is None and not self.pieces:
            return self._plain(at)
        self._break()
        where = self.positions if at is None else at
        pieces, offsets = self.piece_of[where], self.offset[where]
        used = np.unique(pieces)
        if not used.any():
            return self._plain(at)
        plain = pieces == 0
        parts = [_vector(self.pieces[k]) for k in used if k]
        if used[0] == 0:
            parts.insert(0, self.flat[where[plain]])
            offsets[plain] = np.arange(np.count_nonzero(plain))
        starts = np.zeros(len(self.pieces), dtype=np.intp)
        starts[used] = np.cumsum([0, *(np.shape(part)[0] for part in parts[:-1])])
        index = (starts[pieces] + offsets).ravel()
        joined = parts[0] if len(parts) == 1 else np.concatenate(parts)
        if not (index.size == joined.size and np.array_equal(index, np.arange(index.size))):
            joined = joined[index]
        if len(parts) > 2:  # the next reading joins what was joined here
            traced = ~plain
            self.piece_of[where[traced]] = len(self.pieces)
            self.offset[where[traced]] = np.arange(where.size).reshape(where.shape)[traced]
            self.pieces.append(joined)
        value = joined if where.ndim == 1 else np.reshape(joined, where.shape)
        if at is None:
            self.whole = value
        return value

    def read_one(self, at: int) -> Any:
        """The entry at one position."""
        if self.whole is None and not self.pieces:
            return self.flat[at]
        self._break()
        k = self.piece_of[at]
        if k == 0:
            return self.flat[at]
        piece = self.pieces[k]
        return piece if piece.ndim == 0 else piece[int(self.offset[at])]

    def write(self, at: Any, value: Any) -> None:
        """Set the entries at a position, or at an array of them, to a value that broadcasts."""
        if isinstance(value, Traced):
            self._write_traced(at, value)
            return
        value = np.asarray(value)
        if value.dtype.kind not in ("fiubc" if self.flat.dtype.kind == "c" else "fiub"):
            raise TypeError(
                f"an array of {self.flat.dtype} numbers cannot take {value.dtype} ones."
            )
        # `numbers` refuses what does not fit before anything is changed.
        numbers = np.empty(np.shape(at), self.flat.dtype)
        numbers[...] = value
        if self.whole is not None:
            self._break()
            self.whole = None
        if self.lent:
            self.flat, self.lent = self.flat.copy(), False
        self.flat[at] = numbers
        if self.pieces:
            self.piece_of[at] = 0

    def _write_traced(self, at: Any, value: Any) -> None:
        if value.dtype != self.flat.dtype:
            value = value.astype(self.flat.dtype)
        shape = np.shape(at)
        extra = value.ndim - len(shape)
        if extra > 0 and value.shape[:extra] == (1,) * extra:  # as NumPy's assignment does
            value = np.reshape(value, value.shape[extra:])
        offsets = np.broadcast_to(np.arange(value.size).reshape(value.shape), shape)
        self._break()
        self.whole = None
        self.piece_of[at] = len(self.pieces)
        self.offset[at] = offsets
        if value.ndim == 1:
            value = value.snapshot()  # it may be changed in place after that
        self.pieces.append(value if value.ndim < 2 else np.ravel(value))
        if len(self.pieces) > 2 * self.flat.size + 64:
            self._forget()

    def _break(self) -> None:
        """Go over to pieces."""
        if self.pieces:
            return
        size = self.flat.size
        self.offset = np.arange(size)
        self.piece_of = np.full(size, 0 if self.whole is None else 1)
        self.pieces = [None] if self.whole is None else [None, _vector(self.whole)]

    def _forget(self) -> None:
        """Drop the pieces that are written over."""
        used, renumbered = np.unique(np.append(0, self.piece_of), return_inverse=True)
        self.pieces = [self.pieces[k] for k in used]
        self.piece_of = renumbered[1:]

    def _plain(self, at: Any) -> Any:
        if at is not None:
            return self.flat[at]
        self.lent = True
        lent = self.flat.reshape(self.shape)
        lent.flags.writeable = False
        return lent


def _vector(value: Any) -> Any:
    return value if value.ndim == 1 else np.reshape(value, (-1,))
