"""Where float64 loses digits in a formula, the value is right, or a warning says so."""

import subprocess
import sys
import warnings

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from mcmodels.calculus import LostDigitsWarning, matrix, parse, vector
from mcmodels.calculus.compute import evaluate as float_values
from mcmodels.calculus.compute.evaluate import EvaluationError
from mcmodels.calculus.compute.lost_digits import Choices, Noise

# The right values are by mpmath in 700 digits from the definitions.
CASES = [
    ("(1+r/n)^n", {"r": 0.05, "n": 1e15}, lambda r, n: (1 + r / n) ** n),
    ("(1+r/n)^n", {"r": 0.05, "n": 1e12}, lambda r, n: (1 + r / n) ** n),
    ("(1+1/x)^x", {"x": 1e15}, lambda x: (1 + 1 / x) ** x),
    ("x*log(1+1/x)-1", {"x": 1e12}, lambda x: x * mp.log1p(1 / x) - 1),
    ("hypot(x,1)-x", {"x": 1e8}, lambda x: mp.hypot(x, 1) - x),
    ("log(2*x)-log(x+1)-log(2)", {"x": 1e16}, lambda x: -mp.log1p(1 / x)),
    ("arcsinh(x)-log(2*x)", {"x": 1e10}, lambda x: mp.asinh(x) - mp.log(2 * x)),
    ("arccos(1-x)", {"x": 1e-20}, lambda x: mp.acos(1 - x)),
    ("digamma(x)-log(x)", {"x": 1e15}, lambda x: mp.psi(0, x) - mp.log(x)),
    ("gammaln(x+0.5)-gammaln(x)", {"x": 1e15},
     lambda x: mp.loggamma(x + mpf("0.5")) - mp.loggamma(x)),
    ("erf(x+1e-12)-erf(x)", {"x": 0.3}, lambda x: mp.erf(x + mpf("1e-12")) - mp.erf(x)),
    ("(x+1)^0.25-x^0.25", {"x": 1e14}, lambda x: (x + 1) ** mpf("0.25") - x ** mpf("0.25")),
    ("x^2-2*x+1", {"x": 1 + 1e-9}, lambda x: (x - 1) ** 2),
    ("sin(x+y)-sin(x)", {"x": 1.0, "y": 1e-14}, lambda x, y: mp.sin(x + y) - mp.sin(x)),
]  # fmt: skip
IDS = [f"{text} at {at}" for text, at, _ in CASES]


def exactly(definition, at):
    with mp.workdps(700):
        return float(definition(**{name: mpf(value) for name, value in at.items()}))


@pytest.mark.parametrize(("text", "at", "definition"), CASES, ids=IDS)
def test_values_are_right_where_mpmath_is_installed(text, at, definition):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = parse(text).evaluate(**at)
    # 1e-14: a form that keeps its digits may have some roundings.
    assert found == pytest.approx(exactly(definition, at), rel=1e-14)


@pytest.mark.parametrize(("text", "at", "definition"), CASES, ids=IDS)
def test_without_mpmath_lost_digits_are_told(text, at, definition, monkeypatch):
    monkeypatch.setattr(float_values, "value_by_digits", lambda *_: None)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = parse(text).evaluate(**at)
    error = abs(found / exactly(definition, at) - 1)
    told = [w for w in said if issubclass(w.category, LostDigitsWarning)]
    # Nine digits of fifteen may be lost without a word.
    assert error < 1e-5 or told
    for warning in told:
        assert f"{parse(text)} keeps about " in str(warning.message)
        left = int(str(warning.message).split("keeps about ")[1].split(" ")[0])
        assert error < 10.0 ** (2 - left)


def test_derivatives_far_out():
    f = parse("hypot(x,1)-x")
    assert f.gradient("x").evaluate(x=1e8) == pytest.approx(-5e-17, rel=1e-14)
    assert f.hessian("x").evaluate(x=1e8) == pytest.approx(1e-24, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "x", "right"),
    [
        ("log(.5*norm_pdf(x)+.5*norm_pdf(x-3))", 100, -1),
        ("log(norm_cdf(x+1)-norm_cdf(x))", 50, None),
        ("exp(x)*(1-norm_cdf(x))/norm_pdf(x)", 50, None),
        ("log(exp(x^2)+exp(x^2+x))", 1e3, 2),
    ],
)
def test_finite_values_on_the_way_to_which_float64_fails(text, x, right):
    hessian = parse(text).hessian("x")
    found = hessian.evaluate(x=x)
    if right is not None:
        assert found == pytest.approx(right, rel=1e-14)
    exact = hessian.evaluate(x=x, digits=30)
    assert found == pytest.approx(float(exact), rel=1e-14)
    # By second differences of the function, in 200 digits: wrong by h² of about 1e-40.
    h = mpf("1e-20")
    with mp.workdps(200):
        f, at = parse(text), mpf(x)
        ahead, here, behind = (f.evaluate(x=at + k * h, digits=120) for k in (1, 0, -1))
        assert abs((ahead - 2 * here + behind) / h**2 / exact - 1) < 1e-25


