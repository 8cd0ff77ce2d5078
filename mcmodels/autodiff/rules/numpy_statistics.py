"""NumPy's covariances, correlations and weighted counts, and its cross product."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcmodels.autodiff.tables import call, implements, in_dtype, shape_of
from mcmodels.autodiff.tracing import NoRuleError, Traced, constant

__all__: list[str] = []


def _variables_in_rows(m: Any, y: Any, rowvar: bool) -> Any:
    def rows(x: Any) -> Any:
        if len(shape_of(x)) > 2:
            raise ValueError("numpy.cov and numpy.corrcoef take arrays of at most two axes")
        flat, x = len(shape_of(x)) < 2, in_dtype(x, np.float64)  # as NumPy
        x = np.atleast_2d(x)
        return x if rowvar or (flat and shape_of(x)[0] == 1) else np.transpose(x)

    return rows(m) if y is None else np.concatenate([rows(m), rows(y)])


@implements(np.cov)
def _cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: float | None = None,
    fweights: Any = None, aweights: Any = None,
) -> Any:  # fmt: skip
    if ddof is None:
        ddof = 0 if bias else 1
    X = _variables_in_rows(m, y, rowvar)
    n = shape_of(X)[1]
    if isinstance(fweights, Traced):
        raise NoRuleError("numpy.cov has no rule for the derivative by fweights: they are counts.")
    counts = None if fweights is None else np.asarray(fweights)
    if aweights is not None and not isinstance(aweights, Traced):
        aweights = np.asarray(aweights)
    weights = aweights if counts is None else counts * (1.0 if aweights is None else aweights)
    if weights is None:
        centred = X - np.mean(X, axis=1, keepdims=True)
        C, degrees = centred @ np.transpose(centred), n - ddof
    else:
        total = np.sum(weights)
        centred = X - (np.sum(X * weights, axis=1) / total)[:, np.newaxis]
        C = (centred * weights) @ np.transpose(centred)
        # As NumPy: with reliability weights the degrees of freedom are Σw - ddof Σwa/Σw.
        if ddof == 0:
            degrees = total
        elif aweights is None:
            degrees = total - ddof
        else:
            degrees = total - ddof * np.sum(weights * aweights) / total
    if np.any(constant(degrees) <= 0):
        raise ValueError(f"numpy.cov needs more observations than ddof={ddof}; found {n}")
    return np.squeeze(C / degrees)


@implements(np.corrcoef)
def _corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Any:
    C = _cov(x, y, rowvar)
    if shape_of(C) == ():
        return C / C
    scale = np.sqrt(np.diagonal(C))
    return C / scale[:, np.newaxis] / scale[np.newaxis, :]


@implements(np.bincount)
def _bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    if isinstance(x, Traced):
        raise NoRuleError("numpy.bincount has no rule for a derivative by positions.")
    places = np.asarray(x)
    length = max(int(places.max(initial=-1)) + 1, minlength)
    if np.any(places < 0) or places.ndim != 1 or shape_of(weights) != places.shape:
        raise ValueError("numpy.bincount needs positions from 0 on, and one weight for each")
    weights = in_dtype(weights, np.float64)  # as NumPy
    return call("scatter", weights, index=(places,), shape=(length,))


@implements(np.cross)
def _cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    m, n = shape_of(a)[-1], shape_of(b)[-1]
    if not {m, n} <= {2, 3}:
        raise ValueError(f"numpy.cross needs vectors of 2 or 3 entries; found {m} and {n}")
    x, y = ([v[..., k] for k in range(shape_of(v)[-1])] for v in (a, b))
    last = x[0] * y[1] - x[1] * y[0]
    if m == n == 2:
        return last
    x, y = ([*v, 0.0][:3] for v in (x, y))
    parts = np.broadcast_arrays(x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], last)
    return np.moveaxis(np.stack(parts, axis=-1), -1, axisc)


@implements(np.linalg.cross)
def _cross_of_linalg(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    return _cross(x1, x2, axis=axis)
