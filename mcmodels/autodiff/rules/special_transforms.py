"""Rules of Box and Cox's transforms, of elliptic integrals, and of SciPy's names of exponentials.

Identities: Box and Cox (1964), *An analysis of transformations*, Journal of the Royal Statistical
Society B 26(2), §2; NIST Digital Library of Mathematical Functions, §15.4.1 (log(1 + v)/v), §15.5.1
(hypergeometric functions), §19.5.1–2 (elliptic integrals), §25.12 (dilogarithm). Quotients that are
0/0 at an ordinary point are written as hypergeometric functions, which have their limits there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.rules.special_integrals import slope_of_exprel
from mcmodels.autodiff.tables import add, elementwise, implements

__all__: list[str] = []


def _slope_of_log(v: Any) -> Any:
    """The derivative of ``log(1 + v)/v``."""
    return -0.5 * sp.hyp2f1(2.0, 2.0, 3.0, -v)


add(
    elementwise(
        sp.boxcox,
        "d (xᵖ - 1)/p = xᵖ⁻¹ dx + log²x h′(p log x) dp, h(u) = (eᵘ - 1)/u",
        lambda t, y, x, p: t * x ** (p - 1),
        lambda t, y, x, p: t * (np.square(np.log(x)) * slope_of_exprel(p * np.log(x))),
    ),
    elementwise(
        sp.boxcox1p,
        "d ((1 + x)ᵖ - 1)/p = (1 + x)ᵖ⁻¹ dx + log²(1 + x) h′(p log(1 + x)) dp",
        lambda t, y, x, p: t * (1 + x) ** (p - 1),
        lambda t, y, x, p: t * (np.square(np.log1p(x)) * slope_of_exprel(p * np.log1p(x))),
    ),
    elementwise(
        sp.inv_boxcox,
        "d x = x¹⁻ᵖ dy + x y² g′(py) dp, x = (1 + py)^(1/p) and g(v) = log(1 + v)/v",
        lambda t, x, y, p: t * x ** (1 - p),
        lambda t, x, y, p: t * (x * (y * y) * _slope_of_log(p * y)),
    ),
    elementwise(sp.loggamma, "d log Γ(x) = ψ(x) dx", lambda t, y, x: t * sp.psi(x)),
    elementwise(
        sp.ellipk,
        "d K(m) = π/8 ₂F₁(3/2, 3/2, 2, m) dm",
        lambda t, y, m: t * (math.pi / 8 * sp.hyp2f1(1.5, 1.5, 2.0, m)),
    ),
    elementwise(
        sp.ellipe,
        "d E(m) = -π/8 ₂F₁(1/2, 3/2, 2, m) dm",
        lambda t, y, m: -t * (math.pi / 8 * sp.hyp2f1(0.5, 1.5, 2.0, m)),
    ),
    elementwise(
        sp.spence,
        "d Li₂(1 - x) = log x/(1 - x) dx",
        lambda t, y, x: -t * sp.hyp2f1(1.0, 1.0, 2.0, 1 - x),
    ),
    elementwise(sp.cbrt, "d ∛x = dx/(3 ∛x²)", lambda t, y, x: t / (3 * y * y)),
    elementwise(sp.exp2, "d 2ˣ = 2ˣ log 2 dx", lambda t, y, x: t * (math.log(2.0) * y)),
    elementwise(sp.exp10, "d 10ˣ = 10ˣ log 10 dx", lambda t, y, x: t * (math.log(10.0) * y)),
    elementwise(sp.expm1, "d(eˣ - 1) = eˣ dx", lambda t, y, x: t * np.exp(x)),
    elementwise(sp.log1p, "d log(1 + x) = dx/(1 + x)", lambda t, y, x: t / (1 + x)),
)


@implements(np.i0)
def _i0(x: Any) -> Any:
    return sp.i0(x)
