"""Quotients of polynomials in y = exp(u), with exact coefficients.

σ, tanh, sinh, cosh and expm1 are such quotients, and so are the derivatives of their logarithms.
Put over one denominator, what cancels between the terms of a sum cancels exactly:
1/(1 + y) − 1/(1 + y²) is (y² − y)/((1 + y)(1 + y²)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, assemble, parts, scale
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number

__all__ = [
    "ExponentialFraction",
    "Polynomial",
    "bases_of",
    "exponential_of",
    "fraction_of",
    "with_base",
    "without_number",
]

_MOST_TERMS, _HIGHEST, _WIDEST = 48, 8, 64  # of polynomials, powers, and degrees

Polynomial = dict[Fraction, Fraction]  # coefficients by exponents
Factor = tuple[tuple[Fraction, Fraction], ...]  # a polynomial, with 1 as its lowest term

_ONE = Fraction(1)


def _times(a: Polynomial, b: Polynomial) -> Polynomial:
    result: Polynomial = {}
    for i, c in a.items():
        for j, d in b.items():
            result[i + j] = result.get(i + j, Fraction(0)) + c * d
    return {k: c for k, c in result.items() if c}


def _raised(a: Polynomial, k: int) -> Polynomial:
    result: Polynomial = {Fraction(0): _ONE}
    for _ in range(k):
        result = _times(result, a)
    return result


@dataclass(frozen=True)
class ExponentialFraction:
    """The polynomial ``above`` over the product of the factors ``below``, each with its power."""

    above: Polynomial
    below: dict[Factor, int]

    @staticmethod
    def monomial(coefficient: Fraction, exponent: Fraction) -> ExponentialFraction:
        """C yᵏ."""
        return ExponentialFraction({exponent: coefficient} if coefficient else {}, {})

    @property
    def degree(self) -> Fraction:
        """The k of yᵏ, as which it grows for large y."""
        return max(self.above) - sum((n * f[-1][0] for f, n in self.below.items()), Fraction(0))

    @property
    def order(self) -> Fraction:
        """The k of yᵏ, as which it grows for small y."""
        return min(self.above)

    def expanded_below(self) -> Polynomial:
        """The denominator as one polynomial."""
        result: Polynomial = {Fraction(0): _ONE}
        for factor, n in self.below.items():
            result = _times(result, _raised(dict(factor), n))
        return result

    def times(self, other: ExponentialFraction) -> ExponentialFraction:
        """The product."""
        below = dict(self.below)
        for factor, n in other.below.items():
            below[factor] = below.get(factor, 0) + n
        return ExponentialFraction(_times(self.above, other.above), below)

    def plus(self, other: ExponentialFraction) -> ExponentialFraction:
        """The sum, over the common denominator."""
        below = dict(self.below)
        for factor, n in other.below.items():
            below[factor] = max(below.get(factor, 0), n)
        total: Polynomial = {}
        for each in (self, other):
            above = each.above
            for factor, n in below.items():
                above = _times(above, _raised(dict(factor), n - each.below.get(factor, 0)))
            for k, c in above.items():
                total[k] = total.get(k, Fraction(0)) + c
        return ExponentialFraction({k: c for k, c in total.items() if c}, below)

    def to_the(self, k: int) -> ExponentialFraction | None:
        """A whole power; None where it is not looked at."""
        if not self.above or abs(k) > _HIGHEST:
            return None
        if k >= 0:
            below = {factor: n * k for factor, n in self.below.items()} if k else {}
            return ExponentialFraction(_raised(self.above, k), below)
        lowest = min(self.above)
        first = self.above[lowest]
        factor = tuple(sorted((j - lowest, c / first) for j, c in self.above.items()))
        above = _times({lowest * k: first**k}, _raised(self.expanded_below(), -k))
        return ExponentialFraction(above, {factor: -k} if len(factor) > 1 else {})

    @property
    def is_small(self) -> bool:
        """Whether it is worth to be looked at."""
        if len(self.above) > _MOST_TERMS or sum(self.below.values()) > _HIGHEST + 4:
            return False
        exponents = [*self.above, *(k for factor in self.below for k, _ in factor)]
        if not exponents:
            return True
        unit = math.lcm(*(k.denominator for k in exponents))
        return unit * (max(exponents) - min(exponents)) <= _WIDEST


# -- of expressions --------------------------------------------------------------------------------


def _y(k: Fraction, c: Fraction = _ONE) -> ExponentialFraction:
    return ExponentialFraction.monomial(c, k)


def _over(above: ExponentialFraction, below: ExponentialFraction) -> ExponentialFraction:
    inverse = below.to_the(-1)
    assert inverse is not None, "the denominator is not 0"
    return above.times(inverse)


def _of_function(name: str, y: ExponentialFraction) -> ExponentialFraction | None:
    """The function of that name of log y."""
    one, half = _y(Fraction(0)), _y(Fraction(0), Fraction(1, 2))
    minus_one = _y(Fraction(0), -_ONE)
    square, inverse = y.times(y), _over(one, y)
    match name:
        case "exp":
            return y
        case "expm1":
            return y.plus(minus_one)
        case "sigmoid":
            return _over(one, inverse.plus(one))
        case "tanh":
            return _over(square.plus(minus_one), square.plus(one))
        case "sinh":
            return half.times(y.plus(inverse.times(minus_one)))
        case "cosh":
            return half.times(y.plus(inverse))
    return None


_FUNCTIONS = frozenset({"exp", "expm1", "sigmoid", "tanh", "sinh", "cosh"})


def with_base(argument: Expression) -> tuple[Fraction, Expression] | None:
    """An argument as k·u + log c with u in a normal form; None where k is no exact number."""
    _, argument = _shifted(argument)
    if isinstance(argument, N.Sum):
        first = min(argument.children, key=lambda term: without_number(term).key)
        k = parts(first)[0]
    else:
        k = parts(argument)[0]
    if not isinstance(k, Fraction) or not argument.used:
        return None
    return k, argument if k == 1 else scale(1 / k, argument)


def exponential_of(argument: Expression, base: Expression) -> ExponentialFraction | None:
    """The exponential c·yᵏ of k·u + log c."""
    pair = with_base(argument)
    if pair is None or pair[1] != base:
        return None
    return _y(pair[0], _shifted(argument)[0])


def _shifted(argument: Expression) -> tuple[Fraction, Expression]:
    """C and the rest of an argument with a term log c."""
    if isinstance(argument, N.Sum):
        for i, term in enumerate(argument.children):
            k, scalars, array = parts(term)
            if len(scalars) != 1 or not isinstance(array, N.Ones | None) or abs(k) != 1:
                continue
            (log,) = scalars
            if isinstance(log, N.Elementwise) and log.name == "log":
                inside = log.argument
                if isinstance(inside, N.Number) and isinstance(inside.value, Fraction):
                    rest = add([*argument.children[:i], *argument.children[i + 1 :]])
                    return (inside.value if k == 1 else 1 / inside.value), rest
    return _ONE, argument


def without_number(term: Expression) -> Expression:
    """A term without the number before it; a number as 1."""
    _, scalars, array = parts(term)
    return number(1) if not scalars and array is None else assemble(1, scalars, array)


_ENTRYWISE = (N.Sum, N.Scaled, N.Hadamard, N.Power)


def bases_of(e: Expression, known: dict[bytes, dict[bytes, Expression]]) -> dict[bytes, Expression]:
    """The u of the exponentials of which sums, products and powers are made."""
    if e.key not in known:
        found: dict[bytes, Expression] = {}
        if isinstance(e, N.Elementwise):
            pair = with_base(e.argument) if e.name in _FUNCTIONS else None
            if pair is not None:
                found = {pair[1].key: pair[1]}
        elif isinstance(e, _ENTRYWISE):
            for child in e.children:
                found |= bases_of(child, known)
        known[e.key] = found
    return known[e.key]


def fraction_of(
    e: Expression, base: Expression, known: dict[tuple[bytes, bytes], ExponentialFraction | None]
) -> ExponentialFraction | None:
    """The quotient of polynomials in exp(base) that an expression is; None for any other."""
    key = (e.key, base.key)
    if key not in known:
        found = _fraction(e, base, known)
        known[key] = found if found is None or found.is_small else None
    return known[key]


def _fraction(
    e: Expression, base: Expression, known: dict[tuple[bytes, bytes], ExponentialFraction | None]
) -> ExponentialFraction | None:
    if isinstance(e, N.Number):
        return _y(Fraction(0), e.value) if isinstance(e.value, Fraction) else None
    if isinstance(e, N.Ones):
        return _y(Fraction(0))
    if isinstance(e, N.Elementwise):
        y = exponential_of(e.argument, base) if e.name in _FUNCTIONS else None
        return None if y is None else _of_function(e.name, y)
    if isinstance(e, N.Power):
        k = e.exponent.value if isinstance(e.exponent, N.Number) else None
        inner = None if k is None or k != int(k) else fraction_of(e.base, base, known)
        return None if inner is None or k is None else inner.to_the(int(k))
    if not isinstance(e, N.Sum | N.Scaled | N.Hadamard):
        return None
    if isinstance(e, N.Scaled):
        if not isinstance(e.coefficient, Fraction) or (e.array is not None and e.scalars):
            return None
        result = _y(Fraction(0), e.coefficient)
    else:
        result = _y(Fraction(0), _ONE if isinstance(e, N.Hadamard) else Fraction(0))
    for child in e.children:
        inner = fraction_of(child, base, known)
        if inner is None:
            return None
        result = result.plus(inner) if isinstance(e, N.Sum) else result.times(inner)
        if not result.is_small:
            return None
    return result
