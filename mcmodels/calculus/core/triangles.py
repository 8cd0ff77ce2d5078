"""Triangles of matrices, and vech, the entries on and below the diagonal."""

from __future__ import annotations

from typing import Any

from mcmodels.calculus.core import arithmetic, nodes
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.operators import square_matrix
from mcmodels.calculus.core.sizes import ONE, Size

__all__ = ["duplication", "elimination", "tril", "triu", "vech"]


def _mask(expression: Expression) -> Expression:
    """Ones on and below the diagonal."""
    return number(1) if expression.is_scalar else nodes.Triangle(expression.rows)


def tril(x: Any) -> Expression:
    """The entries of a square matrix on and below the diagonal, zeros above.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, tril
    >>> tril(matrix("A", "n", "n")).evaluate(A=[[1.0, 2.0], [3.0, 4.0]])
    array([[1., 0.],
           [3., 4.]])
    """
    expression = square_matrix("tril", x)
    return arithmetic.hadamard([expression, _mask(expression)])


def triu(x: Any) -> Expression:
    """The entries of a square matrix on and above the diagonal, zeros below.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, triu
    >>> triu(matrix("A", "n", "n")).evaluate(A=[[1.0, 2.0], [3.0, 4.0]])
    array([[1., 2.],
           [0., 4.]])
    """
    expression = square_matrix("triu", x)
    return arithmetic.hadamard([expression, arithmetic.transpose(_mask(expression))])


def vech(x: Any) -> Expression:
    """The entries of a square matrix on and below the diagonal, column after column.

    Of an n×n matrix, a vector of n(n+1)/2: Magnus and Neudecker (2019), section 3.8.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, vech
    >>> vech(matrix("S", "n", "n")).evaluate(S=[[1.0, 2.0], [2.0, 4.0]])
    array([1., 2., 4.])
    """
    expression = square_matrix("vech", x)
    return arithmetic.matmul([elimination(expression.rows), arithmetic.vec(expression)])


def duplication(n: int | str | Size) -> Expression:
    """The n²×n(n+1)/2 matrix D: ``D @ vech(S) == vec(S)`` for symmetric S of n×n.

    Examples
    --------
    >>> from mcmodels.calculus import duplication, matrix, vec, vech
    >>> S = matrix("S", "n", "n", symmetric=True)
    >>> (duplication("n") @ vech(S)).evaluate(S=[[1.0, 2.0], [2.0, 4.0]])
    array([1., 2., 2., 4.])
    """
    size_ = Size.of(n)
    return number(1) if size_ == ONE else nodes.Duplication(size_)


def elimination(n: int | str | Size) -> Expression:
    """The n(n+1)/2×n² matrix L: ``L @ vec(X) == vech(X)`` for X of n×n.

    Examples
    --------
    >>> from mcmodels.calculus import elimination, matrix, vec
    >>> X = matrix("X", "n", "n")
    >>> (elimination("n") @ vec(X)).evaluate(X=[[1.0, 2.0], [3.0, 4.0]])
    array([1., 3., 4.])
    """
    size_ = Size.of(n)
    return number(1) if size_ == ONE else nodes.Elimination(size_)
