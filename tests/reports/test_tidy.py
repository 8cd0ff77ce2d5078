"""tidy and glance: what broom prints, statsmodels' figures, and the summaries of the models."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import (
    PCA,
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    glance,
    likelihood_ratio_test,
    results,
    tidy,
)
from mcmodels.exceptions import ConstantTargetWarning, InferenceError, PerfectFitWarning
from mcmodels.inference.null_deviance import null_deviance
from tests.inference.published import agree, data

CARS = data("mtcars")
WT, MPG, AM = CARS[["wt"]], CARS["mpg"], CARS["am"]
OF_LM = ["r.squared", "adj.r.squared", "sigma", "statistic", "p.value", "df", "logLik", "AIC"]
OF_LM += ["BIC", "deviance", "df.residual", "nobs"]
OF_GLM = ["null.deviance", "df.null", "logLik", "AIC", "BIC", "deviance", "df.residual", "nobs"]
TESTS = ["estimate", "std.error", "statistic", "p.value"]


def test_broom_prints_this_of_lm():
    """broom's pages of tidy.lm and glance.lm: lm(mpg ~ wt), lm(mpg ~ wt + qsec); mtcars."""
    model = LinearRegression().fit(WT, MPG)
    found = tidy(model)
    assert list(found.columns) == ["term", *TESTS]
    assert found["term"].tolist() == ["wt", "(intercept)"]
    agree(found[TESTS].iloc[1], "37.3 1.88 19.9 8.24e-19")
    agree(found[TESTS].iloc[0], "-5.34 0.559 -9.56 1.29e-10")
    row = glance(model)
    assert list(row.columns) == OF_LM
    agree(row.iloc[0], "0.753 0.745 3.05 91.4 1.29e-10 1 -80.0 166 170 278 30 32")

    two = LinearRegression().fit(CARS[["wt", "qsec"]], MPG)
    agree(tidy(two)[TESTS].iloc[2], "19.7 5.25 3.76 0.000765")
    agree(tidy(two)[TESTS].iloc[0], "-5.05 0.484 -10.4 2.52e-11")
    agree(tidy(two)[TESTS].iloc[1], "0.929 0.265 3.51 0.00150")
    ends = tidy(two, level=0.95)[["conf.low", "conf.high"]]
    agree(ends.iloc[[2, 0, 1]], "9.00 30.5 -6.04 -4.06 0.387 1.47")
    agree(glance(two).iloc[0], "0.826 0.814 2.60 69.0 9.39e-12 2 -74.4 157 163 195 29 32")


@pytest.mark.parametrize(
    "model", [LogisticRegression(C=np.inf), GeneralizedLinearRegressor("binomial")]
)
def test_broom_prints_this_of_glm(model):
    """broom's pages of tidy.glm and glance.glm: glm(am ~ wt, mtcars, family = "binomial")."""
    model = model.fit(WT, AM)
    agree(tidy(model)[TESTS].iloc[1], "12.0 4.51 2.67 0.00759")
    agree(tidy(model)[TESTS].iloc[0], "-4.02 1.44 -2.80 0.00509")
    row = glance(model)
    assert list(row.columns) == OF_GLM
    agree(row.iloc[0], "43.2 31 -9.59 23.2 26.1 19.2 30 32")


FAMILIES = {
    "normal": ("normal", None, sm.families.Gaussian()),
    "poisson": ("poisson", None, sm.families.Poisson()),
    "gamma": ("gamma", "log", sm.families.Gamma(sm.families.links.Log())),
    "inverse": ("gamma", "inverse", sm.families.Gamma()),
    "inverse gaussian": (
        "inverse_gaussian",
        "log",
        sm.families.InverseGaussian(sm.families.links.Log()),
    ),
    "binomial": ("binomial", None, sm.families.Binomial()),
    "cloglog": ("binomial", "cloglog", sm.families.Binomial(sm.families.links.CLogLog())),
    "negative binomial": (
        "negative_binomial",
        "log",
        sm.families.NegativeBinomial(sm.families.links.Log(), alpha=1.0),
    ),
}


