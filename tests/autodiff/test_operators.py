"""What each operator takes and returns: positions, shapes, types, memory, calls."""

from __future__ import annotations

import functools
import threading

import numpy as np
import pytest

from mcmodels.autodiff import (
    constant,
    grad,
    hessian,
    hessian_vector_product,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)
from mcmodels.autodiff.tables import RULES

X = np.array([[0.3, -1.2, 0.7], [1.1, 0.4, -0.5]])
w = np.array([0.5, -0.25, 2.0])


def quadratic(x, y, z):
    return x * x * y + 3.0 * z * x


# ---- argnums ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [
        (0, 2 * 2.0 * 3.0 + 3 * 5.0),
        (1, 4.0),
        (-1, 6.0),
        ((2, 0), (6.0, 27.0)),
        ([1], (4.0,)),
        ((), ()),
        (np.int64(1), 4.0),
    ],
)
def test_argnums(argnums, expected):
    actual = grad(quadratic, argnums)(2.0, 3.0, 5.0)
    assert isinstance(actual, tuple) == isinstance(expected, tuple)
    np.testing.assert_array_equal(actual, expected)
    value, again = value_and_grad(quadratic, argnums)(2.0, 3.0, 5.0)
    assert value == quadratic(2.0, 3.0, 5.0)
    np.testing.assert_array_equal(again, expected)
    np.testing.assert_array_equal(jacobian(quadratic, argnums)(2.0, 3.0, 5.0), expected)


@pytest.mark.parametrize("operator", [grad, value_and_grad, jacobian])
@pytest.mark.parametrize(
    ("argnums", "message"),
    [((0, 0), "twice"), ((0, -3), "twice"), (3, "there are 3"), (-4, "there are 3"), ((0, 5), "3")],
)
def test_argnums_that_are_not_there(operator, argnums, message):
    with pytest.raises(ValueError, match=message):
        operator(quadratic, argnums)(1.0, 2.0, 3.0)


def test_keywords_are_no_positions():
    with pytest.raises(ValueError, match="0 positional arguments; by name: x"):
        grad(lambda x: x)(x=1.0)


@pytest.mark.parametrize("operator", [grad, value_and_grad, hessian, hessian_vector_product])
def test_an_operator_of_scalar_functions_refuses_others_by_its_own_name(operator):
    vector = (np.ones(2),) if operator is hessian_vector_product else ()
    with pytest.raises(ValueError, match=rf"^{operator.__name__} needs .* array of shape \(2,\)"):
        operator(lambda x: x)(np.ones(2), *vector)


def test_a_vector_that_is_left_out():
    with pytest.raises(TypeError, match="and then the vector; found 1 in all"):
        hessian_vector_product(np.sum)(np.ones(2))


@pytest.mark.parametrize(
    ("primals", "tangents", "message"),
    [
        (np.ones(1), np.ones(1), "^primals must be a tuple .* found ndarray of float64"),
        ((1.0,), 1.0, "^tangents must be a tuple .* found float"),
    ],
)
def test_jvp_takes_tuples(primals, tangents, message):
    with pytest.raises(TypeError, match=message):
        jvp(np.sum, primals, tangents)


def test_argnum_of_second_derivatives():
    assert hessian(quadratic, 0)(2.0, 3.0, 5.0) == 6.0
    assert hessian(quadratic, -1)(2.0, 3.0, 5.0) == 0.0
    assert hessian_vector_product(quadratic, 0)(2.0, 3.0, 5.0, 10.0) == 60.0
    with pytest.raises(ValueError, match="there are 3"):
        hessian(quadratic, 3)(2.0, 3.0, 5.0)
    with pytest.raises(ValueError, match="there are 3"):
        hessian_vector_product(quadratic, 3)(2.0, 3.0, 5.0, 1.0)


