"""Shapes: what fits gets a shape, and what does not is refused with both shapes."""

from __future__ import annotations

import numpy as np
import pytest

from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.functions import matrix, scalar, vector
from mcmodels.calculus.core.sizes import ShapeError, Size
from mcmodels.calculus.derive.rules import DerivativeError

a, k = scalar("a"), scalar("k", integer=True)
x, y, u = vector("x", "n"), vector("y", "n"), vector("u", "m")
A, X, Y = matrix("A", "n", "n"), matrix("X", "m", "n"), matrix("Y", "n", "p")
Z = matrix("Z", "m", "n")


@pytest.mark.parametrize(
    ("expression", "shape"),
    [
        (a, ()),
        (x, ("n",)),
        (x.T, (1, "n")),
        (x.T.T, ("n",)),
        (X, ("m", "n")),
        (X.T, ("n", "m")),
        (vector("z", 3), (3,)),
        (vector("z", 1), ()),
        (vector("z", "m*n"), ("m*n",)),
        (matrix("Z", 2, "2*n"), (2, "2*n")),
        (matrix("Z", 1, "n"), (1, "n")),
        (x.T @ y, ()),
        (x @ y.T, ("n", "n")),
        (u @ x.T, ("m", "n")),
        (X @ x, ("m",)),
        (u.T @ X, (1, "n")),
        (X @ Y, ("m", "p")),
        (x.T @ A @ x, ()),
        (x + a, ("n",)),
        (a - X, ("m", "n")),
        (1 / X, ("m", "n")),
        (2**x, ("n",)),
        (x[0], ()),
        (X[0, -1], ()),
        (X[0, :], ("n",)),
        (X[:, 0], ("m",)),
        (mc.sum(X, axis=0), ("n",)),
        (mc.sum(X, axis=1), ("m",)),
        (mc.mean(X, axis=0), ("n",)),
        (mc.norm(X, axis=-1), ("m",)),
        (mc.logsumexp(X, axis=0), ("n",)),
        (mc.softmax(X, axis=0), ("m", "n")),
        (X + u, ("m", "n")),
        (x.T / X, ("m", "n")),
        (u + x.T, ("m", "n")),
        (mc.vec(X), ("m*n",)),
        (mc.kron(X, Y), ("m*n", "n*p")),
        (mc.kron(x, x), ("n*n",)),
        (mc.commutation("m", "n"), ("m*n", "m*n")),
        (mc.diagonal_selection("n"), ("n*n", "n")),
        (mc.logsumexp(X, axis=1), ("m",)),
        (mc.softmax(X, axis=1), ("m", "n")),
        (mc.diag(x), ("n", "n")),
        (mc.diag(A), ("n",)),
        (x * 0, ("n",)),
        (x - x, ("n",)),
        (A @ mc.inv(A), ("n", "n")),
        (mc.block_sum(mc.kron(X, Y), X), ("n", "p")),
        (mc.block_trace(mc.kron(X, Y), Y), ("m", "n")),
    ],
    ids=str,
)
def test_shapes(expression, shape):
    assert expression.shape == shape


@pytest.mark.parametrize("variable", [a, x, A, X], ids=str)
def test_derivatives_obey_the_golden_rule(variable):
    f = a * mc.sum(X @ A @ x)
    count = variable.rows * variable.cols
    assert f.gradient(variable).shape == variable.shape
    H = f.hessian(variable)
    assert (H.rows, H.cols) == (count, count)
    J = (a * X @ A @ x).jacobian(variable)
    assert (J.rows, J.cols) == (Size.of("m"), count)
    for other in (a, x, A, X):
        H = f.hessian(variable, other)
        assert (H.rows, H.cols) == (count, other.rows * other.cols)


# -- refusals ------------------------------------------------------------------------------------

