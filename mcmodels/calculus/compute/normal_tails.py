"""Tails of the normal distribution: 1 − Φ(z) = Φ(−z), and φ(z)/Φ(z) without a division by 0."""

from __future__ import annotations

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, hadamard, parts, power, scale
from mcmodels.calculus.core.arithmetic.exponentials import argument_of
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number

__all__ = ["upper_tail", "with_mills_ratios"]


def upper_tail(e: N.Sum) -> Expression | None:
    """1 − Φ(z) as Φ(−z), of which float64 has all digits; Abramowitz & Stegun (1964), 26.2.5."""
    if len(e.children) != 2:
        return None
    for one, other in (e.children, e.children[::-1]):
        coefficient, scalars, array = parts(other)
        body = scalars[0] if array is None and len(scalars) == 1 else array
        z = (
            None
            if body is None or (array is not None and scalars)
            else argument_of("norm_cdf", body)
        )
        constant, beside, filled = parts(one)
        is_constant = not beside and (filled is None or isinstance(filled, N.Ones))
        if z is not None and is_constant and constant == -coefficient:
            return scale(constant, elementwise("norm_cdf", scale(-1, z)))
    return None


def with_mills_ratios(e: Expression) -> Expression | None:
    """φ(z)ʲ/Φ(u)ᵏ with u = ±z as inverse_mills(u) and what is left of the powers.

    Also of the terms of a sum that φ(z) stands before.
    """
    if isinstance(e, N.Scaled) and isinstance(e.array, N.Hadamard):
        inner = with_mills_ratios(e.array)
        if inner is not None:
            return scale(e.coefficient, *e.scalars, inner)
    joined = _joined(e, list(e.children))
    return _opened(e) if joined is None else joined


def _joined(e: Expression, factors: list[Expression]) -> Expression | None:
    for i, below in enumerate(factors):
        u, k = _power_of("norm_cdf", below)
        if u is None or k >= 0:
            continue
        for j, above in enumerate(factors):
            z, times = _power_of("norm_pdf", above)
            if z is None or times < 1 or u not in (z, scale(-1, z)):
                continue
            shared = min(times, -k)
            ratio = power(elementwise("inverse_mills", u), number(shared))
            left = [
                power(elementwise("norm_pdf", z), number(times - shared)),
                power(elementwise("norm_cdf", u), number(k + shared)),
            ]
            rest = [factor for n, factor in enumerate(factors) if n not in (i, j)]
            return _product(e, [ratio, *left, *rest])
    return None


def _opened(e: Expression) -> Expression | None:
    """φ(z)(a/Φ(z) − b/Φ(−z)) with φ(z) in each term."""
    arguments = [_power_of("norm_pdf", factor)[0] for factor in e.children]
    if not any(z is not None for z in arguments):
        return None
    for i, factor in enumerate(e.children):
        if not (isinstance(factor, N.Sum) and any(map(_divides, factor.children))):
            continue
        terms = []
        for term in factor.children:
            whole = _product(e, [*e.children[:i], term, *e.children[i + 1 :]])
            is_product = isinstance(whole, N.Scaled | N.Hadamard)
            found = with_mills_ratios(whole) if is_product else None
            terms.append(whole if found is None else found)
        return add(terms)
    return None


def _divides(term: Expression) -> bool:
    """Whether a term has a factor 1/Φ(u)."""
    _, scalars, array = parts(term)
    entries = array.children if isinstance(array, N.Hadamard) else () if array is None else (array,)
    return any(_power_of("norm_cdf", factor)[1] < 0 for factor in (*scalars, *entries))


def _power_of(name: str, factor: Expression) -> tuple[Expression | None, int]:
    base, k = factor, 1
    if isinstance(factor, N.Power) and isinstance(factor.exponent, N.Number):
        value = factor.exponent.value
        if value != int(value):
            return None, 0
        base, k = factor.base, int(value)
    z = argument_of(name, base)
    return (None, 0) if z is None else (z, k)


def _product(e: Expression, factors: list[Expression]) -> Expression:
    scalars = [factor for factor in factors if factor.is_scalar]
    arrays = [factor for factor in factors if factor.is_array]
    number_before = e.coefficient if isinstance(e, N.Scaled) else 1
    return scale(number_before, *scalars, *([hadamard(arrays)] if arrays else []))
