"""Profile intervals and likelihood-ratio tests: against fits with a parameter held, and by laws."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from mcmodels import GeneralizedLinearRegressor as Glm
from mcmodels import (
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    RowStream,
    likelihood_ratio_test,
)
from mcmodels.exceptions import InferenceError, SeparationWarning
from tests.glm_problems import PAIRS, POWER, THETA, problem
from tests.numerics import relative_error

OPTIONS = {"power": POWER, "theta": THETA}


def by_refits(family, link, X, y, w, offset, name, level):
    """Both ends by a root search over fits in which the parameter is an offset."""
    model = Glm(family, link=link, **OPTIONS).fit(X, y, w, offset=offset)
    df = np.inf
    if family not in ("poisson", "binomial", "negative_binomial"):
        df = model.n_observations_ - 4
    rise = model.dispersion_ * stats.t.ppf((1 + level) / 2, df) ** 2
    j = 3 if name == "(intercept)" else int(name[1:])
    columns = np.column_stack([X, np.ones(len(y))])
    held, left = columns[:, j], np.delete(columns, j, axis=1)
    error = model.standard_errors_[j]

    def excess(t):
        other = Glm(family, link=link, fit_intercept=False, **OPTIONS, tol=1e-12)
        return other.fit(left, y, w, offset=offset + t * held).deviance_ - model.deviance_ - rise

    ends = []
    for side in (-1.0, 1.0):
        at = model.params_[j]
        outside = (at + side * k * error for k in (2.5, 3.0, 4.0))
        far = next(t for t in outside if excess(t) > 0)
        ends.append(optimize.brentq(excess, at + side * 0.5 * error, far, xtol=1e-13 * error))
    return ends


@pytest.mark.parametrize("level", [0.9, 0.99])
@pytest.mark.parametrize("name", ["x0", "(intercept)"])
@pytest.mark.parametrize(
    ("family", "link"),
    [
        ("poisson", "log"),
        ("poisson", "sqrt"),
        ("gamma", "log"),
        ("gamma", "inverse"),
        ("binomial", "logit"),
        ("binomial", "probit"),
        ("negative_binomial", "log"),
        ("inverse_gaussian", "log"),
        ("tweedie", "log"),
        ("normal", "log"),
    ],
)
def test_ends_are_those_of_fits_with_the_parameter_held(family, link, name, level):
    X, y, w, added = problem(family, link, n=120, offset=True, weights=True)
    model = Glm(family, link=link, **OPTIONS).fit(X, y, w, offset=added)
    found = model.profile_intervals(X, y, w, level=level, parameters=[name], offset=added)
    wanted = by_refits(family, link, X, y, w, added, name, level)
    # Deviances of refits have 1e-13 of their size, which is 1e-8 of a standard error at the ends.
    error = model.standard_errors_[list(model.confidence_intervals().index).index(name)]
    np.testing.assert_allclose(found.loc[name], wanted, atol=1e-7 * error, rtol=0)


@pytest.mark.parametrize(("family", "link"), PAIRS)
def test_likelihood_ratio_tests_are_differences_of_fits(family, link):
    X, y, w, added = problem(family, link, offset=True, weights=True)
    model = Glm(family, link=link, **OPTIONS).fit(X, y, w, offset=added)
    table = model.likelihood_ratio_tests(X, y, w, offset=added)
    assert list(table.index) == ["x0", "x1", "x2"]
    for j in range(3):
        small = Glm(family, link=link, **OPTIONS).fit(np.delete(X, j, axis=1), y, w, offset=added)
        statistic = (small.deviance_ - model.deviance_) / model.dispersion_
        # A difference of deviances of a few hundred, each to 1e-13.
        assert abs(table.statistic.iloc[j] - statistic) < 1e-8 * max(statistic, 1.0)
        known = family in ("poisson", "binomial", "negative_binomial")
        p = stats.chi2.sf(statistic, 1) if known else stats.f.sf(statistic, 1, w.sum() - 4)
        assert relative_error(table.p_value.iloc[j], p) < 1e-6


def test_normal_profiles_are_t_intervals():
    X, y, w, _ = problem("normal", "identity", weights=True)
    model = Glm().fit(X, y, w)
    found, t = model.profile_intervals(X, y, w), model.confidence_intervals()
    # A quadratic objective: one step; the covariance and the profile are computed differently.
    np.testing.assert_allclose(found, t, rtol=1e-9)


def test_logistic_own_loss_and_glm_agree():
    X, y, w, _ = problem("binomial", "logit", weights=True)
    glm = Glm("binomial").fit(X, y, w).profile_intervals(X, y, w)
    logistic = LogisticRegression(C=np.inf).fit(X, y, w)
    np.testing.assert_allclose(logistic.profile_intervals(X, y, w), glm, rtol=1e-8)
    own = ObjectiveRegressor("softplus(eta) - y*eta", log_likelihood=True).fit(X, y, w)
    np.testing.assert_allclose(own.profile_intervals(X, y, w), glm, rtol=1e-8)
    tests = logistic.likelihood_ratio_tests(X, y, w)
    small = LogisticRegression(C=np.inf).fit(X[:, 1:], y, w)
    single = likelihood_ratio_test(small, logistic)
    assert relative_error(tests.statistic.iloc[0], single.statistic) < 1e-9


def test_a_strong_effect_is_tested_from_far_away():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 2))
    y = rng.poisson(np.exp(1.0 + X @ [0.8, 0.1])).astype(float)
    model = Glm("poisson").fit(X, y)
    assert model.coef_[0] / model.standard_errors_[0] > 150
    small = Glm("poisson").fit(X[:, 1:], y)
    table = model.likelihood_ratio_tests(X, y, parameters="x0")
    assert relative_error(table.statistic.iloc[0], small.deviance_ - model.deviance_) < 1e-9


def test_columns_far_from_zero_and_of_other_units():
    X, y, _, _ = problem("poisson", "log")
    near = Glm("poisson").fit(X, y)
    moved = X * [1.0, 1e6, 1e-6] + [1e5, 0.0, 3.0]
    far = Glm("poisson").fit(moved, y)
    wanted = near.profile_intervals(X, y).iloc[:3].to_numpy()
    found = far.profile_intervals(moved, y).iloc[:3].to_numpy()
    # Shifts by 1e5 standard deviations leave eleven digits of the columns.
    np.testing.assert_allclose(found * np.array([[1.0], [1e6], [1e-6]]), wanted, rtol=1e-7)


def test_streams_and_data_frames():
    X, y, w, _ = problem("gamma", "log", weights=True)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = Glm("gamma").fit(frame, y, w)
    whole = model.profile_intervals(frame, y, w, parameters=["b", "(intercept)"])
    assert list(whole.index) == ["b", "(intercept)"]
    parts = np.array_split(np.arange(len(y)), 4)
    stream = RowStream([(frame.iloc[part], y[part], w[part]) for part in parts])
    np.testing.assert_allclose(
        model.profile_intervals(stream, parameters=["b", "(intercept)"]), whole, rtol=1e-8
    )


def test_what_has_no_profile_says_so():
    X, y, _, _ = problem("binomial", "logit")
    penalised = LogisticRegression().fit(X, y)
    with pytest.raises(InferenceError, match="penalised"):
        penalised.profile_intervals(X, y)
    model = LogisticRegression(C=np.inf).fit(X, y)
    with pytest.raises(ValueError, match="training rows"):
        model.profile_intervals(X[::-1], y)
    with pytest.raises(ValueError, match="parameters names 'x9'"):
        model.profile_intervals(X, y, parameters=["x9"])
    with pytest.raises(TypeError, match="exposure"):
        model.profile_intervals(X, y, exposure=np.ones(len(y)))
    other = ObjectiveRegressor("(y - eta)**4").fit(X, y)
    with pytest.raises(InferenceError, match="likelihood"):
        other.profile_intervals(X, y)
    labels = np.digitize(X[:, 0], [-0.5, 0.5])
    dependent = np.column_stack([X, X[:, 0]])
    with pytest.warns(SeparationWarning):
        separated = LogisticRegression(C=np.inf).fit(dependent, labels)
    with pytest.raises(InferenceError, match="no maximum"):
        separated.profile_intervals(dependent, labels)


@pytest.mark.parametrize("seed", range(30))
def test_small_tables_whose_profiles_are_far_from_quadratic(seed):
    """Ends satisfy their own equation, by scikit-learn's fits with a fixed offset column."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(25, 2))
    y = (rng.random(25) < 1 / (1 + np.exp(-2.5 * X[:, 0]))).astype(float)
    if y.sum() in (0, 25):
        pytest.skip("one class")
    try:
        with pytest.warns(SeparationWarning):
            LogisticRegression(C=np.inf).fit(X, y)
    except BaseException as error:
        if "DID NOT WARN" not in str(error):
            raise
    else:
        pytest.skip("separated")
    model = LogisticRegression(C=np.inf).fit(X, y)
    found = model.profile_intervals(X, y)

    def least(j, t):
        D = np.column_stack([X, np.ones(25)])
        rest, held = np.delete(D, j, axis=1), D[:, j] * t

        def value(b):
            eta = rest @ b + held
            return np.logaddexp(0, eta).sum() - y @ eta

        def slope(b):
            eta = rest @ b + held
            return rest.T @ (1 / (1 + np.exp(-eta)) - y)

        start = np.delete(model.params_, j)
        return optimize.minimize(value, start, jac=slope, method="BFGS", options={"gtol": 1e-9}).fun

    rise = stats.chi2.ppf(0.95, 1) / 2
    for j, ends in enumerate(found.to_numpy()):
        assert ends[0] < model.params_[j] < ends[1]
        for end in ends:
            # BFGS ends at 1e-9 of the gradient.
            assert abs(least(j, end) - model.objective_ - rise) < 1e-6


