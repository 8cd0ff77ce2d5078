"""Products of numbers that no float64 is, as 10⁻⁴⁰⁰: no term is lost; against mpmath."""

import re
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from mcmodels.calculus import EvaluationError, parse
from mcmodels.calculus.core.numbers import product_and_power_of_ten

NAMES = {"exp": mpmath.exp, "sqrt": mpmath.sqrt, "sin": mpmath.sin, "log": mpmath.log}
TEXTS = [
    ("1e-200*x*1e-200", 1e150),
    ("1e-200*(1e-200*exp(x))", 600.0),
    ("x*1e-300*1e-300*1e300*1e300", 3.0),
    ("1e200*x*1e200*exp(-x)", 700.0),
    ("sqrt(x**4*1e-300)", 3.0),
    ("sqrt(1e-300*x**2 + 1e-300*x)", 3.0),
    ("sin(1e-170*x)*1e300", 1e170),
    ("(1e-180*x)*(3e-180*x) + x**2/10**361", 1e170),
    ("(0.001*x)**100*(0.001*x)**101", 1000.0),
]


def by_mpmath(text, x, order):
    """The derivative to 60 digits, with the numbers as they are written."""
    exact = re.sub(r"\d[\d.]*(e[+-]?\d+)?(?![\d.])", r"mpf('\g<0>')", text)
    with mp.workdps(1000):
        f = lambda x: eval(exact, {**NAMES, "mpf": mpf}, {"x": x})  # noqa: E731
        return mpmath.diff(f, mpf(x), order, h=mpf(x) * mpf(10) ** -60)


@pytest.mark.parametrize(("text", "x"), TEXTS)
def test_values_and_derivatives(text, x):
    e = parse(text)
    for order in range(3):
        known = {"x": x} if e.symbols else {}
        expected = by_mpmath(text, x, order)
        # Powers up to 200, each rounded, and 1e-300, which is no float64 to more than 17 digits.
        assert e.evaluate(**known) == pytest.approx(float(expected), rel=1e-13), (text, order)
        off = abs(mpf(str(e.evaluate(**known, digits=20))) - expected)
        assert off <= 1e-14 * abs(expected) + mpf(10) ** -900  # the noise of mpmath's differences
        assert str(parse(str(e))) == str(e)
        e = e.gradient("x")


def test_arrays():
    e = parse("(1e-200*v).T@(1e-200*w)", v="n", w="n")
    v, w = np.array([1e180, 2e180]), np.array([3e170, -1e170])
    assert e.evaluate(v=v, w=w) == pytest.approx(1e-50, rel=1e-14)
    np.testing.assert_allclose(e.gradient("v").evaluate(w=w * 1e100), [3e-130, -1e-130], rtol=1e-14)
    assert str(parse("0*1e-200*v*1e-200", v="n")) == "zeros(n)"


@pytest.mark.parametrize(
    ("numbers", "m", "k"),
    [
        ([1e-200, 1e-200], 1, -400),
        ([9.5e200, -2e200], Fraction(-19, 10), 401),
        ([1e-300, 3e-300, 1e300, 1e300], 3, 0),
        ([Fraction(1, 10**250), Fraction(1, 10**150)], 1, -400),
        ([2e-200, 1e-300, Fraction(1, 2)], 1, -500),
    ],
)
def test_the_power_of_ten(numbers, m, k):
    assert product_and_power_of_ten(numbers) == (m, k)


@pytest.mark.parametrize("target", ["numpy", "jax", "torch"])
@pytest.mark.parametrize("text", ["2**2000", "1e200*x*1e200"])
def test_compiled_code_refuses_numbers_that_are_too_large(target, text):
    if target != "numpy":
        pytest.importorskip(target)
    f = parse(text)
    known = {"x": 1.0} if f.symbols else {}
    with pytest.raises(EvaluationError, match="is not finite here"):
        f.compile(target)(**known)
