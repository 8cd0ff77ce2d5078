"""Arrays of numbers as flat lists, with NumPy's meaning of operators, indices and reductions."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

from mcmodels.plain.indexing import selected
from mcmodels.plain.numbers import ORDER, TYPES, Kind, divided, joint, kind_of, raised, times
from mcmodels.plain.reductions import extreme, place
from mcmodels.plain.shapes import Shape, as_shape, joint_shape, nested, places_of, steps_of

__all__ = ["made", "ndarray"]


def _comparison(compare: Callable[[Any, Any], Any]) -> Callable[[ndarray, Any], Any]:
    def compared(self: ndarray, other: Any) -> Any:
        return self._with(other, compare, "b")

    return compared


def _floor_division(a: Any, b: Any) -> Any:
    return a // b if b else math.nan


class ndarray:
    """An array: its entries row by row, and its shape.

    Parameters
    ----------
    entries : list of numbers
    shape : tuple of int
    kind : {"b", "i", "f", "c", "O"}, optional
        Of the entries; None looks at them.
    """

    __slots__ = ("entries", "kind", "shape")
    __array_priority__ = 1000
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, entries: list[Any], shape: Shape, kind: str | None = None) -> None:
        self.entries = entries
        self.shape = shape
        self.kind = joint(*{kind_of(entry) for entry in entries}) if kind is None else kind

    def __class_getitem__(cls, _: Any) -> Any:
        return cls

    # -- what it is ---------------------------------------------------------------------------

    @property
    def dtype(self) -> Kind:
        """The kind of the entries."""
        return Kind(TYPES[self.kind])

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of entries."""
        return len(self.entries)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __repr__(self) -> str:
        return f"array({self.tolist()})"

    def __str__(self) -> str:
        return str(self.tolist())

    def __format__(self, how: str) -> str:
        return format(self.item() if self.size == 1 else str(self), how)

    def item(self) -> Any:
        """The only entry."""
        (entry,) = self.entries
        return entry

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        return operator.index(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def tolist(self) -> Any:
        """Nested lists."""
        return nested(self.entries, self.shape)

    @property
    def flat(self) -> list[Any]:
        """The entries, which may be set."""
        return self.entries

    # -- other forms --------------------------------------------------------------------------

    @property
    def T(self) -> ndarray:
        """The transpose."""
        if len(self.shape) < 2:
            return self
        if len(self.shape) == 2:
            rows, cols = self.shape
            moved = [self.entries[i * cols + j] for j in range(cols) for i in range(rows)]
            return ndarray(moved, (cols, rows), self.kind)
        return self.transpose(*range(self.ndim)[::-1])

    def transpose(self, *axes: Any) -> ndarray:
        """With the axes in another order."""
        if len(axes) == 1 and isinstance(axes[0], tuple | list):
            axes = tuple(axes[0])
        axes = axes or tuple(range(self.ndim)[::-1])
        steps = steps_of(self.shape)
        shape = tuple(self.shape[axis] for axis in axes)
        places = places_of(shape, [steps[axis] for axis in axes])
        return ndarray([self.entries[k] for k in places], shape, self.kind)

    def swapaxes(self, one: int, other: int) -> ndarray:
        """With two axes exchanged."""
        order = list(range(self.ndim))
        order[one], order[other] = order[other], order[one]
        return self.transpose(*order)

    def reshape(self, *shape: Any, order: str = "C") -> ndarray:
        """The same entries in another shape."""
        if order == "F":
            return self.T.reshape(*as_shape(shape)[::-1]).T
        wanted = list(as_shape(shape))
        if -1 in wanted:
            at = wanted.index(-1)
            wanted[at] = 1
            wanted[at] = self.size // (math.prod(wanted) or 1)
        if math.prod(wanted) != self.size:
            raise ValueError(f"cannot reshape {self.shape} into {tuple(wanted)}")
        return ndarray(list(self.entries), tuple(wanted), self.kind)

    def ravel(self, order: str = "C") -> ndarray:
        """All entries in one row."""
        entries = self.T.entries if order == "F" else self.entries
        return ndarray(list(entries), (self.size,), self.kind)

    flatten = ravel

    def copy(self, order: str = "C") -> ndarray:
        """The same entries in a list of their own."""
        return ndarray(list(self.entries), self.shape, self.kind)

    def astype(self, made: Any, copy: bool = True) -> ndarray:
        """The entries as numbers of another kind."""
        wanted = Kind(made).kind
        if wanted == self.kind and not copy:
            return self
        if wanted == "f" and self.kind == "c":
            return ndarray([entry.real for entry in self.entries], self.shape, "f")
        convert = TYPES[wanted] if wanted != "O" else (lambda entry: entry)
        return ndarray([convert(entry) for entry in self.entries], self.shape, wanted)

    @property
    def real(self) -> ndarray:
        """The real parts."""
        if self.kind != "c":
            return self
        return ndarray([complex(entry).real for entry in self.entries], self.shape, "f")

    @property
    def imag(self) -> ndarray:
        """The imaginary parts."""
        return ndarray([complex(entry).imag for entry in self.entries], self.shape, "f")

    # -- indices ------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        places, shape = selected(self.shape, index)
        if shape is None:
            return self.entries[places[0]]
        return ndarray([self.entries[k] for k in places], shape, self.kind)

    def __setitem__(self, index: Any, value: Any) -> None:
        places, shape = selected(self.shape, index)
        if isinstance(value, list | tuple):
            value = made(value)
        if isinstance(value, ndarray):
            full = value.spread(shape or ()).entries
            kind = value.kind
        else:
            full, kind = [value] * len(places), kind_of(value)
        convert = TYPES[self.kind] if ORDER.index(kind) < ORDER.index(self.kind) else None
        for k, entry in zip(places, full, strict=True):
            self.entries[k] = convert(entry) if convert and self.kind != "O" else entry

    # -- operators ----------------------------------------------------------------------------

    def spread(self, shape: Shape) -> ndarray:
        """Repeated to a larger shape."""
        if self.shape == shape:
            return self
        steps = [0] * (len(shape) - self.ndim) + steps_of(self.shape)
        lengths = (1,) * (len(shape) - self.ndim) + self.shape
        if len(lengths) > len(shape) or any(
            length not in (1, wanted) for length, wanted in zip(lengths, shape, strict=True)
        ):
            raise ValueError(f"operands could not be broadcast: {self.shape} to {shape}")
        moved = [0 if length == 1 else step for length, step in zip(lengths, steps, strict=True)]
        return ndarray([self.entries[k] for k in places_of(shape, moved)], shape, self.kind)

    def _with(
        self,
        other: Any,
        work: Callable[[Any, Any], Any],
        kind: str | None = None,
        turned: bool = False,
    ) -> Any:
        """An operation entry by entry."""
        if not isinstance(other, ndarray):
            if isinstance(other, list | tuple):
                other = made(other)
            elif isinstance(other, int | float | complex):
                found = joint(self.kind, kind_of(other)) if kind is None else kind
                if turned:
                    return ndarray([work(other, a) for a in self.entries], self.shape, found)
                return ndarray([work(a, other) for a in self.entries], self.shape, found)
            elif hasattr(other, "__float__") and not hasattr(other, "used"):
                other = ndarray([other], ())
            else:
                return NotImplemented
        a, b = (other, self) if turned else (self, other)
        if a.shape != b.shape:
            shape = joint_shape(a.shape, b.shape)
            a, b = a.spread(shape), b.spread(shape)
        found = joint(a.kind, b.kind) if kind is None else kind
        return ndarray(list(map(work, a.entries, b.entries)), a.shape, found)

    def __add__(self, other: Any) -> Any:
        return self._with(other, operator.add)

    def __radd__(self, other: Any) -> Any:
        return self._with(other, operator.add, turned=True)

    def __sub__(self, other: Any) -> Any:
        return self._with(other, operator.sub)

    def __rsub__(self, other: Any) -> Any:
        return self._with(other, operator.sub, turned=True)

    def __mul__(self, other: Any) -> Any:
        return self._with(other, times if self._is_mixed(other) else operator.mul)

    def __rmul__(self, other: Any) -> Any:
        work = times if self._is_mixed(other) else operator.mul
        return self._with(other, work, turned=True)

    def _is_mixed(self, other: Any) -> bool:
        kind = other.kind if isinstance(other, ndarray) else kind_of(other)
        return (self.kind == "c") != (kind == "c")

    def __truediv__(self, other: Any) -> Any:
        return self._quotient(other, turned=False)

    def __rtruediv__(self, other: Any) -> Any:
        return self._quotient(other, turned=True)

    def _quotient(self, other: Any, turned: bool) -> Any:
        kind = other.kind if isinstance(other, ndarray) else kind_of(other)
        return self._with(other, divided, joint(self.kind, kind, "f"), turned)

    def __floordiv__(self, other: Any) -> Any:
        return self._with(other, _floor_division)

    def __mod__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a % b if b else math.nan)

    def __pow__(self, other: Any) -> Any:
        if type(other) is int and other == 2:
            return ndarray([a * a for a in self.entries], self.shape, self.kind)
        return self._with(other, raised)

    def __rpow__(self, other: Any) -> Any:
        return self._with(other, raised, turned=True)

    def __neg__(self) -> ndarray:
        return ndarray([-entry for entry in self.entries], self.shape, self.kind)

    def __pos__(self) -> ndarray:
        return self.copy()

    def __abs__(self) -> ndarray:
        kind = "f" if self.kind == "c" else self.kind
        return ndarray([abs(entry) for entry in self.entries], self.shape, kind)

    def __invert__(self) -> ndarray:
        if self.kind == "b":
            return ndarray([not entry for entry in self.entries], self.shape, "b")
        return ndarray([~entry for entry in self.entries], self.shape, self.kind)

    def __and__(self, other: Any) -> Any:
        return self._with(other, operator.and_)

    def __or__(self, other: Any) -> Any:
        return self._with(other, operator.or_)

    __rand__, __ror__ = __and__, __or__
    __lt__ = _comparison(operator.lt)
    __le__ = _comparison(operator.le)
    __gt__ = _comparison(operator.gt)
    __ge__ = _comparison(operator.ge)
    __eq__ = _comparison(operator.eq)
    __ne__ = _comparison(operator.ne)

    def __matmul__(self, other: Any) -> Any:
        other = made(other)
        if not (self.ndim and other.ndim):
            raise ValueError("a matrix product takes arrays, not numbers")
        if self.ndim > 2 or other.ndim > 2:
            return self._products(other)
        A = self if self.ndim == 2 else self.reshape(1, -1)
        B = other if other.ndim == 2 else other.reshape(-1, 1)
        (rows, n), (m, cols) = A.shape, B.shape
        if n != m:
            raise ValueError(f"matmul: {self.shape} does not fit {other.shape}")
        lines = [A.entries[i * n : (i + 1) * n] for i in range(rows)]
        columns = [B.entries[j::cols] for j in range(cols)]
        work = times if (A.kind == "c") != (B.kind == "c") else operator.mul
        found = [sum(map(work, line, column)) for line in lines for column in columns]
        kind = joint(A.kind, B.kind)
        if kind != "c" and self.ndim == other.ndim == 1:
            return found[0]
        shape = (rows,) * (self.ndim == 2) + (cols,) * (other.ndim == 2)
        return ndarray(found, shape, kind) if shape else found[0]

    def _products(self, other: ndarray) -> ndarray:
        """Of stacks of matrices, one by one."""
        above = joint_shape(self.shape[:-2], other.shape[:-2])
        A = self.spread(above + self.shape[-2:])
        B = other.spread(above + other.shape[-2:])
        A, B = (X.reshape(-1, *X.shape[-2:]) for X in (A, B))
        found = [a @ b for a, b in zip(A, B, strict=True)]
        entries = [entry for each in found for entry in each.entries]
        return ndarray(entries, (*above, A.shape[-2], B.shape[-1]))

    def __rmatmul__(self, other: Any) -> Any:
        return made(other) @ self

    # -- reductions ---------------------------------------------------------------------------

    def _reduced(
        self, work: Callable[[list[Any]], Any], axis: Any, keepdims: bool, kind: str | None
    ) -> Any:
        axes = range(self.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        gone = {a % self.ndim for a in axes} if self.ndim else set()
        if axis is None and not keepdims:
            return work(self.entries)
        steps = steps_of(self.shape)
        left = [i for i in range(self.ndim) if i not in gone]
        inner = places_of(
            tuple(self.shape[i] for i in sorted(gone)), [steps[i] for i in sorted(gone)]
        )
        outer = places_of(tuple(self.shape[i] for i in left), [steps[i] for i in left])
        found = [work([self.entries[k + offset] for offset in inner]) for k in outer]
        shape = tuple(
            1 if i in gone else length
            for i, length in enumerate(self.shape)
            if keepdims or i not in gone
        )
        return ndarray(found, shape, kind)

    def sum(self, axis: Any = None, keepdims: bool = False, initial: Any = 0) -> Any:
        """The sum of entries."""
        return self._reduced(lambda line: sum(line, initial), axis, keepdims, None)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The mean of entries."""
        return self._reduced(lambda line: divided(sum(line), len(line)), axis, keepdims, None)

    def prod(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The product of entries."""
        return self._reduced(lambda line: reduce(operator.mul, line, 1), axis, keepdims, None)

    def max(self, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
        """The largest entry; NaN where there is one."""
        return self._reduced(lambda line: extreme(max, line, initial), axis, keepdims, self.kind)

    def min(self, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
        """The smallest entry; NaN where there is one."""
        return self._reduced(lambda line: extreme(min, line, initial), axis, keepdims, self.kind)

    def any(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Whether an entry is not 0."""
        return self._reduced(lambda line: any(line), axis, keepdims, "b")

    def all(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Whether no entry is 0."""
        return self._reduced(lambda line: all(line), axis, keepdims, "b")

    def argmax(self, axis: Any = None) -> Any:
        """The place of the largest entry."""
        return self._reduced(lambda line: place(max, line), axis, False, "i")

    def argmin(self, axis: Any = None) -> Any:
        """The place of the smallest entry."""
        return self._reduced(lambda line: place(min, line), axis, False, "i")


def made(value: Any, kind: str | None = None) -> ndarray:
    """An array from a number, nested sequences or an array; it may be the same one."""
    if isinstance(value, ndarray):
        return value if kind in (None, value.kind) else value.astype(TYPES[kind])
    entries: list[Any] = []
    shape = _collected(value, entries)
    found = ndarray(entries, shape, kind if not entries else None)
    if any(entry is None or isinstance(entry, str) for entry in entries):
        found.kind = "O"
    return found if kind in (None, found.kind) else found.astype(TYPES[kind])


def _collected(value: Any, entries: list[Any]) -> Shape:
    if isinstance(value, ndarray):
        entries += value.entries
        return value.shape
    if isinstance(value, list | tuple | range):
        shapes = {_collected(part, entries) for part in value}
        if len(shapes) > 1:
            raise ValueError("the rows have different lengths")
        return (len(value), *(shapes.pop() if shapes else ()))
    entries.append(value)
    return ()
