"""Checks of the arguments and results of functions that are differentiated."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mcmodels.autodiff.arrays import TracedArray
from mcmodels.autodiff.filling import FilledArray, followed, settled
from mcmodels.autodiff.tables import call, shape_of
from mcmodels.autodiff.tracing import (
    Traced,
    Tracer,
    constant,
    is_complex,
    stack_objects,
    tracing,
)
from mcmodels.autodiff.trees import Tree, map_leaves, tree_of

__all__ = [
    "Argnums",
    "is_single",
    "kind",
    "like_tree",
    "places_of",
    "real_array",
    "real_leaves",
    "require_shape",
    "result_like",
    "returned_array",
    "split_aux",
    "unshared",
]

_FLOAT64 = np.dtype(np.float64)
_PLAIN = frozenset({np.ndarray, np.float64})

Argnums = int | str | Sequence[int | str]


def is_single(argnums: Argnums) -> bool:
    """Whether one argument is named, so that the result is no tuple."""
    return isinstance(argnums, int | np.integer | str)


def places_of(
    argnums: Argnums, f: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[int | str, ...]:
    """Where the arguments are: nonnegative positions, and names of keyword arguments.

    Refuses arguments that were not passed.
    """
    if is_single(argnums):
        return (_place_of(argnums, argnums, f, args, kwargs),)
    wanted = tuple(argnums)  # type: ignore[arg-type]
    places = tuple(_place_of(k, argnums, f, args, kwargs) for k in wanted)
    if len(set(places)) < len(places):
        raise ValueError(f"argnums={argnums!r} names an argument twice.")
    return places


def _place_of(
    k: Any, argnums: Argnums, f: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> int | str:
    if not isinstance(k, str):
        if not -len(args) <= k < len(args):
            named = f"; by name: {', '.join(kwargs)}" if kwargs else ""
            raise ValueError(
                f"argnums={argnums!r}: there are {len(args)} positional arguments{named}."
            )
        return int(k) % len(args)
    if k in kwargs:
        return k
    positional = _positional_names(f)
    if k in positional[: len(args)]:
        return positional.index(k)
    known = ", ".join(dict.fromkeys([*positional[: len(args)], *kwargs])) or "none"
    raise ValueError(f"argnums={argnums!r}: no argument {k!r} was passed; those passed: {known}.")


def _positional_names(f: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):  # a function of C may have no signature
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [parameter.name for parameter in parameters if parameter.kind in kinds]


def real_leaves(x: Any) -> Tree:
    """The arrays of an argument, as arrays of floating-point numbers."""
    tree = tree_of(x)
    if tree.places == [""]:
        tree.leaves[0] = real_array(tree.leaves[0])
        return tree
    leaves = []
    for leaf, place in zip(tree.leaves, tree.places, strict=True):
        try:
            leaves.append(real_array(leaf))
        except TypeError as error:
            raise TypeError(f"the argument has at {place}: {error}") from None
    return tree._replace(leaves=leaves)


def real_array(x: Any) -> Any:
    """An argument as an array of floating-point numbers."""
    x = settled(x)
    if isinstance(x, Traced):
        if is_complex(x):
            raise TypeError(_not_real(constant(x).dtype, "an array that is being differentiated"))
        return x
    if isinstance(x, np.ma.MaskedArray | np.matrix):
        raise TypeError(
            f"derivatives are taken by plain arrays; a {type(x).__name__} has a mask or a product "
            "of its own, which the function would not see."
        )
    array = np.asarray(x)
    if array.dtype == object and array.ndim == 0:
        raise TypeError(
            f"derivatives are taken by arrays, and dicts, lists, tuples and named tuples of "
            f"arrays; found {type(x).__name__}."
        )
    if array.dtype == object and array.size:
        return stack_objects(array)
    if array.dtype.kind in "iub":
        return array.astype(np.float64)
    if array.dtype.kind != "f":
        raise TypeError(_not_real(array.dtype, type(x).__name__))
    return array


def _not_real(dtype: Any, what: str) -> str:
    remedy = ""
    if dtype.kind == "c":
        remedy = " Take them by real and imaginary parts: f(a + 1j * b), by a and b."
    return f"derivatives are taken by arrays of real numbers; found {dtype} ({what}).{remedy}"


def returned_array(y: Any, tracer: Tracer) -> Any:
    """The result of a function that was traced; refused unless it is an array of real numbers."""
    if isinstance(y, Traced) and y.tracer is tracer:
        value = y.value
        if type(value) in _PLAIN and value.dtype is _FLOAT64:
            return y
    y = settled(y)
    if isinstance(y, Traced):
        if y.tracer.level > tracer.level:
            raise ValueError(
                "the function returned a value of a derivative inside it that has ended, and was "
                "kept in a list, an attribute or the like. Return it from there by value_and_grad, "
                "jvp or vjp, from a checkpointed function beside its result; or keep constant(x)."
            )
        if y.tracer is not tracer:
            _refuse_ended(y)
        if is_complex(y):
            raise TypeError(
                "the function returned complex numbers; derivatives are of real functions: return "
                "np.real(y), np.imag(y) or np.abs(y)."
            )
        return y
    array = None if y is None or isinstance(y, list | tuple | dict) else np.asarray(y)
    if array is not None and array.dtype == object and array.size:
        return returned_array(stack_objects(array), tracer)
    kinds = "iuf" if isinstance(y, int) else "f"
    if array is None or array.dtype.kind not in kinds or isinstance(y, bool):
        raise TypeError(
            f"the function returned {kind(y)}; it must return one array of floating-point numbers "
            "or a number (np.stack or np.concatenate make one of several)."
        )
    return np.array(array)


def split_aux(returned: Any, tracer: Tracer) -> tuple[Any, Any]:
    """The value and what else a function returned beside it, as plain values of this derivative."""
    if not (isinstance(returned, tuple) and len(returned) == 2):
        raise TypeError(
            f"with has_aux=True the function must return a pair (value, aux); it returned "
            f"{kind(returned)}."
        )

    def plain(leaf: Any) -> Any:
        if type(leaf) in (list, tuple):
            return type(leaf)(map(plain, leaf))  # numbers, which together are an array
        filled, leaf = isinstance(leaf, FilledArray), settled(leaf)
        while isinstance(leaf, Traced) and leaf.tracer is not tracer and leaf.tracer.ended:
            leaf = leaf.value  # it was kept inside a checkpointed function, or a derivative
        if isinstance(leaf, Traced) and leaf.tracer is tracer:
            return unshared(leaf.value, [leaf.value])  # a pullback may read it again
        if filled and isinstance(leaf, np.ndarray):
            return followed(leaf.copy()) if tracing.depth else leaf.copy()
        return leaf

    return returned[0], map_leaves(plain, returned[1])


def like_tree(v: Any, tree: Tree, name: str, what: str) -> list[Any]:
    """The arrays of a tangent or cotangent; refused unless they have the shapes of those of x."""
    given = tree_of(v)
    if given.places != tree.places:
        raise ValueError(
            f"{name} has arrays at {_listed(given.places)}; {what} with arrays at "
            f"{_listed(tree.places)}."
        )
    return [
        require_shape(part, shape_of(x), name + place, what)
        for part, x, place in zip(given.leaves, tree.leaves, tree.places, strict=True)
    ]


def _listed(places: Sequence[str]) -> str:
    return ", ".join(place or "its top" for place in places) or "no place"


def kind(y: Any) -> str:
    """The type of a value, for error messages."""
    if isinstance(y, Traced):
        return f"an array of shape {shape_of(y)}"
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
    if type(g) is np.ndarray and type(x) is np.ndarray and g.dtype is x.dtype is _FLOAT64:
        flags = g.flags
        return g if flags.owndata and flags.writeable else g.copy()
    if g is None:
        return np.zeros_like(constant(x))
    if is_complex(g):
        g = call("real", g)
    if isinstance(g, TracedArray):
        _refuse_ended(g)
        dtype = np.asarray(constant(x)).dtype
        return g if g.dtype == dtype else call("astype", g, dtype=dtype)
    return unshared(np.asarray(g, dtype=np.asarray(constant(x)).dtype))


def _refuse_ended(y: Traced) -> None:
    """Refuse a result that is a value of a derivative that has ended."""
    if y.tracer.ended:
        raise ValueError(
            "the result depends on a value of a derivative that has ended, and was kept in a list, "
            "an attribute or the like. Keep constant(x) instead."
        )


def unshared(y: Any, others: Sequence[Any] = ()) -> Any:
    """A result as a writeable array that shares no memory with another array."""
    if isinstance(y, Traced):
        _refuse_ended(y)
        return y
    if type(y) is np.float64:
        return np.asarray(y)
    y = np.asarray(y)
    flags = y.flags
    own = flags.owndata and flags.writeable
    for x in others:
        own = own and y is not x
    return y if own else y.copy()