def test_what_else_is_passed_goes_through():
    def f(x, names, *, power, scale=1.0):
        assert names == ["a", "b"]
        return scale * np.sum(x**power)

    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(grad(f)(x, ["a", "b"], power=3, scale=2.0), 6 * x**2)
    np.testing.assert_array_equal(jacobian(f)(x, ["a", "b"], power=3), 3 * x**2)
    np.testing.assert_array_equal(hessian(f)(x, ["a", "b"], power=3), np.diag(6 * x))
    product = hessian_vector_product(f)(x, ["a", "b"], np.array([1.0, 10.0]), power=3)
    np.testing.assert_array_equal(product, 6 * x * np.array([1.0, 10.0]))


def test_names_and_documentation_are_kept():
    def loss(x):
        """Sum."""
        return np.sum(x)

    for operator in (grad, value_and_grad, jacobian, hessian, hessian_vector_product):
        assert operator(loss).__name__ == "loss"
    assert grad(functools.partial(np.sum, axis=0))(np.ones(2)).shape == (2,)


# ---- calls -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "derive",
    [
        lambda f: grad(f)(w),
        lambda f: value_and_grad(f)(w),
        lambda f: jvp(f, (w,), (w,)),
        lambda f: vjp(f, w)[1](np.array(1.0)),
        lambda f: jacobian(f)(w),
        lambda f: jacobian(lambda x: np.stack([f(x)] * 5) * x[0])(w),
        lambda f: hessian(f)(w),
        lambda f: hessian_vector_product(f)(w, w),
    ],
)
def test_the_function_is_called_once(derive):
    calls = []

    def f(x):
        calls.append(1)
        return np.sum(x**3)

    derive(f)
    assert len(calls) == 1


def counted(monkeypatch):
    """How often the rule of sin is pushed and pulled."""
    import dataclasses

    counts, rule = {"push": 0, "pull": 0}, RULES[np.sin]

    def counting(name):
        def call(*args):
            counts[name] += 1
            return getattr(rule, name)(*args)

        return call

    replaced = dataclasses.replace(rule, push=counting("push"), pull=counting("pull"))
    monkeypatch.setitem(RULES, np.sin, replaced)
    return counts


@pytest.mark.parametrize(("m", "n", "mode"), [(2, 5, "pull"), (5, 2, "push"), (3, 3, "pull")])
def test_jacobian_sweeps_the_shorter_way(m, n, mode, monkeypatch):
    counts = counted(monkeypatch)
    A = np.random.default_rng(0).standard_normal((m, n))
    J = jacobian(lambda x: np.sin(A @ x))(np.zeros(n))
    np.testing.assert_allclose(J, A, rtol=1e-15)  # cos 0 = 1
    assert counts == {"push": 0, "pull": 0} | {mode: min(m, n)}


def test_jacobian_by_several_arguments_sweeps_once_for_each_output(monkeypatch):
    counts = counted(monkeypatch)
    J, K = jacobian(lambda x, y: np.sin(x[:2] * y[:2]), (0, 1))(np.ones(4), np.ones(3))
    assert (J.shape, K.shape) == ((2, 4), (2, 3))
    assert counts == {"push": 0, "pull": 2}


def test_hessian_sweeps_once_for_each_entry(monkeypatch):
    counts = counted(monkeypatch)
    H = hessian(lambda x: np.sum(np.sin(x)))(np.arange(4.0))
    np.testing.assert_allclose(H, np.diag(-np.sin(np.arange(4.0))), atol=1e-16)
    assert counts["pull"] == 1  # one reverse gradient, which is then swept forwards


def test_sweeps_keep_to_what_the_output_depends_on(monkeypatch):
    counts = counted(monkeypatch)
    J = jacobian(lambda x: (np.sin(x), np.outer(x, np.ones(3)))[1])(np.ones(2))
    np.testing.assert_array_equal(J, np.broadcast_to(np.eye(2)[:, None], (2, 3, 2)))
    assert counts == {"push": 0, "pull": 0}


