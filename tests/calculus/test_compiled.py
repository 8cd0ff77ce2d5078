"""Compiled expressions: equal to the plain walk, in the cheapest order, and stable."""

import tracemalloc

import numpy as np
import pytest
from scipy.linalg import LinAlgWarning

from mcmodels.calculus import (
    diag,
    exp,
    inv,
    kron,
    log,
    logdet,
    logsumexp,
    matrix,
    matrix_power,
    norm,
    parse,
    scalar,
    sigmoid,
    softmax,
    softplus,
    sum,
    tanh,
    trace,
    vec,
    vector,
)
from mcmodels.calculus.compute.compiling import chains, diagonal_blocks
from mcmodels.calculus.compute.evaluate import EvaluationError, walk
from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.calculus.study.instances import random_instance
from tests.calculus.points import as_user_gives

x, y, w = vector("x", "n"), vector("y", "n"), vector("w", "p")
A, B, C = (matrix(name, "n", "n") for name in "ABC")
X, V = matrix("X", "n", "p"), matrix("V", "p", "q")
S = matrix("S", "n", "n", positive_definite=True)
W, T = matrix("W", "p", "k"), matrix("T", "n", "k")
Wt = matrix("Wt", "k", "p")
W2 = matrix("W2", "k", "c")
c, k = scalar("c"), scalar("k", integer=True)

# Both sides add the same numbers in another order; the instances are of size 3 to 6 and of
# condition below 1e4, so 1e-10 of the largest entry leaves four digits of room.
ROUNDING = 1e-10


def given(expression, seed=0):
    """Random values by name, in the shapes that users give, and the value by the plain walk."""
    values, sizes = random_instance([expression], seed)
    expected = walk(expression, values, sizes)
    by_name = {symbol.name: as_user_gives(symbol, array) for symbol, array in values.items()}
    return by_name, sizes, as_user_gives(expression, expected)


def same(expression, seed=0):
    values, sizes, expected = given(expression, seed)
    found = expression.compile()(**(sizes | values))
    assert np.shape(found) == np.shape(expected)
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING * scale)


FUNCTIONS = [
    (x.T @ A @ x, "x"),
    (x.T @ A @ B @ C @ y, "A"),
    (norm(X @ w - x) ** 2 + c * norm(w) ** 2, "w"),
    (sum(softplus(X @ w)) - x.T @ X @ w, "w"),
    ((x - y).T @ inv(S) @ (x - y), "S"),
    ((x - y).T @ inv(A) @ (x - y) + logdet(A), "A"),
    (logdet(X.T @ S @ X + c**2 * V @ V.T), "V"),
    (trace(A @ B @ inv(A) @ C), "A"),
    (trace(matrix_power(A, 4) @ B), "A"),
    (trace(matrix_power(A, -2) @ B), "A"),
    (trace(matrix_power(A, k)), "A"),
    (norm(T - X @ W) ** 2, "W"),
    (sum(kron(A, B) ** 2 * kron(C, A)), "A"),
    (vec(A).T @ kron(B, C) @ vec(A), "A"),
    (sum(diag(x) @ exp(A) @ diag(y)), "A"),
    (x.T @ diag(A @ B @ A), "A"),
    (logsumexp(A @ x) - y.T @ log(softmax(A @ x)), "x"),
    (sum(logsumexp(X @ W, axis=1)) - sum(T * (X @ W)), "W"),
    (sum(logsumexp(X @ Wt.T, axis=1)) - sum(T * (X @ Wt.T)), "Wt"),
    (sum(tanh(tanh(X @ W) @ W2) ** 2), "W"),
    (sum(tanh(W2.T @ sigmoid(Wt @ X.T)) ** 2), "Wt"),
    (sum(softmax(X @ W, axis=1) ** 2), "W"),
    (sum(sigmoid(X @ w) ** 2 / (1 + (X @ w) ** 2)), "w"),
    (A[0, 1] * x[2] ** 2 + A[-1, 0] * x[0], "A"),
    (sum(A @ x) + sum(A, axis=0).T @ y + trace(A), "A"),
]


@pytest.mark.parametrize(("f", "by"), FUNCTIONS, ids=lambda v: str(v)[:40])
@pytest.mark.parametrize("seed", [0, 1])
def test_value_gradient_and_hessian_are_those_of_the_plain_walk(f, by, seed):
    gradient = f.gradient(by)
    same(f, seed)
    same(gradient, seed)
    if "k" not in {symbol.name for symbol in f.symbols}:  # its Hessian has no closed form
        same(f.hessian(by), seed)
        if any(symbol.name == "x" for symbol in f.symbols) and by != "x":
            same(f.hessian(by, "x"), seed)


