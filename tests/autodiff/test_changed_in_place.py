"""``x += y`` of arrays that are differentiated: every name of the array sees it, as in NumPy."""

import copy
import operator

import numpy as np
import pytest

import mcmodels.autodiff.numpy as anp
from mcmodels.autodiff import (
    checkpoint,
    grad,
    hessian,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
    vmap,
)
from tests.autodiff.corpus.differences import second_slope, slope, units

x3 = np.array([0.3, -0.2, 0.5])


def alias(x):
    y = 2.0 * x
    z = y
    z += x**2
    z *= 3.0
    return np.sum(y**2)


def in_a_loop_over_a_list(x):
    params = [np.sin(x), np.cos(x), x * x]
    for k, p in enumerate(params):
        p -= 0.1 * k * x
        p /= 2.0
    return np.sum(params[0] * params[1] + params[2])


def in_a_dict(x):
    params = {"a": x * 1.0, "b": np.exp(x)}
    for p in params.values():
        p -= 0.3 * np.sum(p)
    params["a"] **= 3
    return np.sum(params["a"] * params["b"])


def by_a_function(x):
    def step(w, g):
        w -= 0.1 * g

    w = x * 1.0
    for _ in range(3):
        step(w, 2.0 * w + np.sin(w))
    return w @ w


def the_argument_itself(x):
    other = x
    x += 1.0
    return np.sum(other**3)


def what_was_computed_before_stays(x):
    y = np.exp(x)
    z = y * 2.0
    y += 1.0
    return np.sum(y * z)


def numbers_are_replaced(x):
    a = x[0] * 2.0
    b = a
    b += x[1]
    return a * b


def copies_are_not_changed(x):
    y = np.sin(x)
    kept = [+y, y.copy(), copy.copy(y), copy.deepcopy(y), np.copy(y), anp.array(y)]
    y *= x
    return sum(np.sum(k * (n + 1.0)) for n, k in enumerate(kept)) + np.sum(y)


def arrays_that_took_it_are_not_changed(x):
    y = np.sin(x)
    table = anp.zeros((2, 3))
    table[0] = y
    y *= x
    table[1] = y
    y += 1.0
    return np.sum(table[0] ** 2 * table[1]) + np.sum(y)


def matrices(x):
    A = np.outer(x, x) + np.eye(3)
    B = A
    B @= np.ones((3, 3)) * x
    return np.trace(A @ A)


def remainder(x):
    y = 2.0 + x
    z = y
    z %= 1.0
    return np.sum(y**2)


def softplus_of_the_changed(x):
    y = x * 1.0
    z = y
    z += x
    return np.sum(np.log(1 + np.exp(y)))


def sigmoid_before_and_after(x):
    y = x * 3.0
    e = np.exp(-y)
    names = [y]
    y += 1.0
    return np.sum(1 / (1 + e)) + np.sum(1 / (1 + np.exp(-names[0])))


def attributes_and_cells(x):
    class Holder:
        pass

    holder = Holder()
    holder.w = np.sin(x)
    seen = holder.w
    holder.w -= 0.5 * x
    y = np.cos(x)

    def changed():
        nonlocal y
        y *= x
        return y

    other = y
    return np.sum(seen * holder.w) + np.sum(changed() * other)


def by_operator(x):
    y = np.sin(x)
    operator.iadd(y, x)
    names = (y,)
    operator.imul(names[0], 2.0)
    return np.sum(y**2)


def closures_and_generators(x):
    y = np.sin(x)
    rows = (y for _ in range(2))
    read = lambda: y * x  # noqa: E731
    first = next(rows)
    first += 1.0
    first -= x**2
    return np.sum(read()) + np.sum(next(rows) ** 2)


def quotient_of_the_old(x):
    y = x * 1.0
    top = np.exp(y)
    y -= np.max(y)
    return (top / np.sum(np.exp(y)))[0]


FUNCTIONS = [alias, in_a_loop_over_a_list, in_a_dict, by_a_function, the_argument_itself,
             what_was_computed_before_stays, numbers_are_replaced, copies_are_not_changed,
             arrays_that_took_it_are_not_changed, matrices, remainder, softplus_of_the_changed,
             sigmoid_before_and_after, quotient_of_the_old, attributes_and_cells,
             by_operator, closures_and_generators]  # fmt: skip


def plainly(f):
    """The function of a copy, as it may change its argument."""
    return lambda x: f(np.array(x))


