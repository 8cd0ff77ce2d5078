"""Pairings ⟨C, M⟩ summed over indices: a sum is opened for the rules, and closed again around C.

Σᵢ ⟨Cᵢ, Mᵢ⟩ is kept open as long as M depends on the index. Then it is ⟨Σᵢ Cᵢ, M⟩.
"""

from __future__ import annotations

from mcmodels.calculus.core.arithmetic import scale
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index, SumOver
from mcmodels.calculus.core.indices import fresh, indices_in
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import renamed
from mcmodels.calculus.core.summation import summed

__all__ = ["Fields", "closed", "opened", "summed_out"]

Conditions = tuple[Expression, ...]
Fields = tuple[Expression, Expression, tuple[Index, ...], Conditions]
"""C, M, the indices, and what must hold for a term."""


def opened(C: Expression, M: Expression, over: tuple[Index, ...], conditions: Conditions) -> Fields:
    """⟨C, Σᵢ Mᵢ⟩ as Σᵢ ⟨C, Mᵢ⟩, with another index where C depends on one of that name."""
    assert isinstance(M, SumOver)
    body, condition, i = M.body, M.condition, M.index
    names = {symbol.name for symbol in C.used} | {other.name for other in over}
    if i.name in names:
        names |= {symbol.name for symbol in body.used | condition.used} | M.size_names
        name = fresh(i.name, frozenset(names) | indices_in(C) | indices_in(M))
        body, condition = renamed(body, i, name), renamed(condition, i, name)
        i = Index(name, i.over)
    if M.is_conditional:
        conditions = (*conditions, condition)
    return C, body, (*over, i), conditions


def summed_out(
    C: Expression, M: Expression, over: tuple[Index, ...], conditions: Conditions
) -> Fields:
    """The same, with inner sums over indices on which M does not depend carried out around C.

    An outer sum is carried out after those inside of it, so that sums keep their order.
    """
    count = max((k + 1 for k, i in enumerate(over) if i in M.used), default=0)
    left, gone = over[:count], over[count:]
    within = [c for c in conditions if not c.used.isdisjoint(gone)]
    staying = tuple(c for c in conditions if c.used.isdisjoint(gone))
    return closed(C, gone, tuple(within)), M, left, staying


def closed(e: Expression, over: tuple[Index, ...], conditions: Conditions) -> Expression:
    """The sum of an expression over indices, the first of them the outermost."""
    waiting = list(conditions)
    for i in reversed(over):
        here = [c for c in waiting if i in c.used]
        waiting = [c for c in waiting if i not in c.used]
        e = summed(e, scale(*here) if here else number(1), i)
    return e
