"""`leave_one_out` of small data: every score is that of a fit without the row."""

import numpy as np
import pytest
from sklearn.base import clone

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveClassifier,
    ObjectiveRegressor,
    leave_one_out,
)
from mcmodels.exceptions import RankDeficiencyWarning
from tests.resampling.brute_force import log_scores_by_refits

N, P = 36, 3
# Fits end where no step changes a predictor by more than about 1e-10 of its standard error.
TIGHT = {"tol": 1e-12}


def rows(seed=5):
    rng = np.random.default_rng(seed)
    X, noise = rng.normal(size=(N, P)), rng.normal(size=N)
    eta = X @ [0.8, -0.6, 0.3]
    y = {
        "number": eta + noise,
        "numbers": np.column_stack([eta + noise, rng.normal(size=N) - eta]),
        "two": np.where(eta + noise > 0, "yes", "no"),
        "three": (eta + noise > -0.7).astype(int) + (eta - noise > 0.7),
        "zero or one": (eta + noise > 0).astype(float),
        "count": rng.poisson(np.exp(eta)),
        "positive": rng.gamma(2.0, np.exp(eta) / 2),
        "share": rng.binomial(5, 1 / (1 + np.exp(-eta))) / 5,
    }
    whole = rng.integers(1, 4, N).astype(float)
    weights = {"whole": whole, "any": rng.uniform(0.3, 2.0, N), "trials": np.full(N, 5.0)}
    return X, y, weights | {"": None}, rng.normal(size=N) / 3


GLM = GeneralizedLinearRegressor
# Model, targets, weights, whether there is an offset. The first are exact by one step.
QUADRATIC = {
    "linear": (LinearRegression(), "number", "", False),
    "linear, weights": (LinearRegression(), "number", "whole", False),
    "linear, precisions": (LinearRegression(weights="precision"), "number", "any", False),
    "linear, a survey": (LinearRegression(weights="probability"), "number", "any", False),
    "linear, no intercept": (LinearRegression(fit_intercept=False), "number", "", False),
    "linear, two targets": (LinearRegression(), "numbers", "whole", False),
    "ridge": (GLM(alpha=3.0), "number", "whole", False),
    "ridge, precisions": (GLM(alpha=3.0, weights="precision"), "number", "any", False),
    "ridge, an offset": (GLM(alpha=3.0), "number", "", True),
    "ridge, a survey": (GLM(alpha=3.0, weights="probability"), "number", "any", False),
    "own quadratic": (ObjectiveRegressor("(y - eta)**2", alpha=0.3), "number", "whole", False),
}
OTHERS = {
    "two classes": (LogisticRegression(), "two", "", False),
    "two classes, weights": (LogisticRegression(C=30.0), "two", "whole", True),
    "two classes, no penalty": (LogisticRegression(C=np.inf), "two", "", False),
    "two classes, strong": (LogisticRegression(C=1e-3), "two", "any", False),
    "three classes": (LogisticRegression(C=0.5), "three", "whole", False),
    "three, no intercept": (LogisticRegression(fit_intercept=False), "three", "", False),
    "three classes, no penalty": (LogisticRegression(C=np.inf), "three", "", False),
    "poisson": (GLM("poisson"), "count", "whole", True),
    "gamma": (GLM("gamma"), "positive", "whole", False),
    "gamma by deviance": (GLM("gamma", dispersion="deviance"), "positive", "", False),
    "gamma, precisions": (GLM("gamma", weights="precision"), "positive", "any", False),
    "gamma, a survey": (GLM("gamma", weights="probability"), "positive", "any", False),
    "inverse gaussian": (GLM("inverse_gaussian", alpha=0.1), "positive", "", False),
    "trials": (GLM("binomial"), "share", "trials", False),
    "probit": (GLM("binomial", link="probit", alpha=0.1), "zero or one", "whole", False),
    "negative binomial": (GLM("negative_binomial", theta=0.5), "count", "", False),
    "own": (ObjectiveRegressor("log(cosh(eta - y))", alpha=0.5), "number", "whole", False),
}


