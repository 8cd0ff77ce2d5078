"""The methods of NumPy's ufuncs: ``outer``, ``accumulate``, ``reduceat`` and ``reduce``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from mcmodels.autodiff.tables import (
    Axis,
    call,
    dtype_of,
    implements,
    normalized_axes,
    shape_of,
    warn_kink,
)
from mcmodels.autodiff.tracing import constant

__all__ = ["METHODS", "REDUCED"]


def _outer(ufunc: np.ufunc, a: Any, b: Any) -> Any:
    """f(aᵢ, bⱼ) for every pair of entries."""
    return ufunc(np.reshape(a, shape_of(a) + (1,) * len(shape_of(b))), b)


def _accumulate(ufunc: np.ufunc, a: Any, axis: int = 0) -> Any:
    """y₀ = x₀, yₖ = f(yₖ₋₁, xₖ)."""
    (axis,) = normalized_axes(int(axis), len(shape_of(a)))
    if ufunc in _ACCUMULATED:
        return _ACCUMULATED[ufunc](a, axis)
    parts = _parts(a, axis)
    for k in range(1, len(parts)):
        parts[k] = ufunc(parts[k - 1], parts[k])
    return np.stack(parts, axis=axis) if parts else a


def _reduceat(ufunc: np.ufunc, a: Any, indices: Any, axis: int = 0) -> Any:
    """The reduction of each of several slices; of an empty one its first entry."""
    (axis,) = normalized_axes(int(axis), len(shape_of(a)))
    before, length = (slice(None),) * axis, shape_of(a)[axis]
    starts = [int(k) for k in np.asarray(indices).ravel()]
    results = []
    for start, stop in zip(starts, [*starts[1:], length], strict=True):
        chosen = slice(start, stop) if start < stop else slice(start, start + 1)
        results.append(ufunc.reduce(a[(*before, chosen)], axis=axis))
    return np.stack(results, axis=axis)


def _reduce(ufunc: np.ufunc, a: Any, axis: Axis = 0, keepdims: bool = False) -> Any:
    """f(…f(f(x₀, x₁), x₂)…)."""
    shape = shape_of(a)
    axes = normalized_axes(axis, len(shape))
    if ufunc is np.logaddexp:
        return call("logsumexp", a, axis=axes, keepdims=keepdims)
    if len(axes) != 1:
        rest = tuple(k for k in range(len(shape)) if k not in axes)
        moved = np.transpose(a, rest + axes)
        a = np.reshape(moved, (*(shape[k] for k in rest), -1))
    parts = _parts(a, axes[0] if len(axes) == 1 else len(shape_of(a)) - 1)
    if not parts:
        raise ValueError(f"zero-size array to numpy.{ufunc.__name__}.reduce, which has no identity")
    found = functools.reduce(ufunc, parts)
    kept = tuple(1 if k in axes else n for k, n in enumerate(shape))
    return np.reshape(found, kept) if keepdims else found


# Of other functions, such as power, NumPy's own loops of reductions depend on the memory layout.
REDUCED = {
    np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.fmax, np.fmin,
    np.logaddexp, np.logaddexp2, np.hypot,
}  # fmt: skip
METHODS: dict[str, Callable[..., Any]] = {
    "outer": _outer,
    "accumulate": _accumulate,
    "reduceat": _reduceat,
    "reduce": _reduce,
}


def _parts(a: Any, axis: int) -> list[Any]:
    """The parts of an array along an axis."""
    before = (slice(None),) * axis
    return [a[(*before, k)] for k in range(shape_of(a)[axis])]


def _running_sum(a: Any, axis: int) -> Any:
    return call("cumsum", a, axis=axis)


def _running_product(a: Any, axis: int) -> Any:
    # The window of each product is doubled until it reaches the start. There is no division, so
    # entries may be 0.
    before, length, window = (slice(None),) * axis, shape_of(a)[axis], 1
    while window < length:
        head = a[(*before, slice(None, window))]
        tail = a[(*before, slice(window, None))] * a[(*before, slice(None, -window))]
        a = np.concatenate([head, tail], axis=axis)
        window *= 2
    return a


def _running_extremum(ufunc: np.ufunc, a: Any, axis: int) -> Any:
    """The entries at the places where the running extremum was first attained."""
    plain = np.moveaxis(np.asarray(constant(a)), axis, -1)
    extremum = ufunc.accumulate(plain, axis=-1)
    new = np.ones(plain.shape, bool)
    new[..., 1:] = (extremum[..., 1:] != extremum[..., :-1]) & ~np.isnan(extremum[..., :-1])
    attained = (plain == extremum) & ~new
    warn_kink(attained, "a running extremum of equal entries is not differentiable; the first of "
                        "them is taken.")  # fmt: skip
    places = np.maximum.accumulate(np.where(new, np.arange(plain.shape[-1]), 0), axis=-1)
    return np.take_along_axis(a, np.moveaxis(places, -1, axis), axis)


_ACCUMULATED: dict[np.ufunc, Callable[[Any, int], Any]] = {
    np.add: _running_sum,
    np.multiply: _running_product,
    np.maximum: functools.partial(_running_extremum, np.maximum),
    np.minimum: functools.partial(_running_extremum, np.minimum),
}


@implements(np.cumprod)
def _cumprod(a: Any, axis: int | None = None) -> Any:
    return np.multiply.accumulate(*((np.ravel(a), 0) if axis is None else (a, axis)))


def _with_identity(function: np.ufunc, identity: float) -> Callable[..., Any]:
    """A cumulative sum or product of the array API, which may start with its identity."""

    def cumulative(x: Any, axis: int | None = None, include_initial: bool = False) -> Any:
        if axis is None:
            if len(shape_of(x)) > 1:
                name = "sum" if function is np.add else "prod"
                raise ValueError(
                    f"numpy.cumulative_{name} needs axis= for an array of several axes; found "
                    f"shape {shape_of(x)}"
                )
            axis = 0
        (axis,) = normalized_axes(int(axis), len(shape_of(x)))
        found = function.accumulate(x, axis=axis)
        if not include_initial:
            return found
        shape = [1 if k == axis else n for k, n in enumerate(shape_of(x))]
        first = np.full(shape, identity, dtype_of(x))
        return np.concatenate([first, found], axis=axis)

    return cumulative


for _name, _ufunc, _identity in (
    ("cumulative_sum", np.add, 0.0),
    ("cumulative_prod", np.multiply, 1.0),
):
    if hasattr(np, _name):  # since NumPy 2.1
        implements(getattr(np, _name))(_with_identity(_ufunc, _identity))
