"""Forms of which terms cancel: values and two derivatives against mpmath, far out and near 0."""

from __future__ import annotations

import warnings
from fractions import Fraction

import numpy as np
import pytest
from mpmath import mp, mpf

from mcmodels.calculus import parse
from mcmodels.calculus.compute.rowwise import rowwise
from mcmodels.calculus.compute.stable import near_zero
from mcmodels.calculus.compute.stable.fraction_forms import canonical, value_form
from mcmodels.calculus.compute.stable.power_series import FUNCTIONS, Series
from tests.jets import reference

SIZES = [1e-300, 1e-100, 1e-16, 1e-8, 1e-4, 0.02, 0.3, 0.8, 1.7, 6.0, 17.0, 40.0, 200.0, 1e3, 1e4]
POINTS = [sign * size for size in SIZES for sign in (-1.0, 1.0)]

# An argument of 1e4 has an error of 1e4·2⁻⁵³, which is that of an exponential; powers of z near 0
# cost some digits at the edge of a series.
DIGITS = 1e-10

EXPONENTIALS = [
    "exp(z) - 1", "exp(2*z) - 2*exp(z) + 1", "exp(z) - exp(-z)", "exp(3*z) - exp(2*z)",
    "1 - tanh(z)**4", "tanh(2*z) - tanh(z)", "sigmoid(z) - sigmoid(2*z)", "1 - 2*sigmoid(z)",
    "2*sigmoid(z) - 1 - tanh(z)", "1/(1 + exp(z)) - 1/(1 + exp(2*z))",
    "3 - tanh(7*z)**2 - 2*tanh(11*z)**2", "exp(z)/(1 + exp(z) + exp(-z))",
    "sinh(z)/cosh(z)**2 - 2*exp(-z)", "cosh(z) - 1", "1/sinh(z)**2",
]  # fmt: skip
LOGARITHMS = [
    "log(1 - tanh(z))", "log(1 + tanh(z))", "log(expm1(z)**2)", "log(exp(2*z) + 3*exp(z) + 1)",
    "log(exp(3*z) + 2*exp(z) + 5*exp(-2*z))", "log(0.2*exp(z) + 0.3*exp(2*z) + 0.5)",
    "log(exp(z) - 1)", "log(1 - exp(-z))", "log(sinh(z))", "log(tanh(z))", "log(2 - exp(-z))",
    "log(1 + exp(z) + exp(4*z)) - 4*z", "log(cosh(z)) - z", "softplus(z) - z",
    "softplus(2*z) - softplus(z)", "log(sigmoid(z)) - log(sigmoid(2*z))",
    "log(sigmoid(2*z) - sigmoid(z))",
]  # fmt: skip
NEAR_ZERO = [
    "(exp(z) - 1)/z", "z/(exp(z) - 1)", "sin(z)/z", "(1 - cos(z))/z**2", "log(1 + z)/z",
    "tanh(z)/z", "arctan(z)/z", "log((1 - exp(-z))/z)", "(z - sin(z))/z**3", "1/tanh(z) - 1/z",
    "(exp(z) - 1 - z)/z**2", "1/z - 1/(exp(z) - 1)", "softplus(z) - log(2) - z/2",
    "(erf(z) - z)/z - 2", "exp(-z)*(1 + z) - 1",
]  # fmt: skip
DIFFERENCES = [
    "sigmoid(z + 1) - sigmoid(z - 1)", "norm_cdf(z + 1) - norm_cdf(z)", "erf(2*z) - erf(z)",
    "1 - erf(z)", "1 - norm_cdf(z)", "sqrt(1 + z) - 1",
    "sqrt(z + 1) - sqrt(z)", "1 - cos(z)", "z*norm_cdf(z) + norm_pdf(z)",
]  # fmt: skip
NORMAL = [
    "exp(-z**2)/erfc(z)", "exp(z**2)*erfc(z)", "log(norm_pdf(z)/norm_cdf(z))",
    "norm_cdf(z)/norm_pdf(z)", "log(erfc(z))",
]  # fmt: skip
# sigmoid(z + 1) - sigmoid(z - 1) has a slope with a root at 0, of numbers that are not exact.
ROOTS = {"sigmoid(z + 1) - sigmoid(z - 1)", "norm_cdf(z + 1) - norm_cdf(z)"}


# Their second derivatives have the digits of their first at -200, less z².
MILLS = {"exp(-z**2)/erfc(z)", "exp(z**2)*erfc(z)", "norm_cdf(z)/norm_pdf(z)"}


def wrong(text, found, orders=3, skip=()):
    """The points at which a value or a derivative has too few digits."""
    for z in POINTS:
        exact = reference(text, z)
        if exact is None:
            continue
        for k in range(orders):
            want = exact[k]
            if abs(want) > mpf(10) ** 300 or (k, z) in skip:
                continue
            # The digits of z, and those of z² in exp(-z²).
            moved = abs(exact[k + 1] * z) if k < 2 else abs(want) * max(1.0, min(z * z, 1e6))
            moved = min(moved, 1e6 * abs(want)) if k < 2 else moved
            value = found(k, z)
            if not abs(value - want) <= DIGITS * (abs(want) + moved) + mpf(10) ** -305:
                yield k, z, value, float(want)