def test_joining_looks_at_one_array_at_a_time():
    """So the time that a list of numbers takes is in proportion to its length."""
    rule, y, unseen = RULES["concatenate"], np.zeros(9), [None, None, None]
    keywords = {"axis": 0, "ends": [2, 5, 9]}
    pushed = rule.push(1, np.ones(3), y, unseen, keywords)
    np.testing.assert_array_equal(pushed, [0, 0, 1, 1, 1, 0, 0, 0, 0])
    pulled = rule.pull(1, np.arange(9.0), y, unseen, keywords)
    np.testing.assert_array_equal(pulled, [2.0, 3.0, 4.0])


# ---- shapes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (2, 1, 2), (0,), (2, 0)])
@pytest.mark.parametrize("out", [(), (2,), (3, 2), (0,), (1, 1)])
def test_shape_of_jacobian(shape, out):
    A = np.random.default_rng(0).standard_normal((*out, *shape))
    axes = tuple(range(len(out), len(out) + len(shape)))
    x = np.ones(shape)
    J = jacobian(lambda x: np.sum(A * x, axis=axes))(x)
    np.testing.assert_array_equal(J, A)
    value, pullback = vjp(lambda x: np.sum(A * x, axis=axes), x)
    assert value.shape == out
    assert pullback(np.ones(out)).shape == shape
    value, tangent = jvp(lambda x: np.sum(A * x, axis=axes), (x,), (x,))
    assert value.shape == tangent.shape == out


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,)])
def test_shape_of_hessian(shape):
    x = np.random.default_rng(0).standard_normal(shape)
    H = hessian(lambda x: np.sum(np.exp(x)) * np.sum(x))(x)
    assert H.shape == shape + shape
    square = H.reshape(x.size, x.size)
    e = np.exp(x).ravel()
    expected = np.diag(e * x.sum()) + e[:, None] + e[None, :]
    np.testing.assert_allclose(square, expected, rtol=1e-14)
    v = np.ones(shape)
    product = hessian_vector_product(lambda x: np.sum(np.exp(x)) * np.sum(x))(x, v)
    np.testing.assert_allclose(product, expected.sum(axis=1).reshape(shape), rtol=1e-14)


def test_hessian_of_a_matrix_is_over_entries_in_c_order():
    A = np.arange(4.0).reshape(2, 2)
    H = hessian(lambda X: X[0, 1] * X[1, 0])(A).reshape(4, 4)
    expected = np.zeros((4, 4))
    expected[1, 2] = expected[2, 1] = 1.0
    np.testing.assert_array_equal(H, expected)


@pytest.mark.parametrize("operator", [grad, value_and_grad, hessian])
def test_what_is_no_scalar_is_refused(operator):
    for f in (lambda x: x, lambda x: x[:2], lambda x: np.ones(2)):
        with pytest.raises(ValueError, match=r"scalar.*shape \((3|2),\)"):
            operator(f)(w)


def test_an_array_of_one_entry_is_a_scalar():
    """As products of columns and rows are."""

    def f(x):
        return x[np.newaxis] @ np.diag([1.0, 2.0, 3.0]) @ x[:, np.newaxis]

    value, gradient = value_and_grad(f)(w)
    assert value.shape == (1, 1)
    np.testing.assert_allclose(gradient, 2 * np.array([1.0, 2.0, 3.0]) * w, rtol=1e-15)
    np.testing.assert_allclose(hessian(f)(w), np.diag([2.0, 4.0, 6.0]), rtol=1e-15)
    assert hessian_vector_product(f)(w, w).shape == (3,)


def test_tangents_and_cotangents_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"tangents\[1\] has shape \(2,\).*\(3,\)"):
        jvp(np.add, (w, w), (w, w[:2]))
    with pytest.raises(ValueError, match="2 for 1"):
        jvp(np.sin, (w,), (w, w))
    with pytest.raises(ValueError, match=r"u has shape \(\).*\(3,\)"):
        vjp(np.sin, w)[1](1.0)
    with pytest.raises(ValueError, match=r"the vector has shape \(3, 1\).*\(3,\)"):
        hessian_vector_product(np.sum)(w, w[:, None])


