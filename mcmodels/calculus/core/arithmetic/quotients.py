"""Quotients of functions that have a name, and sums that are one function.

sinh(z)/cosh(z) is tanh(z), and φ(z)/Φ(z) the inverse Mills ratio. Both overflow, or are 0/0, far
out, where the value is known to all digits. They are brought into one form as they are put
together: they come with the derivatives of log(cosh(z)), log(cos(z)) and log(Φ(z)).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from mcmodels.calculus.core.arithmetic.entrywise import (
    Powers,
    hadamard,
    parts,
    power,
    recognises,
    scale,
)
from mcmodels.calculus.core.arithmetic.transposes import transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import (
    Elementwise,
    Hadamard,
    NamedNumber,
    Number,
    Ones,
    Power,
    Sum,
    Transpose,
)
from mcmodels.calculus.core.numbers import Value, magnitude, number

__all__ = [
    "complement",
    "function",
    "joined_quotients",
    "named",
    "power_of_sum",
    "root_of_product",
    "whole",
]

# sinh/cosh = tanh: Abramowitz & Stegun (1964), (4.5.3); sin/cos = tan: (4.3.3).
_RATIOS = {("sinh", "cosh"): "tanh", ("sin", "cos"): "tan"}
_IN_RATIOS = frozenset({"sinh", "cosh", "sin", "cos", "norm_pdf", "norm_cdf", "erfc"})

# 1 + sinh² = cosh²: Abramowitz & Stegun (1964), (4.5.16); sin² + cos² = 1: (4.3.10). By the numbers
# before 1 and before the square, and the function that is squared.
_SQUARES = {(1, 1, "sinh"): "cosh", (1, -1, "sin"): "cos", (1, -1, "cos"): "sin",
            (-1, 1, "cosh"): "sinh"}  # fmt: skip

# 1 − Φ(z) = Φ(−z), 1 ± erf(z) = erfc(∓z): Abramowitz & Stegun (1964), (7.1.2), (7.1.9), (26.2.6).
# By the function and the number before it: the other function, and the sign of its argument.
_COMPLEMENTS = {
    ("norm_cdf", -1): ("norm_cdf", -1),
    ("erf", -1): ("erfc", 1),
    ("erf", 1): ("erfc", -1),
}
# Functions above 0, which are small or large far out; a power of them may not fit where they do.
_POSITIVE = frozenset({"exp", "sigmoid", "softplus", "norm_pdf", "norm_cdf", "erfc", "cosh"})
_ROOT_OF_2 = power(number(2), number(Fraction(1, 2)))
_ROOT_OF_2_PI = power(scale(2, NamedNumber("pi")), number(Fraction(1, 2)))


def function(name: str, argument: Expression) -> Expression:
    """A function of each entry, with a transpose moved outwards."""
    if isinstance(argument, Transpose):
        return Transpose(function(name, argument.argument))
    return Elementwise(name, argument)


def named(e: Expression) -> tuple[str, Expression] | None:
    """Name and argument of an elementwise function; None for anything else."""
    if isinstance(e, Transpose):
        inner = named(e.argument)
        return None if inner is None else (inner[0], transpose(inner[1]))
    return (e.name, e.argument) if isinstance(e, Elementwise) else None


def whole(exponent: Expression) -> int | None:
    """An exponent that is a whole number."""
    value = exponent.value if isinstance(exponent, Number) else None
    return None if value is None or value != int(value) else int(value)


def joined_quotients(factors: Powers) -> Powers | None:
    """Two factors f(z)ᵐ and g(z)ᵏ, one above and one below, as the function that f/g is."""
    known = []
    for i, (base, exponent) in enumerate(factors):
        found, k = named(base), whole(exponent)
        if found is not None and found[0] in _IN_RATIOS and k is not None:
            known.append((i, base, *found, k))
    gaussian = _gaussian(factors)
    if gaussian is not None:
        return gaussian
    if len({k > 0 for *_, k in known}) < 2:
        return None  # none above, or none below: there may be many
    for i, f, name, z, m in known:
        for j, g, other, w, k in known:
            if m * k >= 0:
                continue
            ratio = _ratio(name, z, m, other, w)
            if ratio is not None:
                n = min(abs(m), abs(k)) * (1 if m > 0 else -1)
                rest = [pair for p, pair in enumerate(factors) if p not in (i, j)]
                left = [(f, m - n), (g, k + n), *((base, n * sign) for base, sign in ratio)]
                return rest + [(base, number(exponent)) for base, exponent in left if exponent]
    return None


def _gaussian(factors: Powers) -> Powers | None:
    """exp(−w²/2)ᵏ/Φ(w)ᵏ, of which exp(−z²)/erfc(z) is one, by the inverse Mills ratio."""
    for i, (base, exponent) in enumerate(factors):
        found, k = named(base), whole(exponent)
        if found is None or k is None or found[0] not in ("norm_cdf", "erfc"):
            continue
        w, c = (found[1], 1) if found[0] == "norm_cdf" else (scale(-1, _ROOT_OF_2, found[1]), 2)
        if parts(w)[2] is not None and isinstance(parts(w)[2], Ones):
            continue
        quadratic = scale(Fraction(k, 2), power(w, number(2)))
        for j, (other, power_of_other) in enumerate(factors):
            inside, m = named(other), whole(power_of_other)
            if inside is None or m is None or inside[0] != "exp":
                continue
            if scale(m, inside[1]) == quadratic:
                rest = [pair for n, pair in enumerate(factors) if n not in (i, j)]
                ratio = (function("inverse_mills", w), number(-k))
                return [*rest, ratio, (number(c), number(k)), (_ROOT_OF_2_PI, number(-k))]
    return None


def _ratio(
    name: str, z: Expression, m: int, other: str, w: Expression
) -> list[tuple[Expression, int]] | None:
    """The quotient name(z)/other(w) as factors with exponents of 1 or −1; None where unnamed."""
    if (name, other) in _RATIOS:
        return [(function(_RATIOS[name, other], z), 1)] if z == w else None
    if name != "norm_pdf" or m < 0:
        return None
    if other == "norm_cdf":
        # φ is even, so that φ(z)/Φ(−z) has the same name.
        return [(function("inverse_mills", w), 1)] if w in (z, scale(-1, z)) else None
    if other == "erfc":  # erfc(w) = 2Φ(−√2 w)
        v = scale(-1, _ROOT_OF_2, w)
        if v in (z, scale(-1, z)):
            return [(number(2), -1), (function("inverse_mills", v), 1)]
    return None


def _with_one(e: Expression) -> Iterator[tuple[Value, Value, Expression]]:
    """Of a sum c + d·g of a number (or ones) and something else: c, d and g."""
    if not isinstance(e, Sum) or len(e.children) != 2:
        return
    for one, rest in (e.children, e.children[::-1]):
        c, scalars, array = parts(one)
        if scalars or not isinstance(array, Ones | None):
            continue
        d, others, body = parts(rest)
        if body is None and len(others) == 1:
            yield c, d, others[0]
        elif body is not None and not others:
            yield c, d, body


def complement(e: Expression) -> tuple[Value, Expression] | None:
    """Of c(1 − Φ(z)) and the like: c, and the function Φ(−z) that is left."""
    for c, d, g in _with_one(e):
        found = named(g)
        if found is None or c == 0 or magnitude(d) != magnitude(c):
            continue
        other = _COMPLEMENTS.get((found[0], int(d / c)))
        if other is not None:
            return c, function(other[0], scale(other[1], found[1]))
    return None


@recognises("root")
def root_of_product(e: Expression, exponent: Value) -> Expression | None:
    """(fᵐ · rest)ᵏ as fᵐᵏ · restᵏ for whole m > 1 and functions f > 0; None of others.

    σ(z)² is 0 at −500 in float64, where its root is not.
    """
    _, scalars, array = parts(e)
    arrays = array.children if isinstance(array, Hadamard) else (array,)
    factors = [factor for factor in (*scalars, *arrays) if factor is not None]
    taken = [f for f in factors if isinstance(f, Power) and _is_whole_power_above_zero(f)]
    if not taken:
        return None
    done = [power(f.base, scale(exponent, f.exponent)) for f in taken]
    left = [factor for factor in factors if factor not in taken]
    rest = _product([number(parts(e)[0]), *left])
    return _product([power(rest, number(exponent)), *done])


def _is_whole_power_above_zero(f: Power) -> bool:
    m = whole(f.exponent)
    if m is None or m < 2:
        return False
    found = named(f.base)
    if found is not None:
        return found[0] in _POSITIVE and bool(found[1].used)
    if not isinstance(f.base, Sum):
        return False
    known = complement(f.base)
    return known is not None and known[0] > 0


def _product(factors: list[Expression]) -> Expression:
    arrays = [factor for factor in factors if factor.is_array]
    scalars = [factor for factor in factors if factor.is_scalar]
    return scale(*scalars, *([hadamard(arrays)] if arrays else []))


def power_of_sum(e: Expression, exponent: Value) -> Expression | None:
    """(1 − Φ(z))ᵏ as Φ(−z)ᵏ for k < 0, (1 + sinh²)ᵏ as cosh²ᵏ for any k; None for other sums."""
    found = complement(e) if exponent < 0 else None
    if found is not None:
        c, g = found
        if c > 0 or exponent == int(exponent):
            return scale(power(number(c), number(exponent)), power(g, number(exponent)))
    for c, d, g in _with_one(e):
        size = magnitude(c)
        if not isinstance(g, Power | Transpose) or size == 0 or magnitude(d) != size:
            continue
        squared = g.argument if isinstance(g, Transpose) else g
        if not isinstance(squared, Power) or squared.exponent != number(2):
            continue
        inner = named(squared.base if squared is g else transpose(squared.base))
        if inner is None:
            continue
        other = _SQUARES.get((int(c / size), int(d / size), inner[0]))
        # Only cosh is positive: a root of the other squares would be a magnitude.
        if other is not None and (other == "cosh" or exponent == int(exponent)):
            raised = power(function(other, inner[1]), number(2 * exponent))
            return scale(power(number(size), number(exponent)), raised)
    return None
