"""Reads a RowStream for a fit or for another method: checks its blocks, and that none changes."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.validation import check_array, check_consistent_length

from mcmodels.arrays import Array, Labels, Matrix, Values, Weights
from mcmodels.estimators.arguments import check_weights, listed, refuse_other_order
from mcmodels.estimators.classes import encode, kind_of_labels
from mcmodels.estimators.numeric_columns import entries_not_finite
from mcmodels.estimators.scores import PairedScoreMixin
from mcmodels.estimators.validation import (
    Features,
    features_of,
    refuse_masked,
    target_names,
    unfitted,
    validated_block,
)
from mcmodels.rows import (
    ArrayRows,
    Chunk,
    Moments,
    RowStream,
    Seen,
    SpreadSample,
    StreamedMatrix,
    StreamRows,
    WalkSums,
    gathered,
    sum_behind,
)
from mcmodels.rows.sizes import FEW_ENTRIES

Block = tuple[Matrix, Any, Array | None]
# What is applied to the targets and weights of rows before a fit.
Prepare = Callable[[Any, Array | None], tuple[Any, Array | None]]

# The first walk takes moments of rows that have no more columns than this, so that many rows are
# gathered for each. Of few rows it does not: another walk takes no time, and shows whether it gives
# the same rows.
_MOST_COLUMNS = 2**10
# Rows that least squares hold of a stream: four for each column tell how well conditioned it is.
_FEW_HELD = 2**13

_NO_ROWS = "the stream has no blocks with rows, or no blocks."


@dataclass(frozen=True)
class Survey:
    """What the first pass over a stream has found.

    Parameters
    ----------
    seen : Seen
        Number and weight of the rows.
    dtype : dtype
        float32 if every block is float32, else float64.
    y_shape : tuple of int, or None
        Shape of y without its first axis; None without y.
    labels : ndarray
        The labels in ascending order; empty unless labels were asked for.
    label_weights : dict
        Total weight of the rows of each label.
    checker : estimator
        A copy of the estimator that has recorded the columns; it checks blocks in later passes.
    sums : WalkSums
        Sums over the rows, which every later walk must have.
    sample : SpreadSample
        Some of the rows.
    kind : str
        What the labels are, as :func:`kind_of_labels` says; empty unless labels were asked for.
    target_names : tuple of str
        Names of the targets in the first block; empty if they have none.
    moments : Moments, or None
        Of the rows, if they were asked for and are worth while.
    """

    seen: Seen
    dtype: np.dtype[Any]
    y_shape: tuple[int, ...] | None
    labels: Labels
    label_weights: dict[Any, float]
    checker: Any
    sums: WalkSums
    sample: SpreadSample
    kind: str = ""
    target_names: tuple[str, ...] = ()
    moments: Moments | None = None

    @property
    def features(self) -> Features:
        """The columns of X."""
        return features_of(self.checker)


def survey(
    estimator: Any,
    stream: RowStream,
    *,
    intercept: bool,
    labels: bool = False,
    moments_of: Prepare | None = None,
    **for_y: Any,
) -> Survey:
    """Pass over a stream once and check every block; the estimator is not changed.

    The moments are those of the targets and weights that ``moments_of`` returns.
    """
    checker, sums = unfitted(estimator), WalkSums()
    sample = SpreadSample() if moments_of is None else SpreadSample(_FEW_HELD)
    seen: Seen | None = None
    dtypes, y_dtypes = set(), set()
    y_shape: tuple[int, ...] | None = None
    kind = ""
    label_weights: dict[Any, float] = {}
    names: list[str] = []

    def checked() -> Iterator[Block]:
        nonlocal kind, y_shape
        blocks = _blocks(checker, stream, names, fresh=True, **for_y)
        for count, (number, (X, y, weights)) in enumerate(blocks):
            shape = None if y is None else y.shape[1:]
            if count > 0 and shape != y_shape:
                raise ValueError(
                    "the blocks of the stream have y of different shapes after the first axis: "
                    f"{shape} in block {number}, and {y_shape} before; every block needs the same "
                    "targets."
                )
            y_shape = shape
            if labels:
                kind = _same_kind_of_labels(kind, y, number)
                y_dtypes.add(y.dtype)
            yield X, y, weights

    def tasks() -> Generator[tuple[Callable[[], Moments], bool]]:
        nonlocal seen
        for chunk in gathered(checked()):
            X, y, weights = chunk[:3]
            rows = ArrayRows(X, None, weights, intercept=intercept)
            seen = Seen.of(rows) if seen is None else seen + Seen.of(rows)
            dtypes.add(rows.dtype)
            if moments_of is not None and X.shape[1] <= _MOST_COLUMNS and rows.n_present:
                rows = ArrayRows(X, *moments_of(y, weights), intercept=intercept)
                task = functools.partial(Moments.of, rows, near=1.0)
                yield task, chunk.stays and not rows.are_few
            if labels:
                found, codes = encode(y)
                totals = np.bincount(codes, weights=weights, minlength=len(found))
                for label, total in zip(found.tolist(), totals.tolist(), strict=True):
                    label_weights[label] = label_weights.get(label, 0.0) + total
            sample.add(X, y, weights)
            sums.add(X, _numbers(y, labels=labels), weights, alone=chunk.stays)

    moments = sum_behind(tasks())
    if seen is None:
        raise ValueError(_NO_ROWS)
    if not seen.total_weight > 0:
        raise ValueError("sample_weight is zero in every row; at least one must be positive.")
    (dtype,) = dtypes if len(dtypes) == 1 else (np.dtype(np.float64),)
    ordered = np.array(sorted(label_weights), dtype=np.result_type(*y_dtypes) if labels else None)
    known = (seen, dtype, y_shape, ordered, label_weights, checker, sums, sample, kind)
    if seen.n_rows * seen.n_features <= FEW_ENTRIES:
        moments = None
    return Survey(*known, tuple(names), moments)


def stream_rows(
    stream: RowStream,
    surveyed: Survey,
    prepare: Prepare,
    **for_y: Any,
) -> StreamRows:
    """The rows of a surveyed stream; ``prepare`` is applied to y and weights of each block."""
    labels = bool(surveyed.label_weights)

    def checked() -> Iterator[Block]:
        for number, (X, y, weights) in _blocks(surveyed.checker, stream, **for_y):
            if labels:
                _same_kind_of_labels(surveyed.kind, y, number)
                _refuse_new_label(y, surveyed, number)
            yield X, y, weights

    def walk() -> Iterator[Chunk]:
        sums = surveyed.sums.of_next_walk()
        for chunk in gathered(checked()):
            X, y, weights = chunk[:3]
            sums.add(X, _numbers(y, labels=labels), weights, alone=chunk.stays)
            y, weights = prepare(y, weights)
            yield chunk._replace(y=y, weights=weights)
        sums.require(surveyed.sums, surveyed.features.names)

    X, y, weights = surveyed.sample.stacked()
    held = ArrayRows(X, *prepare(y, weights), intercept=surveyed.seen.intercept)
    return StreamRows(walk, surveyed.seen, surveyed.dtype, held, surveyed.moments)


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

    One walk reads y and weights, checks every block, and takes the sums that later walks must have.
    With ``fresh`` it records the columns on the estimator, and adds names of targets to ``names``.
    """
    if not isinstance(X, RowStream):
        return X, y, sample_weight
    refuse_other_arguments(y, sample_weight)
    stream, first = X, WalkSums(in_order=True)
    seen: Seen | None = None
    dtypes = set()
    targets: list[Values] = []
    weights: list[Array | None] = []
    counts: list[int] = []
    kind = ""
    labels: list[pd.DataFrame | None] = []

    def labelled() -> Iterator[Any]:
        for block in stream:
            frame = isinstance(block[0], pd.DataFrame)
            labels.append(pd.DataFrame(index=block[0].index) if frame else None)
            yield block

    def checked() -> Iterator[Block]:
        nonlocal kind
        blocks = _blocks(estimator, RowStream(labelled), names, fresh=fresh, **for_y)
        for number, block in blocks:
            if block[1] is not None and not for_y.get("y_numeric"):
                kind = _same_kind_of_labels(kind, block[1], number)
            yield block

    for chunk in gathered(checked()):
        rows = ArrayRows(chunk.X)
        seen = Seen.of(rows) if seen is None else seen + Seen.of(rows)
        dtypes.add(rows.dtype)
        first.add(chunk.X, None, None)
        counts.append(rows.n_rows)
        targets += [] if chunk.y is None else [np.array(chunk.y)]
        weights.append(None if chunk.weights is None else np.array(chunk.weights))
    if seen is None:
        raise ValueError(_NO_ROWS)

    def walk() -> Iterator[Chunk]:
        sums = first.of_next_walk()
        blocks = _blocks(estimator, stream, **for_y)
        for chunk in gathered((X, None, None) for _, (X, _, _) in blocks):
            sums.add(chunk.X, None, None, alone=chunk.stays)
            yield chunk
        sums.require(first, features_of(estimator).names)

    (dtype,) = dtypes if len(dtypes) == 1 else (np.dtype(np.float64),)
    index = None if any(part is None for part in labels) else _stacked(labels).index
    stacked = None
    if any(w is not None for w in weights):
        parts = zip(counts, weights, strict=True)
        stacked = np.concatenate([np.ones(n) if w is None else w for n, w in parts])
    return (
        StreamedMatrix(walk, seen, dtype, index),
        np.concatenate(targets) if targets else None,
        stacked,
    )


