"""Diagonal, triangular and orthogonal matrices, vech, and gradients by free entries."""

from __future__ import annotations

import functools
import pickle

import numpy as np
import pytest

from mcmodels.calculus.core import functions as mc
from mcmodels.calculus.core.arithmetic import is_symmetric
from mcmodels.calculus.core.functions import matrix, vector
from mcmodels.calculus.core.sizes import ShapeError
from mcmodels.calculus.derive.rules import DerivativeError
from mcmodels.calculus.derive.structures import structure_of
from mcmodels.calculus.study.doctor import diagnose
from mcmodels.calculus.text.declarations import declaration
from mcmodels.calculus.text.parsing import parse

x = vector("x", "n")
A, B = matrix("A", "n", "n"), matrix("B", "m", "n")
S = matrix("S", "n", "n", symmetric=True)
P = matrix("P", "n", "n", positive_definite=True)
D = matrix("D", "n", "n", diagonal=True)
L = matrix("L", "n", "n", lower_triangular=True)
U = matrix("U", "n", "n", upper_triangular=True)
Q, R = matrix("Q", "m", "n", orthogonal=True), matrix("R", "n", "n", orthogonal=True)
TIED = [S, P, D, L, U]

# Where each structure has entries, in NumPy.
MASKS = {D: np.eye(3), L: np.tri(3), U: np.tri(3).T}


def functions_of(X):
    return [
        mc.trace(X.T @ A @ X),
        mc.sum(mc.exp(X) * A),
        mc.norm(X @ x) ** 2,
        mc.logdet(X @ X.T + mc.eye("n")),
        mc.trace(X @ A @ X.T @ X),
    ]


CASES = [(f, X) for X in TIED for f in functions_of(X)]


@pytest.mark.parametrize(("f", "X"), CASES, ids=str)
def test_derivatives_along_all_directions_of_the_structure(f, X):
    # Differences are good for 1e-9 of these functions.
    assert f.check(X) < 1e-8
    assert f.gradient(X).check(X) < 1e-8
    assert f.derivation(X, order=2).check() < 1e-9
    assert structure_of(X).holds(f.gradient(X)) or X in (D, L, U)


def values_for(X):
    rng = np.random.default_rng(2)
    V = rng.standard_normal((3, 3))
    V = V * MASKS[X] if X in MASKS else V @ V.T + np.eye(3)
    return {X.name: V, "A": rng.standard_normal((3, 3)), "x": rng.standard_normal(3)}


def at(f, given):
    return f.evaluate(**{symbol.name: given[symbol.name] for symbol in f.known})


@pytest.mark.parametrize(("f", "X"), [(f, X) for f, X in CASES if X in MASKS], ids=str)
def test_a_gradient_is_the_plain_one_at_the_entries_and_zero_elsewhere(f, X):
    plain = f.gradient(X)
    free = matrix(X.name, "n", "n")
    text = parse(str(f), **{s.name: s for s in f.symbols if s != X}, **{X.name: free})
    given = values_for(X)
    expected = at(text.gradient(free), given) * MASKS[X]
    # The same sums of a dozen products.
    np.testing.assert_allclose(at(plain, given), expected, rtol=1e-12, atol=1e-12)
    compiled = plain.compile()
    found = compiled(**{name: given[name] for name in compiled.arguments})
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("f", functions_of(P), ids=str)
def test_free_entries_of_a_symmetric_matrix(f):
    """By differences: one entry on or below the diagonal moves, and its mirror image with it."""
    given = values_for(P)
    G = at(f.gradient(P, entries="free"), given)
    step = 1e-6
    for i in range(3):
        for j in range(i + 1):
            E = np.zeros((3, 3))
            E[i, j] = E[j, i] = step
            ahead, behind = (at(f, {**given, "P": given["P"] + s * E}) for s in (1, -1))
            # Central differences: rounding leaves 1e-16/1e-6 of the value, and step² is less.
            close = max(1e-6, 1e-9 * abs(ahead))
            assert G[i, j] == pytest.approx((ahead - behind) / (2 * step), rel=1e-6, abs=close)


