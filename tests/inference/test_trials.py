"""Binomial proportions with their trials as weights say what the rows of ones and zeros say."""

import numpy as np
import pytest
import statsmodels.api as sm

from mcmodels import GeneralizedLinearRegressor as Glm
from mcmodels import RowStream

RNG = np.random.default_rng(2)
N = 60
X = RNG.normal([0.0, 3.0], size=(N, 2))
TRIALS = RNG.integers(0, 9, N)
HITS = RNG.binomial(TRIALS, 1 / (1 + np.exp(-X[:, 0])))
Y = np.divide(HITS, TRIALS, out=np.zeros(N), where=TRIALS > 0)
OWNER = np.repeat(np.arange(N), TRIALS)
OUTCOMES = np.repeat(np.tile([1.0, 0.0], N), np.column_stack([HITS, TRIALS - HITS]).ravel())


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
@pytest.mark.parametrize("kind", ["nonrobust", "expected", "HC0", "HC1", "HC2", "HC3"])
def test_covariances_are_those_of_ones_and_zeros(link, kind):
    """HC0 to HC3 took each trial for a row with the proportion as target: half the error."""
    grouped = Glm("binomial", link=link, tol=1e-12).fit(X, Y, TRIALS)
    single = Glm("binomial", link=link, tol=1e-12).fit(X[OWNER], OUTCOMES)
    np.testing.assert_allclose(grouped.params_, single.params_, rtol=1e-9)
    found = grouped.covariance(X, Y, TRIALS, kind=kind)
    np.testing.assert_allclose(found, single.covariance(X[OWNER], OUTCOMES, kind=kind), rtol=1e-8)
    halves = [slice(0, 25), slice(25, N)]
    stream = RowStream(lambda: ((X[half], Y[half], TRIALS[half]) for half in halves))
    np.testing.assert_allclose(grouped.covariance(stream, kind=kind), found, rtol=1e-10)


def test_clusters_and_likelihood_intervals_are_those_of_ones_and_zeros():
    grouped = Glm("binomial", tol=1e-12).fit(X, Y, TRIALS)
    single = Glm("binomial", tol=1e-12).fit(X[OWNER], OUTCOMES)
    clusters = np.arange(N) % 7
    found = grouped.covariance(X, Y, TRIALS, kind="cluster", groups=clusters)
    expected = single.covariance(X[OWNER], OUTCOMES, kind="cluster", groups=clusters[OWNER])
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    for method in ("profile_intervals", "score_intervals", "likelihood_ratio_tests"):
        found = getattr(grouped, method)(X, Y, TRIALS)
        np.testing.assert_allclose(found, getattr(single, method)(X[OWNER], OUTCOMES), rtol=1e-7)


def test_hc0_of_statsmodels():
    single = sm.GLM(OUTCOMES, sm.add_constant(X[OWNER], prepend=False), sm.families.Binomial())
    expected = single.fit(tol=1e-14, cov_type="HC0").cov_params()
    grouped = Glm("binomial", tol=1e-12).fit(X, Y, TRIALS)
    np.testing.assert_allclose(grouped.covariance(X, Y, TRIALS, kind="HC0"), expected, rtol=1e-8)


@pytest.mark.parametrize("dispersion", ["pearson", "deviance"])
def test_an_estimated_dispersion_needs_to_know_what_trials_are(dispersion):
    """It was divided by the number of trials, and errors were too small by its root."""
    with pytest.raises(ValueError, match=r"their trials.*weights='precision'.*quasibinomial"):
        Glm("binomial", dispersion=dispersion).fit(X, Y, TRIALS)
    model = Glm("binomial", dispersion=dispersion, weights="precision").fit(X, Y, TRIALS)
    there = TRIALS > 0
    peer = sm.GLM(
        Y[there],
        sm.add_constant(X[there], prepend=False),
        sm.families.Binomial(),
        var_weights=TRIALS[there],
    ).fit(tol=1e-14, scale="X2" if dispersion == "pearson" else "dev")
    np.testing.assert_allclose(model.dispersion_, peer.scale, rtol=1e-9)
    np.testing.assert_allclose(model.standard_errors_, peer.bse, rtol=1e-8)


def test_fractions_that_are_no_proportions_are_counted_as_they_are():
    share, times = RNG.uniform(0.1, 0.9, N), RNG.integers(1, 4, N)
    counted = Glm("binomial", dispersion="pearson").fit(X, share, times)
    rows = np.repeat(np.arange(N), times)
    repeated = Glm("binomial", dispersion="pearson").fit(X[rows], share[rows])
    np.testing.assert_allclose(counted.dispersion_, repeated.dispersion_, rtol=1e-9)
    found = counted.covariance(X, share, times, kind="HC3")
    np.testing.assert_allclose(
        found, repeated.covariance(X[rows], share[rows], kind="HC3"), rtol=1e-8
    )
