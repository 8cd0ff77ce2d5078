"""The values of a part for all values of the indices around it, and matrix products of these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mcmodels.calculus.compute.compiling.code import is_line
from mcmodels.calculus.core.expression import Expression

__all__ = ["AXES", "Terms", "kind_of", "outer_product", "product_of"]

Name = Callable[[str], str]
"""Gives the name of a variable that holds the value of a text."""


@dataclass(frozen=True)
class Terms:
    """An array with the values of a part.

    Attributes
    ----------
    text : str
    levels : frozenset of int
        Levels of the indices on which it depends; it has axes for all levels up to the largest.
    kind : {"scalar", "line", "matrix"}
    rows : str
        For vectors that depend on one index: the array without axes for others.
    """

    text: str
    levels: frozenset[int]
    kind: str
    rows: str = ""

    @property
    def depth(self) -> int:
        """How many axes there are for indices."""
        return max(self.levels, default=-1) + 1

    def with_axes(self, count: int) -> str:
        """The text with further axes behind."""
        if not self.levels or count == 0:
            return self.text
        return f"{self.text}[..., {', '.join(['np.newaxis'] * count)}]"


AXES = {"scalar": 0, "line": 1, "matrix": 2}


def kind_of(e: Expression) -> str:
    """The kind of each term of an expression."""
    return "scalar" if e.is_scalar else "line" if is_line(e) else "matrix"


def product_of(name: Name, factors: list[tuple[Terms, bool]]) -> Terms:
    """A product from the left, or from the right where it ends in a column."""
    (first, _), *rest = factors
    last, is_column = factors[-1]
    if is_column and last.kind == "line" and first.kind == "matrix":
        result = last
        for factor, _ in reversed(factors[:-1]):
            result = _on_column(name, factor, result)
        return result
    result = first
    for factor, column in rest:
        result = _after(name, result, factor, column)
    return result


def _after(name: Name, a: Terms, b: Terms, column: bool) -> Terms:
    if a.kind == "line" and b.kind == "line" and column:
        return _dot(a, b)
    if a.kind == "matrix" and b.kind == "line":
        return _on_column(name, a, b)
    levels = a.levels | b.levels
    if a.kind == "matrix":
        return Terms(f"({a.text} @ {b.text})", levels, "matrix")
    if not b.levels:
        rows = f"({a.rows} @ {b.text})" if a.rows else ""
        return Terms(f"({a.text} @ {b.text})", levels, "line", _rows(name, rows))
    text = f"np.einsum('...i,...ij->...j', {a.text}, {b.text})"
    return Terms(text, levels, "line")


def _rows(name: Name, text: str) -> str:
    return name(text) if text else ""


def _on_column(name: Name, a: Terms, b: Terms) -> Terms:
    levels = a.levels | b.levels
    if not a.levels:
        rows = f"({b.rows} @ {a.text}.T)" if b.rows else ""
        return Terms(f"({b.text} @ {a.text}.T)", levels, "line", _rows(name, rows))
    return Terms(f"np.einsum('...ij,...j->...i', {a.text}, {b.text})", levels, "line")


def _dot(a: Terms, b: Terms) -> Terms:
    levels = a.levels | b.levels
    if not (a.levels and b.levels):
        closed, other = (a, b) if not a.levels else (b, a)
        if other.rows:
            axes = ["np.newaxis"] * (other.depth - 1)
            text = f"({other.rows} @ {closed.text})"
            text += f"[{', '.join([':', *axes])}]" if axes else ""
            return Terms(text, levels, "scalar")
        return Terms(f"({other.text} @ {closed.text})", levels, "scalar")
    if a.rows and b.rows and a.levels != b.levels:
        high, low = (a, b) if a.depth > b.depth else (b, a)
        gaps = [
            ":",
            *[":" if k in low.levels else "np.newaxis" for k in range(high.depth - 2, -1, -1)],
        ]
        text = f"({high.rows} @ {low.rows}.T)"
        if "np.newaxis" in gaps:
            text += f"[{', '.join(gaps)}]"
        return Terms(text, levels, "scalar")
    return Terms(f"np.einsum('...i,...i->...', {a.text}, {b.text})", levels, "scalar")


def outer_product(a: Terms, b: Terms) -> Terms:
    """A column times a row."""
    if a.kind != "line" or b.kind != "line":
        raise AssertionError("a column stands before a row")
    text = f"({a.text}[..., :, np.newaxis] * {b.text}[..., np.newaxis, :])"
    return Terms(text, a.levels | b.levels, "matrix")
