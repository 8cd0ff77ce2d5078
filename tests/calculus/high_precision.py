"""Fifty digits: values by the room's own operations, and slopes by differences of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from mpmath import mpf

from mcmodels.calculus.compute.digits.functions import number
from mcmodels.calculus.compute.digits.walking import walk_exactly
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol

DIGITS = 50
STEP = "1e-12"  # of differences, whose error after one extrapolation is STEP**4

Array = np.ndarray[Any, Any]


def value(expression: Expression, values: dict[Symbol, Array], sizes: dict[str, int]) -> Array:
    """The value of an expression in fifty digits."""
    exact = {symbol: array.tolist() for symbol, array in values.items()}
    return np.array(walk_exactly(expression, exact, sizes), dtype=object)


def exactly(array: Array) -> Array:
    """The same numbers with fifty digits."""
    return np.frompyfunc(number, 1, 1)(array)


def slope(
    expression: Expression, x: Symbol, E: Array, values: dict[Symbol, Array], sizes: dict[str, int]
) -> Array:
    """The derivative along E: central differences of two steps, extrapolated."""

    def quotient(step: mpf) -> Array:
        ahead = value(expression, {**values, x: values[x] + step * E}, sizes)
        behind = value(expression, {**values, x: values[x] - step * E}, sizes)
        return (ahead - behind) / (2 * step)

    step = mpf(STEP)
    return (4 * quotient(step / 2) - quotient(step)) / 3
