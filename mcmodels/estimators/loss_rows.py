"""The rows of a fit of a loss of the user's, in memory or a stream, with what is known of y."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from mcmodels.arrays import Array, Labels, Matrix, MatrixLike, Values, VectorLike, Weights
from mcmodels.estimators.arguments import check_weights, refuse_other_order
from mcmodels.estimators.loss_diagnostics import LossDiagnostics
from mcmodels.estimators.offsets import offset_of_rows
from mcmodels.estimators.parts import rows_in_parts
from mcmodels.estimators.stream_fits import ExtrasOfPart, Prepare, Survey, stream_rows, survey
from mcmodels.estimators.streams import checked_rows, refuse_other_arguments
from mcmodels.estimators.validation import Features, training_pair
from mcmodels.estimators.weighting import rows_for_sums, weighting_of
from mcmodels.rows import ArrayRows, Rows, RowStream

__all__ = ["LossRows", "TrainingData"]


@dataclass(frozen=True)
class TrainingData:
    """The rows of a fit, and what is known of them before it.

    Parameters
    ----------
    rows : Rows
        The rows, with targets as the loss sees them.
    features : Features
        Their columns.
    X, y, weights
        As the user has given them, for callbacks.
    classes : ndarray of shape (2,), or None
        Labels of the classes, where y holds classes.
    """

    rows: Rows
    features: Features
    X: MatrixLike | RowStream
    y: VectorLike | None
    weights: Array | None
    classes: Any = None


class LossRows(LossDiagnostics):
    """What estimators of a loss of the user's need of rows."""

    weights: str

    # What y may be, for the checks.
    _for_y: dict[str, Any]

    @abstractmethod
    def _targets_of(self, y: Values, weights: Array | None) -> Array:
        """What the loss sees of targets, as float64."""

    @abstractmethod
    def _targets_of_fit(self, y: Values, weights: Array | None) -> tuple[Array, Labels | None]:
        """The same before a fit, and the classes."""

    @abstractmethod
    def _targets_of_stream(self, surveyed: Survey) -> tuple[Prepare, Labels | None]:
        """What makes targets of those of blocks, before a fit, and the classes."""

    def _rows_of_fit(
        self, X: MatrixLike | RowStream, y: VectorLike | None, sample_weight: Weights, offset: Any
    ) -> TrainingData:
        """The rows of a fit, checked."""
        intercept = bool(self.fit_intercept)
        if isinstance(X, RowStream):
            refuse_other_arguments(y, sample_weight)
            X = rows_for_sums(X, weighting_of(self.weights))
            labels = is_classifier(self)
            surveyed = survey(self, X, intercept=intercept, labels=labels, **self._for_y)
            prepare, classes = self._targets_of_stream(surveyed)
            rows = stream_rows(X, surveyed, prepare, **self._for_y)
            return TrainingData(rows, surveyed.features, X, None, None, classes)
        refuse_other_order(X=X, y=y, sample_weight=sample_weight, offset=offset)
        features, X, y = training_pair(self, X, y, **self._for_y)
        weights = check_weights(sample_weight, X)
        targets, classes = self._targets_of_fit(y, weights)
        extras = None if offset is None else {"offset": np.asarray(offset_of_rows(X, offset))}
        in_memory = ArrayRows(X, targets, weights, extras, intercept=intercept)
        return TrainingData(in_memory, features, X, y, weights, classes)

    def _added(self, X: Any, **offsets: Any) -> Array | None:
        return offset_of_rows(X, offsets["offset"])

    def _validated(
        self, X: MatrixLike, y: VectorLike | None, sample_weight: Weights, **options: Any
    ) -> tuple[Matrix, Array, Array | None]:
        X, found, weights = checked_rows(self, X, y, sample_weight, multi_output=False, **options)
        return X, self._targets_of(found, weights), weights

    def _rows_in_parts(self, stream: RowStream, extras_of: ExtrasOfPart | None = None) -> Rows:
        def prepare(y: Values, weights: Array | None) -> tuple[Array, Array | None]:
            return self._targets_of(y, weights), weights

        intercept = self._has_intercept
        return rows_in_parts(self, stream, prepare, extras_of, intercept=intercept, **self._for_y)
