"""Jeffreys' prior in the estimators: published fits, high precision, closed forms, laws."""

import pickle
import warnings

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from scipy import optimize, sparse, stats
from sklearn.base import clone

from mcmodels import (
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LogisticRegression,
    RowStream,
    likelihood_ratio_test,
)
from mcmodels.exceptions import InferenceError, RankDeficiencyWarning
from tests import jeffreys_in_mpmath as exact
from tests.certified import DATASETS

# What logistf prints (R package logistf, with its default control): coefficients and profile
# intervals at 95 %, the intercept last; of endometrial, Heinze and Schemper (2002), table 1.
LOGISTF = {
    "sex2": (
        "case",
        [-1.10598131, -0.06881673, 2.26887464, -2.11140817, -0.78831694, 3.09601166, 0.12025405],
        [
            [-1.9737884, -0.30742514],
            [-0.9414363, 0.78920202],
            [1.2730216, 3.43543273],
            [-3.2608611, -1.11773495],
            [-1.6080879, 0.01518468],
            [0.7745682, 8.03029352],
            [-0.8185591, 1.07315122],
        ],
    ),
    "endometrial": (
        "HG",
        [2.92927330, -0.03475175, -2.60416387, 3.77455951],
        [
            [0.6097244, 7.85463171],
            [-0.1244587, 0.04045547],
            [-4.3651832, -1.23272106],
            [1.0825371, 7.20928050],
        ],
    ),
}


def published(name):
    target, *answers = LOGISTF[name]
    X = pd.read_csv(DATASETS / f"{name}.csv")
    y = X.pop(target)
    return X, y, *(np.array(of) for of in answers)


def design(X):
    return np.column_stack([X, np.ones(len(X))])


@pytest.mark.parametrize("name", LOGISTF)
def test_published(name):
    X, y, params, intervals = published(name)
    model = FirthLogisticRegression().fit(X, y)
    # logistf stops where no coefficient changes by 1e-5 of a profile or 1e-5 of a gradient.
    np.testing.assert_allclose(model.params_, params, atol=5e-7)
    np.testing.assert_allclose(model.profile_intervals(X, y), intervals, atol=5e-6)


@pytest.mark.parametrize("name", LOGISTF)
def test_published_data_to_twelve_digits(name):
    """The root of Firth's score, ``Σ (y - p + h (1/2 - p)) x̃``, by mpmath's own solver."""
    X, y, params, _ = published(name)
    cells = pd.DataFrame(design(X)).assign(y=y.to_numpy())
    counted = cells.groupby(list(cells.columns)).size().reset_index(name="n").to_numpy()
    with mp.workdps(30):
        rows = [[mp.mpf(float(v)) for v in row[:-2]] for row in counted]
        P = len(rows[0])

        def score(*theta):
            probabilities, information = [], mp.zeros(P)
            for row, (*_, n) in zip(rows, counted, strict=True):
                p = 1 / (1 + mp.exp(-mp.fdot(row, theta)))
                probabilities.append(p)
                x = mp.matrix(row)
                information += float(n) * p * (1 - p) * x * x.T
            inverse = information**-1
            total = mp.zeros(P, 1)
            for row, p, (*_, target, n) in zip(rows, probabilities, counted, strict=True):
                x = mp.matrix(row)
                h = p * (1 - p) * (x.T * inverse * x)[0]
                total += float(n) * (float(target) - p + h * (mp.mpf(1) / 2 - p)) * x
            return list(total)

        root = mp.findroot(score, [float(t) for t in params.round(3)], tol=1e-40)
    found = FirthLogisticRegression().fit(X, y)
    np.testing.assert_allclose(found.params_, [float(t) for t in root], rtol=1e-12)


