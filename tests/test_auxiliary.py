"""Auxiliary parameters of own losses against peers, high precision and laws."""

import pickle
from dataclasses import dataclass

import mpmath
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import sparse, stats
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks
from statsmodels.miscmodels.ordinal_model import OrderedModel
from statsmodels.othermod.betareg import BetaModel

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    ObjectiveClassifier,
    ObjectiveRegressor,
    RowStream,
    compare,
    results,
)
from mcmodels.exceptions import InferenceError
from tests.auxiliary_problems import PROBLEMS, data, huber_proposal_2, model, quietly, student
from tests.callbacks import Recorder
from tests.numerics import central_differences, relative_error
from tests.versions import needs_callbacks

NAMES = list(PROBLEMS)


def fitted(name, way=None, *, n=150, seed=0, **options):
    X, y = data(PROBLEMS[name].targets, n, seed)
    return quietly(model(name, way, **options), X, y), X, y


def losses(name, X, y, params):
    """The loss of each row by the function, which must be one of NumPy alone."""
    problem = PROBLEMS[name]
    P = X.shape[1] + problem.intercept
    eta = X @ params[: X.shape[1]] + (params[P - 1] if problem.intercept else 0.0)
    (value,) = problem.start.values()
    return problem.function(y, eta, params[P] if np.ndim(value) == 0 else params[P:])


# -- peers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
def test_normal_is_linear_regression_with_its_scale(weighted):
    X, y = data("numbers")
    w = np.random.default_rng(2).integers(0, 4, size=len(y)).astype(float) if weighted else None
    found = model("normal").fit(X, y, w)
    linear = LinearRegression().fit(X, y, w)
    n = len(y) if w is None else w.sum()
    assert found.status_ == "converged"
    # Both solve the same normal equations in float64, of well-conditioned columns.
    assert relative_error(found.coef_, linear.coef_) < 1e-10
    variance = linear.objective(X, y, sample_weight=w) / n
    assert np.exp(2 * found.auxiliary_["log_sigma"]) == pytest.approx(variance, rel=1e-10)
    errors = linear.standard_errors_ * np.sqrt((n - 3) / n)
    assert relative_error(found.standard_errors_[:3], errors) < 1e-8
    assert found.standard_errors_[3] == pytest.approx((2 * n) ** -0.5, rel=1e-8)


def student_in_mpmath(X, y, freedom, start):
    """The maximum of the likelihood and its standard errors, with 40 digits."""
    rows = [[mpmath.mpf(float(v)) for v in row] + [mpmath.mpf(1)] for row in X]
    targets = [mpmath.mpf(float(v)) for v in y]

    def score(*params):
        *theta, s = params
        found = [mpmath.mpf(0)] * len(params)
        for row, target in zip(rows, targets, strict=True):
            r = target - mpmath.fdot(row, theta)
            u = r * r * mpmath.exp(-2 * s)
            weight = (freedom + 1) / (freedom + u)
            for j, x in enumerate(row):
                found[j] -= weight * r * x * mpmath.exp(-2 * s)
            found[-1] += 1 - weight * u
        return found

    with mpmath.workdps(40):
        root = mpmath.findroot(lambda *p: score(*p), start, tol=1e-60)
        jacobian = mpmath.matrix(len(start))
        h = mpmath.mpf(10) ** -12
        for k in range(len(start)):
            high, low = [root[j] for j in range(len(start))], [root[j] for j in range(len(start))]
            high[k], low[k] = high[k] + h, low[k] - h
            for j, (a, b) in enumerate(zip(score(*high), score(*low), strict=True)):
                jacobian[j, k] = (a - b) / (2 * h)
        inverse = jacobian**-1
        errors = [mpmath.sqrt(inverse[k, k]) for k in range(len(start))]
        return np.array([float(v) for v in root]), np.array([float(v) for v in errors])


@pytest.mark.parametrize("way", [0, 1])
@pytest.mark.parametrize("n", [8, 30])
def test_student_in_high_precision(n, way):
    X, y = data("numbers", n, 4)
    found = quietly(model("student", PROBLEMS["student"].ways[way]), X, y)
    params, errors = student_in_mpmath(X, y, 4, found.params_.tolist())
    assert found.status_ == "converged"
    assert relative_error(found.params_, params) < 1e-10
    assert relative_error(found.standard_errors_, errors) < 1e-8


