"""Some rows of a block, and sums over rows by group, in memory that is bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from mcmodels.arrays import Array, Codes
from mcmodels.rows import DenseDesign, RowBlock, SparseDesign

__all__ = ["portions", "sums_by_group", "taken"]

# Entries of an array of a portion of the rows of a block (8 MB).
PORTION_ENTRIES = 2**20


def portions(count: int, entries: int, most: int = PORTION_ENTRIES) -> Iterator[slice]:
    """Portions of ``count`` rows, each of which has so many ``entries``."""
    step = max(most // max(entries, 1), 1)
    return (slice(start, min(start + step, count)) for start in range(0, count, step))


def taken(block: RowBlock, rows: Any) -> RowBlock:
    """Rows of a block: those of a slice, a mask or an array of positions."""
    X = block.X
    if isinstance(rows, slice) and rows == slice(0, X.n_rows):
        return block
    features: Any = X.X[rows]
    kind = SparseDesign if sparse.issparse(features) else DenseDesign
    return replace(
        block,
        X=kind(features, intercept=X.intercept, scratch=X.scratch),
        y=None if block.y is None else block.y[rows],
        weights=None if block.weights is None else block.weights[rows],
        extras={name: values[rows] for name, values in block.extras.items()},
    )


def sums_by_group(
    codes: Codes, groups: Codes, size: int, values: Callable[[Codes], Array]
) -> Array:
    """Sums of the values of the rows of each group.

    Parameters
    ----------
    codes : ndarray of shape (b,), int
        The group of each row.
    groups : ndarray of shape (m,), int
        The groups that are summed, in ascending order; rows of others are left out.
    size : int
        How many values a row has.
    values : callable
        Takes positions of rows; returns their values, of shape (number of rows, size).

    Returns
    -------
    ndarray of shape (m, size)
    """
    found = np.zeros((len(groups), size))
    place = np.searchsorted(groups, codes)
    place[place == len(groups)] = 0
    member = np.nonzero(groups[place] == codes)[0]
    member = member[np.argsort(place[member], kind="stable")]
    for part in portions(len(member), size):
        rows = member[part]
        first, start = np.unique(place[rows], return_index=True)
        found[first] += np.add.reduceat(values(rows), start, axis=0)
    return found
