"""Derivatives of the incomplete beta function by its parameters.

With f the density of the beta distribution, n = a + b, and
``Cⱼₖ = ∫₀ˣ (log t - ψ(a) + ψ(n))ʲ (log(1 - t) - ψ(b) + ψ(n))ᵏ f(t) dt``, C₀₀ is I(a, b, x), and
``∂Cⱼₖ/∂a = Cⱼ₊₁,ₖ - j(ψ′(a) - ψ′(n)) Cⱼ₋₁,ₖ + k ψ′(n) Cⱼ,ₖ₋₁``, likewise by b. The integrals are
computed as those of :mod:`mcmodels.autodiff.rules.gamma_moments`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.rules.gamma_moments import integrate_tail
from mcmodels.autodiff.tables import add, call, elementwise


def _tail(j: int, k: int, a: Any, b: Any, x: Any) -> Any:
    """``Cⱼₖ`` for x up to the mean, by ``t = x e⁻ˢ``."""
    with np.errstate(divide="ignore"):  # a density that underflows
        log_density = np.log(call("beta_density", a, b, x)) + np.log(x)
    wide_a, wide_b, wide_x = (part[..., np.newaxis] for part in (a, b, x))
    by_a = (sp.psi(a) - sp.psi(a + b))[..., np.newaxis]
    by_b = (sp.psi(b) - sp.psi(a + b))[..., np.newaxis]
    odds = x / (1 - x)

    def integrand(s: Any) -> Any:
        log_rest = np.log1p(-wide_x * np.exp(-s))
        growth = (wide_b - 1) * (log_rest - np.log1p(-wide_x)) - s * wide_a
        power = (np.log(wide_x) - s - by_a) ** j * (log_rest - by_b) ** k
        return power * np.exp(growth + log_density[..., np.newaxis])

    rate = np.abs(a - (b - 1) * odds) + np.sqrt(np.maximum(a, np.abs(b - 1) * odds / (1 - x)))
    # For b < 1 the density falls faster at first, but in the end as e⁻ᵃˢ.
    return integrate_tail(integrand, 1 / np.where((a < 1) | (b < 1), a, rate))


def _whole(j: int, k: int, a: Any, b: Any) -> Any:
    """The integral over (0, 1): a central moment of log t and log(1 - t)."""
    order = j + k
    if order < 2:
        return np.full(np.shape(a), 1.0 - order)
    if order > 3:
        mean = a / (a + b)
        return _tail(j, k, a, b, mean) + _tail(k, j, b, a, 1 - mean)
    own = {(order, 0): sp.polygamma(order - 1, a), (0, order): sp.polygamma(order - 1, b)}
    return own.get((j, k), 0.0) - sp.polygamma(order - 1, a + b)


def _lower_beta_moment(j: int, k: int, a: Any, b: Any, x: Any) -> Any:
    dtype = np.result_type(*(np.asarray(part).dtype for part in (a, b, x)), np.float32)
    a, b, x = np.broadcast_arrays(*(np.asarray(part, np.float64) for part in (a, b, x)))
    allowed = (a > 0) & (b > 0) & (a < np.inf) & (b < np.inf) & (x >= 0) & (x <= 1)
    inside = allowed & (x > 0) & (x < 1)
    no_a, no_b = (a == 0) & (b > 0), (b == 0) & (a > 0)
    a, b = np.where(allowed, a, 1.0), np.where(allowed, b, 1.0)
    y, whole = np.where(inside, x, 0.5), _whole(j, k, a, b)
    above = y > a / (a + b)  # the side with the smaller integral is computed
    value = _tail(j, k, a, b, np.where(above, 0.5 * y, y))
    if np.any(above):
        rest = _tail(k, j, b, a, np.where(above, 1 - y, 0.5 * (1 - y)))
        value = np.where(above, whole - rest, value)
    edge = np.where(x == 1, whole, 0.0)
    # For b = 0 the function is 0 for every a, and for a = 0 it is 1 for every b.
    flat = no_b & (k == 0) & (j > 0) | no_a & (j == 0) & (k > 0)
    beyond = np.where(allowed, edge, np.where(flat, 0.0, np.nan))
    return np.where(inside, value, beyond).astype(dtype)


def _by_a(t: Any, y: Any, j: int, k: int, a: Any, b: Any, x: Any) -> Any:
    slope = call("lower_beta_moment", j + 1, k, a, b, x)
    of_sum = call("polygamma", 1, a + b) if j + k else 0.0
    if j:
        lower = call("lower_beta_moment", j - 1, k, a, b, x)
        slope = slope - j * (call("polygamma", 1, a) - of_sum) * lower
    if k:
        slope = slope + k * of_sum * call("lower_beta_moment", j, k - 1, a, b, x)
    return t * slope


def _by_b(t: Any, y: Any, j: int, k: int, a: Any, b: Any, x: Any) -> Any:
    slope = call("lower_beta_moment", j, k + 1, a, b, x)
    of_sum = call("polygamma", 1, a + b) if j + k else 0.0
    if k:
        lower = call("lower_beta_moment", j, k - 1, a, b, x)
        slope = slope - k * (call("polygamma", 1, b) - of_sum) * lower
    if j:
        slope = slope + j * of_sum * call("lower_beta_moment", j - 1, k, a, b, x)
    return t * slope


def _by_end(t: Any, y: Any, j: int, k: int, a: Any, b: Any, x: Any) -> Any:
    of_sum = sp.psi(a + b)
    powers = (np.log(x) - sp.psi(a) + of_sum) ** j * (np.log1p(-x) - sp.psi(b) + of_sum) ** k
    return t * (powers * call("beta_density", a, b, x))


_, _rule = elementwise(
    _lower_beta_moment,
    "d Cⱼₖ = (Cⱼ₊₁,ₖ - j(ψ′(a) - ψ′(n)) Cⱼ₋₁,ₖ + k ψ′(n) Cⱼ,ₖ₋₁) da + (likewise) db "
    "+ (log x - ψ(a) + ψ(n))ʲ (log(1 - x) - ψ(b) + ψ(n))ᵏ f(x) dx",
    None,
    None,
    _by_a,
    _by_b,
    _by_end,
)
add(("lower_beta_moment", _rule))
