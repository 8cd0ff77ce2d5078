"""Fits with auxiliary parameters that end where the Hessian is zero along a direction."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_ndtr

from mcmodels import ObjectiveRegressor
from mcmodels.exceptions import (
    FlatObjectiveWarning,
    InferenceError,
    NoMinimumWarning,
    NonConvexLossWarning,
    RankDeficiencyWarning,
)


def skew_normal(y, eta, a, ls):
    """Of slant 0 every fit of a normal distribution is stationary, with a singular Hessian."""
    z = (y - eta) * np.exp(-ls)
    return ls + 0.5 * z**2 - log_ndtr(a * z)


def mixture(y, eta, d, lp, ls):
    """Of two equal components the proportion has no effect."""
    first = -0.5 * (y - eta) ** 2 * np.exp(-2 * ls) - np.logaddexp(0, -lp) - ls
    second = -0.5 * (y - eta - d) ** 2 * np.exp(-2 * ls) - np.logaddexp(0, lp) - ls
    return -np.logaddexp(first, second)


def fitted(loss, auxiliary, X, y, **kwargs):
    model = ObjectiveRegressor(loss, auxiliary=auxiliary, log_likelihood=True, **kwargs)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    return model, {w.category: str(w.message) for w in caught}


def least(loss, starts, X, y):
    """The least value from many starts, by SciPy."""
    design = np.column_stack([X, np.ones(len(y))])
    ols = np.linalg.lstsq(design, y)[0]

    def value(p):
        return np.sum(loss(y, design @ p[: design.shape[1]], *p[design.shape[1] :]))

    with np.errstate(all="ignore"):
        ends = [minimize(value, np.concatenate([ols, a]), method="BFGS").fun for a in starts]
    return min(ends)


@pytest.mark.parametrize("seed", [0, 2, 5, 7])
@pytest.mark.parametrize("slant", [0.5, -3.0])
def test_the_skew_normal_leaves_slant_zero(seed, slant):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(100, 2)), rng.normal(size=100)
    model, said = fitted(skew_normal, {"a": slant, "ls": 0.0}, X, y)
    lowest = least(skew_normal, [(a, 0.3) for a in (-3.0, -1.0, 1.0, 3.0)], X, y)
    # BFGS with numerical gradients ends some 1e-8 above the minimum.
    assert model.objective_ <= lowest + 1e-6
    assert model.status_ == "converged"
    assert FlatObjectiveWarning not in said
    assert np.linalg.eigvalsh(model.hessian_)[0] > 1e-2
    assert model.standard_errors_.max() < 10


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize("lp", [-1.0, 0.3])
def test_mixtures_leave_equal_components(seed, lp):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(80, 2))
    y = X @ [1.0, 0.5] + np.where(rng.random(80) < 0.4, 1.5, -1.5) + 0.4 * rng.normal(size=80)
    model, said = fitted(mixture, {"d": 0.0, "lp": lp, "ls": 0.0}, X, y)
    away, _ = fitted(mixture, {"d": 1.0, "lp": lp, "ls": 0.0}, X, y)
    assert model.objective_ == pytest.approx(away.objective_, rel=1e-10)  # the minimum
    assert set(said) <= {NonConvexLossWarning}


def test_where_no_other_point_is_lower_a_warning_says_that_it_is_flat():
    """Of equal components at which nothing else is lower: y is normal, and its scale is held."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 1))
    noise = rng.normal(size=60)
    noise -= noise.mean()
    y = X[:, 0] + 0.3 * noise / noise.std()

    def held(y, eta, d, lp):
        return mixture(y, eta, d, lp, 0.0)

    model, said = fitted(held, {"d": 0.0, "lp": 0.2}, X, y)
    assert model.status_ != "no minimum"
    assert NoMinimumWarning not in said
    assert FlatObjectiveWarning in said or RankDeficiencyWarning in said
    text = said.get(FlatObjectiveWarning, "") + said.get(RankDeficiencyWarning, "")
    assert "lp" in text
    with pytest.raises(InferenceError):
        _ = model.standard_errors_


UNIDENTIFIED = {
    "a factor": (lambda y, e, b: (y - e * np.exp(b)) ** 2, {"b": 1.0}),
    "a factor as it is": (lambda y, e, b: (y - e * b) ** 2, {"b": 1.0}),
    "a factor in text": ("(y - eta*exp(b))**2", {"b": 1.0}),
    "a product": (lambda y, e, b, c: (y - e - b * c) ** 2, {"b": 1.0, "c": 0.5}),
    "a scale twice": (
        lambda y, e, b, c: 0.5 * (y - e) ** 2 / (b * c) ** 2 + np.log(b * c),
        {"b": 1.0, "c": 1.5},
    ),
}


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("name", UNIDENTIFIED)
def test_valleys_of_equal_values_are_said(name, unit):
    """Along a curve the objective does not change; also where the loss has another unit."""
    loss, auxiliary = UNIDENTIFIED[name]
    rng = np.random.default_rng(1)
    X = rng.normal(size=(50, 2))
    y = X @ [1.0, 2.0] + rng.normal(size=50)

    def scaled(y, eta, **a):
        return unit * loss(y, eta, **a)

    given = f"{unit!r}*{loss}" if isinstance(loss, str) else loss
    if unit != 1.0 and not isinstance(loss, str):
        # The names of the arguments stay those of the loss.
        given = eval(
            f"lambda y, eta, {', '.join(auxiliary)}: scaled(y, eta, "
            f"{', '.join(f'{k}={k}' for k in auxiliary)})",
            {"scaled": scaled},
        )
    model, said = fitted(given, auxiliary, X, y)
    assert "b" in said[FlatObjectiveWarning]
    with pytest.raises(InferenceError, match="Hessian is zero along"):
        _ = model.standard_errors_


@pytest.mark.parametrize("strength", [1e-5, 1e-8, 1e-10])
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_little_curvature_is_not_flat(strength, unit):
    """Two parameters that the data hardly tell apart have a minimum all the same."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(50, 2))
    y = X @ [1.0, 2.0] + rng.normal(size=50)
    text = f"{unit!r}*((y - eta - b)**2 + {strength!r}*(b - 2)**2)"
    model, said = fitted(text, {"b": 1.0}, X, y)
    assert model.status_ == "converged"
    assert FlatObjectiveWarning not in said
    assert model.auxiliary_["b"] == pytest.approx(2.0, abs=1e-4)


def test_a_minimum_of_the_fourth_order_stays_where_it_is():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(50, 2))
    y = X @ [1.0, 2.0] + rng.normal(size=50)
    model, said = fitted("(y - eta)**2 + (b - 1)**4", {"b": 3.0}, X, y)
    assert model.auxiliary_["b"] == pytest.approx(1.0, abs=1e-2)  # the root of the tolerance
    assert NoMinimumWarning not in said


def test_an_inflection_is_left_to_a_minimum_or_not_called_one():
    """b³ has an inflection at 0; b³ + b⁴/4 has its minimum at -3, with the value -27/4."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(50, 2))
    y = X @ [1.0, 2.0] + rng.normal(size=50)
    model, _ = fitted("(y - eta)**2 + b**3 + b**4/4", {"b": 2.0}, X, y)
    assert model.auxiliary_["b"] == pytest.approx(-3.0, abs=1e-6)
    endless, said = fitted("(y - eta)**2 + b**3", {"b": 2.0}, X, y)
    assert endless.status_ == "no minimum" or FlatObjectiveWarning in said
