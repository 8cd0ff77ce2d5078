"""Hessians of Python functions by their values, with how far to trust each entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mcmodels.differences.complex_step import complex_gradient
from mcmodels.differences.extrapolation import Array, extrapolated
from mcmodels.differences.kinks import require_smooth
from mcmodels.differences.measurement import (
    COMPLEX_STEP,
    Estimate,
    Measured,
    at_two_scales,
    confirmed,
    measured,
    over_sizes,
    own_sizes,
    require_good,
    scale_of,
    sizes_of,
)
from mcmodels.differences.noise import noise_of, tried

__all__ = ["measured_hessian"]

OF_COMPLEX_STEP = "differences of the complex step"

_HALVINGS = 14  # from 2⁻⁴ down to 2⁻¹⁷, where second differences are rounding alone
_MUCH_ROUNDING = 1e6  # units of rounding of f, more than second differences of a flat f leave
_EPSILON = float(np.finfo(float).eps)


def measured_hessian(
    f: Callable[[Array], Any],
    point: Array,
    value: Array,
    gradient: Callable[[Array], Any] | None = None,
) -> Measured:
    """The Hessian of a scalar f over ``x.ravel()``, shape (n, n), symmetric.

    Of a gradient that is given, the derivative; else by second differences of f, or where they
    confirm it, by differences of the gradient by the complex step.

    Raises
    ------
    ValueError
        If the differences are so bad that a right Hessian cannot be told from a wrong one, or there
        is a kink at the point.
    """
    x = point.ravel()
    if gradient is not None:
        given = gradient

        def flat_gradient(v: Array) -> Array:
            return np.ravel(given(v.reshape(point.shape)))

        slope = np.atleast_1d(np.asarray(flat_gradient(x.copy()), dtype=float))
        found = measured(flat_gradient, x, slope, name="grad")
        H, doubt = (a.reshape(x.size, x.size) for a in (found.right, found.doubt))
        return _symmetric(H, doubt, found.method, x)

    def flat(v: Array) -> Any:
        return np.reshape(f(v.reshape(point.shape)), ())

    scalar = np.reshape(value, ())
    first = measured(flat, x, scalar)

    def by_differences(sizes: Array) -> Estimate:
        noise, units = noise_of(flat, x, scalar, sizes)
        best, doubt = at_two_scales(
            lambda s: _second_differences(flat, x, float(value.item()), s, noise, first.right),
            sizes,
        )
        return best, doubt, _MUCH_ROUNDING * units / np.outer(sizes, sizes)

    sizes = sizes_of(x)
    noise, _ = noise_of(flat, x, scalar, sizes)
    require_smooth(flat, x, scalar, sizes, noise, order=2)
    best, doubt, rounding = over_sizes(by_differences, x)
    require_good(best, doubt, rounding, x, "the gradient of f")
    exact = None
    if first.method == COMPLEX_STEP:
        exact = _by_complex_gradient(flat, x)
    best, doubt, method = confirmed(best, doubt, exact, OF_COMPLEX_STEP)
    return _symmetric(best, doubt, method, x)


def _by_complex_gradient(f: Callable[[Array], Any], x: Array) -> tuple[Array, Array] | None:
    slope = complex_gradient(f, x, sizes_of(x))
    if not np.isfinite(slope).all():
        return None
    try:
        found = measured(
            lambda v: complex_gradient(f, v, sizes_of(x)), x, slope, name="the gradient", real=True
        )
    except ValueError:
        return None
    return found.right.reshape(x.size, x.size), found.doubt.reshape(x.size, x.size)


def _symmetric(H: Array, doubt: Array, method: str, x: Array) -> Measured:
    """Of two entries that should be equal, the one that is known better."""
    apart = np.abs(H - H.T)
    best = np.where(doubt <= doubt.T, H, H.T)
    best = np.where(doubt == doubt.T, (H + H.T) / 2, best)
    least = np.minimum(doubt, doubt.T)
    least = np.where(apart > doubt + doubt.T, apart, least)
    terms = np.full_like(best, np.inf)
    for sizes in (sizes_of(x), own_sizes(x)):
        outer = np.outer(sizes, sizes)
        with np.errstate(over="ignore"):
            terms = np.minimum(terms, scale_of(best * outer) / outer)
    return Measured(best, least, terms, method)


def _second_differences(
    f: Callable[[Array], Any], x: Array, value: float, sizes: Array, noise: Array, gradient: Array
) -> tuple[Array, Array]:
    n = x.size
    H, errors = np.empty((n, n)), np.empty((n, n))
    rounding = _EPSILON * np.abs(gradient) * sizes  # of the coordinates, seen in f
    for i in range(n):
        for j in range(i + 1):
            quotient = _quotient(f, x, value, sizes, i, j)
            off = noise + rounding[i] + rounding[j]
            found, error = extrapolated(quotient, 2, 4 * off if i == j else off, _HALVINGS)
            area = float(sizes[i] * sizes[j])
            H[i, j] = H[j, i] = found.item() / area
            errors[i, j] = errors[j, i] = error.item() / area
    return H, errors


def _quotient(
    f: Callable[[Array], Any], x: Array, value: float, sizes: Array, i: int, j: int
) -> Callable[[float], tuple[Array, Array]]:
    def at(s: float, t: float) -> Array:
        moved = x.copy()
        moved[i] += s * sizes[i]
        moved[j] += t * sizes[j]
        return tried(f, moved)

    def diagonal(t: float) -> tuple[Array, Array]:
        above, below = at(t, 0), at(-t, 0)
        change = (above - value) + (below - value)
        return change / t**2, np.maximum(np.abs(above), np.abs(below))

    def mixed(t: float) -> tuple[Array, Array]:
        corners = np.array([at(t, t), at(-t, -t), at(t, -t), at(-t, t)])
        change = (corners[0] - corners[2]) + (corners[1] - corners[3])
        return change / (4 * t**2), np.abs(corners).max(axis=0)

    return diagonal if i == j else mixed
