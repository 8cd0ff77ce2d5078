"""The package marginaleffects reads our models: its effects are ours, its errors those of ours."""

import sys

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures

from mcmodels import (
    PCA,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    results,
)
from mcmodels.exceptions import InferenceError
from mcmodels.reports.marginaleffects import for_marginaleffects
from tests.inference.published import data

CARS, TRIP = data("mtcars"), data("titanic_survival")
SURVIVED = TRIP.pop("survived")
# marginaleffects takes slopes by differences of steps of 1e-4, and errors by forward differences in
# the parameters. Of steps h these are wrong by about h times a column of X (here up to 80), and by
# rounding errors of 1e-12/h: 1e-6 is best of what bends, and of lines larger ones lose nothing.
SLOPES, ERRORS = 1e-6, 1e-4
STEP, FAR = {"eps_vcov": 1e-6}, {"eps_vcov": 1e-2}


@pytest.fixture
def peer():
    pytest.importorskip("polars")
    return pytest.importorskip("marginaleffects", exc_type=ImportError)


def by_term(found):
    frame = pd.DataFrame({name: found[name].to_list() for name in found.columns})
    key = ["group", "term"] if "group" in frame else ["term"]
    return frame.set_index(key)


def test_slopes_of_two_classes(peer):
    model = LogisticRegression(C=np.inf).fit(TRIP, SURVIVED)
    found = by_term(peer.avg_slopes(for_marginaleffects(model, TRIP), **STEP))
    ours = model.marginal_effects(TRIP).loc[found.index]
    np.testing.assert_allclose(found["estimate"], ours["coefficient"], rtol=SLOPES)
    np.testing.assert_allclose(found["std_error"], ours["standard_error"], rtol=ERRORS)
    np.testing.assert_allclose(found["conf_low"], ours["lower"], rtol=ERRORS)


def test_the_same_as_of_a_model_of_statsmodels(peer):
    X = TRIP.rename(columns={"class2nd": "second", "class3rd": "third"})
    theirs = smf.logit("y ~ sexmale + age + second + third", X.assign(y=SURVIVED)).fit(
        disp=0, tol=1e-12
    )
    model = LogisticRegression(C=np.inf).fit(X, SURVIVED)
    for ask in (peer.avg_slopes, peer.avg_comparisons):
        one, two = by_term(ask(theirs, **STEP)), by_term(ask(for_marginaleffects(model, X), **STEP))
        np.testing.assert_allclose(two["estimate"], one["estimate"], rtol=SLOPES)
        # The same steps, and so the same errors of them.
        np.testing.assert_allclose(two["std_error"], one["std_error"], rtol=1e-5)


def test_more_classes_have_a_group_each(peer):
    flowers = data("iris")
    kind = flowers.pop("Species")
    model = LogisticRegression(C=1.0).fit(flowers, kind)
    found = by_term(peer.avg_slopes(for_marginaleffects(model, flowers), **STEP))
    ours = model.marginal_effects(flowers, discrete=False)
    ours = ours.loc[[f"{group}:{term}" for group, term in found.index]]
    np.testing.assert_allclose(found["estimate"], ours["coefficient"], rtol=1e-5)
    np.testing.assert_allclose(found["std_error"], ours["standard_error"], rtol=ERRORS)


@pytest.mark.parametrize("kind", ["nonrobust", "HC3", "cluster"])
def test_linear_slopes_are_the_coefficients_with_students_t(peer, kind):
    X, y = CARS[["wt", "qsec"]], CARS["mpg"]
    groups = CARS["carb"] if kind == "cluster" else None
    model = LinearRegression().fit(X, y)
    adapter = for_marginaleffects(model, X, y, kind=kind, groups=groups)
    found = by_term(peer.avg_slopes(adapter, **FAR))
    ours = model.summary(X, y, kind=kind, groups=groups).to_frame().loc[found.index]
    for theirs, own in (
        ("estimate", "coefficient"),
        ("std_error", "standard_error"),
        ("p_value", "p_value"),
        ("conf_low", "lower"),
    ):
        # A p-value of 1e-11 loses some ten times the digits of its statistic.
        np.testing.assert_allclose(found[theirs], ours[own], rtol=1e-5)
    test = peer.hypotheses(adapter, "b0 = b1")
    expected = model.wald_test("wt = qsec", X, y, kind=kind, groups=groups)
    np.testing.assert_allclose(test["statistic"].item() ** 2, expected.statistic, rtol=1e-5)


