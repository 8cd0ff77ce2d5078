"""Matrices whose entries are tied: what keeps a gradient among them, and which directions fit.

Their differential has the same structure, and so has the gradient by them: of all G with
df = tr(Gᵀ dX) for all such dX it is the one that has the structure itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mcmodels.calculus.core import functions
from mcmodels.calculus.core.arithmetic import add, is_symmetric, is_zero, parts, scale, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import (
    DiagonalMatrix,
    Hadamard,
    Identity,
    Sum,
    Symbol,
    Transpose,
    Triangle,
)
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.sources import MAGNUS_NEUDECKER as MN
from mcmodels.calculus.derive.rules import Rule

__all__ = ["Structure", "free_entries", "structure_of"]


@dataclass(frozen=True)
class Structure:
    """What is known of a matrix whose entries are tied.

    Attributes
    ----------
    name : str
        As it is declared.
    rule : Rule
        How the gradient is found.
    note : str
        What a derivation says of it.
    kept : callable
        The gradient that has the structure, from any gradient.
    holds : callable
        Whether an expression is known to have it.
    """

    name: str
    rule: Rule
    note: str
    kept: Callable[[Expression], Expression]
    holds: Callable[[Expression], bool]


def structure_of(x: Symbol) -> Structure | None:
    """The structure of a matrix; None of what has none."""
    if x.is_scalar:
        return None
    return next((made for made in _STRUCTURES if made.name in x.declared), None)


def free_entries(G: Expression, x: Symbol) -> Expression:
    """The derivatives by the free entries of x, where an entry moves its mirror image, too."""
    structure = structure_of(x)
    if structure is None or structure.name != "symmetric":
        return G
    return add([scale(2, G), scale(-1, functions.diag(functions.diag(G)))])


def _symmetric_part(G: Expression) -> Expression:
    mirrored = transpose(G)
    return G if mirrored == G else scale(number(1) / 2, add([G, mirrored]))


def _known(names: set[str], found: Callable[[Expression], bool]) -> Callable[[Expression], bool]:
    """A test of symbols by what is declared, of sums term by term, of other arrays by ``found``."""

    def holds(e: Expression) -> bool:
        array = parts(e)[2]
        if array is None or is_zero(e):
            return True
        if isinstance(array, Sum):
            return all(holds(term) for term in array.children)
        if isinstance(array, Symbol):
            return bool(names & array.declared)
        return found(array)

    return holds


def _is_diagonal(array: Expression) -> bool:
    return isinstance(array, DiagonalMatrix | Identity)


def _is_triangular(lower: bool) -> Callable[[Expression], bool]:
    def found(array: Expression) -> bool:
        masks = array.children if isinstance(array, Hadamard) else (array,)
        flipped = isinstance(array, Transpose) and isinstance(array.argument, Symbol)
        if flipped:
            word = "upper_triangular" if lower else "lower_triangular"
            return word in array.argument.declared  # type: ignore[attr-defined]
        kept = (m if lower else transpose(m) for m in masks)
        return _is_diagonal(array) or any(isinstance(mask, Triangle) for mask in kept)

    return found


_STRUCTURES = (
    Structure(
        "diagonal",
        Rule("diagonal differential", "tr(Gᵀ dX) = tr((G∘I) dX) for diagonal dX", f"{MN}, 3.6"),
        "is diagonal, and so is its differential; the gradient is the diagonal one",
        lambda G: functions.diag(functions.diag(G)),
        _known({"diagonal"}, _is_diagonal),
    ),
    Structure(
        "symmetric",
        Rule(
            "symmetric differential",
            "tr(Gᵀ dX) = tr(½(G + Gᵀ) dX) for symmetric dX",
            f"{MN}, 1.10",
        ),
        "is symmetric, and so is its differential; the gradient is the symmetric one",
        _symmetric_part,
        is_symmetric,
    ),
    Structure(
        "lower_triangular",
        Rule(
            "triangular differential",
            "tr(Gᵀ dX) = tr(tril(G)ᵀ dX) for lower triangular dX",
            f"{MN}, 1.10",
        ),
        "is lower triangular, and so is its differential; the gradient is zero above the diagonal",
        functions.tril,
        _known({"lower_triangular", "diagonal"}, _is_triangular(True)),
    ),
    Structure(
        "upper_triangular",
        Rule(
            "triangular differential",
            "tr(Gᵀ dX) = tr(triu(G)ᵀ dX) for upper triangular dX",
            f"{MN}, 1.10",
        ),
        "is upper triangular, and so is its differential; the gradient is zero below the diagonal",
        functions.triu,
        _known({"upper_triangular", "diagonal"}, _is_triangular(False)),
    ),
)
