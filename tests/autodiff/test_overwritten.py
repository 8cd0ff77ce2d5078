"""Plain arrays that a function overwrites after a computation has taken them.

Forward mode reads an array when it is used, so it gives what reverse mode has to give, to rounding;
small cases are checked by differences as well.
"""

import numpy as np
import pytest

from mcmodels import autodiff
from mcmodels.autodiff import grad, hessian, jacobian, jvp, vjp
from mcmodels.autodiff.captured import SMALL
from tests.autodiff.corpus.differences import slope, units

x3 = np.array([0.3, -0.2, 0.5])


def assigned(x):
    work = np.empty(3)
    total = 0.0
    for k in range(1, 4):
        work[:] = np.arange(3.0) ** k
        total = total + np.sum(np.sin(work * x))
    return total


def scaled(x):
    basis = np.ones(4)
    out = 0.0
    for c in x:
        out = out + c**2 * basis
        basis *= 0.5
    return np.sum(np.exp(out))


def matrix_entries(x):
    A = np.eye(3)
    y = x
    for k in range(3):
        A[0, k] = k + 1.0
        y = np.tanh(A @ y)
    return np.sum(y**2)


def shuffled_index(x):
    order = np.array([0, 1, 2])
    first = x[order]
    order[:] = 0
    return first @ np.array([1.0, 2.0, 3.0]) ** 2


def index_in_a_list(x):
    order = [2, 0]
    first = x[order] ** 2
    order[0] = 1
    return first[0] * 3.0 + first[1]


def index_in_a_tuple(x):
    rows, columns = np.array([0, 1]), np.array([1, 2])
    M = np.outer(x, x) ** 2
    found = M[rows, columns]
    rows[:] = 0
    return found @ np.array([1.0, 5.0])


def mask_of_where(x):
    mask = np.array([True, False, True])
    y = np.where(mask, x**2, 3.0 * x)
    mask[:] = False
    return np.sum(y)


def quotient(x):
    below = np.array([1.0, 2.0, 4.0])
    y = x / below
    below += 5.0
    return np.sum(y**2)


def power(x):
    exponent = np.array([2.0, 3.0, 1.5])
    y = np.exp(x) ** exponent
    exponent.fill(0.0)
    return np.sum(y)


def einsum(x):
    W = np.arange(9.0).reshape(3, 3)
    y = np.einsum("i,ij,j->", x, W, x)
    W[...] = 1.0
    return y**2


def system(x):
    A = np.diag([2.0, 3.0, 4.0]) + 0.5
    y = np.linalg.solve(A, x)
    A[0] = 7.0
    return np.sum(y**3)


def view_of_a_buffer(x):
    data = np.arange(12.0).reshape(4, 3)
    total = 0.0
    for _ in range(2):
        total = total + np.sum((data[1:3] @ x) ** 2)
        data[:] = data[::-1].copy()
    return total


@autodiff.rule(vjp=lambda g, y, x, factor: g * factor, jvp=lambda t, y, x, factor: t[0] * factor)
def scaled_by_option(x, *, factor):
    return x * factor


@autodiff.checkpoint
def checkpointed(x, weights, power=None):
    return np.sin(x * weights) ** power


def options(x):
    buffer = np.array([1.0, 2.0, 3.0])
    y = scaled_by_option(x, factor=buffer)
    z = checkpointed(y, buffer, power=buffer)
    buffer *= 0.0
    return np.sum(y**2) + np.sum(z)


FUNCTIONS = [options, assigned, scaled, matrix_entries,
             shuffled_index, index_in_a_list, index_in_a_tuple,
             mask_of_where, quotient, power, einsum, system, view_of_a_buffer]  # fmt: skip


