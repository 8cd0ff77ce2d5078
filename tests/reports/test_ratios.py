"""Odds, rate and risk ratios: closed forms of counts, Stata's printed table, the delta method."""

from pathlib import Path

import mpmath
import numpy as np
import pandas as pd
import pytest
import statsmodels
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import (
    PCA,
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    results,
    summarize,
    tidy,
)
from mcmodels.exceptions import SeparationWarning
from mcmodels.inference.ratios import exponentiated
from tests.inference.published import agree

# Of fits without a penalty that end at a gradient of some 1e-9 of the rows, parameters are known
# to about that share of their errors.
CONVERGED = 1e-7
Z = 1.959963984540054  # the quantile of 97.5 %


def groups(counts):
    """Rows of a group 0 or 1 and an outcome k for each count[group][k]."""
    x = [g for g, row in enumerate(counts) for n in row for _ in range(n)]
    y = [k for row in counts for k, n in enumerate(row) for _ in range(n)]
    return pd.DataFrame({"exposed": np.array(x, dtype=float)}), np.array(y)


def test_the_odds_ratio_of_a_table_of_two_by_two():
    """OR = ad/bc, s = OR √(1/a + 1/b + 1/c + 1/d): Agresti (2013), §3.1.1."""
    (a, b), (c, d) = table = (40, 25), (12, 31)
    X, y = groups(table)
    row = LogisticRegression(C=np.inf).fit(X, y).summary(exponentiate=True).to_frame().iloc[0]
    ratio, error = a * d / (b * c), np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    ends = ratio * np.exp(np.array([-1, 1]) * Z * error)
    expected = [ratio, ratio * error, np.log(ratio) / error, *ends]
    found = row[["coefficient", "standard_error", "z", "lower", "upper"]]
    np.testing.assert_allclose(found, expected, rtol=CONVERGED)


def test_the_rate_ratio_of_two_counts_with_exposures():
    """Of counts k₁ and k₀ in t₁ and t₀ years: (k₁/t₁)/(k₀/t₀), s² = 1/k₁ + 1/k₀ of its log."""
    k, t = np.array([30, 17]), np.array([200.0, 260.0])
    model = GeneralizedLinearRegressor("poisson").fit([[0.0], [1.0]], k, exposure=t)
    found = model.summary(exponentiate=True)
    assert found.facts["coefficients as"] == "rate ratios"
    ratio, error = (k[1] / t[1]) / (k[0] / t[0]), np.sqrt((1 / k).sum())
    expected = [ratio, ratio * error, *(ratio * np.exp(np.array([-1, 1]) * Z * error))]
    row = found.to_frame().loc["x0", ["coefficient", "standard_error", "lower", "upper"]]
    np.testing.assert_allclose(row, expected, rtol=CONVERGED)
    baseline = found.to_frame().at["(intercept)", "coefficient"]
    np.testing.assert_allclose(baseline, k[0] / t[0], rtol=CONVERGED)


@pytest.mark.parametrize("reference", [0, 1, 2])
def test_relative_risk_ratios_of_three_classes(reference):
    """n₁ₖ n₀ᵣ / (n₁ᵣ n₀ₖ), with s² = Σ 1/n over the four: Agresti (2013), §8.1.1."""
    n = np.array([[30, 12, 21], [9, 25, 14]])
    X, y = groups(n)
    model = LogisticRegression(C=np.inf).fit(X, y)
    found = model.summary(exponentiate=True, reference=reference)
    assert found.facts["coefficients as"] == "relative risk ratios"
    for k in {0, 1, 2} - {reference}:
        four = n[[1, 0, 1, 0], [k, reference, reference, k]]
        ratio, error = four[0] * four[1] / (four[2] * four[3]), np.sqrt((1 / four).sum())
        ends = ratio * np.exp(np.array([-1, 1]) * Z * error)
        row = found.tables[k].loc["exposed", ["coefficient", "standard_error", "lower", "upper"]]
        np.testing.assert_allclose(row, [ratio, ratio * error, *ends], rtol=1e-6)


