"""Rules of the special functions of SciPy.

Identities: NIST Digital Library of Mathematical Functions, §4 (logarithms), §5 (gamma), §7 (error
functions).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.rules.arrangement import with_axes
from mcmodels.autodiff.rules.polygamma import polygamma
from mcmodels.autodiff.tables import Axis, add, call, elementwise, matrix_function
from mcmodels.autodiff.tracing import Traced, constant, is_complex

_ROOT_PI = math.sqrt(math.pi)
_ROOT_2PI = math.sqrt(2 * math.pi)
_FARTHEST = 50.0


def _bell(n: int, c: float, x: Any) -> Any:
    """``dⁿ exp(-cx²)/dxⁿ``, by Hermite's polynomials; 0 at infinity."""
    root = math.sqrt(2.0 * c)
    x = np.clip(x, -_FARTHEST, _FARTHEST)  # exp(-x²/2) is 0 there
    polynomial = np.polynomial.hermite_e.hermeval(root * x, [0.0] * n + [1.0])
    return (-root) ** n * (polynomial * np.exp(-c * x * x))


_bell.__name__ = "bell"


def _gaussian(c: float, x: Any) -> Any:
    """``exp(-cx²)``: of a traced x with derivatives that are 0 at infinity, not 0·∞."""
    traced = isinstance(x, Traced) and not is_complex(x)
    return call("bell", 0, c, x) if traced else np.exp(-c * x * x)


def _normal_density(x: Any) -> Any:
    return _gaussian(0.5, x) / _ROOT_2PI


def _denominator_or_one(y: Any, x: Any) -> Any:
    """Y as a divisor of x: 1 where both are 0, so that x/y is 0 there."""
    both = (constant(x) == 0) & (constant(y) == 0)
    return np.where(both, 1.0, y) if np.any(both) else y


# Where all shares are smaller, the sum cancels ten times its rounding at most.
_LARGE_SHARE = 0.9


def _less_at_largest(t: Any, y: Any, axis: Axis) -> Any:
    """T, less its entry where y is largest."""
    p = np.asarray(constant(y))
    if p.size == 0 or np.max(p) < _LARGE_SHARE:
        return t
    if axis is None:
        return t - np.ravel(t)[int(np.argmax(p))]
    if isinstance(axis, int | np.integer):
        return t - np.take_along_axis(t, np.argmax(p, axis=axis, keepdims=True), axis)
    chosen = (p == np.max(p, axis=axis, keepdims=True)).astype(p.dtype)
    chosen /= np.sum(chosen, axis=axis, keepdims=True)
    return t - np.sum(chosen * t, axis=axis, keepdims=True)


def _softmax_differential(t: Any, y: Any, x: Any, axis: Axis = None) -> Any:
    # A constant in t changes nothing. With the entry at the largest y gone, no two large terms
    # cancel in the sum, and small derivatives keep their digits.
    t = _less_at_largest(t, y, axis)
    return y * (t - np.sum(y * t, axis=axis, keepdims=True))


def _logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return sp.logsumexp(x, axis=axis, keepdims=keepdims)


def _expit_slope(x: Any, y: Any) -> Any:
    """σ(x)σ(-x), given y = σ(x)."""
    return y * sp.expit(-x)


_expit_slope.__name__ = "expit_slope"

