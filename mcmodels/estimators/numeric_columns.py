"""Refuse columns that hold no numbers: which column, an example value, and what to do."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

# A longer text of the error that was raised is left out.
_LONGEST_REASON = 100
_ENCODE = "encode it, for example by OneHotEncoder(drop='first') in a pipeline, or leave it out"
_CLASSES = "fit a classifier if it holds classes, or convert it"
_DURATION = "convert it, for example to days by .dt.total_seconds() / 86400, or leave it out"
_DATE = "convert it, for example to days since the first date, or leave it out"


@contextmanager
def named_columns(**given: Any) -> Iterator[None]:
    """If the code inside cannot read data as numbers, raise an error that names the column.

    Parameters
    ----------
    **given : array-like, data frame or None
        Data by the name of the argument.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        for argument, data in given.items():
            found = _first_without_numbers(data)
            if found is not None:
                kind = TypeError if isinstance(error, TypeError) else ValueError
                reason = f" ({error})" if len(str(error)) <= _LONGEST_REASON else ""
                raise kind(_described(argument, *found) + reason) from error
        raise


def refuse_dates(argument: str, data: Any, kind: str) -> None:
    """Refuse dates and durations, which would be read as counts of some unit of time.

    Parameters
    ----------
    argument : str
        Name of the argument.
    data : array-like or data frame
        As the user has passed it.
    kind : str
        ``dtype.kind`` of the array that was made of it.
    """
    if kind in "mM" or _has_dates(data):
        with named_columns(**{argument: data}):
            raise TypeError("dates are no numbers")


def _has_dates(data: Any) -> bool:
    """Whether a data frame or series has a column of dates or durations, by its types alone."""
    types = getattr(data, "dtypes", getattr(data, "dtype", None))
    if types is None or isinstance(data, np.ndarray):
        return False
    types = types if isinstance(types, list) else np.atleast_1d(np.asarray(types, dtype=object))
    return any(getattr(t, "kind", "") in ("m", "M") or _is_temporal(t) for t in set(types))


def _is_temporal(dtype: Any) -> bool:
    """Whether this is a type of dates of Polars."""
    temporal = getattr(dtype, "is_temporal", None)
    return bool(temporal is not None and temporal())


def _columns(data: Any) -> Iterator[tuple[Any, Any]]:
    """Columns with their names; None for the name of a single one that has none."""
    if isinstance(data, pd.DataFrame):
        yield from ((name, data.iloc[:, j]) for j, name in enumerate(data.columns))
    elif hasattr(data, "columns") and hasattr(data, "get_column"):
        yield from ((name, data.get_column(name)) for name in data.columns)
    elif isinstance(data, pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        yield getattr(data, "name", None), data
    else:
        array = data if isinstance(data, np.ndarray) else np.array(data, dtype=object)
        if array.ndim == 2:
            yield from ((j, array[:, j]) for j in range(array.shape[1]))
        elif array.ndim == 1:
            yield None, array


def _first_without_numbers(data: Any) -> tuple[Any, int, Any, int, int] | None:
    """Name of the first column that holds something else, the first such value, and counts.

    That is the name, the row, the value, and of how many how many are no numbers.
    """
    if data is None or hasattr(data, "tocsr") or isinstance(data, str):
        return None
    try:
        for name, column in _columns(data):
            values = [(i, v) for i, v in enumerate(list(column)) if not _is_missing(v)]
            wrong = [(i, v) for i, v in values if not _is_number(v)]
            if wrong:
                return name, *wrong[0], len(wrong), len(values)
    except (TypeError, ValueError):  # values that cannot even be looked at one by one
        return None
    return None


def _is_missing(value: Any) -> bool:
    if isinstance(value, Real | Decimal):
        return value != value
    return value is None or value is pd.NA or value is pd.NaT


def _is_number(value: Any) -> bool:
    if isinstance(value, complex | np.complexfloating):
        return True  # scikit-learn's message is as good
    if isinstance(value, np.datetime64 | np.timedelta64):
        return False
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, datetime.date | datetime.timedelta)


def _described(argument: str, name: Any, row: int, value: Any, wrong: int, count: int) -> str:
    where = argument if name is None else f"column {name!r} of {argument}"
    example = repr(value.item()) if isinstance(value, np.str_) else repr(value)
    if isinstance(value, pd.Timestamp | pd.Period | np.datetime64 | datetime.date | datetime.time):
        what, remedy = "dates or times", _DATE
    elif isinstance(value, pd.Timedelta | np.timedelta64 | datetime.timedelta):
        what, remedy = "durations", _DURATION
    elif isinstance(value, str | bytes):
        what, remedy = "text", {"X": _ENCODE, "y": _CLASSES}.get(argument, "convert it to numbers")
    else:
        what, remedy = f"values of type {type(value).__name__}", "convert it to numbers"
    if wrong < count:
        return (
            f"{wrong} of {count} values of {where} are no numbers, such as {example} in row {row}: "
            f"correct or remove those rows; or {remedy}."
        )
    return f"{where} holds {what}, such as {example} in row {row}; numbers are needed: {remedy}."
