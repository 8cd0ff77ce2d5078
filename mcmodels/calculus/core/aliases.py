"""Other names of what expressions have: `tr`, `transpose`, `dot`, `outer`.

They add no node: what is written with them prints and is read back as `trace`, ``.T`` and ``@``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from mcmodels.calculus.core import operators
from mcmodels.calculus.core.arithmetic import shape_text
from mcmodels.calculus.core.arithmetic import transpose as transposed
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.functions import trace
from mcmodels.calculus.core.operators import as_expression
from mcmodels.calculus.core.sizes import ShapeError

__all__ = ["dot", "dot_by", "outer", "tr", "transpose"]

T = TypeVar("T")


def tr(x: Any) -> Expression:
    """The trace of a square matrix, as `trace`.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, tr
    >>> A = matrix("A", "n", "n")
    >>> tr(A.T @ A).gradient(A)
    2A
    """
    return trace(x)


def transpose(x: Any) -> Expression:
    """The transpose, as ``x.T``; of a vector, a row.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, transpose
    >>> transpose(matrix("A", "m", "n")).shape
    ('n', 'm')
    """
    return transposed(as_expression(x))


def dot(x: Any, y: Any) -> Expression:
    """The product that `numpy.dot` gives.

    Of two vectors, ``x.T @ y``, a scalar; of a matrix and a vector or a matrix, ``x @ y``; of a
    vector and a matrix, ``y.T @ x``, a vector; with a scalar, the multiple.

    Parameters
    ----------
    x, y : Expression or float

    Returns
    -------
    Expression

    Raises
    ------
    ShapeError
        If the sizes do not fit.

    Examples
    --------
    >>> from mcmodels.calculus import dot, matrix, vector
    >>> x, A = vector("x", "n"), matrix("A", "n", "n")
    >>> dot(x, dot(A, x))
    xᵀAx
    """
    a, b = as_expression(x), as_expression(y)
    if a.is_array and b.is_array and (a.rows if a.is_column else a.cols) != b.rows:
        raise ShapeError(
            f"dot needs as many {'entries' if a.is_column else 'columns'} on its left as rows on "
            f"its right; found {shape_text(a)} ({a}) and {shape_text(b)} ({b}). "
            "outer(x, y) gives the matrix x @ y.T of two vectors"
        )
    return dot_by(operators.multiply, operators.matmul, transposed, a, b)


def dot_by(
    multiply: Callable[[T, T], T],
    matmul: Callable[[T, T], T],
    transpose: Callable[[T], T],
    x: T,
    y: T,
) -> T:
    """`dot` of anything that has shapes, by three operations on it."""
    a: Any = x
    b: Any = y
    if a.is_scalar or b.is_scalar:
        return multiply(x, y)
    if not a.is_column:
        return matmul(x, y)
    product = matmul(transpose(x), y)
    return product if b.is_column else transpose(product)


def outer(x: Any, y: Any) -> Expression:
    """The outer product ``x @ y.T`` of two vectors.

    Parameters
    ----------
    x, y : Expression

    Returns
    -------
    Expression
        A matrix with an entry ``x[i] * y[j]`` for each pair.

    Raises
    ------
    ShapeError
        If one is a matrix.

    Examples
    --------
    >>> from mcmodels.calculus import outer, vector
    >>> outer(vector("x", "m"), vector("y", "n"))
    xyᵀ
    """
    a, b = as_expression(x), as_expression(y)
    for given in (a, b):
        if not given.is_column:
            raise ShapeError(f"outer takes two vectors; found {shape_text(given)} ({given})")
    return operators.matmul(a, transposed(b))
