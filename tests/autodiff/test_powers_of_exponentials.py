"""Exponentials written as powers and products, and squares of quotients that do not overflow."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import mp, mpf
from scipy import special

from mcmodels.autodiff import grad, hessian, jacobian, jvp, value_and_grad
from mcmodels.autodiff.values import traced_value

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # overflow before it is seen

E = mp.exp
# NumPy code, and the same function with many digits.
FORMS = {
    "exp²": (lambda z: np.log(1 + np.exp(z) ** 2), lambda z: mp.log1p(E(2 * z))),
    "square": (lambda z: np.log(1 + np.square(np.exp(z))), lambda z: mp.log1p(E(2 * z))),
    "exp·exp": (lambda z: np.log(np.exp(z) * np.exp(z) + 1), lambda z: mp.log1p(E(2 * z))),
    "own square": (
        lambda z: (lambda e: np.log(e * e + 1))(np.exp(z)),
        lambda z: mp.log1p(E(2 * z)),
    ),
    "other exp": (lambda z: np.log(1 + np.exp(z) * np.exp(3 * z)), lambda z: mp.log1p(E(4 * z))),
    "quotient": (lambda z: np.log(1 + np.exp(z) / np.exp(-z)), lambda z: mp.log1p(E(2 * z))),
    "exp⁻³": (lambda z: np.log(1 + np.exp(z) ** -3.0), lambda z: mp.log1p(E(-3 * z))),
    "inverse": (lambda z: np.log(1 + 1 / np.exp(z)), lambda z: mp.log1p(E(-z))),
    "reciprocal": (lambda z: np.log(1 + np.reciprocal(np.exp(-z))), lambda z: mp.log1p(E(z))),
    "root": (lambda z: np.log(2 + np.sqrt(np.exp(z))), lambda z: mp.log(2 + E(z / 2))),
    "exp2": (lambda z: np.log2(1 + np.exp2(z)), lambda z: mp.log1p(mpf(2) ** z) / mp.log(2)),
    "2ᶻ": (lambda z: np.log(1 + np.power(2.0, z)), lambda z: mp.log1p(mpf(2) ** z)),
    "10ᶻ": (lambda z: np.log10(1 + np.power(10.0, z)), lambda z: mp.log10(1 + mpf(10) ** z)),
    "log1p": (lambda z: np.log1p(np.power(2.0, -z)), lambda z: mp.log1p(mpf(2) ** -z)),
    "log1p of a multiple": (lambda z: np.log1p(3 * np.exp(z)), lambda z: mp.log1p(3 * E(z))),
    "log1p of a sum": (
        lambda z: np.log1p(np.exp(z) + np.exp(-z)),
        lambda z: mp.log1p(E(z) + E(-z)),
    ),
    "σ by 2ᶻ": (lambda z: 1 / (1 + np.power(2.0, -z)), lambda z: 1 / (1 + mpf(2) ** -z)),
    "log2 of σ": (lambda z: np.log2(special.expit(z)), lambda z: -mp.log1p(E(-z)) / mp.log(2)),
    "log10 of a sum": (lambda z: np.log10(1 + np.exp(z)), lambda z: mp.log1p(E(z)) / mp.log(10)),
    "log of a multiple": (lambda z: np.log(3 * np.exp(z) ** 2), lambda z: mp.log(3) + 2 * z),
    "difference": (
        lambda z: np.log(np.exp(z) ** 2 + 2 + np.exp2(-z)),
        lambda z: mp.log(E(2 * z) + 2 + mpf(2) ** -z),
    ),
    "logaddexp2": (lambda z: np.logaddexp2(0, z), lambda z: mp.log1p(mpf(2) ** z) / mp.log(2)),
    "total": (
        lambda z: np.log(np.sum(np.exp2(np.stack([z, 0 * z, 2 * z])), axis=0)),
        lambda z: mp.log(mpf(2) ** z + 1 + mpf(4) ** z),
    ),
}
POINTS = [-1000.0, -360.0, -3.0, 0.3, 40.0, 360.0, 1000.0]
SMALLEST = 1e-300  # below, numbers of float64 lose digits
# An exponent of 1000 has an error of 1000 units of rounding, 2e-13; log1p(u) at u = 3 log 2 z and
# sums of exponentials: some more.
DIGITS = 2e-12


def require_close(found, exact) -> None:
    if abs(exact) < SMALLEST:
        assert abs(found) <= 10 * SMALLEST
    else:
        assert abs(found - exact) <= DIGITS * abs(exact), (found, float(exact))


@pytest.mark.parametrize("name", FORMS)
def test_value_slope_and_curvature(name):
    f, exact = FORMS[name]
    one = np.ones(1)
    with mp.workdps(1300):
        for point in POINTS:
            z = np.array([point])
            d = [mp.diff(exact, mpf(point), k, h=mpf(10) ** -200) for k in (0, 1, 2)]
            value, slope = value_and_grad(lambda z: f(z)[0])(z)
            forward, curvature = jvp(lambda z: jvp(f, (z,), (one,))[1], (z,), (one,))
            require_close(value, d[0])
            require_close(traced_value(f, z)[0], d[0])
            require_close(slope[0], d[1])
            require_close(forward[0], d[1])
            require_close(hessian(lambda z: f(z)[0])(z)[0, 0], d[2])
            require_close(grad(lambda z: grad(lambda z: f(z)[0])(z)[0])(z)[0], d[2])
            require_close(curvature[0], d[2])


# No sums of exponentials: the derivatives of quotients themselves. The denominators are finite, and
# their squares are not.
QUOTIENTS = {
    "a number less": (
        lambda z: np.log(np.exp(z) + np.exp(-z) - 1),
        lambda z: mp.log(E(z) + E(-z) - 1),
        (400.0, 600.0),
    ),
    "a factor": (lambda z: np.log(1 + z * np.exp(z)), lambda z: mp.log1p(z * E(z)), (400.0, 600.0)),
    "log1p": (lambda z: np.log1p(z * np.exp(z)), lambda z: mp.log1p(z * E(z)), (400.0, 600.0)),
    "log2": (
        lambda z: np.log2(1 + z * np.exp(z)),
        lambda z: mp.log1p(z * E(z)) / mp.log(2),
        (400.0, 600.0),
    ),
    "log10": (
        lambda z: np.log10(1 + z * np.exp(z)),
        lambda z: mp.log10(1 + z * E(z)),
        (400.0, 600.0),
    ),
    "small": (
        lambda z: np.log(z * np.exp(-z)),
        lambda z: mp.log(z) - z,
        (300.0, 600.0),
    ),
    "of a quotient": (
        lambda z: np.log(z / (1 + z * np.exp(z))),
        lambda z: mp.log(z / (1 + z * E(z))),
        (200.0, 340.0),
    ),
    "reciprocal": (
        lambda z: np.log(np.reciprocal(1 + z * np.exp(z))),
        lambda z: -mp.log1p(z * E(z)),
        (200.0, 340.0),
    ),
    "a power": (
        lambda z: np.log((1 + z * np.exp(z)) ** -1),
        lambda z: -mp.log1p(z * E(z)),
        (200.0, 340.0),
    ),
    "power -1/2": (
        lambda z: np.log((1 + z * np.exp(z)) ** -0.5),
        lambda z: -mp.log1p(z * E(z)) / 2,
        (200.0, 600.0),
    ),
}


@pytest.mark.parametrize("name", QUOTIENTS)
def test_squares_of_quotients(name):
    f, exact, points = QUOTIENTS[name]
    for point in points:
        with mp.workdps(700):
            d = [float(mp.diff(exact, mpf(point), k, h=mpf(10) ** -100)) for k in (1, 2)]
        # The second derivative is a difference of terms of the size of the squared slope, each with
        # an error of some units of rounding.
        size = 1e-14 * max(1.0, d[0] ** 2)
        for second in (
            hessian(f),
            grad(grad(f)),
            lambda z, f=f: jvp(lambda z: jvp(f, (z,), (1.0,))[1], (z,), (1.0,))[1],
        ):
            assert abs(second(point) - d[1]) <= size
        np.testing.assert_allclose(grad(f)(point), d[0], rtol=1e-13)


def test_the_rule_of_quotients_is_that_of_differences():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 3)), 2.0 + rng.random(3)
    step = 1e-6
    moved = [(a / (b + step * e) - a / (b - step * e)) / (2 * step) for e in np.eye(3)]
    found = jacobian(lambda b: a / b)(b)
    # Central differences: rounding over the step, 1e-10.
    np.testing.assert_allclose(found, np.stack(moved, axis=-1), atol=1e-9)


def test_negative_powers_at_zero_are_infinite_as_before():
    with np.errstate(divide="ignore", invalid="ignore"):
        assert grad(lambda x: x**-2)(np.float64(0.0)) == -np.inf
        assert jvp(lambda x: x**-1.0, (0.0,), (1.0,))[1] == -np.inf


@pytest.mark.parametrize("x", [1e160, 1e200, 1e300])
def test_arccosh_far_out(x):
    assert grad(np.arccosh)(x) == pytest.approx(1 / x, rel=1e-14)  # 1/√(x² - 1)


# What looks alike, and is something else: against the complex step.
ALIKE = {
    "negative base": lambda z: np.log(5 - (-np.exp(z)) ** 3),
    "another power": lambda z: np.log(1 + np.exp(z) ** z),
    "a product with z": lambda z: np.log(1 + z * np.exp(z)),
    "a sum squared": lambda z: np.log(1 + (np.exp(z) + np.exp(-z)) ** 2),
    "difference of powers": lambda z: np.exp(z) ** 2 - np.exp(z) ** 3,
    "less one": lambda z: (np.exp(z) ** 2 - 1) * (1 - np.power(2.0, z)),
    "power 0": lambda z: np.log(1 + np.exp(z) ** 0) + z,
    "cancelled": lambda z: np.log(1 + np.exp(z) * np.exp(-z)) + z,
    "four exponents": lambda z: np.log(
        1 + np.exp(z) * np.exp(z**2) * np.exp(np.sin(z)) * np.exp(np.cos(z)) * np.exp(z**3)
    ),
    "quotient of powers": lambda z: np.power(2.0, z) / np.power(3.0, z) + 1 / np.power(2.0, z),
    "softmax of powers": lambda z: np.exp(z) ** 2 / np.sum(np.exp(z) ** 2),
    "base one": lambda z: np.log(1 + np.power(1.0, z)) * z,
}


@pytest.mark.parametrize("name", ALIKE)
def test_what_is_alike_has_its_own_derivative(name):
    f, z = ALIKE[name], np.array([0.1, 0.4, 0.7])
    value, slope = jvp(f, (z,), (np.ones(3),))
    np.testing.assert_allclose(value, f(z), rtol=1e-13)
    np.testing.assert_allclose(
        slope, np.imag(f(z + 1e-100j * np.ones(3))) / 1e-100, rtol=1e-12, atol=1e-15
    )
    weights = np.array([1.0, 2.0, -1.0])
    by_tape = grad(lambda z: np.sum(f(z) * weights))(z)
    steps = [np.imag(f(z + 1e-100j * e)) @ weights / 1e-100 for e in np.eye(3)]
    np.testing.assert_allclose(by_tape, steps, rtol=1e-12, atol=1e-15)
