"""Reads a RowStream block by block: checks the blocks, and hands them to methods of rows."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, Labels, Matrix, Values, Weights
from mcmodels.estimators.arguments import check_weights, listed, refuse_other_order
from mcmodels.estimators.classes import kind_of_labels
from mcmodels.estimators.numeric_columns import entries_not_finite
from mcmodels.estimators.offsets import refuse_beside_stream, refuse_for_model
from mcmodels.estimators.validation import (
    features_of,
    target_names,
    validated_block,
    validated_pair,
)
from mcmodels.rows import (
    ArrayRows,
    Chunk,
    CodedBlock,
    PartOfStream,
    RowStream,
    Seen,
    StreamedMatrix,
    gathered,
    offsets_of,
)
from mcmodels.tables.dask_results import lazy
from mcmodels.tables.dask_stream import as_stream, is_dask

_NO_TARGETS = "y is None; pass the targets, as a collection of Dask like X."
NO_ROWS = "the stream has no blocks with rows, or no blocks."


def in_memory_but_X(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Weights,
    names: list[str] | None = None,
    *,
    fresh: bool = False,
    **for_y: Any,
) -> tuple[Any, Any, Any]:
    """X, y and weights; of a stream, y and weights in memory and a StreamedMatrix for X.

    The StreamedMatrix has the offset of the stream. One walk reads y and weights, checks every
    block, and takes the sums that later walks must have.
    With ``fresh`` it records the columns on the estimator, and adds names of targets to ``names``.
    """
    if for_y and y is None and is_dask(X):
        raise ValueError(_NO_TARGETS)
    X, y, sample_weight, _ = as_stream(X, y, sample_weight)
    if not isinstance(X, RowStream):
        return X, y, sample_weight
    refuse_other_arguments(y, sample_weight)
    stream = in_columns_of(estimator, X, fresh=fresh)
    first: Any = stream.walk_check(in_order=True)
    seen: Seen | None = None
    dtypes = set()
    targets: list[Values] = []
    weights: list[Array | None] = []
    extras: dict[str, list[Array]] = {}
    counts: list[int] = []
    kind = ""
    read = _Labelled(stream)

    def checked() -> Iterator[Chunk]:
        nonlocal kind
        blocks = checked_blocks(estimator, read, names, fresh=fresh, **for_y)
        for number, block in blocks:
            if block.y is not None and not for_y.get("y_numeric"):
                kind = same_kind_of_labels(kind, block.y, stream.place(number))
            yield block

    for chunk in gathered(checked()):
        rows = ArrayRows(chunk.X)
        seen = Seen.of(rows) if seen is None else seen + Seen.of(rows)
        dtypes.add(rows.dtype)
        first.add(chunk.X, None, None)
        counts.append(rows.n_rows)
        targets += [] if chunk.y is None else [np.array(chunk.y)]
        weights.append(None if chunk.weights is None else np.array(chunk.weights))
        for name, values in (chunk.extras or {}).items():
            extras.setdefault(name, []).append(np.array(values))
    if seen is None:
        raise ValueError(NO_ROWS)

    def walk() -> Iterator[Chunk]:
        sums = first.of_next_walk()
        blocks = checked_blocks(estimator, stream, **for_y)
        for chunk in gathered((block.X,) for _, block in blocks):
            sums.add(chunk.X, None, None, alone=chunk.stays)
            yield chunk
        sums.require(first, features_of(estimator).names)

    (dtype,) = dtypes if len(dtypes) == 1 else (np.dtype(np.float64),)
    stacked = None
    if any(w is not None for w in weights):
        parts = zip(counts, weights, strict=True)
        stacked = np.concatenate([np.ones(n) if w is None else w for n, w in parts])
    return (
        StreamedMatrix(
            walk,
            seen,
            dtype,
            read.index,
            {name: np.concatenate(parts) for name, parts in extras.items()},
        ),
        np.concatenate(targets) if targets else None,
        stacked,
    )


class _Labelled(RowStream):
    """A stream that keeps the labels of the rows which were read, where its blocks have them."""

    def __init__(self, stream: RowStream) -> None:
        super().__init__(stream.blocks)
        self._stream, self._labels = stream, list[pd.Index | None]()
        self.table_columns, self.in_parts = stream.table_columns, stream.in_parts

    def nonempty(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Iterate over the blocks that have rows, with their numbers."""
        for number, block in self._stream.nonempty():
            X = block[0]
            self._labels.append(X.index if isinstance(X, pd.DataFrame | CodedBlock) else None)
            yield number, block

    def place(self, number: int) -> str:
        """Where a block is, for errors."""
        return self._stream.place(number)

    @property
    def index(self) -> pd.Index | None:
        """The labels of all rows; None if some have none."""
        known = [labels for labels in self._labels if labels is not None]
        if not known or len(known) < len(self._labels):
            return None
        return known[0].append(known[1:])


def checked_rows(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Weights,
    *,
    allow_all_zero: bool = False,
    **for_y: Any,
) -> tuple[Matrix, Any, Array | None]:
    """X, y and weights for a fitted model, checked; of a stream as :func:`in_memory_but_X`."""
    refuse_other_order(X=X, y=y, sample_weight=sample_weight)
    X, y, sample_weight = in_memory_but_X(estimator, X, y, sample_weight, **for_y)
    X, y = validated_pair(estimator, X, y, **for_y)
    return X, y, check_weights(sample_weight, X, allow_all_zero=allow_all_zero)


