"""Likelihoods of one's own with exp() beside a column of years: the law of shifts."""

import numpy as np
import pytest

from mcmodels import ObjectiveRegressor

LOSSES = {
    "poisson": "exp(eta) - y*eta",
    "truncated poisson": "exp(eta) + log(1 - exp(-exp(eta))) - y*eta",
    "gamma": "2*(y*exp(-eta) + eta)",
    "gumbel": "exp(log(y) - eta) - (log(y) - eta)",
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_shift_of_the_years_changes_nothing_but_the_intercept(loss, seed):
    """With the year held at zero the fit began at η = -109, where log(1 - exp(-exp(η))) is -inf."""
    rng = np.random.default_rng(seed)
    year = rng.integers(2000, 2021, 60).astype(float)
    other = rng.normal(size=60)
    y = np.maximum(rng.poisson(np.exp(0.05 * (year - 2010) + 0.3 * other + 1)), 1.0)
    far, near = np.column_stack([year, other]), np.column_stack([year - 2010, other])
    found = ObjectiveRegressor(loss, log_likelihood=True).fit(far, y)
    expected = ObjectiveRegressor(loss, log_likelihood=True).fit(near, y)
    chosen = {"parameters": ["x0", "x1"]}
    for method in ("profile_intervals", "score_intervals", "likelihood_ratio_tests"):
        # Ends are found to 1e-9 standard errors; the years cost three digits of sixteen.
        np.testing.assert_allclose(
            getattr(found, method)(far, y, **chosen),
            getattr(expected, method)(near, y, **chosen),
            rtol=1e-7,
        )
