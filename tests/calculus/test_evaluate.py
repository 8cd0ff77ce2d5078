"""Values: against NumPy and SciPy written by hand, and what is refused with which words."""

from __future__ import annotations

import re
import warnings

import mpmath
import numpy as np
import pytest
import scipy.linalg
import scipy.special

from mcmodels.calculus import critical_point, diagnose, parse
from mcmodels.calculus.compute.evaluate import EvaluationError
from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.functions import matrix, scalar, vector
from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.user_warnings import NonDifferentiableWarning

# The same operations in another order: a few roundings of numbers near 1.
CLOSE = 1e-13

rng = np.random.default_rng(0)
GIVEN = {
    "a": 1.7,
    "b": -0.4,
    "x": rng.standard_normal(3),
    "y": rng.uniform(0.5, 2, 3),
    "u": rng.standard_normal(2),
    "v": rng.standard_normal(6),
    "A": rng.standard_normal((3, 3)) + 2 * np.eye(3),
    "B": rng.standard_normal((3, 3)),
    "X": rng.standard_normal((2, 3)),
    "Y": rng.uniform(0.5, 2, (2, 3)),
    "K": rng.standard_normal((4, 9)),
}
a, b = scalar("a"), scalar("b")
x, y, u, v = vector("x", "n"), vector("y", "n"), vector("u", "m"), vector("v", "m*n")
A, B = matrix("A", "n", "n"), matrix("B", "n", "n")
X, Y, K = matrix("X", "m", "n"), matrix("Y", "m", "n"), matrix("K", "m*m", "n*n")


def _blocks(C, rows, cols):
    """The blocks of C of that shape, as a dictionary."""
    m, n = C.shape[0] // rows, C.shape[1] // cols
    return {
        (i, j): C[i * rows : (i + 1) * rows, j * cols : (j + 1) * cols]
        for i in range(m)
        for j in range(n)
    }


