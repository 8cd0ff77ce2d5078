"""Derivatives of (eᵘ - 1)/u where SciPy's ₁F₁ would sum as many terms as u is large."""

import numpy as np
import pytest
from mpmath import mp

from mcmodels.autodiff import grad, special

POINTS = [-1e18, -700.0, -31.0, -30.0, -29.9, -1.0, 1e-9, 0.3, 29.9, 30.0, 30.1, 600.0]


def exact(order, u):
    with mp.workdps(500):  # eᵘ and 1 cancel near zero
        v = mp.mpf(u)
        if order == 1:
            return float((mp.exp(v) * (v - 1) + 1) / v**2)
        return float((mp.exp(v) * (v * v - 2 * v + 2) - 2) / v**3)


@pytest.mark.parametrize("u", POINTS)
def test_against_mpmath(u):
    # A few roundings, and those of SciPy's series.
    assert grad(special.exprel)(u) == pytest.approx(exact(1, u), rel=1e-14, abs=0)
    assert grad(grad(special.exprel))(u) == pytest.approx(exact(2, u), rel=1e-14, abs=0)


def test_the_transform_of_box_and_cox():
    """(xᵖ - 1)/p is log(x) h(p log x)."""
    for x, p in ((0.3, 1e18), (0.3, 40.0), (7.0, -1e15), (7.0, 0.2)):
        log = float(np.log(x))
        found = grad(lambda power, x=x: special.boxcox(x, power))(p)
        # A rounding of p log x is one of the exponent.
        assert found == pytest.approx(log**2 * exact(1, p * log), rel=1e-12 + abs(p * log) * 1e-15)
        found = grad(lambda power, x=x: special.boxcox1p(x - 1, power))(p)
        assert found == pytest.approx(log**2 * exact(1, p * log), rel=1e-12 + abs(p * log) * 1e-15)


@pytest.mark.filterwarnings("ignore:overflow")
def test_beyond_float64_it_is_infinite():
    assert grad(special.exprel)(1e18) == np.inf
