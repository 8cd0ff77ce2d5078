"""Rebuilding expressions: a node from new children, substitution, and a walk over all parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from mcmodels.calculus.core import arithmetic, functions
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.axis_functions import AXIS_CONSTRUCTORS
from mcmodels.calculus.core.contraction import contraction_of
from mcmodels.calculus.core.einsum_nodes import Einsum
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.elementwise_special import polygamma_of
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index, SumOver, UnitAt
from mcmodels.calculus.core.indices import fresh, indices_in, unit_at
from mcmodels.calculus.core.matrix_functions import MATRIX_CONSTRUCTORS
from mcmodels.calculus.core.norms import NORM_CONSTRUCTORS
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.pairwise import choose, pairwise
from mcmodels.calculus.core.sizes import Size

__all__ = [
    "apart",
    "closed_parts_of",
    "constructs",
    "exchanged",
    "parts_of",
    "rebuilt",
    "renamed",
    "rewrite",
    "substitute",
    "symbols_but_indices",
    "with_children",
]

Children = Sequence[Expression]
Constructor = Callable[..., Expression]


def _unit_at(position: Expression, shift: int, rows: Size) -> Expression:
    if isinstance(position, N.Number):
        return arithmetic.unit(int(position.value) + shift, rows)
    return unit_at(arithmetic.add([position, number(shift)]), rows)


# The constructors that bring a kind of node into normal form; each takes the fields of the node.
# A kind that is not here is in normal form whatever its children are.
_CONSTRUCTORS: dict[type[Expression], Constructor] = {
    N.Sum: arithmetic.add,
    N.Scaled: arithmetic.assemble,
    N.Product: arithmetic.matmul,
    N.Hadamard: arithmetic.hadamard,
    N.Power: arithmetic.power,
    N.MatrixPower: arithmetic.matrix_power,
    N.Transpose: arithmetic.transpose,
    N.Elementwise: elementwise,
    N.Trace: arithmetic.trace,
    N.Det: functions.det,
    N.LogDet: functions.logdet,
    N.Norm: functions.norm,
    N.Total: arithmetic.total,
    N.DiagonalMatrix: functions.diag,
    N.Diagonal: functions.diag,
    N.Vec: arithmetic.vec,
    N.Unvec: arithmetic.unvec,
    N.Kron: arithmetic.kron,
    N.BlockSum: arithmetic.block_sum,
    N.BlockTrace: arithmetic.block_trace,
    F.Polygamma: polygamma_of,
    F.Pairwise: pairwise,
    F.Where: choose,
    **NORM_CONSTRUCTORS,
    **MATRIX_CONSTRUCTORS,
    N.Stack: arithmetic.stack,
    Einsum: contraction_of,
    **AXIS_CONSTRUCTORS,
    UnitAt: _unit_at,
}


def constructs(kind: type[Expression]) -> Callable[[Constructor], Constructor]:
    """Enter the decorated function as the constructor of a kind of node.

    Sums over an index are made above this module, because they rename indices.
    """

    def enter(constructor: Constructor) -> Constructor:
        _CONSTRUCTORS[kind] = constructor
        return constructor

    return enter


def with_children(node: Expression, children: Children) -> Expression:
    """A node of the same kind with other children, in normal form."""
    construct = _CONSTRUCTORS.get(type(node), type(node))
    return construct(*node.arguments_with(children))


def rebuilt(node: Expression, children: Children) -> Expression:
    """The node with these children; the same object where they are its own."""
    same = all(new is old for new, old in zip(children, node.children, strict=True))
    return node if same else with_children(node, children)


def rewrite(
    expression: Expression, replace: Callable[[Expression], Expression | None]
) -> Expression:
    """The expression with every part, from the outside inwards, replaced where ``replace`` says so.

    The parts of what ``replace`` returns are not replaced again.
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
    """The expression with parts replaced by others of the same shape.

    An index that is free in what comes in stays free: sums in which it would be bound get another.
    """
    if values:
        symbols = {s for pair in values.items() for e in pair for s in e.used}
        names = frozenset(s.name for s in symbols if isinstance(s, Index))
        if names:
            expression = apart(expression, names)
    return exchanged(expression, values)


def exchanged(expression: Expression, values: Mapping[Expression, Expression]) -> Expression:
    """The same, also for parts of the terms of sums, whose indices are those of the sums."""
    sought = [(symbols_but_indices(old), old.height) for old in values]

    def replace(part: Expression) -> Expression | None:
        found = values.get(part)
        if found is None and not any(
            height < part.height and used <= part.used for used, height in sought
        ):
            return part  # nothing that is replaced can be inside
        return found

    return rewrite(expression, replace)


def symbols_but_indices(part: Expression) -> frozenset[N.Symbol]:
    """The symbols that anything around a part has, too, also outside of the sums over indices."""
    return frozenset(symbol for symbol in part.used if not isinstance(symbol, Index))


def parts_of(expression: Expression) -> Iterator[Expression]:
    """Every distinct part, itself included, children before parents."""
    seen = {expression.key}
    open_parts = [(expression, iter(expression.children))]
    while open_parts:
        part, children = open_parts[-1]
        for child in children:
            if child.key in seen:
                continue
            seen.add(child.key)
            if child.children:
                open_parts.append((child, iter(child.children)))
                break
            yield child
        else:
            open_parts.pop()
            yield part


def closed_parts_of(expression: Expression) -> Iterator[Expression]:
    """The parts that have a value by themselves: without those of the terms of sums."""
    for part in parts_of(expression):
        if all(s in expression.used for s in part.used if isinstance(s, Index)):
            yield part


# -- indices ---------------------------------------------------------------------------------------


def renamed(e: Expression, i: Index, name: str) -> Expression:
    """The expression with another name for an index where it is free."""
    if name == i.name:
        return e

    def replaced(part: Expression) -> Expression | None:
        if isinstance(part, SumOver) and part.index == i:
            return part  # which binds the index itself
        return Index(name, i.over) if part == i else None

    return rewrite(e, replaced)


def apart(e: Expression, names: frozenset[str]) -> Expression:
    """An equal expression whose sums have no index of these names."""
    around = indices_in(e)
    if names.isdisjoint(around):
        return e

    def replaced(part: Expression) -> Expression | None:
        if not isinstance(part, SumOver) or part.name not in names:
            return None
        body, condition = (apart(child, names) for child in part.children)
        symbols = {symbol.name for symbol in body.used | condition.used}
        taken = (
            names | around | indices_in(body) | indices_in(condition) | symbols | part.size_names
        )
        name = fresh(part.name, frozenset(taken))
        body, condition = (renamed(child, part.index, name) for child in (body, condition))
        return type(part)(body, condition, name, part.over)

    return rewrite(e, replaced)
