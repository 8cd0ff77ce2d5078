"""Scores of the predictions of rows that were left out, by scorers of scikit-learn.

A scorer takes an estimator; here it is one that only knows these predictions. ``score(None)`` is
the score of the model's own ``score`` method, as in ``cross_val_score``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, d2_pinball_score, get_scorer, make_scorer, r2_score
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline

from mcmodels.arrays import Array
from mcmodels.estimators.offset_predictions import OffsetScore
from mcmodels.estimators.quantile_methods import QuantileMethods
from mcmodels.estimators.stream_scores import StreamScore
from mcmodels.exceptions import InferenceError

__all__ = ["LeftOutClassifier", "LeftOutRegressor", "scorer_for"]

_USUAL = (ClassifierMixin.score, RegressorMixin.score, OffsetScore.score, StreamScore.score)


class LeftOutRegressor(RegressorMixin, BaseEstimator):
    """Predictions that are known already; the entries of X are positions of rows."""

    def __init__(self, predictions: Any = None, classes: Any = None) -> None:
        self.predictions = predictions
        self.classes = classes

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, X: Any) -> Array:
        """The predictions of these rows."""
        return self.predictions[X[:, 0]]


class LeftOutClassifier(ClassifierMixin, LeftOutRegressor):
    """The same for classes: probabilities, or linear predictors of two classes."""

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


def scorer_for(scoring: Any, model: Any, is_classifier: bool, has_probabilities: bool) -> Any:
    """The scorer that a name, a callable or None stands for.

    Scores that need probabilities are refused where the model has none.
    """
    name = type(model).__name__
    scorer = _own(model, is_classifier) if scoring is None else scoring
    scorer = get_scorer(scorer) if isinstance(scorer, str) else scorer
    if not callable(scorer):
        raise TypeError(
            f"scoring is a {type(scoring).__name__}; pass the name of a scorer of scikit-learn, a "
            "callable scorer(estimator, X, y), or None for the score of the estimator."
        )
    needed = getattr(scorer, "_response_method", "predict")
    needed = (needed,) if isinstance(needed, str) else tuple(needed)
    if has_probabilities or "predict" in needed or needed == ("default",):
        return scorer
    why, instead = f"{name} is a regressor", "'r2' or 'neg_mean_squared_error'"
    if is_classifier:
        why, instead = f"{name} has none", "'accuracy' or 'f1'"
    raise InferenceError(
        f"scoring={scoring!r} needs probabilities of classes, and {why}; take a score of "
        f"predictions, such as {instead}."
    )


def _own(model: Any, is_classifier: bool) -> Any:
    """The scorer of the score method of an estimator."""
    if isinstance(model, Pipeline):
        return _own(model.steps[-1][1], is_classifier)
    if isinstance(model, BaseSearchCV):
        scorer = getattr(model, "scorer_", None)
        if scorer is None or type(scorer).__name__ == "_PassthroughScorer":
            return _own(getattr(model, "best_estimator_", model.estimator), is_classifier)
        if callable(scorer):
            return scorer
    if isinstance(model, QuantileMethods):
        return make_scorer(d2_pinball_score, alpha=model._quantile)
    if getattr(type(model), "score", None) in _USUAL:
        return make_scorer(accuracy_score if is_classifier else r2_score)
    raise InferenceError(
        f"scoring=None is the score of the estimator, and {type(model).__name__} has one of its "
        "own that is not known by predictions alone; name a scorer, such as "
        f"{'accuracy' if is_classifier else 'r2'!r}."
    )