def test_student_with_its_freedom_is_scipys_maximum():
    X, y = data("numbers", 4000, 7)
    found = quietly(model("student of any freedom"), X, y)
    df, scale = np.exp(found.auxiliary_["log_df"]), np.exp(found.auxiliary_["log_scale"])
    value = -stats.t.logpdf(y - found.predict(X), df, scale=scale).sum()
    assert found.status_ == "converged"
    # Up to the constant log √π of each row.
    assert found.objective_ == pytest.approx(value - len(y) * np.log(np.pi) / 2, rel=1e-10)
    for k in range(5):  # no step along a parameter is lower
        for side in (-1e-3, 1e-3):
            params = found.params_ + side * np.eye(5)[k]
            assert found.objective(X, y, params) > found.objective_


def test_negative_binomial_is_statsmodels_and_our_glm():
    found, X, y = fitted("negative binomial")
    start = [0.0, 0.0, 0.0, 0.5]
    peer = sm.NegativeBinomial(y, sm.add_constant(X)).fit(start, disp=0, maxiter=500, gtol=1e-9)
    order = [1, 2, 0]
    alpha = np.exp(found.auxiliary_["log_alpha"])
    # statsmodels stops at a gradient of 1e-8 or so.
    assert relative_error(found.params_[:3], peer.params[order]) < 1e-7
    assert alpha == pytest.approx(peer.params[3], rel=1e-6)
    assert relative_error(found.standard_errors_[:3], peer.bse[order]) < 1e-5
    assert alpha * found.standard_errors_[3] == pytest.approx(peer.bse[3], rel=1e-5)
    # With theta held at its estimate, the coefficients are those of the GLM.
    glm = GeneralizedLinearRegressor("negative_binomial", theta=alpha).fit(X, y)
    assert relative_error(found.params_[:3], glm.params_) < 1e-7


def test_gamma_shape():
    found, X, y = fitted("gamma")
    glm = GeneralizedLinearRegressor("gamma", link="log").fit(X, y)
    # The mean is orthogonal to the shape: its estimate is that of the GLM.
    assert relative_error(found.params_[:3], glm.params_) < 1e-7
    k = np.exp(found.auxiliary_["log_shape"])
    # The equation of the shape: log k - ψ(k) is half of the mean deviance.
    mean = np.exp(found.predict(X))
    half = np.mean(np.log(mean / y) + y / mean - 1)
    assert float(mpmath.log(k) - mpmath.digamma(k)) == pytest.approx(half, rel=1e-9)


def test_beta_regression_is_statsmodels():
    found, X, y = fitted("beta")
    peer = BetaModel(y, sm.add_constant(X)).fit(disp=0, method="newton", tol=1e-14, maxiter=200)
    order = [1, 2, 0, 3]
    assert relative_error(found.params_, peer.params[order]) < 1e-6
    assert relative_error(found.standard_errors_, peer.bse[order]) < 1e-5


@pytest.mark.parametrize("distribution", ["logit", "probit"])
def test_ordered_classes_are_statsmodels(distribution):
    found, X, y = fitted(f"ordinal {distribution}")
    peer = OrderedModel(y.astype(int), X, distr=distribution)
    best = peer.fit(disp=0, method="newton", tol=1e-14, maxiter=100)
    assert relative_error(found.coef_, best.params[:2]) < 1e-7
    cuts = peer.transform_threshold_params(best.params[2:])[1:-1]
    assert relative_error(found.auxiliary_["cuts"], cuts) < 1e-7
    assert relative_error(found.standard_errors_[:3], best.bse[:3]) < 1e-5
    # Its second threshold parameter is the logarithm of the difference.
    gap = found.delta_method(lambda p: np.log(p[-1] - p[-2]))
    assert float(gap.standard_error) == pytest.approx(best.bse[3], rel=1e-5)
    table = found.summary().to_frame()
    assert list(table.index) == ["x0", "x1", "cuts[0]", "cuts[1]"]


