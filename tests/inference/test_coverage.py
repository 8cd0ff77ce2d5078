"""Intervals of 95 % cover the truth in 95 % ± 1.5 % of simulated data sets, and tests keep size.

Of 4,000 replications the share has a standard error of 0.34 %, so that 1.5 % is more than four.
"""

import numpy as np
import pytest

from mcmodels import LinearRegression, LogisticRegression

pytestmark = pytest.mark.slow
REPLICATIONS = 4000
BETA = np.array([1.0, -2.0, 0.5, 3.0])


def coverage(replicate, truth, seed):
    """Share of replications in which the interval of each parameter covers it."""
    rng = np.random.default_rng(seed)
    covered = np.zeros(len(truth))
    for _ in range(REPLICATIONS):
        lower, upper = replicate(rng).to_numpy().T
        covered += (lower <= truth) & (truth <= upper)
    return covered / REPLICATIONS


def same_as_promised(share):
    assert np.abs(share - 0.95).max() < 0.015, share


def design(rng, n):
    X = rng.standard_normal((n, 3)) @ np.array([[1, 0.5, 0], [0, 1, 0.5], [0, 0, 1]]) + 1
    return X, X @ BETA[:3] + BETA[3]


def test_linear():
    def replicate(rng):
        X, mean = design(rng, 20)
        return LinearRegression().fit(X, mean + 2 * rng.standard_normal(20)).confidence_intervals()

    same_as_promised(coverage(replicate, BETA, 0))


def unequal(rng, n):
    X, mean = design(rng, n)
    return X, mean + rng.standard_normal(n) * np.exp(0.6 * X[:, 0])


def test_linear_with_unequal_variances():
    def replicate(rng, kind):
        X, y = unequal(rng, 150)
        return LinearRegression().fit(X, y).confidence_intervals(0.95, X, y, kind=kind)

    same_as_promised(coverage(lambda rng: replicate(rng, "HC3"), BETA, 1))
    # Without it the promise is broken: the test would notice.
    assert coverage(lambda rng: replicate(rng, "nonrobust"), BETA, 1).min() < 0.85


def test_clusters():
    def replicate(rng, kind):
        groups = np.repeat(np.arange(40), 8)
        X, mean = design(rng, 320)
        X[:, 1] += 2 * rng.standard_normal(40)[groups]
        mean = X @ BETA[:3] + BETA[3]
        y = mean + 1.5 * rng.standard_normal(40)[groups] + rng.standard_normal(320)
        options = {"groups": groups} if kind == "cluster" else {}
        return LinearRegression().fit(X, y).confidence_intervals(0.95, X, y, kind=kind, **options)

    same_as_promised(coverage(lambda rng: replicate(rng, "cluster"), BETA, 2))
    assert coverage(lambda rng: replicate(rng, "HC3"), BETA, 2).min() < 0.85


def test_logistic():
    truth = np.array([0.8, -0.5, 0.3, -0.2])

    def replicate(rng):
        X = rng.standard_normal((400, 3))
        p = 1 / (1 + np.exp(-X @ truth[:3] - truth[3]))
        return LogisticRegression(C=np.inf).fit(X, rng.random(400) < p).confidence_intervals()

    same_as_promised(coverage(replicate, truth, 3))


def test_predictions():
    at = np.array([[0.0, 2.0, 1.0]])

    def replicate(rng):
        X, mean = design(rng, 30)
        model = LinearRegression().fit(X, mean + 2 * rng.standard_normal(30))
        mean_interval = model.predict_interval(at)[["lower", "upper"]]
        observed = at @ BETA[:3] + BETA[3] + 2 * rng.standard_normal(1)
        interval = model.predict_interval(at, kind="observation")[["lower", "upper"]]
        # The observation is what is random: moved to zero, it can be counted like a parameter.
        mean_interval.loc[1] = (interval - observed[:, np.newaxis]).iloc[0]
        return mean_interval

    same_as_promised(coverage(replicate, np.array([(at @ BETA[:3] + BETA[3])[0], 0.0]), 4))


def test_the_size_of_wald_tests():
    rng = np.random.default_rng(5)
    rejected = 0
    for _ in range(REPLICATIONS):
        X, mean = design(rng, 25)
        model = LinearRegression().fit(X, mean + rng.standard_normal(25))
        rejected += model.wald_test("x0 = 1, x1 = -2").p_value < 0.05
    assert abs(rejected / REPLICATIONS - 0.05) < 0.015
