"""What fitted steps make of rows of which a few columns change.

A counterfactual changes one input of many. The parts of a ColumnTransformer that do not read it
make what they have made before, encoders and scalers change the columns of that input alone, and a
value that is the same in every row is transformed in one row. Steps that are not known to keep
rows and columns apart take all rows again.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)

from mcmodels.reports.step_columns import columns_of_each
from mcmodels.reports.step_slopes import columns_of, inner_steps, is_identity

__all__ = ["Changed", "PassedRows", "with_columns"]

_Positions = npt.NDArray[np.intp]
# Each column that they make is of one input, and each row of itself.
_BY_COLUMN = (
    *(StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, Binarizer),
    *(OneHotEncoder, OrdinalEncoder, KBinsDiscretizer, SplineTransformer),
)


class Changed(NamedTuple):
    """Columns that differ from those of rows that are known.

    Parameters
    ----------
    at : ndarray of int of shape (q,)
        Their positions.
    columns : DataFrame, ndarray or sparse array of shape (b, q) or (1, q)
        Their values; one row where all rows have the same.
    """

    at: _Positions
    columns: Any


class PassedRows:
    """Rows, the fitted steps that they go through, and what these make of them.

    Parameters
    ----------
    steps : sequence of transformer
        Fitted steps, applied one after another.
    X : DataFrame, Series, ndarray or sparse array
        The rows as the first step takes them.
    """

    def __init__(self, steps: Sequence[Any], X: Any) -> None:
        self.steps = [_thawed(step) for step in steps if not is_identity(step)]
        self.X = X

    @functools.cached_property
    def before(self) -> list[Any]:
        """The rows as each step takes them, and as the last one makes them."""
        rows = [self.X]
        for step in self.steps:
            rows.append(step.transform(rows[-1]))
        return rows

    @property
    def made(self) -> Any:
        """The rows after all steps."""
        return self.before[-1]

    def changed(self, change: Changed) -> Changed:
        """What the steps make of the rows where some columns are others."""
        for k, step in enumerate(self.steps):
            if not change.at.size:
                return change
            change = self._through(k, step, change)
        return change

    def _through(self, k: int, step: Any, change: Changed) -> Changed:
        X = self.before[k] if k else self.X
        if isinstance(step, Pipeline):
            return self._inside(k)[0][0].changed(change)
        if isinstance(step, ColumnTransformer | FeatureUnion):
            return _joined(list(self._of_parts(k, change)), len_of(X))
        if isinstance(step, SelectorMixin):
            return _selected(step, change)
        reached = _reached(step, change.at, 1 if X.ndim == 1 else X.shape[1])
        if reached is not None:
            alone = len_of(change.columns) == 1
            made = step.transform(with_columns(X[:1] if alone else X, change))
            if made.shape[1] == reached.width:
                return Changed(reached.at, columns_of(made, reached.at))
        made = step.transform(with_columns(X, change))
        at = np.arange(made.shape[1])
        if type(step) is PolynomialFeatures:
            at = np.flatnonzero(step.powers_[:, change.at].any(axis=1))
        return Changed(at, columns_of(made, at))

    def _of_parts(self, k: int, change: Changed) -> Iterator[Changed]:
        """The columns that each part makes anew, where they stand after the step."""
        for part, at, first, weight in self._inside(k):
            mine = np.flatnonzero(np.isin(at, change.at))
            if mine.size:
                # A column may be named by several parts, and twice in one.
                order = np.argsort(change.at, kind="stable")
                taken = order[np.searchsorted(change.at, at[mine], sorter=order)]
                made = part.changed(Changed(mine, columns_of(change.columns, taken)))
                columns = made.columns if weight == 1.0 else made.columns * weight
                yield Changed(made.at + first, columns)

    def _inside(self, k: int) -> list[tuple[PassedRows, _Positions, int, float]]:
        """Parts of the k-th step: rows, columns they read, first column they make, weight."""
        if k not in self._known:
            self._known[k] = list(self._parts_of(k))
        return self._known[k]

    @functools.cached_property
    def _known(self) -> dict[int, list[tuple[PassedRows, _Positions, int, float]]]:
        return {}

    def _parts_of(self, k: int) -> Iterator[tuple[PassedRows, _Positions, int, float]]:
        step, X = self.steps[k], self.before[k] if k else self.X
        if isinstance(step, Pipeline):
            inner = PassedRows([part for _, part in step.steps], X)
            yield inner, np.arange(X.shape[1] if X.ndim > 1 else 1), 0, 1.0
            return
        weights = getattr(step, "transformer_weights", None) or {}
        start = 0
        for name, part, rows, at in inner_steps(step, X):
            passed = PassedRows([part], rows)
            if isinstance(step, ColumnTransformer):
                start = step.output_indices_[name].start
            yield passed, at, start, weights.get(name, 1.0)
            if isinstance(step, FeatureUnion):
                start += passed.made.shape[1]


def len_of(X: Any) -> int:
    """The number of rows."""
    return int(X.shape[0])


def with_columns(X: Any, change: Changed) -> Any:
    """A copy of the rows in which some columns are others; each keeps its type in a frame."""
    columns, n = change.columns, len_of(X)
    if isinstance(X, pd.Series):
        return _column(columns, 0, n).set_axis(X.index).rename(X.name)
    if isinstance(X, pd.DataFrame):
        copied = X.copy(deep=False)
        for k, j in enumerate(change.at):
            copied.isetitem(int(j), _column(columns, k, n).set_axis(X.index))
        return copied
    values = columns.toarray() if sparse.issparse(columns) else np.asarray(columns)
    copied = X.toarray() if sparse.issparse(X) else np.array(X)
    if copied.ndim == 1:
        return np.broadcast_to(values.reshape(len(values), -1)[:, 0], copied.shape)
    copied = copied.astype(np.result_type(copied.dtype, values.dtype), copy=False)
    copied[:, change.at] = values
    return copied


def _column(columns: Any, k: int, n: int) -> pd.Series:
    """A column of n rows, of its type."""
    if not isinstance(columns, pd.DataFrame | pd.Series):
        held = columns.toarray() if sparse.issparse(columns) else np.asarray(columns)
        columns = pd.DataFrame(held.reshape(len(held), -1))
    column = columns if columns.ndim == 1 else columns.iloc[:, k]
    return column if len(column) == n else column.iloc[np.zeros(n, dtype=np.intp)]


def _thawed(step: Any) -> Any:
    return step.estimator if type(step).__name__ == "FrozenEstimator" else step


def _selected(step: Any, change: Changed) -> Changed:
    kept = step.get_support()
    new = np.cumsum(kept) - 1
    mine = np.flatnonzero(kept[change.at])
    return Changed(new[change.at[mine]], columns_of(change.columns, mine))


class _Reached(NamedTuple):
    """Which columns may change after a step, and how many it makes in all."""

    at: _Positions
    width: int


def _reached(step: Any, at: _Positions, n_columns: int) -> _Reached | None:
    """What changes after a step that keeps rows and columns apart; None of any other step."""
    counts = columns_of_each(step, n_columns) if type(step) in _BY_COLUMN else None
    if counts is None:
        return None
    ends = np.cumsum([0, *counts])
    found = np.concatenate([np.arange(ends[j], ends[j + 1]) for j in sorted(set(at.tolist()))])
    return _Reached(found, int(ends[-1]))


def _joined(found: list[Changed], n_rows: int) -> Changed:
    """The columns of several parts side by side."""
    if len(found) == 1:
        return found[0]
    if not found:
        return Changed(np.zeros(0, dtype=np.intp), np.zeros((1, 0)))
    heights = {len_of(of.columns) for of in found}
    height = 1 if heights == {1} else n_rows
    dense = [
        of.columns.toarray() if sparse.issparse(of.columns) else np.asarray(of.columns)
        for of in found
    ]
    wide = [np.broadcast_to(of, (height, of.shape[1])) for of in dense]
    return Changed(np.concatenate([of.at for of in found]), np.hstack(wide))
