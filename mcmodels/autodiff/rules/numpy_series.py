"""NumPy's functions of sampled functions: integrals, slopes, interpolation."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.autodiff.tables import (
    dtype_of,
    implements,
    in_dtype,
    normalized_axes,
    shape_of,
    warn_kink,
)
from mcmodels.autodiff.tracing import NoRuleError, Traced, constant, stack_list

__all__: list[str] = []


def _part(a: Any, axis: int, places: Any) -> Any:
    """A slice of an array along one axis."""
    return a[(*(slice(None),) * axis, places)]


def _along_axis(x: Any, axis: int, ndim: int) -> Any:
    """A vector as an array whose entries lie along one of ndim axes."""
    return np.reshape(x, tuple(-1 if k == axis else 1 for k in range(ndim)))


@implements(np.trapezoid)
def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y, x = stack_list(y), stack_list(x)
    ndim = len(shape_of(y))
    (axis,) = normalized_axes(int(axis), ndim)
    if x is None:
        widths = dx
    elif len(shape_of(x)) == 1:
        widths = _along_axis(np.diff(x), axis, ndim)
    else:
        widths = np.diff(x, axis=axis)
    pairs = _part(y, axis, slice(1, None)) + _part(y, axis, slice(None, -1))
    return np.sum(widths * pairs / 2.0, axis=axis)


@implements(np.ediff1d)
def _ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    steps = np.diff(np.ravel(ary))
    parts = [steps if x is ary else np.ravel(in_dtype(x, dtype_of(steps)))
             for x in (to_begin, ary, to_end) if x is not None]  # fmt: skip
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


@implements(np.unwrap)
def _unwrap(p: Any, discont: float | None = None, axis: int = -1, period: float = 2 * np.pi) -> Any:
    plain = np.asarray(constant(p))
    turns = np.round((np.unwrap(plain, discont, axis, period=period) - plain) / period)
    return p + period * turns


@implements(np.gradient)
def _gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    ndim = len(shape_of(f))
    axes = normalized_axes(axis, ndim)
    spacings: tuple[Any, ...] = varargs or (1.0,)
    if len(spacings) == 1 and (len(shape_of(spacings[0])) == 0):
        spacings = spacings * len(axes)
    if len(spacings) != len(axes):
        raise TypeError("numpy.gradient needs one spacing, or one for each axis")
    found = [_slopes(f, h, k, edge_order) for h, k in zip(spacings, axes, strict=True)]
    return found[0] if len(found) == 1 else tuple(found)


def _slopes(f: Any, spacing: Any, axis: int, edge_order: int) -> Any:
    """Slopes of the parabola through three neighbours; at the ends of the line, or parabola.

    Fornberg (1988), *Generation of finite difference formulas on arbitrarily spaced grids*,
    Mathematics of Computation 51, table 3.
    """
    n, ndim = shape_of(f)[axis], len(shape_of(f))
    if edge_order not in (1, 2):
        raise ValueError("numpy.gradient: edge_order must be 1 or 2")
    if n < edge_order + 1:
        raise ValueError(
            f"numpy.gradient needs {edge_order + 1} entries along each axis; found {n}"
        )
    steps = np.diff(spacing) if shape_of(spacing) else spacing * np.ones(n - 1, dtype_of(f))
    if shape_of(steps) != (n - 1,):
        raise ValueError("numpy.gradient: coordinates must be vectors as long as the axis")
    h = _along_axis(steps, axis, ndim)
    rises = np.diff(f, axis=axis) / h
    left, right = (_part(rises, axis, s) for s in (slice(None, -1), slice(1, None)))
    before, after = (_part(h, axis, s) for s in (slice(None, -1), slice(1, None)))
    inner = (after * left + before * right) / (before + after)
    first, last = _part(rises, axis, slice(None, 1)), _part(rises, axis, slice(-1, None))
    if edge_order == 2:
        share = _part(before, axis, slice(None, 1)) / (
            _part(before, axis, slice(None, 1)) + _part(after, axis, slice(None, 1))
        )
        first = first + share * (first - _part(right, axis, slice(None, 1)))
        share = _part(after, axis, slice(-1, None)) / (
            _part(before, axis, slice(-1, None)) + _part(after, axis, slice(-1, None))
        )
        last = last + share * (last - _part(left, axis, slice(-1, None)))
    return np.concatenate([first, inner, last], axis=axis)


def _indexable(a: Any) -> Any:
    return a if isinstance(a, Traced) else np.asarray(a)


@implements(np.interp)
def _interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    if period is not None:
        if isinstance(period, Traced):
            raise NoRuleError("numpy.interp has no rule for the derivative by period.")
        period = abs(period)
        x, xp = np.remainder(x, period), np.remainder(xp, period)
        order = np.argsort(constant(xp))
        xp, fp = _indexable(xp)[order], _indexable(fp)[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
        left = right = None
    x, xp, fp = (in_dtype(v, np.float64) for v in (x, xp, fp))  # as NumPy
    n = shape_of(xp)[0]
    at, knots = np.asarray(constant(x)), np.asarray(constant(xp))
    if n == 1:
        inside = fp[np.zeros(at.shape, np.intp)]
    else:
        k = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, n - 2)
        slopes = (fp[1:] - fp[:-1]) / (xp[1:] - xp[:-1])
        chosen = slopes[k]
        if isinstance(x, Traced) or isinstance(xp, Traced):
            chosen = _mean_slopes_at_knots(chosen, slopes, at, knots)
            k = np.where(at == knots[-1], n - 1, k)
        inside = chosen * (x - xp[k]) + fp[k]
    below, above = at < knots[0], at > knots[-1]
    found = np.where(below, fp[0] if left is None else left, inside)
    return np.where(above, fp[-1] if right is None else right, found)


def _mean_slopes_at_knots(
    chosen: Any, slopes: Any, at: npt.NDArray[Any], knots: npt.NDArray[Any]
) -> Any:
    """At a knot the mean of the slopes on both sides, with a warning if they differ."""
    place = np.minimum(np.searchsorted(knots, at), knots.size - 1)
    at_knot = knots[place] == at
    if not at_knot.any():
        return chosen
    # Beyond the ends the slope is 0.
    every = np.pad(slopes, 1)
    left, right = every[place], every[place + 1]
    warn_kink(
        at_knot & (np.asarray(constant(left)) != np.asarray(constant(right))),
        "interp is not differentiable at a knot where the slope changes; the mean of the slopes is "
        "taken.",
    )
    return np.where(at_knot, 0.5 * (left + right), chosen)
