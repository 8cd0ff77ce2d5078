"""One rule for every method: without rows the covariance of the model, with rows a robust one."""

import numpy as np
import pandas as pd
import pytest

from mcmodels import PCA, LinearRegression, LogisticRegression, ObjectiveRegressor, summarize
from mcmodels.exceptions import InferenceError
from mcmodels.inference.robust import ScoreSquares

rng = np.random.default_rng(0)
X = pd.DataFrame(rng.normal(size=(150, 2)), columns=["a", "b"])
TARGET = X["a"].to_numpy() + rng.normal(size=150) * np.exp(X["b"].to_numpy())
WEIGHTS = rng.integers(1, 4, 150).astype(float)
THREE = np.array(["u", "v", "w"])[rng.integers(0, 3, 150)]
CASES = {
    "linear": (LinearRegression(), TARGET, "HC3"),
    "two targets": (LinearRegression(), np.column_stack([TARGET, TARGET**2]), "HC3"),
    "two classes": (LogisticRegression(C=np.inf), TARGET > 0, "HC3"),
    "penalised": (LogisticRegression(C=1.0), TARGET > 0, "HC3"),
    "three classes": (LogisticRegression(C=np.inf), THREE, "HC1"),
    "own": (ObjectiveRegressor("(y - eta)**2/2", log_likelihood=True), TARGET, "HC3"),
}


def g(theta):
    return theta.ravel()[:2] ** 2


def restrictions(case):
    return {"two targets": "`y0:a` = 0", "three classes": "`v:a` = 0"}.get(case, "a = 0")


METHODS = {
    "summary": lambda model, *rows, case, **kind: model.summary(*rows, **kind).to_frame(),
    "summarize": lambda model, *rows, case, **kind: summarize(model, *rows, **kind).to_frame(),
    "confidence_intervals": lambda model, *rows, case, **kind: model.confidence_intervals(
        0.95, *rows, **kind
    ),
    "wald_test": lambda model, *rows, case, **kind: (
        model.wald_test(restrictions(case), *rows, **kind).statistic
    ),
    "delta_method": lambda model, *rows, case, **kind: (
        model.delta_method(g, *rows, **kind).covariance
    ),
    "covariance": lambda model, *rows, case, **kind: model.covariance(*rows, **kind),
}


def fitted(case):
    prototype, y, kind = CASES[case]
    model = type(prototype)(**prototype.get_params())
    return model.fit(X, y, sample_weight=WEIGHTS), y, kind


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("case", CASES)
def test_one_rule_for_all_methods(case, name):
    model, y, kind = fitted(case)
    rows, method = (X, y, WEIGHTS), METHODS[name]
    robust = np.asarray(method(model, *rows, case=case, kind=kind))
    plain = np.asarray(method(model, case=case))
    # The same calls give the same bits.
    np.testing.assert_array_equal(method(model, *rows, case=case), robust)
    np.testing.assert_array_equal(method(model, *rows, case=case, kind="nonrobust"), plain)
    assert not np.allclose(robust, plain, rtol=1e-3)


@pytest.mark.parametrize("case", CASES)
def test_without_rows_the_covariance_is_that_of_the_model(case):
    model, _, _ = fitted(case)
    np.testing.assert_array_equal(model.covariance(), model.covariance_)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("kind", [{}, {"kind": "nonrobust"}, {"kind": "HC0"}])
@pytest.mark.parametrize("case", CASES)
def test_anything_but_the_training_rows_is_refused(case, kind, name):
    model, y, _ = fitted(case)
    method = METHODS[name]
    for rows in (
        ("x", "y"),
        (X, y),  # without the weights
        (X, y, WEIGHTS[::-1]),
        (X + 1.0, y, WEIGHTS),
        (X.iloc[1:], y[1:], WEIGHTS[1:]),
        (X, None, WEIGHTS),
        (X,),
        (0.9, None),
        (None, y),
        (None, None, WEIGHTS),
    ):
        with pytest.raises((ValueError, TypeError)):
            method(model, *rows, case=case, **kind)


def test_what_needs_rows_says_so():
    model, y, _ = fitted("linear")
    with pytest.raises(ValueError, match="kind='HC3' reads the training rows again; pass X and y"):
        model.summary(X)
    with pytest.raises(ValueError, match="groups was given, but kind='HC3'; pass kind='cluster'"):
        model.summary(X, y, WEIGHTS, groups=np.arange(150) % 9)
    other = ObjectiveRegressor("(y - eta)**2").fit(X, y)
    with pytest.raises(InferenceError, match="pass the training rows"):
        other.summary()
    assert "HC3" in str(other.summary(X, y))
    with pytest.raises(ValueError, match="PCA has none"):
        summarize(PCA().fit(X), X)


def test_the_joint_covariance_of_very_many_targets_is_refused(monkeypatch):
    """A matrix of 15,300 rows and columns would take 1.9 GB; larger ones ended the process."""
    r = np.random.default_rng(1)
    X, Y = r.normal(size=(80, 50)), r.normal(size=(80, 300))
    model = LinearRegression().fit(X, Y)
    message = "300 targets have 15300 parameters.* Fit the targets in groups"
    # Nor does a pass over the rows sum such a matrix first.
    monkeypatch.setattr(ScoreSquares, "of", lambda *arguments: pytest.fail("the rows were read"))
    for ask in (
        model.summary,
        lambda: model.standard_errors_,
        lambda: model.hessian_,
        lambda: model.covariance(X, Y),
    ):
        with pytest.raises(InferenceError, match=message):
            ask()
    assert model.predict(X).shape == Y.shape
    survey = LinearRegression(weights="probability").fit(X, Y, np.ones(80))
    with pytest.raises(InferenceError, match=message):
        survey.summary()
    assert len(LinearRegression().fit(X, Y[:, :3]).summary().to_frame()) == 3 * 51
