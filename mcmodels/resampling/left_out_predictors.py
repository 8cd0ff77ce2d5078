"""Predictions that are there, as estimators for scikit-learn's scorers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from mcmodels.arrays import Array

__all__ = ["LeftOutClassifier", "LeftOutRegressor"]


class LeftOutRegressor(RegressorMixin, BaseEstimator):
    """Predictions that are there, for scorers; X has positions."""

    def __init__(self, predictions: Any = None, classes: Any = None) -> None:
        self.predictions = predictions
        self.classes = classes

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, X: Any) -> Array:
        """The predictions of these rows."""
        return self.predictions[X[:, 0]]


class LeftOutClassifier(ClassifierMixin, LeftOutRegressor):
    """The same of classes."""

    @property
    def classes_(self) -> Any:
        """Labels of the classes."""
        return self.classes

    def predict_proba(self, X: Any) -> Array:
        """The probabilities of these rows."""
        found = self.predictions[X[:, 0]]
        if found.ndim == 1:
            raise AttributeError("the model has no probabilities; take a score of labels.")
        return found

    def predict(self, X: Any) -> Any:
        """The most probable class."""
        found = self.predictions[X[:, 0]]
        best = (found > 0).astype(np.intp) if found.ndim == 1 else found.argmax(axis=1)
        return np.asarray(self.classes)[best]
