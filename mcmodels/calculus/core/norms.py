"""What users write for norms, and for the largest entry."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes
from mcmodels.calculus.core.arithmetic import (
    matmul,
    ones,
    parts,
    power,
    scale,
    total,
    transpose,
    unit,
    upright,
)
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.matrix_functions import nuclear_norm
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.operators import as_expression, divide
from mcmodels.calculus.core.sizes import ONE, ShapeError

__all__ = ["amax", "amin", "hardmax"]

ORDERS = ("inf", "nuc", "fro")
"""Names of orders of norms."""


def amax(x: Any) -> Expression:
    """The largest entry; not differentiable where it stands more than once.

    There the derivative of the first is used, row by row.

    Examples
    --------
    >>> from mcmodels.calculus import amax, vector
    >>> amax(vector("x", "n")).evaluate(x=[1.0, 5.0, 2.0])
    5.0
    """
    return _largest(as_expression(x))


def amin(x: Any) -> Expression:
    """The smallest entry; not differentiable where it stands more than once.

    Examples
    --------
    >>> from mcmodels.calculus import amin, vector
    >>> amin(vector("x", "n")).evaluate(x=[1.0, 5.0, 2.0])
    1.0
    """
    return scale(-1, _largest(scale(-1, as_expression(x))))


def hardmax(x: Any) -> Expression:
    """1 in the place of the largest entry (the first of several, row by row), and 0 elsewhere.

    Its derivative is taken to be 0 everywhere.

    Examples
    --------
    >>> from mcmodels.calculus import hardmax, vector
    >>> hardmax(vector("x", "n")).evaluate(x=[1.0, 5.0, 2.0])
    array([0., 1., 0.])
    """
    return _hardmax(as_expression(x))


def _largest(x: Expression) -> Expression:
    if x.is_scalar:
        return x
    coefficient, scalars, array = parts(x)
    assert array is not None
    if isinstance(array, nodes.Ones):
        return scale(coefficient, *scalars)
    if isinstance(array, nodes.Zeros):
        return number(0)
    if coefficient > 0 and coefficient != 1:
        return scale(coefficient, F.Largest(scale(*scalars, array)))
    return F.Largest(x)


def _hardmax(x: Expression) -> Expression:
    return number(1) if x.is_scalar else F.Hardmax(x)


def norm_of_order(expression: Expression, ord: Any) -> Expression:
    """A norm, by the names of `numpy.linalg.norm`; see `functions.norm`."""
    line = ONE in (expression.rows, expression.cols)
    two = ord == 2 or (isinstance(ord, nodes.Number) and ord.value == 2)
    if not (ord is None or (two and line) or (ord == "fro" and not line)):
        return _of_order(expression, ord)
    if expression.is_scalar:
        return elementwise("abs", expression)
    if isinstance(expression, nodes.Zeros):
        return number(0)
    return nodes.Norm(upright(expression))


def _of_order(expression: Expression, ord: Any) -> Expression:
    if isinstance(ord, float) and ord == math.inf:
        ord = "inf"
    if isinstance(ord, nodes.Number):
        ord = ord.value
    if expression.is_scalar:
        if ord in ("nuc", "fro"):
            raise ShapeError(f"the norm of order {ord!r} is that of a matrix; found {expression}")
        return elementwise("abs", expression)
    line = ONE in (expression.rows, expression.cols)
    if line and ord not in ("nuc", "fro"):
        return _of_vector(expression, ord)
    return _of_matrix(expression, ord)


def norms_along(x: Expression, ord: Any, sums: Callable[[Expression], Expression]) -> Expression:
    """The norms of the rows or columns that ``sums`` adds up."""
    if ord is None or ord == 2 or (isinstance(ord, nodes.Number) and ord.value == 2):
        return power(sums(power(x, number(2))), divide(1, 2))
    if isinstance(ord, str) or ord == math.inf:
        raise ShapeError(
            f"along an axis, the order of a norm is a number of at least 1; found {ord!r}"
        )
    return _of_vector(x, ord.value if isinstance(ord, nodes.Number) else ord, sums)


def _of_vector(
    x: Expression, ord: Any, sums: Callable[[Expression], Expression] = total
) -> Expression:
    sizes = elementwise("abs", x)
    if ord == "inf":
        return _largest(sizes)
    if ord == 1:
        return sums(sizes)
    if isinstance(ord, Real) and (ord < 1 or not math.isfinite(ord)):
        raise ShapeError(f"the order of a norm is at least 1, or inf; found {ord}")
    if isinstance(ord, str):
        raise ShapeError(f"the order of the norm of a vector is a number or inf; found {ord!r}")
    p = as_expression(ord)
    if not p.is_scalar:
        raise ShapeError(f"the order of a norm is a scalar; found {p}")
    even = isinstance(p, nodes.Number) and p.value % 2 == 0
    return power(sums(power(x if even else sizes, p)), divide(1, p))


def _of_matrix(X: Expression, ord: Any) -> Expression:
    if ord == "nuc":
        return nuclear_norm(X)
    if ord == "inf" or ord == 1:
        sizes = elementwise("abs", X if ord == "inf" else transpose(X))
        return _largest(matmul([sizes, ones(sizes.cols, ONE)]))
    if ord == 2:
        largest = F.Eigenvalues(matmul([transpose(X), X]))
        last = matmul([transpose(unit(-1, largest.rows)), largest])
        return power(last, number(1) / 2)
    raise ShapeError(
        f"the order of the norm of a matrix is 1, 2, inf, 'fro' or 'nuc'; found {ord}. "
        "sum(abs(X)**p)**(1/p) is the p-norm of its entries"
    )


NORM_CONSTRUCTORS: dict[type[Expression], Callable[..., Expression]] = {
    F.Largest: _largest,
    F.Hardmax: _hardmax,
}
