"""Names for parts that occur often, where a text without them would be too long to be read.

Expressions share equal parts, and a text does not: that of f∘f + f, put into itself thirty times,
has more letters than there is memory. Such a text gets a name for each part that occurs more than
once, and says what the names stand for. So does one that is nested too deep to be read, with names
also for parts that occur once, so that none of what is written is that deep.
"""

from __future__ import annotations

from collections import Counter

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import is_symmetric
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.indices import indices_in
from mcmodels.calculus.core.rewriting import parts_of

__all__ = ["LONGEST", "with_names"]

LONGEST = 20_000  # parts of a text without names, some 50,000 letters
_SHORTEST = 6  # parts of what gets a name
_DEEPEST = 180  # levels of a text without names; writing and reading takes a few calls for each
_LEVELS = 40  # of a part of a deeper one, from one name to the next
_STEMS = ("t", "u", "v", "q", "t_", "u_", "v_", "q_")

Named = list[tuple[N.Symbol, Expression]]


def with_names(e: Expression) -> tuple[Named, Expression]:
    """What is named, innermost first, and the expression written with the names.

    None is named where the text is of a length and depth that can be read.
    """
    if e.tensors or not (e.height > _DEEPEST or _is_too_long(e)):
        return [], e
    lengths: dict[bytes, int] = {}
    occurrences: Counter[bytes] = Counter()
    for part in parts_of(e):
        lengths[part.key] = 1 + sum(lengths[child.key] for child in part.children)
        occurrences.update(child.key for child in part.children)
    stem = _stem(e)
    named: Named = []
    written: dict[bytes, Expression] = {}
    for part in parts_of(e):
        children = [written[child.key] for child in part.children]
        changed = any(new is not old for new, old in zip(children, part.children, strict=True))
        # As it stands: a constructor might join what its parts' names have made alike.
        short = type(part)(*part.arguments_with(children)) if changed else part
        shared = occurrences[part.key] > 1 and lengths[part.key] >= _SHORTEST
        if (shared or short.height >= _LEVELS) and not indices_in(part):
            declared = frozenset({"symmetric"} if part.is_array and is_symmetric(part) else ())
            symbol = N.Symbol(f"{stem}{len(named) + 1}", part.rows, part.cols, declared)
            named.append((symbol, short))
            short = symbol
        written[part.key] = short
    return named, written[e.key]


def _is_too_long(e: Expression) -> bool:
    """Whether a text without names has more than `LONGEST` parts; no more are counted."""
    count, waiting = 0, [e]
    while waiting:
        children = waiting.pop().children
        count += len(children)
        if count > LONGEST:
            return True
        waiting.extend(children)
    return False


def _stem(e: Expression) -> str:
    """A letter, with which no name in the expression starts."""
    names = {symbol.name for symbol in e.used} | e.size_names
    free = (stem for stem in _STEMS if not any(name.startswith(stem) for name in names))
    return next(free, "part_")
