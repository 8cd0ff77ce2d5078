"""Digits are right relative to the value, however far terms cancel; 0 is said where it is 0."""

import warnings

import mpmath
import pytest
from mpmath import mp, mpf

from mcmodels.calculus import arctan, cos, diagnose, erfc, exp, matrix, parse, scalar, sin, vector
from mcmodels.calculus.compute.digits import certified as certified_module
from mcmodels.calculus.compute.digits.noise import Noise
from mcmodels.calculus.compute.evaluate import EvaluationError

x, v = scalar("x"), vector("x", "n")


def close(found, expected, digits):
    """To the last digit but one."""
    with mp.workdps(digits + 10):
        return abs(found - expected) <= mpf(10) ** (1 - digits) * abs(expected)


# The limits at 0 are by the series of each function; what is left out is of the order of x.
@pytest.mark.parametrize("digits", [5, 20, 50])
@pytest.mark.parametrize("at", ["1e-80", "1e-100", "1e-150", "1e-290"])
@pytest.mark.parametrize(
    ("text", "thirds"),
    [
        ("sin(x)/x", -1),
        ("log1p(x)/x", 2),
        ("tanh(x)/x", -2),
        ("(exp(x)-1)/x", 1),
    ],
)
def test_second_derivatives_near_0(text, thirds, at, digits):
    with mp.workdps(60):
        found = parse(text).hessian("x").evaluate(x=at, digits=digits)
        assert close(found, mpf(thirds) / 3, digits)


@pytest.mark.parametrize("at", ["1e-20", "1e-80", "1e-100", "1e-200", "1e-2000"])
@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("(1+x)^2-1", lambda z: 2 * z + z * z),
        ("a+x-b", lambda z: z),
        ("1/(exp(x)-1)", lambda z: 1 / mp.expm1(z)),
        ("(1+x)^9-1-9*x", lambda z: 36 * z**2 + 84 * z**3),
        ("sign(exp(x)-1)", lambda z: mpf(1)),
        ("where(exp(x)-1>0, 5, 7)", lambda z: mpf(5)),
        ("where(1-exp(x)>0, 5, 7)", lambda z: mpf(7)),
        ("maximum(cos(x)-1, -x^2)", lambda z: -2 * mp.sin(z / 2) ** 2),
    ],
)
def test_small_numbers_beside_1(text, right, at):
    f = parse(text)
    values = {s.name: 1 for s in f.used if s.name != "x"}
    found = f.evaluate(x=at, **values, digits=20)
    with mp.workdps(60):
        assert close(found, right(mpf(at)), 20)


def test_far_out():
    """d/dx (√(x² + 1) − x) = −1/(2x²) to all digits."""
    found = parse("sqrt(x^2+1)-x").gradient("x").evaluate(x="1e160", digits=20)
    with mp.workdps(40):
        assert close(found, mpf("-5e-321"), 20)
    tail = parse("log(1+exp(-x)+y)-log(1+y)").evaluate(x=5000, y=1, digits=20)
    with mp.workdps(40):
        assert close(tail, mp.exp(-5000) / 2, 20)


def test_a_sum_of_entries_of_which_large_ones_cancel():
    a = vector("a", "n")
    values = {"x": [1, "1e-100", -1], "a": [1, 1, 1]}
    with mp.workdps(40):
        tiny = mpf("1e-100")
    for f in (a.T @ v, parse("sum(a*x)", a="n", x="n"), parse("sum(a[i]*x[i], i)", a="n", x="n")):
        assert close(f.evaluate(**values, digits=20), tiny, 20)


@pytest.mark.parametrize(
    ("f", "values"),
    [
        (sin(x) ** 2 + cos(x) ** 2 - 1, {"x": "0.3"}),
        (sin(x) ** 2 + cos(x) ** 2 - 1, {"x": "1e-40"}),
        (arctan(x) + arctan(1 / x) - parse("pi/2"), {"x": 3}),
        (exp(2 * x) - exp(x) ** 2, {"x": 7}),
        (0 * x + x - x, {"x": 7}),
    ],
    ids=str,
)
def test_what_is_0_is_0(f, values):
    assert f.evaluate(**values, digits=30) == 0


