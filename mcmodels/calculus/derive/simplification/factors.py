"""Rewrites of sums that take out common factors: matrices to one side, scalars in front."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from fractions import Fraction
from functools import partial

from mcmodels.calculus.core import functions
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import (
    add,
    assemble,
    hadamard,
    identity,
    kron,
    matmul,
    ones,
    parts,
    power,
    scale,
    transpose,
)
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import UnitAt
from mcmodels.calculus.core.numbers import Value, magnitude, number
from mcmodels.calculus.core.sizes import ONE

__all__ = [
    "common_scalars",
    "factored",
    "factored_on_both_sides",
    "gathered",
    "number_taken_out",
    "replaced",
    "terms_of",
]

Rest = Callable[[], Expression]  # what stands beside a factor; made only where it is asked for
Split = Callable[[Expression], list[tuple[Expression, Rest]]]
Join = Callable[[Expression, Expression], Expression]
Shared = list[tuple[int, Expression, Expression]]


def factored(e: N.Sum) -> Expression | None:
    """The factor that most terms share, on the left, on the right or elementwise, taken out."""
    for split, join in (_LEFT, _RIGHT, _ELEMENTWISE, _DIAGONAL, _VEC):
        shared = _most_shared(e, split)
        if shared:
            result = _taken_out(e, shared, join)
            if result is not None:
                return result
    left, right = (_most_shared(e, split) for split, _ in (_KRON_LEFT, _KRON_RIGHT))
    chosen, join = (left, _KRON_LEFT[1]) if len(left) >= len(right) else (right, _KRON_RIGHT[1])
    positions = [{i for i, _, _ in shared} for shared in (left, right)]
    if not chosen or (positions[0] & positions[1] and positions[0] != positions[1]):
        return None  # A⊗A + A⊗B + B⊗A: neither side is preferred
    return _taken_out(e, chosen, join)


def factored_on_both_sides(e: N.Sum) -> Expression | None:
    """XᵀAX + XᵀBX as Xᵀ(A + B)X, which stays symmetric where either side alone would not."""
    groups: dict[bytes, list[int]] = {}
    sides: dict[int, Expression] = {}
    for i, term in enumerate(e.children):
        array = parts(term)[2]
        if isinstance(array, N.Product) and len(array.children) > 2:
            first, last = array.children[0], array.children[-1]
            if isinstance(array.children[1], UnitAt):
                continue
            if first == transpose(last):
                groups.setdefault(last.key, []).append(i)
                sides[i] = last
    positions = max(groups.values(), key=len, default=[])
    if len(positions) < 2:
        return None
    rests = []
    for i in positions:
        coefficient, scalars, array = parts(e.children[i])
        assert array is not None
        rests.append(assemble(coefficient, scalars, matmul(array.children[1:-1])))
    outside, inside = common_scalars(add(rests))
    last = sides[positions[0]]
    return replaced(e, positions, scale(*outside, matmul([transpose(last), inside, last])))


def _most_shared(e: N.Sum, split: Split) -> Shared:
    """The largest group of terms that have a factor in common, none where there is no group."""
    groups: dict[bytes, list[tuple[int, Expression, Rest]]] = {}
    for i, term in enumerate(e.children):
        array = parts(term)[2]
        if array is None:
            continue
        for factor, rest in split(array):
            groups.setdefault(factor.key, []).append((i, factor, rest))
    shared = max(groups.values(), key=len, default=[])
    if not len({i for i, _, _ in shared}) == len(shared) > 1:
        return []
    return [(i, factor, rest()) for i, factor, rest in shared]


def _taken_out(e: N.Sum, shared: Shared, join: Join) -> Expression | None:
    rests = []
    for i, _, rest in shared:
        coefficient, scalars, _ = parts(e.children[i])
        rests.append(assemble(coefficient, scalars, rest))
    total = add(rests)
    # A number is left in diag(9x − 3y), where powers that the terms share may still be taken out.
    linear = join in (_DIAGONAL[1], _VEC[1])
    outside, inside = ([], total) if linear else common_scalars(total)
    if all(_is_fraction(term) for term in terms_of(inside)):
        return None  # w(8wᵀ/a³ − 4wᵀS/a²) is shorter than its terms, and no easier to read
    product = scale(*outside, join(shared[0][1], inside))
    return replaced(e, [i for i, _, _ in shared], product)


def replaced(e: N.Sum, positions: Collection[int], by: Expression) -> Expression:
    """The sum with the terms at these positions replaced by one term, at the first of them."""
    first = min(positions)
    terms = [
        by if i == first else term
        for i, term in enumerate(e.children)
        if i == first or i not in positions
    ]
    return terms[0] if len(terms) == 1 else add(terms)


def terms_of(e: Expression) -> tuple[Expression, ...]:
    """The terms of a sum; anything else is one term."""
    return e.children if isinstance(e, N.Sum) else (e,)


def _is_fraction(term: Expression) -> bool:
    return any(
        isinstance(scalar, N.Power)
        and isinstance(scalar.exponent, N.Number)
        and scalar.exponent.value < 0
        for scalar in parts(term)[1]
    )


def _is_whole(coefficient: Value) -> bool:
    return isinstance(coefficient, Fraction) and coefficient.denominator == 1


def common_scalars(
    e: Expression, divisors: bool = True
) -> tuple[list[Expression | Value], Expression]:
    """Numbers of equal size, whole divisors and scalars that all terms share, taken out."""
    if not isinstance(e, N.Sum):
        return [], e
    terms = [parts(term) for term in e.children]
    size = magnitude(terms[0][0])
    factor: Value = Fraction(1)
    if all(magnitude(coefficient) == size for coefficient, _, _ in terms):
        factor = size if any(coefficient > 0 for coefficient, _, _ in terms) else -size
    elif divisors and all(_is_whole(coefficient) for coefficient, _, _ in terms):
        factor = Fraction(math.gcd(*(int(coefficient) for coefficient, _, _ in terms)))
    common = [s for s in terms[0][1] if all(s in scalars for _, scalars, _ in terms)]
    if factor == 1 and not common:
        return [], e
    inside = add(
        [
            assemble(coefficient / factor, [s for s in scalars if s not in common], array)
            for coefficient, scalars, array in terms
        ]
    )
    return [factor, *common], inside


def gathered(e: N.Sum) -> Expression | None:
    """Matrices that are multiplied by the same scalars, added: αA + αB as α(A + B)."""
    groups: dict[tuple[bytes, ...], list[int]] = {}
    for i, term in enumerate(e.children):
        _, scalars, array = parts(term)
        if scalars and array is not None:
            groups.setdefault(tuple(sorted(scalar.key for scalar in scalars)), []).append(i)
    positions = max(groups.values(), key=len, default=[])
    if len(positions) < 2:
        return None
    outside, inside = common_scalars(add([e.children[i] for i in positions]))
    return replaced(e, positions, scale(*outside, inside))


def number_taken_out(e: N.Sum) -> Expression | None:
    """½A − ½B as ½(A − B), 2S − 2λI as 2(S − λI); but 2Sv − 2λv stays."""
    outside, inside = common_scalars(e, divisors=False)
    if not outside:
        return None
    size = magnitude(parts(e.children[0])[0])
    shifted = any(isinstance(parts(term)[2], N.Identity) for term in e.children)
    return scale(*outside, inside) if shifted or size != int(size) else None


# -- ways to take a term apart, and to put it together again ---------------------------------------


def _split_left(array: Expression) -> list[tuple[Expression, Rest]]:
    if not isinstance(array, N.Product):
        return []
    first, *rest = array.children
    if isinstance(rest[0], UnitAt) or _is_row_taken(first):  # a row of a matrix stays one letter
        letter = matmul([first, rest[0]])
        return _beside(letter, rest[1:], letter.is_column)
    return [(first, lambda: matmul(rest)), *_through_diagonal(first, lambda v: matmul([v, *rest]))]


def _beside(
    letter: Expression, rest: list[Expression], may_stand_alone: bool
) -> list[tuple[Expression, Rest]]:
    """A row at an index and the other factors; 1 where there are none, before or behind it."""
    if not rest:
        return [(letter, lambda: number(1))] if may_stand_alone else []
    return [(letter, lambda: matmul(rest))]


def _is_row_taken(factor: Expression) -> bool:
    return isinstance(factor, N.Transpose) and isinstance(factor.argument, UnitAt)


def _split_right(array: Expression) -> list[tuple[Expression, Rest]]:
    if isinstance(array, N.Kron):
        return [(array, lambda: identity(array.rows))]
    if not isinstance(array, N.Product):
        return []
    *rest, last = array.children
    if isinstance(last, UnitAt) or _is_row_taken(rest[-1]):
        letter = matmul([rest[-1], last])
        return _beside(letter, rest[:-1], letter.rows == ONE)
    opened = _through_diagonal(transpose(last), lambda v: matmul([*rest, transpose(v)]))
    return [(last, lambda: matmul(rest)), *opened]


def _through_diagonal(
    column: Expression, rest: Callable[[Expression], Expression]
) -> list[tuple[Expression, Rest]]:
    """The ways to see u∘v as diag(u)v."""
    if not (isinstance(column, N.Hadamard) and column.is_column):
        return []
    c = column.children
    return [
        (functions.diag(c[i]), partial(_beside_diagonal, rest, c[:i] + c[i + 1 :]))
        for i in range(len(c))
    ]


def _beside_diagonal(
    rest: Callable[[Expression], Expression], others: tuple[Expression, ...]
) -> Expression:
    return rest(hadamard(others))


def _split_elementwise(array: Expression) -> list[tuple[Expression, Rest]]:
    if isinstance(array, N.Hadamard):
        c = array.children
        return [
            (base, partial(hadamard, [rest, *c[:i], *c[i + 1 :]]))
            for i in range(len(c))
            for base, rest in _split_elementwise_factor(c[i])
        ]
    if not isinstance(array, N.Elementwise | N.Power):
        return []
    return [(base, partial(_itself, rest)) for base, rest in _split_elementwise_factor(array)]


def _itself(rest: Expression) -> Expression:
    return rest


def _split_elementwise_factor(factor: Expression) -> list[tuple[Expression, Expression]]:
    """A factor u as u∘1, and a whole power u³ of a sum as u∘u² besides."""
    found: list[tuple[Expression, Expression]] = [(factor, N.Ones(factor.rows, factor.cols))]
    if isinstance(factor, N.Power) and isinstance(factor.base, N.Sum):
        exponent = factor.exponent.value if isinstance(factor.exponent, N.Number) else 0
        if exponent == int(exponent) and exponent > 1:
            found.append((factor.base, power(factor.base, number(exponent - 1))))
    return found


def _kron_sides(left: bool) -> Split:
    def split(array: Expression) -> list[tuple[Expression, Rest]]:
        if not isinstance(array, N.Kron):
            return []
        factor, rest = (array.left, array.right) if left else (array.right, array.left)
        return [(factor, lambda: rest)]

    return split


def _split_diagonal(array: Expression) -> list[tuple[Expression, Rest]]:
    if isinstance(array, N.Identity):
        return [(array, lambda: ones(array.rows, ONE))]
    if not isinstance(array, N.DiagonalMatrix):
        return []
    return [(identity(array.rows), lambda: array.argument)]


def _split_vec(array: Expression) -> list[tuple[Expression, Rest]]:
    if not isinstance(array, N.Vec):
        return []
    inside = array.argument  # vec of m×n and of n×m have one shape
    return [(N.Zeros(inside.rows, inside.cols), lambda: inside)]


_LEFT: tuple[Split, Join] = (_split_left, lambda factor, rest: matmul([factor, rest]))
_RIGHT: tuple[Split, Join] = (_split_right, lambda factor, rest: matmul([rest, factor]))
_ELEMENTWISE: tuple[Split, Join] = (
    _split_elementwise,
    lambda factor, rest: hadamard([factor, rest]),
)
_KRON_LEFT: tuple[Split, Join] = (_kron_sides(True), lambda factor, rest: kron(factor, rest))
_KRON_RIGHT: tuple[Split, Join] = (_kron_sides(False), lambda factor, rest: kron(rest, factor))
_DIAGONAL: tuple[Split, Join] = (_split_diagonal, lambda factor, rest: functions.diag(rest))
_VEC: tuple[Split, Join] = (_split_vec, lambda factor, rest: functions.vec(rest))
