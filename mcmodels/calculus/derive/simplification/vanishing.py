"""Terms of sums that are 0 by the index, beside a power with a negative exponent.

The derivative of Σᵢ cᵢxⁱ is Σᵢ icᵢxⁱ⁻¹, whose first term is 0 · c₀/x: where x is 0, it has no
value. The sum is written of the other terms.
"""

from __future__ import annotations

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import hadamard, parts
from mcmodels.calculus.core.choices import compare
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index, SumOver
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import parts_of, rebuilt
from mcmodels.calculus.core.summation import summed

__all__ = ["terms_left_out"]


def terms_left_out(expression: Expression) -> Expression:
    """The expression with its sums over an index i of the terms that a factor i leaves."""
    sums = [part for part in parts_of(expression) if isinstance(part, SumOver)]
    if all(_without_zeros(part) is part for part in sums):
        return expression  # also sums that differ in the names of their indices stay apart
    known: dict[bytes, Expression] = {}
    for part in parts_of(expression):
        result = rebuilt(part, [known[child.key] for child in part.children])
        if isinstance(result, SumOver):
            result = _without_zeros(result)
        known[part.key] = result
    return known[expression.key]


def _without_zeros(e: SumOver) -> Expression:
    i = e.index
    zeros = _zeros_beside_powers(e.body, i)
    tests = [test for test in _factors(e.condition) if not isinstance(test, N.Number)]
    bounds = {k: compare(">", i, number(k - 1)) for k in range(1, len(zeros) + 1)}
    first = max((k for k, bound in bounds.items() if bound in tests), default=0)
    start = first
    while start in zeros:
        start += 1
    if start == first:
        return e
    kept = [test for test in tests if test not in bounds.values()]
    condition = hadamard([*kept, compare(">", i, number(start - 1))])
    return summed(e.body, condition, i)


def _factors(condition: Expression) -> list[Expression]:
    scalars = parts(condition)[1]
    return list(scalars) if scalars else [condition]


def _zeros_beside_powers(body: Expression, i: Index) -> set[int]:
    """Whole numbers at which every term of a body is 0 by a factor i − k, and has a power of i."""
    terms = body.children if isinstance(body, N.Sum) else (body,)
    found: set[int] | None = None
    for term in terms:
        scalars = parts(term)[1]
        if not any(
            isinstance(part, N.Power) and i in part.exponent.used for part in parts_of(term)
        ):
            return set()
        zeros = {zero for scalar in scalars if (zero := _zero(scalar, i)) is not None}
        found = zeros if found is None else found & zeros
    return found or set()


def _zero(factor: Expression, i: Index) -> int | None:
    """The whole number at which a factor ai + b, or a power of it, is 0."""
    if isinstance(factor, N.Power) and isinstance(factor.exponent, N.Number):
        return _zero(factor.base, i) if factor.exponent.value > 0 else None
    slope, offset = 0.0, 0.0
    for term in factor.children if isinstance(factor, N.Sum) else (factor,):
        coefficient, scalars, array = parts(term)
        if array is None and not scalars:
            offset += float(coefficient)
        elif array is None and list(scalars) == [i]:
            slope += float(coefficient)
        else:
            return None
    zero = -offset / slope if slope else -1.0
    return int(zero) if zero >= 0 and zero == int(zero) else None
