"""Texts in NumPy's spelling mean what NumPy computes of vectors with one axis, or are refused."""

import random
import warnings

import numpy as np
import pytest
import scipy.special

from mcmodels.calculus import ParseError, ShapeError, parse
from mcmodels.calculus.text.numpy_axes import NumpyAxes, kind_of
from mcmodels.calculus.text.shape_inference import infer_symbols, other_kind
from tests.calculus.numpy_lines import line

MODULES = {"np": np, "scipy": scipy, "special": scipy.special}
ROWS, COLS, MORE = 4, 3, 2
RECTANGULAR = {"m": ROWS, "n": COLS, "k": MORE}
SQUARE = {"n": COLS}
LINES_EACH = 400  # of which about 40 % run in NumPy and are read


def declared(sizes):
    m, n, k = sizes if len(sizes) == 3 else 3 * tuple(sizes)
    matrices = {"X": (m, n), "A": (m, n), "S": (n, n), "W": (n, k)}
    return matrices | {"x": n, "w": n, "y": m, "z": m, "c": ()}


def values(shapes, sizes, seed=0):
    rng = np.random.default_rng(seed)
    axes = {name: (shape,) if isinstance(shape, str) else shape for name, shape in shapes.items()}
    return {
        name: rng.standard_normal([eval(str(size), {}, dict(sizes)) for size in shape])
        for name, shape in axes.items()
    }


def by_numpy(text, given, sizes):
    """What NumPy computes; None where it refuses."""
    # Square arrays have all sizes equal.
    names = dict.fromkeys("mnk", COLS) | dict(sizes)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = np.asarray(eval(text, MODULES | given | names))
    except (ValueError, TypeError, AttributeError, IndexError):
        return None
    return None if result.dtype == object else np.squeeze(result)


