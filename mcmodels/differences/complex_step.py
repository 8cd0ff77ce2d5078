"""The complex step: derivatives without subtraction, where f computes with complex numbers.

For an analytic f, ``Im f(x + ih)/h`` is f′(x) up to h², and h may be so small that this is nothing:
Squire and Trapp (1998), *Using complex variables to estimate derivatives of real functions*, SIAM
Review 40(1). Of functions that take absolute values, conjugates or real parts the result is wrong,
and nothing shows it: it has to be confirmed by differences.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from mcmodels.differences.extrapolation import Array

__all__ = ["by_complex_step", "complex_gradient"]

_STEP = 2.0**-80  # of the size of a coordinate; its square is nothing, and float32 can hold it
_EPSILON = float(np.finfo(float).eps)
_REPETITIONS = 4
_UNITS = 2  # of rounding, by which the point is moved
_TIMES_SPREAD = 4  # the largest of few deviations, to be on the safe side


def by_complex_step(
    f: Callable[[Array], Any], point: Array, sizes: Array, coarseness: float = 1.0
) -> tuple[Array, Array] | None:
    """The Jacobian of f and how much of each entry is rounding; None where f is not up to it.

    Rounding is what the result changes by when the point moves by units of rounding. Where f rounds
    more coarsely than that, as in single precision, it is seen by larger moves to both sides: their
    sum cancels what the derivative itself changes by.

    Parameters
    ----------
    f : callable
    point : ndarray
    sizes : ndarray
        Of the coordinates: steps are small multiples of them.
    coarseness : float
        How many units of rounding one of f is.

    Returns
    -------
    jacobian, error : ndarray
        Entries of f by entries of x, both counted down the columns.
    """
    rng = np.random.default_rng(0)
    columns, errors = [], []
    for index in np.ndindex(*point.shape[::-1]):
        entry = index[::-1]
        best = _column(f, point, entry, _STEP * float(sizes[entry]))
        if best is None:
            return None
        spread = np.zeros_like(best)
        for _ in range(_REPETITIONS):
            moves = rng.integers(-_UNITS, _UNITS + 1, point.shape)
            changes = []
            for units in (1, coarseness, -coarseness)[: 1 if coarseness == 1 else 3]:
                moved = point * (1 + _EPSILON * units * moves)
                step = _STEP * float(sizes[entry]) * rng.uniform(0.5, 1)
                other = _column(f, moved, entry, step)
                if other is None or other.shape != best.shape:
                    return None
                changes.append(other - best)
            spread = np.maximum(spread, np.abs(changes[0]))
            spread = np.maximum(spread, np.abs(sum(changes[1:])) / 2)
        columns.append(best)
        errors.append(_TIMES_SPREAD * (spread + _EPSILON * np.abs(best)))
    return np.array(columns).T, np.array(errors).T


def _column(
    f: Callable[[Array], Any], point: Array, entry: tuple[int, ...], step: float
) -> Array | None:
    moved = np.array(point, dtype=complex)
    moved[entry] += 1j * step
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = np.asarray(f(moved))
        except Exception:  # f need not take complex numbers, and may say so as it likes
            return None
        if value.dtype.kind != "c":
            return None
        column = np.ravel(value.imag.T).astype(float) / step
    return column if np.isfinite(column).all() else None


def complex_gradient(f: Callable[[Array], Any], x: Array, sizes: Array) -> Array:
    """The gradient of a scalar f of a vector by the complex step, NaN where f is not up to it."""
    columns = [_column(f, x, (i,), _STEP * float(sizes[i])) for i in range(x.size)]
    return np.array([np.nan if c is None or c.size != 1 else c.item() for c in columns])
