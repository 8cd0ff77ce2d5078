"""Values in many digits: against mpmath itself, closed forms, float64, and more digits still."""

import math
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from mpmath import mp, mpf

from mcmodels.calculus import (
    det,
    eigvalsh,
    exp,
    inv,
    log,
    logdet,
    matrix,
    norm,
    norm_logcdf,
    parse,
    pinv,
    scalar,
    softplus,
    sum,
    tanh,
    vector,
    where,
)
from mcmodels.calculus.compute import evaluate as float_values
from mcmodels.calculus.compute.digits import values as digits_values
from mcmodels.calculus.compute.evaluate import EvaluationError
from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.elementwise import FUNCTIONS
from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.user_warnings import NonDifferentiableWarning
from tests.calculus.domains import inside
from tests.calculus.expressions import scalar_expressions
from tests.calculus.function_cases import FUNCTION_CASES
from tests.calculus.test_properties import deterministic, problems

t, c = scalar("t"), scalar("c")
x, A, S = vector("x", "n"), matrix("A", "n", "n"), matrix("S", "n", "n", symmetric=True)
X = matrix("X", "m", "n")


def close(found, expected, digits):
    """Whether two numbers agree to the last digit but one."""
    with mp.workdps(digits + 10):
        return abs(found - expected) <= mpf(10) ** (1 - digits) * abs(expected)


@pytest.mark.parametrize(
    "given_as",
    ["0.1", Fraction(1, 10), Decimal("0.1"), "1/10"],
    ids=repr,
)
def test_what_is_given_is_taken_exactly(given_as):
    with mp.workdps(60):
        assert close((t * 3).evaluate(t=given_as, digits=50), mpf(3) / 10, 50)


def test_a_float_is_the_float_and_an_mpf_keeps_its_digits():
    with mp.workdps(70):
        assert t.evaluate(t=0.1, digits=60) == mpf(0.1)
        third = mpf(1) / 3
        assert close(t.evaluate(t=third, digits=60), third, 60)
        assert t.evaluate(t=np.float32(0.1), digits=60) == mpf(float(np.float32(0.1)))
        assert t.evaluate(t=np.int64(3), digits=60) == 3
        assert t.evaluate(t=2**100 + 1, digits=60) == 2**100 + 1


def test_shapes_and_types_of_results():
    scalar_value = (x.T @ x).evaluate(x=[1, 2], digits=30)
    assert isinstance(scalar_value, mpf)
    vector_value = (2 * x).evaluate(x=["1", 2], digits=30)
    assert vector_value.dtype == object
    assert vector_value.shape == (2,)
    assert (A.T).evaluate(A=mpmath.matrix([[1, 2], [3, 4]]), digits=30).tolist() == [[1, 3], [2, 4]]
    assert (2 * x).evaluate(x=mpmath.matrix([1, 2]), digits=30).tolist() == [2, 4]
    assert str(scalar_value) == "5.0"
    assert mp.dps == 15  # the precision of mpmath is left alone


@pytest.mark.parametrize("digits", [1, 5, 15, 50, 150, 400])
def test_many_digits_of_known_numbers(digits):
    with mp.workdps(digits + 20):
        known = [
            (parse("pi * t"), mp.pi),
            (exp(t), mp.e),
            (log(t + 1), mp.ln2),
            ((t + 1) ** 0.5, mp.sqrt(2)),
            (4 * mc.arctan(t), mp.pi),
            (mc.polygamma(1, t), mp.pi**2 / 6),
            (-mc.digamma(t), mp.euler),
        ]
        for expression, expected in known:
            assert close(expression.evaluate(t=1, digits=digits), expected, digits), expression


