"""Rows in parts that are elsewhere, for methods of a fitted model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier

from mcmodels.arrays import Array
from mcmodels.estimators.arguments import refuse_other_order
from mcmodels.estimators.stream_fits import ExtrasOfPart, Prepare, stream_rows, survey
from mcmodels.estimators.streams import NO_ROWS
from mcmodels.inference.robust import ClusterCodes
from mcmodels.rows import PartOfStream, RowStream, StreamRows
from mcmodels.rows.parted import SAME_PARTS

__all__ = [
    "PreparedTargets",
    "clusters_of_parts",
    "rows_in_parts",
    "without_targets",
    "without_weights",
]


def rows_in_parts(
    model: Any,
    stream: RowStream,
    prepare: Prepare,
    extras_of: ExtrasOfPart | None = None,
    *,
    intercept: bool,
    **for_y: Any,
) -> StreamRows:
    """Rows for a fitted model; ``prepare`` makes its targets and weights of those in a block.

    Rows without targets have no ``for_y``.
    """
    checker = model._checker()
    stream = stream.bound_to(getattr(model, "table_columns_", None))
    labels = bool(for_y) and is_classifier(model)
    surveyed = survey(checker, stream, intercept=intercept, labels=labels, fitted=True, **for_y)
    model._refuse_missing_offset(surveyed.sample.stacked().extras or {})
    if labels:
        # Weights may have factors by class.
        counted = np.array([surveyed.label_weights[label] for label in surveyed.labels.tolist()])
        _, weights = prepare(surveyed.labels, counted)
        total = surveyed.seen.total_weight if weights is None else float(np.sum(weights))
        surveyed = replace(surveyed, seen=replace(surveyed.seen, total_weight=total))
    return stream_rows(stream, surveyed, prepare, extras_of, **for_y)


def without_targets(_: Any, weights: Array | None) -> tuple[None, Array | None]:
    """Of rows that have no targets, the weights."""
    return None, weights


def without_weights(_: Any, weights: Array | None) -> tuple[None, None]:
    """Of rows whose targets and weights have no part in what is asked of each, neither."""
    return None, None


@dataclass(frozen=True)
class PreparedTargets:
    """Targets for a fitted model, shape (n, n_targets); or (n,) of a single one."""

    n_targets: int
    single: bool = False

    def __call__(self, y: Any, weights: Array | None) -> tuple[Array, Array | None]:
        """Refuse another number of targets."""
        targets = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        if targets.shape[1] != self.n_targets:
            raise ValueError(
                f"y has {targets.shape[1]} target(s); the model was fitted to {self.n_targets}."
            )
        return targets[:, 0] if self.single else targets, weights


def clusters_of_parts(stream: RowStream) -> tuple[tuple[int, ...], ExtrasOfPart]:
    """Number of clusters of each grouping, and what finds the codes of the rows of a part."""
    found = stream.parts.sum(_labels_of_part)
    if found is None:
        raise ValueError(NO_ROWS)
    labels = found.frame
    clusters = ClusterCodes.of(labels, None, len(labels))
    known = pd.MultiIndex.from_frame(labels)
    return clusters.counts, _CodesOfPart(known, clusters.codes, found.checks)


def _labels_of_part(part: PartOfStream) -> _Labels | None:
    """The distinct labels of rows of positive weight."""
    frame = _label_frame(part)
    if frame is None:
        return None
    weights = [
        np.ones(X.shape[0]) if w is None else np.asarray(w) for _, (X, _, w, *_) in part.nonempty()
    ]
    positive = np.concatenate(weights) > 0
    if len(positive) != len(frame):
        raise ValueError(
            f"groups has {len(frame)} labels in partition {part.number}, which has "
            f"{len(positive)} rows; every row needs its cluster."
        )
    if frame.isna().to_numpy().any():
        raise ValueError(
            f"groups has missing labels in partition {part.number}; every row needs its cluster."
        )
    kinds = tuple(map(_kind_of_labels, (frame[name] for name in frame)))
    distinct = frame[positive].drop_duplicates(ignore_index=True)
    return _Labels(distinct, {part.number: _checksum(frame)}, kinds)


def _kind_of_labels(labels: pd.Series) -> str:
    numeric = pd.api.types.is_numeric_dtype(labels.dtype)
    return "numbers" if numeric else str(pd.api.types.infer_dtype(labels))


def _checksum(frame: pd.DataFrame) -> int:
    """A number that tells whether labels are the same in another pass."""
    return hash(tuple(pd.util.hash_pandas_object(frame, index=False).tolist()))


def _label_frame(part: PartOfStream) -> pd.DataFrame | None:
    """The labels of the clusters of all rows, in columns 0 and 1; None without rows."""
    if next(iter(part.nonempty()), None) is None:
        return None
    labels = part.group_labels()
    indexed = getattr(part.stream, "index", None)
    if indexed is not None:
        refuse_other_order(X=pd.DataFrame(index=indexed), groups=labels)
    frame = pd.DataFrame(labels if isinstance(labels, pd.DataFrame) else np.asarray(labels))
    frame.columns = pd.RangeIndex(frame.shape[1])
    # Partitions may know other categories.
    return frame.astype(
        {name: object for name in frame if isinstance(frame[name].dtype, pd.CategoricalDtype)}
    ).reset_index(drop=True)


@dataclass
class _Labels:
    """Distinct rows of labels, and checksums of parts; ``+=`` adds those of other parts."""

    frame: pd.DataFrame
    checks: dict[int, int]
    kinds: tuple[str, ...]

    def __iadd__(self, other: _Labels) -> _Labels:
        if self.kinds != other.kinds:
            raise ValueError(
                f"groups has labels that are {other.kinds[0]} in partition {min(other.checks)}, "
                f"and {self.kinds[0]} in partition {min(self.checks)}; convert them to one type."
                if len(self.kinds) == len(other.kinds) == 1
                else "groups has labels of other types in some partitions; convert them to one."
            )
        self.checks |= other.checks
        both = pd.concat([self.frame, other.frame], ignore_index=True)
        self.frame = both.drop_duplicates(ignore_index=True)
        return self


@dataclass(frozen=True)
class _CodesOfPart:
    """Finds the clusters of the rows of a part by their labels."""

    known: pd.MultiIndex
    codes: Any
    checks: dict[int, int]

    def __call__(self, part: PartOfStream) -> dict[str, Any]:
        frame = _label_frame(part)
        if frame is None:
            return {}
        if self.checks[part.number] != _checksum(frame):
            raise ValueError(
                f"groups has other labels in partition {part.number} than in the first pass; "
                f"{SAME_PARTS}"
            )
        at = self.known.get_indexer(pd.MultiIndex.from_frame(frame))
        # Labels that only rows of weight 0 have are unknown.
        return {"groups": np.where((at < 0)[:, np.newaxis], -1, self.codes[at])}
