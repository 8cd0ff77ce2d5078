"""Arrays and data frames of Dask as a stream in parts, each of which stays where it is."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.exceptions import RechunkWarning
from mcmodels.rows import CodedBlock, PartOfStream, RowStream
from mcmodels.tables.columns import TableColumns
from mcmodels.tables.dask_parts import DaskParts, Levels, in_order
from mcmodels.tables.engines import table_of_pandas
from mcmodels.tables.packages import imported
from mcmodels.user_warnings import warn_user

__all__ = [
    "DaskStream",
    "OpenPartition",
    "as_stream",
    "in_parts",
    "is_dask",
    "partitions_of",
    "refuse_mixed",
    "refuse_parts",
]

_MB = 2**20


def is_dask(value: object) -> bool:
    """Whether this is an array, a data frame or a series of Dask."""
    package = type(value).__module__.partition(".")[0]
    found = package in ("dask", "dask_expr") and hasattr(value, "to_delayed")
    return found and hasattr(value, "ndim")


def as_stream(
    X: Any,
    y: Any = None,
    sample_weight: Any = None,
    groups: Any = None,
    name: str = "groups",
    **offsets: Any,
) -> Any:
    """X, y, weights and groups; Dask collections of them together as a :class:`DaskStream`.

    ``name`` is what errors call the groups; ``offsets`` are ``offset`` and ``exposure``.

    Returns
    -------
    tuple
        ``(X, y, sample_weight, groups)`` as they are; or ``(stream, None, None, None)``.
    """
    given = {"X": X, "y": y, "sample_weight": sample_weight, name: groups} | offsets
    if not any(map(is_dask, given.values())):
        return X, y, sample_weight, groups
    if X is None:
        first = next(key for key, value in given.items() if value is not None)
        raise ValueError(f"X is None, and {first} is given; pass X and y.")
    refuse_mixed(given)
    return DaskStream(X, y, sample_weight, groups, name, **offsets), None, None, None


def refuse_mixed(given: dict[str, Any]) -> None:
    """Refuse arrays beside collections of Dask, whose partitions they could not be paired with."""
    for key, value in given.items():
        if value is not None and not is_dask(value):
            theirs = next(other for other, found in given.items() if is_dask(found))
            raise TypeError(
                f"{key} is a {type(value).__name__}, and {theirs} a collection of Dask; pass "
                f"{key} as one, too, such as dask.array.from_array({key}, chunks=...) with the "
                f"chunks of {theirs}."
            )


def in_parts(X: Any, y: Any = None, sample_weight: Any = None, **offsets: Any) -> RowStream | None:
    """The rows as a stream in parts; None if they are here."""
    stream = as_stream(X, y, sample_weight, **offsets)[0]
    return stream if isinstance(stream, RowStream) and stream.in_parts else None


def refuse_parts(method: str, *given: Any) -> None:
    """Refuse Dask collections in a method that needs all rows at once."""
    if any(isinstance(value, DaskStream) or is_dask(value) for value in given):
        raise TypeError(
            f"{method} takes no Dask collections; it needs all rows in this process. Pass a part "
            "of them that fits in memory, after .compute()."
        )


class DaskStream(RowStream):
    """Rows in collections of Dask.

    Parameters
    ----------
    X : dask.array.Array or dask.dataframe.DataFrame
        Features.
    y, sample_weight, groups : dask.array.Array, Series or DataFrame, default=None
        Targets, weights and clusters of the same rows, in as many partitions.
    name : str, default="groups"
        What errors call the groups.
    offset, exposure : dask.array.Array or Series, default=None
        Offsets and exposures of the same rows.
    """

    in_parts = True

    def __init__(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        groups: Any = None,
        name: str = "groups",
        offset: Any = None,
        exposure: Any = None,
    ) -> None:
        super().__init__(self._read)
        self._X = X
        self.has_groups = groups is not None
        given = {"X": X, "y": y, "sample_weight": sample_weight, name: groups}
        given |= {"offset": offset, "exposure": exposure}
        self._partitions = partitions_of(given)
        self._columns: TableColumns | None = None

    def __repr__(self) -> str:
        return f"{type(self._X).__name__} of Dask in {len(self._partitions)} partitions"

    @property
    def parts(self) -> Any:
        """The partitions."""
        return DaskParts(self._partitions, OpenPartition(self.table_columns))

    @functools.cached_property
    def table_columns(self) -> TableColumns | None:
        """The columns of a frame with categorical ones, whose levels are looked for."""
        if self._columns is not None:
            return self._columns
        types = getattr(self._X, "dtypes", None)
        if types is None or not any(map(_is_categorical, types)):
            return None
        names = [name for name, kind in types.items() if _is_categorical(kind)]
        for name, kind in types.items():
            if not isinstance(name, str):
                raise ValueError(
                    f"X has a categorical column and one with the name {name!r}; coded columns are "
                    "named by text: rename the columns."
                )
            if name not in names and not pd.api.types.is_numeric_dtype(kind):
                raise TypeError(
                    f"column {name!r} of X is {kind}; numbers, booleans and categories are needed: "
                    "convert it, or leave it out."
                )
        features = tuple(self._X.columns)
        found = DaskParts(self._partitions, OpenPartition(None)).sum(_LevelsOfPart(tuple(names)))
        levels = {name: in_order(name, values) for name, values in (found or {}).items()}
        for name in names:
            if not levels.get(name):
                raise ValueError(
                    f"column {name!r} has no levels: it is missing in all rows; leave it out."
                )
        return TableColumns(features, levels)

    def bound_to(self, columns: TableColumns | None) -> RowStream:
        """The same rows in the columns that a model was fitted to."""
        if columns is None:
            return self
        bound = object.__new__(DaskStream)
        bound.__dict__ = {k: v for k, v in self.__dict__.items() if k != "table_columns"}
        bound._columns, bound.blocks = columns, bound._read
        return bound

    def nonempty(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Iterate over the partitions that have rows, with their numbers."""
        for part in self.parts.walk():
            yield from part.nonempty()

    def place(self, number: int) -> str:
        """Where a block is, for errors."""
        return f"partition {number}"

    def _read(self) -> Iterator[tuple[Any, ...]]:
        return (block for _, block in self.nonempty())


