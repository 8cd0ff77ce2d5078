"""What predictions use is coef_ and intercept_: assigned, written in place, or without a fit."""

import copy

import numpy as np
import pytest
import sklearn.decomposition
import sklearn.linear_model
import sklearn.neural_network
from sklearn.exceptions import NotFittedError

from mcmodels import (
    PCA,
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    ObjectiveClassifier,
    ObjectiveRegressor,
)
from mcmodels.exceptions import InferenceError
from tests.estimators.states import CLASSES, STATES, TARGET, THREE, TWO_TARGETS, X

SQUARES = "(y - eta)**2"
REGRESSIONS = {
    "linear": (LinearRegression(), TARGET),
    "two targets": (LinearRegression(), TWO_TARGETS),
    "no intercept": (LinearRegression(fit_intercept=False), TARGET),
    "two classes": (LogisticRegression(), CLASSES),
    "three classes": (LogisticRegression(), THREE),
    "firth": (FirthLogisticRegression(), CLASSES),
    "firth, three classes": (FirthLogisticRegression(), THREE),
    "glm": (GeneralizedLinearRegressor(), TARGET),
    "own loss": (ObjectiveRegressor(SQUARES), TARGET),
    "own loss of classes": (ObjectiveClassifier("log(1 + exp(-(2*y - 1)*eta))"), CLASSES),
}
# One product of rows with a vector, summed in another order: a few units of rounding.
ROUNDING = {"rtol": 1e-13, "atol": 1e-13}
OF_THE_FIT = ("gradient_", "hessian_", "objective_", "covariance_", "standard_errors_", "aic_")


def eta(model):
    return (model.decision_function if hasattr(model, "classes_") else model.predict)(X)


@pytest.mark.parametrize("case", REGRESSIONS)
def test_what_is_assigned_is_predicted_with(case):
    model, y = copy.deepcopy(REGRESSIONS[case])
    model.fit(X, y)
    w = np.arange(1.0, 1 + np.size(model.coef_)).reshape(np.shape(model.coef_))
    b = np.full(np.shape(model.intercept_), 0.25)
    model.coef_, model.intercept_ = w, b if b.ndim else float(b)
    expected = X @ np.atleast_2d(w).T + b
    np.testing.assert_allclose(eta(model), expected.reshape(eta(model).shape), **ROUNDING)
    np.testing.assert_array_equal(
        model.params_.ravel(), np.column_stack([np.atleast_2d(w), np.atleast_1d(b)]).ravel()
    )


@pytest.mark.parametrize("case", REGRESSIONS)
def test_what_is_written_in_place_is_predicted_with(case):
    model, y = copy.deepcopy(REGRESSIONS[case])
    model.fit(X, y)
    model.coef_[:] = 0.0
    expected = np.broadcast_to(np.ravel(model.intercept_), (len(X), np.size(model.intercept_)))
    np.testing.assert_array_equal(eta(model).reshape(expected.shape), expected)
    assert not np.atleast_2d(model.params_)[:, :3].any()


@pytest.mark.parametrize("case", REGRESSIONS)
def test_derivatives_without_params_take_the_assigned_ones(case):
    model, y = copy.deepcopy(REGRESSIONS[case])
    fitted = copy.deepcopy(model).fit(X, y)
    model.fit(X, y)
    at = model.params_ + 0.5
    model.params_ = at
    np.testing.assert_array_equal(model.params_, at)
    for name in ("objective", "gradient", "hessian"):
        found = getattr(model, name)(X, y)
        np.testing.assert_array_equal(found, getattr(fitted, name)(X, y, at))
        assert not np.array_equal(found, getattr(fitted, name)(X, y)) or case in (
            "linear",
            "two targets",
            "no intercept",
            "glm",
            "own loss",
            "firth, three classes",  # a shift of all classes changes nothing
        )
    direction = np.ones_like(at)
    np.testing.assert_array_equal(
        model.hessian_vector_product(X, y, vector=direction),
        fitted.hessian_vector_product(X, y, at, vector=direction),
    )


