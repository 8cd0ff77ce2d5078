"""A RowStream as the rows of a fit: a first walk surveys it, later ones must give the same rows."""

from __future__ import annotations

import copy
import functools
import operator
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any

import numpy as np

from mcmodels.arrays import Array, Labels
from mcmodels.estimators.arguments import listed
from mcmodels.estimators.classes import encode
from mcmodels.estimators.streams import NO_ROWS, checked_blocks, same_kind_of_labels
from mcmodels.estimators.validation import Features, features_of, unfitted
from mcmodels.rows import (
    ArrayRows,
    Chunk,
    Gatherer,
    Moments,
    PartedRows,
    PartOfStream,
    RowStream,
    Seen,
    SpreadSample,
    StreamRows,
    sum_behind,
)
from mcmodels.rows.sizes import FEW_ENTRIES

# What is applied to the targets and weights of rows before a fit.
Prepare = Callable[[Any, Array | None], tuple[Any, Array | None]]
# Further values of the rows of a part of a stream, by name.
ExtrasOfPart = Callable[[PartOfStream], dict[str, Any]]

# The first walk takes moments of rows that have no more columns than this, so that many rows are
# gathered for each. Of few rows it does not: another walk takes no time, and shows whether it gives
# the same rows.
_MOST_COLUMNS = 2**10
# Of so few labels, each is compared with those of a block, which takes a third of the time of a
# search for them.
_FEW_LABELS = 4
# Rows that least squares hold of a stream: four for each column tell how well conditioned it is.
_FEW_HELD = 2**13
# Rows that other fits hold of a stream in parts, and the fewest of each part.
_HELD_ROWS, _FEWEST_HELD = 2**16, 64