@pytest.mark.parametrize(
    "x",
    [
        "text", b"text", 1j, np.array([1j]), None, object(),
        np.ma.masked_less([1.0, 2.0], 1.5), np.asmatrix([1.0]),
    ],
)  # fmt: skip
def test_arguments_that_are_no_real_numbers_are_refused(x):
    for derive in (grad(np.sum), jacobian(np.sum), hessian(np.sum)):
        with pytest.raises(TypeError):
            derive(x)
    with pytest.raises(TypeError):
        jvp(np.sum, (x,), (1.0,))
    with pytest.raises(TypeError):
        jvp(np.sum, (1.0,), (x,))
    with pytest.raises(TypeError):
        vjp(np.sum, x)
    with pytest.raises((TypeError, ValueError)):
        vjp(np.sum, 1.0)[1](x)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: [x, x],
        lambda x: (x, x),
        lambda x: {"loss": x},
        lambda x: None,
        lambda x: "text",
        lambda x: x > 0,
        lambda x: bool(x > 0),
        lambda x: np.argmax(x),
        lambda x: 1j,
        lambda x: np.array([1, 2]),
    ],
)
def test_functions_of_something_else_are_refused(f):
    for derive in (lambda: grad(f)(1.0), lambda: jvp(f, (1.0,), (1.0,)), lambda: jacobian(f)(1.0)):
        with pytest.raises(TypeError, match="the function returned"):
            derive()


def test_constant_functions_have_derivative_zero():
    for f in (lambda x: 3, lambda x: 2.5, lambda x: np.float32(1.0), lambda x: constant(x)[0] * 2):
        np.testing.assert_array_equal(grad(f)(w), np.zeros(3))
        np.testing.assert_array_equal(hessian(f)(w), np.zeros((3, 3)))
        np.testing.assert_array_equal(hessian_vector_product(f)(w, w), np.zeros(3))
        assert jvp(f, (w,), (w,))[1] == 0.0
    np.testing.assert_array_equal(jacobian(lambda x: np.ones(2))(w), np.zeros((2, 3)))
    np.testing.assert_array_equal(jacobian(lambda x: np.ones(5))(w), np.zeros((5, 3)))
    value, pullback = vjp(lambda x: np.ones(2), w)
    np.testing.assert_array_equal(value, np.ones(2))
    np.testing.assert_array_equal(pullback(np.ones(2)), np.zeros(3))


def test_an_argument_that_is_not_used_has_derivative_zero():
    a, b = grad(lambda x, y: np.sum(x), (0, 1))(w, X)
    np.testing.assert_array_equal(a, np.ones(3))
    np.testing.assert_array_equal(b, np.zeros((2, 3)))


# ---- types -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_derivatives_have_the_type_of_the_argument(dtype):
    x, v = w.astype(dtype), np.ones(3)

    def f(x):
        return np.sum(x**3)

    assert grad(f)(x).dtype == dtype
    assert hessian(f)(x).dtype == dtype
    assert hessian_vector_product(f)(x, v).dtype == dtype
    assert jacobian(lambda x: np.outer(x, x))(x).dtype == dtype
    assert jacobian(f)(x).dtype == dtype
    assert jacobian(lambda x: np.ones(5))(x).dtype == dtype
    assert all(part.dtype == dtype for part in jvp(f, (x,), (v,)))
    assert vjp(np.sin, x)[1](v).dtype == dtype


def test_types_of_several_arguments_are_their_own():
    a, b = grad(lambda x, y: np.sum(x * y), (0, 1))(w.astype(np.float32), w)
    assert (a.dtype, b.dtype) == (np.float32, np.float64)


def test_lists_numbers_and_frames_are_taken_as_arrays():
    import pandas as pd

    np.testing.assert_array_equal(grad(lambda x: np.sum(x**2))([1, 2]), [2.0, 4.0])
    np.testing.assert_array_equal(grad(lambda x: np.sum(x**2))(pd.Series([1.0, 2.0])), [2.0, 4.0])
    assert grad(lambda x: x**2)(3) == 6.0
    assert grad(lambda x: x**2)(True) == 2.0
    assert grad(lambda x: x**2)(np.float32(3)).dtype == np.float32


