"""A RowStream as the rows of a fit: a first walk surveys it, later ones must give the same rows."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from mcmodels.arrays import Array, Labels
from mcmodels.estimators.classes import encode
from mcmodels.estimators.streams import NO_ROWS, Block, checked_blocks, same_kind_of_labels
from mcmodels.estimators.validation import Features, features_of, unfitted
from mcmodels.rows import (
    ArrayRows,
    Chunk,
    Gatherer,
    Moments,
    RowStream,
    Seen,
    SpreadSample,
    StreamRows,
    sum_behind,
)
from mcmodels.rows.sizes import FEW_ENTRIES

# What is applied to the targets and weights of rows before a fit.
Prepare = Callable[[Any, Array | None], tuple[Any, Array | None]]

# The first walk takes moments of rows that have no more columns than this, so that many rows are
# gathered for each. Of few rows it does not: another walk takes no time, and shows whether it gives
# the same rows.
_MOST_COLUMNS = 2**10
# Of so few labels, each is compared with those of a block, which takes a third of the time of a
# search for them.
_FEW_LABELS = 4
# Rows that least squares hold of a stream: four for each column tell how well conditioned it is.
_FEW_HELD = 2**13


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
    sums : WalkSums or SameStamp
        What every later walk must have.
    sample : SpreadSample
        Some of the rows.
    gather : Gatherer
        What gathers blocks in every walk.
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
    sums: Any
    sample: SpreadSample
    gather: Gatherer
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
    checker, sums, gather = unfitted(estimator), stream.walk_check(), Gatherer()
    sample = SpreadSample() if moments_of is None else SpreadSample(_FEW_HELD)
    seen: Seen | None = None
    dtypes, y_dtypes = set(), set()
    y_shape: tuple[int, ...] | None = None
    kind = ""
    label_weights: dict[Any, float] = {}
    names: list[str] = []

    def checked() -> Iterator[Block]:
        nonlocal kind, y_shape
        blocks = checked_blocks(checker, stream, names, fresh=True, **for_y)
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
                kind = same_kind_of_labels(kind, y, number)
                y_dtypes.add(y.dtype)
            yield X, y, weights

    def tasks() -> Generator[tuple[Callable[[], Moments], bool]]:
        nonlocal seen
        for chunk in gather(checked()):
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
        raise ValueError(NO_ROWS)
    if not seen.total_weight > 0:
        raise ValueError("sample_weight is zero in every row; at least one must be positive.")
    (dtype,) = dtypes if len(dtypes) == 1 else (np.dtype(np.float64),)
    ordered = np.array(sorted(label_weights), dtype=np.result_type(*y_dtypes) if labels else None)
    known = (seen, dtype, y_shape, ordered, label_weights, checker, sums, sample, gather, kind)
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
        for number, (X, y, weights) in checked_blocks(surveyed.checker, stream, **for_y):
            if labels:
                same_kind_of_labels(surveyed.kind, y, number)
                _refuse_new_label(y, surveyed, number)
            yield X, y, weights

    def walk() -> Iterator[Chunk]:
        sums = surveyed.sums.of_next_walk()
        for chunk in surveyed.gather(checked()):
            X, y, weights = chunk[:3]
            sums.add(X, _numbers(y, labels=labels), weights, alone=chunk.stays)
            y, weights = prepare(y, weights)
            yield chunk._replace(y=y, weights=weights)
        sums.require(surveyed.sums, surveyed.features.names)

    X, y, weights = surveyed.sample.stacked()
    held = ArrayRows(X, *prepare(y, weights), intercept=surveyed.seen.intercept)
    return StreamRows(walk, surveyed.seen, surveyed.dtype, held, surveyed.moments)


def _refuse_new_label(y: Labels, surveyed: Survey, number: int) -> None:
    labels = surveyed.labels
    if len(labels) <= _FEW_LABELS:
        known = y == labels[0]
        for label in labels[1:]:
            known |= y == label
    else:
        known = np.isin(y, labels, kind="sort")
    if not known.all():
        at = np.flatnonzero(~known)
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
