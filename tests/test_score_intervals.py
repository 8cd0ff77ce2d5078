"""Intervals by score tests, and profiles as data: closed forms, refits, laws."""

import numpy as np
import pytest
from scipy import optimize, stats

from mcmodels import GeneralizedLinearRegressor as Glm
from mcmodels import LinearRegression, LogisticRegression, ObjectiveRegressor, RowStream
from mcmodels.exceptions import InferenceError
from tests.glm_problems import PAIRS, POWER, THETA, problem

OPTIONS = {"power": POWER, "theta": THETA}


@pytest.mark.parametrize(("successes", "n"), [(1, 10), (7, 20), (499, 500)])
def test_of_a_proportion_it_is_wilsons(successes, n):
    y = np.repeat([1.0, 0.0], [successes, n - successes])
    p, q = successes / n, stats.norm.ppf(0.975)
    centre = (p + q**2 / (2 * n)) / (1 + q**2 / n)
    half = q * np.sqrt(p * (1 - p) / n + q**2 / (4 * n**2)) / (1 + q**2 / n)
    wilson = np.log((centre + np.array([-half, half])) / (1 - centre - np.array([-half, half])))
    model = Glm("binomial", fit_intercept=False).fit(np.ones((n, 1)), y)
    ends = model.score_intervals(np.ones((n, 1)), y).to_numpy()[0]
    np.testing.assert_allclose(ends, wilson, rtol=1e-9)
    logistic = LogisticRegression(C=np.inf, fit_intercept=False).fit(np.ones((n, 1)), y)
    ends = logistic.score_intervals(np.ones((n, 1)), y).to_numpy()[0]
    np.testing.assert_allclose(ends, wilson, rtol=1e-9)


@pytest.mark.parametrize("total", [3, 40])
def test_of_a_count_it_is_that_of_its_quadratic(total):
    """``(Σy - nμ)² = q² nμ`` for the mean of Poisson counts."""
    y = np.array([total, 0.0, 0.0, 0.0])
    q2, n = stats.norm.ppf(0.95) ** 2, len(y)
    roots = np.roots([n**2, -(2 * total * n + q2 * n), float(total) ** 2])
    model = Glm("poisson", fit_intercept=False).fit(np.ones((n, 1)), y)
    ends = model.score_intervals(np.ones((n, 1)), y, level=0.9).to_numpy()[0]
    np.testing.assert_allclose(np.exp(ends), np.sort(roots), rtol=1e-9)


def statistic(model, X, y, added, j, value):
    """The score statistic by a fit with a column held, and the expected information."""
    loss = model._loss()
    left, column = np.delete(X, j, axis=1), X[:, j]
    held = Glm(loss.family.name, link=loss.link.name, **OPTIONS, tol=1e-12)
    held.fit(left, y, offset=added + value * column)
    eta = left @ held.coef_ + held.intercept_ + added + value * column
    Z = np.column_stack([X, np.ones(len(X))])
    score = Z[:, j] @ loss(y, eta, (1,))[0]
    information = Z.T @ (loss.expected_curvature(eta)[:, None] * Z)
    return score**2 * np.linalg.inv(information)[j, j] / model.dispersion_


@pytest.mark.parametrize(("family", "link"), PAIRS)
def test_at_the_ends_the_statistic_is_the_quantile(family, link):
    X, y, _, added = problem(family, link, n=200, offset=True)
    model = Glm(family, link=link, **OPTIONS).fit(X, y, offset=added)
    ends = model.score_intervals(X, y, offset=added, parameters=["x0", "x2"])
    df = model._record().df
    quantile = stats.t.ppf(0.975, df) ** 2
    for j, row in zip((0, 2), ends.to_numpy(), strict=True):
        assert row[0] < model.coef_[j] < row[1]
        for value in row:
            # The fits end with gradients of 1e-12 of the weight.
            found = statistic(model, X, y, added, j, value)
            assert found == pytest.approx(quantile, rel=1e-6)


def test_of_normal_targets_it_is_the_t_interval_up_to_the_dispersion():
    """φ is that of the whole model, so that the statistic is the square of t."""
    X, y, w, _ = problem("normal", "identity")
    model = Glm().fit(X, y, w)
    np.testing.assert_allclose(
        model.score_intervals(X, y, w), model.confidence_intervals(), rtol=1e-8
    )


def test_laws_of_shifts_scales_and_streams():
    X, y, _, _ = problem("poisson", "log")
    model = Glm("poisson").fit(X, y)
    expected = model.score_intervals(X, y)
    far = X * [1e-3, 1.0, 1e3] + [1e3, -50.0, 0.0]
    other = Glm("poisson").fit(far, y)
    found = other.score_intervals(far, y, parameters=["x0", "x1", "x2"])
    scaled = found.to_numpy() * np.array([1e-3, 1.0, 1e3])[:, None]
    np.testing.assert_allclose(scaled, expected.to_numpy()[:3], rtol=1e-6)
    stream = RowStream(lambda: iter([(X[:90], y[:90]), (X[90:], y[90:])]))
    np.testing.assert_allclose(model.score_intervals(stream), expected, rtol=1e-8)


