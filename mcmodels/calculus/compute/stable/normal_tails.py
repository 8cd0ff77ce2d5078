"""Φ/φ, and logarithms of φ and of φ/Φ, where these functions are 0 in float64."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from mcmodels.calculus.compute.stable.fraction_forms import product
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, ones, parts, power, scale
from mcmodels.calculus.core.arithmetic.quotients import named, whole
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.pairwise import choose

__all__ = ["in_tails"]

_HALF = Fraction(1, 2)
_ROOT_OF_2_PI = power(scale(2, N.NamedNumber("pi")), number(_HALF))


Walk = Callable[[Expression], Expression]


def in_tails(e: Expression, walk: Walk) -> Expression | None:
    """Such a quotient or logarithm, None of others; ``walk`` rewrites its parts."""
    if isinstance(e, N.Scaled | N.Hadamard):
        return _quotient(e, walk)
    if isinstance(e, N.Elementwise) and e.name == "log":
        return _logarithm(e.argument, walk)
    return None


def _quotient(e: Expression, walk: Walk) -> Expression | None:
    """Φ(z)ᵏ/φ(z)ᵏ as h(z)⁻ᵏ, with h = φ/Φ; φ(−z)/φ(z) as 1."""
    coefficient, scalars, array = parts(e)
    arrays = array.children if isinstance(array, N.Hadamard) else (array,)
    factors = [factor for factor in (*scalars, *arrays) if factor is not None]
    known = []
    for factor in factors:
        exponent = whole(factor.exponent) if isinstance(factor, N.Power) else 1
        base = factor.base if isinstance(factor, N.Power) else factor
        known.append((named(base), exponent))
    for i, (cdf, k) in enumerate(known):
        for j, (pdf, m) in enumerate(known):
            if cdf is None or pdf is None or k is None or m != -k or k < 0:
                continue
            w = cdf[1]
            rest = [factor for n, factor in enumerate(factors) if n not in (i, j)]
            filled = [ones(e.rows, e.cols)]
            if cdf[0] == pdf[0] == "norm_pdf" and pdf[1] == scale(-1, w):  # φ is even
                return walk(scale(coefficient, product([scale(1), *filled, *rest])))
            if (cdf[0], pdf[0]) == ("norm_cdf", "norm_pdf") and pdf[1] in (w, scale(-1, w)):
                others = walk(product([scale(1), *filled, *rest]))
                ratio = power(elementwise("inverse_mills", walk(w)), number(-k))
                return scale(coefficient, product([others, ratio]))
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
