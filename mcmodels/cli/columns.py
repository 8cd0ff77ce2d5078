"""Checks and conversions of the columns of a data file."""

from __future__ import annotations

import argparse
import difflib
import re
import shlex
from collections.abc import Collection, Iterable, Mapping
from typing import NoReturn

import numpy as np
import numpy.typing as npt
import pandas as pd

from mcmodels.arrays import Array
from mcmodels.cli.files import quoted
from mcmodels.cli.reading import DataFile
from mcmodels.cli.table_files import TableFiles
from mcmodels.cli.whole_tables import InMemory
from mcmodels.estimators.arguments import listed

__all__ = [
    "Data",
    "check_known",
    "complete",
    "design",
    "dropped",
    "first",
    "known_levels",
    "levelled",
    "numeric",
    "offsets_of",
    "refuse_level",
    "refuse_single_levels",
]

Data = DataFile | TableFiles

_N_EXAMPLES, _N_COLUMNS = 3, 5  # that messages show
_LOGICAL = {"True": 1, "TRUE": 1, "true": 1, "False": 0, "FALSE": 0, "false": 0}  # of read_csv
_MONTH = (
    "(?i:jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|"
    "oct(ober)?|nov(ember)?|dec(ember)?)"
)
_DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}:\d\d"
    rf"|\d+(st|nd|rd|th)?[-. ]*{_MONTH}\b|{_MONTH}[-., ]+\d"
)
# A number with separators of thousands, or a sign of a currency or of percent.
_MARKED = re.compile(
    r"[-+−(]?\s*[$€£¥]?\s*[-+−]?\d+([ ,.'’_\xa0\u202f]\d{3})*([.,]\d+)?\s*[%‰$€£¥]?\)?$"
)


def design(
    frame: pd.DataFrame,
    features: list[str],
    categorical: Collection[str],
    data: InMemory,
    advice: str | None = None,
) -> pd.DataFrame:
    """The feature columns: numbers in float64, and levels of categorical columns."""
    numbers = numeric(frame, [name for name in features if name not in categorical], data, advice)
    levels = pd.DataFrame({name: levelled(frame[name]) for name in categorical}, index=frame.index)
    return pd.concat([numbers, levels], axis=1)[features]


def numeric(
    frame: pd.DataFrame, names: list[str], data: InMemory, advice: str | None = None
) -> pd.DataFrame:
    """Columns as float64; text and infinite values are refused, with examples.

    What to do about text is ``advice``, or for features what the text looks like.
    """
    numbers: dict[str, pd.Series] = {}
    text: dict[str, pd.Series] = {}
    for name in names:
        column = frame[name]
        if not pd.api.types.is_numeric_dtype(column):
            column = _parsed(column, data.decimal)
            if column.isna().all():  # a word among logical values has made them text
                column = frame[name].astype(object).map(lambda c: _LOGICAL.get(str(c)))
        if column.isna().any():
            text[name] = frame[name][column.isna()].astype(object).map(str)
            continue
        numbers[name] = column.astype(np.float64)
        infinite = first(numbers[name], np.isinf(numbers[name]))
        if infinite:
            raise ValueError(f"column {name!r} of {data} holds {infinite}; numbers must be finite")
    if text:
        shown = list(text.items())[:_N_COLUMNS]
        found = [_not_numbers(name, wrong, len(frame), data) for name, wrong in shown]
        if len(text) > _N_COLUMNS:
            found.append(f"{len(text) - _N_COLUMNS} more columns hold text")
        remedies = [advice] if advice else _remedies(text, len(frame))
        if len(frame.columns) == 1 and not data.is_parquet:
            remedies = ["name what separates values with --sep", *remedies]
        other = "," if data.decimal == "." else "."
        if any(_parsed(wrong, other).notna().mean() > 0.5 for wrong in text.values()):
            remedies.insert(0, f"write --decimal {other} if that is the decimal mark")
        raise ValueError(f"{data}: {'; '.join(found)}; {', or '.join(remedies)}")
    return pd.DataFrame(numbers, index=frame.index)


def offsets_of(
    frame: pd.DataFrame, options: argparse.Namespace, data: InMemory
) -> dict[str, Array]:
    """The columns of --offset and --exposure, by the name of the argument."""
    found = {}
    for name in ("offset", "exposure"):
        column = getattr(options, name)
        if column is not None:
            advice = f"the column of --{name} must be numeric"
            found[name] = numeric(frame, [column], data, advice)[column].to_numpy()
    return found


def _parsed(column: pd.Series, decimal: str) -> pd.Series:
    """A column of text as numbers; NaN where a value is none."""
    cells = column.astype(object)
    if decimal != ".":
        swap = str.maketrans({decimal: ".", ".": decimal})
        cells = cells.map(lambda cell: cell.translate(swap) if isinstance(cell, str) else cell)
    return pd.to_numeric(cells.astype(object), errors="coerce")  # dates stay dates


def _not_numbers(name: str, wrong: pd.Series, n_rows: int, data: InMemory) -> str:
    """How many values are no numbers, and which; one example is enough where all are text."""
    n_shown = _N_EXAMPLES if len(wrong) < n_rows else 1
    shown = [f"{quoted(cell)} in {data.where(row)}" for row, cell in wrong.iloc[:n_shown].items()]
    is_not = "is not a number" if len(wrong) == 1 else "are not numbers"
    more = f" and {len(wrong) - n_shown} more" if len(wrong) > n_shown > 1 else ""
    return f"{len(wrong)} of {n_rows} values of {name!r} {is_not}: {', '.join(shown)}{more}"