@pytest.mark.parametrize("name", LOGISTF)
def test_profiles_by_brute_force(name):
    """An end of an interval by a general optimiser over the other parameters, from its value."""
    X, y, _, _ = published(name)
    model = FirthLogisticRegression().fit(X, y)
    ends = model.profile_intervals(X, y)
    tests = model.likelihood_ratio_tests(X, y, parameters=list(ends.index))
    D, b = design(X), y.to_numpy()

    def penalised(theta):
        eta = D @ theta
        p = 1 / (1 + np.exp(-eta))
        log_det = np.linalg.slogdet(D.T @ (D * (p * (1 - p))[:, np.newaxis]))[1]
        return np.logaddexp(0, eta).sum() - b @ eta - log_det / 2

    def least(k, value):
        def of_others(others):
            return penalised(np.insert(others, k, value))

        start = np.delete(model.params_, k)
        options = {"xatol": 1e-9, "fatol": 1e-13, "maxiter": 10**5, "maxfev": 10**5}
        found = optimize.minimize(of_others, start, method="BFGS", options={"gtol": 1e-8})
        found = optimize.minimize(of_others, found.x, method="Nelder-Mead", options=options)
        return found.fun

    best, rise = penalised(model.params_), stats.chi2.ppf(0.95, 1) / 2
    np.testing.assert_allclose(model.objective_, best, rtol=1e-12)
    for k in range(len(ends)) if name == "endometrial" else [5]:
        for end in ends.iloc[k]:
            # The optimiser stops about 1e-10 above the least value.
            np.testing.assert_allclose(least(k, end) - best, rise, atol=1e-7)
        statistic = 2 * (least(k, 0.0) - best)
        np.testing.assert_allclose(tests["statistic"].iloc[k], statistic, atol=1e-7)
        p_value = stats.chi2.sf(statistic, 1)
        np.testing.assert_allclose(tests["p_value"].iloc[k], p_value, rtol=1e-5)


def test_published_three_classes():
    """Hepatitis C, other hepatitis, or none after a transfusion: Bull, Mak and Greenwood (2002).

    *A modified score function estimator for multinomial logistic regression in small samples*,
    Computational Statistics & Data Analysis 39, table 3. Classes are separated: none of the first
    in one of the four groups. Counts of Blajchman et al. (1995), The Lancet 345, as in R's brglm2.
    """
    counts = np.array([[5, 11, 1864], [5, 3, 389], [3, 10, 1896], [0, 2, 400]], dtype=float)
    withhold, after = np.array([0.0, 0, 1, 1]), np.array([1.0, 0, 1, 0])
    X = np.repeat(np.column_stack([withhold, after, withhold * after]), 3, axis=0)
    y = np.tile(["C", "other", "none"], 4)
    model = FirthLogisticRegression().fit(X, y, counts.ravel())
    of_c, none, other = model.params_[:, :3]
    # Two decimals are printed.
    np.testing.assert_allclose(of_c - none, [-2.43, -1.57, 1.96], atol=5e-3)
    np.testing.assert_allclose(other - none, [-0.36, -0.38, 0.26], atol=5e-3)


CASES = {
    "poisson": {"family": "poisson"},
    "poisson, identity": {"family": "poisson", "link": "identity"},
    "quasi-poisson": {"family": "poisson", "dispersion": 2.5},
    "probit": {"family": "binomial", "link": "probit"},
    "cloglog": {"family": "binomial", "link": "cloglog"},
    "gamma, inverse": {"family": "gamma", "link": "inverse", "dispersion": 0.3},
    "inverse gaussian": {"family": "inverse_gaussian", "dispersion": 0.3},
    "negative binomial": {"family": "negative_binomial", "theta": float(exact.THETA)},
    "tweedie": {"family": "tweedie", "power": float(exact.POWER), "dispersion": 0.5},
}


