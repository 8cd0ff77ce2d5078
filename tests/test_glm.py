"""GeneralizedLinearRegressor: against statsmodels and scikit-learn, and by laws."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.optimize
import scipy.stats
import sklearn.linear_model
import statsmodels.api as sm
from scipy import sparse
from sklearn.base import clone

from mcmodels import GeneralizedLinearRegressor as Glm
from mcmodels import (
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    RowStream,
    likelihood_ratio_test,
)
from mcmodels.exceptions import (
    ConvergenceWarning,
    FitWarning,
    InferenceError,
    NoMeanWarning,
    NoMinimumWarning,
)
from tests.glm_problems import PAIRS, POWER, THETA, problem, statsmodels_family
from tests.numerics import relative_error
from tests.versions import BEFORE_1_8

# statsmodels says which pairs of family and link are unusual.
pytestmark = pytest.mark.filterwarnings("ignore::statsmodels.tools.sm_exceptions.DomainWarning")

OPTIONS = {"power": POWER, "theta": THETA}


def fitted(family, link="auto", *data, **options):
    return Glm(family, link=link, **OPTIONS | options).fit(*data)


def reference(family, link, X, y, w, offset, start):
    """The fit of statsmodels from near the end, by Newton's method, so that it has all digits."""
    design = sm.add_constant(X, prepend=False)
    model = sm.GLM(y, design, statsmodels_family(family, link), freq_weights=w, offset=offset)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = model.fit(start_params=start, tol=1e-15, maxiter=200)
    return model, found


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize(("family", "link"), PAIRS)
def test_agrees_with_statsmodels(family, link, offset, weights):
    X, y, w, added = problem(family, link, offset=offset, weights=weights)
    model = Glm(family, link=link, **OPTIONS).fit(X, y, w, offset=added)
    assert model.status_ == "converged"
    peer, found = reference(family, link, X, y, w, added, model.params_ * (1 + 1e-3))
    # Fisher scoring of statsmodels stops at 1e-15 of the deviance, which leaves 1e-8 of parameters.
    assert relative_error(model.params_, found.params) < 1e-7
    at = model.params_
    observed = -np.linalg.inv(peer.hessian(at, scale=model.dispersion_, observed=True))
    # The Hessian of statsmodels is exact at any point; 1e-9 is what the inverse leaves.
    assert relative_error(model.standard_errors_, np.sqrt(np.diag(observed))) < 1e-8
    # Sums over rows, at parameters that agree to 1e-8 and where the deviance is stationary.
    assert relative_error(model.deviance_, found.deviance) < 1e-10
    assert relative_error(model.pearson_chi2_, found.pearson_chi2) < 1e-6
    assert relative_error(model.dispersion_, found.scale) < 1e-6
    # Statsmodels' series of Tweedie densities has about eight digits.
    scale = found.scale if family != "normal" else found.deviance / model.n_observations_
    ours = peer.loglike(found.params, scale=scale)
    assert relative_error(model.log_likelihood_, ours) < 1e-6
    mean = found.predict(sm.add_constant(X, prepend=False), offset=added)
    assert relative_error(model.predict(X, offset=added), mean) < 1e-7
    # The gradient of the fit, recomputed.
    gradient = model.gradient(X, y, sample_weight=w, offset=added)
    np.testing.assert_allclose(gradient, model.gradient_, atol=1e-9 * len(y))
    assert np.abs(gradient).max() <= 1e-8 * model.n_observations_


@pytest.mark.parametrize("kind", ["HC0", "HC1", "cluster"])
@pytest.mark.parametrize(
    ("family", "link"), [("poisson", "log"), ("binomial", "logit"), ("gamma", "inverse")]
)
def test_robust_covariances_agree_with_statsmodels(family, link, kind):
    X, y, _, added = problem(family, link, offset=True)
    groups = np.arange(len(y)) % 20
    model = Glm(family, link=link).fit(X, y, offset=added)
    options = {"groups": groups} if kind == "cluster" else {}
    found = model.covariance(X, y, kind=kind, offset=added, **options)
    # By hand: scores s = (μ - y) μ'/V x and the observed Hessian.
    D = sm.add_constant(X, prepend=False)
    peer = sm.GLM(y, D, statsmodels_family(family, link), offset=added)
    scores = -peer.score_obs(model.params_, scale=1.0)
    A = np.linalg.inv(-peer.hessian(model.params_, scale=1.0, observed=True))
    n, p = D.shape
    if kind == "cluster":
        totals = pd.DataFrame(scores).groupby(groups).sum().to_numpy()
        meat = totals.T @ totals * (20 / 19) * ((n - 1) / (n - p))
    else:
        meat = scores.T @ scores * (n / (n - p) if kind == "HC1" else 1.0)
    assert relative_error(found, A @ meat @ A) < 1e-9


