"""Inference of LinearRegression from the fit alone: statsmodels, certified values, laws."""

import pickle
import warnings

import mpmath
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.exceptions import NotFittedError

from mcmodels import LinearRegression, RowStream
from mcmodels.exceptions import InferenceError
from tests.certified import NIST, answers, linear_data
from tests.inference.problems import rows_of, with_ones
from tests.numerics import correct_digits, relative_error

# Both solve the same equations in float64; the condition of the problems leaves ten digits.
SAME = {"rtol": 1e-9, "atol": 1e-14}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("intercept", [True, False])
def test_against_ols(seed, intercept):
    X, y, *_ = rows_of(seed)
    model = LinearRegression(fit_intercept=intercept).fit(X, y)
    theirs = sm.OLS(y, with_ones(X, intercept)).fit()
    np.testing.assert_allclose(model.covariance_, theirs.cov_params(), **SAME)
    np.testing.assert_allclose(model.standard_errors_, theirs.bse, **SAME)
    np.testing.assert_allclose(model.confidence_intervals(0.9), theirs.conf_int(0.1), **SAME)
    frame = model.summary().to_frame()
    np.testing.assert_allclose(frame["t"], theirs.tvalues, **SAME)
    np.testing.assert_allclose(frame["p_value"], theirs.pvalues, **SAME)
    for ours, name in (
        (model.log_likelihood_, "llf"),
        (model.aic_, "aic"),
        (model.bic_, "bic"),
        (model.r_squared_, "rsquared"),
        (model.adjusted_r_squared_, "rsquared_adj"),
        (model.f_test_.statistic, "fvalue"),
        (model.f_test_.p_value, "f_pvalue"),
    ):
        np.testing.assert_allclose(ours, getattr(theirs, name), rtol=1e-9, err_msg=name)
    assert (model.f_test_.df, model.f_test_.df_denominator) == (theirs.df_model, theirs.df_resid)


