"""Sums of products of entries: Σᵢⱼ xᵢAᵢⱼyⱼ in mathematics, einsum(…) in Python."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mcmodels.calculus.core.einsum_nodes import LETTERS, Axes, AxisLogSumExp, AxisSoftmax, Einsum
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Identity, Number, Ones
from mcmodels.calculus.text.printing.structure import ATOM, FACTOR, SUM, TERM, Graded, Printer

if TYPE_CHECKING:
    from mcmodels.calculus.text.printing.textbook import TextbookPrinter

__all__ = ["along_last", "einsum_call", "index_notation"]

# Letters that plain text has as subscripts, but "o".
_SUBSCRIPTS = "ijklrstuvpmnhaex"


def einsum_call(printer: Printer, e: Einsum) -> Graded:
    """Python's call; a tensor stands in it as such."""
    inside = ", ".join(_operand(printer, operand, at) for operand, at in e.factors)
    return f"einsum('{e.subscripts}', {inside})", ATOM


def index_notation(printer: TextbookPrinter, e: Einsum) -> Graded:
    """Mathematics: the sum, and in brackets with its indices where it is an array."""
    count = len(e.lengths.of)
    taken = printer.names | printer.bound
    letters = next(
        found
        for names in (taken, printer.names, ())
        for alphabet in ((_SUBSCRIPTS,) if names else (_SUBSCRIPTS, LETTERS))
        if len(found := [letter for letter in alphabet if letter not in names]) >= count
    )

    def spelt(axes: Iterable[int]) -> str:
        return "".join(letters[axis] for axis in axes)

    before, printer.bound = printer.bound, printer.bound.union(letters[:count])
    deltas = sorted(at for operand, at in e.factors if isinstance(operand, Identity))
    texts = [_indexed(printer, printer.delta, spelt(at)) for at in deltas]
    for operand, at in e.factors:
        if not isinstance(operand, Identity | Ones | Number):
            texts.append(_indexed(printer, _operand(printer, operand, at, ATOM), spelt(at)))
    printer.bound = before
    text = " ".join(texts) or "1"
    summed = range(len(e.output), count)
    if summed:
        text = f"{_indexed(printer, printer.sigma, spelt(summed))} {text}"
    if not e.output:
        return text, TERM
    return _indexed(printer, f"[{text}]", spelt(e.output)), FACTOR


def along_last(p: TextbookPrinter, name: str, e: AxisSoftmax | AxisLogSumExp) -> Graded:
    """A function along the last axis of a tensor, as of the rows of a matrix."""
    return p._function(name, of_rows=True) + p.parenthesised(p.of_tensor(e.argument)), ATOM


def _operand(printer: Printer, e: Expression, at: Axes, tightness: int = SUM) -> str:
    """A tensor as such, unless its entries are meant as a vector."""
    return printer.of_tensor(e, tightness) if len(at) > 2 else printer.apart(e, tightness)


def _indexed(printer: TextbookPrinter, base: str, indices: str) -> str:
    """A base with indices, in parentheses where it has some already."""
    base = printer.parenthesised(base) if printer.is_scripted(base) else base
    return printer._lowered(base, indices)
