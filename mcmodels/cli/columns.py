"""Checks and conversions of the columns of a data file."""

from __future__ import annotations

import argparse
import difflib
import shlex
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from mcmodels.arrays import Array
from mcmodels.estimators.validation import listed

__all__ = [
    "check_known",
    "design",
    "first",
    "levelled",
    "numeric",
    "refuse_missing",
    "refuse_single_levels",
    "refuse_unseen",
]


def design(
    frame: pd.DataFrame, features: list[str], categorical: Collection[str], path: Path, advice: str
) -> pd.DataFrame:
    """The feature columns: numbers in float64, and levels of categorical columns."""
    numbers = numeric(frame, [name for name in features if name not in categorical], path, advice)
    levels = pd.DataFrame({name: levelled(frame[name]) for name in categorical}, index=frame.index)
    return pd.concat([numbers, levels], axis=1)[features]


def numeric(frame: pd.DataFrame, names: list[str], path: Path, advice: str) -> pd.DataFrame:
    """Columns as float64; text and infinite values are refused, with an example."""
    numbers, text = {}, {}
    for name in names:
        column = frame[name]
        if not pd.api.types.is_numeric_dtype(column):
            column = pd.to_numeric(column.astype(object), errors="coerce")
        wrong = first(frame[name], column.isna())
        if wrong:
            text[name] = f"{name!r} (such as {wrong})"
            continue
        numbers[name] = column.astype(np.float64)
        infinite = first(numbers[name], np.isinf(numbers[name]))
        if infinite:
            raise ValueError(f"column {name!r} of {path} holds {infinite}; numbers must be finite")
    if text:
        raise ValueError(
            f"{path} holds text where numbers are needed: {listed(text.values())}; "
            + advice.format(shlex.join(text))
        )
    return pd.DataFrame(numbers, index=frame.index)


def levelled(column: pd.Series) -> pd.Series:
    """A column of levels: numbers stay numbers, anything else becomes text."""
    if pd.api.types.is_numeric_dtype(column):
        return pd.Series(column.to_numpy(), index=column.index)
    return column.astype(str)


def first(column: pd.Series, where: npt.ArrayLike) -> str | None:
    """The first value of a column where a condition holds, and its row."""
    rows = np.flatnonzero(where)
    return f"'{column.iloc[rows[0]]}' in data row {rows[0] + 1}" if rows.size else None


def check_known(names: Iterable[str], frame: pd.DataFrame, path: Path) -> None:
    """Refuse columns that the file does not have, with the nearest name."""
    for name in names:
        if name not in frame.columns:
            nearest = difflib.get_close_matches(name, frame.columns, n=1)
            hint = f"did you mean {nearest[0]!r}?" if nearest else f"it has {listed(frame.columns)}"
            raise ValueError(f"unknown column {name!r} in {path}; {hint}")


def refuse_missing(frame: pd.DataFrame, names: list[str], path: Path) -> None:
    """Refuse missing values, with where they are."""
    if frame.empty:
        raise ValueError(f"{path} has a header and no rows")
    missing = frame[names].isna()
    counts = missing.sum()
    if counts.any():
        found = [
            f"{name!r} ({count}, first in data row {missing[name].argmax() + 1})"
            for name, count in counts[counts > 0].items()
        ]
        raise ValueError(
            f"{path} has missing values in {listed(found)}; fill them in, or drop those rows"
        )


def refuse_single_levels(X: pd.DataFrame, options: argparse.Namespace) -> None:
    """Refuse categorical columns of one level: without its first level, nothing of it is left."""
    for name in options.categorical:
        if X[name].nunique() == 1 and options.model != "pca":
            raise ValueError(
                f"categorical column {name!r} of {options.file} is '{X[name].iloc[0]}' in every "
                "row; leave it out of the features"
            )


def refuse_unseen(X: pd.DataFrame, levels: Mapping[str, Array], path: Path) -> None:
    """Refuse levels that the model was not fitted to."""
    for name, known in levels.items():
        column = X[name]
        # One new word in the column turns its numbers into text; only the word is to be named.
        seen = column.isin(known) | column.astype(str).isin(known.astype(str))
        unseen = first(column, ~seen)
        if unseen:
            raise ValueError(
                f"column {name!r} of {path} holds {unseen}, which the model was not fitted to; "
                f"it knows {listed(known)}"
            )