@pytest.mark.parametrize("several", [False, True])
def test_linear_models_have_t_intervals_and_f_tests(several):
    X, y, w, _ = problem("normal", "identity", weights=True)
    targets = np.column_stack([y, -y + X[:, 0]]) if several else y
    model = LinearRegression().fit(X, targets, w)
    found = model.profile_intervals(X, targets, w)
    pd.testing.assert_frame_equal(found, model.confidence_intervals())
    tests = model.likelihood_ratio_tests(X, targets, w, parameters=list(found.index))
    expected = model.summary().to_frame()["p_value"]
    assert len(model.likelihood_ratio_tests(X, targets, w)) == 3 * (1 + several)
    np.testing.assert_allclose(tests["p_value"], expected, rtol=1e-9, atol=1e-300)
    if not several:
        small = LinearRegression().fit(X[:, 1:], y, w)
        residuals = [w @ (y - m.predict(Z)) ** 2 for m, Z in ((small, X[:, 1:]), (model, X))]
        f = (residuals[0] - residuals[1]) / residuals[1] * (w.sum() - 4)
        assert relative_error(tests["statistic"].iloc[0], f) < 1e-9
        assert list(model.profile_intervals(X, y, w, parameters="x1").index) == ["x1"]
        with pytest.raises(ValueError, match="training rows"):
            model.profile_intervals(X[::-1], y, w)


