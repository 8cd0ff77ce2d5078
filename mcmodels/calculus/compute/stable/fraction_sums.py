"""Sums and products of quotients of polynomials in exp(u), and what becomes small in them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mcmodels.calculus.compute.stable.exponential_fractions import ExponentialFraction
from mcmodels.calculus.compute.stable.fraction_forms import canonical

__all__ = ["cancels", "is_plain", "outgrow", "product_of", "total_of"]


def product_of(fractions: Sequence[ExponentialFraction]) -> ExponentialFraction | None:
    """Their product; None where it has too many terms."""
    result = ExponentialFraction.monomial(Fraction(1), Fraction(0))
    for each in fractions:
        result = result.times(each)
        if not result.is_small:
            return None
    return result


def total_of(fractions: Sequence[ExponentialFraction]) -> ExponentialFraction | None:
    """Their sum; None where it has too many terms."""
    result = fractions[0]
    for each in fractions[1:]:
        result = result.plus(each)
        if not result.is_small:
            return None
    return result


def cancels(
    terms: Sequence[ExponentialFraction], total: ExponentialFraction, above_zero: bool = False
) -> bool:
    """Whether a sum is smaller than its terms far out, or at u = 0; for u > 0, far above only."""
    if not total.above:
        return True
    terms = [term for term in terms if term.above]
    if total.degree < max(term.degree for term in terms):
        return True
    if not above_zero and total.order > min(term.order for term in terms):
        return True
    return canonical(total).m > min(canonical(term).m for term in terms)


def is_plain(factor: ExponentialFraction) -> bool:
    """Whether it is exponentials, or over one sum of them, of which there are logarithms."""
    if len(factor.above) != 1 or len(factor.below) > 1:
        return not factor.above
    form = canonical(factor)
    return not form.m and not form.has_changing_signs


def outgrow(factors: Sequence[ExponentialFraction]) -> bool:
    """Whether factors grow, and others fall, in one direction."""
    factors = [factor for factor in factors if factor.above]
    high = [factor.degree for factor in factors]
    low = [factor.order for factor in factors]
    return any(values and max(values) > 0 > min(values) for values in (high, low))