@dataclass(frozen=True)
class Survey:
    """What the first pass over a stream has found.

    Parameters
    ----------
    seen : Seen
        Number and weight of the rows.
    dtype : dtype
        float32 if every block is float32, else float64.
    y_shape, offset_shape : tuple of int, or None
        Shapes of y and of the offset without their first axis; None without them.
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
    lengths : dict of int to int
        Number of rows of each part that has any, where the stream is in parts.
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
    offset_shape: tuple[int, ...] | None = None
    lengths: dict[int, int] = field(default_factory=dict)

    @property
    def features(self) -> Features:
        """The columns of X."""
        return features_of(self.checker)

    def __add__(self, other: Survey) -> Survey:
        """What has been found in two parts of a stream, the first of which comes before."""
        first, second = (f"partition {min(of.lengths)}" for of in (self, other))
        mine, theirs = self.features, other.features
        if (mine.n_features, mine.names) != (theirs.n_features, theirs.names):
            raise ValueError(
                f"{second} has {theirs.n_features} columns ({listed(theirs.names)}), and {first} "
                f"has {mine.n_features} ({listed(mine.names)}); all need the same."
            )
        if self.y_shape != other.y_shape:
            raise ValueError(_other_shape("y", second, other.y_shape, self.y_shape))
        if self.offset_shape != other.offset_shape:
            shapes = other.offset_shape, self.offset_shape
            raise ValueError(_other_shape("an offset", second, *shapes))
        if self.target_names != other.target_names:
            raise ValueError(
                f"y of {second} has the columns {listed(other.target_names)}, and that of {first} "
                f"{listed(self.target_names)}; every partition needs the same targets."
            )
        if self.kind:
            same_kind_of_labels(self.kind, other.labels, second, other.kind)
        totals = dict(self.label_weights)
        for label, total in other.label_weights.items():
            totals[label] = totals.get(label, 0.0) + total
        dtype = np.result_type(self.labels.dtype, other.labels.dtype) if totals else None
        moments = [found.moments for found in (self, other) if found.moments is not None]
        return replace(
            self,
            seen=self.seen + other.seen,
            dtype=self.dtype if self.dtype == other.dtype else np.dtype(np.float64),
            labels=np.array(sorted(totals), dtype=dtype),
            label_weights=totals,
            sums=self.sums + other.sums,
            sample=self.sample + other.sample,
            moments=functools.reduce(operator.add, moments) if moments else None,
            lengths=self.lengths | other.lengths,
        )


def survey(
    estimator: Any,
    stream: RowStream,
    *,
    intercept: bool,
    labels: bool = False,
    moments_of: Prepare | None = None,
    fitted: bool = False,
    **for_y: Any,
) -> Survey:
    """Pass over a stream once and check every block; the estimator is not changed.

    The moments are those of the targets and weights that ``moments_of`` returns. With ``fitted``
    the columns must be those that the estimator was fitted to.
    """
    checker = estimator if fitted else unfitted(estimator)
    look = _Look(checker, intercept, labels, moments_of, not fitted, for_y)
    if not stream.in_parts:
        surveyed = look(stream, SpreadSample() if moments_of is None else SpreadSample(_FEW_HELD))
    else:
        if not fitted and stream.table_columns is not None:
            checker.table_columns_ = stream.table_columns
        surveyed = stream.parts.sum(_LookAtPart(look, stream.parts.count))
    if surveyed is None:
        raise ValueError(stream.without_rows or NO_ROWS)
    if not surveyed.seen.total_weight > 0:
        raise ValueError("sample_weight is zero in every row; at least one must be positive.")
    if surveyed.seen.n_rows * surveyed.seen.n_features <= FEW_ENTRIES:
        surveyed = replace(surveyed, moments=None)
    return surveyed


@dataclass(frozen=True)
class _Look:
    """The first pass over a stream, or over a part of one."""

    checker: Any
    intercept: bool
    labels: bool
    moments_of: Prepare | None
    fresh: bool
    for_y: dict[str, Any]

    def __call__(self, stream: RowStream, sample: SpreadSample) -> Survey | None:
        """What it finds; None without rows."""
        checker, sums, gather = self.checker, stream.walk_check(), Gatherer()
        labels, moments_of = self.labels, self.moments_of
        seen: Seen | None = None
        dtypes, y_dtypes = set(), set()
        y_shape: tuple[int, ...] | None = None
        offset_shape: tuple[int, ...] | None = None
        kind = ""
        label_weights: dict[Any, float] = {}
        names: list[str] = []

        def checked() -> Iterator[Chunk]:
            nonlocal kind, y_shape, offset_shape
            blocks = checked_blocks(checker, stream, names, fresh=self.fresh, **self.for_y)
            for count, (number, block) in enumerate(blocks):
                y, offset = block.y, (block.extras or {}).get("offset")
                shape = None if y is None else y.shape[1:]
                of_offset = None if offset is None else offset.shape[1:]
                if count > 0 and shape != y_shape:
                    raise ValueError(_other_shape("y", stream.place(number), shape, y_shape))
                if count > 0 and of_offset != offset_shape:
                    shapes = of_offset, offset_shape
                    raise ValueError(_other_shape("an offset", stream.place(number), *shapes))
                y_shape, offset_shape = shape, of_offset
                if labels:
                    kind = same_kind_of_labels(kind, y, stream.place(number))
                    y_dtypes.add(y.dtype)
                yield block

        def tasks() -> Generator[tuple[Callable[[], Moments | None], bool]]:
            nonlocal seen
            for chunk in gather(checked()):
                X, y, weights, extras, _ = chunk
                rows = ArrayRows(X, None, weights, intercept=self.intercept)
                seen = Seen.of(rows) if seen is None else seen + Seen.of(rows)
                dtypes.add(rows.dtype)
                if moments_of is not None and X.shape[1] <= _MOST_COLUMNS and rows.n_present:
                    rows = ArrayRows(X, *moments_of(y, weights), intercept=self.intercept)
                    task = functools.partial(Moments.of, rows, near=1.0)
                    yield task, chunk.stays and not rows.are_few
                if labels and y.ndim == 1:  # indicators of labels are no classes
                    found, codes = encode(y)
                    totals = np.bincount(codes, weights=weights, minlength=len(found))
                    for label, total in zip(found.tolist(), totals.tolist(), strict=True):
                        label_weights[label] = label_weights.get(label, 0.0) + total
                sample.add(X, y, weights, extras)
                numbers = _numbers(y, labels=labels)
                add = functools.partial(sums.add, X, numbers, weights, extras)
                if moments_of is None:
                    yield add, chunk.stays and not rows.are_few
                else:
                    add(alone=chunk.stays)

        moments = sum_behind(tasks())
        if seen is None:
            return None
        (dtype,) = dtypes if len(dtypes) == 1 else (np.dtype(np.float64),)
        ordered = np.array(
            sorted(label_weights), dtype=np.result_type(*y_dtypes) if label_weights else None
        )
        known = (seen, dtype, y_shape, ordered, label_weights, checker, sums, sample, gather, kind)
        return Survey(*known, tuple(names), moments, offset_shape)


@dataclass(frozen=True)
class _LookAtPart:
    """The first pass over one of several parts, with a sample of its share of the rows."""

    look: _Look
    count: int

    def __call__(self, part: PartOfStream) -> Survey | None:
        held = _FEW_HELD if self.look.moments_of else _HELD_ROWS
        # A fitted model needs no sample to start from.
        most = max(held // self.count, _FEWEST_HELD) if self.look.fresh else 1
        if self.look.fresh:
            # Each part records the columns on a copy of its own.
            look = replace(self.look, checker=copy.copy(self.look.checker))
        else:
            look = self.look
        found = look(part, SpreadSample(most))
        return found and replace(found, lengths={part.number: found.seen.n_rows})


def stream_rows(
    stream: RowStream,
    surveyed: Survey,
    prepare: Prepare,
    extras_of: ExtrasOfPart | None = None,
    **for_y: Any,
) -> StreamRows:
    """The rows of a surveyed stream; ``prepare`` is applied to y and weights of each block.

    Rows of a stream in parts have what ``extras_of`` finds in each part as extras, too.
    """
    names = surveyed.features.names
    look = _LaterLook(surveyed.checker, surveyed.labels, surveyed.kind, prepare, extras_of, for_y)
    X, y, weights, extras, _ = surveyed.sample.stacked()
    held = ArrayRows(X, *prepare(y, weights), extras, intercept=surveyed.seen.intercept)
    if stream.in_parts:
        lengths = [surveyed.lengths.get(k, 0) for k in range(stream.parts.count)]
        return PartedRows(
            stream.parts,
            look,
            surveyed.seen,
            surveyed.dtype,
            np.concatenate([[0], np.cumsum(lengths)])[:-1].tolist(),
            lambda check: check.require(surveyed.sums, names),
            held,
            surveyed.moments,
        )

    def walk() -> Iterator[Chunk]:
        sums = surveyed.sums.of_next_walk()
        yield from look(stream, sums, surveyed.gather)
        sums.require(surveyed.sums, names)

    return StreamRows(walk, surveyed.seen, surveyed.dtype, held, surveyed.moments)


@dataclass(frozen=True)
class _LaterLook:
    """A pass after the first over a stream, or over a part of one: the chunks of a fit."""

    checker: Any
    labels: Labels
    kind: str
    prepare: Prepare
    extras_of: ExtrasOfPart | None
    for_y: dict[str, Any]

    def __call__(self, stream: Any, sums: Any, gather: Gatherer | None = None) -> Iterator[Chunk]:
        """The chunks; their sums are added to ``sums``."""
        labels = bool(len(self.labels))
        extras = {} if self.extras_of is None else self.extras_of(stream)
        start = 0
        for chunk in (gather or Gatherer())(self._checked(stream)):
            X, y, weights, own, _ = chunk
            sums.add(X, _numbers(y, labels=labels), weights, own, alone=chunk.stays)
            y, weights = self.prepare(y, weights)
            here = slice(start, start + X.shape[0])
            start = here.stop
            of_chunk = {name: values[here] for name, values in extras.items()} | dict(own or {})
            yield chunk._replace(y=y, weights=weights, extras=of_chunk)

    def _checked(self, stream: RowStream) -> Iterator[Chunk]:
        for number, block in checked_blocks(self.checker, stream, **self.for_y):
            if len(self.labels):
                same_kind_of_labels(self.kind, block.y, stream.place(number))
                _refuse_new_label(block.y, self.labels, stream.place(number))
            yield block


def _other_shape(what: str, place: str, shape: Any, before: Any) -> str:
    same = "targets" if what == "y" else "columns"
    return (
        f"the blocks of the stream have {what} of different shapes after the first axis: "
        f"{shape} in {place}, and {before} before; every block needs the same {same}."
    )


def _refuse_new_label(y: Labels, labels: Labels, place: str) -> None:
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
            f"{place} has the label {label!r} in row {at[0]} (counted from 0), which was not there "
            "in the first walk; every walk must give the same rows."
        )


def _numbers(y: Any, *, labels: bool) -> Array | None:
    """Y as numbers, for sums that tell other targets apart: text becomes a checksum."""
    if y is None or not labels or y.dtype.kind in "biuf":
        return None if y is None else y
    found, codes = encode(y.ravel())
    numbers = [
        float(v) if isinstance(v, Real) else zlib.crc32(str(v).encode()) / 2**32
        for v in found.tolist()
    ]
    return np.array(numbers)[codes].reshape(y.shape)
