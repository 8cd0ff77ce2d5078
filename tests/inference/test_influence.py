"""Influence of rows on least squares: leaving each out, statsmodels, and its refusals."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.diagnostic import het_breuschpagan

from mcmodels import LinearRegression
from mcmodels.exceptions import InferenceError, LeverageWarning
from tests.inference.problems import rows_of, with_ones


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_leaving_each_row_out(intercept, weighted):
    X, y, weights, _ = rows_of(0, n=40)
    w = weights + 1 if weighted else np.ones(40)
    model = LinearRegression(fit_intercept=intercept)
    model.fit(X, y, sample_weight=w if weighted else None)
    measures = model.influence(X, y, w if weighted else None)
    A = with_ones(X, intercept)
    inverse = np.linalg.inv((A.T * w) @ A)
    residuals = y - model.predict(X)
    sigma = np.sqrt(model._fit.model.noise_covariance[0, 0])
    for i in range(40):
        absent = w * (np.arange(40) != i)
        without = LinearRegression(fit_intercept=intercept).fit(X, y, sample_weight=absent)
        sigma_without = np.sqrt(without._fit.model.noise_covariance[0, 0])
        change = model.params_ - without.params_
        row = measures.iloc[i]
        # Both are fits in float64 of a condition of about 1e2; the change is 1e-2 of the fit.
        dfbetas = change / (sigma_without * np.sqrt(np.diagonal(inverse)))
        np.testing.assert_allclose(row.iloc[5:], dfbetas, rtol=1e-8, atol=1e-11)
        cook = np.sum(w * (model.predict(X) - without.predict(X)) ** 2) / (A.shape[1] * sigma**2)
        assert row["cooks_distance"] == pytest.approx(cook, rel=1e-8)
        h = w[i] * A[i] @ inverse @ A[i]
        assert row["leverage"] == pytest.approx(h, rel=1e-10)
        scale = np.sqrt((1 - h) / w[i])
        assert row["standardized_residual"] == pytest.approx(
            residuals[i] / (sigma * scale), rel=1e-9
        )
        studentized = residuals[i] / (sigma_without * scale)
        assert row["studentized_residual"] == pytest.approx(studentized, rel=1e-8)
        moved = model.predict(X[[i]])[0] - without.predict(X[[i]])[0]
        dffits = moved / (sigma_without * np.sqrt(h / w[i]))
        assert row["dffits"] == pytest.approx(dffits, rel=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_against_statsmodels(seed):
    X, y, *_ = rows_of(seed)
    measures = LinearRegression().fit(X, y).influence(X, y)
    theirs = sm.OLS(y, with_ones(X)).fit().get_influence()
    for name, expected in (
        ("leverage", theirs.hat_matrix_diag),
        ("standardized_residual", theirs.resid_studentized_internal),
        ("studentized_residual", theirs.resid_studentized_external),
        ("cooks_distance", theirs.cooks_distance[0]),
        ("dffits", theirs.dffits[0]),
    ):
        # Formulas of residuals that agree to 1e-12 of their size.
        np.testing.assert_allclose(measures[name], expected, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(measures.iloc[:, 5:], theirs.dfbetas, rtol=1e-8, atol=1e-11)


def test_names_and_index_of_a_frame():
    X, y, *_ = rows_of(3)
    frame = pd.DataFrame(X, columns=list("abcd"), index=pd.RangeIndex(1000, 1120))
    measures = LinearRegression().fit(frame, y).influence(frame, y)
    assert measures.index.equals(frame.index)
    assert measures.columns.tolist() == [
        "leverage",
        "standardized_residual",
        "studentized_residual",
        "cooks_distance",
        "dffits",
        *(f"dfbetas_{name}" for name in ("a", "b", "c", "d", "(intercept)")),
    ]


def test_a_row_that_alone_determines_a_parameter_is_named():
    X, y, *_ = rows_of(4, n=30)
    X = np.column_stack([X, np.arange(30) == 17])
    model = LinearRegression().fit(X, y)
    with pytest.warns(LeverageWarning, match=r"row\(s\) 17 have leverage 1") as found:
        measures = model.influence(X, y)
    assert found[0].filename == __file__
    assert measures["leverage"][17] == pytest.approx(1, abs=1e-12)
    assert np.isfinite(measures.drop(17)).to_numpy().all()


def test_rows_of_weight_zero_pull_nothing():
    X, y, weights, _ = rows_of(5)
    assert (weights == 0).any()
    measures = LinearRegression().fit(X, y, sample_weight=weights).influence(X, y, weights)
    absent = measures[weights == 0]
    assert np.array_equal(absent, np.zeros_like(absent))
    assert len(measures) == len(X)


def test_a_fit_without_residuals_has_finite_measures():
    X = np.arange(12.0)[:, np.newaxis]
    measures = LinearRegression().fit(X, 3 * X[:, 0]).influence(X, 3 * X[:, 0])
    assert np.isfinite(measures).to_numpy().all()
    assert (measures.drop(columns="leverage") == 0).to_numpy().all()


def test_many_blocks_are_as_one(monkeypatch):
    from mcmodels.rows import source

    X, y, *_ = rows_of(6, n=3000)
    whole = LinearRegression().fit(X, y)
    expected = whole.influence(X, y)
    monkeypatch.setattr(source, "MIN_BLOCK_ROWS", 64)
    monkeypatch.setattr(source, "BLOCK_ENTRIES", 64)
    np.testing.assert_allclose(whole.influence(X, y), expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weighted", [True, False])
def test_breusch_pagan(seed, weighted):
    X, y, weights, _ = rows_of(seed)
    times = weights.astype(int) if weighted else np.ones(len(X), dtype=int)
    model = LinearRegression().fit(X, y, sample_weight=times if weighted else None)
    test = model.breusch_pagan(X, y, times if weighted else None)
    repeated, target = np.repeat(X, times, axis=0), np.repeat(y, times)
    A = with_ones(repeated)
    statistic, p_value, *_ = het_breuschpagan(sm.OLS(target, A).fit().resid, A)
    # An auxiliary regression of squares that agree to 1e-12.
    assert test.statistic == pytest.approx(statistic, rel=1e-9)
    assert test.p_value == pytest.approx(p_value, rel=1e-8)
    assert test.df == 4


def test_refusals():
    X, y, *_ = rows_of(7)
    model = LinearRegression().fit(X, y)
    with pytest.raises(ValueError, match="fitted to 120"):
        model.influence(X[:-1], y[:-1])
    with pytest.raises(ValueError, match="fitted to 120"):
        model.breusch_pagan(X[:-1], y[:-1])
    two = LinearRegression().fit(X, np.column_stack([y, y**2]))
    with pytest.raises(InferenceError, match="one target"):
        two.influence(X, np.column_stack([y, y**2]))
    with pytest.raises(InferenceError, match="degrees of freedom"):
        LinearRegression().fit(X[:6], y[:6]).influence(X[:6], y[:6])