@pytest.mark.parametrize("alpha", [0.01, 1.0])
@pytest.mark.parametrize(
    ("family", "peer"),
    [("poisson", "PoissonRegressor"), ("gamma", "GammaRegressor"), ("tweedie", "TweedieRegressor")],
)
def test_penalised_fits_agree_with_scikit_learn(family, peer, alpha):
    X, y, w, _ = problem(family, "log", weights=True)
    options = {"power": POWER, "link": "log"} if family == "tweedie" else {}
    theirs = getattr(sklearn.linear_model, peer)(
        alpha=alpha, solver="newton-cholesky", tol=1e-12, max_iter=1000, **options
    ).fit(X, y, w)
    model = Glm(family, alpha=alpha * w.sum(), **OPTIONS).fit(X, y, w)
    # scikit-learn stops on its gradient, 1e-12.
    assert relative_error(model.params_, np.append(theirs.coef_, theirs.intercept_)) < 1e-9
    assert relative_error(model.score(X, y, w), theirs.score(X, y, w)) < 1e-9


# -- laws ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "link"), PAIRS)
def test_a_weight_of_two_is_a_row_twice_and_a_weight_of_zero_an_absent_row(family, link):
    X, y, w, added = problem(family, link, offset=True, weights=True)
    w[::7] = 0.0
    times = w.astype(int)
    weighted = Glm(family, link=link, **OPTIONS).fit(X, y, w, offset=added)
    rows = np.repeat(X, times, axis=0), np.repeat(y, times)
    repeated = Glm(family, link=link, **OPTIONS).fit(*rows, offset=np.repeat(added, times))
    # Both have converged to what float64 can show of the same objective.
    assert relative_error(weighted.params_, repeated.params_) < 1e-8
    assert relative_error(weighted.covariance_, repeated.covariance_) < 1e-7
    assert relative_error(weighted.deviance_, repeated.deviance_) < 1e-10
    if family != "binomial":  # trials are told apart from rows by a constant
        assert relative_error(weighted.log_likelihood_, repeated.log_likelihood_) < 1e-10


@pytest.mark.parametrize(("family", "link"), PAIRS)
def test_an_offset_is_a_column_with_coefficient_one(family, link):
    X, y, _, added = problem(family, link, offset=True)
    c = 0.02
    with_offset = Glm(family, link=link, **OPTIONS).fit(X[:, :2], y, offset=c * X[:, 2] + added)
    free = Glm(family, link=link, **OPTIONS).fit(X, y, offset=added)
    held = Glm(family, link=link, **OPTIONS).fit(
        X[:, :2], y, offset=added + free.coef_[2] * X[:, 2]
    )
    assert relative_error(held.params_, free.params_[[0, 1, 3]]) < 1e-7
    moved = Glm(family, link=link, **OPTIONS).fit(X[:, :2], y, offset=c * X[:, 2] + added + 0.01)
    assert relative_error(moved.coef_, with_offset.coef_) < 1e-7
    assert abs(moved.intercept_ + 0.01 - with_offset.intercept_) < 1e-7


def test_exposure_is_the_logarithm_as_an_offset():
    X, y, _, added = problem("poisson", "log", offset=True)
    exposure = np.exp(added)
    by_offset = Glm("poisson").fit(X, y, offset=added)
    by_exposure = Glm("poisson").fit(X, y, exposure=exposure)
    both = Glm("poisson").fit(X, y, offset=added / 2, exposure=np.sqrt(exposure))
    for other in (by_exposure, both):
        assert relative_error(other.params_, by_offset.params_) < 1e-12
    found = by_exposure.predict(X, exposure=exposure)
    np.testing.assert_allclose(found, by_offset.predict(X, offset=added), rtol=1e-12)


def test_binomial_proportions_are_rows_of_zeros_and_ones():
    rng = np.random.default_rng(0)
    X, trials = rng.normal(size=(30, 2)), rng.integers(1, 9, 30)
    successes = rng.binomial(trials, 0.4)
    grouped = Glm("binomial").fit(X, successes / trials, trials)
    ones = np.concatenate(
        [np.r_[np.ones(s), np.zeros(t - s)] for s, t in zip(successes, trials, strict=True)]
    )
    single = Glm("binomial").fit(np.repeat(X, trials, axis=0), ones)
    assert relative_error(grouped.params_, single.params_) < 1e-9
    assert relative_error(grouped.standard_errors_, single.standard_errors_) < 1e-9
    p = grouped.predict(X)
    expected = scipy.stats.binom.logpmf(successes, trials, p).sum()
    assert relative_error(grouped.log_likelihood_, expected) < 1e-10


