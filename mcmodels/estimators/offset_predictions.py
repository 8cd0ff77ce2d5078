"""Predictions of classes and scores, by models whose linear predictors have an offset."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from sklearn.base import is_classifier
from sklearn.metrics import accuracy_score, r2_score

from mcmodels.arrays import Array, Labels, MatrixLike, VectorLike, Weights, refuse_masked
from mcmodels.estimators.arguments import refuse_other_order
from mcmodels.estimators.classes import log_probabilities, most_probable, probabilities
from mcmodels.estimators.offsets import with_offsets
from mcmodels.estimators.stream_scores import StreamScore
from mcmodels.rows import RowStream
from mcmodels.tables.dask_results import lazy

__all__ = ["OffsetClassPredictions", "OffsetScore"]


class OffsetClassPredictions:
    """Predicts classes and probabilities from linear predictors with an offset."""

    @abstractmethod
    def decision_function(self, X: MatrixLike, *, offset: VectorLike | None = None) -> Array:
        """η of each row: shape (n_samples,) with two classes, else (n_samples, n_classes)."""

    @lazy
    def predict(self, X: MatrixLike, *, offset: VectorLike | None = None) -> Labels:
        """Most probable class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        offset : array-like, default=None
            As in ``fit``; required if the model was fitted with one.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return most_probable(self, self.decision_function(X, offset=offset))

    @lazy
    def predict_proba(self, X: MatrixLike, *, offset: VectorLike | None = None) -> Array:
        """Probability of each class, in the order of ``classes_``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        offset : array-like, default=None
            As in ``fit``; required if the model was fitted with one.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return probabilities(self.decision_function(X, offset=offset))

    @lazy
    def predict_log_proba(self, X: MatrixLike, *, offset: VectorLike | None = None) -> Array:
        """Logarithm of :meth:`predict_proba`; finite even where the probability underflows.

        Of float32 rows, it is the logarithm of the rounded probability near 1, and nowhere below
        that of the smallest float32.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        offset : array-like, default=None
            As in ``fit``; required if the model was fitted with one.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return log_probabilities(self.decision_function(X, offset=offset))


class OffsetScore(StreamScore):
    """``score`` of rows with an offset, by the measure that scikit-learn takes without."""

    def score(
        self: Any,
        X: Any,
        y: Any = None,
        sample_weight: Weights = None,
        *,
        offset: VectorLike | None = None,
    ) -> float:
        """R² of the predictions of a regressor, the accuracy of a classifier.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or RowStream
            Features; a stream also holds y, the weights and the offset.
        y : array-like of shape (n_samples,)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Row weights ≥ 0.
        offset : array-like, default=None
            As in ``fit``; required if the model was fitted with one.

        Returns
        -------
        float
        """
        X, y, sample_weight, *_ = with_offsets(X, y, sample_weight, offset=offset)
        if offset is None or isinstance(X, RowStream):
            return super().score(X, y, sample_weight)
        for name, given in (("y", y), ("sample_weight", sample_weight)):
            refuse_masked(name, given)
        refuse_other_order(X=X, y=y, sample_weight=sample_weight, offset=offset)
        measure = accuracy_score if is_classifier(self) else r2_score
        predicted = self.predict(X, offset=offset)
        return float(measure(y, predicted, sample_weight=sample_weight))
