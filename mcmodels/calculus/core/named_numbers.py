"""π and e: numbers that keep their letters."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import NamedNumber

__all__ = ["NAMED_NUMBERS", "e", "exact", "pi"]

pi: Expression = NamedNumber("pi")
e: Expression = NamedNumber("e")
NAMED_NUMBERS = {"pi": pi, "e": e}

_DIGITS = 1000


@cache
def exact(name: str) -> Fraction:
    """π or e as a ratio that is right to 1000 digits, for any precision below that.

    Machin (1706): π = 16 arctan(1/5) − 4 arctan(1/239); e = Σ 1/k!.
    """
    one = 10 ** (_DIGITS + 10)
    if name == "e":
        total = term = one
        k = 0
        while term:
            k += 1
            term //= k
            total += term
        return Fraction(total, one)
    return Fraction(16 * _arctan_of_one_over(5, one) - 4 * _arctan_of_one_over(239, one), one)


def _arctan_of_one_over(n: int, one: int) -> int:
    total = power = one // n
    k = 1
    while power:
        power //= -n * n
        k += 2
        total += power // k
    return total