def _block_sum(C, A):
    found = _blocks(C, C.shape[0] // A.shape[0], C.shape[1] // A.shape[1])
    return sum(A[i, j] * block for (i, j), block in found.items())


def _block_trace(C, B):
    result = np.empty((C.shape[0] // B.shape[0], C.shape[1] // B.shape[1]))
    for (i, j), block in _blocks(C, *B.shape).items():
        result[i, j] = np.trace(B.T @ block)
    return result


CASES = {
    "x + a": (x + a, lambda x, a: x + a),
    "X - Y": (X - Y, lambda X, Y: X - Y),
    "2x/a": (2 * x / a, lambda x, a: 2 * x / a),
    "X*Y": (X * Y, lambda X, Y: X * Y),
    "X/Y": (X / Y, lambda X, Y: X / Y),
    "1/y": (1 / y, lambda y: 1 / y),
    "-x": (-x, lambda x: -x),
    "A@B@x": (A @ B @ x, lambda A, B, x: A @ B @ x),
    "x.T@A@x": (x.T @ A @ x, lambda x, A: x @ A @ x),
    "x.T": (x.T, lambda x: x[np.newaxis]),
    "x.T@A": (x.T @ A, lambda x, A: x[np.newaxis] @ A),
    "u@x.T": (u @ x.T, lambda u, x: np.outer(u, x)),
    "X.T": (X.T, lambda X: X.T),
    "x**3": (x**3, lambda x: x**3),
    "y**a": (y**a, lambda y, a: y**a),
    "y**-0.5": (y**-0.5, lambda y: y**-0.5),
    "2**X": (2**X, lambda X: 2.0**X),
    "a**x": (a**x, lambda a, x: a**x),
    "a**b": (a**b, lambda a, b: a**b),
    "sqrt": (mc.sqrt(Y), lambda Y: np.sqrt(Y)),
    "exp": (mc.exp(X), lambda X: np.exp(X)),
    "log": (mc.log(y), lambda y: np.log(y)),
    "sin": (mc.sin(x), lambda x: np.sin(x)),
    "cos": (mc.cos(x), lambda x: np.cos(x)),
    "tanh": (mc.tanh(X), lambda X: np.tanh(X)),
    "abs": (mc.abs(X), lambda X: np.abs(X)),
    "abs()": (abs(X), lambda X: np.abs(X)),
    "sign": (mc.sign(X), lambda X: np.sign(X)),
    "step": (mc.step(X), lambda X: (X > 0).astype(float)),
    "sigmoid": (mc.sigmoid(X), lambda X: scipy.special.expit(X)),
    "softplus": (mc.softplus(X), lambda X: np.logaddexp(0, X)),
    "relu": (mc.relu(X), lambda X: np.maximum(X, 0)),
    "trace": (mc.trace(A @ B), lambda A, B: np.trace(A @ B)),
    "det": (mc.det(A), lambda A: scipy.linalg.det(A)),
    "logdet": (mc.logdet(B), lambda B: np.log(np.abs(scipy.linalg.det(B)))),
    "inv": (mc.inv(A), lambda A: scipy.linalg.inv(A)),
    "inv(A)@x": (mc.inv(A) @ x, lambda A, x: scipy.linalg.solve(A, x)),
    "matrix_power 3": (mc.matrix_power(A, 3), lambda A: A @ A @ A),
    "matrix_power -2": (mc.matrix_power(A, -2), lambda A: scipy.linalg.inv(A @ A)),
    "matrix_power 0": (mc.matrix_power(A, 0) @ x, lambda x: x),
    "norm x": (mc.norm(x), lambda x: scipy.linalg.norm(x)),
    "norm X": (mc.norm(X), lambda X: scipy.linalg.norm(X)),
    "sum": (mc.sum(X), lambda X: X.sum()),
    "sum axis=0": (mc.sum(X, axis=0), lambda X: X.sum(axis=0)),
    "sum axis=1": (mc.sum(X, axis=1), lambda X: X.sum(axis=1)),
    "mean": (mc.mean(X), lambda X: X.mean()),
    "diag x": (mc.diag(x), lambda x: np.diag(x)),
    "diag A": (mc.diag(A), lambda A: np.diag(A)),
    "softmax": (mc.softmax(x), lambda x: scipy.special.softmax(x)),
    "softmax axis=1": (mc.softmax(X, axis=1), lambda X: scipy.special.softmax(X, axis=1)),
    "logsumexp": (mc.logsumexp(x), lambda x: scipy.special.logsumexp(x)),
    "logsumexp axis=1": (mc.logsumexp(X, axis=1), lambda X: scipy.special.logsumexp(X, axis=1)),
    "kron": (mc.kron(X, A), lambda X, A: np.kron(X, A)),
    "kron x u": (mc.kron(x, u), lambda x, u: np.kron(x, u)),
    "kron x X": (mc.kron(x, X), lambda x, X: np.kron(x[:, np.newaxis], X)),
    "vec": (mc.vec(X), lambda X: X.ravel(order="F")),
    "unvec": (mc.unvec(v, "m", "n") + X, lambda v, X: v.reshape(2, 3, order="F") + X),
    "block_sum": (mc.block_sum(K, X), _block_sum),
    "block_trace": (mc.block_trace(K, X), _block_trace),
    "x[0]": (x[0], lambda x: x[0]),
    "x[-1]": (x[-1], lambda x: x[-1]),
    "X[1,2]": (X[1, 2], lambda X: X[1, 2]),
    "X[0,:]": (X[0, :], lambda X: X[0]),
    "X[:,1]": (X[:, 1], lambda X: X[:, 1]),
    "eye": (mc.eye("n") + A, lambda A: np.eye(3) + A),
    "ones": (mc.ones("n") * x, lambda x: x),
    "zeros": (mc.zeros("m", "n") + X, lambda X: X),
    "unit": (mc.unit(1, "n") + x, lambda x: np.array([0, 1, 0]) + x),
    "size": (mc.size("n") * mc.sum(x), lambda x: 3 * x.sum()),
}


@pytest.mark.parametrize("name", CASES)
def test_values_are_those_of_numpy(name):
    expression, by_hand = CASES[name]
    given = {symbol.name: GIVEN[symbol.name] for symbol in expression.symbols}
    used = by_hand.__code__.co_varnames[: by_hand.__code__.co_argcount]
    if by_hand in (_block_sum, _block_trace):
        expected = by_hand(GIVEN["K"], GIVEN["X"])
    else:
        expected = by_hand(**{parameter: GIVEN[parameter] for parameter in used})
    found = expression.evaluate(**given)
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=CLOSE, atol=CLOSE)


def test_the_commutation_matrix_transposes_vec():
    K = mc.commutation("m", "n").evaluate(m=2, n=3)
    M = GIVEN["X"]
    np.testing.assert_array_equal(K @ M.ravel(order="F"), M.T.ravel(order="F"))


def test_the_diagonal_selection_places_a_diagonal():
    Psi = mc.diagonal_selection("n").evaluate(n=3)
    d = GIVEN["x"]
    np.testing.assert_array_equal(Psi @ d, np.diag(d).ravel(order="F"))


def test_a_size_of_one_at_run_time_is_still_a_matrix():
    Z = np.array([[0.3], [2.0]])
    np.testing.assert_array_equal(mc.softmax(X, axis=1).evaluate(X=Z), np.ones((2, 1)))
    np.testing.assert_array_equal(mc.logsumexp(X, axis=1).evaluate(X=Z), Z[:, 0])
    assert (x.T @ x).evaluate(x=[3.0]) == 9
    assert mc.det(A).evaluate(A=[[2.0]]) == 2


def test_scalars_are_floats_and_arrays_are_contiguous():
    assert isinstance((x.T @ x).evaluate(x=[1, 2]), float)
    assert X.T.evaluate(X=GIVEN["X"]).flags.c_contiguous
    assert mc.sum(X, axis=0).evaluate(X=GIVEN["X"]).shape == (3,)


def test_whole_numbers_and_lists_are_values():
    assert (a * mc.sum(x)).evaluate(a=np.int64(2), x=[True, False, True]) == 4


@pytest.mark.parametrize("z", [-800.0, 0.0, 800.0])
def test_large_arguments_do_not_overflow(z):
    assert mc.sigmoid(a).evaluate(a=z) == scipy.special.expit(z)
    assert mc.softplus(a).evaluate(a=z) == np.logaddexp(0, z)
    assert mc.logsumexp(x).evaluate(x=[z, z]) == pytest.approx(z + np.log(2), rel=1e-15)
    np.testing.assert_array_equal(mc.softmax(x).evaluate(x=[z, z]), [0.5, 0.5])


# -- binding -------------------------------------------------------------------------------------

S, k = matrix("S", "n", "n", symmetric=True), scalar("k", integer=True)


@pytest.mark.parametrize(
    ("expression", "given", "words"),
    [
        (x.T @ A @ x, {"x": [1, 2]}, ["no value for 'A'", "n×n", "A=…"]),
        (x, {"x": [[1], [2]]}, ["'x'", "vector of n", "1 dimension", "(2, 1)"]),
        (a, {"a": [1]}, ["'a'", "a scalar", "(1,)"]),
        (X, {"X": [1, 2]}, ["'X'", "m×n", "(2,)"]),
        (x + y, {"x": [1, 2], "y": [1, 2, 3]}, ["(3,)", "n = 2"]),
        (A, {"A": [[1, 2]]}, ["a matrix of n×n", "(1, 2)", "n = 1"]),
        (vector("z", 3), {"z": [1, 2]}, ["'z'", "vector of 3", "(2,)"]),
        (x, {"x": [1, np.nan]}, ["'x' must be finite"]),
        (x, {"x": [1, np.inf]}, ["'x' must be finite"]),
        (x, {"x": [1j, 2]}, ["'x' must be real", "complex"]),
        (x, {"x": ["1", "2"]}, ["'x' must be real"]),
        (x, {"x": None}, ["'x' must be real"]),
        (S, {"S": [[1, 2], [3, 4]]}, ["'S' is declared symmetric", "differ by 1"]),
        (mc.matrix_power(A, k), {"A": np.eye(2), "k": 1.5}, ["'k' is declared integer", "1.5"]),
        (x, {"x": [1], "n": 2}, ["vector of n", "(1,)", "n = 2"]),
        (x, {"x": [1], "n": 1.5}, ["size 'n'", "1.5"]),
        (x, {"x": [1], "n": 0}, ["size 'n'", "0"]),
        (x, {"x": []}, ["'x'", "empty"]),
        (S, {"S": np.zeros((0, 0))}, ["'S'", "empty"]),
        (mc.eye("n"), {}, ["no symbol tells the size 'n'", "n=…"]),
        (v, {"v": GIVEN["v"]}, ["no symbol tells the size 'm'", "m=…"]),
        (v, {"v": GIVEN["v"], "m": 2, "n": 2}, ["'v'", "m*n", "(6,)", "m = 2", "n = 2"]),
    ],
)
def test_values_that_do_not_fit_are_refused(expression, given, words):
    with pytest.raises(ValueError, match=re.escape(words[0])) as caught:
        expression.evaluate(**given)
    for word in words:
        assert word in str(caught.value)


def test_sizes_that_no_symbol_tells_are_given_by_name():
    np.testing.assert_array_equal(mc.eye("n").evaluate(n=2), np.eye(2))
    assert v.evaluate(v=GIVEN["v"], m=2, n=3).shape == (6,)
    assert mc.size("n").evaluate(n=4) == 4


def test_a_function_and_its_derivatives_take_the_same_names():
    f = a * (x.T @ x) + y.T @ x
    values = {"a": 2.0, "x": [1.0], "y": [3.0], "n": 1}
    for derivative in (f, f.gradient(x), f.hessian(x), f.gradient(x).jacobian(x).jacobian(x)):
        derivative.evaluate(**values)
        derivative.compile()(**values)


@pytest.mark.parametrize("name", ["precision", "whatever", "A"])
def test_a_name_that_does_not_occur_is_refused(name):
    f = x.T @ x
    wanted = f"'{name}' does not occur in .*it takes n, x"
    for derivative in (f, f.gradient(x)):
        with pytest.raises(ValueError, match=wanted):
            derivative.evaluate(x=[1.0], **{name: 50})
        with pytest.raises(ValueError, match=wanted):
            derivative.compile()(x=np.ones(1), **{name: 50})
    with pytest.raises(ValueError, match=wanted):
        f.hessian(x).compile().source_for(n=3, **{name: 50})


def test_rounding_does_not_make_a_matrix_asymmetric():
    R = GIVEN["B"] @ GIVEN["B"].T
    R[0, 1] *= 1 + 1e-12
    np.testing.assert_array_equal(S.evaluate(S=R), R)


# -- where expressions are not defined -----------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "given", "part"),
    [
        (1 + mc.log(x).T @ x, {"x": [1, -1]}, "log(x)"),
        (mc.sum(mc.log(x)), {"x": [1, 0]}, "log(x)"),
        (mc.sum(mc.sqrt(x - 1)), {"x": [0, 2]}, "sqrt("),
        (mc.trace(mc.inv(A)), {"A": np.ones((2, 2))}, "inv(A)"),
        (mc.logdet(A), {"A": np.zeros((2, 2))}, "logdet(A)"),
        (mc.sum(y / x), {"x": [0, 1], "y": [1, 1]}, "1 / x"),
        (x / a, {"x": [0, 1], "a": 0}, "1 / a"),
        (x**-0.5, {"x": [-1, 1]}, "x"),
        (mc.exp(a) + 1, {"a": 1e3}, "exp(a)"),
        (mc.exp(a) - 1, {"a": 1e3}, "expm1(a)"),  # as which it is computed
        (x[3], {"x": [1, 2]}, "index 3 is outside a vector of 2"),
        (mc.matrix_power(A, k / 2), {"A": np.eye(2), "k": 3}, "1.5"),
        (mc.norm(x).gradient(x), {"x": [0, 0]}, "1 / norm(x)"),
    ],
)
def test_the_part_that_is_not_defined_is_named(expression, given, part):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the error says it all; NumPy adds nothing
        with pytest.raises(EvaluationError) as caught:
            expression.evaluate(**given)
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("f", "at"),
    [
        (mc.sum(mc.abs(x)), [0, 1]),
        (mc.sum(mc.relu(x)), [0, 1]),
        (mc.sum(mc.abs(x) * mc.exp(x)), [0, 1]),
        (mc.norm(x[0]) + 0 * mc.sum(x), [0, 1]),
    ],
)
def test_a_derivative_at_a_kink_warns_and_names_it(f, at):
    gradient = f.gradient(x)
    with pytest.warns(NonDifferentiableWarning, match="kink.*where its argument is 0"):
        assert gradient.evaluate(x=at)[0] == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gradient.evaluate(x=[-1, 1])
        f.evaluate(x=at)