@pytest.mark.parametrize("f", FUNCTIONS)
def test_small_arrays(f):
    expected = [slope(f, x3, v, 1e-2) for v in units(x3)]
    # Differences extrapolated from three steps are right to 1e-9 here.
    np.testing.assert_allclose(grad(f)(x3), expected, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(jacobian(f)(x3), expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("f", FUNCTIONS)
def test_second_derivatives(f):
    forward = [
        [jvp(lambda x, v=v: jvp(f, (x,), (v,))[1], (x3,), (w,))[1] for v in units(x3)]
        for w in units(x3)
    ]
    np.testing.assert_allclose(hessian(f)(x3), forward, rtol=1e-12, atol=1e-12)  # rounding


def test_after_the_function_has_returned():
    weights = np.array([1.0, 2.0, 3.0])
    _, pullback = vjp(lambda x: np.sum(weights * x**2), x3)
    weights[:] = 0.0
    np.testing.assert_array_equal(pullback(1.0), 2 * np.array([1.0, 2.0, 3.0]) * x3)


def test_the_copy_has_the_layout_of_the_array():
    seen = []

    @autodiff.rule(vjp=lambda g, y, x, A: (seen.append(A.flags.f_contiguous) or A.T @ g, None))
    def product(x, A):
        return A @ x

    A = np.asfortranarray(np.arange(9.0).reshape(3, 3))
    grad(lambda x: np.sum(product(x, A)))(x3)
    assert seen == [True]


# --- large arrays: refused, where the derivative would be wrong


def large(operation, change):
    """A function that computes with a large array, and changes it."""

    def f(x):
        buffer = np.linspace(1.0, 2.0, SMALL + 500)
        y = operation(x[0], buffer)
        change(buffer)
        return np.sum(y)

    return f


def shuffle(buffer):
    np.random.default_rng(0).shuffle(buffer)


def scale(buffer):
    buffer *= 2.0


@pytest.mark.parametrize("change", [lambda b: b.fill(0.0), scale, shuffle, np.ndarray.sort])
@pytest.mark.parametrize(
    "operation", [lambda s, b: s * b, lambda s, b: np.exp(s) / b, lambda s, b: s**b]
)
def test_large_arrays_are_refused(operation, change):
    if change is np.ndarray.sort:
        f = large(operation, lambda b: (b.__setitem__(slice(None), b[::-1].copy()), b.sort()))
        g = grad(f)(x3)  # the same values again: nothing is wrong
        expected = jvp(f, (x3,), (np.array([1.0, 0.0, 0.0]),))[1]
        np.testing.assert_allclose(g[0], expected, rtol=1e-13)  # rounding
        return
    f = large(operation, change)
    with pytest.raises(autodiff.NoRuleError, match=r"overwritten after .* had taken it.*copy"):
        grad(f)(x3)
    jvp(f, (x3,), (x3,))


def test_large_arrays_of_which_the_values_are_not_read():
    """Sums do not need them: they were right before, and stay so."""
    f = large(lambda s, b: s + b, scale)
    assert grad(f)(x3)[0] == SMALL + 500


def test_large_arrays_that_the_result_does_not_depend_on():
    noted = []

    def f(x):
        buffer = np.ones(SMALL + 1)
        noted.append(x[0] * buffer)
        buffer *= 2.0
        return x @ x

    np.testing.assert_array_equal(grad(f)(x3), 2 * x3)


def test_large_arrays_before_a_pullback():
    weights = np.ones(SMALL + 1)
    _, pullback = vjp(lambda s: np.sum(weights * s), 2.0)
    assert pullback(1.0) == SMALL + 1
    weights[:] = 0.0
    with pytest.raises(autodiff.NoRuleError, match="overwritten"):
        pullback(1.0)


def test_large_matrices_are_not_copied():
    """The tape holds the array itself."""
    held = []

    @autodiff.rule(vjp=lambda g, y, x, A: (held.append(A) or A.T @ g, None))
    def product(x, A):
        return A @ x

    A = np.ones((SMALL, 3))
    grad(lambda x: np.sum(product(x, A)))(x3)
    assert held[0] is A


# --- values that were handed out


def test_constants_may_be_written_to():
    def f(x):
        y = np.exp(x)
        plain = autodiff.constant(y)
        plain *= 0.0
        start = autodiff.constant(x)
        start += 1.0
        return np.sum(y) + np.sum(x**2)

    x = x3.copy()
    np.testing.assert_allclose(grad(f)(x), np.exp(x3) + 2 * x3, rtol=1e-15)  # rounding
    np.testing.assert_array_equal(x, x3)


def test_what_was_returned_beside_the_value_may_be_written_to():
    def f(x):
        y = np.exp(x)
        return np.sum(y), {"y": y}

    value, pullback, aux = vjp(f, x3, has_aux=True)
    aux["y"][:] = 0.0
    value[...] = 0.0
    np.testing.assert_allclose(pullback(1.0), np.exp(x3), rtol=1e-15)  # rounding
