"""Quotients of polynomials in y = exp(u), so written that they neither overflow nor lose digits.

With t = exp(−|u|), the quotient is one of polynomials in t for u > 0, and another for u < 0. Roots
at y = 1 are taken out as factors 1 − t, which expm1 gives to all digits. The logarithm is that of
the leading term, and of what is left near 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from mcmodels.calculus.compute.stable.exponential_fractions import ExponentialFraction, Polynomial
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, hadamard, ones, parts, power, scale, zeros_like
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.pairwise import choose

__all__ = [
    "CanonicalFraction",
    "canonical",
    "factors_of",
    "is_positive",
    "logarithm_form",
    "product",
    "value_form",
]

_NEAR_ONE = Fraction(2, 5)  # of a logarithm, below which it is that of 1 and something small
Whole = dict[int, Fraction]  # coefficients by whole exponents


@dataclass(frozen=True)
class CanonicalFraction:
    """c yᵃ (y − 1)ᵐ N(y)/∏ D(y)ⁿ with y = exp(unit·u); N and the D are 1 at 0, and not 0 at 1."""

    unit: Fraction
    c: Fraction
    a: int
    m: int
    above: Whole
    below: tuple[tuple[tuple[tuple[int, Fraction], ...], int], ...]

    @property
    def high(self) -> int:
        """The k of yᵏ, as which it grows for large y."""
        return self.a + self.m + max(self.above) - sum(n * d[-1][0] for d, n in self.below)

    @property
    def is_sigmoids(self) -> bool:
        """Whether it is a product of σ(ku) and σ(−ku)."""
        if self.c != 1 or self.m or len(self.above) > 1 or len(self.below) != 1:
            return False
        ((d, n),) = self.below
        return [c for _, c in d] == [1, 1] and 0 <= self.a <= n * d[-1][0]

    @property
    def has_changing_signs(self) -> bool:
        """Whether a polynomial has a coefficient below 0."""
        return any(c < 0 for c in self.above.values()) or any(
            c < 0 for d, _ in self.below for _, c in d
        )


def canonical(e: ExponentialFraction) -> CanonicalFraction:
    """Of a quotient that is not 0."""
    exponents = [*e.above, *(k for factor in e.below for k, _ in factor)]
    unit = Fraction(
        math.gcd(*(k.numerator * _rest(k, exponents) for k in exponents)) or 1,
        math.lcm(*(k.denominator for k in exponents)),
    )
    a = min(e.above)
    numerator, m = _without_roots(_whole({k - a: c for k, c in e.above.items()}, unit))
    below: dict[tuple[tuple[int, Fraction], ...], int] = {}
    for factor, n in e.below.items():
        polynomial, roots = _without_roots(_whole(dict(factor), unit))
        m -= n * roots
        c = polynomial[0]
        numerator = {k: d / c**n for k, d in numerator.items()}
        if len(polynomial) > 1:
            key = tuple(sorted((k, d / c) for k, d in polynomial.items()))
            below[key] = below.get(key, 0) + n
    for key in list(below):
        while below[key] and (quotient := _quotient(numerator, dict(key))) is not None:
            numerator = quotient
            below[key] -= 1
    c = numerator[0]
    return CanonicalFraction(
        unit,
        c,
        int(a / unit),
        m,
        {k: d / c for k, d in numerator.items()},
        tuple((key, n) for key, n in below.items() if n),
    )


def _rest(k: Fraction, exponents: Sequence[Fraction]) -> int:
    return math.lcm(*(other.denominator for other in exponents)) // k.denominator


def _whole(polynomial: Polynomial, unit: Fraction) -> Whole:
    return {int(k / unit): c for k, c in polynomial.items()}


def _without_roots(polynomial: Whole) -> tuple[Whole, int]:
    """The polynomial without its roots at 1, and how many there are, by Horner's scheme."""
    times = 0
    while len(polynomial) > 1 and sum(polynomial.values()) == 0:
        quotient: Whole = {}
        carried = Fraction(0)
        for k in range(max(polynomial), 0, -1):
            carried += polynomial.get(k, Fraction(0))
            if carried:
                quotient[k - 1] = carried
        polynomial, times = quotient, times + 1
    return polynomial, times


def _quotient(above: Whole, below: Whole) -> Whole | None:
    """The quotient of two polynomials, where nothing remains."""
    top, rest, result = max(below), dict(above), {}
    while rest and (k := max(rest)) >= top:
        c = rest[k] / below[top]
        result[k - top] = c
        for j, d in below.items():
            left = rest.get(k - top + j, Fraction(0)) - c * d
            if left:
                rest[k - top + j] = left
            else:
                rest.pop(k - top + j, None)
    return None if rest else result