CLASHES = {
    "sum": (lambda: x + u, ["vector of n (x)", "vector of m (u)"]),
    "difference": (lambda: X - X.T, ["m×n (X)", "n×m (X.T)"]),
    "vector plus row": (lambda: x + y.T, ["vector of n (x)", "1×n (y.T)"]),
    "elementwise product": (lambda: X * A, ["m×n (X)", "n×n (A)"]),
    "quotient": (lambda: x / u, ["vector of n (x)", "vector of m (u)"]),
    "matrix product": (lambda: X @ u, ["m×n (X)", "vector of m (u)"]),
    "long product": (lambda: u.T @ X @ X, ["m×n (X)", "@"]),
    "two columns": (lambda: x @ y, ["vector of n (x)", "x.T @ y", "x @ y.T"]),
    "a column twice": (lambda: x @ x, ["x.T @ x for the scalar", "x @ x.T for the matrix"]),
    "scalar in a product": (lambda: a @ X, ["a * X"]),
    "exponent": (lambda: X**x, ["vector of n (x)", "exp(y * log(x))"]),
    "trace": (lambda: mc.trace(X), ["square", "m×n (X)"]),
    "det": (lambda: mc.det(X), ["square", "m×n (X)"]),
    "logdet": (lambda: mc.logdet(x), ["square", "vector of n (x)"]),
    "inv": (lambda: mc.inv(X), ["square", "m×n (X)"]),
    "matrix_power": (lambda: mc.matrix_power(X, 2), ["square", "m×n (X)"]),
    "half of a matrix power": (lambda: mc.matrix_power(A, 0.5), ["whole number", "integer=True"]),
    "undeclared exponent": (lambda: mc.matrix_power(A, a), ["whole number", "integer=True"]),
    "diag": (lambda: mc.diag(X), ["square", "m×n (X)"]),
    "softmax of a matrix": (lambda: mc.softmax(X), ["axis=1", "m×n (X)"]),
    "softmax along no axis": (lambda: mc.softmax(X, axis=2), ["axis is 0 or 1", "axis=2"]),
    "norm along no axis": (lambda: mc.norm(X, axis=2), ["axis is 0 or 1", "axis=2"]),
    "mean of a vector along an axis": (lambda: mc.mean(x, axis=1), ["mean", "vector of n (x)"]),
    "a row where a column is written": (lambda: Z + x, ["m×n (Z)", "vector of n (x)", "x.T"]),
    "a column where a row is written": (lambda: Z - u.T, ["m×n (Z)", "1×m (u.T)", "write u "]),
    "a product of both": (lambda: Z * (2 * x), ["m×n (Z)", "vector of n (2 * x)", "(2 * x).T"]),
    "a quotient by a column": (lambda: Z / x, ["m×n (Z)", "vector of n (x)", "x.T"]),
    "a vector of neither": (lambda: Z + vector("z", "p"), ["m×n (Z)", "vector of p", "m or"]),
    "softmax of a row": (lambda: mc.softmax(x.T, axis=1), ["1×n"]),
    "logsumexp of a scalar": (lambda: mc.logsumexp(a), ["scalar"]),
    "axis of a vector": (lambda: mc.sum(x, axis=1), ["0 of a vector", "x"]),
    "axis 2": (lambda: mc.sum(X, axis=2), ["axis is 0 or 1", "2"]),
    "unvec": (lambda: mc.unvec(x, "m", "n"), ["m×n", "vector of m*n", "vector of n"]),
    "blocks": (lambda: mc.block_sum(X, Y), ["m×n (X)", "n×p (Y)"]),
    "block traces": (lambda: mc.block_trace(X, Y), ["m×n (X)", "n×p (Y)"]),
    "entry of a scalar": (lambda: a[0], ["a scalar has no entries"]),
    "two indices of a vector": (lambda: x[0, 0], ["one whole number", "slice"]),
    "three indices of a matrix": (lambda: X[0, 1:, 2], ["two whole numbers", "X[0, 1:, 2]"]),
    "a fraction as index": (lambda: X[0.5, 0], ["whole number", "0.5"]),
    "index outside": (lambda: vector("z", 3)[3], ["index 3", "vector of 3"]),
    "numeric sizes": (lambda: vector("z", 3) + vector("w", 4), ["vector of 3 (z)", "vector of 4"]),
    "number and name": (lambda: vector("z", 3) + x, ["vector of 3 (z)", "vector of n (x)"]),
    "size 0": (lambda: vector("z", 0), ["at least 1", "0"]),
    "size -1": (lambda: mc.eye(-1), ["at least 1", "-1"]),
    "size 1.5": (lambda: vector("z", 1.5), ["1.5"]),
    "size True": (lambda: vector("z", True), ["True"]),
    "size quotient": (lambda: vector("z", "n/m"), ["n/m"]),
    "one column": (lambda: matrix("Z", "n", 1), ["vector('Z', 'n')"]),
    "symmetric but not square": (lambda: matrix("Z", "m", "n", symmetric=True), ["'Z'", "m×n"]),
    "no name": (lambda: scalar(""), ["Python name"]),
    "keyword": (lambda: scalar("lambda"), ["lambda_"]),
    "function's name": (lambda: vector("exp", "n"), ["'exp'", "function"]),
    "name with two shapes": (
        lambda: x + vector("y", "n") * mc.norm(vector("x", "m")),
        ["'x'", "vector of n", "vector of m"],
    ),
    "name declared in two ways": (
        lambda: A + matrix("A", "n", "n", symmetric=True),
        ["'A'", "a matrix of n×n", "symmetric"],
    ),
    "name of a size and a symbol": (lambda: scalar("n") * x, ["'n'", "size", "a scalar"]),
    "direction of another shape": (
        lambda: (x.T @ x).hessian_vector_product(x, u),
        ["vector of n (x)", "vector of m (u)"],
    ),
}


