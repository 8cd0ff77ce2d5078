"""One step with Jeffreys' prior, against differences of fits with other weights."""

from dataclasses import replace

import numpy as np
import pytest

from mcmodels import FirthLogisticRegression, GeneralizedLinearRegressor
from mcmodels.resampling.training_fit import training_fit
from mcmodels.reweighting.jeffreys_steps import steps_with_prior
from mcmodels.rows import ArrayRows

N, SHARE = 60, 1e-6
MODELS = {
    "firth": FirthLogisticRegression(tol=1e-12),
    "poisson": GeneralizedLinearRegressor("poisson", prior="jeffreys", tol=1e-12),
    "probit": GeneralizedLinearRegressor("binomial", link="probit", prior="jeffreys", tol=1e-12),
}


def fitted(name):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N, 2)) + np.array([3.0, 0.0])
    eta = X @ [0.4, -0.6] - 1.2
    y = rng.poisson(np.exp(eta)) if name == "poisson" else (eta + rng.logistic(size=N) > 0) * 1.0
    w = rng.integers(1, 3, N).astype(float)
    return MODELS[name].fit(X, y, w), X, y, w


@pytest.mark.parametrize("name", MODELS)
def test_the_step_is_newtons_for_a_small_share_of_a_row(name):
    # Without a share t of the weight of a row the fit moves by t times a derivative, which is the
    # inverse Hessian times the derivative of the gradient. To first order in t it is exact.
    model, X, y, w = fitted(name)
    training = training_fit(model, X, y, w, with_prior=True)
    row, share = 7, 1e-4
    lighter, heavier = w.copy(), w.copy()
    lighter[row] -= share
    heavier[row] += share
    low, high = (type(model)(**model.get_params()).fit(X, y, v).params_ for v in (lighter, heavier))
    derivative = (low - high) / (2 * share)
    fit = training.fit
    root = fit.basis.root[0]
    change = derivative.copy()
    change[-1] += change[:-1] @ fit.basis.centre
    expected = np.linalg.solve(root, change)
    # The row in two parts, of which the last is so small that terms of second order vanish.
    step = steps_with_prior(_with_share(fit, X, training.y, w, row), training.prior)[-1]
    # Differences of fits that have ended at 1e-12 of their scale.
    assert step / SHARE == pytest.approx(expected, rel=1e-4, abs=1e-6)


def _with_share(fit, X, y, w, row):
    index = np.append(np.arange(N), row)
    weights = w[index]
    weights[row] -= SHARE
    weights[-1] = SHARE
    rows = ArrayRows(X[index], y[index], extras={"frequency": weights})
    return replace(fit, rows=rows)