@pytest.mark.parametrize("seed", range(3))
def test_against_wls_when_weights_sum_to_the_number_of_rows(seed):
    X, y, weights, _ = rows_of(seed)
    weights = (weights + 0.5) / (weights + 0.5).mean()
    model = LinearRegression().fit(X, y, sample_weight=weights)
    theirs = sm.WLS(y, with_ones(X), weights=weights).fit()
    np.testing.assert_allclose(model.covariance_, theirs.cov_params(), **SAME)
    np.testing.assert_allclose(model.summary().to_frame()["p_value"], theirs.pvalues, **SAME)
    assert model.r_squared_ == pytest.approx(theirs.rsquared, rel=1e-9)
    assert model.f_test_.statistic == pytest.approx(theirs.fvalue, rel=1e-9)
    # WLS counts the logarithms of its weights in the likelihood.
    assert model.log_likelihood_ + np.log(weights).sum() / 2 == pytest.approx(theirs.llf, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_weights_count_rows(seed):
    X, y, weights, _ = rows_of(seed)
    model = LinearRegression().fit(X, y, sample_weight=weights)
    times = weights.astype(int)
    repeated = LinearRegression().fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    np.testing.assert_allclose(model.covariance_, repeated.covariance_, **SAME)
    for name in ("log_likelihood_", "aic_", "bic_", "r_squared_", "adjusted_r_squared_"):
        assert getattr(model, name) == pytest.approx(getattr(repeated, name), rel=1e-11)
    # statsmodels calls such weights frequencies, in its GLM.
    theirs = sm.GLM(y, with_ones(X), freq_weights=weights).fit()
    np.testing.assert_allclose(model.standard_errors_, theirs.bse, **SAME)


def test_several_targets_share_the_design():
    X, y, *_ = rows_of(1)
    Y = np.column_stack([y, X[:, 0] ** 2, y + X[:, 1] ** 2])
    model = LinearRegression().fit(X, Y)
    singles = [LinearRegression().fit(X, target) for target in Y.T]
    P = model.params_.shape[1]
    for k, single in enumerate(singles):
        own = model.covariance_[k * P : (k + 1) * P, k * P : (k + 1) * P]
        np.testing.assert_allclose(own, single.covariance_, rtol=1e-10)
    np.testing.assert_allclose(model.r_squared_, [single.r_squared_ for single in singles])
    # Between targets: the covariance of their residuals times the inverse of the design's squares.
    residuals = Y - model.predict(X)
    noise = residuals.T @ residuals / (len(X) - P)
    A = with_ones(X)
    np.testing.assert_allclose(
        model.covariance_, np.kron(noise, np.linalg.inv(A.T @ A)), rtol=1e-8, atol=1e-14
    )
    density = np.sum(
        [-0.5 * r @ np.linalg.solve(noise * (len(X) - P) / len(X), r) for r in residuals]
    )
    sigma = residuals.T @ residuals / len(X)
    density -= len(X) / 2 * (3 * np.log(2 * np.pi) + np.linalg.slogdet(sigma)[1])
    assert model.log_likelihood_ == pytest.approx(density, rel=1e-12)
    table = model.summary()
    assert list(table.tables) == ["y0", "y1", "y2"]
    test = model.wald_test("`y0:x1` = `y2:x1`")
    assert test.df == 1
    with pytest.raises(InferenceError, match="3 targets"):
        _ = model.f_test_


def _exact(X, y, intercept):
    """Standard errors and residual deviation of the float64 data, in 80 digits."""
    with mpmath.workdps(80):
        A = mpmath.matrix(with_ones(X, intercept).tolist())
        b = mpmath.matrix(y.tolist())
        inverse = (A.T * A) ** -1
        r = b - A * (inverse * (A.T * b))
        variance = (r.T * r)[0] / (A.rows - A.cols)
        errors = [mpmath.sqrt(variance * inverse[j, j]) for j in range(A.cols)]
        return np.array(errors, dtype=float), float(mpmath.sqrt(variance))


# Digits seen: 12.7 for Filip (condition 1e15), at least 14.4 for the others. Wampler1 and Wampler2
# are exact polynomials, whose standard errors are zero or what the rounding of y leaves.
@pytest.mark.parametrize("name", [name for name in NIST if name != "wampler1"])
def test_nist_standard_errors(name):
    about, (X, y) = answers(name), linear_data(name)
    model = LinearRegression(fit_intercept=about["fit_intercept"]).fit(X, y)
    errors, deviation = _exact(X, y, about["fit_intercept"])
    found = model.standard_errors_
    reached = min(correct_digits(*pair) for pair in zip(found, errors, strict=True))
    assert reached > (12.5 if name == "filip" else 14)
    (variance,) = np.diagonal(model._fit.model.noise_covariance)
    assert correct_digits(np.sqrt(variance), deviation) > 15
    if name == "wampler2":
        return
    certified = np.array([float(v) for v in about["standard_errors"].values()])
    if about["fit_intercept"]:
        certified = np.append(certified[1:], certified[0])
    digits = min(correct_digits(*pair) for pair in zip(found, certified, strict=True))
    # What NIST's decimals become as float64 has 8.2 of their digits for Filip, 13.8 for others.
    assert digits > (8 if name == "filip" else 13.5)
    # 1 - E/T has three digits less than E/T where R² is 0.002, as in Wampler5.
    least = {"filip": 10, "wampler5": 12.5}.get(name, 13.5)
    assert correct_digits(model.r_squared_, about["r_squared"]) > least


def test_a_fit_without_residuals_has_no_errors_and_no_nan():
    X, y = linear_data("wampler1")
    model = LinearRegression().fit(X, y)
    # The target is a polynomial of integers: what is left of 1e6 is rounding of coefficients.
    assert model.standard_errors_.max() < 1e-14
    integers = np.arange(12.0)[:, np.newaxis]
    exact = LinearRegression().fit(integers, 3 * integers[:, 0])
    assert np.array_equal(exact.standard_errors_, [0, 0])
    frame = exact.summary().to_frame()
    assert not frame.isna().to_numpy().any()
    assert frame["t"].tolist() == [np.inf, 0.0]
    assert frame["p_value"].tolist() == [0.0, 1.0]
    assert exact.log_likelihood_ == np.inf
    assert exact.f_test_.statistic == np.inf
    with pytest.raises(InferenceError, match="without error"):
        exact.wald_test("x0 = 1")


@pytest.mark.parametrize("far", [0.0, 1e4, 1e7])
def test_the_origin_of_a_column_leaves_slopes_alone(far):
    X, y, *_ = rows_of(5)
    near, moved = LinearRegression().fit(X, y), LinearRegression().fit(X + far, y)
    # An offset of 1e7 rounds entries at 1e-9, of columns with deviations from 0.1 up.
    tolerance = 1e-12 + far * 1e-15
    assert relative_error(moved.standard_errors_[:-1], near.standard_errors_[:-1]) < tolerance


def test_column_scaling_moves_errors_by_its_inverse():
    X, y, *_ = rows_of(6)
    scale = np.array([1e-6, 1.0, 1e3, 1e8])
    plain, scaled = LinearRegression().fit(X, y), LinearRegression().fit(X * scale, y)
    np.testing.assert_allclose(
        scaled.standard_errors_[:-1] * scale, plain.standard_errors_[:-1], rtol=1e-12
    )


@pytest.mark.parametrize("solver", ["auto", "normal", "pinv"])
def test_the_same_from_parts_from_streams_and_after_unpickling(solver):
    X, y, *_ = rows_of(7, n=200)
    whole = LinearRegression(solver=solver).fit(X, y)
    parts = LinearRegression(solver=solver)
    for part in np.split(np.arange(200), [3, 60, 61, 150]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parts.partial_fit(X[part], y[part])
    stream = RowStream([(X[:90], y[:90]), (X[90:], y[90:])])
    streamed = LinearRegression(solver=solver).fit(stream)
    for model in (parts, streamed, pickle.loads(pickle.dumps(parts))):
        np.testing.assert_allclose(model.covariance_, whole.covariance_, rtol=1e-10)
        assert model.log_likelihood_ == pytest.approx(whole.log_likelihood_, rel=1e-12)
        assert str(model.summary()) == str(whole.summary())


@pytest.mark.parametrize("p", [2, 20, 60])
@pytest.mark.parametrize("how", ["fit", "pinv", "partial_fit", "ill-conditioned"])
def test_a_fitted_model_is_small_and_holds_no_row(p, how):
    X, y, *_ = rows_of(8, n=2000, p=p)
    model = LinearRegression(solver="pinv" if how == "pinv" else "auto")
    if how == "ill-conditioned":
        X[:, 1] = X[:, 0] + 1e-6 * X[:, 1]
    X = pd.DataFrame(X, columns=[f"c{j}" for j in range(p)])
    if how == "partial_fit":
        model.partial_fit(X, y)
    else:
        model.fit(X, y)
    assert len(pickle.dumps(model)) <= 3 * 1024 + 3 * 8 * (p + 1) ** 2


@pytest.mark.parametrize("intercept", [True, False])
def test_variance_inflation(intercept):
    X, y, *_ = rows_of(9)
    model = LinearRegression(fit_intercept=intercept).fit(pd.DataFrame(X, columns=list("abcd")), y)
    factors = model.variance_inflation_factors()
    # statsmodels' own function has centred all columns since 0.15, and that is another factor.
    shares = [
        sm.OLS(X[:, j], with_ones(np.delete(X, j, axis=1), intercept)).fit().rsquared
        for j in range(4)
    ]
    theirs = 1 / (1 - np.array(shares))
    np.testing.assert_allclose(factors, theirs, rtol=1e-8)
    assert factors.index.tolist() == list("abcd")


def test_what_is_not_determined_is_refused():
    X, y, *_ = rows_of(10, n=30)
    with pytest.raises(NotFittedError):
        _ = LinearRegression().standard_errors_
    with pytest.raises(InferenceError, match=r"5 rows \(the sum of the weights\) for 5 parameters"):
        _ = LinearRegression().fit(X[:5], y[:5]).covariance_
    frame = pd.DataFrame(X, columns=list("abcd")).assign(twice=2 * X[:, 1])
    with pytest.warns(UserWarning, match="rank"):
        model = LinearRegression().fit(frame, y)
    # Once refused altogether; now the others have errors, and the reason is below the table.
    assert model.summary().notes[0].startswith("NA: Leave out one of b, twice")
    assert np.isnan(model.standard_errors_).tolist() == [False, True, False, False, True, False]
    # What does not depend on the choice among the solutions is there.
    reduced = LinearRegression().fit(frame.drop(columns="twice"), y)
    assert model.log_likelihood_ == pytest.approx(reduced.log_likelihood_, rel=1e-12)
    assert model.r_squared_ == pytest.approx(reduced.r_squared_, rel=1e-12)
    assert model.aic_ == pytest.approx(reduced.aic_, rel=1e-12)
    tiny = LinearRegression().fit(X, y, sample_weight=np.full(30, 0.1))
    with pytest.raises(InferenceError, match="weights count rows"):
        _ = tiny.standard_errors_
    for level in (0, 1, 95):
        with pytest.raises(ValueError, match="between 0 and 1"):
            reduced.confidence_intervals(level)
