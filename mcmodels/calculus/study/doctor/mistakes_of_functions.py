"""The derivative of another function: a part of f held constant, or f copied with a mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.functions import sum as total
from mcmodels.calculus.core.functions import trace
from mcmodels.calculus.core.nodes import Symbol
from mcmodels.calculus.core.rewriting import closed_parts_of, substitute
from mcmodels.calculus.derive.differentials import differential
from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.mistakes_of_factors import without_a_factor
from mcmodels.calculus.study.doctor.mistakes_of_parts import (
    argument_alone,
    at_another_argument,
    not_inverted,
)
from mcmodels.calculus.study.doctor.terms import Words

__all__ = ["OTHER_FUNCTIONS", "held_constant", "of_another_function"]

_MOST_HELD = 16  # parts of which two are held constant together


def held_constant(case: Case) -> Iterator[Finding]:
    """A part that varies taken for a constant, as the mean of data that are standardised."""
    if case.is_long:
        return
    varying = [
        part
        for part in reversed(list(closed_parts_of(case.f)))
        if case.x in part.used and part != case.f and not isinstance(part, Symbol)
    ]
    chosen: list[tuple[Expression, ...]] = [(part,) for part in varying]
    if len(varying) <= _MOST_HELD:
        chosen += list(combinations(varying, 2))
    for held in chosen:
        fixed: dict[Expression, Expression] = {
            part: Symbol(f"held_{i}", part.rows, part.cols, frozenset())
            for i, part in enumerate(held)
        }
        f = substitute(case.f, fixed)
        if case.x not in f.used or not set(fixed.values()) <= f.used:
            continue
        back = {symbol: part for part, symbol in fixed.items()}
        df = substitute(differential(f, frozenset([case.x])), back)
        derivative = case.identified(df)
        if derivative is not None:
            names = " and ".join(part.mathematics() for part in held)
            verb = "are" if len(held) > 1 else "is"
            yield Finding(
                f"{names} {verb} held constant, though {case.x.mathematics()} is in "
                f"{'them' if len(held) > 1 else 'it'}",
                derivative,
                f"differentiate {names}, too",
            )


def _summed_otherwise(part: Expression) -> Iterator[tuple[Expression, Words]]:
    if isinstance(part, N.Total | N.Trace) and part.argument.is_square:
        other = (trace if isinstance(part, N.Total) else total)(part.argument)
        yield other, Words("{} stands for {}", (other, part))


def of_another_function(
    variants: Callable[[Expression], Iterator[tuple[Expression, Words]]],
) -> Callable[[Case], Iterator[Finding]]:
    """The right derivative of an f in which one part was copied with a mistake."""

    def findings(case: Case) -> Iterator[Finding]:
        if case.is_long:
            return
        for edit, derivative in case.other_functions(variants):
            good, bad = edit.part.mathematics(), edit.variant.mathematics()
            yield Finding(
                f"it is the {case.kind} of f with {bad} in the place of {good}{edit.where}",
                derivative,
                f"differentiate f with {good} in place of {bad}{edit.where}",
            )

    return findings


OTHER_FUNCTIONS = (
    ("forgotten function", argument_alone),
    ("wrong argument", at_another_argument),
    ("dropped factor", without_a_factor),
    ("missing inverse", not_inverted),
    ("another sum", _summed_otherwise),
)
