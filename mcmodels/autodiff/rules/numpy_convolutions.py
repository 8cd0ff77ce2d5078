"""NumPy's convolutions of vectors, and ``sinc``."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.tables import add, call, elementwise, implements, multilinear, shape_of

__all__: list[str] = []


def _convolve_adjoint(i: int, g: Any, a: Any, v: Any) -> Any:
    """``āⱼ = Σₖ gₖ vₖ₋ⱼ``: g convolved with the other array reversed, where both overlap."""
    mine, other = (a, v) if i == 0 else (v, a)
    before = shape_of(other)[0] - 1
    return call("convolve", g, other[::-1])[before : before + shape_of(mine)[0]]


add(
    multilinear(
        "convolve",
        lambda a, v: np.convolve(a, v),
        "d Σ aⱼvₖ₋ⱼ = Σ daⱼvₖ₋ⱼ + Σ aⱼdvₖ₋ⱼ",
        _convolve_adjoint,
    )
)


def _convolution(name: str, a: Any, v: Any, mode: Any, start_of_same: int) -> Any:
    n, m = shape_of(a)[0], shape_of(v)[0]
    full = call("convolve", a, v)
    if mode in ("full", 2):
        return full
    if mode in ("same", 1):
        return full[start_of_same : start_of_same + max(n, m)]
    if mode in ("valid", 0):
        return full[min(n, m) - 1 : max(n, m)]
    raise ValueError(f"{name}: mode must be 'full', 'same' or 'valid'; found {mode!r}")


@implements(np.convolve)
def _convolve(a: Any, v: Any, mode: Any = "full") -> Any:
    a, v = np.atleast_1d(a, v)
    n, m = shape_of(a)[0], shape_of(v)[0]
    return _convolution("numpy.convolve", a, v, mode, (min(n, m) - 1) // 2)


@implements(np.correlate)
def _correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    a, v = np.atleast_1d(a, v)
    n, m = shape_of(a)[0], shape_of(v)[0]
    # Of an array shorter than v NumPy correlates the two the other way round, and reverses.
    start = (m - 1) // 2 if n >= m else n // 2
    return _convolution("numpy.correlate", a, v[::-1], mode, start)


# ---- sinc ------------------------------------------------------------------------------------


def _sinc(x: Any) -> Any:
    return np.sinc(x)


_sinc.__name__ = "sinc"


def _spherical_bessel(n: int, x: Any) -> Any:
    return sp.spherical_jn(n, x)


def _of_spherical_bessel(t: Any, y: Any, n: int, x: Any) -> Any:
    """``jₙ′ = (n jₙ₋₁ - (n + 1) jₙ₊₁)/(2n + 1)``: no division by x, which may be 0.

    NIST Digital Library of Mathematical Functions, 10.51.1.
    """
    after = call("spherical_bessel", n + 1, x)
    before = call("spherical_bessel", n - 1, x) if n > 0 else 0.0
    return t * ((n * before - (n + 1) * after) / (2 * n + 1))


_, _sinc_rule = elementwise(
    _sinc,
    "d sin(πx)/(πx) = -π j₁(πx) dx",
    lambda t, y, x: t * (-np.pi * call("spherical_bessel", 1, np.pi * x)),
)
_, _spherical_bessel_rule = elementwise(
    _spherical_bessel,
    "d jₙ(x) = (n jₙ₋₁(x) - (n + 1) jₙ₊₁(x))/(2n + 1) dx",
    None,
    _of_spherical_bessel,
)
add(("sinc", _sinc_rule), ("spherical_bessel", _spherical_bessel_rule))


@implements(np.sinc)
def _sinc_of_numpy(x: Any) -> Any:
    return call("sinc", x)