def test_normal_and_logit_are_the_estimators_of_these_names():
    X, y, w, _ = problem("normal", "identity", weights=True)
    ours, linear = fitted("normal", "auto", X, y, w), LinearRegression().fit(X, y, w)
    assert relative_error(ours.params_, linear.params_) < 1e-10
    assert relative_error(ours.standard_errors_, linear.standard_errors_) < 1e-9
    assert relative_error(ours.log_likelihood_, linear.log_likelihood_) < 1e-10
    X, y, w, _ = problem("binomial", "logit", weights=True)
    ours, logistic = fitted("binomial", "auto", X, y, w), LogisticRegression(C=np.inf).fit(X, y, w)
    assert relative_error(ours.params_, logistic.params_) < 1e-8
    assert relative_error(ours.hessian_, logistic.hessian_) < 1e-8


def test_negative_binomial_becomes_poisson_and_tweedie_poisson_and_gamma():
    X, y, _, _ = problem("poisson", "log")
    poisson = fitted("poisson", "auto", X, y)
    for family, options, tolerance in (
        ("negative_binomial", {"theta": 1e-10}, 1e-8),
        ("tweedie", {"power": 1.0}, 1e-12),
    ):
        other = fitted(family, "auto", X, y, **options)
        assert relative_error(other.params_, poisson.params_) < tolerance
        assert relative_error(other.deviance_, poisson.deviance_) < tolerance
    near = fitted("negative_binomial", "auto", X, y, theta=1e-10)
    assert relative_error(near.log_likelihood_, poisson.log_likelihood_) < 1e-8
    X, y, _, _ = problem("gamma", "log")
    gamma, tweedie = fitted("gamma", "auto", X, y), fitted("tweedie", "auto", X, y, power=2.0)
    assert relative_error(tweedie.params_, gamma.params_) < 1e-12
    assert relative_error(tweedie.log_likelihood_, gamma.log_likelihood_) < 1e-12


def test_log_likelihoods_are_sums_of_densities():
    for family, link in (
        ("gamma", "log"),
        ("inverse_gaussian", "log"),
        ("negative_binomial", "log"),
    ):
        X, y, _, _ = problem(family, link)
        model = fitted(family, link, X, y)
        mu, phi = model.predict(X), model.dispersion_
        density = {
            "gamma": lambda y=y, mu=mu, phi=phi: scipy.stats.gamma.logpdf(
                y, 1 / phi, scale=mu * phi
            ),
            "inverse_gaussian": lambda y=y, mu=mu, phi=phi: scipy.stats.invgauss.logpdf(
                y, mu * phi, scale=1 / phi
            ),
            "negative_binomial": lambda y=y, mu=mu: scipy.stats.nbinom.logpmf(
                y, 1 / THETA, 1 / (1 + THETA * mu)
            ),
        }[family]
        assert relative_error(model.log_likelihood_, density().sum()) < 1e-9


@pytest.mark.parametrize(
    "storage", [sparse.csr_matrix, sparse.csc_array, np.asfortranarray, pd.DataFrame]
)
def test_storages_give_the_same_fit(storage):
    X, y, w, added = problem("poisson", "log", offset=True, weights=True)
    dense = Glm("poisson").fit(X, y, w, offset=added)
    other = Glm("poisson").fit(storage(X), y, w, offset=added)
    assert relative_error(other.params_, dense.params_) < 1e-10
    assert (
        relative_error(other.predict(storage(X), offset=added), dense.predict(X, offset=added))
        < 1e-10
    )


def test_streams_give_the_same_fit():
    X, y, w, _ = problem("gamma", "log", weights=True)
    parts = np.array_split(np.arange(len(y)), 5)
    stream = RowStream([(X[part], y[part], w[part]) for part in parts])
    ours, whole = fitted("gamma", "auto", stream), fitted("gamma", "auto", X, y, w)
    assert relative_error(ours.params_, whole.params_) < 1e-9
    assert relative_error(ours.dispersion_, whole.dispersion_) < 1e-9
    assert (
        relative_error(ours.covariance(stream, kind="HC0"), whole.covariance(X, y, w, kind="HC0"))
        < 1e-8
    )