def test_free_entries_are_those_of_the_books():
    """2G − G∘I: Petersen & Pedersen (2012), (138) and (141); Dᵀ vec G: Magnus & Neudecker, 3.8."""
    assert repr(mc.logdet(P).gradient(P, entries="free")) == "2P⁻¹ − diag(diag(P⁻¹))"
    assert repr(mc.trace(S @ S).gradient(S, entries="free")) == "4S − 2 diag(diag(S))"
    f = mc.trace(P @ A @ P)
    given = values_for(P)
    half = at(mc.vech(f.gradient(P, entries="free")), given)
    G = at(f.gradient(P), given)
    duplication = mc.duplication("n").evaluate(n=3)
    np.testing.assert_allclose(half, duplication.T @ G.T.ravel(), rtol=1e-12)
    assert f.gradient(A, entries="free") == f.gradient(A)
    with pytest.raises(DerivativeError, match="'all' or 'free'; found 'half'"):
        f.gradient(P, entries="half")


class TestVech:
    n = 4
    M = np.random.default_rng(0).standard_normal((4, 4))
    SYMMETRIC = M + M.T
    # Down the columns, from the diagonal on.
    PLACES = ((0, 0), (1, 0), (2, 0), (3, 0), (1, 1), (2, 1), (3, 1), (2, 2), (3, 2), (3, 3))

    def test_order(self):
        expected = [self.M[place] for place in self.PLACES]
        np.testing.assert_array_equal(mc.vech(A).evaluate(A=self.M), expected)
        np.testing.assert_array_equal(mc.vech(A).compile()(A=self.M), expected)

    def test_duplication(self):
        """D vech(S) = vec(S) for all symmetric S, which determines D."""
        found = mc.duplication("n") @ mc.vech(S)
        np.testing.assert_array_equal(found.evaluate(S=self.SYMMETRIC), self.SYMMETRIC.ravel())
        np.testing.assert_array_equal(found.compile()(S=self.SYMMETRIC), self.SYMMETRIC.ravel())

    @pytest.mark.parametrize(
        "expression",
        [
            mc.duplication("n"),
            mc.elimination("n"),
            mc.duplication("n").T @ mc.vec(A),
            mc.elimination("n").T @ mc.vech(A),
            mc.duplication("n").T @ mc.kron(A, A) @ mc.duplication("n"),
            mc.elimination("n") @ mc.kron(A, A) @ mc.elimination("n").T,
            mc.tril(A) @ mc.triu(A),
        ],
        ids=str,
    )
    def test_code_gives_the_value(self, expression):
        compiled = expression.compile()
        given = {"A": self.M} if "A" in compiled.arguments else {"n": 4}
        np.testing.assert_allclose(
            compiled(**given), expression.evaluate(**given), rtol=1e-13, atol=1e-13
        )
        assert parse(str(expression), **{s.name: s for s in expression.symbols}) == expression
        assert pickle.loads(pickle.dumps(expression)) == expression

    def test_identities(self):
        """Magnus & Neudecker (2019), section 3.8."""
        n = "n"
        assert mc.elimination(n) @ mc.duplication(n) == mc.eye("n*(n+1)/2")
        assert mc.commutation(n, n) @ mc.duplication(n) == mc.duplication(n)
        assert mc.duplication(n).T @ mc.commutation(n, n) == mc.duplication(n).T

    def test_hessian_by_vech(self):
        """Dᵀ H D is the Hessian of f as a function of vech(S): the curvature along vech."""
        f, D_n = mc.logdet(P), mc.duplication("n")
        H = (D_n.T @ f.hessian(P) @ D_n).evaluate(P=self.SYMMETRIC + 9 * np.eye(4))
        v = np.arange(1.0, 11.0)
        V = (mc.duplication("n").evaluate(n=4) @ v).reshape(4, 4)
        at_P = np.linalg.inv(self.SYMMETRIC + 9 * np.eye(4))
        # d² log det P = −tr(P⁻¹ dP P⁻¹ dP).
        assert v @ H @ v == pytest.approx(-np.trace(at_P @ V @ at_P @ V), rel=1e-11)


