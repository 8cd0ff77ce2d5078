"""Summaries through pipelines and searches: names of the columns, and rows on their way."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression as SklearnLogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from mcmodels import PCA, LinearRegression, LogisticRegression, summarize

NAMES = ["scale__age", "scale__fare", "code__sex_male", "code__deck_B", "code__deck_C"]


@pytest.fixture(autouse=True)
def no_warnings():
    """Such as scikit-learn's, of feature names that a fit did not have."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def data():
    rng = np.random.default_rng(4)
    n = 120
    X = pd.DataFrame(
        {
            "sex": rng.choice(["male", "female"], n),
            "age": rng.uniform(1, 80, n),
            "deck": rng.choice(["A", "B", "C"], n),
            "fare": rng.gamma(2.0, 20.0, n),
        },
        index=rng.permutation(n) + 1000,
    )
    noise = rng.normal(size=n) * (1 + X["age"] / 20)
    y = 0.1 * X["age"] - 0.02 * X["fare"] + 2 * (X["sex"] == "male") + noise
    return X, y


def pipeline(model, sparse_output=False):
    encode = ColumnTransformer(
        [
            ("scale", StandardScaler(), ["age", "fare"]),
            ("code", OneHotEncoder(drop="first", sparse_output=sparse_output), ["sex", "deck"]),
        ],
        sparse_threshold=1,
    )
    return Pipeline([("encode", encode), ("model", model)])


def by_hand(X):
    """The columns of the pipeline, without scikit-learn."""
    numbers = X[["age", "fare"]]
    scaled = (numbers - numbers.mean()) / numbers.std(ddof=0)
    levels = pd.get_dummies(X[["sex", "deck"]], drop_first=True, dtype=float)
    return pd.concat([scaled, levels], axis=1).set_axis(NAMES, axis=1)


