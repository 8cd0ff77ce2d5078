"""Fits by formulas against the formula interface of statsmodels, and printed ones of R."""

import numpy as np
import pandas as pd
import pytest

from mcmodels import (
    Formula,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    fit_formula,
    results,
)
from tests.formulas.designs import FORMULAS, table
from tests.rotation import rotated

pytest.importorskip("formulaic")
sm = pytest.importorskip("statsmodels.api")
smf = pytest.importorskip("statsmodels.formula.api")

DATA = table()


def close(ours, theirs, scale, digits=1e-8):
    """Equal to 1e-8 of the largest, which the issue asks for; both solve well-posed problems."""
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=digits * np.abs(scale).max())


def ordered(summary_frame, names):
    """Coefficients and errors in the order of another table, the intercept last."""
    rows = [*[n for n in names if n != "Intercept"], *(["(intercept)"] * ("Intercept" in names))]
    return summary_frame.loc[rows, ["coefficient", "standard_error"]].to_numpy()


OWN_NAMES = ("bs(", "cr(", "cc(", "Poly", "Diff", "Q(", "&", "k + C(k)")  # or rank deficient
SAME_NAMES = [text for text in FORMULAS if not any(own in text for own in OWN_NAMES)]


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.RankDeficiencyWarning")
@pytest.mark.parametrize("text", FORMULAS)
def test_least_squares_is_that_of_statsmodels(text):
    """Predictions, R² and the errors of predictions do not depend on the order of columns."""
    ours = fit_formula(f"y ~ {text}", DATA, LinearRegression())
    theirs = smf.ols(f"y ~ {text}", DATA).fit()
    close(ours.predict(DATA), theirs.fittedvalues, theirs.fittedvalues)
    if text == "k + C(k)":  # rank deficient: predictions are unique, parameters are not
        return
    found = results(ours).predict_interval(DATA)["standard_error"]
    close(found, theirs.get_prediction(DATA).se_mean, found)


@pytest.mark.parametrize(("text", "kind"), rotated(SAME_NAMES, ["nonrobust", "HC3"]))
def test_tables_of_least_squares_are_those_of_statsmodels(text, kind):
    ours = fit_formula(f"y ~ {text}", DATA, LinearRegression())
    theirs = smf.ols(f"y ~ {text}", DATA).fit(cov_type=kind)
    summary = results(ours).summary(DATA, kind=kind).to_frame()
    expected = np.column_stack([theirs.params, theirs.bse])
    if "Intercept" in theirs.params:
        expected = np.vstack([expected[1:], expected[:1]])
    close(ordered(summary, list(theirs.params.index)), expected, expected)


@pytest.mark.parametrize("text", ["x + sex", "x*sex + size", "bs(x, df=4)", "C(k, Treatment(2))"])
def test_logistic_and_poisson_fits_are_those_of_statsmodels(text):
    logit = smf.logit(f"died ~ {text}", DATA).fit(disp=0, method="newton", tol=1e-14)
    ours = fit_formula(f"died ~ {text}", DATA, LogisticRegression(C=np.inf))
    # The solvers stop near the optimum, where errors of the mean are those of the gradient.
    np.testing.assert_allclose(ours.predict_proba(DATA)[:, 1], logit.predict(DATA), atol=1e-8)
    poisson = smf.glm(
        f"counts ~ {text}", DATA, family=sm.families.Poisson(), exposure=DATA["odd name"]
    ).fit(tol=1e-14, maxiter=100)
    model = GeneralizedLinearRegressor("poisson")
    ours = fit_formula(f"counts ~ {text}", DATA, model, exposure="odd name")
    np.testing.assert_allclose(ours.predict(DATA), poisson.mu, rtol=1e-8)


