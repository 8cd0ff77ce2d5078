"""Terms that cancel far out, in values and derivatives, against differences by mpmath."""

from functools import cache

import mpmath
import numpy as np
import pytest

from mcmodels.calculus import exp, log1p, norm_cdf, norm_pdf, parse, sigmoid, sqrt, vector
from mcmodels.calculus import sum as total

FUNCTIONS = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "sqrt": mpmath.sqrt,
    "cosh": mpmath.cosh,
    "log1p": lambda z: mpmath.log(1 + z),
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "erfc": mpmath.erfc,
    "norm_cdf": lambda z: mpmath.erfc(-z / mpmath.sqrt(2)) / 2,
    "norm_pdf": lambda z: mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mpmath.pi),
}
POINTS = [-1e5, -1000.0, -40.0, -20.0, -17.0, -5.0, -1.3, 0.0, 0.7, 1.5, 5.0, 17.0, 40.0, 1e3, 1e6]
BY_POWERS = [
    "sqrt(1 + x**2) - x",
    "x / sqrt(1 + x**2) - 1",
    "x**2 * (sqrt(3 + x**2) - sqrt(2 + x**2))",
    "sqrt(1 + 4*x**2) + 2*x",
    "x**2 / (1 + x**2) - 1 + 1 / x**2",
    "x / sqrt(2 + x**2)",
]
OF_MILLS = ["exp(-x**2) / erfc(x)", "norm_pdf(x) / norm_cdf(x)", "log(norm_cdf(2*x))"]
BY_EXPONENTIALS = [
    "sigmoid(x) - log1p(exp(x))",
    "log(sigmoid(x) / log1p(exp(x)))",
    "log(log1p(exp(-x)) * exp(x))",
    "log(log1p(exp(x)))",
    "log(log1p(exp(x)) + exp(-x))",
    "sqrt(cosh(x) * log1p(exp(x)))",
]


@cache
def exact(text, x):
    """The value and two derivatives, by central differences of 1e-200, in 1200 digits.

    The square of the step is an error of 1e-400.
    """
    with mpmath.workdps(1200):
        x, h = mpmath.mpf(x), mpmath.mpf(10) ** -200
        here, above, below = (eval(text, FUNCTIONS, {"x": x + k * h}) for k in (0, 1, -1))
        return [here, (above - below) / (2 * h), (above - 2 * here + below) / h**2]


def agree(found, right, rel):
    """Also where it is too small for float64, or for the differences."""
    size = abs(right)
    return (size < 1e-300 and abs(found) < 1e-299) or abs(found - right) <= rel * size


@pytest.mark.parametrize("text", [*BY_POWERS, *OF_MILLS, *BY_EXPONENTIALS])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_all_digits_far_out_and_near(text, order):
    """At the bounds of the series the other form has lost up to 14⁶ roundings: 1e-9."""
    f = parse(text)
    for _ in range(order):
        f = f.gradient("x")
    compiled, checked = f.compile(), 0
    for x in POINTS:
        # Powers of exp(x²) lose x² roundings, and x = 0 divides by it.
        if (abs(x) > 1000 and text in BY_EXPONENTIALS) or (x == 0 and "1 / x**2" in text):
            continue
        right = exact(text, x)[order]
        if abs(right) > 1e300:
            continue
        checked += 1
        for call in (f.evaluate, compiled):
            assert agree(call(x=x), right, 1e-9), (x, call)
    assert checked >= 10


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda x: sqrt(1 + x**2) - x, "sqrt(1 + x**2) - x"),
        (lambda x: norm_pdf(x) / norm_cdf(x), "norm_pdf(x) / norm_cdf(x)"),
        (lambda x: sigmoid(x) - log1p(exp(x)), "sigmoid(x) - log1p(exp(x))"),
        (lambda x: x * (1 - norm_cdf(x)), "x * (1 - norm_cdf(x))"),
        (lambda x: x * (1 - sigmoid(x / 2)), "x * (1 - sigmoid(x / 2))"),
    ],
)
def test_vectors(build, text):
    """Entry by entry as for scalars."""
    x = vector("x", "n")
    f = total(build(x))
    at = np.array([-30.0, -2.0, 0.3, 18.0, 30.0])
    slopes, curvatures = f.gradient(x), f.hessian(x)
    for call in (slopes.evaluate, slopes.compile()):
        for found, where in zip(call(x=at), at, strict=True):
            assert agree(found, exact(text, where)[1], 1e-9), where
    for call in (curvatures.evaluate, curvatures.compile()):
        for found, where in zip(np.diag(call(x=at)), at, strict=True):
            assert agree(found, exact(text, where)[2], 1e-9), where
