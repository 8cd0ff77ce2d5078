"""Mistakes with products, quotients and functions of one number, as in a first course."""

from __future__ import annotations

from collections.abc import Iterator

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, parts, power, scale
from mcmodels.calculus.core.arithmetic.entrywise import base_and_exponent
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.calculus.derive.gradients import gradient
from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.differential_mistakes import outside, slope_of

__all__ = ["derivative_in_argument", "products_of_numbers", "quotients_of_numbers"]


def _is_of_numbers(case: Case) -> bool:
    return case.x.is_scalar and case.f.is_scalar


def _factored(case: Case) -> Iterator[tuple[Expression, Expression, list[Expression]]]:
    """The products in f: each with what does not vary in it, and the factors that do."""
    if not _is_of_numbers(case):
        return
    for node in parts_of(case.f):
        if not isinstance(node, N.Scaled | N.Hadamard) or not node.is_scalar:
            continue
        coefficient, scalars, _ = parts(node)
        varying = [factor for factor in scalars if case.x in factor.used]
        rest = [factor for factor in scalars if case.x not in factor.used]
        if len(varying) > 1:
            yield node, scale(coefficient, *rest), varying


def _derivative_with(case: Case, node: Expression, slope: Expression) -> Expression | None:
    """The derivative of f with this slope of a part, where it is the one claimed."""
    return case.identified(outside(case.f, case.x, node, scale(slope, case.dX)))


def products_of_numbers(case: Case) -> Iterator[Finding]:
    """f′g′ for the derivative of fg."""
    for node, rest, varying in _factored(case):
        slopes = [gradient(factor, case.x) for factor in varying]
        found = _derivative_with(case, node, scale(rest, *slopes))
        if found is not None:
            text, x = node.mathematics(), case.x.mathematics()
            yield Finding(
                f"the product of the derivatives stands for the derivative of the product {text}",
                found,
                f"use the product rule for {text}: each factor is differentiated by {x} in a term "
                "of its own",
            )


def quotients_of_numbers(case: Case) -> Iterator[Finding]:
    """f′/g′ for the derivative of f/g, and the quotient rule with a wrong sign or divisor."""
    for node, rest, varying in _factored(case):
        above, below = [], []
        for factor in varying:
            base, exponent = base_and_exponent(factor)
            negative = isinstance(exponent, N.Number) and exponent.value < 0
            if negative:
                below.append(power(base, number(-exponent.value)))  # type: ignore[attr-defined]
            else:
                above.append(factor)
        if not above or not below:
            continue
        u, v = scale(rest, *above), scale(1, *below)
        du, dv = gradient(u, case.x), gradient(v, case.x)
        once, square = power(v, number(-1)), power(v, number(-2))
        first, second = scale(1, du, v), scale(1, u, dv)
        wrongs = (
            (scale(1, du, power(dv, number(-1))), "the quotient of the derivatives stands for it"),
            (scale(1, add([first, second]), square), "its two terms are added, not subtracted"),
            (scale(1, add([first, scale(-1, second)]), once), "it is divided by g, not by g²"),
            (scale(1, du, once), "the denominator is taken for a constant"),
            (scale(-1, second, square), "the numerator is taken for a constant"),
        )
        for wrong, words in wrongs:
            found = _derivative_with(case, node, wrong)
            if found is not None:
                f, g = u.mathematics(), v.mathematics()
                yield Finding(
                    f"in the derivative of the quotient {node.mathematics()}, {words}",
                    found,
                    f"use the quotient rule, (f′g − fg′)/g² with f = {f} and g = {g}",
                )


def derivative_in_argument(case: Case) -> Iterator[Finding]:
    """f′(g′(x)) for the derivative of f(g(x))."""
    if not _is_of_numbers(case):
        return
    for node in parts_of(case.f):
        if not isinstance(node, N.Elementwise) or not node.is_scalar:
            continue
        if case.x not in node.argument.used:
            continue
        inner = gradient(node.argument, case.x)
        slope = slope_of(elementwise(node.name, inner))
        found = None if slope is None else _derivative_with(case, node, slope)
        if found is not None:
            yield Finding(
                f"the outer derivative is taken at {inner.mathematics()}, the derivative of "
                f"{node.argument.mathematics()}",
                found,
                f"take the outer derivative at {node.argument.mathematics()}, and multiply by "
                f"{inner.mathematics()}",
            )
