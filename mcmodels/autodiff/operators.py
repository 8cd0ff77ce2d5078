"""What the operators and methods of traced arrays are made of, and changes in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mcmodels.autodiff.rules import RULES
from mcmodels.autodiff.tracing import CHANGED, apply, constant, tracing

__all__ = ["binary", "changed_to", "changing", "compared", "comparison", "method"]


def binary(ufunc: np.ufunc) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """``x + y``, and the same for an x that is no traced array."""
    rule = RULES[ufunc]

    def forward(self: Any, other: Any) -> Any:
        return apply(rule, (self, other), {})

    def reflected(self: Any, other: Any) -> Any:
        return apply(rule, (other, self), {})

    return forward, reflected


def changing(ufunc: np.ufunc) -> Callable[..., Any]:
    """``x += y``: every name of the array x sees the change; a number is replaced, as in NumPy."""
    rule = RULES[ufunc]

    def change(self: Any, other: Any) -> Any:
        result = apply(rule, (self, other), {})
        return changed_to(self, result) if self.value.shape else result

    return change


def changed_to(array: Any, result: Any) -> Any:
    """The array, after it has taken a result in place."""
    before, after = array.value, result.value
    if before.shape != after.shape:
        raise ValueError(
            f"an array of shape {before.shape} cannot take the result in place; it has shape "
            f"{after.shape}."
        )
    if before.dtype is not after.dtype:
        result = result.astype(constant(before).dtype)
    array.become(result)
    if array.held or result.origin is not None:
        array.origin = (CHANGED, (result,), 0)
    return array


def comparison(ufunc: np.ufunc) -> Callable[..., Any]:
    """``x < y``, of the values alone."""
    return lambda self, other: compared(ufunc, constant(self), constant(other))


def compared(ufunc: np.ufunc, x: Any, y: Any) -> Any:
    """A comparison of plain arrays, which is noticed where it is of equal values."""
    if tracing.limits and np.any(np.equal(x, y)):
        tracing.tied = True
    return ufunc(x, y)


def method(function: Callable[..., Any]) -> Callable[..., Any]:
    """``x.sum(…)`` as ``np.sum(x, …)``."""
    return lambda self, *args, **kwargs: function(self, *args, **kwargs)
