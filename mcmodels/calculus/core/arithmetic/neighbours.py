"""Products of two neighbours that are known by themselves: selections, orthogonal ones, units."""

from __future__ import annotations

from fractions import Fraction

from mcmodels.calculus.core.arithmetic.constants import identity, ones, selection, unit, zeros
from mcmodels.calculus.core.arithmetic.stacks import blocks_taken
from mcmodels.calculus.core.arithmetic.transposes import transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.function_nodes import Eigenvectors, Pinv
from mcmodels.calculus.core.index_nodes import UnitAt
from mcmodels.calculus.core.nodes import (
    Commutation,
    Duplication,
    Elimination,
    Number,
    Ones,
    Selection,
    Stack,
    Symbol,
    Transpose,
    Unit,
)
from mcmodels.calculus.core.sizes import ONE

__all__ = ["are_inverse", "constant_scalar", "of_neighbours"]

_MARKED = (Selection, Transpose, Stack, Duplication, Elimination)  # what the rules look at


def of_neighbours(last: Expression, factor: Expression) -> Expression | None:
    """The product of two factors, where a rule knows it."""
    if isinstance(last, _MARKED) or isinstance(factor, _MARKED):
        for rule in (_taken, _orthogonal, _of_halves):
            found = rule(last, factor)
            if found is not None:
                return found
    return None


def _taken(last: Expression, factor: Expression) -> Expression | None:
    """A selection of entries of what it stands beside, where that is known."""
    if isinstance(last, Selection):
        if isinstance(factor, Selection):
            return selection(last.start + factor.start, last.rows, factor.cols)
        if isinstance(factor, Ones) and factor.is_column:
            return ones(last.rows, ONE)
        if isinstance(factor, Stack) and factor.axis == 0:
            return blocks_taken(last, factor)
        if isinstance(factor, Transpose) and isinstance(factor.argument, Selection):
            return _overlap(last, factor.argument)
        return None
    if isinstance(last, Transpose) and isinstance(last.argument, UnitAt):
        return _index_in_whole(last.argument, factor) if isinstance(factor, Selection) else None
    if isinstance(factor, UnitAt):
        found = _taken(transpose(factor), transpose(last))
        return None if found is None else transpose(found)
    if isinstance(last, Transpose) and isinstance(last.argument, Unit):
        return _entry_taken(last.argument, factor) if isinstance(factor, Selection) else None
    if not (isinstance(factor, Transpose) and isinstance(factor.argument, Selection)):
        return None
    mirrored = transpose(last)
    if isinstance(mirrored, Selection | Ones | Stack):
        found = _taken(factor.argument, mirrored)
        return None if found is None else transpose(found)
    return None


def _orthogonal(last: Expression, factor: Expression) -> Expression | None:
    """QᵀQ = I of orthonormal columns, and QQᵀ = I where Q is square."""
    if isinstance(last, Transpose) and _is_orthogonal(last.argument):
        return identity(factor.cols) if last.argument == factor else None
    if isinstance(factor, Transpose) and last.is_square and _is_orthogonal(last):
        return identity(last.rows) if factor.argument == last else None
    return None


def _is_orthogonal(factor: Expression) -> bool:
    declared = isinstance(factor, Symbol) and "orthogonal" in factor.declared
    return declared or isinstance(factor, Eigenvectors)


def _of_halves(last: Expression, factor: Expression) -> Expression | None:
    """LD = I, KD = D and DᵀK = Dᵀ: Magnus and Neudecker (2019), section 3.8."""
    if isinstance(last, Elimination) and isinstance(factor, Duplication):
        return identity(last.rows)
    if isinstance(last, Commutation) and isinstance(factor, Duplication):
        return factor if last.m == last.n == factor.n else None
    flipped = isinstance(last, Transpose) and isinstance(last.argument, Duplication)
    if flipped and isinstance(factor, Commutation) and factor.m == factor.n:
        return last
    return None


def _overlap(first: Selection, second: Selection) -> Expression | None:
    """E₁E₂ᵀ, where both take the same entries, or surely none in common."""
    if first == second:
        return identity(first.rows)
    for one, other in ((first, second), (second, first)):
        gap = other.start - one.start - one.rows
        if all(factor >= 0 for factor, _ in gap.terms):
            return zeros(first.rows, second.rows)
    return None


def _entry_taken(unit_: Unit, taken: Selection) -> Expression | None:
    """eᵢᵀE, an entry of a slice: an entry of the whole, where its place is known."""
    start = taken.start.number
    if unit_.index >= 0 and start is not None:
        return transpose(unit(int(start) + unit_.index, taken.cols))
    end = (taken.start + taken.rows - taken.cols).number
    if unit_.index < 0 and end is not None:
        return transpose(unit(int(end) + unit_.index, taken.cols))
    return None


def _index_in_whole(unit_: UnitAt, taken: Selection) -> Expression | None:
    """eᵢᵀE, an entry of a slice at an index, as one of the whole."""
    start = taken.start.number
    if start is None:
        return None
    return Transpose(UnitAt(unit_.position, unit_.shift + int(start), taken.cols))


def constant_scalar(left: Expression, right: Expression) -> Expression | None:
    """leftᵀ right of unit vectors and vectors of ones, as a number."""
    if isinstance(left, Unit) and isinstance(right, Unit):
        if left.index == right.index:
            return Number(Fraction(1))
        if left.index * right.index > 0 or 0 in (left.index, right.index):
            same_side = (left.index >= 0) == (right.index >= 0)
            return Number(Fraction(0)) if same_side else None
    if isinstance(left, UnitAt) and left == right:
        return Number(Fraction(1))
    if {type(left), type(right)} in ({Ones, Unit}, {Ones, UnitAt}):
        return Number(Fraction(1))
    return None


def are_inverse(a: Expression, b: Expression) -> bool:
    """Whether one of two is written as the pseudoinverse of the other."""
    return (isinstance(a, Pinv) and a.argument == b) or (isinstance(b, Pinv) and b.argument == a)
