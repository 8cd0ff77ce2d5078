"""Residuals of generalized linear models: against statsmodels, and their distribution."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import integrate, stats

from mcmodels import GeneralizedLinearRegressor as Glm
from mcmodels import LogisticRegression
from mcmodels.exceptions import InferenceError
from tests.glm_problems import PAIRS, POWER, THETA, problem, statsmodels_family
from tests.numerics import relative_error

pytestmark = pytest.mark.filterwarnings("ignore::statsmodels.tools.sm_exceptions.DomainWarning")
OPTIONS = {"power": POWER, "theta": THETA}


@pytest.mark.parametrize(("family", "link"), PAIRS)
def test_agree_with_statsmodels(family, link):
    X, y, _, added = problem(family, link, n=150, offset=True)
    model = Glm(family, link=link, **OPTIONS).fit(X, y, offset=added)
    design = sm.add_constant(X, prepend=False)
    peer = sm.GLM(y, design, statsmodels_family(family, link), offset=added)
    found = peer.fit(start_params=model.params_, tol=1e-15, maxiter=100)
    for kind in ("response", "working", "pearson", "deviance"):
        ours = model.residuals(X, y, kind=kind, offset=added)
        theirs = getattr(found, f"resid_{kind}")
        # Parameters agree to 1e-7 where the link is not canonical; deviances of rows that fit well
        # are roots of small differences.
        np.testing.assert_allclose(ours, theirs, atol=1e-5 * np.abs(theirs).max())
    squares = model.residuals(X, y, offset=added) ** 2
    assert relative_error(squares.sum(), model.deviance_) < 1e-12
    pearson = model.residuals(X, y, kind="pearson", offset=added) ** 2
    assert relative_error(pearson.sum(), model.pearson_chi2_) < 1e-12


@pytest.mark.parametrize(
    ("family", "link"), [pair for pair in PAIRS if pair[1] in ("log", "logit")]
)
def test_anscombe_residuals_are_integrals(family, link):
    X, y, _, _ = problem(family, link, n=20)
    model = Glm(family, link=link, **OPTIONS).fit(X, y)
    variance = model._loss().family.variance
    for row, found in enumerate(model.residuals(X, y, kind="anscombe")[:8]):
        mu = float(model.predict(X[row : row + 1])[0])
        # V^(-1/3) is infinite at the ends of the range, and can be integrated there.
        area, _ = integrate.quad(
            lambda t: float(variance(np.array([t]))[0]) ** (-1 / 3), mu, float(y[row]), limit=200
        )
        assert abs(found - area / float(variance(np.array([mu]))[0]) ** (1 / 6)) < 1e-6


def test_those_of_two_classes_are_those_of_logistic_regression():
    X, y, _, _ = problem("binomial", "logit")
    model, logistic = Glm("binomial").fit(X, y), LogisticRegression(C=np.inf).fit(X, y)
    for kind in ("deviance", "pearson"):
        expected = logistic.residuals(X, y, kind=kind)
        np.testing.assert_allclose(model.residuals(X, y, kind=kind), expected, atol=1e-8)


def test_proportions_have_the_residuals_of_their_trials():
    rng = np.random.default_rng(0)
    X, trials = rng.normal(size=(60, 2)), rng.integers(1, 30, 60)
    successes = rng.binomial(trials, 0.3)
    model = Glm("binomial").fit(X, successes / trials, trials)
    pearson = model.residuals(X, successes / trials, trials, kind="pearson")
    p = model.predict(X)
    np.testing.assert_allclose(pearson, (successes - trials * p) / np.sqrt(trials * p * (1 - p)))
    squares = model.residuals(X, successes / trials, trials) ** 2
    assert relative_error(squares.sum(), model.deviance_) < 1e-12


@pytest.mark.parametrize(
    "family", ["normal", "poisson", "gamma", "inverse_gaussian", "binomial", "negative_binomial"]
)
def test_quantile_residuals_are_standard_normal(family):
    link = {"binomial": "logit"}.get(family, "log")
    X, y, _, _ = problem(family, link, n=20_000)
    model = Glm(family, link=link, **OPTIONS).fit(X, y)
    found = model.residuals(X, y, kind="quantile", random_state=0)
    # One test at a fixed seed for each family: 1e-3 is no small p-value for the gamma of these
    # data; a wrong distribution gives less than 1e-30.
    assert stats.kstest(found, "norm").pvalue > 1e-3
    again = model.residuals(X, y, kind="quantile", random_state=0)
    np.testing.assert_array_equal(found, again)
    wrong = Glm("poisson").fit(X, np.round(np.abs(y) * 3) ** 2)
    other = wrong.residuals(X, np.round(np.abs(y) * 3) ** 2, kind="quantile", random_state=0)
    assert stats.kstest(other, "norm").pvalue < 1e-30


def test_quantile_residuals_of_both_tails_keep_their_digits():
    X = np.zeros((4, 1))
    model = Glm("normal", fit_intercept=False, dispersion=1.0).fit(np.ones((4, 1)), np.zeros(4))
    y = np.array([-30.0, -3.0, 3.0, 30.0])
    np.testing.assert_allclose(model.residuals(X, y, kind="quantile"), y, rtol=1e-12)


def test_what_has_no_distribution_function_says_so():
    X, y, _, _ = problem("tweedie", "log")
    model = Glm("tweedie", power=POWER).fit(X, y)
    with pytest.raises(InferenceError, match="distribution function"):
        model.residuals(X, y, kind="quantile")
    with pytest.raises(ValueError, match="kind"):
        model.residuals(X, y, kind="studentized")
