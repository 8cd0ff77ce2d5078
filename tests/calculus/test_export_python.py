"""Code for JAX and PyTorch: run, and compared with `evaluate`."""

import pickle

import numpy as np
import pytest
from hypothesis import assume, given, settings

from mcmodels.calculus import (
    inv,
    kron,
    logdet,
    logsumexp,
    matrix,
    norm,
    pi,
    scalar,
    sigmoid,
    softmax,
    softplus,
    sum,
    tanh,
    trace,
    vech,
    vector,
)
from mcmodels.calculus.compute.evaluate import EvaluationError, walk
from mcmodels.calculus.compute.export.writing import UnsupportedFunctionError
from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.elementwise import FUNCTIONS
from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.calculus.derive.rule import DerivativeError
from mcmodels.calculus.study.instances import random_instance
from tests.calculus.domains import inside
from tests.calculus.expressions import expressions, scalar_expressions
from tests.calculus.function_cases import FUNCTION_CASES, a, x, y
from tests.calculus.points import as_user_gives
from tests.calculus.test_properties import deterministic, problems

TARGETS = ["jax", "torch"]
X, w, t = matrix("X", "n", "p"), vector("w", "p"), scalar("t")
A, B = matrix("A", "n", "n"), matrix("B", "n", "n")
P = matrix("P", "n", "n", positive_definite=True)
W, T = matrix("W", "p", "k"), matrix("T", "n", "k")

EXAMPLES = {"jax": 25, "torch": 100}  # JAX compiles each operation for each shape

# The same formula in another order, with condition numbers below 1e3.
ROUNDING = 1e-12


@pytest.fixture(autouse=True)
def _double_precision(request):
    if "target" in request.fixturenames and request.getfixturevalue("target") == "jax":
        jax = pytest.importorskip("jax")
        before = jax.config.jax_enable_x64
        jax.config.update("jax_enable_x64", True)
        yield
        jax.config.update("jax_enable_x64", before)
    else:
        pytest.importorskip("torch")
        yield


def require_same(found, expected, tolerance=ROUNDING):
    scale = max(1.0, float(np.abs(expected).max()))
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(np.asarray(found), expected, rtol=0, atol=tolerance * scale)


def same(expression, target, tolerance=ROUNDING):
    values, sizes = random_instance([expression])
    by_name = {s.name: as_user_gives(s, array) for s, array in values.items()}
    needed = {name: sizes[name] for name in expression.size_names}
    found = expression.compile(target=target)(**by_name, **needed)
    require_same(found, as_user_gives(expression, walk(expression, values, sizes)), tolerance)


USUAL = [
    (x.T @ A @ x + trace(A @ B), "x"),
    (sum(softplus(X @ w)) - x.T @ X @ w, "w"),
    (norm(X @ w - x) ** 2 + t * norm(w) ** 2, "w"),
    (logdet(P) + (x - y).T @ inv(P) @ (x - y), "P"),
    (sum(logsumexp(X @ W, axis=1)) - sum(T * (X @ W)), "W"),
    (sum(softmax(X @ W, axis=1) ** 2), "W"),
    (sum(kron(A, B) ** 2 * kron(B, A)), "A"),
    (sum(sigmoid(X @ w) ** 2 / (1 + (X @ w) ** 2)), "w"),
    (A[0, 1] * x[2] ** 2 + A[-1, 0] * x[0], "A"),
    (sum(x[1:] * tanh(x[:-1])), "x"),
    (norm(vech(A @ A)), "A"),
    (sum(mc.hstack([X, x]) ** 3), "X"),
    (logdet(mc.tril(A)) + sum(mc.triu(A @ A)), "A"),
    (sum(X / norm(X, axis=1) * x), "X"),
    (trace(mc.matrix_power(A, 3)) + mc.det(A), "A"),
    (2**t + t**0.5 + t * pi + mc.log(mc.size("n")) * sum(x) * t, "t"),
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("f", "by"), USUAL, ids=lambda v: str(v)[:40])
def test_usual_functions_with_gradients_and_hessians(f, by, target):
    for expression in (f, f.gradient(by), f.hessian(by)):
        same(expression, target)


