"""Rules of Dawson's integral and of Owen's T.

Identities: NIST Digital Library of Mathematical Functions, 7.5 and 7.10 (Dawson's integral, its
equation ``D′ = 1 - 2xD``), 7.12 (its asymptotic series); Owen (1956), *Tables for computing
bivariate normal probabilities*, Annals of Mathematical Statistics 27(4).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.tables import add, call, elementwise

_ROOT_2 = float(np.sqrt(2.0))
# Beyond this the asymptotic series has all digits, and 1 - 2xD loses them.
_FAR, _TERMS = 6.5, 36


def _derivative(n: int, x: Any) -> Any:
    """The nth derivative of Dawson's integral, n ≥ 1."""
    x = np.asarray(x, np.result_type(x, float))
    near = np.where(np.abs(x) < _FAR, x, 0.0)
    before = sp.dawsn(near)
    found = 1.0 - 2.0 * near * before
    for k in range(1, n):
        before, found = found, -2.0 * (near * found + k * before)
    if np.all(near == x):
        return found
    return np.where(np.abs(x) < _FAR, found, _far_derivative(n, np.where(near == x, _FAR, x)))


def _far_derivative(n: int, x: Any) -> Any:
    """By ``D ~ Σₖ (2k - 1)!!/(2ᵏ⁺¹ x²ᵏ⁺¹)``, term by term, up to the smallest term."""
    with np.errstate(under="ignore"):
        inverse = 1.0 / x
        term = (-1.0) ** n * sp.gamma(n + 1.0) * 0.5 * inverse ** (n + 1)
        total = term
        for k in range(1, _TERMS):
            # The next term of D is (2k - 1)/(2x²) times the last; the power of x falls by two.
            ratio = (2 * k - 1) * (2 * k + n) * (2 * k - 1 + n) / (4.0 * k * (2 * k - 1))
            term = term * (ratio * inverse * inverse)
            total = total + term
    return total


_derivative.__name__ = "dawsn_derivative"


def _by_height(t: Any, y: Any, h: Any, a: Any) -> Any:
    return t * (np.exp(-0.5 * h * h) * sp.erf(a * h / _ROOT_2) * (-0.5 / np.sqrt(2 * np.pi)))


def _by_slope(t: Any, y: Any, h: Any, a: Any) -> Any:
    square = 1 + a * a
    return t * (np.exp(-0.5 * h * h * square) / (2 * np.pi * square))


_, _of_derivative = elementwise(
    _derivative,
    "d D⁽ⁿ⁾(x) = D⁽ⁿ⁺¹⁾(x) dx",
    None,
    lambda t, y, n, x: t * call("dawsn_derivative", n + 1, x),
)
add(
    ("dawsn_derivative", _of_derivative),
    elementwise(
        sp.dawsn, "d D(x) = (1 - 2xD(x)) dx", lambda t, y, x: t * call("dawsn_derivative", 1, x)
    ),
    elementwise(
        sp.owens_t,
        "d T(h, a) = -φ(h) erf(ah/√2)/2 dh + e^(-h²(1 + a²)/2)/(2π(1 + a²)) da",
        _by_height,
        _by_slope,
    ),
)
