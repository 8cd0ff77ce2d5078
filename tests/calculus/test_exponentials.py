"""Sums and quotients of exponentials: what they become, and that values and tails are right."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from mpmath import mp, mpf

from mcmodels.calculus import EvaluationError, parse
from mcmodels.calculus.compute.evaluate import walk
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.study.instances import random_instance
from tests.calculus import high_precision

SHAPES = {
    "X": ("n", "p"), "w": "p", "y": "n", "x": "n", "A": ("m", "n"), "Z": ("m", "n"), "b": "m",
    "t": "n:probability", "S": "n,n:positive_definite", "V": ("n", "k"), "M": "n,n",
}  # fmt: skip

# What is typed, and what it is.
FORMS = [
    ("log(1 + exp(z))", "softplus(z)"),
    ("log(exp(z) + 1)", "softplus(z)"),
    ("log(1 + exp(-z))", "softplus(-z)"),
    ("log(2 + 2 * exp(z))", "log(2) + softplus(z)"),
    ("log(1 + 2 * exp(z))", "softplus(z + log(2))"),
    ("log((1 + exp(z)) / 2)", "softplus(z) - log(2)"),
    ("log(exp(a) + exp(b))", "a + softplus(b - a)"),
    ("log(1 + exp(a) * exp(b))", "softplus(a + b)"),
    ("log(1 + exp(a) / exp(b))", "softplus(a - b)"),
    ("log(1 + 1 / exp(z))", "softplus(-z)"),
    ("log(exp(z))", "z"),
    ("log(3 * exp(z))", "z + log(3)"),
    ("1 / (1 + exp(-z))", "sigmoid(z)"),
    ("1 / (exp(-z) + 1)", "sigmoid(z)"),
    ("3 / (1 + exp(z))", "3 * sigmoid(-z)"),
    ("1 / (2 + 2 * exp(z))", "sigmoid(-z) / 2"),
    ("1 / (1 + exp(-z)) ** 2", "sigmoid(z) ** 2"),
    ("1 / (1 + 1 / exp(z))", "sigmoid(z)"),
    ("exp(z) / (1 + exp(z))", "sigmoid(z)"),
    ("exp(z) / (exp(z) + 1)", "sigmoid(z)"),
    ("exp(-z) / (1 + exp(-z))", "sigmoid(-z)"),
    ("exp(z) / (1 + exp(z)) ** 2", "sigmoid(z) * sigmoid(-z)"),
    ("exp(-z) / (1 + exp(-z)) ** 2", "sigmoid(z) * sigmoid(-z)"),
    ("z / (1 + exp(-z))", "z * sigmoid(z)"),
    ("1 / (2 + exp(z))", "sigmoid(log(2) - z) / 2"),
    ("exp(z) / (2 + exp(z))", "sigmoid(z - log(2))"),
    ("exp(x) / (1 + 2 * exp(x))", "sigmoid(x + log(2)) / 2"),
    ("log((1 + exp(z)) ** 2 * exp(a))", "2 * softplus(z) + a"),
    ("-log(1 / (1 + exp(-z)))", "-log(sigmoid(z))"),
    ("(exp(z) - exp(-z)) / (exp(z) + exp(-z))", "tanh(z)"),
    ("(exp(-z) - exp(z)) / (exp(z) + exp(-z))", "tanh(-z)"),
    ("(exp(2 * z) - 1) / (exp(2 * z) + 1)", "tanh(z)"),
    ("(1 - exp(-2 * z)) / (1 + exp(-2 * z))", "tanh(z)"),
    ("(1 - exp(-z)) / (1 + exp(-z))", "tanh(z / 2)"),
    ("sum(log(1 + exp(-y * (X @ w))))", "sum(softplus(-y * (X @ w)))"),
    ("exp(X @ w) / (1 + exp(X @ w))", "sigmoid(X @ w)"),
    ("y / (1 + exp(-X @ w))", "y * sigmoid(X @ w)"),
    ("1 / (1 + exp(-Z.T))", "sigmoid(Z.T)"),
    ("log(1 + exp(Z.T))", "softplus(Z.T)"),
    ("log(sum(exp(x)))", "logsumexp(x)"),
    ("log(2 * sum(exp(x)))", "logsumexp(x) + log(2)"),
    ("log(mean(exp(x)))", "logsumexp(x) - log(n)"),
    ("log(1 + sum(exp(x)))", "softplus(logsumexp(x))"),
    ("log(sum(exp(Z)))", "logsumexp(vec(Z))"),
    ("log(sum(exp(Z), axis=1))", "logsumexp(Z, axis=1)"),
    ("log(sum(exp(Z), axis=0))", "logsumexp(Z.T, axis=1)"),
    ("log(exp(Z) @ ones(n))", "logsumexp(Z, axis=1)"),
    ("log(ones(n).T @ exp(x))", "logsumexp(x)"),
    ("exp(x) / sum(exp(x))", "softmax(x)"),
    ("exp(-x) / sum(exp(-x))", "softmax(-x)"),
    ("2 * exp(A @ x) / sum(exp(A @ x))", "2 * softmax(A @ x)"),
    ("exp(Z) / (sum(exp(Z), axis=1) @ ones(n).T)", "softmax(Z, axis=1)"),
    ("exp(Z) / (exp(Z) @ ones(n, n))", "softmax(Z, axis=1)"),
    ("t.T @ exp(x) / sum(exp(x))", "t.T @ softmax(x)"),
    ("V.T @ (exp(x) / sum(exp(x)))", "V.T @ softmax(x)"),
    ("-log(exp(x[0]) / sum(exp(x)))", "logsumexp(x) - x[0]"),
    ("log(det(S))", "logdet(S)"),
]


@pytest.mark.parametrize(("text", "form"), FORMS, ids=lambda item: item)
def test_a_form_is_recognised(text, form):
    found, expected = (parse(t, **SHAPES) for t in (text, form))
    assert found == expected
    # It reads back as itself.
    declared = {symbol.name: symbol for symbol in found.symbols}
    assert parse(str(found), **declared) == found


# What looks alike, and is something else.
OTHERS = [
    "log(1 - exp(z))", "log(-1 - exp(z))", "log(c + exp(z))", "1 / (1 - exp(z))",
    "1 / (c + exp(z))", "1 / (1 + exp(z) + exp(2 * z))", "exp(a) * sigmoid(z)",
    "(exp(z) + exp(-z)) / (exp(z) - exp(-z))", "exp(x) / sum(exp(-x))", "exp(x) / sum(x)",
    "log(det(M))", "1 / (1 + x)", "log(1 + x ** 2)", "log(sum(x))",
]  # fmt: skip


@pytest.mark.parametrize("text", OTHERS)
def test_what_is_not_such_a_form_stays(text):
    found = str(parse(text, **SHAPES))
    for function in ("softplus", "softmax", "tanh", "logsumexp", "logdet"):
        assert function not in found
    assert ("sigmoid" in found) == ("sigmoid" in text)


# Those that NumPy takes as they are.
VALUES = [text for text, _ in FORMS if "exp(Z) /" not in text]
VALUES += [text for text in OTHERS if text != "log(-1 - exp(z))"]


@pytest.mark.parametrize("text", VALUES)
def test_its_value_is_that_of_the_text(text):
    """Against NumPy's value of the text itself, at numbers near 1."""
    import re

    f = parse(text, **SHAPES)
    free = sorted(set(re.findall(r"[A-Za-z_]\w*", text)) & {*SHAPES, "z", "a", "b", "c", "n"})
    rng = np.random.default_rng(3)
    sizes = {"n": 4, "m": 3, "p": 2, "k": 2}
    values = {}
    for name in free:
        if name == "n":
            continue
        shape = SHAPES.get(name, "")
        shape = (
            shape
            if isinstance(shape, tuple)
            else tuple(part for part in shape.partition(":")[0].split(",") if part)
        )
        values[name] = rng.uniform(0.2, 0.9, [sizes[s] for s in shape])
    if "log(1 - exp" in text:
        values["z"] = -values["z"]
    if "t" in values:
        values["t"] /= values["t"].sum()
    for square in {"S", "M"} & values.keys():
        values[square] = values[square] @ values[square].T + np.eye(4)
    names = {
        "log": np.log, "exp": np.exp, "sum": np.sum, "mean": np.mean, "ones": np.ones,
        "det": np.linalg.det, "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "n": 4,
    }  # fmt: skip
    expected = eval(text, {"__builtins__": {}}, {**names, **values})
    given = {s.name: values[s.name] for s in f.known} | ({"n": 4} if "n" in f.size_names else {})
    # Four operations on numbers near 1.
    np.testing.assert_allclose(f.evaluate(**given), expected, rtol=1e-13)
    np.testing.assert_allclose(f.compile()(**given), expected, rtol=1e-13)


