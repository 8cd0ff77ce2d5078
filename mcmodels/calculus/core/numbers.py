"""Numbers in expressions: ratios of whole numbers stay exact."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from numbers import Rational, Real

from mcmodels.calculus.core.nodes import Number

__all__ = [
    "LARGEST",
    "Value",
    "as_value",
    "decimal",
    "is_in_range",
    "magnitude",
    "number",
    "product_and_power_of_ten",
    "raised",
]

Value = Fraction | float

_MOST_DIGITS = 12  # a decimal with no more characters is read as an exact ratio
LARGEST = 1e300  # leaves room below the largest float, 1.8e308, for sums and multiples
_SMALLEST = 1e-300
_BITS_OF_LARGEST = 996
_SMALL_BITS = 64
_MOST_BITS = 1024  # of an exact power; larger powers stay symbolic


def as_value(value: object) -> Value:
    """A finite real number as a ratio where it is one, or is written as a short decimal.

    0.1 becomes 1/10, which is 0.1 again when it is evaluated.

    Raises
    ------
    ValueError
        If it is not finite.
    """
    if isinstance(value, int | Fraction) and _is_small(value):
        return value if isinstance(value, Fraction) else Fraction(int(value))
    if isinstance(value, Rational):
        exact = Fraction(int(value.numerator), int(value.denominator))
        if abs(exact) > LARGEST:
            raise ValueError(f"a number in an expression is at most {LARGEST:g} in size")
        return exact
    assert isinstance(value, Real)
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"a number in an expression must be finite; found {value}")
    text = repr(value)
    if _is_short(text):
        return Fraction(text)
    return Fraction(int(value)) if value.is_integer() and abs(value) < 2**53 else value


def decimal(value: Value) -> str | None:
    """A ratio as a short decimal, which `as_value` takes for the same ratio, where it is one."""
    if isinstance(value, float):
        return None
    text = repr(float(value))
    return text if _is_short(text) and Fraction(text) == value else None


def is_in_range(value: Value) -> bool:
    """Whether a number that is not 0 is far from what float64 takes for 0 or infinity."""
    if isinstance(value, float):
        return _SMALLEST <= abs(value) <= LARGEST
    top = value.numerator
    bits = top.bit_length() - value.denominator.bit_length()
    return top != 0 and -_BITS_OF_LARGEST <= bits <= _BITS_OF_LARGEST


def product_and_power_of_ten(values: Iterable[Value]) -> tuple[Value, int]:
    """M and k with m·10ᵏ the product of numbers other than 0; k is 0 where m is in range."""
    # A float is taken as it is written: 1e-300 · 1e300 is 1.
    exact = math.prod(Fraction(repr(v)) if isinstance(v, float) else v for v in values)
    if is_in_range(exact):
        return as_value(float(exact)), 0
    k = len(str(abs(exact.numerator))) - len(str(exact.denominator))
    m = float(exact / Fraction(10) ** k)
    for size, change in ((10.0, 1), (1.0, -1)):
        if (abs(m) >= size) == (change > 0):
            m, k = m / 10.0**change, k + change
    return as_value(m), k


def magnitude(value: Value) -> Value:
    """The number without its sign."""
    return value if value >= 0 else -value


def _is_small(value: int | Fraction) -> bool:
    """Whether it is far below `LARGEST`, which takes less time to see than to compare exactly."""
    return value.numerator.bit_length() < _SMALL_BITS


def _is_short(text: str) -> bool:
    return "e" not in text and len(text) <= _MOST_DIGITS


def number(value: object) -> Number:
    """A number as an expression."""
    return Number(as_value(value))


def raised(base: Value, exponent: Value) -> Value | None:
    """Base ** exponent where it is real, and exact or computed from floats; else None.

    Raises
    ------
    ValueError
        If zero is raised to a negative power.
    """
    if base == 0 and exponent < 0:
        raise ValueError("zero cannot be raised to a negative power (a division by zero)")
    if base == 1 or exponent == 0:
        return Fraction(1)
    if isinstance(exponent, Fraction) and exponent.denominator == 1:
        power = exponent.numerator
        if isinstance(base, Fraction):
            bits = max(base.numerator.bit_length(), base.denominator.bit_length())
            return base**power if bits * abs(power) <= _MOST_BITS else None
        try:
            result = base**power
        except OverflowError:
            return None
        return result if result and math.isfinite(result) else None
    if exponent == Fraction(1, 2) and isinstance(base, Fraction) and base >= 0:
        root = Fraction(math.isqrt(base.numerator), math.isqrt(base.denominator))
        return root if root * root == base else None
    return None