def fitted(name):
    model, kind, of_weights, has_offset = (QUADRATIC | OTHERS)[name]
    X, y, weights, offset = rows()
    model = clone(model)
    if hasattr(model, "tol"):
        model.set_params(**TIGHT)
    options = {"offset": offset} if has_offset else {}
    model.fit(X, y[kind], weights[of_weights], **options)
    return model, X, y[kind], weights[of_weights], options


@pytest.mark.parametrize("of_groups", [False, True])
@pytest.mark.parametrize("name", QUADRATIC | OTHERS)
def test_small_data_are_fitted_exactly(name, of_groups):
    model, X, y, weights, options = fitted(name)
    codes = np.arange(N) // 4 if of_groups else None
    # In small data all fits are iterated.
    found = leave_one_out(model, X, y, weights, groups=codes, **options)
    scores, predictions = log_scores_by_refits(model, X, y, weights, codes, **options)
    assert found.exact_rows.all()
    assert found.error_ == 0.0
    # Of squared errors one step has all digits; other fits have ended at a tolerance.
    close = 1e-10 if name in QUADRATIC else 1e-8
    assert found.log_scores == pytest.approx(scores, rel=close, abs=close)
    assert found.predictions == pytest.approx(predictions, rel=close, abs=close)


@pytest.mark.parametrize("name", QUADRATIC)
def test_one_step_is_exact_for_squared_errors(name):
    model, X, y, weights, options = fitted(name)
    found = leave_one_out(model, X, y, weights, method="newton", **options)
    scores, _ = log_scores_by_refits(model, X, y, weights, **options)
    assert found.exact_rows.all()
    assert found.log_scores == pytest.approx(scores, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("codes", [None, np.arange(N) // 4])
def test_columns_far_from_zero_lose_no_digits(codes):
    X, y, _, _ = rows()
    far = X + np.array([1e6, 0.0, -1e4])
    model, near = LinearRegression().fit(far, y["number"]), LinearRegression().fit(X, y["number"])
    found = leave_one_out(model, far, y["number"], groups=codes)
    expected = leave_one_out(near, X, y["number"], groups=codes)
    # Linear predictors of such columns have a rounding error of 1e6 ε.
    assert found.predictions == pytest.approx(expected.predictions, abs=1e-8)
    logistic = LogisticRegression(C=np.inf, **TIGHT).fit(far, y["two"])
    scores, _ = log_scores_by_refits(logistic, far, y["two"], codes=codes)
    found = leave_one_out(logistic, far, y["two"], groups=codes)
    assert found.log_scores == pytest.approx(scores, abs=1e-7)


def test_dependent_columns():
    X, y, _, _ = rows()
    dependent = np.column_stack([X, X[:, 0] - 2 * X[:, 1]])
    with pytest.warns(RankDeficiencyWarning):
        model = LinearRegression().fit(dependent, y["number"])
    found = leave_one_out(model, dependent, y["number"])
    expected = leave_one_out(LinearRegression().fit(X, y["number"]), X, y["number"])
    assert found.predictions == pytest.approx(expected.predictions, rel=1e-10)
    assert found.log_scores == pytest.approx(expected.log_scores, rel=1e-10)


@pytest.mark.parametrize("codes", [None, np.arange(N) // 4])
def test_rows_that_alone_determine_a_parameter_are_fitted_from_the_start(codes):
    X, y, _, _ = rows()
    X = np.column_stack([X, np.arange(N) == 7])
    model = LinearRegression().fit(X, y["number"])
    found = leave_one_out(model, X, y["number"], groups=codes)
    scores, predictions = log_scores_by_refits(model, X, y["number"], codes=codes)
    assert found.predictions == pytest.approx(predictions, rel=1e-9, abs=1e-9)
    assert found.log_scores == pytest.approx(scores, rel=1e-9)
    poisson = GLM("poisson", alpha=0.0, **TIGHT).fit(X, y["count"] + 1)
    found = leave_one_out(poisson, X, y["count"] + 1)
    scores, _ = log_scores_by_refits(poisson, X, y["count"] + 1)
    assert found.log_scores == pytest.approx(scores, rel=1e-7)


def test_rows_of_weight_zero_are_judged_and_count_nothing():
    X, y, weights, _ = rows()
    w = weights["whole"].copy()
    w[3:6] = 0.0
    model = LogisticRegression(**TIGHT).fit(X, y["two"], w)
    found = leave_one_out(model, X, y["two"], w)
    kept = w > 0
    of_kept = leave_one_out(model, X[kept], y["two"][kept], w[kept])
    assert found.log_score_ == pytest.approx(of_kept.log_score_, rel=1e-12)
    assert found.standard_error_ == pytest.approx(of_kept.standard_error_, rel=1e-12)
    assert found.predictions[3:6] == pytest.approx(model.predict_proba(X[3:6]), rel=1e-12)


@pytest.mark.parametrize("name", ["linear, weights", "two classes, weights", "poisson", "gamma"])
def test_a_weight_of_two_is_a_group_of_two_equal_rows(name):
    model, X, y, weights, options = fitted(name)
    found = leave_one_out(model, X, y, weights, method="exact", **options)
    twice = np.repeat(np.arange(N), weights.astype(int))
    again = {key: value[twice] for key, value in options.items()}
    model = clone(model).fit(X[twice], y[twice], **again)
    expected = leave_one_out(model, X[twice], y[twice], groups=twice, method="exact", **again)
    assert found.log_score_ == pytest.approx(expected.log_score_, rel=1e-9)


def test_groups_of_one_row_are_rows():
    model, X, y, weights, _ = fitted("three classes")
    labels = np.random.default_rng(0).permutation(N)
    for method in ("newton", "second-order", "exact"):
        found = leave_one_out(model, X, y, weights, groups=labels, method=method)
        expected = leave_one_out(model, X, y, weights, method=method)
        assert found.log_scores == pytest.approx(expected.log_scores, rel=1e-9)
        assert found.steps[found.codes] == pytest.approx(expected.steps, rel=1e-7, abs=1e-9)


def test_class_weights_are_those_of_the_whole_fit():
    X, y, _, _ = rows()
    model = LogisticRegression(class_weight={"no": 3.0, "yes": 1.0}, **TIGHT).fit(X, y["two"])
    weights = np.where(y["two"] == "no", 3.0, 1.0)
    expected = leave_one_out(LogisticRegression(**TIGHT).fit(X, y["two"], weights), X, y["two"],
                             weights)  # fmt: skip
    found = leave_one_out(model, X, y["two"])
    assert found.log_score_ == pytest.approx(expected.log_score_, rel=1e-10)


def test_losses_of_the_users_that_are_quadratic_here_and_not_there():
    # Huber's loss has a constant curvature within its threshold, which no residual passes here.
    X, y, _, _ = rows()
    for threshold, exact in ((50.0, True), (1.0, False)):
        linear = f"{threshold}*abs(y - eta) - {threshold**2 / 2}"
        text = f"where(abs(y - eta) < {threshold}, (y - eta)**2/2, {linear})"
        model = ObjectiveRegressor(text, alpha=0.5, **TIGHT).fit(X, y["number"])
        found = leave_one_out(model, X, y["number"], method="newton")
        assert found.exact_rows.all() == exact


def test_predictions_of_own_classifiers():
    X, y, _, _ = rows()
    loss, link = "log(1 + exp(eta)) - y*eta", "1/(1 + exp(-eta))"
    with_link = ObjectiveClassifier(loss, inverse_link=link, alpha=1.0, **TIGHT).fit(X, y["two"])
    found = leave_one_out(with_link, X, y["two"])
    logistic = leave_one_out(LogisticRegression(**TIGHT).fit(X, y["two"]), X, y["two"])
    assert found.predictions == pytest.approx(logistic.predictions, rel=1e-8)
    without = ObjectiveClassifier(loss, alpha=1.0, **TIGHT).fit(X, y["two"])
    margins = leave_one_out(without, X, y["two"])
    assert margins.predictions == pytest.approx(margins.eta[:, 0])
    assert margins.score("accuracy") == logistic.score("accuracy")
