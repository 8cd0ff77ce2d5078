"""Textbook notation for slices, blocks and triangles, and for what is repeated beside a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import parts
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.sizes import ONE
from mcmodels.calculus.text.printing.indexed import at_index
from mcmodels.calculus.text.printing.structure import (
    ATOM,
    FACTOR,
    SUM,
    Graded,
    in_triangle,
    is_at_index,
    is_grid,
    slice_text,
    slices,
    upright_slice,
    upright_stack,
)

if TYPE_CHECKING:
    from mcmodels.calculus.text.printing.textbook import TextbookPrinter

__all__ = [
    "beside",
    "entrywise",
    "factor_texts",
    "hadamard",
    "is_entrywise",
    "selection",
    "stack",
    "triangle",
]

_BY_ENTRIES = (N.Elementwise, N.Power, N.Hadamard, N.Softmax, N.Ones)


def is_entrywise(e: N.Sum) -> bool:
    """Whether a scalar among the terms can only be meant for every entry."""
    if e.is_scalar or not e.is_square:
        return True
    arrays = (parts(term)[2] for term in e.children)
    return all(
        isinstance(array.argument if isinstance(array, N.Transpose) else array, _BY_ENTRIES)
        for array in arrays
    )


def beside(p: TextbookPrinter, e: Expression, tightness: int) -> str:
    """A part beside others of its shape, which tell the sizes of the ones in 1μᵀ and 11ᵀ."""
    before, array = p.beside, parts(e)[2]
    if array is not None and ONE not in (array.rows, array.cols):
        chain = array.children if isinstance(array, N.Product) else (array,)
        if isinstance(chain[0], N.Ones) or isinstance(chain[-1], N.Ones):
            p.beside = before.union(part.key for part in chain if isinstance(part, N.Ones))
    text = p.write(e, tightness)
    p.beside = before
    return text


def entrywise(p: TextbookPrinter, e: Expression, tightness: int = SUM) -> str:
    """What a function or product takes entry by entry: a scalar in it is in every entry."""
    if not isinstance(e, N.Sum):
        return beside(p, e, tightness)
    text, own = p.sum(e, entrywise=True)
    return text if own >= tightness else p.parenthesised(text)


def factor_texts(p: TextbookPrinter, e: N.Product) -> list[str]:
    """The factors of a product, slices as such."""
    texts = []
    for part in slices(e):
        if is_at_index(part):
            texts.append(at_index(p, part)[0])
            continue
        (array, rows, cols), flipped = upright_slice(part)
        if rows is None and cols is None:
            texts.append(p.write(array, FACTOR))
            continue
        where = slice_text(rows, p._integer, p._size)
        if not array.is_column:
            where += f",{slice_text(cols, p._integer, p._size)}"
        text = p._element(p.write(array, p.indexed), where)
        texts.append(p._raised(text, p.transposed) if flipped else text)
    return texts


def selection(p: TextbookPrinter, e: N.Selection) -> Graded:
    """Rows of the identity."""
    identity = p._sized("I", e.cols) if p.sized_identity else "I"
    return p._element(identity, f"{slice_text(e, p._integer, p._size)},:"), ATOM


def stack(p: TextbookPrinter, e: N.Stack) -> Graded:
    """A matrix of blocks."""
    upright = upright_stack(e)
    if upright is not None:
        return p._raised(p.write(upright), p.transposed), FACTOR
    if is_grid(e):
        return p._grid([row.children for row in e.children]), ATOM
    return p._grid([e.children] if e.axis else [(block,) for block in e.children]), ATOM


def hadamard(p: TextbookPrinter, e: N.Hadamard) -> Graded:
    """An elementwise product, which may keep one triangle."""
    found = in_triangle(e)
    return triangle(p, *found) if found else p._elementwise_quotient(e.children)


def triangle(p: TextbookPrinter, name: str, e: Expression) -> Graded:
    """One triangle of a matrix."""
    return p._function(name) + p.parenthesised(entrywise(p, e)), ATOM
