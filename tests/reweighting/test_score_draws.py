"""One step of the bootstrap: its covariance given the rows is the sandwich, exactly."""

import numpy as np
import pytest

import mcmodels.reweighting.multipliers as multipliers_module
import mcmodels.reweighting.score_draws as score_draws_module
from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    bootstrap,
)
from mcmodels.resampling.training_fit import training_fit
from mcmodels.reweighting.score_draws import MOST_UNITS, ScoreSums, scores_of
from mcmodels.reweighting.units import Units

N, P = 90, 3


def targets(kind, n=N):
    rng = np.random.default_rng(7)
    Z = rng.normal(size=(n, P))
    X, eta = Z + np.array([5.0, -40.0, 0.0]), Z @ [0.8, -0.6, 0.3]
    noise = rng.normal(size=n) * (0.5 + np.abs(Z[:, 0]))
    y = {
        "number": eta + noise,
        "two": (eta + noise > 0).astype(int),
        "three": (eta + noise > -0.7).astype(int) + (eta - noise > 0.7),
        "count": rng.poisson(np.exp(eta / 2)),
    }[kind]
    return X, y, rng.integers(0, 4, n).astype(float)


MODELS = {
    "linear": (LinearRegression(), "number"),
    "linear, precisions": (LinearRegression(weights="precision"), "number"),
    "linear, survey": (LinearRegression(weights="probability"), "number"),
    "no intercept": (LinearRegression(fit_intercept=False), "number"),
    "ridge": (GeneralizedLinearRegressor(alpha=3.0), "number"),
    "two classes": (LogisticRegression(C=1.0), "two"),
    "two classes, no penalty": (LogisticRegression(C=np.inf), "two"),
    "three classes": (LogisticRegression(C=0.5), "three"),
    "three classes, no penalty": (LogisticRegression(C=np.inf), "three"),
    "poisson": (GeneralizedLinearRegressor(family="poisson"), "count"),
    "own loss": (ObjectiveRegressor("log(cosh(eta - y))", alpha=0.5), "number"),
}


def covariance_of_draws(model, X, y, weights, clusters=None):
    """``Σ κ SSᵀ`` over the parameters: the covariance of one-step draws given the rows."""
    training = training_fit(model, X, y, weights)
    units = Units.of_rows(len(X), weights, model._record().weighting)
    if clusters is not None:
        units = Units.of_clusters(np.where(weights > 0, clusters, -1))
    fit = training.fit
    sums = ScoreSums.of(fit.rows, scores_of(fit), units, (1,))
    moved = fit.basis.parameters(sums.sums.T).reshape(len(sums.sums), -1)
    return (moved.T * sums.counts) @ moved


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_the_covariance_of_one_step_is_hc0(name, weighted):
    model, kind = MODELS[name]
    X, y, weights = targets(kind)
    weights = weights if weighted else None
    model.fit(X, y, weights)
    expected = model.covariance(X, y, weights, kind="HC0")
    found = covariance_of_draws(model, X, y, weights)
    # The same sum in two ways; X lies 40 deviations from zero.
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-10 * np.abs(expected).max())


@pytest.mark.parametrize("name", ["linear", "two classes", "three classes", "poisson"])
def test_the_covariance_of_one_step_of_clusters_is_that_of_clusters(name):
    model, kind = MODELS[name]
    X, y, weights = targets(kind)
    model.fit(X, y, weights)
    clusters = np.arange(N) % 13
    expected = model.covariance(
        X, y, weights, kind="cluster", groups=clusters, use_correction=False
    )
    found = covariance_of_draws(model, X, y, weights, clusters)
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-10 * np.abs(expected).max())


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["linear", "linear, precisions", "two classes", "three classes"])
def test_random_groups_leave_the_covariance_as_it_is(name, weighted):
    model, kind = MODELS[name]
    X, y, weights = targets(kind, 3 * MOST_UNITS)
    weights = weights if weighted else None
    model.fit(X, y, weights)
    expected = model.covariance(X, y, weights, kind="HC0")
    found = covariance_of_draws(model, X, y, weights)
    # Restored by eigenvectors, to some units of rounding of the largest.
    assert found == pytest.approx(expected, rel=1e-7, abs=1e-9 * np.abs(expected).max())


def test_random_groups_of_clusters_leave_the_covariance_as_it_is(monkeypatch):
    monkeypatch.setattr(score_draws_module, "MOST_UNITS", 16)
    X, y, weights = targets("number")
    model, clusters = LinearRegression().fit(X, y, weights), np.arange(N) % 30
    found = covariance_of_draws(model, X, y, weights, clusters)
    expected = model.covariance(
        X, y, weights, kind="cluster", groups=clusters, use_correction=False
    )
    assert found == pytest.approx(expected, rel=1e-7)


def test_random_groups_keep_the_skewness_of_a_coefficient_that_few_rows_tell():
    """A level of 12 rows with skewed noise: no sum over many rows hides what it is."""
    rng = np.random.default_rng(1)
    n = 4 * MOST_UNITS
    x = np.zeros(n)
    x[rng.choice(n, 12, replace=False)] = 1.0
    y = x + rng.exponential(size=n) ** 2
    X = x[:, np.newaxis]
    model = LinearRegression().fit(X, y)
    fit = training_fit(model, X, y).fit
    record = model._record()
    sums = ScoreSums.of(fit.rows, scores_of(fit), Units.of_rows(n, None, record.weighting), (1,))
    grouped = fit.basis.parameters(sums.sums.T)[:, 0, 0]
    each = fit.rows.map(scores_of(fit))
    single = fit.basis.parameters(each.T)[:, 0, 0]
    skewness = [np.sum(S**3) / np.sum(S**2) ** 1.5 for S in (grouped, single)]
    assert abs(skewness[1]) > 0.3
    # The other 4 rows of a group are noise of 4/n of this column's own.
    assert skewness[0] == pytest.approx(skewness[1], rel=0.05)


def deviation(model, X, y, kind):
    """Largest entry of ``V⁻½(C - V)V⁻½``, C of 20,000 draws, V the sandwich."""
    V = model.covariance(X, y, kind="HC0")
    draws = bootstrap(model, X, y, draws=20_000, kind=kind, random_state=3).draws_
    L = np.linalg.cholesky(np.linalg.inv(V))
    C = np.cov(draws, rowvar=False)
    return np.abs(L.T @ C @ L - np.eye(len(V))).max()


@pytest.mark.parametrize("kind", ["bayesian", "multiplier"])
def test_draws_have_this_covariance_and_wrong_multipliers_are_caught(kind, monkeypatch):
    X, y, _ = targets("number", 400)
    model = LinearRegression().fit(X, y)
    # The deviation of a variance from 20,000 draws is √((κ₄ + 2)/20,000) ≈ 0.01; five of them,
    # and for the Dirichlet weights 1/n of each, whose sum is fixed.
    limit = 0.055
    assert deviation(model, X, y, kind) < limit
    right = multipliers_module._dirichlet, multipliers_module._two_points

    def widened(of):
        return lambda *args: 1.0 + np.sqrt(2.0) * (of(*args) - 1.0)

    for name, of in zip(("_dirichlet", "_two_points"), right, strict=True):
        monkeypatch.setattr(multipliers_module, name, widened(of))
    assert deviation(model, X, y, kind) > 0.9  # variance 2: twice the covariance
