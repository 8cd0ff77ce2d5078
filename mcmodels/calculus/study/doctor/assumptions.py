"""Two mistakes at once, of which one is what the student takes for granted."""

from __future__ import annotations

from collections.abc import Iterator

from mcmodels.calculus.core.nodes import Symbol, Total
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.calculus.study.doctor.case import Case

__all__ = ["Assumption", "assumptions"]

_MOST = 4  # that are tried

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
    for A, *others in case.symbols_assumed_symmetric():
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
