"""Measures of fit that compare: R² and F of spanned constants, constant targets, ranks."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from mcmodels import (
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    RowStream,
    likelihood_ratio_test,
)
from mcmodels.exceptions import InferenceError, PerfectFitWarning

MEASURES = ("r_squared_", "adjusted_r_squared_")


def factor(rng, n, k):
    return (rng.integers(0, k, n)[:, np.newaxis] == np.arange(k)).astype(float)


def streamed(model, X, y, w):
    parts = np.array_split(np.arange(len(X)), 3)
    return model.fit(RowStream(lambda: iter([(X[i], y[i], w[i]) for i in parts])))


def in_parts(model, X, y, w):
    for i in np.array_split(np.arange(len(X)), 3):
        model.partial_fit(X[i], y[i], sample_weight=w[i])
    return model


HOW = {
    "fit": lambda model, X, y, w: model.fit(X, y, sample_weight=w),
    "stream": streamed,
    "partial_fit": in_parts,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("solver", ["auto", "normal", "pinv"])
@pytest.mark.parametrize("mean", [0.0, 30.0])
@pytest.mark.parametrize("seed", range(4))
def test_spanned_constants_are_an_intercept_and_one_column_less(seed, mean, solver, how):
    """The law: all indicators of a factor fit what an intercept and all but one of them fit."""
    rng = np.random.default_rng(seed)
    n, k = 300, int(rng.integers(2, 6))
    D, Z = factor(rng, n, k), rng.normal([0.0, 20.0], size=(n, 2))
    w = rng.integers(0, 4, n).astype(float)
    y = D @ rng.normal(size=k) + Z @ [0.3, -0.2] + rng.normal(size=n) + mean
    whole = HOW[how](LinearRegression(solver=solver), np.hstack([D[:, 1:], Z]), y, w)
    mixed = np.eye(k) + 0.1 * rng.normal(size=(k, k))
    # As indicators, as combinations of them, and with a column that repeats the others.
    for columns in (D, D @ mixed, np.hstack([D, D[:, :1]])):
        bare = LinearRegression(fit_intercept=False, solver=solver)
        HOW[how](bare, np.hstack([columns, Z]), y, w)
        # "normal" squares the condition (1e3 here) and differences of sums about zero.
        for name in MEASURES:
            assert getattr(bare, name) == pytest.approx(getattr(whole, name), rel=1e-8)
        test, expected = bare.f_test_, whole.f_test_
        assert (test.df, test.df_denominator) == (expected.df, expected.df_denominator)
        assert test.statistic == pytest.approx(expected.statistic, rel=1e-7)


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
@pytest.mark.parametrize("seed", range(4))
def test_measures_without_an_intercept_against_ols(seed, scale):
    rng = np.random.default_rng(seed)
    n = 80
    D, Z = factor(rng, n, 3), rng.normal(size=(n, 1)) + 2.0
    y = 5 + D @ [0.1, 0.3, 0.2] + rng.normal(size=n)
    for X in (D * scale, np.hstack([D, Z]) * scale, D[:, 1:] * scale, Z, np.hstack([D[:, :2], Z])):
        ours = LinearRegression(fit_intercept=False).fit(X, y)
        theirs = sm.OLS(y, X).fit()
        found = [ours.r_squared_, ours.adjusted_r_squared_, ours.f_test_.statistic]
        # A well-conditioned fit; the total about the mean loses two digits in theirs.
        expected = [theirs.rsquared, theirs.rsquared_adj, theirs.fvalue]
        np.testing.assert_allclose(found, expected, rtol=1e-9)
        assert ours.f_test_.p_value == pytest.approx(theirs.f_pvalue, rel=1e-8)


@pytest.mark.parametrize("solver", ["auto", "normal", "pinv"])
def test_columns_that_are_nearly_constant_do_not_span_a_constant(solver):
    rng = np.random.default_rng(0)
    noise, y = rng.normal(size=400), rng.normal(size=400) + 9
    for apart, spans in ((0.0, True), (1e-5, False), (1e-2, False)):
        X = (1 + apart * noise)[:, np.newaxis]
        model = LinearRegression(fit_intercept=False, solver=solver).fit(X, y)
        total = np.sum((y - y.mean()) ** 2) if spans else np.sum(y**2)
        residual = y - X[:, 0] * (X[:, 0] @ y / (X[:, 0] @ X[:, 0]))
        # A share of a total of 400 squares near 80; the first is zero.
        assert model.r_squared_ == pytest.approx(1 - residual @ residual / total, abs=1e-12)
        if spans:
            with pytest.raises(InferenceError, match="no slope to test"):
                _ = model.f_test_
    # Powers of x nearly span a constant on [0.5, 1.5], and do not.
    x = np.linspace(0.5, 1.5, 400)
    X = x[:, np.newaxis] ** np.arange(1, 7)
    model = LinearRegression(fit_intercept=False, solver="auto").fit(X, y)
    residual = y - X @ np.linalg.lstsq(X, y)[0]
    assert model.r_squared_ == pytest.approx(1 - residual @ residual / (y @ y), rel=1e-9)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("value", [0.0, 0.1, 3.0, 1e8 + 0.1])
@pytest.mark.parametrize("intercept", [True, False])
def test_r_squared_of_a_constant_target_is_undefined_everywhere(value, intercept):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(50, 2)) if intercept else factor(rng, 50, 3)
    y = np.full(50, value)
    model = LinearRegression(fit_intercept=intercept).fit(X, y)
    assert np.isnan(model.r_squared_)
    assert np.isnan(model.adjusted_r_squared_)
    assert not hasattr(model, "f_test_")
    text = str(model.summary())
    assert "R²                  undefined" in text
    assert "adjusted" not in text
    both = LinearRegression(fit_intercept=intercept).fit(X, np.column_stack([y, X[:, 0]]))
    assert np.isnan(both.r_squared_).tolist() == [True, False]
    assert np.isnan(both.adjusted_r_squared_).tolist() == [True, False]


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
@pytest.mark.parametrize("far", [0.0, 1e4])
@pytest.mark.parametrize("seed", range(3))
def test_residuals_that_are_rounding_are_an_essentially_perfect_fit(seed, far, scale):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(60, 3)) + far, columns=list("abc"))
    beta = rng.normal(size=3)
    y = (X.to_numpy() @ beta + 1.7) * scale
    model = LinearRegression().fit(X, y)
    for summary in (model.summary(), model.summary(X, y, kind="HC1")):
        text = str(summary)
        assert "essentially perfect fit" in text
        # No statistic of sixteen digits is printed.
        assert max(map(len, text.split())) < 16
        assert np.isinf(summary.to_frame()["t"]).all()
        assert "F " not in text
    # Residuals of a millionth of a percent are residuals.
    noisy = LinearRegression().fit(X, y * (1 + 1e-8 * rng.normal(size=60)))
    assert "essentially" not in str(noisy.summary())
    assert np.isfinite(noisy.summary().to_frame()["t"]).all()
    both = LinearRegression().fit(X, np.column_stack([y, rng.normal(size=60) * scale]))
    assert "essentially perfect fit of y0:" in str(both.summary())


@pytest.mark.parametrize("weights", [None, np.full(10_000, 3.0)])
def test_the_terms_of_residuals_are_summed_over_all_rows(weights):
    """A target of size one is the difference of two terms of 3e5, rounded to 3e-11."""
    x = 1e6 + np.random.default_rng(0).normal(size=(10_000, 1))
    model = LinearRegression().fit(x, x[:, 0] / 3 - 1e6 / 3, sample_weight=weights)
    assert "essentially perfect fit" in str(model.summary())
    noise = 1e-8 * np.random.default_rng(1).normal(size=10_000)
    model.fit(x, x[:, 0] / 3 - 1e6 / 3 + noise, sample_weight=weights)
    assert "essentially perfect fit" not in str(model.summary())


def test_the_mean_of_the_target_is_a_term_of_its_residuals():
    """Columns of size one and a target near 1e8, whose entries are rounded to 1e-8."""
    x = np.random.default_rng(0).normal(size=(200, 1))
    model = LinearRegression().fit(x, 1e8 + x[:, 0] / 3)
    assert "essentially perfect fit" in str(model.summary())
    model.fit(x, 1e8 + x[:, 0] / 3 + 1e-5 * np.random.default_rng(1).normal(size=200))
    assert "essentially perfect fit" not in str(model.summary())


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("solver", ["auto", "newton-cg"])
def test_criteria_count_the_rank_of_dependent_columns(solver, n_classes, intercept):
    """A column that repeats others changes neither the likelihood nor what the rows determine."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(200, 3))
    y = np.clip(np.round(X[:, 0] + rng.normal(size=200)), 0, n_classes - 1)
    model = LogisticRegression(C=np.inf, fit_intercept=intercept, solver=solver)
    plain = LogisticRegression(C=np.inf, fit_intercept=intercept).fit(X, y)
    for repeated in (X[:, :1], 2 * X[:, 1:2] - X[:, :1], X @ np.ones((3, 2))):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(np.hstack([X, repeated]), y)
        assert model.n_free_params_ == plain.n_free_params_
        # The same maximum, at which both fits stop with a gradient of 1e-8 or less.
        for name in ("aic_", "bic_", "log_likelihood_"):
            assert getattr(model, name) == pytest.approx(getattr(plain, name), rel=1e-9)
        if intercept:
            assert model.likelihood_ratio_test_.df == plain.likelihood_ratio_test_.df
        errors = np.atleast_2d(model.standard_errors_)
        assert np.isnan(errors[:, 3:].max(axis=1)).all()  # of what repeats others
    small = LogisticRegression(C=np.inf, fit_intercept=intercept).fit(X[:, :1], y)
    assert likelihood_ratio_test(small, model).df == 2 * (n_classes - 1)
    penalised = LogisticRegression(C=1.0).fit(np.hstack([X, X]), y)
    assert penalised.n_free_params_ == 7 * (1 if n_classes == 2 else 2)