@pytest.mark.parametrize(("family", "link"), PAIRS)
def test_own_losses_of_the_same_family_give_the_same_fit(family, link):
    """The derivatives of the same loss by the calculus' own differentiation of NumPy code."""
    X, y, _, _ = problem(family, link, n=200)
    model = fitted(family, link, X, y)
    inverse = {
        "identity": lambda eta: eta,
        "log": np.exp,
        "logit": lambda eta: 1 / (1 + np.exp(-eta)),
        "inverse": lambda eta: 1 / eta,
        "inverse_squared": lambda eta: eta**-0.5,
        "sqrt": lambda eta: eta**2,
        "cloglog": lambda eta: 1 - np.exp(-np.exp(eta)),
    }
    if link not in inverse:
        pytest.skip("NumPy has no such function")
    kernel = {
        "normal": lambda y, mu: (y - mu) ** 2 / 2,
        "poisson": lambda y, mu: mu - y * np.log(mu),
        "gamma": lambda y, mu: y / mu + np.log(mu),
        "inverse_gaussian": lambda y, mu: y / (2 * mu**2) - 1 / mu,
        "binomial": lambda y, mu: -y * np.log(mu) - (1 - y) * np.log(1 - mu),
        "tweedie": lambda y, mu: (
            mu ** (2 - POWER) / (2 - POWER) - y * mu ** (1 - POWER) / (1 - POWER)
        ),
        "negative_binomial": lambda y, mu: (
            (y + 1 / THETA) * np.log(1 + THETA * mu) - y * np.log(mu)
        ),
    }[family]
    own = ObjectiveRegressor(lambda y, eta: kernel(y, inverse[link](eta)))
    own.coef_, own.intercept_ = model.coef_, model.intercept_
    # Derivatives at the same point; two forms of the same sums.
    assert relative_error(own.hessian(X, y), model.hessian_) < 1e-9
    np.testing.assert_allclose(own.gradient(X, y), model.gradient_, atol=1e-8 * len(y))


# -- verdicts and refusals -------------------------------------------------------------------------


def test_a_column_that_only_zero_counts_have_leaves_no_minimum():
    X, y, _, _ = problem("poisson", "log")
    X = np.column_stack([X, np.arange(len(y)) < 5])
    y[:5] = 0
    with pytest.warns(NoMinimumWarning, match="x3|column"):
        model = Glm("poisson").fit(X, y)
    assert model.status_ == "no minimum"
    assert np.isfinite(model.params_).all()
    with pytest.raises(InferenceError):
        _ = model.standard_errors_


def test_counts_that_are_all_zero_leave_no_minimum():
    X, y, _, _ = problem("poisson", "log")
    with pytest.warns(NoMinimumWarning):
        Glm("poisson").fit(X, np.zeros_like(y))


def test_steps_that_do_not_suffice_are_said():
    X, y, _, _ = problem("gamma", "log")
    with pytest.warns(ConvergenceWarning, match="after 1 step"):
        Glm("gamma", max_iter=1).fit(X, y)


REFUSED = [
    ("poisson", {}, {"y": -1.0}, "zero or positive"),
    ("gamma", {}, {"y": 0.0}, "must be positive"),
    ("inverse_gaussian", {}, {"y": 0.0}, "must be positive"),
    ("binomial", {}, {"y": 1.5}, "proportions"),
    ("negative_binomial", {"theta": 0.0}, {}, "theta"),
    ("tweedie", {"power": 0.5}, {}, "power"),
    ("gaussian", {}, {}, "'normal'"),
    ("poisson", {"link": "logarithm"}, {}, "link"),
    ("poisson", {"dispersion": "ml"}, {}, "dispersion"),
    ("poisson", {"dispersion": 0.0}, {}, "dispersion"),
    ("poisson", {}, {"offset": [1.0]}, "offset has shape"),
    ("poisson", {}, {"offset": "nan"}, "offset"),
    ("poisson", {}, {"exposure": 0.0}, "exposure must be positive"),
    ("poisson", {"link": "sqrt"}, {"exposure": 1.0}, "link='log'"),
]


@pytest.mark.parametrize(("family", "options", "given", "said"), REFUSED)
def test_refused(family, options, given, said):
    X, y, _, _ = problem("gamma", "log", n=20)
    if "y" in given:
        y[3] = given["y"]
    else:
        y = np.round(y / (y.max() if family == "binomial" else 1.0))
    extra = {}
    if "offset" in given:
        extra["offset"] = np.full(20, np.nan) if given["offset"] == "nan" else given["offset"]
    if "exposure" in given:
        extra["exposure"] = np.full(20, given["exposure"])
    with pytest.raises(ValueError, match=said):
        Glm(family, **options).fit(X, y, **extra)