@pytest.mark.parametrize("case", CASES)
def test_families_by_a_maximiser_in_mpmath(case):
    options = CASES[case]
    rng = np.random.default_rng(5)
    X, weights = rng.uniform(-1, 1, size=(8, 1)), rng.integers(1, 3, 8).astype(float)
    y = (
        (X[:, 0] > 0).astype(float)
        if options["family"] == "binomial"
        else np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
    )
    if case == "cloglog":  # where classes are separated, 1 - μ = exp(-e^η) has no digits
        y[0] = 0.0
    model = GeneralizedLinearRegressor(prior="jeffreys", **options)
    model.fit(X, y, sample_weight=weights)
    assert model.status_ == "converged"
    link = options.get("link", "log")
    phi = options.get("dispersion", 1)
    with mp.workdps(exact.DIGITS):
        value = exact.objective(options["family"], link, design(X), y, weights, phi)
        root = exact.minimum(value, model.params_.round(4))
    np.testing.assert_allclose(model.params_, root, rtol=1e-12, atol=1e-13)
    objective = model.objective(X, y, sample_weight=weights)
    np.testing.assert_allclose(model.objective_, objective, rtol=1e-14)


@pytest.mark.parametrize("separated", [True, False])
def test_classes_by_a_maximiser_in_mpmath(separated):
    x = np.array([[-1.5], [-1.0], [-0.5], [0.25], [0.5], [1.0], [1.5], [2.0]])
    codes = np.array([0, 0, 0, 1, 1, 2, 2, 2] if separated else [0, 1, 0, 2, 1, 0, 2, 1])
    weights = np.array([1.0, 2, 1, 1, 3, 1, 1, 2])
    model = FirthLogisticRegression().fit(x, codes, sample_weight=weights)
    assert model.status_ == "converged"
    with mp.workdps(exact.DIGITS):
        value = exact.objective_of_classes(design(x), codes, weights, 3)
        start = (model.params_[1:] - model.params_[0]).ravel().round(3)
        root = exact.minimum(value, start, 5)
    found = (model.params_[1:] - model.params_[0]).ravel()
    np.testing.assert_allclose(found, root, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(model.params_.sum(axis=0), 0.0, atol=1e-14)


# Closed forms. Sums of a few numbers about one are right to a few units of rounding.
EXACT = {"rtol": 1e-13, "atol": 1e-13}


@pytest.mark.parametrize("successes", [0, 1, 4, 10])
def test_an_intercept_alone_adds_half_a_row_to_each_class(successes):
    n = 10
    y = np.repeat([1.0, 0.0], [successes, n - successes])
    log_odds = np.log((successes + 0.5) / (n - successes + 0.5))
    model = GeneralizedLinearRegressor("binomial", prior="jeffreys", fit_intercept=False)
    np.testing.assert_allclose(model.fit(np.ones((n, 1)), y).params_, [log_odds], **EXACT)
    if 0 < successes < n:
        with pytest.warns(RankDeficiencyWarning):
            firth = FirthLogisticRegression().fit(np.zeros((n, 1)), y)
        np.testing.assert_allclose(firth.intercept_, [log_odds], **EXACT)


@pytest.mark.parametrize("total", [0, 3])
def test_an_intercept_alone_of_counts_adds_half_a_count(total):
    y = np.zeros(7)
    y[:total] = 1
    model = GeneralizedLinearRegressor("poisson", prior="jeffreys", fit_intercept=False)
    model.fit(np.ones((7, 1)), y)
    np.testing.assert_allclose(model.params_, [np.log((total + 0.5) / 7)], **EXACT)


@pytest.mark.parametrize("table", [[[5, 0], [3, 4]], [[2, 7], [6, 1]], [[4, 0], [0, 6]]])
def test_a_table_of_two_by_two_adds_half_to_each_cell(table):
    x = np.array([[0.0], [0.0], [1.0], [1.0]])
    y, weights = np.array([0, 1, 0, 1]), np.ravel(table).astype(float)
    model = FirthLogisticRegression().fit(x, y, sample_weight=weights)
    (a, b), (c, d) = np.array(table) + 0.5
    np.testing.assert_allclose(model.params_, [np.log(d * a / (b * c)), np.log(b / a)], **EXACT)


def test_classes_in_groups_add_half_to_each_cell():
    """A saturated table of two groups and three classes: Jeffreys' prior is Dirichlet(1/2)."""
    table = np.array([[4.0, 0.0, 2.0], [1.0, 5.0, 0.0]])
    x, y = np.repeat([0.0, 1.0], 3)[:, np.newaxis], np.tile([0, 1, 2], 2)
    model = FirthLogisticRegression().fit(x, y, sample_weight=table.ravel())
    expected = (table + 0.5) / (table + 0.5).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba([[0.0], [1.0]]), expected, **EXACT)