def by_text(text, shapes, given, sizes):
    """What the text is read as; None where it is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            f = parse(text, **shapes)
            known = {symbol.name: given[symbol.name] for symbol in f.symbols}
            return np.squeeze(f.evaluate(**known, **{name: sizes[name] for name in f.size_names}))
    except ValueError:
        return None


def differs(found, expected):
    # Sums of at most 30 terms of size 1e3: rounding alone.
    return found.shape != expected.shape or not np.allclose(
        found, expected, rtol=1e-9, atol=1e-9, equal_nan=True
    )


def compared(sizes, seed):
    """The lines that are read otherwise than NumPy computes them, and how many are the same."""
    rng, shapes = random.Random(seed), declared(list(sizes))
    given = values(shapes, sizes, seed)
    different, same = [], 0
    for _ in range(LINES_EACH):
        text = f"np.exp(-np.abs({line(rng, rng.choice((1, 2, 2, 3)))}))"
        expected, found = by_numpy(text, given, sizes), by_text(text, shapes, given, sizes)
        if expected is None or found is None:
            continue
        same += 1
        if differs(found, expected):
            different.append(text)
    return different, same


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sizes", [SQUARE, RECTANGULAR], ids=["square", "rectangular"])
def test_random_lines_mean_what_numpy_computes(sizes, seed):
    different, same = compared(sizes, seed)
    assert different == []
    assert same > LINES_EACH / 6  # the test is of lines that run


def test_the_comparison_finds_vectors_that_are_read_as_columns(monkeypatch):
    monkeypatch.setattr(
        NumpyAxes, "side_by_side", lambda self, values, kinds: (list(values), max_of(kinds), False)
    )
    assert compared(SQUARE, 0)[0]


def max_of(kinds):
    return max(kinds, key=lambda kind: kind.value)


def test_the_comparison_finds_columns_that_lose_their_second_axis(monkeypatch):
    monkeypatch.setattr(
        NumpyAxes, "kind_of_call", lambda self, function, result, count, kinds: kind_of(result)
    )
    assert compared(SQUARE, 0)[0]


LINES = [
    "np.sum((X - X.mean(axis=0))**2)",
    "X - X.mean(0)",
    "X / np.linalg.norm(X, axis=0)",
    "A / A.sum(axis=0)",
    "X @ S - x",
    "np.tanh(X @ W + W.sum(axis=0))",
    "S - S.mean(axis=0) - S.mean(axis=1)[:, None] + S.mean()",
    "np.exp(S) / np.exp(S).sum(axis=1)",
    "np.exp(X) / np.exp(X).sum(axis=1)[:, None]",
    "np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)",
    "y[:, None] - z[None, :]",
    "np.exp(-(x[:, None] - w[None, :])**2)",
    "x[:, None] + x[None, :] + w",
    "np.maximum(X, x) * np.where(X > x, 1, x)",
    "x @ S @ x + x @ w",
    "x.T @ S + w",
    "(X.T @ y).T + x",
    "np.linalg.norm(x.T @ S, 1)",
    "np.kron(x, S)",
    "x.T.shape[0] * x[0]",
    "np.dot(x, S) - S.T.dot(x)",
    "np.logaddexp(X, x)",
    "np.outer(x, w) + x - w[:, None]",
    "X[0] @ x + X[:, 0] @ y",
    "X * x * X[0] / (2 + x**2)",
    "np.ones((n, 1)) + S",
    "np.inner(X, x) + X.var(axis=1) - X.std(axis=1, ddof=1)",
    "(X - X.mean(0)) / X.std(axis=0, ddof=1) + np.var(X, 0, keepdims=True)",
    "np.average(X, axis=0) - np.reciprocal(2 + x**2)",
    "X.var() + x.var(ddof=1) - X.std(ddof=2)",
    "len(x) * X + x",
    "(X - x) / len(X)",
    "sum((X[i] @ x - y[i]) * X[i] for i in range(len(y)))",
    "sum(np.exp(X[i] @ w) for i in range(len(y))) + X * x",
]


@pytest.mark.parametrize("sizes", [SQUARE, RECTANGULAR], ids=["square", "rectangular"])
@pytest.mark.parametrize("text", LINES)
def test_lines_mean_what_numpy_computes(text, sizes):
    shapes = declared(list(sizes))
    given, text = values(shapes, sizes), f"np.exp({text})"
    found, expected = by_text(text, shapes, given, sizes), by_numpy(text, given, sizes)
    assert found is not None
    assert not differs(found, expected)


@pytest.mark.parametrize("text", LINES)
def test_gradients_of_lines_are_those_of_numpys_values(text):
    shapes = declared("n")
    given = values(shapes, SQUARE)
    f = parse(f"np.sum(np.sin({text}))", **shapes)
    for name in sorted({symbol.name for symbol in f.symbols}):
        direction = np.random.default_rng(1).standard_normal(given[name].shape)
        ends = [
            by_numpy(f"np.sum(np.sin({text}))", given | {name: given[name] + h * direction}, SQUARE)
            for h in (-1e-5, 1e-5)
        ]
        known = {symbol.name: given[symbol.name] for symbol in f.symbols}
        slope = np.sum(f.gradient(name).evaluate(**known, n=COLS) * direction)
        # Central differences: the error is h² f‴/6, and eps/h of the value.
        np.testing.assert_allclose(slope, (ends[1] - ends[0]) / 2e-5, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("np.sum(x @ w.T)", r"write np\.dot\(x, y\) for that, np\.outer\(x, y\)"),
        ("np.trace(x @ (w.T @ S))", r"np\.outer\(x, y\) for the matrix"),
        ("np.sum(X[0] @ X[0].T)", r"np\.dot\(x, y\)"),
        ("np.sum(X - y)", r"write x\[:, None\] to repeat it in every column"),
        ("np.exp(X) / np.exp(X).sum(axis=1)", r"write x\[:, None\] to repeat it"),
        ("np.sum(x[:, None].sum(axis=1))", "for a matrix here"),
        ("np.diag(x[:, None])", "for a matrix here"),
        ("np.sum(x) / x.shape[1]", r"write x\.shape\[0\]"),
        ("np.block([[x], [w]])", r"write x\[:, None\] for a column, x\[None, :\] for a row"),
        ("np.sum(c @ x)", "@ takes no scalar; .*write \\*"),
        ("X - mean(X, axis=0)", r"write \.T behind it, as in X - mean\(X, axis=0\)\.T"),
        ("maximum(X, exp(-sum(X, axis=0)))", r"write \.T behind it"),
        ("X > mean(X, axis=0)", r"write \.T behind it"),
    ],
)
def test_what_may_mean_two_things_is_refused(text, says):
    with pytest.raises((ParseError, ShapeError), match=says):
        parse(text, **declared("mnk"))


@pytest.mark.parametrize("text", ["X - mean(X, axis=0)", "X / sum(X, axis=0)", "np.sum(x @ w.T)"])
def test_a_square_matrix_changes_nothing(text):
    with pytest.raises(ValueError, match="write"):
        parse(text, **declared("n"))


def test_two_declared_sizes_are_a_column_of_numpy():
    assert parse("np.sum(A + y)", A="n,n", y="n,1") == parse("sum(A + y)", A="n,n", y="n")
    assert parse("np.sum(A + y)", A="n,n", y="n") == parse("sum(A + y.T)", A="n,n", y="n")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("sin(len(x) * A + x)", "sin(n * A + x.T)"),
        ("sum((X[i] @ w - y[i])**2 for i in range(m))", "sum((X[i].T @ w - y[i])**2, i)"),
        ("sum([exp(x[i] * (w @ w)) for i in range(n)])", "sum(exp(x[i] * (w.T @ w)), i)"),
    ],
)
def test_len_and_loops_are_pythons(text, same):
    shapes = declared("mnk")
    assert parse(text, **shapes) == parse(same, **shapes)


def test_a_symbol_may_be_named_len():
    assert parse("len * A + x", A="n,n", x="n", len="scalar") == parse(
        "len * A + x @ ones(1, n)", A="n,n", x="n", len="scalar"
    )


def test_other_texts_keep_vectors_that_are_columns():
    assert parse("A + y", A="n,n", y="n") == parse("A + y @ ones(1, n)", A="n,n", y="n")
    assert parse("X - mean(X, axis=1)", X="n,n") == parse("X - X @ ones(n, n) / n", X="n,n")
    assert parse("x @ y.T", x="n", y="n").shape == ("n", "n")


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("np.sum((X - X.mean(axis=0))**2)", ("m", "n")),
        ("sum((X - X.mean(0))**2)", ("m", "n")),
        ("np.sum(X / np.linalg.norm(X, axis=0))", ("m", "n")),
        ("np.sum(X - X.mean(axis=0) - X.mean(axis=1)[:, None] + X.mean())", ("m", "n")),
        ("np.sum((X - X.mean(axis=0))**2) + np.trace(X)", ("n", "n")),
    ],
)
def test_the_shell_takes_no_matrix_for_square(text, shape):
    assert infer_symbols(text, {})["X"].shape == shape


@pytest.mark.parametrize(
    "text",
    [
        "np.sum(np.exp(X) / np.exp(X).sum(axis=1))",
        "sum((X - X.mean(axis=1))**2)",
        "sum((X + X.T @ y)**2)",
        "sum((X - (X @ y).T)**2)",
        "sum((X - mean(X, axis=0))**2)",
    ],
)
def test_what_fits_a_square_matrix_alone_is_refused_in_the_shell(text):
    with pytest.raises(ValueError, match=r"only if that is square; declare|write \.T behind it"):
        infer_symbols(text, {})


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("np.sum(y[:, None] * X, axis=0) + w", {"y": ("m",), "X": ("m", "n"), "w": ("n",)}),
        ("np.sum(X * w) + w @ w", {"X": ("m", "n"), "w": ("n",)}),
        ("np.sum(np.exp(X / s))", {"X": ("m", "n"), "s": ()}),
    ],
)
def test_what_is_used_as_a_vector_is_one_in_the_shell(text, shapes):
    assert {name: made.shape for name, made in infer_symbols(text, {}).items()} == shapes


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("np.sum(x) * np.pi", {"x": ("n",)}),
        ("np.e * np.sum(x**2) + np.pi", {"x": ("n",)}),
        ("dot(a, x) * dot(b, x)", {"a": ("n",), "x": ("n",), "b": ("n",)}),
        ("outer(a, b)", {"a": ("m",), "b": ("n",)}),
        (
            "(X**2 / (2 * sigma**2)).sum() + len(X) * np.log(sigma).sum()",
            {"X": ("m", "n"), "sigma": ("n",)},
        ),
        ("np.sum(X * w) + np.sum(np.abs(w - 1))", {"X": ("m", "n"), "w": ("n",)}),
    ],
)
def test_numbers_are_none_of_the_symbols_in_the_shell_and_arrays_are_arrays(text, shapes):
    assert {name: made.shape for name, made in infer_symbols(text, {}).items()} == shapes


def test_products_of_vectors_are_of_vectors_in_the_shell():
    assert infer_symbols("np.exp(-z @ z)", {})["z"].shape == ("n",)
    assert {s.shape for s in infer_symbols("np.exp(x @ w)", {}).values()} == {("n",)}


def test_no_length_is_a_part_of_itself():
    with pytest.raises(ShapeError, match="does not fit"):
        infer_symbols("norm(x[1:] + x)", {})


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("sum(log(1 + exp(-y * (X @ w + b))))", "b", "scalar"),
        ("sum(log(1 + exp(-y * (X @ w + b))))", "w", ""),
        ("norm(A @ x)**2", "x", ""),
        ("sum(X @ W + b)", "b", "vector"),
        ("norm(X @ w - y)**2 + lam * norm(w)**2", "lam", ""),
        ("norm(X)", "X", ""),
    ],
)
def test_what_else_a_name_may_be(text, name, kind):
    assert other_kind(text, {}, infer_symbols(text, {}), name) == kind
