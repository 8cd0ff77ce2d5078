"""Factors that are missing, or stand there twice: weights, a metric, a matrix of the chain."""

from __future__ import annotations

from collections.abc import Iterator

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import (
    add,
    hadamard,
    matmul,
    matrix_power,
    parts,
    power,
    scale,
    transpose,
)
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.functions import inv
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.mistakes_of_parts import edits
from mcmodels.calculus.study.doctor.terms import Words

__all__ = ["dropped_factor", "extra_factor", "without_a_factor"]

_MOST_SQUARE = 4  # symbols that may be an extra factor


def without_a_factor(part: Expression) -> Iterator[tuple[Expression, Words]]:
    """A product without one of its factors."""
    if not isinstance(part, N.Product | N.Hadamard):
        return
    for i, factor in enumerate(part.children):
        rest = [*part.children[:i], *part.children[i + 1 :]]
        if isinstance(part, N.Hadamard):
            yield hadamard(rest), Words("the factor {} is missing", (factor,))
        elif factor.is_square:
            yield matmul(rest), Words("the factor {} is missing", (factor,))


def _with_one_factor_less(part: Expression) -> Iterator[tuple[Expression, Words]]:
    """A power of one factor less, as M for M², and 1/s for 1/s²."""
    if isinstance(part, N.Power | N.MatrixPower) and isinstance(part.exponent, N.Number):
        by = 1 if part.exponent.value < 0 else -1
        if part.exponent.value + by:
            build = power if isinstance(part, N.Power) else matrix_power
            other = build(part.base, add([part.exponent, number(by)]))
            yield other, Words("{} stands for {}: one factor is missing", (other, part))


def _without_scalars_or_array(part: N.Scaled) -> Iterator[tuple[Expression, Words]]:
    coefficient, scalars, array = parts(part)
    if array is None:
        return
    ones = N.Ones(array.rows, array.cols)
    if array.is_column and array != ones:
        yield scale(coefficient, *scalars, ones), Words("the factor {} is missing", (array,))
    if len(scalars) > 1:
        words = Words("the factor {} is missing", (scale(1, *scalars),))
        yield scale(coefficient, array), words
        for i, factor in enumerate(scalars):  # a power that no usual factor has
            rest = [*scalars[:i], *scalars[i + 1 :]]
            yield scale(coefficient, *rest, array), Words("the factor {} is missing", (factor,))


def dropped_factor(case: Case) -> Iterator[Finding]:
    """A factor that is missing: weights, a metric, a label, a matrix of the chain."""

    def variants(part: Expression) -> Iterator[tuple[Expression, Words]]:
        yield from without_a_factor(part)
        yield from _with_one_factor_less(part)
        if isinstance(part, N.Scaled) and not case.is_long:
            yield from _without_scalars_or_array(part)

    yield from edits(case, variants)


def extra_factor(case: Case) -> Iterator[Finding]:
    """A factor that stands there twice, or at one end where it does not belong."""

    def variants(part: Expression) -> Iterator[tuple[Expression, Words]]:
        if not isinstance(part, N.Product | N.Hadamard):
            return
        for i, factor in enumerate(part.children):
            words = Words("the factor {} stands there twice", (factor,))
            if isinstance(part, N.Hadamard):
                yield hadamard([*part.children, factor]), words
            elif factor.is_square:
                yield matmul([*part.children[:i], factor, *part.children[i:]]), words

    yield from edits(case, variants)
    if case.is_long:
        return
    square = [s for s in case.f.symbols if isinstance(s, N.Symbol) and s.is_array and s.is_square]
    for symbol in square[:_MOST_SQUARE]:
        for factor in dict.fromkeys((symbol, transpose(symbol), inv(symbol))):
            ends = {
                end: wrong
                for end, wrong in (
                    (" at the left", _product([factor, case.right])),
                    (" at the right", _product([case.right, factor])),
                )
                if wrong is not None and case.is_claimed(wrong)
            }
            for end, wrong in ends.items():
                end = end if len(ends) == 1 else ""  # it commutes with the rest
                text = factor.mathematics()
                yield Finding(
                    f"there is an extra factor {text}{end}",
                    wrong,
                    f"take the factor {text}{end} away",
                )


def _product(factors: list[Expression]) -> Expression | None:
    first, last = factors
    return matmul(factors) if first.cols == last.rows else None
