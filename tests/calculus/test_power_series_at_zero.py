"""Sums of powers xⁱ have derivatives where x is 0: terms that a factor i makes 0 are left out."""

import mpmath
import numpy as np
import pytest

from mcmodels.calculus import index, matrix, parse, scalar, sum_over, vector
from mcmodels.calculus.compute.evaluate import EvaluationError
from mcmodels.calculus.derive.simplification.vanishing import terms_left_out

C = [1.0, 2.0, 3.0, 4.0, 0.5]
SHAPES = {"c": "n", "d": "n", "y": "n", "x": "scalar", "b": "scalar"}
x = scalar("x")

SERIES = [
    ("sum(c[i] * x**i, i)", lambda i, x: C[i] * x**i),
    ("sum(c[i] * x**(2 * i), i)", lambda i, x: C[i] * x ** (2 * i)),
    ("sum(c[i] * x**(i + 1) / (i + 1), i)", lambda i, x: C[i] * x ** (i + 1) / (i + 1)),
    ("sum((c[i] + 2) * x**i - c[i]**2 * x**i, i)", lambda i, x: (C[i] + 2 - C[i] ** 2) * x**i),
    ("sum(c[i] * x**i, i, where=c[i] > 1)", lambda i, x: C[i] * x**i * (C[i] > 1)),
    ("sum(i * c[i] * x**i, i)", lambda i, x: i * C[i] * x**i),
    ("sum(i**2 * c[i] * x**(i + 1), i)", lambda i, x: i**2 * C[i] * x ** (i + 1)),
    ("exp(sum(c[i] * x**i, i))", None),
    ("sum(c[i] * (x - 1)**i, i) * sum(c[i] * x**i, i)", None),
]


def by_mpmath(text, at, order):
    def value(x):
        powers = [mpmath.mpf(coefficient) for coefficient in C]
        total = mpmath.fsum(c * x**i for i, c in enumerate(powers))
        if text.startswith("exp"):
            return mpmath.exp(total)
        if "(x - 1)" in text:
            return total * mpmath.fsum(c * (x - 1) ** i for i, c in enumerate(powers))
        term = dict(SERIES)[text]
        return mpmath.fsum(term(i, x) for i in range(len(C)))

    with mpmath.workdps(60):
        return float(mpmath.diff(value, mpmath.mpf(at), order))


@pytest.mark.parametrize("text", [text for text, _ in SERIES])
@pytest.mark.parametrize("at", [0.0, 1.0, -0.7])
def test_derivatives_are_those_of_the_series(text, at):
    f = parse(text, **SHAPES)
    for order, derivative in ((1, f.gradient("x")), (2, f.hessian("x"))):
        expected = by_mpmath(text, at, order)
        values = {"c": C, "x": at}
        # Sums of five terms: rounding alone.
        assert derivative.evaluate(**values) == pytest.approx(expected, rel=1e-12, abs=1e-12)
        assert derivative.compile()(**values) == pytest.approx(expected, rel=1e-12, abs=1e-12)
        assert float(derivative.evaluate(**values, digits=30)) == pytest.approx(expected, rel=1e-12)
        again = parse(str(derivative), **{s.name: s for s in derivative.known})
        assert again.evaluate(**values) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    third = f.gradient("x").gradient("x").gradient("x")
    expected = by_mpmath(text, at, 3)
    assert third.evaluate(c=C, x=at) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_by_an_array_whose_entries_are_raised():
    f = parse("sum(c[i] * y[i]**i, i)", **SHAPES)
    y = np.array([0.0, 0.0, 0.0, 2.0, 1.0])
    i = np.arange(5)
    slope = np.where(i > 0, C * i * y ** np.maximum(i - 1, 0), 0)
    bend = np.where(i > 1, C * i * (i - 1) * y ** np.maximum(i - 2, 0), 0)
    np.testing.assert_allclose(f.gradient("y").evaluate(c=C, y=y), slope, rtol=1e-14)
    np.testing.assert_allclose(f.hessian("y").evaluate(c=C, y=y), np.diag(bend), rtol=1e-14)


def test_it_is_printed_as_a_textbook_does():
    f = parse("sum(c[i] * x**i, i)", **SHAPES)
    assert str(f.gradient("x")) == "sum_over(c[i] * i * x ** (i - 1), i, where=i > 0)"
    assert str(f.hessian("x")) == "sum_over(c[i] * i * (i - 1) * x ** (i - 2), i, where=i > 1)"
    assert f.derivation("x", order=2).check() < 1e-9
    assert f.derivation("x").result == f.gradient("x")


