"""Groups of rows that are left out together; without groups each row is left out by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, Codes
from mcmodels.exceptions import example_of
from mcmodels.rows import RowStream

__all__ = ["given_or_held", "positions_of", "refuse_a_single_unit", "units_of"]


def given_or_held(groups: Any, X: Any) -> Any:
    """The groups that a user gives; without them those that X holds, as a scanned table may."""
    return X.group_labels() if groups is None and isinstance(X, RowStream) else groups


def units_of(groups: Any, n: int) -> tuple[Codes, pd.Index | None]:
    """The number from 0 of what each row is left out with, and the labels of the groups.

    Parameters
    ----------
    groups : array-like of shape (n,), or None
        The label of the group of each row; None for rows that are left out one by one.
    n : int
        The number of rows.

    Returns
    -------
    tuple of ndarray of shape (n,), int, and Index
        Groups are numbered as their labels, which are in ascending order. Without groups the
        positions of the rows, and None.

    Raises
    ------
    ValueError
        For another shape, missing labels, or a single label.
    """
    if groups is None:
        return np.arange(n), None
    given = np.asarray(groups)
    if given.shape != (n,):
        raise ValueError(f"groups has shape {given.shape}; pass one label for each of {n} rows.")
    codes, labels = pd.factorize(given, sort=True)
    if (codes < 0).any():
        row = int((codes < 0).argmax())
        raise ValueError(f"groups has no label in row {row}; give each row one.")
    if len(labels) == 1:
        raise ValueError(
            f"groups has the single label {example_of(labels[0])}; without it no rows are left."
        )
    return codes, pd.Index(labels)


def positions_of(units: Codes, codes: Codes) -> list[Codes]:
    """The positions of the rows of each of some units, ascending."""
    order = np.argsort(codes, kind="stable")
    first, last = (np.searchsorted(codes[order], units, side) for side in ("left", "right"))
    return [order[start:stop] for start, stop in zip(first, last, strict=True)]


def refuse_a_single_unit(codes: Codes, weights: Array, count: int) -> None:
    """Refuse rows all of whose weight is in one row, or one group: without it nothing is left."""
    present = np.bincount(codes, weights, minlength=count) > 0
    if present.sum() < 2:
        what = "group" if count < len(codes) else "row"
        raise ValueError(
            f"a single {what} has all of the weight; without it no rows are left to fit."
        )
