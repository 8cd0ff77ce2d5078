"""Rebuilding expressions: a node from new children, substitution, and a walk over all parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mcmodels.calculus import arithmetic, functions
from mcmodels.calculus import nodes as N
from mcmodels.calculus.elementwise import elementwise
from mcmodels.calculus.expression import Expression

__all__ = ["parts_of", "rebuilt", "rewrite", "substitute", "with_children"]

Children = Sequence[Expression]

_REBUILD: dict[type[Expression], Callable[[Any, Children], Expression]] = {
    N.Sum: lambda e, c: arithmetic.add(c),
    N.Scaled: lambda e, c: arithmetic.scale(e.coefficient, *c),
    N.Product: lambda e, c: arithmetic.matmul(c),
    N.Hadamard: lambda e, c: arithmetic.hadamard(c),
    N.Power: lambda e, c: arithmetic.power(*c),
    N.MatrixPower: lambda e, c: arithmetic.matrix_power(*c),
    N.Transpose: lambda e, c: arithmetic.transpose(*c),
    N.Elementwise: lambda e, c: elementwise(e.name, *c),
    N.Trace: lambda e, c: functions.trace(*c),
    N.Det: lambda e, c: functions.det(*c),
    N.LogDet: lambda e, c: functions.logdet(*c),
    N.Norm: lambda e, c: functions.norm(*c),
    N.Total: lambda e, c: functions.sum(c[0]),
    N.DiagonalMatrix: lambda e, c: functions.diag(*c),
    N.Diagonal: lambda e, c: functions.diag(*c),
    N.Vec: lambda e, c: arithmetic.vec(*c),
    N.Unvec: lambda e, c: arithmetic.unvec(c[0], e.rows, e.cols),
    N.Kron: lambda e, c: arithmetic.kron(*c),
    N.Softmax: lambda e, c: N.Softmax(*c),
    N.LogSumExp: lambda e, c: N.LogSumExp(*c),
    N.BlockSum: lambda e, c: arithmetic.block_sum(c[0], c[1], e.rows, e.cols),
    N.BlockTrace: lambda e, c: arithmetic.block_trace(c[0], c[1], e.rows, e.cols),
    N.Unevaluated: lambda e, c: N.Unevaluated(c[0], e.variables),
}


def with_children(node: Expression, children: Children) -> Expression:
    """A node of the same kind with other children, in normal form."""
    return _REBUILD[type(node)](node, children)


def rebuilt(node: Expression, children: Children) -> Expression:
    """The node with these children; itself where they are the ones it has."""
    same = all(new is old for new, old in zip(children, node.children, strict=True))
    return node if same else with_children(node, children)


def rewrite(
    expression: Expression, replace: Callable[[Expression], Expression | None]
) -> Expression:
    """The expression with every part, from the outside inwards, replaced where ``replace`` says so.

    What ``replace`` returns is not looked at again.
    """
    known: dict[bytes, Expression] = {}

    def walk(part: Expression) -> Expression:
        if part.key in known:
            return known[part.key]
        result = replace(part)
        if result is None:
            result = rebuilt(part, [walk(child) for child in part.children])
        known[part.key] = result
        return result

    return walk(expression)


def substitute(expression: Expression, values: Mapping[Expression, Expression]) -> Expression:
    """The expression with parts replaced by others of the same shape."""
    return rewrite(expression, values.get)


def parts_of(expression: Expression) -> Iterator[Expression]:
    """Every distinct part, itself included, children before parents."""
    seen: set[bytes] = set()

    def walk(part: Expression) -> Iterator[Expression]:
        if part.key in seen:
            return
        seen.add(part.key)
        for child in part.children:
            yield from walk(child)
        yield part

    return walk(expression)
