"""Every rule by itself: differentials, adjoints and vec rules, and planted errors are caught."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mcmodels.calculus.compute.evaluate import walk
from mcmodels.calculus.core import einsum_nodes as E
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core import nodes as N
from mcmodels.calculus.core.arithmetic import add, identity, is_zero, kron, matmul, scale, transpose
from mcmodels.calculus.core.elementwise import FUNCTIONS
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.index_nodes import SumOver
from mcmodels.calculus.core.indices import index
from mcmodels.calculus.core.numbers import number
from mcmodels.calculus.core.rewriting import parts_of, substitute
from mcmodels.calculus.core.summation import sum_over
from mcmodels.calculus.derive import rules, trace_form, vec_form
from mcmodels.calculus.derive.differentials import differential
from mcmodels.calculus.derive.rules import DerivativeError
from tests.calculus.domains import inside
from tests.calculus.einsum_cases import EINSUMS, LINEAR_EINSUMS
from tests.calculus.function_cases import FUNCTION_CASES, LINEAR_FUNCTIONS, ONCE, REFUSED

SIZES = {"m": 3, "n": 4, "p": 2}
STEP = 1e-100

# Single operations on numbers near 1, with matrices of conditions below 100: no rounding error
# reaches 1e-12, and any wrong term is some 1e10 times that.
CLOSE = 1e-12

a, b = mc.scalar("a"), mc.scalar("b")
x, y, v = mc.vector("x", "n"), mc.vector("y", "n"), mc.vector("v", "m*n")
A, B, C = (mc.matrix(name, "n", "n") for name in "ABC")
X, Y, Z = mc.matrix("X", "m", "n"), mc.matrix("Y", "n", "p"), mc.matrix("Z", "m", "n")
S = mc.matrix("S", "n", "n", symmetric=True)
K, L = mc.matrix("K", "m*n", "n*p"), mc.matrix("L", "m*n", "n*p")

i, j = index("i", over="m"), index("j", over="m")

# Of each kind of node, expressions whose outermost node it is.
MINIMAL: dict[type[Expression], list[Expression]] = {
    N.Sum: [a + b, x - y, 2 * X + Z],
    N.Scaled: [a * b, 3 * x, a * x, a * b * X, -mc.trace(A) * A],
    N.Product: [A @ x, A @ B, A @ B @ A, x.T @ A @ x, x @ y.T, X @ Y, S @ A @ S],
    N.Hadamard: [x * y, X * Z, A * A.T, x * mc.exp(x)],
    N.Power: [x**2, x**-1, X**0.5, a**b, x**a, 1 / a, mc.sqrt(a), a**3],
    N.MatrixPower: [
        mc.inv(A),
        mc.matrix_power(A, 2),
        mc.matrix_power(A, 3),
        mc.matrix_power(A, -2),
        mc.matrix_power(S, 4),
        mc.inv(A @ B + C),
    ],
    N.Transpose: [X.T, mc.exp(X).T, (X + Z).T],
    N.Elementwise: [
        getattr(mc, name)(inside(name, argument)) for name in FUNCTIONS for argument in (a, X)
    ],
    N.Trace: [mc.trace(A), mc.trace(A @ B), mc.trace(mc.matrix_power(A, 3)), mc.trace(S @ S)],
    N.Det: [mc.det(A), mc.det(S), mc.det(A @ B)],
    SumOver: [
        sum_over(mc.exp(X[i].T @ x), i),
        sum_over(mc.exp(X[i]), i),
        sum_over(X[i] @ X[i].T, i),
        sum_over(mc.exp(X[i].T @ x), i, where=i > 0),
        sum_over(X[i].T @ Z[j] / (1 + X[i].T @ X[j]), i, j, where=i < j),
    ],
    N.LogDet: [mc.logdet(A), mc.logdet(S), mc.logdet(X @ X.T)],
    N.Norm: [mc.norm(x), mc.norm(X), mc.norm(A @ x - y)],
    N.Total: [mc.sum(x), mc.sum(X), mc.sum(X * X)],
    N.DiagonalMatrix: [mc.diag(x), mc.diag(x * y)],
    N.Diagonal: [mc.diag(A), mc.diag(A @ B)],
    N.Vec: [mc.vec(X), mc.vec(X * X)],
    N.Unvec: [mc.unvec(v, "m", "n"), mc.unvec(v * v, "n", "m")],
    N.Kron: [mc.kron(X, Y), mc.kron(Y, Y), mc.kron(x, Y), mc.kron(x.T, X)],
    N.Softmax: [mc.softmax(x), mc.softmax(X, axis=1)],
    N.LogSumExp: [mc.logsumexp(x), mc.logsumexp(X, axis=1)],
    N.BlockSum: [mc.block_sum(K, X), mc.block_sum(K * L, mc.exp(X))],
    N.BlockTrace: [mc.block_trace(K, Y), mc.block_trace(K * L, mc.exp(Y))],
    **FUNCTION_CASES,
    N.Stack: [
        mc.hstack([X, Z]),
        mc.vstack([X, Y.T, X]),
        mc.vstack([x, a, y]),
        mc.hstack([x, A]),
        mc.block([[A, x], [x.T, a]]),
    ],
    **EINSUMS,
}
CASES = [(kind, expression) for kind, found in MINIMAL.items() for expression in found]
CONSTANT = {
    N.NamedNumber,
    N.Number,
    N.SizeValue,
    N.Identity,
    N.Zeros,
    N.Ones,
    N.Unit,
    N.Commutation,
    N.DiagonalSelection,
    N.Selection,
    N.Triangle,
    N.Duplication,
    N.Elimination,
}


# Of each kind of node, expressions linear in one differential, which one of its parts holds.
da, dA, dX, dY, dx, dv, dK = map(N.Differential, (a, A, X, Y, x, v, K))
LINEAR: dict[type[Expression], list[tuple[Expression, N.Differential]]] = {
    N.Scaled: [(3 * dX, dX), (a * b * dx, dx), (da * X, da), (2 * b * da, da), (da * x, da)],
    N.Product: [(B @ dA, dA), (dA @ B, dA), (B @ dA @ C @ B, dA), (x.T @ dA @ y, dA), (dX @ Y, dX)],
    N.Transpose: [(dX.T, dX), (dA.T, dA)],
    N.Hadamard: [(Z * dX, dX), (Z * X * dX, dX), (x * dx, dx)],
    N.Trace: [(mc.trace(dA), dA)],
    N.Total: [(mc.sum(dX), dX), (mc.sum(dx), dx)],
    N.DiagonalMatrix: [(mc.diag(dx), dx)],
    N.Diagonal: [(mc.diag(dA), dA)],
    N.Vec: [(mc.vec(dX), dX)],
    N.Unvec: [(mc.unvec(dv, "m", "n"), dv)],
    N.Kron: [
        (mc.kron(dX, Y), dX),
        (mc.kron(Y, dX), dX),
        (mc.kron(x, dY), dY),
        (mc.kron(dx, Y), dx),
        (mc.kron(x.T, dX), dX),
        (mc.kron(dX, x.T), dX),
    ],
    N.BlockSum: [
        (mc.block_sum(dK, X), dK),
        (mc.block_sum(K, dX), dX),
        (mc.block_sum(kron(K, x), dv), dv),
    ],
    N.BlockTrace: [
        (mc.block_trace(dK, Y), dK),
        (mc.block_trace(K, dY), dY),
        (mc.block_trace(K, dX), dX),
    ],
    **LINEAR_FUNCTIONS,
    N.Stack: [
        (mc.hstack([0 * Z, dX, 0 * Z]), dX),
        (mc.vstack([dX, 0 * Z]), dX),
        (mc.vstack([0 * x, da]), da),
        (mc.hstack([0 * A, dx, 0 * A]), dx),
        (mc.hstack([dx.T, 0 * y.T]), dx),
    ],
    **LINEAR_EINSUMS,
}
ADJOINT_CASES = [(kind, M, d) for kind, found in LINEAR.items() for M, d in found]
VEC_CASES = [
    (kind, M, d) for kind, M, d in ADJOINT_CASES if kind in vec_form.VEC_RULES and M.is_array
]


# -- values --------------------------------------------------------------------------------------


def values_of(symbols, seed: int = 0) -> dict[N.Symbol, np.ndarray]:
    """Positive values, so that powers and logarithms are defined; symmetric as declared."""
    rng = np.random.default_rng(seed)
    found = {}
    for symbol in sorted(symbols, key=lambda symbol: symbol.name):
        value = rng.uniform(0.5, 1.5, (symbol.rows.value(SIZES), symbol.cols.value(SIZES)))
        if value.shape[0] == value.shape[1]:
            value += np.eye(len(value))
        found[symbol] = (value + value.T) / 2 if "symmetric" in symbol.declared else value
    return found


def require_close(found, expected) -> None:
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(found, expected, rtol=0, atol=CLOSE * scale)


def complex_step(expression, values, variables) -> np.ndarray:
    """The derivative of an expression where all variables move along their differentials."""
    moved = {
        symbol: value + 1j * STEP * values[N.Differential(symbol)] if symbol in variables else value
        for symbol, value in values.items()
    }
    return np.imag(walk(expression, moved, SIZES)) / STEP


def label(value: object) -> str:
    return str(value) if isinstance(value, Expression) else getattr(value, "__name__", "")


# -- differentials -------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "expression"), CASES, ids=label)
def test_the_differential_is_that_of_the_complex_step(kind, expression):
    assert type(expression) is kind
    variables = expression.used
    values = values_of(variables | {N.Differential(symbol) for symbol in variables})
    first = differential(expression, variables)
    require_close(walk(first, values, SIZES), complex_step(expression, values, variables))
    if kind in ONCE:
        with pytest.raises(DerivativeError, match=r"no second|no Hessian"):
            differential(first, variables)
        return
    second = differential(first, variables)
    require_close(walk(second, values, SIZES), complex_step(first, values, variables))


@pytest.mark.parametrize(("kind", "expression"), CASES, ids=label)
def test_one_symbol_may_vary_while_the_others_are_constant(kind, expression):
    for symbol in expression.used:
        values = values_of(expression.used | {N.Differential(symbol)})
        found = walk(differential(expression, frozenset([symbol])), values, SIZES)
        require_close(found, complex_step(expression, values, {symbol}))


def test_every_node_has_a_rule_and_a_test():
    kinds = {getattr(module, name) for module in (N, F, E) for name in module.__all__} | {SumOver}
    without = {N.Symbol, N.Differential, N.Unevaluated, E.TensorSymbol} | CONSTANT
    assert set(rules.RULES) == kinds - without
    assert set(MINIMAL) == set(rules.RULES) - REFUSED
    tested = {expression.name for expression in MINIMAL[N.Elementwise]}
    assert tested == set(FUNCTIONS)


@pytest.mark.parametrize("kind", sorted(CONSTANT, key=lambda kind: kind.__name__))
def test_a_constant_holds_no_symbol_and_varies_with_none(kind):
    examples = [
        number(2), N.NamedNumber("pi"), mc.size("n"), mc.eye("n"), mc.zeros("n"),
        mc.ones("m", "n"), mc.unit(0, "n"),
        mc.commutation("m", "n"), mc.diagonal_selection("n"), mc.eye("n")[1:, :],
        mc.tril(mc.ones("n", "n")), mc.duplication("n"), mc.elimination("n"),
    ]  # fmt: skip
    (constant,) = [example for example in examples if type(example) is kind]
    assert not constant.used
    assert is_zero(differential(constant, frozenset([x])))


# -- adjoints ------------------------------------------------------------------------------------


def position(M: Expression, d: N.Differential) -> int:
    (i,) = [i for i, child in enumerate(M.children) if d in child.used]
    return i


@pytest.mark.parametrize(("kind", "M", "d"), ADJOINT_CASES, ids=label)
def test_an_adjoint_moves_an_operation_across_the_pairing(kind, M, d):
    assert type(M) is kind
    i = position(M, d)
    W = N.Symbol("W", M.rows, M.cols, frozenset())
    G = trace_form.ADJOINTS[kind].apply(W, M, i)
    part = M.children[i]
    assert (G.rows, G.cols) == (part.rows, part.cols)
    values = values_of(M.used | {W})
    before = (values[W] * walk(M, values, SIZES)).sum()
    require_close((walk(G, values, SIZES) * walk(part, values, SIZES)).sum(), before)


def test_every_linear_node_has_an_adjoint_and_a_test():
    linear = set()
    for _, expression in CASES:
        for symbol in expression.used:
            d = N.Differential(symbol)
            parts = parts_of(differential(expression, frozenset([symbol])))
            linear |= {type(part) for part in parts if d in part.used}
    assert linear - {N.Differential, N.Sum, SumOver} <= set(trace_form.ADJOINTS)
    assert set(LINEAR) == set(trace_form.ADJOINTS)
    # A sum over an index is opened as sums of terms are, before adjoints are looked up.
    others = set(vec_form.VEC_RULES) - {SumOver}
    assert others == set(trace_form.ADJOINTS) - {N.Trace, N.Total}


# -- vec rules -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "M", "d"), VEC_CASES, ids=label)
def test_a_vec_rule_gives_the_matrix_of_the_operation(kind, M, d):
    i = position(M, d)
    part = M.children[i]
    J = vec_form.VEC_RULES[kind].apply(M, i, identity(part.rows * part.cols))
    assert (J.rows, J.cols) == (M.rows * M.cols, part.rows * part.cols)
    values = values_of(M.used)
    stacked = walk(part, values, SIZES).T.reshape(-1, 1)
    found = walk(J, values, SIZES) @ stacked
    require_close(found, walk(M, values, SIZES).T.reshape(-1, 1))


# -- refusals ------------------------------------------------------------------------------------


def test_a_symbolic_matrix_power_is_differentiated_in_a_trace_alone():
    k = mc.scalar("k", integer=True)
    power = mc.matrix_power(A, k)
    expected = k * mc.matrix_power(A, k - 1).T
    assert mc.trace(power).gradient(A) == expected
    with pytest.raises(DerivativeError, match="give the exponent as a number"):
        mc.sum(power).gradient(A)


@pytest.mark.parametrize("f", [mc.trace, mc.sum, mc.det])
def test_a_matrix_power_is_not_differentiated_by_its_exponent(f):
    k = mc.scalar("k", integer=True)
    with pytest.raises(DerivativeError, match="exponent"):
        f(mc.matrix_power(A, k)).gradient(k)


# -- planted errors ------------------------------------------------------------------------------

RIGHT = 1e-8  # extrapolated differences of tame functions lose about half of sixteen digits
FACTOR = 2.001 / 2  # the planted error of the tests of HIPS autograd
CAUGHT = 1e-6  # of an error of 5e-4 in one term, which may be some 1e-2 of the whole


def with_factor(rule):
    return replace(rule, apply=lambda *given: scale(number(FACTOR), rule.apply(*given)))


def require_caught(monkeypatch, table, kind, planted, F, symbol) -> None:
    assert F.check(symbol) < RIGHT
    monkeypatch.setitem(table, kind, planted)
    assert F.check(symbol) > CAUGHT


VARYING = [
    case
    for case in CASES
    if getattr(case[1], "name", None) not in ("sign", "step") and case[0] is not F.Hardmax
]


@pytest.mark.parametrize(("kind", "expression"), VARYING, ids=label)
def test_a_wrong_factor_in_a_rule_is_caught(kind, expression, monkeypatch):
    symbol = min(expression.used, key=lambda symbol: symbol.name)
    planted = with_factor(rules.RULES[kind])
    require_caught(monkeypatch, rules.RULES, kind, planted, expression, symbol)


@pytest.mark.parametrize(("kind", "M", "d"), ADJOINT_CASES, ids=label)
def test_a_wrong_factor_in_an_adjoint_is_caught(kind, M, d, monkeypatch):
    planted = with_factor(trace_form.ADJOINTS[kind])
    W = N.Symbol("W", M.rows, M.cols, frozenset())
    f = mc.sum(W * mc.sin(substitute(M, {d: d.of})))
    require_caught(monkeypatch, trace_form.ADJOINTS, kind, planted, f, d.of)


@pytest.mark.parametrize(("kind", "M", "d"), VEC_CASES, ids=label)
def test_a_wrong_factor_in_a_vec_rule_is_caught(kind, M, d, monkeypatch):
    planted = with_factor(vec_form.VEC_RULES[kind])
    F = mc.sin(substitute(M, {d: d.of}))
    require_caught(monkeypatch, vec_form.VEC_RULES, kind, planted, F, d.of)


def _swapped_differential(e, d):
    left, right = e.children
    return add([matmul([right, d(left)]), matmul([left, d(right)])])


def _swapped_adjoint(C, M, i):
    right = [transpose(factor) for factor in M.children[:i]]
    left = [transpose(factor) for factor in M.children[i + 1 :]]
    return matmul([*left, C, *right])


def _swapped_vec(M, i, J):
    (other,) = [child for j, child in enumerate(M.children) if j != i]
    return matmul([kron(identity(M.rows), other), J])


@pytest.mark.parametrize(
    ("table", "swapped", "F"),
    [
        (rules.RULES, _swapped_differential, A @ B),
        (trace_form.ADJOINTS, _swapped_adjoint, mc.sum(mc.sin(A @ B))),
        (vec_form.VEC_RULES, _swapped_vec, A @ B),
    ],
    ids=["differential", "adjoint", "vec rule"],
)
def test_a_swapped_order_in_the_rule_of_products_is_caught(table, swapped, F, monkeypatch):
    planted = replace(table[N.Product], apply=swapped)
    require_caught(monkeypatch, table, N.Product, planted, F, A)
