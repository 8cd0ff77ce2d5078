"""Text that has been read: its tree, the names in it by role, and the error at a place of it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import NoReturn

from mcmodels.calculus.text.quotes import Text
from mcmodels.calculus.text.spelling import (
    Caret,
    Slash,
    SlashBesideMarks,
    Star,
    StarBesideMarks,
)

__all__ = ["COMPARISONS", "OPERATORS", "ParseError", "Source", "column_of", "refuse"]

_SHOWN = 60  # characters of a long text in a message

OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.MatMult: "@",
    ast.Pow: "**",
    Caret: "^",
    Star: "*",
    Slash: "/",
    StarBesideMarks: "*",
    SlashBesideMarks: "/",
}


COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
}


class ParseError(ValueError):
    """Text that is not an expression.

    Attributes
    ----------
    column : int or None
        Where, counted from 1.
    """

    def __init__(self, message: str, column: int | None = None) -> None:
        super().__init__(message)
        self.column = column

    def __reduce__(self) -> tuple[type[ParseError], tuple[str, int | None]]:
        return type(self), (str(self), self.column)


@dataclass(frozen=True)
class Source:
    """Text that has been read.

    Attributes
    ----------
    text : str
    tree : ast.expr
    names : tuple of str
        Names that are used as values, in order of appearance.
    sizes : frozenset of str
        Names in the place of a size, as in ``eye(n)``.
    exponents : frozenset of str
        Names in the exponent of a `matrix_power`.
    indices : frozenset of str
        Names of the indices of sums.
    is_numpy : bool
        Whether it is in NumPy's spelling, so that vectors have one axis.
    """

    text: str
    tree: ast.expr
    names: tuple[str, ...]
    sizes: frozenset[str]
    exponents: frozenset[str]
    indices: frozenset[str] = frozenset()
    is_numpy: bool = False

    @property
    def has_axes(self) -> bool:
        """Whether the word axis stands in it."""
        return "axis" in self.text

    def refuse(self, message: str, where: str | ast.AST | None = None) -> NoReturn:
        """Raise a `ParseError` at a node, or at the first place of a name."""
        if isinstance(where, str):
            nodes = (n for n in ast.walk(self.tree) if isinstance(n, ast.Name) and n.id == where)
            where = min(nodes, key=lambda n: n.col_offset, default=None)
        refuse(self.text, message, None if where is None else column_of(self.text, where))


def refuse(text: str, message: str, where: int | ast.AST | None = None) -> NoReturn:
    """Raise a `ParseError` at a node or a column, or of the whole text."""
    column = column_of(text, where) if isinstance(where, ast.AST) else where
    if isinstance(text, Text):
        text = text.typed
    shown = text.strip()
    if len(text) > _SHOWN:
        start = max(0, min((column or 1) - _SHOWN // 2, len(text) - _SHOWN))
        shown = text[start : start + _SHOWN]
        shown = ("…" if start else "") + shown + ("…" if start + _SHOWN < len(text) else "")
    place = "" if column is None else f", column {column}"
    raise ParseError(f"cannot read {shown!r}{place}: {message}", column)


def column_of(text: str, node: ast.AST) -> int:
    """Where a node starts, counted from 1 in characters; Python counts the bytes of UTF-8."""
    offset = getattr(node, "col_offset", 0)
    return len(text.encode()[:offset].decode(errors="ignore")) + 1
