"""Coefficients of odd types and shapes; what users read of a fit and cannot change."""

import copy
import inspect
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from mcmodels import (
    PCA,
    LinearRegression,
    LogisticRegression,
    MLPRegressor,
    ObjectiveRegressor,
)
from mcmodels.exceptions import InferenceError
from tests.callbacks import Recorder
from tests.estimators.states import CLASSES, TARGET, TWO_TARGETS, X


class NoArray:
    """Raises what no array raises when it is read as one."""

    def __array__(self, *args, **options):
        raise RuntimeError


NO_NUMBERS = {
    "text": "abc",
    "ragged": [[1.0, 2.0], [3.0]],
    "None": None,
    "object": object(),
    "complex": np.full((1, 3), 1.0 + 2.0j),
    "a number": np.array(1.0),
    "an object that is no array": NoArray(),
}
LINEAR = {
    "linear": (LinearRegression(), TARGET),
    "logistic": (LogisticRegression(), CLASSES),
    "own loss": (ObjectiveRegressor("(y - eta)**2"), TARGET),
    "PCA": (PCA(2), None),
    "network": (MLPRegressor((4,), "tanh", random_state=0, alpha=1.0), TARGET),
}


def fitted(case):
    model, y = LINEAR[case]
    return copy.deepcopy(model).fit(X, y)


@pytest.mark.parametrize("value", NO_NUMBERS)
@pytest.mark.parametrize("case", LINEAR)
def test_looking_at_coefficients_that_are_no_numbers(case, value):
    for name in fitted(case)._tracked:
        model = fitted(case)
        setattr(model, name, NO_NUMBERS[value])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert "gradient_" not in dir(model)
            assert inspect.getmembers(model)
        with pytest.raises(InferenceError, match="was changed after the fit"):
            model.gradient_  # noqa: B018
        for again in (pickle.loads(pickle.dumps(model)) if value != "object" else model,):
            assert again.status_ == model.status_


@pytest.mark.parametrize("form", [list, np.float32, scipy.sparse.csr_array])
def test_predictions_take_other_types(form):
    w = np.array([[1.0, -2.0, 0.5]])
    model = fitted("logistic")
    model.coef_ = w.tolist() if form is list else form(w)
    np.testing.assert_allclose(model.decision_function(X), X @ w[0] + model.intercept_, rtol=1e-13)
    np.testing.assert_array_equal(model.params_[:-1], w[0])
    assert model.gradient(X, CLASSES).shape == (4,)


@pytest.mark.parametrize("form", [tuple, list])
def test_layers_of_other_types(form):
    model = fitted("network")
    expected = model.predict(X)
    model.coefs_ = form(W.tolist() for W in model.coefs_)
    model.intercepts_ = form(model.intercepts_)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-13)
    # The same numbers are no change.
    assert np.abs(model.params_).sum() > 0
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_allclose(again.predict(X), expected, rtol=1e-13)


def test_layers_that_do_not_fit_together():
    model = fitted("network")
    model.coefs_ = model.coefs_[:1]
    with pytest.raises(InferenceError, match="do not fit together"):
        model.predict(X)
    model = fitted("network")
    model.intercepts_[0] = np.zeros(3)
    with pytest.raises(InferenceError, match="do not fit together"):
        model.predict(X)
    assert copy.deepcopy(model).status_ == "converged"
    model.coefs_[0][0, 0] = np.nan
    assert copy.deepcopy(model).status_ == "converged"


def test_a_copy_of_a_network_still_has_views_of_its_parameters():
    model = fitted("network")
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(again.params_, model.params_)
        again.params_[:] = 0.0
        assert not again.coefs_[0].any()
    assert model.coefs_[0].any()


@pytest.mark.parametrize("name", ["components_", "mean_", "explained_variance_"])
def test_what_is_written_in_place_does_not_reach_the_record_of_a_pca(name):
    model = fitted("PCA")
    said, kept = str(model.summary()), getattr(model, name).copy()
    getattr(model, name)[:] = 0.0
    setattr(model, name, kept)
    assert str(model.summary()) == said
    np.testing.assert_array_equal(getattr(model._fit, name.removesuffix("_"), kept), kept)
    assert model.sphericity_test().statistic == fitted("PCA").sphericity_test().statistic


