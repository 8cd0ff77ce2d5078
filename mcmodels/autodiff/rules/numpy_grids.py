"""NumPy's grids and ranges between traced limits, written with functions that have rules."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from mcmodels.autodiff.tables import dtype_of, implements, shape_of
from mcmodels.autodiff.tracing import NoRuleError, constant

__all__: list[str] = []


@implements(np.broadcast_arrays)
def _broadcast_arrays(*args: Any) -> Any:
    shape = np.broadcast_shapes(*map(shape_of, args))
    return tuple(np.broadcast_to(a, shape) for a in args)


@implements(np.meshgrid)
def _meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    if indexing not in ("xy", "ij"):
        raise ValueError("numpy.meshgrid: indexing must be 'xy' or 'ij'")
    ndim = len(xi)
    order = list(range(ndim))
    if indexing == "xy" and ndim > 1:
        order[:2] = [1, 0]
    spread = [
        np.reshape(x, tuple(-1 if k == order[i] else 1 for k in range(ndim)))
        for i, x in enumerate(xi)
    ]
    kind: Any = type(np.meshgrid(0.0))
    return kind(spread if sparse else _broadcast_arrays(*spread))


def _refuse_for_histograms() -> None:
    """Refuse edges of bins: NumPy would count traced numbers, and counts have no derivative."""
    frame = sys._getframe(1)
    for _ in range(6):
        if frame.f_back is None:
            return
        frame = frame.f_back
        if frame.f_globals.get("__name__") == "numpy.lib._histograms_impl":
            raise NoRuleError(f"numpy.{frame.f_code.co_name} has no derivative: it counts entries.")


@implements(np.linspace)
def _linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False,
    axis: int = 0,
) -> Any:  # fmt: skip
    _refuse_for_histograms()
    parts = num - 1 if endpoint else num
    start, stop = _broadcast_arrays(start, stop)
    step = (stop - start) / parts if parts > 0 else (stop - start) * np.nan
    counts = np.reshape(
        np.arange(num, dtype=dtype_of(start, stop)), (-1,) + (1,) * len(shape_of(start))
    )
    values = counts * step + start if parts > 0 else start + 0.0 * counts
    if endpoint and num > 1:
        values = np.concatenate([values[:-1], stop[np.newaxis]])
    values = np.moveaxis(values, 0, axis) if axis else values
    return (values, step) if retstep else values


@implements(np.logspace)
def _logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, axis: int = 0
) -> Any:
    return base ** _linspace(start, stop, num, endpoint, axis=axis)


@implements(np.geomspace)
def _geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, axis: int = 0) -> Any:
    start, stop = _broadcast_arrays(start, stop)
    if np.any(constant(start) * constant(stop) <= 0):
        raise ValueError(
            "numpy.geomspace needs limits of one sign that are not 0; found "
            f"{constant(start)} and {constant(stop)}"
        )
    sign = np.sign(constant(start))
    logarithms = _linspace(np.log(start * sign), np.log(stop * sign), num, endpoint)
    values = sign * np.exp(logarithms)
    if num > 0:
        last = [stop[np.newaxis]] if endpoint and num > 1 else []
        inner = values[1:-1] if last else values[1:]
        values = np.concatenate([start[np.newaxis], inner, *last])
    return np.moveaxis(values, 0, axis) if axis else values
