"""Products and quotients of arrays, differentiated entry by entry as f′g′ and f′/g′."""

from __future__ import annotations

from collections.abc import Iterator

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, hadamard, power, scale
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.calculus.derive.differentials import differential
from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.differential_mistakes import outside, slope_in

__all__ = ["product_of_derivatives", "quotient_of_derivatives"]


def quotient_of_derivatives(case: Case) -> Iterator[Finding]:
    """f′ ⊘ g′ for the derivative of f ⊘ g, entry by entry, and its like."""
    if not case.f.is_scalar or case.is_long:
        return
    for node in parts_of(case.f):
        if not isinstance(node, N.Hadamard) or node.shape != case.x.shape:
            continue
        below = [child for child in node.children if _is_divisor(child)]
        above = [child for child in node.children if child not in below]
        v = power(hadamard(below), number(-1)) if below else None
        if v is None or not above:
            continue
        u, x = hadamard(above), frozenset([case.x])
        found = [slope_in(differential(part, x), case.dX) for part in (u, v)]
        slopes = [s if s is None or s.is_array else scale(s, _ones_like(node)) for s in found]
        du, dv = slopes
        if du is None or dv is None:
            continue
        once, square = power(v, number(-1)), power(v, number(-2))
        first, second = hadamard([du, v]), hadamard([u, dv])
        for wrong, words in (
            (
                hadamard([du, power(dv, number(-1))]),
                "the quotient of the derivatives stands for it",
            ),
            (hadamard([add([first, second]), square]), "its two terms are added, not subtracted"),
            (
                hadamard([add([first, scale(-1, second)]), once]),
                "it is divided by g, not by g²",
            ),
        ):
            derivative = _with_slope(case, node, wrong)
            if derivative is not None:
                f, g = u.mathematics(), v.mathematics()
                yield Finding(
                    f"in the derivative of the quotient {node.mathematics()}, {words}",
                    derivative,
                    f"use the quotient rule, (f′g − fg′)/g² with f = {f} and g = {g}",
                )


def _with_slope(case: Case, node: Expression, slope: Expression) -> Expression | None:
    """The derivative of f with this slope of each entry of a part, where it is the one claimed."""
    right = differential(node, frozenset([case.x]))
    wrong = hadamard([slope, case.dX])
    removed, added = (outside(case.f, case.x, node, change) for change in (right, wrong))
    return case.identified_change(removed, added)


def _is_divisor(part: Expression) -> bool:
    negative = isinstance(part, N.Power) and isinstance(part.exponent, N.Number)
    return negative and part.exponent.value < 0  # type: ignore[attr-defined]


def _ones_like(part: Expression) -> Expression:
    """1 in each entry."""
    return N.Ones(part.rows, part.cols)


def product_of_derivatives(case: Case) -> Iterator[Finding]:
    """f′ ∘ g′ for the derivative of f ∘ g, entry by entry."""
    if not case.f.is_scalar:
        return
    for node in parts_of(case.f):
        if not isinstance(node, N.Hadamard) or node.shape != case.x.shape:
            continue
        varying = [child for child in node.children if case.x in child.used]
        found = [slope_in(differential(child, frozenset([case.x])), case.dX) for child in varying]
        slopes = [slope for slope in found if slope is not None]
        if len(slopes) < 2 or len(slopes) < len(varying):
            continue
        rest = [child for child in node.children if child not in varying]
        slope = hadamard([*rest, *slopes])
        if slope.is_scalar:
            slope = scale(slope, N.Ones(node.rows, node.cols))
        derivative = _with_slope(case, node, slope)
        if derivative is not None:
            text, dx = node.mathematics(), case.x.mathematics()
            yield Finding(
                f"the product of the derivatives stands for the derivative of the product {text}",
                derivative,
                f"use the product rule for {text}: each factor is differentiated by {dx} in a term "
                "of its own",
            )
