"""Points at which parts of a formula have a kink, and the whole has none."""

import pickle
import warnings

import mpmath
import numpy as np
import pytest

from mcmodels.calculus import NonDifferentiableWarning, parse

SMOOTH = [
    ("log1p(exp(-abs(x)))+maximum(x,0)", "gradient", 1 / 2),
    ("log1p(exp(-abs(x)))+maximum(x,0)", "hessian", 1 / 4),
    ("log1p(exp(-abs(x)))+relu(x)-x", "gradient", -1 / 2),
    ("relu(x)-relu(-x)", "gradient", 1),
    ("maximum(x,0)+minimum(x,0)", "gradient", 1),
    ("cos(abs(x))", "hessian", -1),
    ("log(cosh(abs(x)))", "hessian", 1),
    ("exp(-abs(x)^2)", "hessian", -2),
    ("abs(x)*sign(x)", "gradient", 1),
    ("where(x>0,x,sin(x))", "gradient", 1),
    ("abs(x)*sin(abs(x))", "hessian", 2),
]
KINKED = [
    ("abs(x)", "gradient", 0),
    ("relu(x)", "gradient", 0),
    ("x*abs(x)", "hessian", 0),
    ("relu(x)-2*relu(-x)", "gradient", 0),
    ("exp(-abs(x))", "gradient", 0),
    ("maximum(x,-x)", "gradient", None),
]


@pytest.mark.parametrize(("text", "kind", "right"), SMOOTH)
def test_smooth_points_have_their_derivative_and_no_warning(text, kind, right):
    derivative = getattr(parse(text), kind)("x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # 1e-12: what the formula gives beside 0, to rounding.
        assert derivative.evaluate(x=0) == pytest.approx(right, rel=1e-12)
        found = derivative.evaluate(x=0, digits=30)
    assert abs(found - right) < mpmath.mpf(10) ** -29


@pytest.mark.parametrize(("text", "kind", "right"), SMOOTH)
def test_their_derivatives_are_limits_of_differences(text, kind, right):
    """Central differences of f with h of 1e-4: wrong by h², and by 1e-16/h² = 1e-8."""
    f, h = parse(text), 1e-4
    above, here, below = (f.evaluate(x=x) for x in (h, 0.0, -h))
    slope = (above - below) / (2 * h) if kind == "gradient" else (above - 2 * here + below) / h**2
    assert slope == pytest.approx(right, abs=1e-6)


@pytest.mark.parametrize(("text", "kind", "used"), KINKED)
def test_kinks_are_still_warned_of(text, kind, used):
    derivative = getattr(parse(text), kind)("x")
    for digits in ({}, {"digits": 20}):
        with pytest.warns(NonDifferentiableWarning):
            found = derivative.evaluate(x=0, **digits)
        if used is not None:
            assert found == used


def test_each_entry_by_itself():
    f = parse("sum(log1p(exp(-abs(x)))+maximum(x,0))+abs(c)", x="n").gradient("x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = f.evaluate(x=[0, 1.0, -1.0])
    sigma = 1 / (1 + np.exp([-0.0, -1.0, 1.0]))
    np.testing.assert_allclose(found, sigma, rtol=1e-14)
    mixed = parse("sum(a*abs(x))+sum(cos(abs(x)))", x="n", a="n").gradient("x")
    with pytest.warns(NonDifferentiableWarning):
        assert list(mixed.evaluate(x=[0, 0.0], a=[1, 2.0])) == [0, 0]


def test_sums_over_an_index():
    f = parse("sum(log1p(exp(-abs(x[i])))+maximum(x[i],0), i)", x="n").gradient("x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(f.evaluate(x=[0, 0.0]), [0.5, 0.5], rtol=1e-14)
    with pytest.warns(NonDifferentiableWarning):
        parse("sum(abs(x[i]), i)", x="n").gradient("x").evaluate(x=[0, 1.0])


def test_two_symbols_that_are_equal():
    f = parse("maximum(x,y)+minimum(x,y)").gradient("x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert f.evaluate(x=1, y=1) == 1
        assert f.evaluate(x=1, y=1, digits=20) == 1


def test_an_argument_that_does_not_move_is_undecided():
    """sign(x²) is 1 on both sides, but the first derivative of x² does not say so."""
    with pytest.warns(NonDifferentiableWarning):
        parse("y*sign(x^2)").evaluate(x=0, y=2)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(x>0) + (x<0)", 0.0),
        ("(x>=0)*(x<=0)", 1.0),
        ("sign(x)^2", 0.0),
        ("1 - sign(x)^2", 1.0),
        ("where(x>0, 1, where(x<0, 1, 0))", 0.0),
    ],
)
def test_comparisons_and_signs_that_are_typed_have_their_values_at_zero(text, value):
    f = parse(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NonDifferentiableWarning)
        assert f.evaluate(x=0.0) == value
        assert float(f.evaluate(x=0, digits=30)) == value


def test_a_derivative_is_one_also_after_pickling():
    G = pickle.loads(pickle.dumps(parse("relu(x) - relu(-x)").gradient("x")))
    assert G.evaluate(x=0.0) == 1.0