# -- tails -----------------------------------------------------------------------------------------

POINTS = [-1000.0, -700.0, -300.0, -40.0, -20.0, -3.0, -0.1, 0.3, 5.0, 20.0, 40.0, 300.0, 1000.0]
# Of each scalar function, the same with fifty digits.
TAILS = {
    "softplus(z)": lambda z: mp.log1p(mp.exp(z)),
    "log(1 + exp(z))": lambda z: mp.log1p(mp.exp(z)),
    "log(1 + exp(-z))": lambda z: mp.log1p(mp.exp(-z)),
    "-log(1 / (1 + exp(-z)))": lambda z: mp.log1p(mp.exp(-z)),
    "log(sigmoid(z))": lambda z: -mp.log1p(mp.exp(-z)),
    "log(1 - sigmoid(z))": lambda z: -mp.log1p(mp.exp(z)),
    "log(1 - 1 / (1 + exp(-z)))": lambda z: -mp.log1p(mp.exp(z)),
    "log(exp(z) / (1 + exp(z)))": lambda z: -mp.log1p(mp.exp(-z)),
    "sigmoid(z)": lambda z: 1 / (1 + mp.exp(-z)),
    "1 / (1 + exp(-z))": lambda z: 1 / (1 + mp.exp(-z)),
    "1 - sigmoid(z)": lambda z: 1 / (1 + mp.exp(z)),
    "sigmoid(z) * (1 - sigmoid(z))": lambda z: mp.exp(z) / (1 + mp.exp(z)) ** 2,
    "1 / (2 + exp(z))": lambda z: 1 / (2 + mp.exp(z)),
    "exp(z) / (2 + exp(z))": lambda z: 1 / (1 + 2 * mp.exp(-z)),
    "tanh(z)": mp.tanh,
    "(exp(z) - exp(-z)) / (exp(z) + exp(-z))": mp.tanh,
    "1 - tanh(z)": lambda z: 2 / (1 + mp.exp(2 * z)),
    "1 - tanh(z) ** 2": lambda z: mp.sech(z) ** 2,
    "4 / (exp(z) + exp(-z)) ** 2": lambda z: mp.sech(z) ** 2,
    "log(exp(z) + exp(-z))": lambda z: mp.log(mp.exp(z) + mp.exp(-z)),
}
# Of three terms the derivatives are differences, whose digits are those of the larger part.
OF_THREE = {
    "log(1 + exp(z) + exp(2 * z))": lambda z: mp.log(1 + mp.exp(z) + mp.exp(2 * z)),
    "exp(z) / (1 + exp(z) + exp(-z))": lambda z: mp.exp(z) / (1 + mp.exp(z) + mp.exp(-z)),
}
# An exponent of up to 2000 is rounded to 1e-13 of it, and its exponential by as much.
DIGITS = 1e-12
SMALLEST = 1e-290  # below, numbers of float64 lose digits


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("text", TAILS)
def test_tails_keep_their_digits(text, order):
    f = parse(text)
    for _ in range(order):
        f = f.gradient("z")
    compiled = f.compile()
    with mp.workdps(1200), warnings.catch_warnings():
        warnings.simplefilter("error")
        for z in POINTS:
            exact = mp.diff(TAILS[text], mpf(z), order, h=mpf(10) ** -200)
            for found in (f.evaluate(z=z), compiled(z=z)):
                if abs(exact) < SMALLEST:
                    assert abs(found) <= 10 * SMALLEST
                else:
                    assert abs(found - exact) <= DIGITS * abs(exact), (z, found, float(exact))


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("text", OF_THREE)
def test_a_sum_of_three_exponentials_does_not_overflow(text, order):
    f = parse(text)
    for _ in range(order):
        f = f.gradient("z")
    compiled = f.compile()
    with mp.workdps(1200):
        for z in POINTS:
            exact = mp.diff(OF_THREE[text], mpf(z), order, h=mpf(10) ** -200)
            for found in (f.evaluate(z=z), compiled(z=z)):
                assert abs(found - exact) <= DIGITS * max(1, abs(exact)), (z, found, float(exact))


