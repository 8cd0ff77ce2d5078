"""Functions of matrices: normal forms, derivatives in closed form, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import scipy.special

from mcmodels import calculus as mc
from mcmodels.calculus import DerivativeError, EvaluationError, ShapeError, matrix
from tests.calculus.function_points import AT, A, B, P, S, X, a, given, t, x, y


def test_matrix_functions_in_normal_form():
    one = mc.eye("n")
    assert mc.expm(mc.zeros("n", "n")) == one
    assert mc.sqrtm(one) == one
    assert mc.logm(one) == mc.zeros("n", "n")
    assert mc.expm(mc.diag(x)) == mc.diag(mc.exp(x))
    assert mc.expm(A.T) == mc.expm(A).T
    assert mc.expm(t) == mc.exp(t)
    assert mc.pinv(2 * X) == 0.5 * mc.pinv(X)
    assert mc.pinv(mc.pinv(X)) == X
    assert mc.solve(A, x) == mc.inv(A) @ x
    assert mc.expm(S).T == mc.expm(S)


def test_derivatives_in_closed_form():
    assert mc.trace(mc.expm(A)).gradient(A) == mc.expm(A).T
    assert mc.trace(mc.logm(P)).gradient(P) == mc.inv(P)
    assert mc.sum(mc.expm(t * A)).gradient(t) == mc.sum(mc.expm(t * A) @ A)
    V, e = mc.eigvecsh(S), mc.unit(-1, "n")
    assert mc.eigvalsh(S)[-1].gradient(S) == V @ mc.diag(e) @ V.T
    assert mc.norm(X, "nuc").gradient(X) == mc.polar(X)


@pytest.mark.parametrize("order", [1, 2])
def test_symmetric_functions_of_eigenvalues(order):
    """Σλᵏ is tr Sᵏ, and Σ log λ is log det."""
    k = order + 1
    pairs = [
        (mc.sum(mc.eigvalsh(S) ** k), mc.trace(mc.matrix_power(S, k)), S),
        (mc.sum(mc.log(mc.eigvalsh(P))), mc.logdet(P), P),
    ]
    for f, g, at in pairs:
        value = {at.name: AT[at.name]}
        one, other = (h.gradient(at) if order == 1 else h.hessian(at) for h in (f, g))
        D = np.eye(3).ravel()
        found, expected = one.evaluate(**value), other.evaluate(**value)
        if order == 2:  # both for symmetric directions alone
            found, expected = D @ found @ D, D @ expected @ D
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


def test_repeated_eigenvalues_are_refused():
    G = mc.eigvalsh(S)[0].gradient(S)
    with pytest.raises(EvaluationError, match="two eigenvalues coincide"):
        G.evaluate(S=np.eye(3))
    with pytest.raises(np.linalg.LinAlgError, match="two eigenvalues coincide"):
        G.compile()(S=np.eye(3))
    assert mc.eigvalsh(S)[0].evaluate(S=np.eye(3)) == 1


def test_matrices_without_a_value_are_refused():
    for f in (mc.logm, mc.sqrtm):
        for bad in (-np.eye(3), np.zeros((3, 3)), np.diag([1.0, 2.0, -3.0])):
            with pytest.raises(EvaluationError, match="neither 0 nor negative"):
                mc.sum(f(A)).evaluate(A=bad)
        with pytest.raises((np.linalg.LinAlgError, EvaluationError)):
            mc.sum(f(A)).compile()(A=np.diag([1.0, 2.0, -3.0]))
    for singular in (np.diag([1.0, 0.0]), np.ones((2, 2)), np.array([[0.0, 1.0], [0.0, 0.0]])):
        with pytest.raises(np.linalg.LinAlgError, match="not 0"):
            mc.logm(A).compile()(A=singular)  # SciPy gives -46 for log 0
    G = mc.norm(X, "nuc").gradient(X)
    with pytest.raises(EvaluationError, match="full rank"):
        G.evaluate(X=np.ones((3, 2)))
    with pytest.raises(np.linalg.LinAlgError, match="full rank"):
        G.compile()(X=np.ones((3, 2)))


@pytest.mark.parametrize(
    ("derive", "message"),
    [
        (lambda: mc.norm(X, "nuc").hessian(X), "a gradient, and no Hessian"),
        (lambda: mc.sum(mc.expm(A) * B).hessian(A), r"expm\(A.*no second one in closed form"),
        (lambda: mc.sum(mc.logm(A)).hessian(A), r"trace\(logm\(…\)\) has both"),
    ],
)
def test_second_derivatives_that_have_no_closed_form_are_refused(derive, message):
    with pytest.raises(DerivativeError, match=message):
        derive()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: mc.eigvalsh(A), r"Declare it with symmetric=True, or take eigvalsh\(\(A \+ A.T"),
        (lambda: mc.expm(X), "expm needs a square matrix; found m×n"),
        (lambda: mc.maximum(x, X), r"maximum takes a vector, .* write x\.T for every row"),
        (lambda: mc.where(x, x, y), "the condition of where is a comparison such as x > 0"),
        (lambda: mc.where(x == y, x, y), "== and != compare how two expressions are written"),
        (lambda: mc.solve(A, X), "as many rows on both sides"),
        (lambda: mc.solve(X, x), "solve needs a square matrix"),
        (lambda: mc.norm(x, 0.5), "the order of a norm is at least 1"),
        (lambda: mc.norm(X, 3), "1, 2, inf, 'fro' or 'nuc'"),
        (lambda: mc.norm(a, "nuc"), "that of a matrix"),
        (lambda: mc.norm(x, "two"), "a number or inf"),
        (lambda: mc.polygamma(-1, x), "a whole number of at least 0"),
        (lambda: mc.reciprocal_gaps(X), "takes a vector"),
        (lambda: mc.expm_frechet(A, matrix("K", "k", "k")), "two matrices of one size"),
    ],
)
def test_wrong_arguments_are_refused(build, message):
    with pytest.raises(ShapeError, match=message):
        build()


def test_products_with_a_pseudoinverse():
    M = mc.pinv(X)
    shorter = [
        (X @ M @ X, X),
        (M @ X @ M, M),
        (X.T @ M.T @ X.T, X.T),
        (M.T @ X.T @ M.T, M.T),
        (M @ X @ X.T, X.T),
        (X @ M @ M.T, M.T),
        (X.T @ X @ M, X.T),
        (M.T @ M @ X, M.T),
        ((X @ M).T, X @ M),
        ((M @ X).T, M @ X),
        ((X @ M).T @ (X @ M), X @ M),
    ]
    for product, expected in shorter:
        assert product == expected
    full, low = AT["X"], np.outer(AT["x"], AT["y"])
    for value in (full, low):
        inverse = np.linalg.pinv(value)
        np.testing.assert_allclose((X @ M).evaluate(X=value), value @ inverse, atol=1e-12)
        np.testing.assert_allclose(
            (M @ X @ X.T).evaluate(X=value), inverse @ value @ value.T, atol=1e-12
        )


def test_a_system_with_an_exponential_is_solved_by_cholesky():
    assert "cho_solve" in (mc.inv(mc.expm(S)) @ x).compile().source
    f = mc.inv(mc.expm(S) + P) @ x
    np.testing.assert_allclose(
        f.compile()(**given(f)),
        np.linalg.solve(scipy.linalg.expm(AT["S"]) + AT["P"], AT["x"]),
        rtol=1e-11,
    )


def test_determinants_of_an_exponential():
    """det exp A = exp tr A."""
    assert mc.logdet(mc.expm(A)) == mc.trace(A)
    assert mc.det(mc.expm(A)) == mc.exp(mc.trace(A))
    assert mc.det(mc.expm(A)).evaluate(A=AT["A"]) == pytest.approx(
        np.linalg.det(scipy.linalg.expm(AT["A"])), rel=1e-12
    )