ALL = EXPONENTIALS + LOGARITHMS + NEAR_ZERO + DIFFERENCES + NORMAL


@pytest.mark.parametrize("text", ALL)
def test_values_and_derivatives_keep_their_digits(text):
    """Evaluated, compiled, and by rows, as own losses are computed."""
    f = parse(text)
    each = [f, f.gradient("z"), f.hessian("z")]
    compiled = [e.compile() for e in each]
    rows = rowwise(tuple(each), ("z",))
    orders = 2 if text in MILLS else 3
    near_root = {(1, z) for z in POINTS if abs(z) < 1e-3} if text in ROOTS else ()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        assert not list(wrong(text, lambda k, z: each[k].evaluate(z=z), orders, near_root))
        assert not list(wrong(text, lambda k, z: compiled[k](z=z), orders, near_root))
        found = rows(np.array(POINTS))
        at = {z: i for i, z in enumerate(POINTS)}
        by_rows = [np.broadcast_to(value, (len(POINTS),)) for value in found]
        assert not list(wrong(text, lambda k, z: by_rows[k][at[z]], orders, near_root))


def test_arrays_are_as_numbers():
    f = parse("sum((exp(x) - 1 - x) / x**2 - y * tanh(x) + y)", x="n", y="n")
    x = np.array([1e-9, 1e-3, 0.5, 30.0, -1e-9])
    gradient = f.gradient("x").evaluate(x=x, y=np.full(5, 1e3))
    text = "(exp(z) - 1 - z)/z**2 - 1000*tanh(z) + 1000"
    np.testing.assert_allclose(gradient, [float(reference(text, z)[1]) for z in x], rtol=1e-12)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_series_of_functions(name):
    """Of f(0.2 + z - z²), or f(1 + …) where 0 is no point of it, against derivatives by mpmath."""
    functions = {
        "sigmoid": lambda x: 1 / (1 + mp.exp(-x)), "softplus": lambda x: mp.log(1 + mp.exp(x)),
        "norm_cdf": mp.ncdf, "norm_pdf": mp.npdf, "norm_logcdf": lambda x: mp.log(mp.ncdf(x)),
        "inverse_mills": lambda x: mp.npdf(x) / mp.ncdf(x), "gelu": lambda x: x * mp.ncdf(x),
        "arctan": mp.atan, "arctanh": mp.atanh, "arcsin": mp.asin, "arcsinh": mp.asinh,
    }  # fmt: skip
    f = functions.get(name) or getattr(mp, name)
    start = Fraction(1) if name == "log" else Fraction(0)
    z = Series.variable(Fraction(1), 12)
    inner = z + (z * z).scaled(Fraction(-1)) + Series.constant(start, 12)
    found = FUNCTIONS[name](inner)
    with mp.workdps(60):
        exact = mp.taylor(lambda t: f(mpf(start.numerator) + t - t * t), 0, 8)
        for k, c in enumerate(exact):  # differences of mpmath have half of its digits
            got = mpf(found.at(k).numerator) / found.at(k).denominator
            assert abs(got - c) < mpf(10) ** -20 * max(1, abs(c)), k


def test_a_planted_error_is_found(monkeypatch):
    """A series with one wrong coefficient."""
    good = near_zero.polynomial
    monkeypatch.setattr(
        near_zero, "polynomial",
        lambda order, terms, u: good(order, [*terms[:1], terms[1] * 2, *terms[2:]], u),
    )  # fmt: skip
    text = "(exp(z) - 1 - z)/z**2 * 7"  # seen nowhere else: forms are kept
    f = parse(text)
    with np.errstate(all="ignore"):
        assert list(wrong(text, lambda k, z: f.evaluate(z=z), orders=1))


def test_polynomials_of_exponentials_against_brute_force():
    """Random quotients, at numbers where nothing cancels."""
    from mcmodels.calculus import scalar
    from mcmodels.calculus.compute.stable.exponential_fractions import ExponentialFraction

    rng = np.random.default_rng(3)
    z = scalar("z")
    for _ in range(40):
        exponents = rng.integers(-3, 4, 3)
        above = {Fraction(int(k), 2): Fraction(int(rng.integers(1, 5))) for k in exponents}
        below = ExponentialFraction({Fraction(0): Fraction(2), Fraction(1): Fraction(3)}, {})
        inverse = below.to_the(-int(rng.integers(1, 3)))
        f = ExponentialFraction(above, {}).times(inverse)
        form = value_form(canonical(f), z)
        for point in (-1.3, 0.4, 2.1):
            y = np.exp(point)
            exact = sum(float(c) * y ** float(k) for k, c in f.above.items())
            for factor, n in f.below.items():
                exact /= sum(float(c) * y ** float(k) for k, c in factor) ** n
            given = {"z": point} if form.used else {}
            assert form.evaluate(**given) == pytest.approx(exact, rel=1e-13)


def test_many_digits_do_not_use_the_series_for_float64():
    f = parse("(exp(z) - 1 - z)/z**2")
    with mp.workdps(60):
        z = mpf("0.01")
        exact = (mp.exp(z) - 1 - z) / z**2
        assert abs(f.evaluate(z="0.01", digits=50) - exact) < mpf(10) ** -49
