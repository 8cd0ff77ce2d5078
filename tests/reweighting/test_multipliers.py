"""Random weights of units: their moments, their exact laws, and what they depend on."""

import numpy as np
import pytest
from scipy import stats

from mcmodels.reweighting.multipliers import KINDS, Multipliers

SEED = (1, 2)


def numbers(kind, counts, draws=200_000):
    return Multipliers(kind, np.asarray(counts, dtype=float), SEED, draws).of(0, draws)


@pytest.mark.parametrize("kappa", [0.05, 0.3, 1.0, 2.0, 7.5])
def test_the_two_points_have_the_moments_of_a_sum_of_kappa_copies(kappa):
    low, high = np.unique(numbers("multiplier", [kappa], 2000))
    # Probabilities from the mean alone; then the second and third moment are determined.
    p = (kappa - low) / (high - low)
    points, shares = np.array([low, high]) - kappa, np.array([1 - p, p])
    # Exact up to rounding of a few units.
    assert shares @ points**2 == pytest.approx(kappa, rel=1e-12)
    assert shares @ points**3 == pytest.approx(kappa, rel=1e-12)
    assert low > 0
    found = (numbers("multiplier", [kappa]) == high).mean()
    assert found == pytest.approx(p, abs=5 * np.sqrt(p * (1 - p) / 200_000))  # five deviations


@pytest.mark.parametrize("counts", [[1.0] * 5, [2.0, 1.0, 0.5, 3.0, 0.0]])
def test_dirichlet_weights_have_beta_margins_and_the_sum_of_the_counts(counts):
    found, total = numbers("bayesian", counts, 4000), sum(counts)
    assert found.sum(axis=1) == pytest.approx(total, rel=1e-12)
    for column, kappa in zip(found.T, counts, strict=True):
        if kappa == 0:
            assert not column.any()
            continue
        law = stats.beta(kappa, total - kappa)
        # A level that ten correct columns violate once in a thousand runs; the seed is fixed.
        assert stats.kstest(column / total, law.cdf).pvalue > 1e-4


def test_two_copies_of_a_row_are_in_law_a_row_of_weight_two():
    copies = numbers("bayesian", [1.0] * 6, 4000)
    counted = numbers("bayesian", [2.0, 2.0, 2.0], 4000)
    both = copies[:, 0] + copies[:, 1]
    assert stats.ks_2samp(both, counted[:, 0]).pvalue > 1e-4  # see above


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_of_many_draws_are_those_of_fewer(kind):
    counts = np.ones(3000)
    many = Multipliers(kind, counts, SEED, 500)
    step = many.step
    assert 1 < step < 500
    few = Multipliers(kind, counts, SEED, 2 * step + 5)
    assert np.array_equal(few.of(0, 500), many.of(0, 500)[: 2 * step + 5])
    assert np.array_equal(many.of(step, 2 * step), many.of(0, 500)[step : 2 * step])


@pytest.mark.parametrize("kind", KINDS)
def test_draws_are_not_correlated_and_seeds_differ(kind):
    counts = np.ones(400)
    M = Multipliers(kind, counts, SEED, 400).of(0, 400)
    other = Multipliers(kind, counts, (1, 3), 400).of(0, 400)
    assert not np.array_equal(M, other)
    correlation = np.corrcoef(M)[np.triu_indices(400, 1)]
    # Means of 79,800 correlations with deviation 1/20; their squares are about 1/400.
    assert abs(correlation.mean()) < 1e-3
    assert np.square(correlation).mean() == pytest.approx(1 / 400, rel=0.05)
