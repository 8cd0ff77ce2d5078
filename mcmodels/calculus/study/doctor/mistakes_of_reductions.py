"""A scalar in the place of an array, which NumPy repeats in silence, and an array for a scalar."""

from __future__ import annotations

from collections.abc import Iterator

from mcmodels.calculus.core import functions
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import parts, scale, size_value
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.mistakes_of_parts import edits
from mcmodels.calculus.study.doctor.terms import Words

__all__ = ["not_reduced", "reduced"]

_INVERSE = number(-1)


def reduced(case: Case) -> Iterator[Finding]:
    """The norm, sum or mean of an array in the place of the array, as λ‖w‖ added to a vector."""

    def variants(part: Expression) -> Iterator[tuple[Expression, Words]]:
        if not part.is_array or isinstance(part, N.Ones | N.Identity | N.Scaled):
            return
        ones = N.Ones(part.rows, part.cols)
        for scalar in (functions.sum(part), functions.mean(part), functions.norm(part)):
            other = scale(scalar, ones)
            if other != part:
                yield other, Words("{}, one number for all entries, stands for {}", (other, part))

    if not case.is_long:
        yield from edits(case, variants)


def not_reduced(case: Case) -> Iterator[Finding]:
    """An array in the place of its norm, sum or mean, as 2x for 2 sum(x) in each entry."""

    def variants(part: Expression) -> Iterator[tuple[Expression, Words]]:
        coefficient, scalars, array = parts(part)
        if not isinstance(array, N.Ones):
            return
        for i, reduction in enumerate(scalars):
            if not isinstance(reduction, N.Total | N.Norm):
                continue
            inner = reduction.argument
            if inner.shape != array.shape:
                continue
            rest = [*scalars[:i], *scalars[i + 1 :]]
            taken = "sum" if isinstance(reduction, N.Total) else "norm"
            other = scale(coefficient, *rest, inner)
            words = f"{{}} stands for {{}}: the {taken} of the entries is not taken"
            yield other, Words(words, (other, part))
            of_mean = scale(size_value(inner.rows), other)
            if isinstance(reduction, N.Total) and inner.is_column:
                words = "{} stands for {}: the mean of the entries is not taken"
                yield of_mean, Words(words, (of_mean, part))

    if not case.is_long:
        yield from edits(case, variants)
