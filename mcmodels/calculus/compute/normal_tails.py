"""Quotients of the normal density and distribution function, and their logarithms.

exp(−z²)/erfc(z) and Φ(z)/φ(z) are 0/0 in the tail where they are Mills' ratio or its inverse: NIST
Digital Library of Mathematical Functions, §7.8.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from mcmodels.calculus.compute.fraction_forms import product
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, ones, parts, power, scale
from mcmodels.calculus.core.arithmetic.quotients import named, whole
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.pairwise import choose

__all__ = ["in_tails"]

_HALF = Fraction(1, 2)
_ROOT_OF_2 = power(number(2), number(_HALF))
_ROOT_OF_2_PI = power(scale(2, N.NamedNumber("pi")), number(_HALF))


Walk = Callable[[Expression], Expression]


def in_tails(e: Expression, walk: Walk) -> Expression | None:
    """A product or logarithm by Mills' ratio, None of others; ``walk`` rewrites its parts."""
    if isinstance(e, N.Scaled | N.Hadamard):
        return _product(e, walk)
    if isinstance(e, N.Elementwise) and e.name == "log":
        return _logarithm(e.argument, walk)
    return None


def _product(e: Expression, walk: Walk) -> Expression | None:
    coefficient, scalars, array = parts(e)
    arrays = array.children if isinstance(array, N.Hadamard) else (array,)
    factors = [factor for factor in (*scalars, *arrays) if factor is not None]
    for i, above in enumerate(factors):
        cdf = _distribution(above)
        if cdf is None:
            continue
        c, w, k = cdf
        for j, factor in enumerate(factors):
            if i == j or (factor.rows, factor.cols) != (w.rows, w.cols):
                continue
            density = _density(factor, w, -k)
            if density is None:
                continue
            # (cΦ)ᵏφ⁻ᵏ dᵏ, with h = φ/Φ
            ratio = power(elementwise("inverse_mills", walk(w)), number(-k))
            rest = [f for n, f in enumerate(factors) if n not in (i, j)]
            filled = [] if e.is_scalar else [ones(e.rows, e.cols)]
            numbers = [power(number(c), number(k)), *density]
            others = walk(product([scale(1), *filled, *rest]))
            return scale(coefficient, *numbers, product([others, ratio]))
    return None


def _distribution(factor: Expression) -> tuple[int, Expression, int] | None:
    """c, w and k of (cΦ(w))ᵏ."""
    base, k = (factor, 1)
    if isinstance(factor, N.Power):
        exponent = whole(factor.exponent)
        if exponent is None:
            return None
        base, k = factor.base, exponent
    found = named(base)
    if found is not None and found[0] == "norm_cdf":
        return 1, found[1], k
    if found is not None and found[0] == "erfc":
        return 2, scale(-1, _ROOT_OF_2, found[1]), k
    return None


def _density(factor: Expression, w: Expression, k: int) -> list[Expression] | None:
    """The numbers before φ(w)ᵏ in a factor; None of other factors."""
    base, n = factor, 1
    if isinstance(factor, N.Power):
        exponent = whole(factor.exponent)
        if exponent is None:
            return None
        base, n = factor.base, exponent
    found = named(base)
    if found is not None and found[0] == "norm_pdf":
        # Between φ and Φ⁻¹, core.arithmetic.quotients has it already.
        return [] if n == k and found[1] in (w, scale(-1, w)) else None
    if found is not None and found[0] == "exp":
        exponent_of_density = scale(Fraction(-k, 2), power(w, number(2)))
        if scale(n, found[1]) == exponent_of_density:
            return [power(_ROOT_OF_2_PI, number(k))]
    return None


def _logarithm(argument: Expression, walk: Walk) -> Expression | None:
    """log(φ/Φ) as log φ − log Φ above 0, where φ/Φ underflows."""
    base, k = argument, Fraction(1)
    if isinstance(argument, N.Power):
        value = argument.exponent.value if isinstance(argument.exponent, N.Number) else None
        if not isinstance(value, Fraction):
            return None
        base, k = argument.base, value
    found = named(base)
    if found is not None and found[0] == "norm_pdf":
        return scale(k, _log_of_density(walk(found[1])))
    if found is None or found[0] != "inverse_mills":
        return None
    z = walk(found[1])
    far = add([_log_of_density(z), scale(-1, elementwise("norm_logcdf", z))])
    return scale(k, choose(z, far, N.Elementwise("log", elementwise("inverse_mills", z))))


def _log_of_density(z: Expression) -> Expression:
    constant = elementwise("log", _ROOT_OF_2_PI)
    filled = constant if z.is_scalar else scale(constant, N.Ones(z.rows, z.cols))
    return add([scale(-_HALF, power(z, number(2))), scale(-1, filled)])
