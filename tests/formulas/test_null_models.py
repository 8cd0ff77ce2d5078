"""Null models, ``y ~ 1``: closed forms, statsmodels, and comparisons with larger models."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import statsmodels.api as sm
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from mcmodels import (
    FirthLogisticRegression,
    Formula,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    anova,
    compare,
    fit_formula,
    likelihood_ratio_test,
    results,
)
from mcmodels.exceptions import InferenceError, RankDeficiencyWarning


def table(n=80):
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"a": rng.normal(size=n), "k": np.full(n, 3.0)})
    data["y"] = 5.0 + data["a"] + rng.normal(size=n)
    data["yes"] = np.where(data["y"] > 4.5, "yes", "no")
    data["class"] = np.digitize(data["y"], [4.5, 5.5])
    data["years"] = rng.uniform(1.0, 2.0, n)
    data["count"] = rng.poisson(data["years"] * np.exp(data["a"] / 2))
    data["cost"] = rng.gamma(2.0, np.exp(data["a"] / 2))
    return data


DATA = table()
N = len(DATA)
LOGISTIC = LogisticRegression(C=np.inf, tol=1e-12)
MODELS = {
    "linear": (LinearRegression(), "y", {}),
    "logistic": (LOGISTIC, "yes", {}),
    "classes": (LOGISTIC, "C(class)", {}),
    "poisson": (
        GeneralizedLinearRegressor("poisson", tol=1e-12),
        "count",
        {"exposure": "years"},
    ),
    "gamma": (GeneralizedLinearRegressor("gamma", tol=1e-12), "cost", {}),
}


def null_and_full(name):
    model, y, options = MODELS[name]
    return [fit_formula(f"{y} ~ {x}", DATA, model, **options) for x in ("1", "a")]


def test_estimates_and_errors_in_closed_form():
    """Means, log-odds and log rates, with the errors of their textbooks."""
    p, of_class = (DATA["yes"] == "yes").mean(), DATA["class"].value_counts(sort=False)
    rate = DATA["count"].sum() / DATA["years"].sum()
    dispersion = DATA["cost"].var(ddof=1) / DATA["cost"].mean() ** 2
    expected = {
        "linear": [(DATA["y"].mean(), DATA["y"].std(ddof=1) / np.sqrt(N))],
        "logistic": [(np.log(p / (1 - p)), 1 / np.sqrt(N * p * (1 - p)))],
        "classes": [
            (np.log(of_class[k] / of_class[0]), np.sqrt(1 / of_class[k] + 1 / of_class[0]))
            for k in (1, 2)
        ],
        "poisson": [(np.log(rate), 1 / np.sqrt(DATA["count"].sum()))],
        "gamma": [(np.log(DATA["cost"].mean()), np.sqrt(dispersion / N))],
    }
    for name, values in expected.items():
        tables = results(null_and_full(name)[0]).summary().tables.values()
        found = pd.concat(tables)
        assert found.index.tolist() == ["(intercept)"] * len(values)
        # A gradient of 1e-12 n beside a curvature of n p(1 - p), say.
        close = [found["coefficient"], found["standard_error"]]
        np.testing.assert_allclose(np.transpose(close), values, rtol=1e-10, err_msg=name)


@pytest.mark.parametrize("name", MODELS)
def test_comparisons_with_the_full_model(name):
    null, full = null_and_full(name)
    y = DATA[MODELS[name][1].removeprefix("C(").removesuffix(")")]
    A = sm.add_constant(DATA[["a"]])
    if name == "linear":
        theirs = sm.OLS(y, A).fit()
        ratio, statistic = N * np.log(theirs.centered_tss / theirs.ssr), theirs.fvalue
    elif name in ("logistic", "classes"):
        codes = (y == "yes").astype(float) if name == "logistic" else y
        theirs = (sm.Logit if name == "logistic" else sm.MNLogit)(codes, A).fit(disp=0, tol=1e-14)
        ratio = statistic = theirs.llr
    else:
        families = {
            "poisson": (sm.families.Poisson(), {"exposure": DATA["years"]}),
            "gamma": (sm.families.Gamma(sm.families.links.Log()), {}),
        }
        family, options = families[name]
        theirs = sm.GLM(y, A, family, **options).fit(tol=1e-14, maxiter=100)
        ratio = statistic = (theirs.null_deviance - theirs.deviance) / theirs.scale
    # Differences of sums over the rows, which are some hundred times as large.
    assert likelihood_ratio_test(null, full).statistic == pytest.approx(ratio, rel=1e-9)
    last = anova(null, full).iloc[-1]
    assert last["F" if name == "linear" else "statistic"] == pytest.approx(statistic, rel=1e-9)
    assert last["df"] == (2 if name == "classes" else 1)
    text = str(compare(null, full))
    assert text.count("(intercept)") == 1  # in one row for both
    assert null.steps[-1][1].fit_intercept is False


@pytest.mark.parametrize("name", MODELS)
def test_a_null_model_is_that_without_slopes(name):
    """Predictions, their errors and influence are those of an intercept beside a zero column."""
    model, y, options = MODELS[name]
    null = results(null_and_full(name)[0])
    assert null.terms.names == ()
    measure = {"linear": "R²", "logistic": "McFadden's R²", "classes": "McFadden's R²"}
    if name in measure:
        assert null.summary().conclusions[measure[name]] == "0"
    with pytest.warns(RankDeficiencyWarning):
        flat = results(fit_formula(f"{y} ~ I(0*a)", DATA, model, **options))
    for ask in ("predictions", *(() if name == "classes" else ("predict_interval", "influence"))):
        ours, theirs = (getattr(one, ask)(DATA) for one in (null, flat))
        theirs = theirs[ours.columns]
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-8, err_msg=ask)
    with pytest.raises(InferenceError, match="the model has no terms"):
        null.wald_test(terms=True)
    intervals = null.confidence_intervals(0.95, DATA, kind="HC1")
    np.testing.assert_allclose(
        intervals, flat.confidence_intervals(0.95, DATA, kind="HC1").dropna(), rtol=1e-8
    )


def test_an_intercept_is_not_penalised():
    for penalised, plain, y in (
        (LogisticRegression(C=0.01, tol=1e-12), LOGISTIC, "yes"),
        (GeneralizedLinearRegressor(alpha=9.0), GeneralizedLinearRegressor(), "count"),
        (Ridge(alpha=9.0), LinearRegression(), "y"),
    ):
        one, other = (
            fit_formula(f"{y} ~ 1", DATA, model).steps[-1][1] for model in (penalised, plain)
        )
        np.testing.assert_allclose(np.ravel(one.coef_), np.ravel(other.coef_), rtol=1e-10)
    p = (DATA["yes"] == "yes").sum()
    firth = fit_formula("yes ~ 1", DATA, FirthLogisticRegression(tol=1e-12)).steps[-1][1]
    # Jeffreys' prior adds half a row to each class: Firth (1993), section 4.2.
    assert firth.coef_.item() == pytest.approx(np.log((p + 0.5) / (N - p + 0.5)), rel=1e-10)

    def loss(y, eta):
        return (y - eta) ** 2 / 2

    own = ObjectiveRegressor(loss, log_likelihood=True)
    one = results(fit_formula("y ~ 1", DATA, own)).summary().tables[""]
    assert one.loc["(intercept)", "standard_error"] == pytest.approx(N**-0.5, rel=1e-12)


@pytest.mark.parametrize(
    "kind", [pd.DataFrame, pl.DataFrame, pa.Table.from_pandas, lambda d: d.to_dict("list")]
)
def test_the_step_makes_ones_of_any_table(kind):
    for formula in ("1", "~ 1", "1 + a - a"):
        step = Formula(formula).fit(kind(DATA))
        made = step.transform(kind(DATA.iloc[:7]))
        assert made.to_numpy().tolist() == [[1.0]] * 7
        assert step.get_feature_names_out().tolist() == ["(intercept)"]
        assert step.get_feature_terms() == {"1": [0]}
    made = Formula("1", sparse=True).fit_transform(kind(DATA))
    assert sparse.issparse(made)
    assert made.shape == (N, 1)
    fit = fit_formula("y ~ 1", kind(DATA), LinearRegression())
    assert fit.predict(kind(DATA.drop(columns="y"))) == pytest.approx(DATA["y"].mean())


def test_what_makes_no_column_is_refused():
    for formula in ("0", "a - a - 1"):
        with pytest.raises(ValueError, match="makes no column; '1' makes a column of ones"):
            Formula(formula).fit(DATA)
    with pytest.raises(ValueError, match="model has fit_intercept=False, and the formula an inter"):
        fit_formula("y ~ 1", DATA, LinearRegression(fit_intercept=False))


@pytest.mark.parametrize("name", MODELS)
def test_a_single_constant_column_is_a_null_model(name):
    """In pipelines, too: beside an intercept, and as the column of ones in its place."""
    model, _, options = MODELS[name]
    null, full = null_and_full(name)
    y = DATA[MODELS[name][1].removeprefix("C(").removesuffix(")")]
    offset = {f"{type(model).__name__.lower()}__{of}": DATA[by] for of, by in options.items()}
    with pytest.warns(RankDeficiencyWarning, match="fit_intercept=False beside 'k'"):
        beside = make_pipeline("passthrough", clone(model)).fit(DATA[["k"]], y, **offset)
    ones = clone(model).set_params(fit_intercept=False)
    ones = make_pipeline(Formula("1"), ones).fit(DATA, y, **offset)
    expected = likelihood_ratio_test(null, full)
    for small in (beside, ones):
        found = likelihood_ratio_test(small, full)
        assert (found.statistic, found.df) == pytest.approx((expected.statistic, expected.df))
        np.testing.assert_allclose(anova(small, full), anova(null, full), rtol=1e-9)
        assert "(intercept)" in str(results(small).summary())
        compare(small, full)
