"""Slices and blocks: values as NumPy has them, derivatives, texts, and what is refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from mcmodels.calculus.compute.evaluate import EvaluationError
from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.functions import block, hstack, matrix, vector, vstack
from mcmodels.calculus.core.sizes import ShapeError, Size
from mcmodels.calculus.text.declarations import declaration
from mcmodels.calculus.text.parsing import ParseError, parse
from mcmodels.calculus.text.shape_inference import infer_symbols

x, y = vector("x", "n"), vector("y", "n")
A, B = matrix("A", "m", "n"), matrix("B", "m", "p")
C, D = matrix("C", "q", "n"), matrix("D", "q", "p")
SYMBOLS = {symbol.name: symbol for symbol in (x, y, A, B, C, D)}

_RNG = np.random.default_rng(1)
VALUES = {
    "x": _RNG.standard_normal(5),
    "y": _RNG.standard_normal(5),
    "A": _RNG.standard_normal((4, 5)),
    "B": _RNG.standard_normal((4, 3)),
    "C": _RNG.standard_normal((2, 5)),
    "D": _RNG.standard_normal((2, 3)),
}
NUMPY = {"np": np, "n": 5, **VALUES}

TEXTS = [
    ("x[1:]", "x[1:]"),
    ("x[1:] - x[:-1]", "np.diff(x)"),
    ("x[2:] - 2 * x[1:-1] + x[:-2]", "np.diff(x, 2)"),
    ("x[2:4] * x[:2]", "x[2:4] * x[:2]"),
    ("x[-2:]", "x[-2:]"),
    ("x[n-2:]", "x[-2:]"),
    ("x[1:][0] * x[:-1][-1]", "x[1] * x[-2]"),
    ("A[1:, :2]", "A[1:, :2]"),
    ("A[:, -2:] @ x[-2:]", "A[:, -2:] @ x[-2:]"),
    ("A[1:2, :]", "A[1:2, :]"),
    ("A[1:, 0]", "A[1:, 0]"),
    ("A[0, 1:]", "A[0, 1:]"),
    ("exp(A)[1:, 1:]", "np.exp(A)[1:, 1:]"),
    ("(A @ x)[1:]", "(A @ x)[1:]"),
    ("(x @ y.T)[1:, :-1]", "np.outer(x, y)[1:, :-1]"),
    ("A[:, 1:] - A[:, :-1]", "np.diff(A, axis=1)"),
    ("A[1:, :].T @ A[:-1, :]", "A[1:].T @ A[:-1]"),
    ("A[1:]", "A[1:]"),
    ("A[1:] - A[:-1]", "np.diff(A, axis=0)"),
    ("A[0] * x", "A[0] * x"),
    ("A[-1].T @ A[:2].T", "A[-1:] @ A[:2].T"),
    ("hstack([A, B])", "np.hstack([A, B])"),
    ("vstack((A, C))", "np.vstack([A, C])"),
    ("block([[A, B], [C, D]])", "np.block([[A, B], [C, D]])"),
    ("hstack([x, y])", "np.column_stack([x, y])"),
    ("vstack([x, y])", "np.concatenate([x, y])"),
    ("vstack([x, 1])", "np.append(x, 1)"),
    ("vstack([x.T, A])", "np.vstack([x, A])"),
    ("hstack([A, ones(m)])", "np.column_stack([A, np.ones(4)])"),
    ("hstack([A, B]) @ vstack([x, B[0, :]])", "A @ x + B @ B[0]"),
    ("hstack([A, B]).T @ (A @ x)", "np.hstack([A, B]).T @ (A @ x)"),
    ("block([[A, B], [C, D]])[m:, :n]", "C"),
    ("vstack([A, C])[1:, :]", "np.vstack([A, C])[1:]"),
    ("x[1:] * (2 - x[:n-1])", "x[1:] * (2 - x[:-1])"),
]


@pytest.mark.parametrize(("text", "numpy"), TEXTS, ids=[text for text, _ in TEXTS])
class TestEveryText:
    def test_value(self, text, numpy):
        f = parse(text, **SYMBOLS)
        expected = eval(numpy, NUMPY)
        given = {symbol.name: VALUES[symbol.name] for symbol in f.known}
        assert np.shape(f.evaluate(**given)) == np.shape(expected)
        # Rounding in sums of five numbers of size 1 to 20.
        np.testing.assert_allclose(f.evaluate(**given), expected, rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(f.compile()(**given), expected, rtol=1e-13, atol=1e-13)

    def test_is_written_and_read_back(self, text, numpy):
        f = parse(text, **SYMBOLS)
        assert parse(str(f), **SYMBOLS) == f
        assert pickle.loads(pickle.dumps(f)) == f
        assert f.T.T == f

    def test_derivatives(self, text, numpy):
        f = parse(f"sum(sin({text}) * ({text}))", **SYMBOLS)
        for symbol in f.symbols:
            G, H = f.gradient(symbol), f.hessian(symbol)
            # Differences are good for 1e-10 here.
            assert f.check(symbol) < 1e-8
            assert G.check(symbol) < 1e-8
            assert f.derivation(symbol, order=2).check() < 1e-9
            given = {s.name: VALUES[s.name] for s in G.known}
            for made in (G, H):
                assert parse(str(made), **SYMBOLS) == made
                value = made.evaluate(**given)
                # Sums of products in another order.
                np.testing.assert_allclose(made.compile()(**given), value, rtol=1e-11, atol=1e-11)


_S, _Z = matrix("S", "n", "n", symmetric=True), matrix("Z", "q", "q", symmetric=True)
GRID = block([[_S, C.T], [C, _Z]])


@pytest.mark.parametrize(
    ("expression", "simpler"),
    [
        (vstack([x, y])[:"n"], x),
        (vstack([x, y])["n":], y),
        (hstack([A, B])[:, "n":], B),
        (vstack([A, C])["m":"m+q", :], C),
        (x[1:][1:], x[2:]),
        (x[1:][:-1], x[1:-1]),
        (hstack([A, B]).T, vstack([A.T, B.T])),
        (vstack([vstack([x, y]), x]), vstack([x, y, x])),
        (block([[A, B], [C, D]]), vstack([hstack([A, B]), hstack([C, D])])),
        (hstack([A, B]) @ hstack([A, B]).T, A @ A.T + B @ B.T),
        (vstack([mc.zeros("n"), mc.zeros("n")]), mc.zeros("2*n")),
        (x[:], x),
        (hstack([vstack([A, C]), vstack([B, D])]), block([[A, B], [C, D]])),
        (GRID.T, GRID),
        (mc.inv(GRID).T, mc.inv(GRID)),
        (mc.sum(x[1:] * 0 + 1), mc.size("n") - 1),
    ],
    ids=str,
)
def test_what_is_the_same_is_written_alike(expression, simpler):
    assert expression == simpler


def test_steps_and_latex():
    smooth = mc.norm(x[1:] - x[:-1]) ** 2
    assert repr(smooth) == "‖x[1:] − x[:−1]‖²"
    assert hstack([A, B]).latex() == r"\begin{bmatrix} A & B \end{bmatrix}"
    assert block([[A, B], [C, D]]).latex() == r"\begin{bmatrix} A & B \\ C & D \end{bmatrix}"
    assert "(dx)[1:]" in str(smooth.derivation(x))
    assert repr(x[1:].T @ y[1:]) == "x[1:]ᵀ y[1:]"
    assert repr(A[1:, :2].T) == "A[1:,:2]ᵀ"
    assert repr(hstack([mc.ones("m"), A]).T) == "[1ₘ, A]ᵀ"
    assert str(hstack([mc.ones("m"), A]).T) == "hstack([ones(m), A]).T"


REFUSED = {
    "step": (lambda: x[::2], ["step 2"]),
    "empty": (lambda: x[3:3], ["takes nothing"]),
    "backwards": (lambda: x[-1:-3], ["takes nothing"]),
    "beyond": (lambda: vector("z", 3)[1:5], ["from 1 to 5", "3"]),
    "fraction": (lambda: x[0.5:], ["bound of a slice", "0.5"]),
    "one slice of a row": (lambda: x.T[1:], ["a row by two", "X[1:, :]", "found x.T[1:]"]),
    "a scalar": (lambda: mc.scalar("a")[1:], ["a scalar has no entries"]),
    "rows of blocks": (lambda: hstack([A, C]), ["equally many rows", "m×n (A)", "q×n (C)"]),
    "columns of blocks": (lambda: vstack([A, B]), ["equally many columns", "m×n (A)"]),
    "no list": (lambda: hstack(A), ["hstack takes a list", "hstack([A, B])"]),
    "no blocks": (lambda: vstack([]), ["vstack takes at least one"]),
    "no grid": (lambda: block([A, B]), ["list of lists"]),
    "columns of a grid": (lambda: block([[A, B], [C]]), ["equally many columns", "(n + p)"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    build, words = REFUSED[name]
    with pytest.raises(ShapeError) as caught:
        build()
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("x[::2]", "no step"),
        ("x[:]", "x\\[i:j\\]"),
        ("hstack(A, B)", "hstack takes 1"),
        ("hstack(A)", "takes a list"),
        ("block([A, B])", "takes a list"),
        ("vstack([])", "takes a list|no expression"),
        ("eye(n/2.5)", "a size is"),
        ("eye(1-2)", "at least 1"),
    ],
)
def test_texts_that_are_refused(text, word):
    with pytest.raises((ParseError, ShapeError), match=word):
        parse(text, **SYMBOLS)


def test_a_slice_that_is_not_there_is_refused_with_the_values():
    for run in (x[5:].evaluate, x[5:].compile()):
        with pytest.raises((ShapeError, EvaluationError), match="from 5 to 5 is outside 5"):
            run(x=VALUES["x"])


def test_a_slice_is_taken_without_a_matrix():
    many = np.arange(200_000.0)  # a matrix of that size squared would be 320 GB
    f = mc.sum((x[1:] - x[:-1]) ** 2)
    assert f.evaluate(x=many) == f.compile()(x=many) == many.size - 1
    G = f.gradient(x)
    ends = np.zeros_like(many)
    ends[[0, -1]] = -2, 2
    np.testing.assert_array_equal(G.compile()(x=many), ends)


def test_the_result_of_a_slice_is_its_own():
    value = np.arange(5.0)
    for taken in (x[1:].evaluate(x=value), x[1:].compile()(x=value)):
        taken[:] = 0
    assert value[1] == 1


class TestSizes:
    @pytest.mark.parametrize(
        ("text", "written"),
        [("n-1", "n - 1"), ("p + m", "m + p"), ("n*(n+1)/2", "(n*n + n)/2"), ("2*n-n", "n"),
         ("1+m*n", "m*n + 1"), ("n+1-1", "n")],
    )  # fmt: skip
    def test_sums(self, text, written):
        assert str(Size.of(text)) == written
        assert Size.of(written) == Size.of(text)

    @pytest.mark.parametrize("text", ["n/m", "n**2", "n-n", "f(n)", "n+", "1/2", "n if m else p"])
    def test_refused(self, text):
        with pytest.raises(ShapeError):
            Size.of(text)

    def test_division(self):
        n, m = Size.of("n"), Size.of("m")
        assert (n * m - m).divided_by(m) == n - Size(1)
        assert (n * n - Size(1)).divided_by(n - Size(1)) == n + Size(1)
        assert (n + Size(1)).divided_by(m) is None
        assert Size.of("n*(n+1)/2").value({"n": 4}) == 10

    def test_a_vector_of_such_a_size(self):
        z = vector("z", "n-1")
        f = z.T @ (x[1:] - x[:-1])
        assert f.gradient(z) == x[1:] - x[:-1]
        assert f.check(z) < 1e-9
        assert f.evaluate(x=[1, 2, 4], z=[1, 1]) == 3


@pytest.mark.parametrize(
    ("text", "declared", "expected"),
    [
        ("x[1:] - x[:-1]", {}, {"x": ("n",)}),
        ("D @ x[1:]", {"x": "k"}, {"D": ("n", "k - 1"), "x": ("k",)}),
        ("x[1:] * y", {"x": "k"}, {"x": ("k",), "y": ("k - 1",)}),
        ("x[:3] + y", {}, {"x": ("n",), "y": (3,)}),
        ("X[:2, 1:]", {}, {"X": ("m", "n")}),
        ("hstack([A, B]) @ z", {"A": "j,k", "B": "j,l"},
         {"A": ("j", "k"), "B": ("j", "l"), "z": ("k + l",)}),
        ("norm(vstack([A, B]) @ x)**2", {}, {"A": ("m", "n"), "B": ("p", "n"), "x": ("n",)}),
        ("trace(block([[A, B], [B.T, C]]))", {"A": "3,3", "C": "2,2"},
         {"A": (3, 3), "B": (3, 2), "C": (2, 2)}),
    ],
)  # fmt: skip
def test_shapes_are_inferred(text, declared, expected):
    given = {name: declaration(name, shape) for name, shape in declared.items()}
    found = infer_symbols(text, given)
    assert {name: symbol.shape for name, symbol in found.items()} == expected