def test_other_sums_stay_as_they_are():
    i, c, X, w = index("i", over="n"), vector("c", "n"), matrix("X", "n", "p"), vector("w", "p")
    for body in (
        i * c[i],  # no power of the index
        c[i] * x**i,  # no factor
        i * c[i] + x**i,  # a term without both
        c[i] * x**i / i,  # a power of i, but a negative one
        (i + 1) * x**i,  # no zero among the terms
        (i - 2) * x**i,  # the term of 0 is not 0
        X[i].T @ w * i,
    ):
        e = sum_over(body, i)
        assert terms_left_out(e) == e


def test_what_is_left_out_was_zero():
    i, c = index("i", over="n"), vector("c", "n")
    for body in (i * x**i * c[i], i * (i - 1) * x**i * c[i], i * x ** (i + 1) * c[i] + i * x**i):
        e = sum_over(body, i)
        changed = terms_left_out(e)
        assert changed != e
        assert changed.evaluate(c=C, x=0.3) == pytest.approx(e.evaluate(c=C, x=0.3), rel=1e-14)
    e = sum_over(i * (i - 1) * x**i, i, where=i > 0)
    assert str(terms_left_out(e)) == "sum_over(i * (i - 1) * x ** i, i, where=i > 1, over=n)"


DOUBLE = {
    "sum(c[i] * c[j] * x**(i + j), i, j)": lambda x: mpmath.fsum(
        a * b * x ** (i + j) for i, a in enumerate(C) for j, b in enumerate(C)
    ),
    "sum(c[i] * (1 - x)**i * x**(n - 1 - i), i)": lambda x: mpmath.fsum(
        a * (1 - x) ** i * x ** (4 - i) for i, a in enumerate(C)
    ),
    "sum(c[i] * sin(x)**i, i)": lambda x: mpmath.fsum(
        a * mpmath.sin(x) ** i for i, a in enumerate(C)
    ),
    "sum(c[i] * x**(3 * i), i)": lambda x: mpmath.fsum(a * x ** (3 * i) for i, a in enumerate(C)),
    "exp(sum(c[i] * x**i * (x - 1)**(2 * i), i))": lambda x: mpmath.exp(
        mpmath.fsum(a * x**i * (x - 1) ** (2 * i) for i, a in enumerate(C))
    ),
}


@pytest.mark.parametrize("text", DOUBLE)
@pytest.mark.parametrize("at", [0.0, 1.0, -0.7])
def test_a_factor_that_is_zero_makes_its_term_zero(text, at):
    f = parse(text, **SHAPES)
    third = f.gradient("x").gradient("x").gradient("x")
    for order, derivative in enumerate((f, f.gradient("x"), f.hessian("x"), third)):
        with mpmath.workdps(60):
            right = float(mpmath.diff(DOUBLE[text], mpmath.mpf(at), order))
        # Sums of 25 terms at most, of size 1e4 in third derivatives: rounding alone.
        close = pytest.approx(right, rel=1e-11, abs=1e-11)
        assert derivative.evaluate(c=C, x=at) == close
        assert derivative.compile()(c=C, x=at) == close
        assert float(derivative.evaluate(c=C, x=at, digits=25)) == close


def test_a_whole_power_at_zero_has_the_slope_of_its_limit():
    f = parse("x**k", k="scalar:integer")
    for k, slope, bend in ((0, 0, 0), (1, 1, 0), (2, 0, 2), (3, 0, 0)):
        assert f.gradient("x").evaluate(x=0.0, k=k) == slope
        assert f.hessian("x").evaluate(x=0.0, k=k) == bend
    with pytest.raises(EvaluationError):
        f.gradient("x").evaluate(x=0.0, k=-1)


def test_what_is_undefined_beside_a_zero_stays_so():
    f = parse("sum(i * log(x) * x**(i - 1), i, over=n)", x="scalar")
    with pytest.raises(EvaluationError):
        f.evaluate(x=0.0, n=1)
    with pytest.raises(EvaluationError):
        parse("sum(x**(i - 1), i, over=n)", x="scalar").evaluate(x=0.0, n=2)
