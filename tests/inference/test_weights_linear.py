"""What weights are, in linear fits: precisions by scaled rows and WLS, samples by hand."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import sparse, stats

from mcmodels import LinearRegression, RowStream, likelihood_ratio_test
from mcmodels.exceptions import InferenceError, RankDeficiencyWarning
from tests.inference.problems import rows_of, with_ones

# Two computations of the same numbers from the same rows, by factors of designs whose condition is
# below 1e4: what it leaves of float64, with a margin of 1e3.
SAME = 1e-9
HC = ["HC0", "HC1", "HC2", "HC3"]


def problem(seed, n=60, p=3):
    """Rows far from zero on several scales; weights over three decades, a few of them zero."""
    X, y, _, groups = rows_of(seed, n, p)
    rng = np.random.default_rng(seed + 100)
    w = 10 ** rng.uniform(-1.5, 1.5, n)
    w[rng.integers(0, n, 3)] = 0.0
    return X, y, w, groups[:, 0]


def same(ours, theirs, rtol=SAME):
    """Covariances, relative to the standard errors."""
    size = np.sqrt(np.diagonal(theirs))
    assert np.abs((ours - theirs) / np.outer(size, size)).max() < rtol


def scaled(X, y, w, groups):
    """The rows times the root of their weights, without weights: the definition of a precision."""
    there = w > 0
    root = np.sqrt(w[there])
    design = with_ones(X[there]) * root[:, np.newaxis]
    model = LinearRegression(fit_intercept=False).fit(design, y[there] * root)
    return model, design, y[there] * root, groups[there], there


@pytest.mark.parametrize("seed", range(4))
def test_precisions_are_rows_that_are_scaled(seed):
    X, y, w, groups = problem(seed)
    model = LinearRegression(weights="precision").fit(X, y, w)
    other, D, t, g, there = scaled(X, y, w, groups)
    np.testing.assert_allclose(model.params_, other.params_, rtol=SAME)
    same(model.covariance_, other.covariance_)
    for kind in HC:
        same(model.covariance(X, y, w, kind=kind), other.covariance(D, t, kind=kind))
    same(model.covariance(X, y, w), other.covariance(D, t))  # both HC3
    for kind in ("cluster", "CR2"):
        robust = model.summary(X, y, w, kind=kind, groups=groups).to_frame()
        expected = other.summary(D, t, kind=kind, groups=g).to_frame()
        np.testing.assert_allclose(robust, expected, rtol=1e-7)
    same(
        model.covariance(X, y, w, kind="HAC", max_lags=3),
        other.covariance(D, t, kind="HAC", max_lags=3),
    )
    ours, theirs = model.influence(X, y, w)[there], other.influence(D, t)
    np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-9)
    found, tested = model.outlier_test(X, y, w).table, other.outlier_test(D, t).table
    np.testing.assert_allclose(found, tested, rtol=1e-7, atol=1e-12)
    assert model.n_observations_ == there.sum() == other.n_observations_
    # The density of y = t/√w has the factor √w.
    gain = np.log(w[there]).sum() / 2
    assert model.log_likelihood_ == pytest.approx(other.log_likelihood_ + gain, rel=1e-12)
    test, other_test = model.wald_test("x0 = 0, x1 = 1"), other.wald_test("x0 = 0, x1 = 1")
    assert test.statistic == pytest.approx(other_test.statistic, rel=SAME)
    assert test.df_denominator == other_test.df_denominator


def hard(name):
    """Rows, and what their condition leaves of float64 in the covariance of a design with ones."""
    rng = np.random.default_rng(7)
    n = 7 if name == "few rows" else 60
    X = rng.normal(size=(n, 3))
    y = X @ [1.0, -1.0, 0.5] + rng.normal(size=n)
    w = 10 ** rng.uniform(-3, 3, n)
    if name == "far":  # κ = 1e6, whose square is in a variance of the intercept
        return X + 1e6, y, w, 1e-3
    if name == "scales":
        return X * [1e-9, 1.0, 1e9], y * 1e6, w, 1e-9
    if name == "nearly dependent":  # κ = 1e5
        return np.column_stack([X, X[:, 0] + 1e-5 * rng.normal(size=n)]), y, w, 1e-5
    return X, y, w, 1e-9


@pytest.mark.parametrize("name", ["few rows", "far", "scales", "nearly dependent"])
def test_hard_rows_with_precisions(name):
    X, y, w, rtol = hard(name)
    model = LinearRegression(weights="precision").fit(X, y, w)
    other, D, t, *_ = scaled(X, y, w, np.zeros(len(y)))
    np.testing.assert_allclose(model.standard_errors_, other.standard_errors_, rtol=rtol)
    for kind in ("HC0", "HC3"):
        same(model.covariance(X, y, w, kind=kind), other.covariance(D, t, kind=kind), rtol)
    survey = LinearRegression(weights="probability").fit(X, y, w)
    same(survey.covariance_, other.covariance(D, t, kind="HC1"), rtol)
    # A prediction at the rows does not depend on where zero is.
    expected = np.einsum("ij,jk,ik->i", D, other.covariance(D, t, kind="HC1"), D) / w
    if name != "far":  # there the quadratic form above has no digits
        found = survey.predict_interval(X)["standard_error"] ** 2
        np.testing.assert_allclose(found, expected, rtol=100 * rtol)
    near = LinearRegression(weights="probability").fit(X - X.mean(axis=0), y, w)
    errors = (m.predict_interval(Z) for m, Z in ((survey, X), (near, X - X.mean(axis=0))))
    # Differences of columns near 1e6 have ten digits.
    np.testing.assert_allclose(*errors, rtol=1e-7)


@pytest.mark.parametrize("seed", range(2))
def test_the_wild_bootstrap_of_precisions(seed):
    X, y, w, _ = problem(seed)
    groups = np.arange(len(y)) % 7
    _, D, t, g, _ = scaled(X, y, w, groups)
    other = LinearRegression(fit_intercept=False).fit(D, t)
    ours = (
        LinearRegression(weights="precision")
        .fit(X, y, w)
        .wild_bootstrap_test("x1", X, y, w, groups=groups)
    )
    theirs = other.wild_bootstrap_test("x1", D, t, groups=g)
    assert ours.p_value == theirs.p_value
    assert ours.statistic == pytest.approx(theirs.statistic, rel=SAME)


@pytest.mark.parametrize("c", [1e-150, 3.0, 1e150])
@pytest.mark.parametrize("weights", ["precision", "probability"])
def test_the_scale_of_weights_changes_no_error(weights, c):
    X, y, w, groups = problem(1)
    model, other = (LinearRegression(weights=weights).fit(X, y, u) for u in (w, c * w))
    same(other.covariance_, model.covariance_)
    for kind in HC:
        same(other.covariance(X, y, c * w, kind=kind), model.covariance(X, y, w, kind=kind))
    pd.testing.assert_frame_equal(
        other.summary(X, y, c * w, kind="cluster", groups=groups).to_frame(),
        model.summary(X, y, w, kind="cluster", groups=groups).to_frame(),
        rtol=1e-7,
    )
    pd.testing.assert_frame_equal(
        other.influence(X, y, c * w), model.influence(X, y, w), rtol=1e-6, atol=1e-9
    )
    assert other.f_test_.statistic == pytest.approx(model.f_test_.statistic, rel=SAME)
    np.testing.assert_allclose(other.predict_interval(X), model.predict_interval(X), rtol=1e-8)
    if weights == "probability":  # so do not those of precisions, of which one is σ²
        np.testing.assert_allclose(
            other.predict_interval(X, kind="observation"),
            model.predict_interval(X, kind="observation"),
            rtol=1e-8,
        )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("intercept", [True, False])
def test_precisions_against_wls(seed, intercept):
    X, y, w, groups = problem(seed)
    w = w + 0.05  # statsmodels counts rows of weight zero
    model = LinearRegression(fit_intercept=intercept, weights="precision").fit(X, y, w)
    theirs = sm.WLS(y, with_ones(X, intercept), w).fit()
    np.testing.assert_allclose(model.standard_errors_, theirs.bse, rtol=SAME)
    np.testing.assert_allclose(model.summary().to_frame()["p_value"], theirs.pvalues, rtol=1e-7)
    np.testing.assert_allclose(model.confidence_intervals(), theirs.conf_int(), rtol=1e-8)
    assert model.log_likelihood_ == pytest.approx(theirs.llf, rel=1e-12)
    assert model.aic_ == pytest.approx(theirs.aic, rel=1e-12)
    assert model.bic_ == pytest.approx(theirs.bic, rel=1e-12)
    assert model.r_squared_ == pytest.approx(theirs.rsquared, rel=1e-10)
    assert model.adjusted_r_squared_ == pytest.approx(theirs.rsquared_adj, rel=1e-10)
    assert model.f_test_.statistic == pytest.approx(theirs.fvalue, rel=SAME)
    R = np.eye(2, len(model.params_))
    ours, expected = model.wald_test(R), theirs.f_test(R)
    assert ours.statistic == pytest.approx(float(expected.fvalue), rel=SAME)
    assert ours.df_denominator == expected.df_denom
    for kind in HC:
        se = model.summary(X, y, w, kind=kind).to_frame()["standard_error"]
        np.testing.assert_allclose(se, getattr(theirs, f"{kind}_se"), rtol=SAME)
    sampled = LinearRegression(fit_intercept=intercept, weights="probability").fit(X, y, w)
    np.testing.assert_allclose(sampled.standard_errors_, theirs.HC1_se, rtol=SAME)
    clustered = theirs.get_robustcov_results("cluster", groups=groups, use_t=True)
    same(model.covariance(X, y, w, kind="cluster", groups=groups), clustered.cov_params())
    lagged = theirs.get_robustcov_results("HAC", maxlags=3, use_correction=True)
    same(model.covariance(X, y, w, kind="HAC", max_lags=3), lagged.cov_params())


def test_a_variance_test_of_precisions_weighs_each_row_once():
    X, y, w, _ = problem(2)
    there = w > 0
    model = LinearRegression(weights="precision").fit(X, y, w)
    squares = w * (y - model.predict(X)) ** 2
    of_squares = sm.OLS(squares[there], with_ones(X[there])).fit()
    found = model.breusch_pagan(X, y, w)
    assert found.statistic == pytest.approx(there.sum() * of_squares.rsquared, rel=SAME)
    assert found.df == X.shape[1]


@pytest.mark.parametrize("seed", range(3))
def test_survey_errors_are_those_of_statas_manual(seed):
    """[P] _robust and [U] 20.24.3: V = n/(n-k) (X'WX)⁻¹ Σ w²r²xx' (X'WX)⁻¹, n rows of w > 0."""
    X, y, w, groups = problem(seed)
    model = LinearRegression(weights="probability").fit(X, y, w)
    D, n, k = with_ones(X), np.count_nonzero(w), X.shape[1] + 1
    A = np.linalg.inv(D.T @ (w[:, np.newaxis] * D))
    r = y - D @ model.params_
    scores = (w * r)[:, np.newaxis] * D
    V = n / (n - k) * A @ (scores.T @ scores) @ A
    # The inverse of a design that is far from zero loses the square of its condition.
    loose = 1e-7
    same(model.covariance_, V, loose)
    np.testing.assert_allclose(model.standard_errors_, np.sqrt(np.diag(V)), rtol=loose)
    same(model.covariance(X, y, w), V, loose)  # with rows and without a kind
    t = model.summary().to_frame()["t"]
    np.testing.assert_allclose(t, model.params_ / np.sqrt(np.diag(V)), rtol=loose)
    # 97.5 % of Student's t with n - k degrees of freedom.
    reach = stats.t.ppf(0.975, n - k) * np.sqrt(np.diag(V))
    np.testing.assert_allclose(
        model.confidence_intervals()["upper"], model.params_ + reach, rtol=1e-6
    )
    # A fitted value, and a new observation: the noise has the mean of w̄r², w̄ of mean one.
    at = D[:5]
    of_mean = np.einsum("ij,jk,ik->i", at, V, at)
    noise = n * (w @ r**2) / w.sum() / (n - k)
    mean, observation = (
        model.predict_interval(X[:5], kind=kind)["standard_error"]
        for kind in ("mean", "observation")
    )
    np.testing.assert_allclose(mean, np.sqrt(of_mean), rtol=loose)
    np.testing.assert_allclose(observation, np.sqrt(noise + of_mean), rtol=loose)
    _, deviation = model.predict(X[:5], return_std=True)
    np.testing.assert_allclose(deviation, observation, rtol=1e-12)
    g = pd.get_dummies(pd.Series(groups)[w > 0]).to_numpy(float)
    sums, G = g.T @ scores[w > 0], g.shape[1]
    clustered = G / (G - 1) * (n - 1) / (n - k) * A @ (sums.T @ sums) @ A
    same(model.covariance(X, y, w, kind="cluster", groups=groups), clustered, loose)
    R = np.eye(k - 1, k)
    wald = (R @ model.params_) @ np.linalg.solve(R @ V @ R.T, R @ model.params_) / (k - 1)
    assert model.f_test_.statistic == pytest.approx(wald, rel=loose)
    assert (model.f_test_.df, model.f_test_.df_denominator) == (k - 1, n - k)
    relative = (model.params_[0] / model.params_[1], model.delta_method(lambda b: b[0] / b[1]))
    J = np.array([1, -relative[0], 0, 0]) / model.params_[1]
    sigma = np.sqrt(w @ r**2 / w.sum())  # at which the weighted sum is largest
    density = stats.norm.logpdf(r, scale=sigma)
    assert model.log_likelihood_ == pytest.approx(w @ density, rel=1e-10)
    assert relative[1].standard_error == pytest.approx(np.sqrt(J @ V @ J), rel=loose)


@pytest.mark.parametrize("weights", ["precision", "probability"])
def test_without_weights_all_of_them_are_one(weights):
    X, y, *_ = problem(3)
    plain = LinearRegression().fit(X, y)
    model = LinearRegression(weights=weights).fit(X, y)
    ones = LinearRegression(weights=weights).fit(X, y, np.ones(len(y)))
    same(ones.covariance_, model.covariance_)
    expected = plain.covariance_ if weights == "precision" else plain.covariance(X, y, kind="HC1")
    same(model.covariance_, expected, 1e-12)
    assert model.log_likelihood_ == plain.log_likelihood_


@pytest.mark.parametrize("fit", ["default", "frequency"])
def test_the_default_counts_rows(fit):
    X, y, w, _ = problem(0)
    w = np.rint(3 * w)
    options = {} if fit == "default" else {"weights": fit}
    model = LinearRegression(**options).fit(X, y, w)
    times = w.astype(int)
    repeated = LinearRegression().fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    np.testing.assert_allclose(model.standard_errors_, repeated.standard_errors_, rtol=SAME)
    assert model.n_observations_ == w.sum()


def both_storages(X, y, w):
    stream = RowStream(
        lambda: ((X[k : k + 7], y[k : k + 7], w[k : k + 7]) for k in range(0, len(y), 7))
    )
    return {"stream": (stream,), "sparse": (sparse.csr_array(X), y, w)}


@pytest.mark.parametrize("storage", ["stream", "sparse"])
@pytest.mark.parametrize("weights", ["precision", "probability"])
def test_storages_have_the_same_errors(storage, weights):
    X, y, w, _ = problem(1)
    model = LinearRegression(weights=weights).fit(X, y, w)
    data = both_storages(X, y, w)[storage]
    other = LinearRegression(weights=weights).fit(*data)
    same(other.covariance_, model.covariance_)
    assert other.log_likelihood_ == pytest.approx(model.log_likelihood_, rel=1e-12)
    same(other.covariance(*data, kind="HC3"), model.covariance(X, y, w, kind="HC3"))


def test_several_targets():
    X, y, w, _ = problem(2)
    Y = np.column_stack([y, y**2 + X[:, 0]])
    for weights in ("precision", "probability"):
        model = LinearRegression(weights=weights).fit(X, Y, w)
        for k in range(2):
            one = LinearRegression(weights=weights).fit(X, Y[:, k], w)
            np.testing.assert_allclose(model.standard_errors_[k], one.standard_errors_, rtol=SAME)
            found = model.r_squared_[k], model.adjusted_r_squared_[k]
            np.testing.assert_allclose(found, (one.r_squared_, one.adjusted_r_squared_))
        # Two independent densities of targets with variances σ²/w: each has the factor √w.
        if weights == "precision":
            there = w > 0
            root = np.sqrt(w[there])[:, np.newaxis]
            other = LinearRegression(fit_intercept=False)
            other.fit(with_ones(X[there]) * root, Y[there] * root)
            gain = np.log(w[there]).sum()
            assert model.log_likelihood_ == pytest.approx(other.log_likelihood_ + gain, rel=1e-12)


def test_parts_of_precisions_are_one_fit():
    X, y, w, _ = problem(0)
    whole = LinearRegression(weights="precision").fit(X, y, w)
    parts = LinearRegression(weights="precision")
    for at in np.array_split(np.arange(len(y)), 4):
        parts.partial_fit(X[at], y[at], w[at])
    first, second = (
        LinearRegression(weights="precision").partial_fit(X[at], y[at], w[at])
        for at in np.array_split(np.arange(len(y)), 2)
    )
    for model in (parts, first.merge(second)):
        same(model.covariance_, whole.covariance_)
        assert model.log_likelihood_ == pytest.approx(whole.log_likelihood_, rel=1e-12)
        assert model.n_observations_ == whole.n_observations_


def test_parts_of_a_survey_need_their_rows():
    X, y, w, _ = problem(0)
    whole = LinearRegression(weights="probability").fit(X, y, w)
    model = LinearRegression(weights="probability").partial_fit(X[:20], y[:20], w[:20])
    model.partial_fit(X[20:], y[20:], w[20:])
    for name in ("covariance_", "standard_errors_", "f_test_"):
        with pytest.raises(InferenceError, match="partial_fit keeps no rows; pass all of them"):
            getattr(model, name)
        assert not hasattr(model, name)
    for call in (model.summary, model.confidence_intervals, lambda: model.predict_interval(X)):
        with pytest.raises(InferenceError, match="partial_fit keeps no rows"):
            call()
    same(model.covariance(X, y, w), whole.covariance_)
    with pytest.raises(ValueError, match="weights='precision', and earlier rows were added with"):
        model.set_params(weights="precision").partial_fit(X, y, w)


@pytest.mark.parametrize(
    "call",
    [
        lambda m, *rows: m.aic_,
        lambda m, *rows: m.bic_,
        lambda m, *rows: m.profile_intervals(*rows),
        lambda m, *rows: m.score_intervals(*rows),
        lambda m, *rows: m.likelihood_profile(*rows),
        lambda m, *rows: m.likelihood_ratio_tests(*rows),
        lambda m, *rows: likelihood_ratio_test(
            LinearRegression(weights="probability").fit(rows[0][:, :1], *rows[1:]), m
        ),
    ],
)
def test_a_survey_has_no_likelihood(call):
    X, y, w, _ = problem(0)
    model = LinearRegression(weights="probability").fit(X, y, w)
    with pytest.raises(InferenceError, match=r"pseudo-likelihood.*wald_test"):
        call(model, X, y, w)


def test_a_survey_has_no_tests_of_noise():
    X, y, w, _ = problem(0)
    model = LinearRegression(weights="probability").fit(X, y, w)
    for test, remedy in ((model.outlier_test, "influence"), (model.breusch_pagan, "HC1")):
        with pytest.raises(InferenceError, match=f"they say how rows were sampled.*{remedy}"):
            test(X, y, w)


def test_a_survey_has_no_covariance_of_the_model():
    X, y, w, _ = problem(0)
    model = LinearRegression(weights="probability").fit(X, y, w)
    with pytest.raises(InferenceError, match=r"kind='nonrobust'.*Choose kind='HC1'"):
        model.covariance(X, y, w, kind="nonrobust")
    with pytest.raises(InferenceError, match="kind='nonrobust'"):
        model.summary(kind="nonrobust")


def test_kinds_of_weights_are_not_compared():
    X, y, w, _ = problem(0)
    small = LinearRegression(weights="precision").fit(X[:, :1], y)
    big = LinearRegression().fit(X, y)
    with pytest.raises(ValueError, match="small was fitted with weights='precision' and big with"):
        likelihood_ratio_test(small, big)
    both = [LinearRegression(weights="precision").fit(X[:, :k], y, w) for k in (1, 3)]
    theirs = [sm.WLS(y[w > 0], with_ones(X[w > 0, :k]), w[w > 0]).fit() for k in (1, 3)]
    expected = 2 * (theirs[1].llf - theirs[0].llf)
    assert likelihood_ratio_test(*both).statistic == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("weights", ["precision", "probability"])
def test_a_row_given_twice_is_not_a_weight_of_two(weights):
    X, y, *_ = problem(0)
    model = LinearRegression(weights=weights).fit(X, y, np.full(len(y), 2.0))
    with pytest.raises(ValueError, match="those of the fit had 60"):
        model.covariance(np.repeat(X, 2, axis=0), np.repeat(y, 2), kind="HC0")


def test_too_few_rows_for_a_survey():
    X, y, w, _ = problem(0)
    w = np.where(np.arange(60) < 4, 5.0, 0.0)  # as many as parameters
    model = LinearRegression(weights="probability").fit(X, y, w)
    with pytest.raises(InferenceError, match="there are 4 rows for 4 parameters"):
        model.standard_errors_  # noqa: B018
    precise = LinearRegression(weights="precision").fit(X, y, w)
    with pytest.raises(InferenceError, match="there are 4 rows for 4 parameters"):
        precise.standard_errors_  # noqa: B018
    # 4 rows of weight 5 are 20 rows where a weight counts them.
    assert LinearRegression().fit(X, y, w)._fit.model.df == 16


@pytest.mark.parametrize("weights", ["Precision", "pweights", None, 2, ["frequency"]])
def test_what_weights_can_be(weights):
    X, y, w, _ = problem(0)
    with pytest.raises(ValueError, match=r"weights=.*frequency.*precision.*probability"):
        LinearRegression(weights=weights).fit(X, y, w)


def test_weights_of_rows_belong_to_fit():
    X, y, w, _ = problem(0)
    with pytest.raises(ValueError, match="pass the weights themselves as sample_weight of fit"):
        LinearRegression(weights=w).fit(X, y)


def test_dependent_columns_of_a_survey():
    X, y, w, _ = problem(0)
    with pytest.warns(RankDeficiencyWarning):
        model = LinearRegression(weights="probability").fit(np.column_stack([X, X[:, 0]]), y, w)
    errors, alone = model.standard_errors_, LinearRegression(weights="probability").fit(X, y, w)
    assert np.isnan(errors[[0, -2]]).all()
    # The same function of the rows in other coordinates of a few columns.
    np.testing.assert_allclose(errors[1:-2], alone.standard_errors_[1:-1], rtol=1e-12)
    assert model.f_test_.statistic == pytest.approx(alone.f_test_.statistic, rel=1e-12)


def test_columns_that_span_a_constant():
    X, y, w, _ = problem(0)
    levels = np.eye(3)[np.arange(60) % 3]
    model = LinearRegression(fit_intercept=False, weights="probability").fit(levels, y, w)
    with pytest.raises(InferenceError, match="call wald_test"):
        model.f_test_  # noqa: B018
    alone = LinearRegression(fit_intercept=False, weights="probability").fit(X, y, w)
    assert alone.f_test_.df == 3


def test_the_summary_says_what_weights_are():
    X, y, w, _ = problem(0)
    assert "weights are" not in str(LinearRegression().fit(X, y, w).summary())
    precise = str(LinearRegression(weights="precision").fit(X, y, w).summary())
    assert "weights are         precisions (inverse variances)" in precise
    sampled = str(LinearRegression(weights="probability").fit(X, y, w).summary())
    assert "robust to unequal variances (HC1)" in sampled
    assert "pseudo-log-likelihood" in sampled
    assert "AIC" not in sampled