@pytest.mark.parametrize("state", STATES)
def test_what_the_fit_derived_is_refused_after_a_change(state):
    model = STATES[state]()
    there = [name for name in OF_THE_FIT if hasattr(model, name)]
    for name in model._coefficients if hasattr(model, "params_") else ():
        changed = copy.deepcopy(model)
        value = getattr(changed, name)
        if isinstance(value, list):
            value[0][...] += 1.0
        elif np.ndim(value):
            value[...] += 1.0
        else:
            setattr(changed, name, value + 1.0)
        for derived in there:
            with pytest.raises(AttributeError, match="was changed after the fit"):
                getattr(changed, derived)
            assert not hasattr(changed, derived)
        for method in ("summary", "confidence_intervals"):
            if hasattr(changed, method):
                with pytest.raises(InferenceError, match="was changed after the fit"):
                    getattr(changed, method)()
        # What tells of the fit and not of its coefficients stays.
        assert changed.status_ == model.status_


def test_setting_back_is_no_change():
    model = LinearRegression().fit(X, TARGET)
    kept = model.coef_.copy()
    model.coef_ = kept + 1.0
    assert not hasattr(model, "gradient_")
    model.coef_ = kept
    assert np.abs(model.gradient_).max() < 1e-10


def test_a_model_that_was_never_fitted_predicts_as_scikit_learns():
    w, b = np.array([[1.0, -2.0, 0.5]]), np.array([0.25])
    models = []
    for package in (LogisticRegression, sklearn.linear_model.LogisticRegression):
        model = package()
        model.classes_, model.coef_, model.intercept_ = np.array(["no", "yes"]), w, b
        models.append(model)
    ours, theirs = models
    for name in ("decision_function", "predict_proba"):
        np.testing.assert_allclose(getattr(ours, name)(X), getattr(theirs, name)(X), **ROUNDING)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_array_equal(ours.params_, [1.0, -2.0, 0.5, 0.25])
    assert ours.gradient(X, CLASSES).shape == (4,)
    with pytest.raises(NotFittedError, match="has not been fitted"):
        ours.summary()
    with pytest.raises(ValueError, match=r"3 features|coef_ has 3"):
        ours.predict(X[:, :2])

    models = []
    for package in (LinearRegression, sklearn.linear_model.LinearRegression):
        model = package()
        model.coef_, model.intercept_ = w[0], 0.25
        models.append(model.predict(X))
    np.testing.assert_allclose(*models, **ROUNDING)
    assert not hasattr(LinearRegression(), "params_")


def test_an_assigned_intercept_counts_without_fit_intercept():
    model = LinearRegression(fit_intercept=False).fit(X, TARGET)
    before = model.predict(X)
    model.intercept_ = 2.0
    np.testing.assert_allclose(model.predict(X), before + 2.0, **ROUNDING)
    assert model.params_.shape == (4,)


def test_pca():
    model = PCA(2).fit(X)
    theirs = sklearn.decomposition.PCA(2).fit(X)
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 2)))[0].T
    for pca in (model, theirs):
        pca.components_, pca.mean_ = axes, np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(model.transform(X), theirs.transform(X), rtol=1e-12)
    scores = model.transform(X)
    np.testing.assert_allclose(
        model.inverse_transform(scores), theirs.inverse_transform(scores), rtol=1e-12
    )
    np.testing.assert_array_equal(model.params_, axes)
    with pytest.raises(AttributeError, match="was changed after the fit"):
        model.gradient_  # noqa: B018
    blank = PCA()
    blank.components_, blank.mean_ = axes, np.zeros(3)
    np.testing.assert_allclose(blank.transform(X), X @ axes.T, rtol=1e-12)


