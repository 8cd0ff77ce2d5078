"""Zeros, ones, identities and sizes of symbolic shape, and the check of two shapes."""

from __future__ import annotations

from fractions import Fraction

from mcmodels.calculus.arithmetic import sums
from mcmodels.calculus.expression import Expression
from mcmodels.calculus.nodes import Commutation, Identity, Number, Ones, SizeValue, Zeros
from mcmodels.calculus.sizes import ONE, ShapeError, Size

__all__ = [
    "commutation",
    "identity",
    "is_zero",
    "ones",
    "require_same_shape",
    "shape_text",
    "size_value",
    "zeros",
    "zeros_like",
]


def shape_text(expression: Expression) -> str:
    """The shape, for messages."""
    if expression.is_scalar:
        return "scalar"
    if expression.is_column:
        return f"vector of {expression.rows}"
    return f"{expression.rows}×{expression.cols}"


def is_zero(expression: Expression) -> bool:
    """Whether it is written as zero."""
    return isinstance(expression, Zeros) or (
        isinstance(expression, Number) and expression.value == 0
    )


def zeros_like(expression: Expression) -> Expression:
    """Zero, in the shape of an expression."""
    return zeros(expression.rows, expression.cols)


def zeros(rows: Size, cols: Size) -> Expression:
    """An array of zeros, or the number."""
    return Number(Fraction(0)) if rows == ONE and cols == ONE else Zeros(rows, cols)


def ones(rows: Size, cols: Size) -> Expression:
    """An array of ones, or the number."""
    return Number(Fraction(1)) if rows == ONE and cols == ONE else Ones(rows, cols)


def identity(size: Size) -> Expression:
    """The identity matrix, or the number 1."""
    return Number(Fraction(1)) if size == ONE else Identity(size)


def commutation(m: Size, n: Size) -> Expression:
    """The commutation matrix, which is the identity where m or n is 1."""
    return identity(m * n) if ONE in (m, n) else Commutation(m, n)


def size_value(size: Size) -> Expression:
    """A size as the number it will be."""
    return sums.scale(size.factor, *(SizeValue(name) for name in size.names))


def require_same_shape(operation: str, left: Expression, right: Expression) -> None:
    """Refuse two shapes that differ."""
    if (left.rows, left.cols) != (right.rows, right.cols):
        raise ShapeError(
            f"{operation} needs equal shapes; found {shape_text(left)} ({left}) "
            f"and {shape_text(right)} ({right})"
        )