# ---- memory ----------------------------------------------------------------------------------


IDENTITIES = [
    lambda x: x,
    lambda x: x[:],
    lambda x: x.T,
    lambda x: np.reshape(x, x.shape),
    lambda x: +x,
    lambda x: x + 0.0,
    lambda x: np.broadcast_to(x, x.shape),
    lambda x: np.concatenate([x], axis=0),
    lambda x: X,
]


def owned(array, *others):
    """Whether an array can be written to without anything else changing."""
    return array.flags.writeable and not any(np.shares_memory(array, other) for other in others)


@pytest.mark.parametrize("f", IDENTITIES)
def test_results_share_no_memory(f):
    x, v, u = X.copy(), np.ones_like(X), np.ones(np.shape(f(X)))
    value, tangent = jvp(f, (x,), (v,))
    assert owned(value, x, v, X, tangent)
    assert owned(tangent, x, v, X)
    value, pullback = vjp(f, x)
    first, second = pullback(u), pullback(u)
    assert owned(value, x, X)
    assert owned(first, x, u, second, X)
    assert owned(second, x, u, X)
    J = jacobian(f)(x)
    assert owned(J, x, X)
    value, gradient = value_and_grad(lambda x: np.sum(f(x)))(x)
    assert owned(value, x)
    assert owned(gradient, x)
    assert owned(hessian(lambda x: np.sum(f(x)))(x), x)


def test_gradients_of_equal_parts_are_arrays_of_their_own():
    a, b = grad(lambda x, y: np.sum(x + y), (0, 1))(X, X)
    assert owned(a, b, X)
    a, b = vjp(lambda x, y: x + y, X, X)[1](X)
    assert owned(a, b, X)
    assert owned(b, X)


def test_inputs_are_not_changed():
    x, v = X.copy(), w.copy()
    f = lambda A, b: np.sum(np.tanh(A @ b) ** 2)  # noqa: E731
    grad(f, (0, 1))(x, v)
    hessian(f)(x, v)
    jvp(f, (x, v), (x, v))
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(v, [0.5, -0.25, 2.0])


def test_a_pullback_may_be_used_again():
    _, pullback = vjp(lambda x: np.sin(x) * x, w)
    one, two = pullback(np.ones(3)), pullback(np.ones(3))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(pullback(2 * np.ones(3)), 2 * one)


def test_a_pullback_is_of_the_point_where_it_was_taken():
    x = np.zeros(3)
    value, pullback = vjp(np.exp, x)
    x += 1.0
    value += 1.0
    np.testing.assert_array_equal(pullback(np.ones(3)), np.ones(3))


def test_constant():
    assert constant(3.0) == 3.0
    assert constant(w) is w
    seen = []
    grad(lambda x: grad(lambda y: np.sum(seen.append(constant(y * x)) or y * x))(2.0))(3.0)
    assert type(seen[0]) is np.float64
    assert seen[0] == 6.0
    # d/dx x·stop(x)
    assert grad(lambda x: x * constant(x))(3.0) == 3.0


# ---- threads ---------------------------------------------------------------------------------


def test_threads_differentiate_at_once():
    """Levels of nested derivatives of threads interleave, and do not mix."""
    barrier, found = threading.Barrier(2), {}

    def work(name, a):
        def inner(y, x):
            barrier.wait()
            return np.sum(np.sin(a * x * y))

        def outer(x):
            barrier.wait()
            return np.sum(grad(inner)(x, x) ** 2)

        barrier.wait()
        found[name] = [hessian(outer)(np.array([0.3, 0.2])) for _ in range(20)]

    threads = [threading.Thread(target=work, args=(k, a)) for k, a in enumerate((1.0, 2.0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, a in enumerate((1.0, 2.0)):
        expected = hessian(
            lambda x, a=a: np.sum(grad(lambda y, x: np.sum(np.sin(a * x * y)))(x, x) ** 2)
        )(np.array([0.3, 0.2]))
        for actual in found[k]:
            np.testing.assert_array_equal(actual, expected)
