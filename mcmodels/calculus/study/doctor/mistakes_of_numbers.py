"""Mistakes with products, quotients and functions of numbers, as in a first course.

Of products and quotients the variable may be an array: the gradients are then multiplied and
divided entry by entry.
"""

from __future__ import annotations

from collections.abc import Iterator

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, hadamard, matmul, parts, power, scale, transpose
from mcmodels.calculus.core.arithmetic.entrywise import base_and_exponent
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.functions import trace
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import parts_of, rebuilt
from mcmodels.calculus.derive.differentials import differential
from mcmodels.calculus.derive.gradients import gradient
from mcmodels.calculus.derive.rules import DerivativeError
from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.differential_mistakes import outside, slope_of

__all__ = ["derivative_in_argument", "products_of_numbers", "quotients_of_numbers"]


def _is_of_numbers(case: Case) -> bool:
    return case.x.is_scalar and case.f.is_scalar


def _factored(case: Case) -> Iterator[tuple[Expression, Expression, list[Expression]]]:
    """The products in f: each with what does not vary in it, and the factors that do."""
    if not case.f.is_scalar or case.is_long:
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
    right = differential(node, frozenset([case.x]))
    wrong = trace(matmul([transpose(slope), case.dX]))
    removed, added = (outside(case.f, case.x, node, change) for change in (right, wrong))
    return case.identified_change(removed, added)


def _times(*factors: Expression) -> Expression:
    """The product of numbers and of arrays of one shape, entry by entry."""
    arrays = [factor for factor in factors if factor.is_array]
    scalars = [factor for factor in factors if not factor.is_array]
    return scale(*scalars, *([hadamard(arrays)] if arrays else []))


def _slopes(case: Case, factors: list[Expression]) -> list[Expression] | None:
    """The gradients of factors; None where one has none."""
    try:
        return [gradient(factor, case.x) for factor in factors]
    except DerivativeError:
        return None


def products_of_numbers(case: Case) -> Iterator[Finding]:
    """f′g′ for the derivative of fg."""
    for node, rest, varying in _factored(case):
        slopes = _slopes(case, varying)
        if slopes is None:
            continue
        found = _derivative_with(case, node, _times(rest, *slopes))
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
        slopes = _slopes(case, [u, v])
        if slopes is None:
            continue
        du, dv = slopes
        once, square = power(v, number(-1)), power(v, number(-2))
        first, second = _times(du, v), _times(u, dv)
        wrongs = (
            (_times(du, power(dv, number(-1))), "the quotient of the derivatives stands for it"),
            (_times(square, add([first, second])), "its two terms are added, not subtracted"),
            (_times(once, add([first, scale(-1, second)])), "it is divided by g, not by g²"),
            (_times(du, once), "the denominator is taken for a constant"),
            (scale(-1, _times(second, square)), "the numerator is taken for a constant"),
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


def _at_the_derivative(case: Case) -> Iterator[Finding]:
    """f(g′(x)), as 1/g′ for the derivative of 1/g."""
    for node in parts_of(case.f):
        if not isinstance(node, N.Elementwise | N.Power) or not node.is_scalar:
            continue
        inner = node.base if isinstance(node, N.Power) else node.argument
        if case.x not in inner.used or inner == case.x:
            continue
        slope, of_node = gradient(inner, case.x), gradient(node, case.x)
        wrong = rebuilt(node, [slope, *node.children[1:]])
        found = _derivative_with(case, node, wrong)
        if found is not None:
            text, x = node.mathematics(), case.x.mathematics()
            yield Finding(
                f"{wrong.mathematics()} stands for the derivative of {text}: the inner function "
                f"{inner.mathematics()} alone is differentiated",
                found,
                f"the derivative of {text} by {x} is {of_node.mathematics()}: write "
                f"{of_node.mathematics()} in place of {wrong.mathematics()}",
            )


def derivative_in_argument(case: Case) -> Iterator[Finding]:
    """f′(g′(x)), or f(g′(x)), for the derivative of f(g(x))."""
    if not _is_of_numbers(case):
        return
    yield from _at_the_derivative(case)
    for node in parts_of(case.f):
        if not isinstance(node, N.Elementwise) or not node.is_scalar:
            continue
        if case.x not in node.argument.used:
            continue
        inner = gradient(node.argument, case.x)
        slope = slope_of(elementwise(node.name, inner))
        if slope is None:
            continue
        found = _derivative_with(case, node, slope)
        multiplied = found is None
        if multiplied:
            found = _derivative_with(case, node, scale(slope, inner))
        if found is not None:
            yield Finding(
                f"the outer derivative is taken at {inner.mathematics()}, the derivative of "
                f"{node.argument.mathematics()}",
                found,
                f"take the outer derivative at {node.argument.mathematics()}"
                + ("" if multiplied else f", and multiply by {inner.mathematics()}"),
            )
