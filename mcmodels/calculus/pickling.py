"""Expressions as plain lists of their nodes: what pickling and copying keep of them.

A list, because nodes may be nested deeper than pickle follows, and shared by many others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcmodels.calculus import nodes as N
from mcmodels.calculus.expression import Expression

__all__ = ["pickled"]

# Kind, indices of the children in the list, and whatever else the constructor needs.
Step = tuple[str, tuple[int, ...], tuple[Any, ...]]
Steps = tuple[Step, ...]


def pickled(expression: Expression) -> tuple[Callable[..., Expression], tuple[Any, ...]]:
    """A function and its arguments that give an equal expression, for ``__reduce__``."""
    places: dict[bytes, int] = {}
    steps: list[Step] = []
    waiting = [expression]
    while waiting:
        node = waiting[-1]
        children = _children(node)
        missing = [child for child in children if child.key not in places]
        if missing:
            waiting.extend(reversed(missing))
            continue
        waiting.pop()
        if node.key not in places:
            places[node.key] = len(steps)
            own = tuple(places[child.key] for child in children)
            steps.append((type(node).__name__, own, _KEPT[type(node)](node)))
    context = sorted(expression.context, key=lambda symbol: symbol.name)
    return restored, (tuple(steps), tuple(context))


def restored(steps: Steps, context: tuple[N.Symbol, ...]) -> Expression:
    """The expression that a list of nodes ends with, in its context."""
    built: list[Expression] = []
    for kind, places, kept in steps:
        built.append(_BUILT[kind]([built[place] for place in places], *kept))
    return built[-1].within(frozenset(context)) if context else built[-1]


def _children(node: Expression) -> tuple[Expression, ...]:
    if isinstance(node, N.Differential):
        return (node.of,)
    if isinstance(node, N.Unevaluated):
        return (*node.children, *sorted(node.variables, key=lambda symbol: symbol.name))
    return node.children


def _nothing(node: Expression) -> tuple[Any, ...]:
    return ()


def _shape(node: Any) -> tuple[Any, ...]:
    return node.rows, node.cols


_OF_CHILDREN = (
    N.Differential,
    N.Power,
    N.MatrixPower,
    N.Transpose,
    N.Trace,
    N.Det,
    N.LogDet,
    N.Norm,
    N.Total,
    N.DiagonalMatrix,
    N.Diagonal,
    N.Vec,
    N.Softmax,
    N.LogSumExp,
    N.Kron,
)
_KEPT: dict[type[Expression], Callable[[Any], tuple[Any, ...]]] = {
    **dict.fromkeys(_OF_CHILDREN, _nothing),
    **dict.fromkeys((N.Sum, N.Product, N.Hadamard, N.Unevaluated), _nothing),
    **dict.fromkeys((N.Zeros, N.Ones, N.Unvec, N.BlockSum, N.BlockTrace), _shape),
    N.Symbol: lambda e: (e.name, e.rows, e.cols, e.declared),
    N.Number: lambda e: (e.value,),
    N.SizeValue: lambda e: (e.name,),
    N.Identity: lambda e: (e.rows,),
    N.Unit: lambda e: (e.index, e.rows),
    N.Commutation: lambda e: (e.m, e.n),
    N.DiagonalSelection: lambda e: (e.n,),
    N.Scaled: lambda e: (e.coefficient, e.array is None),
    N.Elementwise: lambda e: (e.name,),
}


def _scaled(children: list[Expression], coefficient: Any, scalar: bool) -> Expression:
    array = None if scalar else children[-1]
    return N.Scaled(coefficient, tuple(children if scalar else children[:-1]), array)


def _plain(kind: Callable[..., Expression]) -> Callable[..., Expression]:
    return lambda children, *kept: kind(*children, *kept)


_BUILT: dict[str, Callable[..., Expression]] = {
    **{kind.__name__: _plain(kind) for kind in _KEPT},
    "Sum": lambda children: N.Sum(children),
    "Product": lambda children: N.Product(children),
    "Hadamard": lambda children: N.Hadamard(children),
    "Scaled": _scaled,
    "Elementwise": lambda children, name: N.Elementwise(name, *children),
    "Unevaluated": lambda children: N.Unevaluated(children[0], frozenset(children[1:])),
}
