"""Sums and quotients of exponentials in NumPy code: no overflow, and tails keep their digits."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import mp, mpf
from scipy import special

from mcmodels import autodiff
from mcmodels.autodiff import grad, hessian, jvp, value_and_grad
from mcmodels.autodiff.values import traced_value

POINTS = [-1000.0, -700.0, -40.0, -20.0, -3.0, -0.1, 0.3, 5.0, 20.0, 40.0, 300.0, 700.0, 1000.0]


def logistic(z):
    return 1 / (1 + mp.exp(-z))


def softplus(z):
    return mp.log1p(mp.exp(z))


def _squared(x):
    return x * x


# NumPy code, and the same function with fifty digits and more.
CODE = {
    "logaddexp": (lambda z: np.logaddexp(0, z), softplus),
    "log(1 + exp(z))": (lambda z: np.log(1 + np.exp(z)), softplus),
    "log(exp(-z) + 1)": (lambda z: np.log(np.exp(-z) + 1.0), lambda z: softplus(-z)),
    "log1p(exp(z))": (lambda z: np.log1p(np.exp(z)), softplus),
    "1/(1 + exp(-z))": (lambda z: 1 / (1 + np.exp(-z)), logistic),
    "reciprocal": (lambda z: np.reciprocal(1 + np.exp(-z)), logistic),
    "exp(z)/(1 + exp(z))": (lambda z: np.exp(z) / (1 + np.exp(z)), logistic),
    "-log p": (lambda z: -np.log(1 / (1 + np.exp(-z))), lambda z: softplus(-z)),
    "-log(1 - p)": (lambda z: -np.log(1 - 1 / (1 + np.exp(-z))), softplus),
    "-log(1 - expit)": (lambda z: -np.log(1 - special.expit(z)), softplus),
    "-log1p(-expit)": (lambda z: -np.log1p(-special.expit(z)), softplus),
    "expit": (special.expit, logistic),
    "power": (lambda z: (1 + np.exp(-z)) ** -2, lambda z: logistic(z) ** 2),
    "tanh": (np.tanh, mp.tanh),
    "tanh by exp": (
        lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
        mp.tanh,
    ),
    "log of two": (
        lambda z: np.log(np.exp(z) + np.exp(-z)),
        lambda z: mp.log(mp.exp(z) + mp.exp(-z)),
    ),
}
# Their values at 40 need fewer digits of mpmath, which is slow.
NEAR = {
    "log cosh": (lambda z: np.log(np.cosh(z)), lambda z: mp.log(mp.cosh(z))),
    "1/cosh": (lambda z: 1 / np.cosh(z), mp.sech),
    "1/cosh²": (lambda z: 1 / np.cosh(z) ** 2, lambda z: mp.sech(z) ** 2),
    "cosh⁻²": (lambda z: 3 * np.cosh(z) ** -2.0, lambda z: 3 * mp.sech(z) ** 2),
    "1/cosh² by square": (
        lambda z: np.reciprocal(np.square(np.cosh(z))),
        lambda z: mp.sech(z) ** 2,
    ),
    "sinh/cosh": (lambda z: np.sinh(z) / np.cosh(z), mp.tanh),
    "1 - tanh²": (lambda z: 1 - np.tanh(z) ** 2, lambda z: mp.sech(z) ** 2),
    "log(1 - tanh²)": (
        lambda z: np.log(1 - _squared(np.tanh(z))),
        lambda z: 2 * mp.log(mp.sech(z)),
    ),
    "1 + tanh": (lambda z: 1.0 + np.tanh(z), lambda z: 2 * logistic(2 * z)),
    "tanh - 1": (lambda z: np.tanh(z) - 1, lambda z: -2 * logistic(-2 * z)),
    "log Φ": (lambda z: np.log(special.ndtr(z)), lambda z: mp.log(mp.ncdf(z))),
    "log(1 - Φ)": (lambda z: np.log(1 - special.ndtr(z)), lambda z: mp.log(mp.ncdf(-z))),
    "log1p(-Φ)": (lambda z: np.log1p(-special.ndtr(z)), lambda z: mp.log(mp.ncdf(-z))),
    "logsumexp of two": (
        lambda z: autodiff.special.logsumexp(np.stack([z, 0 * z]), axis=0),
        softplus,
    ),
    "logsumexp of a vector": (
        lambda z: autodiff.special.logsumexp(np.concatenate([z, 2 * z, [1.0]]))[np.newaxis],
        lambda z: mp.log(mp.exp(z) + mp.exp(2 * z) + mp.e),
    ),
}
DIGITS = 1e-13  # a few roundings of functions that are right to the last digits
SMALLEST = 1e-300  # below, numbers of float64 lose digits


def require_close(found, exact) -> None:
    if abs(exact) < SMALLEST:
        assert abs(found) <= 10 * SMALLEST
    else:
        assert abs(found - exact) <= DIGITS * abs(exact), (found, float(exact))


@pytest.mark.parametrize("name", [*CODE, *NEAR])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # np.exp overflows before it is recognised
def test_value_slope_and_curvature_in_the_tails(name):
    f, exact = {**CODE, **NEAR}[name]
    one = np.ones(1)
    far = name in CODE
    with mp.workdps(1200 if far else 200):
        for point in POINTS if far else [x for x in POINTS if abs(x) <= 40.0]:
            z = np.array([point])
            h = mpf(10) ** (-200 if far else -60)
            derivatives = [mp.diff(exact, mpf(point), k, h=h) for k in (0, 1, 2)]
            value, slope = value_and_grad(lambda z: f(z)[0])(z)
            forward, curvature = jvp(lambda z: jvp(f, (z,), (one,))[1], (z,), (one,))
            require_close(value, derivatives[0])
            require_close(traced_value(f, z)[0], derivatives[0])
            require_close(slope[0], derivatives[1])
            require_close(forward[0], derivatives[1])
            require_close(hessian(lambda z: f(z)[0])(z)[0, 0], derivatives[2])
            require_close(curvature[0], derivatives[2])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("keepdims", [False, True])
def test_sums_along_axes(axis, keepdims):
    rng = np.random.default_rng(2)
    x, v = 300 * rng.normal(size=(3, 4)), rng.normal(size=(3, 4))

    def by_hand(x):
        return np.sum(np.sin(np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))))

    expected = np.sum(np.sin(special.logsumexp(x, axis=axis, keepdims=keepdims)))
    assert value_and_grad(by_hand)(x)[0] == pytest.approx(expected, rel=1e-13)
    weights = special.softmax(x, axis=axis) * np.cos(special.logsumexp(x, axis=axis, keepdims=True))
    np.testing.assert_allclose(grad(by_hand)(x), weights, rtol=1e-12, atol=1e-300)
    if keepdims or axis is None:

        def quotient(x):
            e = np.exp(x)
            return np.sum(v * (e / np.sum(e, axis=axis, keepdims=keepdims)))

        p = special.softmax(x, axis=axis)
        slope = p * (v - np.sum(v * p, axis=axis, keepdims=True))
        np.testing.assert_allclose(grad(quotient)(x), slope, rtol=1e-12, atol=1e-15)


# What looks alike, and is something else: against the complex step.
ALIKE = {
    "another exponent": lambda z: np.exp(2 * z) / (1 + np.exp(z)),
    "negative": lambda z: np.log(3 - np.exp(z)),
    "scaled": lambda z: np.log(1 + 2 * np.exp(z)),
    "three": lambda z: np.log(1 + np.exp(z) + np.exp(-2 * z)),
    "two numbers": lambda z: 1 / (2 + np.exp(z)),
    "turned": lambda z: (np.exp(z) + np.exp(-z)) / (np.exp(z) - np.exp(-z)),
    "minus": lambda z: (np.exp(-z) - np.exp(z)) / (np.exp(z) + np.exp(-z)),
    "other sum": lambda z: np.exp(z) / np.sum(np.exp(-z)),
    "sum of sums": lambda z: z * np.log(np.sum(1 + np.exp(z))),
    "twice": lambda z: np.exp(np.exp(z)) / (1 + np.exp(np.exp(z))),
    "log of a power": lambda z: np.log((1 + np.exp(z)) ** 2),
    "exponent two": lambda z: (1 + np.exp(z)) ** 2,
    "minus one": lambda z: 1 - np.exp(z),
    "array of ones": lambda z: np.log(np.ones(3) + np.exp(z)),
    "two less tanh²": lambda z: 2 - np.tanh(z) ** 2,
    "two and tanh": lambda z: 2 + np.tanh(z),
    "tanh³": lambda z: 1 - np.tanh(z) ** 3,
    "tanh of two": lambda z: 1 - np.tanh(z) * np.tanh(2 * z),
    "cosh less one": lambda z: np.log(np.cosh(z) - 1),
    "sinh over another cosh": lambda z: np.sinh(z) / np.cosh(2 * z),
    "sinh over cosh²": lambda z: np.sinh(z) / np.cosh(z) ** 2,
    "cosh over sinh": lambda z: np.cosh(z) / np.sinh(z),
    "roots of cosh": lambda z: np.log(np.sqrt(np.cosh(z))) / np.cosh(z) ** 0.5,
    "a third of cosh": lambda z: np.log(np.cosh(z) / 3) / np.cosh(z) ** 3,
    "erf": lambda z: (2 - special.erf(z)) * (special.erf(z) + 2),
}


@pytest.mark.parametrize("name", ALIKE)
def test_what_is_alike_has_its_own_derivative(name):
    f, z = ALIKE[name], np.array([0.1, -0.4, 0.7])
    value, slope = jvp(f, (z,), (np.ones(3),))
    np.testing.assert_allclose(value, f(z), rtol=1e-13)
    moved = f(z + 1e-100j * np.ones(3))
    np.testing.assert_allclose(slope, np.imag(moved) / 1e-100, rtol=1e-12)
    by_tape = grad(lambda z: np.sum(f(z) * np.array([1.0, 2.0, -1.0])))(z)
    steps = [np.imag(f(z + 1e-100j * e)) @ np.array([1.0, 2.0, -1.0]) / 1e-100 for e in np.eye(3)]
    np.testing.assert_allclose(by_tape, steps, rtol=1e-12)


def test_a_long_loop_keeps_no_chain_of_values():
    """What is remembered is a few values, however often exponentials are taken of each other."""
    depths = []

    def f(x):
        for _ in range(50):
            x = np.exp(-x)
            depths.append(0 if x.origin is None else x.origin[2])
        return x

    jvp(f, (np.array(0.5),), (np.array(1.0),))
    assert max(depths) <= 4


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", NEAR)
def test_far_away_all_is_finite(name):
    f, exact = NEAR[name]
    for point in (-900.0, 900.0):
        z = np.array([point])
        value, slope = value_and_grad(lambda z: f(z)[0])(z)
        limit = float(exact(mpf(point)))
        assert value == pytest.approx(limit, rel=1e-13, abs=1e-300)
        assert np.isfinite(slope).all()
        assert np.isfinite(hessian(lambda z: f(z)[0])(z)).all()


@pytest.mark.filterwarnings("error")
def test_squares_of_norms_have_derivatives_at_zero():
    """``‖x‖²`` and ``|x|²`` are sums of squares: exact, so no tolerance."""
    x = np.array([0.0, 0.0, 0.0])
    for f in (
        lambda x: np.linalg.norm(x) ** 2,
        lambda x: np.square(np.linalg.norm(x)),
        lambda x: np.sum(np.abs(x) ** 2),
        lambda x: np.sum(_squared(np.abs(x))),
        lambda x: np.sum(np.linalg.norm(x.reshape(3, 1), axis=1, keepdims=True) ** 2),
        lambda x: np.sum(np.abs(x * 1j) ** 2),
    ):
        np.testing.assert_array_equal(grad(f)(x), np.zeros(3))
        np.testing.assert_array_equal(hessian(f)(x), 2 * np.eye(3))
        np.testing.assert_array_equal(grad(f)(x + 2), 4 * np.ones(3))


@pytest.mark.parametrize("r", [1e-3, 2.0, 1e4, -1e8, 1e90])
def test_the_curvature_of_pseudo_huber_keeps_its_digits(r):
    """``(1 + (r/δ)²)^(-3/2)`` by mpmath; a few roundings of a power."""
    found = hessian(lambda r: special.pseudo_huber(0.5, r))(r)
    with mp.workdps(400):
        exact = (1 + (mpf(r) / mpf(0.5)) ** 2) ** mpf(-1.5)
        assert abs(found - exact) <= 1e-14 * exact


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
def test_softmax_keeps_the_digits_of_its_tails(axis):
    """``pᵢ(1 - pᵢ)`` of the largest is the sum of products with the others, which is exact."""
    x = np.array([[60.0, 0.0, -3.0], [0.0, 55.0, 1.0]])
    p = special.softmax(x, axis=axis)
    v = np.random.default_rng(0).normal(size=x.shape)
    slope = jvp(lambda x: autodiff.special.softmax(x, axis=axis), (x,), (v,))[1]
    by_pairs = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        for j in np.ndindex(x.shape):
            alone = () if axis is None else np.atleast_1d(axis)
            if axis is None or all(i[k] == j[k] for k in range(2) if k not in alone):
                by_pairs[i] += p[i] * p[j] * (v[i] - v[j])
    np.testing.assert_allclose(slope, by_pairs, rtol=1e-12)  # a few roundings of sums of six


@pytest.mark.parametrize("total", [1e-300, 1e-9, 1e-7, 0.5, 1 - 1e-9, 1 + 1e-3, 1.02, 7.0, 1e299])
@pytest.mark.parametrize("gap", [0.3, 30.0, 600.0])
def test_logarithms_of_sums_of_any_size(total, gap):
    u = np.log(total) + np.array([0.0, -gap, -gap / 2])

    def f(u):
        return np.log(np.sum(np.exp(u)))

    with mp.workdps(400):
        at = [mp.mpf(value) for value in u]
        terms = [mp.exp(value) for value in at]
        shares = [term / mp.fsum(terms) for term in terms]
        value, gradient = float(mp.log(mp.fsum(terms))), [float(p) for p in shares]
        second = [[float(p * ((i == j) - q)) for j, q in enumerate(shares)]
                  for i, p in enumerate(shares)]  # fmt: skip
    found, slope = value_and_grad(f)(u)
    # A few roundings of u − max u, which exp multiplies: up to 600 ε.
    assert found == pytest.approx(value, rel=1e-12, abs=1e-15)
    np.testing.assert_allclose(slope, gradient, rtol=1e-12)
    np.testing.assert_allclose(hessian(f)(u), second, rtol=1e-12)
