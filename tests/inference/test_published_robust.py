"""Sandwiches of rows, clusters and rows in time against figures of R and Stata."""

import os

import numpy as np
import pandas as pd
import pytest
import statsmodels
import statsmodels.api as sm
from statsmodels.genmod.tests.results import results_glm_poisson_weights as weighted
from statsmodels.regression.tests.results import results_grunfeld_ols_robust_cluster as grunfeld
from statsmodels.regression.tests.results import results_macro_ols_robust as macro

from mcmodels import GeneralizedLinearRegressor, LinearRegression, LogisticRegression
from tests.inference.published import agree, data, same

INSTALLED = os.path.dirname(statsmodels.__file__)


# Petersen's data, of which statsmodels ships the text, with seven digits a number; results
# from a file with more have others from the eighth digit on.
SEVEN_DIGITS = 2e-7


def petersen():
    firm, year, x, y = np.loadtxt(f"{INSTALLED}/stats/tests/test_data.txt").T
    return x[:, np.newaxis], y, firm.astype(int), year.astype(int)


def test_petersens_standard_errors():
    """Petersen (2009), his page with test data: least squares, White's, by firm, year and both."""
    X, y, firm, year = petersen()
    model = LinearRegression().fit(X, y)
    agree(model.params_, "1.0348 0.0297")
    agree(model.standard_errors_, "0.0286 0.0284")

    def errors(**options):
        return model.summary(X, y, **options).to_frame()["standard_error"]

    agree(errors(kind="HC1"), "0.0284 0.0284")
    agree(errors(kind="cluster", groups=firm), "0.0506 0.0670")
    agree(errors(kind="cluster", groups=year), "0.0334 0.0234")
    agree(errors(kind="cluster", groups=np.column_stack([firm, year])), "0.0536 0.0651")


def test_petersens_rows_in_r():
    """R's sandwich 3.1-1, tests/Examples/sandwich-Ex.Rout.save and tests/vcovCL.R (x, constant)."""
    X, y, firm, year = petersen()
    model = LinearRegression().fit(X, y)

    def covariance(kind, groups):
        return model.covariance(X, y, kind=kind, groups=groups)

    def matrix(x, both, constant):
        return np.array([[x, both], [both, constant]])

    expected = matrix(2.559927e-03, -6.473517e-05, 4.490702e-03)
    same(covariance("cluster", firm), expected, SEVEN_DIGITS)
    expected = matrix(2.868462e-03, -2.845344e-05, 4.233313e-03)
    same(covariance("cluster", np.column_stack([firm, year])), expected, SEVEN_DIGITS)
    # Bell and McCaffrey's, by Kolesár's BMlmSE.
    expected = matrix(0.00256823604178553, -6.59291186924326e-05, 0.0044944872570532)
    same(covariance("CR2", firm), expected, SEVEN_DIGITS)


def test_a_logistic_fit_with_clusters():
    """vcovCL of a glm, which its authors compare with Stata's brl …, logit: G/(G-1) alone."""
    X, y, firm, _ = petersen()
    model = LogisticRegression(C=np.inf, tol=1e-12).fit(X, y > 0)
    options = {"kind": "cluster", "groups": firm, "use_correction": False}
    found = model.covariance(X, y > 0, **options) * 500 / 499
    agree([found[0, 0], found[0, 1], found[1, 1]], "0.00275766 0.00001531 0.00358954")
    corrected = model.covariance(X, y > 0, kind="cluster", groups=firm)
    np.testing.assert_allclose(corrected, found * 4999 / 4998, rtol=1e-12)


def investment():
    """Greene (1993), table 15.1: real investment, real product and real interest from 1964 on."""
    rows = data("investment")
    price = rows["Price"]
    inflation = 100 * price.diff() / price.shift()
    X = pd.DataFrame(
        {"product": rows["GNP"] / price, "interest": rows["Interest"] - inflation}
    ).iloc[1:]
    return X, (rows["Investment"] / price).iloc[1:]


