"""Simplification: like terms are collected, common factors taken out, and terms cancelled.

Every rewrite gives an equal node. It is kept only where the result is smaller, so that rewriting
ends. The results have the forms of textbooks: (A + Aᵀ)x, Xᵀ(Xw − y), X(abᵀ + baᵀ).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import is_symmetric
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.rewriting import rebuilt
from mcmodels.calculus.derive.simplification import (
    brackets,
    choices,
    diagonals,
    factors,
    indexed,
    kronecker,
    normals,
    numbers,
    pairs,
    products,
    resolvents,
    spectra,
    squares,
    sums,
    triangles,
    vanishing,
)

__all__ = ["REWRITES", "reading_size", "simplify"]

_MOST_ROUNDS = 20  # a stop for safety; the size falls in each round
_LETTER = 3  # the size of a letter, where an operation has size 1
# Sizes from which on nobody reads a text, unless it is that long because it has that many terms.
_LONGEST, _LONGEST_TERM = 20_000, 300

Rewrite = Callable[[Any], Expression | None]


def _pairs_exchanged(e: SumOver) -> Expression | None:
    """Shorter only once the terms that meet are joined."""
    found = pairs.exchanged(e)
    return None if found is None else simplify(found)


REWRITES: dict[type[Expression], tuple[Rewrite, ...]] = {
    N.Sum: (
        sums.collected,
        factors.factored,
        factors.factored_on_both_sides,
        sums.multiplied_out,
        factors.gathered,
        factors.number_taken_out,
        numbers.complemented,
        numbers.mirrored,
        numbers.powers_taken_out,
        brackets.brackets_joined,
        brackets.bracket_completed,
        indexed.sums_joined,
        squares.squares_joined,
        pairs.units_gathered,
        resolvents.resolvent_joined,
        normals.densities_joined,
    ),
    SumOver: (indexed.body_factored, _pairs_exchanged),
    N.Product: (
        products.inverses_opened,
        products.distributed,
        products.sum_of_elementwise,
        products.sum_of_entries,
        products.constants_joined,
        products.diagonals_joined,
        kronecker.commutations_to_the_left,
        kronecker.commutations_joined,
        numbers.scalars_out_of_parts,
        diagonals.kronecker_between_selections,
        diagonals.selected,
        diagonals.applied_to_a_vector,
        spectra.eigenvalues_put_back,
    ),
    N.Hadamard: (
        numbers.scalars_out_of_parts,
        diagonals.rows_scaled,
        diagonals.with_identity,
        choices.chosen_once,
        choices.signs_joined,
        sums.distributed_elementwise,
        triangles.masked,
    ),
    N.Kron: (numbers.scalars_out_of_parts,),
    N.Scaled: (
        numbers.scalars_out_of_parts,
        numbers.numbers_merged,
        choices.chosen_once,
        choices.signs_joined,
    ),
    N.Power: (choices.power_of_choice,),
    N.DiagonalMatrix: (numbers.scalars_out_of_parts,),
    N.Diagonal: (
        numbers.scalars_out_of_parts,
        diagonals.diagonal_of_product,
        diagonals.diagonal_of_sum,
        triangles.diagonal_of_mirror_images,
        triangles.diagonal_of_triangular,
    ),
    N.Trace: (products.rotated, numbers.scalars_out_of_parts, numbers.opened_trace),
    N.Total: (products.total, numbers.scalars_out_of_parts, numbers.opened_total),
    N.Vec: (numbers.scalars_out_of_parts,),
    N.Unvec: (numbers.scalars_out_of_parts,),
}

_SHORT_RULES: tuple[Rewrite, ...] = (sums.collected,)
"""What may cancel terms of a sum that is too long to be read."""


def simplify(expression: Expression) -> Expression:
    """An equal expression in the form that a textbook would print.

    Parts whose text would be longer than anybody reads, as in derivatives of deep compositions,
    are left as they are: the work stays in proportion to the number of distinct parts.
    """
    expression = kronecker.multiplied_out(expression)
    known: dict[bytes, Expression] = {}
    sizes: dict[bytes, int] = {}
    for _ in range(_MOST_ROUNDS):
        simpler = _round(expression, known, sizes)
        if simpler.key == expression.key:
            break
        expression = simpler
    if any(isinstance(part, SumOver) for part in known.values()):
        expression = vanishing.terms_left_out(expression)
    return sums.mirror_images_in_order(expression)


def _round(
    expression: Expression, known: dict[bytes, Expression], sizes: dict[bytes, int]
) -> Expression:
    """Every part once, children first, each by the rule that makes it smallest."""

    def walk(part: Expression) -> Expression:
        if part.key in known:
            return known[part.key]
        result = best = rebuilt(part, [walk(child) for child in part.children])
        rules = REWRITES.get(type(result), ())
        if rules and _size(result, sizes) > max(_LONGEST, _LONGEST_TERM * len(result.children)):
            rules = _SHORT_RULES if isinstance(result, N.Sum) else ()
        for rule in rules:
            shorter = rule(result)
            if shorter is not None and _size(shorter, sizes) < _size(best, sizes):
                # diag(y) − yyᵀ is not written as a product: nobody would see that it is symmetric.
                if result.is_array and is_symmetric(result) and not is_symmetric(shorter):
                    continue
                best = shorter
        known[part.key] = best
        return best

    return walk(expression)


def reading_size(expression: Expression) -> int:
    """A measure of length: a letter or a number counts 3, an operation 1."""
    return _size(expression, {})


def _size(expression: Expression, sizes: dict[bytes, int]) -> int:
    if expression.key not in sizes:
        own = 1 if expression.children else _LETTER
        if isinstance(expression, N.Scaled) and abs(expression.coefficient) != 1:
            own += _LETTER
        elif isinstance(expression, N.Product):
            own += sum(_is_unusual(*neighbours) for neighbours in pairwise(expression.children))
            own -= sum(_is_sliced(*neighbours) for neighbours in pairwise(expression.children))
            own += _scales_a_vector(expression)
        elif isinstance(expression, N.Diagonal) and isinstance(expression.argument, N.Product):
            ends = expression.argument.children[:: len(expression.argument.children) - 1]
            own += any(isinstance(end, N.DiagonalMatrix) for end in ends)
        sizes[expression.key] = own + sum(_size(child, sizes) for child in expression.children)
    return sizes[expression.key]


def _scales_a_vector(e: N.Product) -> bool:
    """Whether a diagonal matrix stands before a vector, where v∘x is as long."""
    before = e.children[:-1] if e.is_column and not e.is_scalar else ()
    return any(isinstance(factor, N.DiagonalMatrix) for factor in before)


def _is_sliced(left: Expression, right: Expression) -> int:
    """The size of a matrix that takes a slice of its neighbour: x[1:] is read as one array."""
    if isinstance(left, N.Selection):
        return _LETTER
    flipped = isinstance(right, N.Transpose) and isinstance(right.argument, N.Selection)
    return _LETTER + 1 if flipped else 0


def _is_unusual(left: Expression, right: Expression) -> bool:
    """Whether a rewrite has a preferred form, of equal length, for two neighbours."""
    if isinstance(right, N.Commutation):
        return isinstance(left, N.Kron)  # K stands on the left in Magnus & Neudecker
    return isinstance(left, N.DiagonalMatrix) and isinstance(right, N.DiagonalMatrix)