# The expected values are by mpmath in 400 digits from the definition, where nothing is lost.
@pytest.mark.parametrize(
    ("f", "at", "definition"),
    [
        (norm_logcdf(t), 40, lambda z: mp.log(mp.ncdf(z))),
        (norm_logcdf(t), -40, lambda z: mp.log(mp.ncdf(z))),
        (softplus(t), -700, lambda z: mp.log(1 + mp.exp(z))),
        (softplus(t), 300, lambda z: mp.log(1 + mp.exp(z))),
        (tanh(t).gradient(t), 200, lambda z: 1 / mp.cosh(z) ** 2),
        (softplus(t).hessian(t), 500, lambda z: 1 / (2 * mp.cosh(z / 2)) ** 2),
        (mc.inverse_mills_gap(t), -1e9, lambda z: z + mp.npdf(z) / mp.ncdf(z)),
        (mc.log1p(t), 1e-60, lambda z: mp.log(1 + z)),
        (mc.sin(t), 1e30, mp.sin),
        ((1 - mc.cos(t)) / t**2, 1e-40, lambda z: (1 - mp.cos(z)) / z**2),
        (log(exp(t) + exp(2 * t)), 1e5, lambda z: 2 * z + mp.log(1 + mp.exp(-z))),
    ],
    ids=lambda part: "" if callable(part) else str(part),
)
def test_tails_and_cancellation_keep_their_digits(f, at, definition):
    found = f.evaluate(t=at, digits=50)
    with mp.workdps(600):
        assert close(found, definition(mpf(at)), 50)


def test_a_hilbert_matrix():
    """Its determinant and inverse are known in whole numbers; float64 has no digit of them."""
    n = 12
    hilbert = [[Fraction(1, i + j + 1) for j in range(n)] for i in range(n)]
    factorials = [Fraction(math.factorial(i)) for i in range(2 * n)]
    exact = math.prod(factorials[:n]) ** 4 / math.prod(factorials)
    with mp.workdps(60):
        expected = mpf(exact.numerator) / exact.denominator
        assert close(det(A).evaluate(A=hilbert, digits=50), expected, 50)
        inverse = inv(A).evaluate(A=hilbert, digits=50)
        assert abs(inverse[0, 0] - n**2) < mpf(10) ** -46
        assert all(abs(v - mp.nint(v)) <= mpf(10) ** -48 * abs(v) for v in inverse.ravel())
        # ∂ log|det A|/∂A = A⁻ᵀ
        gradient = logdet(A).gradient(A).evaluate(A=hilbert, digits=50)
        assert all(close(a, b, 49) for a, b in zip(gradient.flat, inverse.T.flat, strict=True))


def test_a_matrix_with_tiny_pivots_is_not_singular():
    values = [[1, 0, 0], [0, "1e-300", 0], [0, 0, "1e-400"]]
    with mp.workdps(60):
        assert close(det(A).evaluate(A=values, digits=50), mpf("1e-700"), 50)
        assert close(inv(A).evaluate(A=values, digits=50)[2, 2], mpf("1e400"), 50)
        assert close(logdet(A).evaluate(A=values, digits=50), -700 * mp.log(10), 50)
        swapped = [[0, 2], [3, "1e-90"]]
        assert close(det(A).evaluate(A=swapped, digits=50), mpf(-6), 50)


def test_a_singular_matrix_is_refused_whatever_its_rounding():
    rows = [[Fraction(1, 3), Fraction(1, 7), 1], [Fraction(5, 11), Fraction(1, 13), 2]]
    rows.append([first + second for first, second in zip(*rows, strict=True)])
    for f in (inv(A), logdet(A)):
        with pytest.raises(EvaluationError, match=r"keeps fewer than 30|not finite|not defined"):
            f.evaluate(A=rows, digits=30)
    assert abs(det(A).evaluate(A=rows, digits=30)) < mpf(10) ** -60


def test_pseudo_inverse_and_singular_values_of_a_deficient_matrix():
    values = [[1, 2], [2, 4], [3, 6]]
    # X = uvᵀ with u = (1, 2, 3), v = (1, 2): X⁺ = vuᵀ/(|u|²|v|²), nuclear norm |u||v|.
    found = pinv(X).evaluate(X=values, digits=40)
    with mp.workdps(50):
        for i, v in enumerate((1, 2)):
            for j, u in enumerate((1, 2, 3)):
                assert close(found[i, j], mpf(u * v) / 70, 40)
        assert close(norm(X, "nuc").evaluate(X=values, digits=40), mp.sqrt(70), 40)
    with pytest.raises(EvaluationError, match="full rank"):
        norm(X, "nuc").gradient(X).evaluate(X=values, digits=40)


