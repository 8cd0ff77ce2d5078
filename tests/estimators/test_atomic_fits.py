"""A fit that fails or is interrupted, wherever it is, leaves the estimator exactly as it was."""

import copy
import functools
import pickle
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

import mcmodels
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
    RowStream,
)
from tests.estimators.states import CLASSES, TARGET, X

OWN = "log(1 + exp(-(2*y - 1)*eta))"
MODELS = {
    "linear": (LinearRegression(), TARGET),
    "linear, pinv": (LinearRegression(solver="pinv"), TARGET),
    "logistic": (LogisticRegression(), CLASSES),
    "logistic, warm": (LogisticRegression(warm_start=True, class_weight="balanced"), CLASSES),
    "PCA": (PCA(2), None),
    "firth": (FirthLogisticRegression(), CLASSES),
    "glm": (GeneralizedLinearRegressor(), TARGET),
    "own loss": (ObjectiveRegressor("(y - eta)**2"), TARGET),
    "own loss of classes": (ObjectiveClassifier(OWN), CLASSES),
    "network of classes": (MLPClassifier((2,), "tanh", alpha=1.0, random_state=0), CLASSES),
    "network": (MLPRegressor((2,), "tanh", alpha=1.0, random_state=0), TARGET),
}
STREAMED = list(MODELS)
PARTIAL = ["linear", "linear, pinv", "PCA"]
NAMED = pd.DataFrame(X, columns=["a", "b", "c"])
# Other rows with other columns, names and labels than those of the first fit.
OTHER_X = pd.DataFrame(
    np.random.default_rng(5).normal(size=(40, 4)), columns=["one", "two", "three", "four"]
)


def other_y(y):
    if y is None:
        return None
    if y.dtype.kind == "f":
        return np.random.default_rng(6).normal(size=40)
    return np.where(OTHER_X["one"] + np.random.default_rng(7).normal(size=40) > 0, "p", "q")


def state_of(model):
    """All that an estimator holds, to the last bit, and what it says."""
    said = {
        name: getattr(model, name)
        for name in dir(model)
        if name.endswith("_") and not name.startswith("_")
    }
    return pickle.dumps(vars(model)), pickle.dumps(sorted(said.items(), key=lambda item: item[0]))


def fresh(case):
    model, y = MODELS[case]
    return copy.deepcopy(model), y


def same_afterwards(model, before, identity):
    assert state_of(model) == before
    assert model._fit is identity


def fitted(case):
    model, y = fresh(case)
    return model.fit(NAMED, y), y


class Stop(Exception):
    """What a source of rows fails with."""


def with_cell(X, value):
    X = X.copy()
    X.iloc[7, 1] = value
    return X


