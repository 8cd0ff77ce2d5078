"""Terms of quotients by a sum of exponentials: products of factors, of exponentials, and 1/Sᵏ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from mcmodels.calculus.compute.stable.weighted_sums import Term, is_inverse
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import power
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import Value, number

__all__ = [
    "MOST_OPENED",
    "Monomial",
    "OpenedTooFarError",
    "base_and_power",
    "divided",
    "multiplied",
]

MOST_OPENED = 160
"""Terms of what is multiplied out."""


@dataclass(frozen=True)
class Monomial:
    """coefficient · product of factors · exp(Σ exponents) / Sᵏ."""

    coefficient: Value = Fraction(1)
    factors: tuple[Expression, ...] = ()
    exponents: tuple[Expression, ...] = ()
    k: int = 0

    def times(self, other: Monomial) -> Monomial:
        """The product of two."""
        return Monomial(
            self.coefficient * other.coefficient,
            self.factors + other.factors,
            self.exponents + other.exponents,
            self.k + other.k,
        )


class OpenedTooFarError(Exception):
    """A product of sums has too many terms."""


def base_and_power(factor: Expression) -> tuple[Expression, int]:
    """Of a whole power above 0; of all else itself and 1."""
    if isinstance(factor, N.Power) and isinstance(factor.exponent, N.Number):
        k = factor.exponent.value
        if k == int(k) and k > 0:
            return factor.base, int(k)
    return factor, 1


def multiplied(a: Sequence[Monomial], b: Sequence[Monomial]) -> list[Monomial]:
    """The terms of the product of two sums.

    Raises
    ------
    OpenedTooFarError
        If they are too many.
    """
    if len(a) * len(b) > MOST_OPENED:
        raise OpenedTooFarError
    return [one.times(other) for one in a for other in b]


def divided(monomial: Monomial, term: Term) -> Monomial | None:
    """The monomial without the weight of a term; None where it lacks it."""
    factors = list(monomial.factors)
    for weight in term.weights:
        if is_inverse(weight):
            factors.append(power(weight, number(-1)))
            continue
        base, k = base_and_power(weight)
        for i, factor in enumerate(factors):
            other, n = base_and_power(factor)
            if other == base and n >= k:
                factors[i : i + 1] = [power(base, number(n - k))] if n > k else []
                break
        else:
            return None
    return replace(monomial, coefficient=monomial.coefficient / term.c, factors=tuple(factors))
