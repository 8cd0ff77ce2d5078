"""Losses as people write them, on diabetes: no peer finds a lower point from the same start."""

import warnings

import numpy as np
import pytest
from scipy import optimize
from sklearn.datasets import load_diabetes

from mcmodels import ObjectiveRegressor
from mcmodels.exceptions import FitWarning

X, TARGETS = load_diabetes(return_X_y=True)
X = (X / X.std(axis=0))[:, :5]
TARGETS = (TARGETS - TARGETS.mean()) / TARGETS.std()
DESIGN = np.column_stack([X, np.ones(len(X))])
RNG = np.random.default_rng(0)
REAL = 2 * TARGETS + 0.5 * RNG.standard_t(3, len(X))
BINARY = (TARGETS + RNG.logistic(size=len(X)) > 0).astype(float)
COUNTS = RNG.poisson(np.exp(0.5 * TARGETS)).astype(float)
POSITIVE = np.exp(0.5 * TARGETS) * RNG.gamma(2.0, 0.5, len(X))

# Text, auxiliary parameters, targets, and the same with NumPy, analytic for the complex step.
LOSSES = {
    "logistic": (
        "log(1 + exp(eta)) - y*eta",
        {},
        BINARY,
        lambda y, e: np.log(1 + np.exp(e)) - y * e,
    ),
    "cauchit": (
        "-y*log(1/2 + arctan(eta)/pi) - (1 - y)*log(1/2 - arctan(eta)/pi)",
        {},
        BINARY,
        lambda y, e: (
            -y * np.log(0.5 + np.arctan(e) / np.pi) - (1 - y) * np.log(0.5 - np.arctan(e) / np.pi)
        ),
    ),
    "geometric": (
        "(y + 1)*log(1 + exp(eta)) - y*eta",
        {},
        COUNTS,
        lambda y, e: (y + 1) * np.log(1 + np.exp(e)) - y * e,
    ),
    "hyperbolic secant": (
        "log(cosh(pi*(y - eta)/2))",
        {},
        REAL,
        lambda y, e: np.log(np.cosh(np.pi * (y - e) / 2)),
    ),
    "linex": (
        "exp((y - eta)/2) - (y - eta)/2 - 1",
        {},
        REAL,
        lambda y, e: np.exp((y - e) / 2) - (y - e) / 2 - 1,
    ),
    "normal": (
        "log(sigma) + (y - eta)**2/(2*sigma**2)",
        {"sigma": 1.0},
        REAL,
        lambda y, e, s: np.log(s) + (y - e) ** 2 / (2 * s**2),
    ),
    "gumbel": (
        "(y - eta)*exp(-b) + exp(-(y - eta)*exp(-b)) + b",
        {"b": 0.0},
        REAL,
        lambda y, e, b: (y - e) * np.exp(-b) + np.exp(-(y - e) * np.exp(-b)) + b,
    ),
    "logistic errors": (
        "s + (y - eta)*exp(-s) + 2*log(1 + exp(-(y - eta)*exp(-s)))",
        {"s": 0.0},
        REAL,
        lambda y, e, s: s + (y - e) * np.exp(-s) + 2 * np.log(1 + np.exp(-(y - e) * np.exp(-s))),
    ),
    "weibull": (
        "s - (log(y) - eta)*exp(-s) + exp((log(y) - eta)*exp(-s))",
        {"s": 0.0},
        POSITIVE,
        lambda y, e, s: s - (np.log(y) - e) * np.exp(-s) + np.exp((np.log(y) - e) * np.exp(-s)),
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_the_minimum(name):
    text, auxiliary, y, function = LOSSES[name]
    found = ObjectiveRegressor(text, auxiliary=auxiliary or None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # of losses that are not convex
        found.fit(X, y)

    def value(params):
        return function(y, DESIGN @ params[:6], *params[6:]).sum()

    def gradient(params):
        return (
            np.array([value(params + 1e-30j * unit).imag for unit in np.eye(len(params))]) / 1e-30
        )

    assert found.status_ == "converged"
    assert found.objective_ == pytest.approx(value(found.params_), rel=1e-12)
    # In units of the lengths of columns, about 20: a gradient of rounding errors.
    assert np.abs(gradient(found.params_)).max() < 1e-8
    start = np.append(np.zeros(6), list(auxiliary.values()))
    with np.errstate(all="ignore"):
        peer = optimize.minimize(value, start, jac=gradient, method="BFGS")
    assert found.objective_ <= peer.fun + 1e-10 * abs(peer.fun)