@pytest.mark.parametrize("extra", [{}, {"alpha": 2.0}, {"prior": "jeffreys"}])
@pytest.mark.parametrize("name", FAMILIES)
def test_null_deviances_are_those_of_statsmodels(name, extra):
    """They are of the rows alone, so that a penalty of the fit must not be seen."""
    family, link, peer = FAMILIES[name]
    if extra and name != "poisson":
        return
    X = CARS[["hp", "qsec"]] / [100.0, 10.0]
    y = {
        "binomial": CARS.index % 2 == 0,
        "poisson": CARS["carb"],
        "negative_binomial": CARS["carb"],
    }
    y = y.get(family, MPG)
    model = GeneralizedLinearRegressor(family, **({"link": link} if link else {}), **extra)
    weights = np.arange(32) % 3 + (name != "binomial")
    fitted = model.fit(X, y, weights)
    theirs = sm.GLM(y, sm.add_constant(X), family=peer, freq_weights=weights).fit(tol=1e-13)
    row = glance(fitted).iloc[0]
    # Both subtract kernels that are some 1e3 times as large as their difference.
    np.testing.assert_allclose(row["null.deviance"], theirs.null_deviance, rtol=1e-11)
    if not extra:
        np.testing.assert_allclose(row["deviance"], theirs.deviance, rtol=1e-8)
        np.testing.assert_allclose(row["df.residual"], theirs.df_resid)
    assert row["nobs"] == weights.sum() == row["df.null"] + 1