def test_a_row_of_weight_zero_may_have_any_target():
    X, y, w, _ = problem("gamma", "log", weights=True)
    y[0], w[0] = -1.0, 0.0
    assert Glm("gamma").fit(X, y, w).status_ == "converged"


def test_a_missing_offset_is_refused_in_prediction():
    X, y, _, added = problem("poisson", "log", offset=True)
    model = Glm("poisson").fit(X, y, offset=added)
    with pytest.raises(ValueError, match="fitted with an offset"):
        model.predict(X)
    with pytest.raises(ValueError, match="fitted with an offset"):
        model.covariance(X, y, kind="HC0")
    other = np.roll(added, 1)
    with pytest.raises(ValueError, match="training rows"):
        model.covariance(X, y, kind="HC0", offset=other)


# -- hard legal data -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("family", "link"),
    [
        ("poisson", "identity"),
        ("gamma", "inverse"),
        ("gamma", "identity"),
        ("normal", "log"),
        ("binomial", "log"),
        ("inverse_gaussian", "inverse_squared"),
    ],
)
def test_steep_data_find_a_start_and_end(family, link, seed):
    """Means over two decades, with links whose means are bounded."""
    rng = np.random.default_rng(seed)
    X = np.exp(rng.normal(size=(60, 2)))
    mu = X @ [1.0, 0.3] + 0.05
    y = {
        "poisson": lambda: rng.poisson(mu).astype(float),
        "gamma": lambda: mu * rng.gamma(2.0, 0.5, 60),
        "normal": lambda: mu + rng.normal(0, 0.1, 60),
        "inverse_gaussian": lambda: rng.wald(mu, 2.0),
        "binomial": lambda: rng.binomial(1, np.exp(-mu)).astype(float),
    }[family]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # some have their minimum at the bounds
        model = Glm(family, link=link).fit(X, y)
    assert model.status_ in ("converged", "no minimum", "not converged")
    mean = model.predict(X)
    assert np.isfinite(mean).all()
    assert clone(model).get_params() == model.get_params()


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    ("family", "link", "bounds"),
    [
        ("poisson", "identity", (0, None)),
        ("binomial", "log", (None, 0)),
        ("binomial", "identity", (0, 1)),
    ],
)
def test_a_largest_likelihood_at_the_bounds_is_approached_and_said(family, link, bounds, seed):
    rng = np.random.default_rng(seed)
    X = np.exp(rng.normal(size=(60, 2)))
    mu = X @ [1.0, 0.3] + 0.05
    y = (
        rng.poisson(mu).astype(float)
        if family == "poisson"
        else rng.binomial(1, np.exp(-mu)).astype(float)
    )
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = Glm(family, link=link).fit(X, y)
    D = np.column_stack([X, np.ones(60)])
    constraints = []
    for bound, side in zip(bounds, (1.0, -1.0), strict=True):
        if bound is not None:
            constraints.append(
                {
                    "type": "ineq",
                    "fun": lambda b, s=side, c=bound: s * (D @ b - c) - 1e-9,
                    "jac": lambda b, s=side: s * D,
                }
            )

    def value(b):
        found = model.objective(X, y, b)
        return found if np.isfinite(found) else 1e9

    best = scipy.optimize.minimize(
        value,
        model.params_,
        jac=lambda b: model.gradient(X, y, b),
        constraints=constraints,
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-13},
    )
    # The last barrier, 1e-8 for each row, and the bounds that SLSQP was given leave 1e-6.
    assert model.objective_ < best.fun + 1e-5
    if model.status_ != "converged":
        assert model.status_ == "not converged"
        assert any("at the bounds of the link" in str(warning.message) for warning in said)


@pytest.mark.parametrize(("family", "link"), PAIRS)
def test_expected_information_is_what_statsmodels_prints(family, link):
    X, y, w, added = problem(family, link, offset=True, weights=True)
    model = Glm(family, link=link, **OPTIONS).fit(X, y, w, offset=added)
    _, found = reference(family, link, X, y, w, added, model.params_)
    covariance = model.covariance(X, y, w, kind="expected", offset=added)
    assert relative_error(np.sqrt(np.diag(covariance)), found.bse) < 1e-6
    canonical = {"normal": "identity", "poisson": "log", "gamma": "inverse", "binomial": "logit"}
    if canonical.get(family) == link or (family, link) == ("inverse_gaussian", "inverse_squared"):
        assert relative_error(covariance, model.covariance_) < 1e-9


