"""ψₙ and ζ below zero: right by mpmath, and no count of steps from the argument up."""

import mpmath
import numpy as np
import pytest
import scipy.special
from mpmath import mp

from mcmodels.autodiff import grad, special

POINTS = [-0.5, -10.3, -1e3 - 0.3, -1e7 - 0.3, -1e15 - 0.25, -1e-20, -3 - 1e-9, 2.5]


def exact(k, z):
    """DLMF (5.15.6), with a derivative of the cotangent by mpmath."""
    with mp.workdps(700):  # the step of the differences must be small beside 1e-20
        z = mp.mpf(z)
        if z > 0:
            return float(mp.psi(k, z))
        slope = mp.diff(lambda t: mp.cot(mp.pi * t), z - mp.nint(z), k, h=mp.mpf(10) ** -45)
        return float((-1) ** k * mp.psi(k, 1 - z) - mp.pi * slope)


# The functions of SciPy that are combined are right to some 1e-15 each.
CLOSE = {"rtol": 3e-14}


@pytest.mark.parametrize("k", [0, 1, 2, 5])
def test_polygamma_and_its_derivative(k):
    x = np.array(POINTS)
    np.testing.assert_allclose(special.polygamma(k, x), [exact(k, p) for p in POINTS], **CLOSE)
    slopes = grad(lambda t: np.sum(special.polygamma(k, t)))(x)
    np.testing.assert_allclose(slopes, [exact(k + 1, p) for p in POINTS], **CLOSE)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_zeta_of_whole_exponents(k):
    """ψₖ(z) = (-1)ᵏ⁺¹ k! ζ(k + 1, z): DLMF (25.11.12)."""
    right = [(-1) ** (k + 1) * exact(k, p) / float(mpmath.factorial(k)) for p in POINTS]
    np.testing.assert_allclose(special.zeta(k + 1, np.array(POINTS)), right, **CLOSE)


@pytest.mark.parametrize("s", [300.0, 40.0, 7.0])
def test_zeta_of_large_exponents_by_its_sum(s):
    q = -10.3
    with mp.workdps(60):
        right = float(sum((mp.mpf(q) + j) ** -int(s) for j in range(400)))
    # A power of s loses s roundings; the rest of the sum is below 1e-17 of it.
    assert special.zeta(s, q) == pytest.approx(right, rel=1e-13)


def test_derivatives_of_gammaln_digamma_and_zeta():
    x = np.array(POINTS)
    of_gammaln = grad(grad(special.gammaln))
    assert [of_gammaln(p) for p in x] == pytest.approx([exact(1, p) for p in POINTS], rel=3e-14)
    slopes = grad(lambda t: np.sum(special.digamma(t)))(x)
    np.testing.assert_allclose(slopes, [exact(1, p) for p in POINTS], **CLOSE)
    slopes = grad(lambda t: np.sum(special.zeta(2, t)))(x)
    np.testing.assert_allclose(slopes, [exact(2, p) for p in POINTS], **CLOSE)


def test_orders_as_an_array_poles_and_what_has_no_value():
    found = special.polygamma(np.array([0, 1, 2]), -7e10 - 0.3)
    np.testing.assert_allclose(found, [exact(k, -7e10 - 0.3) for k in (0, 1, 2)], **CLOSE)
    x = np.array([-1.0, -1e15, 0.0])
    assert np.isposinf(special.polygamma(1, x)).all()
    assert np.isposinf(special.zeta(2, x)).all()
    assert np.isnan(special.zeta(2.5, -7e10 - 0.3))
    assert np.isnan(special.polygamma(2, np.array([np.nan, -np.inf]))).all()


@pytest.mark.parametrize("point", [-1e7 - 0.3, -7e10 - 0.3, -1e15 - 0.25])
def test_work_does_not_grow_with_the_argument(point, monkeypatch):
    calls = []

    def recorded(name):
        run = getattr(scipy.special, name)

        def counting(order, at):
            calls.append(name)
            # Below zero SciPy counts; it is not run there.
            assert np.all(at >= 0), (name, order, at)
            return run(order, at)

        monkeypatch.setattr(scipy.special, name, counting)

    recorded("polygamma")
    recorded("zeta")
    x = np.array([point, 1.5])
    for f in (lambda t: special.polygamma(1, t), special.digamma, lambda t: special.zeta(3, t)):
        grad(lambda t, f=f: np.sum(f(t)))(x)
    assert len(calls) <= 15  # five functions of three calls each