def test_newey_west_in_r():
    """R's sandwich 3.1-1, the same file: NeweyWest(fm, lag = 4, prewhite = FALSE)."""
    X, y = investment()
    model = LinearRegression().fit(X, y)
    V = model.covariance(X, y, kind="HAC", max_lags=4, use_correction=False)
    agree([V[0, 0], V[1, 1], V[2, 2]], "0.0002805888 11.171472998 359.4170681")
    agree([V[0, 1], V[0, 2], V[1, 2]], "-0.005355931 -0.3115505035 -4.089319305")
    # Greene's table 15.2, with n - P degrees of freedom.
    agree(model.standard_errors_, "0.02057 2.36875 24.91527")


@pytest.mark.parametrize(
    ("results", "corrected"),
    [
        (macro.results_newey4, True),
        (macro.results_ivhac4_small, True),
        (macro.results_ivhac4_large, False),
    ],
)
def test_newey_west_in_stata(results, corrected):
    """Stata's newey …, lag(4) and ivreg2 …, bw(5), as statsmodels ships them."""
    rows = sm.datasets.macrodata.load_pandas().data
    X = np.column_stack([400 * np.diff(np.log(rows["realgdp"])), rows["realint"][:-1]])
    y = 400 * np.diff(np.log(rows["realinv"]))
    model = LinearRegression().fit(X, y)
    options = {"kind": "HAC", "max_lags": 4, "use_correction": corrected}
    # As many digits as were printed, about eleven of each.
    same(model.covariance(X, y, **options), results.cov, 1e-9)
    if corrected:
        table = model.summary(X, y, **options).to_frame()
        np.testing.assert_allclose(table["t"], results.tvalues, rtol=1e-9)
        np.testing.assert_allclose(table["p_value"], results.pvalues, rtol=1e-7)
    plain = model.covariance(X, y, kind="HC1")
    same(plain, macro.results_hc0.cov, 1e-9)


def schools():
    """Greene (1993), table 14.1: expenditure and income of states, one of them missing."""
    rows = data("public_schools")
    income = rows["Income"] * 1e-4
    X = pd.DataFrame({"income": income, "square": income**2})
    present = rows["Expenditure"].notna()
    return X[present], rows["Expenditure"][present], income, present


def test_white_in_r():
    """R's sandwich 3.1-1, the same file: Greene's tables 14.2 and 14.3, and the HC3 of vcovJK."""
    X, y, income, present = schools()
    model = LinearRegression().fit(X, y)
    agree(model.params_, "-1834.2029 1587.0423 832.9144")
    agree(model.standard_errors_, "828.9855 519.0768 327.2925")
    found = model.summary(X, y, kind="HC0").to_frame()["standard_error"]
    agree(found, "1243.0430 829.9927 460.8917")
    # poly(Income, 2): orthonormal columns of all 51 states, of either sign.
    powers = np.vander(income - income.mean(), 3, increasing=True)
    columns = np.linalg.qr(powers)[0][present.to_numpy(), 1:]
    model.fit(columns, y)
    V = model.covariance(columns, y, kind="HC3") * (50 - 1) / 50
    agree([V[2, 2], V[0, 0], V[1, 1]], "97.84092 25053.095 46955.800")
    agree(np.abs([V[0, 2], V[1, 2], V[0, 1]]), "1055.13101 1370.85525 31336.158")


def test_journals_in_r():
    """R's AER 1.2-15, tests/Ch-Validation.Rout.save: vcovHC of log(subs) ~ log(citeprice)."""
    rows = data("journals")
    X = np.log(rows["price"] / rows["citations"]).to_frame("citeprice")
    y = np.log(rows["subs"])
    model = LinearRegression().fit(X, y)
    printed = {
        "HC0": "0.03377 0.05495",
        "HC1": "0.03396 0.05526",
        "HC2": "0.03412 0.05525",
        "HC3": "0.03447 0.05555",
    }
    agree(model.standard_errors_, "0.03561 0.05591")
    for kind, errors in printed.items():
        agree(model.summary(X, y, kind=kind).to_frame()["standard_error"], errors)
    V = model.covariance(X, y, kind="HC3")
    agree([V[0, 0], V[0, 1], V[1, 1]], "0.001188 0.000693 0.003085")
    test = model.breusch_pagan(X, y)
    agree([test.statistic, test.p_value], "9.8 0.002")


