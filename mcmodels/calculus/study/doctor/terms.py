"""Expressions taken apart: multiplied out into terms, and edited in one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise, permutations, product
from math import prod
from typing import Any

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import (
    add,
    hadamard,
    matmul,
    parts,
    scale,
    transpose,
    zeros_like,
)
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.rewriting import (
    exchanged,
    parts_of,
    with_children,
)

__all__ = [
    "MOST_COMBINED",
    "Edit",
    "Local",
    "Variants",
    "Words",
    "changed_terms",
    "cyclic_orders",
    "edited",
    "everywhere_first",
    "expanded",
    "instead",
    "is_too_deep",
    "orders",
    "single_transposes",
    "substituted",
    "with_one_sign_changed",
    "without_one",
    "written_size",
]

# Limits of what is tried; the number of candidates grows fast beyond them.
MOST_COMBINED = 6  # terms of which all combinations are tried
_MOST_TERMS = 48  # into which an expression is multiplied out
_MOST_PERMUTED = 4  # factors of which all orders are tried: 24
_HIGHEST = 40  # of expressions of which parts are edited in one place of several
_MOST_PLACES = 6  # of one part, each of which is edited by itself
_MOST_VISITED = 60_000  # parts of what is rebuilt, in all edits of one expression

_LINEAR = (
    N.Trace, N.Total, N.Diagonal, N.DiagonalMatrix, N.Vec, N.Unvec, N.Transpose, N.Kron,
    N.BlockSum, N.BlockTrace,
)  # fmt: skip


def written_size(e: Expression) -> int:
    """How many parts a text of it has: those that occur several times are written each time."""
    sizes: dict[bytes, int] = {}
    for part in parts_of(e):
        sizes[part.key] = 1 + sum(sizes[child.key] for child in part.children)
    return sizes[e.key]


def expanded(e: Expression) -> list[Expression]:
    """The terms of an expression, multiplied out as far as there are not too many of them."""
    return list(_expanded(e))


@lru_cache(maxsize=1024)  # what occurs in many places is multiplied out once
def _expanded(e: Expression) -> list[Expression]:
    if isinstance(e, N.Sum):
        return _terms(add([term for child in e.children for term in _expanded(child)]))
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
    choices = [_expanded(child) for child in children]
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
    about : tuple of Expression or callable
        A callable gives a text.
    """

    template: str
    about: tuple[Expression | Callable[[], str], ...]

    def __str__(self) -> str:
        return self.template.format(
            *(part.mathematics() if isinstance(part, Expression) else part() for part in self.about)
        )


Variants = Callable[[Expression], Iterator[tuple[Expression, Words | str]]]
"""What may stand in the place of a part by mistake: each with what was done."""


class Local:
    """A change of some terms of a sum: of a long one, only these are looked at.

    Parameters
    ----------
    whole : Expression
        What is changed. One that is no sum is taken for a sum of one term.
    changed : mapping of int to Expression
        What stands in the place of a term, by its number.
    """

    def __init__(self, whole: Expression, changed: Mapping[int, Expression]) -> None:
        self.whole, self.changed = whole, changed

    @cached_property
    def removed(self) -> Expression:
        """The terms that are changed."""
        terms = _terms(self.whole)
        return add([terms[i] for i in self.changed])

    @cached_property
    def added(self) -> Expression:
        """What stands in their place."""
        return add(self.changed.values())

    @cached_property
    def result(self) -> Expression:
        """The whole, with the change."""
        terms = _terms(self.whole)
        return add([self.changed.get(i, term) for i, term in enumerate(terms)])


def instead(whole: Expression, other: Expression) -> Local:
    """Another expression in the place of the whole."""
    changed = dict.fromkeys(range(len(_terms(whole))), zeros_like(whole))
    return Local(whole, {**changed, 0: other})


def changed_terms(
    whole: Expression, change: Callable[[Expression], Expression], about: Sequence[Expression]
) -> Local:
    """The whole with ``change`` made in each term, which changes none without parts ``about``."""
    terms, containing = _terms(whole), _containing(whole)
    changed = {}
    for i in sorted({i for part in about for i in containing.get(part, ())}):
        other = change(terms[i])
        if other is not terms[i]:
            changed[i] = other
    return Local(whole, changed)