def test_eigenvalues():
    found = eigvalsh(S).evaluate(S=[[2, 1], [1, 3]], digits=60)
    with mp.workdps(70):
        assert close(found[0], (5 - mp.sqrt(5)) / 2, 60)
        assert close(found[1], (5 + mp.sqrt(5)) / 2, 60)
    with pytest.raises(EvaluationError, match="coincide"):
        eigvalsh(S)[0].gradient(S).evaluate(S=[[1, 0], [0, 1]], digits=30)
    with pytest.raises(EvaluationError, match="not defined here"):
        mc.logm(A).evaluate(A=[[-1, 0], [0, 2]], digits=30)
    with pytest.raises(EvaluationError):
        mc.sqrtm(A).evaluate(A=[[0, 1], [0, 0]], digits=30)


CASES = [
    *(getattr(mc, name)(inside(name, c * t)) for name in FUNCTIONS),
    *(case for cases in FUNCTION_CASES.values() for case in cases),
]


@pytest.mark.parametrize("f", CASES, ids=str)
def test_every_function_has_the_digits_of_float64(f):
    rng = np.random.default_rng(1)
    sizes = {"m": 4, "n": 3}
    values = {}
    for symbol in sorted(f.used, key=lambda symbol: symbol.name):
        drawn = rng.uniform(0.5, 1.5, (symbol.rows.value(sizes), symbol.cols.value(sizes)))
        if "symmetric" in symbol.declared:
            drawn = drawn + drawn.T
        values[symbol.name] = (
            drawn[0, 0] if symbol.is_scalar else drawn[:, 0] if symbol.is_column else drawn
        )
    found = f.evaluate(**values, digits=25)
    expected = f.evaluate(**values)
    # float64 is right to 1e-12 for sizes of 4 and condition numbers below 1e3.
    np.testing.assert_allclose(np.asarray(found, dtype=float), expected, rtol=1e-11, atol=1e-12)


@deterministic
@given(problems(scalar_expressions()))
def test_random_expressions_and_their_gradients_agree_with_float64(problem):
    f, symbol, point = problem
    for expression in (f, f.gradient(symbol)):
        given_values = point.arguments(expression)
        try:
            expected = expression.evaluate(**given_values)
        except EvaluationError:
            continue
        found = np.asarray(expression.evaluate(**given_values, digits=20), dtype=float)
        # Parts are below 1e3 with condition numbers below 1e3, a few of them multiplied.
        scale = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8 * scale)


def test_what_a_choice_does_not_choose_may_be_undefined():
    f = sum(where(x > 0, x * log(x) + 1 / x, 0))
    at = {"x": [0, "0.5"]}
    with mp.workdps(40):
        assert close(f.evaluate(**at, digits=30), mp.log("0.5") / 2 + 2, 30)
    with pytest.warns(NonDifferentiableWarning):
        slope = f.gradient(x).evaluate(**at, digits=30)
    assert slope[0] == 0


@pytest.mark.parametrize(
    ("f", "values", "message"),
    [
        (log(t), {"t": -1}, r"log\(t\) is not finite here"),
        (1 / t, {"t": 0}, "1 / t is not finite here"),
        (t**0.5, {"t": -2}, r"sqrt\(t\) is not finite here"),
        (mc.gammaln(t), {"t": 0}, "not finite"),
        (t, {"t": "abc"}, "'t' must be real numbers .*found 'abc'"),
        (t, {"t": 1j}, "'t' must be real numbers"),
        (t, {"t": None}, "'t' must be real numbers"),
        (t, {"t": "nan"}, "'t' must be finite"),
        (x, {"x": [[1, 2]]}, "found shape"),
        (S, {"S": [[1, 2], [3, 4]]}, "declared symmetric"),
        (t, {}, "no value for 't'"),
        (t, {"t": 1, "u": 2}, "'u' does not occur"),
        (inv(A), {"A": [[1, 2], [2, 4]]}, "not defined here"),
    ],
    ids=str,
)
def test_refusals(f, values, message):
    with pytest.raises(ValueError, match=message):
        f.evaluate(**values, digits=30)


@pytest.mark.parametrize("digits", [0, -3, 401, 1.5, True, "50"])
def test_digits_must_be_a_count(digits):
    with pytest.raises(ValueError, match="digits must be a whole number from 1 to 400; found"):
        t.evaluate(t=1, digits=digits)