def test_a_flat_prior_changes_nothing():
    """With ``u`` constant the information has no say, and the dispersion may be estimated."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 2)), rng.gamma(2.0, size=30)
    for options in ({}, {"family": "gamma"}):
        with_prior = GeneralizedLinearRegressor(prior="jeffreys", **options).fit(X, y)
        without = GeneralizedLinearRegressor(**options, tol=1e-12).fit(X, y)
        np.testing.assert_allclose(with_prior.params_, without.params_, rtol=1e-10)
        np.testing.assert_allclose(with_prior.dispersion_, without.dispersion_, rtol=1e-10)


def separated_data(seed):
    """Classes that are separated, completely or not; few rows, and columns of many scales."""
    rng = np.random.default_rng(seed)
    n, K = int(rng.choice([6, 8, 12, 20, 50, 200])), 2 + seed % 2
    p = int(rng.integers(1, min(6, n - 1)))
    X = rng.normal(size=(n, p))
    if rng.random() < 0.3:
        X = np.round(X)
    far = rng.choice([0.0, 1e3, -1e6]) if rng.random() < 0.3 else 0.0
    scales = 10.0 ** rng.integers(-8, 9, p) if rng.random() < 0.5 else np.ones(p)
    scores = X @ rng.normal(size=(p, K))
    kind = ("complete", "quasi", "a column that one class alone has")[seed % 3]
    y = scores.argmax(axis=1)
    if kind == "quasi":  # the rows nearest to the border lie in it, with any class
        tied = np.argsort(np.ptp(scores, axis=1))[: max(1, n // 4)]
        X[tied], y[tied] = 0.0, rng.integers(0, K, len(tied))
    elif kind != "complete":
        X[:, 0] = rng.random(n) < 0.2
        y = np.where(X[:, 0] > 0, 0, rng.integers(0, K, n))
    y[:K] = np.arange(K)
    weights = rng.integers(1, 6, n) / 2 if rng.random() < 0.3 else None
    return (X + far) * scales, y, weights


@pytest.mark.parametrize(
    "seeds", [range(100), pytest.param(range(100, 500), marks=pytest.mark.slow)]
)
def test_500_separated_data_sets(seeds):
    """Each fit is finite, and a minimum: its Newton step is no part of a standard error."""
    n_separated = 0
    for seed in seeds:
        X, y, weights = separated_data(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RankDeficiencyWarning)
            model = FirthLogisticRegression().fit(X, y, sample_weight=weights)
        assert model.status_ in ("converged", "rank deficient"), seed
        assert np.isfinite(model.params_).all(), seed
        if model.status_ == "converged":
            errors = model.standard_errors_
            assert np.isfinite(errors).all(), seed
            assert (errors > 0).all(), seed
            # A Newton step, in standard errors. The gradient of columns that are 1e6 from zero
            # has lost six of sixteen digits, and the covariance beside it.
            step = (model.covariance_ @ model.gradient_.ravel()).reshape(errors.shape)
            assert np.abs(step / errors).max() < 1e-6, seed
        if seed < 100:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                maximum = LogisticRegression(C=np.inf).fit(X, y, sample_weight=weights)
            n_separated += maximum.status_ == "separated"
    # Labels that were moved to have every class may join them.
    assert n_separated > 50 or 0 not in seeds


@pytest.mark.parametrize("K", [2, 3])
def test_columns_in_other_units_give_the_same_probabilities(K):
    rng = np.random.default_rng(K)
    X, y = rng.normal(size=(40, 3)), rng.integers(0, K, 40)
    y[X[:, 0] > 0.5] = 1
    scales, far = np.array([1e-6, 1.0, 1e7]), np.array([0.0, 1e4, 3.0])
    one = FirthLogisticRegression().fit(X, y)
    other = FirthLogisticRegression().fit(X * scales + far, y)
    # A column at 1e4 has lost four digits of its deviations.
    np.testing.assert_allclose(other.coef_ * scales, one.coef_, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(
        other.predict_proba(X * scales + far), one.predict_proba(X), atol=1e-10
    )
    errors = np.delete(other.standard_errors_.reshape(-1, 4), 3, axis=1) * scales
    np.testing.assert_allclose(
        errors, np.delete(one.standard_errors_.reshape(-1, 4), 3, axis=1), rtol=1e-9
    )


def test_classes_of_other_names_change_the_sign():
    X, y, *_ = published("endometrial")
    one, other = FirthLogisticRegression().fit(X, y), FirthLogisticRegression().fit(X, 1 - y)
    np.testing.assert_allclose(one.params_, -other.params_, rtol=1e-12)


@pytest.mark.parametrize("K", [2, 3])
def test_a_weight_of_two_is_a_row_twice_and_zero_is_none(K):
    rng = np.random.default_rng(K)
    X, y, w = rng.normal(size=(25, 2)), rng.integers(0, K, 25), rng.integers(0, 3, 25)
    weighted = FirthLogisticRegression().fit(X, y, sample_weight=w)
    repeated = FirthLogisticRegression().fit(np.repeat(X, w, axis=0), np.repeat(y, w))
    np.testing.assert_allclose(weighted.params_, repeated.params_, rtol=1e-11)
    np.testing.assert_allclose(weighted.hessian_, repeated.hessian_, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(weighted.objective_, repeated.objective_, rtol=1e-13)


@pytest.mark.parametrize("K", [2, 3])
def test_storages(K):
    rng = np.random.default_rng(K)
    X, y, w = rng.normal(size=(60, 3)), rng.integers(0, K, 60), rng.uniform(0.5, 2, 60)
    X[X < -0.5] = 0.0
    memory = FirthLogisticRegression().fit(X, y, sample_weight=w)
    stream = RowStream(
        lambda: ((X[i : i + 7], y[i : i + 7], w[i : i + 7]) for i in range(0, 60, 7))
    )
    close = {"rtol": 1e-11, "atol": 1e-12}
    for other in (
        FirthLogisticRegression().fit(sparse.csr_array(X), y, sample_weight=w),
        FirthLogisticRegression().fit(stream),
    ):
        np.testing.assert_allclose(other.params_, memory.params_, **close)
        np.testing.assert_allclose(other.hessian_, memory.hessian_, rtol=1e-10, atol=1e-11)
    expected = memory.covariance(X, y, w, kind="expected")
    np.testing.assert_allclose(other.covariance(stream, kind="expected"), expected, **close)
    intervals = memory.profile_intervals(X, y, w)
    np.testing.assert_allclose(other.profile_intervals(stream), intervals, rtol=1e-8)
    tests = memory.likelihood_ratio_tests(X, y, w)
    np.testing.assert_allclose(other.likelihood_ratio_tests(stream), tests, rtol=1e-8)


def test_a_stream_of_counts():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 2)), rng.poisson(0.3, 50).astype(float)
    model = GeneralizedLinearRegressor("poisson", prior="jeffreys")
    memory = clone(model).fit(X, y)
    streamed = clone(model).fit(
        RowStream(lambda: ((X[i : i + 9], y[i : i + 9]) for i in range(0, 50, 9)))
    )
    np.testing.assert_allclose(streamed.params_, memory.params_, rtol=1e-12)


def test_offsets():
    """An offset that is a column changes that coefficient alone: the prior is that of η."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 2)), rng.poisson(0.5, 50).astype(float)
    model = GeneralizedLinearRegressor("poisson", prior="jeffreys")
    plain = clone(model).fit(X, y)
    moved = clone(model).fit(X, y, offset=0.7 * X[:, 0] - 0.2)
    np.testing.assert_allclose(moved.params_, plain.params_ - [0.7, 0.0, -0.2], rtol=1e-11)
    np.testing.assert_allclose(moved.objective_, plain.objective_, rtol=1e-13)


