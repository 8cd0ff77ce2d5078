"""Products and quotients differentiated as f′g′ and f′/g′, of numbers and entry by entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, hadamard, parts, power, scale
from mcmodels.calculus.core.arithmetic.entrywise import base_and_exponent
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import parts_of
from mcmodels.calculus.derive.rules import DerivativeError
from mcmodels.calculus.study.doctor.case import Case, Finding
from mcmodels.calculus.study.doctor.differential_mistakes import slope_in
from mcmodels.calculus.study.doctor.slopes import with_slope

__all__ = ["product_of_derivatives", "quotient_of_derivatives"]


def product_of_derivatives(case: Case) -> Iterator[Finding]:
    """f′g′ for the derivative of fg."""
    for node, rest, varying in _products_in(case):
        slopes = _slopes(case, node, varying)
        if slopes is None:
            continue
        found = with_slope(case, node, _times(*rest, *slopes))
        if found is not None:
            text, x = node.mathematics(), case.x.mathematics()
            yield Finding(
                f"the product of the derivatives stands for the derivative of the product {text}",
                found,
                f"use the product rule for {text}: each factor is differentiated by {x} in a term "
                "of its own",
            )


def quotient_of_derivatives(case: Case) -> Iterator[Finding]:
    """f′/g′ for the derivative of f/g, and the quotient rule with a wrong sign or divisor."""
    for node, rest, varying in _products_in(case):
        above, below = [], []
        for factor in varying:
            base, exponent = base_and_exponent(factor)
            if isinstance(exponent, N.Number) and exponent.value < 0:
                below.append(power(base, number(-exponent.value)))
            else:
                above.append(factor)
        if not above or not below:
            continue
        u, v = _times(*rest, *above), _times(*below)
        slopes = _slopes(case, node, [u, v])
        if slopes is None:
            continue
        for wrong, words in _wrong_quotients(u, v, *slopes):
            found = with_slope(case, node, wrong)
            if found is not None:
                f, g = u.mathematics(), v.mathematics()
                yield Finding(
                    f"in the derivative of the quotient {node.mathematics()}, {words}",
                    found,
                    f"use the quotient rule, (f′g − fg′)/g² with f = {f} and g = {g}",
                )


def _wrong_quotients(
    u: Expression, v: Expression, du: Expression, dv: Expression
) -> Iterator[tuple[Expression, str]]:
    """Wrong slopes of u/v, each with what was done."""
    once, square = power(v, number(-1)), power(v, number(-2))
    first, second = _times(du, v), _times(u, dv)
    difference = add([first, scale(-1, second)])
    yield _times(du, power(dv, number(-1))), "the quotient of the derivatives stands for it"
    yield _times(square, add([first, second])), "its two terms are added, not subtracted"
    yield _times(once, difference), "it is divided by g, not by g²"
    yield _times(du, once), "the denominator is taken for a constant"
    yield scale(-1, _times(second, square)), "the numerator is taken for a constant"


def _products_in(
    case: Case,
) -> Iterator[tuple[Expression, list[Expression], list[Expression]]]:
    """The products in f: each with the factors of it that do not vary, and those that do.

    They are products of numbers, and of arrays of the shape of x entry by entry.
    """
    if not case.f.is_scalar or (case.is_long and case.x.is_array):
        return
    for node in parts_of(case.f):
        if not isinstance(node, N.Scaled | N.Hadamard):
            continue
        if node.is_scalar:
            coefficient, scalars, _ = parts(node)
            factors = [number(coefficient), *scalars]
        elif isinstance(node, N.Hadamard) and node.shape == case.x.shape:
            factors = list(node.children)
        else:
            continue
        varying = [factor for factor in factors if case.x in factor.used]
        if len(varying) > 1:
            yield node, [factor for factor in factors if factor not in varying], varying


def _times(*factors: Expression) -> Expression:
    """The product of numbers and of arrays of one shape, entry by entry."""
    arrays = [factor for factor in factors if factor.is_array]
    scalars = [factor for factor in factors if not factor.is_array]
    return scale(*scalars, *([hadamard(arrays)] if arrays else []))


def _slopes(case: Case, node: Expression, factors: Sequence[Expression]) -> list[Expression] | None:
    """The gradients of factors, or their slopes entry by entry; None where one has none."""
    if node.is_scalar:
        try:
            return [case.gradient(factor) for factor in factors]
        except DerivativeError:
            return None
    slopes = []
    for factor in factors:
        slope = slope_in(case.d(factor), case.dX)
        if slope is None:
            return None
        slopes.append(slope if slope.is_array else scale(slope, N.Ones(node.rows, node.cols)))
    return slopes
