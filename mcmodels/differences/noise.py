"""The noise of a function: by how much its values are off.

Moré and Wild (2011), *Estimating computational noise*, SIAM Journal on Scientific Computing 33(3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcmodels.differences.constants import (
    NOISE_GAIN,
    NOISE_NEIGHBOURHOOD,
    NOISE_ORDER,
    NOISE_POINTS,
    NOISE_STEP,
)
from mcmodels.differences.extrapolation import Array
from mcmodels.plain import np

__all__ = ["measure_noise", "value_or_nan"]


def measure_noise(
    f: Callable[[Array], Any], point: Array, value: Array, sizes: Array
) -> tuple[Array, Array]:
    """The noise of each entry of f, and its unit of rounding.

    Sixth differences at tiny steps are noise alone. The noise may be much larger than the unit of
    rounding of the values.

    Parameters
    ----------
    f : callable
        Function of one array.
    point, value : ndarray
        x and f(x).
    sizes : ndarray
        The sizes of the coordinates: steps are relative to them.
    """
    precision = value.dtype if value.dtype.kind == "f" else np.dtype(float)
    count = np.arange(NOISE_POINTS) - NOISE_POINTS // 2
    values = np.array([np.ravel(value_or_nan(f, point + i * NOISE_STEP * sizes).T) for i in count])
    around = np.array(
        [
            np.ravel(value_or_nan(f, point + t * sizes).T)
            for t in (-NOISE_NEIGHBOURHOOD, NOISE_NEIGHBOURHOOD)
        ]
    )
    largest = np.abs(np.ravel(np.asarray(value, dtype=float).T))
    largest = np.fmax(largest, np.abs(np.where(np.isfinite(around), around, 0)).max(axis=0))
    units = float(np.finfo(precision).eps) * largest
    with np.errstate(all="ignore"):
        differences = np.diff(values, n=NOISE_ORDER, axis=0)
        noise = np.sqrt((differences**2).mean(axis=0) / NOISE_GAIN)
    return np.maximum(units, np.where(np.isfinite(noise), noise, 0)), units


def value_or_nan(f: Callable[[Array], Any], x: Array) -> Array:
    """The value of f, or NaN where it is not defined."""
    with np.errstate(all="ignore"):
        try:
            return np.asarray(f(np.asarray(x)), dtype=float)
        except (ValueError, ArithmeticError):  # as math.log and math.exp raise
            return np.asarray(np.nan)
