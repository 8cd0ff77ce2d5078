"""NumPy's order statistics: quantiles, medians and partitions of entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.autodiff.tables import Axis, implements, normalized_axes, shape_of, warn_kink
from mcmodels.autodiff.tracing import NoRuleError, Traced, constant

__all__: list[str] = []


def _ranks(plain: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """The place of each entry in sorted order along the last axis; equal ones in their order."""
    return np.argsort(np.argsort(plain, -1, kind="stable"), -1, kind="stable")


def _quantiles(
    quantile: Callable[..., Any],
    a: Any,
    q: Any,
    axis: Axis,
    keepdims: bool,
    method: str = "linear",
    weights: Any = None,
) -> Any:
    """Quantiles as combinations of two neighbours in sorted order.

    Where the quantile lies between which neighbours is a function of the number of entries, q and
    the weights: NumPy's own quantile of the ranks 0, 1, …, n-1.
    Hyndman and Fan (1996), *Sample quantiles in statistical packages*, The American Statistician
    50(4), eq. 1.
    """
    name = f"numpy.{quantile.__name__}"
    if isinstance(weights, Traced):
        raise NoRuleError(f"{name} has no rule for the derivative by its weights: it jumps.")
    shape = shape_of(a)
    axes = normalized_axes(axis, len(shape))
    rest = tuple(k for k in range(len(shape)) if k not in axes)
    kept = tuple(shape[k] for k in rest)
    rows = np.reshape(np.transpose(a, rest + axes), (*kept, -1))
    plain = np.asarray(constant(rows))
    if weights is not None:
        weights = np.asarray(weights)
        if weights.shape != shape:
            others = tuple(n if k in axes else 1 for k, n in enumerate(shape))
            weights = np.broadcast_to(weights.reshape(others), shape)
        weights = weights.transpose(rest + axes).reshape(plain.shape)
    n = plain.shape[-1]
    if n == 0:
        raise ValueError(f"{name} of no entries")
    ranks = np.where(np.isnan(plain), np.nan, _ranks(plain))
    given = {} if weights is None else {"weights": weights}
    place = np.asarray(quantile(ranks, constant(q), axis=-1, method=method, **given))
    missing = np.isnan(place)
    below = np.floor(np.where(missing, 0.0, place)).astype(np.intp)
    # Quantiles are the first axes of the result, and here the last of the places in a row.
    levels = len(shape_of(q))
    share: Any = np.moveaxis(place - below, range(levels), range(-levels, 0))
    share = np.reshape(share, (*kept, -1))
    below = np.reshape(np.moveaxis(below, range(levels), range(-levels, 0)), (*kept, -1))
    above = np.minimum(below + 1, n - 1)
    if isinstance(q, Traced):
        if method != "linear" or quantile is np.nanquantile or weights is not None:
            raise NoRuleError(
                f"{name} has a rule for the derivative by q for method='linear' only, without "
                "weights or missing entries."
            )
        levels_of_q: Any = q
        share = np.reshape(levels_of_q, (-1,)) * (n - 1) - below
        warn_kink(
            (constant(share) == 0) & (below > 0) & (below < n - 1),
            f"{name} is not differentiable by q where it is an entry; the slope on the right is "
            "taken.",
        )
    else:
        if type(q) in (float, int) or not share.any():
            share = share.astype(plain.dtype)
        # An entry itself needs no neighbour, which may be infinite.
        above = np.where(share == 0, below, above)
    order = np.argsort(plain, -1, kind="stable")
    _warn_equal_neighbours(np.take_along_axis(plain, order, -1), below, np.asarray(constant(share)))
    low = np.take_along_axis(rows, np.take_along_axis(order, below, -1), -1)
    high = np.take_along_axis(rows, np.take_along_axis(order, above, -1), -1)
    found = low + (high - low) * share
    found = np.moveaxis(np.reshape(found, kept + shape_of(q)), range(-levels, 0), range(levels))
    if keepdims:
        found = np.reshape(found, shape_of(q) + tuple(1 if k in axes else m for k, m in
                                                      enumerate(shape)))  # fmt: skip
    return found


def _warn_equal_neighbours(ordered: Any, below: Any, share: Any) -> None:
    """Warn if an entry that counts equals one that counts differently."""
    padded = np.pad(ordered, [(0, 0)] * (ordered.ndim - 1) + [(1, 2)], constant_values=np.nan)
    before, low, high, after = (np.take_along_axis(padded, below + k, -1) for k in range(4))
    kink = (share < 1) & (before == low)
    kink |= (share != 0.5) & (low == high)
    kink |= (share > 0) & (high == after)
    warn_kink(
        kink,
        "a quantile at equal entries is not differentiable; they are taken in the order they are "
        "in.",
    )


@implements(np.quantile)
def _quantile(
    a: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False,
    weights: Any = None,
) -> Any:  # fmt: skip
    return _quantiles(np.quantile, a, q, axis, keepdims, method, weights)


@implements(np.nanquantile)
def _nanquantile(
    a: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False,
    weights: Any = None,
) -> Any:  # fmt: skip
    return _quantiles(np.nanquantile, a, q, axis, keepdims, method, weights)


def _fraction(q: Any) -> Any:
    return q / 100 if type(q) in (float, int) else np.divide(q, 100)


@implements(np.percentile)
def _percentile(
    a: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False,
    weights: Any = None,
) -> Any:  # fmt: skip
    return _quantiles(np.quantile, a, _fraction(q), axis, keepdims, method, weights)


@implements(np.nanpercentile)
def _nanpercentile(
    a: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False,
    weights: Any = None,
) -> Any:  # fmt: skip
    return _quantiles(np.nanquantile, a, _fraction(q), axis, keepdims, method, weights)


@implements(np.median)
def _median(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return _quantiles(np.quantile, a, 0.5, axis, keepdims)


@implements(np.nanmedian)
def _nanmedian(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return _quantiles(np.nanquantile, a, 0.5, axis, keepdims)


@implements(np.partition)
def _partition(a: Any, kth: Any, axis: int | None = -1, kind: Any = "introselect") -> Any:
    if axis is None:
        a, axis = np.ravel(a), 0
    moved = np.moveaxis(a, axis, -1)
    plain = np.asarray(constant(moved))
    # In each part NumPy leaves the entries in an order of its own: it is found from their ranks.
    parted = np.partition(plain, kth, axis=-1, kind=kind)
    order = np.argsort(plain, -1, kind="stable")
    ordered = np.take_along_axis(plain, order, -1)
    warn_kink(
        ordered[..., 1:] == ordered[..., :-1],
        "partition is not differentiable at equal entries; they are taken in the order they are "
        "in.",
    )
    found = np.take_along_axis(moved, np.take_along_axis(order, _ranks(parted), -1), -1)
    return np.moveaxis(found, -1, axis)
