"""What a student may take for granted of symbols, alone or beside another mistake."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol, Total
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.calculus.study.doctor.case import Case

__all__ = ["Assumption", "assumptions", "symbols_assumed_symmetric"]

_MOST = 4  # that are tried
_MOST_PAIRED = 4  # square matrices of which two are taken to be symmetric

Assumption = tuple[Symbol, Symbol, str, str]
"""A symbol, the same with a declaration, what is taken for granted, and what to do."""


def assumptions(case: Case) -> Iterator[Assumption]:
    """What may be taken for granted of the symbols of f: that they sum to 1, are symmetric."""
    found: list[Assumption] = []
    for part in dict.fromkeys(parts_of(case.right)):
        if isinstance(part, Total) and isinstance(part.argument, Symbol):
            y = part.argument
            if y.is_column and y != case.x:
                name = y.mathematics()
                found.append(
                    (
                        y,
                        _declared(y, "probability"),
                        f"the entries of {name} are taken to sum to 1",
                        f"declare {name} with probability=True where it sums to 1",
                    )
                )
    for A, *others in symbols_assumed_symmetric(case.f):
        if not others and A != case.x:
            name = A.mathematics()
            found.append(
                (
                    A,
                    _declared(A, "symmetric"),
                    f"{name} is taken to be symmetric",
                    f"declare {name} with symmetric=True where it is",
                )
            )
    yield from found[:_MOST]


def _declared(symbol: Symbol, declaration: str) -> Symbol:
    return Symbol(symbol.name, symbol.rows, symbol.cols, symbol.declared | {declaration})


def symbols_assumed_symmetric(f: Expression) -> Iterator[tuple[Symbol, ...]]:
    """Square matrices that are not declared symmetric: one, then two, then all."""
    square = [
        symbol
        for symbol in f.symbols
        if isinstance(symbol, Symbol)
        and symbol.is_array
        and symbol.is_square
        and "symmetric" not in symbol.declared
    ]
    yield from ((symbol,) for symbol in square)
    if 2 < len(square) <= _MOST_PAIRED:
        yield from combinations(square, 2)
    if len(square) > 1:
        yield tuple(square)
