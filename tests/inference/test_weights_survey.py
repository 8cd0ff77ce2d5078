"""Samples with known probabilities: errors of sampling weights are right, of counts are not."""

import numpy as np
import pytest

from mcmodels import GeneralizedLinearRegressor, LinearRegression, LogisticRegression

# Shares of a stratum that are sampled; the strata depend on the noise, so that weights matter.
SHARES = np.array([0.5, 0.05, 0.02])
TRUE = np.array([1.0, 0.5])


# Rows of a population. Large counts are few and are seldom sampled, so that it takes more of them.
SIZES = {"linear": 6000, "logistic": 6000, "poisson": 24000}


def sample(rng, kind):
    """A sample by strata from a population in which the model is right."""
    size = SIZES[kind]
    x, noise = rng.normal(size=(2, size))
    eta = TRUE[0] * x + TRUE[1]
    if kind == "linear":
        y = eta + noise
        stratum = np.digitize(noise + 0.5 * x, [-0.7, 0.7])
    elif kind == "logistic":
        y = (rng.random(size) < 1 / (1 + np.exp(-eta))).astype(int)
        stratum = np.where(y == 1, np.where(x > 0, 2, 1), 0)
    else:
        y = rng.poisson(np.exp(eta / 2))
        stratum = np.digitize(y + 0.3 * noise, [0.5, 2.5])
    there = rng.random(size) < SHARES[stratum]
    return x[there, np.newaxis], y[there], 1 / SHARES[stratum[there]]


MAKE = {
    "linear": LinearRegression,
    "logistic": lambda **options: LogisticRegression(C=np.inf, **options),
    "poisson": lambda **options: GeneralizedLinearRegressor("poisson", **options),
}
TRUTH = {"linear": TRUE, "logistic": TRUE, "poisson": TRUE / 2}


def simulated(kind, weights, draws, seed):
    """Estimates, their errors, and whether 95 % intervals cover the truth."""
    rng = np.random.default_rng(seed)
    params, errors, covered = [], [], []
    for _ in range(draws):
        X, y, w = sample(rng, kind)
        model = MAKE[kind](weights=weights).fit(X, y, w)
        params.append(model.params_)
        errors.append(model.standard_errors_)
        lower, upper = model.confidence_intervals().to_numpy().T
        covered.append((lower <= TRUTH[kind]) & (TRUTH[kind] <= upper))
    return np.array(params), np.array(errors), np.array(covered)


@pytest.mark.parametrize("kind", ["linear", "logistic"])
def test_errors_are_the_deviations_of_estimates(kind):
    params, errors, _ = simulated(kind, "probability", 200, seed=1)
    ratio = np.sqrt((errors**2).mean(axis=0)) / params.std(axis=0)
    # A deviation of 200 estimates has an error of 1/√400 = 5 %; four of these are allowed.
    assert np.abs(ratio - 1).max() < 0.2
    # The weighted estimates have no bias: four errors of a mean.
    bias = params.mean(axis=0) - TRUTH[kind]
    assert (np.abs(bias) < 4 * params.std(axis=0) / np.sqrt(200)).all()
    _, counted, _ = simulated(kind, "frequency", 10, seed=1)
    # As many rows as the population, each of variance one: less than half of the truth.
    assert (counted.mean(axis=0) < 0.5 * params.std(axis=0)).all()


@pytest.mark.slow
@pytest.mark.parametrize("kind", MAKE)
def test_coverage(kind):
    draws = 2000
    _, _, covered = simulated(kind, "probability", draws, seed=2)
    # The error of a share near 0.95 is 0.005 with 2000 draws, three of which are 0.015; HC1 of
    # samples in which few rows have large weights covers up to a percent less.
    share = covered.mean(axis=0)
    assert (np.abs(share - 0.95) < 0.015 + 0.01).all(), share
    _, _, counted = simulated(kind, "frequency", draws // 10, seed=2)
    assert (counted.mean(axis=0) < 0.8).all()
