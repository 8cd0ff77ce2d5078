"""What no rule of composition says: u/v with affine u and v, log(exp(z) − 1), max(z³, 0)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, is_zero, parts, power, scale
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.derive import gradients
from mcmodels.calculus.derive.simplification import simplify
from mcmodels.calculus.study.convexity.curvature import CONCAVE, CONVEX, UNKNOWN, Curvature

if TYPE_CHECKING:
    from mcmodels.calculus.study.convexity.composition import Composition

__all__ = ["affine_quotient", "base_of_positive_part", "log_of_growth"]

_GROWTHS = frozenset({"expm1", "sinh"})


def affine_quotient(composition: Composition, u: Expression, other: Expression) -> Curvature:
    """Of u/v for a number x: u/v = k + c/v with constants k and c, and v at least 0."""
    x = composition.x
    is_quotient = isinstance(other, N.Power) and other.exponent == number(-1)
    if not (is_quotient and x.is_scalar and u.is_scalar and other.is_scalar):
        return UNKNOWN
    v = other.children[0]
    affine = composition.is_affine(u) and composition.is_affine(v)
    if not affine or composition.ranges.sign(v) != 1:
        return UNKNOWN
    k = scale(gradients.gradient(u, x), power(gradients.gradient(v, x), number(-1)))
    rest = simplify(add([u, scale(-1, k, v)]))
    if composition.varies(rest):
        return UNKNOWN
    sign = composition.ranges.sign(rest)
    return CONVEX if sign == 1 else CONCAVE if sign == -1 else UNKNOWN


def log_of_growth(inside: Expression) -> Expression | None:
    """The z of exp(z) − 1 and sinh(z), whose logarithms rise and are concave in z; else None."""
    if isinstance(inside, N.Elementwise) and inside.name in _GROWTHS:
        return inside.argument
    if isinstance(inside, N.Sum) and len(inside.terms) == 2:
        for term, other in (inside.terms, inside.terms[::-1]):
            less = scale(-1, other)
            is_one = isinstance(less, N.Ones) or less == number(1)
            if is_one and isinstance(term, N.Elementwise) and term.name == "exp":
                return term.argument
    return None


def base_of_positive_part(e: Expression) -> tuple[Expression, int] | None:
    """The z of max(zᵖ, 0) = max(z, 0)ᵖ with p = 3, 5, …, which is convex where z is; else None.

    Also of multiples of the power, with 1; and of min(zᵖ, 0) = −max((−z)ᵖ, 0) the −z, with −1.
    """
    sign = 1
    if isinstance(e, N.Elementwise) and e.name == "relu":
        raised = e.argument
    elif (
        isinstance(e, F.Pairwise)
        and e.name in ("maximum", "minimum")
        and any(map(is_zero, e.children))
    ):
        raised = e.right if is_zero(e.left) else e.left
        sign = 1 if e.name == "maximum" else -1
    else:
        return None
    c, scalars, array = parts(raised)
    factors = [*scalars, *([] if array is None else [array])]
    found = factors[0] if len(factors) == 1 else None
    if not (isinstance(found, N.Power) and isinstance(found.exponent, N.Number)):
        return None
    p = Fraction(found.exponent.value)
    if p <= 0 or p.denominator != 1 or p % 2 == 0:
        return None
    return scale(sign if c > 0 else -sign, found.base), sign
