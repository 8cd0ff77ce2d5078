"""Pairings ⟨C, M⟩ summed over indices: a sum is opened for the rules, and closed again around C.

Σᵢ ⟨Cᵢ, Mᵢ⟩ is kept open as long as M depends on the index. Then it is ⟨Σᵢ Cᵢ, M⟩.
"""

from __future__ import annotations

from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index, SumOver
from mcmodels.calculus.core.indices import fresh, indices_in
from mcmodels.calculus.core.rewriting import renamed
from mcmodels.calculus.core.summation import summed

__all__ = ["Fields", "Over", "closed", "opened", "summed_out"]

Over = tuple[tuple[Index, Expression], ...]
"""The indices of sums, the outermost first, each with the condition of its terms."""

Fields = tuple[Expression, Expression, Over]
"""C, M and the sums over them."""


def opened(C: Expression, M: Expression, over: Over) -> Fields:
    """⟨C, Σᵢ Mᵢ⟩ as Σᵢ ⟨C, Mᵢ⟩, with another index where C depends on one of that name."""
    assert isinstance(M, SumOver)
    body, condition, i = M.body, M.condition, M.index
    names = {symbol.name for symbol in C.used} | {other.name for other, _ in over}
    if i.name in names:
        names |= {symbol.name for symbol in body.used | condition.used} | M.size_names
        name = fresh(i.name, frozenset(names) | indices_in(C) | indices_in(M))
        body, condition = renamed(body, i, name), renamed(condition, i, name)
        i = Index(name, i.over)
    return C, body, (*over, (i, condition))


def summed_out(C: Expression, M: Expression, over: Over) -> Fields:
    """The same, with inner sums over indices on which M does not depend carried out around C.

    An outer sum is carried out after those inside of it, so that sums keep their order.
    """
    count = max((k + 1 for k, (i, _) in enumerate(over) if i in M.used), default=0)
    return closed(C, over[count:]), M, over[:count]


def closed(e: Expression, over: Over) -> Expression:
    """The sum of an expression over indices."""
    for i, condition in reversed(over):
        e = summed(e, condition, i)
    return e
