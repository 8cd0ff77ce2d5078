"""NumPy's functions that select, move, repeat and join entries, written with rules."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.autodiff.tables import Axis, call, implements, normalized_axes, shape_of, warn_kink
from mcmodels.autodiff.tracing import NoRuleError, Traced, constant, stack_list


@implements(np.reshape)
def _reshape(a: Any, shape: Any = None, order: Any = "C", *, newshape: Any = None) -> Any:
    if order not in ("C", "F"):
        raise NoRuleError(f"numpy.reshape with order={order!r} has no rule; choose 'C' or 'F'.")
    # NumPy 2.0 calls it newshape.
    return call("reshape", a, shape=shape if newshape is None else newshape, order=order)


@implements(np.ravel)
def _ravel(a: Any, order: Any = "C") -> Any:
    return _reshape(a, -1, order)


@implements(np.transpose, np.permute_dims)
def _transpose(a: Any, axes: Any = None) -> Any:
    return call("transpose", a, axes=None if axes is None else tuple(axes))


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def _matrix_transpose(x: Any) -> Any:
    return _swapaxes(x, -1, -2)


@implements(np.swapaxes)
def _swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    order = list(range(len(shape_of(a))))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return call("transpose", a, axes=tuple(order))


@implements(np.moveaxis)
def _moveaxis(a: Any, source: Any, destination: Any) -> Any:
    # An array of shape (0, 1, 2, …) is moved instead: its new shape is the order of the axes.
    order = np.moveaxis(np.empty(range(len(shape_of(a)))), source, destination).shape
    return call("transpose", a, axes=order)


@implements(np.expand_dims)
def _expand_dims(a: Any, axis: int | tuple[int, ...]) -> Any:
    ndim = len(shape_of(a)) + len(np.atleast_1d(axis))
    added = normalized_axes(axis if isinstance(axis, tuple) else int(axis), ndim)
    lengths = iter(shape_of(a))
    return _reshape(a, tuple(1 if k in added else next(lengths) for k in range(ndim)))


@implements(np.squeeze)
def _squeeze(a: Any, axis: Axis = None) -> Any:
    return _reshape(a, np.squeeze(np.asarray(constant(a)), axis).shape)


@implements(np.atleast_1d)
def _atleast_1d(*arys: Any) -> Any:
    found = [_reshape(a, np.atleast_1d(constant(a)).shape) for a in arys]
    return found[0] if len(found) == 1 else found


@implements(np.atleast_2d)
def _atleast_2d(*arys: Any) -> Any:
    found = [_reshape(a, np.atleast_2d(constant(a)).shape) for a in arys]
    return found[0] if len(found) == 1 else found


@implements(np.broadcast_to)
def _broadcast_to(array: Any, shape: Any) -> Any:
    return call("broadcast_to", array, shape=tuple(np.atleast_1d(shape)))


@implements(np.full_like)
def _full_like(a: Any, fill_value: Any, dtype: Any = None, shape: Any = None) -> Any:
    if isinstance(fill_value, Traced):
        filled = _broadcast_to(fill_value, shape_of(a) if shape is None else shape)
        return filled if dtype is None else filled.astype(dtype)
    return np.full_like(constant(a), fill_value, dtype=dtype, shape=shape)


@implements(np.flip)
def _flip(m: Any, axis: Axis = None) -> Any:
    axes = normalized_axes(axis, len(shape_of(m)))
    return m[tuple(slice(None, None, -1 if k in axes else 1) for k in range(len(shape_of(m))))]


@implements(np.flipud)
def _flipud(m: Any) -> Any:
    return m[::-1]


@implements(np.fliplr)
def _fliplr(m: Any) -> Any:
    return m[:, ::-1]


def _entries_at(a: Any, positions: npt.NDArray[np.integer]) -> Any:
    """The entries of an array at flat positions, in the shape of these positions."""
    return np.reshape(np.ravel(a)[positions.ravel()], positions.shape)


def _positions_after(a: Any, function: Callable[..., Any], *where: Any) -> Any:
    """Flat positions of the entries, rearranged by a function of NumPy; for split a list."""
    if any(isinstance(x, Traced) for x in where):
        raise NoRuleError(f"numpy.{function.__name__} has no rule for a derivative by positions.")
    return function(np.arange(np.size(constant(a))).reshape(shape_of(a)), *where)


def rearranged(a: Any, function: Callable[..., Any], *where: Any) -> Any:
    """The entries, rearranged as by a function of NumPy."""
    return _entries_at(a, np.asarray(_positions_after(a, function, *where)))


@implements(np.roll)
def _roll(a: Any, shift: Any, axis: Axis = None) -> Any:
    return rearranged(a, np.roll, shift, axis)


@implements(np.rot90)
def _rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    return rearranged(m, np.rot90, k, axes)


@implements(np.tile)
def _tile(A: Any, reps: Any) -> Any:
    return rearranged(A, np.tile, reps)


@implements(np.repeat)
def _repeat(a: Any, repeats: Any, axis: Axis = None) -> Any:
    return rearranged(a, np.repeat, repeats, axis)


@implements(np.take)
def _take(a: Any, indices: Any, axis: Any = None, mode: Any = "raise") -> Any:
    def take(places: Any, indices: Any) -> Any:
        return np.take(places, indices, axis, mode=mode)

    return rearranged(a, take, indices)


@implements(np.take_along_axis)
def _take_along_axis(arr: Any, indices: Any, axis: Axis = -1) -> Any:
    return rearranged(arr, np.take_along_axis, indices, axis)


@implements(np.lib.stride_tricks.sliding_window_view)
def _sliding_window_view(x: Any, window_shape: Any, axis: Axis = None) -> Any:
    return rearranged(x, np.lib.stride_tricks.sliding_window_view, window_shape, axis)


@implements(np.delete)
def _delete(arr: Any, obj: Any, axis: Axis = None) -> Any:
    return rearranged(arr, np.delete, obj, axis)


@implements(np.sort)
def _sort(a: Any, axis: int | None = -1, kind: Any = None, stable: Any = None) -> Any:
    # Whatever the algorithm, the result is the same.
    plain = np.asarray(constant(a))
    if axis is None:
        a, plain, axis = np.ravel(a), plain.ravel(), 0
    order = np.argsort(plain, axis, kind="stable")
    warn_kink(
        np.diff(np.take_along_axis(plain, order, axis), axis=axis) == 0,
        "sort is not differentiable at equal entries; they are taken in the order they are in.",
    )
    return _take_along_axis(a, order, axis)


@implements(np.diagonal)
def _diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return rearranged(a, np.diagonal, offset, axis1, axis2)


@implements(np.linalg.diagonal)
def _diagonal_of_stack(x: Any, offset: int = 0) -> Any:
    return _diagonal(x, offset, -2, -1)


@implements(np.diag)
def _diag(v: Any, k: int = 0) -> Any:
    if len(shape_of(v)) == 2:
        return _diagonal(v, k)
    n = shape_of(v)[0]
    rows = np.arange(n) + max(-k, 0)
    index = (rows, rows + k)
    return call("scatter", v, index=index, shape=(n + abs(k), n + abs(k)))


@implements(np.trace)
def _trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return np.sum(_diagonal(a, offset, axis1, axis2), axis=-1)


@implements(np.linalg.trace)
def _trace_of_stack(x: Any, offset: int = 0) -> Any:
    return _trace(x, offset, -2, -1)


@implements(np.tril)
def _tril(m: Any, k: int = 0) -> Any:
    return call("tril", m, k=k)


@implements(np.triu)
def _triu(m: Any, k: int = 0) -> Any:
    return call("triu", m, k=k)


@implements(np.concatenate, np.concat)
def _concatenate(arrays: Any, axis: int | None = 0) -> Any:
    arrays = [stack_list(a) for a in arrays]
    if axis is None:
        arrays, axis = [np.ravel(a) for a in arrays], 0
    shapes = [shape_of(a) for a in arrays]
    (axis,) = normalized_axes(axis, len(shapes[0]))
    # Computed here once: the rule is called for one array at a time, and would sum up each time.
    ends = list(itertools.accumulate(shape[axis] for shape in shapes if len(shape) > axis))
    return call("concatenate", *arrays, axis=axis, ends=ends)


@implements(np.stack)
def _stack(arrays: Any, axis: int = 0) -> Any:
    return _concatenate([np.expand_dims(stack_list(a), axis) for a in arrays], axis)


@implements(np.vstack)
def _vstack(tup: Any) -> Any:
    return _concatenate([np.atleast_2d(stack_list(a)) for a in tup], 0)


@implements(np.hstack)
def _hstack(tup: Any) -> Any:
    arrays = [np.atleast_1d(stack_list(a)) for a in tup]
    return _concatenate(arrays, 0 if len(shape_of(arrays[0])) == 1 else 1)


@implements(np.column_stack)
def _column_stack(tup: Any) -> Any:
    arrays = [stack_list(a) for a in tup]
    return _concatenate([a if np.ndim(a) == 2 else np.reshape(a, (-1, 1)) for a in arrays], 1)


@implements(np.append)
def _append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return _concatenate([arr, stack_list(values)], axis)


@implements(np.split)
def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    parts = _positions_after(ary, np.split, indices_or_sections, axis)
    return [_entries_at(ary, part) for part in parts]


@implements(np.array_split)
def _array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    parts = _positions_after(ary, np.array_split, indices_or_sections, axis)
    return [_entries_at(ary, part) for part in parts]


@implements(np.where)
def _where(condition: Any, x: Any, y: Any) -> Any:
    return call("where", condition, x, y)


@implements(np.clip)
def _clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    low = a_min if min is None else min
    high = a_max if max is None else max
    a = a if low is None else np.maximum(a, low)
    return a if high is None else np.minimum(a, high)
