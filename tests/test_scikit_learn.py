"""The estimators among scikit-learn's own: checks, pipelines, searches, routing, persistence."""

import io
import os
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
import sklearn.decomposition
import sklearn.linear_model
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from mcmodels import (
    PCA,
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    QuantileRegressor,
)
from tests.certified import DATASETS
from tests.versions import BEFORE_1_9

ESTIMATORS = [
    LinearRegression(),
    LinearRegression(solver="normal", fit_intercept=False),
    LinearRegression(solver="pinv"),
    LinearRegression(solver="refined"),
    LogisticRegression(),
    LogisticRegression(C=np.inf, class_weight="balanced"),
    LogisticRegression(warm_start=True, tol=0),
    LinearRegression(weights="probability"),
    LogisticRegression(weights="probability"),
    GeneralizedLinearRegressor("poisson", alpha=1e-3, weights="probability"),
    FirthLogisticRegression(),
    PCA(),
    PCA(solver="eigh", whiten=True),
    PCA(solver="deflation"),
    GeneralizedLinearRegressor(),
    GeneralizedLinearRegressor("gamma", alpha=1.0),
    GeneralizedLinearRegressor("poisson", alpha=1e-3),
    QuantileRegressor(),
    QuantileRegressor(0.4, fit_intercept=False),
]


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FitWarning")
@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.skipif(BEFORE_1_9, reason="scikit-learn checks every estimator so since 1.9")
def test_array_api_check_that_needs_a_setting_of_its_own():
    """scikit-learn skips it unless SciPy was told at import to dispatch on array types."""
    code = """
from sklearn.utils.estimator_checks import check_estimator
from mcmodels import PCA, GeneralizedLinearRegressor, LinearRegression, LogisticRegression
for model in (LinearRegression(), LogisticRegression(), PCA()):
    results = check_estimator(model, on_skip=None)
    (check,) = [r for r in results if r["check_name"] == "check_array_api_input"]
    assert check["status"] == "passed"
"""
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    command = [sys.executable, "-W", "ignore", "-c", code]
    subprocess.run(command, env=environment, check=True, timeout=120)


def test_tags():
    linear, logistic, pca = (get_tags(e) for e in (LinearRegression(), LogisticRegression(), PCA()))
    assert linear.estimator_type == "regressor"
    assert linear.target_tags.multi_output
    assert linear.target_tags.required
    assert logistic.estimator_type == "classifier"
    assert logistic.classifier_tags.multi_class
    assert not logistic.target_tags.multi_output
    assert pca.transformer_tags.preserves_dtype == ["float64", "float32"]
    for tags in (linear, logistic, pca):
        assert tags.input_tags.sparse
        assert not tags.input_tags.allow_nan
        assert not tags.non_deterministic


def titanic():
    data = pd.read_csv(DATASETS / "titanic_survival.csv")
    labels = np.where(data["class2nd"] == 1, "2nd", np.where(data["class3rd"] == 1, "3rd", "1st"))
    frame = pd.DataFrame(
        {"age": data["age"], "sex": data["sexmale"].map({0: "f", 1: "m"}), "class": labels}
    )
    return frame, data["survived"]


def titanic_pipeline(classifier):
    encode = ColumnTransformer(
        [
            ("category", OneHotEncoder(drop="first"), ["sex", "class"]),
            ("number", StandardScaler(), ["age"]),
        ]
    )
    return Pipeline([("encode", encode), ("classify", classifier)])


def test_column_transformer_pipeline_agrees_with_scikit_learns_classifier():
    X, y = titanic()
    ours = titanic_pipeline(LogisticRegression()).fit(X, y)
    theirs = titanic_pipeline(sklearn.linear_model.LogisticRegression(tol=1e-10)).fit(X, y)
    # L-BFGS leaves scikit-learn five or six digits.
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
    names = ours[:-1].get_feature_names_out()
    assert len(names) == ours["classify"].coef_.shape[1]


def test_grid_search_over_our_parameters_and_over_both_estimators():
    X, y = load_breast_cancer(return_X_y=True)
    classifiers = [
        LogisticRegression(),
        sklearn.linear_model.LogisticRegression(max_iter=5000, tol=1e-10),
    ]
    search = GridSearchCV(
        Pipeline([("scale", StandardScaler()), ("pca", PCA()), ("classify", classifiers[0])]),
        {
            "pca": [PCA(), sklearn.decomposition.PCA()],
            "pca__n_components": [3, 6],
            "classify": classifiers,
            "classify__C": [0.1, 10.0],
        },
        scoring="neg_log_loss",
        cv=3,
    ).fit(X, y)
    results = pd.DataFrame(search.cv_results_)
    results["ours"] = results["param_classify"].map(lambda c: type(c) is LogisticRegression)
    results["our pca"] = results["param_pca"].map(lambda c: type(c) is PCA)
    cells = results.groupby(["param_pca__n_components", "param_classify__C"])["mean_test_score"]
    assert cells.size().tolist() == [4, 4, 4, 4]
    assert (cells.max() - cells.min()).max() < 1e-5
    assert results["ours"].sum() == results["our pca"].sum() == 8


