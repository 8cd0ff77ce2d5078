"""A function that was called once on a tape, and the products of its Jacobian."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mcmodels.autodiff.arrays import TracedArray
from mcmodels.autodiff.reverse import Tape, Variable
from mcmodels.autodiff.tables import call, shape_of
from mcmodels.autodiff.tracing import Traced, constant, of_objects

__all__ = ["Argnums", "Recorded", "array_returned", "of_shape", "plain", "positions_of", "real"]

Argnums = int | Sequence[int]


class Recorded:
    """A function that was called once, with the tape of the call.

    Parameters
    ----------
    f : callable
        The function.
    argnums : int or sequence of int
        Positions of the arguments to differentiate by.
    args, kwargs
        Its arguments.
    """

    def __init__(
        self, f: Callable[..., Any], argnums: Argnums, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> None:
        self.single = isinstance(argnums, int | np.integer)
        positions = positions_of(argnums, args)
        self.points = [real(args[k]) for k in positions]
        self.tape = Tape()
        self.inputs = [self.tape.input(x) for x in self.points]
        arguments = list(args)
        for k, x in zip(positions, self.inputs, strict=True):
            arguments[k] = x
        y = array_returned(f(*arguments, **kwargs))
        on_tape = isinstance(y, Variable) and y.tracer is self.tape
        self.output = y if on_tape else None
        self.value = plain(y.value) if on_tape else y

    def require_scalar(self, operator: str) -> None:
        """Refuse a function that returned more than one number."""
        shape = shape_of(self.value)
        if shape != ():
            raise ValueError(
                f"{operator} needs a function that returns a scalar; it returned an array of shape "
                f"{shape}. Sum it, take an entry, or use jacobian or vjp."
            )

    def pull(self, u: Any) -> list[Any]:
        """``Jᵀu`` for each input."""
        found: list[Any] = [None] * len(self.inputs)
        if self.output is not None:
            found = self.tape.pull(self.output, u, self.inputs)
        taken = {id(u)}
        results = []
        for x, g in zip(self.points, found, strict=True):
            result = _like(x, g)
            # No two results, nor what was passed in, may be the same array.
            results.append(result.copy() if id(result) in taken else result)
            taken.add(id(result))
        return results

    def rows(self, i: int) -> Any:
        """The Jacobian by an input, a backward sweep for each output."""
        x, shape = self.points[i], shape_of(self.value)
        rows = [self.pull(u)[i] for u in _units(shape)]
        return np.reshape(np.stack(rows), shape + shape_of(x)) if rows else _nothing(shape, x)

    def columns(self, i: int) -> Any:
        """The Jacobian by an input, a forward sweep for each of its entries."""
        x, shape = self.points[i], shape_of(self.value)
        columns = []
        for v in _units(shape_of(x)):
            found = None
            if self.output is not None:
                found = self.tape.push([self.inputs[i]], [v], self.output)
            columns.append(np.zeros(shape) if found is None else found)
        if not columns:
            return _nothing(shape, x)
        return np.reshape(np.stack(columns, axis=-1), shape + shape_of(x))

    def packed(self, results: list[Any]) -> Any:
        """One result, or a tuple of them, as argnums asked for."""
        return results[0] if self.single else tuple(results)


def positions_of(argnums: Argnums, args: Sequence[Any]) -> tuple[int, ...]:
    """Positions of arguments, none of them negative; refuses those that are not there."""
    wanted = (argnums,) if isinstance(argnums, int | np.integer) else tuple(argnums)
    for k in wanted:
        if not -len(args) <= k < len(args):
            raise ValueError(f"argnums={argnums!r}: there are {len(args)} positional arguments.")
    positions = tuple(int(k) % len(args) for k in wanted)
    if len(set(positions)) < len(positions):
        raise ValueError(f"argnums={argnums!r} names an argument twice.")
    return positions


def real(x: Any) -> Any:
    """An argument as an array of floating-point numbers."""
    if isinstance(x, Traced):
        return x
    array = np.asarray(x)
    if array.dtype.kind in "iub":
        return array.astype(np.float64)
    if array.dtype.kind != "f":
        raise TypeError(
            f"derivatives are taken by arrays of real numbers; found {array.dtype} "
            f"({type(x).__name__})."
        )
    return array


def array_returned(y: Any) -> Any:
    """What a function returned; refuses what is no array of real numbers."""
    if isinstance(y, Traced):
        return y
    array = None if y is None or isinstance(y, list | tuple | dict) else np.asarray(y)
    if array is not None and array.dtype == object and array.size:
        return of_objects(array)
    if array is None or array.dtype.kind not in "biuf":
        raise TypeError(
            f"the function returned {type(y).__name__}; it must return one array of real numbers "
            "or a number (np.stack or np.concatenate make one of several)."
        )
    return array


def of_shape(v: Any, shape: tuple[int, ...], name: str, what: str) -> Any:
    """A tangent or cotangent; refuses another shape than that of what it belongs to."""
    v = v if isinstance(v, Traced) else real(v)
    if shape_of(v) != shape:
        raise ValueError(f"{name} has shape {shape_of(v)}; {what} of shape {shape}.")
    return v


def _like(x: Any, g: Any) -> Any:
    """A cotangent as a result: an array of its own, of the type of x; zeros for None."""
    if g is None:
        return np.zeros_like(constant(x))
    if isinstance(g, TracedArray):
        dtype = np.asarray(constant(x)).dtype
        return g if g.dtype == dtype else call("astype", g, dtype=dtype)
    g = np.asarray(g, dtype=np.asarray(constant(x)).dtype)
    return g if g.flags.owndata and g.flags.writeable else g.copy()


def plain(y: Any) -> Any:
    """A result as an array of its own."""
    if isinstance(y, Traced):
        return y
    y = np.asarray(y)
    return y if y.flags.writeable else y.copy()


def _units(shape: tuple[int, ...]) -> Any:
    """The arrays of a shape with a single 1."""
    for index in np.ndindex(*shape):
        unit = np.zeros(shape)
        unit[index] = 1.0
        yield unit


def _nothing(shape: tuple[int, ...], x: Any) -> Any:
    return np.zeros(shape + shape_of(x))
