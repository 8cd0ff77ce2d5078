"""Hessians of a scalar Python function from its values, with the error of each entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcmodels.differences.complex_step import complex_step_gradient
from mcmodels.differences.constants import EPSILON, HESSIAN_ROUNDING, HESSIAN_STEPS
from mcmodels.differences.extrapolation import Array, extrapolated
from mcmodels.differences.jacobian import (
    COMPLEX_STEP,
    Estimate,
    NumericalDerivative,
    at_two_scales,
    best_over_sizes,
    coordinate_sizes,
    exact_if_confirmed,
    largest_entry,
    numerical_derivative,
    own_coordinate_sizes,
    refuse_inaccurate,
)
from mcmodels.differences.kinks import refuse_kinks
from mcmodels.differences.noise import measure_noise, value_or_nan
from mcmodels.plain import np

__all__ = ["numerical_hessian"]

DIFFERENCES_OF_COMPLEX_STEP = "differences of the complex step"


def numerical_hessian(
    f: Callable[[Array], Any],
    point: Array,
    value: Array,
    gradient: Callable[[Array], Any] | None = None,
) -> NumericalDerivative:
    """The Hessian of a scalar f over ``x.ravel()``, shape (n, n), symmetric.

    If a gradient is given, its derivative. Otherwise by second differences of f, or if these
    confirm it, by differences of the gradient that the complex step gives.

    Raises
    ------
    ValueError
        If the errors are so large that a wrong Hessian cannot be told from a right one, or f or its
        gradient has a kink at the point.
    """
    x = point.ravel()
    if gradient is not None:
        given = gradient

        def flat_gradient(v: Array) -> Array:
            return np.ravel(given(v.reshape(point.shape)))

        slope = np.atleast_1d(np.asarray(flat_gradient(x.copy()), dtype=float))
        found = numerical_derivative(flat_gradient, x, slope, name="grad")
        H, error = (a.reshape(x.size, x.size) for a in (found.derivative, found.error))
        return _symmetric(H, error, found.method, x)

    def flat(v: Array) -> Any:
        return np.reshape(f(v.reshape(point.shape)), ())

    scalar = np.reshape(value, ())
    first = numerical_derivative(flat, x, scalar)

    def by_differences(sizes: Array) -> Estimate:
        noise, units = measure_noise(flat, x, scalar, sizes)
        best, error = at_two_scales(
            lambda s: _second_differences(flat, x, float(value.item()), s, noise, first.derivative),
            sizes,
        )
        return best, error, HESSIAN_ROUNDING * units / np.outer(sizes, sizes)

    sizes = coordinate_sizes(x)
    noise, _ = measure_noise(flat, x, scalar, sizes)
    refuse_kinks(flat, x, scalar, sizes, noise, order=2)
    best, error, rounding = best_over_sizes(by_differences, x)
    refuse_inaccurate(best, error, rounding, x, "the gradient of f")
    exact = None
    if first.method == COMPLEX_STEP:
        exact = _differences_of_complex_step(flat, x)
    best, error, method = exact_if_confirmed(best, error, exact, DIFFERENCES_OF_COMPLEX_STEP)
    return _symmetric(best, error, method, x)


def _differences_of_complex_step(f: Callable[[Array], Any], x: Array) -> tuple[Array, Array] | None:
    slope = complex_step_gradient(f, x, coordinate_sizes(x))
    if not np.isfinite(slope).all():
        return None
    try:
        found = numerical_derivative(
            lambda v: complex_step_gradient(f, v, coordinate_sizes(x)),
            x,
            slope,
            name="the gradient",
            real=True,
        )
    except ValueError:
        return None
    return found.derivative.reshape(x.size, x.size), found.error.reshape(x.size, x.size)


def _symmetric(H: Array, error: Array, method: str, x: Array) -> NumericalDerivative:
    """A symmetric Hessian: of each pair of entries the one with the smaller error."""
    apart = np.abs(H - H.T)
    best = np.where(error <= error.T, H, H.T)
    best = np.where(error == error.T, (H + H.T) / 2, best)
    least = np.minimum(error, error.T)
    least = np.where(apart > error + error.T, apart, least)
    terms = np.full_like(best, np.inf)
    for sizes in (coordinate_sizes(x), own_coordinate_sizes(x)):
        outer = np.outer(sizes, sizes)
        with np.errstate(over="ignore"):
            terms = np.minimum(terms, largest_entry(best * outer) / outer)
    return NumericalDerivative(best, least, terms, method)


def _second_differences(
    f: Callable[[Array], Any], x: Array, value: float, sizes: Array, noise: Array, gradient: Array
) -> tuple[Array, Array]:
    n = x.size
    H, errors = np.empty((n, n)), np.empty((n, n))
    rounding = EPSILON * np.abs(gradient) * sizes  # the effect on f of rounding the coordinates
    for i in range(n):
        for j in range(i + 1):
            quotient = _quotient(f, x, value, sizes, i, j)
            off = noise + rounding[i] + rounding[j]
            off = 4 * off if i == j else off
            found, error = extrapolated(quotient, 2, off, HESSIAN_STEPS)
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
        return value_or_nan(f, moved)

    def diagonal(t: float) -> tuple[Array, Array]:
        above, below = at(t, 0), at(-t, 0)
        change = (above - value) + (below - value)
        return change / t**2, np.maximum(np.abs(above), np.abs(below))

    def mixed(t: float) -> tuple[Array, Array]:
        corners = np.array([at(t, t), at(-t, -t), at(t, -t), at(-t, t)])
        change = (corners[0] - corners[2]) + (corners[1] - corners[3])
        return change / (4 * t**2), np.abs(corners).max(axis=0)

    return diagonal if i == j else mixed
