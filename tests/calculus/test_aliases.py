"""What people type in other languages: ``'``, ``^``, ``^T``, tr, dot, outer, transpose, pi, e."""

import math
import pickle
import re
import string

import numpy as np
import pytest

import mcmodels.calculus as mc
from mcmodels.calculus import (
    DerivativeError,
    ParseError,
    ShapeError,
    matrix,
    parse,
    scalar,
    vector,
)
from mcmodels.calculus.core.named_numbers import NAMED_NUMBERS, exact
from mcmodels.calculus.core.signatures import SIGNATURES
from mcmodels.calculus.text import hints
from mcmodels.calculus.text.aliases import ALIASES
from mcmodels.calculus.text.declarations import declaration
from mcmodels.calculus.text.shape_inference import infer_symbols

SHAPES = {"x": "n", "y": "n", "A": "n,n", "B": "m,n", "b": "m", "c": "scalar", "R": "1,n"}


def read(text, **shapes):
    return parse(text, **{**SHAPES, **shapes})


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("x'", "x.T"),
        ("x' @ A @ x", "x.T @ A @ x"),
        ("x'@A'@x", "x.T @ A.T @ x"),
        ("x''", "x"),
        ("(A + A')'", "A.T + A"),
        ("x[0]'", "x[0]"),
        ("exp(x)' @ y", "exp(x).T @ y"),
        ("x.T'", "x"),
        ("x'^2", "x.T ** 2"),
        ("x'  @ x", "x.T @ x"),
        ("  x' @ x", "x.T @ x"),
        ("x' +\n y'", "x.T + y.T"),
        ("c^2", "c ** 2"),
        ("x^2", "x ** 2"),
        ("B^2", "B ** 2"),
        ("-x^2", "-(x ** 2)"),
        ("x^-1", "1 / x"),
        ("c^2^3", "c ** 8"),
        ("c**2^3", "c ** 8"),
        ("(x' @ x)^(1/2)", "sqrt(x.T @ x)"),
        ("(x' @ x)^c", "(x.T @ x) ** c"),
        ("2^c", "2 ** c"),
        ("x^c", "x ** c"),
        ("x^T", "x.T"),
        ("x^T @ A^T @ x", "x.T @ A.T @ x"),
        ("(A @ x)^T @ y", "(A @ x).T @ y"),
        ("x ^ T @ x", "x.T @ x"),
        ("(x^T)^T", "x"),
        ("A^-T @ x", "inv(A).T @ x"),
        ("x^T @ A^-T @ x", "x.T @ inv(A).T @ x"),
        ("sum((A^T @ x)^2)", "sum((A.T @ x) ** 2)"),
        ("x^2" + " + x" * 600, "x ** 2 + 600 * x"),
        ("x'" + " + x'" * 600, "601 * x.T"),
        ("-x^T @ y", "-x.T @ y"),
        ("tr(A)", "trace(A)"),
        ("tr(A' @ A)", "trace(A.T @ A)"),
        ("transpose(B) @ b", "B.T @ b"),
        ("T(B) @ b", "B.T @ b"),
        ("dot(x, y)", "x.T @ y"),
        ("dot(x.T, y)", "x.T @ y"),
        ("dot(B, x)", "B @ x"),
        ("dot(b, B)", "B.T @ b"),
        ("dot(A, A)", "A @ A"),
        ("dot(dot(x, A), y)", "x.T @ A @ y"),
        ("dot(x, dot(A, y))", "x.T @ A @ y"),
        ("dot(c, x)", "c * x"),
        ("dot(x, 2)", "2 * x"),
        ("outer(b, x)", "b @ x.T"),
        ("outer(x, x) @ y", "x @ x.T @ y"),
        ("e**c", "exp(c)"),
        ("e^(-x)", "exp(-x)"),
        ("log(e)", "log(e)"),
    ],
)
def test_typed_otherwise_it_means_the_same(typed, means):
    expected = read(means)
    assert read(typed) == expected
    assert parse(str(expected), **SHAPES) == expected
    declared = {name: declaration(name, SHAPES[name]) for name in SHAPES if _is_in(name, typed)}
    assert parse(typed, **infer_symbols(typed, declared)) == expected


def _is_in(name, text):
    return re.search(rf"\b{name}\b", text) is not None


