"""What users write for functions of whole matrices, and how these are brought into normal form."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes
from mcmodels.calculus.core.arithmetic import (
    identity,
    inverse,
    is_symmetric,
    is_zero,
    matmul,
    ones,
    parts,
    power,
    scale,
    shape_text,
    transpose,
    upright,
    zeros,
    zeros_like,
)
from mcmodels.calculus.core.arithmetic.transposes import transposes
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.operators import as_expression, square_matrix
from mcmodels.calculus.core.operators import matmul as product
from mcmodels.calculus.core.sizes import ONE, ShapeError

__all__ = [
    "eigvalsh",
    "eigvecsh",
    "expm",
    "expm_frechet",
    "expm_frechet_matrix",
    "logm",
    "logm_frechet",
    "logm_frechet_matrix",
    "pinv",
    "polar",
    "reciprocal_gaps",
    "solve",
    "sqrtm",
    "sqrtm_frechet",
    "sqrtm_frechet_matrix",
]


def _symmetric(function: str, x: Any) -> Expression:
    expression = square_matrix(function, x)
    if not is_symmetric(expression):
        raise ShapeError(
            f"{function} needs a symmetric matrix; {expression} is not known to be one. Declare it "
            f"with symmetric=True, or take {function}((A + A.T) / 2)"
        )
    return expression


# -- solve and pinv ------------------------------------------------------------------------------


def solve(a: Any, b: Any) -> Expression:
    """``inv(a) @ b``, which is evaluated by solving a system where it is compiled.

    Parameters
    ----------
    a : Expression
        A square matrix.
    b : Expression
        A vector or matrix with as many rows.

    Returns
    -------
    Expression
        Of the shape of ``b``.

    Raises
    ------
    ShapeError
        If ``a`` is not square, or the numbers of rows differ.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, solve, vector
    >>> A, b = matrix("A", "n", "n"), vector("b", "n")
    >>> solve(A, b)
    A⁻¹b
    >>> solve(A, b).jacobian(b)
    A⁻¹
    """
    matrix, right = square_matrix("solve", a), as_expression(b)
    if matrix.rows != right.rows:
        raise ShapeError(
            f"solve needs as many rows on both sides; found {shape_text(matrix)} ({matrix}) and "
            f"{shape_text(right)} ({right})"
        )
    return product(inverse(matrix), right)


def pinv(x: Any) -> Expression:
    """The Moore-Penrose inverse.

    Its derivative is that of Golub and Pereyra (1973), which holds where the rank does not change:
    near a matrix of full rank, and in directions that keep the rank of any other. Where the rank
    changes, it is not even continuous.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, pinv
    >>> X = matrix("X", "m", "n")
    >>> X @ pinv(X) @ X
    X
    """
    return _pinv(as_expression(x))


def _pinv(x: Expression) -> Expression:
    if x.is_scalar:
        return inverse(x)
    if isinstance(x, nodes.Zeros):
        return transpose(x)
    if isinstance(x, nodes.Identity):
        return x
    if isinstance(x, nodes.Scaled) and x.coefficient != 1:
        rest = scale(*x.scalars, *([] if x.array is None else [x.array]))
        return scale(power(number(x.coefficient), number(-1)), _pinv(rest))
    if isinstance(x, F.Pinv):
        return x.argument
    if isinstance(x, nodes.Transpose):
        return transpose(_pinv(x.argument))
    return F.Pinv(x)


# -- exponential, logarithm and square root ------------------------------------------------------


def expm(x: Any) -> Expression:
    """The exponential of a square matrix: the sum of Xᵏ/k! over k ≥ 0.

    Examples
    --------
    >>> from mcmodels.calculus import expm, matrix, trace
    >>> A = matrix("A", "n", "n")
    >>> trace(expm(A)).gradient(A)
    expm(A)ᵀ
    """
    return matrix_function("expm", square_matrix("expm", x))


def logm(x: Any) -> Expression:
    """The principal logarithm of a square matrix: no eigenvalue may be 0 or negative.

    Examples
    --------
    >>> from mcmodels.calculus import logm, matrix, trace
    >>> A = matrix("A", "n", "n")
    >>> trace(logm(A)).gradient(A)
    A⁻ᵀ
    """
    return matrix_function("logm", square_matrix("logm", x))


def sqrtm(x: Any) -> Expression:
    """The principal square root of a square matrix: no eigenvalue may be 0 or negative.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, sqrtm, trace
    >>> A = matrix("A", "n", "n")
    >>> trace(sqrtm(A)).gradient(A)
    ½ sqrtm(A)⁻ᵀ
    """
    return matrix_function("sqrtm", square_matrix("sqrtm", x))


_OF_NUMBERS: dict[str, Callable[[Expression], Expression]] = {
    "expm": lambda z: elementwise("exp", z),
    "logm": lambda z: elementwise("log", z),
    "sqrtm": lambda z: power(z, number(Fraction(1, 2))),
}


def matrix_function(name: str, x: Expression) -> Expression:
    """A matrix function in normal form."""
    if x.is_scalar:
        return _OF_NUMBERS[name](x)
    if isinstance(x, nodes.Identity) and name != "expm":
        return x if name == "sqrtm" else zeros_like(x)
    if isinstance(x, nodes.Zeros) and name != "logm":
        return x if name == "sqrtm" else identity(x.rows)
    if isinstance(x, nodes.DiagonalMatrix):
        return nodes.DiagonalMatrix(_OF_NUMBERS[name](x.argument))
    if isinstance(x, nodes.Transpose):
        return transpose(matrix_function(name, x.argument))
    return F.MatrixFunction(name, x)


def slope_of(name: str, x: Expression) -> Expression:
    """f′(X) for a matrix function f, which is its derivative along what commutes with X."""
    if name == "expm":
        return matrix_function("expm", x)
    if name == "logm":
        return inverse(x)
    return scale(Fraction(1, 2), inverse(matrix_function("sqrtm", x)))


def expm_frechet(x: Any, e: Any) -> Expression:
    """The Fréchet derivative of `expm` at ``x`` along ``e``; linear in ``e``.

    Examples
    --------
    >>> from mcmodels.calculus import expm_frechet, matrix, trace
    >>> A, E = matrix("A", "n", "n"), matrix("E", "n", "n")
    >>> trace(expm_frechet(A, E)).gradient(E)
    expm(A)ᵀ
    """
    return _frechet("expm", x, e)


def logm_frechet(x: Any, e: Any) -> Expression:
    """The Fréchet derivative of `logm` at ``x`` along ``e``; linear in ``e``.

    Examples
    --------
    >>> from mcmodels.calculus import logm_frechet, matrix, trace
    >>> A, E = matrix("A", "n", "n"), matrix("E", "n", "n")
    >>> trace(logm_frechet(A, E)).gradient(E)
    A⁻ᵀ
    """
    return _frechet("logm", x, e)


def sqrtm_frechet(x: Any, e: Any) -> Expression:
    """The Fréchet derivative of `sqrtm` at ``x`` along ``e``; linear in ``e``.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, sqrtm_frechet, trace
    >>> A, E = matrix("A", "n", "n"), matrix("E", "n", "n")
    >>> trace(sqrtm_frechet(A, E)).gradient(E)
    ½ sqrtm(A)⁻ᵀ
    """
    return _frechet("sqrtm", x, e)


def _frechet(name: str, x: Any, e: Any) -> Expression:
    function = f"{name}_frechet"
    at, direction = square_matrix(function, x), square_matrix(function, e)
    if at.rows != direction.rows:
        raise ShapeError(
            f"{function} needs two matrices of one size; found {shape_text(at)} ({at}) and "
            f"{shape_text(direction)} ({direction})"
        )
    return frechet(name, at, direction)


def frechet(name: str, at: Expression, direction: Expression) -> Expression:
    """A Fréchet derivative in normal form."""
    if at.is_scalar:
        return scale(slope_of(name, at), direction)
    if is_zero(direction):
        return direction
    coefficient, scalars, array = parts(direction)
    assert array is not None
    if coefficient != 1 or scalars:
        return scale(coefficient, *scalars, frechet(name, at, array))
    if array == parts(at)[2] or isinstance(at, nodes.Identity):
        return matmul([slope_of(name, at), array])
    if isinstance(array, nodes.Identity):
        return slope_of(name, at)
    if isinstance(at, nodes.Transpose) and isinstance(array, nodes.Transpose):
        return transpose(frechet(name, at.argument, array.argument))
    return F.Frechet(name, at, array)


def expm_frechet_matrix(x: Any) -> Expression:
    """The n²×n² matrix K with ``vec(expm_frechet(x, E)) == K @ vec(E)``.

    Examples
    --------
    >>> from mcmodels.calculus import expm, expm_frechet_matrix, matrix
    >>> A = matrix("A", "n", "n")
    >>> expm(A).jacobian(A)
    expm_frechet_matrix(A)
    >>> expm_frechet_matrix(A).shape
    ('n*n', 'n*n')
    """
    return frechet_matrix("expm", square_matrix("expm_frechet_matrix", x))


def logm_frechet_matrix(x: Any) -> Expression:
    """The n²×n² matrix K with ``vec(logm_frechet(x, E)) == K @ vec(E)``.

    Examples
    --------
    >>> from mcmodels.calculus import logm, logm_frechet_matrix, matrix
    >>> A = matrix("A", "n", "n")
    >>> logm(A).jacobian(A)
    logm_frechet_matrix(A)
    >>> logm_frechet_matrix(A).shape
    ('n*n', 'n*n')
    """
    return frechet_matrix("logm", square_matrix("logm_frechet_matrix", x))


def sqrtm_frechet_matrix(x: Any) -> Expression:
    """The n²×n² matrix K with ``vec(sqrtm_frechet(x, E)) == K @ vec(E)``.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, sqrtm, sqrtm_frechet_matrix
    >>> A = matrix("A", "n", "n")
    >>> sqrtm(A).jacobian(A)
    sqrtm_frechet_matrix(A)
    >>> sqrtm_frechet_matrix(A).shape
    ('n*n', 'n*n')
    """
    return frechet_matrix("sqrtm", square_matrix("sqrtm_frechet_matrix", x))


def frechet_matrix(name: str, x: Expression) -> Expression:
    """The matrix of a Fréchet derivative in normal form."""
    return slope_of(name, x) if x.is_scalar else F.FrechetMatrix(name, x)


# -- eigenvalues of symmetric matrices -----------------------------------------------------------


def eigvalsh(x: Any) -> Expression:
    """The eigenvalues of a symmetric matrix, in ascending order.

    Their derivatives use the eigenvectors, and are refused at evaluation where two eigenvalues
    coincide: there a single eigenvalue has no derivative.

    Parameters
    ----------
    x : Expression
        A matrix that declarations and structure show to be symmetric.

    Returns
    -------
    Expression
        A vector.

    Raises
    ------
    ShapeError
        If ``x`` is not known to be symmetric.

    Examples
    --------
    >>> from mcmodels.calculus import eigvalsh, matrix
    >>> S = matrix("S", "n", "n", symmetric=True)
    >>> eigvalsh(S).evaluate(S=[[2.0, 1.0], [1.0, 2.0]]).round(12)
    array([1., 3.])
    >>> eigvalsh(S)[-1].gradient(S)
    eigvecsh(S) diag(e₋₁) eigvecsh(S)ᵀ
    """
    return _eigenvalues(_symmetric("eigvalsh", x))


def _eigenvalues(x: Expression) -> Expression:
    if x.is_scalar:
        return x
    if isinstance(x, nodes.Zeros):
        return zeros(x.rows, ONE)
    if isinstance(x, nodes.Identity):
        return ones(x.rows, ONE)
    return F.Eigenvalues(upright(x))


def eigvecsh(x: Any) -> Expression:
    """The orthogonal matrix of eigenvectors of a symmetric matrix, in the order of `eigvalsh`.

    The largest entry of each, in absolute value, is positive.

    Examples
    --------
    >>> from mcmodels.calculus import eigvecsh, matrix
    >>> S = matrix("S", "n", "n", symmetric=True)
    >>> Q = eigvecsh(S)
    >>> Q.T @ Q
    I
    """
    return _eigenvectors(_symmetric("eigvecsh", x))


def _eigenvectors(x: Expression) -> Expression:
    return number(1) if x.is_scalar else F.Eigenvectors(upright(x))


def reciprocal_gaps(v: Any) -> Expression:
    """The matrix with 1/(v[j] - v[i]) off its diagonal and 0 on it, of a vector ``v``.

    Examples
    --------
    >>> from mcmodels.calculus import reciprocal_gaps, vector
    >>> reciprocal_gaps(vector("v", "n")).evaluate(v=[1.0, 3.0])
    array([[ 0. ,  0.5],
           [-0.5,  0. ]])
    """
    expression = as_expression(v)
    if not expression.is_column:
        raise ShapeError(
            f"reciprocal_gaps takes a vector; found {shape_text(expression)} ({expression})"
        )
    return number(0) if expression.is_scalar else F.ReciprocalGaps(expression)


# -- singular values -----------------------------------------------------------------------------


def nuclear_norm(x: Expression) -> Expression:
    """The sum of singular values; of a vector its norm."""
    if x.is_scalar:
        return elementwise("abs", x)
    if isinstance(x, nodes.Zeros):
        return number(0)
    if ONE in (x.rows, x.cols):
        return nodes.Norm(upright(x))
    return F.NuclearNorm(upright(x))


def polar(x: Any) -> Expression:
    """UVᵀ of the thin singular value decomposition UΣVᵀ of a matrix of full rank.

    Examples
    --------
    >>> from mcmodels.calculus import matrix, polar
    >>> polar(matrix("X", "m", "n")).evaluate(X=[[3.0], [4.0]]).round(12)
    array([[0.6],
           [0.8]])
    """
    return _polar(as_expression(x))


def _polar(x: Expression) -> Expression:
    if x.is_scalar:
        return elementwise("sign", x)
    if ONE in (x.rows, x.cols):
        return scale(power(nodes.Norm(upright(x)), number(-1)), x)
    if isinstance(x, nodes.Transpose):
        return transpose(_polar(x.argument))
    return F.Polar(x)


MATRIX_CONSTRUCTORS: dict[type[Expression], Callable[..., Expression]] = {
    F.Pinv: _pinv,
    F.MatrixFunction: matrix_function,
    F.Frechet: frechet,
    F.FrechetMatrix: frechet_matrix,
    F.Eigenvalues: _eigenvalues,
    F.Eigenvectors: _eigenvectors,
    F.ReciprocalGaps: reciprocal_gaps,
    F.NuclearNorm: nuclear_norm,
    F.Polar: _polar,
}


@transposes(F.FrechetMatrix)
def _transposed_frechet_matrix(node: F.FrechetMatrix) -> Expression:
    return F.FrechetMatrix(node.name, transpose(node.argument))


@transposes(F.ReciprocalGaps)
def _transposed_gaps(node: F.ReciprocalGaps) -> Expression:
    return scale(-1, node)
