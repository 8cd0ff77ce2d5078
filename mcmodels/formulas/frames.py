"""Columns of a table as a formula takes them: numbers in float64, levels as text or values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.exceptions import example_of
from mcmodels.formulas.language import refuse_unknown
from mcmodels.tables.dicts import frame_of_dict

__all__ = [
    "complete_rows",
    "is_number",
    "known_levels",
    "levels_of",
    "named_columns",
    "numbers",
    "selected",
]

_KINDS = "a data frame of pandas or Polars, a table of Arrow, or a dict of columns"
_N_LISTED = 8


def named_columns(data: Any) -> list[str]:
    """The names of the columns of a table.

    Raises
    ------
    TypeError, ValueError
        For what is no table in memory, or has a name twice.
    """
    if isinstance(data, Mapping):
        names = list(data)
    elif isinstance(data, pd.DataFrame):
        names = list(data.columns)
    elif hasattr(data, "collect_schema") and not hasattr(data, "to_pandas"):
        raise TypeError(f"{type(data).__name__} is a plan; pass data.collect().")
    elif hasattr(data, "to_pandas") and hasattr(data, "select"):
        names = list(data.column_names if hasattr(data, "column_names") else data.columns)
    else:
        raise TypeError(
            f"a formula names columns, and {type(data).__name__} has no names; pass {_KINDS}."
        )
    names = [str(name) for name in names]
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(f"the data have {count} columns named {name!r}; rename them.")
    return names


def selected(data: Any, names: Iterable[str]) -> pd.DataFrame:
    """Some columns of a table as a data frame of pandas.

    Raises
    ------
    TypeError, ValueError
        As in :func:`named_columns`; where a column is not there; where there is no row.
    """
    names, known = list(names), named_columns(data)
    if not names and known:  # the rows alone, of which some tables keep none without a column
        return selected(data, known[:1])[[]]
    for name in names:
        if name not in known:
            refuse_unknown(name, known)
    if isinstance(data, Mapping):
        data = frame_of_dict(data, "data")
    if isinstance(data, pd.DataFrame):
        frame = data.set_axis(known, axis=1)[names]
    else:
        frame = data.select(names).to_pandas()
        # The order of categories in Polars is that in which the process met them; an Enum has one.
        unordered = [n for n in names if str(getattr(data[n], "dtype", "")).startswith("Categ")]
        frame = frame.astype(dict.fromkeys(unordered, object))
    if not len(frame):
        raise ValueError("the data have no rows.")
    return frame.assign(
        **{name: _inferred(frame[name]) for name in names if frame[name].dtype == object}
    )


def _inferred(column: pd.Series) -> pd.Series:
    """A column of objects as one of numbers or logical values, if all are."""
    present = column.dropna()
    if len(present) and isinstance(present.iloc[0], Decimal):
        return column.astype(np.float64)
    return column.infer_objects()


def complete_rows(frame: pd.DataFrame, what: str = "") -> pd.Series:
    """Which rows have no missing value; ``what`` refuses others, and says how to go on."""
    missing = frame.isna()
    complete = ~missing.any(axis=1)
    if what and not complete.all():
        counts = missing.sum()
        found = [
            f"{name!r} ({count}, first in row {int(missing[name].to_numpy().argmax())})"
            for name, count in counts[counts > 0].items()
        ]
        raise ValueError(f"missing values in {', '.join(found)}, counted from row 0; {what}")
    return complete


def is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers; logical values are levels."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def numbers(column: pd.Series) -> np.ndarray:
    """A column of numbers in float64."""
    if pd.api.types.is_complex_dtype(column):
        raise ValueError(f"column {column.name!r} holds complex numbers; take their parts.")
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def levels_of(column: pd.Series, *, named: bool) -> tuple[Any, ...] | None:
    """The levels that occur in a column, in their order; None for a column of numbers.

    Parameters
    ----------
    column : Series
        Without missing values.
    named : bool
        Whether the formula says that the column holds levels, as in ``C(x)``. Then numbers are
        levels, too.

    Raises
    ------
    ValueError
        For dates and times, numbers that are written as text (unless ``named``), values that have
        no order, and where there is one level alone.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        present = set(column)
        found = [level for level in column.cat.categories if level in present]
    else:
        if pd.api.types.is_datetime64_any_dtype(column) or column.dtype.kind == "m":
            raise ValueError(
                f"column {column.name!r} holds dates or times; take numbers of them, such as the "
                "year, or days since a date."
            )
        if is_number(column) and not named:
            return None
        if not named and _are_numbers_as_text(column):
            raise ValueError(
                f"column {column.name!r} holds numbers that are written as text, such as "
                f"{example_of(column.iloc[0])}; convert it with astype(float), or write "
                f"C({column.name}) if they are names of levels."
            )
        try:
            found = sorted(set(column.tolist()))
        except TypeError as error:
            raise ValueError(
                f"column {column.name!r} holds values that have no order ({error}); make them text."
            ) from None
    if len(found) < 2:
        raise ValueError(
            f"column {column.name!r} is {example_of(found[0])} in every row, and a factor needs "
            "two levels; leave it out of the formula."
        )
    return tuple(_plain(level) for level in found)


def known_levels(column: pd.Series, levels: Sequence[Any]) -> pd.Categorical:
    """A column as one of the levels of the fit.

    Raises
    ------
    ValueError
        For another level, with its row.
    """
    found = column.astype(object)
    seen = found.isin(list(levels)).to_numpy()
    if not seen.all():
        row = int(np.argmin(seen))
        shown = ", ".join(map(str, levels[:_N_LISTED])) + (", …" if len(levels) > _N_LISTED else "")
        raise ValueError(
            f"column {column.name!r} holds {example_of(found.iloc[row])} (row {row}, counted from "
            f"0), a level that was not in the fit; it had {shown}."
        )
    return pd.Categorical(found.to_numpy(), categories=list(levels))


def _are_numbers_as_text(column: pd.Series) -> bool:
    texts = column.astype(object)
    if not texts.map(lambda value: isinstance(value, str)).all():
        return False
    return bool(pd.to_numeric(texts, errors="coerce").notna().all())


def _plain(level: Any) -> Any:
    return level.item() if isinstance(level, np.generic) else level
