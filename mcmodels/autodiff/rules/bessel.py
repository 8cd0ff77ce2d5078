"""Rules of the Bessel functions of SciPy, by their arguments; the orders are fixed.

Identities: NIST Digital Library of Mathematical Functions, 10.6 and 10.29. Where the recurrence
divides by the argument, the derivative is written with the orders beside it, so that 0 is allowed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.rules.refused import no_closed_form
from mcmodels.autodiff.tables import Key, Map, add, elementwise, warn_kink
from mcmodels.autodiff.tracing import DerivativeRule, constant


def _of_order(ufunc: np.ufunc, identity: str, slope: Map) -> tuple[Key, DerivativeRule]:
    """The rule of a function of (order, x); ``slope(y, order, x)`` is its derivative by x."""
    name = f"scipy.special.{ufunc.__name__}"
    return elementwise(
        ufunc,
        identity,
        no_closed_form(name, "v"),
        lambda t, y, v, x: t * slope(y, v, x),
    )


def _side(x: Any) -> Any:
    side = np.sign(constant(x))
    warn_kink(
        side == 0, "exp(-|x|) is not differentiable at 0; 0 is taken for the derivative of |x|."
    )
    return side


add(
    _of_order(
        sp.jv, "d Jᵥ = (Jᵥ₋₁ - Jᵥ₊₁)/2 dx", lambda y, v, x: (sp.jv(v - 1, x) - sp.jv(v + 1, x)) / 2
    ),
    _of_order(
        sp.yv, "d Yᵥ = (Yᵥ₋₁ - Yᵥ₊₁)/2 dx", lambda y, v, x: (sp.yv(v - 1, x) - sp.yv(v + 1, x)) / 2
    ),
    _of_order(
        sp.iv, "d Iᵥ = (Iᵥ₋₁ + Iᵥ₊₁)/2 dx", lambda y, v, x: (sp.iv(v - 1, x) + sp.iv(v + 1, x)) / 2
    ),
    _of_order(
        sp.kv,
        "d Kᵥ = -(Kᵥ₋₁ + Kᵥ₊₁)/2 dx",
        lambda y, v, x: -(sp.kv(v - 1, x) + sp.kv(v + 1, x)) / 2,
    ),
    _of_order(
        sp.ive,
        "d(e^(-|x|) Iᵥ) = e^(-|x|)((Iᵥ₋₁ + Iᵥ₊₁)/2 - sign(x) Iᵥ) dx",
        lambda y, v, x: (sp.ive(v - 1, x) + sp.ive(v + 1, x)) / 2 - _side(x) * y,
    ),
    _of_order(
        sp.kve,
        "d(eˣKᵥ) = eˣ(Kᵥ - (Kᵥ₋₁ + Kᵥ₊₁)/2) dx",
        lambda y, v, x: y - (sp.kve(v - 1, x) + sp.kve(v + 1, x)) / 2,
    ),
    elementwise(sp.j0, "d J₀ = -J₁ dx", lambda t, y, x: -t * sp.j1(x)),
    elementwise(sp.j1, "d J₁ = (J₀ - J₂)/2 dx", lambda t, y, x: t * (sp.j0(x) - sp.jv(2.0, x)) / 2),
    elementwise(sp.y0, "d Y₀ = -Y₁ dx", lambda t, y, x: -t * sp.y1(x)),
    elementwise(sp.y1, "d Y₁ = (Y₀ - Y₂)/2 dx", lambda t, y, x: t * (sp.y0(x) - sp.yv(2.0, x)) / 2),
    elementwise(sp.i0, "d I₀ = I₁ dx", lambda t, y, x: t * sp.i1(x)),
    elementwise(sp.i1, "d I₁ = (I₀ + I₂)/2 dx", lambda t, y, x: t * (sp.i0(x) + sp.iv(2.0, x)) / 2),
    elementwise(sp.k0, "d K₀ = -K₁ dx", lambda t, y, x: -t * sp.k1(x)),
    elementwise(
        sp.k1, "d K₁ = -(K₀ + K₂)/2 dx", lambda t, y, x: -t * (sp.k0(x) + sp.kv(2.0, x)) / 2
    ),
    elementwise(
        sp.i0e,
        "d(e^(-|x|) I₀) = e^(-|x|)(I₁ - sign(x) I₀) dx",
        lambda t, y, x: t * (sp.i1e(x) - _side(x) * y),
    ),
    elementwise(
        sp.i1e,
        "d(e^(-|x|) I₁) = e^(-|x|)((I₀ + I₂)/2 - sign(x) I₁) dx",
        lambda t, y, x: t * ((sp.i0e(x) + sp.ive(2.0, x)) / 2 - _side(x) * y),
    ),
    elementwise(sp.k0e, "d(eˣK₀) = eˣ(K₀ - K₁) dx", lambda t, y, x: t * (y - sp.k1e(x))),
    elementwise(
        sp.k1e,
        "d(eˣK₁) = eˣ(K₁ - (K₀ + K₂)/2) dx",
        lambda t, y, x: t * (y - (sp.k0e(x) + sp.kve(2.0, x)) / 2),
    ),
)