@pytest.mark.parametrize("f", FUNCTIONS)
def test_first_derivatives(f):
    expected = [slope(plainly(f), x3, v, 1e-2) for v in units(x3)]
    value, found = value_and_grad(f)(x3)
    np.testing.assert_allclose(value, plainly(f)(x3), rtol=1e-14)  # rounding
    # Differences extrapolated from three steps are right to 1e-9 here.
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(jacobian(f)(x3), expected, rtol=1e-8, atol=1e-9)
    forward = [jvp(f, (x3,), (v,))[1] for v in units(x3)]
    np.testing.assert_allclose(forward, expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("f", FUNCTIONS)
def test_second_derivatives(f):
    g = plainly(f)
    expected = [[second_slope(g, x3, v, w, 3e-2) for w in units(x3)] for v in units(x3)]
    # Second differences are right to 1e-8 here.
    np.testing.assert_allclose(hessian(f)(x3), expected, rtol=1e-6, atol=1e-7)


def test_the_array_that_was_passed_stays_as_it_is():
    x = x3.copy()
    np.testing.assert_allclose(grad(the_argument_itself)(x), 3 * (x3 + 1) ** 2)
    np.testing.assert_array_equal(x, x3)


def test_parameters_in_containers():
    def f(params):
        for p in params["layers"]:
            p -= 0.5 * p**2
        return np.sum(params["layers"][0]) * np.sum(params["layers"][1])

    params = {"layers": [x3, 2 * x3]}
    found = grad(f)(params)["layers"]
    a, b = (p - 0.5 * p**2 for p in params["layers"])
    np.testing.assert_allclose(found[0], (1 - x3) * np.sum(b), rtol=1e-14)  # rounding
    np.testing.assert_allclose(found[1], (1 - 2 * x3) * np.sum(a), rtol=1e-14)


def test_in_a_derivative_inside():
    """A training loop whose gradients are taken by grad."""

    def loss(w, x):
        return np.sum((w * x - 1.0) ** 2)

    def trained(x):
        params = [x * 0.0, x + 1.0]
        for _ in range(2):
            for p in params:
                p -= 0.1 * grad(loss)(p, x)
        return loss(params[0], x) + loss(params[1], x)

    def by_hand(x):
        params = [x * 0.0, x + 1.0]
        for _ in range(2):
            params = [p - 0.1 * 2 * x * (p * x - 1.0) for p in params]
        return loss(params[0], x) + loss(params[1], x)

    expected = [slope(by_hand, x3, v, 1e-2) for v in units(x3)]
    np.testing.assert_allclose(grad(trained)(x3), expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("outer", ["grad", "jvp", "hessian"])
def test_by_values_of_a_derivative_inside(outer):
    """An array of the outer derivative takes on a value of the inner one."""

    def f(x):
        def inner(z):
            parts = [2.0 * x, x * x]
            for part in parts:
                part += z
                part *= part
            return np.sum(parts[0] * parts[1])

        return np.sum(grad(inner)(np.sin(x)) ** 2) + np.sum(jvp(inner, (x,), (x,))[1])

    def by_hand(x):
        inner = lambda z: np.sum((2.0 * x + z) ** 2 * (x * x + z) ** 2)  # noqa: E731
        return np.sum(grad(inner)(np.sin(x)) ** 2) + np.sum(jvp(inner, (x,), (x,))[1])

    if outer == "jvp":
        found, expected = jvp(f, (x3,), (x3,))[1], jvp(by_hand, (x3,), (x3,))[1]
    else:
        derive = grad if outer == "grad" else hessian
        found, expected = derive(f)(x3), derive(by_hand)(x3)
    np.testing.assert_allclose(found, expected, rtol=1e-12)  # rounding


def test_an_outer_array_that_the_inside_has_changed_is_refused():
    """NumPy would have changed it, too; its value belongs to a derivative that has ended."""

    def f(x):
        y = 2.0 * x

        def inner(z, y):
            y += z
            return np.sum(y**2)

        grad(inner)(x, y)
        return np.sum(y)

    with pytest.raises(ValueError, match="has ended"):
        grad(f)(x3)


def test_a_pullback_inside_reads_what_it_was_computed_with():
    def f(x):
        y = np.sin(x)
        _, pullback = vjp(lambda z: z**2 * y, x)
        y *= 0.0
        return np.sum(pullback(np.ones(3)))

    def by_hand(x):
        return np.sum(2 * x * np.sin(x))

    np.testing.assert_allclose(grad(f)(x3), grad(by_hand)(x3), rtol=1e-14)  # rounding


def test_vmap_and_checkpoint():
    def f(x):
        y = x * 1.0
        z = y
        z += x**2
        return np.sum(y**2)

    rows = np.stack([x3, 2 * x3])
    found = grad(lambda rows: np.sum(vmap(f)(rows)))(rows)
    np.testing.assert_allclose(found, [grad(f)(row) for row in rows], rtol=1e-14)  # rounding
    np.testing.assert_allclose(grad(checkpoint(f))(x3), grad(f)(x3), rtol=1e-14)


def test_shapes_and_types_stay():
    def grown(x):
        y = x * 1.0
        names = [y]
        y += np.ones((2, 3))
        return np.sum(names[0])

    with pytest.raises(ValueError, match="cannot take the result in place"):
        grad(grown)(x3)
    seen = []

    def narrow(x):
        y = x * 1
        names = [y]
        y += np.ones(3)
        seen.append(names[0].dtype)
        return np.sum(y)

    grad(narrow)(x3.astype(np.float32))
    assert seen == [np.float32]
