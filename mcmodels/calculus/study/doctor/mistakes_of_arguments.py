"""Outer derivatives of numbers taken at the derivative of the inner function, as in f′(g′(x))."""

from __future__ import annotations

from collections.abc import Iterator

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import scale
from mcmodels.calculus.core.elementwise import elementwise
from mcmodels.calculus.core.rewriting import parts_of, rebuilt
from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.differential_mistakes import slope_of
from mcmodels.calculus.study.doctor.slopes import with_slope

__all__ = ["derivative_in_argument"]


def _at_the_derivative(case: Case) -> Iterator[Finding]:
    """f(g′(x)), as 1/g′ for the derivative of 1/g."""
    for node in parts_of(case.f):
        if not isinstance(node, N.Elementwise | N.Power) or not node.is_scalar:
            continue
        inner = node.base if isinstance(node, N.Power) else node.argument
        if case.x not in inner.used or inner == case.x:
            continue
        wrong = rebuilt(node, [case.gradient(inner), *node.children[1:]])
        found = with_slope(case, node, wrong)
        if found is not None:
            of_node = case.gradient(node)
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
    if not (case.x.is_scalar and case.f.is_scalar):
        return
    yield from _at_the_derivative(case)
    for node in parts_of(case.f):
        if not isinstance(node, N.Elementwise) or not node.is_scalar:
            continue
        if case.x not in node.argument.used:
            continue
        inner = case.gradient(node.argument)
        slope = slope_of(elementwise(node.name, inner))
        if slope is None:
            continue
        found = with_slope(case, node, slope)
        multiplied = found is None
        if multiplied:
            found = with_slope(case, node, scale(slope, inner))
        if found is not None:
            yield Finding(
                f"the outer derivative is taken at {inner.mathematics()}, the derivative of "
                f"{node.argument.mathematics()}",
                found,
                f"take the outer derivative at {node.argument.mathematics()}"
                + ("" if multiplied else f", and multiply by {inner.mathematics()}"),
            )
