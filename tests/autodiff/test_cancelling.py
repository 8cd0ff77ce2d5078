"""Programs of which terms cancel as they are written: two derivatives against mpmath."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.special as sp
from mpmath import mp, mpf

from mcmodels.autodiff import grad
from mcmodels.autodiff.tables import call
from tests.jets import reference

SIZES = [1e-300, 1e-16, 1e-8, 1e-4, 0.02, 0.24, 0.26, 0.8, 1.7, 6.0, 17.0, 40.0, 200.0, 1e3, 1e4]
POINTS = [sign * size for size in SIZES for sign in (-1.0, 1.0)]

# An argument of 1e4 has an error of 1e4·2⁻⁵³, which is that of an exponential.
DIGITS = 1e-10

PROGRAMS = {
    "1 - tanh(z)": lambda z: 1 - np.tanh(z),
    "1 - 2*sigmoid(z)": lambda z: 1 - 2 * sp.expit(z),
    "sigmoid(z) - sigmoid(2*z)": lambda z: sp.expit(z) - sp.expit(2 * z),
    "1/(1 + exp(z)) - 1/(1 + exp(2*z))": lambda z: 1 / (1 + np.exp(z)) - 1 / (1 + np.exp(2 * z)),
    "log(1 - tanh(z))": lambda z: np.log(1 - np.tanh(z)),
    "log(1 + tanh(z))": lambda z: np.log(1 + np.tanh(z)),
    "log(expm1(z)**2)": lambda z: np.log(np.expm1(z) ** 2),
    "log((exp(z) - 1)**2)": lambda z: np.log((np.exp(z) - 1) ** 2),
    "log(exp(2*z) + 3*exp(z) + 1)": lambda z: np.log(np.exp(2 * z) + 3 * np.exp(z) + 1),
    "log(2*exp(z) + 3*exp(-z) + 4)": lambda z: np.log(2 * np.exp(z) + 3 * np.exp(-z) + 4),
    "log(0.2*exp(z) + 0.5 + 0.3*exp(2*z))": lambda z: np.log(
        0.2 * np.exp(z) + 0.5 + np.exp(2 * z) * 0.3
    ),
    "log(exp(z) - 1)": lambda z: np.log(np.exp(z) - 1),
    "log(expm1(z))": lambda z: np.log(np.expm1(z)),
    "log(1 - exp(-z))": lambda z: np.log(1 - np.exp(-z)),
    "log1p(-exp(-z))": lambda z: np.log1p(-np.exp(-z)),
    "log(sinh(z))": lambda z: np.log(np.sinh(z)),
    "log(cosh(z)) - z": lambda z: np.log(np.cosh(z)) - z,
    "softplus(z) - z": lambda z: np.log(1 + np.exp(z)) - z,
    "-z + softplus(z)": lambda z: -z + np.log(1 + np.exp(z)),
    "(exp(z) - 1)/z": lambda z: (np.exp(z) - 1) / z,
    "expm1(z)/z": lambda z: np.expm1(z) / z,
    "(1 - exp(-z))/z": lambda z: (1 - np.exp(-z)) / z,
    "z/(exp(z) - 1)": lambda z: z / (np.exp(z) - 1),
    "z/expm1(z)": lambda z: z / np.expm1(z),
    "sin(z)/z": lambda z: np.sin(z) / z,
    "log1p(z)/z": lambda z: np.log1p(z) / z,
    "tanh(z)/z": lambda z: np.tanh(z) / z,
    "arctan(z)/z": lambda z: np.arctan(z) / z,
    "sinh(z)/z": lambda z: np.sinh(z) / z,
    "log(erfc(z))": lambda z: np.log(sp.erfc(z)),
    # The exponent, or the argument, is computed anew where it is written again.
    "exp(z + 1)/(1 + exp(z + 1))": lambda z: np.exp(z + 1) / (1 + np.exp(z + 1)),
    "(exp(2*z) - 1)/(exp(2*z) + 1)": lambda z: (np.exp(2 * z) - 1) / (np.exp(2 * z) + 1),
    "log(1 + exp(-z)) + z": lambda z: np.log(1 + np.exp(-z)) + z,
    "softplus(z/2 - 1) - (z/2 - 1)": lambda z: np.log(1 + np.exp(z / 2 - 1)) - (z / 2 - 1),
    "log(cosh(2*z)) + 2*z": lambda z: np.log(np.cosh(2 * z)) + 2 * z,
    "expm1(2*z)/(2*z)": lambda z: np.expm1(2 * z) / (2 * z),
    "(exp(-z) - 1)/z": lambda z: (np.exp(-z) - 1) / z,
    "sin(2*z)/z": lambda z: np.sin(2 * z) / z,
    "sinh(z/3)/(2*z)": lambda z: np.sinh(z / 3) / (2 * z),
    "z/(1 - exp(-z))": lambda z: z / (1 - np.exp(-z)),
    "z/log1p(z)": lambda z: z / np.log1p(z),
    "z/arctan(z)": lambda z: z / np.arctan(z),
    "(exp(z) - exp(-z))/z": lambda z: (np.exp(z) - np.exp(-z)) / z,
    "z/exp(z)": lambda z: z / np.exp(z),
}


def wrong(text, f):
    """The points at which a derivative has too few digits."""
    found = {1: grad(f), 2: grad(grad(f))}
    for z in POINTS:
        exact = reference(text, z)
        for k in (1, 2) if exact is not None else ():
            want = exact[k]
            if abs(want) > mpf(10) ** 300:
                continue
            with np.errstate(all="ignore"):
                value = float(found[k](np.float64(z)))
            scale = abs(want) + (min(abs(exact[2] * z), 1e6 * abs(want)) if k == 1 else 0)
            if not abs(value - want) <= DIGITS * scale + mpf(10) ** -305:
                yield k, z, value, float(want)


@pytest.mark.parametrize("text", PROGRAMS)
def test_derivatives_keep_their_digits(text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert not list(wrong(text, PROGRAMS[text]))


def test_a_planted_error_is_found():
    assert list(wrong("sin(z)/z", lambda z: np.sin(z**1.0) / z))  # not recognised
    assert list(wrong("1 - tanh(z)", lambda z: 1 - 1.000001 * np.tanh(z)))


@pytest.mark.parametrize("name", ["sin", "sinh", "expm1", "tanh", "arctan", "log1p", "bernoulli"])
def test_quotients_to_the_fourth_order(name):
    """Against mpmath's derivatives of the quotient, at both sides of where the series ends."""
    functions = {"arctan": mp.atan, "bernoulli": mp.expm1}
    f = functions.get(name) or getattr(mp, name)

    def quotient(x):
        return x / f(x) if name == "bernoulli" else f(x) / x

    for x in (0.01, 0.2, 0.249, 0.251, 0.38, 0.4, 0.99, 1.01, 1.49, 1.51, 3.0):
        for n in range(5):
            with mp.workdps(60):
                want = mp.diff(quotient, mpf(x), n)
            got = float(call("quotient_by_argument", name, n, np.float64(x)))
            # Far from 0 each order loses a factor of n/x.
            assert abs(got - want) <= 1e-15 * 6 * (1 + 8 / x) ** n * max(abs(want), 0.1), (x, n)


def test_arrays_on_both_sides_of_0():
    x = np.array([[0.0, 1e-9, -0.5], [2.0, 40.0, -3.0]])
    slopes = grad(lambda x: np.sum((np.exp(x) - 1) / x))(np.where(x == 0, 1e-200, x))
    want = [[float(reference("(exp(z) - 1)/z", z or 1e-200)[1]) for z in row] for row in x]
    np.testing.assert_allclose(slopes, want, rtol=1e-12)