class TestInference:
    """The shell reads the same; sizes follow from the aliases as from what they stand for."""

    @pytest.mark.parametrize(
        ("typed", "means"),
        [
            ("tr(A @ B)", "trace(A @ B)"),
            ("norm(T - U @ V')^2", "norm(T - U @ V.T)**2"),
            ("norm(T - U @ V^T)^2", "norm(T - U @ V.T)**2"),
            ("x^T @ A @ x", "x.T @ A @ x"),
            ("dot(x, dot(A, x))", "x.T @ A @ x"),
            ("sum(A * outer(u, v))", "sum(A * (u @ v.T))"),
            ("tr(transpose(X) @ A @ X)", "trace(X.T @ A @ X)"),
        ],
    )
    def test_shapes(self, typed, means):
        assert infer_symbols(typed, {}) == infer_symbols(means, {})

    def test_t_is_a_transpose_unless_it_is_a_scalar(self):
        assert read("x^T", T="scalar") == vector("x", "n") ** scalar("T")
        assert read("x^T @ T", T="n,k") == read("x.T @ T", T="n,k")


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("A^2", r"column 1: \^ of a square matrix .* write matrix_power\(A, 2\)"),
            ("x' @ A^-1 @ x", r"column 6: .*write inv\(A\) for the inverse"),
            ("(A @ A)^c", "may mean two things"),
            ("x^A", "an exponent must be a scalar"),
            ("x^y", "an exponent must be a scalar"),
            ("tr(A, A)", "tr takes 1, found 2 arguments"),
            ("dot(x)", "dot takes 2, found 1 arguments"),
            ("dot(x, y, axis=0)", "dot takes no argument by name"),
            ("x' A x", "expected [*] or @ before 'A'"),
        ],
    )
    def test_say_where_and_what_to_write(self, text, message):
        with pytest.raises(ParseError, match=message):
            read(text)

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda x, y, A, B: mc.dot(x, y), "dot needs as many entries .* outer"),
            (lambda x, y, A, B: mc.dot(A, B), "dot needs as many columns"),
            (lambda x, y, A, B: mc.outer(A, x), "outer takes two vectors; found n×n"),
            (lambda x, y, A, B: mc.tr(B), "trace needs a square matrix"),
        ],
    )
    def test_of_functions(self, make, message):
        x, y = vector("x", "n"), vector("y", "m")
        with pytest.raises(ShapeError, match=message):
            make(x, y, matrix("A", "n", "n"), matrix("B", "m", "n"))

    @pytest.mark.parametrize("text", ["outer(A, x)", "tr(B)", "dot(B, b)", "dot(x, b)"])
    def test_of_shapes(self, text):
        with pytest.raises(ShapeError):
            read(text)
        names = [name for name in SHAPES if _is_in(name, text)]
        with pytest.raises(ShapeError):
            infer_symbols(text, {name: declaration(name, SHAPES[name]) for name in names})

    def test_a_caret_in_python(self):
        with pytest.raises(TypeError, match=r"write \*\* for a power"):
            vector("x", "n") ^ 2


class TestFunctions:
    """Python has the same functions; they give what NumPy's of that name give."""

    rng = np.random.default_rng(0)
    values = {"x": rng.standard_normal(3), "y": rng.standard_normal(3)}
    values |= {"A": rng.standard_normal((3, 3)), "B": rng.standard_normal((2, 3))}

    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            ("dot", "xy"), ("dot", "xA"), ("dot", "Ax"), ("dot", "BA"), ("dot", "Bx"),
            ("outer", "xy"), ("transpose", "B"),
        ],
    )  # fmt: skip
    def test_as_numpy(self, name, arguments):
        symbols = {"x": vector("x", "n"), "y": vector("y", "n")}
        symbols |= {"A": matrix("A", "n", "n"), "B": matrix("B", "m", "n")}
        found = getattr(mc, name)(*(symbols[letter] for letter in arguments))
        given = {letter: self.values[letter] for letter in set(arguments)}
        expected = getattr(np, name)(*(self.values[letter] for letter in arguments))
        # Sums of 3 products, each rounded to 2e-16.
        np.testing.assert_allclose(found.evaluate(**given), expected, rtol=1e-13, atol=1e-15)
        assert parse(f"{name}({', '.join(arguments)})", **symbols) == found

    def test_none_of_the_names_is_reserved(self):
        for name in filter(str.isidentifier, ALIASES):
            assert parse(f"2 * {name}", **{name: "n"}) == 2 * vector(name, "n")
        with pytest.raises(ParseError, match="'dot' is no function"):
            parse("dot(x, x)", dot="n", x="n")


def test_places_are_those_of_the_text_as_typed():
    """Of every node that is refused, however many signs are rewritten before it."""
    for prefix in ("", "x' @ x + ", "c^2 + ", "é' @ é + ", " c ^ 2 + x''' @ x^2 +  "):
        with pytest.raises(ParseError) as caught:
            read(f"{prefix}foo(x)", é="n")
        assert caught.value.column == len(prefix) + 1


