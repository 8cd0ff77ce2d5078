"""Logarithms of differences of exponentials: ``log(1 - exp(-x))`` and ``log|exp(x) - 1|``.

As written they lose their digits near 0, overflow above, and their second derivatives are
differences of numbers near 1. Mächler (2012), "Accurately computing log(1 - exp(-|a|))".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.tables import add, call, elementwise

_LN2 = float(np.log(2.0))


def _log1mexp(x: Any) -> Any:
    """``log(1 - exp(-x))`` for x > 0, else NaN."""
    if np.iscomplexobj(x):  # limits are taken on a circle; float() would drop imaginary parts
        raise TypeError("log(1 - exp(-x)) is computed of real numbers here")
    x = np.asarray(x, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        near = np.log(-np.expm1(-np.where(x < _LN2, x, _LN2)))
    return np.where(x < _LN2, near, np.log1p(-np.exp(-np.maximum(x, _LN2))))


_log1mexp.__name__ = "log1mexp"


def _log_expm1(x: Any) -> Any:
    """``log|exp(x) - 1|``."""
    return np.maximum(x, 0.0) + _log1mexp(np.abs(x))


_log_expm1.__name__ = "log_expm1"


def _share_of_expm1(x: Any) -> Any:
    """``exp(x)/(exp(x) - 1)``."""
    with np.errstate(over="ignore", divide="ignore"):
        return -1.0 / np.expm1(-np.asarray(x, np.result_type(x, float)))


_share_of_expm1.__name__ = "share_of_expm1"


def _csch_squared(x: Any) -> Any:
    """``exp(x)/(exp(x) - 1)² = 1/(4 sinh²(x/2))``."""
    size = np.abs(x)
    with np.errstate(divide="ignore"):
        inverse = 1.0 / np.expm1(-size)
    return np.exp(-size) * inverse * inverse


_csch_squared.__name__ = "quarter_csch_squared"

_, _of_log1mexp = elementwise(
    _log1mexp,
    "d log(1 - e⁻ˣ) = dx/(eˣ - 1)",
    lambda t, y, x: -t * call("share_of_expm1", -x),
)
_, _of_log_expm1 = elementwise(
    _log_expm1,
    "d log|eˣ - 1| = eˣ/(eˣ - 1) dx",
    lambda t, y, x: t * call("share_of_expm1", x),
)
_, _of_share = elementwise(
    _share_of_expm1,
    "d eˣ/(eˣ - 1) = -eˣ/(eˣ - 1)² dx",
    lambda t, y, x: -t * call("quarter_csch_squared", x),
)
_, _of_csch = elementwise(
    _csch_squared,
    "d 1/(4 sinh²(x/2)) = -coth(x/2)/(4 sinh²(x/2)) dx",
    lambda t, y, x: -t * (y / np.tanh(0.5 * x)),
)
add(
    ("log1mexp", _of_log1mexp),
    ("log_expm1", _of_log_expm1),
    ("share_of_expm1", _of_share),
    ("quarter_csch_squared", _of_csch),
)