def test_the_square_of_an_absolute_value_has_no_kink():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mc.sum(mc.abs(x) ** 2).gradient(x).evaluate(x=[0, 1]).tolist() == [0, 2]


def test_the_warning_points_to_the_line_that_asked():
    with pytest.warns(NonDifferentiableWarning) as caught:
        mc.abs(a).gradient(a).evaluate(a=0)
    assert caught[0].filename == __file__


def test_shape_errors_are_value_errors():
    assert issubclass(ShapeError, ValueError)
    assert issubclass(EvaluationError, ValueError)


def test_what_is_behind_a_mask_is_not_read():
    A, x, s = matrix("A", 3, 3), vector("x", 3), scalar("s")
    f = x.T @ A @ x
    hidden = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    whole, M = np.ma.array([1.0, 2.0, 3.0]), np.eye(3)
    for given in (
        {"x": hidden, "A": M},
        {"x": whole, "A": np.ma.array(M, mask=M == 0)},
        {"x": whole, "A": [whole, hidden, whole]},
    ):
        for call in (f.evaluate, f.compile(), f.gradient(x).compile()):
            with pytest.raises(ValueError, match=r"'[xA]'.* has masked entries.*filled"):
                call(**given)
        with pytest.raises(ValueError, match="has masked entries"):
            f.check(x, **given)
        with pytest.raises(ValueError, match="has masked entries"):
            critical_point(f, x, given)
        with pytest.raises(ValueError, match="has masked entries"):
            diagnose(f, x, 2 * x, **given)
    for call in ((2 * s).evaluate, (2 * s).compile()):
        with pytest.raises(ValueError, match="'s' has masked entries"):
            call(s=np.ma.masked)
    # Where nothing is masked there is nothing behind a mask: 1 + 4 + 9.
    assert f.evaluate(x=whole, A=M) == f.compile()(x=whole, A=M) == 14.0


def test_an_overflowed_denominator_is_no_zero():
    """At 400 its square overflows: 0 in its place would be 0 or 1 where 1e-173 is right."""
    far = np.array([400.0, 1.0])
    f = parse("exp(x)/(x - exp(x))**2", x="n")
    g = parse("sum(exp(x)/(x + exp(x)))", x="n").gradient("x")
    for e, right in ((f, np.exp(-400)), (g, 399 * np.exp(-400))):
        for call in (e.evaluate, e.compile()):
            # exp(400) has 400 roundings; x beside it is 1e-171 of it.
            assert call(x=far)[0] == pytest.approx(right, rel=1e-12)
    # A difference of two that are 1, of which float64 has no digit, is computed in more.
    h = parse("sum(cosh(x)/(x + cosh(x)))", x="n").gradient("x")
    with mpmath.workdps(400):
        z = mpmath.mpf(400)
        right = float((z * mpmath.sinh(z) - mpmath.cosh(z)) / (z + mpmath.cosh(z)) ** 2)
    for call in (h.evaluate, h.compile()):
        assert call(x=far)[0] == pytest.approx(right, rel=1e-14)
    assert np.isfinite(h.evaluate(x=np.array([40.0, 1.0]))).all()