@pytest.mark.parametrize("name", CLASHES)
def test_what_does_not_fit_is_refused(name):
    build, words = CLASHES[name]
    with pytest.raises(ShapeError) as caught:
        build()
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("build", "word"),
    [
        (lambda: np.eye(3) @ x, "ndarray"),
        (lambda: x + np.ones(3), "ndarray"),
        (lambda: np.ones(3) * x, "ndarray"),
        (lambda: np.array(2.0) * x, "ndarray"),
        (lambda: [1, 2] @ x, "list"),
        (lambda: x + "1", "str"),
        (lambda: x * None, "NoneType"),
        (lambda: x + 1j, "complex"),
        (lambda: x * True, "bool"),
        (lambda: mc.exp("x"), "str"),
        (lambda: mc.kron(A, np.eye(2)), "ndarray"),
    ],
)
def test_other_types_are_refused_with_the_remedy(build, word):
    with pytest.raises(TypeError, match=rf"found {word}.*Declare a symbol for an array"):
        build()


def test_numpy_numbers_are_numbers():
    assert np.float64(2) * x == 2 * x
    assert x * np.int64(2) == 2 * x
    assert np.float32(0.5) * x == x / 2


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_are_finite(value):
    with pytest.raises(ValueError, match="finite"):
        value * x


@pytest.mark.parametrize("build", [lambda: 1 / (a - a), lambda: mc.inv(mc.zeros("n", "n"))])
def test_a_division_by_zero_is_refused_when_built(build):
    with pytest.raises(ValueError, match="zero"):
        build()


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: x.gradient(x), ["vector of n", "jacobian()"]),
        (lambda: (x.T @ x).gradient(x.T @ x), ["by a symbol"]),
        (lambda: (x.T @ x).gradient("z"), ["no symbol 'z'", "x"]),
        (lambda: (x.T @ x).gradient(vector("x", "m")), ["'x'", "vector of n", "vector of m"]),
        (lambda: (x.T @ x).gradient(3), ["by a symbol", "3"]),
        (lambda: (x.T @ x).hessian(x, "z"), ["no symbol 'z'"]),
    ],
)
def test_derivatives_that_are_none_are_refused(build, words):
    with pytest.raises(DerivativeError) as caught:
        build()
    for word in words:
        assert word in str(caught.value)


def test_a_symbol_may_be_named():
    assert (x.T @ A @ x).gradient("x") == (x.T @ A @ x).gradient(x)


def test_an_absent_symbol_has_a_gradient_of_zeros():
    assert (x.T @ x).gradient(X) == mc.zeros("m", "n")
    assert (x.T @ x).hessian(u) == mc.zeros("m", "m")


def test_an_expression_is_no_truth_value_and_no_sequence():
    with pytest.raises(TypeError, match="compare two with =="):
        bool(x)
    with pytest.raises(TypeError, match="index it"):
        list(x)


def test_sizes_multiply_and_divide():
    mn = Size.of("m*n")
    assert str(mn) == "m*n"
    assert Size.of("n*m") == mn
    assert mn.divided_by(Size.of("n")) == Size.of("m")
    assert mn.divided_by(Size.of("p")) is None
    assert Size.of("2*n").divided_by(Size.of(3)) is None
    assert (mn * Size.of(2)).value({"m": 3, "n": 5}) == 30


def test_a_symbol_that_is_named_like_a_differential_is_refused():
    x, dx = vector("x", "n"), vector("dx", "n")
    with pytest.raises(ShapeError, match="'dx' stands for two symbols, a vector of n and the diff"):
        (x.T @ dx).gradient(x)


def test_a_name_of_a_size_is_no_name_of_its_vector():
    with pytest.raises(ShapeError, match="'n' stands for a size and for a symbol"):
        vector("n", "n")


def test_names_are_those_of_python():
    with pytest.raises(ShapeError, match="a symbol needs a Python name; found 'x²'"):
        vector("x²", "n")


def test_all_rows_and_all_columns_are_the_matrix_itself():
    X = matrix("X", "m", "n")
    assert X[:, :] is X
