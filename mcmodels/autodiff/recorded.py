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
from mcmodels.autodiff.careful import CarefulTape, has_nan, warn_nan
from mcmodels.autodiff.forward import Dual
from mcmodels.autodiff.refusals import traced_call
from mcmodels.autodiff.reverse import Tape, Variable
from mcmodels.autodiff.tables import shape_of
from mcmodels.autodiff.tracing import Traced, constant, is_complex, tracing

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
        self._single = is_single(argnums)
        self._plain = _plain_arrays(argnums, args)
        self._call = (f, argnums, args, kwargs, has_aux)
        self._record(Tape())

    def _record(self, tape: Tape) -> None:
        f, argnums, args, kwargs, has_aux = self._call
        self.tape = tape
        if self._plain is None:
            returned = self._called(f, argnums, args, kwargs)
        else:
            # The usual case takes a short way: for a small function this is most of the time.
            arguments = [*args]
            self.points = []
            for position, x in self._plain:
                self.points.append(x)
                arguments[position] = tape.input(x)
            returned = traced_call(f, arguments, kwargs)
        tape.ended = True
        self.aux = None
        if has_aux:
            returned, self.aux = split_aux(returned, tape)
        y = returned_array(returned, tape)
        on_tape = isinstance(y, Variable) and y.tracer is tape
        self.output = y if on_tape else None
        if tape.watched:
            self.require_unchanged()
        self.value = unshared(y.value, self.points) if on_tape else y

    def _checked(
        self, compute: Callable[[], list[Any]], forwards: Callable[[], list[Any]] | None = None
    ) -> list[Any]:
        """Derivatives; those that are NaN are computed again, with limits of 0/0, and forwards.

        Backwards a branch that ``np.where`` does not take gets the cotangent 0, and 0·∞ is NaN;
        forwards its tangent is not taken.
        """
        found = compute()
        if not any(map(has_nan, found)):
            return found
        if type(self.tape) is Tape:
            self._record_with_limits()
            found = compute()
        if has_nan(self.value):
            return found
        entries = sum(math.prod(shape_of(x)) for x in self.points)
        if forwards is not None and entries <= _MOST_COLUMNS and any(map(has_nan, found)):
            pairs = zip(found, forwards(), strict=True)
            found = [np.where(np.isnan(constant(g)), h, g) if has_nan(g) else g for g, h in pairs]
        warn_nan(found)
        return found

    def require_value(self) -> None:
        """Record the function again, with limits for quotients 0/0, if its value is NaN."""
        if type(self.tape) is Tape and has_nan(self.value):
            self._record_with_limits()

    def _record_with_limits(self) -> None:
        """Record the function again, with limits for terms 0/0.

        Not where it chooses by a comparison of equal values: on the other side of the point there
        may be another limit.
        """
        before, tape = (tracing.limits, tracing.tied), CarefulTape()
        tracing.limits, tracing.tied = True, False
        try:
            self._record(tape)
            one_sided = tracing.tied
        finally:
            tracing.limits, tracing.tied = before
        if one_sided and tape.has_limits:
            self._record(Tape())

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
        found = self._pull(u)
        for g in found:
            if has_nan(g):
                return (
                    found
                    if has_nan(u)
                    else self._checked(lambda: self._pull(u), lambda: self._pulled_forwards(u))
                )
        return found

    def _pulled_forwards(self, u: Any) -> list[Any]:
        axes = np.ndim(constant(u))
        pairs = zip(self.points, self._every_column(), strict=True)
        return [result_like(x, np.tensordot(u, J, axes)) for x, J in pairs]

    def _pull(self, u: Any) -> list[Any]:
        points = self.points
        found: list[Any] = [None] * len(points)
        if self.output is not None:
            found = self.tape.pull(self.output, u, len(points))
        if len(points) == 1:
            result = result_like(points[0], found[0])
            return [result.copy() if result is u else result]
        taken = {id(u)}
        results = []
        for x, g in zip(points, found, strict=True):
            result = result_like(x, g)
            # No two results may be the same array, and none may be the u that was passed in.
            results.append(result.copy() if id(result) in taken else result)
            taken.add(id(result))
        return results

    def along(self, tangents: Sequence[Any]) -> Any:
        """``Jv`` for a tangent of each input; None stands for zero."""

        def pushed() -> list[Any]:
            parts = [self.push(v, i) for i, v in enumerate(tangents) if v is not None]
            known = [part for part in parts if part is not None]
            return [sum(known[1:], known[0]) if known else np.zeros(shape_of(self.value))]

        return self._checked(pushed)[0]

    def push(self, v: Any, i: int = 0) -> Any:
        """``Jv`` for a tangent of one input; None for zero."""
        if self.output is None:
            return None
        return self.tape.push(i, v, self.tape.lines_to(self.output))

    def rows(self) -> list[Any]:
        """The Jacobian by each input: one backward sweep for each output."""
        return self._checked(self._rows, self._every_column)

    def _every_column(self) -> list[Any]:
        return [self._columns(i) for i in range(len(self.points))]

    def _rows(self) -> list[Any]:
        shape = shape_of(self.value)
        sweeps = [self._pull(u) for u in _unit_arrays(shape, self.value)]
        if not sweeps:
            return [_empty_jacobian(shape, x) for x in self.points]
        return [
            np.reshape(_stacked(rows), shape + shape_of(x))
            for x, rows in zip(self.points, zip(*sweeps, strict=True), strict=True)
        ]

    def columns(self, i: int) -> Any:
        """The Jacobian by one input: one forward sweep for each of its entries."""
        return self._checked(lambda: [self._columns(i)])[0]

    def _columns(self, i: int) -> Any:
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
        found = results if self._plain is not None else self._in_trees(results)
        return found[0] if self._single else tuple(found)

    def _in_trees(self, results: Sequence[Any]) -> list[Any]:
        if len(self.trees) == 1:
            return [self.trees[0].rebuilt(results)]
        found, start = [], 0
        for tree in self.trees:
            stop = start + len(tree.leaves)
            found.append(tree.rebuilt(results[start:stop]))
            start = stop
        return found


_ONE = np.float64(1.0)
_MOST_COLUMNS = 500  # forward sweeps in the place of one backwards
_FLOAT64 = np.dtype(np.float64)


def _plain_arrays(argnums: Any, args: Sequence[Any]) -> list[tuple[int, Any]] | None:
    """The positions of the arguments and the arguments, if all of them are arrays of float64."""
    if type(argnums) is int:
        argnums = (argnums,)
    elif type(argnums) is not tuple or len(set(argnums)) < len(argnums):
        return None
    found = []
    for k in argnums:
        if not (type(k) is int and 0 <= k < len(args)):
            return None
        x = args[k]
        kind = type(x)
        is_plain = kind is np.ndarray and x.dtype is _FLOAT64
        is_traced = (kind is Variable or kind is Dual) and not is_complex(x)
        if not (is_plain or is_traced):
            return None
        found.append((k, x))
    return found


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