def _remedies(text: Mapping[str, pd.Series], n_rows: int) -> list[str]:
    """What to do about features that are no numbers, by what they look like."""
    remedies = []
    marked = [name for name, wrong in text.items() if _some(wrong, _MARKED)]
    if marked:
        remedies.append("write plain numbers, without other marks, currencies or percent signs")
    # Stray values among numbers, dates, and names of rows: each would become a level of its own.
    levels = [
        name
        for name, wrong in text.items()
        if len(wrong) > n_rows / 2
        and wrong.nunique() < len(wrong)
        and not (name in marked or _some(wrong, _DATE))
    ]
    if levels:
        remedies.append(f"name text of few levels with --categorical {shlex.join(levels)}")
    elif not marked and any(len(wrong) < n_rows for wrong in text.values()):
        remedies.append("correct these values, or empty them and add --drop-missing")
    columns = "this column" if len(text) == 1 else "these columns"
    return [*remedies, f"leave {columns} out with --features"]


def _some(column: pd.Series, pattern: re.Pattern[str]) -> bool:
    return any(map(pattern.match, column.unique()))


def levelled(column: pd.Series) -> pd.Series:
    """A column of levels: numbers stay numbers, anything else becomes text."""
    if pd.api.types.is_numeric_dtype(column):
        return pd.Series(column.to_numpy(), index=column.index)
    return column.astype(str)


def first(column: pd.Series, where: npt.ArrayLike) -> str | None:
    """The first value of a column where a condition holds, and its row in the file."""
    rows = np.flatnonzero(where)
    if not rows.size:
        return None
    return f"{quoted(column.iloc[rows[0]])} in data row {column.index[rows[0]] + 1}"


def check_known(names: Iterable[str], frame: pd.DataFrame, data: Data) -> None:
    """Refuse columns that the file does not have, with the nearest name."""
    for name in names:
        if name in data.unreadable and name not in frame.columns:
            raise ValueError(f"column {name!r} of {data} cannot be read: {data.unreadable[name]}")
        if name not in frame.columns:
            nearest = difflib.get_close_matches(name, frame.columns, n=1)
            hint = f"did you mean {nearest[0]!r}?" if nearest else f"it has {listed(frame.columns)}"
            if len(frame.columns) == 1 and not data.is_parquet:
                hint += "; name what separates values with --sep, if that is not one name"
            raise ValueError(f"unknown column {name!r} in {data}; {hint}")


def complete(frame: pd.DataFrame, names: list[str], data: InMemory, *, drop: bool) -> pd.DataFrame:
    """The rows in which no value of these columns is missing; the others are dropped or refused."""
    if frame.empty:
        raise ValueError(f"{data} has a header and no rows")
    missing = frame[names].isna()
    counts = missing.sum()
    if not counts.any():
        return frame
    if not drop:
        found = [
            f"{name!r} ({count}, first in data row {missing[name].argmax() + 1})"
            for name, count in counts[counts > 0].items()
        ]
        remedy = "drop those rows with --drop-missing"
        if missing.all().any():
            remedy = "leave out the columns without any value"
        raise ValueError(f"{data} has missing values in {listed(found)}; fill them in, or {remedy}")
    if missing.any(axis=1).all():
        named = listed(repr(name) for name in counts[counts > 0].index)
        raise ValueError(f"every row of {data} has missing values, in {named}; none is left")
    return frame[~missing.any(axis=1)]


def dropped(n_kept: int, n_dropped: int) -> str:
    """How many rows were left out."""
    return f"{n_dropped} of {n_kept + n_dropped} rows, for missing values"


def refuse_single_levels(X: pd.DataFrame, options: argparse.Namespace, data: InMemory) -> None:
    """Refuse categorical columns of one level: without its first level, nothing of it is left."""
    for name in options.categorical:
        if X[name].nunique() == 1 and options.model != "pca":
            refuse_level(name, X[name].iloc[0], data)


def refuse_level(name: str, level: object, data: Data) -> NoReturn:
    """Refuse a categorical column of one level."""
    raise ValueError(
        f"categorical column {name!r} of {data} is {quoted(level)} in every row; leave it out of "
        "the features"
    )


def known_levels(
    X: pd.DataFrame, levels: Mapping[str, Array], data: InMemory, unseen: str
) -> pd.DataFrame:
    """The rows with the levels that the model was fitted to.

    Others are refused, or are the first one where ``unseen`` is "baseline".
    """
    for name, known in levels.items():
        column, seen = X[name], X[name].isin(known)
        if seen.all():
            continue
        # A word in a column turns its numbers into text; only the word is to be named.
        by_text = dict(zip(known.astype(str), known, strict=True))
        found = column.astype(object).where(seen, column.astype(str).map(by_text))
        if unseen == "baseline":
            found = found.fillna(known[0])
        new = first(column, found.isna())
        if new:
            raise ValueError(
                f"column {name!r} of {data} holds {new}, which the model was not fitted to; "
                f"it knows {listed(known)}"
            )
        X = X.assign(**{name: found.infer_objects()})
    return X
