"""Turns a RowStream into the rows of a fit: checks every block, and counts the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.arrays import Array, Labels, MatrixLike, VectorLike, Weights
from mcmodels.estimators.classes import encode
from mcmodels.estimators.validation import (
    Features,
    check_weights,
    features_of,
    refuse_other_order,
    target_names,
    unfitted,
    validated_block,
)
from mcmodels.rows import ArrayRows, RowStream, Seen, StreamRows


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
    label_weights : dict
        Total weight of the rows of each label; empty unless labels were asked for.
    checker : estimator
        A copy of the estimator that has recorded the columns; it checks blocks in later passes.
    target_names : tuple of str
        Names of the targets in the first block; empty if they have none.
    """

    seen: Seen
    dtype: np.dtype[Any]
    y_shape: tuple[int, ...] | None
    label_weights: dict[Any, float]
    checker: Any
    target_names: tuple[str, ...] = ()

    @property
    def features(self) -> Features:
        """The columns of X."""
        return features_of(self.checker)

    @property
    def labels(self) -> Labels:
        """The labels in ascending order."""
        return np.array(sorted(self.label_weights))


def survey(
    estimator: Any, stream: RowStream, *, intercept: bool, labels: bool = False, **for_y: Any
) -> Survey:
    """Pass over a stream once and check every block; the estimator is not changed."""
    checker = unfitted(estimator)
    seen: Seen | None = None
    dtypes, y_shapes = set(), set()
    label_weights: dict[Any, float] = {}
    names: tuple[str, ...] = ()
    for X, y, weights in stream:
        names = target_names(y) if seen is None else names
        X, y, weights = _checked(checker, X, y, weights, reset=seen is None, **for_y)
        rows = ArrayRows(X, None, weights, intercept=intercept)
        seen = Seen.of(rows) if seen is None else seen + Seen.of(rows)
        dtypes.add(rows.dtype)
        y_shapes.add(None if y is None else y.shape[1:])
        if labels:
            found, codes = encode(y)
            totals = np.bincount(codes, weights=weights, minlength=len(found))
            for label, total in zip(found.tolist(), totals.tolist(), strict=True):
                label_weights[label] = label_weights.get(label, 0.0) + total
    if seen is None:
        raise ValueError("the stream has no blocks.")
    if not seen.total_weight > 0:
        raise ValueError("sample_weight is zero in every row; at least one must be positive.")
    if len(y_shapes) > 1:
        raise ValueError(
            f"the blocks of the stream have y of different shapes ({', '.join(map(str, y_shapes))} "
            "after the first axis); every block needs the same targets."
        )
    (dtype,) = dtypes if len(dtypes) == 1 else (np.dtype(np.float64),)
    return Survey(seen, dtype, y_shapes.pop(), label_weights, checker, names)


def stream_rows(
    stream: RowStream,
    surveyed: Survey,
    prepare: Callable[[Any, Array | None], tuple[Any, Array | None]],
    **for_y: Any,
) -> StreamRows:
    """The rows of a surveyed stream; ``prepare`` is applied to y and weights of each block."""

    def walk() -> Iterator[tuple[Any, Any, Any]]:
        for X, y, weights in stream:
            X, y, weights = _checked(surveyed.checker, X, y, weights, reset=False, **for_y)
            yield X, *prepare(y, weights)

    return StreamRows(walk, surveyed.seen, surveyed.dtype)


def refuse_other_arguments(y: object, sample_weight: Weights) -> None:
    """Refuse targets and weights that are passed together with a stream."""
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"{name} was given together with a RowStream; put it into the blocks: (X, y) or "
                "(X, y, sample_weight)."
            )


def _checked(
    estimator: Any,
    X: MatrixLike,
    y: VectorLike | None,
    weights: Weights,
    *,
    reset: bool,
    **for_y: Any,
) -> tuple[Any, Any, Array | None]:
    if for_y and y is None:
        raise ValueError("a block of the stream has no y; blocks must be (X, y).")
    refuse_other_order(X=X, y=y, sample_weight=weights)
    X, y = validated_block(estimator, X, y, reset=reset, **for_y)
    return X, y, check_weights(weights, X, allow_all_zero=True)