c = scalar("c")
COLUMNS_OF_SOLVE = [
    (kron(inv(A) @ x, A), None),
    (kron(A, inv(A) @ x), None),
    (kron(mc.solve(A, B), mc.solve(B, A)), None),
    (x.T @ inv(A + x @ x.T) @ x, "x"),
    (x.T @ inv(A + x @ x.T) @ x, "A"),
    (logdet(mc.block([[P, x], [x.T, c + 9 * (x.T @ x) * trace(inv(P))]])), "P"),
    (sum(inv(mc.block([[P, x], [x.T, -1]]))), "x"),
    (sum(mc.vstack([x, c, 2 * x]) ** 2 * mc.vstack([x, 1, x])), "x"),
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("f", "by"), COLUMNS_OF_SOLVE, ids=lambda v: str(v)[:40])
def test_columns_that_lie_in_memory_as_rows_and_blocks_of_scalars(f, by, target):
    # PyTorch's kron fails for the strides of such columns, its cat for a number.
    for expression in (f,) if by is None else (f, f.gradient(by), f.hessian(by)):
        same(expression, target, 1e-10)  # condition numbers up to 1e5


LACKING = ("logm", "sqrtm")
CASES = [
    *((name, getattr(mc, name)(inside(name, z))) for name in FUNCTIONS for z in (a, x * y)),
    *(("", case) for cases in FUNCTION_CASES.values() for case in cases),
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("name", "f"), CASES, ids=str)
def test_every_function_or_a_refusal_that_names_it(name, f, target):
    lacking = [word for word in LACKING if word in str(f)]
    if lacking:
        with pytest.raises(UnsupportedFunctionError, match=f"has no {lacking[0]}"):
            f.compile(target=target)
        return
    same(f, target)
    if f.is_scalar or name:
        same(sum(f).gradient(sorted(f.used, key=str)[0]), target)


@pytest.mark.parametrize("target", TARGETS)
def test_derivatives_of_matrix_functions(target):
    for f in (trace(mc.expm(A)), sum(mc.expm(A) * B), norm(A, "nuc"), mc.eigvalsh(P)[-1]):
        same(f.gradient(sorted(f.used, key=str)[0]), target, 1e-11)
    same(mc.expm(A).jacobian(A), target, 1e-11)
    same(mc.eigvalsh(P)[-1].hessian(P), target, 1e-10)  # gaps of 1e-1, squared


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("z", [-1e5, -40.0, -6.0, -4.0, -1.0, 0.0, 3.0, 40.0])
@pytest.mark.parametrize("name", ["inverse_mills", "inverse_mills_gap", "norm_logcdf", "softplus"])
def test_tails(name, z, target):
    f = getattr(mc, name)(a)
    found, expected = f.compile(target=target)(a=z), f.evaluate(a=z, digits=30)
    # The gap loses a factor of 20 near −4.
    assert float(found) == pytest.approx(float(expected), rel=1e-13, abs=1e-300)


def compared(expression, point, target):
    arguments = point.arguments(expression)
    try:
        expected = expression.evaluate(**arguments)
        found = expression.compile(target=target)(**arguments)
    except (EvaluationError, UnsupportedFunctionError):
        assume(False)
    # Parts are below 1e3 with condition numbers below 1e3: 1e-10 of rounding, of a few parts 1e-9.
    require_same(found, expected, 1e-9)


@pytest.mark.parametrize("target", TARGETS)
def test_random_expressions(target):
    @settings(deterministic, max_examples=EXAMPLES[target])
    @given(problems(expressions()))
    def check(problem):
        compared(problem[0], problem[2], target)

    check()


@pytest.mark.parametrize("target", TARGETS)
def test_gradients_of_random_expressions(target):
    @settings(deterministic, max_examples=EXAMPLES[target])
    @given(problems(scalar_expressions()))
    def check(problem):
        f, symbol, point = problem
        try:
            gradient = f.gradient(symbol)
        except DerivativeError:
            assume(False)
        compared(gradient, point, target)

    check()


def test_the_code_is_what_one_would_write():
    loss = sum(softplus(X @ w)) - x.T @ X @ w
    assert loss.gradient(w).code("jax") == (
        "from jax.scipy import special\n\n\n"
        "def f(X, w, x):\n"
        "    w = w.reshape(-1, 1)\n"
        "    x = x.reshape(-1, 1)\n"
        "    return (X.T @ (special.expit(X @ w) - x)).reshape(-1)\n"
    )
    assert loss.gradient(w).compile("torch").source == loss.gradient(w).code("torch")
    assert loss.compile().source == loss.compile("numpy").source
    flat = "    w = np.reshape(w, -1)\n    x = np.reshape(x, -1)\n"
    assert loss.code("numpy").replace(flat, "") == loss.compile().source
    assert loss.code("latex") == loss.latex()


