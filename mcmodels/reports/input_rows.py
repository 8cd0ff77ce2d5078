"""Rows of inputs as a user has them: their names, blocks of them, and copies with other values."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from mcmodels.arrays import Array
from mcmodels.estimators.arguments import check_weights, listed, refuse_other_order
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.reports.step_slopes import as_floats, columns_of
from mcmodels.rows import CodedBlock, RowStream
from mcmodels.tables.dask_stream import is_dask

__all__ = ["InputBlock", "InputRows", "numbers_of", "with_values"]

# Numbers in a block, over its columns.
_BLOCK = 2**18


@dataclass(frozen=True)
class InputBlock:
    """Consecutive rows of inputs.

    Parameters
    ----------
    X : DataFrame, ndarray or sparse array
        The rows.
    weights : ndarray of shape (b,)
        Their weights.
    offsets : dict
        Keywords of the methods of the model, for these rows.
    labels : sequence of arrays
        The groups of each row, by the groupings that were passed as arrays.
    """

    X: Any
    weights: Array
    offsets: dict[str, Any]
    labels: tuple[Any, ...] = ()


@dataclass(frozen=True)
class InputRows:
    """Rows of inputs, in memory or in a stream.

    Parameters
    ----------
    X : DataFrame, ndarray, sparse array or RowStream
        The rows.
    names : tuple of str
        Names of the inputs.
    weights : ndarray of shape (n,), or None
        Weights; those of a stream are in it.
    offsets : dict
        Keywords of the methods of the model.
    labels : tuple of arrays
        Groupings that were passed as arrays.
    """

    X: Any
    names: tuple[str, ...]
    weights: Array | None = None
    offsets: Mapping[str, Any] | None = None
    labels: tuple[Any, ...] = ()

    @classmethod
    def of(
        cls,
        fitted: Any,
        X: Any,
        weights: Any = None,
        offsets: Mapping[str, Any] | None = None,
        labels: tuple[Any, ...] = (),
    ) -> InputRows:
        """Checked rows; names are those of the data frame, or of the fit, or x0, x1, …."""
        offsets = {name: of for name, of in (offsets or {}).items() if of is not None}
        if is_dask(X):
            raise InferenceError(
                "effects by input variable take rows in memory or a RowStream; found a collection "
                "of Dask. Pass X.compute(), or a sample of it."
            )
        if isinstance(X, RowStream):
            if weights is not None or offsets or labels:
                raise ValueError("a RowStream holds its weights and offset; leave the others out.")
            X = X.bound_to(getattr(fitted, "table_columns_", None))
            first = next((block for _, block in X.nonempty()), None)
            if first is None:
                raise ValueError("X is a stream without rows.")
            return cls(X, _names_of(fitted, _in_memory(first[0])))
        X = _in_memory(X)
        if not X.shape[0]:
            raise ValueError("X has no rows; pass those that effects are averaged over.")
        refuse_other_order(X=X, sample_weight=weights, **offsets)
        checked = check_weights(weights, X)
        held = {name: np.asarray(of) for name, of in offsets.items()}
        for name, of in [*held.items(), *(("by", of) for of in labels)]:
            if len(np.atleast_1d(of)) != X.shape[0]:
                raise ValueError(
                    f"{name} has {len(np.atleast_1d(of))} entries, and X has {X.shape[0]} rows."
                )
        return cls(X, _names_of(fitted, X), checked, held, labels)

    @property
    def index(self) -> pd.Index | None:
        """The index of a data frame."""
        return self.X.index if isinstance(self.X, pd.DataFrame) else None

    def blocks(self) -> Iterator[InputBlock]:
        """Iterate over blocks of the rows."""
        if isinstance(self.X, RowStream):
            for _, (X, _, *more) in self.X.nonempty():
                X = _in_memory(X)
                weights = more[0] if more and more[0] is not None else np.ones(X.shape[0])
                offsets = {"offset": more[1]} if len(more) > 1 and more[1] is not None else {}
                yield InputBlock(X, np.asarray(weights, dtype=np.float64), offsets)
            return
        height = max(_BLOCK // max(self.X.shape[1], 1), 1)
        for start in range(0, self.X.shape[0], height):
            part = slice(start, min(start + height, self.X.shape[0]))
            X = self.X.iloc[part] if isinstance(self.X, pd.DataFrame) else self.X[part]
            if sparse.issparse(X):
                X = X.toarray()
            weights = np.ones(X.shape[0]) if self.weights is None else self.weights[part]
            offsets = {name: of[part] for name, of in (self.offsets or {}).items()}
            yield InputBlock(X, weights, offsets, tuple(of[part] for of in self.labels))

    def position(self, name: Any, argument: str) -> int:
        """Position of an input; refused, with the nearest name, where there is none."""
        if name in self.names:
            return self.names.index(name)
        close = difflib.get_close_matches(str(name), self.names, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {listed(self.names)}."
        raise ValueError(f"{argument}: X has no input {example_of(name)}; {hint}")


def with_values(X: Any, values: Mapping[int, Any]) -> Any:
    """A copy of the rows with other values in columns, by position: one value, or one a row."""
    if not values:
        return X
    if isinstance(X, pd.DataFrame):
        copied = X.copy(deep=False)
        for j, of in values.items():
            copied[X.columns[j]] = _column_like(X.iloc[:, j], of)
        return copied
    changed = np.array(X, copy=True)
    if changed.dtype.kind in "iub":
        kinds = {np.asarray(of).dtype.kind for of in values.values()}
        changed = changed.astype(np.float64) if "f" in kinds else changed
    for j, of in values.items():
        changed[:, j] = of
    return changed


def _column_like(column: pd.Series, values: Any) -> pd.Series:
    """Values as a column of the type of another; numbers may have fractions beside integers."""
    dtype = column.dtype
    number = pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)
    held = np.asarray(values)
    if not number or held.dtype.kind not in "iuf":
        held = np.asarray(values, dtype=object)
    held = np.broadcast_to(held, len(column))
    if not number:  # text and objects keep their type, which encoders compare with their levels
        return pd.Series(held, index=column.index, dtype=dtype)
    return pd.Series(held, index=column.index).infer_objects()


def _in_memory(X: Any) -> Any:
    """Rows as a data frame, an array or a sparse matrix by rows."""
    if isinstance(X, CodedBlock):  # of scan
        return pd.DataFrame(as_floats(X.X), columns=[*X.names])
    if isinstance(X, pd.DataFrame):
        return X
    if sparse.issparse(X):
        return sparse.csr_array(X)
    if hasattr(X, "to_pandas"):  # Polars, Arrow
        return X.to_pandas()
    if isinstance(X, Mapping):  # a formula takes dicts of columns
        if any(np.ndim(column) != 1 for column in X.values()):
            raise ValueError(f"X={example_of(X)} must have columns with a value for each row.")
        return pd.DataFrame(dict(X))
    held = np.asarray(X)
    if held.ndim != 2:
        raise ValueError(f"X must have rows and columns; found an array of shape {held.shape}.")
    return held


def _names_of(fitted: Any, X: Any) -> tuple[str, ...]:
    if isinstance(X, pd.DataFrame):
        return tuple(X.columns)
    of_fit = getattr(fitted, "feature_names_in_", None)
    if of_fit is not None and len(of_fit) == X.shape[1]:
        return tuple(of_fit)
    return tuple(f"x{j}" for j in range(X.shape[1]))


def numbers_of(X: Any, j: int) -> Array:
    """The values of a numeric input, as float64."""
    return as_floats(columns_of(X, [j]))[:, 0]
