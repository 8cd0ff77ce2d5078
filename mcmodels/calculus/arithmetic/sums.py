"""Sums and scalar multiples: flat, numbers first, like terms added."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from mcmodels.calculus.arithmetic import constants, elementwise_products, transposes
from mcmodels.calculus.expression import Expression
from mcmodels.calculus.nodes import Number, Power, Scaled, Sum, Transpose, Zeros
from mcmodels.calculus.numbers import Value, as_value

__all__ = ["add", "assemble", "base_and_exponent", "parts", "scale"]


def parts(expression: Expression) -> tuple[Value, tuple[Expression, ...], Expression | None]:
    """An expression as number, scalar factors and array (None where it is a scalar)."""
    if isinstance(expression, Number):
        return expression.value, (), None
    if isinstance(expression, Scaled):
        return expression.coefficient, expression.scalars, expression.array
    if expression.is_scalar:
        return Fraction(1), (expression,), None
    return Fraction(1), (), expression


def assemble(number: Value, scalars: Sequence[Expression], array: Expression | None) -> Expression:
    """The expression of which these are the `parts`."""
    return scale(number, *scalars, *([] if array is None else [array]))


def scale(*factors: Expression | Value | int) -> Expression:
    """The product of numbers, scalars and at most one array."""
    coefficient: Value = Fraction(1)
    scalars: dict[bytes, tuple[Expression, Expression]] = {}
    array: Expression | None = None
    waiting = list(reversed(factors))
    while waiting:
        factor = waiting.pop()
        if not isinstance(factor, Expression):
            coefficient *= as_value(factor)
            continue
        number, inner, body = parts(factor)
        coefficient *= number
        if body is not None:
            assert array is None, "at most one array"
            array = body
        for scalar in inner:
            base, exponent = base_and_exponent(scalar)
            if base.key in scalars:
                exponent = add([scalars[base.key][1], exponent])
            scalars[base.key] = (base, exponent)
    merged: list[Expression] = []
    for base, exponent in scalars.values():
        raised_base = elementwise_products.power(base, exponent)
        number, inner, _ = parts(raised_base)
        coefficient *= number
        merged.extend(inner)
    if coefficient == 0:
        return Number(Fraction(0)) if array is None else constants.zeros_like(array)
    if isinstance(array, Zeros):
        return array
    if isinstance(array, Sum) and coefficient == -1 and not merged:
        return Sum([scale(-1, term) for term in array.children])
    return _scaled(coefficient, tuple(merged), array)


def _scaled(
    coefficient: Value, scalars: tuple[Expression, ...], array: Expression | None
) -> Expression:
    if isinstance(coefficient, float):
        coefficient = as_value(coefficient)
    if array is None:
        if not scalars:
            return Number(coefficient)
        if coefficient == 1 and len(scalars) == 1:
            return scalars[0]
        if coefficient == -1 and len(scalars) == 1 and isinstance(scalars[0], Sum):
            return Sum([scale(-1, term) for term in scalars[0].children])
    elif coefficient == 1 and not scalars:
        return array
    return Scaled(coefficient, scalars, array)


def base_and_exponent(expression: Expression) -> tuple[Expression, Expression]:
    """Any expression as an elementwise power."""
    if isinstance(expression, Power):
        return expression.base, expression.exponent
    return expression, Number(Fraction(1))


def add(terms: Iterable[Expression]) -> Expression:
    """The sum of one or more terms of equal shape; like terms are added."""
    collected: dict[tuple[bytes, ...], tuple[Value, tuple[Expression, ...], Expression | None]] = {}
    shape: Expression | None = None
    waiting = list(terms)[::-1]
    while waiting:
        term = waiting.pop()
        if shape is None:
            shape = term
        constants.require_same_shape("a sum", shape, term)
        if isinstance(term, Sum):
            waiting.extend(reversed(term.children))
            continue
        if isinstance(term, Transpose) and isinstance(term.argument, Sum):
            waiting.extend(
                transposes.transpose(inner) for inner in reversed(term.argument.children)
            )
            continue
        number, scalars, array = parts(term)
        if isinstance(array, Zeros):
            continue
        body = array if array is not None else scalars[0] if len(scalars) == 1 else None
        if isinstance(body, Sum) and len(scalars) == (array is None):
            waiting.extend(scale(number, inner) for inner in reversed(body.children))
            continue
        keys = sorted(scalar.key for scalar in scalars)
        name = (b"" if array is None else array.key, *keys)
        if name in collected:
            number += collected[name][0]
        collected[name] = (number, scalars, array)
    assert shape is not None, "a sum has terms"
    result = [_scaled(*term) for term in collected.values() if term[0] != 0]
    if not result:
        return constants.zeros_like(shape)
    return result[0] if len(result) == 1 else Sum(result)