def partitions_of(given: dict[str, Any]) -> list[Any]:
    """What each partition holds of some collections, X first: a tuple, with None for None."""
    delayed = imported("dask.delayed", "dask", "a fit of Dask collections").delayed
    X = given["X"]
    if getattr(X, "ndim", 2) != 2:
        raise ValueError(f"X has {X.ndim} dimension(s); it needs two: rows and columns.")
    lengths = X.chunks[0] if hasattr(X, "chunks") else None
    arranged = {
        name: _arranged(name, value, lengths) for name, value in given.items() if value is not None
    }
    # Dask would optimise each by itself: then what they share is computed for each of them, and
    # frames of few columns are read in fewer partitions than others of the same files.
    columns = [
        np.ravel(arranged[name].to_delayed(optimize_graph=False)).tolist()
        if name in arranged
        else None
        for name in given
    ]
    count = len(columns[0] or ())
    for name, column in zip(given, columns, strict=True):
        if column is not None and len(column) != count:
            raise ValueError(
                f"{name} has {len(column)} partitions and X has {count}; rows are paired by "
                f"partition. Repartition {name} like X."
            )
    if count == 0:
        raise ValueError("X has no partitions, so there are no rows.")
    held = delayed(_held, pure=False)
    return [
        held(*(None if column is None else column[k] for column in columns)) for k in range(count)
    ]


def _held(*parts: Any) -> tuple[Any, ...]:
    return parts


def _arranged(name: str, value: Any, lengths: tuple[Any, ...] | None) -> Any:
    """A collection in chunks of whole rows, as many as X has where that is known."""
    if not hasattr(value, "chunks"):
        return value
    if value.ndim > 1 and value.numblocks[1] > 1:
        _warn_of_columns(name, value)
        value = value.rechunk({1: -1})
    known = lengths is not None and not np.isnan([*lengths, *value.chunks[0]]).any()
    if known and value.chunks[0] != lengths:
        if sum(value.chunks[0]) != sum(lengths or ()):
            raise ValueError(
                f"{name} has {sum(value.chunks[0])} rows, and X has {sum(lengths or ())}; both "
                "need the same."
            )
        value = value.rechunk({0: lengths})
    return value


def _warn_of_columns(name: str, value: Any) -> None:
    lengths = [length for length in value.chunks[0] if length == length]
    size = max(lengths, default=0) * value.shape[1] * value.dtype.itemsize / _MB
    cost = f"{max(size, 0.1):,.1f} MB or less of each partition" if size else "whole rows"
    warn_user(
        RechunkWarning(
            f"{name} is split along its columns into {value.numblocks[1]} chunks. A sum over rows "
            f"needs whole rows, so each pass joins them: {cost} in memory, and on a cluster most "
            f"of {name} moved between workers in each pass. Pass "
            f"{name}.rechunk({{1: -1}}).persist() to pay once."
        )
    )


def _is_categorical(kind: Any) -> bool:
    return getattr(kind, "name", "") == "category"


@dataclass(frozen=True)
class OpenPartition:
    """Opens a partition of collections as a stream of one block."""

    columns: TableColumns | None

    def __call__(self, held: tuple[Any, ...], number: int) -> RowStream:
        """The stream."""
        X, y, weights, groups, *offsets = held
        others = y, weights, *offsets
        if self.columns is None or not hasattr(X, "columns"):
            return _OneBlock(X, others, groups)
        lacking = [name for name in self.columns.features if name not in X.columns]
        if lacking:
            if set(self.columns.names) <= set(X.columns):  # coded by the user
                return _OneBlock(X, others, groups)
            raise ValueError(
                f"X lacks the column {lacking[0]!r}; the model was fitted to "
                f"{', '.join(self.columns.features)}."
            )
        coded = None
        if len(X):
            table = table_of_pandas(X[[*self.columns.features]])
            (batch,) = table.combine_chunks().to_batches()
            coded, missing = self.columns.design(batch, unseen="refuse", place="X")
            if missing is not None:
                raise ValueError(
                    f"partition {number}: X has missing values in {int(missing.sum())} rows, the "
                    f"first of which is row {int(missing.argmax())} (counted from 0); leave such "
                    "rows out (X.dropna()), or fill the values in."
                )
        coded = np.empty((0, len(self.columns.names))) if coded is None else coded
        block = CodedBlock(coded, self.columns.names, X.index)
        return _OneBlock(block, others, groups, self.columns, X.index)


class _OneBlock(RowStream):
    """The rows of one partition."""

    def __init__(
        self,
        X: Any,
        others: tuple[Any, ...],
        groups: Any,
        columns: Any = None,
        index: Any = None,
    ) -> None:
        super().__init__([(X, *others)])
        self._groups, self.table_columns = groups, columns
        self.index = getattr(X, "index", None) if index is None else index

    def group_labels(self) -> Any:
        """The clusters of the rows."""
        return self._groups


@dataclass(frozen=True)
class _LevelsOfPart:
    """The values of categorical columns in one partition, by the name of the column."""

    names: tuple[str, ...]

    def __call__(self, part: PartOfStream) -> Levels:
        found = Levels()
        for X, *_ in part.stream:
            for name in self.names:
                found[name] = set(X[name].dropna().unique())
        return found
