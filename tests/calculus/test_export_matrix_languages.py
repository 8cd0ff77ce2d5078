"""Julia, MATLAB and R: read back by a reader of their grammar, and compared with `evaluate`."""

import numpy as np
import pytest
from hypothesis import assume, given

from mcmodels.calculus import matrix, scalar, sum, vector
from mcmodels.calculus.compute.evaluate import EvaluationError, walk
from mcmodels.calculus.compute.export.writing import UnsupportedFunctionError, arguments_of
from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.elementwise import FUNCTIONS
from mcmodels.calculus.derive.rule import DerivativeError
from mcmodels.calculus.study.instances import random_instance
from tests.calculus import matrix_languages
from tests.calculus.domains import inside
from tests.calculus.expressions import expressions, scalar_expressions
from tests.calculus.function_cases import FUNCTION_CASES, a, x, y
from tests.calculus.points import as_user_gives
from tests.calculus.test_export_python import USUAL
from tests.calculus.test_properties import deterministic, problems

LANGUAGES = ["julia", "matlab", "r"]
X, w = matrix("X", "n", "p"), vector("w", "p")
A = matrix("A", "n", "n")


def value(expression, language, by_name):
    """By the exported code, in the shape of the expression."""
    code = expression.code(language)
    given_values = []
    for name in arguments_of(expression):
        found = by_name[name]
        if language == "matlab" and np.ndim(found) == 1:
            found = np.reshape(found, (-1, 1))
        given_values.append(found)
    found = matrix_languages.run(code, language, given_values)
    if language == "matlab" and expression.is_column and not expression.is_scalar:
        assert np.ndim(found) == 2
        found = found[:, 0]
    if language == "matlab" and expression.is_scalar:
        found = np.reshape(found, ())
    return found


def require_same(expression, language, by_name, expected, tolerance):
    found = value(expression, language, by_name)
    assert np.shape(found) == np.shape(expected)
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * scale)


def same(expression, language):
    values, sizes = random_instance([expression])
    by_name = {s.name: as_user_gives(s, array) for s, array in values.items()} | sizes
    expected = as_user_gives(expression, walk(expression, values, sizes))
    # The same formula in another order, with condition numbers below 1e3.
    require_same(expression, language, by_name, expected, 1e-12)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("f", "by"), USUAL, ids=lambda v: str(v)[:40])
def test_usual_functions_with_gradients_and_hessians(f, by, language):
    for expression in (f, f.gradient(by), f.hessian(by)):
        same(expression, language)


