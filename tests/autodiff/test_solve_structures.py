"""``linalg.solve`` reads what SciPy reads of a matrix, by every structure that it may be told."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.linalg as sl

from mcmodels.autodiff import NoRuleError, grad, hessian, jacobian, jvp, linalg

STRUCTURES = [None, "general", "gen", "banded", "diagonal", "tridiagonal", "upper triangular",
              "lower triangular", "symmetric", "sym", "hermitian", "her", "positive definite",
              "pos"]  # fmt: skip
rng = np.random.default_rng(5)
A = rng.standard_normal((4, 4)) + 6.0 * np.eye(4)  # both triangles stand for definite matrices
B = {"vector": rng.standard_normal(4), "matrix": rng.standard_normal((4, 3))}


@pytest.mark.parametrize("assume_a", STRUCTURES)
@pytest.mark.parametrize("shape", B)
def test_values_are_those_of_scipy(assume_a, shape):
    b = B[shape]
    for lower, transposed in itertools.product([False, True], repeat=2):
        given = {"assume_a": assume_a, "transposed": transposed}
        expected = sl.solve(A, b, lower, **given)
        # Another elimination of a matrix of condition 10.
        np.testing.assert_allclose(linalg.solve(A, b, lower, **given), expected, rtol=1e-13)
        traced = jvp(lambda a: linalg.solve(a, b, lower=lower, **given), (A,), (A,))[0]  # noqa: B023
        np.testing.assert_allclose(traced, expected, rtol=1e-13)


@pytest.mark.parametrize("assume_a", STRUCTURES)
def test_derivatives_are_the_differences_of_scipy(assume_a):
    b, weights = B["vector"], np.array([1.0, -2.0, 0.5, 3.0])
    for lower, transposed in itertools.product([False, True], repeat=2):
        given = {"lower": lower, "assume_a": assume_a, "transposed": transposed}

        def theirs(a, b=b, given=given):
            return weights @ sl.solve(a, b, **given)

        def ours(a, b=b, given=given):
            return weights @ linalg.solve(a, b, **given)

        step, units = 1e-5, np.eye(16).reshape(16, 4, 4)
        slopes = [(theirs(A + step * e) - theirs(A - step * e)) / (2 * step) for e in units]
        # Central differences: step² = 1e-10, and rounding over the step, 1e-11.
        np.testing.assert_allclose(grad(ours)(A), np.reshape(slopes, (4, 4)), atol=1e-9)
        V = rng.standard_normal((4, 4))
        np.testing.assert_allclose(jvp(ours, (A,), (V,))[1], np.sum(grad(ours)(A) * V), rtol=1e-12)
        second = (grad(ours)(A + step * V) - grad(ours)(A - step * V)) / (2 * step)
        product = np.tensordot(hessian(ours)(A), V, 2)
        np.testing.assert_allclose(product, second, atol=1e-9)
        by_b = jacobian(lambda b, given=given: linalg.solve(A, b, **given))(b)
        np.testing.assert_allclose(by_b @ b, sl.solve(A, b, **given), rtol=1e-12)


def test_the_printed_cases():
    S, b = np.array([[4.0, 1.0], [1.0, 3.0]]), np.array([1.0, 1.0])
    np.testing.assert_allclose(linalg.solve(S, b, assume_a="lower triangular"), [0.25, 0.25])
    np.testing.assert_allclose(linalg.solve(np.triu(S), b, assume_a="pos"), [2 / 11, 3 / 11])


def test_a_symmetric_matrix_has_the_derivative_of_a_general_one():
    S, b = A @ A.T, B["vector"]
    for assume_a in ("sym", "pos"):
        found = grad(lambda a, given=assume_a: b @ linalg.solve(a, b, assume_a=given))(S)
        x = sl.solve(S, b)
        np.testing.assert_allclose(found, -np.outer(x, x), rtol=1e-11)  # condition 100


def test_wrong_structures_are_refused():
    with pytest.raises(ValueError, match=r"assume_a must be None or one of general.*'triangular'"):
        linalg.solve(A, B["vector"], assume_a="triangular")
    indefinite = np.array([[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(np.linalg.LinAlgError):
        sl.solve(indefinite, np.ones(2), assume_a="pos")
    with pytest.raises(np.linalg.LinAlgError):
        linalg.solve(indefinite, np.ones(2), assume_a="pos")
    np.testing.assert_allclose(linalg.solve(indefinite, np.ones(2), assume_a="sym"), [1 / 3, 1 / 3])


def test_nan_to_num_in_place_is_refused():
    def f(x):
        y = x * 1.0
        np.nan_to_num(y, copy=False)
        return np.sum(y)

    with pytest.raises(NoRuleError, match="changes x in place"):
        grad(f)(np.array([1.0, np.nan]))