@pytest.mark.filterwarnings("ignore")
def test_own_losses_count_the_rank():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(100, 2))
    y = rng.poisson(np.exp(0.2 * X[:, 0]))
    loss = {"loss": "exp(eta) - y*eta", "log_likelihood": True}
    model = ObjectiveRegressor(**loss).fit(np.hstack([X, X[:, :1]]), y)
    assert model.n_free_params_ == 3
    small = ObjectiveRegressor(**loss).fit(X[:, :1], y)
    assert likelihood_ratio_test(small, model).df == 1


ASKED = {
    "intervals": lambda m, X, y: m.confidence_intervals(),
    "robust intervals": lambda m, X, y: m.confidence_intervals(0.9, X, y),
    "Wald": lambda m, X, y: m.wald_test(np.eye(m.params_.size)[:1]),
    "robust Wald": lambda m, X, y: m.wald_test(np.eye(m.params_.size)[:1], X, y, kind="HC0"),
    "covariance": lambda m, X, y: m.covariance(X, y),
    "delta": lambda m, X, y: m.delta_method(lambda theta: theta.ravel()[0]),
    "prediction": lambda m, X, y: m.predict_interval(X),
    "standard deviation": lambda m, X, y: m.predict(X, return_std=True),
    "influence": lambda m, X, y: m.influence(X, y),
    "variances": lambda m, X, y: m.breusch_pagan(X, y),
}


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
@pytest.mark.parametrize("asked", ASKED)
def test_every_result_of_an_essentially_perfect_fit_says_so(asked, scale):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(50, 3)) + 7.0
    y = (X @ [1.0, -2.0, 0.5] + 3.0) * scale
    model = LinearRegression().fit(X, y)
    with pytest.warns(PerfectFitWarning, match="perfect fit of y: the residuals") as caught:
        ASKED[asked](model, X, y)
    assert [warning.filename for warning in caught] == [__file__]
    if asked not in ("prediction", "standard deviation", "influence", "variances"):
        two = pd.DataFrame({"rent": rng.normal(size=50), "area": y})
        both = LinearRegression().fit(X, two)
        with pytest.warns(PerfectFitWarning, match="perfect fit of area: "):
            ASKED[asked](both, X, two)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # A summary has its note; residuals of a millionth of a percent are residuals.
        model.summary()
        noisy = y * (1 + 1e-8 * rng.normal(size=50))
        ASKED[asked](LinearRegression().fit(X, noisy), X, noisy)