def test_weibull_is_scipys_where_coefficients_are_zero():
    X, y = data("positive")
    found = quietly(model("weibull", alpha=1e12), X, y)
    shape, _, scale = stats.weibull_min.fit(y, floc=0)
    # scipy's simplex stops at 1e-4 or so.
    assert np.exp(-found.auxiliary_["log_scale"]) == pytest.approx(shape, rel=1e-3)
    assert np.exp(found.intercept_) == pytest.approx(scale, rel=1e-3)


def test_huber_with_its_scale_solves_proposal_2():
    X, y = data("numbers", 300)
    loss = ObjectiveRegressor(huber_proposal_2, auxiliary={"scale": 1.0})
    found = quietly(loss, X, y)
    s = found.auxiliary_["scale"]
    u = (y - found.predict(X)) / s
    psi = np.clip(u, -1.345, 1.345)
    assert found.status_ == "converged"
    assert np.abs(np.column_stack([X, np.ones(len(y))]).T @ psi).max() < 1e-6
    expected = stats.norm.expect(lambda z: np.clip(z, -1.345, 1.345) ** 2)
    # The constant by quadrature of a function with kinks.
    assert np.mean(psi**2) == pytest.approx(expected, rel=1e-6)


# -- what the fit hands out -----------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_gradient_hessian_and_errors(name):
    found, X, y = fitted(name)
    assert found.status_ == "converged"
    params = found.params_
    q = len(np.concatenate([np.ravel(v) for v in PROBLEMS[name].start.values()]))
    assert params.size == 2 + PROBLEMS[name].intercept + q
    assert np.abs(found.gradient_).max() < 1e-8 * len(y)
    numerical = central_differences(lambda p: found.gradient(X, y, p), params)
    # Differences of exact gradients.
    assert relative_error(found.hessian_, numerical) < 1e-8
    assert relative_error(found.hessian(X, y), found.hessian_) < 1e-12
    covariance = np.linalg.inv(found.hessian_)
    assert relative_error(found.covariance_, covariance) < 1e-9
    assert found.objective(X, y) == pytest.approx(found.objective_, rel=1e-12)
    given = PROBLEMS[name].start
    assert list(found.auxiliary_) == list(given)
    for key, value in given.items():
        assert np.shape(found.auxiliary_[key]) == np.shape(value)


@pytest.mark.parametrize("name", ["student", "ordinal logit", "negative binomial"])
def test_robust_covariances_are_sandwiches(name):
    found, X, y = fitted(name)
    n, P = len(y), found.params_.size
    scores = central_differences(lambda params: losses(name, X, y, params), found.params_)
    bread = np.linalg.inv(found.hessian_)
    sandwich = bread @ scores.T @ scores @ bread
    # Scores are differences of values.
    assert relative_error(found.covariance(X, y, kind="HC0"), sandwich) < 1e-7
    assert relative_error(found.covariance(X, y), sandwich * n / (n - P)) < 1e-7
    groups = np.arange(n) % 12
    sums = np.array([scores[groups == g].sum(axis=0) for g in range(12)])
    clustered = bread @ sums.T @ sums @ bread
    cluster = found.covariance(X, y, kind="cluster", groups=groups, use_correction=False)
    assert relative_error(cluster, clustered) < 1e-7
    hac = found.covariance(X, y, kind="HAC", max_lags=1, use_correction=False)
    neighbours = scores[1:].T @ scores[:-1]
    meat = scores.T @ scores + (neighbours + neighbours.T) / 2
    assert relative_error(hac, bread @ meat @ bread) < 1e-7
    with pytest.raises(InferenceError, match=r"HC3.*Choose kind='HC1'"):
        found.covariance(X, y, kind="HC3")


def test_without_a_likelihood_errors_are_robust():
    X, y = data("numbers")
    found = quietly(model("student", log_likelihood=False), X, y)
    with pytest.raises(InferenceError, match="log_likelihood=True"):
        _ = found.standard_errors_
    same = quietly(model("student"), X, y)
    robust = found.summary(X, y).to_frame()
    assert list(robust.index) == ["x0", "x1", "(intercept)", "log_scale"]
    assert relative_error(found.covariance(X, y), same.covariance(X, y)) < 1e-12