# -- values ----------------------------------------------------------------------------------------


def value_form(f: CanonicalFraction, u: Expression) -> Expression:
    """The quotient as an expression of u, scalar or array."""
    named = _named(f, u)
    if named is not None:
        return named
    if is_positive(u):
        return _side(f, scale(f.unit, u), above=True)
    size = elementwise("abs", scale(f.unit, u))
    above, below = _side(f, size, above=True), _side(f, size, above=False)
    return choose(u, above, below)


def is_positive(u: Expression) -> bool:
    """Whether it is known to be above 0, as an exponential is."""
    if isinstance(u, N.Elementwise):
        return u.name == "exp"
    return isinstance(u, N.Hadamard) and all(map(is_positive, u.children))


def _named(f: CanonicalFraction, u: Expression) -> Expression | None:
    """By tanh(u/2) = (y − 1)/(y + 1), σ(u) = y/(1 + y) and σ(−u), all of which are bounded."""
    z = scale(f.unit, u)
    plain = [] if u.is_scalar else [N.Ones(u.rows, u.cols)]
    if len(f.above) > 1:
        return None
    if not f.below and (f.m == 0 or (f.m > 0 and f.a in (0, -f.m))):
        if f.m:
            sign = 1 if f.a == 0 else -1
            return scale(f.c * sign**f.m, power(elementwise("expm1", scale(sign, z)), number(f.m)))
        return scale(f.c, elementwise("exp", scale(f.a, z)) if f.a else product([scale(1), *plain]))
    if len(f.below) != 1 or [c for _, c in f.below[0][0]] != [1, 1] or f.m < 0:
        return None
    ((d, n),) = f.below
    step = d[-1][0]
    if f.a % step or (f.m and step != 1):
        return None
    a = f.a // step
    b = n - f.m - a
    if a < 0 or b < 0:
        return None
    w = scale(step, z)
    factors = [
        power(elementwise("sigmoid", w), number(a)),
        power(elementwise("sigmoid", scale(-1, w)), number(b)),
        power(elementwise("tanh", scale(Fraction(1, 2), z)), number(f.m)),
    ]
    return scale(f.c, product(factors))


def product(factors: Sequence[Expression]) -> Expression:
    """The product of scalars and of arrays of one shape."""
    scalars = [factor for factor in factors if factor.is_scalar]
    arrays = [factor for factor in factors if factor.is_array]
    return scale(*scalars, *([hadamard(arrays)] if arrays else []))


def factors_of(term: Expression) -> tuple[Expression, ...]:
    """The scalars and the arrays that are multiplied entry by entry."""
    _, scalars, array = parts(term)
    if array is None:
        return scalars
    return (*scalars, *(array.children if isinstance(array, N.Hadamard) else (array,)))


def _side(f: CanonicalFraction, size: Expression, above: bool) -> Expression:
    """For u > 0 (above) or u < 0, as c tᵃ (1 − t)ᵐ N(t)/∏ D(t)ⁿ with t = exp(−size)."""
    k = _in_t(f, above)[1]
    leading = [elementwise("exp", scale(-k, size))] if k else []
    return product([*leading, _bounded(f, size, above)])


def bounded_part(f: CanonicalFraction, u: Expression, above: bool) -> Expression:
    """The quotient over the power of exp(−|u|) as which it falls, for u > 0 (above) or u < 0."""
    z = scale(f.unit, u)
    return _bounded(f, z if is_positive(u) else elementwise("abs", z), above)


def _bounded(f: CanonicalFraction, size: Expression, above: bool) -> Expression:
    c, _, numerator, below = _in_t(f, above)
    factors: list[Expression] = [ones(size.rows, size.cols)]
    if f.m:
        factors.append(power(_one_less(size), number(f.m)))
    t = elementwise("exp", scale(-1, size))
    factors.append(_polynomial(numerator, t))
    factors += [power(_polynomial(d, t), number(-n)) for d, n in below]
    return scale(c, product(factors))


