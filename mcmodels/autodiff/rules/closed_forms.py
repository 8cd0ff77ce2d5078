"""Functions of tanh, cosh, Φ, erf, norms and absolute values, as people write them.

The value remembers what it was computed of. So ``1 / np.cosh(x) ** 2`` and ``1 - np.tanh(x) ** 2``
do not overflow and keep the digits of their tails, ``1 + np.tanh(x)`` is ``2 * expit(2 * x)``,
``np.log(np.cosh(x))`` has the slope tanh, ``np.log(ndtr(x))`` is ``log_ndtr(x)``, and
``np.linalg.norm(x) ** 2`` is ``np.sum(x * x)``, which has derivatives at 0.

Identities: NIST Digital Library of Mathematical Functions, §4.35 (hyperbolic functions), §7.2
(error functions).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.rules.arrangement import with_axes
from mcmodels.autodiff.rules.origins import is_number, made, origin, same
from mcmodels.autodiff.tables import add, call, elementwise, matrix_function
from mcmodels.autodiff.tracing import Traced, constant, is_complex

__all__ = ["LN2", "STARTS", "added", "divided", "log1p_of", "logarithm", "raised", "subtracted"]

_ROOT_2 = float(np.sqrt(2.0))
LN2 = float(np.log(2.0))


def _sech(x: Any) -> Any:
    """``1/cosh x``, without overflow."""
    e = np.exp(-np.abs(x))
    return 2.0 * e / (1.0 + e * e)


def _logcosh(x: Any) -> Any:
    """``log cosh x``: for small x by ``cosh x - 1 = 2 sinh²(x/2)``."""
    size = np.abs(x)
    near = np.sinh(0.5 * np.minimum(size, 1.0))
    return np.where(
        size < 1.0, np.log1p(2.0 * near * near), size + np.log1p(np.exp(-2.0 * size)) - LN2
    )


_, _of_sech = elementwise(
    _sech, "d(1/cosh x) = -tanh x/cosh x dx", lambda t, y, x: -t * (np.tanh(x) * y)
)
_, _of_logcosh = elementwise(_logcosh, "d log cosh x = tanh x dx", lambda t, y, x: t * np.tanh(x))
_, _of_square = matrix_function(
    "squared_norm",
    lambda x, y, axis=None, keepdims=False: y * y,
    "d‖x‖² = 2 xᵀdx, y = ‖x‖ given",
    (
        lambda t, s, x, y, axis=None, keepdims=False: (
            2.0 * np.sum(x * t, axis=axis, keepdims=keepdims)
        ),
        lambda g, s, x, y, axis=None, keepdims=False: x * with_axes(2.0 * g, x, axis, keepdims),
    ),
)
add(("sech", _of_sech), ("logcosh", _of_logcosh), ("squared_norm", _of_square))


def _starting(kind: str, *rest: Any) -> Any:
    """What the value of a function remembers: its argument, of real numbers only."""

    def recognise(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        return None if is_complex(args[0]) else made(kind, args[0], *rest)

    return recognise


def _of_norm(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    return made("norm", args[0], kwargs.get("axis"), kwargs.get("keepdims", False))


# Functions that start a chain. A power of cosh is remembered with its exponent.
STARTS: dict[Any, Any] = {
    np.cosh: _starting("cosh", 1),
    "sech": _starting("cosh", -1),
    "sech_squared": _starting("cosh", -2),
    np.sinh: _starting("sinh"),
    np.tanh: _starting("tanh"),
    np.sin: _starting("sin"),
    np.arctan: _starting("arctan"),
    np.expm1: _starting("expm1"),
    sp.ndtr: _starting("ndtr"),
    sp.erf: _starting("erf"),
    sp.erfc: _starting("erfc"),
    np.absolute: lambda args, kwargs: made("absolute", args[0]),
    "norm": _of_norm,
}


def logarithm(x: Any) -> Any:
    """``log x``, or None."""
    if (found := origin(x, "cosh")) is not None:
        u, k = found
        y = call("logcosh", u)
        if k != 1:
            return k * y
        y.origin = made("log cosh", u)
        return y
    if (found := origin(x, "twice expit")) is not None:
        return LN2 + sp.log_expit(found[0])
    if (found := origin(x, "expm1")) is not None:
        (u,) = found
        return u + call("log1mexp", u)
    if (found := origin(x, "expm1 squared")) is not None:
        return 2.0 * call("log_expm1", found[0])
    if (found := origin(x, "sinh")) is not None:
        (u,) = found
        return u + call("log1mexp", 2.0 * u) - LN2
    if (found := origin(x, "erfc")) is not None:  # erfc(x) = 2Φ(-√2 x)
        return LN2 + sp.log_ndtr(-_ROOT_2 * found[0])
    return None if (found := origin(x, "ndtr")) is None else sp.log_ndtr(found[0])


def _twice_expit(u: Any) -> Any:
    y = 2.0 * sp.expit(u)
    if isinstance(y, Traced):
        y.origin = made("twice expit", u)
    return y


def log1p_of(x: Any) -> Any:
    """``log(1 + x)``, or None."""
    negative = origin(x, "negative")
    found = None if negative is None else origin(negative[0], "ndtr")
    return None if found is None else sp.log_ndtr(-found[0])


def added(a: Any, b: Any) -> Any:
    """``a + b``, or None."""
    if is_number(b):
        a, b = b, a
    if not is_number(a) or a != 1:
        return None
    if (found := origin(b, "tanh")) is not None:
        return _twice_expit(2.0 * found[0])
    return None if (found := origin(b, "erf")) is None else sp.erfc(-found[0])


def subtracted(a: Any, b: Any) -> Any:
    """``a - b``, or None."""
    if is_number(b) and b == 1:
        found = subtracted(b, a)
        return None if found is None else -found
    if not is_number(a) or a != 1:
        return None
    if (found := origin(b, "tanh")) is not None:
        return _twice_expit(-2.0 * found[0])
    if (found := origin(b, "tanh squared")) is not None:
        return call("sech_squared", found[0])
    if (found := origin(b, "ndtr")) is not None:
        return sp.ndtr(-found[0])
    return None if (found := origin(b, "erf")) is None else sp.erfc(found[0])


def divided(a: Any, b: Any) -> Any:
    """``a / b``, or None."""
    if (found := origin(b, "cosh")) is None or found[1] <= 0:
        return None
    u, k = found
    top = origin(a, "sinh")
    if top is not None and k == 1 and same(top[0], u):
        return np.tanh(u)
    inverse = call("sech", u)
    return a * (inverse if k == 1 else inverse**k)


def raised(base: Any, exponent: Any) -> Any:
    """``base ** exponent`` for a number as exponent, or None; or what the power remembers."""
    if (found := origin(base, "cosh")) is not None:
        u, k = found
        if k > 0 > exponent:
            return call("sech", u) ** (-k * exponent)
        return made("cosh", u, k * exponent)
    if exponent != 2:
        return None
    if (found := origin(base, "expm1")) is not None:
        return made("expm1 squared", found[0])
    found = origin(base, "difference")
    if found is not None and is_number(found[1]) and found[1] == 0.0:
        return made("expm1 squared", found[0])
    if (found := origin(base, "tanh")) is not None:
        return made("tanh squared", found[0])
    if (found := origin(base, "absolute")) is not None:
        (u,) = found
        return np.square(np.real(u)) + np.square(np.imag(u)) if is_complex(u) else np.square(u)
    if (found := origin(base, "norm")) is not None:
        u, axis, keepdims = found
        return call("squared_norm", u, constant(base), axis=axis, keepdims=keepdims)
    return None
