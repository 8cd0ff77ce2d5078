"""An inner product in the place of an outer product, or the other way round."""

from __future__ import annotations

from collections.abc import Iterator

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import matmul, parts, scale, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.sizes import ONE
from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.mistakes_of_parts import edits
from mcmodels.calculus.study.doctor.terms import Words

__all__ = ["inner_for_outer", "of_another_shape"]

_INNER = "{}, an inner product, stands for {}, an outer product"
_OUTER = "{}, an outer product, stands for {}, an inner product"


def inner_for_outer(case: Case) -> Iterator[Finding]:
    """vᵀu in the place of uvᵀ, as a multiple of I or added to each entry; and uvᵀ for vᵀu."""

    def variants(part: Expression) -> Iterator[tuple[Expression, Words]]:
        yield from _inner(part)
        yield from _outer(part)

    if not case.is_long:
        yield from edits(case, variants)


def of_another_shape(case: Case) -> Iterator[Finding]:
    """The same where it is the whole, so that the shape is wrong."""
    coefficient, scalars, array = parts(case.right)
    if array is None and len(scalars) == 1:
        array = scalars[0]
        scalars = scalars[1:]
    if array is None:
        return
    for other, words in [*_inner_of_whole(array), *_outer_of_whole(array)]:
        wrong = scale(coefficient, *scalars, other)
        if case.is_claimed(wrong):
            good, bad = array.mathematics(), other.mathematics()
            yield Finding(
                str(Words(words, (other, array))), wrong, f"write {good} in place of {bad}"
            )


def _cuts(part: Expression, is_outer: bool) -> Iterator[int]:
    """Where a product falls into a column and a row, or into a row and a column."""
    if isinstance(part, N.Product):
        for cut in range(1, len(part.children)):
            if is_outer == (part.children[cut].rows == ONE):
                yield cut


def _inner(part: Expression) -> Iterator[tuple[Expression, Words]]:
    for cut in _cuts(part, is_outer=True):
        for start in range(cut):
            for end in range(cut + 1, len(part.children) + 1):
                u, v = matmul(part.children[start:cut]), matmul(part.children[cut:end])
                if u.rows != v.cols or u.rows == ONE:
                    continue
                before, after, inner = part.children[:start], part.children[end:], matmul([v, u])
                outer = matmul([u, v])
                for like in (N.Identity(u.rows), N.Ones(u.rows, u.rows)):
                    other = scale(inner, like)
                    yield matmul([*before, other, *after]), Words(_INNER, (other, outer))


def _outer(part: Expression) -> Iterator[tuple[Expression, Words]]:
    coefficient, scalars, array = parts(part)
    if array is None:
        return
    for i, inner in enumerate(scalars):
        rest = [*scalars[:i], *scalars[i + 1 :]]
        # Of (rᵀc)u, which is (urᵀ)c, the outer product may have been turned round: (rᵀu)c.
        for outer in _outer_products(inner) if array.is_column else ():
            if isinstance(outer, N.Product) and len(outer.children) == 2:
                c, r = outer.children
                if r.cols == array.rows:
                    turned = matmul([r, array])
                    words = Words(_INNER, (turned, matmul([array, r])))
                    yield scale(coefficient, *rest, turned, c), words
        for outer in _outer_products(inner):
            words = Words(_OUTER, (outer, inner))
            if array.rows == outer.cols:
                yield scale(coefficient, *rest, matmul([outer, array])), words
            if array.cols == outer.rows:
                yield scale(coefficient, *rest, matmul([array, outer])), words


def _outer_products(inner: Expression) -> Iterator[Expression]:
    """The outer products that a scalar may have been meant for, of either order."""
    found: list[Expression] = []
    if isinstance(inner, N.Power) and isinstance(inner.base, N.Norm):
        x = inner.base.argument
        if inner.exponent == number(2) and x.is_column:
            found.append(matmul([x, transpose(x)]))
    for cut in _cuts(inner, is_outer=False) if inner.is_scalar else ():
        row, column = matmul(inner.children[:cut]), matmul(inner.children[cut:])
        if row.rows == column.cols == ONE:
            found.append(matmul([column, row]))
    for outer in found:
        yield from dict.fromkeys((outer, transpose(outer)))


def _inner_of_whole(array: Expression) -> Iterator[tuple[Expression, str]]:
    for cut in _cuts(array, is_outer=True):
        u, v = matmul(array.children[:cut]), matmul(array.children[cut:])
        if u.rows == v.cols:
            yield matmul([v, u]), _INNER


def _outer_of_whole(array: Expression) -> Iterator[tuple[Expression, str]]:
    for outer in _outer_products(array):
        yield outer, _OUTER
