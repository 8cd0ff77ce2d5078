"""Rewrites of sums over an index: sums over one index joined, factors of the body taken out."""

from __future__ import annotations

from mcmodels.calculus.core.arithmetic import add, assemble, parts, scale
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.nodes import Scaled, Sum
from mcmodels.calculus.core.rewriting import apart, renamed
from mcmodels.calculus.core.summation import summed
from mcmodels.calculus.derive.simplification.factors import common_scalars

__all__ = ["body_factored", "sums_joined"]


def sums_joined(e: Sum) -> Expression | None:
    """Σᵢ aᵢ + Σᵢ bᵢ as Σᵢ (aᵢ + bᵢ), where the conditions are the same."""
    found: list[tuple[SumOver, Expression]] = []
    others: list[Expression] = []
    for term in e.children:
        sum_ = _sum_in(term)
        if sum_ is None:
            others.append(term)
            continue
        inner, outside = sum_
        for place, (first, body) in enumerate(found):
            other = _named_like(inner, first)
            if other is not None:
                joined = add([body, scale(outside, other)])
                found[place] = (first, joined)
                break
        else:
            found.append((inner, scale(outside, inner.body)))
    if len(found) + len(others) == len(e.children):
        return None
    sums = [summed(body, first.condition, first.index) for first, body in found]
    return add([*sums, *others])


def _sum_in(term: Expression) -> tuple[SumOver, Expression] | None:
    """The sum of a term, and the scalar by which it is multiplied."""
    coefficient, scalars, array = parts(term)
    if isinstance(array, SumOver):
        return array, assemble(coefficient, scalars, None)
    if array is not None:
        return None
    sums = [s for s in scalars if isinstance(s, SumOver)]
    if len(sums) != 1:
        return None
    return sums[0], assemble(coefficient, [s for s in scalars if s is not sums[0]], None)


def _named_like(other: SumOver, first: SumOver) -> Expression | None:
    """The body of a sum with the index of another, where both run over the same terms."""
    if other.over != first.over:
        return None
    names = frozenset([first.name])
    body, condition = other.body, other.condition
    if other.name != first.name:
        if first.index in body.used | condition.used:
            return None  # an index of an outer sum
        body, condition = (
            renamed(apart(part, names), other.index, first.name) for part in (body, condition)
        )
    return body if condition == first.condition else None


def body_factored(e: SumOver) -> Expression | None:
    """Σᵢ (aᵢuᵢ − aᵢvᵢ) as Σᵢ aᵢ(uᵢ − vᵢ), and Σᵢ (2aᵢ − 2bᵢ)uᵢ as 2 Σᵢ (aᵢ − bᵢ)uᵢ."""
    outside, inside = common_scalars(e.body)
    if isinstance(inside, Scaled):
        scalars = []
        for scalar in inside.scalars:
            taken, rest = common_scalars(scalar)
            outside += taken
            scalars.append(rest)
        inside = assemble(inside.coefficient, scalars, inside.array)
    if not outside:
        return None
    return summed(scale(*outside, inside), e.condition, e.index)
