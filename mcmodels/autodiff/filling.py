"""Arrays that are filled by index while a derivative is taken.

A :class:`FilledArray` and its views share one :class:`Cell`, as NumPy's arrays share memory. The
cell knows for each of its entries which value was written there last, so reading the array joins
these values by functions that have rules. What was read before is not changed by what is written
after.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.autodiff.arrays import TracedArray
from mcmodels.autodiff.tables import call, implements
from mcmodels.autodiff.tracing import DerivativeRule, NoRuleError, Traced, Tracer, constant

__all__ = ["FilledArray", "copied", "followed", "settled"]


class Filling(Tracer):
    """Takes the content of filled arrays before any derivative sees them."""

    def __init__(self) -> None:
        self.level = math.inf  # type: ignore[assignment]  # above every derivative

    def follow(
        self,
        rule: DerivativeRule,
        y: Any,
        args: Sequence[Any],
        values: Sequence[Any],
        kwargs: dict[str, Any],
    ) -> Any:
        """The result itself: derivatives were taken of the contents."""
        return followed(y)


_FILLING = Filling()


class Cell:
    """The entries that a filled array and its views share.

    They are kept in one of three ways: as plain numbers; as one traced value; or as pieces, where
    entry k is entry ``offset[k]`` of piece ``piece_of[k]``, and piece 0 are the plain numbers.

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
        value = joined if where.ndim == 1 else np.reshape(joined, where.shape)
        if at is None:
            self.whole, self.pieces, self.piece_of, self.offset = value, [], None, None
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
        if value.dtype.kind not in "fiub":
            raise TypeError(
                f"an array of {self.flat.dtype} numbers cannot take {value.dtype} ones."
            )
        # `numbers` refuses what does not fit before anything is changed.
        numbers = np.empty(np.shape(at), self.flat.dtype)
        numbers[...] = value
        if self.whole is not None:
            self._break()
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
        if not self.pieces:
            self._break()
        self.piece_of[at] = len(self.pieces)
        self.offset[at] = offsets
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
        self.whole = None

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


