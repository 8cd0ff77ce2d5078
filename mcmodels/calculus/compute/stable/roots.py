"""Roots of functions that underflow where the root does not: √σ(z) at −1000 is 7e-218, not 0."""

from __future__ import annotations

from fractions import Fraction

from mcmodels.calculus.compute.stable.fraction_forms import product
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, ones, parts, power, scale
from mcmodels.calculus.core.arithmetic.quotients import named
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.pairwise import choose

__all__ = ["root_in_range"]

_FAR = 37  # beyond it softplus(−z) is exp(−z), to all digits
_TINY = 30  # Φ(−z) and erfc(z) beyond it are below 1e-197
_ROOT_OF_2 = power(number(2), number(Fraction(1, 2)))


def root_in_range(e: N.Power) -> Expression | None:
    """fᵏ for 0 < k < 1 by the logarithm of f, where f is small; None of other powers."""
    k = e.exponent.value if isinstance(e.exponent, N.Number) else Fraction(0)
    if not 0 < k < 1:
        return None
    if not isinstance(e.base, N.Scaled | N.Hadamard):
        return _of_function(e.base, Fraction(k))
    coefficient, scalars, array = parts(e.base)
    arrays = array.children if isinstance(array, N.Hadamard) else (array,)
    factors = [factor for factor in (*scalars, *arrays) if factor is not None]
    found = [_of_function(factor, Fraction(k)) for factor in factors]
    done = [root for root in found if root is not None]
    if not done:
        return None
    left = [factor for factor, root in zip(factors, found, strict=True) if root is None]
    filled = [] if e.is_scalar else [ones(e.rows, e.cols)]
    rest = scale(coefficient, product([scale(1), *filled, *left]))
    return product([scale(1), *filled, power(rest, e.exponent), *done])


def _of_function(f: Expression, k: Fraction) -> Expression | None:
    found = named(f)
    if found is None or not found[1].used:
        return None
    name, z = found
    one = ones(z.rows, z.cols)
    match name:
        case "exp":
            return elementwise("exp", scale(k, z))
        case "sigmoid":
            return elementwise("exp", scale(-k, elementwise("softplus", scale(-1, z))))
        case "softplus":
            near = add([z, scale(_FAR, one)])
            far = elementwise("exp", scale(k, z))
        case "norm_cdf":
            near = add([z, scale(_TINY, one)])
            far = elementwise("exp", scale(k, elementwise("norm_logcdf", z)))
        case "erfc":
            near = add([scale(_TINY, one), scale(-1, _ROOT_OF_2, z)])
            w = scale(-1, _ROOT_OF_2, z)
            far = elementwise("exp", scale(k, elementwise("norm_logcdf", w)))
            far = scale(power(number(2), number(k)), far)
        case _:
            return None
    return choose(near, power(f, number(k)), far)
