"""Negative binomial fits with θ by maximum likelihood: against statsmodels, and by laws."""

import pickle
import warnings

import numpy as np
import pytest
import statsmodels.api as sm

from mcmodels import GeneralizedLinearRegressor as Glm
from mcmodels import RowStream, likelihood_ratio_test
from mcmodels.exceptions import InferenceError, NoMinimumWarning, RankDeficiencyWarning
from tests.numerics import relative_error


def counts(theta, n=500, seed=0, centre=0.5):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    offset = rng.uniform(-0.3, 0.3, n)
    mu = np.exp(centre + X @ [0.4, -0.3] + offset)
    y = rng.poisson(mu * rng.gamma(1 / theta, theta, n)).astype(float)
    return X, y, offset


def joint():
    return Glm("negative_binomial", theta="estimate")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("theta", [0.05, 0.6, 4.0])
def test_agrees_with_statsmodels(theta, seed):
    X, y, offset = counts(theta, seed=seed, centre=1.5)
    model = joint().fit(X, y, offset=offset)
    design = sm.add_constant(X, prepend=False)
    peer = sm.NegativeBinomial(y, design, loglike_method="nb2", offset=offset)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = np.append(model.params_, model.theta_) * 1.001
        found = peer.fit(start, method="newton", maxiter=100, disp=0, tol=1e-13)
    ours = np.append(model.params_, model.theta_)
    assert relative_error(ours, found.params) < 1e-9
    errors = np.append(model.standard_errors_, model.theta_standard_error_)
    # The Hessian of statsmodels is exact; its inverse loses a few digits.
    assert relative_error(errors, found.bse) < 1e-8
    assert relative_error(model.log_likelihood_, found.llf) < 1e-11
    assert relative_error(model.aic_, found.aic) < 1e-11


def test_the_score_in_theta_is_zero_and_the_fit_is_that_with_theta_given():
    X, y, offset = counts(0.6)
    model = joint().fit(X, y, offset=offset)
    given = Glm("negative_binomial", theta=model.theta_).fit(X, y, offset=offset)
    assert relative_error(given.params_, model.params_) < 1e-9
    assert relative_error(given.log_likelihood_, model.log_likelihood_) < 1e-12
    for factor in (0.99, 1.01):
        near = Glm("negative_binomial", theta=factor * model.theta_).fit(X, y, offset=offset)
        assert near.log_likelihood_ < model.log_likelihood_
    # Errors with θ free are not smaller than with θ known.
    assert (model.standard_errors_ >= given.standard_errors_ * (1 - 1e-9)).all()


def test_weights_count_rows_and_streams_are_the_same():
    X, y, _ = counts(0.6, n=200)
    w = np.random.default_rng(1).integers(0, 4, 200)
    weighted = joint().fit(X, y, w)
    repeated = joint().fit(np.repeat(X, w, axis=0), np.repeat(y, w))
    parts = np.array_split(np.arange(200), 4)
    streamed = joint().fit(RowStream([(X[p], y[p], w[p]) for p in parts]))
    for other in (repeated, streamed):
        assert relative_error(other.params_, weighted.params_) < 1e-8
        assert relative_error(other.theta_, weighted.theta_) < 1e-8
        assert relative_error(other.theta_standard_error_, weighted.theta_standard_error_) < 1e-7


def test_counts_that_are_not_dispersed_end_at_poisson():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 2)), rng.binomial(20, 0.2, 200).astype(float)
    with pytest.warns(NoMinimumWarning, match="theta goes to zero"):
        model = joint().fit(X, y)
    assert model.theta_ == 0.0
    poisson = Glm("poisson").fit(X, y)
    assert relative_error(model.params_, poisson.params_) < 1e-10
    assert relative_error(model.log_likelihood_, poisson.log_likelihood_) < 1e-12
    with pytest.raises(InferenceError, match="border of its range"):
        _ = model.theta_standard_error_


def test_nested_fits_each_with_its_theta():
    X, y, _ = counts(0.6)
    big, small = joint().fit(X, y), joint().fit(X[:, :1], y)
    found = likelihood_ratio_test(small, big)
    assert relative_error(found.statistic, 2 * (big.log_likelihood_ - small.log_likelihood_)) < 1e-9
    assert found.df == 1
    with pytest.raises(ValueError, match="different losses"):
        likelihood_ratio_test(Glm("negative_binomial", theta=0.6).fit(X[:, :1], y), big)


def test_what_is_refused_or_kept():
    X, y, _ = counts(0.6)
    with pytest.raises(ValueError, match="needs counts"):
        joint().fit(X, y + 0.5)
    with pytest.raises(ValueError, match="theta"):
        Glm("negative_binomial", theta="ml").fit(X, y)
    model = joint().fit(X, y)
    with pytest.raises(InferenceError, match="estimated anew"):
        model.profile_intervals(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert again.theta_standard_error_ == model.theta_standard_error_
    assert "theta" in str(model.summary())
    assert not hasattr(Glm("poisson").fit(X, y), "theta_")
    assert Glm("negative_binomial", theta=0.3).fit(X, y).theta_ == 0.3


def test_dependent_columns_are_those_of_an_independent_coding():
    """The parameters of the last fit are known before it begins; its rank has to be found."""
    X, y, _ = counts(0.6, seed=3)
    levels = np.eye(3)[np.arange(len(y)) % 3]
    with pytest.warns(RankDeficiencyWarning):
        whole = joint().fit(np.column_stack([levels, X]), y)
    coded = joint().fit(np.column_stack([levels[:, 1:], X]), y)
    assert whole.status_ == "rank deficient"
    assert whole.n_free_params_ == coded.n_free_params_ == 6  # one is theta
    assert np.isnan(whole.standard_errors_).tolist() == [True] * 3 + [False] * 2 + [True]
    # Both end at a slope in theta of 1e-12 of its scale; errors are by factors of the same rows.
    for name in ("theta_", "theta_standard_error_", "aic_", "bic_"):
        assert relative_error(getattr(whole, name), getattr(coded, name)) < 1e-9
    assert relative_error(whole.standard_errors_[3:5], coded.standard_errors_[2:4]) < 1e-9
    same, other = whole.wald_test("x0 = x1 = x2"), coded.wald_test("x0 = x1 = 0")
    assert same.df == other.df == 2
    assert relative_error(same.statistic, other.statistic) < 1e-9
    fewer = joint().fit(X, y)
    assert likelihood_ratio_test(fewer, whole).df == 2


@pytest.mark.parametrize("model", [Glm("poisson", warm_start=True), Glm("gamma", warm_start=True)])
def test_a_second_fit_from_the_optimum_has_the_same_rank(model):
    X, y, _ = counts(0.6, seed=4)
    X = np.column_stack([np.eye(3)[np.arange(len(y)) % 3], X])
    found = []
    for _ in range(2):
        with pytest.warns(RankDeficiencyWarning):
            model.fit(X, y + 1)
        found.append((model.status_, model.n_free_params_, model.standard_errors_))
    assert found[0][:2] == found[1][:2]
    np.testing.assert_allclose(found[0][2], found[1][2], rtol=1e-7)