def test_columns_such_as_years_and_weights_have_profiles():
    """Steps that end in rounding errors are at their end."""
    for seed in range(8):
        rng = np.random.default_rng(seed)
        X = np.column_stack([rng.integers(1990, 2021, 300), rng.normal(70, 10, 300)])
        eta = 0.02 * (X[:, 0] - 2005) + 0.01 * (X[:, 1] - 70)
        for family, y in (
            ("gamma", np.exp(eta) * rng.gamma(3, 0.3, 300)),
            ("inverse_gaussian", rng.wald(np.exp(eta), 3.0)),
            ("negative_binomial", rng.poisson(np.exp(eta + 1) * rng.gamma(2, 0.5, 300))),
        ):
            model = Glm(family).fit(X, y)
            model.likelihood_ratio_tests(X, y)
            found = model.profile_intervals(X, y)
            assert (found["lower"] < model.params_).all()
            assert (found["upper"] > model.params_).all()


@pytest.mark.parametrize(
    ("family", "link"), [("gamma", "identity"), ("inverse_gaussian", "log"), ("normal", "log")]
)
def test_what_steps_do_not_find_refits_do(family, link):
    """Small tables of likelihoods that are not convex, and effects of sixty standard errors."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        n = 200 if family == "normal" else 20
        X = rng.exponential(size=(n, 2))
        if family == "normal":
            y = np.exp(0.5 * X[:, 0] - 0.2) + 0.3 * rng.normal(size=n)
        else:
            mu = 0.5 + X[:, 0] if link == "identity" else np.exp(0.3 * X[:, 0])
            y = mu * rng.gamma(2, 0.5, n) if family == "gamma" else rng.wald(mu, 3.0)
        model = Glm(family, link=link).fit(X, y)
        if model.status_ != "converged":
            continue
        table = model.likelihood_ratio_tests(X, y)
        for j in range(2):
            small = Glm(family, link=link).fit(X[:, [1 - j]], y)
            statistic = (small.deviance_ - model.deviance_) / model.dispersion_
            assert table["statistic"].iloc[j] <= statistic * (1 + 1e-6) + 1e-6
        ends = model.profile_intervals(X, y)
        assert (ends["lower"] < model.params_).all()
        assert (ends["upper"] > model.params_).all()


def test_a_lower_minimum_of_the_smaller_model_is_found():
    rng = np.random.default_rng(1)
    X, w = rng.exponential(size=(20, 2)), rng.integers(1, 3, 20)
    rng.normal(size=20)
    for _ in range(3):
        rng.binomial(1, 1 / (1 + np.exp(-(2 * X[:, 0] - 1.5))))
    rng.wald(0.5 + X[:, 0], 3)
    rng.poisson(0.5 + X[:, 0])
    y = rng.gamma(0.8, (0.5 + X[:, 0]) / 0.8) + 1e-3
    big = Glm("gamma", link="identity").fit(X, y, w)
    small = Glm("gamma", link="identity").fit(X[:, :1], y, w)
    table = big.likelihood_ratio_tests(X, y, w, parameters="x1")
    statistic = (small.deviance_ - big.deviance_) / big.dispersion_
    assert table["statistic"].iloc[0] <= statistic * (1 + 1e-6)
