"""Gamma functions far below zero: right by mpmath, and no count of steps from the argument up."""

import mpmath
import numpy as np
import pytest
import scipy.special
from mpmath import mp

import mcmodels.calculus as mc
from mcmodels.calculus.compute.digits.functions import functions
from mcmodels.calculus.compute.function_values import FUNCTION_OPERATIONS

x = mc.vector("x", "n")
POINTS = [-0.5, -10.3, -1e3 - 0.3, -1e7 - 0.3, -1e15 - 0.25, -7e10 - 0.7, -1e-20, -3 - 1e-9, 2.5]
NAMES = {
    "gammaln": (mc.gammaln(x), lambda z: mp.log(abs(mp.gamma(z)))),
    "digamma": (mc.digamma(x), mp.digamma),
    **{f"polygamma {k}": (mc.polygamma(k, x), lambda z, k=k: exact(k, z)) for k in (1, 2, 3, 4, 7)},
}


def exact(k, z):
    """DLMF (5.15.6), with a derivative of the cotangent by mpmath."""
    if z > 0:
        return mp.psi(k, z)
    slope = mp.diff(lambda t: mp.cot(mp.pi * t), z - mp.nint(z), k, h=mp.mpf(10) ** -45)
    return (-1) ** k * mp.psi(k, 1 - z) - mp.pi * slope


def expected(peer, digits=700):
    """The step of the differences must be small beside 1e-20, the distance to a pole."""
    with mp.workdps(digits):
        return np.array([float(peer(mp.mpf(point))) for point in POINTS])


@pytest.mark.parametrize("name", NAMES)
def test_against_mpmath(name):
    f, peer = NAMES[name]
    right = expected(peer)
    # The functions of SciPy that are combined are right to some 1e-15 each.
    for found in (f.evaluate(x=POINTS), f.compile()(x=np.array(POINTS))):
        np.testing.assert_allclose(found, right, rtol=3e-14)
    digits = [float(value) for value in np.ravel(f.evaluate(x=POINTS, digits=30))]
    np.testing.assert_allclose(digits, right, rtol=1e-15)


@pytest.mark.parametrize("k", [1, 2, 6])
def test_digits_are_all_right(k):
    found = mc.polygamma(k, x).evaluate(x=POINTS, digits=40)
    for value, point in zip(np.ravel(found), POINTS, strict=True):
        with mp.workdps(700):
            assert abs(mp.mpf(value) / exact(k, mp.mpf(point)) - 1) < mp.mpf(10) ** -39


@pytest.mark.parametrize("k", [1, 2, 3])
def test_beside_a_half_it_is_as_right_as_its_argument(k):
    """The slopes of the cotangent vanish at halves, where the two parts of the formula cancel."""
    points = [-10.5 + 1e-10, -10.5, -0.5 - 1e-8, -1e7 - 0.5]
    found = mc.polygamma(k, x).evaluate(x=points)
    with mp.workdps(700):
        right = [float(exact(k, mp.mpf(point))) for point in points]
        moved = [float(abs(exact(k + 1, mp.mpf(point)))) for point in points]
    # What a change of the argument by its rounding changes, and a few roundings of the value.
    allowed = [
        4 * np.spacing(abs(p)) * m + 1e-14 * abs(r)
        for p, m, r in zip(points, moved, right, strict=True)
    ]
    assert (np.abs(found - right) <= allowed).all()


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("point", [0.0, -1.0, -1e15])
def test_poles_are_refused(k, point):
    f, at = mc.polygamma(k, x), np.array([point, 2.5])
    for evaluated in (lambda: f.evaluate(x=at), lambda: f.compile()(x=at)):
        with pytest.raises(mc.EvaluationError, match=rf"polygamma\({k}, x\).*infinity"):
            evaluated()


def recorded(monkeypatch, module, name, position):
    """Calls of a function, whose arguments must all be above zero; it is not run below."""
    calls, run = [], getattr(module, name)

    def counting(*arguments):
        calls.append(arguments)
        assert np.all(np.asarray(arguments[position], dtype=float) >= 0), arguments
        return run(*arguments)

    monkeypatch.setattr(module, name, counting)
    return calls


@pytest.mark.parametrize("point", [-1e7 - 0.3, -7e10 - 0.3, -1e15 - 0.25])
def test_work_does_not_grow_with_the_argument(point, monkeypatch):
    calls = recorded(monkeypatch, scipy.special, "polygamma", 1)
    mc.polygamma(2, x).evaluate(x=[point, 1.5])
    mc.polygamma(2, x).compile()(x=np.array([point, 1.5]))
    assert len(calls) <= 6  # three each
    calls = recorded(monkeypatch, mpmath.mp, "psi", 1)
    functions.cache_clear()
    try:
        mc.polygamma(2, x).evaluate(x=[point, 1.5], digits=30)
    finally:
        functions.cache_clear()
    assert 1 <= len(calls) <= 8  # evaluated twice at most, three below zero and one above


def test_the_complex_step_of_gammaln_far_below_zero():
    step = 1e-30
    for point in (-10.3, -1e7 - 0.3):
        value = FUNCTION_OPERATIONS["gammaln"](np.array([point + 1j * step]))
        # The argument of the sine is reduced without a rounding.
        assert value[0].real == pytest.approx(scipy.special.gammaln(point), rel=1e-13)
        assert value[0].imag / step == pytest.approx(float(scipy.special.psi(point)), rel=1e-13)


@pytest.mark.parametrize("target", ["torch", "jax"])
@pytest.mark.parametrize("k", [1, 2, 4])
def test_exported_code(k, target):
    module = pytest.importorskip(target)
    before = module.config.jax_enable_x64 if target == "jax" else None
    if target == "jax":
        module.config.update("jax_enable_x64", True)
    try:
        found = mc.polygamma(k, x).compile(target=target)(x=np.array(POINTS))
    finally:
        if target == "jax":
            module.config.update("jax_enable_x64", before)
    right = expected(lambda z: exact(k, z))
    # Of JAX some 1e-15, of PyTorch's zeta likewise.
    np.testing.assert_allclose(np.asarray(found), right, rtol=1e-13)
