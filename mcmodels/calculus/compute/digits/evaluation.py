"""Values in as many digits as are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcmodels.calculus.compute.digits.certified import certified
from mcmodels.calculus.compute.digits.functions import mpmath
from mcmodels.calculus.compute.digits.given import bind_exactly
from mcmodels.calculus.compute.digits.rows import entries, mapped
from mcmodels.calculus.compute.digits.sides import beside_kinks
from mcmodels.calculus.compute.guards import guarded
from mcmodels.calculus.compute.stable.forms import stabilised
from mcmodels.calculus.compute.undefined import warn_of_kink
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.tensors import Tensor

__all__ = ["evaluate_in_digits", "evaluate_tensor_in_digits", "require_digits"]

_MOST_DIGITS = 400


def require_digits(digits: Any) -> int:
    """A count of digits, refused where it is none."""
    whole = hasattr(digits, "__index__") and not isinstance(digits, bool)
    if not whole or not 1 <= digits.__index__() <= _MOST_DIGITS:
        raise ValueError(
            f"digits must be a whole number from 1 to {_MOST_DIGITS}; found {digits!r}"
        )
    return digits.__index__()


def evaluate_in_digits(expression: Expression, values: Mapping[str, Any], digits: Any) -> Any:
    """The value in ``digits`` digits; the work of `Expression.evaluate`.

    They are right relative to the value: see `certified`.
    """
    digits = require_digits(digits)
    mp = mpmath().mp
    given, sizes = bind_exactly(expression, values)
    form = guarded(stabilised(expression, in_digits=True), keep_steps=True)
    kinks: list[Expression] = []
    tell = kinks.append if expression.is_derivative else warn_of_kink
    found, _ = certified(form, given, sizes, digits, shown=expression, tell=tell)
    if kinks:
        found = beside_kinks(form, given, sizes, digits, found, kinks)
    with mp.workdps(digits):
        rounded = mapped(lambda value: +value, found)
    if expression.is_scalar:
        return rounded[0][0]
    return _as_array(entries(rounded) if expression.is_column else rounded)


def evaluate_tensor_in_digits(tensor: Tensor, values: Mapping[str, Any], digits: Any) -> Any:
    """The value of a tensor in its shape, as an array or as nested lists."""
    value = evaluate_in_digits(tensor.entries, values, digits)
    nested = [value] if tensor.entries.is_scalar else list(value)
    _, sizes = bind_exactly(tensor.entries, values)
    for size in reversed(tensor.dims.of[1:]):
        length = size.value(sizes)
        nested = [nested[i : i + length] for i in range(0, len(nested), length)]
    return _as_array(nested)


def _as_array(nested: list[Any]) -> Any:
    """An array of dtype object; where there is no NumPy, the lists."""
    try:
        import numpy as np
    except ImportError:
        return nested
    return np.array(nested, dtype=object)
