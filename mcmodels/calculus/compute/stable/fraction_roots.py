"""Roots of quotients of polynomials in exp(u), and products with them, without overflow.

√(cosh(u) exp(−4u)) underflows where its square does not fit, and its derivatives divide by it. Each
factor is a power of t = exp(−|u|) and something between bounds, for u > 0 and for u < 0. The powers
of t of all factors are put together before any of them is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from mcmodels.calculus.compute.stable.exponential_fractions import ExponentialFraction, bases_of
from mcmodels.calculus.compute.stable.fraction_forms import (
    CanonicalFraction,
    bounded_part,
    canonical,
    factors_of,
    is_positive,
    product,
)
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import ones, parts, power, scale
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.pairwise import choose

__all__ = ["with_roots_in_range"]

_KNOWN = frozenset({"exp", "sigmoid"})  # functions whose roots have a form of their own

FractionOf = Callable[[Expression, Expression], ExponentialFraction | None]
Walk = Callable[[Expression], Expression]


@dataclass(frozen=True)
class _Raised:
    """A quotient to a power that need not be whole."""

    of: CanonicalFraction
    k: Fraction

    def exponent(self, above: bool) -> Fraction:
        """The K of exp(−K|u|), as which it falls on one side."""
        return self.k * self.of.unit * (-self.of.high if above else self.of.a)

    def bounded(self, u: Expression, above: bool) -> Expression:
        """What is left of it there."""
        return power(bounded_part(self.of, u, above), number(self.k))


def with_roots_in_range(
    e: Expression, fraction_of: FractionOf, known: dict[bytes, dict[bytes, Expression]], walk: Walk
) -> Expression | None:
    """A root, or a product with one, so written; None of others, and of those that are so.

    Parameters
    ----------
    e : Expression
    fraction_of : callable
        The quotient of polynomials in exp(base) that an expression is, or None.
    known : dict
        The bases of parts.
    walk : callable
        Rewrites the other factors.
    """
    factors = factors_of(e)
    if not any(map(_is_root, factors)):
        return None
    for u in bases_of(e, known).values():
        if (u.rows, u.cols) != (e.rows, e.cols):
            continue
        raised: list[_Raised] = []
        rest: list[Expression] = []
        roots = 0
        for factor in factors:
            found = _raised(factor, u, fraction_of) if factor.used else None
            if found is None:
                rest.append(factor)
            else:
                raised.append(found)
                roots += _is_root(factor)
        if roots:
            filled = [] if e.is_scalar else [ones(e.rows, e.cols)]
            others = scale(parts(e)[0], product([number(1), *filled, *rest]))
            return product([walk(others), _form(raised, u)])
    return None


def _is_root(e: Expression) -> bool:
    """Whether it is a fractional power of what is no single exponential or sigmoid."""
    if not isinstance(e, N.Power) or not isinstance(e.exponent, N.Number) or not e.base.used:
        return False
    k = e.exponent.value
    if not isinstance(k, Fraction) or k == int(k):
        return False
    return not (isinstance(e.base, N.Elementwise) and e.base.name in _KNOWN)


def _raised(factor: Expression, u: Expression, fraction_of: FractionOf) -> _Raised | None:
    k, base = Fraction(1), factor
    if isinstance(factor, N.Power) and isinstance(factor.exponent, N.Number):
        value = factor.exponent.value
        if isinstance(value, Fraction) and value != int(value):
            k, base = value, factor.base
    of = fraction_of(base, u)
    if of is None or not of.above:
        return None
    f = canonical(of)
    if k != int(k) and (f.c <= 0 or f.m or f.has_changing_signs):
        return None  # which may be below 0
    return _Raised(f, k)


def _form(raised: Sequence[_Raised], u: Expression) -> Expression:
    size = u if is_positive(u) else elementwise("abs", u)
    sides = []
    for above in (True,) if is_positive(u) else (True, False):
        total = sum((each.exponent(above) for each in raised), Fraction(0))
        bounded = [each.bounded(u, above) for each in raised]
        leading = [elementwise("exp", scale(-total, size))] if total else []
        sides.append(product([number(1), *leading, *bounded]))
    return sides[0] if len(sides) == 1 else choose(u, *sides)
