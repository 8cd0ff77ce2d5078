"""Indices of sums, and the entries and rows that stand at them: y[i], X[i], y[i + 1]."""

from __future__ import annotations

import keyword

from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index, SumOver, UnitAt
from mcmodels.calculus.core.nodes import Number, Sum
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.signatures import SIGNATURES
from mcmodels.calculus.core.sizes import ONE, ShapeError, Size

__all__ = ["fresh", "index", "indices_in", "place", "unit_at"]


def index(name: str, *, over: int | str | Size) -> Expression:
    """An index of sums: a whole number that runs from 0 to ``over`` − 1.

    Parameters
    ----------
    name : str
        A Python name.
    over : int or str
        How many values it takes: the number of rows of the data, as a size.

    Returns
    -------
    Expression
        ``y[i]`` is an entry of a vector, ``X[i]`` a row of a matrix, as a vector; ``y[i + 1]`` is
        the entry behind, where i runs over ``"n - 1"``. The index is also a number.

    Raises
    ------
    ShapeError
        If the name cannot be that of a symbol, or the size is none.

    Examples
    --------
    >>> from mcmodels.calculus import index, sum_over, vector
    >>> y, i = vector("y", "n"), index("i", over="n - 1")
    >>> sum_over((y[i + 1] - y[i]) ** 2, i)
    Σᵢ (yᵢ₊₁ − yᵢ)²
    """
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise ShapeError(f"an index needs a Python name; found {name!r}")
    if name in SIGNATURES:
        raise ShapeError(f"{name!r} is the name of a function; choose another for an index")
    size = Size.of(over)
    if name in size.all_names:
        raise ShapeError(f"the name {name!r} stands for a size and for an index; rename one")
    return Index(name, size)


def place(position: Expression) -> tuple[Index, int] | None:
    """The index and the number of i + 2; None of anything else."""
    if isinstance(position, Index):
        return position, 0
    if not (isinstance(position, Sum) and len(position.children) == 2):
        return None
    first, second = position.children
    if isinstance(first, Number):
        first, second = second, first
    if not (isinstance(first, Index) and isinstance(second, Number)):
        return None
    shift = second.value
    return (first, int(shift)) if shift == int(shift) else None


def unit_at(position: Expression, size: Size) -> Expression:
    """The vector of a size with a one at the place of an index.

    Raises
    ------
    ShapeError
        If the place is no index, with or without a number added, or may lie outside.
    """
    found = place(position)
    if found is None:
        raise ShapeError(
            f"an index is a whole number, a slice, or an index of a sum such as i or i + 1; found "
            f"{position}"
        )
    i, shift = found
    last = (size - i.over).number
    if shift < 0 or last is None or last < shift:
        raise ShapeError(_outside(i, shift, size))
    return number(1) if size == ONE else UnitAt(i, shift, size)


def _outside(i: Index, shift: int, size: Size) -> str:
    where = i.name if shift == 0 else f"{i.name} {'+' if shift > 0 else '-'} {abs(shift)}"
    message = f"{where} with {i.name} over {i.over} may lie outside an array of {size}"
    if shift < 0:
        return f"{message}; count from the first entry, as in y[{i.name}] beside y[{i.name} + 1]"
    fitting = size - Size(shift) if shift else size
    return f"{message}; declare the index over {str(fitting)!r}"


def indices_in(expression: Expression) -> frozenset[str]:
    """Names of all indices in an expression, bound or free."""
    found: set[str] = set()
    # By identity, because sums that differ in the names of indices only have one key.
    seen: set[int] = set()
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        identity = object.__hash__(part)
        if identity in seen:
            continue
        seen.add(identity)
        if isinstance(part, SumOver | Index):
            found.add(part.name)
        waiting.extend(part.children)
    return frozenset(found)


_LETTERS = "ijklrsuvabcd"


def fresh(name: str, taken: frozenset[str]) -> str:
    """A name for an index that is not taken: j beside i, then i2, i3."""
    if name not in taken:
        return name
    free = [letter for letter in _LETTERS if letter not in taken]
    if free:
        return free[0]
    count = 2
    while f"{name}{count}" in taken:
        count += 1
    return f"{name}{count}"
