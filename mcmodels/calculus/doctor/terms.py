"""Expressions taken apart: multiplied out into terms, and edited in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations, product
from typing import Any

from mcmodels.calculus import nodes as N
from mcmodels.calculus.arithmetic import add, hadamard, matmul, parts, scale, transpose
from mcmodels.calculus.expression import Expression
from mcmodels.calculus.rewriting import parts_of, substitute, with_children

__all__ = ["edited", "expanded", "orders", "rotated", "without_one"]

_MOST_TERMS = 48
_MOST_PERMUTED = 4

_LINEAR = (
    N.Trace, N.Total, N.Diagonal, N.DiagonalMatrix, N.Vec, N.Unvec, N.Transpose, N.Kron,
    N.BlockSum, N.BlockTrace,
)  # fmt: skip


def expanded(expression: Expression) -> list[Expression]:
    """The terms of the expression, multiplied out as far as there are not too many of them."""
    return _terms(expression)


def _terms(e: Expression) -> list[Expression]:
    if isinstance(e, N.Sum):
        found = [term for child in e.children for term in _terms(child)]
        return list(add(found).children) if isinstance(add(found), N.Sum) else [add(found)]
    if isinstance(e, N.Scaled):
        return _distributed(e, e.children, lambda c: scale(e.coefficient, *c))
    if isinstance(e, N.Product):
        return _distributed(e, e.children, matmul)
    if isinstance(e, N.Hadamard):
        return _distributed(e, e.children, hadamard)
    if isinstance(e, _LINEAR):
        return _distributed(e, e.children, lambda c: with_children(e, c))
    return [e]


def _distributed(
    e: Expression, children: Sequence[Expression], build: Callable[[Sequence[Expression]], Any]
) -> list[Expression]:
    choices = [_terms(child) for child in children]
    count = 1
    for choice in choices:
        count *= len(choice)
    if count == 1 or count > _MOST_TERMS:
        return [e]
    total = add([build(chosen) for chosen in product(*choices)])
    return list(total.children) if isinstance(total, N.Sum) else [total]


def edited(
    expression: Expression, variants: Callable[[Expression], Iterator[tuple[Expression, str]]]
) -> Iterator[tuple[Expression, str]]:
    """The expression with one part replaced by a variant of it, and what was done."""
    for part in parts_of(expression):
        for variant, words in _tried(variants(part)):
            if (variant.rows, variant.cols) != (part.rows, part.cols) or variant == part:
                continue
            try:
                yield substitute(expression, {part: variant}), words
            except ValueError:  # the variant does not fit into what stands around it
                continue


def _tried(
    variants: Iterator[tuple[Expression, str]],
) -> Iterator[tuple[Expression, str]]:
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
        fits = all(a.cols == b.rows for a, b in zip(chain, chain[1:], strict=False))
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


def rotated(factors: Sequence[Expression]) -> Iterator[list[Expression]]:
    """The cyclic shifts of the factors of a product under a trace, as they stand first."""
    for i in range(len(factors)):
        yield [*factors[i:], *factors[:i]]


def without_one(part: Expression) -> Iterator[tuple[Expression, Expression, str]]:
    """A sum without one term, or with its sign turned: result, term and which of the two."""
    if not isinstance(part, N.Sum):
        return
    for i, term in enumerate(part.children):
        rest = [*part.children[:i], *part.children[i + 1 :]]
        yield add(rest), term, "dropped"
        yield add([*rest, scale(-1, term)]), term, "sign"


def single_transposes(part: Expression) -> Iterator[tuple[Expression, str]]:
    """A product with one square factor transposed."""
    if isinstance(part, N.Product):
        for i, factor in enumerate(part.children):
            if factor.is_square:
                turned = [*part.children[:i], transpose(factor), *part.children[i + 1 :]]
                yield matmul(turned), factor.mathematics()
    if isinstance(part, N.Transpose) and part.is_square:
        yield part.argument, part.mathematics()
    coefficient, scalars, array = parts(part)
    if array is not None and array is not part and isinstance(array, N.Symbol | N.Transpose):
        if array.is_square:
            yield scale(coefficient, *scalars, transpose(array)), array.mathematics()
