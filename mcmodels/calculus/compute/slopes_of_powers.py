"""Slopes of powers xᵏ at x = 0, with k an index or another whole number.

The derivative is k xᵏ⁻¹. Where k and x are 0 this is 0 times an infinity, but x⁰ is 1 everywhere.
For numbers such a product is written as a choice: of 0 where k is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, parts, scale
from mcmodels.calculus.core.choices import compare
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.pairwise import choose
from mcmodels.calculus.core.rewriting import parts_of, rewrite

__all__ = ["with_slopes_at_zero"]

_MOST = 4  # as often as a power is differentiated, its exponent falls by one
_NO_ZERO = Fraction(1, 10**18)  # the square of what is no whole number, but rounding


def with_slopes_at_zero(expression: Expression) -> Expression:
    """An equal expression in which k xᵏ⁻¹ is 0 where k is 0."""
    if not _has_powers_of_counts(expression):
        return expression
    return _written(expression).within(expression.context)


@lru_cache(maxsize=512)
def _written(expression: Expression) -> Expression:
    least = _least_values(expression)

    def replaced(part: Expression) -> Expression | None:
        if not isinstance(part, N.Scaled):
            return None
        coefficient, scalars, array = parts(part)
        zeros = [k for k in map(_base, scalars) if _is_count(k) and not _is_above_0(k, least)]
        needed = [k for k in zeros if any(_has_infinity(s, k) for s in scalars)]
        if not needed:
            return None
        squares = scale(*(factor for k in needed for factor in (k, k)))
        # What is undefined otherwise, as log(0), stays beside the choice.
        inside = [s for s in scalars if any(_has_infinity(s, k) for k in needed)]
        beside = [rewrite(s, replaced) for s in scalars if s not in inside]
        product = scale(*(rewrite(s, replaced) for s in inside))
        chosen = choose(add([squares, number(-_NO_ZERO)]), product, number(0))
        arrays = [] if array is None else [rewrite(array, replaced)]
        return scale(coefficient, *beside, chosen, *arrays)

    return rewrite(expression, replaced)


@lru_cache(maxsize=512)
def _has_powers_of_counts(expression: Expression) -> bool:
    return any(isinstance(e, N.Power) and _is_count(e.exponent) for e in parts_of(expression))


def _is_count(k: Expression) -> bool:
    """Whether it is made of whole numbers alone, one of them an index or a symbol."""
    return k.is_scalar and bool(k.used) and all("integer" in s.declared for s in k.used)


def _base(factor: Expression) -> Expression:
    """The k of a factor kᵐ with m > 0."""
    if isinstance(factor, N.Power) and isinstance(factor.exponent, N.Number):
        return factor.base if factor.exponent.value > 0 else factor
    return factor


def _has_infinity(factor: Expression, k: Expression) -> bool:
    """Whether it has a power that is one of 0 where k and its base are 0."""
    powers = (e for e in parts_of(factor) if isinstance(e, N.Power))
    return any(_falls_below_0(e.exponent, k) for e in powers)


def _falls_below_0(exponent: Expression, k: Expression) -> bool:
    """Whether an exponent is a multiple of k less a number."""
    if not _is_count(exponent):
        return False
    rests = (add([exponent, scale(-times, k)]) for times in range(1, _MOST + 1))
    return any(isinstance(rest, N.Number) and rest.value < 0 for rest in rests)


def _least_values(expression: Expression) -> Mapping[Expression, int]:
    """Of each index the smallest value that the conditions of its sums leave."""
    found: dict[Expression, int] = {}
    for part in parts_of(expression):
        if isinstance(part, SumOver):
            tests = parts(part.condition)[1] or (part.condition,)
            bounds = [j + 1 for j in range(_MOST) if compare(">", part.index, number(j)) in tests]
            least = max(bounds, default=0)
            found[part.index] = min(found.get(part.index, least), least)
    return found


def _is_above_0(k: Expression, least: Mapping[Expression, int]) -> bool:
    """Whether k is i − j, or i itself, with an index i that is above j in all of its sums."""
    return any(
        isinstance(rest := add([k, scale(-1, i)]), N.Number) and least[i] + rest.value > 0
        for i in k.used & least.keys()
    )
