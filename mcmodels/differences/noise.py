"""By how much the values of a function are off.

Moré and Wild (2011), *Estimating computational noise*, SIAM Journal on Scientific Computing 33(3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mcmodels.differences.extrapolation import Array

__all__ = ["noise_of", "tried"]

_STEP = 7.37e-7  # no power of 2, whose multiples rounding may leave as they are
_POINTS = 12
_ORDER = 6
_GAIN = 924.0  # 12! / 6!², the sum of squares of the weights of a sixth difference
_SPAN = 2.0**-6  # how far around x the size of f is looked at


def noise_of(
    f: Callable[[Array], Any], point: Array, value: Array, sizes: Array
) -> tuple[Array, Array]:
    """By how much values of f are off, and a unit of rounding of f, for each of its entries.

    Sixth differences at tiny steps are noise alone: a function may round more coarsely than its
    values show.

    Parameters
    ----------
    f : callable
    point, value : ndarray
        x and f(x).
    sizes : ndarray
        What is a step of size 1 of each coordinate.
    """
    precision = value.dtype if value.dtype.kind == "f" else np.dtype(float)
    count = np.arange(_POINTS) - _POINTS // 2
    values = np.array([np.ravel(tried(f, point + i * _STEP * sizes).T) for i in count])
    around = np.array([np.ravel(tried(f, point + t * sizes).T) for t in (-_SPAN, _SPAN)])
    largest = np.abs(np.ravel(np.asarray(value, dtype=float).T))
    largest = np.fmax(largest, np.abs(np.where(np.isfinite(around), around, 0)).max(axis=0))
    units = float(np.finfo(precision).eps) * largest
    with np.errstate(all="ignore"):
        differences = np.diff(values, n=_ORDER, axis=0)
        noise = np.sqrt((differences**2).mean(axis=0) / _GAIN)
    return np.maximum(units, np.where(np.isfinite(noise), noise, 0)), units


def tried(f: Callable[[Array], Any], x: Array) -> Array:
    """The value of f, NaN where it is not defined."""
    with np.errstate(all="ignore"):
        try:
            return np.asarray(f(np.asarray(x)), dtype=float)
        except (ValueError, ArithmeticError):  # as math.log and math.exp raise
            return np.asarray(np.nan)
