"""The Wald test of all slopes that summaries show with a robust covariance."""

import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from mcmodels import (
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
)
from mcmodels.records.overall import wald_of_slopes

# Both programs solve the same problems of condition < 1e4 with float64.
SAME = 1e-8


def design(seed=0, n=240):
    """Correlated columns of other scales, one of them far from zero; clusters with noise of own."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n, 3)) @ [[1.0, 0.8, 0.0], [0.0, 0.6, 0.5], [0.0, 0.0, 1.0]]
    X = pd.DataFrame(Z * [1.0, 1e-3, 1e3] + [0.0, 0.0, 1e4], columns=["a", "b", "c"])
    groups = rng.integers(0, 20, n)
    shared = rng.normal(size=20)[groups]
    eta = 0.4 * Z[:, 0] - 0.3 * Z[:, 2]
    return X, groups, eta, shared, rng


def shown(fitted, name, *rows, **options):
    """Statistic, degrees of freedom and p-value as the summary prints them, and the test itself."""
    record, estimate = fitted._estimate(*rows, None, **options)
    test = wald_of_slopes(record, record.reported(estimate))
    line = fitted.summary(*rows, **options).conclusions[name]
    numbers = [float(word) for word in re.findall(r"\d[\d.]*(?:e[-+]\d+)?", line)]
    df = [test.df] if test.df_denominator is None else [test.df, test.df_denominator]
    # Six digits of the statistic are printed, and at least three of the p-value.
    np.testing.assert_allclose(numbers[:-1], [test.statistic, *df], rtol=5e-6)
    np.testing.assert_allclose(numbers[-1], test.p_value, rtol=6e-3, atol=6e-5)
    return test


KINDS = ["HC0", "HC1", "HC2", "HC3", "cluster", "HAC"]


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_linear_fits_have_the_f_of_statsmodels(kind, fit_intercept):
    X, groups, eta, shared, rng = design()
    y = 3.0 + eta + 0.5 * shared + rng.normal(size=len(X)) * np.exp(eta / 2)
    Q = sm.add_constant(X) if fit_intercept else X
    own, theirs = {"kind": kind}, {}
    if kind == "cluster":
        own["groups"], theirs = groups, {"groups": groups}
    if kind == "HAC":
        own["max_lags"], theirs = 3, {"maxlags": 3, "use_correction": True}
    peer = sm.OLS(y, Q).fit(cov_type=kind, cov_kwds=theirs, use_t=True)
    test = shown(LinearRegression(fit_intercept=fit_intercept).fit(X, y), "Wald F", X, y, **own)
    np.testing.assert_allclose(test.statistic, float(peer.fvalue), rtol=SAME)
    # A p-value of e⁻ˢ loses s times the digits of its statistic.
    few = SAME * max(1.0, -np.log(test.p_value))
    np.testing.assert_allclose(test.p_value, float(peer.f_pvalue), rtol=few)
    assert test.df == 3


def test_cr2_has_hotellings_test():
    X, groups, eta, shared, rng = design()
    y = eta + shared + rng.normal(size=len(X))
    fitted = LinearRegression().fit(X, y)
    test = shown(fitted, "Wald F", X, y, kind="CR2", groups=groups)
    expected = fitted.wald_test("a = 0, b = 0, c = 0", X, y, kind="CR2", groups=groups)
    assert (test.statistic, test.df_denominator) == (expected.statistic, expected.df_denominator)


@pytest.mark.parametrize("kind", ["HC0", "cluster"])
@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_likelihoods_have_the_chi2_of_statsmodels(family, kind):
    X, groups, eta, shared, rng = design(1)
    eta = eta + 0.3 * shared
    y = rng.random(len(X)) < 1 / (1 + np.exp(-eta)) if family == "binomial" else None
    y = rng.poisson(np.exp(eta)) if y is None else y.astype(int)
    peers = {"binomial": sm.families.Binomial(), "poisson": sm.families.Poisson()}
    own = {"kind": kind} | ({"groups": groups} if kind == "cluster" else {})
    theirs = {"groups": groups} if kind == "cluster" else {}
    # The columns of statsmodels in units of their own, or its steps end early.
    scaled = sm.add_constant((X - X.mean()) / X.std())
    peer = sm.GLM(y, scaled, family=peers[family]).fit(
        cov_type=kind, cov_kwds=theirs, tol=1e-13, maxiter=100
    )
    expected = peer.wald_test(np.eye(4)[1:], scalar=True, use_f=False)
    models = [GeneralizedLinearRegressor(family)]
    models += [LogisticRegression(C=np.inf)] if family == "binomial" else []
    for model in models:
        test = shown(model.fit(X, y), "Wald χ²", X, y, **own)
        np.testing.assert_allclose(test.statistic, float(expected.statistic), rtol=SAME)
        np.testing.assert_allclose(test.p_value, float(expected.pvalue), rtol=SAME)


def test_an_estimated_dispersion_has_chi2_as_its_robust_errors_have_z():
    X, _, eta, _, rng = design()
    y = np.exp(eta) * rng.gamma(2.0, 0.5, len(X))
    fitted = GeneralizedLinearRegressor("gamma", link="log").fit(X, y)
    assert shown(fitted, "Wald χ²", X, y, kind="HC1").df_denominator is None
    # The expected information has t, as the errors of the model.
    test = shown(fitted, "Wald F", X, y, kind="expected")
    assert (test.df, test.df_denominator) == (3, len(X) - 4)


def test_of_three_classes_it_does_not_depend_on_the_reference():
    X, _, eta, _, rng = design()
    y = np.array(["x", "y", "z"])[np.digitize(eta + rng.logistic(size=len(X)), [-0.7, 0.7])]
    model = LogisticRegression(C=np.inf).fit(X, y)
    found = [
        model.summary(X, y, kind="HC0", reference=label).conclusions["Wald χ²"] for label in "xyz"
    ]
    assert len(set(found)) == 1
    assert " on 6 degrees of freedom" in found[0]
    # By hand, from the differences between classes and their covariance.
    D = np.kron([[-1, 1, 0], [-1, 0, 1]], np.eye(4)[:3])
    gap, V = D @ model.params_.ravel(), D @ model.covariance(X, y, kind="HC0") @ D.T
    scale = np.sqrt(np.diag(V))
    statistic = (gap / scale) @ np.linalg.solve(V / np.outer(scale, scale), gap / scale)
    np.testing.assert_allclose(float(found[0].split()[0]), statistic, rtol=5e-6)


def test_none_with_the_covariance_of_the_model_nor_of_penalised_fits():
    X, _, eta, _, rng = design()
    y = (eta + rng.logistic(size=len(X)) > 0).astype(int)
    logistic = LogisticRegression(C=np.inf).fit(X, y)
    assert "likelihood ratio" in logistic.summary().conclusions
    for found in (
        logistic.summary(),
        FirthLogisticRegression().fit(X, y).summary(),
        LogisticRegression(C=1.0).fit(X, y).summary(X, y),
        LinearRegression().fit(X, eta + y).summary(),
        GeneralizedLinearRegressor("binomial").fit(X, y).summary(),
    ):
        assert not [name for name in found.conclusions if name.startswith("Wald")]
        assert not [note for note in found.notes if "test of all slopes" in note]


def test_surveys_have_it_without_rows():
    X, _, eta, _, rng = design()
    weights, y = rng.integers(1, 5, len(X)), eta + rng.normal(size=len(X))
    fitted = LinearRegression(weights="probability").fit(X, y, weights)
    test = fitted.f_test_
    assert fitted.summary().conclusions["Wald F"].startswith(f"{test.statistic:.6g} on 3 and ")


def test_a_covariance_that_allows_no_test_says_why():
    X, groups, eta, shared, rng = design()
    y = eta + shared + rng.normal(size=len(X))
    found = LinearRegression().fit(X, y).summary(X, y, kind="cluster", groups=groups % 3)
    assert "Wald F" not in found.conclusions
    assert any("No test of all slopes: " in note and "3 clusters" in note for note in found.notes)


def test_a_column_of_ones_is_no_slope_and_other_constants_are_named():
    X, _, eta, _, rng = design()
    y = 3.0 + eta + rng.normal(size=len(X))
    expected = shown(LinearRegression().fit(X, y), "Wald F", X, y, kind="HC1")
    ones = X.assign(one=1.0)
    test = shown(LinearRegression(fit_intercept=False).fit(ones, y), "Wald F", ones, y, kind="HC1")
    np.testing.assert_allclose(test.statistic, expected.statistic, rtol=SAME)
    halves = X.assign(odd=np.arange(len(X)) % 2, even=(1 + np.arange(len(X))) % 2)
    found = LinearRegression(fit_intercept=False).fit(halves, y).summary(halves, y, kind="HC1")
    assert any("columns of X span a constant" in note for note in found.notes)


def test_a_wrong_covariance_would_be_seen():
    """The planted error: the statistic with HC0 is not that of statsmodels with HC1."""
    X, _, eta, _, rng = design()
    y = eta + rng.normal(size=len(X))
    peer = sm.OLS(y, sm.add_constant(X)).fit(cov_type="HC1", use_t=True)
    test = shown(LinearRegression().fit(X, y), "Wald F", X, y, kind="HC0")
    assert abs(test.statistic / float(peer.fvalue) - 1) > 1e3 * SAME