def test_a_jump_has_no_digits():
    """cos² + sin² − 1 is rounding, whatever the precision."""
    nothing = mc.cos(t) ** 2 + mc.sin(t) ** 2 - 1
    with pytest.raises(EvaluationError, match=r"keeps fewer than 30 digits|not finite"):
        (1 / (nothing + c)).evaluate(t=3, c=0, digits=30)


def test_a_symbol_named_digits_is_a_symbol():
    digits = scalar("digits")
    assert (digits**2).evaluate(digits=3) == 9
    assert (digits**2).check("digits", digits=3) < 1e-9


def test_the_error_of_a_check_falls_with_the_digits():
    f = sum(tanh(A @ x)) + logdet(A) + norm(x)
    for digits in (30, 60):
        # h⁴ with h = 10^(−digits/5), and rounding over h, times third derivatives below 1e3.
        assert f.check(x, digits=digits) < 10.0 ** (3 - 0.8 * digits)
        assert inv(A).check(A, digits=digits) < 10.0 ** (4 - 0.8 * digits)


def test_a_planted_error_is_measured(monkeypatch):
    from mcmodels.calculus.study import checks

    monkeypatch.setattr(
        checks, "derivative", lambda f, s: f.gradient(s) * (1 + Fraction(1, 10**15))
    )
    assert sum(exp(x)).check(x, digits=50) == pytest.approx(1e-15, rel=1e-9)


def test_without_mpmath_the_error_names_the_extra():
    code = """
import sys
sys.modules["mpmath"] = None
from mcmodels.calculus import scalar
t = scalar("t")
assert t.evaluate(t=2) == 2
assert t.check(t) < 1e-9
try:
    t.evaluate(t=1, digits=20)
except ImportError as error:
    print(error)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "digits=… needs mpmath: pip install 'mcmodels[digits]'.\n"


def test_a_size_that_does_not_fit_is_refused():
    with pytest.raises(ShapeError):
        (A @ x).evaluate(A=[[1, 2], [3, 4]], x=[1, 2, 3], digits=20)


def test_the_limit_of_python_for_texts_of_integers_stays():
    """mpmath 1.4 lifts it to read a text, and does not set it back where the text is no number."""
    before = sys.get_int_max_str_digits()
    with pytest.raises(ValueError, match="must be real numbers"):
        t.evaluate(t="abc", digits=30)
    assert sys.get_int_max_str_digits() == before


WITHOUT_NUMPY = """
import sys
for blocked in ("numpy", "scipy", "pandas", "sklearn"):
    sys.modules[blocked] = None
from fractions import Fraction
from mpmath import mp, mpf, nstr
from mcmodels.calculus import *
from mcmodels.calculus import EvaluationError, ShapeError, sum

X, w, y = matrix("X", "n", "p"), vector("w", "p"), vector("y", "n")
loss = sum(log(1 + exp(-y * (X @ w))))
given = {"X": [[1, 2], [3, Fraction(1, 3)], ["0.1", 5]], "w": ["0.5", -1], "y": (1, -1, 1)}
gradient = loss.gradient(w).evaluate(**given, digits=50)
hessian = loss.hessian(w).evaluate(**given, digits=50)
assert type(gradient) is list and type(gradient[0]) is mpf and type(hessian[0]) is list
print(*(nstr(entry, 50) for entry in gradient))
print(*(nstr(entry, 50) for row in hessian for entry in row))

S = matrix("S", "n", "n", positive_definite=True)
print(nstr(logdet(S).evaluate(S=[[2, 1], [1, 2]], digits=50), 50))
print(*(nstr(entry, 20) for entry in eigvalsh(S).evaluate(S=[[2, 1], [1, 2]], digits=20)))
t = scalar("t")
print(nstr(tanh(t).gradient(t).evaluate(t=200, digits=20), 20), loss.derivation(w).latex()[:5])
for f, values in (
    (log(t), {"t": -1}),
    (logdet(S), {"S": [[1, 2], [2, 1]]}),
    (logdet(S), {"S": [[1, 2], [3, 1]]}),
    (X @ w, {"X": [[1, 2], [3]], "w": [1, 2]}),
    (X @ w, {"X": [[1, 2]], "w": [1, 2, 3]}),
):
    try:
        f.evaluate(**values, digits=20)
    except ValueError as error:
        print(type(error).__name__, error)