def test_the_hessian_of_the_logistic_loss_is_a_symmetric_product_of_scaled_rows():
    hessian = (sum(softplus(X @ w)) - x.T @ X @ w).hessian(w).compile()
    assert hessian.source == (
        "import numpy as np\n\n\n"
        "def f(X, w):\n"
        "    t1 = X @ w\n"
        "    t2 = (0.5 / np.cosh(np.minimum(np.abs(0.5 * t1), 700)))[:, np.newaxis] * X\n"
        "    return t2.T @ t2\n"
    )


def test_a_hessian_is_symmetric_to_the_last_bit():
    rng = np.random.default_rng(0)
    hessian = sum(softplus(X @ w)).hessian(w).compile()
    found = hessian(X=rng.standard_normal((50, 7)), w=rng.standard_normal(7))
    assert (found == found.T).all()


@pytest.mark.parametrize(
    ("expression", "banned"),
    [
        (A @ inv(B) @ x, "inv("),
        (X.T @ diag(x) @ X, "diag("),
        (X.T @ inv(S) @ X, "inv("),
        (trace(A @ B), "A @ B"),
        ((A + A.T) @ x, "A + A.T"),
        (kron(A, B) @ vec(C) + kron(A.T, B) @ vec(A), "kron("),
        (X @ W - T, "np.ones"),
    ],
    ids=str,
)
def test_what_need_not_be_formed_is_not(expression, banned):
    assert banned not in expression.compile().source
    same(expression)


def test_a_matrix_that_is_inverted_twice_is_factored_once():
    both = x.T @ inv(A) @ y * (y.T @ inv(A) @ x)
    source = both.compile().source
    assert source.count("lu_factor(A)") == 1
    assert source.count("lu_solve(") == 2
    definite = (S @ x).T @ inv(S + A @ A.T) @ y * (y.T @ inv(S + A @ A.T) @ y)
    assert definite.compile().source.count("cho_factor(") == 1
    same(both)
    same(definite)


@pytest.mark.parametrize("half", [A * B, A + B.T, c * A], ids=str)
def test_a_square_of_a_sum_or_an_elementwise_product(half):
    same(half.T @ half)
    same(half.T @ diag(exp(x)) @ half)


def test_a_square_whose_halves_are_written_differently():
    same(((c + B).T / sigmoid(A)) @ ((c + B) * (1 / sigmoid(A)).T))


def test_products_are_taken_in_the_cheapest_order():
    P, Q, R = matrix("P", "a", "b"), matrix("Q", "b", "c"), matrix("R", "c", "d")
    product = (P @ Q @ R).compile()
    # a·b·c + a·c·d multiplications from the left, b·c·d + a·b·d from the right.
    assert "P @ Q" in product.source_for(a=2, b=50, c=3, d=100)
    assert "Q @ R" in product.source_for(a=100, b=3, c=50, d=2)


def test_the_order_is_the_best_of_all():
    rng = np.random.default_rng(0)
    for _ in range(20):
        lengths = rng.integers(1, 40, 6) + 1
        factors = [matrix(f"M{i}", int(lengths[i]), int(lengths[i + 1])) for i in range(5)]

        def cheapest(i, j, lengths=lengths):
            if i == j:
                return 0
            return min(
                cheapest(i, m) + cheapest(m + 1, j) + lengths[i] * lengths[m + 1] * lengths[j + 1]
                for m in range(i, j)
            )

        assert chains.cost_of_order(factors, {}) == cheapest(0, 4)


def test_common_parts_are_computed_once():
    source = (sum(exp(A @ x)) + y.T @ exp(A @ x) + x.T @ A.T @ y).compile().source
    assert source.count("np.exp(") == 1
    assert source.count("A @ x") == 1


def test_logarithms_of_probabilities_do_not_underflow():
    extreme = np.array([-800.0, 800.0, 0.0])
    assert (log(sigmoid(x)).compile()(x=extreme) == [-800, 0, -np.log(2)]).all()
    found = log(softmax(x)).compile()(x=extreme)
    assert found == pytest.approx([-1600, 0, -800])


