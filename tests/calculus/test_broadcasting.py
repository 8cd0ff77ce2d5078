"""Rows, columns and scalars beside matrices: values as NumPy has them for columns of n×1."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest

from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.functions import matrix, scalar, vector
from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.calculus.text.declarations import declaration
from mcmodels.calculus.text.parsing import parse
from mcmodels.calculus.text.shape_inference import infer_symbols

a = scalar("a")
b, u = vector("b", "n"), vector("u", "m")
A, X = matrix("A", "n", "n"), matrix("X", "m", "n")
SYMBOLS = {symbol.name: symbol for symbol in (a, b, u, A, X)}

_RNG = np.random.default_rng(3)
VALUES = {
    "a": 1.7,
    "b": _RNG.uniform(0.5, 1.5, 3),
    "u": _RNG.uniform(0.5, 1.5, 4),
    "A": _RNG.uniform(0.5, 1.5, (3, 3)),
    "X": _RNG.uniform(0.5, 1.5, (4, 3)),
}
# In NumPy, with vectors of n×1.
COLUMNS = {name: v[:, None] if np.ndim(v) == 1 else v for name, v in VALUES.items()}
NUMPY = {"np": np, **COLUMNS}


def softmax(Z, axis):
    e = np.exp(Z)
    return e / e.sum(axis=axis, keepdims=True)


NUMPY["softmax"] = softmax

TEXTS = [
    ("X + u", "X + u"),
    ("u + X", "u + X"),
    ("X + b.T", "X + b.T"),
    ("b.T - X", "b.T - X"),
    ("A + b", "A + b"),
    ("A + b.T", "A + b.T"),
    ("X * u", "X * u"),
    ("X * b.T * u", "X * b.T * u"),
    ("X / u", "X / u"),
    ("b.T / X", "b.T / X"),
    ("1 / u * X", "1 / u * X"),
    ("u + b.T", "u + b.T"),
    ("u * b.T", "u * b.T"),
    ("u / b.T", "u / b.T"),
    ("a + u + X - b.T + 1", "a + u + X - b.T + 1"),
    ("u - b.T + X - a", "u - b.T + X - a"),
    ("b + b.T - A", "b + b.T - A"),  # the matrix settles the shape of the others
    ("X - mean(X, axis=0).T", "X - X.mean(axis=0)"),
    ("X - mean(X, axis=1)", "X - X.mean(axis=1, keepdims=True)"),
    ("X - mean(X)", "X - X.mean()"),
    ("X / sum(X, axis=1)", "X / X.sum(axis=1, keepdims=True)"),
    ("X / norm(X, axis=0).T", "X / np.linalg.norm(X, axis=0)"),
    ("X / norm(X, axis=1)", "X / np.linalg.norm(X, axis=1, keepdims=True)"),
    ("softmax(X, axis=0)", "softmax(X, 0)"),
    ("softmax(X, axis=-1)", "softmax(X, 1)"),
    ("X - logsumexp(X, axis=0).T", "X - np.log(np.exp(X).sum(axis=0))"),
    ("X - logsumexp(X, axis=1)", "X - np.log(np.exp(X).sum(axis=1, keepdims=True))"),
    ("eye(n) - ones(n, n) / n", "np.eye(3) - 1 / 3"),
    ("(eye(n) - ones(n, n) / n) @ A", "A - A.mean(axis=0)"),
    ("sum(X**2, axis=1) - 2 * X @ A @ X.T + sum(X**2, axis=1).T",
     "(X**2).sum(1)[:, None] - 2 * X @ A @ X.T + (X**2).sum(1)"),
    ("(X + u) ** 2 * b.T", "(X + u) ** 2 * b.T"),
    ("exp(X - b.T) / u", "np.exp(X - b.T) / u"),
    ("maximum(X, u) - minimum(b.T, X)", "np.maximum(X, u) - np.minimum(b.T, X)"),
    ("hypot(X, b.T) * clip(X, 0.9, u)", "np.hypot(X, b.T) * np.clip(X, 0.9, u)"),
    ("where(X > u, b.T, X)", "np.where(X > u, b.T, X)"),
    ("where(u > 1, X, b.T * X)", "np.where(u > 1, X, b.T * X)"),
    ("maximum(u, b.T)", "np.maximum(u, b.T)"),
    ("X - X.mean(axis=0, keepdims=True)", "X - X.mean(axis=0, keepdims=True)"),
    ("X / X.sum(1, keepdims=True)", "X / X.sum(1, keepdims=True)"),
    ("X / np.linalg.norm(X, ord=1, axis=0, keepdims=True)", "X / np.linalg.norm(X, 1, 0)"),
    ("X / norm(X, 3, axis=1)", "X / np.linalg.norm(X, 3, 1, keepdims=True)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "numpy"), TEXTS, ids=[text for text, _ in TEXTS])
class TestEveryText:
    # Rounding in sums of a dozen numbers of size 10.
    close = {"rtol": 1e-13, "atol": 1e-13}

    def test_value(self, text, numpy):
        f = parse(text, **SYMBOLS)
        expected = eval(numpy, NUMPY)
        given = {symbol.name: VALUES[symbol.name] for symbol in f.symbols}
        given |= {"n": 3} if "n" in f.size_names else {}
        np.testing.assert_allclose(f.evaluate(**given), expected, **self.close)
        given = {name: given[name] for name in f.compile().arguments}
        np.testing.assert_allclose(f.compile()(**given), expected, **self.close)

    def test_is_written_and_read_back(self, text, numpy):
        f = parse(text, **SYMBOLS)
        assert parse(str(f), **SYMBOLS) == f
        assert pickle.loads(pickle.dumps(f)) == f
        assert "1_(" not in repr(f)  # no matrix of ones where 11ᵀ can be read

    def test_derivatives(self, text, numpy):
        f = parse(f"sum(({text}) ** 2)", **SYMBOLS)
        for x in f.symbols:
            # Differences are good for 1e-10 of a polynomial, 1e-8 of these fractions.
            assert f.check(x) < 1e-8
            assert f.gradient(x).check(x) < 1e-7
            assert f.derivation(x, order=2).check() < 1e-9
            G = f.gradient(x)
            assert parse(str(G), **SYMBOLS) == G


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("X + u + b.T", X + u + b.T),
        ("u + u + X", u + u + X),
        ("a + b.T + a + X", a + b.T + a + X),
        ("X * u / b.T", X * u / b.T),
        ("u * u * X", u * u * X),
        ("u - (u - X)", u - (u - X)),
        ("-X - u", -X - u),
    ],
)
def test_text_is_read_from_left_to_right_as_python_does(text, expression):
    assert parse(text, **SYMBOLS) == expression


def test_a_vector_is_a_column_also_beside_a_square_matrix():
    found = (A + b).evaluate(A=np.zeros((3, 3)), b=[1, 2, 3])
    np.testing.assert_array_equal(found, [[1, 1, 1], [2, 2, 2], [3, 3, 3]])


def test_the_axis_of_a_vector_is_the_first():
    for text in ("sum(b, axis=0)", "mean(b, axis=0)", "norm(b, axis=0)", "logsumexp(b, axis=0)"):
        assert parse(text, **SYMBOLS) == parse(text.replace(", axis=0", ""), **SYMBOLS)
    assert mc.softmax(b, axis=0) == mc.softmax(b)
    with pytest.raises(ShapeError, match="0 of a vector"):
        mc.mean(b, axis=1)


def test_a_row_is_summed_along_either_axis():
    row = matrix("R", 1, "n")
    for axis in (0, 1):
        for function, expected in ((mc.sum, np.sum), (mc.mean, np.mean)):
            found = function(row, axis).evaluate(R=[[1, 2, 4]])
            np.testing.assert_allclose(found, expected([[1, 2, 4]], axis=axis), rtol=1e-15)


def test_functions_of_two_arrays_name_the_transpose_that_fits():
    with pytest.raises(ShapeError, match=r"maximum .* write b\.T for every row"):
        mc.maximum(X, b)
    with pytest.raises(ShapeError, match="where needs equal shapes"):
        mc.where(X > 0, X, X.T)
    with pytest.raises(ShapeError, match="order of a norm is a number"):
        mc.norm(X, "inf", axis=0)


def test_what_numpy_repeats_for_other_reasons_is_refused():
    with pytest.raises(ShapeError, match="Write b for the vector"):
        b + b.T
    with pytest.raises(ShapeError, match="m×n"):
        X + X.T


def test_a_matrix_of_ones_is_never_formed_beside_a_factor():
    f = X - mc.ones("m", "m") @ X / mc.size("m")
    rows = 200_000  # ones of rows×rows would be 320 GB
    big = np.ones((rows, 2))
    assert f.evaluate(X=big).shape == (rows, 2)
    assert f.compile()(X=big).shape == (rows, 2)


def test_centring_is_a_projection():
    """H = I − 11ᵀ/n has H² = H, which the engine sees."""
    H = mc.eye("n") - mc.ones("n", "n") / mc.size("n")
    f = mc.trace(A.T @ H @ H @ A)
    assert f.check(A) < 1e-9
    assert mc.ones("n", "n") @ mc.ones("n", "n") == mc.size("n") * mc.ones("n", "n")


def shapes(text, **declared):
    found = infer_symbols(
        text, {name: declaration(name, shape) for name, shape in declared.items()}
    )
    return {name: symbol.shape for name, symbol in found.items()}


@pytest.mark.parametrize(
    ("text", "declared", "expected"),
    [
        ("X + b.T", {}, {"X": ("m", "n"), "b": ("n",)}),
        ("X - mu.T", {}, {"X": ("m", "n"), "mu": ("n",)}),
        ("X - mean(X, axis=0).T", {}, {"X": ("m", "n")}),
        ("X * (A @ v)", {}, {"X": ("m", "n"), "A": ("m", "p"), "v": ("p",)}),
        ("X + b", {"b": "k"}, {"X": ("k", "n"), "b": ("k",)}),
        ("norm(X @ W + b.T - Y)**2", {},
         {"X": ("m", "n"), "W": ("n", "p"), "b": ("p",), "Y": ("m", "p")}),
        ("u + v.T - D", {"u": "k"}, {"u": ("k",), "v": ("n",), "D": ("k", "n")}),
    ],
)  # fmt: skip
def test_shapes_are_inferred(text, declared, expected):
    assert shapes(text, **declared) == expected


def test_a_lone_small_letter_beside_a_matrix_is_a_scalar():
    assert shapes("lam * X") == {"lam": (), "X": ("m", "n")}


# u1ᵀ, 1bᵀ and full matrices, in code of which the first two are not formed where a part is full.
SPREAD = [
    u @ mc.ones(1, "n"),
    mc.exp(u) @ mc.ones(1, "n"),
    mc.ones("m") @ b.T,
    3 * (mc.ones("m") @ mc.exp(b).T),
    X,
]


@pytest.mark.parametrize("inverted", [*itertools.product((False, True), repeat=3)])
@pytest.mark.parametrize("parts", [*itertools.combinations(range(len(SPREAD)), 3)])
def test_code_has_the_shape_that_parts_spread_along_one_axis_lack(parts, inverted):
    factors = [
        1 / SPREAD[part] if is_below else SPREAD[part]
        for part, is_below in zip(parts, inverted, strict=True)
    ]
    few = factors[0] * factors[1]
    for expression in (few, few**2, few * factors[2], few + factors[2], 2 * few - factors[0]):
        used = {symbol.name for symbol in expression.used}
        values = {name: value for name, value in VALUES.items() if name in used}
        sizes = {name: size for name, size in {"m": 4, "n": 3}.items() if not fixes(used, name)}
        found = expression.compile()(**values, **sizes)
        expected = expression.evaluate(**values, **sizes)
        assert found.shape == (4, 3)
        # A few roundings each.
        np.testing.assert_allclose(found, expected, rtol=1e-14)


def fixes(used: set[str], size: str) -> bool:
    """Whether values of these symbols have an axis of this size."""
    return not used.isdisjoint({"m": {"u", "X"}, "n": {"b", "X"}}[size])
