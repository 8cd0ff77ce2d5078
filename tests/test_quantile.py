"""QuantileRegressor: beside scikit-learn's, laws of weights, verdicts, refusals, results."""

import pickle
import re
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn.linear_model
from scipy import stats
from sklearn.base import clone
from sklearn.metrics import d2_pinball_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import (
    QuantileRegressor,
    RowStream,
    anova,
    glance,
    likelihood_ratio_test,
    results,
    summarize,
    tidy,
)
from mcmodels.exceptions import (
    ConstantTargetWarning,
    InferenceError,
    NotEstimableWarning,
    RankDeficiencyWarning,
)
from tests.certified import DATASETS

rng = np.random.default_rng(0)
X = rng.normal(size=(150, 3))
Y = X @ [1.0, -2.0, 0.5] + rng.standard_t(3, 150) * np.exp(X[:, 0] / 2)
COUNTS = rng.integers(0, 4, 150)


@pytest.fixture(scope="module")
def cars():
    return pd.read_csv(DATASETS / "mtcars.csv")


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("quantile", [0.05, 0.5, 0.8])
@pytest.mark.parametrize("weights", [None, COUNTS])
def test_the_objective_is_never_above_that_of_scikit_learn(quantile, intercept, weights):
    ours = QuantileRegressor(quantile, fit_intercept=intercept).fit(X, Y, weights)
    theirs = sklearn.linear_model.QuantileRegressor(
        quantile=quantile, alpha=0, fit_intercept=intercept, solver="highs"
    ).fit(X, Y, weights)
    params = np.append(theirs.coef_, theirs.intercept_ if intercept else [])
    other = ours.objective(X, Y, params, weights)
    assert ours.objective_ <= other * (1 + 1e-10)
    # Rounding errors of a sum of 150 terms.
    assert ours.objective(X, Y, sample_weight=weights) == pytest.approx(ours.objective_, rel=1e-13)
    # The minimum is unique here; HiGHS is feasible to 1e-7.
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-6)
    expected = d2_pinball_score(Y, ours.predict(X), sample_weight=weights, alpha=quantile)
    assert ours.score(X, Y, weights) == expected


def test_a_weight_of_two_is_a_row_given_twice_and_zero_an_absent_row():
    weighted = QuantileRegressor(0.3).fit(X, Y, COUNTS)
    repeated = QuantileRegressor(0.3).fit(np.repeat(X, COUNTS, 0), np.repeat(Y, COUNTS))
    assert weighted.n_observations_ == COUNTS.sum()
    for name in ("params_", "objective_", "covariance_", "pseudo_r_squared_"):
        found, expected = getattr(weighted, name), getattr(repeated, name)
        # Sums in another order.
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-15, err_msg=name)


def test_the_scale_of_weights_does_not_change_the_fit():
    first = QuantileRegressor(0.3).fit(X, Y, COUNTS)
    for factor in (1e-200, 0.7, 1e200):
        second = QuantileRegressor(0.3).fit(X, Y, COUNTS * factor)
        np.testing.assert_allclose(second.params_, first.params_, rtol=1e-12)
        assert second.status_ == "converged"
    with pytest.raises(InferenceError, match=r"weights count rows, and of .*e.202 the bandwidth"):
        _ = second.standard_errors_


def test_storages_and_dtypes_agree():
    whole = QuantileRegressor(0.3).fit(X, Y)
    for rows in (scipy.sparse.csr_matrix(X), np.asfortranarray(X), pd.DataFrame(X)):
        np.testing.assert_allclose(QuantileRegressor(0.3).fit(rows, Y).params_, whole.params_)
    single = QuantileRegressor(0.3).fit(X.astype(np.float32), Y)
    assert single.params_.dtype == np.float64
    assert single.predict(X.astype(np.float32)).dtype == np.float32
    # Rows that were rounded to seven digits.
    np.testing.assert_allclose(single.params_, whole.params_, atol=1e-5)