def test_a_likelihood_of_ones_own_has_the_observed_information():
    X, y, _, _ = problem("poisson", "log")
    own = ObjectiveRegressor("exp(eta) - y*eta", log_likelihood=True).fit(X, y)
    model = Glm("poisson").fit(X, y)  # both are the same where the link is canonical
    np.testing.assert_allclose(own.score_intervals(X, y), model.score_intervals(X, y), rtol=1e-6)


def test_penalised_fits_are_refused():
    X, y, _, _ = problem("poisson", "log")
    with pytest.raises(InferenceError, match="penalised"):
        Glm("poisson", alpha=1.0).fit(X, y).score_intervals(X, y)


# -- profiles as data ------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "link"), PAIRS)
def test_points_of_a_profile_are_those_of_fits(family, link):
    X, y, _, added = problem(family, link, n=200, offset=True)
    model = Glm(family, link=link, **OPTIONS).fit(X, y, offset=added)
    table = model.likelihood_profile(X, y, offset=added, points=5, parameters=["x1"], level=0.9)
    assert table.parameter.tolist() == ["x1"] * 5
    assert table.value[2] == model.coef_[1]
    assert table["drop"][2] == 0.0
    for value, drop, root in table[["value", "drop", "root"]].to_numpy():
        held = Glm(family, link=link, **OPTIONS, tol=1e-12)
        held.fit(np.delete(X, 1, axis=1), y, offset=added + value * X[:, 1])
        expected = (held.deviance_ - model.deviance_) / model.dispersion_
        assert drop == pytest.approx(expected, rel=1e-6, abs=1e-9)
        assert root == pytest.approx(np.sign(value - model.coef_[1]) * np.sqrt(drop))
    ends = model.profile_intervals(X, y, offset=added, parameters=["x1"], level=0.9)
    np.testing.assert_allclose(table.value[[0, 4]], ends.to_numpy()[0], rtol=1e-12)
    quantile = stats.t.ppf(0.95, model._record().df)
    np.testing.assert_allclose(table.root[[0, 4]], [-quantile, quantile], rtol=1e-6)


def test_roots_of_a_quadratic_likelihood_are_a_straight_line():
    X, y, w, _ = problem("normal", "identity")
    table = Glm().fit(X, y, w).likelihood_profile(X, y, w, points=7)
    for _, part in table.groupby("parameter"):
        line = np.polynomial.Polynomial.fit(part.value, part.root, 1)
        np.testing.assert_allclose(line(part.value.to_numpy()), part.root, atol=1e-6)


def test_one_class_alone_reaches_the_root_of_its_likelihood():
    """Of one parameter the profile is the likelihood itself."""
    y = np.repeat([1.0, 0.0], [3, 9])
    ones = np.ones((12, 1))
    model = Glm("binomial", fit_intercept=False).fit(ones, y)
    table = model.likelihood_profile(ones, y, points=9)

    def drop(b):
        def log_likelihood(b):
            return 3 * b - 12 * np.log1p(np.exp(b))

        best = optimize.minimize_scalar(lambda b: -log_likelihood(b), bounds=(-5, 5)).fun
        return 2 * (-best - log_likelihood(b))

    np.testing.assert_allclose(table["drop"], [drop(b) for b in table.value], atol=1e-9)


def test_points_is_checked():
    X, y, _, _ = problem("poisson", "log")
    with pytest.raises(ValueError, match="points"):
        Glm("poisson").fit(X, y).likelihood_profile(X, y, points=2)


def test_of_linear_regression_they_are_those_of_normal_targets():
    X, y, w, _ = problem("normal", "identity")
    model, linear = Glm().fit(X, y, w), LinearRegression().fit(X, y, w)
    found, expected = linear.score_intervals(X, y, w), model.score_intervals(X, y, w)
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    ours = linear.likelihood_profile(X, y, w, points=8)
    theirs = model.likelihood_profile(X, y, w, points=8)
    assert ours.parameter.tolist() == theirs.parameter.tolist()
    np.testing.assert_allclose(ours.iloc[:, 1:], theirs.iloc[:, 1:], rtol=1e-6, atol=1e-9)


def test_no_parameters_are_an_empty_table():
    X, y, _, _ = problem("poisson", "log")
    for model in (Glm("poisson").fit(X, y), LinearRegression().fit(X, y)):
        table = model.likelihood_profile(X, y, parameters=[])
        assert table.shape == (0, 4)
        assert model.score_intervals(X, y, parameters=[]).shape == (0, 2)