@pytest.mark.parametrize("top", [0.0, 1.0, -3.0])
def test_the_logarithm_of_a_sum_keeps_what_is_small(top):
    """log Σ exp(x) − max x = log(k + Σ exp(x − max x)) with k largest ones."""
    for others in ([-50.0, -60.0], [top, -50.0], [-0.1]):
        x = [top, *others]
        found = parse("logsumexp(x)", x="n").evaluate(x=x)
        with mp.workdps(60):
            right = mp.log(mp.fsum(mp.exp(mpf(z)) for z in x))
            assert abs(found / right - 1) < 1e-15 if right else found == 0


def test_underflow_on_the_way():
    for x in (1e-200, 1e-160, 3e-170):
        assert parse("(x^2)^0.5/x").evaluate(x=x) == pytest.approx(1, rel=1e-14)
        assert parse("x*y/sin(x)").evaluate(x=x, y=1e-200) == pytest.approx(1e-200)


def test_what_has_no_value_is_still_refused():
    for text, x in (("log(x)", -1), ("1/x", 0), ("exp(x)", 1000), ("sin(x)/x", 0)):
        with pytest.raises(EvaluationError):
            parse(text).evaluate(x=x)


def test_what_underflows_is_no_0_in_silence():
    """The right value is 1e-344."""
    f = parse("exp(x) / (x + cosh(x)) - exp(x) / (2 * x + cosh(x) + exp(-x))")
    with pytest.raises(EvaluationError):
        f.evaluate(x=800.0)


def test_no_warning_where_the_values_given_explain_what_is_left(monkeypatch):
    """The residual of a fit, and a gradient at its optimum, are as good as the data."""
    monkeypatch.setattr(float_values, "value_by_digits", lambda *_: None)
    rng = np.random.default_rng(0)
    X, w, y = matrix("X", "n", "p"), vector("w", "p"), vector("y", "n")
    rows, target = rng.standard_normal((6, 2)), rng.standard_normal(6)
    best = np.linalg.lstsq(rows, target, rcond=None)[0]
    f = (X @ w - y).T @ (X @ w - y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f.gradient(w).evaluate(X=rows, w=best, y=target)
        (X @ w - y).evaluate(X=rows, w=best, y=rows @ best)
        parse("x-y").evaluate(x=1.1, y=1.1 - 1e-13)
        parse("exp(x)-exp(y)").evaluate(x=1.1, y=1.1)
        parse("log(x)").evaluate(x=1 + 1e-15)
        parse("sin(x)").evaluate(x=1e15)
        parse("exp(x)-1").evaluate(x=0)
        parse("x^2-2*x+1").evaluate(x=1)
        parse("1-x").evaluate(x=1e-30)
        parse("relu(x-y)+x").evaluate(x=1.1, y=1.1)
        parse("1+exp(-x)").evaluate(x=200)


def test_a_choice_at_its_boundary_is_made_by_the_floats():
    """0.4 as typed is not the float 0.4, but x <= 0.4 holds of it, as in NumPy."""
    f = parse("where(x <= 0.4, 1, x)", x="n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(f.evaluate(x=[0.3, 0.4, 0.5])) == [1, 1, 0.5]
        assert parse("where(x*y > 0.4, 7, 5)").evaluate(x=0.8, y=0.5) == 5


def test_changes_are_of_the_last_digits_and_leave_exact_results():
    noise, v = Noise(0, Choices()), vector("v", "n")
    three, tiny = np.array([[3.0]]), np.array([[1e-30]])
    total = parse("x+y")
    assert noise.changed(total, [three, three], three + three) == 6
    changed = noise.changed(total, [three, tiny], three + tiny)
    assert 0 < abs(changed - 3) < 1e-14
    assert noise.changed(v.T, [tiny], tiny) == tiny
    exponential = parse("exp(x)")
    zero, one = np.array([[0.0]]), np.array([[1.0]])
    assert noise.changed(exponential, [zero], one) == 1
    assert noise.changed(exponential, [tiny], one) != 1


def test_mpmath_is_not_imported_for_ordinary_values():
    code = (
        "import sys; from mcmodels.calculus import parse; "
        "parse('exp(x)*sin(x)+x^2-log(1+x)').evaluate(x=0.3); print('mpmath' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert mpmath.mp.dps == 15
