"""What users write: symbols, and functions of expressions under NumPy's names.

All take expressions and numbers (anything else is a TypeError) and give expressions. A shape that a
function does not take raises a `ShapeError`: `det` of a matrix that is not square, for example.
"""

from __future__ import annotations

from typing import Any

from mcmodels.calculus.core import (
    arithmetic,
    choices,
    entrywise,
    kronecker_functions,
    matrix_functions,
    nodes,
    norms,
    special_functions,
)
from mcmodels.calculus.core.arithmetic import parts, scale
from mcmodels.calculus.core.choices import *  # noqa: F403
from mcmodels.calculus.core.entrywise import *  # noqa: F403
from mcmodels.calculus.core.entrywise import abs, exp, log
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.function_nodes import MatrixFunction
from mcmodels.calculus.core.indices import unit_at
from mcmodels.calculus.core.kronecker_functions import *  # noqa: F403
from mcmodels.calculus.core.matrix_functions import *  # noqa: F403
from mcmodels.calculus.core.norms import *  # noqa: F403
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.operators import as_expression, square_matrix
from mcmodels.calculus.core.reductions import logsumexp, mean, norm, softmax, sum
from mcmodels.calculus.core.sizes import ONE, ShapeError, Size
from mcmodels.calculus.core.special_functions import *  # noqa: F403
from mcmodels.calculus.core.stacking import block, hstack, vstack
from mcmodels.calculus.core.symbols import matrix, scalar, vector
from mcmodels.calculus.core.tensors import (
    einsum,
    of_all_entries,
    of_each_entry,
    of_entries,
    tensor,
)
from mcmodels.calculus.core.triangles import duplication, elimination, tril, triu, vech

__all__ = [
    "block",
    "commutation",
    "det",
    "diag",
    "diagonal_selection",
    "duplication",
    "einsum",
    "elimination",
    "eye",
    "hstack",
    "inv",
    "logdet",
    "logsumexp",
    "matrix",
    "matrix_power",
    "mean",
    "norm",
    "ones",
    "scalar",
    "size",
    "softmax",
    "sum",
    "tensor",
    "trace",
    "tril",
    "triu",
    "unit",
    "vech",
    "vector",
    "vstack",
    "zeros",
]
__all__ += choices.__all__
__all__ += entrywise.__all__
__all__ += kronecker_functions.__all__
__all__ += matrix_functions.__all__
__all__ += norms.__all__
__all__ += special_functions.__all__


# -- of a whole array ----------------------------------------------------------------------------


def trace(x: Any) -> Expression:
    """The trace of a square matrix, the sum of its diagonal.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, trace
    >>> A, B = matrix("A", "m", "n"), matrix("B", "n", "m")
    >>> trace(A @ B).gradient(A)
    Bᵀ
    """
    return arithmetic.trace(square_matrix("trace", x))


def det(x: Any) -> Expression:
    """The determinant of a square matrix.

    Examples
    --------
    >>> from mcmodels.calculus import det, matrix
    >>> A = matrix("A", "n", "n")
    >>> det(A).gradient(A)
    det(A) A⁻ᵀ
    """
    expression = square_matrix("det", x)
    if expression.is_scalar:
        return expression
    if isinstance(expression, nodes.Identity):
        return number(1)
    if isinstance(expression, MatrixFunction) and expression.name == "expm":
        return exp(arithmetic.trace(expression.argument))
    return nodes.Det(arithmetic.upright(expression))


def logdet(x: Any) -> Expression:
    """The logarithm of the absolute determinant of a square matrix, log|det X|.

    Examples
    --------
    >>> from mcmodels.calculus import logdet, matrix
    >>> A = matrix("A", "n", "n")
    >>> logdet(A).gradient(A)
    A⁻ᵀ
    """
    expression = square_matrix("logdet", x)
    if expression.is_scalar:
        return log(abs(expression))
    if isinstance(expression, nodes.Identity):
        return number(0)
    if isinstance(expression, MatrixFunction) and expression.name == "expm":
        return arithmetic.trace(expression.argument)
    return nodes.LogDet(arithmetic.upright(expression))


def inv(x: Any) -> Expression:
    """The inverse of a square matrix; of a scalar, its reciprocal.

    Examples
    --------
    >>> from mcmodels.calculus import inv, matrix, trace
    >>> A = matrix("A", "n", "n")
    >>> trace(inv(A)).gradient(A)
    −(A⁻²)ᵀ
    """
    return arithmetic.inverse(square_matrix("inv", x))


def matrix_power(x: Any, k: Any) -> Expression:
    """The power of a square matrix.

    Parameters
    ----------
    x : Expression
        A square matrix.
    k : int or Expression
        A whole number, which may be negative, or an expression of scalars declared ``integer``.

    Returns
    -------
    Expression
        Of the shape of ``x``.

    Raises
    ------
    ShapeError
        If ``x`` is not square, or ``k`` not known to be whole.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, matrix_power, trace
    >>> A = matrix("A", "n", "n")
    >>> trace(matrix_power(A, 3)).gradient(A)
    3(A²)ᵀ
    """
    exponent = as_expression(k)
    whole = isinstance(exponent, nodes.Number) and float(exponent.value).is_integer()
    declared = bool(exponent.used) and all("integer" in s.declared for s in exponent.used)
    if not (whole or (exponent.is_scalar and declared)):
        raise ShapeError(
            f"the exponent of a matrix must be a whole number or a scalar(…, integer=True); "
            f"found {exponent}"
        )
    return arithmetic.matrix_power(square_matrix("matrix_power", x), exponent)


