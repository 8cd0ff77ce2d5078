"""Predictions of rows with missing values: NaN in these rows, all others as without them."""

import warnings

import numpy as np
import pandas as pd
import pytest

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    fit_formula,
    results,
)

pytest.importorskip("formulaic")


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(6)
    n = 80
    made = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "place": rng.choice(["a", "b"], n),
            "years": rng.uniform(1, 2, n),
            "other": np.nan,
        },
        index=rng.permutation(n) + 7,
    )
    made["y"] = made["x"] + rng.normal(size=n)
    made["count"] = rng.poisson(made["years"])
    made["level"] = rng.choice([1, 2, 3], n)
    made["won"] = np.where(made["y"] > rng.normal(size=n), "yes", "no")
    made.iloc[[3, 5], 0] = np.nan
    made.iloc[7, 1] = None
    made.iloc[9, 2] = np.nan
    for column, at in (("y", 11), ("won", 12)):  # targets are not read by predictions
        made.iloc[at, list(made).index(column)] = np.nan
    return made


FITS = {
    "linear": ("y ~ x*place", LinearRegression(), {}, [3, 5, 7]),
    "counts": ("count ~ x + place", GeneralizedLinearRegressor("poisson"), {"exposure": "years"}, [
        3, 5, 7, 9
    ]),
    "two classes": ("won ~ x", LogisticRegression(C=np.inf), {}, [3, 5]),
    "three classes": ("C(level) ~ x", LogisticRegression(C=np.inf), {}, [3, 5]),
}  # fmt: skip


@pytest.mark.parametrize("form", ["frame", "dict", "polars"])
@pytest.mark.parametrize("name", FITS)
def test_rows_with_missing_values_are_nan(data, name, form):
    text, model, named, lost = FITS[name]
    fit = fit_formula(text, data, model, na="drop", **named)
    rows = data
    if form == "dict":
        rows = {column: data[column].to_numpy() for column in data}
    elif form == "polars":
        rows = pytest.importorskip("polars").from_pandas(data)
    whole = np.delete(np.arange(len(data)), lost)
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        if not hasattr(model, method):
            assert not hasattr(fit, method)
            continue
        found = getattr(fit, method)(rows)
        assert len(found) == len(data)
        assert pd.isna(found[lost]).all()
        expected = getattr(fit, method)(data.iloc[whole])
        np.testing.assert_array_equal(found[whole], expected)
        nothing = getattr(fit, method)(data.iloc[lost])
        assert nothing.shape == found[lost].shape
        assert pd.isna(nothing).all()
    table = results(fit).predict_interval(rows)
    assert len(table) == len(data)
    assert table.iloc[lost].isna().all(axis=None)
    expected = results(fit).predict_interval(data.iloc[whole])
    np.testing.assert_array_equal(table.iloc[whole], expected)
    if form == "frame":
        assert table.index.equals(data.index)
        assert table.columns.equals(expected.columns)


def test_statsmodels_has_the_same_rows(data):
    smf = pytest.importorskip("statsmodels.formula.api")
    ours = fit_formula("y ~ x + place", data, LinearRegression(), na="drop").predict(data)
    theirs = smf.ols("y ~ x + place", data).fit().predict(data)
    # Both solve a well-posed problem to rounding.
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_values_of_the_user_go_with_their_rows(data):
    text, model, named, lost = FITS["counts"]
    fit = fit_formula(text, data, model, na="drop", **named)
    years = np.linspace(1, 3, len(data))
    whole = np.delete(np.arange(len(data)), lost)
    expected = fit.predict(data.iloc[whole], exposure=years[whole])
    np.testing.assert_array_equal(fit.predict(data, exposure=years)[whole], expected)
    table = results(fit).predict_interval(data, exposure=years)
    np.testing.assert_array_equal(table["prediction"].iloc[whole], expected)


def test_missing_values_are_refused_where_the_fit_refuses_them(data):
    fit = fit_formula("y ~ x", data.dropna(subset=["x", "y"]), LinearRegression())
    with pytest.raises(ValueError, match=r"missing values in 'x' \(2, first in row 3\)"):
        fit.predict(data)
    with pytest.raises(ValueError, match="missing values in 'x'"):
        results(fit).predict_interval(data)
    dropping = fit_formula("y ~ x", data, LinearRegression(), na="drop")
    with pytest.raises(ValueError, match="every row of X has a missing value"):
        results(dropping).predict_interval(data.iloc[[3, 5]])
