"""Lines of NumPy programs as text: stacks, numbers of entries, sums by generators."""

import numpy as np
import pytest
import scipy.special

from mcmodels.calculus import ParseError, ShapeError, parse
from mcmodels.calculus.text.shape_inference import infer_symbols

RNG = np.random.default_rng(7)
SHAPES = {
    "A": "m,n",
    "B": "m,k",
    "C": "k,n",
    "X": "m,n",
    "S": "n,n",
    "x": "n",
    "y": "m",
    "z": "m",
    "w": "n",
}
VALUES = {
    "A": RNG.standard_normal((4, 3)),
    "B": RNG.standard_normal((4, 2)),
    "C": RNG.standard_normal((2, 3)),
    "X": RNG.standard_normal((4, 3)),
    **{name: RNG.standard_normal(3) for name in "xw"},
    **{name: RNG.standard_normal(4) for name in "yz"},
}
MODULES = {"np": np, "norm": np.linalg.norm, "scipy": scipy, "special": scipy.special}
SIZES = {"m": 4, "n": 3, "k": 2}


def evaluated(text):
    """The value of a text, and that of Python, which runs it."""
    f = parse(text, **SHAPES)
    given = {symbol.name: VALUES[symbol.name] for symbol in f.symbols}
    given |= {name: SIZES[name] for name in f.size_names}
    expected = np.asarray(eval(text, MODULES | VALUES | SIZES))
    return f.evaluate(**given), f.compile()(**given), expected


