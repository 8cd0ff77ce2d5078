"""A hint for ``x.T * A * x``: it is a matrix, and ``x.T @ A @ x`` the quadratic form."""

from __future__ import annotations

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import assemble, hadamard, matmul, parts, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.calculus.core.sizes import ONE, ShapeError

__all__ = ["product_meant"]

_Sides = tuple[Expression | None, list[Expression], Expression | None]


def product_meant(expression: Expression) -> str:
    """What an array in the place of a scalar says of ``*`` in it; empty if there is none."""
    found = list(parts_of(expression))
    for part in found:
        row, inside, column = _sides(part)
        if row is not None and column is not None and inside:
            try:
                form = matmul([transpose(row), hadamard(inside), column])
            except ShapeError:
                continue
            return f"* works entry by entry: {form} is the quadratic form"
    if any(isinstance(part, N.Hadamard) for part in found):
        return "* works entry by entry; write @ where a matrix product is meant"
    return ""


def _sides(e: Expression) -> _Sides:
    """u, M, v of (1uᵀ) ∘ M ∘ (v1ᵀ), which is also diag(v) M diag(u)."""
    row = column = None
    inside: list[Expression] = []
    if isinstance(e, N.Hadamard):
        for factor in e.children:
            coefficient, scalars, array = parts(factor)
            children = array.children if isinstance(array, N.Product) else ()
            if children and _is_ones(children[0], column=True):
                row = transpose(assemble(coefficient, scalars, matmul(children[1:])))
            elif children and _is_ones(children[-1], column=False):
                column = assemble(coefficient, scalars, matmul(children[:-1]))
            else:
                inside.append(factor)
    elif isinstance(e, N.Product) and len(e.children) > 2:
        first, *middle, last = e.children
        if isinstance(first, N.DiagonalMatrix) and isinstance(last, N.DiagonalMatrix):
            return last.argument, [matmul(middle)], first.argument
    return row, inside, column


def _is_ones(e: Expression, column: bool) -> bool:
    ones = transpose(e) if not column else e
    return isinstance(ones, N.Ones) and ones.cols == ONE