def test_fits_without_an_intercept_start_inside_the_domain():
    for seed in range(30):
        rng = np.random.default_rng(seed)
        X = np.exp(rng.normal(size=(60, 2)))
        y = rng.wald(X @ [1.0, 0.3] + 0.05, 2.0)
        for family in ("gamma", "inverse_gaussian"):
            model = Glm(family, link="inverse_squared", fit_intercept=False).fit(X, y)
            assert model.status_ == "converged"
            assert (X @ model.coef_ > 0).all()


def test_proportions_need_trials_or_a_dispersion():
    rng = np.random.default_rng(0)
    X, share = rng.normal(size=(50, 2)), rng.uniform(size=50)
    with pytest.raises(ValueError, match="numbers of trials"):
        Glm("binomial").fit(X, share)
    with pytest.raises(ValueError, match="numbers of trials"):
        Glm("binomial").fit(X, share, np.full(50, 7.0))
    quasi = Glm("binomial", dispersion="pearson").fit(X, share)
    p = quasi.predict(X)
    expected = ((share - p) ** 2 / (p * (1 - p))).sum() / (50 - 3)
    assert relative_error(quasi.dispersion_, expected) < 1e-12


@pytest.mark.skipif(
    BEFORE_1_8, reason="scikit-learn before 1.8 routes nothing to a pipeline's score in a search"
)
def test_routing_through_a_search():
    import sklearn
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y, _, added = problem("poisson", "log", offset=True)
    with sklearn.config_context(enable_metadata_routing=True):
        model = Glm().set_fit_request(offset=True).set_score_request(offset=True)
        grid = {
            "generalizedlinearregressor__family": ["poisson", "negative_binomial"],
            "generalizedlinearregressor__alpha": [0.0, 10.0],
        }
        search = GridSearchCV(make_pipeline(StandardScaler(), model), grid, cv=3)
        search.fit(X, y, offset=added)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    params = search.best_estimator_[-1].params_
    Z = search.best_estimator_[0].transform(X)
    again = clone(search.best_estimator_[-1]).fit(Z, y, offset=added)
    np.testing.assert_array_equal(params, again.params_)


def test_pickling_and_clone(tmp_path):
    import pickle

    X, y, _, added = problem("negative_binomial", "log", offset=True)
    model = Glm("negative_binomial", theta=0.7).fit(X, y, offset=added)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X, offset=added), model.predict(X, offset=added))
    assert str(again.summary()) == str(model.summary())
    assert clone(model).theta == 0.7


def test_nested_models_are_compared_by_the_dispersion_of_the_larger():
    X, y, _, added = problem("gamma", "log", offset=True)
    big, small = Glm("gamma").fit(X, y, offset=added), Glm("gamma").fit(X[:, :1], y, offset=added)
    found = likelihood_ratio_test(small, big)
    statistic = (small.deviance_ - big.deviance_) / 2 / big.dispersion_
    assert relative_error(found.statistic, statistic) < 1e-12
    assert (found.df, found.df_denominator) == (2, len(y) - 4)
    counts = np.round(y)
    big, small = Glm("poisson").fit(X, counts), Glm("poisson").fit(X[:, :1], counts)
    found = likelihood_ratio_test(small, big)
    assert relative_error(found.statistic, small.deviance_ - big.deviance_) < 1e-9
    assert found.df_denominator is None
    for other in (Glm("negative_binomial"), Glm("poisson", link="sqrt")):
        with pytest.raises(ValueError, match="different losses"):
            likelihood_ratio_test(other.fit(X[:, :1], counts), big)
    with pytest.raises(ValueError, match="different offsets"):
        likelihood_ratio_test(Glm("poisson").fit(X[:, :1], counts, offset=added), big)


@pytest.mark.parametrize(("family", "link"), [("poisson", "identity"), ("gamma", "sqrt")])
def test_rows_without_a_mean_are_nan_and_said(family, link):
    X, y, _, _ = problem(family, link)
    model = Glm(family, link=link).fit(X, np.maximum(y, 0.1))
    far = np.vstack([X[:2], -1e3 * model.coef_])
    with pytest.warns(NoMeanWarning, match="1 of 3 rows have no mean.*of row 2"):
        found = model.predict(far)
    assert np.isfinite(found[:2]).all()
    assert np.isnan(found[2])
    series = pd.Series(np.zeros(len(y)), index=np.arange(len(y))[::-1])
    with pytest.raises(ValueError, match="another order"):
        Glm(family).fit(X, np.maximum(y, 0.1)).predict(pd.DataFrame(X), offset=series)


