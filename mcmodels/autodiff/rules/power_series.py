"""Quotients that are 0/0 at a point, by their power series there.

``(1 - np.cos(x)) / x**2`` is 1/2 at 0, and analytic. The coefficients of its series come from its
values on a circle around the point: Cauchy's integral by the trapezoidal rule, whose error falls
geometrically with the number of points. They are taken only where the function shows itself as
analytic: the coefficients of negative powers are 0, and the series has its values inside the
circle.

Trefethen and Weideman (2014), "The exponentially convergent trapezoidal rule", SIAM Review 56, §2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mcmodels.autodiff.tables import add, call, elementwise

__all__ = ["PowerSeries", "by_power_series", "power_series"]

_POINTS = 64
_RADII = (1.0, 0.5, 0.25, 0.1, 0.03, 0.01)
_TOLERANCE = 1e-12  # relative: coefficients that are 0 if the function is analytic
_INSIDE = 0.4 * np.exp(1j * np.array([0.0, 0.8, 2.1, np.pi]))[:, None]
_TOLERANCE_INSIDE = 1e-9  # of values there, where f loses more digits


class PowerSeries:
    """Power series of a function about several points.

    Parameters
    ----------
    centres : ndarray of shape (m,)
        The points.
    coefficients : ndarray of shape (K, m)
        The coefficients of each power.
    """

    def __init__(self, centres: np.ndarray, coefficients: np.ndarray) -> None:
        self.centres = centres
        self.coefficients = coefficients

    def derivative(self, n: int, x: Any) -> Any:
        """The n-th derivative at points near the centres, one for each."""
        factors = [math.perm(k, n) for k in range(n, len(self.coefficients))]
        terms = self.coefficients[n:] * np.array(factors, float)[:, None]
        return np.polynomial.polynomial.polyval(x - self.centres, terms, tensor=False)


def power_series(f: Callable[[Any], Any], centres: np.ndarray) -> PowerSeries | None:
    """The series of f about points at which it may be 0/0; None if it is not analytic there.

    ``f`` takes complex arrays of shape (64, m).
    """
    circle = np.exp(2j * np.pi * np.arange(_POINTS) / _POINTS)[:, None]
    for radius in _RADII:
        with np.errstate(all="ignore"):
            try:
                values = np.asarray(f(centres + radius * circle))
                inside = np.asarray(f(centres + radius * _INSIDE))
            except (TypeError, ValueError):  # a function that has no complex values
                return None
        if values.shape != (_POINTS, centres.size) or not np.isfinite(values).all():
            continue
        found = np.fft.fft(values, axis=0) / _POINTS
        size = np.max(np.abs(found), axis=0)
        zero = np.concatenate([found[_POINTS // 2 :], found.imag])  # real on the real line
        coefficients = found.real[: _POINTS // 2]
        expected = np.polynomial.polynomial.polyval(_INSIDE, coefficients, tensor=False)
        if np.all(np.abs(zero) <= _TOLERANCE * size) and np.all(
            np.abs(inside - expected) <= _TOLERANCE_INSIDE * size
        ):
            coefficients = np.where(np.abs(coefficients) <= _ROUNDING * size, 0.0, coefficients)
            return PowerSeries(centres, coefficients / radius ** np.arange(_POINTS // 2)[:, None])
    return None


# Coefficients of this size, relative to the largest, are rounding errors.
_ROUNDING = 4 * float(np.finfo(float).eps)


def _by_power_series(series: PowerSeries, n: int, x: Any) -> Any:
    """The n-th derivative of a function by its series about x."""
    return series.derivative(n, x)


_by_power_series.__name__ = "by_power_series"

_, _rule = elementwise(
    _by_power_series,
    "d f⁽ⁿ⁾(x) = f⁽ⁿ⁺¹⁾(x) dx",
    None,
    None,
    lambda t, y, series, n, x: t * call("by_power_series", series, n + 1, x),
)
add(("by_power_series", _rule))


def by_power_series(series: PowerSeries, x: Any) -> Any:
    """The function of a series."""
    return call("by_power_series", series, 0, x)
