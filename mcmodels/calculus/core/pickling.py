"""Pickling and copying: an expression as a plain list of its nodes.

A list, because nodes may be nested deeper than the recursion of pickle allows, and because a node
that is used several times is stored once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mcmodels.calculus.core import einsum_nodes, function_nodes, index_nodes, nodes
from mcmodels.calculus.core.expression import Expression

__all__ = ["pickled"]

_KINDS = {
    name: getattr(module, name)
    for module in (nodes, function_nodes, einsum_nodes, index_nodes)
    for name in module.__all__
}
Entry = tuple[str, tuple[Any, ...]]  # the kind of a node, and its fields with a Place for each node


@dataclass(frozen=True)
class Place:
    """The index in the list of a node that another one holds."""

    index: int


def pickled(expression: Expression) -> tuple[Callable[..., Expression], tuple[Any, ...]]:
    """A function and its arguments that give an equal expression, for ``__reduce__``."""
    places: dict[bytes, Place] = {}
    entries: list[Entry] = []
    waiting = [expression]
    while waiting:
        node = waiting[-1]
        missing = [inner for inner in _held(node.arguments()) if inner.key not in places]
        if missing:
            waiting.extend(reversed(missing))
            continue
        waiting.pop()
        if node.key not in places:
            places[node.key] = Place(len(entries))
            fields = _exchanged(node.arguments(), Expression, lambda held: places[held.key])
            entries.append((type(node).__name__, fields))
    context = sorted(expression.context, key=lambda symbol: symbol.name)
    return restored, (tuple(entries), tuple(context), expression.is_derivative)


def restored(
    entries: tuple[Entry, ...], context: tuple[nodes.Symbol, ...], is_derivative: bool = False
) -> Expression:
    """The expression that a list of nodes ends with, in its context."""
    built: list[Expression] = []
    for kind, fields in entries:
        arguments = _exchanged(fields, Place, lambda place: built[place.index])
        built.append(_KINDS[kind](*arguments))
    result = built[-1].within(frozenset(context)) if context else built[-1]
    return result.as_derivative() if is_derivative else result


def _held(fields: tuple[Any, ...]) -> Iterator[Expression]:
    """The nodes among the fields of a node, those in tuples and sets included."""
    for value in fields:
        for inner in value if isinstance(value, tuple | frozenset) else (value,):
            if isinstance(inner, Expression):
                yield inner


def _exchanged(fields: tuple[Any, ...], kind: type, new: Callable[[Any], Any]) -> tuple[Any, ...]:
    """The fields with another value for each of a kind, also in tuples and sets."""
    return tuple(
        type(value)(new(inner) if isinstance(inner, kind) else inner for inner in value)
        if isinstance(value, tuple | frozenset)
        else new(value)
        if isinstance(value, kind)
        else value
        for value in fields
    )
