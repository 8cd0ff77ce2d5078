"""Sums, means, norms, softmax and logsumexp: of all entries, or along an axis."""

from __future__ import annotations

from typing import Any

from mcmodels.calculus.core import arithmetic, nodes
from mcmodels.calculus.core.arithmetic import shape_text
from mcmodels.calculus.core.axis_functions import logsumexp_along, softmax_along
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.norms import norm_of_order, norms_along
from mcmodels.calculus.core.operators import as_expression
from mcmodels.calculus.core.sizes import ONE, ShapeError
from mcmodels.calculus.core.tensors import Tensor

__all__ = ["logsumexp", "mean", "norm", "softmax", "sum"]


def norm(x: Any, ord: Any = None, axis: int | None = None) -> Expression:
    """A norm; by default the 2-norm of a vector, the Frobenius norm of a matrix.

    Parameters
    ----------
    x : Expression
    ord : {None, 1, 2, inf, "fro", "nuc"}, number or Expression, default=None
        As in `numpy.linalg.norm`. Of a vector: 1, 2, inf or any p of at least 1. Of a matrix:
        1 (the largest sum of a column of absolute values), inf (of a row), 2 (the largest singular
        value), "fro" or "nuc" (the sum of singular values).
    axis : {None, 0, 1, -1}, default=None
        Of a matrix: 0 gives the norms of its columns, 1 or -1 those of its rows, as a vector. The
        order is then a number. Of a vector: 0 alone, which changes nothing.

    Returns
    -------
    Expression
        A scalar; a vector with an axis.

    Raises
    ------
    ShapeError
        If there is no such norm of ``x``.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, norm, vector
    >>> x, X = vector("x", "n"), matrix("X", "m", "n")
    >>> norm(x).gradient(x)
    x/‖x‖
    >>> (norm(X) ** 2).gradient(X)
    2X
    """
    expression = as_expression(x)
    if axis is not None:
        _with_rows_along("norm", expression, axis)
        if not expression.is_column:
            return norms_along(expression, ord, lambda entries: sum(entries, axis))
    return norm_of_order(expression, ord)


def sum(x: Any, axis: int | None = None) -> Expression:
    """The sum of all entries; of a matrix also down the columns or along the rows.

    Parameters
    ----------
    x : Expression
    axis : {0, 1}, default=None
        Of an m×n matrix: 0 sums down the columns, to n entries; 1 along the rows, to m. Of a
        vector: 0 alone, which changes nothing.

    Returns
    -------
    Expression
        A scalar, or with an axis a (column) vector.

    Raises
    ------
    ShapeError
        If an axis is given for a scalar, is 1 of a vector, or is neither 0 nor 1.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, sum
    >>> X = matrix("X", "m", "n")
    >>> sum(X**2).gradient(X)
    2X
    >>> sum(X, axis=0).shape
    ('n',)
    """
    expression = as_expression(x)
    if axis is not None:
        lines = _with_rows_along("sum", expression, axis)
        if not expression.is_column:
            return arithmetic.matmul([lines, arithmetic.ones(lines.cols, ONE)])
    return arithmetic.total(expression)


def mean(x: Any, axis: int | None = None) -> Expression:
    """The mean of all entries; with ``axis`` of each column (0) or row (1), a (column) vector.

    Examples
    --------
    >>> from mcmodels.calculus import mean, vector
    >>> x = vector("x", "n")
    >>> mean(x**2).gradient(x)
    2x/n
    """
    expression = as_expression(x)
    if axis is not None:
        lines = _with_rows_along("mean", expression, axis)
        if not expression.is_column:
            return sum(expression, axis) / arithmetic.size_value(lines.cols)
    return sum(expression) / arithmetic.size_value(expression.rows * expression.cols)


def _with_rows_along(function: str, expression: Expression, axis: int) -> Expression:
    """A matrix with its rows along the axis: for axis 0 its transpose. A vector as it is."""
    fits = not expression.is_column or (axis == 0 and not expression.is_scalar)
    if axis not in (0, 1, -1, -2) or isinstance(axis, bool) or not fits:
        raise ShapeError(
            f"{function} along an axis: axis is 0 or 1 of a matrix, 0 of a vector; found "
            f"axis={axis} of {shape_text(expression)} ({expression})"
        )
    if expression.is_column or axis in (1, -1):
        return expression
    return arithmetic.transpose(expression)


def softmax(x: Any, axis: int | None = None) -> Any:
    """exp(x) / sum(exp(x)) of a vector; of each column (``axis=0``) or row (1) of a matrix.

    Of a tensor along any axis, as ``axis=-1``.

    Examples
    --------
    >>> from mcmodels.calculus import softmax, vector
    >>> x = vector("x", "n")
    >>> softmax(x).jacobian(x)
    diag(softmax(x)) − softmax(x) softmax(x)ᵀ
    """
    if isinstance(x, Tensor):
        return softmax_along(x, axis)
    result = nodes.Softmax(_vector_or_rows("softmax", x, axis))
    of_columns = axis in (0, -2) and not result.is_column
    return arithmetic.transpose(result) if of_columns else result


def logsumexp(x: Any, axis: int | None = None) -> Any:
    """log(sum(exp(x))) of a vector, a scalar; of each column (``axis=0``) or row (1), a vector.

    Of a tensor along any axis, or of all its entries.

    Examples
    --------
    >>> from mcmodels.calculus import logsumexp, vector
    >>> x = vector("x", "n")
    >>> logsumexp(x).gradient(x)
    softmax(x)
    """
    if isinstance(x, Tensor):
        return logsumexp_along(x, axis)
    return nodes.LogSumExp(_vector_or_rows("logsumexp", x, axis))


def _vector_or_rows(function: str, x: Any, axis: int | None) -> Expression:
    expression = as_expression(x)
    if axis == 0 and expression.is_column:
        axis = None
    if (axis is None) != expression.is_column or expression.rows == ONE:
        raise ShapeError(
            f"{function} takes a vector, or a matrix with axis=1 (each row) or axis=0 (each "
            f"column); found {shape_text(expression)} ({expression}) with axis={axis}"
        )
    return expression if axis is None else _with_rows_along(function, expression, axis)
