"""Terms of one exponent in sums with weights: eᶻ + beᶻ as (1 + b)eᶻ, in the sum and beside it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from mcmodels.calculus.compute.stable.fraction_forms import product
from mcmodels.calculus.compute.stable.weighted_sums import Term, Weighted
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, power, scale
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import rebuilt, rewrite

__all__ = ["with_one_term_for_each"]


def with_one_term_for_each(expression: Expression, of: Weighted) -> Expression | None:
    """The expression with these terms joined wherever all of them stand; None where there are none.

    Derivatives of log(eᶻ + beᶻ + a) have the same multiple of eᶻ and beᶻ in their sums.
    """
    groups: dict[bytes, list[Term]] = {}
    for term in of.each:
        groups.setdefault(term.z.key, []).append(term)
    found = expression
    for group in groups.values():
        if len(group) > 1:
            found = _joined(found, group)
    return None if found == expression else found


def _joined(expression: Expression, group: Sequence[Term]) -> Expression:
    weights = [term.weight for term in group]
    whole = add(weights)
    first = min(group, key=lambda term: len(term.weights))
    inverse = scale(1 / first.c, *(power(w, number(-1)) for w in first.weights))
    # Second derivatives have the square of the weights with its terms written out.
    squared = [power(weight, number(2)) for weight in weights]
    crossed = [scale(2, product(pair)) for pair in combinations(weights, 2)]
    patterns = [
        ([*squared, *crossed], power(whole, number(2)), power(inverse, number(2))),
        (weights, whole, inverse),
    ]

    def joined(part: Expression) -> Expression | None:
        if not isinstance(part, N.Sum):
            return None
        left = {term.key: term for term in part.children}
        done: list[Expression] = []
        for each, result, divisor in patterns:
            for term in part.children:
                rest = product([divisor, term])
                needed = {product([weight, rest]).key for weight in each}
                if len(needed) == len(each) and needed <= left.keys():
                    done.append(product([result, rest]))
                    left = {key: kept for key, kept in left.items() if key not in needed}
        found = add([*done, *left.values()]) if done else part
        if found == part:
            return None
        return rebuilt(found, [rewrite(child, joined) for child in found.children])

    return rewrite(expression, joined)
