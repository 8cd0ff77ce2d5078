"""Pictures of fits by a formula, which have target, weights and exposure from the table."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    fit_formula,
    results,
)
from mcmodels.exceptions import InferenceError, RankDeficiencyWarning
from mcmodels.plots import (
    CalibrationDisplay,
    CoefficientDisplay,
    CurvatureDisplay,
    EffectDisplay,
    InfluenceDisplay,
    ProfileDisplay,
    ResidualsDisplay,
    SeparationDisplay,
)

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(7)
    n = 120
    made = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "grade": rng.integers(1, 4, n),
            "years": rng.uniform(0.5, 3, n),
            "weight": rng.integers(1, 4, n).astype(float),
            "empty": np.full(n, np.nan),
        },
        index=[f"row{k}" for k in range(n)],
    )
    made["claims"] = rng.poisson(made["years"] * np.exp(0.3 * made["x"]))
    made["won"] = np.where(rng.random(n) < 1 / (1 + np.exp(-made["x"])), "yes", "no")
    made["apart"] = np.where(made["x"] > 0, "yes", "no")
    return made


@pytest.fixture(scope="module")
def counts(data):
    poisson = GeneralizedLinearRegressor("poisson")
    return fit_formula(
        "claims ~ x + C(grade)", data, poisson, exposure="years", sample_weight="weight"
    )


def by_hand(data):
    """The same model of columns, with its rows, target and weights."""
    X = pd.get_dummies(data[["x", "grade"]], columns=["grade"], drop_first=True, dtype=float)
    model = GeneralizedLinearRegressor("poisson")
    rows = (X, data["claims"], data["weight"])
    return model.fit(*rows, exposure=data["years"]), rows


def test_training_rows_are_in_the_table(data, counts):
    model, rows = by_hand(data)
    exposed = {"exposure": data["years"]}
    # The columns of both are equal, so that all that differs is rounding of sums over 120 rows.
    close = {"rtol": 1e-8, "atol": 1e-10}
    found = ResidualsDisplay.from_estimator(counts, data)
    expected = ResidualsDisplay.from_estimator(model, *rows, **exposed)
    for name in ("fitted", "residuals", "leverage", "standardized"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), **close)
    found = InfluenceDisplay.from_estimator(counts, data)
    expected = InfluenceDisplay.from_estimator(model, *rows, **exposed)
    pd.testing.assert_series_equal(found.values, expected.values, rtol=1e-8, atol=1e-10)
    found = ProfileDisplay.from_estimator(counts, data)
    expected = ProfileDisplay.from_estimator(model, *rows, **exposed)
    np.testing.assert_allclose(found.ends, expected.ends, rtol=1e-6)  # ends are searched for
    found = CurvatureDisplay.from_estimator(counts, data)
    expected = CurvatureDisplay.from_estimator(model, *rows, **exposed)
    np.testing.assert_allclose(found.eigenvalues, expected.eigenvalues, **close)


def test_classes_are_in_the_table(data):
    fit = fit_formula("won ~ x", data, LogisticRegression(C=np.inf))
    model = LogisticRegression(C=np.inf).fit(data[["x"]], data["won"])
    found = CalibrationDisplay.from_estimator(fit, data)
    expected = CalibrationDisplay.from_estimator(model, data[["x"]], data["won"])
    pd.testing.assert_frame_equal(found.table, expected.table)
    with pytest.warns(Warning, match="separat"):
        fit = fit_formula("apart ~ x", data, LogisticRegression(C=np.inf))
    assert SeparationDisplay.from_estimator(fit, data).figure_ is not None


@pytest.mark.parametrize("others", ["typical", "average"])
def test_effects_have_exposures_and_levels_of_the_formula(data, counts, others):
    of_levels = EffectDisplay.from_estimator(counts, data, "grade", others=others)
    (table,) = of_levels.tables.values()
    assert not of_levels.is_numeric
    assert table["value"].tolist() == [1, 2, 3]
    rows = data
    if others == "typical":
        typical = {name: [data[name].mean()] for name in ("x", "years")}
        rows = pd.DataFrame(typical)
    expected = [counts.predict(rows.assign(grade=grade)).mean() for grade in (1, 2, 3)]
    np.testing.assert_allclose(table["prediction"], expected, rtol=1e-10)
    columns = {name: data[name].to_numpy() for name in data if name != "empty"}
    (of_dict,) = EffectDisplay.from_estimator(counts, columns, "x", others=others).tables.values()
    (of_frame,) = EffectDisplay.from_estimator(counts, data, "x", others=others).tables.values()
    pd.testing.assert_frame_equal(of_dict, of_frame)


def test_rows_that_a_formula_has_left_out_are_in_no_picture(data):
    holes = data.assign(x=data["x"].where(np.arange(len(data)) % 40 != 3))
    fit = fit_formula("claims ~ x", holes, LinearRegression(), na="drop")
    found = InfluenceDisplay.from_estimator(fit, holes).values
    pd.testing.assert_series_equal(found, results(fit).influence(holes)["cooks_distance"])
    assert found.index.tolist() == holes.index[holes["x"].notna()].tolist()
    assert len(ResidualsDisplay.from_estimator(fit, holes).fitted) == len(found)


def test_weights_that_are_no_array_are_refused_by_name(data, counts):
    with pytest.raises(TypeError, match=r"sample_weight=2\.0 must have a value for each row"):
        ProfileDisplay.from_estimator(counts, data, None, 2.0)
    with pytest.raises(ValueError, match="sample_weight='xx' is no column of X; did you mean 'x'"):
        ProfileDisplay.from_estimator(counts, data, None, "xx")


def test_what_is_not_determined_is_said_to_be_so(data):
    X = data[["grade", "x"]]
    steps = make_column_transformer((OneHotEncoder(), ["grade"]), remainder="passthrough")
    model = make_pipeline(steps, LogisticRegression(C=np.inf))
    with pytest.warns(RankDeficiencyWarning):
        model.fit(X, data["won"])
    rows = (model, X, data["won"])
    assert ProfileDisplay.from_estimator(*rows).name == "remainder__x"
    with pytest.raises(InferenceError, match="grade_2 has no profile: it is not determined"):
        ProfileDisplay.from_estimator(*rows, parameter="onehotencoder__grade_2")
    with pytest.raises(InferenceError, match="Hessian is singular: onehotencoder__grade_1, "):
        CurvatureDisplay.from_estimator(*rows)
    picture = CoefficientDisplay.from_estimator(model)
    assert [text.get_text() for text in picture.ax_.texts] == ["NA"] * 3
    picture.figure_.canvas.draw()