def test_code_of_numpy_takes_vectors_as_columns():
    # A call of what is compiled checks shapes; code alone repeated a column along the rows.
    gradient = (norm(X @ w - x) ** 2).gradient("w")
    rng = np.random.default_rng(0)
    given = {"X": rng.standard_normal((4, 3)), "w": rng.standard_normal(3)}
    given["x"] = rng.standard_normal(4)
    namespace = {}
    exec(gradient.code("numpy"), namespace)
    columns = {name: v.reshape(-1, 1) if v.ndim == 1 else v for name, v in given.items()}
    for values in (given, columns, {name: v.tolist() for name, v in given.items() if name != "X"}):
        found = namespace["f"](**{"X": given["X"], **values})
        np.testing.assert_array_equal(found, gradient.compile()(**given))


@pytest.mark.parametrize("target", ["jax"])
def test_jax_may_differentiate_vectorise_and_compile_it(target):
    jax = pytest.importorskip("jax")
    f = sum(softplus(X @ w))
    values = {"X": np.arange(6.0).reshape(3, 2), "w": np.array([0.1, -0.2])}
    compiled = f.compile(target=target)
    slope = jax.jit(jax.grad(lambda w: compiled(X=values["X"], w=w)))(values["w"])
    require_same(slope, f.gradient(w).evaluate(**values))
    many = jax.vmap(lambda w: compiled(X=values["X"], w=w))(np.ones((4, 2)))
    assert many.shape == (4,)


def test_torch_may_differentiate_it():
    torch = pytest.importorskip("torch")
    f = sum(softplus(X @ w))
    point = torch.tensor([0.1, -0.2], dtype=torch.float64, requires_grad=True)
    values = np.arange(6.0).reshape(3, 2)
    f.compile(target="torch")(X=values, w=point).backward()
    require_same(point.grad, f.gradient(w).evaluate(X=values, w=[0.1, -0.2]))
    single = f.gradient(w).compile("torch")(X=torch.ones(3, 2), w=torch.ones(2))
    assert single.dtype == torch.float32


@pytest.mark.parametrize("target", TARGETS)
def test_refusals(target):
    product = (A @ x).compile(target=target)
    with pytest.raises(ValueError, match="no value for 'x'"):
        product(A=np.eye(2))
    with pytest.raises(ValueError, match="'z' does not occur"):
        product(A=np.eye(2), x=np.ones(2), z=1)
    with pytest.raises(ShapeError, match=r"'x' is a vector of n; found shape \(2, 2\)"):
        product(A=np.eye(2), x=np.eye(2))
    with pytest.raises(ShapeError, match=r"found shape \(3,\), where n = 2"):
        product(A=np.eye(2), x=np.ones(3))
    with pytest.raises(ShapeError, match="index 3 is outside a vector of 2"):
        x[3].compile(target=target)(x=[1.0, 2.0])
    with pytest.raises(ShapeError, match="outside 2 entries"):
        sum(x[2:]).compile(target=target)(x=[1.0, 2.0])
    with pytest.raises(ShapeError, match="positive whole number"):
        mc.eye("n").compile(target=target)(n=0)
    with pytest.raises(EvaluationError, match="not finite"):
        mc.log(x).compile(target=target)(x=[-1.0])
    with pytest.raises(EvaluationError, match="not finite"):
        logdet(A).compile(target=target)(A=np.zeros((2, 2)))


@pytest.mark.parametrize("target", TARGETS)
def test_the_function_that_was_differentiated_tells_sizes(target):
    hessian = (norm(X @ W - T) ** 2).hessian("X")
    values = {"X": np.ones((2, 2)), "W": np.ones((2, 3)), "T": np.ones((2, 3))}
    require_same(hessian.compile(target=target)(**values), hessian.evaluate(**values))
    assert hessian.compile(target=target)(W=np.ones((2, 3)), n=2).shape == (4, 4)
    assert pickle.loads(pickle.dumps(hessian.compile(target=target))).source


@pytest.mark.parametrize("target", TARGETS)
def test_constants_have_double_precision(target):
    assert "float64" in str(mc.eye("n").compile(target=target)(n=2).dtype)


def test_unknown_targets_and_languages():
    with pytest.raises(ValueError, match=r"compile\(\) is one of 'numpy', 'jax', 'torch'"):
        x.compile(target="tensorflow")
    with pytest.raises(ValueError, match=r"one of 'numpy', 'jax', 'torch', 'julia'.*found 'c'"):
        x.code("c")


@pytest.mark.parametrize("target", TARGETS)
def test_a_name_that_the_code_uses_is_renamed(target):
    names = ["special", "jnp", "lambda_", "expit", "t1", "jax", "like", "torch"]
    total = sum(softplus(mc.vector("special", "n")))
    for name in names:
        total = total + norm(mc.vector(name, "n") - 1) ** 2
    values = {name: np.arange(3.0) for name in names}
    found = total.compile(target=target)(**values)
    assert float(found) == pytest.approx(total.evaluate(**values), rel=ROUNDING)
