"""The densities of the gamma and the beta distribution, for derivatives of incomplete integrals.

For large parameters they are computed about their maximum, since the logarithms of their factors
are large and cancel: Loader (2000), *Fast and accurate computation of binomial probabilities*.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.tables import add, elementwise

_LARGE = 10.0
# Coefficients of 1/a, 1/a³, … in log Γ(a) - (a - ½) log a + a - ½ log 2π: NIST Digital Library of
# Mathematical Functions, 5.11.1. At a = 10 the first term left out is 6e-16.
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)


def _stirling_rest(a: Any) -> Any:
    """The logarithm of Γ(a), less Stirling's formula, for a of at least 10."""
    square, total = 1.0 / (a * a), 0.0 * a
    for coefficient in reversed(_STIRLING):
        total = total * square + coefficient
    return total / a


def _log_beta(a: Any, b: Any) -> Any:
    """``log B(a, b)``; SciPy's is a difference of large logarithms if one of them is large."""
    small, large = np.minimum(a, b), np.maximum(a, b)
    far = large >= _LARGE
    if not np.any(far):
        return sp.betaln(a, b)
    beyond = np.where(far, large, _LARGE)
    n = small + beyond
    ratio = small - (beyond - 0.5) * np.log1p(small / beyond) - small * np.log(n)
    ratio = ratio + _stirling_rest(beyond) - _stirling_rest(n)
    return np.where(far, sp.gammaln(small) + ratio, sp.betaln(a, b))


def _gamma_density(a: Any, x: Any) -> Any:
    a, x = np.broadcast_arrays(a, x)
    direct = np.exp(sp.xlogy(a - 1, x) - x - sp.gammaln(a))
    large = (a >= _LARGE) & (x > 0)
    if not np.any(large):
        return direct
    a, x = np.where(large, a, _LARGE), np.where(large, x, _LARGE)
    m = (x - a) / a
    about_mode = np.sqrt(a / (2 * math.pi)) / x * np.exp(a * (np.log1p(m) - m) - _stirling_rest(a))
    return np.where(large, about_mode, direct)


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    a, b, x = np.broadcast_arrays(a, b, x)
    direct = np.exp(sp.xlogy(a - 1, x) + sp.xlog1py(b - 1, -x) - _log_beta(a, b))
    large = (a >= _LARGE) & (b >= _LARGE) & (x > 0) & (x < 1)
    if not np.any(large):
        return direct
    a, b, x = (np.where(large, part, other) for part, other in ((a, 10.0), (b, 10.0), (x, 0.5)))
    n = a + b
    gap = (x * b - (1 - x) * a) / n  # x - a/n
    exponent = a * np.log1p(gap * n / a) + b * np.log1p(-gap * n / b)
    exponent = exponent + _stirling_rest(n) - _stirling_rest(a) - _stirling_rest(b)
    about_mode = np.sqrt(a * b / (2 * math.pi * n)) / (x * (1 - x)) * np.exp(exponent)
    return np.where(large, about_mode, direct)


_, _of_gamma_density = elementwise(
    _gamma_density,
    "d(xᵃ⁻¹e⁻ˣ/Γ(a)) = y((log x - ψ(a)) da + ((a - 1)/x - 1) dx)",
    lambda t, y, a, x: t * (y * (np.log(x) - sp.psi(a))),
    lambda t, y, a, x: t * (y * ((a - 1) / x - 1)),
)
_, _of_beta_density = elementwise(
    _beta_density,
    "d(xᵃ⁻¹(1 - x)ᵇ⁻¹/B(a, b)) = y((log x - ψ(a) + ψ(a + b)) da "
    "+ (log(1 - x) - ψ(b) + ψ(a + b)) db + ((a - 1)/x - (b - 1)/(1 - x)) dx)",
    lambda t, y, a, b, x: t * (y * (np.log(x) - sp.psi(a) + sp.psi(a + b))),
    lambda t, y, a, b, x: t * (y * (np.log1p(-x) - sp.psi(b) + sp.psi(a + b))),
    lambda t, y, a, b, x: t * (y * ((a - 1) / x - (b - 1) / (1 - x))),
)
add(("gamma_density", _of_gamma_density), ("beta_density", _of_beta_density))