@pytest.mark.parametrize("family", ["normal", "poisson", "binomial"])
def test_without_an_intercept_the_null_model_has_a_predictor_of_zero(family):
    """As in R: means of zero, one and a half."""
    X, y = CARS[["hp", "qsec"]] / [100.0, 10.0], CARS["vs"].to_numpy(dtype=float)
    expected = {
        "normal": np.sum(y**2),
        "poisson": 2 * np.sum(np.where(y > 0, -(y - 1), 1.0)),  # y log(y/1) is zero here
        "binomial": 2 * len(y) * np.log(2.0),
    }[family]
    model = GeneralizedLinearRegressor(family, fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(glance(model)["null.deviance"], expected, rtol=1e-13)
    assert glance(model).at[0, "df.null"] == 32
    if family == "binomial":
        logistic = LogisticRegression(C=np.inf, fit_intercept=False).fit(X, y)
        np.testing.assert_allclose(glance(logistic)["null.deviance"], expected, rtol=1e-13)


def test_a_null_deviance_without_digits_is_not_a_number():
    """Targets far from zero: kernels of 1e16 whose difference is one."""
    X = CARS[["hp"]] / 100.0
    far = GeneralizedLinearRegressor().fit(X, MPG + 1e8)
    assert np.isnan(glance(far).at[0, "null.deviance"])
    near = GeneralizedLinearRegressor().fit(X, MPG + 100.0)
    np.testing.assert_allclose(glance(near)["null.deviance"], 31 * np.var(MPG, ddof=1), rtol=1e-7)


def test_the_checker_of_null_deviances_sees_another_mean():
    model = GeneralizedLinearRegressor("poisson").fit(WT, CARS["carb"])
    record, y = model._fit, CARS["carb"]
    args = record.loss, record.deviance, record.objective
    right = null_deviance(*args, float(y.sum()), 32.0, intercept=True)
    wrong = null_deviance(*args, float(y.sum()) * 1.001, 32.0, intercept=True)
    np.testing.assert_allclose(right, glance(model)["null.deviance"], rtol=1e-15)
    assert abs(wrong / right - 1) > 1e-4


def test_an_offset_has_no_null_deviance_but_of_two_classes():
    exposure = CARS["qsec"]
    counts = GeneralizedLinearRegressor("poisson").fit(WT, CARS["carb"], exposure=exposure)
    assert np.isnan(glance(counts).at[0, "null.deviance"])
    offset = np.linspace(-0.5, 0.5, 32)
    classes = LogisticRegression(C=np.inf).fit(WT, AM, offset=offset)
    ones = np.ones((32, 1))
    peer = sm.GLM(AM, ones, family=sm.families.Binomial(), offset=offset).fit(tol=1e-13)
    np.testing.assert_allclose(glance(classes)["null.deviance"], peer.deviance, rtol=1e-9)


@pytest.mark.parametrize("y", [MPG, CARS["carb"]])
def test_criteria_count_an_estimated_dispersion_as_r_does(y):
    """R: AIC(lm) and AIC(glm) of gaussian are the same; aic_ leaves the variance out."""
    linear, normal = LinearRegression().fit(WT, y), GeneralizedLinearRegressor().fit(WT, y)
    a, b = glance(linear).iloc[0], glance(normal).iloc[0]
    for name in ("logLik", "AIC", "BIC", "deviance", "df.residual", "nobs"):
        np.testing.assert_allclose(a[name], b[name], rtol=1e-10)
    np.testing.assert_allclose(a["AIC"], linear.aic_ + 2, rtol=1e-14)
    np.testing.assert_allclose(a["BIC"], linear.bic_ + np.log(32), rtol=1e-14)
    counts = GeneralizedLinearRegressor("poisson").fit(WT, CARS["carb"])
    assert glance(counts).at[0, "AIC"] == counts.aic_


def test_an_estimated_theta_is_counted_once_and_takes_no_degree_of_freedom():
    """As R's glm.nb: df of logLik is P + 1, df.residual is n - P."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 1))
    y = rng.negative_binomial(2.0, 2.0 / (2.0 + np.exp(1 + 0.5 * x[:, 0])))
    row = glance(GeneralizedLinearRegressor("negative_binomial", theta="estimate").fit(x, y))
    np.testing.assert_allclose(row["AIC"], -2 * row["logLik"] + 6)
    assert row.at[0, "df.residual"] == 398


def test_more_classes_have_y_level_and_edf():
    anes = data("anes96_mnlogit")
    X, y = anes[["logpopul", "selfLR", "age"]], anes["PID"]
    model = LogisticRegression(C=np.inf).fit(X, y)
    peer = sm.MNLogit(y, sm.add_constant(X)).fit(disp=0, method="newton", tol=1e-12)
    found = tidy(model, level=0.9)
    assert list(found.columns) == ["y.level", "term", *TESTS, "conf.low", "conf.high"]
    order = [1, 2, 3, 0]
    assert found["y.level"].tolist() == np.repeat([1, 2, 3, 4, 5, 6], 4).tolist()
    np.testing.assert_allclose(
        found["estimate"], peer.params.to_numpy()[order].T.ravel(), rtol=1e-7
    )
    np.testing.assert_allclose(found["std.error"], peer.bse.to_numpy()[order].T.ravel(), rtol=1e-7)
    row = glance(model)
    assert list(row.columns) == ["edf", "deviance", "AIC", "nobs"]
    np.testing.assert_allclose(
        row.iloc[0], [24, -2 * peer.llf, -2 * peer.llf + 48, len(y)], rtol=1e-10
    )
    other = tidy(model, reference=6)
    assert other["y.level"].unique().tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(other["estimate"][:4], -found["estimate"][-4:], rtol=1e-8)


def test_several_targets_have_response():
    Y = CARS[["mpg", "disp"]]
    found = tidy(LinearRegression().fit(CARS[["wt", "hp"]], Y))
    assert found["response"].tolist() == ["mpg"] * 3 + ["disp"] * 3
    for name in Y:
        alone = tidy(LinearRegression().fit(CARS[["wt", "hp"]], Y[name]))
        own = found[found["response"] == name].drop(columns="response").reset_index(drop=True)
        pd.testing.assert_frame_equal(own, alone, rtol=1e-9)
    with pytest.raises(InferenceError, match="glance is for one target, and y had 2"):
        glance(LinearRegression().fit(WT, Y))


@pytest.mark.parametrize("kind", ["HC1", "CR2", "cluster"])
def test_robust_errors_are_those_of_the_summary(kind):
    X, groups = CARS[["wt", "hp"]], CARS["carb"] if kind != "HC1" else None
    model = LinearRegression().fit(X, MPG)
    found = tidy(model, X, MPG, level=0.9, kind=kind, groups=groups)
    table = model.summary(X, MPG, level=0.9, kind=kind, groups=groups).to_frame()
    assert ("df" in found) == (kind == "CR2")
    pd.testing.assert_frame_equal(
        found.drop(columns="term"), table.set_axis(found.columns[1:], axis=1).reset_index(drop=True)
    )


def test_exponentiate_leaves_the_errors_of_the_coefficients_as_broom_does():
    model = LogisticRegression(C=np.inf).fit(WT, AM)
    plain, found = tidy(model, level=0.95), tidy(model, level=0.95, exponentiate=True)
    for name in ("estimate", "conf.low", "conf.high"):
        np.testing.assert_allclose(np.log(found[name]), plain[name], rtol=1e-12)
    same = ["term", "std.error", "statistic", "p.value"]
    pd.testing.assert_frame_equal(found[same], plain[same])


def test_penalised_fits_have_no_tests_and_no_criteria():
    model = LogisticRegression(C=1.0).fit(WT, AM)
    assert list(tidy(model).columns) == ["term", "estimate", "std.error"]
    row = glance(model).iloc[0]
    assert np.isnan(row[["AIC", "BIC"]]).all()
    assert np.isfinite(row[["logLik", "deviance", "null.deviance"]]).all()
    assert "p.value" in tidy(FirthLogisticRegression().fit(WT, AM))


def test_pipelines_searches_and_results_are_read_through():
    X = CARS[["wt", "hp"]]
    pipeline = make_pipeline(StandardScaler(), LinearRegression()).fit(X, MPG)
    expected = tidy(pipeline[-1].__class__().fit(StandardScaler().fit_transform(X), MPG))
    found = tidy(pipeline)
    assert found["term"].tolist() == ["wt", "hp", "(intercept)"]
    pd.testing.assert_frame_equal(
        found.drop(columns="term"), expected.drop(columns="term"), rtol=1e-12
    )
    search = GridSearchCV(pipeline, {"linearregression__fit_intercept": [True]}).fit(X, MPG)
    for other in (results(pipeline), search):
        pd.testing.assert_frame_equal(tidy(other), found)
        pd.testing.assert_frame_equal(glance(other), glance(pipeline))
    robust = tidy(pipeline, X, MPG, kind="HC3")
    table = results(pipeline).summary(X, MPG, kind="HC3").to_frame()
    np.testing.assert_array_equal(robust["std.error"], table["standard_error"])


class WithRobust(type(results(LinearRegression().fit(WT, MPG)))):
    """Results that have chosen a covariance: tables ask them for it."""

    def _estimate(self):
        return self.model._estimate(WT, MPG, None, kind="HC3")[1]


def test_results_with_a_covariance_of_their_own_use_it():
    model = LinearRegression().fit(WT, MPG)
    found = tidy(WithRobust(model))
    pd.testing.assert_frame_equal(found, tidy(model, WT, MPG, kind="HC3"))
    row = glance(WithRobust(model)).iloc[0]
    np.testing.assert_allclose(row["statistic"], found.at[0, "statistic"] ** 2, rtol=1e-12)
    np.testing.assert_allclose(row["p.value"], found.at[0, "p.value"], rtol=1e-10)


def test_dependent_columns_leave_what_is_of_the_whole_fit():
    X = CARS[["wt", "hp"]].assign(sum=CARS["wt"] + CARS["hp"])
    with pytest.warns(UserWarning, match="dependen"):
        model = LinearRegression().fit(X, MPG)
    row, expected = glance(model), glance(LinearRegression().fit(CARS[["wt", "hp"]], MPG))
    pd.testing.assert_frame_equal(row, expected, rtol=1e-9)
    # wt and hp and their sum: no single coefficient is determined, and the intercept is.
    found = tidy(model).set_index("term")
    assert found.drop(index="(intercept)").isna().all(axis=None)
    intercept = tidy(LinearRegression().fit(CARS[["wt", "hp"]], MPG)).set_index("term").iloc[-1]
    pd.testing.assert_series_equal(found.loc["(intercept)"], intercept, rtol=1e-9)


def test_edges_of_linear_fits():
    with pytest.warns(ConstantTargetWarning):
        constant = LinearRegression().fit(WT, np.ones(32))
    row = glance(constant).iloc[0]
    assert np.isnan(row[["r.squared", "adj.r.squared", "statistic", "p.value"]]).all()
    exact = LinearRegression().fit(WT, 2 * CARS["wt"])
    with pytest.warns(PerfectFitWarning):
        tidy(exact)
    survey = LinearRegression(weights="probability").fit(WT, MPG, np.arange(1.0, 33.0))
    row = glance(survey).iloc[0]
    assert np.isnan(row[["AIC", "BIC"]]).all()
    np.testing.assert_allclose(row["statistic"], survey.f_test_.statistic)


def test_what_has_no_coefficients_is_refused():
    with pytest.raises(TypeError, match="tidy needs a model with coefficients, and found PCA"):
        tidy(PCA().fit(WT))
    with pytest.raises(TypeError, match="glance needs a model with coefficients, and found PCA"):
        glance(PCA().fit(WT))
    own = ObjectiveRegressor("(y - eta)**2", log_likelihood=True).fit(WT, MPG)
    assert len(tidy(own)) == 2
    with pytest.raises(TypeError, match="glance has no measures of a ObjectiveRegressor"):
        glance(own)
    model = LinearRegression().fit(WT, MPG)
    with pytest.raises(ValueError, match="level=95 must lie between 0 and 1"):
        tidy(model, level=95)
    model.coef_ = 2 * model.coef_
    for table in (tidy, glance):
        with pytest.raises(InferenceError, match="coef_ or intercept_ was changed"):
            table(model)


def test_glances_agree_with_the_test_of_nested_fits():
    small = GeneralizedLinearRegressor("poisson").fit(WT, CARS["carb"])
    big = GeneralizedLinearRegressor("poisson").fit(CARS[["wt", "hp"]], CARS["carb"])
    test = likelihood_ratio_test(small, big)
    gap = glance(small).at[0, "deviance"] - glance(big).at[0, "deviance"]
    np.testing.assert_allclose(test.statistic, gap, rtol=1e-9)
