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
from mcmodels.autodiff.cells import Cell
from mcmodels.autodiff.tracing import (
    DerivativeRule,
    NoRuleError,
    Traced,
    Tracer,
    constant,
    stack_objects,
)

__all__ = [
    "WRITERS",
    "FilledArray",
    "as_array",
    "copied",
    "followed",
    "gathered",
    "holds_traced",
    "settled",
]

# Functions of NumPy that write to an array, with what is called of a filled one.
WRITERS: dict[Callable[..., Any] | str, Callable[..., Any]] = {}


class Filling(Tracer):
    """Takes the content of filled arrays before any derivative sees them."""

    def __init__(self) -> None:
        self.level = math.inf  # type: ignore[assignment]  # above every derivative

    def follow(
        self,
        rule: DerivativeRule,
        y: Any,
        args: Sequence[Any],
        values: list[Any],
        kwargs: dict[str, Any],
    ) -> Any:
        """The result itself: derivatives were taken of the contents."""
        return followed(y)


_FILLING = Filling()


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
        self.origin = None
        self.held = False

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
        found = self.positions[settled(index)]
        if not isinstance(found, np.ndarray):
            return self.cell.read_one(int(found))
        if np.may_share_memory(found, self.positions):
            return FilledArray(self.cell, found)
        return copied(self.cell.read(found))

    def __setitem__(self, index: Any, value: Any) -> None:
        if not self.positions.flags.writeable:
            raise ValueError("assignment destination is read-only")
        value = settled(gathered(value))
        self.cell.write(self.positions[settled(index)], value)

    def fill(self, value: Any) -> None:
        """Set all entries to a number."""
        self[...] = value

    def sort(self, axis: int = -1) -> None:
        """Sort the entries in place."""
        self[...] = np.sort(self, axis=axis)

    def partition(self, kth: Any, axis: int = -1, kind: Any = "introselect") -> None:
        """Part the entries in place: those before and after the kth in order."""
        self[...] = np.partition(self, kth, axis=axis, kind=kind)

    @property
    def real(self) -> Any:
        """The real parts, which can be assigned to as a whole."""
        return np.real(self)

    @real.setter
    def real(self, values: Any) -> None:
        self[...] = np.broadcast_to(settled(gathered(values)), self.shape) + (
            1j * np.imag(self) if self.dtype.kind == "c" else 0.0
        )

    @property
    def imag(self) -> Any:
        """The imaginary parts, which can be assigned to as a whole."""
        return np.imag(self)

    @imag.setter
    def imag(self, values: Any) -> None:
        self[...] = np.real(self) + 1j * np.broadcast_to(settled(gathered(values)), self.shape)

    @property
    def flat(self) -> Any:
        """The entries in one axis, to be iterated over or assigned to."""
        return FilledArray(self.cell, self.positions.ravel())

    @flat.setter
    def flat(self, values: Any) -> None:
        self.flat[...] = values

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
            return WRITERS["at"](ufunc, *inputs)
        outputs = kwargs.pop("out", None)
        mask = kwargs.get("where", True)
        if mask is not True and method == "__call__" and outputs is not None:
            return _written_where(ufunc, inputs, outputs, mask)
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
        if func in WRITERS:
            return WRITERS[func](*args, **kwargs)
        if func in _OF_EACH and len(args) > 1:
            return tuple(func(x) for x in args)
        if func is np.imag or (func is np.real and args and args[0].dtype.kind == "c"):
            part = func(settled(args[0]))
            if isinstance(part, np.ndarray):  # no view: what is written to it would be lost
                part.flags.writeable = False
            return part
        if func in _VIEWS and args and isinstance(args[0], FilledArray):
            return _viewed(args[0], func(args[0].positions, *settled(args[1:]), **settled(kwargs)))
        output = kwargs.pop("out", None)
        result = func(*settled(args), **settled(kwargs))
        return followed(result) if output is None else _written(output, result, kwargs)

    def __getattr__(self, name: str) -> Any:
        value = settled(self)
        if name.startswith("__") or isinstance(value, TracedArray) or name in _OF_MEMORY:
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
    if type(x) is not np.ndarray or x.ndim == 0 or x.dtype.kind not in "fc":
        return x
    if not x.flags.writeable:  # a view, as of a diagonal, which NumPy does not write to either
        return x
    own = x.flags.owndata and x.flags.c_contiguous
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
    if not shape or dtype.kind not in "fc":
        return np.positive(x)
    positions = _positions_like(np.array(like, order=order))
    cell = Cell(shape, np.zeros(math.prod(shape), dtype), x.snapshot(), positions)
    return FilledArray(cell)


def gathered(x: Any) -> Any:
    """A list that holds traced values as one array; anything else as it is."""
    if not (isinstance(x, list | tuple) and holds_traced(x)):
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


def as_array(x: Any) -> Any:
    """An argument as one array, traced or plain: of lists, too, and of arrays of traced numbers."""
    x = settled(gathered(x))
    if isinstance(x, Traced):
        return x
    x = np.asarray(x)
    return stack_objects(x) if x.dtype.hasobject else x


def holds_traced(x: Any) -> bool:
    """Whether a list holds a traced value, also inside lists."""
    return any(
        isinstance(part, Traced) or (isinstance(part, list | tuple) and holds_traced(part))
        for part in x
    )


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
        if any(o is None for o in output):
            raise NoRuleError("out= for some of several results has no rule; leave it out.")
        pairs = zip(output, result, strict=True)
        return tuple(_written(o, r, {}) for o, r in pairs)
    output[...] = result
    return output


def _written_where(ufunc: np.ufunc, inputs: Any, outputs: Any, mask: Any) -> Any:
    """A ufunc computed at the entries of a mask, and written there."""
    if len(outputs) != 1 or not isinstance(outputs[0], FilledArray):
        raise NoRuleError(f"numpy.{ufunc.__name__} with where= needs out=, one array to fill.")
    (output,) = outputs
    chosen = np.broadcast_to(np.asarray(settled(mask), bool), output.shape)
    parts = [np.broadcast_to(settled(gathered(x)), output.shape)[chosen] for x in inputs]
    output[chosen] = ufunc(*parts)
    return output


# Attributes of the memory, which a plain copy of the content does not share.
_OF_MEMORY = {"view", "data", "base", "ctypes", "getfield", "byteswap", "setfield"}
# Functions of several arrays, one after the other.
_OF_EACH = {np.atleast_1d, np.atleast_2d, np.atleast_3d}
# Functions that return views where they can.
_VIEWS = {
    np.reshape, np.ravel, np.transpose, np.permute_dims, np.matrix_transpose, np.swapaxes,
    np.linalg.matrix_transpose, np.moveaxis, np.rollaxis, np.expand_dims, np.squeeze,
    np.atleast_1d, np.atleast_2d, np.atleast_3d, np.flip, np.flipud, np.fliplr, np.rot90,
    np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit, np.diagonal, np.linalg.diagonal,
    np.broadcast_to, np.real, getattr(np, "unstack", np.split),  # of NumPy 2.1
}  # fmt: skip