def test_gradient_between_kinks_and_refusals_at_them():
    model = QuantileRegressor(0.3).fit(X, Y, COUNTS)
    point = np.array([0.3, 0.2, -1.0, 0.1])
    gradient = model.gradient(X, Y, point, COUNTS)
    step = 2.0**-30  # no residual changes its sign within it, so that differences are exact
    differences = [
        (model.objective(X, Y, point + e, COUNTS) - model.objective(X, Y, point - e, COUNTS))
        / (2 * step)
        for e in step * np.eye(4)
    ]
    # Rounding errors of the objective, some hundreds, over the step.
    np.testing.assert_allclose(gradient, differences, atol=1e-3)
    flat = QuantileRegressor().fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0])
    with pytest.raises(InferenceError, match="3 residuals are zero"):
        flat.gradient([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0])
    for method, options in (("hessian", {}), ("hessian_vector_product", {"vector": point})):
        with pytest.raises(InferenceError, match=f"{method}: .* no curvature"):
            getattr(model, method)(X, Y, **options)
    with pytest.raises(AttributeError, match="gradient_: the pinball loss has kinks"):
        _ = model.gradient_


def test_status_says_so_where_other_coefficients_are_as_good():
    column, y = np.array([[0.0], [0.0], [1.0], [1.0]]), [1.0, 3.0, 5.0, 6.0]
    model = QuantileRegressor().fit(column, y)
    assert model.status_ == "converged, not unique"
    assert model.converged_
    assert QuantileRegressor(0.4).fit(column, y).status_ == "converged"
    more = QuantileRegressor().fit(np.repeat(column, 25, 0), np.tile(rng.normal(size=50), 2))
    assert more.status_ == "converged, not unique"
    assert "Other coefficients have the same sum of losses" in str(more.summary())


def test_dependent_columns():
    dependent = np.column_stack([X, X[:, 0] + X[:, 1]])
    with pytest.warns(RankDeficiencyWarning, match="Leave out one of x0, x1, x3"):
        model = QuantileRegressor(0.3).fit(dependent, Y)
    full = QuantileRegressor(0.3).fit(X, Y)
    assert model.status_ == "rank deficient"
    np.testing.assert_allclose(model.predict(dependent), full.predict(X), rtol=1e-9, atol=1e-11)
    np.testing.assert_array_equal(np.isnan(model.standard_errors_), [1, 1, 0, 1, 0])
    np.testing.assert_allclose(model.standard_errors_[[2, 4]], full.standard_errors_[[2, 3]])
    ours = model.wald_test("x0 + x3 = 0, x1 + x3 = 0").statistic
    assert ours == pytest.approx(full.wald_test("x0 = 0, x1 = 0").statistic)
    with pytest.raises(InferenceError, match="x0"):
        model.wald_test("x0 = 0")


def test_constant_targets():
    with pytest.warns(ConstantTargetWarning, match="y takes a single value"):
        model = QuantileRegressor(0.3).fit(X, np.full(150, 3.3))
    np.testing.assert_array_equal(model.params_, [0, 0, 0, 3.3])
    assert model.objective_ == 0
    with pytest.raises(InferenceError, match="half of the residuals are equal, or y is constant"):
        _ = model.standard_errors_
    assert np.isnan(model.pseudo_r_squared_)


def test_fewer_rows_than_columns():
    with pytest.warns(RankDeficiencyWarning):
        model = QuantileRegressor().fit(X[:3], Y[:3])
    # Three rows are fitted exactly, up to rounding.
    np.testing.assert_allclose(model.predict(X[:3]), Y[:3], rtol=1e-12)
    with pytest.raises(InferenceError, match="there are 3 rows for 3 parameters"):
        model.summary()


def test_a_bandwidth_that_leaves_the_unit_interval_is_refused_with_another():
    model = QuantileRegressor(0.02).fit(X, Y)
    with pytest.raises(InferenceError, match=re.escape("0.02 ± 0.0") + ".* Take bandwidth="):
        _ = model.standard_errors_
    assert (np.diagonal(model.covariance(bandwidth="bofinger")) > 0).all()


