"""Rows in which one input takes values, and the others are typical or those of the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from mcmodels.plots.asked import frame_of, known
from mcmodels.reports.column_names import parts_of_columns

__all__ = ["Grid"]

_POINTS = 60
_MOST_GROUPS = 7


@dataclass(frozen=True, eq=False)
class Grid:
    """Values of a variable, for each group, and rows that hold them.

    Parameters
    ----------
    frame : DataFrame
        The rows of the user.
    as_given : callable
        Gives such a frame in the form in which the user has rows.
    variable : object
        Name of a column.
    values : ndarray of shape (k,)
        Its values.
    is_numeric : bool
        Whether they are a range of numbers, and not levels.
    by : object or None
        Name of another column.
    groups : list
        Its values; [None] without it.
    coded : frozenset
        Columns of which the steps know levels, also where these are numbers.
    """

    frame: pd.DataFrame
    as_given: Any
    variable: Any
    values: Any
    is_numeric: bool
    by: Any
    groups: list[Any]
    coded: frozenset[Any] = frozenset()

    @classmethod
    def of(cls, X: Any, fitted: Any, steps: Sequence[Any], variable: Any, by: Any) -> Grid:
        """The values of a column of X: evenly between its least and largest, or its levels.

        Parameters
        ----------
        X : matrix
            Rows of the user.
        fitted : estimator
            What they are for.
        steps : sequence of transformers
            What it does to them first; columns that are coded by levels have no means.
        variable, by : object
            Columns, by name or position; ``by`` may be None.
        """
        frame, as_given = frame_of(X, fitted)
        variable = _column(frame, variable, "variable")
        column, coded = frame[variable], frozenset(_coded(steps, list(frame.columns)))
        is_numeric = _is_number(column) and variable not in coded
        present = column.dropna()
        if present.empty:
            raise ValueError(f"variable={variable!r} has no value in X.")
        if is_numeric:
            values = np.linspace(float(present.min()), float(present.max()), _POINTS)
        else:
            values = np.array(_levels(present), dtype=object)
        groups: list[Any] = [None]
        if by is not None:
            by = _column(frame, by, "by")
            if by == variable:
                raise ValueError(f"by={by!r} is the variable itself; name another column.")
            groups = _levels(frame[by].dropna())
            if len(groups) > _MOST_GROUPS:
                raise ValueError(
                    f"by={by!r} has {len(groups)} values, and at most {_MOST_GROUPS} can be told "
                    "apart in a picture; cut it into groups."
                )
        return cls(frame, as_given, variable, values, is_numeric, by, groups, coded)

    def typical(self, group: Any) -> Any:
        """One row for each value: the others at their means, or their most frequent levels."""
        row = {
            name: column.mean()
            if _is_number(column) and name not in self.coded
            else next(iter(column.mode()), None)
            for name, column in self.frame.items()
        }
        table = pd.DataFrame({name: [value] * len(self.values) for name, value in row.items()})
        return self._with(table, self.values, group)

    def each(self, group: Any) -> Iterator[Any]:
        """The rows of the data for each value, which all of them have."""
        for value in self.values:
            yield self._with(self.frame.copy(), value, group)

    def _with(self, table: pd.DataFrame, value: Any, group: Any) -> Any:
        table[self.variable] = value
        if self.by is not None:
            table[self.by] = group
        for name, column in self.frame.items():
            if isinstance(column.dtype, pd.CategoricalDtype) or (
                not _is_number(column) and table[name].dtype != column.dtype
            ):
                table[name] = table[name].astype(column.dtype)
        return self.as_given(table)


def _coded(steps: Sequence[Any], columns: list[Any]) -> Iterator[Any]:
    """Columns of which the first step, or a part of it, has learnt levels."""
    for step in steps[:1]:
        if isinstance(step, Pipeline):
            yield from _coded([part for _, part in step.steps], columns)
        elif hasattr(step, "categories_"):
            yield from columns
        elif hasattr(step, "_factors"):  # a formula
            yield from (name for name in columns if str(name) in step._factors())
        for _, part, chosen in parts_of_columns(step):
            within = np.asarray(columns, dtype=object)
            if _is_text(chosen):
                within = np.asarray(chosen, dtype=object)
            elif not callable(chosen):
                within = within[chosen]
            yield from _coded([part], list(np.atleast_1d(within)))


def _is_text(chosen: Any) -> bool:
    """Whether columns are chosen by name."""
    return np.asarray(chosen).dtype.kind in "UO" and not isinstance(chosen, slice)


def _is_number(column: pd.Series) -> bool:
    """Whether a column is a number with values between its own: not logical, not categorical."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _levels(column: pd.Series) -> list[Any]:
    """Levels in the order of a categorical column, else sorted."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        present = set(column)
        return [level for level in column.cat.categories if level in present]
    return sorted(column.unique().tolist(), key=lambda level: (str(type(level)), level))


def _column(frame: pd.DataFrame, name: Any, what: str) -> Any:
    """A column by its name, or of an array by its position."""
    is_position = isinstance(name, int | np.integer) and not isinstance(name, bool)
    if is_position and name not in frame.columns:
        if not 0 <= name < frame.shape[1]:
            raise ValueError(
                f"{what}={name!r} is no position of the {frame.shape[1]} columns of X."
            )
        return frame.columns[name]
    return known(name, frame.columns, what)
