"""Laplace's approximation of networks: laws that hold exactly, samples where there are none."""

import copy

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris

from mcmodels import LinearRegression, LogisticRegression, MLPClassifier, MLPRegressor
from mcmodels.exceptions import ConvergenceWarning, InferenceError


def standardised(load):
    X, y = load(return_X_y=True)
    return (X - X.mean(0)) / X.std(0), y


@pytest.mark.parametrize("kind", ["mean", "observation"])
@pytest.mark.parametrize("curvature", ["last_layer", "full"])
def test_without_hidden_layers_it_is_least_squares(kind, curvature):
    X, y = standardised(load_diabetes)
    y = (y - y.mean()) / y.std()
    network = MLPRegressor(
        (), alpha=0.0, tol=1e-10, max_iter=10_000, solver="newton-cg", random_state=0
    ).fit(X, y)
    found = network.laplace(X, y, curvature=curvature).predict_interval(X[:9], kind=kind)
    expected = LinearRegression().fit(X, y).predict_interval(X[:9], kind=kind)
    # Both at the same minimum, to the tolerance of the fit.
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("curvature", ["last_layer", "full"])
def test_without_hidden_layers_it_is_logistic_regression(n_classes, curvature):
    X, y = standardised(load_iris)
    y = y if n_classes == 3 else (y == 1).astype(int)
    network = MLPClassifier(
        (), alpha=0.5, tol=1e-10, max_iter=10_000, solver="newton-cg", random_state=0
    ).fit(X, y)
    found = network.laplace(X, y, curvature=curvature).predict_interval(X[::20])
    expected = LogisticRegression(C=2.0).fit(X, y).predict_interval(X[::20])
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)  # as above


@pytest.mark.parametrize("curvature", ["last_layer", "full"])
def test_the_linearised_outputs_vary_as_samples_of_the_parameters_do(curvature):
    X, y = standardised(load_diabetes)
    y = (y - y.mean()) / y.std()
    network = MLPRegressor((3,), "tanh", alpha=5.0, tol=1e-8, max_iter=10_000, random_state=0).fit(
        X, y
    )
    laplace = network.laplace(X, y, curvature=curvature)
    posterior = laplace.posterior
    varying = (
        posterior.network.last_layer
        if curvature == "last_layer"
        else np.arange(network.params_.size)
    )
    # Small moves along a root of the covariance: to first order, outputs move by J T.
    h, moved = 1e-4, []
    for direction in posterior.root.T:
        values = []
        for sign in (1, -1):
            shifted = network.params_.copy()
            shifted[varying] += sign * h * direction
            network_at = copy.copy(network)
            network_at.params_ = shifted
            values.append(network_at.predict(X[:5]))
        moved.append((values[0] - values[1]) / (2 * h))
    error = np.sqrt(posterior.dispersion * np.sum(np.square(moved), axis=0))
    found = laplace.predict_interval(X[:5])
    # Differences of second order in 1e-4.
    np.testing.assert_allclose(found["standard_error"], error, rtol=1e-6)
    np.testing.assert_allclose(found["prediction"], network.predict(X[:5]), rtol=1e-12)
    assert 0 < laplace.effective_parameters < len(varying)


def test_what_is_no_minimum_has_no_posterior():
    X, y = standardised(load_iris)
    with pytest.warns(ConvergenceWarning):
        network = MLPClassifier((5,), "tanh", alpha=1e-3, max_iter=2, random_state=0).fit(X, y)
    stopped = pytest.warns(ConvergenceWarning, match="stopped before its gradient was small")
    with stopped as caught, pytest.raises(InferenceError, match="negative eigenvalue"):
        network.laplace(X, y, curvature="full")
    assert caught[0].filename == __file__
    with pytest.warns(ConvergenceWarning, match="stopped before its gradient was small"):
        network.laplace(X, y)


def test_fewer_rows_than_parameters_leave_no_noise():
    X, y = standardised(load_diabetes)
    network = MLPRegressor((), alpha=0.0, tol=1e-6, max_iter=10_000, random_state=0).fit(
        X[:11], y[:11]
    )
    with pytest.raises(InferenceError, match="effective parameters"):
        network.laplace(X[:11], y[:11])


def test_predictions_are_those_of_the_fit_whatever_becomes_of_the_network():
    X, y = standardised(load_iris)
    network = MLPClassifier((2,), "tanh", alpha=5.0, random_state=0).fit(X, y)
    predictions = network.laplace(X, y)
    expected = predictions.predict_interval(X[:5])
    network.params_[:] = 0.0
    assert predictions.predict_interval(X[:5]).equals(expected)
    network.fit(X[:, :2], np.where(y == 0, "setosa", "other"))
    assert predictions.predict_interval(X[:5]).equals(expected)
