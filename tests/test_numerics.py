"""The checkers are checked: they accept a right formula and catch a planted error."""

import numpy as np
import pytest

from tests.numerics import (
    central_differences,
    complex_step,
    correct_digits,
    integer_products,
    relative_error,
)


def f(x):
    return np.sum(np.exp(x) * np.sin(2 * x))


def df(x):
    return np.exp(x) * (np.sin(2 * x) + 2 * np.cos(2 * x))


X = np.array([0.3, -1.2, 2.0])


def test_central_differences_accept_the_right_gradient_to_1e_9():
    assert relative_error(central_differences(f, X), df(X)) < 1e-9


def test_complex_step_accepts_the_right_gradient_to_rounding():
    assert relative_error(complex_step(f, X), df(X)) < 1e-15


@pytest.mark.parametrize("differentiate", [central_differences, complex_step])
@pytest.mark.parametrize("entry", range(3))
def test_a_planted_error_of_one_in_a_million_is_caught(differentiate, entry):
    wrong = df(X)
    wrong[entry] += 1e-6 * np.abs(wrong).max()
    assert relative_error(wrong, differentiate(f, X)) > 1e-7


@pytest.mark.parametrize("differentiate", [central_differences, complex_step])
def test_a_transposed_jacobian_is_caught(differentiate):
    A = np.array([[1.0, 2.0], [3.0, 4.0]])
    jacobian = differentiate(lambda x: A @ x, np.array([1.0, 1.0]))
    assert relative_error(jacobian, A) < 1e-10
    assert relative_error(jacobian, A.T) > 0.1


def test_relative_error_refuses_other_shapes():
    with pytest.raises(AssertionError, match="shapes"):
        relative_error(np.zeros((2, 1)), np.zeros(2))


def test_correct_digits_counts_digits():
    assert correct_digits(1.001, 1) == pytest.approx(3.0, abs=1e-9)
    assert correct_digits(2.0, "2.0") == 17.0
    assert correct_digits(1e-5, 0) == pytest.approx(5.0)


@pytest.mark.parametrize("n", [1, 7, 300, 9000])
@pytest.mark.parametrize("bits", [1, 20, 31, 62])
def test_products_of_integers_are_those_of_python(n, bits):
    rng = np.random.default_rng(n)
    A, B = (rng.integers(-(2**bits), 2**bits, (n, k), endpoint=True) for k in (3, 2))
    A[0, 0], B[0, 0] = -(2**bits), 2**bits  # the largest that there may be
    A[:, 1] = 2**bits  # sums as large as they may be
    B[:, 1] = 2**bits
    expected = A.T.astype(object) @ B.astype(object)
    found = integer_products(A, B)
    assert found.tolist() == expected.tolist()
    assert all(type(value) is int for value in found.flat)
