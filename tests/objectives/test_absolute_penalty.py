"""The objective with ``l1‖coef‖₁``, and its shortest subgradient, by differences of values."""

import numpy as np
import pytest

from mcmodels.estimators.pointwise import pointwise
from mcmodels.objectives.absolute_penalty import L1Objective, least_subgradient
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.rows import ArrayRows


def objective(seed, *, intercept):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(40, 4)), rng.poisson(2.0, 40).astype(float)
    rows = ArrayRows(X, y, rng.uniform(0.5, 2, 40), None, intercept=intercept)
    loss = UserLoss(pointwise("exp(eta) - y*eta"))
    return L1Objective(rows, loss, 0.3, 7.0), UserObjective(rows, loss, 0.3), rng


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_values_hold_the_penalty_and_derivatives_do_not(seed, intercept):
    ours, smooth, rng = objective(seed, intercept=intercept)
    theta = rng.normal(size=4 + intercept)
    penalty = 7.0 * np.abs(theta[:4]).sum()
    found = ours.derivatives(theta)
    assert np.isclose(ours.value(theta), smooth.value(theta) + penalty, rtol=1e-14)
    assert np.isclose(found.value, ours.value(theta), rtol=1e-14)
    assert np.isclose(ours.slope(theta).value, ours.value(theta), rtol=1e-14)
    np.testing.assert_allclose(found.gradient, smooth.gradient(theta), rtol=1e-12)
    np.testing.assert_allclose(found.hessian, smooth.hessian(theta), rtol=1e-12)
    assert ours.over(ours.rows, 0.1).l1 == 7.0


@pytest.mark.parametrize("seed", range(6))
def test_the_shortest_subgradient_is_the_steepest_slope(seed):
    """The least slope along a unit vector is minus the length of the shortest subgradient."""
    ours, _, rng = objective(seed, intercept=True)
    theta = rng.normal(size=5) * (rng.uniform(size=5) < 0.5)
    v = least_subgradient(theta, ours.gradient(theta), ours.strengths)
    step = 1e-6

    def slope(direction):
        return (ours.value(theta + step * direction) - ours.value(theta)) / step

    length = np.linalg.norm(v)
    # One-sided differences have an error of the step times the curvature, about 1e-6 * 1e3.
    assert slope(-v / length) == pytest.approx(-length, rel=1e-3)
    for _ in range(50):
        other = rng.normal(size=5)
        assert slope(other / np.linalg.norm(other)) >= -length - 1e-2


def test_planted_mistakes_have_a_subgradient():
    """Wrong signs, and coefficients that should not be zero, are seen."""
    g, strengths = np.array([3.0, -2.0, 0.5, 0.0]), np.array([2.0, 2.0, 2.0, 0.0])
    right = least_subgradient(np.array([0.0, 1.0, 0.0, 4.0]), g, strengths)
    np.testing.assert_array_equal(right, [1.0, 0.0, 0.0, 0.0])
    wrong_sign = least_subgradient(np.array([0.0, -1.0, 0.0, 4.0]), g, strengths)
    np.testing.assert_array_equal(wrong_sign, [1.0, -4.0, 0.0, 0.0])
    intercept = least_subgradient(np.zeros(4), np.append(g[:3], 0.1), strengths)
    np.testing.assert_array_equal(intercept, [1.0, 0.0, 0.0, 0.1])
