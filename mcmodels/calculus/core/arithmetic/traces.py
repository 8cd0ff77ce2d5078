"""Traces and sums: of all entries, and over the blocks of a matrix."""

from __future__ import annotations

from fractions import Fraction

from mcmodels.calculus.core.arithmetic.constants import identity, is_zero, zeros
from mcmodels.calculus.core.arithmetic.entrywise import parts, scale, size_value
from mcmodels.calculus.core.arithmetic.products import matmul
from mcmodels.calculus.core.arithmetic.transposes import transpose, upright
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import (
    BlockSum,
    BlockTrace,
    DiagonalMatrix,
    Identity,
    Kron,
    Number,
    Ones,
    Total,
    Trace,
    Zeros,
)
from mcmodels.calculus.core.sizes import Size

__all__ = ["block_sum", "block_trace", "inner_product", "total", "trace"]


def trace(expression: Expression) -> Expression:
    """The trace of a square matrix."""
    coefficient, scalars, array = parts(expression)
    if array is None:
        return expression
    if isinstance(array, Identity):
        return scale(coefficient, *scalars, size_value(array.rows))
    if isinstance(array, Zeros):
        return Number(Fraction(0))
    if isinstance(array, DiagonalMatrix):
        return scale(coefficient, *scalars, total(array.argument))
    return scale(coefficient, *scalars, Trace(upright(array)))


def total(expression: Expression) -> Expression:
    """The sum of all entries."""
    coefficient, scalars, array = parts(expression)
    if array is None:
        return expression
    if isinstance(array, Zeros):
        return Number(Fraction(0))
    if isinstance(array, Ones):
        return scale(coefficient, *scalars, size_value(array.rows * array.cols))
    return scale(coefficient, *scalars, Total(upright(array)))


def inner_product(a: Expression, b: Expression) -> Expression:
    """tr(aᵀ b); aᵀb of vectors."""
    return trace(matmul([transpose(a), b]))


def block_sum(C: Expression, A: Expression, rows: Size, cols: Size) -> Expression:
    """Σᵢⱼ aᵢⱼ Cᵢⱼ over the rows×cols blocks of C."""
    number, scalars, c = parts(C)
    other_number, other_scalars, a = parts(A)
    coefficients = [number, *scalars, other_number, *other_scalars]
    if is_zero(C) or is_zero(A):
        return zeros(rows, cols)
    if a is None:
        return scale(*coefficients, *([] if c is None else [c]))
    assert c is not None
    if isinstance(c, Kron) and (c.left.rows, c.left.cols) == (a.rows, a.cols):
        return scale(*coefficients, inner_product(c.left, a), c.right)
    if isinstance(c, Identity) and a.is_square:
        return scale(*coefficients, trace(a), identity(rows))
    return scale(*coefficients, BlockSum(c, a, rows, cols))


def block_trace(C: Expression, B: Expression, rows: Size, cols: Size) -> Expression:
    """The matrix of tr(BᵀCᵢⱼ) over the blocks of C of the shape of B."""
    number, scalars, c = parts(C)
    other_number, other_scalars, b = parts(B)
    coefficients = [number, *scalars, other_number, *other_scalars]
    if is_zero(C) or is_zero(B):
        return zeros(rows, cols)
    if b is None:
        return scale(*coefficients, *([] if c is None else [c]))
    assert c is not None
    if isinstance(c, Kron) and (c.right.rows, c.right.cols) == (b.rows, b.cols):
        return scale(*coefficients, inner_product(c.right, b), c.left)
    if isinstance(c, Identity) and b.is_square:
        return scale(*coefficients, trace(b), identity(rows))
    return scale(*coefficients, BlockTrace(c, b, rows, cols))
