"""Results together: dependent columns, chosen covariances, terms, formulas, effects."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    compare,
    fit_formula,
    results,
)
from mcmodels.exceptions import RankDeficiencyWarning

pytest.importorskip("formulaic")

# Two factorisations of the same rows: rounding errors of a well-conditioned fit.
ROUNDING = {"rtol": 1e-9, "atol": 1e-11}


@pytest.fixture
def data():
    rng = np.random.default_rng(5)
    n = 240
    frame = pd.DataFrame(
        {
            "region": rng.choice(["n", "e", "s", "w"], n),
            "sex": rng.choice(["f", "m"], n),
            "age": rng.uniform(20, 70, n),
        }
    )
    noise = rng.normal(size=n) * (1 + frame["age"] / 40)
    frame["income"] = 3 + 0.1 * frame["age"] + 2 * (frame["region"] == "s") + noise
    frame["poor"] = (frame["income"] + rng.normal(size=n) < frame["income"].median()).astype(int)
    frame["visits"] = rng.poisson(np.exp(0.2 + 0.01 * frame["age"]))
    return frame


def pipeline(model, drop):
    encode = make_column_transformer(
        (OneHotEncoder(drop=drop), ["region", "sex"]),
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    return make_pipeline(encode, model)


MODELS = [
    (LinearRegression(), "income"),
    (LogisticRegression(C=np.inf), "poor"),
    (GeneralizedLinearRegressor(family="poisson"), "visits"),
]


@pytest.mark.parametrize(("model", "target"), MODELS, ids=lambda v: type(v).__name__)
@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.RankDeficiencyWarning")
def test_all_indicators_give_what_the_reference_coding_gives(model, target, data):
    X, y = data[["region", "sex", "age"]], data[target]
    whole, coded = (results(pipeline(model, drop).fit(X, y)) for drop in (None, "first"))
    for kind in ("nonrobust", "HC1"):
        robust, by_hand = (r.with_covariance(X, y, kind=kind) for r in (whole, coded))
        pd.testing.assert_frame_equal(
            robust.wald_test(terms=True), by_hand.wald_test(terms=True), **ROUNDING
        )
        pd.testing.assert_frame_equal(
            robust.predict_interval(X.head(9)), by_hand.predict_interval(X.head(9)), **ROUNDING
        )
        pd.testing.assert_frame_equal(
            robust.marginal_effects(X), by_hand.marginal_effects(X), **ROUNDING
        )
        pd.testing.assert_frame_equal(
            robust.contrasts(X, "region"), by_hand.contrasts(X, "region"), **ROUNDING
        )
        contrast = "region_s - region_w = 0"
        assert robust.wald_test(contrast).p_value == pytest.approx(
            by_hand.wald_test(contrast).p_value, rel=1e-8
        )


def test_a_formula_says_what_the_pipeline_says(data):
    columns = ["region", "sex", "age"]
    fitted = fit_formula("income ~ C(region) + C(sex) + age", data, LinearRegression())
    by_hand = pipeline(LinearRegression(), "first").fit(data[columns], data["income"])
    formula, by_steps = results(fitted), results(by_hand)
    X, y = data[columns], data["income"]
    for kind in ("nonrobust", "HC3"):
        found = formula.anova(data, type=2, kind=kind).to_numpy()
        np.testing.assert_allclose(found, by_steps.anova(X, y, type=2, kind=kind), **ROUNDING)
    found = formula.with_covariance(data, kind="HC3").marginal_effects(data)
    expected = by_steps.with_covariance(X, y, kind="HC3").marginal_effects(X)
    # Exact slopes of both; one model has its columns scaled, the other has not.
    numbers = ["estimate", "standard_error"]
    assert [name for name, _ in found.index] == [name for name, _ in expected.index]
    assert found.index[-1] == ("age", "slope")
    np.testing.assert_allclose(found[numbers], expected[numbers], rtol=1e-8)
    influence = formula.influence(data)["cooks_distance"]
    np.testing.assert_allclose(influence, by_steps.influence(X, y)["cooks_distance"], **ROUNDING)


def test_slopes_of_a_spline_in_a_formula_at_the_ends_of_the_data(data):
    """Beyond the boundary knots the basis is refused; the slope there is that of the inside."""
    fitted = fit_formula("income ~ bs(age, df=5)", data, LinearRegression())
    knots = np.quantile(data["age"], [0, 1 / 3, 2 / 3, 1])[:, np.newaxis]
    splines = SplineTransformer(degree=3, knots=knots)
    by_hand = make_pipeline(splines, LinearRegression())
    with pytest.warns(RankDeficiencyWarning):  # B-splines sum to one, as the intercept does
        by_hand.fit(data[["age"]], data["income"])
    found = results(fitted).marginal_effects(data, "age", at="rows")
    expected = results(by_hand).marginal_effects(data[["age"]], "age", at="rows")
    ends = [data["age"].argmin(), data["age"].argmax()]
    for rows in (slice(None), ends):
        np.testing.assert_allclose(
            np.ravel(found.iloc[rows]), np.ravel(expected.iloc[rows]), rtol=1e-6, atol=1e-8
        )


def test_what_is_not_determined_has_no_number_beside_other_models(data):
    X, y = data[["region", "sex", "age"]], data["income"]
    with pytest.warns(RankDeficiencyWarning):
        whole = pipeline(LinearRegression(), None).fit(X, y)
    coded = pipeline(LinearRegression(), "first").fit(X, y)
    shown = str(compare(whole, coded))
    assert "NA" in shown
    assert "nan" not in shown
