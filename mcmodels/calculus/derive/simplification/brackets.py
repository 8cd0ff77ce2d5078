"""Rewrites of sums of products that share a sum up to a number: one bracket for all of them."""

from __future__ import annotations

import math
from fractions import Fraction

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, assemble, identity, matmul, parts, scale
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import Value
from mcmodels.calculus.derive.simplification.factors import common_scalars, replaced

__all__ = ["bracket_completed", "brackets_joined"]


def brackets_joined(e: N.Sum) -> Expression | None:
    """A(2x − 2y) + B(y − x) as (2A − B)(x − y), on the right or on the left."""
    for last in (True, False):
        alike: dict[tuple[tuple[bytes, ...], ...], list[int]] = {}
        splits: dict[int, tuple[Expression, N.Sum]] = {}
        for i, term in enumerate(e.children):
            found = _split(term, last)
            if found is not None:
                splits[i] = found
                terms = tuple(sorted(_body(part) for part in found[1].children))
                alike.setdefault(terms, []).append(i)
        for places in alike.values():
            result = _joined_at(e, places, splits, last) if len(places) > 1 else None
            if result is not None:
                return result
    return None


def _joined_at(
    e: N.Sum, places: list[int], splits: dict[int, tuple[Expression, N.Sum]], last: bool
) -> Expression | None:
    """The terms at these places joined, where their brackets differ by a number."""
    groups: dict[bytes, list[tuple[int, Value, Expression]]] = {}
    for i in places:
        bracket = splits[i][1]
        number, simple = _primitive(bracket)
        groups.setdefault(simple.key, []).append((i, number, simple))
    group = max(groups.values(), key=len)
    if len(group) < 2:
        return None
    sign = 1 if group[0][1] > 0 else -1
    rests = []
    for i, number, _ in group:
        coefficient, scalars, _ = parts(e.children[i])
        rests.append(assemble(sign * coefficient * number, scalars, splits[i][0]))
    joined = _joined(add(rests), scale(sign, group[0][2]), last)
    return replaced(e, {i for i, *_ in group}, joined)


def bracket_completed(e: N.Sum) -> Expression | None:
    """Aᵀ(x − y) − x + y as (Aᵀ − I)(x − y): terms that are the bracket of another one."""
    splits = [(i, _split(term, last=True)) for i, term in enumerate(e.children)]
    chosen = [(i, found) for i, found in splits if found is not None and found[0].is_square]
    if not chosen or len(chosen) == len(e.children):
        return None
    others = {_body(other): (k, other) for k, other in enumerate(e.children)}
    by_array: dict[bytes, list[Expression]] = {}
    for other in e.children:
        array = parts(other)[2]
        if array is not None:
            by_array.setdefault(array.key, []).append(other)
    for i, (rest, bracket) in chosen:
        for scalars in _multiples(bracket.children[0], by_array):
            needed = [scale(*scalars, part) for part in bracket.children]
            places = [others.get(_body(part)) for part in needed]
            if any(p is None or p[1] != part for p, part in zip(places, needed, strict=True)):
                continue
            coefficient, own, _ = parts(e.children[i])
            factors = [assemble(coefficient, own, rest), scale(*scalars, identity(rest.rows))]
            joined = _joined(add(factors), bracket, last=True)
            return replaced(e, {i, *(place[0] for place in places if place is not None)}, joined)
    return None


def _split(term: Expression, last: bool) -> tuple[Expression, N.Sum] | None:
    """A product as its other factors and the sum at its end, or at its start."""
    array = parts(term)[2]
    if not isinstance(array, N.Product):
        return None
    bracket = array.children[-1 if last else 0]
    rest = array.children[:-1] if last else array.children[1:]
    return (matmul(rest), bracket) if isinstance(bracket, N.Sum) else None


def _primitive(bracket: N.Sum) -> tuple[Value, Expression]:
    """A number and a sum whose coefficients are whole, without a common divisor."""
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
    first: Expression, by_array: dict[bytes, list[Expression]]
) -> list[list[Value | Expression]]:
    """The scalars by which the first term of a bracket stands among the terms of a sum."""
    coefficient, own, array = parts(first)
    found = []
    for other in [] if array is None else by_array.get(array.key, []):
        number, scalars, _ = parts(other)
        if all(scalar in scalars for scalar in own):
            rest = [scalar for scalar in scalars if scalar not in own]
            found.append([number / coefficient, *rest])
    return found


def _body(term: Expression) -> tuple[bytes, ...]:
    """What terms share that differ in their number."""
    _, scalars, array = parts(term)
    names = sorted(scalar.key for scalar in scalars)
    return (b"" if array is None else array.key, *names)