class TestNamedNumbers:
    def test_printed_and_read(self):
        c = scalar("c")
        f = 2 * mc.pi * c
        assert repr(f) == "2πc"
        assert f.latex() == r"2 \pi c"
        assert parse(str(f)) == f
        assert pickle.loads(pickle.dumps(f)) == f
        assert parse("log(2*pi)") == mc.log(2 * mc.pi)

    def test_derivative(self):
        r = scalar("r")
        assert parse("pi * r**2").gradient("r") == 2 * mc.pi * r
        assert parse("e ** r").gradient("r") == mc.exp(r)
        assert mc.pi.symbols == ()

    @pytest.mark.parametrize(("name", "value"), [("pi", math.pi), ("e", math.e)])
    def test_value(self, name, value):
        f = NAMED_NUMBERS[name] * vector("x", "n")
        assert (f.evaluate(x=[1.0, 2.0]) == np.array([value, 2 * value])).all()
        assert (f.compile()(x=np.array([1.0, 2.0])) == np.array([value, 2 * value])).all()

    @pytest.mark.parametrize("name", ["pi", "e"])
    def test_a_thousand_digits(self, name):
        mpmath = pytest.importorskip("mpmath")
        with mpmath.workdps(1000):
            number = exact(name)
            error = mpmath.mpf(number.numerator) / number.denominator - getattr(mpmath, name)
            assert abs(error) < mpmath.mpf(10) ** -998  # mpmath's own last digits

    def test_a_symbol_of_that_name_is_the_symbol(self):
        x = vector("x", "n")
        assert parse("pi * x", pi="scalar", x=x) == scalar("pi") * x
        both = mc.pi * scalar("pi")
        assert parse(str(both), pi="scalar").evaluate(pi=1.0) == math.pi
        with pytest.raises(DerivativeError, match=r"'pi' is a number .* declare pi='scalar'"):
            parse("pi * c").gradient("pi")

    def test_in_the_shell_a_vector_of_that_name_is_a_vector(self):
        assert infer_symbols("pi.T @ log(x)", {})["pi"].shape == ("n",)
        assert infer_symbols("e.T @ e", {})["e"].shape == ("n",)
        assert "pi" not in infer_symbols("pi * x.T @ x", {})


class TestHints:
    def test_each_names_what_can_be_read(self):
        """Of every suggestion: it parses, with its letters declared."""
        shapes = {
            **dict.fromkeys("abptxyz", "n"),
            **dict.fromkeys(string.ascii_uppercase, "n,n"),
            "S": "n,n:symmetric",
            "p": "scalar",
        }
        for name, options in hints._INSTEAD.items():
            assert name not in SIGNATURES, f"{name} exists, and needs no hint"
            for option in options:
                text = option.split(" for ")[0]
                if text == "sum(f, i)":
                    continue
                if all(f in SIGNATURES or f in ALIASES for f in re.findall(r"(\w+)\(", text)):
                    parse(text, **shapes)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("max(x, 0)", r"maximum\(a, b\) for the larger of two"),
            ("square(x)", r"write x \*\* 2"),
            ("ln(c)", r"write log\(x\)"),
            ("matmul(A, x)", "write A @ B"),
            ("Tr(A)", r"write tr\("),
            ("EXP(x)", r"write exp\("),
            ("x.sum", r"write sum\("),
            ("A.mean", r"write mean\("),
            ("A.inverse()", r"write inv\("),
            ("torch.relu", r"write relu\("),
            ("np.hstack([x, x])", r"write vstack\(\[x, y\]\) for vectors"),
            ("concat([x, x])", r"write vstack\(\[x, y\]\) for vectors"),
            ("[A; A]", r"write vstack\(\[A, B\]\)"),
            ("Sum(x, (i, 0, n))", r"write sum\(f, i\) for a sum over the index i"),
            ("logsumexp(A, A)", r"along an axis write logsumexp\(X, axis=1\)"),
            ("x.t()", r"write \.T"),
        ],
    )
    def test_name_the_right_thing(self, text, message):
        with pytest.raises(ParseError, match=message):
            read(text)

    def test_the_identity(self):
        with pytest.raises(ParseError, match=r"write eye\(n\) for the identity"):
            read("A + I")


class TestProductsMeant:
    """``x.T * A * x`` is an elementwise matrix, and a gradient of it says what was meant."""

    n_ones = mc.ones("n")
    x, A = vector("x", "n"), matrix("A", "n", "n")

    @pytest.mark.parametrize(
        "f",
        [
            (n_ones @ x.T) * A * (x @ n_ones.T),
            mc.diag(x) @ A @ mc.diag(x),
            2 * (n_ones @ x.T) * A * (x @ n_ones.T) + A,
        ],
    )
    def test_the_quadratic_form_is_named(self, f):
        with pytest.raises(DerivativeError, match=r"x\.T @ A @ x is the quadratic form"):
            f.gradient(self.x)
        with pytest.raises(DerivativeError, match="is the quadratic form"):
            f.hessian(self.x)

    def test_any_other_product(self):
        with pytest.raises(DerivativeError, match="write @ where a matrix product is meant"):
            (self.x * self.x * mc.exp(self.x)).gradient(self.x)
        with pytest.raises(DerivativeError) as caught:
            (self.A @ self.x).gradient(self.x)
        assert "entry by entry" not in str(caught.value)

    def test_shapes_that_fit_a_matrix_product(self):
        B = matrix("B", "m", "n")
        for make in (lambda: B.T * B, lambda: parse("B.T * B", B=B)):
            with pytest.raises(ShapeError, match="write @ for the matrix product"):
                make()
        with pytest.raises(ShapeError) as caught:
            B * matrix("C", "k", "n")
        assert "@" not in str(caught.value)
