"""NumPy's choices among entries and functions, written with functions that have rules."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from mcmodels.autodiff.tables import call, implements, in_dtype, normalized_axes, shape_of
from mcmodels.autodiff.tracing import NoRuleError, Traced, constant

__all__: list[str] = []


@implements(np.select)
def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError(
            "numpy.select needs as many conditions as choices, and one at least; found "
            f"{len(condlist)} and {len(choicelist)}"
        )
    conditions = [np.asarray(constant(c)) for c in condlist]
    for dtype in (c.dtype for c in conditions if c.dtype != bool):
        raise TypeError(f"numpy.select: conditions must be boolean arrays; found {dtype}")
    cases = list(zip(conditions, choicelist, strict=True))
    found = functools.reduce(lambda rest, c: np.where(c[0], c[1], rest), reversed(cases), default)
    shape = np.broadcast_shapes(shape_of(found), shape_of(default))
    return np.broadcast_to(found, shape)


@implements(np.choose)
def _choose(a: Any, choices: Any, mode: Any = "raise") -> Any:
    if isinstance(a, Traced):
        raise NoRuleError("numpy.choose has no rule for a derivative by positions.")
    parts = np.broadcast_arrays(a, *(choices[k] for k in range(len(choices))))
    places = np.choose(parts[0], list(range(len(choices))), mode=mode)
    return np.take_along_axis(np.stack(parts[1:]), places[np.newaxis], axis=0)[0]


@implements(np.compress)
def _compress(condition: Any, a: Any, axis: int | None = None) -> Any:
    places = np.flatnonzero(np.asarray(constant(condition)))
    return np.take(a, places, axis=axis)


@implements(np.extract)
def _extract(condition: Any, arr: Any) -> Any:
    return np.take(np.ravel(arr), np.flatnonzero(np.asarray(constant(condition))))


@implements(np.piecewise)
def _piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    if constant(x).dtype.kind != "f":
        raise TypeError(
            f"numpy.piecewise has a rule for arrays of floats only; found {constant(x).dtype}"
        )
    shape = shape_of(x)
    if isinstance(condlist, np.ndarray | list | tuple) and not (
        isinstance(condlist[0], np.ndarray | list | tuple) or shape == ()
    ):
        condlist = [condlist]
    masks = [np.broadcast_to(np.asarray(constant(c), bool), shape) for c in condlist]
    if len(funclist) == len(masks) + 1:
        masks.append(~np.any(masks, axis=0))
    if len(funclist) != len(masks):
        raise ValueError(
            "numpy.piecewise needs one function for each condition, or one more; found "
            f"{len(funclist)} for {len(condlist)}"
        )
    found: Any = np.zeros(shape, constant(x).dtype)
    taken = np.zeros(shape, bool)
    for mask, function in zip(reversed(masks), reversed(list(funclist)), strict=True):
        mine = mask & ~taken
        taken = taken | mine
        if not mine.any():
            continue
        part = function(x[mine], *args, **kw) if callable(function) else function
        part = np.broadcast_to(in_dtype(part, constant(x).dtype), (int(mine.sum()),))
        found = found + call("scatter", part, index=mine, shape=shape)
    return found


@implements(np.apply_along_axis)
def _apply_along_axis(func1d: Any, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    (axis,) = normalized_axes(int(axis), len(shape_of(arr)))
    moved = np.moveaxis(arr, axis, -1)
    outer = shape_of(moved)[:-1]
    results = [func1d(moved[index], *args, **kwargs) for index in np.ndindex(*outer)]
    if not results:
        raise ValueError("numpy.apply_along_axis: there is no entry to apply a function to")
    inner = shape_of(results[0])
    found = np.reshape(np.stack(results), outer + inner)
    ends = tuple(range(len(outer), len(outer) + len(inner)))
    return np.moveaxis(found, ends, tuple(axis + k for k in range(len(inner))))
