"""Fifty digits: the operations that `evaluate.walk` needs, on object arrays of mpmath numbers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
from mpmath import mp, mpf

from mcmodels.calculus.compute.evaluate import walk
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol
from tests.calculus.high_precision_functions import FUNCTIONS

DIGITS = 50
STEP = "1e-12"  # of differences, whose error after one extrapolation is STEP**4

Array = np.ndarray[Any, Any]


def _number(value: Any) -> mpf:
    if isinstance(value, Fraction):
        return mpf(value.numerator) / value.denominator
    return mpf(value)


def _each(function: Callable[..., Any]) -> Callable[..., Array]:
    return np.frompyfunc(function, 1, 1)


def _matrix(array: Array) -> Any:
    return mp.matrix(array.tolist())


def _inverse(array: Array) -> Array:
    return np.array((_matrix(array) ** -1).tolist(), dtype=object).reshape(array.shape)


xp = SimpleNamespace(
    array=_each(_number),
    number=_number,
    exp=_each(mp.exp),
    log=_each(mp.log),
    sin=_each(mp.sin),
    cos=_each(mp.cos),
    tanh=_each(mp.tanh),
    sigmoid=_each(lambda z: 1 / (1 + mp.exp(-z))),
    softplus=_each(lambda z: mp.log1p(mp.exp(z))),
    abs=_each(abs),
    relu=_each(lambda z: max(z, mpf(0))),
    sign=_each(mp.sign),
    step=_each(lambda z: mpf(z > 0)),
    sqrt=_each(mp.sqrt),
    power=np.frompyfunc(mp.power, 2, 1),
    inv=_inverse,
    det=lambda array: mp.det(_matrix(array)),
    logabsdet=lambda array: mp.log(abs(mp.det(_matrix(array)))),
    **FUNCTIONS,
)


def value(expression: Expression, values: dict[Symbol, Array], sizes: dict[str, int]) -> Array:
    """The value of an expression in fifty digits."""
    result = walk(expression, values, sizes, xp)
    assert result.dtype == object
    return result


def exactly(array: Array) -> Array:
    """The same numbers with fifty digits."""
    return xp.array(array)


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
