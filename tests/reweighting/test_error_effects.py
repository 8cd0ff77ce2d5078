"""Changes of variances when rows are left out: against fits without them, and differences."""

import numpy as np
import pytest
from sklearn.base import clone

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
)
from mcmodels.resampling.fit_functions import fit_function
from mcmodels.resampling.training_fit import training_fit
from mcmodels.reweighting.error_effects import (
    Noise,
    model_variance_effects,
    sandwich_variance_effects,
)

N = 40


def rows(kind):
    rng = np.random.default_rng(3)
    X = rng.normal((3.0, 0.0), 1.0, (N, 2))
    eta = (X - [3.0, 0.0]) @ [0.7, -0.4]
    noise = rng.logistic(size=N)
    y = {
        "number": eta + noise,
        "two": (eta + noise > 0).astype(int),
        "three": (eta + noise > -1).astype(int) + (eta - noise > 1),
        "count": rng.poisson(np.exp(eta / 2)),
    }[kind]
    return X, y


MODELS = {
    "two classes": (LogisticRegression(C=np.inf, tol=1e-13), "two"),
    "two classes, penalty": (LogisticRegression(C=0.7, tol=1e-13), "two"),
    "three classes": (LogisticRegression(C=1.0, tol=1e-13), "three"),
    "poisson": (GeneralizedLinearRegressor(family="poisson", tol=1e-13), "count"),
    "own loss": (
        ObjectiveRegressor("log(cosh(eta - y))", log_likelihood=True, tol=1e-13),
        "number",
    ),
}


def with_a_share(model, X, y, row, share):
    """The fit where a copy of a row has a share of its weight, and its rows."""
    X, y = np.vstack([X, X[[row]]]), np.append(y, y[row])
    weights = np.ones(len(y))
    weights[row], weights[-1] = 1 - share, share
    return clone(model).fit(X, y, weights), X, y, weights


def whitened(model, name, rows):
    fit = training_fit(model, *rows).fit
    return fit, fit_function(model, name).slope(fit)


def variance(model, name, kind=None, rows=()):
    record = model._record()
    estimate = model._estimate(*(rows or (None, None, None)), kind=kind)[1]
    reported = record.reported(estimate)
    return reported.covariance[(reported.names.index(name),) * 2]


def test_of_least_squares_the_variance_without_a_row_is_exact():
    X, y = rows("number")
    model = LinearRegression().fit(X, y)
    fit, a = whitened(model, "x0", (X, y))
    noise = Noise(N - 3, lambda w: w)
    found = model_variance_effects(fit, a, noise)
    whole = model.covariance_[0, 0]
    for row in range(0, N, 7):
        kept = np.arange(N) != row
        fewer = LinearRegression().fit(X[kept], y[kept])
        # A few hundred rounding errors.
        assert found[row] == pytest.approx(fewer.covariance_[0, 0] / whole - 1, abs=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_a_share_of_a_row_changes_the_variance_of_the_model_as_a_difference_quotient(name):
    model, kind = MODELS[name]
    X, y = rows(kind)
    of = "1:x0" if kind == "three" else "x0"
    for row in (3, 17):
        share, h = 1e-6, 1e-3
        fitted, *given = with_a_share(model, X, y, row, share)
        fit, a = whitened(fitted, of, given)
        found = model_variance_effects(fit, a)[-1] / share
        weights = np.ones((2, N))
        weights[:, row] += [h, -h]
        up, down = (variance(clone(model).fit(X, y, w), of) for w in weights)
        expected = -(up - down) / (2 * h) / variance(fitted, of)
        # Central differences are right to h², fits to 1e-12 of h.
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-7)
        # Without a row that is there whole, the formula with its leverage has the same derivative.
        tangent = model_variance_effects(
            training_fit(fitted, *given, extras={"given": given[2]}).fit, a, given="given"
        )
        assert tangent[-1] / share == pytest.approx(expected, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("name", ["linear", *(n for n in MODELS if n != "three classes")])
def test_a_share_of_a_row_changes_a_sandwich_as_a_difference_quotient(name):
    model, kind = MODELS.get(name, (LinearRegression(), "number"))
    X, y = rows(kind)
    for row in (3, 17):
        share, h = 1e-6, 1e-3
        fitted, *given = with_a_share(model, X, y, row, share)
        fit, a = whitened(fitted, "x0", given)
        found = sandwich_variance_effects(fit, a, counts_rows=True)[-1] / share
        weights = np.ones((2, N))
        weights[:, row] += [h, -h]
        up, down = (variance(clone(model).fit(X, y, w), "x0", "HC0", (X, y, w)) for w in weights)
        expected = -(up - down) / (2 * h) / variance(fitted, "x0", "HC0", given)
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("name", ["linear", "two classes", "poisson"])
def test_a_share_of_a_row_changes_a_clustered_variance_as_a_difference_quotient(name):
    model, kind = MODELS.get(name, (LinearRegression(), "number"))
    X, y = rows(kind)
    groups = np.arange(N) // 4

    def clustered(fitted, X, y, w, groups):
        options = {"kind": "cluster", "groups": groups, "use_correction": False}
        return fitted.covariance(X, y, w, **options)[0, 0]

    for row in (3, 17):
        share, h = 1e-6, 1e-3
        fitted, *given = with_a_share(model, X, y, row, share)
        longer = np.append(groups, groups[row])
        fit = training_fit(fitted, *given, extras={"group": longer}).fit
        a = fit_function(fitted, "x0").slope(fit)
        found = sandwich_variance_effects(fit, a, counts_rows=True, clustered=True)
        weights = np.ones((2, N))
        weights[:, row] += [h, -h]
        up, down = (clustered(clone(model).fit(X, y, w), X, y, w, groups) for w in weights)
        expected = -(up - down) / (2 * h) / clustered(fitted, *given, longer)
        assert found[-1] / share == pytest.approx(expected, rel=1e-4, abs=1e-7)
