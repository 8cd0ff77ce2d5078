"""Rewrites of products, traces and sums of entries: cancelling, joining constants and diagonals."""

from __future__ import annotations

from mcmodels.calculus.core import functions
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, hadamard, inverse, matmul, ones, parts, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import UnitAt
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.sizes import ONE

__all__ = [
    "constants_joined",
    "diagonals_joined",
    "distributed",
    "inverses_opened",
    "rotated",
    "sum_of_elementwise",
    "sum_of_entries",
    "total",
]


def inverses_opened(e: N.Product) -> Expression | None:
    """(AXB)⁻¹ as B⁻¹X⁻¹A⁻¹, where the neighbours cancel against it."""
    factors: list[Expression] = []
    for factor in e.children:
        flipped = isinstance(factor, N.Transpose)
        inner = factor.children[0] if flipped else factor
        opened = _opened_inverse(inner)
        factors.append(factor if opened is None else transpose(opened) if flipped else opened)
    if all(new is old for new, old in zip(factors, e.children, strict=True)):
        return None
    return matmul(factors)


def _opened_inverse(e: Expression) -> Expression | None:
    if (
        isinstance(e, N.MatrixPower)
        and e.is_inverse
        and isinstance(e.base, N.Product)
        and all(factor.is_square for factor in e.base.children)
    ):
        return matmul([inverse(factor) for factor in reversed(e.base.children)])
    return None


def distributed(e: N.Product) -> Expression | None:
    """A sum opened, where its terms join with their neighbours."""
    for i, factor in enumerate(e.children):
        if isinstance(factor, N.Sum):
            before, after = e.children[:i], e.children[i + 1 :]
            return add([matmul([*before, term, *after]) for term in factor.children])
    return None


def sum_of_elementwise(e: N.Product) -> Expression | None:
    """uᵀv as sum(u∘v), where something cancels in u∘v; 1ᵀy = 1 of a probability vector."""
    if not (e.is_scalar and len(e.children) == 2):
        return None
    left, right = transpose(e.children[0]), e.children[1]
    return total(functions.sum(hadamard([left, right])))


def total(e: Expression) -> Expression:
    """The sum of a probability vector is 1, as is that of a unit vector."""
    coefficient, scalars, _ = parts(e)
    if len(scalars) == 1 and isinstance(scalars[0], N.Total):
        argument = scalars[0].argument
        if isinstance(argument, N.Unit | UnitAt):
            return number(coefficient)
        if isinstance(argument, N.Symbol) and "probability" in argument.declared:
            return number(coefficient)
    return e


def constants_joined(e: N.Product) -> Expression | None:
    """A column of ones times a row of ones is a matrix of ones, which a ∘ can drop."""
    left, right = e.children[0], e.children[-1]
    if len(e.children) == 2 and isinstance(left, N.Ones) and isinstance(right, N.Ones):
        return ones(left.rows, right.cols) if left.cols == ONE else None
    return None


def sum_of_entries(e: N.Product) -> Expression | None:
    """1ᵀA1 = sum(A)."""
    first, last = e.children[0], e.children[-1]
    if not (e.is_scalar and isinstance(first, N.Ones) and isinstance(last, N.Ones)):
        return None
    if len(e.children) < 3 or first.rows != ONE or last.cols != ONE:
        return None
    middle = matmul(e.children[1:-1])
    return functions.sum(middle.argument if isinstance(middle, N.Transpose) else middle)


def diagonals_joined(e: N.Product) -> Expression | None:
    """diag(u) diag(v) = diag(u∘v)."""
    for i in range(len(e.children) - 1):
        left, right = e.children[i : i + 2]
        if isinstance(left, N.DiagonalMatrix) and isinstance(right, N.DiagonalMatrix):
            joined = functions.diag(hadamard([left.argument, right.argument]))
            return matmul([*e.children[:i], joined, *e.children[i + 2 :]])
    return None


def rotated(e: N.Trace) -> Expression | None:
    """tr(AB) as tr(BA), where the ends cancel or meet in a scalar."""
    if isinstance(e.argument, N.Product):
        c = e.argument.children
        for i in range(1, len(c)):
            turned = functions.trace(matmul([*c[i:], *c[:i]]))
            if turned.height < e.height or not isinstance(turned, N.Trace):
                return turned
    return None
