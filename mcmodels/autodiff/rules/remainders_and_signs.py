"""Remainders, and functions that put magnitudes and signs or exponents together."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.tables import add, elementwise, implements, warn_kink
from mcmodels.autodiff.tracing import constant, is_complex

__all__: list[str] = []


def _of_magnitude(t: Any, y: Any, a: Any, b: Any) -> Any:
    warn_kink(
        np.asarray(constant(a)) == 0,
        "copysign is not differentiable at 0; 0 is taken for its derivative.",
    )
    return t * (np.sign(constant(a)) * np.copysign(1.0, constant(b)))


add(
    elementwise(
        np.fmod,
        "d fmod(a, b) = da - trunc(a/b) db",
        lambda t, y, a, b: t,
        lambda t, y, a, b: -t * np.trunc(constant(a) / constant(b)),
    ),
    elementwise(np.copysign, "d |a| sign(b) = sign(a) sign(b) da", _of_magnitude, None),
    elementwise(np.ldexp, "d(a 2ⁿ) = 2ⁿ da", lambda t, y, a, n: np.ldexp(t, n), None),
)


@implements(np.real_if_close)
def _real_if_close(a: Any, tol: float = 100) -> Any:
    if is_complex(a) and not np.iscomplexobj(np.real_if_close(constant(a), tol)):
        return np.real(a)
    return np.positive(a)