def test_sizes():
    first = QuantileRegressor(0.3).fit(X, Y)
    scales = np.array([1e-120, 1.0, 1e120])
    scaled = QuantileRegressor(0.3).fit(X * scales, Y * 1e10)
    ratio = np.append(scales, 1.0) / 1e10
    np.testing.assert_allclose(scaled.params_ * ratio, first.params_, rtol=1e-11)
    np.testing.assert_allclose(scaled.standard_errors_ * ratio, first.standard_errors_, rtol=1e-9)
    with pytest.raises(ValueError, match="overflows float64; divide columns of X, y or"):
        QuantileRegressor().fit(X * 1e-300, Y * 1e300)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quantile": 0}, "quantile=0 must be greater than 0"),
        ({"quantile": 1.0}, "quantile=1.0 must be less than 1"),
        ({"quantile": "median"}, "quantile='median' must be a number"),
        ({"quantile": np.nan}, "quantile=nan must be a number"),
        ({"fit_intercept": 1}, "fit_intercept=1 must be True or False"),
    ],
)
def test_parameters_are_checked(change, message):
    with pytest.raises(ValueError, match=message):
        QuantileRegressor().set_params(**change).fit(X, Y)


def test_rows_are_checked():
    bad = X.copy()
    bad[3, 1] = np.nan
    for rows, y, weights, message in (
        (bad, Y, None, "NaN"),
        (X, np.where(np.arange(150) == 2, np.inf, Y), None, "infinity"),
        (X, Y, -COUNTS, "sample_weight must not be negative"),
        (X, Y, 0 * COUNTS, "zero in every row"),
        (X, Y[:-1], None, "inconsistent numbers of samples"),
        (X, np.column_stack([Y, Y]), None, "y should be a 1d array"),
    ):
        with pytest.raises(ValueError, match=message):
            QuantileRegressor().fit(rows, y, weights)
    stream = RowStream(lambda: iter([(X, Y)]))
    with pytest.raises(TypeError, match=re.escape("QuantileRegressor.fit needs its rows in")):
        QuantileRegressor().fit(stream, None)


def test_a_fit_that_fails_leaves_the_model_as_it_was():
    model = QuantileRegressor().fit(X, Y)
    before = model.params_
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X * np.nan, Y)
    np.testing.assert_array_equal(model.params_, before)


