"""Rules of other functions of SciPy: 1/Γ, Bessel functions of whole order, Poisson, degrees.

Identities: NIST Digital Library of Mathematical Functions, 5.2 and 5.5 (the gamma function and its
reflection), 10.6 and 10.29 (Bessel functions), 8.4 (the incomplete gamma function of whole order).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.tables import STEPS, add, elementwise
from mcmodels.autodiff.tracing import constant

_DEGREE = float(np.pi / 180.0)


def _of_rgamma(t: Any, y: Any, x: Any) -> Any:
    """``-ψ(x)/Γ(x)``; left of 1/2 by ``1/Γ(x) = sin(πx) Γ(1 - x)/π``, which has no poles."""
    left = np.asarray(constant(x)) < 0.5
    right = -sp.psi(np.where(left, 1.0, x)) * y
    if not left.any():
        return t * right
    z = np.where(left, x, 0.0)
    reflected = np.cos(np.pi * z) * sp.gamma(1 - z) - sp.psi(1 - z) * sp.rgamma(z)
    return t * np.where(left, reflected, right)


def _whole(n: Any) -> Any:
    """The order that SciPy takes for n."""
    return np.trunc(constant(n))


def _poisson(k: Any, m: Any) -> Any:
    """The probability of ⌊k⌋ events where m are expected."""
    k = np.floor(constant(k))
    return np.exp(sp.xlogy(k, m) - m - sp.gammaln(k + 1.0))


add(
    elementwise(sp.rgamma, "d 1/Γ(x) = -ψ(x)/Γ(x) dx", _of_rgamma),
    elementwise(
        sp.yn,
        "d Yₙ = (Yₙ₋₁ - Yₙ₊₁)/2 dx",
        None,
        lambda t, y, n, x: t * (sp.yv(_whole(n) - 1.0, x) - sp.yv(_whole(n) + 1.0, x)) / 2,
    ),
    elementwise(
        sp.kn,
        "d Kₙ = -(Kₙ₋₁ + Kₙ₊₁)/2 dx",
        None,
        lambda t, y, n, x: -t * (sp.kv(_whole(n) - 1.0, x) + sp.kv(_whole(n) + 1.0, x)) / 2,
    ),
    elementwise(
        sp.pdtr,
        "d Σ_{j≤k} mʲe⁻ᵐ/j! = -mᵏe⁻ᵐ/k! dm",
        None,
        lambda t, y, k, m: -t * _poisson(k, m),
    ),
    elementwise(
        sp.pdtrc,
        "d Σ_{j>k} mʲe⁻ᵐ/j! = mᵏe⁻ᵐ/k! dm",
        None,
        lambda t, y, k, m: t * _poisson(k, m),
    ),
    elementwise(
        sp.sindg, "d sin x° = π/180 cos x° dx", lambda t, y, x: t * (_DEGREE * sp.cosdg(x))
    ),
    elementwise(
        sp.cosdg, "d cos x° = -π/180 sin x° dx", lambda t, y, x: -t * (_DEGREE * sp.sindg(x))
    ),
    elementwise(
        sp.tandg, "d tan x° = π/180 (1 + tan²x°) dx", lambda t, y, x: t * (_DEGREE * (1 + y * y))
    ),
)
STEPS.add(sp.gammasgn)
