"""HAC covariances against statsmodels and by sums of lagged products; blocks, laws, refusals."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    RowStream,
    scan,
)
from mcmodels.exceptions import InferenceError
from mcmodels.inference.serial import _Windows
from tests.inference.problems import with_ones

N = 150
LAGS = [0, 1, 4, 40, N - 1]


def series(seed, n=N):
    """Correlated columns, one of them far from zero, and noise that goes on."""
    rng = np.random.default_rng(seed)
    X = np.cumsum(rng.normal(size=(n, 3)), axis=0) * [1.0, 0.3, 0.1] + [0.0, 50.0, -1.0]
    noise = rng.normal(size=n)
    for t in range(1, n):
        noise[t] += 0.6 * noise[t - 1]
    return X, X @ [0.5, -0.2, 1.0] + noise


def same(found, expected, tolerance=1e-10):
    size = np.sqrt(np.diagonal(expected))
    assert np.abs((found - expected) / np.outer(size, size)).max() < tolerance


def by_lags(scores, bread, lags, factor=1.0):
    """Newey and West's formula, one lag after another."""
    meat = scores.T @ scores
    for lag in range(1, lags + 1):
        part = scores[lag:].T @ scores[:-lag]
        meat = meat + (1 - lag / (lags + 1)) * (part + part.T)
    return factor * bread @ meat @ bread


@pytest.mark.parametrize("lags", LAGS)
@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
def test_linear_against_statsmodels(lags, corrected, intercept):
    X, y = series(0)
    model = LinearRegression(fit_intercept=intercept).fit(X, y)
    options = {"kind": "HAC", "max_lags": lags, "use_correction": corrected}
    theirs = sm.OLS(y, with_ones(X, intercept)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": corrected}, use_t=True
    )
    same(model.covariance(X, y, **options), theirs.cov_params())
    table = model.summary(X, y, **options).to_frame()
    np.testing.assert_allclose(table["standard_error"], theirs.bse, rtol=1e-9)
    np.testing.assert_allclose(table["p_value"], theirs.pvalues, rtol=1e-7)
    np.testing.assert_allclose(table[["lower", "upper"]], theirs.conf_int(), rtol=1e-8)


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("name", ["poisson", "binomial", "logistic", "own"])
def test_other_models_against_statsmodels(name, corrected):
    X, eta = series(1)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    rng = np.random.default_rng(1)
    eta = 0.5 * (eta - eta.mean()) / eta.std()
    counts = rng.poisson(np.exp(eta))
    labels = (rng.logistic(size=N) < eta).astype(int)
    y = counts if name in ("poisson", "own") else labels
    model = {
        "poisson": GeneralizedLinearRegressor("poisson"),
        "binomial": GeneralizedLinearRegressor("binomial"),
        "logistic": LogisticRegression(C=np.inf),
        "own": ObjectiveRegressor("exp(eta) - y*eta", log_likelihood=True),
    }[name].fit(X, y)
    family = sm.families.Poisson() if y is counts else sm.families.Binomial()
    theirs = sm.GLM(y, with_ones(X), family=family).fit(
        tol=1e-14, cov_type="HAC", cov_kwds={"maxlags": 5, "use_correction": corrected}
    )
    found = model.covariance(X, y, kind="HAC", max_lags=5, use_correction=corrected)
    # Both stop where a Newton step is small; their scores and Hessians differ by its square root.
    same(found, theirs.cov_params(), 1e-8)


@pytest.mark.parametrize("lags", [0, 3, 17])
def test_weights_are_observations_of_the_same_time(lags):
    X, y = series(2)
    weights = np.random.default_rng(2).uniform(0.5, 2.0, N)
    weights *= N / weights.sum()
    model = LinearRegression().fit(X, y, sample_weight=weights)
    found = model.covariance(X, y, weights, kind="HAC", max_lags=lags, use_correction=True)
    theirs = sm.WLS(y, with_ones(X), weights=weights).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}
    )
    same(found, theirs.cov_params())


def test_a_row_of_weight_zero_is_absent():
    X, y = series(3)
    weights = np.ones(N)
    weights[[0, 7, 8, N - 1]] = 0.0
    kept = weights > 0
    model = LinearRegression().fit(X, y, sample_weight=weights)
    found = model.covariance(X, y, weights, kind="HAC", max_lags=6)
    expected = LinearRegression().fit(X[kept], y[kept])
    same(found, expected.covariance(X[kept], y[kept], kind="HAC", max_lags=6))


def test_no_lags_are_hc0_and_hc1():
    X, y = series(4)
    model = LinearRegression().fit(X, y)
    for corrected, kind in ((False, "HC0"), (True, "HC1")):
        found = model.covariance(X, y, kind="HAC", max_lags=0, use_correction=corrected)
        same(found, model.covariance(X, y, kind=kind), 1e-13)


