"""Rows that bounds leave out change no interval and no set."""

import numpy as np
import pandas as pd
import pytest

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveClassifier,
    ObjectiveRegressor,
    leave_one_out,
)
from mcmodels.resampling.outcomes import Means
from mcmodels.reweighting.compared_rows import ComparedRows

N = 2500


def rows(seed=0):
    """Features with heavy tails: some steps are long, and some new rows far away."""
    rng = np.random.default_rng(seed)
    X, new = rng.standard_t(3, size=(N, 4)), 3 * rng.standard_t(2, size=(150, 4))
    new[:30] = X[:30]  # and some are there already
    return X, X @ [0.4, -0.3, 0.2, 0.1], new, rng


def both(monkeypatch, ask):
    """Results by some rows and by all, and the largest share of rows that were computed."""
    shares = []
    between = ComparedRows.between

    def counted(self, first, last):
        found = between(self, first, last)
        shares.append(len(found[0]) / len(self.strange))
        return found

    monkeypatch.setattr(ComparedRows, "between", counted)
    by_some = ask()
    monkeypatch.setattr(
        ComparedRows, "between", lambda self, *_: (np.arange(len(self.strange)), 0.0)
    )
    return by_some, ask(), np.mean(shares)


# Each model, and the largest share of rows that is computed for these new rows: all, where the mean
# is not known to be monotone in η.
MODELS = {
    "linear": (LinearRegression(), 0.3),
    "frequencies": (LinearRegression(), 0.9),
    "precisions": (LinearRegression(weights="precision"), 0.9),
    "sample": (LinearRegression(weights="probability"), 0.9),
    "two targets": (LinearRegression(), 0.9),
    "poisson": (GeneralizedLinearRegressor("poisson", alpha=1.0), 0.9),
    "gamma": (GeneralizedLinearRegressor("gamma", link="log", alpha=1.0), 0.9),
    "identity": (GeneralizedLinearRegressor("poisson", link="identity"), 1.0),
    "sqrt": (GeneralizedLinearRegressor("poisson", link="sqrt"), 1.0),
    "binomial": (GeneralizedLinearRegressor("binomial", alpha=1.0), 1.0),
    "own loss": (ObjectiveRegressor("log(cosh(eta - y))"), 0.9),
    "own link": (ObjectiveRegressor("exp(eta) - y*eta", inverse_link="exp(eta)"), 1.0),
}


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.NoMeanWarning")
@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FewRowsWarning")
@pytest.mark.parametrize("residuals", ["pearson", "response"])
@pytest.mark.parametrize("name", MODELS)
def test_intervals_by_some_rows_are_those_by_all(name, residuals, monkeypatch):
    X, eta, new, rng = rows()
    model, largest = MODELS[name]
    if name in ("identity", "sqrt"):  # means that are positive
        X, new = np.abs(X), np.abs(new)
        y = rng.poisson(1 + X.sum(axis=1)).astype(float)
    elif name == "binomial":
        y = (eta + rng.logistic(size=N) > 0).astype(float)
    elif name in ("poisson", "own link"):
        y = rng.poisson(np.exp(np.clip(eta, -5, 3))).astype(float)
    elif name == "gamma":
        y = np.exp(eta) * rng.gamma(2.0, size=N)
    else:
        y = eta + rng.standard_t(2, size=N)
    y = np.column_stack([y, -3 * y + eta]) if name == "two targets" else y
    weights, of_new = None, None
    if name in ("frequencies", "precisions", "sample"):
        weights = rng.integers(0, 4, size=N).astype(float) + (name == "sample")
    if name in ("precisions", "sample"):
        of_new = rng.uniform(1, 5, size=len(new))
        if name == "precisions" and residuals == "response":
            of_new = None
    loo = leave_one_out(model.fit(X, y, weights), X, y, weights)
    for level in (0.05, 0.5, 0.9, 0.999):
        found, expected, share = both(
            monkeypatch,
            lambda level=level: loo.predict_interval(
                new, level, residuals=residuals, sample_weight=of_new
            ),
        )
        monkeypatch.undo()
        # The values are the same up to rounding in products of other sizes.
        pd.testing.assert_frame_equal(found, expected, rtol=1e-10, atol=1e-10)
        if 0.4 < level < 0.95:
            assert share <= largest


@pytest.mark.parametrize("by_class", [False, True])
@pytest.mark.parametrize("score", ["probability", "adaptive"])
@pytest.mark.parametrize("name", ["two", "three", "weights", "own"])
def test_sets_by_some_rows_are_those_by_all(name, score, by_class, monkeypatch):
    X, eta, new, rng = rows()
    noise = rng.logistic(size=N)
    y = (eta + noise > 0).astype(int) + (eta - noise > 1) * (name == "three")
    weights = rng.integers(0, 4, size=N).astype(float) if name == "weights" else None
    model = LogisticRegression()
    if name == "own":
        model = ObjectiveClassifier("log(1+exp(eta)) - y*eta", inverse_link="sigmoid(eta)")
    loo = leave_one_out(model.fit(X, y, weights), X, y, weights)
    for level in (0.5, 0.95):
        found, expected, share = both(
            monkeypatch,
            lambda level=level: loo.predict_set(new, level, score=score, by_class=by_class),
        )
        monkeypatch.undo()
        pd.testing.assert_frame_equal(found, expected)
        assert score == "adaptive" or name == "own" or share < 0.9


@pytest.mark.parametrize(
    ("model", "mean", "deviation"),
    [
        (LinearRegression(), True, True),
        (GeneralizedLinearRegressor("poisson"), True, True),
        (GeneralizedLinearRegressor("poisson", link="identity"), True, True),
        (GeneralizedLinearRegressor("poisson", link="sqrt"), False, True),
        (GeneralizedLinearRegressor("gamma", link="inverse"), False, True),
        (GeneralizedLinearRegressor("binomial"), True, False),
        (ObjectiveRegressor("(y - eta)**2"), True, True),
        (ObjectiveRegressor("(y - eta)**2", inverse_link="cos(9*eta)"), False, True),
    ],
    ids=str,
)
def test_bounds_are_of_monotone_functions(model, mean, deviation):
    means = Means(model)
    assert (means.is_monotone, means.has_monotone_deviation) == (mean, deviation)
    eta = np.linspace(-3, 3, 301) if mean else np.linspace(0.1, 3, 301)
    mu = means.of(eta)
    mu = mu[~np.isnan(mu)]
    if mean:
        assert (np.diff(mu) > 0).all()
    changes = np.diff(means.deviation(mu))
    assert (changes >= 0).all() or (changes <= 0).all() or not deviation


def test_an_inverse_link_that_rises_and_falls(monkeypatch):
    X, eta, new, rng = rows()
    model = ObjectiveRegressor("(y - eta)**2", inverse_link="cos(9*eta)")
    y = eta + rng.normal(size=N)
    loo = leave_one_out(model.fit(X, y), X, y)
    found, expected, share = both(monkeypatch, lambda: loo.predict_interval(new, 0.8))
    pd.testing.assert_frame_equal(found, expected, rtol=1e-10)
    assert share == 1.0


def test_few_rows_are_computed_among_many(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100_000, 3))
    y = X.sum(axis=1) + rng.normal(size=100_000)
    loo = leave_one_out(LinearRegression().fit(X, y), X, y)
    found, expected, share = both(monkeypatch, lambda: loo.predict_interval(X[:20]))
    pd.testing.assert_frame_equal(found, expected, rtol=1e-10)
    assert share < 0.01