def _in_t(
    f: CanonicalFraction, above: bool
) -> tuple[Fraction, int, Whole, list[tuple[Whole, int]]]:
    """c, a, N and the D of one side, each polynomial with 1 as its lowest coefficient."""
    if not above:
        return f.c * (-1) ** f.m, f.a, f.above, [(dict(d), n) for d, n in f.below]
    c, below = f.c, []
    numerator, first = _turned(f.above)
    c *= first
    for d, n in f.below:
        polynomial, first = _turned(dict(d))
        c /= first**n
        below.append((polynomial, n))
    return c, -f.high, numerator, below


def _turned(polynomial: Whole) -> tuple[Whole, Fraction]:
    """The polynomial in t = 1/y, over its lowest coefficient, and that."""
    top = max(polynomial)
    first = polynomial[top]
    return {top - k: c / first for k, c in sorted(polynomial.items())}, first


def _one_less(size: Expression) -> Expression:
    """1 − exp(−size)."""
    return scale(-1, elementwise("expm1", scale(-1, size)))


def _polynomial(coefficients: Whole, t: Expression) -> Expression:
    """By Horner's scheme."""
    one = ones(t.rows, t.cols)
    result: Expression | None = None
    last = 0
    for k in sorted(coefficients, reverse=True):
        if result is not None:
            result = product([power(t, number(last - k)), result])
        term = scale(coefficients[k], one)
        result = term if result is None else add([term, result])
        last = k
    assert result is not None, "a polynomial has terms"
    return result if last == 0 else product([power(t, number(last)), result])


# -- logarithms ------------------------------------------------------------------------------------


def logarithm_form(
    f: CanonicalFraction,
    less: CanonicalFraction | None,
    u: Expression,
    plain: Expression,
    of_size: bool = False,
) -> Expression:
    """The logarithm of f, to all digits also where f is near 1.

    Parameters
    ----------
    f : CanonicalFraction
    less : CanonicalFraction or None
        f − 1, where f is 1 at 0 or far out.
    u : Expression
    plain : Expression
        The logarithm as written, where f is negative.
    of_size : bool
        Whether it is the logarithm of |f|.
    """
    softplus = _by_softplus(f, u)
    if softplus is not None:
        return softplus
    size = scale(f.unit, u) if is_positive(u) else elementwise("abs", scale(f.unit, u))
    sides = []
    for above in (True, False):
        c = _in_t(f, above)[0]
        sides.append(plain if c < 0 and not of_size else _log_of_side(f, size, above))
    far = sides[0] if is_positive(u) else choose(u, *sides)
    if less is None:
        return far
    # By the logarithm, which is finite where f is not.
    bound = scale(_NEAR_ONE, ones(u.rows, u.cols))
    inside = add([bound, scale(-1, elementwise("abs", far))])
    return choose(inside, elementwise("log1p", value_form(less, u)), far)


def _by_softplus(f: CanonicalFraction, u: Expression) -> Expression | None:
    """With log yᵃ(1 + yᵏ)ⁿ = (n + a/k) softplus(ku) − (a/k) softplus(−ku), of terms of one sign."""
    powers = [(tuple(sorted(f.above.items())), 1), *((d, -n) for d, n in f.below)]
    powers = [(d, n) for d, n in powers if len(d) > 1]
    if f.c != 1 or f.m or len(powers) != 1 or [c for _, c in powers[0][0]] != [1, 1]:
        return None
    ((d, n),) = powers
    k = d[-1][0]
    first, second = n + Fraction(f.a, k), -Fraction(f.a, k)
    if first * second < 0:
        return None
    z = scale(k * f.unit, u)
    each = [(first, z), (second, scale(-1, z))]
    return add([scale(share, elementwise("softplus", w)) for share, w in each])


def _log_of_side(f: CanonicalFraction, size: Expression, above: bool) -> Expression:
    c, k, numerator, below = _in_t(f, above)
    t = elementwise("exp", scale(-1, size))
    terms = [scale(-k, size)]
    if abs(c) != 1:
        terms.append(scale(elementwise("log", number(abs(c))), *_fill(size)))
    if f.m:  # 1 − t is 1 where t is small: beside another term, or where f is near 1
        terms.append(scale(f.m, elementwise("log", _one_less(size))))
    for polynomial, n in ((numerator, 1), *((d, -n) for d, n in below)):
        rest = {j: d for j, d in polynomial.items() if j}
        if rest:
            terms.append(scale(n, elementwise("log1p", _polynomial(rest, t))))
    return add(terms) if len(terms) > 1 or terms[0].used else zeros_like(size)


def _fill(size: Expression) -> list[Expression]:
    return [] if size.is_scalar else [N.Ones(size.rows, size.cols)]