def diag(x: Any) -> Expression:
    """The diagonal matrix of a vector, or the diagonal of a square matrix, as a vector.

    Raises
    ------
    ShapeError
        If it is a matrix that is not square.

    Examples
    --------
    >>> from mcmodels.calculus import diag, matrix, vector
    >>> x, A = vector("x", "n"), matrix("A", "n", "n")
    >>> diag(x) @ A
    diag(x) A
    >>> diag(A).shape
    ('n',)
    """
    expression = as_expression(x)
    if expression.is_scalar:
        return expression
    if expression.is_column:
        if isinstance(expression, nodes.Zeros):
            return arithmetic.zeros(expression.rows, expression.rows)
        coefficient, scalars, array = parts(expression)
        assert array is not None
        if isinstance(array, nodes.Ones):
            return scale(coefficient, *scalars, nodes.Identity(array.rows))
        return scale(coefficient, *scalars, nodes.DiagonalMatrix(array))
    expression = square_matrix("diag of a matrix", expression)
    coefficient, scalars, array = parts(expression)
    assert array is not None
    array = arithmetic.upright(array)
    inner: Expression
    if isinstance(array, nodes.DiagonalMatrix):
        inner = array.argument
    elif isinstance(array, nodes.Identity):
        inner = arithmetic.ones(array.rows, ONE)
    elif isinstance(array, nodes.Zeros | nodes.Ones):
        inner = type(array)(array.rows, ONE)
    else:
        inner = nodes.Diagonal(array)
    return scale(coefficient, *scalars, inner)


# -- constants -----------------------------------------------------------------------------------


def eye(n: int | str | Size) -> Expression:
    """The n×n identity matrix.

    Examples
    --------
    >>> from mcmodels.calculus import eye, matrix
    >>> eye("m") @ matrix("A", "m", "n")
    A
    """
    return arithmetic.identity(Size.of(n))


def ones(m: int | str | Size, n: int | str | Size = 1) -> Expression:
    """A vector of m ones, or an m×n matrix of them.

    Examples
    --------
    >>> from mcmodels.calculus import ones, vector
    >>> ones("n").T @ vector("x", "n")
    1ₙᵀx
    """
    return arithmetic.ones(Size.of(m), Size.of(n))


def zeros(m: int | str | Size, n: int | str | Size = 1) -> Expression:
    """A vector of m zeros, or an m×n matrix of them.

    Examples
    --------
    >>> from mcmodels.calculus import vector, zeros
    >>> vector("x", "n") + zeros("n")
    x
    """
    return arithmetic.zeros(Size.of(m), Size.of(n))


def unit(i: Any, n: int | str | Size) -> Expression:
    """The vector of ``n`` entries with a one at ``i`` (from 0; -1 is the last), or at an index.

    Raises
    ------
    ShapeError
        If the index is outside; with a symbolic size, that shows at evaluation.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, unit
    >>> matrix("A", "m", "n") @ unit(0, "n")
    Ae₀
    """
    if isinstance(i, Expression):
        return unit_at(i, Size.of(n))
    return arithmetic.unit(i, Size.of(n))


def commutation(m: int | str | Size, n: int | str | Size) -> Expression:
    """The mn×mn commutation matrix K: ``K @ vec(X) == vec(X.T)`` for X of m×n.

    Examples
    --------
    >>> from mcmodels.calculus import commutation, matrix, vec
    >>> X = matrix("X", "m", "n")
    >>> commutation("m", "n") @ vec(X) == vec(X.T)
    True
    """
    return arithmetic.commutation(Size.of(m), Size.of(n))


def diagonal_selection(n: int | str | Size) -> Expression:
    """The n²×n matrix Ψ: ``Ψ @ v == vec(diag(v))``.

    Examples
    --------
    >>> from mcmodels.calculus import diag, diagonal_selection, vec, vector
    >>> v = vector("v", "n")
    >>> vec(diag(v)).jacobian(v) == diagonal_selection("n")
    True
    """
    size_ = Size.of(n)
    return number(1) if size_ == ONE else nodes.DiagonalSelection(size_)


def size(n: int | str | Size) -> Expression:
    """A size as a number: ``size("n")`` is the n of ``vector("x", "n")``.

    Examples
    --------
    >>> from mcmodels.calculus import ones, size, sum, vector
    >>> x = vector("x", "n")
    >>> sum(x) / size("n")
    sum(x)/n
    >>> sum(ones("n"))
    n
    """
    return arithmetic.size_value(Size.of(n))


# -- of tensors ----------------------------------------------------------------------------------

_OF_EACH_ENTRY = (
    "abs clip cos exp hardmax hypot log maximum minimum relu sigmoid sign sin softplus sqrt step "
    "tanh where"
)
for _name in [*_OF_EACH_ENTRY.split(), *special_functions.__all__]:
    globals()[_name] = of_each_entry(globals()[_name])
for _name in ("amax", "amin", "mean", "norm", "sum"):
    globals()[_name] = of_all_entries(globals()[_name])
for _name in ("vec", "unvec"):
    globals()[_name] = of_entries(globals()[_name])