# -- what a reader found ---------------------------------------------------------------------------


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_probabilities_that_round_to_one(link):
    x = np.array([-3.0, -2, -1, -1, 0, 0, 1, 1, 2, 3, 60])[:, np.newaxis]
    y = np.array([0.0, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1])
    model = Glm("binomial", link=link).fit(x, y)
    assert model.predict(x)[-1] == 1.0
    # The last row has a deviance of zero.
    rest = Glm("binomial", link=link).fit(x[:-1], y[:-1])
    assert relative_error(model.deviance_, rest.deviance_) < 1e-4
    assert np.isfinite([model.pearson_chi2_, model.score(x, y), model.log_likelihood_]).all()
    assert relative_error(-2 * model.log_likelihood_, model.deviance_) < 1e-12


def test_a_failure_that_was_all_but_certain_has_its_likelihood():
    x = np.linspace(-2, 2, 60)[:, np.newaxis]
    y, offset = (np.arange(60) % 3 > 0).astype(float), np.zeros(60)
    y[0], offset[0] = 0.0, 38.0
    model = Glm("binomial").fit(x, y, offset=offset)
    eta = x[:, 0] * model.coef_[0] + model.intercept_ + offset
    expected = -(np.logaddexp(0, eta) - y * eta).sum()
    assert relative_error(model.log_likelihood_, expected) < 1e-12


@pytest.mark.parametrize("power", [1.001, 1.05, 1.5, 1.95])
@pytest.mark.parametrize("level", [0.1, 5.0, 400.0, 1e4])
def test_tweedie_densities_against_mpmath(power, level):
    import mpmath as mp

    from mcmodels.objectives.families import PowerFamily

    y, mu, phi = np.array([level, 0.0]), np.array([0.9 * level, level]), 1.3
    found = PowerFamily("tweedie", power).log_likelihood(y, mu, np.ones(2), phi)
    with mp.workdps(60):
        p, f = mp.mpf(power), mp.mpf(phi)
        a = (2 - p) / (p - 1)
        kernels = [
            mp.mpf(m) ** (2 - p) / (2 - p) - mp.mpf(t) * mp.mpf(m) ** (1 - p) / (1 - p)
            for t, m in zip(y.tolist(), mu.tolist(), strict=True)
        ]
        log_x = a * (mp.log(level) - mp.log((p - 1) * f)) - mp.log((2 - p) * f)
        largest = int(mp.mpf(level) ** (2 - p) / ((2 - p) * f))
        reach = 30 * int(mp.sqrt(largest * (p - 1)) + 1)
        terms = range(max(1, largest - reach), largest + reach)
        W = sum(mp.exp(j * log_x - mp.loggamma(j + 1) - mp.loggamma(a * j)) for j in terms)
        expected = [-kernels[0] / f + mp.log(W) - mp.log(level), -kernels[1] / f]
    # Logarithms of gamma functions of up to 1e8 cancel.
    np.testing.assert_allclose(found, np.array(expected, dtype=float), atol=1e-7, rtol=1e-11)


@pytest.mark.parametrize("tiny", [1e-14, 1e-20])
def test_gamma_deviances_of_tiny_targets(tiny):
    from mcmodels.objectives.families import PowerFamily

    found = PowerFamily("gamma", 2.0).deviance(np.array([tiny]), np.array([2.0]))[0]
    expected = 2 * (-np.log(tiny) + np.log(2.0) - 1 + tiny / 2)
    assert relative_error(found, expected) < 1e-14


@pytest.mark.parametrize("noise", [1e-7, 1e-4, 0.3])
def test_gamma_likelihoods_of_small_dispersions(noise):
    import mpmath as mp

    X, _, _, _ = problem("gamma", "log", n=50)
    y = np.exp(X @ [0.3, -0.2, 0.1]) * (1 + noise * np.random.default_rng(0).normal(size=50))
    model = Glm("gamma").fit(X, y)
    with mp.workdps(60):
        phi, total = mp.mpf(model.dispersion_), mp.mpf(0)
        for t, m in zip(y.tolist(), model.predict(X).tolist(), strict=True):
            s = mp.mpf(t) / (phi * mp.mpf(m))
            total += mp.log(s) / phi - s - mp.log(t) - mp.loggamma(1 / phi)
    # Of the ratio of a target to its mean 1e-16 is lost, of its logarithm's square 1e-16/noise.
    assert relative_error(model.log_likelihood_, float(total)) < 1e-8


