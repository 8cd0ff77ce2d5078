"""Quotients that are 0/0 at 0: ``np.sin(x) / x``, ``np.expm1(x) / x``, ``x / np.expm1(x)``.

As written, each derivative loses a power of x: the second derivative of sin x/x has terms of the
size x⁻³, and is near -1/3. Near 0 the derivatives of every order come from the Taylor series, else
from ``x qₙ = fₙ - n qₙ₋₁`` for q = f/x, by Leibniz' rule.

Series: NIST Digital Library of Mathematical Functions, §4.6 (log), §4.19 (sin, tan), §4.24
(arctan), §4.33 (sinh, tanh), §24.2 (x/(eˣ - 1), the numbers of Bernoulli).
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction
from typing import Any

import numpy as np

from mcmodels.autodiff.tables import add, call, elementwise

__all__ = ["quotient_by_argument"]

_TERMS = 44  # of series, beyond the order of the derivative

# Distance from 0 within which series are used: a quarter of their radius of convergence, or 1.
_NEAR = {
    "sin": 1.0,
    "sinh": 1.0,
    "expm1": 1.0,
    "tanh": 0.39,
    "arctan": 0.25,
    "log1p": 0.25,
    "bernoulli": 1.5,
}


@functools.cache
def _tanh_polynomial(n: int) -> tuple[int, ...]:
    """The coefficients of dⁿ tanh/dxⁿ by powers of tanh: P′(y)(1 - y²) for each order."""
    if n == 0:
        return (0, 1)
    slope = [k * c for k, c in enumerate(_tanh_polynomial(n - 1))][1:]
    result = [*slope, 0, 0]
    for k, c in enumerate(slope):
        result[k + 2] -= c
    return tuple(result)


def _nth(name: str, n: int, x: Any) -> Any:
    """dⁿf/dxⁿ, for n ≥ 1 of log1p, arctan and expm1, else for n ≥ 0."""
    if name == "sin":
        return (np.sin, np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x))[n % 4](x)
    if name == "sinh":
        return (np.sinh, np.cosh)[n % 2](x)
    if name == "expm1":
        return np.exp(x) if n else np.expm1(x)
    if name == "tanh":
        return np.polynomial.polynomial.polyval(np.tanh(x), _tanh_polynomial(n))
    if name == "log1p":
        return math.factorial(n - 1) * (-1) ** (n - 1) / (1 + x) ** n if n else np.log1p(x)
    angle = np.arctan(x)
    if n == 0:
        return angle
    return math.factorial(n - 1) * np.cos(angle) ** n * np.sin(n * (angle + np.pi / 2))


@functools.cache
def _series(name: str, n: int) -> tuple[float, ...]:
    """The coefficients of dⁿ(f/x)/dxⁿ, or of x/(eˣ - 1), by powers of x."""
    length = _TERMS + n
    if name == "bernoulli":
        inverse = [Fraction(1)]
        for k in range(1, length):
            terms = (inverse[j] / math.factorial(k - j + 1) for j in range(k))
            inverse.append(-sum(terms, Fraction(0)))
        plain = inverse
    else:
        plain = [_coefficient(name, k + 1) for k in range(length)]
    return tuple(float(plain[k] * math.perm(k, n)) for k in range(n, length))


def _coefficient(name: str, k: int) -> Fraction:
    """Of xᵏ in the series of f."""
    odd = k % 2 == 1
    if name == "expm1":
        return Fraction(1, math.factorial(k))
    if name in ("sin", "sinh"):
        sign = -1 if name == "sin" and k % 4 == 3 else 1
        return Fraction(sign * odd, math.factorial(k))
    if name == "log1p":
        return Fraction(1 if odd else -1, k)
    if name == "arctan":
        return Fraction((1 if k % 4 == 1 else -1) * odd, k)
    return Fraction(_tanh_polynomial(k)[0], math.factorial(k))


def _far(name: str, n: int, x: Any) -> Any:
    if name == "bernoulli":
        # Σ (n over k) bₖ dⁿ⁻ᵏ(eˣ - 1) is x, 1, 0, 0, … for n = 0, 1, 2, 3, …
        grown = np.expm1(x)
        ratio = -1 / np.expm1(-x)  # eˣ/(eˣ - 1)
        found = [x / grown]
        for m in range(1, n + 1):
            total = sum(math.comb(m, k) * found[k] for k in range(m))
            found.append((1 / grown if m == 1 else 0.0) - total * ratio)
        return found[n]
    result = _nth(name, 0, x) / x
    for m in range(1, n + 1):
        result = (_nth(name, m, x) - m * result) / x
    return result


def _quotient_by_argument(name: str, n: int, x: Any) -> Any:
    """``dⁿ(f(x)/x)/dxⁿ``, for the function of that name."""
    x = np.asarray(x, np.result_type(x, float))  # limits are taken on a circle
    near = np.abs(x) < _NEAR[name]
    close = np.polynomial.polynomial.polyval(np.where(near, x, 0.0), _series(name, n))
    if near.all():
        return close
    with np.errstate(over="ignore"):
        far = _far(name, n, np.where(near, 1.0, x))
    return np.where(near, close, far)


_quotient_by_argument.__name__ = "quotient_by_argument"

_, _rule = elementwise(
    _quotient_by_argument,
    "d qₙ(x) = qₙ₊₁(x) dx, of the derivatives qₙ of f(x)/x",
    None,
    None,
    lambda t, y, name, n, x: t * call("quotient_by_argument", name, n + 1, x),
)
add(("quotient_by_argument", _rule))


def quotient_by_argument(name: str, x: Any) -> Any:
    """``f(x)/x``."""
    return call("quotient_by_argument", name, 0, x)