@pytest.mark.parametrize("lags", [0, 1, 2, 5, 11, 29])
@pytest.mark.parametrize("seed", range(5))
def test_rows_cut_anywhere_have_the_same_sum(lags, seed):
    """Parts shorter than the lags, too, and added in any grouping."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(30, 2))
    cuts = np.sort(rng.choice(np.arange(1, 30), 6, replace=False))
    parts = [_Windows.of(part, lags) for part in np.split(scores, cuts)]
    zeros = np.zeros((lags, 2))
    parts = [_Windows.of(zeros, lags), *parts, _Windows.of(zeros, lags)]
    while len(parts) > 1:
        at = rng.integers(len(parts) - 1)
        parts[at] += parts.pop(at + 1)
    expected = by_lags(scores, np.eye(2), lags)
    np.testing.assert_allclose(parts[0].inside / (lags + 1), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("lags", [3, 400])
def test_many_blocks_and_threads(lags):
    """As many rows as make several blocks; scores are those of the fit."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(120_000, 8)) + 3
    noise = np.convolve(rng.normal(size=120_004), np.ones(5), "valid")
    y = X @ np.ones(8) + noise
    model = LinearRegression().fit(X, y)
    found = model.covariance(X, y, kind="HAC", max_lags=lags, use_correction=False)
    A = with_ones(X)
    scores = A * (y - A @ model.params_)[:, np.newaxis]
    same(found, by_lags(scores, np.linalg.inv(A.T @ A), lags))


def test_streams_of_any_blocks():
    X, y = series(6)
    for height in (1, 7, 64, N):
        blocks = [(X[k : k + height], y[k : k + height]) for k in range(0, N, height)]
        model = LinearRegression().fit(X, y)
        expected = model.covariance(X, y, kind="HAC", max_lags=9)
        same(model.covariance(RowStream(blocks), kind="HAC", max_lags=9), expected, 1e-12)


def test_the_order_counts():
    X, y = series(7)
    model = LinearRegression().fit(X, y)
    shuffled = np.random.default_rng(0).permutation(N)
    expected = model.covariance(X, y, kind="HAC", max_lags=4)
    other = model.covariance(X[shuffled], y[shuffled], kind="HAC", max_lags=4)
    with pytest.raises(AssertionError):
        same(other, expected, 0.05)
    back = model.covariance(X[::-1], y[::-1], kind="HAC", max_lags=4)
    same(back, expected, 1e-12)  # Γ_l and its transpose change places


def test_several_targets_and_classes():
    X, y = series(8)
    Y = np.column_stack([y, X[:, 0] - y**2])
    model = LinearRegression().fit(X, Y)
    A = with_ones(X)
    U = Y - A @ model.params_.T
    scores = (U[:, :, np.newaxis] * A[:, np.newaxis, :]).reshape(N, -1)
    bread = np.kron(np.eye(2), np.linalg.inv(A.T @ A))
    found = model.covariance(X, Y, kind="HAC", max_lags=3, use_correction=False)
    same(found, by_lags(scores, bread, 3))


def test_refusals():
    X, y = series(9)
    model = LinearRegression().fit(X, y)
    with pytest.raises(ValueError, match=r"needs max_lags.*4\(n/100\)"):
        model.covariance(X, y, kind="HAC")
    with pytest.raises(ValueError, match="max_lags was given, but kind='HC1'"):
        model.summary(X, y, kind="HC1", max_lags=3)
    for wrong in (-1, 2.5, "3", True):
        with pytest.raises(ValueError, match=r"max_lags=.* integer of at least 0"):
            model.covariance(X, y, kind="HAC", max_lags=wrong)
    with pytest.raises(InferenceError, match=r"max_lags=150 must be smaller than .*, 150"):
        model.covariance(X, y, kind="HAC", max_lags=N)
    with pytest.raises(ValueError, match="groups was given"):
        model.covariance(X, y, kind="HAC", max_lags=3, groups=np.arange(N) % 9)
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(y=y)
    rows = scan(frame, target="y")
    with pytest.raises(ValueError, match="order of time, and X is a table"):
        LinearRegression().fit(rows).covariance(rows, kind="HAC", max_lags=3)


@pytest.mark.parametrize("height", [1, 20, 37])
def test_partitions_of_dask_are_in_order(height):
    """Of one row, too, so that sums of sums are added in a tree."""
    dask = pytest.importorskip("dask.array")
    X, y = series(10, 60)
    model = LinearRegression().fit(X, y)
    chunks = dask.from_array(X, chunks=(height, 3)), dask.from_array(y, chunks=height)
    found = model.covariance(*chunks, kind="HAC", max_lags=7)
    same(found, model.covariance(X, y, kind="HAC", max_lags=7), 1e-12)


def test_dates_in_another_order_are_refused():
    X, y = series(11)
    dates = pd.date_range("2020-01-01", periods=N, freq="D")
    frame = pd.DataFrame(X, index=dates, columns=["a", "b", "c"])
    target = pd.Series(y, index=dates)
    model = LinearRegression().fit(frame, target)
    expected = model.covariance(frame, target, kind="HAC", max_lags=3)
    back = model.covariance(frame[::-1], target[::-1], kind="HAC", max_lags=3)
    same(back, expected, 1e-12)
    order = np.random.default_rng(0).permutation(N)
    for index in (dates, dates.to_period("D")):
        mixed, targets = frame.set_axis(index).iloc[order], target.set_axis(index).iloc[order]
        with pytest.raises(ValueError, match="the dates in the index of X are not"):
            model.covariance(mixed, targets, kind="HAC", max_lags=3)
        model.covariance(mixed, targets, kind="HC1")


def test_summary_says_what_it_is():
    X, y = series(0)
    text = str(LinearRegression().fit(X, y).summary(X, y, kind="HAC", max_lags=4))
    assert "robust to serial correlation (HAC, Newey-West)" in text