LACKING = {
    "julia": [],
    "matlab": [],
    "r": ["expm", "sqrtm", "logm", "inverse_mills_gap"],
}
CASES = [
    *(getattr(mc, name)(inside(name, z)) for name in FUNCTIONS for z in (a, x * y)),
    *(case for cases in FUNCTION_CASES.values() for case in cases),
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("f", CASES, ids=str)
def test_every_function_or_a_refusal_that_names_it(f, language):
    lacking = [name for name in LACKING[language] if f"{name}(" in str(f)]
    if lacking:
        with pytest.raises(UnsupportedFunctionError, match=f"has no {lacking[0]}"):
            f.code(language)
    else:
        same(f, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_random_expressions(language):
    @deterministic
    @given(problems(expressions()))
    def check(problem):
        compared(problem[0], problem[2], language)

    check()


@pytest.mark.parametrize("language", LANGUAGES)
def test_gradients_of_random_expressions(language):
    @deterministic
    @given(problems(scalar_expressions()))
    def check(problem):
        f, symbol, point = problem
        try:
            gradient = f.gradient(symbol)
        except DerivativeError:
            assume(False)
        compared(gradient, point, language)

    check()


def compared(expression, point, language):
    arguments = point.arguments(expression)
    try:
        expected = expression.evaluate(**arguments)
        expression.code(language)
    except (EvaluationError, UnsupportedFunctionError):
        assume(False)
    # Parts are below 1e3 with condition numbers below 1e3: 1e-10 of rounding, of a few parts 1e-9.
    with np.errstate(all="ignore"):
        require_same(expression, language, arguments | point.sizes, expected, 1e-9)


@pytest.mark.parametrize("name", ["expm", "logm", "sqrtm"])
def test_functions_of_matrices_of_any_name_load_linear_algebra_in_julia(name):
    text = getattr(mc, name)(mc.matrix("M", "n", "n")).code("julia")
    assert text.startswith("using LinearAlgebra\n")
    assert f"{name}(A) = " in text
    assert f"return {name}(M)" in text


def test_the_code_is_what_one_would_write():
    loss = sum(mc.softplus(X @ w)) - x.T @ X @ w
    gradient = loss.gradient(w)
    assert gradient.code("julia") == (
        "sigmoid(z) = 1 / (1 + exp(-z))\n\n"
        "function f(X, w, x)\n"
        "    w = reshape(w, :, 1)\n"
        "    x = reshape(x, :, 1)\n"
        "    return vec(X' * (sigmoid.(X * w) - x))\n"
        "end\n"
    )
    assert gradient.code("matlab") == (
        "function result = f(X, w, x)\n"
        "    w = w(:);\n"
        "    x = x(:);\n"
        "    result = X' * (sigmoid(X * w) - x);\n"
        "end\n\n"
        "function y = sigmoid(z)\n"
        "    y = 1 ./ (1 + exp(-z));\n"
        "end\n"
    )
    assert gradient.code("r") == (
        "f <- function(X, w, x) {\n"
        "    w <- as.matrix(w)\n"
        "    x <- as.matrix(x)\n"
        "    c(t(X) %*% (plogis(X %*% w) - x))\n"
        "}\n"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_that_a_language_reserves_or_cannot_read(language):
    names = ["end", "t", "c", "repeat", "θ", "_u", "I", "nrow", "zeros_", "result"]
    f = sum(vector("v", "n"))
    for name in names:
        f = f + sum(vector(name, "n") ** 2) * scalar(f"{name}2")
    by_name = {name: np.arange(3.0) for name in [*names, "v"]} | {f"{n}2": 0.5 for n in names}
    require_same(f, language, by_name, f.evaluate(**by_name), 1e-12)
    if language == "matlab":
        assert "theta" in f.code("matlab")
        assert f.code("matlab").isascii()


PLANTED = [
    ("julia", "X' * (", "X * ("),
    ("julia", "sigmoid.(", "exp.("),
    ("julia", "vec(", "sum("),
    ("matlab", " - x", " + x"),
    ("matlab", "X * w", "X .* w"),
    ("r", "%*% (", "* ("),
    ("r", "plogis", "pnorm"),
]


@pytest.mark.parametrize(("language", "old", "new"), PLANTED)
def test_a_planted_error_is_caught(language, old, new):
    gradient = (sum(mc.softplus(X @ w)) - x.T @ X @ w).gradient(w)
    rng = np.random.default_rng(0)
    values = [rng.standard_normal((4, 2)), rng.standard_normal(2), rng.standard_normal(4)]
    expected = gradient.evaluate(**dict(zip(["X", "w", "x"], values, strict=True)))
    code = gradient.code(language)
    assert old in code
    if language == "matlab":
        values[1:] = [v.reshape(-1, 1) for v in values[1:]]
    try:
        found = matrix_languages.run(code.replace(old, new), language, values)
    except (matrix_languages.LanguageError, ValueError):
        return
    assert np.shape(found) != np.shape(expected) or np.abs(found - expected).max() > 1e-3


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("julia", "-2^2", -4),
        ("matlab", "-2^2", -4),
        ("r", "-2^2", -4),
        ("r", "2^-1", 0.5),
        ("julia", "2^3^2", 512),
        ("matlab", "2^3^2", 64),
        ("matlab", "8 / 4 * 2", 4),
    ],
)
def test_the_reader_knows_the_precedence_of_operators(language, text, expected):
    assert matrix_languages.Reader(text, language, {}, {}).whole() == expected
