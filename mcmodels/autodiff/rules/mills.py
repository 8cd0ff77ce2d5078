"""The ratio φ/Φ of the normal distribution, and its derivatives of every order.

Let ``Rₙ(x) = ∫₀^∞ sⁿ exp(xs - s²/2) ds``. Then R₀ = Φ/φ is Mills' ratio, ``Rₙ′ = Rₙ₊₁``, and
``Rₙ₊₁ = x Rₙ + n Rₙ₋₁``. With ``h = 1/R₀`` and ``rₙ = Rₙ₊₁/Rₙ`` all derivatives of log Φ are
products and differences of positive numbers, which lose no digits in the lower tail; ``x + h`` and
``1 - h(x + h)``, which are the same numbers, lose all of them there. NIST Digital Library of
Mathematical Functions, §7.8 (Mills' ratio) and §7.18 (repeated integrals).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.tables import add, call, elementwise

_ROOT_2 = math.sqrt(2.0)
_ROOT_2_OVER_PI = math.sqrt(2.0 / math.pi)
_ROOT_2PI = math.sqrt(2.0 * math.pi)

# Below this point the ratios are taken from their continued fraction, which gains a factor of about
# exp(2|x|√(2N)) by N terms: 1e-18 here. Above, the recurrence loses a digit for each derivative.
_TAIL = -1.5
_TERMS = 100
_FARTHEST = 1e30  # φ/Φ is 0 there, and its products with the ratios have to be


def _inverse_mills(x: Any) -> Any:
    """``φ(x)/Φ(x)``."""
    x = np.asarray(x)
    tail = _ROOT_2_OVER_PI / sp.erfcx(-np.minimum(x, 0.0) / _ROOT_2)
    above = np.clip(x, 0.0, 40.0)  # φ(40) is 0
    return np.where(x < 0, tail, np.exp(-0.5 * above * above) / (_ROOT_2PI * sp.ndtr(above)))


def _mills_moment_ratio(n: int, x: Any) -> Any:
    """``Rₙ₊₁(x)/Rₙ(x)``."""
    x = np.asarray(x)
    near = np.clip(x, _TAIL, _FARTHEST)
    ratio = near + _inverse_mills(near)
    for k in range(1, n + 1):
        ratio = near + k / ratio
    if not np.any(x < _TAIL):
        return ratio
    far = -np.minimum(x, _TAIL)
    tail = np.zeros_like(far)
    for k in range(n + _TERMS, n - 1, -1):
        tail = (k + 1) / (far + tail)
    return np.where(x < _TAIL, tail, ratio)


_, _of_inverse_mills = elementwise(
    _inverse_mills,
    "d h = -h r₀ dx, h = φ/Φ and r₀ = x + h",
    lambda t, h, x: -t * (h * call("mills_moment_ratio", 0, x)),
)
_, _of_moment_ratio = elementwise(
    _mills_moment_ratio,
    "d rₙ = rₙ(rₙ₊₁ - rₙ) dx",
    None,
    lambda t, r, n, x: t * (r * (call("mills_moment_ratio", n + 1, x) - r)),
)
add(("inverse_mills", _of_inverse_mills), ("mills_moment_ratio", _of_moment_ratio))
