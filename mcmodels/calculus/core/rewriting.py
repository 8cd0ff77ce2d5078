"""Rebuilding expressions: a node from new children, substitution, and a walk over all parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from mcmodels.calculus.core import arithmetic, functions
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.contraction import contraction_of
from mcmodels.calculus.core.einsum_nodes import Einsum
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.elementwise_special import polygamma_of
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.matrix_functions import MATRIX_CONSTRUCTORS
from mcmodels.calculus.core.norms import NORM_CONSTRUCTORS
from mcmodels.calculus.core.pairwise import choose, pairwise

__all__ = ["parts_of", "rebuilt", "rewrite", "substitute", "with_children"]

Children = Sequence[Expression]

# The constructors that bring a kind of node into normal form; each takes the fields of the node.
# A kind that is not here is in normal form whatever its children are.
_CONSTRUCTORS: dict[type[Expression], Callable[..., Expression]] = {
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
}


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
    """The expression with parts replaced by others of the same shape."""
    sought = [(old.used, old.height) for old in values]

    def replace(part: Expression) -> Expression | None:
        found = values.get(part)
        if found is None and not any(
            height < part.height and used <= part.used for used, height in sought
        ):
            return part  # nothing that is replaced can be inside
        return found

    return rewrite(expression, replace)


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
