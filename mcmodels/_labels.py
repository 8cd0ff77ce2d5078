"""Class labels as small codes, without sorting what need not be sorted."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

# Integers that span no more than this are counted, not looked up.
_NARROW = 2**12


def encode(y: Any) -> tuple[Any, npt.NDArray[np.integer]]:
    """Labels in ascending order, and the position among them of each entry of y.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Labels.

    Returns
    -------
    labels : ndarray of shape (k,)
        The distinct labels.
    codes : ndarray of shape (n,)
        Integers below k, of the smallest type that holds them.
    """
    if y.dtype.kind == "b":
        present = np.array([not y.all(), y.any()])
        labels = np.array([False, True])[present]
        return labels, (y.astype(np.int8) if present.all() else np.zeros(len(y), np.int8))
    if y.dtype.kind in "iu":
        low, high = int(y.min()), int(y.max())
        if high - low == 1:
            return np.array([low, high], dtype=y.dtype), (y == high).view(np.int8)
        if high - low < _NARROW:
            # Differences wrap around in the type of y, and are right in the unsigned one.
            offset = np.asarray(low).astype(y.dtype)
            shifted = (y - offset).view(f"u{y.dtype.itemsize}").astype(np.intp)
            found = np.flatnonzero(np.bincount(shifted, minlength=high - low + 1))
            position = np.zeros(high - low + 1, dtype=_smallest(found.size))
            position[found] = np.arange(found.size)
            return found.astype(y.dtype) + offset, position[shifted]
    codes, distinct = pd.factorize(y)
    labels, rank = np.unique(np.asarray(distinct, dtype=y.dtype), return_inverse=True)
    return labels, rank.astype(_smallest(labels.size))[codes]


def select(
    labels: Any, codes: npt.NDArray[np.integer], present: npt.NDArray[np.bool_]
) -> tuple[Any, npt.NDArray[np.integer]]:
    """Only the labels that are present; entries of others get the code of some label."""
    if present.all():
        return labels, codes
    position = np.maximum(np.cumsum(present) - 1, 0).astype(codes.dtype)
    return labels[present], position[codes]


def refuse_unknown(y: Any, weights: Any, classes: Any) -> None:
    """Raise ValueError if a row of positive weight has a label that no class has."""
    unknown = np.setdiff1d(y if weights is None else y[weights > 0], classes)
    if unknown.size:
        raise ValueError(
            f"y holds the class {unknown[0]!s}, which was not there at fit; the classes are "
            f"{classes.tolist()}."
        )


def totals(codes: npt.NDArray[np.integer], weights: Any, n_labels: int) -> npt.NDArray[np.float64]:
    """Total weight of the rows of each code; their number without weights."""
    if weights is None and n_labels == 2:
        second = float(np.count_nonzero(codes))
        return np.array([len(codes) - second, second])
    return np.bincount(codes, weights=weights, minlength=n_labels).astype(np.float64)


def _smallest(n_labels: int) -> np.dtype[Any]:
    return np.min_scalar_type(-max(n_labels, 1))