def test_the_logistic_model_is_the_binomial_one():
    X, y, *_ = published("endometrial")
    firth = FirthLogisticRegression().fit(X, y)
    glm = GeneralizedLinearRegressor("binomial", prior="jeffreys").fit(X, y)
    np.testing.assert_allclose(firth.params_, glm.params_, rtol=1e-12)
    np.testing.assert_allclose(firth.hessian_, glm.hessian_, rtol=1e-12)
    np.testing.assert_allclose(firth.log_likelihood_, glm.log_likelihood_, rtol=1e-12)
    ours = firth.covariance(X, y, kind="expected")
    np.testing.assert_allclose(ours, glm.covariance(X, y, kind="expected"), rtol=1e-9)


def test_covariances_by_their_definitions():
    X, y, *_ = published("sex2")
    model = FirthLogisticRegression().fit(X, y)
    D, p = design(X), model.predict_proba(X)[:, 1]
    information = D.T @ (D * (p * (1 - p))[:, np.newaxis])
    close = {"rtol": 1e-10, "atol": 1e-12}
    expected = model.covariance(X, y, kind="expected")
    np.testing.assert_allclose(expected, np.linalg.inv(information), **close)
    np.testing.assert_allclose(model.covariance_, np.linalg.inv(model.hessian_), **close)
    # logistf's standard errors, of the information: "se(coef)" of its summary.
    np.testing.assert_allclose(np.sqrt(expected[5, 5]), 1.67501, atol=1e-5)
    likelihood = np.log(np.where(y == 1, p, 1 - p)).sum()
    np.testing.assert_allclose(model.log_likelihood_, likelihood, rtol=1e-12)
    prior = np.linalg.slogdet(information)[1] / 2
    np.testing.assert_allclose(model.objective_, -likelihood - prior, rtol=1e-12)
    assert "prior" in str(model.summary())