def test_parameters_that_are_set_are_a_copy():
    for case in LINEAR:
        model = fitted(case)
        params = model.params_ + 1.0
        model.params_ = params
        expected = params.copy()
        params[...] = 0.0
        np.testing.assert_array_equal(model.params_, expected)


def test_parameters_set_beside_one_intercept_for_two_targets():
    model = LinearRegression(fit_intercept=False).fit(X, TWO_TARGETS)
    model.intercept_ = 2.0
    params = model.params_.copy()
    params[:, -1] = 3.0, 4.0
    model.params_ = params
    np.testing.assert_array_equal(model.params_, params)
    np.testing.assert_array_equal(model.intercept_, [3.0, 4.0])
    single = fitted("linear")
    single.params_ = single.params_ + 1.0
    assert isinstance(single.intercept_, float)


def test_what_a_fit_says_cannot_be_written_into():
    """Standard errors come from the same Hessian."""
    model = LogisticRegression(C=np.inf).fit(X, CLASSES)
    for name in ("hessian_", "gradient_"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(model, name)[...] = 0.0
    assert model.hessian_.any()


def test_no_result_shares_memory_with_the_record():
    model = LinearRegression().fit(X, TARGET)
    errors = model.standard_errors_.copy()
    model.covariance(X, TARGET, kind="nonrobust")[:] = 0.0
    np.testing.assert_array_equal(model.standard_errors_, errors)

    model = MLPRegressor((4,), "tanh", random_state=0, alpha=1.0, compute_hessian=True)
    model.fit(X, TARGET)
    assert isinstance(model.gradient_.coefs, list)
    for part in (*model.gradient_.coefs, *model.gradient_.intercepts):
        with pytest.raises(ValueError, match="read-only"):
            part[...] = 0.0
    eigenvalues = model.critical_point_.eigenvalues
    expected = eigenvalues.copy()
    eigenvalues[:] = -1.0
    np.testing.assert_array_equal(model.critical_point_.eigenvalues, expected)

    model = LogisticRegression().fit(X, CLASSES)
    model.classes_[:] = ["a", "b"]
    assert model._fit.classes.tolist() == ["no", "yes"]


def test_another_shape_is_a_change():
    model = fitted("linear")
    model.coef_ = model.coef_.reshape(1, 3)
    assert model.predict(X).shape == (60, 1)
    with pytest.raises(InferenceError, match="was changed after the fit"):
        model.standard_errors_  # noqa: B018


def test_what_parts_of_the_rows_must_have_in_common():
    named = [pd.DataFrame(X, columns=list(names)) for names in ("abc", "abd")]
    first, second = (LinearRegression().partial_fit(part, TARGET) for part in named)
    with pytest.raises(ValueError, match="features with other names"):
        first.merge(second)
    first.set_params(fit_intercept=False)
    with pytest.raises(ValueError, match="fit_intercept has changed"):
        first.partial_fit(named[0], TARGET)


def test_rows_without_weight_do_not_count():
    present = (np.arange(60) >= 20).astype(float)
    assert PCA().fit(X, sample_weight=present).n_samples_ == 40
    balanced = LogisticRegression(class_weight="balanced")
    labels = np.where(present > 0, CLASSES, "absent")
    whole = balanced.fit(X, labels, sample_weight=present).params_
    # Newton's method from sums of other blocks.
    np.testing.assert_allclose(balanced.fit(X[20:], CLASSES[20:]).params_, whole, rtol=1e-8)


@pytest.mark.parametrize("case", ["logistic", "own loss", "network"])
def test_callbacks_hear_that_the_fit_ends(case):
    pytest.importorskip("sklearn.callback")
    model, y = LINEAR[case]
    recorder = Recorder()
    copy.deepcopy(model).set_callbacks(recorder).fit(X, y)
    assert len(recorder.ends("fit")) == 1
