"""NumPy's sums, means, products and extrema, written with functions that have rules."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mcmodels.autodiff.tables import Axis, call, implements, normalized_axes, shape_of


def _count(x: Any, axis: Axis) -> int:
    shape = shape_of(x)
    return math.prod(shape[a] for a in normalized_axes(axis, len(shape)))


@implements(np.sum)
def _sum(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return call("sum", a, axis=axis, keepdims=keepdims)


@implements(np.mean)
def _mean(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return call("sum", a, axis=axis, keepdims=keepdims) / _count(a, axis)


@implements(np.average)
def _average(a: Any, axis: Axis = None, weights: Any = None, keepdims: bool = False) -> Any:
    if weights is None:
        return _mean(a, axis, keepdims)
    if shape_of(weights) != shape_of(a):
        axes = normalized_axes(axis, len(shape_of(a)))
        weights = np.reshape(
            weights, tuple(n if k in axes else 1 for k, n in enumerate(shape_of(a)))
        )
    total = np.sum(weights * np.ones(shape_of(a)), axis=axis, keepdims=keepdims)
    return np.sum(a * weights, axis=axis, keepdims=keepdims) / total


@implements(np.var)
def _var(a: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
    deviation = a - _mean(a, axis, keepdims=True)
    squares = call("sum", deviation * deviation, axis=axis, keepdims=keepdims)
    return squares / (_count(a, axis) - ddof)


@implements(np.std)
def _std(a: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
    deviation = a - _mean(a, axis, keepdims=True)
    length = call("norm", deviation, axis=axis, keepdims=keepdims)
    return length / math.sqrt(_count(a, axis) - ddof)


@implements(np.max, np.amax)
def _max(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return call("max", a, axis=axis, keepdims=keepdims)


@implements(np.min, np.amin)
def _min(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return call("min", a, axis=axis, keepdims=keepdims)


@implements(np.ptp)
def _ptp(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return _max(a, axis, keepdims) - _min(a, axis, keepdims)


@implements(np.prod)
def _prod(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    # One half is multiplied by the other until one entry is left. There is no division, so entries
    # may be 0.
    shape = shape_of(a)
    axes = normalized_axes(axis, len(shape))
    rest = tuple(k for k in range(len(shape)) if k not in axes)
    a = np.transpose(a, rest + axes)
    a = np.reshape(a, (*(shape[k] for k in rest), math.prod(shape[k] for k in axes)))
    while (n := shape_of(a)[-1]) > 1:
        half = n // 2
        product = a[..., :half] * a[..., half : 2 * half]
        a = np.concatenate([product, a[..., 2 * half :]], axis=-1) if n % 2 else product
    a = a[..., 0] if shape_of(a)[-1] else np.ones(shape_of(a)[:-1])
    return (
        np.reshape(a, tuple(1 if k in axes else n for k, n in enumerate(shape))) if keepdims else a
    )


@implements(np.cumsum)
def _cumsum(a: Any, axis: int | None = None) -> Any:
    return call("cumsum", np.ravel(a), axis=0) if axis is None else call("cumsum", a, axis=axis)


@implements(np.diff)
def _diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    for _ in range(n):
        before = (slice(None),) * (axis % len(shape_of(a)))
        a = a[(*before, slice(1, None))] - a[(*before, slice(None, -1))]
    return a
