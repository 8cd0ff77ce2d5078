"""Values that are 0/0, ∞ - ∞ or 0·∞ as they are written: limits, in both modes and orders."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special as sp
from mpmath import mp, mpf

from mcmodels.autodiff import (
    NonDifferentiableWarning,
    grad,
    hessian,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)
from mcmodels.autodiff.rules.power_series import power_series

# Written for NumPy and for mpmath alike: m has the functions.
PROGRAMS = {
    "sin 2x/x": lambda m, x: m.sin(2 * x) / x,
    "sin πx/πx": lambda m, x: m.sin(math.pi * x) / (math.pi * x),
    "expm1 2x/2x": lambda m, x: m.expm1(2 * x) / (2 * x),
    "(exp -x - 1)/x": lambda m, x: (m.exp(-x) - 1) / x,
    "x/sinh x": lambda m, x: x / m.sinh(x),
    "x/tanh x": lambda m, x: x / m.tanh(x),
    "x/sin x": lambda m, x: x / m.sin(x),
    "2 sinh x/x": lambda m, x: (m.exp(x) - m.exp(-x)) / x,
    "(1 - cos x)/x²": lambda m, x: (1 - m.cos(x)) / x**2,
    "x²/(1 - cos x)": lambda m, x: x * x / (1 - m.cos(x)),
    "(exp x - 1 - x)/x²": lambda m, x: (m.exp(x) - 1 - x) / x**2,
    "(x - sin x)/x³": lambda m, x: (x - m.sin(x)) / x**3,
    "tan x/x": lambda m, x: m.tan(x) / x,
    "(√(1 + x) - 1)/x": lambda m, x: (m.sqrt(1 + x) - 1) / x,
    "log(1 + x)/x": lambda m, x: m.log(1 + x) / x,
    "sin x/sinh 2x": lambda m, x: m.sin(x) / m.sinh(2 * x),
    "(sin x/x)²": lambda m, x: (m.sin(x) / x) ** 2,
    "sin² x/x²": lambda m, x: m.sin(x) ** 2 / x**2,
    "Langevin": lambda m, x: 1 / m.tanh(x) - 1 / x,
    "x·(1/x)": lambda m, x: m.sin(x) * (1 / x),
    "of another value": lambda m, x: m.cos(3 * m.exp(x) - 3) + (m.cosh(x) - 1) / (m.exp(x) - 1),
    "a quotient of quotients": lambda m, x: (m.sin(x) / x) / (m.tan(2 * x) / x),
    "in an exponential": lambda m, x: m.exp((m.exp(x) - 1 - x) / x),
}


def coefficients(f):
    """The value and two derivatives at 0, by mpmath's values on a circle, with 40 digits."""
    with mp.workdps(40):
        radius, count = mpf("0.25"), 160
        turns = [mp.expjpi(2 * mpf(k) / count) for k in range(count)]
        values = [f(mp, radius * turn) for turn in turns]
        return [
            float(
                (
                    sum(v / turn**n for v, turn in zip(values, turns, strict=True))
                    * math.factorial(n)
                    / (count * radius**n)
                ).real
            )
            for n in range(3)
        ]


def along(f):
    return lambda x: jvp(f, (x,), (np.ones_like(x),))[1]


