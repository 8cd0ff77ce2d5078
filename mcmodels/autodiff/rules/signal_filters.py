"""Convolutions of arrays of any number of axes, and linear filters: what ``scipy.signal`` has.

Both are linear in the signal. A filter ``a ∗ y = b ∗ x`` with ``da ∗ y + a ∗ dy = db ∗ x + b ∗ dx``
is its own derivative: Oppenheim and Schafer (2010), *Discrete-Time Signal Processing*, 3rd ed.,
§2.5. Its transpose is the same filter, run backwards.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.tables import add, call, matrix_function, multilinear, shape_of

__all__: list[str] = []


def _convolve(a: Any, v: Any, method: str = "auto") -> Any:
    from scipy.signal import convolve  # here, as its import takes long

    return convolve(a, v, "full", method)


def _convolve_adjoint(i: int, g: Any, a: Any, v: Any, method: str = "auto") -> Any:
    """``āⱼ = Σₖ gₖ vₖ₋ⱼ``: g convolved with the other array reversed, where both overlap."""
    mine, other = (a, v) if i == 0 else (v, a)
    backwards = other[(slice(None, None, -1),) * len(shape_of(other))]
    inside = tuple(
        slice(m - 1, m - 1 + n) for n, m in zip(shape_of(mine), shape_of(other), strict=True)
    )
    return call("convolve_nd", g, backwards, method=method)[inside]


_ONE = np.ones(1)


def _lfilter(b: Any, a: Any, x: Any) -> Any:
    from scipy.signal import lfilter

    return lfilter(b, a, x)


def _filtered(b: Any, a: Any, x: Any) -> Any:
    return call("lfilter", b, a, x)


def _filtered_backwards(b: Any, a: Any, g: Any) -> Any:
    return _filtered(b, a, g[..., ::-1])[..., ::-1]


def _shifted_products(g: Any, x: Any, count: int) -> Any:
    """``Σₜ gₜ xₜ₋ⱼ`` for the first shifts j."""
    n = shape_of(x)[-1]
    found = [np.sum(g[..., j:] * x[..., : n - j]) for j in range(min(count, n))]
    return np.stack([*found, *([np.zeros(())] * (count - len(found)))])


add(
    multilinear(
        "convolve_nd",
        _convolve,
        "d Σ aⱼvₖ₋ⱼ = Σ daⱼvₖ₋ⱼ + Σ aⱼdvₖ₋ⱼ",
        _convolve_adjoint,
    ),
    matrix_function(
        "lfilter",
        _lfilter,
        "a ∗ dy = db ∗ x + b ∗ dx - da ∗ y",
        (
            lambda t, y, b, a, x: _filtered(t, a, x),
            lambda g, y, b, a, x: _shifted_products(g, _filtered(_ONE, a, x), shape_of(b)[0]),
        ),
        (
            lambda t, y, b, a, x: -_filtered(_ONE, a, _filtered(t, _ONE, y)),
            lambda g, y, b, a, x: (
                -_shifted_products(_filtered_backwards(_ONE, a, g), y, shape_of(a)[0])
            ),
        ),
        (
            lambda t, y, b, a, x: _filtered(b, a, t),
            lambda g, y, b, a, x: _filtered_backwards(b, a, g),
        ),
    ),
)