def test_dependent_columns_have_the_fit_of_independent_ones():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 2)), rng.integers(0, 3, 30)
    dependent = np.column_stack([X, X @ [2.0, -1.0] + 3.0])
    with pytest.warns(RankDeficiencyWarning):
        model = FirthLogisticRegression().fit(dependent, y)
    smaller = FirthLogisticRegression().fit(X, y)
    assert model.status_ == "rank deficient"
    np.testing.assert_allclose(model.predict_proba(dependent), smaller.predict_proba(X), rtol=1e-11)
    np.testing.assert_allclose(model.objective(dependent, y), model.objective_, rtol=1e-13)
    assert np.isnan(model.standard_errors_).all()  # X is in the dependency, with the intercept
    small, big = smaller.predict_interval(X), model.predict_interval(dependent)
    np.testing.assert_allclose(big, small, rtol=1e-9)  # both to the end of Newton's method


def test_what_compares_maxima_is_refused():
    X, y, *_ = published("endometrial")
    model = FirthLogisticRegression().fit(X, y)
    small = FirthLogisticRegression().fit(X[["NV"]], y)
    for name in ("aic_", "bic_", "likelihood_ratio_test_"):
        with pytest.raises(InferenceError, match="Jeffreys"):
            getattr(model, name)
    with pytest.raises(ValueError, match="Jeffreys"):
        likelihood_ratio_test(small, model)
    with pytest.raises(InferenceError, match="Jeffreys"):
        _ = model.score_test


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"prior": "flat"}, "prior='flat'"),
        ({"prior": "jeffreys", "family": "poisson", "alpha": 1.0}, "alpha=1.0"),
        ({"prior": "jeffreys", "family": "gamma", "link": "inverse"}, "dispersion='auto'"),
        ({"prior": "jeffreys", "family": "poisson", "dispersion": "pearson"}, "'pearson'"),
        (
            {"prior": "jeffreys", "family": "negative_binomial", "theta": "estimate"},
            "theta='estimate'",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        GeneralizedLinearRegressor(**options).fit(np.eye(4), [1.0, 2.0, 3.0, 4.0])


def test_states_of_the_estimator():
    X, y, *_ = published("endometrial")
    model = FirthLogisticRegression(warm_start=True).fit(X, y)
    assert set(model.get_params()) == {"fit_intercept", "tol", "max_iter", "warm_start", "weights"}
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.covariance_, model.covariance_)
    assert str(again.summary()) == str(model.summary())
    params = model.params_.copy()
    assert model.fit(X, y).n_iter_[0] <= 1
    np.testing.assert_allclose(model.params_, params, rtol=1e-12)
    with pytest.warns(match="stopped after 1 steps"):
        assert clone(model).set_params(max_iter=1).fit(X, y).status_ == "not converged"


