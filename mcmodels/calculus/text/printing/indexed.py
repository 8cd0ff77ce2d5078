"""Textbook and Python notation for sums over an index, and for what stands at one: Σᵢ yᵢxᵢ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import transpose
from mcmodels.calculus.core.choices import tests_of
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index, SumOver, UnitAt
from mcmodels.calculus.core.rewriting import apart, parts_of
from mcmodels.calculus.core.sizes import Size
from mcmodels.calculus.text.printing.functions import compared
from mcmodels.calculus.text.printing.letters import split_name
from mcmodels.calculus.text.printing.structure import (
    ATOM,
    FACTOR,
    OPERATION,
    Graded,
    Slice,
    Taken,
    slice_text,
    slices,
)

if TYPE_CHECKING:
    from mcmodels.calculus.text.printing.python import PythonPrinter
    from mcmodels.calculus.text.printing.textbook import TextbookPrinter

__all__ = [
    "at_index",
    "python_at_index",
    "python_place",
    "python_sum",
    "sum_over",
    "told_apart",
    "unit",
]

_RESERVED = {"d", "e", "I"}  # letters that mean something else with a subscript or before a name


def told_apart(e: Expression) -> Expression:
    """The expression with no index of a sum that has the name of a symbol or a size."""
    names = frozenset(symbol.name for symbol in e.used if not isinstance(symbol, Index))
    return apart(e, names | e.size_names)


# -- textbook --------------------------------------------------------------------------------------


def sum_over(p: TextbookPrinter, e: SumOver) -> Graded:
    """Σᵢ of a body, with the condition below the sign."""
    below = p._named(e.name)
    if e.is_conditional:
        below += f": {', '.join(_comparison(p, *test) for test in tests_of(e.condition) or [])}"
    body = p.write(e.body, OPERATION)
    return f"{p._lowered(p.sigma, below)} {body}", OPERATION


def _comparison(p: TextbookPrinter, z: Expression, positive: bool) -> str:
    left, right = compared(z)
    if positive and isinstance(left, N.Elementwise) and left.name == "abs" and _is_zero(right):
        first, second = compared(left.argument)
        return f"{p.write(first)} {p.unequal} {p.write(second)}"
    if positive:
        return f"{p.write(left)} {p.greater} {p.write(right)}"
    return f"{p.write(right)} {p.at_least} {p.write(left)}"


def _is_zero(e: Expression) -> bool:
    return isinstance(e, N.Number) and e.value == 0


def unit(p: TextbookPrinter, e: UnitAt) -> Graded:
    """eᵢ."""
    index = _place(p, e)
    if "e" in p.letters:
        return p._function("unit") + p.parenthesised(index), ATOM
    return p._lowered("e", index), ATOM


def _place(p: TextbookPrinter, e: Taken) -> str:
    if e is None or isinstance(e, N.Selection):
        return slice_text(e, p._integer, p._size)
    if isinstance(e, N.Unit):
        return p._integer(e.index)
    index = p.write(e.position)
    return f"{index}+{e.shift}" if e.shift else index


def at_index(p: TextbookPrinter, part: Slice) -> Graded:
    """yᵢ, xᵢ for row i of X, and entries and columns as X[i,j] and X[:,j]."""
    array, rows, cols = part
    symbol, flipped = (array.argument, True) if isinstance(array, N.Transpose) else (array, False)
    assert isinstance(symbol, N.Symbol)
    if flipped:
        rows, cols = cols, rows
    if isinstance(rows, UnitAt) and (cols is None or symbol.is_column):
        text = _row(p, symbol, _place(p, rows))
        is_row = not flipped and not symbol.is_column
    else:
        places = [_place(p, at) for at in (rows, cols)]
        text = p._element(p.write(symbol), ",".join(places))
        of_row, of_column = (
            isinstance(cols, N.Selection),
            rows is None or isinstance(rows, N.Selection),
        )
        is_row = flipped if of_column else of_row and not flipped
    return (p._raised(text, p.transposed), FACTOR) if is_row else (text, ATOM)


def _row(p: TextbookPrinter, symbol: N.Symbol, place: str) -> str:
    """The letter of a vector, or the small letter of a matrix, with the index below."""
    written = p.write(symbol)
    stem, number = split_name(symbol.name)
    if isinstance(symbol, N.Differential) or number or len(stem) > 1 or symbol.name in p.literal:
        return p._element(written, place)
    letter = stem if symbol.is_column else stem.lower()
    if letter != stem and (letter in p.letters or letter in _RESERVED):
        return p._element(written, place)
    return p._lowered(p._name(letter, ""), place)


# -- Python ----------------------------------------------------------------------------------------


def python_sum(p: PythonPrinter, e: SumOver) -> Graded:
    """``sum_over(body, i)``, with all sums that follow each other in one call."""
    indices, told, inner = [e.name], _is_told(e), e
    while told and not inner.is_conditional and isinstance(inner.body, SumOver):
        if not _is_told(inner.body):
            break
        inner = inner.body
        indices.append(inner.name)
    body, condition = inner.body, inner.condition
    text = f"sum_over({', '.join([p.write(body), *indices])}"
    if inner.is_conditional:
        tests = [_python_comparison(p, *test) for test in tests_of(condition) or []]
        written = tests[0] if len(tests) == 1 else " * ".join(f"({test})" for test in tests)
        text += f", where={written}"
    return text + (")" if told else f", over={e.over})"), ATOM


def _python_comparison(p: PythonPrinter, z: Expression, positive: bool) -> str:
    left, right = compared(z)
    if positive:
        return f"{p.write(left)} > {p.write(right)}"
    return f"{p.write(right)} >= {p.write(left)}"


def _is_told(e: SumOver) -> bool:
    """Whether the symbols at an index tell over what it runs: to the end of the shortest."""
    ends = [
        array.rows - Size(unit.shift)
        for child in e.children
        for part in parts_of(child)
        if isinstance(part, N.Product)
        for array, unit in _taken(part)
        if unit.position == e.index
    ]
    gaps = [(end - e.over).number for end in ends]
    return any(gap == 0 for gap in gaps) and all(gap is not None and gap >= 0 for gap in gaps)


def _taken(e: N.Product) -> Iterator[tuple[N.Symbol, UnitAt]]:
    """Symbols at an index, turned so that it counts their rows."""
    for array, rows, cols in slices(e):
        for at, turned in ((rows, array), (cols, transpose(array))):
            if isinstance(at, UnitAt):
                yield turned, at  # type: ignore[misc]


def python_at_index(p: PythonPrinter, part: Slice) -> Graded:
    """``y[i]``, ``X[i]``, ``X[i, j]``, ``X[:, j]``, with ``.T`` where it is a row."""
    array, rows, cols = part
    symbol, flipped = (array.argument, True) if isinstance(array, N.Transpose) else (array, False)
    assert isinstance(symbol, N.Symbol)
    if flipped:
        rows, cols = cols, rows
    row, col = map(python_place, (rows, cols))
    if symbol.is_column:
        return f"{symbol.name}[{row}]", ATOM
    if rows is None or isinstance(rows, N.Selection):
        return f"{symbol.name}[{row}, {col}]{'.T' if flipped else ''}", ATOM
    if cols is None or isinstance(cols, N.Selection):
        place = row if cols is None else f"{row}, {col}"
        return f"{symbol.name}[{place}]{'' if flipped else '.T'}", ATOM
    return f"{symbol.name}[{row}, {col}]", ATOM


def python_place(e: Any) -> str:
    """What takes rows or columns: ``i``, ``i + 1``, ``0``, ``1:``."""
    if e is None or isinstance(e, N.Selection):
        return slice_text(e, str, str)
    if isinstance(e, N.Unit):
        return str(e.index)
    assert isinstance(e.position, Index)
    return f"{e.position.name} + {e.shift}" if e.shift else e.position.name
