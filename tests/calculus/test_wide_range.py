"""What overflows on the way to a finite value, against mpmath; what is lost is refused."""

import warnings

import mpmath
import numpy as np
import pytest

from mcmodels.calculus import (
    norm,
    parse,
    scalar,
    sqrt,
    vector,
)
from mcmodels.calculus import sum as total
from mcmodels.calculus.compute.evaluate import ANALYTIC, VALUES, EvaluationError
from mcmodels.calculus.compute.wide_range import wide_value
from mcmodels.calculus.core.elementwise import FUNCTIONS, elementwise

NAMES = {
    **{name: getattr(mpmath, name) for name in ("exp", "log", "sqrt", "cosh", "sinh", "tanh")},
    "erfc": mpmath.erfc,
    "norm_cdf": lambda z: mpmath.erfc(-z / mpmath.sqrt(2)) / 2,
    "norm_pdf": lambda z: mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mpmath.pi),
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "log1p": lambda z: mpmath.log(1 + z),
}
OVERFLOWING = [
    ("x / sqrt(1 + x**2)", 1e200),
    ("x**2 / (1 + x**2)", -1e200),
    ("1 / x**2 * x**2.5", 1e200),
    ("(1 + x**4) / (3 + x**4)", 1e90),
    ("x**3 / sqrt(x**6 + 2)", 1e120),
    ("log(1 + x**2)", 1e200),
    ("x**(1/3) / (1 + x)", 1e305),
    ("log(log1p(exp(x)))", -1000.0),
    ("x * exp(x) / exp(x/2)", 1000.0),
    ("sqrt(cosh(x) * log1p(exp(x)))", 1000.0),
    ("sqrt(cosh(x) * log1p(exp(x)))", -1000.0),
    ("log(sqrt(1 + x**2) * log1p(exp(-x)))", 1000.0),
    ("log(norm_cdf(x/2) + cosh(2*x))", 1000.0),
    ("sqrt(1 + x**2) * sqrt(cosh(x))", -1000.0),
    ("exp(x) * norm_cdf(2*x) / cosh(x/2)", 1000.0),
    ("exp(x) / (x - exp(x))**2", 400.0),
    ("norm_cdf(x) * exp(x**2 / 3) / sqrt(norm_cdf(x))", -50.0),
    ("exp(x**2) * erfc(x) * (1 + x**2 / cosh(x))", 30.0),
    ("sinh(x) * exp(-x) * tanh(x / 3) / sqrt(cosh(x) / exp(x))", 800.0),
]


def exact(text, x):
    with mpmath.workdps(1000):
        return float(eval(text.replace("1/3", "mpf(1)/3"), NAMES | {"mpf": mpmath.mpf}, {"x": x}))


@pytest.mark.parametrize(("text", "x"), OVERFLOWING)
def test_a_finite_value_is_found(text, x):
    """With x² roundings in exp(x²), and as many in Φ: 1e-11."""
    right = exact(text, mpmath.mpf(x))
    f = parse(text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert f.evaluate(x=x) == pytest.approx(right, rel=1e-11)
        assert f.compile()(x=x) == pytest.approx(right, rel=1e-11)


def test_arrays_and_their_derivatives():
    """z/√(1 + z²) has the derivative (1 + z²)^(−3/2): 1e-600 at 1e200."""
    z = vector("z", "n")
    f = z / sqrt(1 + z**2)
    at = np.array([1e200, -1e200, 1.0])
    for call in (f.evaluate, f.compile()):
        np.testing.assert_allclose(call(z=at), [1, -1, 0.5**0.5], rtol=1e-15)
    gradient = total(f).gradient(z)
    for call in (gradient.evaluate, gradient.compile()):
        np.testing.assert_allclose(call(z=at), [0, 0, 0.5**1.5], rtol=1e-15)
    direction = norm(z).gradient(z)
    for call in (direction.evaluate, direction.compile()):
        np.testing.assert_allclose(call(z=[3e200, 4e200]), [0.6, 0.8], rtol=1e-15)


def test_a_quotient_of_products_of_scalars():
    """A product of floats overflows without a word: 1e300/(1e200·1e200) is 1e-100, not 0."""
    f = parse("z / (x * y) + w")
    given = {"x": 1e200, "y": 1e200, "z": 1e300, "w": 0.0}
    assert f.compile()(**given) == pytest.approx(1e-100, rel=1e-14)
    assert f.evaluate(**given) == pytest.approx(1e-100, rel=1e-14)


def test_a_choice_is_looked_at_where_it_chooses():
    f = parse("where(x > 0, x / sqrt(1 + x**2), exp(x**2))")
    for call in (f.evaluate, f.compile()):
        assert call(x=1e200) == 1.0
        assert call(x=1.0) == pytest.approx(0.5**0.5)


@pytest.mark.parametrize(
    ("text", "x", "part"),
    [
        ("x**2", 1e200, "x ** 2"),
        ("exp(x) / (1 + x**2)", 1000.0, "exp(x)"),
        ("1 / x + exp(-x)", 0.0, "1 / x"),
        ("log(-cosh(x))", 1000.0, "cosh(x)"),
        # Two that are 2, of which 1e-344 is left.
        ("exp(x) / (x + cosh(x)) - exp(x) / (2 * x + cosh(x) + exp(-x))", 800.0, "exp(x)"),
    ],
)
def test_what_has_no_value_is_refused_by_the_name_of_its_part(text, x, part):
    f = parse(text)
    for call in (f.evaluate, f.compile()):
        with pytest.raises(EvaluationError) as caught:
            call(x=x)
        assert part in str(caught.value)


POINTS = {
    "arcsin": [-0.9, 1e-5, 0.3],
    "arccos": [-0.9, 1e-5, 0.3],
    "arctanh": [-0.9, 1e-5, 0.3],
    "arccosh": [1.01, 2.0, 40.0],
    "log": [1e-9, 0.999, 30.0],
    "gammaln": [0.3, 4.2, 30.0],
    "digamma": [0.3, 4.2, 30.0],
    "log1p": [-0.9, 1e-9, 30.0],
}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_are_those_of_float64_where_these_do(name):
    """To 40 roundings: exp(30) by its reduced argument."""
    z = scalar("z")
    f = elementwise(name, z)
    for at in POINTS.get(name, [-30.0, -1.5, -1e-9, 2e-5, 0.7, 30.0]):
        values, right = {z: np.array([[at]])}, f.evaluate(z=at)
        found = wide_value(f, values, {}, VALUES, ANALYTIC)
        if found is None:  # digits are lost: 1 − tanh(30) is none of these functions
            assert abs(right) < 1e-9 or abs(at) == 30
        else:
            assert found[0, 0] == pytest.approx(right, rel=1e-14)


def test_a_cancellation_is_found():
    """The bound of rounding counts: (x + 1)² − x² − 2x at 1e12 has no digit, at 10 all."""
    x = scalar("x")
    f = (x + 1.1) ** 2 - x**2 - parse("2.2*x")
    assert wide_value(f, {x: np.array([[1e12]])}, {}, VALUES, ANALYTIC) is None
    found = wide_value(f, {x: np.array([[10.0]])}, {}, VALUES, ANALYTIC)
    assert found[0, 0] == pytest.approx(1.21, rel=1e-12)
