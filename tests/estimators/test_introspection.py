"""Looking at a model never raises: dir, getmembers, repr, HTML; alone and in a pipeline."""

import copy
import inspect
import itertools
import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels.exceptions import InferenceError
from tests.estimators.states import STATES, TARGET, UNFITTED, X


def look_at(model):
    """All that consoles and notebooks call."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        names = dir(model)
        members = inspect.getmembers(model)
        texts = repr(model), str(model), model._repr_html_()
        bundle = model._repr_mimebundle_()
    assert "fit" in names
    assert dict(members)["get_params"]
    assert type(model).__name__ in texts[0]
    assert type(model).__name__ in texts[2]
    assert bundle["text/plain"] == texts[0]
    return names


@pytest.mark.parametrize("model", UNFITTED, ids=lambda m: type(m).__name__)
def test_unfitted(model):
    names = look_at(model)
    assert not [name for name in names if name.endswith("_") and not name.startswith("_")]
    look_at(make_pipeline(StandardScaler(), clone(model)))


@pytest.mark.parametrize("state", STATES)
def test_fitted(state):
    model = STATES[state]()
    names = look_at(model)
    expected = {"PCA, too few rows so far": "n_features_in_"}.get(state, "status_")
    assert expected in names
    look_at(make_pipeline(StandardScaler(), model))
    look_at(clone(model))
    if "own" not in state:
        look_at(pickle.loads(pickle.dumps(model)))


@pytest.mark.parametrize("state", STATES)
def test_with_changed_and_with_missing_coefficients(state):
    model = copy.copy(STATES[state]())
    if not hasattr(model, "params_"):
        return
    name = model._coefficients[0]
    if isinstance(getattr(model, name), list):
        setattr(model, name, [2.0 * W + 1.0 for W in getattr(model, name)])
    else:
        setattr(model, name, 2.0 * np.asarray(getattr(model, name)) + 1.0)
    names = look_at(model)
    assert "gradient_" not in names
    assert "status_" in names
    delattr(model, name)
    look_at(model)


def test_an_attribute_that_does_not_exist_is_an_attribute_error_and_a_value_error():
    model = STATES["linear, fewer rows than columns"]()
    assert not hasattr(model, "standard_errors_")
    assert getattr(model, "covariance_", None) is None
    with pytest.raises(InferenceError, match="nothing is left to estimate the noise"):
        model.standard_errors_  # noqa: B018
    assert issubclass(InferenceError, ValueError)


def test_looking_changes_nothing():
    model = STATES["linear"]()
    before = pickle.dumps(model)
    look_at(model)
    assert len(pickle.dumps(model)) == len(before)
    np.testing.assert_array_equal(model.predict(X), pickle.loads(before).predict(X))
    assert model.score(X, TARGET) > 0.5


@pytest.mark.parametrize("state", STATES)
def test_with_parameters_that_a_fit_would_refuse(state):
    """What a fit says does not depend on parameters that were changed after it."""
    model, odd = copy.copy(STATES[state]()), itertools.cycle(("junk", -1, float("nan")))
    fitted_with = model.get_params(deep=False)
    for name, value in fitted_with.items():
        setattr(model, name, next(odd))
        look_at(model)
        setattr(model, name, value)
    for value in itertools.islice(odd, 3):  # all of them, whatever stands in for the others
        for name in fitted_with:
            setattr(model, name, value)
        look_at(model)
