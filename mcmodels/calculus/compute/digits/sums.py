"""Sums over an index in the digits that mpmath is set to, term by term."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

from mcmodels.calculus.compute.digits.functions import mpmath
from mcmodels.calculus.compute.digits.rows import Rows, added, made, mapped
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import LogSumOver, SumOver

__all__ = ["sum_of_terms"]


def sum_of_terms(
    e: SumOver,
    at: Callable[[Expression, Rows], Rows],
    sizes: Mapping[str, int],
) -> Rows:
    """The value of a sum, or of the logarithm of one.

    Parameters
    ----------
    e : SumOver
    at : callable
        The value of a part at a place of the index.
    sizes : mapping of str to int
    """
    mp = mpmath().mp

    def term(place: Rows) -> Rows:
        if not isinstance(e, LogSumOver):
            return at(e.body, place)
        # mpmath's exponents have no bound, so that exp does not overflow.
        weight, exponent = (at(part, place) for part in e.body.children)
        return mapped(lambda w, z: w * mp.exp(z), weight, exponent)

    places = [[[mp.mpf(i)]] for i in range(e.over.value(sizes))]
    terms = [
        term(place) for place in places if not e.is_conditional or at(e.condition, place)[0][0] > 0
    ]
    zero = made(e.rows.value(sizes), e.cols.value(sizes), lambda row, col: 0)
    total = reduce(added, terms, zero)
    return mapped(mp.log, total) if isinstance(e, LogSumOver) else total