def test_stata_prints_these_odds_ratios():
    """Stata 18, [R] logistic, example 1: Hosmer and Lemeshow's babies of low weight."""
    folder = Path(statsmodels.__file__).parent / "genmod/tests/results"
    babies = pd.read_csv(folder / "stata_lbw_glm.csv")
    X = babies[["age", "lwt"]].assign(
        black=babies.race == "black",
        other=babies.race == "other",
        **babies[["smoke", "ptl", "ht", "ui"]],
    )
    model = LogisticRegression(C=np.inf).fit(X.astype(float), babies["low"])
    table = model.summary(exponentiate=True).to_frame()
    agree(
        table["coefficient"],
        ".9732636 .9849634 3.534767 2.368079 2.517698 1.719161 6.249602 2.1351 1.586014",
    )
    agree(
        table["standard_error"],
        ".0354759 .0068217 1.860737 1.039949 1.00916 .5952579 4.322408 .9808153 1.910496",
    )
    agree(table["z"], "-0.74 -2.19 2.40 1.96 2.30 1.56 2.65 1.65 0.38")
    agree(
        table["lower"].iloc[:8],
        ".9061578 .9716834 1.259736 1.001356 1.147676 .8721455 1.611152 .8677528",
    )
    agree(
        table["upper"].iloc[:8],
        "1.045339 .9984249 9.918406 5.600207 5.523162 3.388787 24.24199 5.2534",
    )


MODELS = {
    "logistic": (LogisticRegression(C=np.inf), "odds ratios", "binary"),
    "firth": (FirthLogisticRegression(), "odds ratios", "binary"),
    "binomial, logit": (GeneralizedLinearRegressor("binomial"), "odds ratios", "binary"),
    "binomial, log": (GeneralizedLinearRegressor("binomial", link="log"), "risk ratios", "rare"),
    "poisson": (GeneralizedLinearRegressor("poisson"), "rate ratios", "count"),
    "negative binomial": (
        GeneralizedLinearRegressor("negative_binomial", theta=0.5),
        "rate ratios",
        "count",
    ),
    "gamma": (GeneralizedLinearRegressor("gamma", link="log"), "ratios of means", "positive"),
    "tweedie": (GeneralizedLinearRegressor("tweedie"), "ratios of means", "positive"),
    "normal, log": (GeneralizedLinearRegressor(link="log"), "ratios of means", "positive"),
}


def problem(kind, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(300, 2)), columns=["a", "b"])
    X["b"] = 0.9 * X.a + 0.4 * X.b + 3.0  # correlated, and far from zero
    eta = 0.3 * X.a + 0.2 * (X.b - 3.0)
    y = {
        "binary": rng.random(300) < 1 / (1 + np.exp(-eta)),
        "rare": rng.random(300) < 0.1 * np.exp(0.3 * eta),
        "count": rng.poisson(np.exp(eta)),
        "positive": np.exp(eta) * rng.gamma(5.0, 0.2, 300),
    }[kind]
    return X, np.asarray(y, dtype=float)


@pytest.mark.parametrize("kind", ["nonrobust", "HC1"])
@pytest.mark.parametrize("name", MODELS)
def test_they_are_exp_of_the_coefficients_with_errors_by_the_delta_method(name, kind):
    """`delta_method` takes the Jacobian of exp by automatic differentiation, the table by hand."""
    model, ratios, of = MODELS[name]
    X, y = problem(of)
    rows = () if kind == "nonrobust" else (X, y)
    fitted = model.fit(X, y)
    plain = fitted.summary(*rows, kind=kind, level=0.9).to_frame()
    found = fitted.summary(*rows, kind=kind, level=0.9, exponentiate=True)
    table = found.to_frame()
    assert found.facts["coefficients as"] == ratios
    assert any(ratios in note and "delta method" in note for note in found.notes)
    assert list(table.columns) == list(plain.columns)
    statistic = "z" if "z" in plain else "t"
    pd.testing.assert_frame_equal(table[[statistic, "p_value"]], plain[[statistic, "p_value"]])
    delta = fitted.delta_method(np.exp, *rows, kind=kind)
    # Both compute exp(θ) and a product; each loses a few units.
    np.testing.assert_allclose(table["coefficient"], delta.estimate, rtol=1e-14)
    np.testing.assert_allclose(table["standard_error"], delta.standard_error, rtol=1e-12)
    for end in ("lower", "upper"):
        exact = [float(mpmath.exp(mpmath.mpf(value))) for value in plain[end]]
        np.testing.assert_allclose(table[end], exact, rtol=1e-14)


