"""Integrals of functions and of samples: closed forms, and SciPy's values."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.integrate as si

from mcmodels.autodiff import NoRuleError, grad, hessian, jacobian, jvp
from mcmodels.autodiff.integrate import cumulative_trapezoid, quad, simpson, trapezoid

CLOSED = {
    "a power": (lambda s: quad(lambda x: x**s, 0.0, 2.0)[0], lambda s: 2.0 ** (s + 1) / (s + 1)),
    "args": (lambda s: quad(lambda x, s: np.exp(-s * x), 0, 1, args=(s,))[0],
             lambda s: -np.expm1(-s) / s),
    "upper limit": (lambda s: quad(np.cos, 0.0, s)[0], np.sin),
    "lower limit": (lambda s: quad(np.cos, s, 1.0)[0], lambda s: np.sin(1.0) - np.sin(s)),
    "both": (lambda s: quad(lambda x: s * x, s, s**2)[0], lambda s: s * (s**4 - s**2) / 2),
    "exchanged": (lambda s: quad(lambda x: s * x * x, 2.0, 0.5)[0],
                  lambda s: s * (0.5**3 - 8.0) / 3),
    "to infinity": (lambda s: quad(lambda x: np.exp(-s * x), 0.0, np.inf)[0], lambda s: 1 / s),
    "from minus infinity": (lambda s: quad(lambda x: np.exp(s * x), -np.inf, s)[0],
                            lambda s: np.exp(s * s) / s),
    "all numbers": (lambda s: quad(lambda x: np.exp(-s * x * x), -np.inf, np.inf)[0],
                    lambda s: np.sqrt(math.pi / s)),
    "exchanged infinity": (lambda s: quad(lambda x: np.exp(-s * x), np.inf, 0.0)[0],
                           lambda s: -1 / s),
    "a break": (lambda s: quad(lambda x: np.abs(x - 0.3) * s, 0, 1, points=[0.3])[0],
                lambda s: s * 0.29),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms(name):
    """SciPy's default tolerance is 1.5e-8; the integrands are smooth, and found to rounding."""
    f, exact = CLOSED[name]
    s = 1.4
    value, tangent = jvp(f, (s,), (1.0,))
    assert abs(value - exact(s)) < 1e-9
    assert abs(value - f(s)) < 1e-9
    assert abs(tangent - grad(exact)(s)) < 1e-8
    assert abs(grad(f)(s) - grad(exact)(s)) < 1e-8
    assert abs(hessian(f)(s) - hessian(exact)(s)) < 1e-7


def test_limits_that_are_equal():
    """The integral is 0; by the limits its derivatives are the integrand."""
    f = lambda p: quad(lambda x: np.exp(p[0] * x), p[1], p[2])[0]  # noqa: E731
    at = np.array([0.5, 1.0, 1.0])
    np.testing.assert_allclose(grad(f)(at), [0.0, -np.exp(0.5), np.exp(0.5)], rtol=1e-14)
    assert grad(lambda s: quad(lambda x: s * x, 2.0, 2.0)[0])(1.0) == 0.0


def test_an_infinite_limit_that_is_differentiated():
    f = lambda a, b: quad(lambda x: np.exp(-x), a, b)[0]  # noqa: E731
    found = grad(f, (0, 1))(np.array(0.3), np.array(np.inf))
    np.testing.assert_allclose(found, [-np.exp(-0.3), 0.0], rtol=1e-14)


def test_plain_calls_are_those_of_scipy():
    assert quad(np.cos, 0.0, 1.0) == si.quad(np.cos, 0.0, 1.0)

    def loss(x):
        assert quad(np.cos, 0.0, 1.0) == si.quad(np.cos, 0.0, 1.0)
        return x

    assert grad(loss)(2.0) == 1.0


def test_refusals():
    with pytest.raises(NoRuleError, match="singularity"):
        grad(lambda s: quad(lambda x: s * np.abs(np.log(x)) / np.sqrt(x), 0.0, 1.0)[0])(1.0)
    with pytest.raises(NoRuleError, match="weight="):
        grad(lambda s: quad(lambda x: s * x, 0.0, 1.0, weight="cos", wvar=2.0)[0])(1.0)
    with pytest.raises(NoRuleError, match="simpson"):
        grad(lambda x: simpson(np.ones(3), x=x))(np.array([0.0, 1.0, 3.0]))


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("n", [4, 5])
def test_samples(n, axis):
    """Linear in the samples: the Jacobian times the samples is the value, which is SciPy's."""
    y = np.random.default_rng(2).standard_normal((n, n))
    x = np.cumsum(np.arange(1.0, n + 1))
    for ours, theirs in (
        (lambda y: simpson(y, x=x, axis=axis), lambda y: si.simpson(y, x=x, axis=axis)),
        (lambda y: simpson(y, dx=0.3, axis=axis), lambda y: si.simpson(y, dx=0.3, axis=axis)),
        (lambda y: trapezoid(y, x, axis=axis), lambda y: si.trapezoid(y, x, axis=axis)),
        (
            lambda y: cumulative_trapezoid(y, x, axis=axis, initial=0),
            lambda y: si.cumulative_trapezoid(y, x, axis=axis, initial=0),
        ),
        (
            lambda y: cumulative_trapezoid(y, dx=0.2, axis=axis),
            lambda y: si.cumulative_trapezoid(y, dx=0.2, axis=axis),
        ),
    ):
        expected = theirs(y)
        np.testing.assert_allclose(ours(y), expected, rtol=1e-13)
        J = jacobian(ours)(y)
        np.testing.assert_allclose(np.tensordot(J, y, 2), expected, rtol=1e-12, atol=1e-13)


def test_places_of_samples():
    y = np.array([1.0, 3.0, 2.0, 5.0])
    x = np.array([0.0, 0.5, 0.7, 2.0])
    found = jacobian(lambda x: cumulative_trapezoid(y, x))(x)
    np.testing.assert_allclose(found[-1], grad(lambda x: trapezoid(y, x))(x), rtol=1e-14)
    np.testing.assert_allclose(found @ x, si.cumulative_trapezoid(y, x), rtol=1e-14)