FAIR = [
    "rate_marriage + age + yrs_married",
    "C(religious) + bs(age, df=4)",
    "C(occupation)*C(religious)",
    "C(occupation, Sum) + np.log(age)",
    "age*yrs_married + I(age**2)",
    "C(rate_marriage, Treatment(3))/age",
]
ANES = [
    "age + C(educ)",
    "C(educ, Helmert) + C(vote)*income",
    "np.log(popul + 1) + bs(age, df=5)",
    "0 + C(vote) + age",
    "(age + income + C(vote))**2",
    "cr(age, df=4, constraints='center') + income",
]
CRIME = [
    "urban + poverty + hs_grad",
    "scale(urban)*scale(poverty)",
    "single + I(single**2) + white",
    "np.log(urban) + center(white)",
    "poverty/single",
    "bs(urban, df=4)",
    "single:poverty - 1",
    "0 + white + urban:poverty",
]
DATASETS = [("fair", "affairs", t) for t in FAIR]
DATASETS += [("anes96", "PID", t) for t in ANES]
DATASETS += [("statecrime", "murder", t) for t in CRIME]


@pytest.mark.parametrize(("name", "target", "text"), DATASETS)
def test_fits_to_data_of_statsmodels(name, target, text):
    data = getattr(sm.datasets, name).load_pandas().data
    theirs = smf.ols(f"{target} ~ {text.replace('scale(', 'standardize(')}", data).fit()
    ours = fit_formula(f"{target} ~ {text}", data, LinearRegression())
    close(ours.predict(data), theirs.fittedvalues, theirs.fittedvalues)
    few = data.sample(9, random_state=0)
    close(ours.predict(few), theirs.predict(few), theirs.fittedvalues)
    assert ours["model"].r_squared_ == pytest.approx(theirs.rsquared, abs=1e-10)


def test_plant_weights_printed_by_r():
    """``lm.D9`` and ``lm.D90`` of R's ``?lm`` (Dobson 1990, p. 9), all printed digits."""
    ctl = [4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14]
    trt = [4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69]
    data = pd.DataFrame({"weight": ctl + trt, "group": ["Ctl"] * 10 + ["Trt"] * 10})
    table_of = results(fit_formula("weight ~ group", data, LinearRegression())).summary().to_frame()
    assert table_of.loc["(intercept)"].iloc[:2].round(4).tolist() == [5.0320, 0.2202]
    assert table_of.loc["group[T.Trt]"].iloc[:2].round(4).tolist() == [-0.3710, 0.3114]
    fit = fit_formula("weight ~ group - 1", data, LinearRegression())
    table_of = results(fit).summary().to_frame()
    assert not fit["model"].fit_intercept
    assert table_of.loc["group[Ctl]"].iloc[:2].round(4).tolist() == [5.0320, 0.2202]
    assert table_of.loc["group[Trt]"].iloc[:2].round(4).tolist() == [4.6610, 0.2202]


def test_heights_of_women_printed_by_r():
    """``lm(weight ~ bs(height, df = 5), data = women)`` of R's ``?bs``."""
    weight = [115.0, 117, 120, 123, 126, 129, 132, 135, 139, 142, 146, 150, 154, 159, 164]
    women = pd.DataFrame({"height": np.arange(58.0, 73.0), "weight": weight})
    fit = fit_formula("weight ~ bs(height, df=5)", women, LinearRegression())
    found = results(fit).summary().to_frame().iloc[:3, :2].round(4).to_numpy().tolist()
    assert found == [[3.4657, 0.4595], [13.0300, 0.3965], [27.6161, 0.4571]]


def test_a_pipeline_of_the_step_is_the_fit_by_the_formula():
    from sklearn.pipeline import make_pipeline

    step = make_pipeline(Formula("x*sex + C(k)"), LinearRegression()).fit(DATA, DATA["y"])
    fit = fit_formula("y ~ x*sex + C(k)", DATA, LinearRegression())
    np.testing.assert_array_equal(step[-1].params_, fit[-1].params_)
    with_y = results(step).summary(DATA, DATA["y"], kind="HC3").to_frame()
    pd.testing.assert_frame_equal(with_y, results(fit).summary(DATA, kind="HC3").to_frame())
