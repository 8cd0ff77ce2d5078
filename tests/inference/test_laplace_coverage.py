"""Laplace's intervals of 95 % cover what is true in 95 % of simulated data sets, or how far not."""

import numpy as np
import pytest
from scipy.special import expit

from mcmodels import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.slow
REPLICATIONS = 1000  # a share of 95 % then has a standard error of 0.7 %
AT = np.linspace(-1.8, 1.8, 7)[:, np.newaxis]
NOISE = 0.3


def curve(X):
    """A network of two hidden units, well seen by the rows: what is fitted holds the truth."""
    return 1.5 * np.tanh(2 * X[:, 0] + 1) - 1.2 * np.tanh(1.5 * X[:, 0] - 1.5)


def shares(replicate, seed):
    """Share of replications whose intervals cover, at each point."""
    rng = np.random.default_rng(seed)
    covered = np.array([replicate(rng) for _ in range(REPLICATIONS)])
    return covered.mean(axis=0)


def network(kind):
    """A network that starts where it has been fitted to many rows: near no other minimum."""
    X = np.linspace(-2, 2, 4001)[:, np.newaxis]
    options = {"alpha": 1e-3, "tol": 1e-7, "max_iter": 2000, "solver": "newton-cg"}
    model = kind((2,), "tanh", random_state=0, warm_start=True, **options)
    if kind is MLPRegressor:
        model.fit(X, curve(X))
        assert np.abs(model.predict(X) - curve(X)).max() < 0.05 * NOISE
    else:
        rng = np.random.default_rng(0)
        model.fit(X, rng.random(len(X)) < expit(curve(X)))
        assert np.abs(model.predict_proba(X)[:, 1] - expit(curve(X))).max() < 0.1
    return model, model.params_


def regression(curvature, kinds, n=150):
    model, start = network(MLPRegressor)

    def replicate(rng):
        X = rng.uniform(-2, 2, (n, 1))
        y = curve(X) + NOISE * rng.standard_normal(n)
        model.params_ = start
        model.fit(X, y)
        posterior = model.laplace(X, y, curvature=curvature)
        covered = []
        for kind in kinds:
            found = posterior.predict_interval(AT, kind=kind)
            target = curve(AT)
            if kind == "observation":
                target = target + NOISE * rng.standard_normal(len(AT))
            covered.append((found["lower"] <= target) & (target <= found["upper"]))
        return covered

    return replicate


def test_full_curvature_of_a_regression_covers_as_promised():
    share = shares(regression("full", ["mean", "observation"]), 0)
    assert np.abs(share - 0.95).max() < 0.03, share  # four standard errors


def test_the_last_layer_alone_covers_less():
    # It takes the hidden layer for known.
    share = shares(regression("last_layer", ["mean"]), 1)
    assert 0.5 < share.mean() < 0.93, share


@pytest.mark.parametrize(("n", "least"), [(600, 0.82), (3000, 0.92)])
def test_full_curvature_of_classes_covers_as_promised_with_many_rows(n, least):
    # Normal only in the limit: of 600 labels of two classes, seven parameters know too little.
    model, start = network(MLPClassifier)

    def replicate(rng):
        X = rng.uniform(-2, 2, (n, 1))
        y = rng.random(n) < expit(curve(X))
        model.params_ = start
        model.fit(X, y)
        found = model.laplace(X, y, curvature="full").predict_interval(AT)
        target = expit(curve(AT))
        return (found["lower"] <= target) & (target <= found["upper"])

    share = shares(replicate, 2)
    assert share.min() > least, share
    assert share.max() < 0.98, share
    assert (share.min() < 0.92) == (n == 600), share