def test_profile_intervals_are_where_refits_rise():
    found, X, y = fitted("student")
    table = found.profile_intervals(X, y)
    rise = stats.chi2.ppf(0.95, 1) / 2
    for end in table.loc["log_scale"]:
        scale = np.exp(-end)
        held = quietly(
            ObjectiveRegressor(
                lambda y, eta, e=end, s=scale: e + 2.5 * np.log1p(((y - eta) * s) ** 2 / 4)
            ),
            X,
            y,
        )
        assert held.objective_ - found.objective_ == pytest.approx(rise, rel=1e-7)
    for end in table.loc["x0"]:
        held = quietly(model("student"), X[:, 1:], y, offset=end * X[:, 0])
        assert held.objective_ - found.objective_ == pytest.approx(rise, rel=1e-7)
    tests = found.likelihood_ratio_tests(X, y)
    without = quietly(model("student"), X[:, 1:], y)
    expected = 2 * (without.objective_ - found.objective_)
    assert tests.loc["x0", "statistic"] == pytest.approx(expected, rel=1e-8)


def test_profiles_of_thresholds():
    found, X, y = fitted("ordinal logit", n=80)
    table = found.profile_intervals(X, y)
    assert list(table.index) == ["x0", "x1", "cuts[0]", "cuts[1]"]
    wald = found.confidence_intervals()
    # Of 80 rows a likelihood is nearly quadratic: ends differ by a tenth of the widths.
    widths = (wald["upper"] - wald["lower"]).to_numpy()
    assert (np.abs(table.to_numpy() - wald.to_numpy()).max(axis=1) < 0.1 * widths).all()
    score = found.score_intervals(X, y)
    assert (np.abs(score.to_numpy() - wald.to_numpy()).max(axis=1) < 0.1 * widths).all()


def test_tests_and_functions_by_name():
    found, X, _ = fitted("student")
    error = found.standard_errors_[-1]
    test = found.wald_test("log_scale = 0")
    assert test.statistic == pytest.approx((found.params_[-1] / error) ** 2, rel=1e-10)
    scale = found.delta_method(lambda p: np.exp(p[-1]))
    assert float(scale.standard_error) == pytest.approx(error * np.exp(found.params_[-1]), rel=1e-9)
    intervals = found.predict_interval(X[:3])
    design = np.column_stack([X[:3], np.ones(3), np.zeros(3)])
    expected = np.sqrt(np.diagonal(design @ found.covariance_ @ design.T))
    assert relative_error(intervals["standard_error"], expected) < 1e-9


def test_results_and_tables():
    found, X, y = fitted("student")
    assert "log_scale" in str(results(found))
    robust = results(found).with_covariance(X, y, kind="HC1")
    assert relative_error(robust.covariance(), found.covariance(X, y, kind="HC1")) < 1e-12
    interval = robust.predict_interval(X[:2])
    design = np.column_stack([X[:2], np.ones(2), np.zeros(2)])
    expected = np.sqrt(np.diagonal(design @ found.covariance(X, y) @ design.T))
    assert relative_error(interval["standard_error"], expected) < 1e-9
    assert "log_scale" in str(compare(found, fitted("student", fit_intercept=False)[0]))
    slopes = results(found).marginal_effects(X)
    # η is linear: the slopes are the coefficients.
    assert np.allclose(slopes.iloc[:, 0].to_numpy(dtype=float), found.coef_, rtol=1e-8)


def test_names_of_columns():
    X, y = data("numbers")
    frame = pd.DataFrame(X, columns=["age", "dose"])
    found = quietly(model("student"), frame, y)
    assert list(found.summary().to_frame().index) == ["age", "dose", "(intercept)", "log_scale"]
    with pytest.raises(ValueError, match=r"'log_scale'.*column of X"):
        model("student").fit(frame.set_axis(["age", "log_scale"], axis=1), y)


# -- predictions ----------------------------------------------------------------------------------


