"""Functions of the eigenvalues of a symmetric matrix that is affine in x.

A convex function of the eigenvalues that does not change with their order is convex in the matrix
(Davis 1957; Boyd and Vandenberghe 2004, exercise 3.25, and 3.1.5). So tr f(A) is convex where f is
(Carlen 2010, "Trace Inequalities and Quantum Entropy", theorem 2.10).
"""

from __future__ import annotations

from fractions import Fraction

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import is_symmetric
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.rewriting import parts_of, substitute

__all__ = [
    "as_function_of_eigenvalues",
    "matrix_of",
    "spectral_norm_argument",
    "sum_of_squares",
    "trace_bends",
]

# What treats all entries of a vector alike.
_ALIKE = (
    N.Elementwise,
    N.Hadamard,
    N.LogSumExp,
    N.NamedNumber,
    N.Norm,
    N.Number,
    N.Ones,
    N.Power,
    N.Scaled,
    N.SizeValue,
    N.Sum,
    N.Total,
    F.Largest,
    F.Pairwise,
    F.Polygamma,
)
_TWO = Fraction(2)
_OF_POSITIVE = {"logm": -1, "sqrtm": -1}


def as_function_of_eigenvalues(
    e: Expression, x: N.Symbol
) -> tuple[Expression, N.Symbol, Expression] | None:
    """A scalar as g(v) of the eigenvalues v of a matrix, in any order.

    Returns
    -------
    (g, v, A) or None
        None where it contains x otherwise, or the order of the eigenvalues matters.
    """
    found = {part for part in parts_of(e) if isinstance(part, F.Eigenvalues) and x in part.used}
    if len(found) != 1:
        return None
    (eigenvalues,) = found
    v = N.Symbol("_eigenvalues", eigenvalues.rows, eigenvalues.cols, frozenset())
    g = substitute(e, {eigenvalues: v})
    if x in g.used or not all(_treats_alike(part, v) for part in parts_of(g)):
        return None
    return g, v, eigenvalues.argument


def _treats_alike(part: Expression, v: N.Symbol) -> bool:
    if part == v or v not in part.used:
        return part == v or part.is_scalar or isinstance(part, N.Ones | N.Scaled)
    return isinstance(part, _ALIKE)


def trace_bends(argument: Expression, is_affine: bool, is_definite: bool) -> int:
    """1 where tr(M) of a function M = f(A) is convex, -1 where it is concave, 0 where unknown.

    Parameters
    ----------
    argument : Expression
        M.
    is_affine, is_definite : bool
        Whether A, the `matrix_of` M, is affine in x, and positive semidefinite.
    """
    A = matrix_of(argument)
    if A is None or not is_affine or not is_symmetric(A):
        return 0
    if isinstance(argument, F.MatrixFunction):
        return 1 if argument.name == "expm" else _OF_POSITIVE[argument.name] * is_definite
    if isinstance(argument, N.MatrixPower):
        exponent = argument.exponent.value if isinstance(argument.exponent, N.Number) else 0
        even = exponent > 0 and exponent % 2 == 0
        return int(even or (is_definite and exponent == int(exponent) and exponent != 0))
    return int(is_definite)  # A log(A)


def matrix_of(M: Expression) -> Expression | None:
    """The A of M = expm(A), logm(A), sqrtm(A), Aᵏ or A logm(A)."""
    if isinstance(M, F.MatrixFunction):
        return M.argument if M.name in ("expm", *_OF_POSITIVE) else None
    if isinstance(M, N.MatrixPower):
        return M.base
    if isinstance(M, N.Product) and len(M.factors) == 2:
        for A, log in (M.factors, M.factors[::-1]):
            if isinstance(log, F.MatrixFunction) and log.name == "logm" and log.argument == A:
                return A
    return None


def spectral_norm_argument(gram: Expression) -> Expression | None:
    """The A of A² with A symmetric, whose root of the largest eigenvalue is the norm of A."""
    if not (isinstance(gram, N.MatrixPower) and gram.exponent == N.Number(_TWO)):
        return None
    return gram.base if is_symmetric(gram.base) else None


def sum_of_squares(e: Expression) -> tuple[Expression, list[Expression]] | None:
    """The Z and the other factors of products such as (Z ∘ Z)1, whose roots are norms of rows."""
    if not isinstance(e, N.Product):
        return None
    squares = [factor for factor in e.factors if _squared(factor) is not None]
    if len(squares) != 1:
        return None
    others = [factor for factor in e.factors if factor is not squares[0]]
    Z = _squared(squares[0])
    return None if Z is None else (Z, others)


def _squared(e: Expression) -> Expression | None:
    inside = e.argument if isinstance(e, N.Transpose) else e
    if not (isinstance(inside, N.Power) and inside.exponent == N.Number(_TWO)):
        return None
    return inside.base
