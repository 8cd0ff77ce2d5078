"""Derivatives in fifty digits: formulas are right far beyond what float64 could tell."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import mp

from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.elementwise import FUNCTIONS
from mcmodels.calculus.study.checks import directions
from mcmodels.calculus.study.instances import as_declared
from tests.calculus import high_precision
from tests.calculus.domains import inside

# Rounding leaves 1e-50/1e-12, times condition numbers below 100 and third derivatives below 1e2.
CLOSE = "1e-34"
SIZES = {"m": 3, "n": 2, "p": 2}

a, b = mc.scalar("a"), mc.scalar("b")
x, y = mc.vector("x", "m"), mc.vector("y", "m")
X, A, B = mc.matrix("X", "m", "n"), mc.matrix("A", "m", "m"), mc.matrix("B", "m", "m")
S = mc.matrix("S", "m", "m", symmetric=True)
P = mc.matrix("P", "m", "m", positive_definite=True)
L = mc.matrix("L", "m", "m", lower_triangular=True)
W = mc.matrix("W", "m", "m", diagonal=True)
Y, K = mc.matrix("Y", "n", "p"), mc.matrix("K", "m*n", "n*p")

ELEMENTWISE = [
    (mc.sum(y * getattr(mc, name)(inside(name, inner))), x)
    for name in FUNCTIONS
    for inner in (x, x * x - y)
    if not (name == "log" and inner != x)
]
SCALARS = [
    *ELEMENTWISE,
    (x.T @ A @ x, x),
    (x.T @ A @ x / (x.T @ x), x),
    (mc.det(A), A),
    (mc.det(S), S),
    (mc.det(A @ B), A),
    (mc.logdet(A), A),
    (mc.logdet(S), S),
    (mc.logdet(P) + x.T @ mc.inv(P) @ x, P),
    (mc.logdet(X.T @ X), X),
    (mc.sum(mc.inv(A)), A),
    (x.T @ mc.inv(A) @ y, A),
    (mc.trace(mc.inv(S) @ A), S),
    (mc.sum(mc.kron(X, Y) * K), X),
    (mc.norm(mc.kron(X, Y)), Y),
    (mc.norm(mc.kron(X, X.T)), X),
    (y.T @ mc.softmax(x), x),
    (mc.sum(X * mc.softmax(X * X, axis=1)), X),
    (mc.logsumexp(A @ x), x),
    (mc.sum(mc.logsumexp(X * X, axis=1)), X),
    (mc.norm(A @ x - y), x),
    (mc.norm(X @ Y), X),
    (mc.sum(x**3), x),
    (mc.sum(x**-2), x),
    (mc.sum(x**0.3), x),
    (mc.sum(mc.sqrt(X)), X),
    (mc.sum(x**a), a),
    (mc.sum(x**a), x),
    (a**b, b),
    (mc.sum(2**x), x),
    (mc.trace(mc.matrix_power(A, 3)), A),
    (mc.sum(mc.matrix_power(A, -2)), A),
    (mc.sum(mc.block_sum(K, X) ** 2), X),
    (mc.norm(mc.block_trace(K, Y)), Y),
    (mc.logsumexp(mc.diag(A @ A)), A),
    (mc.norm(X - y + mc.mean(X, axis=0).T), X),
    (mc.sum(mc.softmax(X, axis=0) / x), X),
    (mc.sum(X / mc.norm(X, axis=1) * x), X),
    (mc.norm(A[1:, :] @ X - (B @ X)[:-1, :]), A),
    (mc.sum(mc.sin(mc.hstack([X, x]) @ mc.vstack([Y, Y[:1, :]]))), X),
    (mc.norm(mc.vech(A @ A)), A),
    (mc.logdet(mc.tril(A)) + mc.sum(mc.triu(A @ A)), A),
    (mc.logdet(L) + y.T @ mc.inv(L) @ x, L),
    (mc.logsumexp(W @ W @ x), W),
    (mc.sum(mc.sin(mc.unvec(mc.vec(X) * mc.vec(X), "n", "m") @ A)), X),
    (mc.sum(y * mc.polygamma(2, x)), x),
    (mc.sum(mc.maximum(x, y) ** 3), x),
    (mc.sum(mc.minimum(x * x, y) * y), x),
    (mc.sum(mc.hypot(x, y) ** 3), x),
    (mc.sum(mc.where(x > y, x**3, mc.log(x) * y)), x),
    (mc.amax(x * x) ** 2 * mc.sum(x), x),
    (mc.norm(x, 3), x),
    (mc.norm(X, 2), X),
    (mc.sum(mc.pinv(X) ** 2), X),
    (mc.trace(mc.expm(A)), A),
    (mc.trace(mc.logm(A)), A),
    (mc.trace(mc.sqrtm(P)), P),
    (mc.eigvalsh(S)[-1], S),
    (mc.sum(mc.eigvalsh(S) ** 3), S),
    (mc.eigvalsh(X.T @ X)[0], X),
]


@pytest.fixture(autouse=True)
def _fifty_digits():
    with mp.workdps(high_precision.DIGITS):
        yield


def point_of(*expressions):
    rng = np.random.default_rng(5)
    values = {}
    symbols = {symbol for expression in expressions for symbol in expression.used}
    for symbol in sorted(symbols, key=lambda symbol: symbol.name):
        drawn = rng.uniform(0.5, 1.5, (symbol.rows.value(SIZES), symbol.cols.value(SIZES)))
        if symbol.is_square:
            drawn = drawn + 2 * np.eye(len(drawn))
        if "symmetric" in symbol.declared:
            drawn = (drawn + drawn.T) / 2
        drawn = as_declared(symbol, drawn)
        values[symbol] = high_precision.exactly(drawn)
    return values, SIZES


def require_close(found, expected) -> None:
    largest = max(1, np.max(np.abs(expected)))
    assert np.max(np.abs(found - expected)) <= mp.mpf(CLOSE) * largest


ONCE = [
    (mc.norm(X, "nuc"), X),
    (mc.sum(mc.expm(A) * B), A),
    (mc.sum(mc.logm(A) * B), A),
    (x.T @ mc.sqrtm(A) @ y, A),
]


@pytest.mark.parametrize(("f", "symbol"), [*SCALARS, *ONCE], ids=str)
def test_a_gradient_in_fifty_digits(f, symbol):
    values, sizes = point_of(f, symbol)
    G = high_precision.value(f.gradient(symbol), values, sizes)
    for E in directions(symbol, (values, sizes)):
        slope = high_precision.slope(f, symbol, E.astype(int), values, sizes)
        require_close((G * E.astype(int)).sum(), slope[0, 0])


@pytest.mark.parametrize(("f", "symbol"), SCALARS, ids=str)
def test_a_hessian_in_fifty_digits(f, symbol):
    values, sizes = point_of(f, symbol)
    H = high_precision.value(f.hessian(symbol), values, sizes)
    gradient = f.gradient(symbol)
    basis = [E.astype(int) for E in directions(symbol, (values, sizes))]
    for E in basis:
        slope = high_precision.slope(gradient, symbol, E, values, sizes)
        for other in basis:
            found = other.T.reshape(1, -1) @ H @ E.T.reshape(-1, 1)
            require_close(found[0, 0], (other * slope).sum())


JACOBIANS = [
    (mc.softmax(x), x),
    (mc.kron(X, Y), Y),
    (mc.inv(A), A),
    (mc.inv(S), S),
    (A @ B, A),
    (mc.expm(A), A),
    (mc.sqrtm(A), A),
    (mc.pinv(X), X),
    (mc.eigvalsh(S), S),
]


@pytest.mark.parametrize(("F", "symbol"), JACOBIANS, ids=str)
def test_a_jacobian_in_fifty_digits(F, symbol):
    values, sizes = point_of(F, symbol)
    J = high_precision.value(F.jacobian(symbol), values, sizes)
    for E in directions(symbol, (values, sizes)):
        E = E.astype(int)
        slope = high_precision.slope(F, symbol, E, values, sizes)
        require_close(J @ E.T.reshape(-1, 1), slope.T.reshape(-1, 1))