def assert_same(found, expected):
    """The same rows and columns; both fits see the same numbers but for their last bits."""
    pd.testing.assert_frame_equal(found.to_frame(), expected.to_frame(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_columns_have_the_names_of_the_pipeline(data, output):
    X, y = data
    fitted = pipeline(LinearRegression()).set_output(transform=output)
    found = summarize(fitted.fit(X, y))
    assert list(found.to_frame().index) == [*NAMES, "(intercept)"]
    assert_same(found, LinearRegression().fit(by_hand(X), y).summary())


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3"])
@pytest.mark.parametrize("model", [LinearRegression(), LogisticRegression(C=np.inf)])
def test_rows_for_a_robust_covariance_go_through_the_pipeline(data, model, kind):
    X, y = data
    y = y if isinstance(model, LinearRegression) else y > y.median()
    found = summarize(pipeline(model).fit(X, y), X, y, kind=kind, level=0.9)
    H = by_hand(X)
    assert_same(found, model.fit(H, y).summary(H, y, kind=kind, level=0.9))
    assert found.facts["intervals"] == "90 %"


def test_clusters_and_weights(data):
    X, y = data
    rng = np.random.default_rng(0)
    groups, weights = rng.integers(0, 9, len(X)), rng.integers(0, 3, len(X))
    fitted = pipeline(LinearRegression()).fit(X, y, model__sample_weight=weights)
    found = summarize(fitted, X, y, weights, kind="cluster", groups=groups)
    H = by_hand(X)
    expected = LinearRegression().fit(H, y, weights)
    assert_same(found, expected.summary(H, y, weights, kind="cluster", groups=groups))
    assert found.facts["covariance"] == "cluster-robust"
    with pytest.raises(ValueError, match="sample_weight of the fit"):
        summarize(fitted, X, y, kind="cluster", groups=groups)


def test_sparse_columns(data):
    X, y = data
    fitted = pipeline(LinearRegression(), sparse_output=True).fit(X, y)
    assert sparse.issparse(fitted[0].transform(X))
    H = by_hand(X)
    expected = LinearRegression().fit(H, y)
    assert_same(summarize(fitted), expected.summary())
    assert_same(summarize(fitted, X, y, kind="HC3"), expected.summary(H, y, kind="HC3"))


def test_more_than_two_classes(data):
    X, y = data
    classes = pd.qcut(y, 3, labels=["low", "middle", "high"]).astype(str)
    fitted = pipeline(LogisticRegression()).fit(X, classes)
    found = summarize(fitted, reference="middle")
    assert list(found.tables) == ["high", "low"]
    assert_same(found, LogisticRegression().fit(by_hand(X), classes).summary(reference="middle"))


def test_the_best_of_a_search(data):
    X, y = data
    grid = {"model__fit_intercept": [True, False]}
    search = GridSearchCV(pipeline(LinearRegression()), grid).fit(X, y)
    best = search.best_params_["model__fit_intercept"]
    expected = LinearRegression(fit_intercept=best).fit(by_hand(X), y)
    assert_same(summarize(search), expected.summary())
    H = by_hand(X)
    assert_same(summarize(search, X, y, kind="HC3"), expected.summary(H, y, kind="HC3"))


@pytest.mark.parametrize("wrap", [lambda model: model, lambda model: Pipeline([("only", model)])])
def test_a_model_alone_keeps_its_names(data, wrap):
    X, y = data
    model = LinearRegression()
    found = summarize(wrap(model).fit(X[["age", "fare"]], y))
    assert list(found.to_frame().index) == ["age", "fare", "(intercept)"]
    assert_same(found, model.summary())


def test_steps_that_pass_rows_on(data):
    X, y = data
    fitted = make_pipeline("passthrough", StandardScaler(), None, LinearRegression())
    found = summarize(fitted.fit(X[["age", "fare"]], y), X[["age", "fare"]], y, kind="HC1")
    assert list(found.to_frame().index) == ["age", "fare", "(intercept)"]


def test_steps_without_names_leave_those_of_the_model(data):
    X, y = data
    fitted = make_pipeline(FunctionTransformer(np.log), LinearRegression())
    found = summarize(fitted.fit(X[["age", "fare"]], y))
    assert list(found.to_frame().index) == ["age", "fare", "(intercept)"]  # frames stay frames
    found = summarize(fitted.fit(X[["age", "fare"]].to_numpy(), y))
    assert list(found.to_frame().index) == ["x0", "x1", "(intercept)"]


def test_pca_at_the_end(data):
    X, _ = data
    found = summarize(make_pipeline(StandardScaler(), PCA()).fit(X[["age", "fare"]]), level=0.9)
    assert list(found.tables["Loadings"].index) == ["age", "fare"]
    # Of two standardized columns with correlation r: variances 1 ± |r|, times n/(n - 1).
    r = abs(np.corrcoef(X["age"], X["fare"])[0, 1])
    variances = found.tables["Variances"]["variance"]
    np.testing.assert_allclose(variances, np.array([1 + r, 1 - r]) * 120 / 119, rtol=1e-12)
    assert found.facts["intervals"] == "90 %"


@pytest.mark.parametrize("model", [LinearRegression(), PCA()])
def test_the_model_is_left_as_it_was(data, model):
    X, y = data
    fitted = pipeline(model).fit(X, y)
    before = dict(vars(model))
    summarize(fitted)
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is value for name, value in before.items())


def test_estimators_of_others_are_refused(data):
    X, y = data
    foreign = SklearnLogisticRegression()
    fitted = pipeline(foreign).fit(X, y > 0)
    with pytest.raises(TypeError, match=r"found LogisticRegression at the end of the pipeline\.$"):
        summarize(fitted)
    with pytest.raises(TypeError, match=r"needs a model of mcmodels; found LogisticRegression\.$"):
        summarize(foreign)
    with pytest.raises(TypeError, match="found StandardScaler"):
        summarize(StandardScaler().fit(X[["age"]]))


@pytest.mark.parametrize(
    ("no_model", "found"),
    [
        (None, "None"),
        ("model.pkl", "'model.pkl'"),
        (LinearRegression, "the class LinearRegression"),
    ],
)
def test_what_is_no_model_is_named(no_model, found):
    with pytest.raises(TypeError, match=f"^summarize needs a fitted model.*; found {found}\\.$"):
        summarize(no_model)


def test_coefficients_without_a_fit_are_said_to_be_that():
    model = LinearRegression()
    model.coef_, model.intercept_ = np.array([1.0]), 0.0
    with pytest.raises(NotFittedError, match="assigned coefficients but has not been fitted"):
        summarize(model)


@pytest.mark.parametrize(
    "unfitted",
    [
        LinearRegression(),
        PCA(),
        pipeline(LinearRegression()),
        GridSearchCV(pipeline(LinearRegression()), {"model__solver": ["auto"]}),
    ],
)
def test_unfitted_ones_are_refused(unfitted):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        summarize(unfitted)
