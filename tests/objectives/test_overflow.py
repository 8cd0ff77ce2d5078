"""Objectives at parameters whose squares overflow: values against Python integers, never NaN."""

import math

import numpy as np
import pytest

from mcmodels import PCA, LogisticRegression, MLPRegressor, ObjectiveRegressor
from mcmodels.exceptions import ConvergenceWarning

SIZES = [1e-200, 1e75, 1e153, 1e155, 1e160, 1e200, 1e300]


def problem(n_classes):
    rng = np.random.default_rng(n_classes)
    X = rng.integers(-3, 4, (40, 3)).astype(float)
    X[0] = 0.0
    return X, rng.integers(0, n_classes, 40), rng.integers(0, 3, 40).astype(float)


def exact_value(params, X, y, C):
    """The objective where every loss is a difference of predictors, in exact integers.

    At these sizes log Σ exp(η) is the largest η, up to less than one part in 1e70.
    """
    params = [[int(value) for value in row] for row in params]
    total = 0
    for row, label in zip(X.astype(int).tolist(), y.tolist(), strict=True):
        eta = [sum(a * b for a, b in zip([*row, 1], theta, strict=True)) for theta in params]
        total += max(eta) - eta[label]
    squares = sum(value**2 for theta in params for value in theta[:-1])
    penalty = 0 if C == math.inf else squares // (2 * int(C))
    try:
        return float(total + penalty)
    except OverflowError:
        return math.inf


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FitWarning")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("C", [np.inf, 1.0, 2.0**300])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_objectives(n_classes, C, size):
    X, y, w = problem(n_classes)
    model = LogisticRegression(C=C).fit(X, y)
    params = (
        np.sign(model.params_)
        * size
        * np.linspace(0.5, 1, model.params_.size).reshape(model.params_.shape)
    )
    for weights in (None, w):
        given = {"sample_weight": weights, "params": params}
        with np.errstate(over="ignore"):
            found = [
                model.objective(X, y, **given),
                model.gradient(X, y, **given),
                model.hessian(X, y, **given),
                model.hessian_vector_product(X, y, vector=np.ones_like(params), **given),
            ]
        assert not any(np.isnan(part).any() for part in found)
    if size > 1:
        both = params if n_classes > 2 else [np.zeros(4), params]
        expected = exact_value(both, X, y, C)
        # Forty losses are summed: 40 roundings of 1.1e-16, and as many in their predictors.
        with np.errstate(over="ignore"):
            found = model.objective(X, y, params=params)
        assert found == expected or abs(found / expected - 1) < 1e-14


@pytest.mark.parametrize("size", SIZES)
def test_other_objectives_without_a_penalty(size):
    X, _, y = problem(2)
    linear = ObjectiveRegressor("softplus(eta) - y * eta / 4").fit(X, y)
    with np.errstate(over="ignore"):
        assert not np.isnan(linear.objective(X, y, params=linear.params_ * size))
        assert not np.isnan(PCA().fit(X).objective(X, params=np.eye(3) * size))


@pytest.mark.parametrize("size", [1e155, 1e200])
def test_a_network_without_a_penalty(size):
    X, _, y = problem(2)
    network = MLPRegressor((2,), activation="tanh", alpha=0.0, max_iter=2, random_state=0)
    with pytest.warns(ConvergenceWarning):
        network.fit(X, y)
    params = network.params_.copy()
    params[:6] *= size  # the weights of the first layer: tanh is bounded
    assert np.isfinite(network.objective(X, y, params=params))


def test_the_lagrangian_of_pca_at_long_directions():
    """``vᵀSv - λ(vᵀv - 1)`` at v = s·e₁ is ``s²(S₁₁ - λ)`` up to λ; its sign is that of S₁₁ - λ."""
    X = np.diag([3.0, 2.0, 1.0, 0.0])[:, :3]
    model = PCA(1).fit(X)
    for axis, sign in ((1, -1), (2, -1)):
        with np.errstate(over="ignore"):
            value = model.objective(X, params=1e200 * np.eye(3)[[axis]])
        assert value == sign * np.inf


@pytest.mark.parametrize("penalty", [2.0**-600, 1.0, 2.0**600])
@pytest.mark.parametrize("size", [2.0**-700, 2.0**-400, 1.0, 2.0**600])
def test_the_penalty_is_right_wherever_float64_holds_it(penalty, size):
    from fractions import Fraction

    from mcmodels.objectives.linear_predictor import half_squares

    coef = size * np.array([1.0, -2.0, 3.0])
    exact = Fraction(penalty) * Fraction(size) ** 2 * 14 / 2
    largest, least = Fraction(float(np.finfo(float).max)), Fraction(2) ** -1000
    if least < exact <= largest:
        # Square root, product, square and sum: less than ten roundings of 1.1e-16.
        assert abs(half_squares(penalty, coef) / float(exact) - 1) < 1e-15
