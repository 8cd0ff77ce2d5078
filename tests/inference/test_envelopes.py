"""Envelopes of sorted residuals: against exact distributions, and against refitted models."""

import numpy as np
import pytest
from scipy import special, stats

from mcmodels import LinearRegression
from mcmodels.inference.envelopes import (
    envelope_of_normal,
    envelope_of_regression,
    normal_scores,
    order_positions,
)


def test_normal_envelope_has_the_quantiles_of_order_statistics():
    n, draws = 40, 4000
    positions = order_positions(n)
    found = envelope_of_normal(n, positions, 0.9, draws, np.random.RandomState(3))
    # The i-th of n uniform values has the distribution Beta(i, n + 1 - i).
    i = positions + 1.0
    beta = stats.beta(i, n + 1 - i)
    for column, p in enumerate((0.05, 0.95)):
        exact = special.ndtri(beta.ppf(p))
        # Error of a sample quantile: √(p(1-p)/draws) over the density there. Of 80 normal errors
        # none is beyond 4.5 with probability 0.9995.
        density = beta.pdf(beta.ppf(p)) * stats.norm.pdf(exact)
        error = np.sqrt(p * (1 - p) / draws) / density
        assert (np.abs(found[:, column] - exact) < 4.5 * error).all()


def test_regression_envelope_is_that_of_refitted_models():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(1e3, 1.0, 25), rng.exponential(size=25), rng.normal(size=25)])
    X[0, 1] = 30.0  # high leverage
    design = np.column_stack([X - X.mean(axis=0), np.ones(25)])
    Z = np.linalg.qr(design)[0]
    positions = order_positions(25)
    found = envelope_of_regression(Z, positions, 0.8, 9, np.random.RandomState(5))
    random, refitted = np.random.RandomState(5), []
    for _ in range(9):
        noise = random.standard_normal(25)
        table = LinearRegression().fit(X, noise).influence(X, noise)
        refitted.append(np.sort(table["standardized_residual"]))
    expected = np.quantile(refitted, [0.1, 0.9], axis=0).T
    # Two ways of projecting; columns are 1e3 from zero, which costs three digits of 16.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11)


def test_a_row_of_leverage_one_has_the_residual_zero():
    X = np.eye(6)[:, :1]
    Z = np.linalg.qr(np.column_stack([X, np.ones(6)]))[0]
    found = envelope_of_regression(Z, order_positions(6), 0.9, 50, np.random.RandomState(0))
    assert np.isfinite(found).all()


def test_positions_of_many_rows_are_few_and_hold_both_ends():
    positions = order_positions(100_000)
    assert positions.size == 500
    assert positions[0] == 0
    assert positions[-1] == 99_999
    assert (np.diff(positions) > 0).all()


@pytest.mark.parametrize("n", [1, 2, 7, 500])
def test_scores_are_quantiles_at_the_middles(n):
    scores = normal_scores(n, order_positions(n))
    np.testing.assert_allclose(stats.norm.cdf(scores), (np.arange(n) + 0.5) / n, rtol=1e-13)
