"""Quotients by sums: taken along the wrong axis, left out, or taken to be 1."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from mcmodels.calculus.core import functions
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import hadamard, matmul, power, scale, transpose
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import closed_parts_of, exchanged, parts_of, substitute
from mcmodels.calculus.core.sizes import ONE
from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.mistakes_of_parts import edits
from mcmodels.calculus.study.doctor.terms import Words
from mcmodels.plain import np

__all__ = ["assumed_one", "assumed_unit_rows", "divided_along_another_axis", "not_divided"]

_INVERSE = number(-1)
_MOST_FACTORS = 6  # of a product of which all groups are tried
_MOST_SCALARS = 12  # each of which may be taken to be 1
_SAME = 1e-9  # relative, of sums: rounding of a few terms

Variant = tuple[Expression, Words]


def divided_along_another_axis(case: Case) -> Iterator[Finding]:
    """Entries divided by sums of columns, or of all, in the place of sums of rows.

    As responsibilities of a mixture, N ∘ (1 ⊘ N1)1ᵀ, of which the rows sum to 1.
    """
    yield from _quotients(case, _by_other_sums)


def not_divided(case: Case) -> Iterator[Finding]:
    """Entries that are not divided by their sums."""
    yield from _quotients(case, _by_none)


def _quotients(
    case: Case, otherwise: Callable[[Expression, bool], Iterator[Variant]]
) -> Iterator[Finding]:
    def variants(part: Expression) -> Iterator[Variant]:
        if _is_quotient(part) and otherwise is _by_other_sums:
            assert isinstance(part, N.Power)
            of_all = scale(power(functions.sum(part.base), _INVERSE), N.Ones(part.rows, part.cols))
            yield of_all, Words("it is divided by the sum of {}, not by each entry", (part.base,))
        if part.rows == ONE or part.cols == ONE:
            return
        for quotient, filled in _groups(part):
            for entries, of_rows in _normalised(case, quotient):
                for other, words in otherwise(entries, of_rows):
                    yield filled(other), words

    if not case.is_long and any(map(_is_quotient, parts_of(case.right))):
        yield from edits(case, variants)


def _is_quotient(part: Expression) -> bool:
    return isinstance(part, N.Power) and part.exponent == _INVERSE and part.is_column


def _groups(part: Expression) -> Iterator[tuple[Expression, Callable[[Expression], Expression]]]:
    """Products of some of the factors, and the part with something else in their place."""
    if not isinstance(part, N.Product | N.Hadamard) or len(part.children) > _MOST_FACTORS:
        return
    factors, places = part.children, range(len(part.children))
    is_product = isinstance(part, N.Product)
    for count in range(2 if is_product else 1, len(factors) + 1):
        for chosen in combinations(places, count):
            if is_product and chosen[-1] - chosen[0] != count - 1:
                continue
            group = [factors[i] for i in chosen]
            if not any(_is_quotient(inner) for factor in group for inner in parts_of(factor)):
                continue

            def filled(other: Expression, chosen: tuple[int, ...] = chosen) -> Expression:
                if not is_product:
                    return hadamard([other, *(factors[i] for i in places if i not in chosen)])
                return matmul([*factors[: chosen[0]], other, *factors[chosen[-1] + 1 :]])

            yield (matmul if is_product else hadamard)(group), filled


def _normalised(case: Case, quotient: Expression) -> Iterator[tuple[Expression, bool]]:
    """The entries of which a quotient has shares, and whether the shares of each row sum to 1."""
    for inverse in dict.fromkeys(filter(_is_quotient, parts_of(quotient))):
        assert isinstance(inverse, N.Power)
        entries = exchanged(quotient, {inverse: N.Ones(inverse.rows, ONE)})
        for of_rows in (True, False):
            size = quotient.rows if of_rows else quotient.cols
            if size == inverse.rows and all(
                np.allclose(
                    sample.value(entries).sum(axis=1 if of_rows else 0),
                    sample.value(inverse.base),
                    rtol=_SAME,
                    atol=0.0,
                )
                for sample in case.samples
            ):
                yield entries, of_rows


def _by_other_sums(entries: Expression, of_rows: bool) -> Iterator[Variant]:
    if of_rows:
        sums = matmul([transpose(entries), N.Ones(entries.rows, ONE)])
        other = matmul([entries, functions.diag(power(sums, _INVERSE))])
        yield other, Words("{} is divided by the sums of its columns, not of its rows", (entries,))
    else:
        sums = matmul([entries, N.Ones(entries.cols, ONE)])
        other = matmul([functions.diag(power(sums, _INVERSE)), entries])
        yield other, Words("{} is divided by the sums of its rows, not of its columns", (entries,))
    what = "row" if of_rows else "column"
    words = f"{{}} is divided by the sum of all its entries, not by that of each {what}"
    yield scale(power(functions.sum(entries), _INVERSE), entries), Words(words, (entries,))


def _by_none(entries: Expression, of_rows: bool) -> Iterator[Variant]:
    what = "rows" if of_rows else "columns"
    yield entries, Words(f"{{}} is not divided by the sums of its {what}", (entries,))


def assumed_one(case: Case) -> Iterator[Finding]:
    """The answer where a length, a square of one or a sum is 1, which f does not say."""
    if case.is_long:
        return
    scalars = [
        part
        for part in dict.fromkeys(closed_parts_of(case.right))
        if part.is_scalar and _may_be_one(part)
    ]
    for part in scalars[:_MOST_SCALARS]:
        try:
            wrong = substitute(case.right, {part: number(1)})
        except (ValueError, ZeroDivisionError):
            continue
        if case.is_claimed(wrong):
            text = part.mathematics()
            yield Finding(
                f"{text} is taken to be 1: {wrong.mathematics()} is right only there",
                wrong,
                f"keep {text}, or put the condition {text} = 1 into f by a multiplier",
            )


def _may_be_one(part: Expression) -> bool:
    if isinstance(part, N.Norm | N.Total | N.Det | N.Trace):
        return True
    return isinstance(part, N.Product) and part.children[0] == transpose(part.children[-1])


def assumed_unit_rows(case: Case) -> Iterator[Finding]:
    """The answer where the rows or columns of a matrix sum to one, as those of one-hot labels."""
    for part in () if case.is_long else dict.fromkeys(parts_of(case.right)):
        if not isinstance(part, N.Product) or len(part.children) != 2:
            continue
        first, last = part.children
        array = first.argument if isinstance(first, N.Transpose) else first
        if not (isinstance(last, N.Ones) and part.is_column and isinstance(array, N.Symbol)):
            continue
        wrong = substitute(case.right, {part: N.Ones(part.rows, ONE)})
        if case.is_claimed(wrong):
            what = "row" if array is first else "column"
            yield Finding(
                f"each {what} of {array.mathematics()} is taken to sum to 1, as that of one-hot "
                f"labels does: {wrong.mathematics()} is right only there",
                wrong,
                f"keep the sums {part.mathematics()}, or see to it that they are 1",
            )
