"""Averages of predictions: by brute force over parameters, and single rows by predict_interval."""

import numpy as np
import pytest

from mcmodels import GeneralizedLinearRegressor, LinearRegression, LogisticRegression
from mcmodels.inference.average_predictions import average_predictions
from mcmodels.objectives.links import LINKS


def problem(seed=0, n=80):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(50, 3, n), rng.exponential(size=n)])
    eta = 0.3 * (X[:, 0] - 50) + 0.4 * X[:, 1]
    return X, eta, rng


def fitted(kind):
    X, eta, rng = problem()
    if kind == "logistic":
        return LogisticRegression(C=np.inf).fit(X, rng.uniform(size=80) < 1 / (1 + np.exp(-eta)))
    if kind == "identity":
        return LinearRegression().fit(X, eta + rng.normal(size=80))
    y = rng.poisson(np.exp(eta.clip(-2, 2)))
    return GeneralizedLinearRegressor("poisson").fit(X, y)


LINK_OF = {"logistic": "logit", "identity": "identity", "poisson": "log"}


@pytest.mark.parametrize("kind", ["identity", "logistic", "poisson"])
def test_errors_are_the_delta_method_by_differences(kind):
    model, link = fitted(kind), LINKS[LINK_OF[kind]]
    X = problem(1, 30)[0]
    rows = model._unlabelled_rows(X)
    value, error, lower, upper = average_predictions(model._fit.estimate, link, [rows], 1.96)[0]
    design = np.column_stack([X, np.ones(30)])

    def average(theta):
        return link.mean(design @ theta).mean()

    theta, gradient = model.params_, np.empty(3)
    for j in range(3):
        step = np.zeros(3)
        step[j] = 1e-6 * max(abs(theta[j]), 1e-2)
        gradient[j] = (average(theta + step) - average(theta - step)) / (2 * step[j])
    assert value == pytest.approx(average(theta), rel=1e-12)
    # Central differences have seven to nine digits; the columns are 50 from zero, so that two of
    # them cancel in the variance.
    assert error == pytest.approx(np.sqrt(gradient @ model.covariance_ @ gradient), rel=1e-5)
    eta = link.predictor(np.array([value]))
    reach = 1.96 * error / abs(link.slopes(eta)[0])
    np.testing.assert_allclose([lower, upper], link.mean(np.r_[eta - reach, eta + reach]))
    assert lower < value < upper


@pytest.mark.parametrize("kind", ["identity", "logistic", "poisson"])
def test_one_row_is_predict_interval(kind):
    model, link = fitted(kind), LINKS[LINK_OF[kind]]
    X = problem(2, 5)[0]
    samples = [model._unlabelled_rows(row[np.newaxis]) for row in X]
    estimate = model._fit.estimate
    found = average_predictions(estimate, link, samples, float(estimate.quantile(0.9)))
    # The same formula for one row, in two orders of operations; digits as above.
    np.testing.assert_allclose(found, model.predict_interval(X, 0.9), rtol=1e-9)


def test_weights_count_rows():
    model = fitted("poisson")
    X = problem(3, 4)[0]
    estimate, link = model._fit.estimate, LINKS["log"]
    weighted = model._unlabelled_rows(X, [2, 0, 1, 1])
    repeated = model._unlabelled_rows(X[[0, 0, 2, 3]])
    found = average_predictions(estimate, link, [weighted, repeated], 2.0)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