def of_blocks(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of rows that also takes a stream: its results for the blocks, one after another."""

    @lazy
    @functools.wraps(method)
    def of_rows_or_stream(self: Any, X: Any, *args: Any, **options: Any) -> Any:
        if not isinstance(X, RowStream):
            return method(self, X, *args, **options)
        names = getattr(self, "_offset_names", ())  # a posterior of a network has none
        refuse_beside_stream({name: options.pop(name, None) for name in names})
        results = []
        stream = in_columns_of(self, X)
        for number, parts in stream.nonempty():
            X, place, offsets = parts[0], stream.place(number), offsets_of(parts)
            refuse_for_model(self, offsets, place)
            with located(place, X, None, None, **offsets):
                results.append(method(self, X, *args, **offsets, **options))
        if not results:
            raise ValueError(NO_ROWS)
        if isinstance(results[0], tuple):
            return tuple(map(_stacked, zip(*results, strict=True)))
        return _stacked(results)

    return of_rows_or_stream


def refuse_other_arguments(y: object, sample_weight: Weights) -> None:
    """Refuse targets and weights that are passed together with a stream."""
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"{name} was given together with a RowStream; put it into the blocks: (X, y) or "
                "(X, y, sample_weight)."
            )


def refuse_stream(X: object) -> None:
    """Refuse a stream in ``partial_fit``, which takes one block."""
    if isinstance(X, RowStream) or is_dask(X):
        if isinstance(X, RowStream):
            what, each = "a RowStream. Pass the stream", "its blocks: for X, y, weights in stream"
        else:
            what, each = "a collection of Dask. Pass it", "its partitions, computed"
        raise TypeError(
            f"partial_fit takes one block of rows, and X is {what} to fit; or call partial_fit for "
            f"each of {each}."
        )


def checked_blocks(
    checker: Any,
    stream: RowStream,
    names: list[str] | None = None,
    *,
    fresh: bool = False,
    **for_y: Any,
) -> Iterator[tuple[int, Chunk]]:
    """The blocks that have rows, checked, with their numbers; ``fresh`` records the columns.

    y is None without ``for_y``, for what reads no targets. An offset is among the extras, with the
    logarithm of an exposure. The names of the targets of the first block are added to ``names``.
    """
    named: tuple[str, ...] = ()
    stream = in_columns_of(checker, stream, fresh=fresh)
    for number, parts in stream.nonempty():
        X, y, weights = parts[:3]
        offsets = offsets_of(parts)
        y = y if for_y else None
        place = stream.place(number)
        if offsets:
            refuse_for_model(checker, offsets, place)
        if for_y and y is None:
            raise ValueError(
                _NO_TARGETS
                if isinstance(stream, PartOfStream) or stream.in_parts
                else f"{place} has no y: a block of the stream has no y unless it is (X, y)."
            )
        with located(place, X, y, weights, **offsets):
            refuse_other_order(X=X, y=y, sample_weight=weights, **offsets)
            rows, targets = validated_block(checker, X, y, reset=fresh, **for_y)
            checked = check_weights(weights, rows, allow_all_zero=True)
            extras = checker._offsets_of(rows, **offsets) if offsets else None
        found = target_names(y)
        if named and found and found != named:
            raise ValueError(
                f"y of {place} has the columns {listed(found)}, and {listed(named)} in earlier "
                "blocks; every block needs the same targets in the same order."
            )
        named = named or found
        if fresh and names is not None:
            names += found
        fresh = False
        yield number, Chunk(rows, targets, checked, extras)


def in_columns_of(estimator: Any, stream: RowStream, *, fresh: bool = False) -> RowStream:
    """A stream in the columns that the estimator was fitted to; ``fresh`` records them on it."""
    if not fresh:
        return stream.bound_to(getattr(estimator, "table_columns_", None))
    if stream.table_columns is not None:
        estimator.table_columns_ = stream.table_columns
    return stream


@contextmanager
def located(place: str, X: Any, y: Any, weights: Any, **offsets: Any) -> Iterator[None]:
    """Say in errors about a block where it is, and which entry is not a finite number."""
    try:
        yield
    except (ValueError, TypeError) as error:
        if type(error) not in (ValueError, TypeError):
            raise
        where = place
        X = X.frame() if isinstance(X, CodedBlock) else X
        given = {"X": X, "y": y, "sample_weight": weights} | offsets
        for name, values in given.items():
            entries = entries_not_finite(values, labels=name == "y")
            if len(entries):
                entry = entries[0]
                where += f", row {entry[0]}"
                if name == "X":
                    columns = getattr(X, "columns", None)
                    column = f"x{entry[1]}" if columns is None else repr(columns[entry[1]])
                    where += f", column {column}"
                else:
                    where += f" of {name}"
                break
        raise type(error)(f"{where} (counted from 0): {error}") from error


def _stacked(results: Any) -> Any:
    results = list(results)
    if all(isinstance(part, pd.DataFrame) for part in results):
        numbered = all(part.index.equals(pd.RangeIndex(len(part))) for part in results)
        return pd.concat(results, ignore_index=numbered)
    return np.concatenate(results)


def same_kind_of_labels(kind: str, y: Labels, place: str, found: str = "") -> str:
    """The kind of the labels of a block; refuse another one than that of the blocks before.

    ``found`` is the kind of these labels, if it is known.
    """
    if not found and y.dtype.kind == "O":
        with located(place, None, y, None):
            found = kind_of_labels(y)
    elif not found:  # nothing can be wrong
        found = kind_of_labels(y)
    if kind and found != kind:
        raise ValueError(
            f"the labels in {place} are {found} (such as {y[:1].tolist()[0]!r}), and {kind} in "
            "earlier blocks; convert y to one type in every block."
        )
    return found