MESSAGE = r"NaN|inconsistent numbers|infinity|only one class|could not convert"
BAD = {
    "NaN in X": lambda X, y: (with_cell(X, np.nan), y),
    "another length": lambda X, y: (X, None if y is None else y[:-1]),
    "infinity": lambda X, y: (with_cell(X, np.inf), y),
    "one class": lambda X, y: (X, None if y is None else np.repeat(y[:1], 40)),
    "text": lambda X, y: (with_cell(X.astype(object), "text"), y),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("case", MODELS)
def test_bad_data(case, bad):
    model, y = fitted(case)
    before, identity = state_of(model), model._fit
    data = BAD[bad](OTHER_X, other_y(y))
    possible = {
        "one class": "classes" in case or "logistic" in case,
        "another length": y is not None,
    }
    if not possible.get(bad, True):
        return
    with pytest.raises(ValueError, match=MESSAGE):
        model.fit(*data)
    same_afterwards(model, before, identity)
    unfitted, _ = fresh(case)
    with pytest.raises(ValueError, match=MESSAGE):
        unfitted.fit(*data)
    assert vars(unfitted) == vars(fresh(case)[0])


@pytest.mark.parametrize("parameter", ["solver", "tol", "loss", "alpha", "C", "n_components"])
@pytest.mark.parametrize("case", MODELS)
def test_a_bad_parameter(case, parameter):
    model, y = fitted(case)
    if parameter not in model.get_params():
        return
    before, identity = state_of(model), model._fit
    good = getattr(model, parameter)
    model.set_params(**{parameter: -7})
    with pytest.raises((ValueError, TypeError)):
        model.fit(OTHER_X, other_y(y))
    model.set_params(**{parameter: good})
    same_afterwards(model, before, identity)


@pytest.mark.parametrize("walk", range(1, 6))
@pytest.mark.parametrize("kind", [Stop, KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("case", STREAMED)
def test_a_stream_that_fails_on_a_later_walk(case, kind, walk):
    model, y = fitted(case)
    before, identity = state_of(model), model._fit
    walks = []
    target = other_y(y)

    def blocks():
        walks.append(None)
        for start in (0, 20):
            if len(walks) >= walk and start:
                raise kind("no more rows")
            part = slice(start, start + 20)
            yield OTHER_X[part] if y is None else (OTHER_X[part], target[part])

    try:
        model.fit(RowStream(blocks))
    except kind:
        same_afterwards(model, before, identity)
    else:
        assert model.n_features_in_ == 4


@pytest.mark.parametrize("case", MODELS)
def test_a_warning_that_is_an_error(case):
    model, y = fitted(case)
    before, identity = state_of(model), model._fit
    dependent = OTHER_X.assign(five=OTHER_X["one"] + OTHER_X["two"])
    target = other_y(y)
    trouble = {
        "logistic": {"max_iter": 1, "tol": 0.0},
        "own loss of classes": {"max_iter": 1, "tol": 0.0},
        "network": {"max_iter": 1, "tol": 0.0},
        "PCA": {"whiten": True, "n_components": 5},
    }
    options = next((o for name, o in trouble.items() if case.startswith(name)), {})
    good = {name: getattr(model, name) for name in options}
    model.set_params(**options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(mcmodels.exceptions.FitWarning):
            model.fit(dependent, target)
    model.set_params(**good)
    same_afterwards(model, before, identity)


def interrupted_after(count, call):
    """Call with a KeyboardInterrupt at the ``count``-th line that the package runs."""
    left = count

    def trace(frame, event, arg):
        nonlocal left
        name = frame.f_globals.get("__name__", "")
        # A tracer can interrupt between the last line of a "with" and its exit, where Python itself
        # handles no signal: the lock of the threads would stay locked.
        if name.partition(".")[0] != "mcmodels" or name == "mcmodels.rows.threads":
            return None
        if event == "line":
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(previous)
    return left


@pytest.mark.parametrize("case", MODELS)
def test_an_interrupt_at_any_line(case):
    """Either all of the old fit is there, or all of the new one."""
    model, y = fitted(case)
    target = other_y(y)
    reference = copy.deepcopy(model).fit(OTHER_X, target)
    lines = 10**9 - interrupted_after(10**9, lambda: copy.deepcopy(model).fit(OTHER_X, target))
    rng = np.random.default_rng(0)
    # The last lines, where a fit is published, and some before.
    chosen = {*range(lines - 16, lines + 1, 2), *rng.integers(1, lines, 8).tolist()}
    before = state_of(model)
    for count in sorted(chosen):
        trial = copy.deepcopy(model)
        try:
            interrupted_after(count, lambda: trial.fit(OTHER_X, target))  # noqa: B023
        except KeyboardInterrupt:
            if trial.n_features_in_ == 3:
                assert state_of(trial) == before
                np.testing.assert_array_equal(trial.feature_names_in_, ["a", "b", "c"])
                continue
        np.testing.assert_array_equal(trial.params_, reference.params_)
        np.testing.assert_array_equal(trial.feature_names_in_, reference.feature_names_in_)
        if hasattr(reference, "classes_"):
            np.testing.assert_array_equal(trial.classes_, reference.classes_)


@pytest.mark.parametrize("case", PARTIAL)
@pytest.mark.parametrize("how", ["fit", "partial_fit", "merge"])
def test_the_sums_of_partial_fit_survive_a_failure(case, how):
    model, y = fresh(case)
    given = () if y is None else (y[:30],)
    model.partial_fit(NAMED[:30], *given)
    before, identity, sums = state_of(model), model._fit, model._sums
    bad = with_cell(NAMED[30:], np.nan)
    if how == "merge":
        never = type(model)().fit(OTHER_X, *([] if y is None else [other_y(y)]))
        call = functools.partial(model.merge, never)
    else:
        call = functools.partial(getattr(model, how), bad, *(() if y is None else (y[30:],)))
    with pytest.raises(ValueError, match=r"NaN|no sums to merge"):
        call()
    same_afterwards(model, before, identity)
    assert model._sums is sums
    model.partial_fit(NAMED[30:], *(() if y is None else (y[30:],)))
    whole, _ = fitted(case)
    # The sums of two parts, added in another order than those of the whole.
    np.testing.assert_allclose(model.params_, whole.params_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", PARTIAL)
def test_an_interrupt_of_partial_fit_leaves_all_of_the_old_sums_or_all_of_the_new(case):
    model, y = fresh(case)
    parts = [
        (NAMED[:30], *(() if y is None else (y[:30],))),
        (NAMED[30:], *(() if y is None else (y[30:],))),
    ]
    model.partial_fit(*parts[0])
    lines = 10**9 - interrupted_after(10**9, lambda: copy.deepcopy(model).partial_fit(*parts[1]))
    before = state_of(model)
    whole = copy.deepcopy(model).partial_fit(*parts[1])
    for count in range(1, lines + 1, max(1, lines // 12)):
        trial = copy.deepcopy(model)
        try:
            interrupted_after(count, lambda: trial.partial_fit(*parts[1]))  # noqa: B023
        except KeyboardInterrupt:
            if trial._sums.seen.n_rows == 30:
                assert state_of(trial) == before
                continue
        assert trial._sums.seen.n_rows == 60
        np.testing.assert_array_equal(trial.params_, whole.params_)


def test_new_labels_are_not_predicted_with_old_coefficients():
    """The case of the report: refitted with new labels and one NaN, it raised and mixed the two."""
    model = LogisticRegression().fit(X, CLASSES)
    bad = X.copy()
    bad[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        model.fit(bad, np.where(CLASSES == "yes", "new", "newer"))
    assert set(model.predict(X)) == {"yes", "no"}


def test_fit_forgets_the_sums_of_partial_fit():
    model = LinearRegression().partial_fit(X, TARGET).fit(X[:20], TARGET[:20])
    assert model._sums is None
    fresh = LinearRegression().partial_fit(X[20:], TARGET[20:])
    np.testing.assert_array_equal(model.partial_fit(X[20:], TARGET[20:]).params_, fresh.params_)


@pytest.mark.parametrize("line", range(1, 10))
def test_an_interrupt_at_any_line_where_a_fit_is_published(line):
    model, y = fitted("logistic")
    before = state_of(model)
    left = line

    def trace(frame, event, arg):
        nonlocal left
        if frame.f_code.co_name != "_publish":
            return trace if event == "call" else None
        left -= event == "line"
        if left == 0:
            raise KeyboardInterrupt
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        model.fit(OTHER_X, other_y(y))
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(previous)
    if model.n_features_in_ == 3:
        assert state_of(model) == before
    else:
        assert model.coef_.shape == (1, 4)
        assert model.status_ == "converged"
