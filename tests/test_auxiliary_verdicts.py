"""How fits with auxiliary parameters end: no minimum, exact fits, dependencies, hard starts."""

import warnings

import numpy as np
import pytest
from scipy.optimize import linprog

from mcmodels import ObjectiveRegressor, results
from mcmodels.exceptions import (
    ConvergenceWarning,
    FitWarning,
    InferenceError,
    NoMinimumWarning,
    NotEstimableWarning,
    RankDeficiencyWarning,
)
from tests.auxiliary_problems import PROBLEMS, data, huber_proposal_2, model, quietly
from tests.numerics import central_differences, relative_error


def said(estimator, *args, **kwargs):
    """The fit, and its warnings by class."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator.fit(*args, **kwargs)
    return {found.category: str(found.message) for found in caught}


# -- no minimum -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["normal", "student"])
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("whole", [True, False])
def test_exact_fits_have_not_converged(name, unit, whole):
    X, _ = data("numbers", 40)
    X = np.round(4 * X) if whole else X
    y = unit * (X @ [1.0, 2.0] + 3.0)
    found = model(name)
    warned = said(found, X, y)
    assert found.status_ in ("not converged", "no minimum")
    assert not found.converged_
    text = warned.get(ConvergenceWarning, "") + warned.get(NoMinimumWarning, "")
    assert "no minimum" in text
    assert "log_s" in text
    assert np.isfinite(found.params_).all()
    # Predictions are right all the same.
    assert relative_error(found.predict(X), y) < 1e-6
    with pytest.raises(InferenceError, match="no minimum"):
        _ = found.standard_errors_


@pytest.mark.parametrize("name", ["normal", "student", "huber"])
@pytest.mark.parametrize("n", [1, 2, 50])
def test_constant_targets_are_exact(name, n):
    """The first step, or the start, has residuals that are exactly zero."""
    X, _ = data("numbers", n)
    found = ObjectiveRegressor(huber_proposal_2, auxiliary={"scale": 1.0})
    found = found if name == "huber" else model(name)
    warned = said(found, X[:, :1], np.full(n, 0.1))
    assert not found.converged_
    text = warned.get(ConvergenceWarning, "") + warned.get(NoMinimumWarning, "")
    assert "scale" in text or "log_sigma" in text


def test_an_exact_fit_of_a_location_is_a_minimum():
    """An auxiliary parameter that is no scale: residuals are rounding errors, and it is not."""
    X, _ = data("numbers", 40)
    y = X @ [1.0, 2.0] + 0.7
    found = ObjectiveRegressor("(y - eta - a)**2", auxiliary={"a": 0.0}, fit_intercept=False)
    said(found, X, y)
    assert found.status_ == "converged"
    assert found.auxiliary_["a"] == pytest.approx(0.7, abs=1e-12)


@pytest.mark.parametrize("n", [3, 5, 60])
def test_nearly_exact_fits_converge(n):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 1))
    noise = rng.normal(size=n)
    y = 2 * X[:, 0] + 1 + 1e-9 * noise
    found = model("normal")
    assert NoMinimumWarning not in said(found, X, y)
    assert found.status_ == "converged"
    design = np.column_stack([X, np.ones(n)])
    left = noise - design @ np.linalg.lstsq(design, noise)[0]
    # Rounding of y is 1e-7 of the noise, and what the fit leaves may be a hundredth of that.
    expected = np.log(1e-9 * np.sqrt(np.mean(left**2)))
    assert found.auxiliary_["log_sigma"] == pytest.approx(expected, abs=1e-3)


def test_as_many_columns_as_rows():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(6, 9)), rng.normal(size=6)
    found = model("normal")
    said(found, X, y)
    assert not found.converged_
    penalised = model("normal", alpha=3.0)  # finite coefficients are exact: no minimum, too
    said(penalised, X, y)
    assert not penalised.converged_


@pytest.mark.parametrize("name", ["ordinal logit", "ordinal probit"])
@pytest.mark.parametrize("cuts", [(-0.5, 0.6), (-1.5, 1.0)])
def test_separated_ordered_classes(name, cuts):
    X, _ = data("ordered")
    y = np.digitize(X[:, 0], cuts).astype(float)
    found = model(name)
    warned = said(found, X, y)
    assert found.status_ == "no minimum"
    assert "x0" in warned[NoMinimumWarning]
    assert "cuts[0]" in warned[NoMinimumWarning]
    with pytest.raises(InferenceError, match="no minimum"):
        found.summary()
    penalised = model(name, alpha=1.0)
    said(penalised, X, y)
    assert penalised.status_ == "converged"


def test_ordered_classes_with_one_that_is_separated():
    X, y = data("ordered")
    X = np.column_stack([X, y == 2])  # a column that tells the last class
    found = model("ordinal logit")
    assert NoMinimumWarning in said(found, X, y)
    assert found.status_ == "no minimum"


def separates_in_order(X, y, n_classes):
    """Whether a change of coefficients and thresholds lowers no row's probability, and raises some.

    By a linear program over the slacks ``c_k - xᵀβ ≥ 0`` and ``xᵀβ - c_{k-1} ≥ 0``.
    """
    p, slacks = X.shape[1], []
    cuts = np.eye(n_classes - 1)
    for x, k in zip(X, y.astype(int), strict=True):
        if k < n_classes - 1:
            slacks.append(np.append(-x, cuts[k]))
        if k > 0:
            slacks.append(np.append(x, -cuts[k - 1]))
    A = np.array(slacks)
    bounds = [(-1.0, 1.0)] * (p + n_classes - 1)
    return linprog(-A.sum(axis=0), A_ub=-A, b_ub=np.zeros(len(A)), bounds=bounds).fun < -1e-7


@pytest.mark.parametrize("seed", range(24))
def test_verdicts_on_ordered_classes_are_those_of_a_linear_program(seed):
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(5, 14)), int(rng.integers(1, 3))
    X = np.round(rng.normal(size=(n, p)), int(rng.integers(0, 3)))
    latent = X[:, 0] + rng.logistic(size=n) * rng.choice([0.2, 1.0])
    y = np.digitize(latent, [-0.5, 0.6]).astype(float)
    if np.unique(y).size < 3 or np.linalg.matrix_rank(X) < p:
        pytest.skip("a class is absent, or columns are dependent")
    for name in ("ordinal logit", "ordinal probit"):
        found = quietly(model(name), X, y)
        separated = separates_in_order(X, y, 3)
        assert found.status_ == ("no minimum" if separated else "converged")


def test_a_wrong_sign_has_no_minimum():
    X, y = data("numbers")
    found = ObjectiveRegressor(
        "log_sigma - (y - eta)**2*exp(-2*log_sigma)", auxiliary={"log_sigma": 0.0}
    )
    assert NoMinimumWarning in said(found, X, y)
    assert found.status_ == "no minimum"


# -- dependencies ---------------------------------------------------------------------------------


def test_an_intercept_beside_thresholds():
    X, y = data("ordered")
    found = model("ordinal logit", fit_intercept=True)
    warned = said(found, X, y)
    assert found.status_ == "rank deficient"
    assert "the intercept and auxiliary cuts[0], cuts[1]" in warned[RankDeficiencyWarning]
    assert "fit_intercept=False" in warned[RankDeficiencyWarning]
    right = quietly(model("ordinal logit"), X, y)
    assert found.objective_ == pytest.approx(right.objective_, rel=1e-12)
    assert relative_error(found.coef_, right.coef_) < 1e-8
    moved = found.auxiliary_["cuts"] - found.intercept_
    assert relative_error(moved, right.auxiliary_["cuts"]) < 1e-8
    with pytest.raises(InferenceError, match="fit_intercept=False"):
        found.summary()


def test_two_auxiliary_parameters_for_one():
    X, y = data("numbers")
    found = ObjectiveRegressor(
        "a + b + (y - eta)**2 * exp(-2*a - 2*b) / 2",
        auxiliary={"a": 0.3, "b": 0.1},
        log_likelihood=True,
    )
    warned = said(found, X, y)
    assert found.status_ == "rank deficient"
    assert "auxiliary a, b" in warned[RankDeficiencyWarning]
    one = quietly(model("normal"), X, y)
    total = found.auxiliary_["a"] + found.auxiliary_["b"]
    assert total == pytest.approx(one.auxiliary_["log_sigma"], abs=1e-8)


@pytest.mark.parametrize("intercept", [True, False])
def test_dependent_columns(intercept):
    X, y = data("numbers")
    X = X + np.array([3.0, 0.0])
    both = np.column_stack([X, X.sum(axis=1)])
    found = model("student", fit_intercept=intercept)
    warned = said(found, both, y)
    assert found.status_ == "rank deficient"
    assert "x0, x1, x2" in warned[RankDeficiencyWarning]
    right = quietly(model("student", fit_intercept=intercept), X, y)
    assert relative_error(found.predict(both), right.predict(X)) < 1e-9
    assert found.auxiliary_["log_scale"] == pytest.approx(right.auxiliary_["log_scale"], abs=1e-9)
    # Of those with the same predictions, the shortest.
    assert abs(found.coef_ @ [1.0, 1.0, -1.0]) < 1e-9
    # What the data determine has the errors of a fit without the column; the rest has none.
    errors = found.standard_errors_
    assert np.isnan(errors[:3]).all()
    assert relative_error(errors[3:], right.standard_errors_[2:]) < 1e-8
    robust = found.summary(both, y).to_frame()
    expected = right.summary(X, y).to_frame()
    error = robust.loc["log_scale", "standard_error"]
    assert error == pytest.approx(expected.loc["log_scale", "standard_error"], rel=1e-8)
    for options in ({}, {"kind": "HC1"}):
        one, two = results(found), results(right)
        if options:
            one = one.with_covariance(both, y, **options)
            two = two.with_covariance(X, y, **options)
        intervals = one.predict_interval(both[:3]), two.predict_interval(X[:3])
        assert relative_error(*intervals) < 1e-8
    new = np.array([[1.0, 1.0, 0.0]])
    with pytest.warns(NotEstimableWarning):
        assert np.isnan(found.predict_interval(new)["standard_error"]).all()
    profiles = found.profile_intervals(both, y)
    assert np.isnan(profiles.iloc[:3].to_numpy()).all()
    assert relative_error(profiles.iloc[3:], right.profile_intervals(X, y).iloc[2:]) < 1e-7
    total = found.delta_method(lambda p: p[0] + p[2])  # of x0 and the sum: that of x0
    assert float(total.standard_error) == pytest.approx(right.standard_errors_[0], rel=1e-8)


def test_survey_weights_of_dependent_columns():
    X, y = data("numbers")
    both, w = np.column_stack([X, X.sum(axis=1)]), 1.0 + np.arange(len(y)) % 3
    found = quietly(model("student", weights="probability"), both, y, w)
    right = quietly(model("student", weights="probability"), X, y, w)
    assert relative_error(found.standard_errors_[3:], right.standard_errors_[2:]) < 1e-8
    intervals = found.predict_interval(both[:3]), right.predict_interval(X[:3])
    assert relative_error(*intervals) < 1e-8


# -- hard starts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [-8.0, -3.0, 3.0, 12.0])
@pytest.mark.parametrize("name", ["normal", "student", "gamma", "beta", "weibull"])
def test_first_values_far_away(name, start):
    X, y = data(PROBLEMS[name].targets)
    right = quietly(model(name), X, y)
    found = model(name)
    (key,) = found.auxiliary
    found.set_params(auxiliary={key: start})
    if name == "weibull" and start == -8.0:  # exp(exp(8)) overflows
        with pytest.raises(ValueError, match="Change the first values in auxiliary"):
            found.fit(X, y)
        return
    warned = said(found, X, y)
    if not found.converged_:  # where the loss is not finite or flat so far away, it is said
        assert ConvergenceWarning in warned or NoMinimumWarning in warned
        return
    assert relative_error(found.params_, right.params_) < 1e-7


@pytest.mark.parametrize("cuts", [[-10.0, 10.0], [0.0, 0.01], [5.0, 6.0]])
def test_first_thresholds_far_away(cuts):
    X, y = data("ordered")
    right = quietly(model("ordinal logit"), X, y)
    found = quietly(model("ordinal logit").set_params(auxiliary={"cuts": cuts}), X, y)
    assert found.status_ == "converged"
    assert relative_error(found.params_, right.params_) < 1e-8


def test_thresholds_in_the_wrong_order_are_refused():
    X, y = data("ordered")
    with pytest.raises(ValueError, match=r"cuts\[0\]=1, cuts\[1\]=-1.*auxiliary"):
        model("ordinal logit").set_params(auxiliary={"cuts": [1.0, -1.0]}).fit(X, y)


@pytest.mark.parametrize("seed", range(6))
def test_eight_rows(seed):
    X, y = data("numbers", 8, seed)
    for name in ("normal", "student"):
        found = quietly(model(name), X, y)
        assert found.status_ == "converged"
        numerical = central_differences(lambda p, f=found: f.objective(X, y, p), found.params_)
        # Differences of sums of eight numbers of size one, where third derivatives are larger.
        assert np.abs(numerical).max() < 1e-6
        assert np.linalg.eigvalsh(found.hessian_)[0] > 0


@pytest.mark.parametrize("seed", range(40))
def test_generated_fits_are_judged_right(seed):
    """Whatever a fit says: a minimum is one, and no minimum is a decrease without end."""
    rng = np.random.default_rng(seed)
    name = rng.choice(list(PROBLEMS))
    n, p = int(rng.integers(6, 40)), int(rng.integers(1, 4))
    X, y = data(PROBLEMS[name].targets, n, seed)
    X = np.column_stack([X, rng.normal(size=(n, 2))])[:, :p] * 10.0 ** rng.integers(-3, 4)
    if rng.uniform() < 0.3:
        X = np.round(X)
    found = model(name, alpha=float(rng.choice([0.0, 0.0, 0.1])))
    if name.startswith("ordinal") and np.unique(y).size < 3:
        pytest.skip("a class is absent")
    warned = said(found, X, y)
    value, params = found.objective_, found.params_
    assert found.objective(X, y) == pytest.approx(value, rel=1e-9, abs=1e-9)
    if found.status_ == "converged":
        slopes = found.gradient(X, y)
        lengths = np.sqrt(np.diagonal(found.hessian_))
        # In units of standard errors, so that units of columns have no part.
        assert np.abs(slopes / lengths).max() < 1e-5
        moves = rng.normal(size=(60, params.size)) / lengths
        for move in moves:
            for length in (1e-3, 1e-2):
                # Near a minimum nothing is lower by more than rounding.
                reached = found.objective(X, y, params + length * move)
                assert not reached < value - 1e-9 * max(abs(value), 1.0)
    else:
        assert any(issubclass(kind, FitWarning) for kind in warned)
