"""Fits without rows: one step and converged steps, against fits of the rows that are left."""

import numpy as np
import pytest
from sklearn.base import clone

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
)
from mcmodels.resampling.training_fit import training_fit
from mcmodels.reweighting.one_step import left_out
from mcmodels.reweighting.refits import refit_without

N, P = 48, 3


def targets(kind):
    rng = np.random.default_rng(7)
    Z = rng.normal(size=(N, P))
    X, eta = Z + np.array([5.0, -40.0, 0.0]), Z @ [0.8, -0.6, 0.3]
    noise = rng.normal(size=N)
    y = {
        "number": eta + noise,
        "two": (eta + noise > 0).astype(int),
        "three": (eta + noise > -0.7).astype(int) + (eta - noise > 0.7),
        "count": rng.poisson(np.exp(eta / 2)),
    }[kind]
    return X, y, rng.integers(1, 4, N).astype(float)


MODELS = {
    "linear": (LinearRegression(), "number"),
    "no intercept": (LinearRegression(fit_intercept=False), "number"),
    "ridge": (GeneralizedLinearRegressor(alpha=3.0), "number"),
    "two classes": (LogisticRegression(C=1.0), "two"),
    "two classes, no penalty": (LogisticRegression(C=np.inf), "two"),
    "three classes": (LogisticRegression(C=0.5), "three"),
    "three classes, no intercept": (LogisticRegression(C=2.0, fit_intercept=False), "three"),
    "poisson": (GeneralizedLinearRegressor(family="poisson", alpha=0.1), "count"),
    "own loss": (ObjectiveRegressor("log(cosh(eta - y))", alpha=0.5), "number"),
}


def predictors_without(model, X, y, weights, kept, rows):
    """Linear predictors of ``rows`` by a fit of the rows that are kept; up to shifts of classes."""
    some = None if weights is None else weights[kept]
    params = np.atleast_2d(clone(model).fit(X[kept], y[kept], some).params_)
    if params.shape[1] > X.shape[1]:
        X = np.column_stack([X, np.ones(len(X))])
    return without_shift(X[rows] @ params.T)


def without_shift(eta):
    return eta - eta.mean(axis=1, keepdims=True) if eta.shape[1] > 1 else eta


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_a_converged_refit_is_the_fit_of_the_other_rows(name, weighted):
    model, kind = MODELS[name]
    X, y, weights = targets(kind)
    weights = weights if weighted else None
    model = clone(model).set_params(tol=1e-12) if hasattr(model, "tol") else clone(model)
    model.fit(X, y, weights)
    codes = np.arange(N) // 2
    fit = training_fit(model, X, y, weights, extras={"group": codes}).fit
    found = refit_without(fit, np.arange(N // 2))
    assert found.converged.mean() > 0.9
    eta = fit.rows.map(lambda block: block.linear_predictor(fit.params)).reshape(N, -1)
    changes = fit.rows.map(lambda block: fit.basis.changes(block, found.U.T))
    for group in range(0, N // 2, 5):
        if not found.converged[group]:
            continue
        rows = np.nonzero(codes == group)[0]
        expected = predictors_without(model, X, y, weights, codes != group, rows)
        refitted = without_shift(eta[rows] + changes[rows, :, group])
        # Both are minima of the same function, each to about 1e-9 of a standard error.
        assert refitted == pytest.approx(expected, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("name", ["linear", "no intercept", "ridge"])
def test_of_squared_errors_one_step_is_the_fit_without_the_row(name):
    model, kind = MODELS[name]
    X, y, weights = targets(kind)
    model = clone(model).fit(X, y, weights)
    fit = training_fit(model, X, y, weights).fit
    found = fit.rows.map(lambda block: left_out(fit.terms(block)).eta)
    expected = [
        predictors_without(model, X, y, weights, np.arange(N) != i, [i])[0] for i in range(N)
    ]
    # Exact but for rounding: a few hundred units of the largest predictor.
    assert found == pytest.approx(np.array(expected), rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("name", [name for name in MODELS if MODELS[name][1] != "number"])
def test_one_step_leaves_an_error_of_second_order(name):
    # A row in two parts, of which the last has the share t of its weight. The step to the fit
    # without that part is off by t²: a tenth of t, a hundredth of the error.
    model, kind = MODELS[name]
    X, y, _ = targets(kind)
    model = clone(model).set_params(tol=1e-13)
    row = 11
    parts = np.append(np.arange(N), row)
    errors = []
    for share in (0.1, 0.01):
        weights = np.ones(N + 1)
        weights[[row, N]] = 1 - share, share
        model.fit(X[parts], y[parts], weights)
        fit = training_fit(model, X[parts], y[parts], weights).fit
        one = fit.rows.map(lambda block, fit=fit: left_out(fit.terms(block)).eta)[[N]]
        kept = np.ones(N, dtype=bool)
        expected = predictors_without(model, X, y, weights[:N], kept, [row])[0]
        errors.append(np.abs(without_shift(one)[0] - expected).max())
    # Terms of third order are a tenth of the larger error; the fits have ended at 1e-13.
    assert errors[1] < 0.02 * errors[0] + 1e-10
