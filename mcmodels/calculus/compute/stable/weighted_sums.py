"""Sums of exponentials whose weights are symbols: where they are, and their terms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mcmodels.calculus.compute.stable.fraction_forms import factors_of, product
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, ones, parts, scale, zeros_like
from mcmodels.calculus.core.arithmetic.exponentials import argument_of
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import Value, number
from mcmodels.calculus.core.rewriting import parts_of

__all__ = [
    "Term",
    "Weighted",
    "exponent_in",
    "filled_like",
    "is_below",
    "is_inverse",
    "sums",
]

_MOST_TERMS = 6


def sums(expression: Expression) -> Iterator[Weighted]:
    """Sums that are taken the logarithm of, or divided by; inner ones first."""
    for part in parts_of(expression):
        base: Expression | None = None
        if isinstance(part, N.Elementwise) and part.name in ("log", "log1p"):
            base = part.argument
            if part.name == "log1p":
                base = add([ones(base.rows, base.cols), base])
        elif isinstance(part, N.Power) and is_below(part):
            base = part.base
        if isinstance(base, N.Sum):
            found = _weighted(base)
            if found is not None:
                yield found


def is_below(e: N.Power) -> bool:
    """Whether a power divides, or is a root, or may be."""
    k = e.exponent.value if isinstance(e.exponent, N.Number) else None
    return k is None or k < 0 or k != int(k)


# -- the sums --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Term:
    """c · the product of the weights · exp(z)."""

    c: Value
    weights: tuple[Expression, ...]
    z: Expression

    @property
    def weight(self) -> Expression:
        """What the exponential is multiplied by."""
        return scale(self.c, product([number(1), *self.weights]))


@dataclass(frozen=True)
class Weighted:
    """A sum, its terms as they are, and with those of one exponent joined."""

    e: N.Sum
    each: tuple[Term, ...]
    terms: tuple[Term, ...]


def _weighted(e: N.Sum) -> Weighted | None:
    """The terms of a sum of exponentials of which one has a weight that is no number."""
    if not e.used or not 1 < len(e.children) <= _MOST_TERMS:
        return None
    if not any(exponent_in(f) is not None for child in e.children for f in factors_of(child)):
        return None
    terms: dict[bytes, Term] = {}
    each = tuple(map(_term, e.children))
    for term in each:
        if term.z.key in terms:
            both = [filled_like(one.weight, e) for one in (terms[term.z.key], term)]
            terms[term.z.key] = replace(_term(add(both)), z=term.z)
        else:
            terms[term.z.key] = term
    found = tuple(terms.values())
    if len(found) < 2 or not any(term.z.used for term in found):
        return None
    if not any(term.weights for term in found):
        return None
    if any(term.c <= 0 and not term.weights for term in found):
        return None
    return Weighted(e, each, found)


def _term(e: Expression) -> Term:
    weights: list[Expression] = []
    exponents: list[Expression] = []
    for factor in factors_of(e):
        z = exponent_in(factor)
        if z is not None and z.used:
            exponents.append(z)
        elif not isinstance(factor, N.Ones):
            weights.append(factor)
    z = add([filled_like(z, e) for z in exponents]) if exponents else zeros_like(e)
    return Term(parts(e)[0], tuple(weights), z)


def exponent_in(factor: Expression) -> Expression | None:
    """The z of exp(z), also of its powers; None of other factors."""
    z = argument_of("exp", factor)
    if z is None and isinstance(factor, N.Power):
        inner = argument_of("exp", factor.base)
        return None if inner is None else scale(factor.exponent, inner)
    return z


def filled_like(e: Expression, like: Expression) -> Expression:
    """A scalar as an array of that shape."""
    return scale(e, ones(like.rows, like.cols)) if e.is_scalar and like.is_array else e


def is_inverse(weight: Expression) -> bool:
    """Whether it is 1/s, which every product has as a factor: that of s/s."""
    exponent = weight.exponent if isinstance(weight, N.Power) else None
    return isinstance(exponent, N.Number) and exponent.value < 0
