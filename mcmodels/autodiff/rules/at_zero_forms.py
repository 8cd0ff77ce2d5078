"""Which quotients are f(u)/u, as people write them.

Among them ``sin(2 * x) / x``, ``(exp(-x) - 1) / x``, ``x / tanh(x)``, ``(exp(x) - exp(-x)) / x``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.rules.at_zero import quotient_by_argument
from mcmodels.autodiff.rules.origins import is_number, kind_of, negated, origin, times
from mcmodels.autodiff.tracing import Traced, constant

__all__ = ["quotient_at_zero"]

_KINDS = frozenset({"sin", "sinh", "tanh", "arctan", "expm1", "log1p", "difference"})
# Where derivatives of u/f(u), which divide by powers of f(u)/u, keep their digits.
_LARGEST = {"sin": 1.5, "sinh": 200.0, "tanh": 1e100, "arctan": 100.0, "log1p": 1e100}


def quotient_at_zero(a: Any, b: Any) -> Any:
    """``a / b``, where it is f(u)/u or u/f(u) but for a factor; else None."""
    if kind_of(a) in _KINDS and isinstance(b, Traced) and b.tracer.prefers_series(b):
        return None
    if kind_of(a) in _KINDS and (found := _over(a, b)) is not None:
        return found
    if kind_of(b) not in _KINDS:
        return None
    for kind, u, factor in _readings(b):
        c = times(a, u)
        if c is None:
            continue
        if kind == "expm1":
            return _scaled(c / factor, quotient_by_argument("bernoulli", u))
        if np.max(np.abs(constant(u)), initial=0.0) <= _LARGEST[kind]:
            return (c / factor) / quotient_by_argument(kind, u)
    return None


def _over(a: Any, b: Any) -> Any:
    if (found := origin(a, "difference")) is not None and not any(map(is_number, found)):
        u, v = found
        if negated(u, v):
            c = times(u, b)
            return None if c is None else _scaled(2.0 * c, quotient_by_argument("sinh", u))
        half = 0.5 * (u - v)
        c = times(half, b)
        if c is None:
            return None
        shifted = np.exp(0.5 * (u + v)) * quotient_by_argument("sinh", half)
        return _scaled(2.0 * c, shifted)
    for kind, u, factor in _readings(a):
        c = times(u, b)
        if c is not None:
            return _scaled(c * factor, quotient_by_argument(kind, u))
    return None


def _scaled(c: float, x: Any) -> Any:
    return x if c == 1.0 else c * x


def _readings(x: Any) -> list[tuple[str, Any, Any]]:
    """The ways to read x as a multiple of f(u): the name of f, u, and the factor."""
    kind = kind_of(x)
    if kind != "difference":
        found = origin(x, kind) if kind is not None else None
        return [] if found is None else [(kind, *found, 1.0)]
    if (found := origin(x, "difference")) is None:
        return []
    u, v = found  # exp(u) - exp(v)
    if is_number(v) and v == 0.0:
        return [("expm1", u, 1.0)]
    if is_number(u) and u == 0.0:
        return [("expm1", v, -1.0)]
    return []
