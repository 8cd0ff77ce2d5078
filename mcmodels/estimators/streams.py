"""A RowStream as rows of a fit: every block is checked, and all rows are counted."""

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
    unfitted,
    validated_block,
)
from mcmodels.rows import ArrayRows, RowStream, Seen, StreamRows


@dataclass(frozen=True)
class Survey:
    """What one walk over a stream has shown.

    Parameters
    ----------
    seen : Seen
        How many rows there are.
    dtype : dtype
        float32 when every block was, else float64.
    y_shape : tuple of int, or None
        Shape of y without its first axis; None without y.
    label_weights : dict
        Total weight of the rows of each label, when labels were asked for.
    checker : estimator
        An estimator that knows these columns, and checks blocks of the next walks.
    """

    seen: Seen
    dtype: np.dtype[Any]
    y_shape: tuple[int, ...] | None
    label_weights: dict[Any, float]
    checker: Any

    @property
    def features(self) -> Features:
        """The columns."""
        return features_of(self.checker)

    @property
    def labels(self) -> Labels:
        """The labels in ascending order."""
        return np.array(sorted(self.label_weights))


def survey(
    estimator: Any, stream: RowStream, *, intercept: bool, labels: bool = False, **for_y: Any
) -> Survey:
    """Walk a stream once and check every block; nothing is written on the estimator."""
    checker = unfitted(estimator)
    seen: Seen | None = None
    dtypes, y_shapes = set(), set()
    label_weights: dict[Any, float] = {}
    for X, y, weights in stream:
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
            f"y of the blocks differs in shape ({', '.join(map(str, y_shapes))} after the first "
            "axis); every block needs the same targets."
        )
    (dtype,) = dtypes if len(dtypes) == 1 else (np.dtype(np.float64),)
    return Survey(seen, dtype, y_shapes.pop(), label_weights, checker)


def stream_rows(
    stream: RowStream,
    surveyed: Survey,
    prepare: Callable[[Any, Array | None], tuple[Any, Array | None]],
    **for_y: Any,
) -> StreamRows:
    """The rows of a surveyed stream, ``prepare`` applied to y and weights of each block."""

    def walk() -> Iterator[tuple[Any, Any, Any]]:
        for X, y, weights in stream:
            X, y, weights = _checked(surveyed.checker, X, y, weights, reset=False, **for_y)
            yield X, *prepare(y, weights)

    return StreamRows(walk, surveyed.seen, surveyed.dtype)


def refuse_other_arguments(y: object, sample_weight: Weights) -> None:
    """Refuse targets and weights beside a stream, which has its own."""
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"{name} was given beside a RowStream; put it in the blocks: (X, y) or "
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
    X, y = validated_block(estimator, X, y, reset=reset, **for_y)
    return X, y, check_weights(weights, X, all_zero=True)
