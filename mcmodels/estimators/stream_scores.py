"""``score`` of rows in memory, of a stream, and of rows in parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.validation import check_array, check_consistent_length

from mcmodels.arrays import Weights
from mcmodels.estimators.arguments import check_weights, refuse_other_order
from mcmodels.estimators.classes import kind_of_labels
from mcmodels.estimators.offsets import refuse_for_model
from mcmodels.estimators.scores import PairedScoreMixin
from mcmodels.estimators.streams import (
    NO_ROWS,
    checked_blocks,
    in_columns_of,
    located,
    refuse_other_arguments,
    same_kind_of_labels,
)
from mcmodels.estimators.validation import refuse_masked
from mcmodels.inference.scores import PredictionScore
from mcmodels.rows import PartOfStream, RowStream, offsets_of
from mcmodels.tables.dask_stream import in_parts

__all__ = ["StreamScore"]

_NUMBERS = {"multi_output": True, "y_numeric": True}
_LABELS = {"multi_output": False}


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
        if (stream := in_parts(X, y, sample_weight)) is not None:
            return score_of_parts(self, stream)
        if not isinstance(X, RowStream):
            return super().score(X, y, sample_weight)
        refuse_other_arguments(y, sample_weight)
        targets, predictions, weights = [], [], []
        kind = ""
        stream = in_columns_of(self, X)
        for number, parts in stream.nonempty():
            block, y_of_block, w = parts[:3]
            place, offsets = stream.place(number), offsets_of(parts)
            refuse_for_model(self, offsets, place)
            if y_of_block is None:
                raise ValueError(f"{place} has no y; blocks must be (X, y).")
            with located(place, block, y_of_block, w, **offsets):
                refuse_masked("y", y_of_block)
                refuse_other_order(X=block, y=y_of_block, sample_weight=w, **offsets)
                predictions.append(self.predict(block, **offsets))
                options = {"ensure_2d": False, "input_name": "y"}
                dtype = None if is_classifier(self) else "numeric"
                # Copies: readers may put the next block into the same array.
                targets.append(np.array(check_array(y_of_block, dtype=dtype, **options)))
                check_consistent_length(predictions[-1], targets[-1])
                w = check_weights(w, predictions[-1], allow_all_zero=True)
            if is_classifier(self):
                kind = same_kind_of_labels(kind, targets[-1], place)
            weights.append(np.ones(len(predictions[-1])) if w is None else np.array(w))
        if not targets:
            raise ValueError(NO_ROWS)
        measure = accuracy_score if is_classifier(self) else r2_score
        stacked = map(np.concatenate, (targets, predictions))
        return float(measure(*stacked, sample_weight=np.concatenate(weights)))


def score_of_parts(model: Any, stream: RowStream) -> float:
    """R² of the predictions of a regressor, the mean over targets; accuracy of a classifier."""
    checker = model._checker()
    stream = stream.bound_to(getattr(model, "table_columns_", None))
    for_y = getattr(model, "_for_y", _LABELS) if is_classifier(model) else _NUMBERS
    found = stream.parts.sum(_ScoreOfPart(model, checker, for_y))
    if found is None or not found.weight > 0:
        raise ValueError("there are no rows of positive weight to score.")
    return found.score(is_classifier(model))


@dataclass(frozen=True)
class _ScoreOfPart:
    model: Any
    checker: Any
    for_y: dict[str, Any]

    def __call__(self, part: PartOfStream) -> PredictionScore | None:
        total: PredictionScore | None = None
        blocks = checked_blocks(self.checker, part, **self.for_y)
        for (_, given), (_, block) in zip(part.nonempty(), blocks, strict=True):
            X, y, weights = block[:3]
            w = np.ones(X.shape[0]) if weights is None else weights
            predicted = self.model.predict(given[0], **offsets_of(given))
            if is_classifier(self.model):
                known = kind_of_labels(self.model.classes_)
                if kind_of_labels(y) != known:
                    raise ValueError(
                        f"the labels in partition {part.number} are {kind_of_labels(y)}, and those "
                        f"of the model {known}; convert y to the type of classes_."
                    )
                correct = accuracy_score(y, predicted, normalize=False, sample_weight=w)
                found = PredictionScore.of_classes(w, correct)
            else:
                found = PredictionScore.of(w, y, predicted)
            total = found if total is None else total + found
        return total
