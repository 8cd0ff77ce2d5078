"""Rules of functions that select, move, repeat, join and sum entries: linear maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mcmodels.autodiff.tables import (
    Axis,
    add,
    call,
    linear,
    matrix_function,
    shape_of,
    sum_to_shape,
    warn_kink,
)
from mcmodels.autodiff.tracing import DerivativeRule, constant, is_complex

_FEW = 256  # entries


def _getitem(x: Any, index: Any) -> Any:
    return x[index]


def _scatter(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """An array of zeros, with the entries of g added at ``index``."""
    g = np.asarray(g)
    found = np.zeros(shape, g.dtype)
    if _selects_no_entry_twice(index):
        found[index] = g
    else:
        np.add.at(found, index, g)
    return found


def _selects_no_entry_twice(index: Any) -> bool:
    """Whether an index cannot select an entry twice: slices, single positions, one mask."""
    if type(index) in (int, slice):
        return True
    parts = index if isinstance(index, tuple) else (index,)
    basic = (int, np.integer, slice, type(None), type(Ellipsis))
    mask = isinstance(index, np.ndarray) and index.dtype == bool
    return mask or all(isinstance(part, basic) for part in parts)


def _transpose(x: Any, axes: Any = None) -> Any:
    return np.transpose(x, axes)


def _transpose_back(g: Any, x: Any, axes: Any = None) -> Any:
    if axes is None:
        return call("transpose", g)
    return call("transpose", g, axes=tuple(np.argsort([a % len(axes) for a in axes])))


def _sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.sum(x, axis=axis, keepdims=keepdims)


def spread(g: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The adjoint of a sum over axes: g repeated along these axes."""
    shape = shape_of(x)
    if axis is None and type(g) is np.float64 and math.prod(shape) <= _FEW:
        found = np.empty(shape)  # takes a tenth of the time of a view
        found.fill(g)
        return found
    return np.broadcast_to(with_axes(g, x, axis, keepdims), shape)


def with_axes(g: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """The result of a reduction with the axes that it dropped, each of length one."""
    if keepdims or shape_of(x) == ():
        return g
    if axis is None:
        return np.reshape(g, (1,) * len(shape_of(x)))
    return np.expand_dims(g, axis)


def _cumsum(x: Any, axis: int) -> Any:
    return np.cumsum(x, axis=axis)


def _max(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.max(x, axis=axis, keepdims=keepdims)


def _min(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.min(x, axis=axis, keepdims=keepdims)


def _extremum_weights(y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """One at the extremum; if several entries attain it, equal shares that sum to one."""
    x = np.asarray(constant(x))
    chosen = x == with_axes(constant(y), x, axis, keepdims)
    count = chosen.sum(axis=axis, keepdims=True)
    warn_kink(count > 1, "an extremum of equal entries has no derivative; equal shares are taken.")
    return (chosen / count).astype(x.dtype)


def _push_extremum(t: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.sum(t * _extremum_weights(y, x, axis, keepdims), axis=axis, keepdims=keepdims)


def _pull_extremum(g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return with_axes(g, x, axis, keepdims) * _extremum_weights(y, x, axis, keepdims)


def _astype_back(g: Any, x: Any, dtype: Any) -> Any:
    back = np.asarray(constant(x)).dtype
    if back.kind != "c" and is_complex(g):
        g = call("real", g)
    return call("astype", g, dtype=back)


def _concatenate(*arrays: Any, axis: int, ends: Sequence[int]) -> Any:
    return np.concatenate(arrays, axis=axis)


def _slice_of_array(i: int, axis: int, ends: Sequence[int]) -> tuple[slice, ...]:
    """The slice of the joined array that array i fills."""
    return (*(slice(None),) * axis, slice(ends[i - 1] if i else 0, ends[i]))


def _push_concatenate(i: int, dx: Any, y: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    return call("scatter", dx, index=_slice_of_array(i, **kwargs), shape=shape_of(y))


def _pull_concatenate(i: int, g: Any, y: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    return call("getitem", g, index=_slice_of_array(i, **kwargs))


add(
    linear(
        "getitem",
        _getitem,
        "d x[i] = dx[i]",
        lambda g, x, index: call("scatter", g, index=index, shape=shape_of(x)),
    ),
    linear(
        "scatter",
        _scatter,
        "d scatter(x) = scatter(dx), the transpose of x[i]",
        lambda g, x, index, shape: call("getitem", g, index=index),
    ),
    linear(
        "reshape",
        lambda x, shape, order="C": np.reshape(x, shape, order=order),
        "d vec X = vec dX",
        lambda g, x, shape, order="C": call("reshape", g, shape=shape_of(x), order=order),
    ),
    linear("transpose", _transpose, "d Xᵀ = (dX)ᵀ", _transpose_back),
    linear(
        "broadcast_to",
        lambda x, shape: np.broadcast_to(x, shape),
        "d(x 1ᵀ) = dx 1ᵀ",
        lambda g, x, shape: sum_to_shape(g, shape_of(x)),
    ),
    linear(
        "astype",
        lambda x, dtype: np.asarray(x).astype(dtype),
        "d x = dx, rounded to another precision",
        _astype_back,
    ),
    linear("sum", _sum, "d Σ x = Σ dx", spread),
    linear(
        "cumsum",
        _cumsum,
        "dyₖ = Σ dxᵢ over i ≤ k",
        lambda g, x, axis: np.flip(call("cumsum", np.flip(g, axis), axis=axis), axis),
    ),
    linear(
        "tril",
        lambda x, k=0: np.tril(x, k),
        "d tril(X) = tril(dX)",
        lambda g, x, k=0: sum_to_shape(call("tril", g, k=k), shape_of(x)),
    ),
    linear(
        "triu",
        lambda x, k=0: np.triu(x, k),
        "d triu(X) = triu(dX)",
        lambda g, x, k=0: sum_to_shape(call("triu", g, k=k), shape_of(x)),
    ),
    matrix_function("max", _max, "d max x = dx at the maximum", (_push_extremum, _pull_extremum)),
    matrix_function("min", _min, "d min x = dx at the minimum", (_push_extremum, _pull_extremum)),
    (
        "concatenate",
        DerivativeRule(
            "concatenate", _concatenate, "d(x, y) = (dx, dy)", _push_concatenate, _pull_concatenate
        ),
    ),
)
