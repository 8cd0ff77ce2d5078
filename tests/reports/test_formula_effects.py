"""Effects of the columns that a formula reads, against differences of the fit's own predictions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import clone

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    fit_formula,
    results,
)
from mcmodels.exceptions import NotEstimableWarning, RankDeficiencyWarning
from mcmodels.formulas.recipe import Recipe

pytest.importorskip("formulaic")

ROUNDING = {"rtol": 1e-10, "atol": 1e-12}  # both sides are sums of the same few hundred products


@pytest.fixture
def data():
    rng = np.random.default_rng(5)
    n = 300
    made = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "age": np.clip(rng.normal(40, 20, n).round(), 20, 60),  # many at both ends
            "place": rng.choice(["a", "b", "c"], n),
            "grade": rng.integers(1, 5, n),
            "years": rng.uniform(0.5, 3, n),
        }
    )
    rate = np.exp(0.3 * made["x"] + 0.4 * (made["place"] == "b") - 0.1 * made["grade"])
    made["claims"] = rng.poisson(made["years"] * rate)
    made["y"] = made["x"] + made["grade"] ** 2 + rng.normal(size=n)
    return made


@pytest.mark.parametrize(
    ("text", "column", "base"),
    [
        ("C(grade)", "grade", 1),
        ("C(grade, Treatment(3))", "grade", 3),
        ("C(grade, contr.treatment(base=2))", "grade", 2),
        ("C(grade, contr.SAS)", "grade", 4),
        ("C(grade, levels=[4, 2, 1, 3])", "grade", 4),
        ("C(grade, Sum)", "grade", 1),
        ("C(place, Treatment('c'))", "place", "c"),
        ("C(place, levels=['b', 'c', 'a'])", "place", "b"),
        ("place", "place", "a"),
    ],
)
def test_factors_of_a_formula_are_compared_with_its_baseline(data, text, column, base):
    fit = fit_formula(f"y ~ x*{text}", data, LinearRegression())
    some = data[data[column].isin(data[column].unique()[:2])]  # levels are those of the fit
    found = results(fit).marginal_effects(some, column)["estimate"]
    levels = [level for level in fit[0]._recipe.factors()[column][0] if level != base]
    assert sorted([*levels, base]) == sorted(data[column].unique().tolist())

    def mean(level):
        return fit.predict(some.assign(**{column: level})).mean()

    assert [effect for _, effect in found.index] == [f"{level} - {base}" for level in levels]
    np.testing.assert_allclose(found, [mean(level) - mean(base) for level in levels], **ROUNDING)
    against = results(fit).contrasts(data, column, method="reference")
    assert [name.split(" - ")[1] for name in against.index] == [str(base)] * len(levels)


def test_a_number_that_is_also_a_factor_has_the_effects_of_its_levels(data):
    with pytest.warns(RankDeficiencyWarning):
        fit = fit_formula("y ~ x*grade + C(grade)*age", data, LinearRegression())
    found = results(fit).marginal_effects(data, "grade")["estimate"]
    means = [fit.predict(data.assign(grade=level)).mean() for level in (1, 2, 3, 4)]
    np.testing.assert_allclose(found, np.array(means[1:]) - means[0], rtol=1e-8)


def test_exposure_of_a_formula_is_in_its_effects(data):
    poisson = GeneralizedLinearRegressor("poisson")
    fit = fit_formula("claims ~ x*place", data, poisson, exposure="years")
    found_of = results(fit)
    found = found_of.marginal_effects(data, "place")["estimate"]
    means = {of: fit.predict(data.assign(place=of)).mean() for of in "abc"}
    np.testing.assert_allclose(
        found, [means["b"] - means["a"], means["c"] - means["a"]], **ROUNDING
    )
    averages = found_of.predictions(data, at={"place": ["a", "b"]})["estimate"]
    np.testing.assert_allclose(averages, [means["a"], means["b"]], **ROUNDING)
    given = found_of.marginal_effects(data, kind="HC1", exposure=data["years"])
    np.testing.assert_array_equal(found_of.marginal_effects(data, kind="HC1"), given)
    doubled = found_of.predictions(data, exposure=2 * data["years"])["estimate"]
    once = found_of.predictions(data)["estimate"]
    np.testing.assert_allclose(doubled, 2 * once, **ROUNDING)
    assert found_of.marginal_means(data, "place")["estimate"].notna().all()


def test_a_dict_of_columns_has_effects(data):
    fit = fit_formula("y ~ x*place", data, LinearRegression())
    columns = {name: data[name].to_numpy() for name in data}
    found = results(fit).marginal_effects(columns)
    pd.testing.assert_frame_equal(found, results(fit).marginal_effects(data))


def test_rows_at_the_boundaries_of_a_spline_are_not_evaluated_one_by_one(data, monkeypatch):
    """A fifth of the rows is at a boundary, which a step to one side leaves."""
    fit = fit_formula("y ~ bs(age, df=5)*place", data, LinearRegression())
    calls = []
    matrix = Recipe.matrix
    monkeypatch.setattr(Recipe, "matrix", lambda *a, **k: calls.append(1) or matrix(*a, **k))
    found = results(fit).marginal_effects(data, "age", at="rows").iloc[:, 0].to_numpy()
    assert len(calls) < 40  # one for each of the points of the extrapolation, not for each row
    inside = data.assign(age=data["age"].clip(20.001, 59.999))
    h = 1e-4
    inner = (
        fit.predict(inside.assign(age=inside["age"] + h * 0.5))
        - fit.predict(inside.assign(age=inside["age"] - h * 0.5))
    ) / h
    # The points of this derivative are 0.001 from the boundary: it has no more digits there.
    np.testing.assert_allclose(found, inner, atol=1e-2 * np.abs(inner).max())


def test_influence_has_the_rows_that_were_kept(data):
    holes = data.assign(x=data["x"].where(data.index % 50 != 3))
    fit = fit_formula("y ~ x*place", holes, LinearRegression(), na="drop")
    found = results(fit).influence(holes)
    clean = holes.dropna()
    expected = results(fit_formula("y ~ x*place", clean, LinearRegression())).influence(clean)
    pd.testing.assert_frame_equal(found, expected)


def test_a_notebook_shows_the_coefficients_of_a_formula(data):
    fit = fit_formula("y ~ x + C(grade)", data, LinearRegression())
    for shown in (fit._repr_html_(), fit._repr_mimebundle_()["text/html"]):
        assert shown.count("standard error") == 1  # one table below the diagram
        assert "C(grade)[T.2]" in shown.split("standard error")[1]
    assert "standard error" not in clone(fit)._repr_html_()


def test_rows_outside_the_boundaries_of_a_spline_are_refused_with_the_remedy(data):
    fit = fit_formula("y ~ x + bs(age, df=4)", data, LinearRegression())
    message = r"bs\(age, df=4\): some values are outside its boundaries.*extrapolation='extend'"
    with pytest.raises(ValueError, match=message):
        fit.predict(data.assign(age=99.0))


@pytest.mark.parametrize("adjust", [None, "bonferroni", "holm"])
def test_means_of_an_empty_cell_are_not_determined_and_the_others_are(data, adjust):
    """Cell means of a saturated model are independent, with variances σ²/n by hand."""
    half = data.assign(half=np.where(data["years"] < 1.5, "first", "second"))
    half = half[(half["place"] != "c") | (half["half"] == "first")]
    with pytest.warns(RankDeficiencyWarning):
        fit = fit_formula("y ~ place*half", half, LinearRegression())
    cells = half.groupby(["place", "half"])["y"].agg(["mean", "count", "var"])
    df = len(half) - len(cells)
    variance = ((cells["count"] - 1) * cells["var"]).sum() / df
    with pytest.warns(NotEstimableWarning, match=r"^c: the rows of the fit do not determine"):
        means = results(fit).marginal_means(half, "place")
    expected = cells["mean"].groupby("place").mean()
    errors = np.sqrt((variance / cells["count"]).groupby("place").sum()) / 2
    np.testing.assert_allclose(means["estimate"][:2], expected[:2], rtol=1e-10)
    np.testing.assert_allclose(means["standard_error"][:2], errors[:2], rtol=1e-10)
    assert means.iloc[2].isna().all()
    with pytest.warns(NotEstimableWarning, match="c - a, .*c - b"):
        found = results(fit).contrasts(half, "place", adjust=adjust)
    assert found.iloc[1:].isna().all(axis=None)
    t = (expected["b"] - expected["a"]) / np.hypot(errors["a"], errors["b"])
    np.testing.assert_allclose(found["t"].iloc[0], t, rtol=1e-10)
    # One contrast can be tested, so that no adjustment has anything to adjust.
    np.testing.assert_allclose(found["p_value"].iloc[0], 2 * stats.t.sf(abs(t), df), rtol=1e-8)
    reach = stats.t.isf(0.025, df) * np.hypot(errors["a"], errors["b"])
    np.testing.assert_allclose(found["upper"] - found["estimate"], [reach, np.nan, np.nan])
    with pytest.warns(NotEstimableWarning):
        effects = results(fit).marginal_effects(half, "half", by="place")
    assert effects["estimate"].isna().tolist() == [False, False, True]
    gap = cells["mean"].xs("second", level="half") - cells["mean"].xs("first", level="half")
    np.testing.assert_allclose(effects["estimate"][:2], gap[["a", "b"]], rtol=1e-10)


def test_slopes_at_the_boundary_of_a_clipped_spline_are_of_the_inside(data):
    extended, clipped = (
        results(fit_formula(f"y ~ bs(age, df=4, extrapolation='{how}')", data, LinearRegression()))
        for how in ("extend", "clip")
    )
    expected = extended.marginal_effects(data, "age", at="rows")
    found = clipped.marginal_effects(data, "age", at="rows")
    # One-sided differences of the ends have seven digits and more.
    np.testing.assert_allclose(found, expected, atol=1e-7 * np.abs(expected.to_numpy()).max())
    beyond = clipped.marginal_effects(data.assign(age=data["age"] + 100), "age", at="rows")
    np.testing.assert_allclose(beyond, 0.0, atol=1e-12)


def test_effects_leave_out_the_rows_that_the_fit_has_left_out(data):
    holes = data.assign(
        x=data["x"].where(data.index % 50 != 3), claims=data["claims"].where(data.index % 60 != 7)
    )
    poisson = GeneralizedLinearRegressor("poisson")
    fits = [
        results(fit_formula("claims ~ x*place", rows, poisson, exposure="years", na="drop"))
        for rows in (holes, holes.dropna())
    ]
    for kind in (None, "HC1"):
        of_holes, of_clean = (
            fit.marginal_effects(rows, by="place", kind=kind)
            for fit, rows in zip(fits, (holes, holes.dropna()), strict=True)
        )
        pd.testing.assert_frame_equal(of_holes, of_clean)
    rows = fits[0].marginal_effects(holes, "x", at="rows")
    assert rows.index.tolist() == holes.dropna().index.tolist()
    pd.testing.assert_frame_equal(
        fits[0].contrasts(holes, "place"), fits[1].contrasts(holes.dropna(), "place")
    )
    new = holes.drop(columns="claims")  # without the target all rows with inputs count
    found = fits[0].predictions(new)["estimate"]
    expected = fits[0].fitted.predict(new.dropna()).mean()
    np.testing.assert_allclose(found, expected, **ROUNDING)


@pytest.mark.parametrize("text", ["C(k > 2)*x", "C(k > 2) + t:x", "C(where(k > 2, 1, 2)) + x"])
def test_levels_made_of_a_number_are_not_the_levels_of_the_number(text):
    """``C(k > 2)`` has the levels False and True; k stays a number, and changes by one."""
    rng = np.random.default_rng(4)
    data = pd.DataFrame(
        {"k": rng.integers(0, 6, 60), "x": rng.normal(size=60), "t": rng.random(60) < 0.5}
    )
    data["y"] = 1.0 * (data["k"] > 2) + rng.normal(size=60)
    fit = fit_formula(f"y ~ {text}", data, LinearRegression())
    found = results(fit).marginal_effects(data, "k", measure="comparison")
    changed = fit.predict(data.assign(k=data["k"] + 1)) - fit.predict(data)
    assert list(found.index) == [("k", "+1")]
    np.testing.assert_allclose(found["estimate"], changed.mean(), rtol=1e-10)  # sums of 60 rows
    at = results(fit).predictions(data, at={"k": [1, 4]})["estimate"]
    expected = [fit.predict(data.assign(k=k)).mean() for k in (1, 4)]
    np.testing.assert_allclose(at, expected, rtol=1e-12)


@pytest.mark.parametrize("weights", [None, "w", "array"])
def test_weights_of_averages_are_not_those_of_the_fit(weights):
    """By hand: an average with weights of its own, and the covariance of the fit as it was."""
    rng = np.random.default_rng(6)
    data = pd.DataFrame({"x": rng.normal(size=60), "w": rng.integers(1, 4, 60), "g": range(60)})
    data["y"] = rng.poisson(np.exp(0.3 * data["x"]))
    given = data["w"].to_numpy() if weights == "array" else weights
    model = GeneralizedLinearRegressor("poisson")
    found = results(fit_formula("y ~ x", data, model, sample_weight=given))
    if weights == "array":  # such a fit does not know them, and takes those that are given
        with pytest.raises(ValueError, match="weights of the rows sum to"):
            found.marginal_effects(data, "x", sample_weight="g", kind="HC1")
        shares = data["w"]
        table = found.marginal_effects(data, "x", sample_weight="w", kind="HC1")
        V = found.covariance(data, sample_weight="w", kind="HC1")
    else:
        shares = data["g"]
        table = found.marginal_effects(data, "x", sample_weight="g", kind="HC1")
        V = found.covariance(data, kind="HC1")
    slope, mean = found.model.coef_[0], found.fitted.predict(data)
    np.testing.assert_allclose(
        table["estimate"], np.average(slope * mean, weights=shares), rtol=1e-12
    )
    derivatives = [slope * data["x"] * mean + mean, slope * mean]
    J = np.array([np.average(of, weights=shares) for of in derivatives])
    np.testing.assert_allclose(table["standard_error"], np.sqrt(J @ V @ J), rtol=1e-10)


def test_levels_made_of_a_number_that_are_new_are_refused_in_plain_words():
    data = pd.DataFrame({"k": [0, 1, 2, 3] * 6, "y": np.arange(24.0) % 5})
    fit = fit_formula("y ~ C(floor(k/2))", data, LinearRegression())
    with pytest.raises(ValueError, match=r"a factor is 3\.0 in some row, none of its levels"):
        fit.predict(data[:2].assign(k=[2, 6]))


@pytest.mark.parametrize("X", [None, 3.5, object()])
def test_what_has_no_rows_is_refused_by_name(X):
    data = pd.DataFrame({"k": [0.0, 1, 2, 3], "y": [1.0, 3, 2, 5]})
    found = results(fit_formula("y ~ k", data, LinearRegression()))
    with pytest.raises(TypeError, match=r"X=.* is no table of rows"):
        found.marginal_effects(X)
    with pytest.raises(ValueError, match=r"X: column 'k' is 1\.0, and must have a value for each"):
        found.marginal_effects({"k": 1.0})