@pytest.mark.parametrize("at", [1e10, 7, pytest.param("0.3", marks=pytest.mark.slow)])
def test_equal_functions_of_other_arguments_are_0(at):
    """By the recurrence of Γ; changes of two large terms must not be alike."""
    f = parse("gammaln(x+1)-gammaln(x)-log(x)")
    for digits in range(15, 40, 5):
        assert f.evaluate(x=at, digits=digits) == 0


def test_a_gradient_at_a_minimum_is_0_in_digits():
    """The projection of (0, 1/3, 2/3) on the columns; the residual is orthogonal to them."""
    X, w, y = matrix("X", "n", "p"), vector("w", "p"), vector("y", "n")
    residual = X @ w - y
    gradient = (residual.T @ residual).gradient(w)
    rows = [[1, "1/10"], [1, "2/10"], [1, "3/10"]]
    found = gradient.evaluate(
        X=[[1, 1], [1, 2], [1, 3]], w=["-1/3", "1/3"], y=[0, "1/3", "2/3"], digits=30
    )
    assert list(found) == [0, 0]
    off = gradient.evaluate(X=rows, w=["-1/3", "10/3"], y=[0, "1/3", "2/3"], digits=30)
    assert list(off) == [0, 0]


def test_what_cannot_be_told_from_0_is_refused():
    """Of 1e-4000 what is left may be its twelfth power: more digits than are computed."""
    f = sin(x) ** 2 + cos(x) ** 2 - 1
    with pytest.raises(EvaluationError, match="keeps fewer than 20 digits here, even where"):
        f.evaluate(x="1e-4000", digits=20)


def test_far_out_the_complement_of_the_error_function_has_all_digits():
    """By the first three terms of DLMF (7.12.1); the fourth is of the order 1e-600."""
    found = erfc(x).evaluate(x=2e100, digits=400)
    with mp.workdps(900):
        z = mpf(2e100)
        series = 1 - 1 / (2 * z**2) + 3 / (4 * z**4)
        assert close(found, mp.exp(-z * z) / (z * mp.sqrt(mp.pi)) * series, 400)


def test_it_is_refused_at_a_singularity():
    with pytest.raises(EvaluationError, match=r"keeps fewer than 20 digits|not finite"):
        (1 / (sin(x) ** 2 + cos(x) ** 2 - 1)).evaluate(x=3, digits=20)


def test_without_changed_digits_a_cancelled_value_would_be_taken_for_0(monkeypatch):
    """Planted: the same computation, not changed, agrees with itself."""
    f = parse("(1+x)^2-1")
    monkeypatch.setattr(Noise, "changed", lambda self, part, children, result, again: result)
    assert f.evaluate(x="1e-200", digits=20) == 0


def test_no_precision_is_left_behind():
    before = mp.dps
    parse("(1+x)^2-1").evaluate(x="1e-200", digits=20)
    assert mpmath.mp.dps == before
    assert certified_module.mpmath().mp.dps == before


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("text", ["1/(1+1/x^2)+1/(1+x^2)", "arctan(x)+arctan(1/x)"])
def test_the_doctor_takes_rounding_for_0(text, seed):
    found = diagnose(parse(text, x=()), x, 0 * x, seed=seed)
    assert found.correct, str(found)


def test_the_doctor_still_sees_small_slopes():
    """Planted: a slope of 1e-200 is none of 0."""
    found = diagnose(parse("1e-200*sin(x)+1/(1+1/x^2)+1/(1+x^2)", x=()), x, 0 * x)
    assert not found.correct


def test_ordinary_values_take_two_computations(monkeypatch):
    used = []
    walk = certified_module.walk_exactly
    monkeypatch.setattr(
        certified_module, "walk_exactly", lambda *a, **k: used.append(mp.dps) or walk(*a, **k)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parse("exp(x)*sin(x)+x^3").gradient("x").evaluate(x="0.7", digits=20)
    assert used == [35, 85]
