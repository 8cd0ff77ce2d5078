"""NumPy's sums, means, products and extrema, written with functions that have rules."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mcmodels.autodiff.tables import Axis, call, implements, normalized_axes, shape_of, warn_kink
from mcmodels.autodiff.tracing import constant, is_complex, stack_list


def _count(x: Any, axis: Axis) -> int:
    shape = shape_of(x)
    return math.prod(shape[a] for a in normalized_axes(axis, len(shape)))


def _chosen(a: Any, where: Any, other: Any) -> Any:
    """The entries that are reduced; those left out are replaced by a number without effect."""
    return a if where is True else np.where(where, a, other)


def _number_chosen(a: Any, axis: Axis, keepdims: bool, where: Any) -> Any:
    if where is True:
        return _count(a, axis)
    chosen, dtype = np.broadcast_to(where, shape_of(a)), np.asarray(constant(a)).dtype
    return np.sum(chosen, axis=axis, keepdims=keepdims, dtype=dtype)


@implements(np.sum)
def _sum(
    a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    found = call("sum", _chosen(a, where, 0.0), axis=axis, keepdims=keepdims)
    return found if initial is None else found + initial


@implements(np.mean)
def _mean(a: Any, axis: Axis = None, keepdims: bool = False, where: Any = True) -> Any:
    total = call("sum", _chosen(a, where, 0.0), axis=axis, keepdims=keepdims)
    return total / _number_chosen(a, axis, keepdims, where)


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


def _deviations(a: Any, axis: Axis, where: Any) -> Any:
    return _chosen(a - _mean(a, axis, keepdims=True, where=where), where, 0.0)


@implements(np.var)
def _var(
    a: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False, where: Any = True
) -> Any:
    deviation = _deviations(a, axis, where)
    if is_complex(deviation):
        squared = np.square(np.real(deviation)) + np.square(np.imag(deviation))
    else:
        squared = deviation * deviation
    squares = call("sum", squared, axis=axis, keepdims=keepdims)
    return squares / (_number_chosen(a, axis, keepdims, where) - ddof)


@implements(np.std)
def _std(
    a: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False, where: Any = True
) -> Any:
    deviation = _deviations(a, axis, where)
    if is_complex(deviation):
        axes = normalized_axes(axis, len(shape_of(a)))
        deviation = np.stack([np.real(deviation), np.imag(deviation)])
        axes = (0, *(k + 1 for k in axes))
        length = call("norm", deviation, axis=axes, keepdims=keepdims)
        length = length[0] if keepdims else length
    else:
        length = call("norm", deviation, axis=axis, keepdims=keepdims)
    degrees = _number_chosen(a, axis, keepdims, where) - ddof
    return length / (math.sqrt(degrees) if where is True else np.sqrt(degrees))


@implements(np.max, np.amax)
def _max(
    a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    return _extremum("max", np.maximum, a, axis, keepdims, initial, where)


@implements(np.min, np.amin)
def _min(
    a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    return _extremum("min", np.minimum, a, axis, keepdims, initial, where)


def _extremum(
    name: str, pairwise: Any, a: Any, axis: Axis, keepdims: bool, initial: Any, where: Any
) -> Any:
    if is_complex(a) and where is True and initial is None:
        return _extremum_of_complex(name, a, axis, keepdims)
    if where is not True and initial is None:
        raise ValueError(f"numpy.{name} with where= needs initial=")
    if initial is not None and _count(a, axis) == 0:
        return np.broadcast_to(
            initial, np.sum(np.empty(shape_of(a)), axis, keepdims=keepdims).shape
        )
    beyond = np.inf if name == "min" else -np.inf
    found = call(name, _chosen(a, where, beyond), axis=axis, keepdims=keepdims)
    return found if initial is None else pairwise(found, initial)


def _extremum_of_complex(name: str, a: Any, axis: Axis, keepdims: bool) -> Any:
    """Of complex numbers NumPy compares the real parts, and of equal ones the imaginary parts."""
    shape = shape_of(a)
    axes = normalized_axes(axis, len(shape))
    rest = tuple(k for k in range(len(shape)) if k not in axes)
    rows = np.reshape(np.transpose(a, rest + axes), (*(shape[k] for k in rest), -1))
    plain = np.asarray(constant(rows))
    chosen = (np.argmax if name == "max" else np.argmin)(plain, axis=-1)[..., np.newaxis]
    found = np.take_along_axis(plain, chosen, axis=-1)
    warn_kink(
        np.sum(plain.real == found.real, axis=-1) > 1,
        f"{name} of complex numbers with equal real parts has no derivative there; that of the one "
        "which NumPy takes is given.",
    )
    y = np.take_along_axis(rows, chosen, axis=-1)[..., 0]
    return np.expand_dims(y, axes) if keepdims and axes else y


@implements(np.ptp)
def _ptp(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return _max(a, axis, keepdims) - _min(a, axis, keepdims)


@implements(np.prod)
def _prod(
    a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    a = _chosen(a, where, 1.0)
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
    if keepdims:
        a = np.reshape(a, tuple(1 if k in axes else n for k, n in enumerate(shape)))
    return a if initial is None else a * initial


@implements(np.cumsum)
def _cumsum(a: Any, axis: int | None = None) -> Any:
    return call("cumsum", np.ravel(a), axis=0) if axis is None else call("cumsum", a, axis=axis)


@implements(np.diff)
def _diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    parts = [stack_list(part) for part in (prepend, a, append) if part is not None]
    if len(parts) > 1:
        one = tuple(1 if k == axis % len(shape_of(a)) else m for k, m in enumerate(shape_of(a)))
        parts = [x if shape_of(x) else np.broadcast_to(x, one) for x in parts]
        a = np.concatenate(parts, axis=axis)
    for _ in range(n):
        before = (slice(None),) * (axis % len(shape_of(a)))
        a = a[(*before, slice(1, None))] - a[(*before, slice(None, -1))]
    return a
