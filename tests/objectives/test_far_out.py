"""Where losses fall for ever: families by their formulas, others by values far out."""

import numpy as np
import pytest

from mcmodels.estimators.family_choice import chosen_loss
from mcmodels.estimators.pointwise import pointwise
from mcmodels.objectives.far_out import falls_far_out, least_far_out


@pytest.mark.parametrize(
    ("loss", "targets", "falls", "least"),
    [
        ("softplus(eta) - y*eta", [0, 1, 0.3], [0, 1, 0.5], [0, 0, 0]),
        ("exp(eta) - y*eta + 3", [0, 2], [0, 0.5], [3, 0]),
        ("(y - eta)**2", [0, 1], [0.5, 0.5], [0, 0]),
        ("y*eta", [0, 1, -1], [0.5, 0.5, 0.5], [0, 0, 0]),  # without end, or a constant
        ("-log(1 + exp(eta))", [0], [0.5], [0]),  # it falls without end
        ("eta**2/(1 + eta**2)", [0], [0.5], [0]),
        ("tanh(eta)*y", [1, -1], [0.5, 0.5], [0, 0]),  # it rests far out, but is not convex
        ("1/(1 + eta**2)", [1], [0.5], [0]),  # both ways
    ],
)
def test_losses_of_ones_own(loss, targets, falls, least):
    derivatives, y = pointwise(loss), np.array(targets, dtype=float)
    assert falls_far_out(derivatives, y).tolist() == falls
    np.testing.assert_allclose(least_far_out(derivatives, y), least, atol=1e-12)


@pytest.mark.parametrize(
    ("family", "link"),
    [
        ("binomial", "logit"),
        ("binomial", "probit"),
        ("binomial", "cloglog"),
        ("poisson", "log"),
        ("tweedie", "log"),
        ("negative_binomial", "log"),
        ("gamma", "log"),
        ("normal", "identity"),
    ],
)
def test_families_fall_where_their_values_do(family, link):
    """By values and slopes at η of ±30, where no family is at rest to rounding on both sides."""
    loss = chosen_loss(family, link, 1.5, 0.7)
    y = {"gamma": np.array([0.5, 2.0])}.get(family, np.array([0.0, 1.0, 0.4]))
    for target, found in zip(y, loss.falls(y), strict=True):
        ends = np.array([-30.0, 30.0])
        value, slope = loss(np.full(2, target), ends, (0, 1))
        up = slope[1] <= 0 and value[1] < 1e-6
        down = slope[0] >= 0 and value[0] < 1e-6
        assert found == (1.0 if up and not down else 0.0 if down and not up else 0.5)
    assert not loss.infimum(y).any()
