"""The complex step: derivatives without subtraction, if f computes with complex numbers.

For an analytic f, ``Im f(x + ih)/h`` is f′(x) up to h², and h may be so small that h² is
negligible: Squire and Trapp (1998), *Using complex variables to estimate derivatives of real
functions*, SIAM Review 40(1). If f takes absolute values, conjugates or real parts, the result is
wrong without any sign of it. So the result must be confirmed by differences.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from mcmodels.differences.constants import (
    COMPLEX_STEP_ERROR_FACTOR,
    COMPLEX_STEP_SIZE,
    COMPLEX_STEP_TRIALS,
    COMPLEX_STEP_UNITS,
    EPSILON,
)
from mcmodels.differences.extrapolation import Array
from mcmodels.plain import np

__all__ = ["complex_step_gradient", "complex_step_jacobian"]


def complex_step_jacobian(
    f: Callable[[Array], Any], point: Array, sizes: Array, coarseness: float = 1.0
) -> tuple[Array, Array] | None:
    """The Jacobian of f and its rounding error; None if f does not compute with complex numbers.

    The rounding error is how much the result changes when the point moves by units of rounding. If
    f rounds more coarsely than that, as in single precision, larger moves to both sides show it: in
    the sum of the two changes, the change of the derivative itself cancels.

    Parameters
    ----------
    f : callable
        Function of one array.
    point : ndarray
        Where to differentiate.
    sizes : ndarray
        The sizes of the coordinates: steps are relative to them.
    coarseness : float
        The rounding of f in units of rounding of float64.

    Returns
    -------
    jacobian, error : ndarray
        Entries of f by entries of x, both in column-major order.
    """
    rng = np.random.default_rng(0)
    columns, errors = [], []
    for index in np.ndindex(*point.shape[::-1]):
        entry = index[::-1]
        best = _column(f, point, entry, COMPLEX_STEP_SIZE * float(sizes[entry]))
        if best is None:
            return None
        spread = np.zeros_like(best)
        for _ in range(COMPLEX_STEP_TRIALS):
            moves = rng.integers(-COMPLEX_STEP_UNITS, COMPLEX_STEP_UNITS + 1, point.shape)
            changes = []
            for units in (1, coarseness, -coarseness)[: 1 if coarseness == 1 else 3]:
                moved = point * (1 + EPSILON * units * moves)
                step = COMPLEX_STEP_SIZE * float(sizes[entry]) * rng.uniform(0.5, 1)
                other = _column(f, moved, entry, step)
                if other is None or other.shape != best.shape:
                    return None
                changes.append(other - best)
            spread = np.maximum(spread, np.abs(changes[0]))
            spread = np.maximum(spread, np.abs(sum(changes[1:])) / 2)
        columns.append(best)
        errors.append(COMPLEX_STEP_ERROR_FACTOR * (spread + EPSILON * np.abs(best)))
    return np.array(columns).T, np.array(errors).T


def _column(
    f: Callable[[Array], Any], point: Array, entry: tuple[int, ...], step: float
) -> Array | None:
    """The derivative of all entries of f by one entry of x."""
    moved = np.array(point, dtype=complex)
    moved[entry] += 1j * step
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = np.asarray(f(moved))
        except Exception:  # f need not take complex numbers, and may raise any error
            return None
        if value.dtype.kind != "c":
            return None
        column = np.ravel(value.imag.T).astype(float) / step
    return column if np.isfinite(column).all() else None


def complex_step_gradient(f: Callable[[Array], Any], x: Array, sizes: Array) -> Array:
    """The gradient of a scalar f of a vector by the complex step; NaN where it is impossible."""
    columns = [_column(f, x, (i,), COMPLEX_STEP_SIZE * float(sizes[i])) for i in range(x.size)]
    return np.array([np.nan if c is None or c.size != 1 else c.item() for c in columns])