# Coefficients come from 64 values of size 1 with a rounding error each, on circles of radius 1 to
# 0.1; the second derivative has 2/radius² of it.
TOLERANCE = 1e-11


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_at_zero(name):
    f = PROGRAMS[name]
    want = coefficients(f)
    zero = np.float64(0.0)

    def g(x):
        return f(np, x)

    got = {
        "value": (value_and_grad(g)(zero)[0], vjp(g, zero)[0]),
        "first": (grad(g)(zero), along(g)(zero), vjp(g, zero)[1](1.0), jacobian(g)(zero)),
        "second": (
            grad(grad(g))(zero), hessian(g)(zero), along(along(g))(zero),
            along(grad(g))(zero), grad(along(g))(zero),
        ),
    }  # fmt: skip
    for (order, found), exact in zip(got.items(), want, strict=True):
        for value in found:
            assert abs(float(value) - exact) <= TOLERANCE * max(1.0, abs(exact)), order


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_single_entries_of_an_array():
    """The other entries are computed as ever; a constant array is taken at the chosen ones."""
    w = np.array([[1.0, 2.0, -1.0], [0.5, 3.0, 1.0]])
    x = np.array([[0.0, 0.7, -1.2], [2.0, 0.0, 0.0]])

    def f(x):
        return np.sum(w * (1 - np.cos(w * x)) / x**2)

    def slope(z, w):
        t = w * z
        return w**4 * (math.sin(t) / t**2 - 2 * (1 - math.cos(t)) / t**3) if z else 0.0

    want = [[slope(z, c) for z, c in zip(*rows, strict=True)] for rows in zip(x, w, strict=True)]
    # Seven roundings, next to 0.7 divided by 0.7³.
    np.testing.assert_allclose(grad(f)(x), want, atol=1e-13)
    curvature = np.diag(hessian(f)(x).reshape(6, 6))
    at_zero = x.ravel() == 0
    np.testing.assert_allclose(
        curvature[at_zero], (-(w.ravel() ** 5) / 12)[at_zero], rtol=1e-11, atol=1e-13
    )
    assert np.all(np.isfinite(curvature))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_number_beside_an_array():
    """One number, of which each entry is another quotient."""
    w = np.array([1.0, 2.0])
    got = grad(lambda x: np.sum((np.exp(w * x) - 1 - w * x) / x**2))(0.0)
    assert abs(got - np.sum(w**3) / 6) < 1e-13


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_even_in_a_root():
    """The rotation by a vector w: sin(r)/r and (1 - cos r)/r² of r = ‖w‖ are analytic in w·w."""

    def skew(w):
        zero = 0.0 * w[0]
        return np.stack([zero, -w[2], w[1], w[2], zero, -w[0], -w[1], w[0], zero]).reshape(3, 3)

    def rotated(w):
        r, K = np.sqrt(w @ w), skew(w)
        R = np.eye(3) + np.sin(r) / r * K + (1 - np.cos(np.sqrt(w @ w))) / (w @ w) * (K @ K)
        return R @ np.array([1.0, 2.0, 3.0])

    v = np.array([1.0, 2.0, 3.0])
    # exp(K) = I + K + K²/2 + …
    np.testing.assert_allclose(jacobian(rotated)(np.zeros(3)), -skew(v), atol=1e-15)
    zero = np.zeros(3)
    second = np.array([hessian(lambda w, i=i: rotated(w)[i])(zero) for i in range(3)])
    for a in np.eye(3):
        for b in np.eye(3):
            exact = 0.5 * (skew(a) @ skew(b) + skew(b) @ skew(a)) @ v
            np.testing.assert_allclose(second @ b @ a, exact, atol=1e-12)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_of_several_variables():
    """A factor stands before the quotient; entries of x are taken anew each time."""
    t = np.array([1.0, 2.0, 5.0])
    b = np.array([2.0, 0.0])

    def f(b):  # b₀ Σ (t - b₁t²/2 + b₁²t³/6 - …)/t
        return np.sum(b[0] * (1 - np.exp(-b[1] * t)) / (b[1] * t))

    np.testing.assert_allclose(grad(f)(b), [3.0, -t.sum()], rtol=1e-12)
    want = [[0.0, -0.5 * t.sum()], [-0.5 * t.sum(), 2 * np.sum(t**2) / 3]]
    np.testing.assert_allclose(hessian(f)(b), want, atol=1e-11)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_of_one_number_through_sums():
    """Rényi's entropy at 1 has Shannon's as its value."""
    p = np.array([0.2, 0.3, 0.5])

    def renyi(a):
        return np.log(np.sum(p**a)) / (1 - a)

    value, slope = value_and_grad(renyi)(1.0)
    assert abs(value + np.sum(p * np.log(p))) < 1e-13
    mean = np.sum(p * np.log(p))
    assert abs(slope + 0.5 * np.sum(p * (np.log(p) - mean) ** 2)) < 1e-12


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_where_takes_the_other_branch():
    """``np.where(x == 0, 1, f(x) / x)`` has the slope of the limit: 0 for a constant branch."""
    x = np.array([0.0, 0.5])
    got = grad(lambda x: np.sum(np.where(x == 0, 0.5, (1 - np.cos(x)) / x**2)))(x)
    assert got[0] == 0
    assert abs(got[1] - (math.sin(0.5) / 0.25 - 2 * (1 - math.cos(0.5)) / 0.125)) < 1e-14


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.abs(x) / x,  # no limit
        lambda x: np.where(x > 0, x, -x) / x,
        lambda x: np.sort(np.stack([x, -x]))[0] / x,
        lambda x: np.select([x > 0, x <= 0], [x, -x]) / x,
        lambda x: (x >= 0) * (1 - np.cos(x)) / x**2,
        lambda x: np.greater(x, 0) * np.sin(x) ** 2 / x**2,
        lambda x: (1 - np.cos(x)) / x**2 * np.array([1.0, 5.0])[int(x > 0)],
        lambda x: (1 - np.cos(x)) / x**2 if x <= 0 else 7.0,
        lambda x: np.sin(x) / (x * x * x / x),  # a pole
        lambda x: np.sqrt(x * x) / np.sin(x),  # no limit, though complex values look like one
        lambda x: np.sqrt(np.abs(x)) / x**0.5,
    ],
)
def test_what_has_no_limit_stays_nan(f):
    """As in NumPy, which warns."""
    assert not np.isfinite(f(np.float64(0.0)))
    for g in (grad(f), along(f)):
        assert not np.isfinite(g(np.float64(0.0)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_limits_of_recognised_forms_inside_others():
    """(sin(x)/x - cos(x))/x is x/3 - …; the form sin(x)/x is taken at complex points, too."""
    value, slope = value_and_grad(lambda x: (np.sin(x) / x - np.cos(x)) / x)(0.0)
    assert abs(value) < 1e-15
    assert abs(slope - 1 / 3) < 1e-14


# Reverse mode gives a branch that is not taken the cotangent 0, and 0·∞ is NaN.
NOT_TAKEN = {
    "log at the edge": (lambda x: np.where(x > 0, x * np.log(x), 0.0), lambda x: np.log(x) + 1),
    "root": (lambda x: np.where(x > 0, np.sqrt(x), 0.0), lambda x: 0.5 / np.sqrt(x)),
    "power": (lambda x: np.where(x != 0, np.abs(x) ** 0.3, 0.0), lambda x: 0.3 * x**-0.7),
    "NaN in the data": (
        lambda x: np.where(x > 0, x**2, np.nan * x * 0),
        lambda x: 2 * x,
    ),
    "select": (lambda x: np.select([x > 0], [np.log(x)], default=0.0), lambda x: 1 / x),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NOT_TAKEN)
def test_a_branch_that_is_not_taken_has_no_part(name):
    f, slope = NOT_TAKEN[name]
    x = np.array([2.0, 0.0, 0.7])
    keeps = np.nan_to_num if name == "NaN in the data" else np.positive

    def total(x):
        return np.nansum(f(x)) if keeps is np.nan_to_num else np.sum(f(x))

    want = np.where(x > 0, slope(np.where(x > 0, x, 1.0)), 0.0)
    np.testing.assert_allclose(grad(total)(x), want, rtol=1e-14)
    np.testing.assert_allclose(jacobian(total)(x), want, rtol=1e-14)
    np.testing.assert_allclose(vjp(total, x)[1](2.0), 2 * want, rtol=1e-14)
    assert abs(jvp(total, (x,), (np.ones(3),))[1] - want.sum()) < 1e-13
    curvature = hessian(total)(x)
    step = 1e-6
    for i in (0, 2):
        moved = step * np.eye(3)[i]
        column = (grad(total)(x + moved) - grad(total)(x - moved)) / (2 * step)
        # Differences of this step are right to 1e-9 relative to the third derivative.
        np.testing.assert_allclose(curvature[i], column, atol=1e-8)
    assert np.all(curvature[1] == 0)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_missing_entries_that_nansum_leaves_out():
    """The Hessian by both factors of a table with missing entries."""
    table = np.array([[1.0, np.nan], [2.0, 4.0], [np.nan, 1.5]])

    def f(z):
        u, v = z[:3], z[3:]
        return np.nansum((table - u[:, None] * v) ** 2)

    def full(z):
        u, v = z[:3], z[3:]
        known = ~np.isnan(table)
        return np.sum((table - u[:, None] * v)[known] ** 2)

    z = np.array([0.5, -1.0, 0.3, 1.2, 0.7])
    np.testing.assert_allclose(grad(f)(z), grad(full)(z), rtol=1e-13)
    np.testing.assert_allclose(hessian(f)(z), hessian(full)(z), rtol=1e-13)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nan_of_a_finite_value_is_told():
    """exp(-1/√x) is 0 at 0, and its derivative 0·∞ in both modes."""
    x = np.array([1.0, 0.0])

    def f(x):
        return np.sum(np.exp(-1 / np.sqrt(x)))

    assert np.isfinite(f(x))
    for derivative in (grad(f), jacobian(f), lambda x: vjp(f, x)[1](1.0)):
        with pytest.warns(NonDifferentiableWarning, match=r"NaN at \[1\]"):
            assert np.isnan(derivative(x)[1])
    with pytest.warns(NonDifferentiableWarning, match="NaN, though"):
        jvp(f, (x,), (np.ones(2),))


def test_a_series_is_taken_of_analytic_functions_only():
    centres = np.array([0.0])
    assert power_series(lambda z: np.sin(z) / z**2, centres) is None  # a pole
    assert power_series(np.abs, centres) is None
    assert power_series(lambda z: z * 1j, centres) is None  # not real
    assert power_series(np.arctan2, centres) is None  # of two arguments
    found = power_series(lambda z: 1 / (1 + 4 * z * z), centres)  # poles at ±i/2
    assert abs(found.derivative(2, centres)[0] + 8) < 1e-11
    assert abs(found.derivative(0, np.array([0.05]))[0] - 1 / 1.01) < 1e-14


def test_equal_by_chance_is_not_the_same():
    """Two exponents with equal values, of which the derivatives differ."""
    x = np.array([0.5, 0.5])
    got = grad(lambda x: np.exp(x[0]) / (1 + np.exp(x[1])))(x)
    e = math.exp(0.5)
    np.testing.assert_allclose(got, [e / (1 + e), -(e**2) / (1 + e) ** 2], rtol=1e-14)
    got = jvp(lambda x: np.exp(x[0]) / (1 + np.exp(x[1])), (x,), (np.array([1.0, 0.0]),))[1]
    assert abs(got - e / (1 + e)) < 1e-15


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_multiple_to_first_order_alone_is_none():
    """sin(2x + x²)/x = 2 + x + …: at 0 forward mode sees 2x alone, and may not take it for it."""
    f = lambda x: np.sin(2 * x + x * x) / x  # noqa: E731
    zero = np.float64(0.0)
    for got in (grad(f)(zero), along(f)(zero)):
        assert abs(got - 1) < 1e-12


def test_an_exponent_that_was_changed_in_place_is_another():
    x = np.array([0.3, -1.0])

    def f(x):
        u = x + 1.0
        e = np.exp(u)
        u += x
        return np.sum(e / (1 + np.exp(u)))

    want = grad(lambda x: np.sum(np.exp(x + 1.0) * sp.expit(-(2 * x + 1.0))))(x)
    np.testing.assert_allclose(grad(f)(x), want, rtol=1e-14)


def test_a_buffer_that_was_overwritten_is_another_constant():
    x = np.array([0.3, -1.0])
    shift = np.array([1.0, 2.0])

    def f(x):
        first = np.exp(x + shift)
        shift[:] = 5.0
        result = np.sum(first / (1 + np.exp(x + shift)))
        shift[:] = [1.0, 2.0]
        return result

    def plain(x):
        return np.sum(np.exp(x + np.array([1.0, 2.0])) * sp.expit(-(x + 5.0)))

    np.testing.assert_allclose(grad(f)(x), grad(plain)(x), rtol=1e-14)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("end", [-np.inf, np.inf])
@pytest.mark.parametrize("f", [sp.ndtr, sp.erf, sp.erfc])
def test_derivatives_of_distribution_functions_at_infinity_are_zero(f, end):
    """Cut points of ordinal models are padded by infinities."""

    def shifted(b):
        return f(np.array([end, 0.5]) - b)[0]

    for slope in (grad(shifted), grad(grad(shifted)), grad(grad(grad(shifted)))):
        assert slope(0.3) == 0
    assert along(along(shifted))(np.float64(0.3)) == 0


@pytest.mark.filterwarnings("error")
def test_log_ndtr_at_infinity():
    for slope in (grad(sp.log_ndtr), grad(grad(sp.log_ndtr)), grad(grad(grad(sp.log_ndtr)))):
        assert slope(np.inf) == 0


@pytest.mark.parametrize("x", [-20.3, -10.0, -2.5, -1.0, 0.0, 0.3, 0.5, 2.5, 10.0])
def test_reciprocal_gamma_at_the_poles_of_gamma(x):
    """1/Γ is smooth, also where ψ and Γ are infinite. Two derivatives against mpmath."""
    for n, slope in ((1, grad(sp.rgamma)), (2, grad(grad(sp.rgamma)))):
        want = float(mp.diff(mp.rgamma, x, n))
        # Γ and ψ of SciPy have a few roundings, and the second derivative adds three terms.
        assert abs(slope(x) - want) <= 1e-13 * max(abs(want), 1e-3)
