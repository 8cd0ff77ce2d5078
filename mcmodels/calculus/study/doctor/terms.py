"""Expressions taken apart: multiplied out into terms, and edited in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise, permutations, product
from math import prod
from typing import Any

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, hadamard, matmul, parts, scale, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.rewriting import exchanged, with_children

__all__ = [
    "MOST_COMBINED",
    "Edit",
    "Variants",
    "Words",
    "cyclic_orders",
    "edited",
    "expanded",
    "orders",
    "single_transposes",
    "with_one_sign_changed",
    "without_one",
]

# Limits of what is tried; the number of candidates grows fast beyond them.
MOST_COMBINED = 6  # terms of which all combinations are tried
_MOST_TERMS = 48  # into which an expression is multiplied out
_MOST_PERMUTED = 4  # factors of which all orders are tried: 24
_MOST_PLACES = 6  # of one part, each of which is edited by itself

_LINEAR = (
    N.Trace, N.Total, N.Diagonal, N.DiagonalMatrix, N.Vec, N.Unvec, N.Transpose, N.Kron,
    N.BlockSum, N.BlockTrace,
)  # fmt: skip


def expanded(e: Expression) -> list[Expression]:
    """The terms of an expression, multiplied out as far as there are not too many of them."""
    if isinstance(e, N.Sum):
        return _terms(add([term for child in e.children for term in expanded(child)]))
    if isinstance(e, N.Scaled):
        return _distributed(e, e.children, lambda c: scale(e.coefficient, *c))
    if isinstance(e, N.Product):
        return _distributed(e, e.children, matmul)
    if isinstance(e, N.Hadamard):
        return _distributed(e, e.children, hadamard)
    if isinstance(e, _LINEAR):
        return _distributed(e, e.children, lambda c: with_children(e, c))
    return [e]


def _terms(e: Expression) -> list[Expression]:
    return list(e.children) if isinstance(e, N.Sum) else [e]


def _distributed(
    e: Expression, children: Sequence[Expression], build: Callable[[Sequence[Expression]], Any]
) -> list[Expression]:
    choices = [expanded(child) for child in children]
    count = prod(len(choice) for choice in choices)
    if count == 1 or count > _MOST_TERMS:
        return [e]
    return _terms(add([build(chosen) for chosen in product(*choices)]))


@dataclass(frozen=True)
class Words:
    """A sentence about expressions, written when it is asked for: most edits explain nothing.

    Attributes
    ----------
    template : str
        With ``{}`` for each expression.
    about : tuple of Expression
    """

    template: str
    about: tuple[Expression, ...]

    def __str__(self) -> str:
        return self.template.format(*(part.mathematics() for part in self.about))


Variants = Callable[[Expression], Iterator[tuple[Expression, Words | str]]]
"""What may stand in the place of a part by mistake: each with what was done."""


@dataclass(frozen=True)
class Edit:
    """One part of an expression replaced by another; as text it is what was done.

    Attributes
    ----------
    part, variant : Expression
        What is replaced, and by what.
    words : Words or str
    where : str
        Empty where the part is replaced wherever it occurs.
    """

    part: Expression
    variant: Expression
    words: Words | str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.words}{self.where}"

    @property
    def remedy(self) -> str:
        """What undoes it."""
        good, bad = self.part.mathematics(), self.variant.mathematics()
        return f"write {good} in place of {bad}{self.where}"


def edited(expression: Expression, variants: Variants) -> Iterator[tuple[Expression, Edit]]:
    """The expression with one part replaced by a variant of it, and what was done.

    A part that occurs several times is replaced everywhere, and then in one place only.
    """
    places: dict[Expression, list[tuple[int, ...]]] = {}
    for path, part in _places(expression):
        places.setdefault(part, []).append(path)
    for part, paths in places.items():
        for variant, words in _tried(variants(part)):
            if variant.shape != part.shape or variant == part:
                continue
            # A variant that does not fit into what stands around it cannot be the mistake.
            with suppress(ValueError):
                yield exchanged(expression, {part: variant}), Edit(part, variant, words)
            if len(paths) > 1:
                for path in paths[:_MOST_PLACES]:
                    with suppress(ValueError):
                        changed = _replaced(expression, path, variant)
                        yield changed, Edit(part, variant, words, " (in one place)")


def _places(expression: Expression) -> Iterator[tuple[tuple[int, ...], Expression]]:
    yield (), expression
    for i, child in enumerate(expression.children):
        for path, part in _places(child):
            yield (i, *path), part


def _replaced(expression: Expression, path: tuple[int, ...], new: Expression) -> Expression:
    if not path:
        return new
    children = list(expression.children)
    children[path[0]] = _replaced(children[path[0]], path[1:], new)
    return with_children(expression, children)


def _tried(
    variants: Iterator[tuple[Expression, Words | str]],
) -> Iterator[tuple[Expression, Words | str]]:
    while True:
        try:
            yield next(variants)
        except (StopIteration, ValueError):
            return


def orders(factors: Sequence[Expression]) -> Iterator[list[Expression]]:
    """Other orders of the factors of a product that fit together into the same shape."""
    count = len(factors)
    if count <= _MOST_PERMUTED:
        chosen: Iterator[tuple[int, ...]] = permutations(range(count))
    else:
        chosen = _exchanged(count)
    seen = {tuple(factor.key for factor in factors)}
    for order in chosen:
        chain = [factors[i] for i in order]
        name = tuple(factor.key for factor in chain)
        fits = all(a.cols == b.rows for a, b in pairwise(chain))
        ends = chain[0].rows == factors[0].rows and chain[-1].cols == factors[-1].cols
        if fits and ends and name not in seen:
            seen.add(name)
            yield chain


def _exchanged(count: int) -> Iterator[tuple[int, ...]]:
    for i in range(count):
        for j in range(i + 1, count):
            order = list(range(count))
            order[i], order[j] = order[j], order[i]
            yield tuple(order)


def cyclic_orders(factors: Sequence[Expression]) -> Iterator[list[Expression]]:
    """Orders of the factors under a trace that no cyclic shift makes of the given one."""
    first, rest = factors[0], factors[1:]
    indices = range(len(rest))
    chosen: Iterator[tuple[int, ...]] = (
        permutations(indices) if len(rest) <= _MOST_PERMUTED else _exchanged(len(rest))
    )
    for order in chosen:
        chain = [first, *(rest[i] for i in order)]
        if list(order) != list(indices) and all(
            a.cols == b.rows for a, b in pairwise([*chain, first])
        ):
            yield chain


def without_one(part: Expression) -> Iterator[tuple[Expression, Words]]:
    """A sum without one of its terms."""
    if isinstance(part, N.Sum):
        for i, term in enumerate(part.children):
            rest = add([*part.children[:i], *part.children[i + 1 :]])
            yield rest, Words("the term {} of {} is missing", (term, part))


def with_one_sign_changed(part: Expression) -> Iterator[tuple[Expression, Words]]:
    """A sum with the sign of one of its terms changed."""
    if isinstance(part, N.Sum):
        for i, term in enumerate(part.children):
            turned = add([*part.children[:i], scale(-1, term), *part.children[i + 1 :]])
            yield turned, Words("the term {} of {} has the wrong sign", (term, part))


def single_transposes(part: Expression) -> Iterator[tuple[Expression, str]]:
    """A product with one square factor transposed, or a sum with one square term transposed."""
    if isinstance(part, N.Sum) and part.is_square:
        for i, term in enumerate(part.children):
            turned = [*part.children[:i], transpose(term), *part.children[i + 1 :]]
            yield add(turned), term.mathematics()
    if isinstance(part, N.Product):
        for i, factor in enumerate(part.children):
            if factor.is_square:
                turned = [*part.children[:i], transpose(factor), *part.children[i + 1 :]]
                yield matmul(turned), factor.mathematics()
    if isinstance(part, N.Transpose) and part.is_square:
        yield part.argument, part.mathematics()
    coefficient, scalars, array = parts(part)
    plain = isinstance(array, N.Symbol | N.Transpose)
    if array is not None and plain and array is not part and array.is_square:
        yield scale(coefficient, *scalars, transpose(array)), array.mathematics()