def test_links_with_and_without_auxiliary_parameters():
    X, y = data("positive")
    plain = quietly(model("gamma", inverse_link="exp(eta)"), X, y)
    eta = X @ plain.coef_ + plain.intercept_
    assert relative_error(plain.predict(X), np.exp(eta)) < 1e-14
    log_normal = "log_sigma + (log(y) - eta)**2 * exp(-2*log_sigma) / 2"
    for link in (
        "exp(eta + exp(2*log_sigma)/2)",
        lambda eta, log_sigma: np.exp(eta + np.exp(2 * log_sigma) / 2),
    ):
        found = ObjectiveRegressor(
            log_normal, auxiliary={"log_sigma": 0.0}, inverse_link=link, log_likelihood=True
        ).fit(X, y)
        eta = X @ found.coef_ + found.intercept_
        mean = np.exp(eta + np.exp(2 * found.auxiliary_["log_sigma"]) / 2)
        assert relative_error(found.predict(X), mean) < 1e-14
        with pytest.raises(InferenceError, match="delta_method"):
            found.predict_interval(X[:2])
        with pytest.raises(InferenceError, match="delta_method"):
            results(found).marginal_effects(X)


def test_two_classes_with_a_skewed_link():
    def scobit(y, eta, log_skew):
        log_p = -np.exp(log_skew) * np.logaddexp(0, -eta)
        return -np.where(y == 1, log_p, np.log(-np.expm1(log_p)))

    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    y = np.where(X @ [1.0, -1.0] + rng.logistic(size=400) > 0, "yes", "no")
    found = quietly(
        ObjectiveClassifier(
            scobit,
            auxiliary={"log_skew": 0.0},
            log_likelihood=True,
            inverse_link=lambda eta, log_skew: (1 + np.exp(-eta)) ** -np.exp(log_skew),
        ),
        X,
        y,
    )
    assert found.status_ == "converged"
    assert found.coef_.shape == (1, 2)
    p = found.predict_proba(X)[:, 1]
    value = -np.where(y == "yes", np.log(p), np.log1p(-p)).sum()
    assert value == pytest.approx(found.objective_, rel=1e-10)
    # With the skewness held at zero it is logistic regression, which fits no better.
    logistic = quietly(ObjectiveClassifier("softplus(eta) - y*eta"), X, y)
    assert found.objective_ <= logistic.objective_


# -- laws -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_weights_count_rows_and_order_has_no_part(name):
    X, y = data(PROBLEMS[name].targets)
    w = np.random.default_rng(1).integers(0, 3, size=len(y)).astype(float)
    repeated = np.repeat(np.arange(len(y)), w.astype(int))[::-1]
    one = quietly(model(name), X, y, w)
    two = quietly(model(name), X[repeated], y[repeated])
    # Sums in another order, through a Hessian of condition 1e2 or so.
    assert relative_error(one.params_, two.params_) < 1e-9
    assert relative_error(one.standard_errors_, two.standard_errors_) < 1e-9
    assert relative_error(one.covariance(X, y, w), two.covariance(X[repeated], y[repeated])) < 1e-8


@pytest.mark.parametrize("name", NAMES)
def test_units_of_columns_have_no_part(name):
    X, y = data(PROBLEMS[name].targets)
    units, shift = np.array([1e6, 1e-6]), PROBLEMS[name].intercept * np.array([3e7, 1e-4])
    one = quietly(model(name), X, y)
    two = quietly(model(name), X * units + shift, y)
    assert two.status_ == "converged"
    # The shift is 30 and 100 spreads of its column, of which so many digits are lost.
    assert relative_error(one.coef_, two.coef_ * units) < 1e-9
    assert relative_error(one.standard_errors_[:2], two.standard_errors_[:2] * units) < 1e-8
    q = one.params_.size - 2 - PROBLEMS[name].intercept
    assert relative_error(one.params_[-q:], two.params_[-q:]) < 1e-9
    assert relative_error(one.standard_errors_[-q:], two.standard_errors_[-q:]) < 1e-8


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_the_scale_follows_the_units_of_the_target(factor):
    X, y = data("numbers")
    one, two = quietly(model("student"), X, y), quietly(model("student"), X, factor * y)
    assert two.status_ == "converged"
    moved = two.auxiliary_["log_scale"] - np.log(factor)
    assert moved == pytest.approx(one.auxiliary_["log_scale"], abs=1e-9)
    assert relative_error(two.coef_ / factor, one.coef_) < 1e-9


