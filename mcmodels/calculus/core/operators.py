"""Python's operators: numbers become expressions, shapes are checked by the rules of NumPy."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from numbers import Real
from typing import Any

from mcmodels.calculus.core import arithmetic
from mcmodels.calculus.core.arithmetic import hadamard, scale, shape_text, transpose
from mcmodels.calculus.core.broadcasting import as_factor, as_transpose, broadcast
from mcmodels.calculus.core.einsum_nodes import TensorLike
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.named_numbers import e
from mcmodels.calculus.core.nodes import (
    Elementwise,
    Hadamard,
    Power,
    Scaled,
    Sum,
    Symbol,
    Transpose,
)
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.sizes import ONE, ShapeError
from mcmodels.calculus.core.slices import row_taken

__all__ = [
    "add",
    "as_expression",
    "divide",
    "entry",
    "matmul",
    "multiply",
    "power",
    "square_matrix",
    "subtract",
]

Operator = Callable[[Any, Any], Expression]


def as_expression(value: Any) -> Expression:
    """An expression, or a number as one.

    Raises
    ------
    TypeError
        If it is anything else.
    """
    if isinstance(value, Expression):
        return value
    if isinstance(value, Real) and not isinstance(value, bool):
        return number(value)
    if isinstance(value, TensorLike):
        raise ShapeError(
            f"a scalar, vector or matrix is needed here; found the tensor {value} of shape "
            f"{value.shape}. Tensors take functions of each entry, sum, mean, norm, amax, amin and "
            "einsum"
        )
    raise TypeError(
        f"expressions combine with expressions and real numbers; found {type(value).__name__}. "
        "Declare a symbol for an array, and give its value to evaluate() or a compiled function"
    )


def square_matrix(function: str, x: Any) -> Expression:
    """The argument of a function that takes square matrices."""
    expression = as_expression(x)
    if not expression.is_square:
        raise ShapeError(
            f"{function} needs a square matrix; found {shape_text(expression)} ({expression})"
        )
    return expression


def _keeps_names(operator: Operator) -> Operator:
    """An operator whose result takes values for all symbols of its operands.

    Those that cancel, as c in ``c * x / c``, need none, but may be given one.
    """

    @wraps(operator)
    def applied(left: Any, right: Any) -> Expression:
        if isinstance(right, TensorLike):
            return NotImplemented  # Python asks the tensor
        result = operator(left, right)
        names = result.known.union(*(x.known for x in (left, right) if isinstance(x, Expression)))
        return result if names == result.known else result.within(names)

    return applied


@_keeps_names
def add(left: Any, right: Any) -> Expression:
    """+ of equal shapes; a scalar goes to every entry, a column or row to every one of a matrix."""
    return arithmetic.add(broadcast("+", as_expression(left), as_expression(right)))


@_keeps_names
def subtract(left: Any, right: Any) -> Expression:
    """-, with shapes as in `add`."""
    a, b = as_expression(left), as_expression(right)
    broadcast("-", a, b)
    return add(a, scale(-1, b))


@_keeps_names
def multiply(left: Any, right: Any) -> Expression:
    """*, with shapes as in `add`."""
    a, b = as_expression(left), as_expression(right)
    if a.is_scalar or b.is_scalar:
        return scale(a, b)
    return hadamard(broadcast("* (elementwise)", a, b))


@_keeps_names
def divide(left: Any, right: Any) -> Expression:
    """/, with shapes as in `add`."""
    a, b = as_expression(left), as_expression(right)
    if a.is_array and b.is_array:
        broadcast("/", a, b)
    return multiply(a, arithmetic.power(b, number(-1)))


@_keeps_names
def power(left: Any, right: Any) -> Expression:
    """** of each entry."""
    base, exponent = as_expression(left), as_expression(right)
    if base == e:
        return elementwise("exp", exponent)
    if base.is_scalar and not exponent.is_scalar:
        return elementwise("exp", scale(elementwise("log", base), exponent))
    return arithmetic.power(base, exponent)


@_keeps_names
def matmul(left: Any, right: Any) -> Expression:
    """The matrix product @."""
    a, b = as_expression(left), as_expression(right)
    for scalar, other in ((a, b), (b, a)):
        if scalar.is_scalar and not (other.rows == ONE or other.cols == ONE):
            raise ShapeError(f"@ takes no scalar; write {left} * {right}")
    if a.cols == ONE and a.rows != ONE and b.is_column and b.rows != ONE:
        raise ShapeError(
            f"@ of two columns, {shape_text(a)} ({a}) and {shape_text(b)} ({b}); "
            f"write {as_transpose(a)} @ {as_factor(b)} for the scalar, or {as_factor(a)} @ "
            f"{as_transpose(b)} for the matrix"
        )
    return arithmetic.matmul([a, b])


def entry(array: Expression, index: Any) -> Expression:
    """x[i] of a vector; X[i, j], X[i, :] and X[:, j] of a matrix; X[i] at an index of a sum."""
    if any(isinstance(i, bool) for i in (index if isinstance(index, tuple) else (index,))):
        raise ShapeError(f"an index is a whole number or ':'; found {index!r}")
    if array.is_scalar:
        raise ShapeError(f"a scalar has no entries; found {array}[{index}]")
    if array.is_column:
        if isinstance(index, Expression):
            return _taken(row_taken(index, array.rows), array)
        if _is_place(index) or isinstance(index, slice):
            return arithmetic.matmul([row_taken(index, array.rows), array])
        raise ShapeError(
            "a vector is indexed by one whole number, or a slice; found "
            f"{array}[{_as_typed(index)}]"
        )
    is_row = array.rows == ONE and not isinstance(index, Expression)
    if not is_row and (isinstance(index, Expression | slice) or _is_place(index)):
        index = (index, slice(None))  # rows, as in NumPy
    if not (isinstance(index, tuple) and len(index) == 2):
        raise ShapeError(
            "a matrix is indexed by one or two whole numbers or slices, a row by two, as in "
            f"X[0, :] and X[1:, :]; found {array}[{_as_typed(index)}]"
        )
    if isinstance(array, Symbol) and "symmetric" in array.declared and all(map(_is_place, index)):
        # Taken from the transpose, as below, it would be read back as S[j, i].
        row, column = (row_taken(position, array.rows) for position in index)
        return arithmetic.matmul([row, array, transpose(column)])
    result = array
    for axis, position in enumerate(index):
        if isinstance(position, slice) and position == slice(None):
            continue
        e = row_taken(position, array.rows if axis == 0 else array.cols)
        if isinstance(position, Expression):
            turned = _taken(e, transpose(result) if axis else result)
            result = transpose(turned) if axis else turned
            continue
        result = arithmetic.matmul([e, result] if axis == 0 else [result, transpose(e)])
    # X[i, :] has one dimension in NumPy, so it is a vector here; X[i : i + 1, :] has two.
    one_row = _is_place(index[0]) and result.rows == ONE
    return transpose(result) if one_row and result.is_array else result


def _as_typed(index: Any) -> str:
    if isinstance(index, slice):
        ends = [index.start, index.stop, *([] if index.step is None else [index.step])]
        return ":".join("" if end is None else str(end) for end in ends)
    return ", ".join(map(_as_typed, index)) if isinstance(index, tuple) else str(index)


def _taken(row: Expression, array: Expression) -> Expression:
    """eᵢᵀA, of what acts entry by entry inside of it: exp(Xw)[i] is exp(xᵢᵀw)."""
    flipped = isinstance(array, Transpose)
    inner = array.argument if isinstance(array, Transpose) else array

    def of(part: Expression) -> Expression:
        return _taken(row, transpose(part) if flipped else part)

    if isinstance(inner, Sum):
        return arithmetic.add([of(term) for term in inner.children])
    if isinstance(inner, Scaled) and inner.array is not None:
        return scale(inner.coefficient, *inner.scalars, of(inner.array))
    if isinstance(inner, Hadamard):
        return hadamard([of(factor) for factor in inner.children])
    if isinstance(inner, Power):
        return arithmetic.power(of(inner.base), inner.exponent)
    if isinstance(inner, Elementwise):
        argument = of(inner.argument)
        # Of a row of a matrix, the function is written of the vector.
        return transpose(elementwise(inner.name, transpose(argument)))
    return arithmetic.matmul([row, array])


def _is_place(index: Any) -> bool:
    """Whether an index takes one entry."""
    return hasattr(index, "__index__") or isinstance(index, Expression)
