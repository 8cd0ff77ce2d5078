"""V diag(λ⁻¹) Vᵀ = S⁻¹: eigenvectors and functions of eigenvalues, put together again."""

from __future__ import annotations

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import matmul, matrix_power, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number

__all__ = ["eigenvalues_put_back"]


def eigenvalues_put_back(e: N.Product) -> Expression | None:
    """V diag(λᵏ) Vᵀ = Sᵏ of whole k, with λ and V of S."""
    for i in range(len(e.children) - 2):
        V, middle, right = e.children[i : i + 3]
        if not isinstance(V, F.Eigenvectors) or not isinstance(middle, N.DiagonalMatrix):
            continue
        found = _function(middle.argument, V.argument) if right == transpose(V) else None
        if found is not None:
            return matmul([*e.children[:i], found, *e.children[i + 3 :]])
    return None


def _function(entries: Expression, S: Expression) -> Expression | None:
    base, exponent = entries, number(1)
    if isinstance(entries, N.Power) and isinstance(entries.exponent, N.Number):
        base, exponent = entries.base, entries.exponent
    if isinstance(base, F.Eigenvalues) and base.argument == S:
        whole = exponent.value == int(exponent.value)
        return matrix_power(S, exponent) if whole else None
    return None
