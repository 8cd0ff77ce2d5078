"""How the functions of `core.function_nodes` are called, in every notation."""

from __future__ import annotations

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core.arithmetic import add, assemble, parts
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Ones, Sum
from mcmodels.calculus.core.numbers import magnitude, number
from mcmodels.calculus.core.pairwise import unfilled

__all__ = ["FUNCTION_NODES", "called", "compared", "sides"]

FUNCTION_NODES: tuple[type[Expression], ...] = tuple(getattr(F, name) for name in F.__all__)

_NAMES: dict[type[Expression], str] = {
    F.Largest: "amax",
    F.Hardmax: "hardmax",
    F.Polar: "polar",
    F.Pinv: "pinv",
    F.Eigenvalues: "eigvalsh",
    F.Eigenvectors: "eigvecsh",
    F.ReciprocalGaps: "reciprocal_gaps",
}


def called(e: Expression) -> tuple[str, tuple[Expression, ...]]:
    """The name under which a node is called, and its arguments; not of `Where` and norms."""
    if isinstance(e, F.Pairwise):
        return e.name, (unfilled(e.left, (e.right,)), unfilled(e.right, (e.left,)))
    if isinstance(e, F.Polygamma):
        return "polygamma", (number(e.order), e.argument)
    if isinstance(e, F.MatrixFunction):
        return e.name, e.children
    if isinstance(e, F.Frechet):
        return f"{e.name}_frechet", e.children
    if isinstance(e, F.FrechetMatrix):
        return f"{e.name}_frechet_matrix", e.children
    return _NAMES[type(e)], e.children


def sides(e: F.Where) -> tuple[Expression, Expression, Expression, Expression]:
    """Left and right of the comparison ``>`` of a choice, and its two branches."""
    c = e.children
    left, right = compared(c[0])
    beside = tuple(c)
    test = unfilled(left, (*beside[1:], right)), unfilled(right, (*beside[1:], left))
    branches = tuple(unfilled(c[i], (*c[:i], *c[i + 1 :])) for i in (1, 2))
    return test[0], test[1], branches[0], branches[1]


def compared(condition: Expression) -> tuple[Expression, Expression]:
    """What is added in a condition, and what is subtracted; 0 where it is nothing."""
    if not isinstance(condition, Sum):
        coefficient, scalars, array = parts(condition)
        if coefficient < 0 and not isinstance(array, Ones):
            return number(0), assemble(magnitude(coefficient), scalars, array)
        return condition, number(0)
    added: list[Expression] = []
    subtracted: list[Expression] = []
    for term in condition.children:
        coefficient, scalars, array = parts(term)
        plain = assemble(magnitude(coefficient), scalars, array)
        (added if coefficient > 0 else subtracted).append(plain)
    none = number(0)
    return (add(added) if added else none), (add(subtracted) if subtracted else none)