def test_hessians_of_sums_over_rows_do_not_form_the_middle_matrix():
    rng = np.random.default_rng(0)
    f = sum(logsumexp(X @ W, axis=1)) - sum(T * (X @ W))
    hessian = f.hessian(W).compile()
    n, p, classes = 3000, 4, 3
    values = {"X": rng.standard_normal((n, p)), "W": rng.standard_normal((p, classes))}
    tracemalloc.start()
    found = hessian(**values)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.shape == (12, 12)
    assert peak < 10 * 2**20  # the middle matrix, 9000×9000, would take 618 MiB


@pytest.mark.parametrize(
    ("f", "by"),
    [
        (sum(logsumexp(X @ W, axis=1)) - sum(T * (X @ W)), "W"),
        (sum(logsumexp(X @ Wt.T, axis=1)) - sum(T * (X @ Wt.T)), "Wt"),
        (sum(tanh(tanh(X @ W) @ W2) ** 2), "W"),
        (sum(tanh(W2.T @ sigmoid(Wt @ X.T)) ** 2), "Wt"),
    ],
    ids=str,
)
@pytest.mark.parametrize(("most_pairs", "way"), [(2**21, "pairs"), (0, "for a in range")])
def test_both_ways_over_rows_are_right(f, by, most_pairs, way, monkeypatch):
    monkeypatch.setattr(diagonal_blocks, "_MOST_PAIRS", most_pairs)
    assert way in f.hessian(by).compile().source
    same(f.hessian(by))


def test_a_derivative_takes_the_names_of_its_function():
    gradient = (x.T @ y).gradient(x).compile()
    assert (gradient(x=[0.0, 0.0], y=[1.0, 2.0]) == [1, 2]).all()


def test_sizes_that_no_symbol_tells_are_arguments():
    hessian = (norm(T - X @ W) ** 2).hessian("X").compile()
    assert hessian.arguments == ("W", "n")
    assert hessian(W=np.ones((2, 3)), n=2).shape == (4, 4)
    with pytest.raises(ValueError, match="no value for 'n'"):
        hessian(W=np.ones((2, 3)))


def test_the_function_that_was_differentiated_tells_sizes():
    f = norm(T - X @ W) ** 2
    values = {"T": np.ones((2, 3)), "X": np.ones((2, 2)), "W": np.ones((2, 3))}
    assert f.hessian("X").compile()(**values).shape == (4, 4)
    assert f.hessian("X").evaluate(**values).shape == (4, 4)


def test_refusals():
    product = (A @ x).compile()
    with pytest.raises(ValueError, match="no value for 'x'"):
        product(A=np.eye(2))
    with pytest.raises(ShapeError, match=r"'x' is a vector of n; found shape \(2, 2\)"):
        product(A=np.eye(2), x=np.eye(2))
    with pytest.raises(ShapeError, match="where n = 2"):
        product(A=np.eye(2), x=np.ones(3))
    with pytest.raises(EvaluationError, match="not finite"), np.errstate(all="ignore"):
        log(x).compile()(x=[-1.0])
    with pytest.raises(np.linalg.LinAlgError):
        (inv(A) @ x).compile()(A=np.zeros((2, 2)), x=np.ones(2))
    twice = (x.T @ inv(A) @ y * (y.T @ inv(A) @ x)).compile()
    with pytest.raises(EvaluationError, match="not finite"), pytest.warns(LinAlgWarning):
        twice(A=np.zeros((2, 2)), x=np.ones(2), y=np.ones(2))
    with pytest.raises(ShapeError, match="no value for the size 'n'"):
        product.source_for()


def test_a_source_stands_alone():
    function = (sum(softplus(X @ w)) - x.T @ X @ w).gradient(w).compile()
    namespace = {}
    exec(function.source_for(n=5, p=2), namespace)
    rng = np.random.default_rng(0)
    values = {"X": rng.standard_normal((5, 2)), "w": np.ones(2), "x": np.ones(5)}
    ordered = [values[name] for name in function.arguments]
    np.testing.assert_array_equal(namespace["f"](*ordered), function(**values))


def test_sizes_are_those_of_arguments_that_the_code_does_not_use():
    """log(exp(0)) is 0 as it is written, and then x is there for its length alone."""
    x = vector("x", "n")
    derivative = parse("exp(zeros(n))**amax(x)", x=x).jacobian("x")
    np.testing.assert_array_equal(derivative.compile()(x=[1.0, 3.0, 2.0]), np.zeros((3, 3)))
