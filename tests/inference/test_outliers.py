"""Tests of outliers against statsmodels and refits without each row; what cannot be tested."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from mcmodels import LinearRegression, RowStream
from mcmodels.exceptions import InferenceError, LeverageWarning
from tests.inference.problems import rows_of, with_ones
from tests.inference.published import agree, data


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("intercept", [True, False])
def test_against_statsmodels(seed, intercept):
    X, y, *_ = rows_of(seed, n=40)
    y[11] += 30
    found = LinearRegression(fit_intercept=intercept).fit(X, y).outlier_test(X, y)
    theirs = np.asarray(sm.OLS(y, with_ones(X, intercept)).fit().outlier_test())
    assert found.n_tested == 40
    np.testing.assert_allclose(found.table["studentized_residual"], theirs[:, 0], rtol=1e-10)
    # A tail of t changes by a share of about t² times that of t, 30² here.
    np.testing.assert_allclose(found.table["p_value"], theirs[:, 1], rtol=1e-8)
    np.testing.assert_allclose(found.table["bonferroni_p"], theirs[:, 2], rtol=1e-8)


def test_the_minister_in_r():
    """R's car 1.1-0, ?outlier.test: of Duncan's occupations 3.134519 with 41 degrees of freedom."""
    rows = data("duncan").set_index("occupation")
    X, y = rows[["income", "education"]], rows["prestige"]
    found = LinearRegression().fit(X, y).outlier_test(X, y).to_frame()
    assert found.index[0] == "minister"
    agree(found.iloc[0], "3.134519 0.003177202 0.1429741")
    p = 2 * stats.t.sf(found.iloc[0, 0], 41)
    assert found.iloc[0, 1] == pytest.approx(p, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_a_row_beside_the_fit_of_the_others(seed):
    """Of a weight that counts rows, all of them are left out: a prediction by the others."""
    X, y, weights, _ = rows_of(seed, n=30)
    model = LinearRegression().fit(X, y, sample_weight=weights)
    found = model.outlier_test(X, y, weights)
    A, present = with_ones(X), np.flatnonzero(weights)
    assert found.table.index.tolist() == present.tolist()
    for k, i in enumerate(present):
        times = weights.astype(int)
        times[i] = 0
        B, target = np.repeat(A, times, axis=0), np.repeat(y, times)
        fit = sm.OLS(target, B).fit()
        spread = 1 / weights[i] + A[i] @ np.linalg.inv(B.T @ B) @ A[i]
        t = (y[i] - A[i] @ fit.params) / np.sqrt(fit.scale * spread)
        assert found.table["studentized_residual"].iloc[k] == pytest.approx(t, rel=1e-9)
        p = 2 * stats.t.sf(abs(t), fit.df_resid)
        assert found.table["p_value"].iloc[k] == pytest.approx(p, rel=1e-7)
    p = found.table["p_value"]
    np.testing.assert_array_equal(found.table["bonferroni_p"], np.minimum(len(present) * p, 1.0))


def test_the_largest_are_shown_by_their_labels():
    X, y, *_ = rows_of(5, n=50)
    y[[3, 20]] += [60, -90]
    frame = pd.DataFrame(X, columns=list("abcd"), index=[f"day {i}" for i in range(50)])
    found = LinearRegression().fit(frame, y).outlier_test(frame, y)
    assert found.to_frame().index[:2].tolist() == ["day 20", "day 3"]
    assert found.table.index.tolist() == frame.index.tolist()
    sizes = found.to_frame()["studentized_residual"].abs()
    assert sizes.is_monotonic_decreasing
    text = str(found)
    assert text.index("day 20") < text.index("day 3 ")
    assert "rows tested" in text
    assert text.count("day") == 10
    blocks = [(frame.iloc[k : k + 17], y[k : k + 17]) for k in range(0, 50, 17)]
    streamed = LinearRegression().fit(frame, y).outlier_test(RowStream(blocks))
    pd.testing.assert_frame_equal(streamed.table, found.table, rtol=1e-9)


def test_a_row_that_alone_tells_a_parameter_is_named():
    X, y, *_ = rows_of(6, n=30)
    X = np.column_stack([X, np.arange(30) == 17])
    model = LinearRegression().fit(X, y)
    with pytest.warns(LeverageWarning, match=r"row\(s\) 17 are not tested"):
        found = model.outlier_test(X, y)
    assert found.untested == (17,)
    assert found.n_tested == 29
    assert found.table.isna().any(axis=1).to_numpy().nonzero()[0].tolist() == [17]
    assert found.to_frame().index[-1] == 17
    assert "Not tested: row(s) 17" in str(found)
    # Bonferroni's factor is the number of tests, as in R's car.
    theirs = sm.OLS(np.delete(y, 17), with_ones(np.delete(X[:, :4], 17, axis=0))).fit()
    np.testing.assert_allclose(
        found.table["bonferroni_p"].dropna(), np.asarray(theirs.outlier_test())[:, 2], rtol=1e-8
    )


def test_a_weight_that_leaves_no_noise_is_named():
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    y = np.array([0.1, 0.9, 2.2, 2.9])
    weights = np.array([0.5, 0.5, 7.0, 0.5])
    model = LinearRegression().fit(X, y, sample_weight=weights)
    with pytest.warns(LeverageWarning, match=r"row\(s\) 2 are not tested"):
        found = model.outlier_test(X, y, weights)  # 8.5 - 2 - 7 is less than zero
    assert found.untested == (2,)
    assert found.table.isna().any(axis=1).tolist() == [False, False, True, False]


def test_refusals():
    X, y, *_ = rows_of(0, n=30)
    model = LinearRegression().fit(X, y)
    with pytest.raises(ValueError, match="not the rows"):
        model.outlier_test(X[::-1], y)
    both = LinearRegression().fit(X, np.column_stack([y, -y]))
    with pytest.raises(InferenceError, match="one target"):
        both.outlier_test(X, np.column_stack([y, -y]))
    short = LinearRegression().fit(X[:6], y[:6])
    with pytest.raises(InferenceError, match="6 rows for 5 parameters: without one"):
        short.outlier_test(X[:6], y[:6])
