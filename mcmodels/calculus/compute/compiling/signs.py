"""What is known of signs: entries that cannot be negative, matrices that are positive definite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, is_symmetric, parts, scale, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number

__all__ = ["is_nonnegative", "is_positive_definite"]

_NONNEGATIVE = {
    *("exp", "sigmoid", "softplus", "relu", "abs", "step", "cosh", "arccos", "arccosh", "erfc"),
    *("norm_cdf", "norm_pdf", "inverse_mills", "inverse_mills_gap"),
}
_BETWEEN_0_AND_1 = {"sigmoid", "step", "norm_cdf"}


def is_nonnegative(e: Expression) -> bool:
    """Whether no entry can be negative."""
    if isinstance(e, N.Number):
        return e.value >= 0
    if type(e) in _FUNCTION_SIGNS:
        return _FUNCTION_SIGNS[type(e)](e)
    if isinstance(e, N.Ones | N.Zeros | N.Unit | N.Identity | N.SizeValue | N.NamedNumber):
        return True
    if isinstance(e, N.Softmax | N.Norm):
        return True
    if isinstance(e, N.Selection | N.Triangle | N.Duplication | N.Elimination):
        return True
    if isinstance(e, N.Symbol):
        return "probability" in e.declared
    if isinstance(e, N.Elementwise):
        return e.name in _NONNEGATIVE
    if isinstance(e, N.Power):
        return is_nonnegative(e.base) or _is_even(e.exponent)
    if isinstance(e, N.Scaled):
        return e.coefficient >= 0 and all(is_nonnegative(child) for child in e.children)
    if isinstance(
        e, N.Hadamard | N.Transpose | N.Total | N.Diagonal | N.DiagonalMatrix | N.Vec | N.Stack
    ):
        return all(is_nonnegative(child) for child in e.children)
    if isinstance(e, N.Sum):
        return all(is_nonnegative(term) for term in e.children) or _is_complement(e)
    if isinstance(e, N.Product):
        square = e.is_scalar and len(e.children) == 2
        return (square and transpose(e.children[0]) == e.children[1]) or all(
            is_nonnegative(child) for child in e.children
        )
    return False


def _is_even(exponent: Expression) -> bool:
    return isinstance(exponent, N.Number) and exponent.value % 2 == 0


def _is_complement(e: N.Sum) -> bool:
    """1 − y with y between 0 and 1."""
    one = number(1) if e.is_scalar else N.Ones(e.rows, e.cols)
    y = add([one, scale(-1, e)])
    if isinstance(y, N.Elementwise):
        return y.name in _BETWEEN_0_AND_1
    return isinstance(y, N.Softmax) or (isinstance(y, N.Symbol) and "probability" in y.declared)


def is_positive_definite(e: Expression) -> bool:
    """Whether a symmetric matrix is positive definite wherever it is invertible."""
    if not is_symmetric(e) or e.is_scalar:
        return False
    if isinstance(e, N.Symbol):
        return "positive_definite" in e.declared
    if isinstance(e, N.Identity):
        return True
    if isinstance(e, N.DiagonalMatrix):
        return is_nonnegative(e.argument)
    if isinstance(e, F.MatrixFunction):
        return e.name == "expm" or (e.name == "sqrtm" and is_positive_definite(e.argument))
    if isinstance(e, N.MatrixPower):
        return is_positive_definite(e.base)
    if isinstance(e, N.Scaled):
        coefficient, scalars, array = parts(e)
        assert array is not None
        positive = coefficient > 0 and all(is_nonnegative(scalar) for scalar in scalars)
        return positive and is_positive_definite(array)
    if isinstance(e, N.Sum):
        return all(is_positive_definite(term) for term in e.children)
    if isinstance(e, N.Kron):
        return is_positive_definite(e.left) and is_positive_definite(e.right)
    if isinstance(e, N.Product):
        half, odd = divmod(len(e.children), 2)
        return not odd or is_positive_definite(e.children[half])
    return False


def _pair_is_nonnegative(e: F.Pairwise) -> bool:
    if e.name == "hypot":
        return True
    signs = (is_nonnegative(child) for child in e.children)
    return any(signs) if e.name == "maximum" else all(signs)


_FUNCTION_SIGNS: dict[type[Expression], Callable[[Any], bool]] = {
    F.Polygamma: lambda e: e.order % 2 == 1,  # a sum of even powers: A&S (6.4.10)
    F.Pairwise: _pair_is_nonnegative,
    F.Where: lambda e: is_nonnegative(e.left) and is_nonnegative(e.right),
    F.Largest: lambda e: is_nonnegative(e.argument),
    F.Hardmax: lambda e: True,
    F.NuclearNorm: lambda e: True,
}
