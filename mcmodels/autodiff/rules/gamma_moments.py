"""Derivatives of the incomplete gamma functions by their parameter.

With f the density of the gamma distribution, ``Cₖ = ∫ (log t - ψ(a))ᵏ f(t) dt`` over (0, x) or over
(x, ∞). Then C₀ is P(a, x) or Q(a, x), and ``∂Cₖ/∂a = Cₖ₊₁ - k ψ′(a) Cₖ₋₁``: derivatives of every
order are such integrals. They have no closed form, and are computed by the double exponential
formula: Takahasi and Mori (1974), *Double exponential formulas for numerical integration*.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.tables import add, call, elementwise

__all__ = ["integrate_tail"]

# Nodes and weights of ∫₀^∞ g(s) ds for g that decays exponentially: s = exp(u - e⁻ᵘ). Step 0.05
# gives 16 digits of integrands like e⁻ˢ; beyond the ends the terms are below 1e-18.
_STEP = 0.05
_U = np.arange(-4.2, 4.6, _STEP)
_NODES = np.exp(_U - np.exp(-_U))
_WEIGHTS = _STEP * _NODES * (1 + np.exp(-_U))


def integrate_tail(integrand: Any, length: Any) -> Any:
    """``∫₀^∞ g(s) ds`` of a function that falls over about the given length, for each entry.

    ``integrand(s)`` takes an array with one more axis, the last, for the nodes.
    """
    length = np.asarray(length)[..., np.newaxis]
    return np.sum(integrand(_NODES * length) * (_WEIGHTS * length), axis=-1)


def _tail(k: int, a: Any, x: Any, by_upper: Any) -> Any:
    """``Cₖ`` over (x, ∞) where by_upper holds, by ``t = x eˢ``; elsewhere over (0, x)."""
    side = np.where(by_upper, 1.0, -1.0)[..., np.newaxis]
    wide_a, wide_x = a[..., np.newaxis], x[..., np.newaxis]
    start = (np.log(x) - sp.psi(a))[..., np.newaxis]
    with np.errstate(divide="ignore"):  # a density that underflows
        log_density = np.log(call("gamma_density", a, x)) + np.log(x)

    def integrand(s: Any) -> Any:
        growth = side * s * wide_a - wide_x * np.expm1(np.minimum(side * s, 700.0))
        return (start + side * s) ** k * np.exp(growth + log_density[..., np.newaxis])

    rate = np.abs(x - a) + np.sqrt(np.maximum(a, x * by_upper))
    rate = np.where((a < 1) & ~by_upper, a, rate)  # the lower tail falls as e⁻ᵃˢ
    return integrate_tail(integrand, 1 / rate)


def _whole(k: int, a: Any) -> Any:
    """The integral over all t: a central moment of the logarithm of a gamma variable."""
    if k < 2:
        return np.full(np.shape(a), 1.0 - k)
    if k == 2:
        return sp.polygamma(1, a)
    if k == 3:
        return sp.polygamma(2, a)
    above = np.ones(np.shape(a), bool)
    return _tail(k, a, a, ~above) + _tail(k, a, a, above)


def _moment(k: int, a: Any, x: Any, upper: bool) -> Any:
    dtype = np.result_type(np.asarray(a).dtype, np.asarray(x).dtype, np.float32)
    a, x = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(x, np.float64))
    allowed = (a > 0) & (a < np.inf) & (x >= 0)
    inside = allowed & (x > 0) & (x < np.inf)
    a, y = np.where(allowed, a, 1.0), np.where(inside, x, 1.0)
    by_upper = y > a + 1  # the side with the smaller integral
    tail, whole = _tail(k, a, y, by_upper), _whole(k, a)
    value = np.where(by_upper == upper, tail, whole - tail)
    edge = np.where((x == 0) == upper, whole, 0.0)
    return np.where(inside, value, np.where(allowed, edge, np.nan)).astype(dtype)


def _lower_gamma_moment(k: int, a: Any, x: Any) -> Any:
    return _moment(k, a, x, upper=False)


def _upper_gamma_moment(k: int, a: Any, x: Any) -> Any:
    return _moment(k, a, x, upper=True)


def _by_parameter(name: str) -> Any:
    def derivative(t: Any, y: Any, k: int, a: Any, x: Any) -> Any:
        slope = call(name, k + 1, a, x)
        if k > 0:
            slope = slope - k * call("polygamma", 1, a) * call(name, k - 1, a, x)
        return t * slope

    return derivative


def _by_end(sign: float) -> Any:
    def derivative(t: Any, y: Any, k: int, a: Any, x: Any) -> Any:
        return t * (sign * (np.log(x) - sp.psi(a)) ** k * call("gamma_density", a, x))

    return derivative


for _name, _function, _sign, _range in (
    ("lower_gamma_moment", _lower_gamma_moment, 1.0, "(0, x)"),
    ("upper_gamma_moment", _upper_gamma_moment, -1.0, "(x, ∞)"),
):
    _, _rule = elementwise(
        _function,
        f"d Cₖ = (Cₖ₊₁ - k ψ′(a) Cₖ₋₁) da ± (log x - ψ(a))ᵏ f(x) dx, over {_range}",
        None,
        _by_parameter(_name),
        _by_end(_sign),
    )
    add((_name, _rule))
