"""Derivatives of Python functions by differences, with how far to trust each entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.calculus.binding import Array
from mcmodels.calculus.checks import difference_with_error

__all__ = ["Measured", "measured"]

_HALVINGS = 24  # from 2⁻⁴ down to 2⁻²⁷ of the size of a coordinate, fewer where rounding says so
_SMALLEST_SIZE = 1e-6  # of a coordinate, of the largest one
_SECOND_SCALE = 0.7  # of the first steps; no power of 2, so that both are seldom wrong alike
_TIMES_DOUBT = 10  # by which a measured uncertainty is multiplied to be on the safe side
_GOOD = 1e-3  # of the largest entry: a doubt up to which right and wrong can be told apart
_MUCH_ROUNDING = 1e4  # units of rounding of f, more than differences of a flat f leave

_NOISE_STEP = 7.37e-7  # no power of 2, whose multiples rounding may leave as they are
_NOISE_POINTS = 12
_NOISE_ORDER = 6
_NOISE_GAIN = 924.0  # 12! / 6!², the sum of squares of the weights of a sixth difference
_SPAN = 2.0**-6  # how far around x the size of f is looked at


@dataclass(frozen=True)
class Measured:
    """A derivative by differences.

    Attributes
    ----------
    right : ndarray
        The gradient in the shape of x, or the Jacobian.
    doubt : ndarray
        How far each entry may be off.
    flat : bool
        Whether all is 0 as far as the rounding of f lets one see.
    """

    right: Array
    doubt: Array
    flat: bool


def measured(f: Callable[[Array], Any], point: Array, value: Array) -> Measured:
    """The derivative of f at a point where its value is known.

    Each coordinate has steps of its own size. Where these do not show the derivative, as beside
    large constants, steps of size 1 are tried.

    Raises
    ------
    ValueError
        If the differences are so bad that a right derivative cannot be told from a wrong one.
    """
    largest = float(np.abs(point).max()) or 1.0
    sizes = np.maximum(np.abs(point), _SMALLEST_SIZE * largest)
    best, doubt, rounding = _at_two_scales(f, point, value, sizes)
    if (doubt > _GOOD * _scale(best)).any() and (sizes < 1).any():
        other, other_doubt, rounding = _at_two_scales(f, point, value, np.maximum(sizes, 1.0))
        best = np.where(other_doubt < doubt, other, best)
        doubt = np.minimum(doubt, other_doubt)
    _require_good(best, doubt, rounding, point)
    flat = _scale(best) <= 10 * float(doubt.max())
    if value.size == 1:
        best, doubt = (array.T.reshape(point.shape[::-1]).T for array in (best, doubt))
    return Measured(best, doubt, flat)


def _scale(derivative: Array) -> float:
    return float(np.abs(derivative[np.isfinite(derivative)]).max(initial=0.0))


def _require_good(best: Array, doubt: Array, rounding: Array, point: Array) -> None:
    if not np.isfinite(best).any():
        raise ValueError("f has no finite differences at x; is x inside the domain of f?")
    too_bad = doubt > np.maximum(_GOOD * _scale(best), rounding)
    if not too_bad.any():
        return
    columns = np.where(too_bad, doubt, -1.0).max(axis=0)
    index = list(np.ndindex(*point.shape[::-1]))[int(np.argmax(columns))][::-1]
    name = f"x[{', '.join(str(i) for i in index)}]" if index else "x"
    raise ValueError(
        f"differences of f are not good enough here to tell a right derivative from a wrong one: "
        f"by {name} = {float(point[index]):.6g} they are good to {columns.max():.1g} only, where "
        f"the largest entry is about {_scale(best):.1g}. f may be noisy, swing within tiny steps, "
        "or have a kink or the end of its domain there: try another point, scale the variable, or "
        "give f as an expression"
    )


def _at_two_scales(
    f: Callable[[Array], Any], point: Array, value: Array, sizes: Array
) -> tuple[Array, Array, Array]:
    """The Jacobian, the doubt about each entry, and what doubt the rounding of f excuses."""
    noise, units = _noise(f, point, value, sizes)
    first, first_error = _differences(f, point, sizes, noise)
    second, second_error = _differences(f, point, _SECOND_SCALE * sizes, noise)
    best = np.where(first_error <= second_error, first, second)
    error = np.minimum(first_error, second_error)
    with np.errstate(invalid="ignore"):
        apart = np.abs(first - second)
        contradicted = apart > _TIMES_DOUBT * (first_error + second_error)
    doubt = _TIMES_DOUBT * np.where(contradicted, apart, error)
    rounding = _MUCH_ROUNDING * units[:, None] / sizes.T.reshape(1, -1)
    return best, doubt, rounding


def _noise(
    f: Callable[[Array], Any], point: Array, value: Array, sizes: Array
) -> tuple[Array, Array]:
    """By how much values of f are off, and a unit of rounding of f, for each of its entries.

    Sixth differences at tiny steps are noise alone: a function may round more coarsely than its
    values show.

    Moré and Wild (2011), SIAM Journal on Scientific Computing 33(3).
    """
    precision = value.dtype if value.dtype.kind == "f" else np.dtype(float)
    count = np.arange(_NOISE_POINTS) - _NOISE_POINTS // 2
    values = np.array([np.ravel(_tried(f, point + i * _NOISE_STEP * sizes).T) for i in count])
    around = np.array([np.ravel(_tried(f, point + t * sizes).T) for t in (-_SPAN, _SPAN)])
    largest = np.abs(np.ravel(np.asarray(value, dtype=float).T))
    largest = np.fmax(largest, np.abs(np.where(np.isfinite(around), around, 0)).max(axis=0))
    units = float(np.finfo(precision).eps) * largest
    with np.errstate(all="ignore"):
        differences = np.diff(values, n=_NOISE_ORDER, axis=0)
        noise = np.sqrt((differences**2).mean(axis=0) / _NOISE_GAIN)
    return np.maximum(units, np.where(np.isfinite(noise), noise, 0)), units


def _tried(f: Callable[[Array], Any], x: Array) -> Array:
    """The value of f, NaN where it is not defined."""
    with np.errstate(all="ignore"):
        try:
            return np.asarray(f(x), dtype=float)
        except (ValueError, ArithmeticError):  # as math.log and math.exp raise
            return np.asarray(np.nan)


def _differences(
    f: Callable[[Array], Any], point: Array, sizes: Array, noise: Array
) -> tuple[Array, Array]:
    """The Jacobian, entries of f by entries of x, both counted down the columns, and its error."""
    columns, errors = [], []
    for index in np.ndindex(*point.shape[::-1]):
        E = np.zeros(point.shape)
        size = float(sizes[index[::-1]])
        E[index[::-1]] = size

        def along(t: float, E: Array = E) -> Array:
            return np.ravel(_tried(f, point + t * E).T) + np.zeros_like(noise)

        found, error = difference_with_error(along, noise, _HALVINGS)
        columns.append(found / size)
        errors.append(error / size)
    return np.array(columns).T, np.array(errors).T
