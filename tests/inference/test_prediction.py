"""Prediction intervals of LinearRegression, and its inference on real data, beside statsmodels."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.linear_model import BayesianRidge

from mcmodels import LinearRegression
from mcmodels.exceptions import InferenceError
from tests.certified import DATASETS
from tests.inference.problems import rows_of, with_ones


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("kind", ["mean", "observation"])
def test_against_get_prediction(seed, intercept, kind):
    X, y, *_ = rows_of(seed)
    there = np.vstack([X[:20], 5 * X[:5]])  # inside and outside of the rows
    found = LinearRegression(fit_intercept=intercept).fit(X, y).predict_interval(there, 0.9, kind)
    theirs = sm.OLS(y, with_ones(X, intercept)).fit().get_prediction(with_ones(there, intercept))
    frame = theirs.summary_frame(0.1)
    ends = (
        ["mean_ci_lower", "mean_ci_upper"] if kind == "mean" else ["obs_ci_lower", "obs_ci_upper"]
    )
    # The same quadratic forms, of a condition of 1e3, and ends that do not cancel.
    np.testing.assert_allclose(found[["lower", "upper"]], frame[ends], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(found["prediction"], frame["mean"], rtol=1e-9, atol=1e-10)
    error = theirs.se_mean if kind == "mean" else theirs.se_obs
    np.testing.assert_allclose(found["standard_error"], error, rtol=1e-9)


def test_return_std_is_that_of_an_observation():
    X, y, *_ = rows_of(3)
    model = LinearRegression().fit(X, y)
    prediction, deviation = model.predict(X, return_std=True)
    np.testing.assert_array_equal(prediction, model.predict(X))
    interval = model.predict_interval(X, kind="observation")
    np.testing.assert_allclose(deviation, interval["standard_error"], rtol=1e-14)
    # As scikit-learn means it: with a flat prior its deviation is about the same.
    # Columns are centred because scikit-learn before 1.9 takes the deviation as if they were.
    standard = (X - X.mean(axis=0)) / X.std(axis=0)
    theirs = BayesianRidge().fit(standard, y).predict(standard, return_std=True)[1]
    assert np.abs(np.log(deviation / theirs)).max() < 0.1


def test_frames_keep_their_index():
    X, y, *_ = rows_of(4)
    frame = pd.DataFrame(X, columns=list("abcd"), index=[f"row {i}" for i in range(120)])
    found = LinearRegression().fit(frame, y).predict_interval(frame[::-1])
    assert found.index.equals(frame.index[::-1])


def test_a_row_far_from_the_origin_keeps_its_digits():
    X, y, *_ = rows_of(5)
    near = LinearRegression().fit(X, y).predict_interval(X)
    far = LinearRegression().fit(X + 1e7, y).predict_interval(X + 1e7)
    # Entries are rounded at 1e-9, of deviations from 0.1 up.
    np.testing.assert_allclose(far["standard_error"], near["standard_error"], rtol=1e-6)


def test_refusals():
    X, y, *_ = rows_of(6)
    model = LinearRegression().fit(X, y)
    with pytest.raises(ValueError, match="kind='median' is not known"):
        model.predict_interval(X, kind="median")
    with pytest.raises(ValueError, match="between 0 and 1"):
        model.predict_interval(X, level=95)
    two = LinearRegression().fit(X, np.column_stack([y, y**2]))
    for ask in (two.predict_interval, lambda rows: two.predict(rows, return_std=True)):
        with pytest.raises(InferenceError, match="one target"):
            ask(X)


REAL = {
    "mtcars": ("mpg", ["wt", "hp", "qsec", "drat"], "cyl"),
    "longley": (None, None, None),
    "usarrests": ("Murder", ["Assault", "UrbanPop", "Rape"], None),
    "iris": ("Sepal.Length", ["Sepal.Width", "Petal.Length", "Petal.Width"], "Species"),
}


@pytest.mark.parametrize("name", REAL)
def test_real_data_against_ols(name):
    table = pd.read_csv(DATASETS / f"{name}.csv")
    target, features, groups = REAL[name]
    y = table.iloc[:, 0] if target is None else table[target]
    X = table.iloc[:, 1:] if features is None else table[features]
    model = LinearRegression().fit(X, y)
    fitted = sm.OLS(y.to_numpy(), with_ones(X.to_numpy(dtype=float)))
    theirs = fitted.fit()
    # The pseudoinverse of statsmodels has 9 digits for Longley (condition 5e9), 12 for the others.
    tolerance = 1e-6 if name == "longley" else 1e-9
    frame = model.summary().to_frame()
    np.testing.assert_allclose(frame["standard_error"], theirs.bse, rtol=tolerance)
    np.testing.assert_allclose(frame["t"], theirs.tvalues, rtol=tolerance)
    np.testing.assert_allclose(frame["p_value"], theirs.pvalues, rtol=10 * tolerance)
    assert model.log_likelihood_ == pytest.approx(theirs.llf, rel=1e-9)
    for kind in ("HC0", "HC3"):
        robust = fitted.fit(cov_type=kind, use_t=True)
        found = model.summary(X, y, kind=kind).to_frame()["standard_error"]
        np.testing.assert_allclose(found, robust.bse, rtol=tolerance)
    if groups:
        labels = pd.factorize(table[groups])[0]
        options = {"cov_type": "cluster", "cov_kwds": {"groups": labels}, "use_t": True}
        found = model.summary(X, y, kind="cluster", groups=table[groups]).to_frame()
        np.testing.assert_allclose(found["standard_error"], fitted.fit(**options).bse, rtol=1e-8)
    theirs_influence = theirs.get_influence()
    measures = model.influence(X, y)
    np.testing.assert_allclose(
        measures["cooks_distance"], theirs_influence.cooks_distance[0], rtol=100 * tolerance
    )
