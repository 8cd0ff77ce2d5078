"""What goes with rows by position: values, or the name of a column of theirs."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.estimators.arguments import listed
from mcmodels.exceptions import example_of
from mcmodels.rows import RowStream
from mcmodels.tables.dask_stream import is_dask

__all__ = ["beside"]

_NAMED = ("sample_weight", "offset", "exposure", "groups")


def beside(X: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments where text has become the column of X that it names.

    Parameters
    ----------
    X : table, array or RowStream
        The rows.
    given : dict
        Arguments by name. ``sample_weight``, ``offset``, ``exposure`` and ``groups`` may be text,
        and ``groups`` a list of two; others stay as they are.

    Raises
    ------
    ValueError
        Where X has no column of that name, or none that have names.
    """
    found = dict(given)
    for argument in _NAMED:
        value = given.get(argument)
        if isinstance(value, str):
            found[argument] = _column(X, value, argument)
        elif argument == "groups" and isinstance(value, list) and _are_names(value):
            columns = [_column(X, name, argument) for name in value]
            if len(columns) == 1:
                found[argument] = columns[0]
            elif isinstance(X, pd.DataFrame) or is_dask(X):
                found[argument] = X[value]
            else:
                found[argument] = pd.DataFrame(
                    {name: np.asarray(of) for name, of in zip(value, columns, strict=True)}
                )
    return found


def _are_names(values: list[Any]) -> bool:
    return 0 < len(values) < 3 and all(isinstance(of, str) for of in values)


def _column(X: Any, name: str, argument: str) -> Any:
    """A column of a table by its name."""
    if isinstance(X, RowStream):
        raise ValueError(
            f"{argument}={example_of(name)}: a RowStream holds what goes with its rows; leave it "
            "out."
        )
    names: list[Any] | None = list(X) if isinstance(X, Mapping) else None
    for attribute in ("column_names", "columns"):  # those of Arrow first
        if names is None and hasattr(X, attribute):
            names = list(getattr(X, attribute))
    if names is None:
        raise ValueError(
            f"{argument}={example_of(name)} names a column, and X={example_of(X)} has none with "
            "names; pass a data frame, or the values."
        )
    if name not in names:
        close = difflib.get_close_matches(name, [str(of) for of in names], n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {listed(tuple(names))}."
        raise ValueError(f"{argument}={name!r} is no column of X; {hint}")
    found = X[name]
    return found.to_pandas() if hasattr(found, "to_pandas") else found