_, _of_bell = elementwise(
    _bell,
    "d (e^(-cx²))⁽ⁿ⁾ = (e^(-cx²))⁽ⁿ⁺¹⁾ dx",
    None,
    None,
    lambda t, y, n, c, x: t * call("bell", n + 1, c, x),
)
add(
    ("bell", _of_bell),
    elementwise(
        sp.expit,
        "d σ(x) = σ(x) σ(-x) dx",
        lambda t, y, x: t * call("expit_slope", x, constant(y)),
    ),
    elementwise(sp.logit, "d log(p/(1 - p)) = dp/(p(1 - p))", lambda t, y, p: t / (p * (1 - p))),
    elementwise(sp.log_expit, "d log σ(x) = σ(-x) dx", lambda t, y, x: t * sp.expit(-x)),
    elementwise(
        sp.erf, "d erf x = 2/√π e^(-x²) dx", lambda t, y, x: t * (2 / _ROOT_PI * _gaussian(1.0, x))
    ),
    elementwise(
        sp.erfc,
        "d erfc x = -2/√π e^(-x²) dx",
        lambda t, y, x: -t * (2 / _ROOT_PI * _gaussian(1.0, x)),
    ),
    elementwise(
        sp.erfinv, "d erf⁻¹x = √π/2 e^(y²) dx", lambda t, y, x: t * (_ROOT_PI / 2 * np.exp(y * y))
    ),
    elementwise(sp.ndtr, "d Φ(x) = φ(x) dx", lambda t, y, x: t * _normal_density(x)),
    elementwise(
        sp.log_ndtr,
        "d log Φ(x) = φ(x)/Φ(x) dx",
        lambda t, y, x: t * call("inverse_mills", x),
    ),
    elementwise(sp.ndtri, "d Φ⁻¹(p) = dp/φ(y)", lambda t, y, p: t / _normal_density(y)),
    elementwise(sp.gammaln, "d log|Γ(x)| = ψ(x) dx", lambda t, y, x: t * sp.psi(x)),
    elementwise(sp.gamma, "d Γ(x) = Γ(x) ψ(x) dx", lambda t, y, x: t * (y * sp.psi(x))),
    elementwise(sp.psi, "d ψ(x) = ψ′(x) dx", lambda t, y, x: t * call("polygamma", 1, x)),
    elementwise(
        sp.betaln,
        "d log B(a, b) = (ψ(a) - ψ(a + b)) da + (ψ(b) - ψ(a + b)) db",
        lambda t, y, a, b: t * (sp.psi(a) - sp.psi(a + b)),
        lambda t, y, a, b: t * (sp.psi(b) - sp.psi(a + b)),
    ),
    elementwise(
        sp.xlogy,
        "d(x log y) = log y dx + x/y dy",
        lambda t, z, x, y: t * np.log(y),
        lambda t, z, x, y: t * (x / _denominator_or_one(y, x)),
    ),
    elementwise(
        sp.xlog1py,
        "d(x log(1 + y)) = log(1 + y) dx + x/(1 + y) dy",
        lambda t, z, x, y: t * np.log1p(y),
        lambda t, z, x, y: t * (x / _denominator_or_one(1 + y, x)),
    ),
    elementwise(sp.entr, "d(-x log x) = -(1 + log x) dx", lambda t, y, x: -t * (1 + np.log(x))),
    elementwise(
        sp.rel_entr,
        "d(a log(a/b)) = (1 + log(a/b)) da - a/b db",
        lambda t, y, a, b: t * (1 + np.log(a / b)),
        lambda t, y, a, b: -t * (a / b),
    ),
)
_, _of_slope = elementwise(
    _expit_slope,
    "d σ(x)σ(-x) = -tanh(x/2) σ(x)σ(-x) dx",
    lambda t, s, x, y: -t * (np.tanh(0.5 * x) * s),
    None,
)
_, _polygamma = elementwise(
    polygamma,
    "d ψ⁽ⁿ⁾(x) = ψ⁽ⁿ⁺¹⁾(x) dx",
    None,
    lambda t, y, n, x: t * call("polygamma", n + 1, x),
)
add(
    ("expit_slope", _of_slope),
    ("polygamma", _polygamma),
    matrix_function(
        "softmax",
        sp.softmax,
        "dy = (diag(y) - yyᵀ) dx, a symmetric map",
        (_softmax_differential, _softmax_differential),
    ),
    matrix_function(
        "logsumexp",
        _logsumexp,
        "d log Σ eˣ = softmax(x)ᵀ dx",
        (
            lambda t, y, x, axis=None, keepdims=False: np.sum(
                call("softmax", x, axis=axis) * t, axis=axis, keepdims=keepdims
            ),
            lambda g, y, x, axis=None, keepdims=False: (
                call("softmax", x, axis=axis) * with_axes(g, x, axis, keepdims)
            ),
        ),
    ),
)
