"""One call of a function, recorded on a tape, and products with the Jacobian at that point."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from mcmodels.autodiff.arguments import (
    Argnums,
    is_single,
    places_of,
    real_leaves,
    result_like,
    returned_array,
    split_aux,
    unshared,
)
from mcmodels.autodiff.forward import Dual
from mcmodels.autodiff.refusals import traced_call
from mcmodels.autodiff.reverse import Tape, Variable
from mcmodels.autodiff.tables import shape_of
from mcmodels.autodiff.tracing import Traced, constant

__all__ = ["Recorded"]


class Recorded:
    """One call of a function, with the tape of the call.

    Parameters
    ----------
    f : callable
        The function.
    argnums : int, str, or sequence of them
        Positions or names of the arguments to differentiate by.
    args, kwargs
        Its arguments.
    has_aux : bool, default=False
        Whether the function returns a pair, the second of which is not differentiated.

    Attributes
    ----------
    points : list
        The arrays that are differentiated by: those of all these arguments, in order.
    value, aux
        What the function returned.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        argnums: Argnums,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        *,
        has_aux: bool = False,
    ) -> None:
        self.tape = Tape()
        self._single = is_single(argnums)
        self._only = _only_array(argnums, args)
        if self._only is None:
            returned = self._called(f, argnums, args, kwargs)
        else:
            # The usual case takes a short way: for a small function this is most of the time.
            position, x = self._only
            self.points = [x]
            arguments = [*args]
            arguments[position] = self.tape.input(x)
            returned = traced_call(f, arguments, kwargs)
        self.tape.ended = True
        self.aux = None
        if has_aux:
            returned, self.aux = split_aux(returned, self.tape)
        y = returned_array(returned, self.tape)
        on_tape = isinstance(y, Variable) and y.tracer is self.tape
        self.output = y if on_tape else None
        if self.tape.watched:
            self.require_unchanged()
        self.value = unshared(y.value, self.points) if on_tape else y

    def _called(
        self, f: Callable[..., Any], argnums: Argnums, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        places = places_of(argnums, f, args, kwargs)
        named = dict(kwargs)
        self.trees = [real_leaves(named[k] if isinstance(k, str) else args[k]) for k in places]
        self.points = [x for tree in self.trees for x in tree.leaves]
        inputs = [self.tape.input(x) for x in self.points]
        arguments = list(args)
        for k, argument in zip(places, self._in_trees(inputs), strict=True):
            if isinstance(k, str):
                named[k] = argument
            else:
                arguments[k] = argument
        return traced_call(f, arguments, named)

    def require_unchanged(self) -> None:
        """Refuse plain arrays that were overwritten since the function took them."""
        if self.output is not None:
            self.tape.require_unchanged(self.output)

    def require_scalar(self, operator: str) -> None:
        """Refuse a function that did not return one number, or an array of one."""
        shape = self.value.shape
        if shape != () and math.prod(shape) != 1:
            raise ValueError(
                f"{operator} needs a function that returns a scalar; it returned an array of shape "
                f"{shape}. Sum it, take an entry, or use jacobian or vjp."
            )

    def slopes(self) -> list[Any]:
        """The gradient of a scalar by each input."""
        value = self.value
        if type(value) is np.ndarray and value.shape == () and value.dtype is _FLOAT64:
            return self.pull(_ONE)
        return self.pull(np.ones_like(constant(value)))

    def pull(self, u: Any) -> list[Any]:
        """``Jᵀu`` for each input that is differentiated by."""
        found: list[Any] = [None] * len(self.points)
        if self.output is not None:
            found = self.tape.pull(self.output, u, len(self.points))
        taken = {id(u)}
        results = []
        for x, g in zip(self.points, found, strict=True):
            result = result_like(x, g)
            # No two results may be the same array, and none may be the u that was passed in.
            results.append(result.copy() if id(result) in taken else result)
            taken.add(id(result))
        return results

    def push(self, v: Any, i: int = 0) -> Any:
        """``Jv`` for a tangent of one input; None for zero."""
        if self.output is None:
            return None
        return self.tape.push(i, v, self.tape.lines_to(self.output))

    def rows(self) -> list[Any]:
        """The Jacobian by each input: one backward sweep for each output."""
        shape = shape_of(self.value)
        sweeps = [self.pull(u) for u in _unit_arrays(shape, self.value)]
        if not sweeps:
            return [_empty_jacobian(shape, x) for x in self.points]
        return [
            np.reshape(_stacked(rows), shape + shape_of(x))
            for x, rows in zip(self.points, zip(*sweeps, strict=True), strict=True)
        ]

    def columns(self, i: int) -> Any:
        """The Jacobian by one input: one forward sweep for each of its entries."""
        x, shape = self.points[i], shape_of(self.value)
        lines = [] if self.output is None else self.tape.lines_to(self.output)
        columns = []
        for v in _unit_arrays(shape_of(x), x):
            found = self.tape.push(i, v, lines) if lines else None
            columns.append(np.zeros(shape) if found is None else found)
        if not columns:
            return _empty_jacobian(shape, x)
        stacked = _stacked(columns)
        order = (*range(1, len(shape) + 1), 0)
        return result_like(x, np.reshape(stacked.transpose(order), shape + shape_of(x)))

    def packed(self, results: Sequence[Any]) -> Any:
        """Results for the points, in the containers of the arguments; a tuple for several."""
        found = self._in_trees(results)
        return found[0] if self._single else tuple(found)

    def _in_trees(self, results: Sequence[Any]) -> list[Any]:
        if self._only is not None:
            return [results[0]]
        if len(self.trees) == 1:
            return [self.trees[0].rebuilt(results)]
        found, start = [], 0
        for tree in self.trees:
            stop = start + len(tree.leaves)
            found.append(tree.rebuilt(results[start:stop]))
            start = stop
        return found


_ONE = np.float64(1.0)
_FLOAT64 = np.dtype(np.float64)


def _only_array(argnums: Any, args: Sequence[Any]) -> tuple[int, Any] | None:
    """The position of the argument and the argument, if it is one, and an array of float64."""
    if type(argnums) is tuple and len(argnums) == 1:
        (argnums,) = argnums
    if type(argnums) is int and 0 <= argnums < len(args):
        x = args[argnums]
        kind = type(x)
        if (kind is np.ndarray and x.dtype is _FLOAT64) or kind is Variable or kind is Dual:
            return argnums, x
    return None


def _stacked(parts: Sequence[Any]) -> Any:
    """Arrays of one shape as one array, along a new first axis."""
    if any(isinstance(part, Traced) for part in parts):
        return np.stack(parts)
    return np.array(parts)


def _unit_arrays(shape: tuple[int, ...], like: Any) -> Iterator[np.ndarray]:
    """All arrays of a shape with one entry 1 and the others 0, of the type of another array."""
    dtype = np.asarray(constant(like)).dtype
    for k in range(math.prod(shape)):
        unit = np.zeros(shape, dtype)
        unit.reshape(-1)[k] = 1.0
        yield unit


def _empty_jacobian(shape: tuple[int, ...], x: Any) -> Any:
    """The Jacobian where the value or x has no entries."""
    return np.zeros(shape + shape_of(x), np.asarray(constant(x)).dtype)
