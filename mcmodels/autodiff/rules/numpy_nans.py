"""NumPy's sums, products and extrema that leave out NaN, and ``nan_to_num``."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.tables import Axis, call, implements
from mcmodels.autodiff.tracing import NoRuleError, constant

__all__: list[str] = []


def _present(a: Any) -> Any:
    """Which entries are numbers."""
    return ~np.isnan(np.asarray(constant(a)))


def _replaced(a: Any, number: float) -> Any:
    """The array with a number in place of NaN."""
    return np.where(_present(a), a, number)


def _count(a: Any, axis: Axis, keepdims: bool) -> Any:
    dtype = np.asarray(constant(a)).dtype
    return np.sum(_present(a), axis=axis, keepdims=keepdims, dtype=dtype)


@implements(np.nansum)
def _nansum(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.sum(_replaced(a, 0.0), axis=axis, keepdims=keepdims)


@implements(np.nanprod)
def _nanprod(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.prod(_replaced(a, 1.0), axis=axis, keepdims=keepdims)


@implements(np.nancumsum)
def _nancumsum(a: Any, axis: int | None = None) -> Any:
    return np.cumsum(_replaced(a, 0.0), axis=axis)


@implements(np.nancumprod)
def _nancumprod(a: Any, axis: int | None = None) -> Any:
    return np.cumprod(_replaced(a, 1.0), axis=axis)


@implements(np.nanmean)
def _nanmean(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return _nansum(a, axis, keepdims) / _count(a, axis, keepdims)


def _deviations(a: Any, axis: Axis) -> Any:
    return np.where(_present(a), _replaced(a, 0.0) - _nanmean(a, axis, keepdims=True), 0.0)


def _degrees(a: Any, axis: Axis, ddof: float, keepdims: bool) -> Any:
    degrees = _count(a, axis, keepdims) - ddof
    return np.where(degrees > 0, degrees, np.nan)


@implements(np.nanvar)
def _nanvar(a: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
    squares = np.sum(np.square(_deviations(a, axis)), axis=axis, keepdims=keepdims)
    return squares / _degrees(a, axis, ddof, keepdims)


@implements(np.nanstd)
def _nanstd(a: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
    length = call("norm", _deviations(a, axis), axis=axis, keepdims=keepdims)
    return length / np.sqrt(_degrees(a, axis, ddof, keepdims))


def _nan_extremum(a: Any, axis: Axis, keepdims: bool, largest: bool) -> Any:
    function, other = (np.max, -np.inf) if largest else (np.min, np.inf)
    if np.all(_present(a)):
        return function(a, axis=axis, keepdims=keepdims)
    found = function(_replaced(a, other), axis=axis, keepdims=keepdims)
    return np.where(_count(a, axis, keepdims) > 0, found, np.nan)


@implements(np.nanmax)
def _nanmax(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return _nan_extremum(a, axis, keepdims, largest=True)


@implements(np.nanmin)
def _nanmin(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return _nan_extremum(a, axis, keepdims, largest=False)


@implements(np.nan_to_num)
def _nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    if not copy:
        raise NoRuleError(
            "numpy.nan_to_num(x, copy=False) changes x in place, which cannot be followed; write "
            "x = np.nan_to_num(x)."
        )
    plain = np.asarray(constant(x))
    limits = np.finfo(plain.dtype)
    x = np.where(np.isnan(plain), nan, x)
    x = np.where(plain == np.inf, limits.max if posinf is None else posinf, x)
    return np.where(plain == -np.inf, limits.min if neginf is None else neginf, x)