@pytest.mark.parametrize(
    "storage",
    [
        sparse.csr_matrix,
        np.asfortranarray,
        lambda X: X.astype(np.float32).astype(np.float64),
        lambda X: X.astype(np.float32),
    ],
    ids=["sparse", "by column", "rounded", "float32"],
)
@pytest.mark.parametrize("name", ["student", "ordinal logit"])
def test_storage_has_no_part(name, storage):
    X, y = data(PROBLEMS[name].targets)
    X = X.astype(np.float32).astype(np.float64)
    expected = quietly(model(name), X, y)
    found = quietly(model(name), storage(X), y)
    assert relative_error(found.params_, expected.params_) < 1e-10


@pytest.mark.parametrize("name", ["student", "ordinal probit"])
def test_streams_and_offsets(name):
    X, y = data(PROBLEMS[name].targets)
    offset = np.sin(np.arange(len(y)))
    whole = quietly(model(name), X, y, offset=offset)

    def blocks():
        return (
            (X[k : k + 40], y[k : k + 40], None, offset[k : k + 40]) for k in range(0, len(y), 40)
        )

    streamed = quietly(model(name), RowStream(blocks))
    assert relative_error(streamed.params_, whole.params_) < 1e-10
    robust = whole.covariance(X, y, offset=offset)
    assert relative_error(streamed.covariance(RowStream(blocks)), robust) < 1e-9
    with pytest.raises(ValueError, match="offset"):
        whole.predict(X)


def test_dask_collections():
    dask = pytest.importorskip("dask.array")
    found, X, y = fitted("student")
    chunks = dask.from_array(X, chunks=(50, 2)), dask.from_array(y, chunks=50)
    lazy = quietly(model("student"), *chunks)
    assert relative_error(lazy.params_, found.params_) < 1e-10


@pytest.mark.parametrize("kind", ["precision", "probability"])
def test_other_kinds_of_weights(kind):
    X, y = data("numbers")
    w = np.random.default_rng(1).uniform(0.5, 2.0, size=len(y))
    found = quietly(model("student", weights=kind), X, y, w)
    counts = quietly(model("student"), X, y, w)
    assert relative_error(found.params_, counts.params_) < 1e-12
    scores = central_differences(lambda p: losses("student", X, y, p), found.params_)
    scores *= w[:, np.newaxis]
    bread = np.linalg.inv(found.hessian_)
    robust = bread @ scores.T @ scores @ bread * len(y) / (len(y) - 4)
    assert relative_error(found.covariance(X, y, w, kind="HC1"), robust) < 1e-7
    expected = bread if kind == "precision" else robust
    assert relative_error(found.covariance_, expected) < 1e-7
    design = np.column_stack([X[:3], np.ones(3), np.zeros(3)])
    error = np.sqrt(np.diagonal(design @ expected @ design.T))
    assert relative_error(found.predict_interval(X[:3])["standard_error"], error) < 1e-7


def test_penalised_fits():
    X, y = data("numbers")
    found = quietly(model("student", alpha=20.0), X, y)
    numerical = central_differences(lambda p: found.objective(X, y, p), found.params_)
    assert np.abs(numerical).max() < 1e-7 * len(y)
    assert relative_error(found.covariance_, np.linalg.inv(found.hessian_)) < 1e-9
    coef = found.coef_
    assert found.log_likelihood_ == pytest.approx(10 * coef @ coef - found.objective_, rel=1e-12)
    strong = quietly(model("student", alpha=1e9), X, y)
    assert np.abs(strong.coef_).max() < 1e-6
    peer = stats.t.fit(y, f0=4)
    # scipy's simplex stops at 1e-4 or so.
    assert strong.intercept_ == pytest.approx(peer[1], abs=1e-3)
    assert np.exp(strong.auxiliary_["log_scale"]) == pytest.approx(peer[2], rel=1e-3)


def test_more_columns_than_rows_with_a_penalty():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 60)), np.arange(30.0) % 3
    found = quietly(model("ordinal logit", alpha=1.0), X, y)
    assert found.status_ == "converged"
    numerical = central_differences(lambda p: found.objective(X, y, p), found.params_)
    assert np.abs(numerical).max() < 1e-6


# -- the estimator --------------------------------------------------------------------------------


def test_warm_start():
    found, X, y = fitted("student", warm_start=True)
    steps = found.n_iter_
    quietly(found, X, y)
    assert found.n_iter_ == 0 < steps