@pytest.mark.parametrize("task", ["classes", "targets"])
def test_networks(task):
    ours, theirs, y = {
        "classes": (MLPClassifier, sklearn.neural_network.MLPClassifier, THREE),
        "targets": (MLPRegressor, sklearn.neural_network.MLPRegressor, TWO_TARGETS),
    }[task]
    rng = np.random.default_rng(0)
    model = ours((4,), "tanh", random_state=0, alpha=10.0).fit(X, y)
    other = theirs(hidden_layer_sizes=(4,), activation="tanh", alpha=10.0, solver="lbfgs")
    other.fit(X, y)
    coefs = [rng.normal(size=W.shape) for W in model.coefs_]
    for net in (model, other):
        net.coefs_ = [W.copy() for W in coefs]
        net.intercepts_ = [np.full(b.shape, 0.5) for b in net.intercepts_]
    predict = "predict_proba" if task == "classes" else "predict"
    np.testing.assert_allclose(getattr(model, predict)(X), getattr(other, predict)(X), rtol=1e-12)
    model.coefs_[0][:] = other.coefs_[0][:] = 0.0
    np.testing.assert_allclose(getattr(model, predict)(X), getattr(other, predict)(X), rtol=1e-12)
    assert not model.params_[: coefs[0].size].any()
    with pytest.raises(AttributeError, match="was changed after the fit"):
        model.objective_  # noqa: B018
    blank = ours((4,), "tanh")
    blank.coefs_, blank.intercepts_ = model.coefs_, model.intercepts_
    if task == "classes":
        blank.classes_ = model.classes_
    np.testing.assert_array_equal(getattr(blank, predict)(X), getattr(model, predict)(X))


OWN = ObjectiveClassifier("log(1 + exp(-(2*y - 1)*eta))", inverse_link="1/(1 + exp(-eta))")
CLASSIFIERS = {
    "two classes": (LogisticRegression(), CLASSES),
    "three classes": (LogisticRegression(), THREE),
    "own loss": (OWN, CLASSES),
    "network": (MLPClassifier((2,), "tanh", alpha=1.0, random_state=0), CLASSES),
    "network of three classes": (MLPClassifier((2,), "tanh", alpha=1.0, random_state=0), THREE),
}


@pytest.mark.parametrize("how", ["assigned", "as a list", "in place"])
@pytest.mark.parametrize("case", CLASSIFIERS)
def test_labels_in_another_order(case, how):
    """Label k is that of output k, in predictions, scores and derivatives."""
    model, y = copy.deepcopy(CLASSIFIERS[case])
    model.fit(X, y)
    labels = model.classes_.copy()
    renamed = dict(zip(labels, labels[::-1], strict=True))
    expected = [renamed[label] for label in model.predict(X)]
    z = np.array([renamed[label] for label in y])
    before = [getattr(model, name)(X, y) for name in ("objective", "gradient", "hessian", "score")]
    if how == "in place":
        model.classes_[:] = labels[::-1]
    else:
        model.classes_ = labels[::-1].tolist() if how == "as a list" else labels[::-1]
    np.testing.assert_array_equal(model.predict(X), expected)
    for name, value in zip(("objective", "gradient", "hessian", "score"), before, strict=True):
        np.testing.assert_array_equal(getattr(model, name)(X, z), value)
    for name in OF_THE_FIT:
        assert not hasattr(model, name)
    with pytest.raises(InferenceError, match="classes_ was changed after the fit"):
        model.gradient_  # noqa: B018
    model.classes_ = labels
    assert model.gradient_ is not None


@pytest.mark.parametrize("case", CLASSIFIERS)
def test_labels_that_are_missing_or_too_many(case):
    model, y = copy.deepcopy(CLASSIFIERS[case])
    model.fit(X, y)
    model.classes_ = np.array(["a", "b", "c", "d"])
    for call in (model.predict, lambda X: model.objective(X, y)):
        with pytest.raises(InferenceError, match=r"classes_ has shape \(4,\).* assign an array of"):
            call(X)
    del model.classes_
    for call in (model.predict, lambda X: model.objective(X, y)):
        with pytest.raises(NotFittedError, match="has no classes_"):
            call(X)


def test_a_pca_without_variances_says_what_it_needs():
    model = PCA(whiten=True)
    model.components_, model.mean_ = np.eye(3)[:2], np.zeros(3)
    for call in (model.transform, model.objective, model.score_samples):
        with pytest.raises(NotFittedError, match="has no explained_variance_"):
            call(X)
    model.explained_variance_ = np.array([4.0, 1.0])
    np.testing.assert_allclose(model.transform(X), X[:, :2] / [2.0, 1.0], rtol=1e-15)
