"""Quotients that have a name: what is printed, and digits out to ±1000, against mpmath."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from mpmath import mp, mpf

from mcmodels.calculus import (
    arctan,
    arctanh,
    cos,
    cosh,
    erf,
    erfc,
    inverse_mills,
    log,
    matrix,
    norm_cdf,
    norm_pdf,
    parse,
    scalar,
    sin,
    sinh,
    sqrt,
    sum,
    tan,
    tanh,
    vector,
)
from mcmodels.calculus.core.arithmetic.quotients import _COMPLEMENTS, _RATIOS, _SQUARES
from mcmodels.calculus.derive.simplification import simplify

z, c = scalar("z"), scalar("c")
x, w, A = vector("x", "n"), vector("w", "n"), matrix("A", "m", "n")


@pytest.mark.parametrize(
    ("f", "derivative"),
    [
        (log(cosh(z)), tanh(z)),
        (log(cosh(3 * z)), 3 * tanh(3 * z)),
        (log(cos(z)), -tan(z)),
        (log(sin(z)), 1 / tan(z)),
        (log(sinh(z)), 1 / tanh(z)),
        (-log(norm_cdf(-z)), inverse_mills(-z)),
        (log(norm_cdf(z)), inverse_mills(z)),
        (log(1 - norm_cdf(z)), -inverse_mills(-z)),
        (log(2 - 2 * norm_cdf(z)), -inverse_mills(-z)),
        (arctan(sinh(z)), 1 / cosh(z)),
        (arctanh(sin(z)), 1 / cos(z)),
        (sqrt(1 + sinh(z) ** 2), sinh(z)),
        (sqrt(4 + 4 * sinh(z) ** 2), 2 * sinh(z)),
        (1 / cosh(z), -tanh(z) / cosh(z)),
    ],
    ids=str,
)
def test_the_derivative_of_a_number(f, derivative):
    assert f.gradient(z) == derivative
    assert parse(str(derivative), z=()) == derivative
    assert f.check(z, z=0.3) < 1e-8  # differences of functions of size 1 are right to 1e-9


def test_derivatives_by_arrays():
    assert sum(log(cosh(A @ x))).gradient(x) == A.T @ tanh(A @ x)
    assert sum(log(cosh(A.T))).gradient(A) == tanh(A)
    assert sum(w * log(cos(x))).gradient(x) == -w * tan(x)
    assert sum(w * log(norm_cdf(x))).gradient(x) == w * inverse_mills(x)
    assert sum(arctan(sinh(x))).gradient(x) == 1 / cosh(x)
    assert (tanh(A) == sinh(A) / cosh(A)) is True
    assert norm_pdf(A.T) / norm_cdf(A.T) == inverse_mills(A.T)
    assert norm_pdf(x) * w / norm_cdf(-x) == w * inverse_mills(-x)


def test_powers_and_numbers():
    assert sinh(z) ** 2 / cosh(z) ** 3 == tanh(z) ** 2 / cosh(z)
    assert 6 * cosh(z) / (2 * sinh(z)) == 3 / tanh(z)
    assert sin(z) ** 2 / cos(z) ** 2 == tan(z) ** 2
    assert 1 / (3 - 3 * sin(z) ** 2) == 1 / (3 * cos(z) ** 2)
    assert 1 / (cosh(z) ** 2 - 1) == 1 / sinh(z) ** 2
    assert 1 / (1 + erf(z)) == 1 / erfc(-z)
    assert norm_pdf(z) / (1 - norm_cdf(z)) == inverse_mills(-z)


@pytest.mark.parametrize(
    "kept",
    [
        "sinh(z) / cosh(c)",
        "sin(z) * cos(z)",
        "norm_pdf(z) / norm_cdf(c)",
        "norm_cdf(z) / norm_pdf(z)",
        "sqrt(1 - sin(z) ** 2)",  # |cos|, not cos
        "1 / (1 - sinh(z) ** 2)",
        "1 / (2 + sinh(z) ** 2)",
        "1 / (c + sinh(z) ** 2)",
        "1 / (1 + sinh(z) ** 3)",
        "sqrt(1 - norm_cdf(z))",
        "1 / (1 + norm_cdf(z))",
    ],
)
def test_others_stay(kept):
    assert str(parse(kept, z=(), c=())) == kept


def test_squares_are_joined_in_derivatives():
    assert simplify(cos(z) ** 2 + sin(z) ** 2) == 1 + 0 * z
    assert simplify(c * cosh(z) ** 2 + z - c * sinh(z) ** 2) == c + z
    assert simplify(3 * w * cos(x) ** 2 + 3 * w * sin(x) ** 2) == 3 * w
    for kept in (
        cos(z) ** 2 - sin(z) ** 2,
        cosh(z) ** 2 + sinh(z) ** 2,
        cos(z) ** 2 + sin(c) ** 2,
        c * cos(z) ** 2 + sin(z) ** 2,
    ):
        assert simplify(kept) == kept
    # d(sin cos) = cos² − sin², d(tanh z) with its square, and a product whose parts are joined:
    assert (sin(z) * cosh(c) ** 2 - sin(z) * sinh(c) ** 2).gradient(z) == cos(z)


def phi_over(t):
    return mp.npdf(t) / mp.ncdf(t)


def log_phi(t):
    """Near 1, by the other tail: log Φ(t) = log(1 − Φ(−t))."""
    return mp.log1p(-mp.ncdf(-t)) if t > 0 else mp.log(mp.ncdf(t))


# The definition in mpmath; f, its derivative, its second derivative where all digits are kept.
TAILS = [
    (log(cosh(z)), lambda t: mp.log(mp.cosh(t)), mp.tanh, lambda t: 1 / mp.cosh(t) ** 2),
    (log(norm_cdf(z)), log_phi, phi_over, None),
    (log(1 - norm_cdf(z)), lambda t: log_phi(-t), lambda t: -phi_over(-t), None),
    (
        log(3 * erfc(z)),
        lambda t: mp.log(3 * mp.erfc(t)),
        lambda t: -2 * mp.exp(-t * t) / mp.sqrt(mp.pi) / mp.erfc(t),
        None,
    ),
    (1 / cosh(z), mp.sech, lambda t: -mp.tanh(t) * mp.sech(t), None),
    (1 / cosh(z) ** 2, lambda t: mp.sech(t) ** 2, None, None),
    (arctan(sinh(z)), None, mp.sech, lambda t: -mp.tanh(t) * mp.sech(t)),
    (log(cos(z)), None, lambda t: -mp.tan(t), lambda t: -1 / mp.cos(t) ** 2),
    (log(sinh(z)), None, mp.coth, None),
]
POINTS = [s * v for v in (1e-9, 1e-4, 0.3, 0.99, 1, 1.01, 5, 20, 38.5, 40, 100, 300, 1000)
          for s in (1, -1)]  # fmt: skip


@pytest.mark.parametrize(("f", "value", "first", "second"), TAILS, ids=lambda f: str(f)[:20])
def test_digits_out_to_a_thousand(f, value, first, second):
    """Φ near 1 is known to 1e-15, erfcx and its argument to |z| roundings: 1e-12 allows both."""
    for expression, reference in ((f, value), (f.gradient(z), first), (f.hessian(z), second)):
        if reference is None:
            continue
        compiled = expression.compile()
        for at in POINTS:
            with mp.workdps(60):
                expected = reference(mpf(at))
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                for found in (expression.evaluate(z=at), float(compiled(z=at))):
                    # Below the smallest normal number, 2e-308, there are fewer digits or none.
                    error = abs(found - expected)
                    assert error <= mpf("1e-12") * abs(expected) + mpf("2e-308"), (expression, at)


def test_values_of_arrays_have_the_same_digits():
    points = np.array(POINTS)
    for f in (log(cosh(x)), log(norm_cdf(x)), 1 / cosh(x), log(1 - norm_cdf(x))):
        by_array = f.evaluate(x=points)
        one = parse(str(f).replace("(x)", "(z)"), z=())
        np.testing.assert_allclose(by_array, [one.evaluate(z=v) for v in POINTS], rtol=1e-15)
        np.testing.assert_allclose(f.compile()(x=points), by_array, rtol=1e-14)


def test_the_tables_hold():
    """Every line of the tables, at numbers and against the definition in mpmath."""
    functions = {"norm_cdf": mp.ncdf, **{n: getattr(mp, n) for n in
                 ("sinh", "cosh", "sin", "cos", "tanh", "tan", "erf", "erfc")}}  # fmt: skip
    for t in (mpf("-1.3"), mpf("0.4")):
        for (above, below), name in _RATIOS.items():
            quotient = functions[above](t) / functions[below](t)
            assert mp.almosteq(quotient, functions[name](t), 1e-14)
        for (one, sign, name), other in _SQUARES.items():
            left = one + sign * functions[name](t) ** 2
            assert mp.almosteq(left, functions[other](t) ** 2, 1e-13)
        for (name, sign), (other, turned) in _COMPLEMENTS.items():
            assert mp.almosteq(1 + sign * functions[name](t), functions[other](turned * t), 1e-13)
