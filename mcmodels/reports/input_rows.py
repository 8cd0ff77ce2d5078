"""Rows of inputs as a user has them: their names, blocks of them, and copies with other values."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from mcmodels.arrays import Array
from mcmodels.estimators.arguments import check_weights, listed, refuse_other_order
from mcmodels.exceptions import example_of
from mcmodels.reports.step_rules import as_floats
from mcmodels.reports.step_slopes import columns_of
from mcmodels.rows import CodedBlock, RowStream
from mcmodels.tables.dask_stream import as_stream, is_dask
from mcmodels.tables.dicts import frame_of_dict

__all__ = ["InputBlock", "InputRows", "in_memory", "numbers_of", "with_values"]

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


# What goes with rows, and the rows themselves, as a fit takes them.
Prepare = Callable[[Any, Mapping[str, Any]], tuple[Any, dict[str, Any]]]


@dataclass(frozen=True)
class InputRows:
    """Rows of inputs, in memory, in a stream, or in the partitions of Dask.

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
    width : int
        The columns of the design that is made of the rows, if there are more of them.
    prepare : callable, or None
        What a block of a stream goes through: ``Route.complete``.
    """

    X: Any
    names: tuple[str, ...]
    weights: Array | None = None
    offsets: Mapping[str, Any] | None = None
    labels: tuple[Any, ...] = ()
    width: int = 0
    prepare: Prepare | None = None

    @classmethod
    def of(
        cls,
        fitted: Any,
        X: Any,
        along: Mapping[str, Any],
        prepare: Prepare = lambda X, along: (X, dict(along)),
        width: int = 0,
    ) -> InputRows:
        """Checked rows; names are those of the data frame, or of the fit, or x0, x1, ….

        ``along`` has what goes with the rows: ``sample_weight``, ``by``, and offsets.
        """
        along = {name: of for name, of in along.items() if of is not None}
        if is_dask(X) or any(map(is_dask, along.values())):
            X = _of_dask(X, **along)
            along = {}
        if isinstance(X, RowStream):
            if along:
                raise ValueError("a RowStream holds its weights and offset; leave the others out.")
            X = X.bound_to(getattr(fitted, "table_columns_", None))
            first = next((block for _, block in X.nonempty()), None)
            if first is None:
                raise ValueError("X is a stream without rows.")
            names = _names_of(fitted, in_memory(first[0]))
            return cls(X, names, None, None, (), width, prepare)
        if not len_of(X):
            raise ValueError("X has no rows; pass those that effects are averaged over.")
        refuse_other_order(X=X, **along)
        kept, along = prepare(X, along)
        if not len_of(kept):
            raise ValueError("every row of X has a missing value; none is left.")
        return cls._here(fitted, kept, along, width=width)

    @classmethod
    def _here(
        cls, fitted: Any, X: Any, along: dict[str, Any], *, width: int = 0, is_part: bool = False
    ) -> InputRows:
        """Rows in memory."""
        X = in_memory(X)
        weights = check_weights(along.pop("sample_weight", None), X, allow_all_zero=is_part)
        for name, of in along.items():
            if len(np.atleast_1d(of)) != X.shape[0]:
                raise ValueError(
                    f"{name} has {len(np.atleast_1d(of))} entries, and X has {X.shape[0]} rows."
                )
        held = {name: np.asarray(of) for name, of in along.items()}
        labels = (held.pop("by"),) if "by" in held else ()
        return cls(X, _names_of(fitted, X), weights, held, labels, width)

    @property
    def is_stream(self) -> bool:
        """Whether rows come in blocks that have no index in common."""
        return isinstance(self.X, RowStream) and not self.X.in_parts

    def blocks(self) -> Iterator[InputBlock]:
        """Iterate over blocks of the rows."""
        if isinstance(self.X, RowStream):
            for part in self._parts():
                yield from part.blocks()
            return
        height = max(_BLOCK // max(self.X.shape[1], self.width, 1), 1)
        for start in range(0, self.X.shape[0], height):
            some = slice(start, min(start + height, self.X.shape[0]))
            X = self.X.iloc[some] if isinstance(self.X, pd.DataFrame) else self.X[some]
            if sparse.issparse(X):
                X = X.toarray()
            weights = np.ones(X.shape[0]) if self.weights is None else self.weights[some]
            offsets = {name: of[some] for name, of in (self.offsets or {}).items()}
            yield InputBlock(X, weights, offsets, tuple(of[some] for of in self.labels))

    def _parts(self) -> Iterator[InputRows]:
        """The blocks of a stream, or partitions of Dask, as rows in memory."""
        assert self.prepare is not None
        for X, along in _alongside(self.X):
            kept, along = self.prepare(X, along)
            if len_of(kept):
                found = self._here(None, kept, along, width=self.width, is_part=True)
                yield replace(found, names=self.names)

    def position(self, name: Any, argument: str) -> int:
        """Position of an input; refused, with the nearest name, where there is none."""
        if name in self.names:
            return self.names.index(name)
        texts = [*map(str, self.names)]
        close = difflib.get_close_matches(str(name), texts, n=1)
        near = [of for of, text in zip(self.names, texts, strict=True) if text in close]
        hint = f"did you mean {near[0]!r}?" if near else f"there are {listed(self.names)}."
        raise ValueError(f"{argument}: X has no input {example_of(name)}; {hint}")


def _of_dask(
    X: Any, sample_weight: Any = None, by: Any = None, offset: Any = None, exposure: Any = None
) -> RowStream:
    """Rows in the partitions of Dask, with labels for groups."""
    stream: RowStream = as_stream(
        X, None, sample_weight, by, "by", offset=offset, exposure=exposure
    )[0]
    return stream


def _alongside(stream: RowStream) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Blocks of rows, and by name what goes with them."""
    parts = stream.parts.walk() if stream.in_parts else [stream]
    for source, (X, _, *more) in ((part, block) for part in parts for _, block in part.nonempty()):
        labels = source.group_labels() if stream.in_parts and stream.has_groups else None
        weights, offset, exposure = (*more, None, None, None)[:3]
        along = {"sample_weight": weights, "by": labels, "offset": offset, "exposure": exposure}
        yield X, {name: of for name, of in along.items() if of is not None}


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


def len_of(X: Any) -> int:
    """The number of rows of a table or an array; anything else is refused."""
    if isinstance(X, Mapping):
        return len(frame_of_dict(X, "X"))
    try:
        return int(X.shape[0]) if hasattr(X, "shape") else len(X)
    except (TypeError, IndexError) as error:
        raise TypeError(
            f"X={example_of(X)} is no table of rows; pass rows as predict(X) takes them."
        ) from error


def in_memory(X: Any) -> Any:
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
        return frame_of_dict(X, "X")
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
