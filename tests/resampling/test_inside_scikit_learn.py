"""Results of rows that are left out, beside scikit-learn's searches and cross-validation."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    leave_one_out,
)
from mcmodels.exceptions import InferenceError
from tests.resampling.test_conformal_definition import with_folds

N, P = 90, 3


def rows(kind):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(N, P))
    eta = X @ [0.8, -0.5, 0.3]
    y = {
        "number": eta + rng.normal(size=N),
        "count": rng.poisson(np.exp(eta)).astype(float),
        "class": (eta + rng.logistic(size=N) > 0).astype(int) + (eta > 1),
    }[kind]
    groups = rng.permutation(np.arange(N) % 9)
    return X, y, rng.integers(1, 4, size=N).astype(float), groups


MODELS = {
    "linear": (LinearRegression(), "number"),
    "poisson": (GeneralizedLinearRegressor("poisson", alpha=0.1, tol=1e-12), "count"),
    "own loss": (ObjectiveRegressor("log(cosh(eta - y))", alpha=0.1, tol=1e-12), "number"),
    "classes": (LogisticRegression(C=0.1, tol=1e-12), "class"),
}


@pytest.mark.parametrize("name", MODELS)
def test_predictions_without_groups_are_those_of_cross_validation(name):
    """Weights and groups reach fits and splits by metadata routing."""
    model, kind = MODELS[name]
    X, y, weights, groups = rows(kind)
    method = "decision_function" if kind == "class" else "predict"
    with sklearn.config_context(enable_metadata_routing=True):
        routed = clone(model).set_fit_request(sample_weight=True)
        expected = cross_val_predict(
            routed,
            X,
            y,
            cv=GroupKFold(9),
            method=method,
            params={"groups": groups, "sample_weight": weights},
        )
    loo = with_folds(clone(model).fit(X, y, weights), X, y, groups, weights)
    found = np.exp(loo.eta) if name == "poisson" else loo.eta
    if kind == "class":  # scikit-learn's shapes; a shift of all classes changes nothing
        found, expected = (eta - eta.mean(axis=1, keepdims=True) for eta in (found, expected))
    # Both are minima of the same function, to about 1e-9 of a standard error.
    np.testing.assert_allclose(found, expected.reshape(found.shape), rtol=1e-7, atol=1e-7)


def test_squared_errors_are_those_of_cross_validation():
    X, y, _, _ = rows("number")
    scores = cross_validate(
        LinearRegression(), X, y, cv=LeaveOneOut(), scoring="neg_mean_squared_error"
    )
    loo = leave_one_out(LinearRegression().fit(X, y), X, y)
    # Exact but for rounding.
    np.testing.assert_allclose((y - loo.eta[:, 0]) ** 2, -scores["test_score"], rtol=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_the_best_of_a_search_has_intervals_and_sets(name):
    model, kind = MODELS[name]
    X, y, weights, groups = rows(kind)
    grid = {"fit_intercept": [True, False]}
    with sklearn.config_context(enable_metadata_routing=True):
        routed = clone(model).set_fit_request(sample_weight=True)
        routed = routed.set_score_request(sample_weight=True)
        search = GridSearchCV(routed, grid, cv=GroupKFold(3))
        search.fit(X, y, groups=groups, sample_weight=weights)
    best = search.best_estimator_
    found = answers(leave_one_out(best, X, y, weights), X)
    alone = clone(model).set_params(**search.best_params_).fit(X, y, weights)
    pd.testing.assert_frame_equal(found, answers(leave_one_out(alone, X, y, weights), X))
    with pytest.raises(ValueError, match="training rows"):
        leave_one_out(best, X[:-1], y[:-1], weights[:-1])


def answers(loo, X):
    if hasattr(loo.training.model, "classes_"):
        return loo.predict_set(X, 0.8)
    return loo.predict_interval(X, 0.8)


@pytest.mark.parametrize("name", MODELS)
def test_results_are_copied_and_pickled_with_their_answers(name):
    model, kind = MODELS[name]
    X, y, _, _ = rows(kind)
    loo = leave_one_out(clone(model).fit(X, y), X, y)
    expected = answers(loo, X)
    for again in (copy.deepcopy(loo), pickle.loads(pickle.dumps(loo))):
        pd.testing.assert_frame_equal(answers(again, X), expected)


def test_coverage_as_a_score_of_cross_validation():
    """A scorer may keep the rows of the fit: coverage of held-out folds is about the level."""

    class Covering(LinearRegression):
        def fit(self, X, y):
            super().fit(X, y)
            self.loo_ = leave_one_out(self, X, y)
            return self

    def coverage(model, X, y):
        found = model.loo_.predict_interval(X, 0.8)
        return ((found["lower"] <= y) & (y <= found["upper"])).mean()

    X, y, _, groups = rows("number")
    scores = cross_validate(Covering(), X, y, groups=groups, cv=GroupKFold(5), scoring=coverage)[
        "test_score"
    ]
    # A share of 90 rows has a standard error of 0.04.
    assert abs(scores.mean() - 0.8) < 0.16


def test_groups_and_weights_reach_the_fits_of_a_search():
    """A search that splits rows by groups splits those that are left by theirs."""
    X, y, weights, groups = rows("count")
    grid = {"alpha": [0.01, 1.0, 30.0]}
    search = GridSearchCV(
        GeneralizedLinearRegressor("poisson", tol=1e-12), grid, cv=LeaveOneGroupOut()
    )
    search.fit(X, y, groups=groups, sample_weight=weights)
    found = leave_one_out(search, X, y, weights, groups=groups)
    expected = np.empty(N)
    for group in range(9):
        kept = groups != group
        fitted = clone(search).fit(
            X[kept], y[kept], groups=groups[kept], sample_weight=weights[kept]
        )
        expected[~kept] = fitted.predict(X[~kept])
    np.testing.assert_allclose(found.predictions, expected, rtol=1e-12)  # the same fits
    with pytest.raises(ValueError, match=r"GridSearchCV splits rows by groups.*Pass groups"):
        leave_one_out(search, X, y, weights)


def test_weights_and_groups_reach_the_steps_of_a_pipeline_by_metadata_routing():
    X, y, weights, groups = rows("number")
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            GeneralizedLinearRegressor()
            .set_fit_request(sample_weight=True)
            .set_score_request(sample_weight=True),
            {"alpha": [0.1, 10.0]},
            cv=GroupKFold(3),
        )
        piped = make_pipeline(StandardScaler().set_fit_request(sample_weight=True), search)
        piped.fit(X, y, sample_weight=weights, groups=groups)
        found = leave_one_out(piped, X, y, weights, groups=groups)
        for group in (0, 5):
            kept = groups != group
            fitted = clone(piped).fit(
                X[kept], y[kept], sample_weight=weights[kept], groups=groups[kept]
            )
            np.testing.assert_allclose(  # the same fits
                found.predictions[~kept], fitted.predict(X[~kept]), rtol=1e-12
            )
        without = make_pipeline(StandardScaler(), LinearRegression()).fit(X, y)
        with pytest.raises(ValueError, match="the fit method of this Pipeline takes none"):
            leave_one_out(without, X, y, weights)


def test_a_search_that_left_no_model_is_refused():
    X, y, _, _ = rows("number")
    search = GridSearchCV(LinearRegression(), {"fit_intercept": [True]}, refit=False).fit(X, y)
    with pytest.raises(InferenceError, match="refit=False has none"):
        leave_one_out(search, X, y)


def test_weights_of_a_transformed_target():
    X, y, weights, _ = rows("number")
    model = TransformedTargetRegressor(LinearRegression(), func=np.exp, inverse_func=np.log)
    y = np.log1p(np.exp(y))  # so that predictions of exp(y) are positive
    found = leave_one_out(model.fit(X, y, sample_weight=weights), X, y, weights)
    kept = np.arange(N) != 7
    fitted = clone(model).fit(X[kept], y[kept], sample_weight=weights[kept])
    assert np.isfinite(found.predictions[7])
    np.testing.assert_allclose(found.predictions[7], fitted.predict(X[[7]]), rtol=1e-12)
