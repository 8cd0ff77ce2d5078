"""Derivatives of the negative binomial likelihood in θ against mpmath, and the search for θ."""

import mpmath as mp
import numpy as np
import pytest

from mcmodels.objectives.links import LINKS
from mcmodels.rows import ArrayRows
from mcmodels.solvers.theta import best_theta, theta_derivatives

Y = np.array([0, 1, 3, 10, 2, 40.0])
W = np.array([1.0, 2.0, 0.5, 1.0, 3.0, 1.0])
OFFSET = np.array([0.1, -0.2, 0.0, 0.3, 0.0, -0.1])
X = np.random.default_rng(0).normal(size=(6, 1))
PARAMS = {"log": np.array([0.4, 0.9]), "identity": np.array([0.1, 3.0]), "sqrt": [0.1, 1.5]}
INVERSE = {"log": mp.exp, "identity": lambda eta: eta, "sqrt": lambda eta: eta**2}


def minus_log_likelihood(theta, b, inverse):
    """By gamma functions, in the precision of mpmath."""
    r, total = 1 / theta, mp.mpf(0)
    columns = (values.tolist() for values in (X[:, 0], OFFSET, Y, W))
    for x, offset, y, w in zip(*columns, strict=True):
        mu = inverse(b[0] * x + b[1] + offset)
        log_p = mp.loggamma(y + r) - mp.loggamma(r) - mp.loggamma(y + 1)
        log_p += y * mp.log(theta * mu / (1 + theta * mu)) - r * mp.log(1 + theta * mu)
        total -= w * log_p
    return total


@pytest.mark.parametrize("link", INVERSE)
@pytest.mark.parametrize("theta", [1e-7, 1e-3, 0.5, 20.0, 1e4])
def test_derivatives(theta, link):
    params = np.asarray(PARAMS[link])
    rows = ArrayRows(X, Y, W, {"offset": OFFSET})
    found = theta_derivatives(rows, theta, LINKS[link], params)
    with mp.workdps(150):
        t, b, small = mp.mpf(theta), [mp.mpf(v) for v in params.tolist()], mp.mpf(10) ** -30

        def f(change=0, j=0, change_of_b=0):
            moved = [v + (change_of_b if k == j else 0) for k, v in enumerate(b)]
            return minus_log_likelihood(t * (1 + change), moved, INVERSE[link])

        e = small
        slope = (f(e) - f(-e)) / (2 * e * t)
        curvature = (f(e) - 2 * f() + f(-e)) / (e * t) ** 2
        cross = [
            (f(e, j, e) - f(-e, j, e) - f(e, j, -e) + f(-e, j, -e)) / (4 * e**2 * t)
            for j in range(2)
        ]
    # Sums of six terms of either sign, each to a few units of rounding.
    assert abs(found.slope / slope - 1) < 1e-12
    assert abs(found.curvature / curvature - 1) < 1e-12
    assert max(abs(a / c - 1) for a, c in zip(found.cross, cross, strict=True)) < 1e-12


@pytest.mark.parametrize("zero", [1e-6, 0.03, 1.0, 400.0])
@pytest.mark.parametrize("start", [1e-3, 1.0, 1e3])
def test_the_search_finds_a_zero_from_afar(zero, start):
    assert abs(best_theta(lambda theta: np.log(theta / zero), start) / zero - 1) < 1e-11


def test_slopes_of_one_sign_have_no_zero():
    assert best_theta(lambda theta: 1.0 + theta, 1.0) == 0.0
    assert best_theta(lambda theta: -1.0 / theta, 1.0) == np.inf
