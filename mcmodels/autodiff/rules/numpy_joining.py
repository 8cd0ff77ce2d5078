"""NumPy's functions that join, split, pad and insert, written with functions that have rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mcmodels.autodiff.tables import dtype_of, implements, in_dtype, shape_of
from mcmodels.autodiff.tracing import NoRuleError, Traced, constant, stack_list

__all__: list[str] = []


def _on_axes(a: Any, ndim: int) -> Any:
    """An array with axes of length one in front, so that it has ndim of them."""
    return np.reshape(a, (1,) * (ndim - len(shape_of(a))) + shape_of(a))


@implements(np.atleast_3d)
def _atleast_3d(*arys: Any) -> Any:
    found = [np.reshape(a, np.atleast_3d(constant(a)).shape) for a in arys]
    return found[0] if len(found) == 1 else found


@implements(np.dstack)
def _dstack(tup: Any) -> Any:
    return np.concatenate([_atleast_3d(stack_list(a)) for a in tup], axis=2)


@implements(np.block)
def _block(arrays: Any) -> Any:
    depth, ndim = _depth_and_dimensions(arrays)
    ndim = max(depth, ndim)

    def joined(part: Any, level: int) -> Any:
        if not isinstance(part, list):
            return _on_axes(part, ndim)
        return np.concatenate([joined(p, level + 1) for p in part], axis=level - depth)

    return joined(arrays, 0)


def _depth_and_dimensions(part: Any) -> tuple[int, int]:
    """How deep lists are nested, and the most axes of an array in them."""
    if not isinstance(part, list):
        return 0, len(shape_of(part))
    found = [_depth_and_dimensions(p) for p in part]
    if not found or len({depth for depth, _ in found}) > 1:
        raise ValueError("the lists given to numpy.block must be nested equally deep, none empty")
    return found[0][0] + 1, max(ndim for _, ndim in found)


def _split_along(name: str, axis: int, least: int) -> Callable[..., Any]:
    def split(ary: Any, indices_or_sections: Any) -> Any:
        if len(shape_of(ary)) < least:
            raise ValueError(
                f"numpy.{name} needs an array of at least {least} axes; found shape {shape_of(ary)}"
            )
        return np.split(ary, indices_or_sections, axis=axis)

    return split


@implements(np.hsplit)
def _hsplit(ary: Any, indices_or_sections: Any) -> Any:
    axis = 0 if len(shape_of(ary)) == 1 else 1
    return _split_along("hsplit", axis, 1)(ary, indices_or_sections)


implements(np.vsplit)(_split_along("vsplit", 0, 2))
implements(np.dsplit)(_split_along("dsplit", 2, 3))

if hasattr(np, "unstack"):  # since NumPy 2.1

    @implements(np.unstack)
    def _unstack(x: Any, /, *, axis: int = 0) -> Any:
        moved = np.moveaxis(x, axis, 0)
        return tuple(moved[k] for k in range(shape_of(moved)[0]))


@implements(np.rollaxis)
def _rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    order = np.rollaxis(np.empty(range(len(shape_of(a)))), axis, start).shape
    return np.transpose(a, order)


@implements(np.insert)
def _insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    if isinstance(obj, Traced):
        raise NoRuleError("numpy.insert has no rule for a derivative by positions.")
    values = in_dtype(stack_list(values), dtype_of(arr))
    size = int(np.prod(shape_of(arr)))
    mine = np.arange(size).reshape(shape_of(arr))
    theirs = size + np.arange(int(np.prod(shape_of(values)))).reshape(shape_of(values))
    places = np.insert(mine, constant(obj), theirs, axis)
    entries = np.concatenate([np.ravel(arr), np.ravel(values)])
    return np.reshape(entries[places.ravel()], places.shape)


@implements(np.diagflat)
def _diagflat(v: Any, k: int = 0) -> Any:
    return np.diag(np.ravel(v), k)


@implements(np.resize)
def _resize(a: Any, new_shape: Any) -> Any:
    places = np.resize(np.arange(int(np.prod(shape_of(a)))), new_shape)
    return np.reshape(np.ravel(a)[places.ravel()], places.shape)


@implements(np.pad)
def _pad(
    array: Any, pad_width: Any, mode: Any = "constant", constant_values: Any = 0,
    reflect_type: str = "even",
) -> Any:  # fmt: skip
    ndim = len(shape_of(array))
    if mode in ("edge", "reflect", "symmetric", "wrap") and reflect_type == "even":
        places = np.arange(int(np.prod(shape_of(array)))).reshape(shape_of(array))
        places = np.pad(places, pad_width, mode=mode)
        return np.reshape(np.ravel(array)[places.ravel()], places.shape)
    if mode != "constant":
        raise NoRuleError(
            f"numpy.pad with mode={mode!r}, reflect_type={reflect_type!r} has no rule; choose "
            "'constant', 'edge', 'wrap', or 'reflect' or 'symmetric' with reflect_type='even'."
        )
    if isinstance(pad_width, dict):
        pad_width = [pad_width.get(k, pad_width.get(k - ndim, 0)) for k in range(ndim)]
        pad_width = [np.broadcast_to(widths, 2) for widths in pad_width]
    widths = np.broadcast_to(np.asarray(pad_width), (ndim, 2))
    numbers = np.broadcast_to(in_dtype(stack_list(constant_values), dtype_of(array)), (ndim, 2))
    for axis, (before, after) in enumerate(widths.tolist()):
        if before < 0 or after < 0:
            raise ValueError(f"numpy.pad: pad_width cannot be negative; found {pad_width}")
        parts = [array]
        for side, width in ((0, before), (1, after)):
            shape = tuple(width if k == axis else n for k, n in enumerate(shape_of(array)))
            border = np.broadcast_to(numbers[axis, side], shape)
            parts = [*parts, border] if side else [border, *parts]
        array = np.concatenate(parts, axis=axis)
    return array