def of_blocks(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of rows that also takes a stream: its results for the blocks, one after another."""

    @functools.wraps(method)
    def of_rows_or_stream(self: Any, X: Any, *args: Any, **options: Any) -> Any:
        if not isinstance(X, RowStream):
            return method(self, X, *args, **options)
        results = []
        for number, (block, _, _) in X.nonempty():
            with _located(number, block, None, None):
                results.append(method(self, block, *args, **options))
        if not results:
            raise ValueError(_NO_ROWS)
        if isinstance(results[0], tuple):
            return tuple(map(_stacked, zip(*results, strict=True)))
        return _stacked(results)

    return of_rows_or_stream


class StreamScore(PairedScoreMixin):
    """``score`` of a stream, by the measure that scikit-learn takes for arrays."""

    def score(self: Any, X: Any, y: Any = None, sample_weight: Weights = None) -> float:
        """R² of the predictions of a regressor, the accuracy of a classifier.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Features; a stream also holds y and the weights.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0.

        Returns
        -------
        float
        """
        if not isinstance(X, RowStream):
            return super().score(X, y, sample_weight)
        refuse_other_arguments(y, sample_weight)
        targets, predictions, weights = [], [], []
        kind = ""
        for number, (block, y_of_block, w) in X.nonempty():
            if y_of_block is None:
                raise ValueError(f"block {number} of the stream has no y; blocks must be (X, y).")
            with _located(number, block, y_of_block, w):
                refuse_masked("y", y_of_block)
                refuse_other_order(X=block, y=y_of_block, sample_weight=w)
                predictions.append(self.predict(block))
                options = {"ensure_2d": False, "input_name": "y"}
                dtype = None if is_classifier(self) else "numeric"
                # Copies: readers may put the next block into the same array.
                targets.append(np.array(check_array(y_of_block, dtype=dtype, **options)))
                check_consistent_length(predictions[-1], targets[-1])
                w = check_weights(w, predictions[-1], allow_all_zero=True)
            if is_classifier(self):
                kind = _same_kind_of_labels(kind, targets[-1], number)
            weights.append(np.ones(len(predictions[-1])) if w is None else np.array(w))
        if not targets:
            raise ValueError(_NO_ROWS)
        measure = accuracy_score if is_classifier(self) else r2_score
        stacked = map(np.concatenate, (targets, predictions))
        return float(measure(*stacked, sample_weight=np.concatenate(weights)))


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
    if isinstance(X, RowStream):
        raise TypeError(
            "partial_fit takes one block of rows, and X is a RowStream. Pass the stream to fit; or "
            "call partial_fit for each of its blocks: for X, y, sample_weight in stream."
        )


def _blocks(
    checker: Any,
    stream: RowStream,
    names: list[str] | None = None,
    *,
    fresh: bool = False,
    **for_y: Any,
) -> Iterator[tuple[int, Block]]:
    """The blocks that have rows, checked, with their numbers; ``fresh`` records the columns.

    y is None without ``for_y``, for what reads no targets. The names of the targets of the first
    block are added to ``names``.
    """
    named: tuple[str, ...] = ()
    for number, (X, y, weights) in stream.nonempty():
        y = y if for_y else None
        if for_y and y is None:
            raise ValueError(
                f"block {number} of the stream has no y: a block of the stream has no y unless it "
                "is (X, y)."
            )
        with _located(number, X, y, weights):
            refuse_other_order(X=X, y=y, sample_weight=weights)
            rows, targets = validated_block(checker, X, y, reset=fresh, **for_y)
            checked = check_weights(weights, rows, allow_all_zero=True)
        found = target_names(y)
        if named and found and found != named:
            raise ValueError(
                f"y of block {number} of the stream has the columns {listed(found)}, and "
                f"{listed(named)} in earlier blocks; every block needs the same targets in the "
                "same order."
            )
        named = named or found
        if fresh and names is not None:
            names += found
        fresh = False
        yield number, (rows, targets, checked)


@contextmanager
def _located(number: int, X: Any, y: Any, weights: Any) -> Iterator[None]:
    """Say in errors about a block which block it is, and which entry is not a finite number."""
    try:
        yield
    except (ValueError, TypeError) as error:
        if type(error) not in (ValueError, TypeError):
            raise
        where = f"block {number} of the stream"
        for name, values in (("X", X), ("y", y), ("sample_weight", weights)):
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


def _same_kind_of_labels(kind: str, y: Labels, number: int) -> str:
    """The kind of the labels of a block; refuse another one than that of the blocks before."""
    with _located(number, None, y, None):
        found = kind_of_labels(y)
    if kind and found != kind:
        raise ValueError(
            f"the labels in block {number} of the stream are {found} (such as "
            f"{y[:1].tolist()[0]!r}), and {kind} in earlier blocks; convert y to one type in every "
            "block."
        )
    return found


def _refuse_new_label(y: Labels, surveyed: Survey, number: int) -> None:
    at = np.flatnonzero(~np.isin(y, surveyed.labels, kind="sort"))
    if at.size:
        label = y[at].tolist()[0]
        raise ValueError(
            f"block {number} of the stream has the label {label!r} in row {at[0]} (counted from "
            "0), which was not there in the first walk; every walk must give the same rows."
        )


def _numbers(y: Any, *, labels: bool) -> Array | None:
    """Y as numbers, for sums that tell other targets apart: text becomes a checksum."""
    if y is None or not labels or y.dtype.kind in "biuf":
        return None if y is None else y
    found, codes = encode(y)
    numbers = [
        float(v) if isinstance(v, Real) else zlib.crc32(str(v).encode()) / 2**32
        for v in found.tolist()
    ]
    return np.array(numbers)[codes]
