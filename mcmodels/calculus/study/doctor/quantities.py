"""Of what factors are made: sizes, scalar symbols, scalar parts of a derivative, constants."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import islice

from mcmodels.calculus.core import arithmetic, functions
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import parts, scale
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.named_numbers import pi
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import closed_parts_of, parts_of
from mcmodels.calculus.study.doctor.factors import LARGEST_DENOMINATOR, Quantity
from mcmodels.calculus.study.doctor.samples import Sample
from mcmodels.calculus.study.doctor.terms import written_size

__all__ = ["quantities_of"]

_MOST = 12
_MOST_NUMBERS = 4
_LONGEST = 200  # parts of a text that a factor is named by
_HALF = number(1) / 2
_ROOT_OF_PI = arithmetic.power(pi, _HALF)
_ROOT_OF_2 = arithmetic.power(number(2), _HALF)
_CONSTANTS = (_ROOT_OF_PI, _ROOT_OF_2, pi)  # of densities


def quantities_of(f: Expression, right: Expression, samples: Sequence[Sample]) -> list[Quantity]:
    """The quantities of an expression and its right derivative, with their values at points."""
    sizes = sorted(f.size_names | right.size_names)
    found: list[Expression] = [N.SizeValue(name) for name in sizes]
    found += [symbol for symbol in f.symbols if symbol.is_scalar]
    # The derivative itself, where it is a scalar, would explain every claim.
    factors = parts(right)[1]
    explaining = [right, *(factors if len(factors) == 1 and right.is_scalar else ())]
    for part in [*closed_parts_of(right), *closed_parts_of(f)]:
        base = part.base if isinstance(part, N.Power) else part
        plain = not isinstance(base, N.Number | N.SizeValue | N.Scaled | N.Symbol)
        if (
            base.is_scalar
            and plain
            and base not in (*found, *explaining)
            and written_size(base) <= _LONGEST
        ):
            found.append(base)
        if base.is_scalar and isinstance(part, N.Power) and _is_of_a_root(part):
            found.append(arithmetic.power(base, _HALF))
        if isinstance(part, N.LogDet):
            found.append(functions.det(part.argument))
    found = list(dict.fromkeys(found))[:_MOST]
    constants = [c for c in (*_CONSTANTS, *_numbers_of(f)) if c not in found]
    return [
        Quantity(_as_factor(part), tuple(s.number(part) for s in samples), part)
        for part in [*found, *constants]
    ]


def _numbers_of(f: Expression) -> list[Expression]:
    """Numbers of f that are no ratios of small whole numbers, as 37/60; of many, the first."""
    numbers = (abs(part.coefficient) for part in parts_of(f) if isinstance(part, N.Scaled))
    odd = (
        value
        for value in numbers
        if isinstance(value, Fraction)
        and min(value.numerator, value.denominator) > 1
        and max(value.numerator, value.denominator) > LARGEST_DENOMINATOR
    )
    return [number(value) for value in islice(dict.fromkeys(odd), _MOST_NUMBERS)]


def _as_factor(part: Expression) -> str:
    text = part.mathematics()
    return f"({text})" if isinstance(part, N.Sum) else text


def _is_of_a_root(part: N.Power) -> bool:
    return part.exponent in (_HALF, scale(-1, _HALF))