@needs_callbacks
def test_callbacks_see_each_step_and_stop_the_fit():
    X, y = data("positive")
    link = {"inverse_link": "exp(eta + log_scale)"}
    recorder = Recorder()
    found = quietly(model("weibull", **link).set_callbacks(recorder), X, y)
    steps = recorder.ends("newton-step")
    assert [step[2] for step in steps] == list(range(found.n_iter_))
    np.testing.assert_array_equal(steps[-1][3], found.predict(X))
    stopped = quietly(model("weibull").set_callbacks(Recorder(stop_after=2)), X, y)
    assert stopped.n_iter_ == 2
    assert stopped.status_ == "not converged"


def test_clone_pickle_and_parameters():
    found, X, y = fitted("ordinal logit", PROBLEMS["ordinal logit"].function)
    copied = pickle.loads(pickle.dumps(found))
    assert np.array_equal(copied.standard_errors_, found.standard_errors_)
    assert np.array_equal(copied.auxiliary_["cuts"], found.auxiliary_["cuts"])
    assert str(copied.summary()) == str(found.summary())
    fresh = clone(found)
    assert fresh.get_params()["auxiliary"] == {"cuts": [-1.0, 1.0]}
    fresh.set_params(auxiliary={"cuts": [-2.0, 2.0]})
    assert relative_error(quietly(fresh, X, y).params_, found.params_) < 1e-9
    assert not hasattr(clone(found), "auxiliary_")


def test_assigned_parameters():
    found, X, y = fitted("student")
    error = found.standard_errors_
    params = found.params_
    found.params_ = params + np.array([0, 0, 0, 0.5])
    assert found.auxiliary_ == {"log_scale": params[3] + 0.5}
    with pytest.raises(InferenceError, match="auxiliary_ was changed"):
        _ = found.standard_errors_
    gradient = found.gradient(X, y)
    numerical = central_differences(lambda p: found.objective(X, y, p), found.params_)
    assert relative_error(gradient, numerical) < 1e-8
    found.auxiliary_ = {"log_scale": params[3]}
    assert np.array_equal(found.standard_errors_, error)
    found.auxiliary_ = {"log_scale": "wide"}
    assert not hasattr(found, "params_")
    assert "ObjectiveRegressor" in repr(found)
    dir(found)


def test_a_fit_without_auxiliary_after_one_with():
    found, X, y = fitted("student")
    found.set_params(auxiliary=None, loss="(y - eta)**2")
    quietly(found, X, y)
    assert not hasattr(found, "auxiliary_")
    assert found.params_.size == 3


def test_an_empty_dict_is_none():
    X, y = data("numbers")
    one = ObjectiveRegressor("(y - eta)**2", auxiliary={}).fit(X, y)
    two = ObjectiveRegressor("(y - eta)**2").fit(X, y)
    assert np.array_equal(one.params_, two.params_)


def test_residuals_are_slopes_with_the_auxiliary_parameters_of_the_fit():
    found, X, y = fitted("student")
    eta = X @ found.coef_ + found.intercept_
    h = 1e-6
    values = [student(y, eta + step, found.auxiliary_["log_scale"]) for step in (h, -h)]
    # Central differences: h² of the third derivative, and ε/h.
    expected = -(values[0] - values[1]) / (2 * h)
    np.testing.assert_allclose(found.residuals(X, y), expected, atol=1e-8)
    found.set_params(inverse_link="exp(eta + log_scale)")
    means = np.exp(eta + found.auxiliary_["log_scale"])
    # A few roundings of numbers of this size.
    np.testing.assert_allclose(found.residuals(X, y, kind="response"), y - means, atol=1e-12)


@dataclass(frozen=True)
class Student:
    """A function whose text, which names the tests, is the same in every process."""

    def __call__(self, y, eta, log_scale):
        return student(y, eta, log_scale)


SCALED = ObjectiveClassifier(
    "softplus(eta*exp(a)) - y*eta*exp(a) + a**2",
    auxiliary={"a": 0.1},
    alpha=1.0,
    inverse_link="sigmoid(eta*exp(a))",
)


@parametrize_with_checks([ObjectiveRegressor(Student(), auxiliary={"log_scale": 0.0}), SCALED])
def test_scikit_learn_checks(estimator, check):
    check(estimator)
