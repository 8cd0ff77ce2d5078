"""Wilson's intervals by the equation that defines them; bins by brute force."""

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.proportion import proportion_confint

from mcmodels.inference.binned_rates import binned_rates, wilson_interval


@pytest.mark.parametrize(("events", "rows"), [(0, 9), (1, 9), (4, 9), (9, 9), (37, 10_000)])
def test_ends_are_where_the_score_test_rejects(events, rows):
    q = stats.norm.ppf(0.975)
    rate = events / rows

    def excess(p):
        return (rate - p) ** 2 * rows - q**2 * p * (1 - p)

    lower, upper = wilson_interval(np.array([events]), np.array([rows]), 0.95)[0]
    if events > 0:
        # Brent's method stops within 1e-15 in p.
        assert lower == pytest.approx(
            optimize.brentq(excess, 1e-12, min(rate, 1 - 1e-9), xtol=1e-15), rel=1e-10
        )
    else:
        assert lower == 0.0
    if events < rows:
        assert upper == pytest.approx(
            optimize.brentq(excess, max(rate, 1e-12), 1 - 1e-12, xtol=1e-15), rel=1e-10
        )
    else:
        assert upper == 1.0
    expected = proportion_confint(events, rows, method="wilson")
    np.testing.assert_allclose([lower, upper], expected, rtol=1e-12, atol=1e-15)


def test_bins_hold_all_rows_and_equal_probabilities_are_together():
    rng = np.random.default_rng(0)
    p = np.r_[rng.uniform(size=90), np.full(60, 0.25)]
    events = (rng.uniform(size=150) < p).astype(float)
    table = binned_rates(events, p, 10, 0.95)
    assert table["rows"].sum() == 150
    assert (np.diff(table["predicted"]) > 0).all()
    # Sums over bins are sums over rows.
    assert (table["predicted"] * table["rows"]).sum() == pytest.approx(p.sum(), rel=1e-13)
    assert (table["observed"] * table["rows"]).sum() == pytest.approx(events.sum(), rel=1e-13)
    # The rows of probability 0.25 are in one bin, which is therefore larger.
    assert table["rows"].max() >= 60


def test_each_bin_by_brute_force():
    p = np.linspace(0.01, 0.99, 40)
    events = (np.arange(40) % 3 == 0).astype(float)
    table = binned_rates(events, p, 4, 0.9)
    assert table["rows"].tolist() == [10, 10, 10, 10]
    for k in range(4):
        part = slice(10 * k, 10 * k + 10)
        assert table["predicted"][k] == pytest.approx(p[part].mean(), rel=1e-13)
        assert table["observed"][k] == pytest.approx(events[part].mean(), rel=1e-13)


def test_one_probability_is_one_bin():
    assert binned_rates(np.array([0.0, 1, 1]), np.full(3, 0.5), 5, 0.95)["rows"].tolist() == [3]
