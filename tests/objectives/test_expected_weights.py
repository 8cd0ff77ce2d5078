"""Expected weights of rows and their derivatives, against high precision."""

import mpmath as mp
import numpy as np
import pytest

from mcmodels.estimators.family_choice import chosen_loss
from mcmodels.objectives.expected_weights import LOGISTIC, ExpectedWeights
from tests.glm_problems import PAIRS
from tests.jeffreys_in_mpmath import DIGITS, POWER, THETA, expected_weight

# Pairs that have no form of their own, too.
ALL = [
    *PAIRS,
    ("binomial", "sqrt"),
    ("gamma", "sqrt"),
    ("poisson", "logit"),
    ("negative_binomial", "inverse"),
    ("normal", "probit"),
    ("gamma", "cloglog"),
]
ETAS = {
    "identity": [0.05, 0.3, 0.9],
    "sqrt": [0.05, 0.3, 0.9],
    "inverse": [1.2, 3.0, 40.0],
    "inverse_squared": [0.2, 3.0, 40.0],
    "log": [-20.0, -3.0, -0.1],
    "logit": [-30.0, -2.0, 0.0, 1.5, 30.0],
    "probit": [-30.0, -5.0, -0.3, 0.0, 4.0, 30.0],
    "cloglog": [-30.0, -6.0, -0.5, 0.3, 2.0, 5.0],
}


def of(family, link):
    return ExpectedWeights(chosen_loss(family, link, float(POWER), float(THETA)))


@pytest.mark.parametrize(("family", "link"), ALL)
def test_derivatives_in_high_precision(family, link):
    etas = np.array(ETAS[link])
    if family != "binomial" and link in ("probit", "cloglog"):
        etas = etas[(-6 <= etas) & (etas <= 4)]  # the general form has no more digits
    found = np.array(of(family, link)(etas))
    for eta, (u, first, second) in zip(etas, found.T, strict=True):
        with mp.workdps(2 * DIGITS + 500):  # tails of the normal distribution cancel
            h = mp.mpf(10) ** -12
            down, middle, up = (
                expected_weight(family, link, mp.mpf(float(eta)) + k * h) for k in (-1, 0, 1)
            )
            exact = middle, (up - down) / (2 * h), (up - 2 * middle + down) / h**2
        # Log-derivatives of u are at most about η² (probit), and lose so many units of rounding.
        size = float(exact[0]) * max(1.0, eta**4)
        np.testing.assert_allclose(u, float(exact[0]), rtol=2e-13)
        np.testing.assert_allclose(first, float(exact[1]), rtol=1e-12, atol=1e-13 * size)
        np.testing.assert_allclose(second, float(exact[2]), rtol=1e-11, atol=1e-12 * size)


@pytest.mark.parametrize(("family", "link"), ALL)
def test_it_is_the_mean_of_the_curvature(family, link):
    weights = of(family, link)
    etas = np.array([eta for eta in ETAS[link] if abs(eta) < 5])
    mean = weights.loss.link.mean(etas)
    # ℓ″ is linear in y, so that its mean is its value at the mean.
    (curvature,) = weights.loss(mean, etas, (2,))
    np.testing.assert_allclose(weights(etas)[0], curvature, rtol=1e-12)
    np.testing.assert_allclose(weights(etas)[0], weights.loss.expected_curvature(etas), rtol=1e-13)
    others = weights.loss(mean * 0.7, etas, (2,))[0]
    assert weights.is_curvature == np.allclose(others, curvature, rtol=1e-12)
    _, first, second = weights(etas)
    assert weights.is_constant == bool((first == 0).all() and (second == 0).all())


def test_extremes_are_finite():
    for link in ("logit", "probit", "cloglog"):
        with np.errstate(all="raise", under="ignore"):
            found = np.array(of("binomial", link)(np.array([-700.0, -40.0, 38.0, 700.0])))
        assert np.isfinite(found).all()


def test_the_logistic_weights_are_those_of_binomial_targets():
    eta = np.linspace(-3, 3, 7)
    np.testing.assert_array_equal(LOGISTIC(eta), of("binomial", "logit")(eta))
