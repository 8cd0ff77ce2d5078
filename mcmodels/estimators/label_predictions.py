"""Predictions of rows that have one of several classes, or any of several labels."""

from __future__ import annotations

from abc import abstractmethod

from mcmodels.arrays import Array, Labels, MatrixLike
from mcmodels.estimators.classes import log_probabilities, most_probable, probabilities
from mcmodels.objectives.network_losses import label_log_probabilities, label_probabilities
from mcmodels.tables.dask_results import lazy

__all__ = ["LabelPredictions"]


class LabelPredictions:
    """Predictions of classes, or of each label by itself where rows have several.

    Probabilities are the logistic function of η with two classes and of labels, else softmax.
    """

    classes_: Labels

    @abstractmethod
    def decision_function(self, X: MatrixLike) -> Array:
        """η of each row: shape (n_samples,) with two classes, else (n_samples, n_classes)."""

    @property
    @abstractmethod
    def _is_multilabel(self) -> bool:
        """Whether a row may have several labels."""

    @lazy
    def predict(self, X: MatrixLike) -> Labels:
        """Most probable class of each row, or which labels are more probable than not.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples,), or (n_samples, n_labels) of 0 and 1
        """
        eta = self.decision_function(X)
        return (eta > 0).astype(int) if self._is_multilabel else most_probable(self, eta)

    @lazy
    def predict_proba(self, X: MatrixLike) -> Array:
        """Probability of each class, or of each label, in the order of ``classes_``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            The probabilities of classes sum to one; those of labels need not, and are never one.
        """
        eta = self.decision_function(X)
        return label_probabilities(eta) if self._is_multilabel else probabilities(eta)

    @lazy
    def predict_log_proba(self, X: MatrixLike) -> Array:
        """Logarithm of :meth:`predict_proba`; finite even where the probability underflows.

        Of float32 rows, it is the logarithm of the rounded probability near 1, and nowhere below
        that of the smallest float32.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        eta = self.decision_function(X)
        return label_log_probabilities(eta) if self._is_multilabel else log_probabilities(eta)
