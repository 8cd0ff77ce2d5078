"""Rewrites of sums of products that share a sum up to a number: one bracket for all of them."""

from __future__ import annotations

import math
from fractions import Fraction

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, assemble, identity, matmul, parts, scale
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import Value
from mcmodels.calculus.derive.simplification.factors import common_scalars

__all__ = ["bracket_completed", "brackets_joined"]


def brackets_joined(e: N.Sum) -> Expression | None:
    """A(2x − 2y) + B(y − x) as (2A − B)(x − y), on the right or on the left."""
    for last in (True, False):
        groups: dict[bytes, list[tuple[int, Value, Expression, Expression]]] = {}
        for i, term in enumerate(e.children):
            found = _split(term, last)
            if found is None:
                continue
            rest, bracket = found
            number, simple = _primitive(bracket)
            groups.setdefault(simple.key, []).append((i, number, rest, simple))
        group = max(groups.values(), key=len, default=[])
        if len(group) < 2 or len({i for i, *_ in group}) < len(group):
            continue
        sign = 1 if group[0][1] > 0 else -1
        rests = []
        for i, number, rest, _ in group:
            coefficient, scalars, _ = parts(e.children[i])
            rests.append(assemble(sign * coefficient * number, scalars, rest))
        joined = _joined(add(rests), scale(sign, group[0][3]), last)
        return _with(e, {i for i, *_ in group}, joined)
    return None


def bracket_completed(e: N.Sum) -> Expression | None:
    """Aᵀ(x − y) − x + y as (Aᵀ − I)(x − y): terms that are the bracket of another one."""
    for i, term in enumerate(e.children):
        found = _split(term, last=True)
        if found is None:
            continue
        rest, bracket = found
        if not (rest.is_square and isinstance(bracket, N.Sum)):
            continue
        others = {_body(other): (k, other) for k, other in enumerate(e.children) if k != i}
        first = bracket.children[0]
        for scalars in _multiples(first, others):
            needed = [scale(*scalars, part) for part in bracket.children]
            places = [others.get(_body(part)) for part in needed]
            if any(p is None or p[1] != part for p, part in zip(places, needed, strict=True)):
                continue
            coefficient, own, _ = parts(term)
            factors = [assemble(coefficient, own, rest), scale(*scalars, identity(rest.rows))]
            joined = _joined(add(factors), bracket, last=True)
            return _with(e, {i, *(place[0] for place in places if place is not None)}, joined)
    return None


def _split(term: Expression, last: bool) -> tuple[Expression, Expression] | None:
    """A product as its other factors and the sum at its end, or at its start."""
    array = parts(term)[2]
    if not isinstance(array, N.Product):
        return None
    bracket = array.children[-1 if last else 0]
    rest = array.children[:-1] if last else array.children[1:]
    return (matmul(rest), bracket) if isinstance(bracket, N.Sum) else None


def _primitive(bracket: Expression) -> tuple[Value, Expression]:
    """A number and a sum whose coefficients are whole, without a common divisor."""
    assert isinstance(bracket, N.Sum)
    coefficients = [parts(term)[0] for term in bracket.children]
    if not all(isinstance(c, Fraction) and c.denominator == 1 for c in coefficients):
        return Fraction(1), bracket
    divisor = Fraction(math.gcd(*(int(c) for c in coefficients)))
    first = min(bracket.children, key=lambda term: _body(term))
    sign = 1 if parts(first)[0] > 0 else -1
    return sign * divisor, add([scale(sign / divisor, term) for term in bracket.children])


def _joined(inside: Expression, bracket: Expression, last: bool) -> Expression:
    outside, inside = common_scalars(inside)
    return scale(*outside, matmul([inside, bracket] if last else [bracket, inside]))


def _multiples(
    first: Expression, others: dict[tuple[bytes, ...], tuple[int, Expression]]
) -> list[list[Value | Expression]]:
    """The scalars by which the first term of a bracket stands among others."""
    coefficient, own, array = parts(first)
    if array is None:
        return []
    found = []
    for _, other in others.values():
        number, scalars, body = parts(other)
        if body == array and all(scalar in scalars for scalar in own):
            rest = [scalar for scalar in scalars if scalar not in own]
            found.append([number / coefficient, *rest])
    return found


def _body(term: Expression) -> tuple[bytes, ...]:
    """What terms share that differ in their number."""
    _, scalars, array = parts(term)
    names = sorted(scalar.key for scalar in scalars)
    return (b"" if array is None else array.key, *names)


def _with(e: N.Sum, places: set[int], by: Expression) -> Expression:
    first = min(places)
    terms = [
        by if i == first else t for i, t in enumerate(e.children) if i == first or i not in places
    ]
    return terms[0] if len(terms) == 1 else add(terms)