def test_ends_beyond_float64_are_infinite_and_none_is_nan():
    table = pd.DataFrame(
        {"coefficient": [800.0, -800.0], "standard_error": [2.0, 3.0], "lower": [796.0, -806.0]}
    )
    found = exponentiated(table)
    assert found.to_numpy().tolist() == [[np.inf, np.inf, np.inf], [0.0, 0.0, 0.0]]


def test_the_same_through_a_pipeline_and_in_all_forms():
    X, y = problem("binary")
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=np.inf)).fit(X, y)
    found = results(pipeline).summary(exponentiate=True, kind="nonrobust")
    other = summarize(pipeline, exponentiate=True)
    pd.testing.assert_frame_equal(found.to_frame(), other.to_frame())
    assert list(found.to_frame().index) == ["a", "b", "(intercept)"]
    for text in (str(found), found._repr_html_(), found.to_latex()):
        assert "Odds ratios" in text
    log_odds = pipeline[-1].params_
    np.testing.assert_allclose(np.log(found.to_frame()["coefficient"]), log_odds, rtol=1e-12)


def test_penalised_fits_show_no_tests_and_say_so():
    X, y = problem("binary")
    found = LogisticRegression(C=1.0).fit(X, y).summary(exponentiate=True)
    assert list(found.to_frame().columns) == ["coefficient", "standard_error", "lower", "upper"]
    assert any("penalised" in note for note in found.notes)


@pytest.mark.parametrize("link", ["probit", "cloglog"])
def test_other_links_are_refused_by_name(link):
    X, y = problem("binary")
    model = GeneralizedLinearRegressor("binomial", link=link).fit(X, y)
    for ask in (model.summary, results(model).summary, lambda **option: tidy(model, **option)):
        with pytest.raises(ValueError, match=f"the links log and logit, .* link='{link}'"):
            ask(exponentiate=True)


def test_a_refusal_reads_no_row():
    X, y = problem("positive")
    model = GeneralizedLinearRegressor().fit(X, y)
    with pytest.raises(ValueError, match="link='identity'"):
        model.summary(X, "no target", exponentiate=True)


@pytest.mark.parametrize(
    "model", [LinearRegression(), ObjectiveRegressor("(y - eta)**2", log_likelihood=True), PCA()]
)
def test_models_without_a_logarithm_are_refused(model):
    X, y = problem("positive")
    fitted = model.fit(X, y)
    for ask in (results(fitted).summary, lambda **option: summarize(fitted, **option)):
        with pytest.raises(ValueError, match="exponentiate=True is for"):
            ask(exponentiate=True)
    with pytest.raises(TypeError, match="exponentiate"):
        fitted.summary(exponentiate=True)


def test_what_is_no_flag_is_refused():
    X, y = problem("binary")
    model = LogisticRegression(C=np.inf).fit(X, y)
    with pytest.raises(ValueError, match="exponentiate='yes' must be True or False"):
        model.summary(exponentiate="yes")


def test_separated_classes_say_why_there_is_none():
    X = pd.DataFrame({"a": [0.0, 1, 2, 3]})
    with pytest.warns(SeparationWarning):
        model = LogisticRegression(C=np.inf).fit(X, [0, 0, 1, 1])
    with pytest.raises(ValueError, match="separated"):
        model.summary(exponentiate=True)