def firms():
    """Grunfeld's ten firms in 20 years, those that Stata has."""
    rows = sm.datasets.grunfeld.load_pandas().data.iloc[:200]
    return rows[["value", "capital"]], rows["invest"], rows["firm"], rows["year"]


# statsmodels' copy of the data differs from Stata's in the eighth digit of some numbers.
STATAS_ROWS = 2e-7


def test_firms_in_stata():
    """Stata's regress, vce(cluster company) and ivreg2, cluster(…), as statsmodels ships them."""
    X, y, firm, year = firms()
    model = LinearRegression().fit(X, y)
    options = {"kind": "cluster", "groups": firm}
    same(model.covariance(X, y, **options), grunfeld.results_cluster.cov, STATAS_ROWS)
    table = model.summary(X, y, **options, df_correction=True).to_frame()
    np.testing.assert_allclose(table["p_value"], grunfeld.results_cluster.pvalues, rtol=1e-6)
    ends = grunfeld.results_cluster.params_table[:, 4:6]
    np.testing.assert_allclose(table[["lower", "upper"]], ends, rtol=1e-6)
    both = np.column_stack([firm.astype("category").cat.codes, year])
    options["use_correction"] = False
    same(model.covariance(X, y, **options), grunfeld.results_cluster_large.cov, STATAS_ROWS)
    options["groups"] = both
    two = model.covariance(X, y, **options)
    same(two, grunfeld.results_cluster_2groups_large.cov, STATAS_ROWS)
    # ivreg2, small: one factor, of the smaller number of clusters, for the three covariances.
    factor = 10 / 9 * 199 / 197
    same(two * factor, grunfeld.results_cluster_2groups_small.cov, STATAS_ROWS)


@pytest.mark.parametrize("weights", ["precision", "probability"])
def test_weighted_firms_in_stata(weights):
    """Stata's regress … [aw = 1/mvalue], robust and vce(cluster company)."""
    X, y, firm, _ = firms()
    w = 1 / X["value"]
    model = LinearRegression(weights=weights).fit(X, y, w)
    found = model.covariance(X, y, w, kind="HC1")
    same(found, grunfeld.results_hc1_wls_small.cov, STATAS_ROWS)
    found = model.covariance(X, y, w, kind="cluster", groups=firm)
    same(found, grunfeld.results_cluster_wls_small.cov, STATAS_ROWS)


EXECUTIONS = {
    "frequency": ("fweight", 33),
    "precision": ("aweight", 17),
    "probability": ("pweight", 17),
}
# Stata's iterations end at a change of 1e-6 of the deviance.
STATAS_FIT = 2e-6


def executions():
    rows = sm.datasets.cpunish.load_pandas()
    X = rows.exog.to_numpy(copy=True)
    X[:, 3] = np.log(X[:, 3])
    weights = np.array([1, 1, 1, 2, 2, 2, 3, 3, 3, 1, 1, 1, 2, 2, 2, 3, 3], dtype=float)
    return X, rows.endog.to_numpy(), weights, np.arange(1, 18) // 2


@pytest.mark.parametrize("weights", EXECUTIONS)
def test_what_weights_of_counts_are_in_stata(weights):
    """Stata's glm, family(poisson) with fweight, aweight and pweight: statsmodels ships them.

    Its robust covariances have the factors ``n/(n-1)`` and ``G/(G-1)``, and aweights are
    divided by their mean.
    """
    X, y, w, groups = executions()
    name, n = EXECUTIONS[weights]
    model = GeneralizedLinearRegressor("poisson", weights=weights, tol=1e-12).fit(X, y, w)
    assert model.n_observations_ == n

    def results(kind):
        return getattr(weighted, f"results_poisson_{name}_{kind}").cov

    plain = model.covariance(X, y, w, kind="HC0")
    same(plain * n / (n - 1), results("hc1"), STATAS_FIT)
    corrected = model.covariance(X, y, w, kind="HC1")
    np.testing.assert_allclose(corrected, plain * n / (n - 7), rtol=1e-10)
    options = {"kind": "cluster", "groups": groups, "use_correction": False}
    found = model.covariance(X, y, w, **options)
    same(found * 9 / 8, results("clu1"), STATAS_FIT)
    if weights == "frequency":
        same(model.covariance_, results("nonrobust"), STATAS_FIT)
        ll = weighted.results_poisson_fweight_nonrobust.ll
        assert model.log_likelihood_ == pytest.approx(
            ll, rel=2e-8
        )  # it stops a little below the maximum
    if weights == "precision":
        same(model.covariance_ * w.mean(), results("nonrobust"), STATAS_FIT)


