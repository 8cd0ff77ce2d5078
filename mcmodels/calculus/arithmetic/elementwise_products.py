"""Elementwise products and powers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mcmodels.calculus.arithmetic import constants, sums, transposes
from mcmodels.calculus.expression import Expression
from mcmodels.calculus.nodes import Hadamard, Number, Ones, Power, Scaled, Transpose, Zeros
from mcmodels.calculus.numbers import Value, raised
from mcmodels.calculus.sizes import ShapeError

__all__ = ["hadamard", "power"]


def hadamard(factors: Sequence[Expression]) -> Expression:
    """The elementwise product of one or more arrays of equal shape."""
    first = factors[0]
    if first.is_scalar:
        return sums.scale(*factors)
    coefficients: list[Expression | Value] = []
    bases: dict[bytes, tuple[Expression, Expression]] = {}
    waiting = list(reversed(factors))
    while waiting:
        factor = waiting.pop()
        constants.require_same_shape("an elementwise product", first, factor)
        number, scalars, array = sums.parts(factor)
        coefficients += [number, *scalars]
        assert array is not None
        if isinstance(array, Zeros):
            return array
        if isinstance(array, Transpose) and isinstance(array.argument, Hadamard):
            waiting.extend(
                transposes.transpose(inner) for inner in reversed(array.argument.children)
            )
            continue
        if isinstance(array, Hadamard):
            waiting.extend(reversed(array.children))
            continue
        if isinstance(array, Ones):
            continue
        base, exponent = _elementwise_base(array)
        if base.key in bases:
            exponent = sums.add([bases[base.key][1], exponent])
        bases[base.key] = (base, exponent)
    raised_bases = [power(base, exponent) for base, exponent in bases.values()]
    arrays = []
    for factor in raised_bases:
        number, scalars, array = sums.parts(factor)
        coefficients += [number, *scalars]
        assert array is not None
        if not isinstance(array, Ones):
            arrays.append(array)
    if not arrays:
        return sums.scale(*coefficients, Ones(first.rows, first.cols))
    if len(arrays) == 1:
        return sums.scale(*coefficients, arrays[0])
    if all(isinstance(factor, Transpose) for factor in arrays):
        inner = Hadamard([factor.children[0] for factor in arrays])
        return sums.scale(*coefficients, Transpose(inner))
    return sums.scale(*coefficients, Hadamard(arrays))


def _elementwise_base(array: Expression) -> tuple[Expression, Expression]:
    """Base and exponent of an elementwise power, seen through a transpose."""
    if isinstance(array, Transpose) and isinstance(array.argument, Power):
        return transposes.transpose(array.argument.base), array.argument.exponent
    return sums.base_and_exponent(array)


def power(base: Expression, exponent: Expression) -> Expression:
    """The elementwise power ``base ** exponent`` with a scalar exponent."""
    if not exponent.is_scalar:
        raise ShapeError(
            f"an exponent must be a scalar; found {constants.shape_text(exponent)} ({exponent}). "
            "Write exp(y * log(x)) for an elementwise exponent"
        )
    value = exponent.value if isinstance(exponent, Number) else None
    if value == 1:
        return base
    if value == 0:
        return constants.ones(base.rows, base.cols)
    if value is not None and value < 0 and constants.is_zero(base):
        raise ValueError("zero cannot be raised to a negative power (a division by zero)")
    if isinstance(base, Ones) or (isinstance(base, Number) and base.value == 1):
        return base
    if isinstance(base, Number) and value is not None:
        result = raised(base.value, value)
        return Power(base, exponent) if result is None else Number(result)
    whole = isinstance(value, Fraction) and value.denominator == 1
    if isinstance(base, Zeros) and value is not None and value > 0:
        return base
    if isinstance(base, Scaled) and whole:
        return sums.scale(
            power(Number(base.coefficient), exponent),
            *(power(scalar, exponent) for scalar in base.scalars),
            *([] if base.array is None else [power(base.array, exponent)]),
        )
    if isinstance(base, Hadamard) and whole:
        return hadamard([power(factor, exponent) for factor in base.children])
    if isinstance(base, Power) and whole:
        return power(base.base, sums.scale(base.exponent, exponent))
    if isinstance(base, Transpose):
        return transposes.transpose(power(base.argument, exponent))
    return Power(base, exponent)
