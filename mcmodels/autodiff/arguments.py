"""Checks of the arguments and results of functions that are differentiated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mcmodels.autodiff.arrays import TracedArray
from mcmodels.autodiff.filling import settled
from mcmodels.autodiff.tables import call, shape_of
from mcmodels.autodiff.tracing import Traced, Tracer, constant, stack_objects

__all__ = [
    "Argnums",
    "positions_of",
    "real_array",
    "require_shape",
    "result_like",
    "returned_array",
    "unshared",
]

Argnums = int | Sequence[int]


def positions_of(argnums: Argnums, args: Sequence[Any]) -> tuple[int, ...]:
    """Positions of arguments as nonnegative numbers; refuses positions that do not exist."""
    wanted = (argnums,) if isinstance(argnums, int | np.integer) else tuple(argnums)
    for k in wanted:
        if not -len(args) <= k < len(args):
            raise ValueError(f"argnums={argnums!r}: there are {len(args)} positional arguments.")
    positions = tuple(int(k) % len(args) for k in wanted)
    if len(set(positions)) < len(positions):
        raise ValueError(f"argnums={argnums!r} names an argument twice.")
    return positions


def real_array(x: Any) -> Any:
    """An argument as an array of floating-point numbers."""
    x = settled(x)
    if isinstance(x, Traced):
        return x
    if isinstance(x, np.ma.MaskedArray | np.matrix):
        raise TypeError(
            f"derivatives are taken by plain arrays; a {type(x).__name__} has a mask or a product "
            "of its own, which the function would not see."
        )
    array = np.asarray(x)
    if array.dtype == object and array.size:
        return stack_objects(array)
    if array.dtype.kind in "iub":
        return array.astype(np.float64)
    if array.dtype.kind != "f":
        raise TypeError(
            f"derivatives are taken by arrays of real numbers; found {array.dtype} "
            f"({type(x).__name__})."
        )
    return array


def returned_array(y: Any, tracer: Tracer) -> Any:
    """The result of a function that was traced; refused unless it is an array of real numbers."""
    y = settled(y)
    if isinstance(y, Traced):
        if y.tracer.level > tracer.level:
            raise ValueError(
                "the function returned a value of a derivative inside it that has ended, and was "
                "kept in a list, an attribute or the like. Return it from there by value_and_grad, "
                "jvp or vjp; or keep constant(x)."
            )
        return y
    array = None if y is None or isinstance(y, list | tuple | dict) else np.asarray(y)
    if array is not None and array.dtype == object and array.size:
        return returned_array(stack_objects(array), tracer)
    kinds = "iuf" if isinstance(y, int) else "f"
    if array is None or array.dtype.kind not in kinds or isinstance(y, bool):
        raise TypeError(
            f"the function returned {_kind(y)}; it must return one array of floating-point numbers "
            "or a number (np.stack or np.concatenate make one of several)."
        )
    return np.array(array)


def _kind(y: Any) -> str:
    """The type of a value, for error messages."""
    name = type(y).__name__
    return f"{name} of {y.dtype}" if isinstance(y, np.ndarray) else name


def require_shape(v: Any, shape: tuple[int, ...], name: str, what: str) -> Any:
    """A tangent or cotangent as an array; refused if its shape is not the one given."""
    v = real_array(v)
    if shape_of(v) != shape:
        raise ValueError(f"{name} has shape {shape_of(v)}; {what} of shape {shape}.")
    return v


def result_like(x: Any, g: Any) -> Any:
    """A derivative as a new array with the floating-point type of x; zeros if g is None."""
    if g is None:
        return np.zeros_like(constant(x))
    if isinstance(g, TracedArray):
        dtype = np.asarray(constant(x)).dtype
        return g if g.dtype == dtype else call("astype", g, dtype=dtype)
    return unshared(np.asarray(g, dtype=np.asarray(constant(x)).dtype))


def unshared(y: Any, others: Sequence[Any] = ()) -> Any:
    """A result as a writeable array that shares no memory with another array."""
    if isinstance(y, Traced):
        return y
    y = np.asarray(y)
    own = y.flags.owndata and y.flags.writeable and not any(y is x for x in others)
    return y if own else y.copy()
