"""Zeros, ones, identities and unit vectors of symbolic shape, and the check of two shapes."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import (
    Commutation,
    Identity,
    Number,
    Ones,
    Selection,
    Transpose,
    Unit,
    Zeros,
)
from mcmodels.calculus.core.sizes import ONE, ShapeError, Size

__all__ = [
    "commutation",
    "identity",
    "is_zero",
    "ones",
    "require_same_shape",
    "selection",
    "shape_text",
    "unit",
    "zeros",
    "zeros_like",
]


def shape_text(expression: Expression) -> str:
    """The shape, for messages."""
    if expression.is_scalar:
        return "scalar"
    if expression.is_column:
        return f"vector of {expression.rows}"
    return f"{expression.rows.grouped}×{expression.cols.grouped}"


def is_zero(expression: Expression) -> bool:
    """Whether an expression is the number 0 or an array of zeros."""
    return isinstance(expression, Zeros) or (
        isinstance(expression, Number) and expression.value == 0
    )


def zeros_like(expression: Expression) -> Expression:
    """Zero, in the shape of an expression."""
    return zeros(expression.rows, expression.cols)


@lru_cache(maxsize=256)  # a differential of a long sum has one zero for each constant term
def zeros(rows: Size, cols: Size) -> Expression:
    """An array of zeros; of one entry, the number 0."""
    return Number(Fraction(0)) if rows == ONE and cols == ONE else Zeros(rows, cols)


def ones(rows: Size, cols: Size) -> Expression:
    """An array of ones; of one entry, the number 1."""
    return Number(Fraction(1)) if rows == ONE and cols == ONE else Ones(rows, cols)


def identity(size: Size) -> Expression:
    """The identity matrix; of one row, the number 1."""
    return Number(Fraction(1)) if size == ONE else Identity(size)


def commutation(m: Size, n: Size) -> Expression:
    """The commutation matrix, which is the identity where m or n is 1."""
    return identity(m * n) if ONE in (m, n) else Commutation(m, n)


def selection(start: Size, rows: Size, cols: Size) -> Expression:
    """The matrix that takes ``rows`` entries, from ``start`` on, of a vector of ``cols``."""
    if rows == cols:
        return identity(rows)
    if rows == ONE:
        for index in (start.number, (start - cols).number):
            if index is not None:
                return Transpose(unit(int(index), cols))
    return Selection(start, rows, cols)


def unit(i: int, size: Size) -> Expression:
    """The vector with a one at an index; of one entry, the number 1."""
    if not size.names:
        length = int(size.factor)
        if not -length <= i < length:
            raise ShapeError(f"index {i} is outside a vector of {size}")
        i %= length
    return Number(Fraction(1)) if size == ONE else Unit(i, size)


def require_same_shape(operation: str, left: Expression, right: Expression) -> None:
    """Raise a `ShapeError` where two shapes differ."""
    if (left.rows, left.cols) != (right.rows, right.cols):
        hint = ""
        if "elementwise" in operation and left.cols == right.rows:
            hint = ". * works entry by entry; write @ for the matrix product"
        raise ShapeError(
            f"{operation} needs equal shapes; found {shape_text(left)} ({left}) "
            f"and {shape_text(right)} ({right}){hint}"
        )
