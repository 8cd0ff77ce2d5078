"""Leave-one-out of pipelines, searches and formulas has the scores of the model at their end."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    QuantileRegressor,
    fit_formula,
    leave_one_out,
)
from mcmodels.exceptions import InferenceError, NoMeanWarning
from tests.resampling.brute_force import DENSITIES

N = 36
TIGHT = {"tol": 1e-12}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(4)
    X = pd.DataFrame(rng.normal(size=(N, 2)), columns=["a", "b"], index=[f"r{k}" for k in range(N)])
    eta = X["a"].to_numpy() / 2 - X["b"].to_numpy() / 3
    return X, {
        "number": eta + rng.normal(size=N),
        "count": rng.poisson(np.exp(eta)) * 1.0,
        "positive": np.exp(eta) * rng.gamma(3.0, size=N),
    }


MODELS = {
    "linear": (LinearRegression(), "number"),
    "poisson": (GeneralizedLinearRegressor("poisson", **TIGHT), "count"),
    "gamma": (GeneralizedLinearRegressor("gamma", link="log", **TIGHT), "positive"),
}


@pytest.mark.parametrize("name", MODELS)
def test_pipelines_have_the_scores_of_their_model(data, name):
    X, kinds = data
    model, kind = MODELS[name]
    y = kinds[kind]
    # A scaler changes no unpenalised fit: the pipeline is its model with other units.
    piped = make_pipeline(StandardScaler(), clone(model)).fit(X, y)
    search = GridSearchCV(piped, {"standardscaler__with_mean": [True]}, cv=3).fit(X, y)
    expected = leave_one_out(clone(model).fit(X, y), X, y)
    for fitted in (piped, search):
        found = leave_one_out(fitted, X, y)
        assert found.kind == expected.kind
        # Both fits have ended at a tolerance.
        assert found.log_scores == pytest.approx(expected.log_scores, rel=1e-8, abs=1e-8)
        assert found.losses == pytest.approx(expected.losses, rel=1e-7, abs=1e-9)
        assert found.compare(expected).difference == pytest.approx(0.0, abs=1e-6)
    assert leave_one_out(piped, X, y).score() == pytest.approx(expected.score(), rel=1e-8)
    intervals = leave_one_out(piped, X, y).predict_interval(X, 0.8)
    pd.testing.assert_frame_equal(intervals, expected.predict_interval(X, 0.8), rtol=1e-7)


def test_the_scaler_is_fitted_without_the_row(data):
    X, kinds = data
    y = kinds["number"]
    # With a penalty the units matter, and those are of the rows that are left.
    model = make_pipeline(StandardScaler(), GeneralizedLinearRegressor(alpha=20.0))
    found = leave_one_out(model.fit(X, y), X, y)
    for row in (0, 11):
        kept = np.arange(N) != row
        fitted = clone(model).fit(X[kept], y[kept])
        mean, phi = fitted.predict(X.iloc[[row]])[0], fitted[-1].dispersion_
        assert found.log_scores[row] == pytest.approx(
            stats.norm.logpdf(y[row], mean, np.sqrt(phi)), rel=1e-9
        )


def test_losses_of_a_pipeline_are_those_of_its_model(data):
    X, kinds = data
    y = kinds["number"]
    piped = make_pipeline(StandardScaler(), QuantileRegressor(quantile=0.3)).fit(X, y)
    plain = leave_one_out(QuantileRegressor(quantile=0.3).fit(X, y), X, y)
    found = leave_one_out(piped, X, y)
    # Fits end at vertices, which scaling moves by rounding.
    assert found.losses == pytest.approx(plain.losses, rel=1e-9, abs=1e-12)


def test_sums_of_losses_are_not_called_log_scores(data):
    X, kinds = data
    text = repr(leave_one_out(Ridge().fit(X, kinds["number"]), X, kinds["number"]))
    assert "minus the sum of losses: " in text
    assert "log score:" not in text
    of_model = repr(leave_one_out(LinearRegression().fit(X, kinds["number"]), X, kinds["number"]))
    assert "log score: " in of_model


def test_perfect_fits_and_fits_without_freedom_have_no_scores(data):
    X, _ = data
    piped = make_pipeline(StandardScaler(), LinearRegression())
    y = X.sum(axis=1)
    with pytest.raises(InferenceError, match="the fit of the others is perfect"):
        _ = leave_one_out(clone(piped).fit(X, y), X, y).log_score_
    few, target = X.iloc[:4], np.array([1.0, 0.0, 2.0, 5.0])
    with pytest.raises(InferenceError, match="no degree of freedom is left"):
        _ = leave_one_out(clone(piped).fit(few, target), few, target).log_score_


def test_rows_without_a_mean_are_named():
    X = np.array([[0.0], [1.0], [2.0], [3.0], [6.0]])
    y = np.array([9.0, 7.0, 4.0, 2.0, 1.0])
    piped = make_pipeline("passthrough", GeneralizedLinearRegressor("poisson", link="identity"))
    with pytest.warns(NoMeanWarning, match=r"row\(s\) 4 "):
        found = leave_one_out(piped.fit(X, y), X, y)
    assert found.log_scores[4] == -np.inf


def test_many_rows_of_a_pipeline_are_refused_with_both_remedies():
    X = np.random.default_rng(0).normal(size=(1001, 1))
    piped = make_pipeline(StandardScaler(), LinearRegression()).fit(X, X[:, 0])
    with pytest.raises(InferenceError, match=r"groups=.*Or pass its LinearRegression"):
        leave_one_out(piped, X, X[:, 0])


def test_formulas(data):
    X, kinds = data
    table = X.assign(y=kinds["number"], level=np.where(X["a"] > 0.3, "high", "low"))
    table = table.assign(exposure=np.linspace(1, 2, N), count=kinds["count"])
    formula = fit_formula("y ~ b + level", table, LinearRegression())
    coded = X[["b"]].assign(level=(table["level"] == "low") * 1.0)
    plain = LinearRegression().fit(coded, table["y"])
    expected = leave_one_out(plain, coded, table["y"])
    found = leave_one_out(formula, table)
    assert found.to_frame().index.equals(table.index)
    assert found.log_scores == pytest.approx(expected.log_scores, rel=1e-10)
    pd.testing.assert_frame_equal(
        found.predict_interval(table.iloc[:3], 0.8), expected.predict_interval(coded.iloc[:3], 0.8)
    )
    grouped = leave_one_out(formula, table, groups="level")
    assert grouped.log_score_ == pytest.approx(
        leave_one_out(plain, coded, table["y"], groups=table["level"]).log_score_, rel=1e-10
    )
    lost = table.copy()
    lost.loc["r5", "b"] = np.nan
    dropped = leave_one_out(fit_formula("y ~ b", lost, LinearRegression(), na="drop"), lost)
    assert dropped.to_frame().index.equals(table.index.delete(5))


def test_formulas_with_an_exposure(data):
    X, kinds = data
    table = X.assign(count=kinds["count"], exposure=np.linspace(1, 2, N))
    model = GeneralizedLinearRegressor("poisson", **TIGHT)
    formula = fit_formula("count ~ a", table, clone(model), exposure="exposure")
    found = leave_one_out(formula, table)
    for row in (2, 20):
        kept = table.index != table.index[row]
        fewer = clone(model).fit(
            table.loc[kept, ["a"]], table["count"][kept], exposure=table["exposure"][kept]
        )
        mean = fewer.predict(table[["a"]].iloc[[row]], exposure=table["exposure"].iloc[[row]])
        expected = DENSITIES["poisson"](fewer, table["count"].iloc[row], mean[0], 1.0)
        assert found.log_scores[row] == pytest.approx(expected, rel=1e-8)
    plain = clone(model).fit(table[["a"]], table["count"], exposure=table["exposure"])
    theirs = leave_one_out(plain, table[["a"]], table["count"], exposure=table["exposure"])
    pd.testing.assert_frame_equal(
        found.predict_interval(table, 0.8),
        theirs.predict_interval(table[["a"]], 0.8, exposure=table["exposure"]),
        rtol=1e-7,
    )
