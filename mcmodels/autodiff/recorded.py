"""A function that was called once on a tape, and the products of its Jacobian."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mcmodels.autodiff.arrays import TracedArray
from mcmodels.autodiff.reverse import Tape, Variable
from mcmodels.autodiff.tables import call, shape_of
from mcmodels.autodiff.tracing import Traced, Tracer, constant, of_objects

__all__ = [
    "Argnums",
    "Recorded",
    "array_returned",
    "like",
    "of_its_own",
    "of_shape",
    "positions_of",
    "real",
]

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
        y = array_returned(f(*arguments, **kwargs), self.tape)
        on_tape = isinstance(y, Variable) and y.tracer is self.tape
        self.output = y if on_tape else None
        self.value = of_its_own(y.value, self.points) if on_tape else y

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
            result = like(x, g)
            # No two results, nor what was passed in, may be the same array.
            results.append(result.copy() if id(result) in taken else result)
            taken.add(id(result))
        return results

    def rows(self) -> list[Any]:
        """The Jacobian by each input, a backward sweep for each output."""
        shape = shape_of(self.value)
        sweeps = [self.pull(u) for u in _units(shape, self.value)]
        if not sweeps:
            return [_nothing(shape, x) for x in self.points]
        return [
            np.reshape(np.stack(rows), shape + shape_of(x))
            for x, rows in zip(self.points, zip(*sweeps, strict=True), strict=True)
        ]

    def columns(self, i: int) -> Any:
        """The Jacobian by an input, a forward sweep for each of its entries."""
        x, shape = self.points[i], shape_of(self.value)
        columns = []
        for v in _units(shape_of(x), x):
            found = None
            if self.output is not None:
                found = self.tape.push([self.inputs[i]], [v], self.output)
            columns.append(np.zeros(shape) if found is None else found)
        if not columns:
            return _nothing(shape, x)
        return like(x, np.reshape(np.stack(columns, axis=-1), shape + shape_of(x)))

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
    if array.dtype == object and array.size:
        return of_objects(array)
    if array.dtype.kind in "iub":
        return array.astype(np.float64)
    if array.dtype.kind != "f":
        raise TypeError(
            f"derivatives are taken by arrays of real numbers; found {array.dtype} "
            f"({type(x).__name__})."
        )
    return array


def array_returned(y: Any, tracer: Tracer) -> Any:
    """What a function returned to its tracer; refuses what is no array of real numbers."""
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
        return array_returned(of_objects(array), tracer)
    kinds = "iuf" if isinstance(y, int) else "f"
    if array is None or array.dtype.kind not in kinds or isinstance(y, bool):
        raise TypeError(
            f"the function returned {_kind(y)}; it must return one array of floating-point numbers "
            "or a number (np.stack or np.concatenate make one of several)."
        )
    return np.array(array)


def _kind(y: Any) -> str:
    """What something is, for messages."""
    name = type(y).__name__
    return f"{name} of {y.dtype}" if isinstance(y, np.ndarray) else name


def of_shape(v: Any, shape: tuple[int, ...], name: str, what: str) -> Any:
    """A tangent or cotangent; refuses another shape than that of what it belongs to."""
    v = v if isinstance(v, Traced) else real(v)
    if shape_of(v) != shape:
        raise ValueError(f"{name} has shape {shape_of(v)}; {what} of shape {shape}.")
    return v


def like(x: Any, g: Any) -> Any:
    """A derivative as a result: an array of its own, of the type of x; zeros for None."""
    if g is None:
        return np.zeros_like(constant(x))
    if isinstance(g, TracedArray):
        dtype = np.asarray(constant(x)).dtype
        return g if g.dtype == dtype else call("astype", g, dtype=dtype)
    return of_its_own(np.asarray(g, dtype=np.asarray(constant(x)).dtype))


def of_its_own(y: Any, others: Sequence[Any] = ()) -> Any:
    """A result as an array that shares no memory with others."""
    if isinstance(y, Traced):
        return y
    y = np.asarray(y)
    own = y.flags.owndata and y.flags.writeable and not any(y is x for x in others)
    return y if own else y.copy()


def _units(shape: tuple[int, ...], like: Any) -> Any:
    """The arrays of a shape with a single 1, of the type of another array."""
    for index in np.ndindex(*shape):
        unit = np.zeros(shape, np.asarray(constant(like)).dtype)
        unit[index] = 1.0
        yield unit


def _nothing(shape: tuple[int, ...], x: Any) -> Any:
    return np.zeros(shape + shape_of(x), np.asarray(constant(x)).dtype)
