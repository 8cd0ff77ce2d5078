"""Simplification: each rule by itself, forms of textbooks, and no value ever changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from mcmodels.calculus import identities
from mcmodels.calculus.compute.evaluate import walk
from mcmodels.calculus.core.expression import Expression
from mcmodels.calculus.core.functions import (
    commutation,
    cos,
    det,
    diag,
    exp,
    eye,
    inv,
    kron,
    matrix,
    ones,
    scalar,
    sigmoid,
    sin,
    softmax,
    sum,
    tanh,
    trace,
    vec,
    vector,
)
from mcmodels.calculus.core.nodes import Differential, Trace
from mcmodels.calculus.core.sizes import Size
from mcmodels.calculus.derive.differentials import differential
from mcmodels.calculus.derive.simplification import (
    factors,
    kronecker,
    products,
    reading_size,
    simplify,
    squares,
    sums,
)
from mcmodels.calculus.derive.vec_form import jacobian_of_linear
from mcmodels.calculus.study.instances import random_instance
from tests.calculus.expressions import expressions
from tests.calculus.points import points, require_tame

# One operation rewritten, on numbers near 1 and matrices of conditions below 100.
CLOSE = 1e-12
# The same on random expressions, with parts up to 1e3 and conditions up to 1e3, some multiplied.
CLOSE_ON_TREES = 1e-9

a, b, c = scalar("alpha"), scalar("beta"), scalar("gamma")
x, y, u, v = (vector(name, "n") for name in "xyuv")
q = vector("q", "n", probability=True)
A, B, C, X = (matrix(name, "n", "n") for name in "ABCX")
S = matrix("S", "n", "n", symmetric=True)
P = matrix("P", "n", "n", positive_definite=True)
M, N, R = matrix("M", "m", "n"), matrix("N", "m", "n"), matrix("R", "p", "m")
z = vector("z", "m")
t = tanh(x)
GRAM = kron(eye("n"), M.T) + commutation("n", "n") @ kron(eye("n"), M.T)

RULES = [
    (sums.collected, x.T @ A @ y + y.T @ A.T @ x, "2xᵀAy"),
    (sums.collected, trace(A @ B @ C) + trace(C @ A @ B), "2 tr(ABC)"),
    (sums.collected, (x.T @ A @ y) * B - a * C + (y.T @ A.T @ x) * B, "2(xᵀAy)B − αC"),
    (sums.multiplied_out, x * (1 + y) - x * y, "x"),
    (sums.multiplied_out, a * (b + c) - a * b, "αγ"),
    (factors.factored, A @ x + A @ y, "A(x + y)"),
    (factors.factored, A @ B - C @ B, "(A − C)B"),
    (factors.factored, 2 * A @ x - 2 * A @ y, "2A(x − y)"),
    (factors.factored, M.T @ M @ x - M.T @ z + a * x, "Mᵀ(Mx − z) + αx"),
    (factors.factored, u * v + u * x, "u ∘ (v + x)"),
    (factors.factored, exp(x) - exp(x) * y, "exp(x) ∘ (1 − y)"),
    (
        factors.factored,
        (1 - t**2) ** 2 - 2 * (t**2 * (1 - t**2)),
        "(1 − tanh(x)^∘2) ∘ (1 − 3 tanh(x)^∘2)",
    ),
    (factors.factored, diag(u) @ A + (u * y) @ x.T, "diag(u) (A + yxᵀ)"),
    (factors.factored, A @ diag(u) - x @ (u * y).T, "(A − xyᵀ) diag(u)"),
    (factors.factored, diag(u) - diag(v), "diag(u − v)"),
    (factors.factored, kron(A, B) - kron(A, C), "A ⊗ (B − C)"),
    (factors.factored, kron(A, C) + kron(B, C), "(A + B) ⊗ C"),
    (factors.factored, kron(P, P) - kron(P, A) - kron(A, P), None),
    (factors.factored, GRAM, "(I + Kₙₙ)(I ⊗ Mᵀ)"),
    (factors.factored, x @ x.T / a - x @ y.T / b, None),
    (
        factors.factored_on_both_sides,
        M.T @ diag(z) @ M - M.T @ z @ z.T @ M,
        "Mᵀ(diag(z) − zzᵀ)M",
    ),
    (factors.factored_on_both_sides, M.T @ M + P, None),
    (factors.gathered, a * A - a * B, "α(A − B)"),
    (factors.gathered, 2 * a * A + 2 * a * B + C, "2α(A + B) + C"),
    (factors.gathered, det(A) * B - det(A) * C, "det(A) (B − C)"),
    (factors.gathered, A @ x / a + B @ y / a - y / b, "(Ax + By)/α − y/β"),
    (factors.gathered, a * A + b * B, None),
    (factors.number_taken_out, A / 2 - B / 2, "½(A − B)"),
    (factors.number_taken_out, -A / 2 - B / 2, "−½(A + B)"),
    (factors.number_taken_out, 2 * S - 2 * a * eye("n"), "2(S − αI)"),
    (factors.number_taken_out, 2 * S @ x - 2 * a * x, None),
    (factors.number_taken_out, A + B, None),
    (products.inverses_opened, B @ inv(A @ X @ B) @ A, "X⁻¹"),
    (products.inverses_opened, B.T @ inv(A @ X @ B).T, None),
    (products.distributed, inv(A) @ (A + A @ B), "I + B"),
    (products.sum_of_elementwise, q.T @ ones("n"), "1"),
    (products.sum_of_elementwise, (1 / x).T @ (x * q), "1"),
    (products.diagonals_joined, diag(u) @ diag(v) @ A, "diag(u ∘ v) A"),
    (products.rotated, Trace(inv(A) @ B @ A), "tr(B)"),
    (products.rotated, Trace(x @ y.T), "yᵀx"),
    (kronecker.commutations_to_the_left, kron(A, B) @ commutation("n", "n"), "Kₙₙ(B ⊗ A)"),
    (kronecker.commutations_to_the_left, kron(R, M) @ commutation("m", "n"), "Kₚₘ(M ⊗ R)"),
    (kronecker.commutations_to_the_left, kron(x.T, M) @ commutation("n", "n"), "M ⊗ xᵀ"),
]


@pytest.mark.parametrize(
    ("rule", "before", "after"), RULES, ids=lambda item: getattr(item, "__name__", repr(item)[:40])
)
def test_a_rule_by_itself(rule, before, after):
    found = rule(before)
    if after is None:
        assert found is None or reading_size(found) >= reading_size(before) or found == before
        return
    assert repr(found) == after
    assert reading_size(found) < reading_size(before)
    require_equal(found, before, CLOSE)


def require_equal(found: Expression, expected: Expression, tolerance: float) -> None:
    assert (found.rows, found.cols) == (expected.rows, expected.cols)
    values, sizes = random_instance([expected, found])
    after, before = walk(found, values, sizes), walk(expected, values, sizes)
    assert after == pytest.approx(before, rel=tolerance, abs=tolerance)


FORMS = [
    (kron(A, B) @ (kron(C, X) + commutation("n", "n")), "AC ⊗ BX + Kₙₙ(B ⊗ A)"),
    (
        kron(P, eye("m")) - kron(P, M) @ kron(eye("n"), M.T),
        "P ⊗ (I − MMᵀ)",
    ),
    (kron(eye("n"), M.T) + kron(M.T, eye("n")) @ commutation("m", "n"), "(I + Kₙₙ)(I ⊗ Mᵀ)"),
    (y @ x.T + x @ y.T, "xyᵀ + yxᵀ"),
    (A.T + A, "A + Aᵀ"),
    (A @ (B.T + B) + (B + B.T) @ A, "A(B + Bᵀ) + (B + Bᵀ)A"),
    (commutation("n", "n") + eye("n*n"), "I + Kₙₙ"),
    (
        8 * a * u @ u.T / b**3 - 4 * u @ u.T @ S / b**2 - 4 * S @ u @ u.T / b**2,
        "8αuuᵀ/β³ − 4(Suuᵀ + uuᵀS)/β²",
    ),
    (softmax(M, axis=1) * (ones("m") @ ones("n").T) - N, "softmax_rows(M) − N"),
    (diag(exp(x) * (cos(x) + y)) + diag(exp(x)) @ diag(cos(x) - y), "2 diag(exp(x) ∘ cos(x))"),
    (sum(q) * x, "x"),
    (x - x, "0"),
    (vec(A) @ vec(A).T * 2 - 2 * a * eye("n*n"), "2(vec(A) vec(A)ᵀ − αI)"),
]


@pytest.mark.parametrize(("before", "after"), FORMS, ids=lambda item: repr(item)[:40])
def test_rules_together_give_the_form_of_a_textbook(before, after):
    found = simplify(before)
    assert repr(found) == after
    require_equal(found, before, CLOSE)


@pytest.mark.parametrize("identity", identities.CATALOGUE, ids=lambda identity: identity.name)
def test_a_form_of_a_textbook_stays_as_it_is(identity):
    for formula in (identity.gradient, identity.jacobian, identity.hessian):
        if formula is not None:
            assert simplify(formula) == formula
            assert repr(simplify(formula)) == repr(formula)


deterministic = settings(
    derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


def require_same_value(found: Expression, expected: Expression, point) -> None:
    after = walk(found, point.values, point.sizes)
    before = walk(expected, point.values, point.sizes)
    assert after.shape == before.shape
    largest = max(1.0, float(np.abs(before).max()))
    assert np.abs(after - before).max() <= CLOSE_ON_TREES * largest


SHAPES = [(Size.of(m), Size.of(n)) for m, n in [("n", "n"), ("m", "n"), ("n", 1), (1, 1)]]


@given(st.data())
@deterministic
def test_simplifying_changes_no_value(data):
    f = data.draw(expressions(*data.draw(st.sampled_from(SHAPES))))
    point = data.draw(points(f.used))
    note(f"f = {f}\nsimplified = {simplify(f)}")
    require_tame(f, point)
    require_same_value(simplify(f), f, point)


@given(st.data())
@deterministic
def test_simplifying_a_jacobian_changes_no_value(data):
    F = data.draw(expressions(*data.draw(st.sampled_from(SHAPES)), 3))
    symbols = sorted(F.used, key=lambda symbol: symbol.name)
    symbol = data.draw(st.sampled_from(symbols or [x]))
    point = data.draw(points(F.used | {symbol}))
    raw = jacobian_of_linear(differential(F, frozenset([symbol])), Differential(symbol))
    note(f"F = {F}\nraw = {raw}\nsimplified = {simplify(raw)}")
    require_tame(F, point)
    require_tame(raw, point)
    require_same_value(simplify(raw), raw, point)


@given(st.data())
@deterministic
def test_simplifying_again_changes_nothing(data):
    once = simplify(data.draw(expressions(*data.draw(st.sampled_from(SHAPES)))))
    assert simplify(once) == once


def test_squares_of_other_functions_build_no_terms(monkeypatch):
    """Only sine, cosine and their hyperbolic kin have a partner; rests of terms are costly."""
    calls = []
    monkeypatch.setattr(squares, "scale", lambda *factors: calls.append(factors) or factors[1])
    a, b = scalar("a"), scalar("b")
    assert squares.squares_joined(sigmoid(a) ** 2 * b + tanh(b) ** 2 * a) is None
    assert not calls
    squares.squares_joined(sin(a) ** 2 * b + cos(b) ** 2 * a)
    assert calls  # the test sees rests that are built


def test_commutations_that_undo_each_other_are_not_nested():
    """K(A + KᵀB) = KA + B, in the Hessians of tr((XᵀCX)⁻¹A)."""
    A, C = matrix("A", "p", "p"), matrix("C", "n", "n")
    X, K, T = matrix("X", "n", "p"), commutation("n", "p"), commutation("p", "n")
    U, V = matrix("U", "n*p", "n*p"), matrix("V", "n*p", "n*p")
    assert simplify(K @ (U + T @ V)) == K @ U + V
    assert simplify(K @ (U + K.T @ V - 2 * T)) == K @ U + V - 2 * eye("n*p")
    hessian = trace(inv(X.T @ C @ X) @ A).hessian(X)
    assert repr(hessian).count("K") == 1
    assert trace(inv(X.T @ C @ X) @ A).derivation(X, order=2).check() < 1e-7  # differences
