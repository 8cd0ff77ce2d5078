"""What is left out: each row, or each group of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, Codes
from mcmodels.exceptions import example_of

__all__ = ["codes_of", "refuse_a_single_unit"]


def codes_of(groups: Any, n: int) -> tuple[Codes, pd.Index | None]:
    """The group of each row as a number, and the labels of the groups; None if each is a row."""
    if groups is None:
        return np.arange(n), None
    given = np.asarray(groups)
    if given.shape != (n,):
        raise ValueError(f"groups has shape {given.shape}; pass one label for each of {n} rows.")
    codes, labels = pd.factorize(given, sort=False)
    if (codes < 0).any():
        raise ValueError("groups has missing labels; every row needs its group.")
    if len(labels) < 2:
        raise ValueError(
            f"groups has the single label {example_of(labels[0])}; without it no rows are left."
        )
    return codes, pd.Index(labels)


def refuse_a_single_unit(codes: Codes, weights: Array, count: int) -> None:
    """Refuse rows all of whose weight is in one unit: without it nothing is left."""
    present = np.bincount(codes, weights, minlength=count) > 0
    if present.sum() < 2:
        what = "group" if count < len(codes) else "row"
        raise ValueError(
            f"a single {what} has all of the weight; without it no rows are left to fit."
        )