@pytest.mark.parametrize(
    "text",
    [
        "np.hstack([A, B])",
        "np.hstack((A, np.ones((m, 1))))",
        "np.vstack([A, C])",
        "np.vstack((A, np.sqrt(2) * np.eye(n)))",
        "np.concatenate((x, y))",
        "np.concatenate([A, C])",
        "np.concatenate([A, C], axis=0)",
        "np.concatenate([A, B], axis=1)",
        "np.concatenate([A, B], axis=-1)",
        "np.concatenate([x, y], axis=-1)",
        "np.column_stack((y, z))",
        "np.column_stack([y, A])",
        "np.c_[np.ones(m), X]",
        "np.c_[y, z]",
        "np.sum((X @ w - y)**2) / len(y)",
        "np.sum((X @ w - y)**2) / (2 * X.shape[0])",
        "np.sum(X) / X.shape[1] + np.sum(X) / X.size + (X @ w).size",
        "np.sum(X**2) / np.size(X)",
        "np.mean(np.square(X @ w - y))",
        "np.exp(x - np.max(x)) / np.sum(np.exp(x - np.max(x)))",
        "x.max() - X.min() + np.min(y)",
        "np.var(x) + X.var() + y.std() - np.std(X)",
        "np.sum(np.diff(x)**2)",
        "np.cumsum(x) + x.cumsum()",
        "np.log2(np.abs(x)) + np.log10(np.absolute(x)) * np.fabs(w)",
        "np.multiply(x, w) - np.add(x, w) + np.subtract(x, 2) + np.divide(x, w)",
        "np.power(x, 2)",
        "np.matmul(X, w) + np.matmul(X, np.matmul(X.T, y))",
        "np.inner(x, w)",
        "np.inner(X, A)",
        "np.logaddexp(x, w)",
        "np.linalg.slogdet(X.T @ X)[1]",
        "scipy.special.expit(x) + scipy.special.ndtr(w) + special.log_ndtr(x)",
        "scipy.special.betaln(np.exp(x), 2) + special.psi(np.exp(w))",
        "special.logit(special.expit(x)) + special.log_softmax(x)",
        "special.log_softmax(X, axis=1)",
        "A @ np.eye(A.shape[1])",
        "np.ones((len(y), X.shape[1])) * X",
        "np.ones(len(y) - 1) * y[1:]",
        "sum((y[i] - np.dot(w, X[i]))**2 for i in range(m))",
        "sum([y[i]**2 for i in range(len(y))])",
        "sum((y[i + 1] - y[i])**2 for i in range(len(y) - 1))",
        "sum((y[i + 1] - y[i])**2 for i in range(0, y.shape[0] - 1))",
        "sum(A[i, j] * y[i] * x[j] for i in range(m) for j in range(n))",
        "sum(norm(X[i] - X[j]) for i in range(m) for j in range(i + 1, m))",
        "sum(norm(X[i] - X[j]) for i in range(m) for j in range(i))",
        "sum(norm(X[i] - X[j]) for i in range(m) for j in range(m) if i != j)",
        "sum(y[i] - z[i] for i in range(m) if y[i] > 0 if z[i] < y[i])",
        "sum(X[i] * y[i] for i in range(m))",
        "sum((y[t] - 2 * y[t - 1])**2 for t in range(1, m))",
        "sum(t * y[t - 2] * y[t] for t in range(2, len(y)))",
        "sum(y[t]**2 for t in range(1, m - 1))",
        "sum(y[t] * z[s] for t in range(1, m) for s in range(t))",
        "sum(y[t] * z[s] for t in range(1, m) for s in range(1, m) if s != t if y[t] > y[s])",
        "X - y[:, None]",
        "X * x[None, :] + x[np.newaxis, :]",
        "y[:, None] * x[None, :]",
        "x.reshape(-1, 1) @ x.reshape(1, -1)",
        "np.reshape(x, (1, -1)) + X",
        "x.reshape(-1) * w",
        "X * (X @ w - y)[:, None]",
        "X / X.sum(axis=1, keepdims=True) - X.mean(0, keepdims=True)",
        "np.exp(y[:, None] - z.reshape(-1, 1)) * X",
        "np.concatenate([y[:, None], z[:, None]], axis=-1)",
        "x.reshape(-1)",
        "np.sum([X[i] * y[i] for i in range(m)])",
        "np.mean([X[i] * y[i] for i in range(m)])",
        "np.mean([(y[i] - z[i])**2 for i in range(m)])",
        "sum(y[i] * sum(A[i, j] * x[j] for j in range(n)) for i in range(m))",
    ],
)
def test_text_is_what_python_computes(text):
    found, compiled, expected = evaluated(text)
    # Sums of a few terms: rounding alone.
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(compiled, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("np.hstack([x, x])", r"vstack\(\[x, y\]\) for vectors one below the other, hstack"),
        ("np.vstack([x, x])", r"vstack\(\[x\.T, y\.T\]\) for rows"),
        ("np.vstack([A, x])", r"vstack\(\[x\.T, y\.T\]\) for rows"),
        ("np.concatenate([A, B], axis=2)", "axis=0 or axis=1; found axis=2"),
        ("np.concatenate([A, B], dim=1)", "takes the arrays alone, and axis"),
        ("np.hstack([A, B], axis=1)", "takes the arrays alone$"),
        ("np.sum((x[:, None] - w)**2)", "the matrix of all pairs in NumPy"),
        ("np.sum((X @ w - y.reshape(-1, 1))**2)", "the matrix of all pairs in NumPy"),
        ("y + X @ w[:, None]", "the matrix of all pairs in NumPy"),
        ("X.sum(axis=1, keepdims=True) * y", "the matrix of all pairs in NumPy"),
        ("np.maximum(np.exp(-x[:, None]), w)", "the matrix of all pairs in NumPy"),
        ("np.where(x[:, None] > 0, x, w)", "the matrix of all pairs in NumPy"),
        ("np.linalg.norm(x[None, :], 1)", "for a matrix here"),
        ("np.diff(x[:, None])", "for a matrix here"),
        ("np.hstack(A)", r"takes a list, as in np\.hstack\(\[A, B\]\)"),
        ("np.concatenate(A, B)", "takes a list"),
        ("np.c_", r"write np\.c_\[A, B\]"),
        ("np.hstack", r"write np\.hstack\(\[A, B\]\)"),
        ("sum(v**2 for v in x)", r"runs over range\(n\) here; write sum"),
        ("sum(a * b for a, b in zip(x, w))", r"runs over range\(n\) here; write sum"),
        ("sum(x[i] for i in range(0.5, n))", r"runs over range\(n\) here; write sum"),
        ("sum(sum(y[t] for t in range(m)) for t in range(1, m))", r"runs over range\(n\)"),
        ("x[None]", r"a vector is a column here: write x for the column, x\.T for the row"),
        ("X[None, 1:]", "a vector is a column here"),
        ("exp(None)", "a vector is a column here"),
        ("x.reshape(m, n)", r"write vec\(X\) for one column"),
        ("abs2(x)", r"write x \*\* 2"),
        ("sum(x[i] for i in range(0, n, 2))", r"runs over range\(n\) here; write sum"),
        ("[x[i] for i in range(n)]", r"runs over range\(n\) here; write sum"),
        ("exp(x[i] for i in range(n))", r"runs over range\(n\) here; write sum"),
        ("mean(x[i] for i in range(n) if x[i] > 0)", r"runs over range\(n\) here"),
        ("x for i in range(n)", "'for' is a word of Python"),
        ("sum(x if y else w for i in range(n))", r"write where\(x > 0, a, b\)"),
        ("numel(X)", r"write len\(vec\(X\)\)"),
        ("x.shape", r"write len\(X\)"),
        ("len(X, 1)", "len takes 1, found 2"),
        ("np.max(X, axis=1)", "np.max takes no argument by name here"),
        ("np.square(x, w)", "np.square takes 1, found 2"),
        ("np.diff(X)", "np.diff takes a vector here; found X"),
        ("X.cumsum()", "np.cumsum takes a vector here; found X"),
        ("np.linalg.slogdet(S)", r"write logdet\(A\)"),
        ("np.linalg.slogdet(S)[0]", r"write logdet\(A\)"),
        ("np.square", r"write np\.square\("),
        ("square(x)", r"write x \*\* 2"),
        ("x.square()", r"write x \*\* 2"),
    ],
)
def test_what_may_be_otherwise_in_numpy_is_refused(text, says):
    with pytest.raises(ParseError, match=says):
        parse(text, **SHAPES)


