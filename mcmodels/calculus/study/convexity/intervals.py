"""Intervals with exact ends, and those in which the values of functions lie."""

from __future__ import annotations

import math
from fractions import Fraction

__all__ = [
    "AT_LEAST_0",
    "BETWEEN_1",
    "FROM_0_TO_1",
    "INF",
    "NEVER_AT_BOUNDS",
    "OF_FUNCTION",
    "ONE",
    "PASSES",
    "REAL",
    "ZERO",
    "Bound",
    "Range",
    "end_of_product",
    "join",
    "meet",
    "of_sums",
]

Bound = Fraction | float
Range = tuple[Bound, Bound]

INF = math.inf
REAL: Range = (-INF, INF)
ZERO, ONE = Fraction(0), Fraction(1)
AT_LEAST_0: Range = (ZERO, INF)
FROM_0_TO_1: Range = (ZERO, ONE)
BETWEEN_1: Range = (-ONE, ONE)

OF_FUNCTION: dict[str, Range] = {
    "exp": AT_LEAST_0,
    "expm1": (-ONE, INF),
    "sin": BETWEEN_1,
    "cos": BETWEEN_1,
    "tanh": BETWEEN_1,
    "erf": BETWEEN_1,
    "erfc": (ZERO, Fraction(2)),
    "sigmoid": FROM_0_TO_1,
    "norm_cdf": FROM_0_TO_1,
    "norm_pdf": FROM_0_TO_1,
    "norm_logcdf": (-INF, ZERO),
    "inverse_mills": AT_LEAST_0,
    "inverse_mills_gap": AT_LEAST_0,
    "softplus": AT_LEAST_0,
    "abs": AT_LEAST_0,
    "relu": AT_LEAST_0,
    "cosh": (ONE, INF),
    "arccosh": AT_LEAST_0,
    "arccos": (ZERO, Fraction(4)),
    "arctan": (Fraction(-2), Fraction(2)),
    "arcsin": (Fraction(-2), Fraction(2)),
    "sign": BETWEEN_1,
    "step": FROM_0_TO_1,
}
# Increasing functions, and a point at which the value is known exactly.
PASSES: dict[str, tuple[Bound, Bound]] = {
    "exp": (ZERO, ONE),
    "log": (ONE, ZERO),
    **dict.fromkeys(
        ("expm1", "log1p", "tanh", "erf", "sinh", "arctan", "arcsin", "arcsinh", "arctanh"),
        (ZERO, ZERO),
    ),
    "sigmoid": (ZERO, Fraction(1, 2)),
    "norm_cdf": (ZERO, Fraction(1, 2)),
    "sign": (ZERO, ZERO),
    "relu": (ZERO, ZERO),
}
# Functions that come near a bound of theirs and never reach it.
NEVER_AT_BOUNDS = frozenset(
    [
        "exp",
        "expm1",
        "sigmoid",
        "norm_cdf",
        "tanh",
        "erf",
        "erfc",
        "softplus",
        "norm_pdf",
        "inverse_mills",
        "inverse_mills_gap",
    ]
)


def end_of_product(a: Bound, b: Bound) -> Bound:
    """The product of two ends, where 0 times infinity is 0."""
    return ZERO if a == 0 or b == 0 else a * b


def of_sums(entries: Range) -> Range:
    """Of the sum of one entry or more."""
    low, high = entries
    return (low if low >= 0 else -INF), (high if high <= 0 else INF)


def join(ranges: list[Range]) -> Range:
    """The smallest interval that holds all."""
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def meet(a: Range, b: Range) -> Range:
    """What both hold."""
    return max(a[0], b[0]), min(a[1], b[1])