class FilledArray(TracedArray):
    """An array that is filled by index, or a view of one.

    Parameters
    ----------
    cell : Cell
        What it shares with its views.
    at : ndarray of int or None
        For a view, the positions of its entries in the cell.
    """

    __slots__ = ("at", "cell")

    def __init__(self, cell: Cell, at: npt.NDArray[np.intp] | None = None) -> None:
        self.cell = cell
        self.at = at
        self.tracer = _FILLING

    @property
    def value(self) -> Any:
        """The content: a plain array, which is not written to, or a traced one."""
        return self.cell.read(self.at)

    @property
    def positions(self) -> npt.NDArray[np.intp]:
        """The positions of its entries in the cell."""
        return self.cell.positions if self.at is None else self.at

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self.cell.shape if self.at is None else self.at.shape

    @property
    def ndim(self) -> int:
        """Number of its axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of its entries."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of its entries."""
        return self.cell.flat.dtype

    @property
    def flags(self) -> Any:
        """NumPy's flags of an array with this layout."""
        return self.positions.flags

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __getitem__(self, index: Any) -> Any:
        found = self.positions[_index(index)]
        if not isinstance(found, np.ndarray):
            return self.cell.read_one(int(found))
        if np.may_share_memory(found, self.positions):
            return FilledArray(self.cell, found)
        return copied(self.cell.read(found))

    def __setitem__(self, index: Any, value: Any) -> None:
        if not self.positions.flags.writeable:
            raise ValueError("assignment destination is read-only")
        value = settled(gathered(value))
        self.cell.write(self.positions[_index(index)], value)

    def fill(self, value: Any) -> None:
        """Set all entries to a number."""
        self[...] = value

    def flatten(self, order: Any = "C") -> Any:
        """A copy of the entries in one axis."""
        return copied(np.ravel(self, order=order))

    def astype(self, dtype: Any, **kwargs: Any) -> Any:
        """A copy, converted to another type."""
        return copied(settled(self).astype(dtype, **kwargs))

    def __pos__(self) -> Any:
        return copied(self)

    def __copy__(self) -> Any:
        return copied(self)

    def __deepcopy__(self, memo: Any) -> Any:
        return copied(self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return settled(self).__reduce_ex__(protocol)

    def __float__(self) -> float:
        return float(settled(self))

    def __int__(self) -> int:
        return int(settled(self))

    def __index__(self) -> int:
        return operator.index(settled(self))

    def __complex__(self) -> complex:
        return complex(settled(self))

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        value = settled(self)
        if isinstance(value, TracedArray):
            return value.__array__(dtype, copy)
        return np.array(value, dtype=dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "at":
            return _at(ufunc, *inputs)
        outputs = kwargs.pop("out", None)
        result = getattr(ufunc, method)(*settled(inputs), **settled(kwargs))
        if outputs is None:
            return followed(result)
        return _written(outputs if len(outputs) > 1 else outputs[0], result, kwargs)

    def __array_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: Sequence[Any],
        kwargs: dict[str, Any],
    ) -> Any:
        if func in _OWN:
            return _OWN[func](*args, **kwargs)
        if func in _VIEWS and args and isinstance(args[0], FilledArray):
            return _viewed(args[0], func(args[0].positions, *settled(args[1:]), **settled(kwargs)))
        output = kwargs.pop("out", None)
        result = func(*settled(args), **settled(kwargs))
        return followed(result) if output is None else _written(output, result, kwargs)

    def __getattr__(self, name: str) -> Any:
        value = settled(self)
        if name.startswith("__") or isinstance(value, TracedArray):
            return super().__getattr__(name)
        return getattr(value, name)


def _in_place(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def change(self: Any, other: Any) -> Any:
        result = function(self, other)
        if np.shape(result) != self.shape:
            raise ValueError(
                f"an array of shape {self.shape} cannot take the result in place; it has shape "
                f"{np.shape(result)}."
            )
        self[...] = result
        return self

    return change


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
    setattr(FilledArray, f"__i{_name}__", _in_place(getattr(operator, f"__{_name}__")))


def settled(x: Any) -> Any:
    """A value with filled arrays replaced by what they hold, also inside lists and dicts."""
    while isinstance(x, FilledArray):
        x = x.value
    if type(x) in (list, tuple):
        return type(x)(map(settled, x))
    return {key: settled(value) for key, value in x.items()} if type(x) is dict else x


def followed(x: Any) -> Any:
    """A plain result that nothing else holds as an array that can be filled."""
    if type(x) in (list, tuple):
        return type(x)(map(followed, x))
    if type(x) is not np.ndarray or x.ndim == 0 or x.dtype.kind != "f":
        return x
    own = x.flags.owndata and x.flags.writeable and x.flags.c_contiguous
    flat = (x if own else x.copy()).reshape(-1)
    return FilledArray(Cell(x.shape, flat, positions=_positions_like(x)))


def _positions_like(x: np.ndarray) -> Any:
    """Positions in C order, in the layout of an array; None if that is C order as well."""
    if x.flags.c_contiguous:
        return None
    found = np.empty_like(x, dtype=np.intp)
    found[...] = np.arange(x.size).reshape(x.shape)
    return found


def copied(x: Any, order: Any = "K") -> Any:
    """A copy that can be filled, of a plain or a traced array."""
    like = x.positions if isinstance(x, FilledArray) else constant(x)
    x = settled(x)
    if not isinstance(x, TracedArray):
        return followed(np.array(x, order=order)) if isinstance(x, np.ndarray) else x
    shape, dtype = x.shape, x.dtype
    if not shape or dtype.kind != "f":
        return np.positive(x)
    positions = _positions_like(np.array(like, order=order))
    return FilledArray(Cell(shape, np.zeros(math.prod(shape), dtype), x, positions))


def gathered(x: Any) -> Any:
    """A list that holds traced values as one array; anything else as it is."""
    if not (isinstance(x, list | tuple) and _holds_traced(x)):
        return x
    parts = [settled(gathered(part)) for part in x]
    shapes = {np.shape(part) for part in parts}
    if len(shapes) > 1:
        raise ValueError(
            f"a list of values of the shapes {sorted(shapes)} makes no array: all must be the same."
        )
    (shape,) = shapes
    dtype = np.result_type(np.float64, *{constant(part).dtype for part in parts
                                         if isinstance(part, Traced)})  # fmt: skip
    array = FilledArray(Cell((len(parts), *shape), np.zeros(len(parts) * math.prod(shape), dtype)))
    for k, part in enumerate(parts):
        array[k] = part
    return array


def _holds_traced(x: Any) -> bool:
    return any(
        isinstance(part, Traced) or (isinstance(part, list | tuple) and _holds_traced(part))
        for part in x
    )


def _index(index: Any) -> Any:
    """An index without filled arrays."""
    return settled(index)


def _viewed(array: FilledArray, found: Any) -> Any:
    """What a function of NumPy makes of an array, from what it makes of the positions."""
    if isinstance(found, list | tuple):
        return type(found)(_viewed(array, part) for part in found)
    if np.may_share_memory(found, array.positions):
        return FilledArray(array.cell, found)
    return copied(array.cell.read(np.asarray(found)))


def _written(output: Any, result: Any, kwargs: dict[str, Any]) -> Any:
    """A result that was to be written into an array, as ``out=``."""
    if kwargs.get("where", True) is not True:
        raise NoRuleError("out= together with where= has no rule; use np.where.")
    if isinstance(output, tuple):
        pairs = zip(output, result, strict=True)
        return tuple(_written(o, r, {}) if o is not None else followed(r) for o, r in pairs)
    output[...] = result
    return output


def _at(ufunc: np.ufunc, array: Any, index: Any, *values: Any) -> None:
    """``ufunc.at``: in place, and once for each time that an entry is named."""
    if not isinstance(array, FilledArray):
        return ufunc.at(array, settled(index), *settled(values))
    where = np.atleast_1d(np.arange(array.size).reshape(array.shape)[_index(index)])
    if np.unique(where).size == where.size:
        array[index] = ufunc(array[index], *values)
        return None
    content = settled(array)
    if not isinstance(content, Traced) and not _holds_traced(settled(values)):
        content = np.array(content)
        ufunc.at(content, settled(index), *settled(values))
        array[...] = content
        return None
    if ufunc not in (np.add, np.subtract):
        raise NoRuleError(
            f"numpy.{ufunc.__name__}.at has no rule where an entry is named twice; np.add.at has."
        )
    added = np.broadcast_to(settled(gathered(values[0])), where.shape)
    total = call("scatter", added, index=(where,), shape=(array.size,))
    array[...] = ufunc(content, np.reshape(total, array.shape))
    return None


def _copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    if where is True:
        dst[...] = src
    else:
        mask = np.broadcast_to(settled(where), np.shape(dst))
        dst[mask] = np.broadcast_to(settled(src), np.shape(dst))[mask]


def _fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    mask = np.zeros(np.shape(a), bool)
    np.fill_diagonal(mask, True, wrap)
    a[mask] = val


def _put(a: Any, ind: Any, v: Any, mode: Any = "raise") -> None:
    a[np.unravel_index(np.asarray(ind) % np.size(a) if mode == "wrap" else ind, np.shape(a))] = v


def _put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None = -1) -> None:
    own = np.arange(np.size(arr)).reshape(np.shape(arr))
    where = np.take_along_axis(own, indices, axis)
    arr[np.unravel_index(where, np.shape(arr))] = values


def _putmask(a: Any, mask: Any, values: Any) -> None:
    mask = np.asarray(settled(mask), bool)
    if np.shape(values) == np.shape(a):
        a[mask] = settled(values)[mask]
    elif np.size(constant(values)) == 1:
        a[mask] = values
    else:
        raise NoRuleError(
            "numpy.putmask and numpy.place with values that are repeated have no rule; write "
            "a[mask] = values."
        )


_OWN: dict[Callable[..., Any], Callable[..., Any]] = {
    np.copy: lambda a, order="K": copied(a, order),
    np.copyto: _copyto,
    np.fill_diagonal: _fill_diagonal,
    np.put: _put,
    np.put_along_axis: _put_along_axis,
    np.putmask: _putmask,
    np.place: _putmask,
}
# Functions that return views where they can.
_VIEWS = {
    np.reshape, np.ravel, np.transpose, np.permute_dims, np.matrix_transpose, np.swapaxes,
    np.linalg.matrix_transpose, np.moveaxis, np.rollaxis, np.expand_dims, np.squeeze,
    np.atleast_1d, np.atleast_2d, np.atleast_3d, np.flip, np.flipud, np.fliplr, np.rot90,
    np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit, np.diagonal, np.linalg.diagonal,
    np.broadcast_to, np.real,
}  # fmt: skip


@implements(np.copy)
def _copy(a: Any, order: Any = "K") -> Any:
    return copied(a, order)


@implements(np.zeros_like)
def _zeros_like(a: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    return followed(np.zeros_like(constant(a), dtype=dtype, shape=shape))


@implements(np.ones_like)
def _ones_like(a: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    return followed(np.ones_like(constant(a), dtype=dtype, shape=shape))


@implements(np.empty_like)
def _empty_like(prototype: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    return followed(np.empty_like(constant(prototype), dtype=dtype, shape=shape))