def substituted(whole: Expression, values: Mapping[Expression, Expression]) -> Local:
    """The whole with parts replaced by others of the same shape."""
    return changed_terms(whole, lambda term: exchanged(term, values), list(values))


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
    local : Local
        The terms in which it is replaced.
    """

    part: Expression
    variant: Expression
    words: Words | str
    where: str
    local: Local

    def __str__(self) -> str:
        return f"{self.words}{self.where}"

    @property
    def remedy(self) -> str:
        """What undoes it."""
        good, bad = self.part.mathematics(), self.variant.mathematics()
        return f"write {good} in place of {bad}{self.where}"

    @property
    def result(self) -> Expression:
        """The expression as it is edited."""
        return self.local.result


def edited(
    expression: Expression,
    variants: Variants,
    inside: bool = False,
    possible: Callable[[Expression, Expression], bool] = lambda term, part: True,
) -> Iterator[Edit]:
    """The expression with one part replaced by a variant of it, and what was done.

    A part that occurs several times is replaced everywhere, and then in one place only. Where only
    what is ``inside`` is edited, the whole is no such part. Of deep expressions, of which an edit
    rebuilds many parts, not all edits are made. A part that stands in one term only is edited where
    that is ``possible``, which is asked about the term and the part.
    """
    terms, containing, places = _parts_and_places(expression)
    lengths, visited = [_length(term) for term in terms], 0
    for part, paths in places.items():
        if inside and part == expression:
            continue
        around = containing.get(part, ())
        if len(around) == 1 and not possible(terms[around[0]], part):
            continue
        for variant, words in _tried(variants(part)):
            if (variant.rows, variant.cols) != (part.rows, part.cols) or variant == part:
                continue
            if not paths[0]:  # the whole
                yield Edit(part, variant, words, "", instead(expression, variant))
                continue
            visited += sum(lengths[i] for i in containing[part])
            if visited > _MOST_VISITED:
                return
            # A variant that does not fit into what stands around it cannot be the mistake.
            with suppress(ValueError):
                changed = {i: exchanged(terms[i], {part: variant}) for i in containing[part]}
                yield Edit(part, variant, words, "", Local(expression, changed))
            if len(paths) > 1 and expression.height <= _HIGHEST:
                for first, *rest in paths[:_MOST_PLACES]:
                    with suppress(ValueError):
                        changed = {first: _replaced(terms[first], tuple(rest), variant)}
                        where = " (in one place)"
                        yield Edit(part, variant, words, where, Local(expression, changed))


def everywhere_first(edits: Iterator[Edit]) -> Iterator[Edit]:
    """The same edits, those in one of several places after all others: they are less simple."""
    later = []
    for edit in edits:
        if edit.where:
            later.append(edit)
        else:
            yield edit
    yield from later


def is_too_deep(expression: Expression) -> bool:
    """Whether some edits may be left out: each of a long term rebuilds much of it."""
    return sum(_length(term) ** 2 for term in _terms(expression)) > _MOST_VISITED


def _length(term: Expression) -> int:
    return sum(1 + len(part.children) for part in parts_of(term))


@lru_cache(maxsize=8)  # all kinds of edits look at the same few expressions
def _parts_and_places(
    expression: Expression,
) -> tuple[list[Expression], dict[Expression, list[int]], dict[Expression, list[tuple[int, ...]]]]:
    """The terms, which of them contain each part, and the paths to it.

    The paths are those in these terms: an expression that is equal may be put together otherwise.
    """
    terms, containing = _terms(expression), _containing(expression)
    places: dict[Expression, list[tuple[int, ...]]] = {}
    for path, part in _places(expression, Counter()):
        place = path if isinstance(expression, N.Sum) or not path else (0, *path)
        places.setdefault(part, []).append(place)
    return terms, containing, places


@lru_cache(maxsize=8)
def _containing(expression: Expression) -> dict[Expression, list[int]]:
    """The numbers of the terms that contain each part."""
    containing: dict[Expression, list[int]] = {}
    for i, term in enumerate(_terms(expression)):
        for part in parts_of(term):
            containing.setdefault(part, []).append(i)
    return containing


def _places(
    expression: Expression, seen: Counter[bytes]
) -> Iterator[tuple[tuple[int, ...], Expression]]:
    """Paths to the parts; to what is inside of one that occurs often, not all of them."""
    yield (), expression
    seen[expression.key] += 1
    if seen[expression.key] > _MOST_PLACES:
        return
    for i, child in enumerate(expression.children):
        for path, part in _places(child, seen):
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


def single_transposes(part: Expression) -> Iterator[tuple[Expression, Words]]:
    """A product with one square factor transposed, or a sum with one square term transposed."""
    if part.is_scalar:
        return
    if isinstance(part, N.Sum) and part.is_square:
        for i, term in enumerate(part.children):
            turned = [*part.children[:i], transpose(term), *part.children[i + 1 :]]
            yield add(turned), _named(term)
    if isinstance(part, N.Product):
        for i, factor in enumerate(part.children):
            if factor.is_square:
                turned = [*part.children[:i], transpose(factor), *part.children[i + 1 :]]
                yield matmul(turned), _named(factor)
    if isinstance(part, N.Transpose) and part.is_square:
        yield part.argument, _named(part)
    coefficient, scalars, array = parts(part)
    plain = isinstance(array, N.Symbol | N.Transpose)
    if array is not None and plain and array is not part and array.is_square:
        yield scale(coefficient, *scalars, transpose(array)), _named(array)


def _named(part: Expression) -> Words:
    return Words("{}", (part,))
