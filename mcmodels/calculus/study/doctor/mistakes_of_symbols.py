"""Mistakes about symbols: one that is forgotten, two that are exchanged, a factor of each entry."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import hadamard, parts, power, scale
from mcmodels.calculus.core.arithmetic.entrywise import base_and_exponent
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import Index
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.numbers import Value, magnitude, number
from mcmodels.calculus.core.rewriting import closed_parts_of, exchanged
from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.mistakes_of_parts import edits
from mcmodels.calculus.study.doctor.terms import Words, substituted

__all__ = [
    "exchanged_symbols",
    "factor_of_entries",
    "forgotten_symbol",
    "forgotten_vector",
    "wrong_power",
    "wrong_symbol",
]


_SMALL = 2  # the height of a symbol in a slice, a trace, a function
_MOST_PARTS = 30  # parts of f of which each may stand for another
_MOST_PAIRED = 8  # arrays of which two may be a factor of each entry
_MOST_SYMBOLS = 12  # of which each is left out, and each two are exchanged


def _others(case: Case) -> list[Symbol]:
    """The symbols beside x; none where there are too many to try."""
    others = [
        symbol
        for symbol in case.f.symbols
        if isinstance(symbol, Symbol) and symbol != case.x and not isinstance(symbol, Index)
    ]
    return others if len(others) <= _MOST_SYMBOLS else []


def forgotten_symbol(case: Case) -> Iterator[Finding]:
    """The answer where a symbol is 1, the identity, or 0."""
    for symbol in _others(case):
        values: list[Expression] = []
        if symbol.is_scalar:
            values = [number(1), number(0)]
        else:
            ones = N.Ones(symbol.rows, symbol.cols)
            same = N.Identity(symbol.rows) if symbol.is_square else ones
            values = [same, N.Zeros(symbol.rows, symbol.cols)]
        for value in values:
            yield from _forgotten(case, symbol, value)


def _forgotten(case: Case, symbol: Symbol, value: Expression) -> Iterator[Finding]:
    try:
        local = substituted(case.right, {symbol: value})
        is_claimed = case.is_claimed_after(local)
    except (ValueError, ZeroDivisionError):  # where 1/s or log(s) is not defined
        return
    if is_claimed:
        name, text = symbol.mathematics(), value.mathematics()
        yield Finding(
            f"{name} is taken to be {text}", local.result, f"write {name} in place of {text}"
        )


def forgotten_vector(case: Case) -> Iterator[Finding]:
    """A column taken to be 1 in a derivative by a number, where sum(y) becomes n.

    Elsewhere it is a factor of each entry that is missing.
    """
    for symbol in _others(case) if case.right.is_scalar else ():
        if symbol.is_column and symbol.is_array:
            yield from _forgotten(case, symbol, N.Ones(symbol.rows, symbol.cols))


def exchanged_symbols(case: Case) -> Iterator[Finding]:
    """The answer where two symbols change places, or a share and the rest of it."""
    others = _others(case)
    for first, second in combinations(others, 2):
        if first.shape == second.shape:
            yield from _exchanged(case, {first: second, second: first})
    for symbol in others:
        if symbol.is_scalar:
            yield from _exchanged(case, {symbol: 1 - symbol})


def _exchanged(case: Case, change: dict[Expression, Expression]) -> Iterator[Finding]:
    local = substituted(case.right, change)
    if case.is_claimed_after(local):
        first, second = next(iter(change.items()))
        names = f"{first.mathematics()} and {second.mathematics()}"
        yield Finding(f"{names} are exchanged", local.result, f"exchange {names}")


def wrong_symbol(case: Case) -> Iterator[Finding]:
    """One part of f in the place of another, as yₜ for yₜ₋₁, tanh(Wx) for x, or tr(X) for tr(A)."""
    if case.is_long or case.is_large:
        return
    parts_of_f = [
        part
        for part in dict.fromkeys(closed_parts_of(case.f))
        if part.symbols and not isinstance(part, N.Scaled | N.Sum) and part != case.f
    ]
    symbols = [part for part in parts_of_f if isinstance(part, Symbol)]
    if len(parts_of_f) > _MOST_PARTS:
        return
    own_parts = set(parts_of_f)

    def variants(part: Expression) -> Iterator[tuple[Expression, Words]]:
        small = _is_small(part)
        if not small and part not in own_parts:
            return
        others = [other for other in parts_of_f if other.shape == part.shape]
        if small and part.is_scalar:  # of another size, too
            others += [
                exchanged(part, {own: other})
                for own in part.symbols
                for other in symbols
                if own != other and own.is_array and other.is_array and _fits(part, own, other)
            ]
        for other in dict.fromkeys(others):
            yield other, Words("{} stands for {}", (other, part))

    yield from edits(case, variants)


def _is_small(part: Expression) -> bool:
    return part.height <= _SMALL and bool(part.symbols) and not isinstance(part, N.Power | N.Sum)


def _fits(part: Expression, own: Expression, other: Expression) -> bool:
    """Whether a symbol may stand for another in a sum, a norm, a trace."""
    square = isinstance(part, N.Trace | N.Det | N.LogDet)
    return isinstance(part, N.Total | N.Norm) or (square and other.is_square)


def wrong_power(case: Case) -> Iterator[Finding]:
    """A root, a square or one over it in the place of an array, as √v for v; 3x² for (3x)²."""

    def variants(part: Expression) -> Iterator[tuple[Expression, Words]]:
        yield from _power_of_one_factor(part)
        is_power = isinstance(part, N.Power) and isinstance(part.exponent, N.Number)
        if not is_power and not (part.is_array and _is_small(part)):
            return
        base, k = (part.base, part.exponent) if isinstance(part, N.Power) else (part, number(1))
        for exponent in (-k, k / 2, 2 * k, -k / 2):
            other = power(base, exponent)
            yield other, Words("{} stands for {}", (other, part))

    if not case.is_long:
        yield from edits(case, variants)


def _power_of_one_factor(part: Expression) -> Iterator[tuple[Expression, Words]]:
    """Where cᵏxᵏ stands, cxᵏ: the number is not raised."""
    coefficient, scalars, array = parts(part)
    factors = (*scalars, *([] if array is None else [array]))
    for factor in factors:
        _, exponent = base_and_exponent(factor)
        if not isinstance(exponent, N.Number):
            continue
        k = magnitude(exponent.value)
        root = _root(magnitude(coefficient), int(k)) if k == int(k) > 1 else None
        if root is not None:
            other = scale(root if coefficient > 0 else -root, *factors)
            yield other, Words("{} stands for {}: the number is not raised", (other, part))


def _root(value: Value, k: int) -> Fraction | None:
    """The ratio, not 1, of which a number above 0 is the power k."""
    if not isinstance(value, Fraction) or value == 1:
        return None
    root = Fraction(*(round(n ** (1 / k)) for n in value.as_integer_ratio()))
    return root if root**k == value else None


def factor_of_entries(case: Case) -> Iterator[Finding]:
    """Each entry multiplied or divided by that of another array."""
    if case.right.is_scalar or case.is_long:
        return
    arrays = [
        part
        for part in dict.fromkeys([*closed_parts_of(case.f), case.x])
        if part.shape == case.right.shape and not isinstance(part, N.Ones)
    ]
    plain = [array for array in arrays if isinstance(array, Symbol | N.Sum)]
    pairs = list(combinations(plain, 2)) if len(plain) <= _MOST_PAIRED else []
    for array in [*arrays, *(hadamard(pair) for pair in pairs)]:
        text = array.mathematics()
        for exponent, words, remedy in (
            (1, "has an extra factor", "divide"),
            (-1, "lacks a factor", "multiply"),
        ):
            wrong = hadamard([case.right, power(array, number(exponent))])
            if case.is_claimed(wrong):
                yield Finding(
                    f"each entry {words}: that of {text}", wrong, f"{remedy} each entry by {text}"
                )
