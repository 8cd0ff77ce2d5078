"""Draws that are fully iterated are fits with the weights of the draw; one step is their slope."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils import check_random_state

import mcmodels.reweighting.refitted_draws as refitted_draws_module
import mcmodels.reweighting.weighted_minima as weighted_minima_module
from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    bootstrap,
)
from mcmodels.reweighting.multipliers import KINDS, Multipliers
from mcmodels.reweighting.units import Units

N, P, DRAWS = 60, 3, 40


def targets(kind, n=N):
    rng = np.random.default_rng(5)
    Z = rng.normal(size=(n, P))
    X, eta = Z + np.array([5.0, -40.0, 0.0]), Z @ [0.8, -0.6, 0.3]
    noise = rng.normal(size=n)
    y = {
        "number": eta + noise,
        "targets": np.column_stack([eta + noise, eta - noise, noise]),
        "positive": np.exp(eta / 2 + noise / 2),
        "two": (eta + 2 * noise > 0).astype(int),
        "three": (eta + noise > -0.7).astype(int) + (eta - noise > 0.7),
        "count": rng.poisson(np.exp(eta / 2)),
    }[kind]
    weights = rng.integers(0, 4, n) * 1.0
    return X, y, weights


MODELS = {
    "linear": (LinearRegression(), "number"),
    "linear, precisions": (LinearRegression(weights="precision"), "number"),
    "several targets": (LinearRegression(), "targets"),
    "no intercept": (LinearRegression(fit_intercept=False), "number"),
    "two classes": (LogisticRegression(C=1.0), "two"),
    "two classes, penalties of groups": (
        LogisticRegression(C={"a": 2.0, "b": 0.1}, penalty_groups={"a": [1], "b": [0, 2]}),
        "two",
    ),
    "poisson, penalties of groups": (
        GeneralizedLinearRegressor(
            family="poisson", alpha={"a": 2.0, "other": 0.1}, penalty_groups={"a": [1]}
        ),
        "count",
    ),
    "two classes, no penalty": (LogisticRegression(C=np.inf), "two"),
    "three classes": (LogisticRegression(C=0.5), "three"),
    "three classes, no penalty": (LogisticRegression(C=np.inf), "three"),
    "poisson": (GeneralizedLinearRegressor(family="poisson", alpha=0.1), "count"),
    "gamma": (GeneralizedLinearRegressor(family="gamma"), "positive"),
    "own loss": (ObjectiveRegressor("log(cosh(eta - y))", alpha=0.5), "number"),
}


def fitted(name, weighted, n=N):
    model, kind = MODELS[name]
    X, y, weights = targets(kind, n)
    weights = weights if weighted else None
    model = clone(model).set_params(tol=1e-13) if hasattr(model, "tol") else clone(model)
    return model.fit(X, y, weights), X, y, weights


def multipliers_of(model, weights, n, kind, seed=1):
    """The ``m/κ`` of rows that ``bootstrap`` draws with this seed, shape (DRAWS, n)."""
    units = Units.of_rows(n, weights, model._record().weighting)
    rng = check_random_state(seed)
    entropy = tuple(rng.randint(2**32, size=4, dtype=np.uint64).tolist())
    numbers = Multipliers(kind, units.counts, entropy, DRAWS).of(0, DRAWS)
    return numbers / np.where(units.counts > 0, units.counts, 1.0)


def refit(model, X, y, weights):
    return clone(model).fit(X, y, weights).params_.ravel()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MODELS)
def test_converged_draws_are_fits_with_their_weights(name, kind, weighted):
    model, X, y, weights = fitted(name, weighted)
    found = bootstrap(
        model, X, y, weights, draws=DRAWS, kind=kind, steps="converged", random_state=1
    )
    assert found.n_failed_ == 0
    m = multipliers_of(model, weights, N, kind)
    w = np.ones(N) if weights is None else weights
    for draw in range(0, DRAWS, 9):
        expected = refit(model, X, y, w * m[draw])
        error = (found.raw[draw] - expected) / found.raw.std(axis=0, ddof=1)
        # Both are minima of the same function, to about 1e-10 of a standard error.
        assert np.abs(error).max() < 1e-8


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["two classes, no penalty", "three classes", "poisson"])
@pytest.mark.parametrize("n", [12, 25])
def test_draws_far_from_the_fit_are_found_by_damped_steps(n, name, kind, monkeypatch):
    taken = []
    damped = refitted_draws_module.damped_minima
    monkeypatch.setattr(
        refitted_draws_module,
        "damped_minima",
        lambda fit, m, weights: taken.append(m) or damped(fit, m, weights),
    )
    if n == 25:  # all draws take damped steps
        monkeypatch.setattr(weighted_minima_module, "MOST_STEPS", 1)
    model, X, y, _ = fitted(name, False, n)
    found = bootstrap(model, X, y, draws=DRAWS, kind=kind, steps="converged", random_state=1)
    assert n == 12 or sum(taken) == DRAWS
    assert found.n_failed_ == 0
    m = multipliers_of(model, None, n, kind)
    for draw in range(0, DRAWS, 4):
        expected = refit(model, X, y, m[draw])
        # Far from the fit a standard error of it is no measure: 1e-8 of the parameters.
        assert found.raw[draw] == pytest.approx(expected, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("name", ["linear", "two classes", "three classes", "poisson", "own loss"])
def test_one_step_is_the_derivative_of_the_fit_by_the_weights(name):
    model, X, y, _ = fitted(name, False)
    found = bootstrap(model, X, y, draws=DRAWS, kind="multiplier", random_state=1)
    m = multipliers_of(model, None, N, "multiplier")
    for draw in (0, 17):
        t = 1e-4  # the centred difference is off by t², and by 1e-12/t of the fits
        ends = [refit(model, X, y, 1.0 + side * t * (m[draw] - 1.0)) for side in (1.0, -1.0)]
        slope = (ends[0] - ends[1]) / (2.0 * t)
        step = found.raw[draw] - model.params_.ravel()
        assert step == pytest.approx(slope, rel=1e-5, abs=1e-6 * np.abs(slope).max())


def test_converged_clusters_share_their_weight():
    model, X, y, _ = fitted("two classes, no penalty", False)
    groups = np.arange(N) % 12
    found = bootstrap(
        model, X, y, groups=groups, draws=20, steps="converged", random_state=1
    ).draws_
    rng = check_random_state(1)
    entropy = tuple(rng.randint(2**32, size=4, dtype=np.uint64).tolist())
    m = Multipliers("bayesian", np.ones(12), entropy, 20).of(0, 20)
    expected = np.array([refit(model, X, y, each[groups]) for each in m])
    assert found == pytest.approx(expected, rel=1e-7, abs=1e-7)


def test_draws_of_least_squares_are_the_same_for_several_targets_and_for_each():
    model, X, y, _ = fitted("several targets", False)
    for steps in ("one", "converged"):
        together = bootstrap(model, X, y, draws=30, steps=steps, random_state=4)
        assert together.draws_.shape == (30, 3 * (P + 1))
        for k in range(3):
            single = LinearRegression().fit(X, y[:, k])
            alone = bootstrap(single, X, y[:, k], draws=30, steps=steps, random_state=4)
            part = together.draws_[:, k * (P + 1) : (k + 1) * (P + 1)]
            assert part == pytest.approx(alone.draws_, rel=1e-9, abs=1e-9)
