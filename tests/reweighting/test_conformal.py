"""Quantiles, p-values and measures of strangeness, against definitions and high precision."""

import mpmath
import numpy as np
import pytest

from mcmodels.reweighting.conformal import (
    adaptive_strangeness,
    less_strange,
    margin_strangeness,
    needed_weight,
    residual_strangeness,
    upper_ends,
)


def smallest_that_reaches(values, weights, needed):
    """The least value that weight of at least ``needed`` is not above; by going through them."""
    for value in sorted(values):
        if weights[values <= value].sum() >= needed - 1e-9:
            return value
    return np.inf


@pytest.mark.parametrize("weighted", ["equal", "counts", "any"])
@pytest.mark.parametrize("level", [0.05, 0.5, 0.55, 0.7, 0.9, 0.95])
def test_ends_are_weighted_quantiles(level, weighted):
    rng = np.random.default_rng(0)
    b, n = 7, 19
    values = rng.normal(size=(b, n)).round(1)  # with ties
    values[2, 3] = np.nan
    weights = {
        "equal": np.full(n, 2.5),
        "counts": rng.integers(1, 5, n).astype(float),
        "any": rng.exponential(size=n),
    }[weighted]
    new = rng.exponential(size=b) if weighted == "any" else np.full(b, weights.min())
    found = upper_ends(values.copy(), weights, needed_weight(level, weights.sum(), new))
    values[2, 3] = np.inf
    for j in range(b):
        needed = level * (weights.sum() + new[j])
        assert found[j] == smallest_that_reaches(values[j], weights, needed)


def test_whole_ranks_are_not_rounded_up():
    # 0.55 · 20 is 11.000000000000002 in float64, and 0.7 · 30 is 21.
    values = np.arange(1.0, 20.0)[np.newaxis]
    for n, level, k in ((19, 0.55, 11), (9, 0.9, 9), (9, 0.3, 3), (13, 0.5, 7)):
        needed = needed_weight(level, float(n), np.ones(1))
        assert upper_ends(values[:, :n].copy(), np.ones(n), needed) == k


def test_strangeness_of_probabilities_near_one_keeps_its_digits():
    eta = np.array([[0.0, 700.0, -3.0, 1e-9], [50.0, 0.0, -2.0, 0.0], [-120.0, 699.0, 5.0, 0.0]])
    with mpmath.workdps(400):
        for j in range(eta.shape[1]):
            e = [mpmath.exp(mpmath.mpf(v)) for v in eta[:, j]]
            p = [one / sum(e) for one in e]
            margin = [float(mpmath.log((1 - one) / one)) for one in p]
            np.testing.assert_allclose(margin_strangeness(eta)[:, j], margin, rtol=1e-14)
            less = [-float(sum(other for other in p if other < one)) for one in p]
            np.testing.assert_allclose(adaptive_strangeness(eta)[:, j], less, rtol=1e-14)


def test_two_classes_are_the_same_by_one_predictor_and_by_two():
    eta = np.random.default_rng(0).normal(size=50) * 20
    both = np.stack([np.zeros(50), eta])
    for strangeness in (margin_strangeness, adaptive_strangeness):
        np.testing.assert_allclose(strangeness(eta[np.newaxis]), strangeness(both), rtol=1e-13)


def test_residuals_of_means_that_underflow():
    y, mean = np.array([0.0, 2.0, 1.0, 3.0]), np.array([0.0, 0.0, np.nan, np.inf])
    found = residual_strangeness(y, mean, np.sqrt(mean))
    assert found.tolist() == [0.0, np.inf, np.inf, np.inf]


@pytest.mark.parametrize("weights", [np.ones(3), np.array([1.0, 2.0, 4.0])])
def test_ties_and_fits_that_are_not_determined_are_not_less_strange(weights):
    strange = np.array([0.0, 1.0, 2.0])
    of_new = np.array([[0.5, 5.0, 2.0], [np.nan, np.nan, 3.0], [0.0, 1.0 + 1e-14, 1.9]])
    found = less_strange(strange, of_new, weights)
    assert found.tolist() == [weights[:2].sum(), weights[2], 0.0]
