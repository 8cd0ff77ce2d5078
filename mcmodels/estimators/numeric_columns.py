"""Refuse columns that hold no finite numbers: which column, an example, and what to do."""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from numbers import Number, Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mcmodels.exceptions import example_of

# A longer text of the error that was raised is left out.
_LONGEST_REASON = 100
NO_TARGET = "no_validation"  # what scikit-learn's validate_data takes for y where there is none
_ENCODE = "encode it, for example by OneHotEncoder(drop='first') in a pipeline, or leave it out"
_CLASSES = "fit a classifier if it holds classes, or convert it"
_AS_FLOAT = "convert it to numbers, for example by astype(float)"
_DURATION = "convert it, for example to days by .dt.total_seconds() / 86400, or leave it out"
_COMPLEX = "take the part that is meant, .real or .imag, or np.abs"
_HUGE = "divide it by a power of ten, or take its logarithm"
_NOT_FINITE = re.compile(r"Input (?:\w+ )?contains (NaN|infinity[^.\n]*)")
_DROP = " Correct or drop such rows."
_FILL = " Drop such rows, or fill them, for example by SimpleImputer in a pipeline."
# What to do with entries that are not finite, by the argument and whether they are missing.
_REMEDIES = dict.fromkeys(itertools.product(("X", "y", "sample_weight"), (True, False)), _DROP) | {
    ("X", True): _FILL
}
_DATE = "convert it, for example to days since the first date, or leave it out"


@contextmanager
def named_columns(*, labels: Any = None, **given: Any) -> Iterator[None]:
    """If the code inside cannot read data as finite numbers, raise an error that names the column.

    Parameters
    ----------
    labels : array-like, default=None
        y where it holds labels of classes, of which none may be missing.
    **given : array-like, data frame or None
        Data by the name of the argument.
    """
    try:
        yield
    except (TypeError, ValueError, ArithmeticError) as error:
        for argument, data in given.items():
            if "unique column names" in str(error) and isinstance(data, pd.DataFrame):
                for name in data.columns[data.columns.duplicated()]:
                    message = f"{argument} has several columns named {example_of(name)}; "
                    raise ValueError(f"{message}give each a name of its own.") from error
        for argument, data in given.items():
            found = _first_without_numbers(data)
            if found is not None:
                kind = TypeError if isinstance(error, TypeError) else ValueError
                reason = str(error).split("\n")[0]
                reason = f" ({reason})" if 0 < len(reason) <= _LONGEST_REASON else ""
                raise kind(_described(argument, *found) + reason) from error
        for argument, data in (given | {"y": labels} if labels is not None else given).items():
            found_there = _not_finite(argument, data, error, labels=data is labels)
            if found_there:
                raise ValueError(found_there) from error
        if str(error).startswith("Complex data not supported") and np.iscomplexobj(labels):
            raise ValueError(
                f"y holds complex numbers, such as {example_of(np.ravel(labels)[0])} in row 0. "
                "Labels are text, whole numbers or booleans. (Complex data not supported)"
            ) from error
        raise


def _not_finite(argument: str, data: Any, error: Exception, *, labels: bool) -> str:
    """What the error says of entries that are not finite, and where the first is; else nothing."""
    said = _NOT_FINITE.match(str(error))
    if said is None and not isinstance(error, ArithmeticError) and "NA" not in str(error).upper():
        return ""
    entries = entries_not_finite(data, labels=labels)
    if not len(entries):
        return ""
    row, j = map(int, entries[0])
    what = said[1] if said else "NaN"
    text = f"Input {argument} contains {what}: {len(entries)} "
    text += f"{'entry' if len(entries) == 1 else 'entries'}, the first in row {row}"
    if getattr(data, "ndim", 2) == 2 and argument == "X":
        columns = getattr(data, "columns", None)
        text += f", column {j if columns is None else columns[j]!r}"
    remedy = _REMEDIES.get((argument, what == "NaN"), "")
    return f"{text} (counted from 0).{remedy}"