@pytest.mark.parametrize("weights", EXECUTIONS)
def test_what_weights_of_a_linear_fit_are_in_stata(weights):
    """Stata's regress with the same weights, vce(cluster id) and vce(robust)."""
    X, y, w, groups = executions()
    model = LinearRegression(weights=weights).fit(X, y, w)
    name, _ = EXECUTIONS[weights]
    found = model.covariance(X, y, w, kind="cluster", groups=groups)
    same(found, getattr(weighted, f"results_wls_{name}_clu1").cov, STATAS_FIT)
    if weights != "frequency":
        found = model.covariance(X, y, w, kind="HC1")
        same(found, weighted.results_wls_aweight_robust.cov, STATAS_FIT)


def test_robust_covariances_of_statsmodels_with_weights():
    """What docs/inference.md says of it: HC0 under all names, which counts by either weight."""
    X, y, w, _ = executions()
    A = np.column_stack([X, np.ones(len(y))])
    for option, weights in (("freq_weights", "frequency"), ("var_weights", "precision")):
        model = GeneralizedLinearRegressor("poisson", weights=weights, tol=1e-12).fit(X, y, w)
        plain = model.covariance(X, y, w, kind="HC0")
        for kind in ("HC0", "HC1", "HC2", "HC3"):
            peer = sm.GLM(y, A, sm.families.Poisson(), **{option: w}).fit(tol=1e-13, cov_type=kind)
            same(plain, peer.cov_params(), 1e-7)
        model = LinearRegression(weights="precision").fit(X, y, w)
        for kind in ("HC0", "HC1", "HC2", "HC3"):
            peer = sm.WLS(y, A, w).fit(cov_type=kind)
            same(model.covariance(X, y, w, kind=kind), peer.cov_params(), 1e-7)


def test_frequencies_in_statsmodels():
    """The other rows of that table: clusters, HAC, Cook's distances and Anscombe residuals."""
    X, y, w, groups = executions()
    A = np.column_stack([X, np.ones(len(y))])

    def peer(family, **options):
        return sm.GLM(y, A, family, freq_weights=w).fit(tol=1e-13, **options)

    model = GeneralizedLinearRegressor("poisson", tol=1e-12).fit(X, y, w)
    clustered = peer(sm.families.Poisson(), cov_type="cluster", cov_kwds={"groups": groups})
    found = model.covariance(X, y, w, kind="cluster", groups=groups)
    same(found, clustered.cov_params() * ((33 - 1) / (33 - 7)) / ((17 - 1) / (17 - 7)), 1e-7)
    options = {"cov_type": "HAC", "cov_kwds": {"maxlags": 2}}
    in_time = peer(sm.families.Poisson(), **options)
    bread = np.linalg.inv((A * (w * in_time.mu)[:, np.newaxis]).T @ A)
    for power, expected in ((0.5, in_time.cov_params()), (1, None)):
        scores = A * (w**power * (y - in_time.mu))[:, np.newaxis]
        meat = scores.T @ scores
        for lag in (1, 2):
            product = scores[lag:].T @ scores[:-lag]
            meat += (1 - lag / 3) * (product + product.T)
        if expected is None:
            expected = model.covariance(X, y, w, kind="HAC", max_lags=2, use_correction=False)
        same(bread @ meat @ bread, expected, 1e-7)
    plain = peer(sm.families.Poisson())
    cooks = model.influence(X, y, w)["cooks_distance"]
    np.testing.assert_allclose(cooks, w * plain.get_influence().cooks_distance[0], rtol=1e-6)
    y = y + 1.0
    gamma = GeneralizedLinearRegressor("gamma", tol=1e-12).fit(X, y, w)
    theirs = peer(sm.families.Gamma(sm.families.links.Log())).resid_anscombe
    found = gamma.residuals(X, y, w, kind="anscombe") / np.sqrt(gamma.dispersion_)
    np.testing.assert_allclose(found, theirs, rtol=1e-6)
