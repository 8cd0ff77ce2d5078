"""Rewrites of a matrix beside the inverse of a sum with it: M(M + N)⁻¹ = I − N(M + N)⁻¹."""

from __future__ import annotations

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, matmul, parts, power, scale
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number

__all__ = ["resolvent_joined"]


def resolvent_joined(e: N.Sum) -> Expression | None:
    """A − M(M + N)⁻¹A as N(M + N)⁻¹A, and A − A(M + N)⁻¹M as A(M + N)⁻¹N."""
    places = {term.key: i for i, term in enumerate(e.children)}
    for i, term in enumerate(e.children):
        coefficient, scalars, array = parts(term)
        if not isinstance(array, N.Product):
            continue
        factors = array.children
        for p, factor in enumerate(factors):
            if not _is_inverse_of_sum(factor):
                continue
            for part in factor.base.children:  # type: ignore[attr-defined]
                number_, own, M = parts(part)
                chain = M.children if isinstance(M, N.Product) else (M,)
                for start, stop in ((p - len(chain), p), (p + 1, p + 1 + len(chain))):
                    if start < 0 or factors[start:stop] != chain:
                        continue
                    before, after = factors[: min(start, p)], factors[max(stop, p + 1) :]
                    if not (before or after):
                        continue
                    below = [power(s, number(-1)) for s in (number(number_), *own)]
                    other = scale(-1, coefficient, *scalars, *below, matmul([*before, *after]))
                    j = places.get(other.key)
                    if j is None or j == i:
                        continue
                    rest = add([factor.base, scale(-1, part)])  # type: ignore[attr-defined]
                    middle = [rest, factor] if start < p else [factor, rest]
                    product = matmul([*before, *middle, *after])
                    joined = scale(-1, coefficient, *scalars, *below, product)
                    others = [t for k, t in enumerate(e.children) if k not in (i, j)]
                    return add([*others, joined])
    return None


def _is_inverse_of_sum(e: Expression) -> bool:
    return (
        isinstance(e, N.MatrixPower)
        and isinstance(e.exponent, N.Number)
        and e.exponent.value == -1
        and isinstance(e.base, N.Sum)
    )