def test_predictions_of_a_generalized_linear_model(peer):
    X = CARS[["wt", "qsec"]]
    model = GeneralizedLinearRegressor("poisson").fit(X, CARS["carb"])
    found = peer.predictions(for_marginaleffects(model, X))
    ours = model.predict_interval(X)
    np.testing.assert_allclose(found["estimate"].to_list(), ours["prediction"], rtol=1e-13)
    np.testing.assert_allclose(found["std_error"].to_list(), ours["standard_error"], rtol=1e-6)


def test_through_a_pipeline_with_text_and_squares(peer):
    X = CARS[["wt"]].assign(gears=CARS["gear"].map({3: "three", 4: "four", 5: "five"}))
    steps = make_column_transformer(
        (OneHotEncoder(drop="first"), ["gears"]),
        (PolynomialFeatures(2, include_bias=False), ["wt"]),
        verbose_feature_names_out=False,
    )
    pipeline = make_pipeline(steps, LinearRegression()).fit(X, CARS["mpg"])
    for fitted in (pipeline, results(pipeline)):
        adapter = for_marginaleffects(fitted, X, CARS["mpg"])
        found = peer.avg_comparisons(adapter, variables="gears", **FAR)
        table = results(pipeline).summary().to_frame()
        contrasts = dict(zip(found["contrast"].to_list(), found["estimate"].to_list(), strict=True))
        np.testing.assert_allclose(
            contrasts["four - five"], table.at["gears_four", "coefficient"], rtol=1e-9
        )
        np.testing.assert_allclose(
            found["std_error"].to_list()[0], table.at["gears_four", "standard_error"], rtol=1e-5
        )
        slope = by_term(peer.avg_slopes(adapter, variables="wt", **FAR)).iloc[0]
        J = np.array([0, 0, 1, 2 * CARS["wt"].mean(), 0])
        names = ["gears_four", "gears_three", "wt", "wt^2", "(intercept)"]
        assert list(table.index) == names
        V = results(pipeline).covariance()
        np.testing.assert_allclose(slope["estimate"], J @ table["coefficient"], rtol=1e-5)
        np.testing.assert_allclose(slope["std_error"], np.sqrt(J @ V @ J), rtol=1e-5)


def test_models_that_were_fitted_without_names(peer):
    X = CARS[["wt", "qsec"]]
    model = LinearRegression().fit(X.to_numpy(), CARS["mpg"].to_numpy())
    found = by_term(peer.avg_slopes(for_marginaleffects(model, X), **FAR))
    np.testing.assert_allclose(
        found["estimate"], pd.Series(model.coef_, X.columns)[found.index], rtol=1e-6
    )


def test_the_covariance_is_chosen_beforehand(peer):
    adapter = for_marginaleffects(LinearRegression().fit(CARS[["wt"]], CARS["mpg"]), CARS[["wt"]])
    assert "std_error" not in peer.avg_slopes(adapter, vcov=False).columns
    with pytest.raises(ValueError, match="vcov='HC3': the covariance is chosen by"):
        peer.avg_slopes(adapter, vcov="HC3")


def test_what_is_refused(peer):
    X, y = CARS[["wt", "qsec"]], CARS["carb"]
    with pytest.raises(TypeError, match="must be a DataFrame"):
        for_marginaleffects(LinearRegression().fit(X, y), X.to_numpy())
    with pytest.raises(TypeError, match="found PCA"):
        for_marginaleffects(PCA().fit(X), X)
    with pytest.raises(InferenceError, match="one target"):
        for_marginaleffects(LinearRegression().fit(X, CARS[["mpg", "disp"]]), X)
    with pytest.raises(InferenceError, match="offset"):
        for_marginaleffects(GeneralizedLinearRegressor("poisson").fit(X, y, exposure=CARS["hp"]), X)
    with pytest.raises(ValueError, match="missing values"):
        for_marginaleffects(LinearRegression().fit(X, y), X.where(X > 2))


def test_without_the_package_an_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "marginaleffects", None)
    monkeypatch.setitem(sys.modules, "marginaleffects.classes", None)
    model = LinearRegression().fit(CARS[["wt"]], CARS["mpg"])
    with pytest.raises(ImportError, match=r"pip install 'marginaleffects>=0\.6' 'polars<2'"):
        for_marginaleffects(model, CARS[["wt"]])
