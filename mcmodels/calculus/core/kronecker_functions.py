"""What users write for Kronecker products, vec, and sums over blocks."""

from __future__ import annotations

from typing import Any

from mcmodels.calculus.core import arithmetic
from mcmodels.calculus.core.arithmetic import shape_text
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.operators import as_expression
from mcmodels.calculus.core.sizes import ShapeError, Size

__all__ = ["block_sum", "block_trace", "kron", "unvec", "vec"]


def kron(a: Any, b: Any) -> Expression:
    """The Kronecker product, of mp×nq for a of m×n and b of p×q: blocks a[i, j] * b.

    Examples
    --------
    >>> from mcmodels.calculus import kron, matrix, vec
    >>> A, B = matrix("A", "m", "n"), matrix("B", "p", "q")
    >>> X = matrix("X", "q", "n")
    >>> kron(A, B) @ vec(X) == vec(B @ X @ A.T)
    True
    """
    return arithmetic.kron(as_expression(a), as_expression(b))


def vec(x: Any) -> Expression:
    """The columns of an m×n matrix, stacked into a vector of m·n entries.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, vec
    >>> vec(matrix("A", "n", "n")).evaluate(A=[[1.0, 2.0], [3.0, 4.0]])
    array([1., 3., 2., 4.])
    """
    return arithmetic.vec(as_expression(x))


def unvec(x: Any, m: int | str | Size, n: int | str | Size) -> Expression:
    """The m×n matrix whose `vec` is the vector ``x``.

    Raises
    ------
    ShapeError
        If ``x`` is not a vector of m·n entries.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, unvec, vec
    >>> X = matrix("X", "m", "n")
    >>> unvec(vec(X), "m", "n")
    X
    """
    return arithmetic.unvec(as_expression(x), Size.of(m), Size.of(n))


def block_sum(c: Any, a: Any) -> Expression:
    """The sum of a[i, j] times block (i, j) of ``c``.

    Parameters
    ----------
    c : Expression
        An mp×nq matrix.
    a : Expression
        An m×n matrix, with an entry for each p×q block of ``c``.

    Returns
    -------
    Expression
        Of p×q.

    Raises
    ------
    ShapeError
        If ``c`` cannot be cut into so many blocks.

    Examples
    --------
    >>> from mcmodels.calculus import block_sum, kron, matrix
    >>> A, B = matrix("A", "m", "n"), matrix("B", "p", "q")
    >>> block_sum(kron(A, B), A).shape
    ('p', 'q')
    """
    C, A = as_expression(c), as_expression(a)
    rows, cols = C.rows.divided_by(A.rows), C.cols.divided_by(A.cols)
    if rows is None or cols is None:
        raise ShapeError(
            f"{shape_text(C)} ({C}) has no blocks as {shape_text(A)} ({A}) has entries"
        )
    return arithmetic.block_sum(C, A, rows, cols)


def block_trace(c: Any, b: Any) -> Expression:
    """The matrix of the inner products sum(b * block) of ``b`` and the blocks of ``c``.

    Parameters
    ----------
    c : Expression
        An mp×nq matrix.
    b : Expression
        A p×q matrix.

    Returns
    -------
    Expression
        Of m×n: an entry for each p×q block of ``c``.

    Raises
    ------
    ShapeError
        If ``c`` cannot be cut into blocks of that shape.

    Examples
    --------
    >>> from mcmodels.calculus import block_trace, kron, matrix
    >>> A, B = matrix("A", "m", "n"), matrix("B", "p", "q")
    >>> block_trace(kron(A, B), B).shape
    ('m', 'n')
    """
    C, B = as_expression(c), as_expression(b)
    rows, cols = C.rows.divided_by(B.rows), C.cols.divided_by(B.cols)
    if rows is None or cols is None:
        raise ShapeError(f"{shape_text(C)} ({C}) has no blocks of shape {shape_text(B)} ({B})")
    return arithmetic.block_trace(C, B, rows, cols)