def entries_not_finite(values: Any, *, labels: bool = False) -> npt.NDArray[np.intp]:
    """Rows and columns of the entries that are not finite numbers (of labels: that are missing)."""
    none = np.zeros((0, 2), dtype=np.intp)
    if values is None or isinstance(values, str):
        return none
    if hasattr(values, "tocoo"):
        entries = values.tocoo()
        at = np.flatnonzero(~np.isfinite(entries.data))
        places = np.column_stack([entries.row[at], entries.col[at]])
        return places[np.lexsort(places.T[::-1])]
    try:
        frame = values if isinstance(values, pd.DataFrame) else pd.DataFrame(np.asarray(values))
    except ValueError:  # more than two dimensions, or ragged
        return none
    bad = np.zeros(frame.shape, dtype=bool)
    for j in range(frame.shape[1]):
        column = frame.iloc[:, j]
        if labels and column.dtype.kind not in "fiub":
            bad[:, j] = column.isna()
            continue
        try:
            numbers = pd.to_numeric(column, errors="coerce")
            kind = complex if numbers.dtype.kind == "c" else float
            bad[:, j] = ~np.isfinite(numbers.to_numpy(dtype=kind, na_value=np.nan))
        except (TypeError, ArithmeticError):  # a signaling NaN
            bad[:, j] = [_is_missing(value) for value in column]
    return np.argwhere(bad)


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
        elif array.ndim < 2:
            yield None, array.ravel()


def _first_without_numbers(data: Any) -> tuple[Any, int, Any, int, int] | None:
    """Name of the first column that holds something else, the first such value, and counts.

    That is the name, the row, the value, how many values are no numbers, and how many there are.
    """
    if data is None or hasattr(data, "tocsr") or (isinstance(data, str) and data == NO_TARGET):
        return None
    try:
        for name, column in _columns(data):
            if getattr(getattr(column, "dtype", None), "kind", "O") in "fiub":
                continue  # whatever they are, they are numbers: a million take no second
            values = [(i, v) for i, v in enumerate(list(column)) if not _is_missing(v)]
            wrong = [(i, v) for i, v in values if not _is_number(v)]
            if wrong:
                return name, *wrong[0], len(wrong), len(values)
        # An array of text is refused also where every text can be read as a number.
        if not hasattr(data, "columns") and np.asarray(data).dtype.kind in "US":
            name, column = next(_columns(data))
            return name, 0, column[0], len(column), len(column)
    except (TypeError, ValueError):  # values that cannot even be looked at one by one
        return None
    return None


def _is_missing(value: Any) -> bool:
    if isinstance(value, Decimal):
        return value.is_nan()
    if isinstance(value, Real):
        return value != value
    return value is None or value is pd.NA or value is pd.NaT


def _is_number(value: Any) -> bool:
    if isinstance(value, complex | np.complexfloating | np.datetime64 | np.timedelta64):
        return False
    try:
        if np.ndim(value):  # an array of one number is none, though float() may take it
            return False
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return not isinstance(value, datetime.date | datetime.timedelta)


def _described(argument: str, name: Any, row: int, value: Any, wrong: int, count: int) -> str:
    where = argument if name is None else f"column {name!r} of {argument}"
    example = example_of(value.item() if isinstance(value, np.character) else value)
    if isinstance(value, pd.Timestamp | pd.Period | np.datetime64 | datetime.date | datetime.time):
        what, remedy = "dates or times", _DATE
    elif isinstance(value, pd.Timedelta | np.timedelta64 | datetime.timedelta):
        what, remedy = "durations", _DURATION
    elif isinstance(value, str | bytes):
        what, remedy = "text", {"X": _ENCODE, "y": _CLASSES}.get(argument, "convert it to numbers")
        remedy = _AS_FLOAT if _is_number(value) else remedy
    elif isinstance(value, complex | np.complexfloating):
        what, remedy = "complex numbers", _COMPLEX
    elif isinstance(value, Real):
        what, remedy = "numbers that are too large for float64", _HUGE
    else:
        what, remedy = f"values of type {type(value).__name__}", "convert it to numbers"
    if wrong < count:
        kind = what if isinstance(value, Number) else "no numbers"
        return (
            f"{wrong} of {count} values of {where} are {kind}, such as {example} in row {row}: "
            f"correct or remove those rows; or {remedy}."
        )
    return f"{where} holds {what}, such as {example} in row {row}; numbers are needed: {remedy}."
