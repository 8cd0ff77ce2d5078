"""Scores of predictions: scikit-learn's, for rows that belong together."""

from __future__ import annotations

from typing import Any

from mcmodels.arrays import MatrixLike, VectorLike, Weights, refuse_masked
from mcmodels.estimators.arguments import refuse_other_order

__all__ = ["PairedScoreMixin"]


class PairedScoreMixin:
    """Refuse arguments of ``score`` whose rows do not belong together; stands before its class."""

    def score(self, X: MatrixLike, y: VectorLike, sample_weight: Weights = None) -> float:
        """R² of the predictions of a regressor, accuracy of those of a classifier.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets or labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        float
        """
        refuse_masked("y", y)
        refuse_masked("sample_weight", sample_weight)
        refuse_other_order(X=X, y=y, sample_weight=sample_weight)
        parent: Any = super()
        return parent.score(X, y, sample_weight=sample_weight)