""".replace("(inv(X), {}),\n    ", "")


def test_it_runs_without_numpy():
    """The gradient and Hessian by mpmath from their definition; 50 digits of each are printed."""
    found = subprocess.run(
        [sys.executable, "-c", WITHOUT_NUMPY], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    gradient, hessian, *lines = found.stdout.splitlines()
    labels = [1, -1, 1]
    with mp.workdps(60):
        rows = [[1, 2], [3, mpf(1) / 3], [mpf("0.1"), 5]]
        margins = [s * (r[0] * mpf("0.5") - r[1]) for r, s in zip(rows, labels, strict=True)]
        slopes = [-s / (1 + mp.exp(m)) for s, m in zip(labels, margins, strict=True)]
        bends = [1 / (2 * mp.cosh(m / 2)) ** 2 for m in margins]
        expected = [mp.fsum(s * r[j] for s, r in zip(slopes, rows, strict=True)) for j in (0, 1)]
        assert all(close(mpf(a), b, 49) for a, b in zip(gradient.split(), expected, strict=True))
        expected = [
            mp.fsum(b * r[i] * r[j] for b, r in zip(bends, rows, strict=True))
            for i in (0, 1)
            for j in (0, 1)
        ]
        assert all(close(mpf(a), b, 49) for a, b in zip(hessian.split(), expected, strict=True))
        assert close(mpf(lines[0]), mp.log(3), 49)
        assert [mpf(v) for v in lines[1].split()] == [1, 3]
        tail, latex = lines[2].split()
        assert close(mpf(tail), 1 / mp.cosh(200) ** 2, 19)
        assert latex
    assert lines[3:] == [
        "EvaluationError log(t) is not finite here: its value has a NaN",
        "ValueError 'S' is declared positive definite; found the eigenvalue -1",
        "ValueError 'S' is declared symmetric; found entries that differ by 1 from their mirror "
        "image",
        "ShapeError 'X' has rows of different lengths",
        "ShapeError 'w' is a vector of p; found shape (3,), where p = 2",
    ]


def test_tensors_without_numpy_are_lists_of_lists():
    script = """
import sys
for blocked in ("numpy", "scipy"):
    sys.modules[blocked] = None
from mcmodels.calculus import einsum, exp, tensor, vector
x, T = vector("x", "n"), tensor("T", ("n", "m", "k"))
print(einsum("i,j,k->ijk", x, x, x).evaluate(x=[1, "0.5"], digits=20))
print(exp(0 * T).evaluate(T=[[[1, 2, 3]], [[4, 5, 6]]], digits=20))
print(((x.T @ x) * T).evaluate(T=[[[1]]], x=[2], digits=20))
"""
    found = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    cubes, ones, one = (eval(line, {"mpf": mpf}) for line in found.stdout.splitlines())
    assert cubes == [[[1, 0.5], [0.5, 0.25]], [[0.5, 0.25], [0.25, 0.125]]]
    assert ones == [[[1, 1, 1]], [[1, 1, 1]]]
    assert one == [[[4]]]


def test_every_node_that_has_a_value_has_one_in_digits():
    assert set(digits_values.VALUES) == set(float_values.VALUES)


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("symmetric", [[1, 2], [3, 4]]),
        ("positive_definite", [[1, 2], [2, 1]]),
        ("positive_definite", [[0, 1], [1, 0]]),
        ("diagonal", [[1, 5], [5, 1]]),
        ("lower_triangular", [[1, 2], [0, 1]]),
        ("upper_triangular", [[1, 0], [2, 1]]),
        ("orthogonal", [[1, 0], [0, 2]]),
    ],
)
def test_declarations_are_judged_as_in_float64(declared, value):
    M = matrix("M", 2, 2, **{declared: True})
    messages = []
    for how in ({}, {"digits": 20}):
        with pytest.raises(ValueError, match=f"declared {declared.replace('_', ' ')}") as refused:
            M.evaluate(M=value, **how)
        messages.append(str(refused.value))
    assert messages[0] == messages[1]
    assert M.evaluate(M=[[1, 0], [0, 1]], digits=20).tolist() == [[1, 0], [0, 1]]