def test_scores_of_constant_targets_are_those_of_scikit_learn():
    X, _, _, _ = problem("poisson", "log")
    model = Glm("poisson").fit(X, np.arange(len(X)) % 4)
    assert model.score(X[:5], np.zeros(5)) == 0.0
    assert model.score(X[:1], [2.0]) == 0.0
    assert Glm("normal").fit(X, np.ones(len(X))).score(X, np.ones(len(X))) == 1.0


def test_dispersions_of_compared_models():
    X, y, _, _ = problem("gamma", "log")

    def fits(of_small, of_big, family="gamma"):
        return (
            Glm(family, dispersion=of_small).fit(X[:, :1], y),
            Glm(family, dispersion=of_big).fit(X, y),
        )

    for pair in (fits(1.0, 0.5), fits("pearson", 0.5)):
        with pytest.raises(ValueError, match="different dispersions"):
            likelihood_ratio_test(*pair)
    small, big = fits(4.0, 4.0, "normal")
    found = likelihood_ratio_test(small, big)
    assert relative_error(found.statistic, (small.deviance_ - big.deviance_) / 4) < 1e-12
    with pytest.raises(InferenceError, match="no degree of freedom"):
        likelihood_ratio_test(Glm("gamma").fit(X[:4, :1], y[:4]), Glm("gamma").fit(X[:4], y[:4]))


def test_other_offsets_with_the_same_sums_are_told_apart():
    X, y, _, added = problem("poisson", "log", offset=True)
    big = Glm("poisson").fit(X, y, offset=added)
    small = Glm("poisson").fit(X[:, :1], y, offset=np.roll(added, 7))
    with pytest.raises(ValueError, match="different offsets"):
        likelihood_ratio_test(small, big)
    many = np.tile(X, (40, 1)), np.tile(y, 40), np.tile(added, 40)
    wide = np.column_stack([many[0], np.random.default_rng(0).normal(size=(16_000, 40))])
    fits = (Glm("poisson").fit(Z, many[1], offset=many[2]) for Z in (many[0], wide))
    assert likelihood_ratio_test(*fits).df == 40


def test_offsets_beside_lists_and_streams():
    X, y, _, added = problem("poisson", "log", offset=True)
    model = Glm("poisson").fit(X, y, offset=added)
    rows = X.tolist(), y.tolist()
    expected = model.score(X, y, offset=added)
    assert relative_error(model.score(*rows, offset=added.tolist()), expected) < 1e-12
    covariance = model.covariance(*rows, kind="HC0", offset=added)
    assert relative_error(covariance, model.covariance(X, y, kind="HC0", offset=added)) < 1e-12
    model.profile_intervals(*rows, parameters=["x0"], offset=added)
    with pytest.raises(ValueError, match="fitted with an offset"):
        model.gradient(X, y)
    stream = RowStream([(X[:200], y[:200]), (X[200:], y[200:])])
    with pytest.raises(ValueError, match="stream"):
        model.predict(stream, offset=added)


def test_a_constant_gamma_target():
    X, _, _, _ = problem("gamma", "log")
    model = Glm("gamma").fit(X, np.full(len(X), 2.0))
    np.testing.assert_allclose(model.predict(X), 2.0, rtol=1e-9)
    with pytest.raises(ValueError, match="dispersion"):
        Glm("gamma", dispersion=np.inf).fit(X, np.ones(len(X)))


@pytest.mark.parametrize("family", ["tweedie", "negative_binomial", "poisson"])
def test_targets_on_a_line_through_the_bound_end_with_a_warning(family):
    X, y = np.arange(8.0)[:, np.newaxis], np.array([0.0, 0, 1, 2, 3, 4, 5, 6])
    with pytest.warns(ConvergenceWarning, match="at the bounds of the link"):
        model = Glm(family, link="identity").fit(X, y)
    assert (model.predict(X) > 0).all()


def test_means_that_underflow():
    X = np.array([[0.0], [1.0], [2.0], [-800.0]])
    y = np.array([1.0, 2.0, 4.0, 0.0])
    for family in ("poisson", "negative_binomial"):
        model = Glm(family).fit(X, y)
        assert np.isfinite([model.deviance_, model.score(X, y), model.log_likelihood_]).all()
