"""Sums of exponentials over an index, computed about their largest term.

The logarithm of Σⱼ wⱼ exp(zⱼ) is a node of its own, and a quotient by such a sum is moved into the
sums beside it: (Σⱼ exp(zⱼ) xⱼ)/(Σⱼ exp(zⱼ)) is Σⱼ exp(zⱼ − L) xⱼ with L = log(Σⱼ exp(zⱼ)).
"""

from __future__ import annotations

from collections.abc import Callable

from mcmodels.calculus.core.arithmetic import add, assemble, parts, scale
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import LogSumOver, SumOver, WeightedExponential
from mcmodels.calculus.core.nodes import Elementwise, Sum
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.summation import moved_inside

__all__ = ["log_of_sum", "quotient_in_sums"]

Exponent = Callable[[Expression], Expression | None]


def log_of_sum(e: SumOver, exponent: Exponent) -> Expression | None:
    """The logarithm of a sum of exponentials; None of other sums."""
    if not e.is_scalar:
        return None
    z = exponent(e.body)
    weight: Expression = number(1)
    if z is None:
        coefficient, scalars, _ = parts(e.body)
        found = [exponent(factor) for factor in scalars]
        exponents = [z for z in found if z is not None]
        if not exponents:
            return None
        rest = [factor for factor, z in zip(scalars, found, strict=True) if z is None]
        z, weight = add(exponents), assemble(coefficient, rest, None)
    return LogSumOver(WeightedExponential(weight, z), e.condition, e.name, e.over)


def quotient_in_sums(e: Expression, quotients: set[bytes]) -> Expression | None:
    """exp(−kL) · Σⱼ exp(zⱼ)xⱼ as Σⱼ exp(zⱼ − kL)xⱼ, with sums of terms opened for it."""
    coefficient, scalars, array = parts(e)
    units: list[Expression] = []
    for factor in scalars:
        if factor.key in quotients:
            units += _units(factor)
    if not units:
        return None
    rest = [factor for factor in scalars if factor.key not in quotients]
    if isinstance(array, Sum) and any(_holds_sum(term) for term in array.children):
        terms = []
        for term in array.children:
            whole = scale(coefficient, *scalars, term)
            found = quotient_in_sums(whole, quotients)
            terms.append(whole if found is None else found)
        return add(terms)
    body = assemble(coefficient, rest, array)
    return moved_inside(body, units, _is_exponential, _joined)


def _units(factor: Expression) -> list[Expression]:
    """exp(−2L) as two factors exp(−L)."""
    assert isinstance(factor, Elementwise)
    coefficient, scalars, array = parts(factor.argument)
    if array is None and coefficient < -1 and coefficient == int(coefficient):
        unit = elementwise("exp", assemble(-1, scalars, None))
        return [unit] * int(-coefficient)
    return [factor]


def _holds_sum(e: Expression) -> bool:
    if isinstance(e, SumOver):
        return _is_exponential(e.body)
    return any(map(_holds_sum, e.children))


def _is_exponential(body: Expression) -> bool:
    """Whether the terms of a sum have an exponential as a factor."""
    if isinstance(body, Sum):
        return any(map(_is_exponential, body.children))
    _, scalars, array = parts(body)
    if any(isinstance(factor, Elementwise) and factor.name == "exp" for factor in scalars):
        return True
    return array is not None and any(
        isinstance(part, SumOver) and _is_exponential(part.body)
        for part in (array, *array.children)
    )


def _joined(unit: Expression, body: Expression) -> Expression:
    """The product of exp(−L) with a body, in one exponential."""
    assert isinstance(unit, Elementwise)
    if isinstance(body, Sum):
        return add([_joined(unit, term) for term in body.children])
    coefficient, scalars, array = parts(body)
    for place, factor in enumerate(scalars):
        if isinstance(factor, Elementwise) and factor.name == "exp":
            whole = elementwise("exp", add([factor.argument, unit.argument]))
            rest = [*scalars[:place], whole, *scalars[place + 1 :]]
            return assemble(coefficient, rest, array)
    inner = None
    if array is not None:
        inner = moved_inside(body, [unit], _is_exponential, _joined)
    return scale(unit, body) if inner is None else inner
