"""Dicts of columns as data frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.exceptions import example_of

__all__ = ["frame_of_dict"]


def frame_of_dict(columns: Mapping[Any, Any], name: str) -> pd.DataFrame:
    """A data frame of a dict of columns.

    Parameters
    ----------
    columns : mapping
        Names, and values for each row.
    name : str
        The argument that it is, for messages.

    Raises
    ------
    ValueError
        For what is no column, and columns of different lengths.
    """
    held = dict(columns)
    for key, values in held.items():
        if np.ndim(values) != 1:
            raise ValueError(
                f"{name}: column {key!r} is {example_of(values)}, and must have a value for each "
                "row, as a list has."
            )
    lengths = {key: len(values) for key, values in held.items()}
    first = next(iter(lengths), None)
    for key, length in lengths.items():
        if length != lengths[first]:
            raise ValueError(
                f"{name}: column {first!r} has {lengths[first]} values, and {key!r} has {length}; "
                "each must have one for each row."
            )
    return pd.DataFrame(held)
