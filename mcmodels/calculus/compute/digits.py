"""Values in as many digits as are asked for, by mpmath."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from mcmodels.calculus.compute.binding import Array, bind, known_names, refuse_masked
from mcmodels.calculus.compute.digits_operations import mpmath, operations
from mcmodels.calculus.compute.evaluate import EvaluationError, evaluate, natural, walk
from mcmodels.calculus.compute.guards import guarded
from mcmodels.calculus.compute.stable import stabilised
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.nodes import Symbol

__all__ = ["evaluate_in_digits", "require_digits"]

_MOST_DIGITS = 400
_MORE = 15  # digits of the first of two computations, beyond those asked for
_DOUBLINGS = 3
_LARGEST = 1e300  # stands for larger numbers where only sizes and declarations are checked


def require_digits(digits: Any) -> int:
    """A count of digits, refused where it is none."""
    whole = hasattr(digits, "__index__") and not isinstance(digits, bool)
    if not whole or not 1 <= digits.__index__() <= _MOST_DIGITS:
        raise ValueError(
            f"digits must be a whole number from 1 to {_MOST_DIGITS}; found {digits!r}"
        )
    return digits.__index__()


def evaluate_in_digits(expression: Expression, values: Mapping[str, Any], digits: int) -> Any:
    """The value in ``digits`` digits; the work of `Expression.evaluate`.

    It is computed twice, the second time in more than twice the digits. Where the two do not agree
    in the digits asked for, terms have cancelled, and it is computed in more.
    """
    if "digits" in known_names(expression):  # the value of a symbol of that name
        return evaluate(expression, {**values, "digits": digits})
    digits = require_digits(digits)
    mp, xp = mpmath().mp, operations()
    given, sizes = _bind(expression, values)
    form = guarded(stabilised(expression), keep_steps=True)

    def computed(working: int) -> Array:
        with mp.workdps(working):
            exact = {symbol: xp.array(array) for symbol, array in given.items()}
            return xp.array(walk(form, exact, sizes, xp, checked=True))

    working = digits + _MORE
    found = computed(working)
    for _ in range(_DOUBLINGS):
        working = 2 * working + _MORE
        previous, found = found, computed(working)
        with mp.workdps(working):
            if _agree(previous, found, digits):
                break
    else:
        raise EvaluationError(
            f"{expression} keeps fewer than {digits} digits here, even where it is computed in "
            f"{working}: it is at a singularity, or at a jump"
        )
    with mp.workdps(digits):
        rounded = np.frompyfunc(lambda value: +value, 1, 1)(found)
    shaped = natural(expression, rounded)
    return shaped[()] if expression.is_scalar else np.array(shaped, order="C")


def _agree(previous: Array, found: Array, digits: int) -> bool:
    """Whether all entries agree in so many digits, or cancel to less than the square of that."""
    small = mpmath().mp.mpf(10) ** -digits
    return all(
        abs(a - b) <= small * max(abs(b), small)
        for a, b in zip(previous.ravel(), found.ravel(), strict=True)
    )


def _bind(
    expression: Expression, values: Mapping[str, Any]
) -> tuple[dict[Symbol, Array], dict[str, int]]:
    """Numbers as they are given, in arrays of two dimensions, and the sizes."""
    symbols = {symbol.name: symbol for symbol in expression.known}
    given = {name: _objects(symbols[name], values[name]) for name in symbols if name in values}
    floats = {name: _as_floats(name, array) for name, array in given.items()}
    bound, sizes = bind(expression, {**values, **floats})
    return {s: given[s.name].reshape(array.shape) for s, array in bound.items()}, sizes


def _objects(symbol: Symbol, value: Any) -> Array:
    refuse_masked(repr(symbol.name), value)
    if isinstance(value, mpmath().matrix):
        value = value.tolist()
        if symbol.is_column:
            value = [entry for row in value for entry in row]
    return np.asarray(value, dtype=object)


def _as_floats(name: str, array: Array) -> Array:
    mp, xp = mpmath().mp, operations()

    def as_float(value: Any) -> float:
        limit = sys.get_int_max_str_digits()
        try:
            exact = xp.number(value)
        except (TypeError, ValueError):
            # mpmath 1.4 lifts Python's limit to read a text, and leaves it so where that fails.
            sys.set_int_max_str_digits(limit)
            raise ValueError(
                f"{name!r} must be real numbers (float, int, Fraction, Decimal, str or mpf); "
                f"found {value!r}"
            ) from None
        if not mp.isfinite(exact):
            return float(exact)
        return max(-_LARGEST, min(_LARGEST, float(exact)))

    with np.errstate(all="ignore"):
        return np.asarray(np.frompyfunc(as_float, 1, 1)(array), dtype=float)
