"""Roots of functions that underflow, against mpmath: no zero where the root is none."""

import mpmath
import numpy as np
import pytest

from mcmodels.calculus import erfc, exp, norm_cdf, parse, sigmoid, softplus, sqrt, vector

FUNCTIONS = {
    "exp": mpmath.exp,
    "sqrt": mpmath.sqrt,
    "erfc": mpmath.erfc,
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)),
    "norm_cdf": lambda z: mpmath.erfc(-z / mpmath.sqrt(2)) / 2,
}
POINTS = [-900.0, -45.0, -36.0, -29.0, -3.0, 0.0, 2.0, 21.0, 29.0, 45.0, 900.0]
TEXTS = [
    "sqrt(sigmoid(x))",
    "sqrt(softplus(x))",
    "sqrt(norm_cdf(x))",
    "sqrt(erfc(x))",
    "sigmoid(x)**0.25 * (1 + x**2)",
    "sqrt(3 * softplus(x) * norm_cdf(2*x) * (1 + x**2))",
    "sigmoid(-x) * sqrt(norm_cdf(-x))",
    "x * exp(x) / exp(x/2)",
]


@pytest.mark.parametrize("text", TEXTS)
def test_values(text):
    """By the logarithm, of up to 700: 1e-12."""
    f = parse(text)
    compiled = f.compile()
    for x in POINTS:
        with mpmath.workdps(500):
            right = eval(text, FUNCTIONS, {"x": mpmath.mpf(x)})
        for call in (f.evaluate, compiled):
            found = call(x=x)
            # Below 1e-300 float64 has fewer digits, and then none.
            assert abs(found - right) <= 1e-12 * abs(right) + 1e-310, (x, call)
    assert f.check("x", x=0.7) < 1e-8


@pytest.mark.parametrize("function", [exp, sigmoid, softplus, norm_cdf, erfc])
def test_vectors(function):
    """As for scalars: exp(z) is then not one exponential from the start."""
    x = vector("x", "n")
    f = sqrt(function(2 * x))
    at = np.array([-500.0, -20.0, 0.5, 19.0])
    with mpmath.workdps(500):
        right = [mpmath.sqrt(FUNCTIONS[function.__name__](2 * mpmath.mpf(z))) for z in at]
    for call in (f.evaluate, f.compile()):
        np.testing.assert_allclose(call(x=at), np.array(right, float), rtol=1e-12, atol=1e-310)


POWERS = [
    "sqrt(sigmoid(-x)**2)",
    "sqrt(norm_pdf(x) * norm_pdf(x))",
    "sqrt(norm_cdf(-x) * norm_cdf(-x))",
    "sqrt(2 * x**2 * norm_pdf(x)**2)",
    "(sigmoid(-x)**4 * exp(-x)**2)**0.25",
    "1 / sqrt(norm_pdf(x)**2 * (1 + x**2))",
    "sqrt((1 - norm_cdf(x))**3)",
]


@pytest.mark.parametrize("text", POWERS)
def test_roots_of_powers(text):
    """√(f²) is f where f is above 0, also where f² is 0 in float64; the series of mpmath: 1e-9."""
    known = FUNCTIONS | {"norm_pdf": mpmath.npdf}
    for order, f in enumerate([parse(text), parse(text).gradient("x"), parse(text).hessian("x")]):
        compiled = f.compile()
        for x in (-3.0, 0.7, 25.0, 30.0, 37.0, 400.0):
            if x > 37 and ("norm" in text or "exp" in text):
                continue  # of which no digit fits in float64
            with mpmath.workdps(900):
                z, h = mpmath.mpf(x), mpmath.mpf(10) ** -150
                below, here, above = (eval(text, known, {"x": z + k * h}) for k in (-1, 0, 1))
                right = [here, (above - below) / (2 * h), (above - 2 * here + below) / h**2][order]
            if abs(right) < 1e-290:
                continue
            for call in (f.evaluate, compiled):
                assert abs(call(x=x) - right) <= 1e-9 * abs(right), (order, x, call)
    assert sum(parse(text).check("x", x=at) for at in (0.4, 0.7)) < 1e-7


def test_roots_of_powers_of_arrays():
    """Entry by entry, with a scalar beside; what may be below 0 stays under its root."""
    x = vector("x", "n")
    assert str(sqrt(4 * sigmoid(x) ** 2)) == "2 * sigmoid(x)"
    assert str(sqrt(x**2 * sigmoid(x) ** 2)) == "sqrt(x ** 2) * sigmoid(x)"
    at = np.array([-500.0, 2.0])
    for call in (
        sqrt(x**2 * sigmoid(x) ** 2).evaluate,
        sqrt(x**2 * sigmoid(x) ** 2).compile(),
    ):
        right = 500 * np.exp(-500.0), 2 / (1 + np.exp(-2.0))
        np.testing.assert_allclose(call(x=at), right, rtol=1e-13)