def test_a_row_without_which_the_fit_is_perfect():
    """Its influence is infinite, not NaN, and is no matter of leverage."""
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(50, 3)) + 7.0
        y = (X @ [1.0, -2.0, 0.5] + 3.0) * 1e-30
        model = LinearRegression().fit(X, y)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", PerfectFitWarning)
            found.append(model.influence(X, y).to_numpy())
    assert not np.isnan(found).any()
    # Rounding errors alone: some of the tables have such a row.
    assert np.isinf(found).any()


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3", "cluster"])
@pytest.mark.parametrize("extra", [0, 1])
@pytest.mark.parametrize("case", ["linear", "own"])
def test_robust_errors_need_more_rows_than_parameters(case, extra, kind):
    """With as many, every residual is zero: what was called a standard error was rounding."""
    rng = np.random.default_rng(6)
    X = rng.normal(size=(4 + extra, 3))
    y = rng.poisson(5.0, 4 + extra) + 1.0
    options = {"kind": kind}
    if kind == "cluster":
        options |= {"groups": np.arange(4 + extra), "use_correction": False}
    model = LinearRegression() if case == "linear" else ObjectiveRegressor("exp(eta) - y*eta")
    model.fit(X, y)
    if extra:
        assert (np.diagonal(model.covariance(X, y, **options)) > 1e-12).all()
        return
    with pytest.raises(InferenceError, match="4 rows for 4 parameters: every residual is zero"):
        model.covariance(X, y, **options)
    if case == "linear":
        with pytest.raises(InferenceError, match="4 rows for 4 parameters"):
            model.breusch_pagan(X, y)
    # A penalty leaves residuals.
    if case == "own" and kind in ("HC0", "cluster"):
        penalised = ObjectiveRegressor("exp(eta) - y*eta", alpha=1.0).fit(X, y)
        assert (np.diagonal(penalised.covariance(X, y, **options)) > 1e-12).all()