@pytest.mark.parametrize("n_classes", [2, 3])
def test_offsets_of_classes_are_part_of_the_prior(n_classes):
    """Against the minimum of the objective with a reference class, written out row by row."""
    rng = np.random.default_rng(n_classes)
    X = rng.standard_normal((40, 2))
    added = rng.standard_normal((40, n_classes))
    y = np.argmax(np.column_stack([X, added])[:, -n_classes:] + X[:, :1], axis=1)
    y[:n_classes] = np.arange(n_classes)
    Z, K = np.column_stack([X, np.ones(40)]), n_classes - 1

    def objective(theta):
        eta = added - added[:, :1]
        eta[:, 1:] += Z @ theta.reshape(K, 3).T
        log_p = eta - np.logaddexp.reduce(eta, axis=1, keepdims=True)
        information = np.zeros((3 * K, 3 * K))
        for z, p in zip(Z, np.exp(log_p[:, 1:]), strict=True):
            information += np.kron(np.diag(p) - np.outer(p, p), np.outer(z, z))
        return -log_p[np.arange(40), y].sum() - np.linalg.slogdet(information)[1] / 2

    expected = optimize.minimize(objective, np.zeros(3 * K), tol=1e-12)
    offset = added[:, 1] - added[:, 0] if n_classes == 2 else added
    model = FirthLogisticRegression().fit(X, y, offset=offset)
    params = model.params_[None] if n_classes == 2 else model.params_[1:] - model.params_[0]
    # The general minimiser ends with gradients of about 1e-6, by differences.
    np.testing.assert_allclose(params, expected.x.reshape(K, 3), atol=1e-6)
    if n_classes == 2:
        assert model.objective_ == pytest.approx(expected.fun, abs=1e-10)
        ends = model.profile_intervals(X, y, offset=offset)
        assert ((ends.lower < params[0]) & (params[0] < ends.upper)).all()


def test_mcfaddens_measure_is_that_of_maxima():
    X, y, *_ = published("endometrial")
    with pytest.raises(InferenceError, match="McFadden's R² compares maxima"):
        _ = FirthLogisticRegression().fit(X, y).mcfadden_r_squared_
    with pytest.raises(InferenceError, match="score intervals are those of a likelihood"):
        FirthLogisticRegression().fit(X, y).score_intervals(X, y)