def test_grid_search_over_solver_options():
    X, y = load_diabetes(return_X_y=True)
    grid = {"solver": ["auto", "refined", "normal", "pinv"], "fit_intercept": [True, False]}
    scores = GridSearchCV(LinearRegression(), grid, cv=4).fit(X, y).cv_results_["mean_test_score"]
    reference = [
        cross_val_score(sklearn.linear_model.LinearRegression(fit_intercept=f), X, y, cv=4).mean()
        for f in (True, False)
    ]
    np.testing.assert_allclose(scores, np.repeat(reference, 4), rtol=1e-9)


def test_cross_validation_beside_scikit_learn():
    X, y = load_iris(return_X_y=True)
    ours = cross_validate(LogisticRegression(), X, y, scoring=["accuracy", "neg_log_loss"])
    theirs = cross_validate(
        sklearn.linear_model.LogisticRegression(tol=1e-10, max_iter=5000),
        X,
        y,
        scoring=["accuracy", "neg_log_loss"],
    )
    np.testing.assert_array_equal(ours["test_accuracy"], theirs["test_accuracy"])
    np.testing.assert_allclose(ours["test_neg_log_loss"], theirs["test_neg_log_loss"], atol=1e-6)


@pytest.mark.parametrize("model", ESTIMATORS[:1] + ESTIMATORS[3:4] + ESTIMATORS[6:7])
def test_clone_and_joblib_round_trip(model, tmp_path):
    X, y = load_iris(return_X_y=True)
    fitted = clone(model).fit(X, y)
    copy = clone(fitted)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "params_")
    joblib.dump(fitted, tmp_path / "model.joblib")
    restored = joblib.load(tmp_path / "model.joblib")
    use = "transform" if isinstance(model, PCA) else "predict"
    np.testing.assert_array_equal(getattr(restored, use)(X), getattr(fitted, use)(X))
    for name in ("params_", "gradient_", "hessian_"):
        np.testing.assert_array_equal(getattr(restored, name), getattr(fitted, name))


@pytest.mark.parametrize("model", ESTIMATORS[:1] + ESTIMATORS[3:4])
def test_a_fitted_model_holds_no_rows(model):
    X, y = np.random.default_rng(0).standard_normal((5000, 4)), np.arange(5000) % 2
    buffer = io.BytesIO()
    joblib.dump(clone(model).fit(X, y), buffer)
    assert buffer.tell() < 10_000 < X.nbytes


def test_pandas_output_and_feature_names():
    X, _ = load_iris(return_X_y=True, as_frame=True)
    model = PCA(2).set_output(transform="pandas").fit(X)
    scores = model.transform(X)
    assert list(scores.columns) == ["pca0", "pca1"]
    assert list(model.feature_names_in_) == list(X.columns)
    np.testing.assert_array_equal(scores.index, X.index)
    pipeline = make_pipeline(StandardScaler(), PCA(3)).set_output(transform="pandas").fit(X)
    assert list(pipeline.transform(X).columns) == ["pca0", "pca1", "pca2"]


@pytest.mark.parametrize("model", ESTIMATORS[:1] + ESTIMATORS[3:4] + ESTIMATORS[6:7])
def test_sample_weight_is_routed(model):
    X, y = load_iris(return_X_y=True)
    w = np.random.default_rng(1).uniform(0.5, 2, 150)
    expected = clone(model).fit(StandardScaler().fit_transform(X), y, sample_weight=w)
    with sklearn.config_context(enable_metadata_routing=True):
        step = clone(model).set_fit_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), step)
        pipeline.fit(X, y, sample_weight=w)
        np.testing.assert_array_equal(pipeline[-1].params_, expected.params_)
        if not isinstance(model, PCA):
            step.set_score_request(sample_weight=True)
            folds = KFold(3, shuffle=True, random_state=0)
            routed = cross_validate(step, X, y, params={"sample_weight": w}, cv=folds)
            by_hand = [
                clone(model).fit(X[a], y[a], w[a]).score(X[b], y[b], w[b])
                for a, b in folds.split(X)
            ]
            np.testing.assert_array_equal(routed["test_score"], by_hand)


def test_sample_weight_that_nobody_asked_for_is_refused_by_routing():
    X, y = load_iris(return_X_y=True)
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(PCA(2), LogisticRegression())
        with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError):
            pipeline.fit(X, y, sample_weight=np.ones(150))


def test_pca_weights_reach_it_in_the_middle_of_a_pipeline():
    X, y = load_iris(return_X_y=True)
    w = np.random.default_rng(2).integers(1, 4, 150).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(
            PCA(2).set_fit_request(sample_weight=True),
            LogisticRegression().set_fit_request(sample_weight=True),
        ).fit(X, y, sample_weight=w)
    pca = PCA(2).fit(X, sample_weight=w)
    np.testing.assert_allclose(pipeline[0].components_, pca.components_, rtol=1e-13)


def test_a_data_frame_and_its_values_give_the_same_fit():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    by_frame, by_array = (
        LinearRegression().fit(X, y),
        LinearRegression().fit(X.to_numpy(), y.to_numpy()),
    )
    np.testing.assert_allclose(by_frame.params_, by_array.params_, rtol=1e-12)
    assert list(by_frame.feature_names_in_) == list(X.columns)
