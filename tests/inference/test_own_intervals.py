"""Intervals of predictions of losses that users write, against models that have these losses."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveClassifier,
    ObjectiveRegressor,
    results,
)
from mcmodels.exceptions import InferenceError
from mcmodels.inference.own_intervals import own_intervals

# Two fits of one problem, each to rounding of a Newton step: 1e-9 of the errors.
FITS = {"rtol": 1e-7, "atol": 1e-9}
LOSSES = {
    "expression": ("exp(eta) - y*eta", "exp(eta)"),
    "function": (lambda y, eta: np.exp(eta) - y * eta, np.exp),
}


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    X = pd.DataFrame({"a": rng.normal(50, 3, 90), "b": rng.normal(size=90)}, rng.permutation(90))
    return X, rng.poisson(np.exp(0.2 * (X["a"] - 50) / 3 + 0.5)), rng.uniform(-0.5, 0.5, 90)


@pytest.mark.parametrize("how", LOSSES)
@pytest.mark.parametrize("level", [0.5, 0.95])
def test_counts_have_the_intervals_of_the_generalized_linear_model(data, how, level):
    X, y, offset = data
    loss, link = LOSSES[how]
    own = ObjectiveRegressor(loss, inverse_link=link, log_likelihood=True).fit(X, y, offset=offset)
    peer = GeneralizedLinearRegressor("poisson").fit(X, y, offset=offset)
    found = own.predict_interval(X, level, offset=offset)
    expected = peer.predict_interval(X, level, offset=offset)
    pd.testing.assert_frame_equal(found, expected, **FITS)
    with pytest.raises(ValueError, match="pass that of"):
        own.predict_interval(X)


@pytest.mark.parametrize("kind", [None, "HC0", "HC3", "cluster"])
def test_results_have_them_through_steps_and_by_any_covariance(data, kind):
    X, y, _ = data
    own = ObjectiveRegressor("exp(eta) - y*eta", inverse_link="exp(eta)", log_likelihood=True)
    found = [
        results(make_pipeline(StandardScaler(), model).fit(X, y))
        for model in (own, GeneralizedLinearRegressor("poisson"))
    ]
    if kind is not None:
        groups = np.arange(90) // 6 if kind == "cluster" else None
        found = [of.with_covariance(X, y, kind=kind, groups=groups) for of in found]
    pd.testing.assert_frame_equal(*(of.predict_interval(X[:9]) for of in found), **FITS)


def test_classes_have_the_intervals_of_logistic_regression(data):
    X, y, _ = data
    labels = np.where(y > 1, "many", "few")
    own = ObjectiveClassifier(
        "log(1 + exp(eta)) - y*eta", inverse_link="sigmoid(eta)", log_likelihood=True
    ).fit(X, labels)
    peer = LogisticRegression(C=np.inf).fit(X, labels)
    pd.testing.assert_frame_equal(
        results(own).predict_interval(X), results(peer).predict_interval(X), **FITS
    )
    hinge = ObjectiveClassifier("relu(1 - (2*y - 1)*eta)**2").fit(X, labels)
    with pytest.raises(InferenceError, match="has no inverse_link, so that its predictions are"):
        results(hinge).predict_interval(X)


def test_a_loss_that_is_no_likelihood_needs_a_covariance_of_the_rows(data):
    """Squares without a likelihood, by the sandwich: that of least squares, normal quantiles."""
    X, y, _ = data
    own = results(ObjectiveRegressor("(y - eta)**2").fit(X, y.astype(float)))
    with pytest.raises(InferenceError, match="likelihood"):
        own.predict_interval(X)
    found = own.with_covariance(X, y, kind="HC0").predict_interval(X)
    least = results(LinearRegression().fit(X, y)).with_covariance(X, y, kind="HC0")
    expected = least.predict_interval(X)
    columns = ["prediction", "standard_error"]
    np.testing.assert_allclose(found[columns], expected[columns], **FITS)
    reach = 1.959963984540054 * found["standard_error"]
    np.testing.assert_allclose(found["upper"] - found["prediction"], reach, rtol=1e-10)


def test_falling_links_and_links_that_turn():
    def falling(eta, order):
        return np.exp(-eta) * (-1.0) ** order

    eta, error = np.array([0.0, 1.0]), np.array([0.1, np.nan])
    found = own_intervals(falling, eta, error, 2.0)
    expected = [1.0, 0.1, np.exp(-0.2), np.exp(0.2)]
    np.testing.assert_allclose(found[0], expected, rtol=1e-15)
    np.testing.assert_allclose(found[1], [np.exp(-1.0), np.nan, np.nan, np.nan], rtol=1e-15)
    with pytest.raises(InferenceError, match=r"not monotone .* 1 of 2 rows.* row 1"):
        own_intervals(
            lambda eta, order: eta**2 if order == 0 else 2 * eta,
            np.array([3.0, 0.1]),
            np.array([1.0, 0.1]),
            2.0,
        )


def test_an_observation_has_no_interval(data):
    X, y, _ = data
    own = ObjectiveRegressor("exp(eta) - y*eta", inverse_link="exp(eta)", log_likelihood=True)
    with pytest.raises(InferenceError, match="kind='observation': a loss of your own gives"):
        results(own.fit(X, y)).predict_interval(X, kind="observation")