@pytest.mark.parametrize("margin", [-1000.0, 1000.0])
def test_the_logistic_loss_as_people_write_it(margin):
    f = parse("sum(log(1 + exp(-y * (X @ w))))", **SHAPES)
    G, H = f.gradient("w"), f.hessian("w")
    assert repr(G) == "−Xᵀ(y ∘ σ(−y ∘ Xw))"
    X, y = np.array([[1.0, 0.5], [2.0, -1.0], [0.1, 0.3]]), np.array([1.0, -1.0, 1.0])
    w = np.linalg.lstsq(X[:2], np.array([margin, 1.0]), rcond=None)[0]
    slopes = 1 / (1 + np.exp(np.clip(y * (X @ w), -700, 700)))
    for expression, expected in (
        (G, -X.T @ (y * slopes)),
        (H, X.T @ np.diag(slopes * (1 - slopes)) @ X),
    ):
        given = {"X": X, "w": w, "y": y}
        np.testing.assert_allclose(expression.evaluate(**given), expected, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(expression.compile()(**given), expected, rtol=1e-12, atol=1e-15)
    assert f.derivation("w", order=2).check() < 1e-9


def test_a_determinant_under_a_logarithm():
    f = parse("log(det(M))", **SHAPES)
    large = 100 * np.eye(300)
    assert f.evaluate(M=large) == pytest.approx(300 * np.log(100), rel=1e-14)
    assert f.compile()(M=large) == pytest.approx(300 * np.log(100), rel=1e-14)
    negative = np.diag([-1.0, 1.0])
    with pytest.raises(EvaluationError, match="logdet"):
        f.evaluate(M=negative)
    with pytest.raises(EvaluationError, match="logdet"):
        f.compile()(M=negative)
    g = parse("log(det(M) ** 2) + log(2 * det(M) * det(M.T))", **SHAPES)
    assert g.evaluate(M=2 * negative) == pytest.approx(2 * np.log(16) + np.log(2), rel=1e-13)


@pytest.mark.parametrize(("text", "form"), FORMS, ids=lambda item: item)
def test_derivatives_of_a_form_are_those_of_the_complex_step(text, form):
    f = parse(text, **SHAPES)
    for symbol in f.symbols:
        # Differences leave about half of sixteen digits.
        assert f.check(symbol) < 1e-7
    if f.is_scalar and f.symbols:
        assert f.derivation(f.symbols[0]).check() < 1e-9


def test_high_precision_needs_no_stable_form():
    """The plain walk in fifty digits agrees with the stable one in float64."""
    for text, _ in FORMS:
        f: Expression = parse(text, **SHAPES)
        values, sizes = random_instance([f])
        plain = walk(f, values, sizes)
        exact = high_precision.value(
            f, {s: high_precision.exactly(v) for s, v in values.items()}, sizes
        )
        # Conditions up to 1e3.
        assert np.max(np.abs(plain - exact.astype(float))) <= 1e-10 * max(1, np.abs(plain).max())


@pytest.mark.parametrize("x", [-400.0, -1.5, 0.0, 1.3, 30.0, 350.0, 400.0, 700.0])
@pytest.mark.parametrize(
    "text", ["exp(x)/sqrt(1+exp(2*x))", "exp(-x)*sqrt(sigmoid(x))", "sqrt(1+exp(x))*exp(-x)"]
)
def test_a_root_of_a_sigmoid_beside_an_exponential(text, x):
    """σ is 0 in float64 where its root is not, and the product is 1."""
    f = parse(text, x="scalar")
    for e in (f, f.gradient("x")):
        exact = float(e.evaluate(x=x, digits=40))
        # The exponent is a sum of a few numbers below 1100, whose rounding is 2e-13.
        for found in (e.evaluate(x=x), e.compile()(x=x)):
            assert abs(float(found) - exact) <= 1e-12 * abs(exact) + 1e-290