class TestOrthogonal:
    def test_what_cancels(self):
        assert Q.T @ Q == mc.eye("n")
        assert R @ R.T == mc.eye("n")
        assert mc.inv(R) == R.T
        assert B.T @ Q @ Q.T @ Q == B.T @ Q
        assert repr(Q @ Q.T) == "QQᵀ"

    def test_derivatives_do_not_use_it(self):
        for f in (mc.trace(Q.T @ B) ** 2, mc.sum(mc.exp(Q) * B), mc.trace(Q @ A @ Q.T @ Q @ Q.T)):
            assert f.check(Q) < 1e-8  # directions are all matrices
            assert f.gradient(Q).check(Q) < 1e-8
            assert "moves freely" in str(f.derivation(Q))


REFUSED = {
    "not square": (lambda: matrix("Z", "m", "n", diagonal=True), ["diagonal matrix is square"]),
    "two triangles": (
        lambda: matrix("Z", "n", "n", lower_triangular=True, upper_triangular=True),
        ["diagonal=True"],
    ),
    "symmetric and triangular": (
        lambda: matrix("Z", "n", "n", symmetric=True, lower_triangular=True), ["diagonal=True"]),
    "orthogonal and symmetric": (
        lambda: matrix("Z", "n", "n", symmetric=True, orthogonal=True), ["declare one"]),
    "tril of a rectangle": (lambda: mc.tril(B), ["tril needs a square", "m×n (B)"]),
    "vech of a rectangle": (lambda: mc.vech(B), ["vech needs a square", "m×n (B)"]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    build, words = REFUSED[name]
    with pytest.raises(ShapeError) as caught:
        build()
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (D, "symmetric|diagonal"),
        (L, "declared lower triangular; found 2 where entries are zero"),
        (U, "declared upper triangular; found 3 where entries are zero"),
        (R, "declared orthogonal; found QᵀQ that differs from I"),
    ],
)
def test_values_are_as_declared(X, message):
    with pytest.raises(ValueError, match=message):
        X.evaluate(**{X.name: [[1, 2], [3, 4]]})


@pytest.mark.parametrize(("X", "remedy"), [(D, "diag"), (L, "tril"), (U, "triu"), (S, "V.T")])
def test_a_direction_has_the_structure(X, remedy):
    f = mc.trace(X.T @ A @ X)
    with pytest.raises(DerivativeError, match=f"so its directions are.*{remedy}"):
        f.hessian_vector_product(X, A)
    V = {D: mc.diag(x), L: mc.tril(A), U: mc.triu(A), S: A + A.T}[X]
    product = f.hessian_vector_product(X, V)
    given = values_for(X)
    H = at(f.hessian(X), given)
    direction = at(V, given)
    expected = (H @ direction.T.ravel()).reshape(3, 3).T
    np.testing.assert_allclose(at(product, given), expected, rtol=1e-12, atol=1e-12)


def test_declared_in_text():
    found = parse("trace(L.T @ A @ L)", L="n,n:lower_triangular", A="n,n")
    assert found.gradient("L") == mc.trace(L.T @ A @ L).gradient(L)
    for word in ("diagonal", "upper_triangular", "orthogonal"):
        assert word in declaration("Z", f"n,n:{word}").symbol("Z").declared


def test_diagnosis_knows_the_structure():
    f = mc.trace(L.T @ A @ L)
    assert diagnose(f, L, mc.tril((A + A.T) @ L)).correct
    assert "note" not in str(diagnose(f, L, mc.tril((A + A.T) @ L)))
    assert not diagnose(f, L, (A + A.T) @ L).correct


# Two factors to four, some of them symmetric: S, exp(P), D are; triangles of S and of A are not.
FACTORS = [A, A.T, S, mc.exp(P), D, mc.tril(A), mc.triu(S), mc.tril(S), A @ S, mc.eye("n") + S]
PRODUCTS = [FACTORS[i : i + k] for k in (2, 3, 4) for i in range(len(FACTORS) - k + 1)]


@pytest.mark.parametrize("factors", PRODUCTS, ids=str)
def test_an_elementwise_product_is_transposed_in_one_form(factors):
    def product(of):
        return functools.reduce(lambda left, right: left * right, of)

    F, by_factors = product(factors), product([factor.T for factor in factors])
    assert by_factors == F.T
    assert F == F.T.T
    assert is_symmetric(F + by_factors)
    assert F.T - by_factors == mc.zeros("n", "n")


def test_what_is_not_symmetric_is_not_called_so():
    for F in (S * A, mc.tril(S), S * A + S * A @ S, mc.triu(S) - mc.tril(S)):
        assert not is_symmetric(F)
