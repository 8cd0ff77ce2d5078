"""Functions that write to arrays that are filled, and makers of such arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.filling import (
    WRITERS,
    FilledArray,
    copied,
    followed,
    gathered,
    holds_traced,
    settled,
)
from mcmodels.autodiff.tables import call, implements
from mcmodels.autodiff.tracing import NoRuleError, Traced, constant


def _at(ufunc: np.ufunc, array: Any, index: Any, *values: Any) -> None:
    """``ufunc.at``: in place, and once for each time that an entry is named."""
    if not isinstance(array, FilledArray):
        return ufunc.at(array, settled(index), *settled(values))
    where = np.atleast_1d(np.arange(array.size).reshape(array.shape)[settled(index)])
    if np.unique(where).size == where.size:
        array[index] = ufunc(array[index], *values)
        return None
    content = settled(array)
    if not isinstance(content, Traced) and not holds_traced(settled(values)):
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


def _broadcast_arrays(*arrays: Any) -> Any:
    shape = np.broadcast_shapes(*map(np.shape, arrays))
    return tuple(np.broadcast_to(x, shape) for x in arrays)


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


WRITERS.update(
    {
        "at": _at,
        np.copy: lambda a, order="K": copied(a, order),
        np.copyto: _copyto,
        np.broadcast_arrays: _broadcast_arrays,
        np.fill_diagonal: _fill_diagonal,
        np.put: _put,
        np.put_along_axis: _put_along_axis,
        np.putmask: _putmask,
        np.place: _putmask,
    }
)


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