def test_options_of_the_covariance_are_checked():
    model = QuantileRegressor().fit(X, Y)
    for options, message in (
        ({"kind": "HC3"}, "'robust', 'iid'. Instead of 'HC3' take 'robust'"),
        ({"kernel": "gauss"}, "'epa', 'biw', 'cos', 'gau', 'par'"),
        ({"bandwidth": 0.1}, "'hsheather', 'bofinger', 'chamberlain'"),
        ({"level": 95}, "level=95 must lie between 0 and 1"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            model.summary(**options)
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'bandwith'\. Did you"):
        model.confidence_intervals(bandwith="bofinger")
    with pytest.raises(AttributeError):
        _ = model.aic_


def test_results_read_one_record(cars):
    model = QuantileRegressor().fit(cars[["wt", "hp"]], cars["mpg"])
    table = model.summary().to_frame()
    np.testing.assert_array_equal(table["coefficient"], model.params_)
    np.testing.assert_array_equal(table["standard_error"], model.standard_errors_)
    np.testing.assert_array_equal(np.sqrt(np.diagonal(model.covariance_)), model.standard_errors_)
    assert list(table.index) == ["wt", "hp", "(intercept)"]
    test = model.wald_test("wt = 0")
    assert test.statistic == pytest.approx(table.loc["wt", "t"] ** 2)
    assert test.p_value == pytest.approx(table.loc["wt", "p_value"])
    assert test.df_denominator == 32 - 3
    ratio = model.delta_method(lambda theta: theta[0] / theta[1])
    slopes = np.array([1.0, -model.params_[0] / model.params_[1], 0.0]) / model.params_[1]
    expected = np.sqrt(slopes @ model.covariance_ @ slopes)
    assert ratio.standard_error == pytest.approx(expected, rel=1e-6)
    frame = tidy(model, level=0.9)
    np.testing.assert_array_equal(frame["estimate"], model.params_)
    np.testing.assert_array_equal(frame[["conf.low", "conf.high"]], model.confidence_intervals(0.9))
    with pytest.raises(TypeError, match="glance has no measures of a QuantileRegressor"):
        glance(model)
    chosen = results(model).with_covariance(kind="iid", kernel="gau")
    np.testing.assert_array_equal(chosen.covariance(), model.covariance(kind="iid", kernel="gau"))
    assert "iid (gau, hsheather)" in str(chosen.summary())
    for compared in (anova, likelihood_ratio_test):
        smaller = QuantileRegressor().fit(cars[["wt"]], cars["mpg"])
        with pytest.raises(InferenceError, match="no likelihood-ratio test; call wald_test"):
            compared(smaller, model)
    model.coef_ = 2 * model.coef_
    with pytest.raises(InferenceError, match="was changed after the fit"):
        model.summary()


def test_intervals_of_quantiles(cars):
    X, model = cars[["wt", "hp"]], QuantileRegressor(0.3).fit(cars[["wt", "hp"]], cars["mpg"])
    table = model.predict_interval(X, 0.9, kernel="biw")
    design = np.column_stack([X, np.ones(32)])
    V = model.covariance(kernel="biw")
    errors = np.sqrt(np.einsum("ij,jk,ik->i", design, V, design))
    np.testing.assert_allclose(table["prediction"], model.predict(X))
    # Means of some hundreds are subtracted here: errors of 1e-16 times the square of that.
    np.testing.assert_allclose(table["standard_error"], errors, rtol=1e-10)
    reach = stats.t.isf(0.05, 29) * errors
    np.testing.assert_allclose(table["upper"], model.predict(X) + reach, rtol=1e-10)
    chosen = results(model).with_covariance(kind="iid").predict_interval(X)
    V = model.covariance(kind="iid")
    expected = np.sqrt(np.einsum("ij,jk,ik->i", design, V, design))
    np.testing.assert_allclose(chosen["standard_error"], expected, rtol=1e-10)
    with pytest.raises(InferenceError, match="none of an observation"):
        model.predict_interval(X, kind="observation")


def test_intervals_where_columns_depend_on_each_other():
    dependent = np.column_stack([X, X[:, 0] + X[:, 1]])
    with pytest.warns(RankDeficiencyWarning):
        model = QuantileRegressor(0.3).fit(dependent, Y)
    full = QuantileRegressor(0.3).fit(X, Y).predict_interval(X[:5])
    np.testing.assert_allclose(model.predict_interval(dependent[:5]), full, rtol=1e-8)
    with pytest.warns(NotEstimableWarning, match="row"):
        lost = model.predict_interval([[1.0, 1.0, 1.0, 0.0], [1.0, 1.0, 1.0, 2.0]])
    np.testing.assert_array_equal(np.isnan(lost["standard_error"]), [True, False])


def test_the_quantile_of_the_fit_counts_until_the_next_fit():
    model = QuantileRegressor(0.3).fit(X, Y)
    before = model.score(X, Y), model.objective(X, Y)
    model.set_params(quantile=0.9)
    assert (model.score(X, Y), model.objective(X, Y)) == before


def test_results_through_a_pipeline(cars):
    plain = QuantileRegressor(0.25).fit(cars[["wt", "hp"]], cars["mpg"])
    pipeline = make_pipeline(StandardScaler(), QuantileRegressor(0.25))
    pipeline.fit(cars[["wt", "hp"]], cars["mpg"])
    ours = summarize(pipeline, kind="iid").to_frame()
    expected = plain.summary(kind="iid").to_frame()
    np.testing.assert_allclose(ours.loc["wt", "t"], expected.loc["wt", "t"], rtol=1e-9)
    intervals = results(pipeline).confidence_intervals()
    assert list(intervals.index) == ["wt", "hp", "(intercept)"]


def test_pickles_and_clones_hold_no_rows():
    wide = np.random.default_rng(1).normal(size=(5000, 3))
    model = QuantileRegressor(0.3).fit(wide, wide.sum(axis=1) + np.arange(5000) % 7)
    text = pickle.dumps(model)
    assert len(text) < 10_000
    restored = pickle.loads(text)
    np.testing.assert_array_equal(restored.standard_errors_, model.standard_errors_)
    assert not hasattr(clone(model), "coef_")


@pytest.mark.slow
def test_intervals_cover():
    """Of 400 samples 95 % intervals of a slope at the median cover it in 90 to 99 %."""
    random, covered = np.random.default_rng(2), 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(400):
            x = random.normal(size=(200, 1))
            y = 1.0 + 2.0 * x[:, 0] + random.standard_t(4, 200)
            low, high = QuantileRegressor().fit(x, y).confidence_intervals().loc["x0"]
            covered += low <= 2.0 <= high
    # 380 are expected; the standard deviation of the number is 4.4, and errors are asymptotic.
    assert 360 <= covered <= 396