def test_a_scalar_has_no_length():
    with pytest.raises(ShapeError, match="len takes an array; found scalar"):
        parse("len(c)")


@pytest.mark.parametrize("text", ["X[:, None]", "X.reshape(-1)"])
def test_a_matrix_is_no_column(text):
    with pytest.raises(ShapeError, match=r"of a vector alone; .*vec\(X\.T\)"):
        parse(text, **SHAPES)


def test_a_range_by_an_array_of_unknown_size_is_refused():
    with pytest.raises(ShapeError, match="the index i stands at arrays of m and n"):
        parse("sum(x[i] for i in range(len(y)))", **SHAPES)


def test_what_is_only_counted_may_be_given():
    loss = parse("norm(w)**2 / len(y)", **SHAPES)
    assert loss.evaluate(w=[1.0, 2.0, 2.0], y=[1.0, 1.0]) == 4.5
    gradient = loss.gradient("w").compile()(w=[1.0, 2.0, 2.0], y=[1.0, 1.0])
    np.testing.assert_array_equal(gradient, [1.0, 2.0, 2.0])
    first = parse("sum(x[i] for i in range(len(y)))", x="n + 1", y="n")
    assert first.evaluate(x=[1.0, 2.0, 4.0], y=[0.0, 0.0]) == 3.0


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("sum((X @ w - y)**2) / len(y)", {"X": ("m", "n"), "w": ("n",), "y": ("m",)}),
        ("sum(x[i] * y[j] for i in range(n) for j in range(i))", {"x": ("n",), "y": ("m",)}),
        ("sum((y[t + 1] - a * y[t]) * b[t] for t in range(n - 1))", {"y": ("n",), "b": ("n - 1",)}),
        ("np.max(x) - np.var(y)", {"x": ("m",), "y": ("n",)}),
        ("norm(w)**2 / y.size", {"w": ("n",), "y": ("m",)}),
        (
            "sum((y[i] - np.dot(w, X[i]))**2 for i in range(len(y)))",
            {"y": ("m",), "w": ("n",), "X": ("m", "n")},
        ),
        ("norm(np.c_[np.ones(len(y)), X] @ w - y)", {"X": ("m", "p"), "w": ("p + 1",)}),
    ],
)
def test_shapes_are_found_in_the_shell(text, shapes):
    found = infer_symbols(text, {})
    assert {name: len(found[name].shape) for name in shapes} == {
        name: len(shape) for name, shape in shapes.items()
    }


def test_an_index_outside_of_its_sum_is_refused_in_the_shell():
    with pytest.raises(ParseError, match="the index i stands outside of its sum"):
        infer_symbols("sum(y[i], i) * i", {})
    with pytest.raises(ShapeError, match="the index i stands at"):
        infer_symbols("sum(x[i], i, over=len(i))", {})


def test_numbers_of_a_shape_are_no_powers():
    with pytest.raises(ParseError, match=r"write vec\(X\) for one column"):
        parse("x.reshape(-1^1)", **SHAPES)


@pytest.mark.parametrize(
    "text",
    ["X.std(dim=0)", "torch.sum(X.std(0))", "torch.log(x.var())", "F.relu(X).var(dim=1)"],
)
def test_variances_of_pytorch_divide_by_one_less(text):
    with pytest.raises(ParseError, match=r"PyTorch's divides by n - 1: write \.(std|var)\(corr"):
        parse(text, **SHAPES)


def test_variances_that_say_by_what_they_divide():
    for text, expected in (
        ("torch.log(x.var(correction=1))", np.log(VALUES["x"].var(ddof=1))),
        ("X.std(dim=0, correction=0)", VALUES["X"].std(axis=0)),
        ("X.std(0)", VALUES["X"].std(axis=0)),
        ("np.sum(X.var(axis=1, ddof=1))", VALUES["X"].var(axis=1, ddof=1).sum()),
    ):
        f = parse(text, **SHAPES)
        found = f.evaluate(**{symbol.name: VALUES[symbol.name] for symbol in f.symbols})
        np.testing.assert_allclose(found, expected, rtol=1e-13)
