"""Checkpoints have the derivatives that there are without them."""

from __future__ import annotations

import functools
import gc
import weakref

import numpy as np
import pytest

import mcmodels.autodiff.numpy as anp
from mcmodels.autodiff import (
    checkpoint,
    grad,
    hessian,
    hessian_vector_product,
    integrate,
    jacobian,
    jvp,
    optimize,
    value_and_grad,
    vjp,
)

w = np.array([1.0, 2.0, 3.0])
v = np.array([0.5, -1.0, 2.0])


def as_it_is(f):
    return f


# ---- what is made right: each function with checkpoints, and the same without them ---------------


def loop_variable(c, x):
    inputs = [1.0, 2.0, 3.0]
    h = x * 0.0
    for t in range(3):
        h = c(lambda h, x: np.tanh(x * h + inputs[t]))(h, x)  # noqa: B023
    return np.sum(h)


def loop_variable_of_a_function_inside(c, x):
    h = x * 0.0
    for t in (1.0, 2.0):

        def layer(h):
            return np.tanh(h + t)  # noqa: B023

        h = c(lambda h, x: layer(x * h))(h, x)
    return np.sum(h)


def loop_variable_in_a_partial(c, x):
    h = x * 0.0
    for t in (1.0, 2.0):

        def layer(h, x, power):
            return np.tanh(x * h + t) ** power  # noqa: B023

        h = c(functools.partial(layer, power=2))(h, x)
    return np.sum(h)


def one_function_for_all_steps(c, x):
    step = c(lambda h, x: np.tanh(x * h + t))
    h = x * 0.0
    for t in (1.0, 2.0, 3.0):  # noqa: B007
        h = step(h, x)
    return np.sum(h)


def recursive(c, x):
    def power(z, n):
        return z * power(z, n - 1) if n else z + shift

    shift = 1.0
    y = c(lambda z: power(z, 3))(x)
    shift = 2.0
    return np.sum(y) + shift


def buffer_overwritten(c, x):
    b = np.ones(3)
    y = c(lambda z: z**2 * b)(x)
    b[:] = 5.0
    return np.sum(y)


def buffer_of_ones_that_hide(c, x):
    """At 0 the value is the same for any buffer."""
    b = np.ones(3)
    y = c(lambda z: (z - w) * b + z**2)(x)
    b[:] = 5.0
    return np.sum(y)


def plain_argument_overwritten(c, x):
    b = np.ones(3)
    y = c(lambda z, b: z**2 * b)(x, b)
    b[:] = 5.0
    return np.sum(y)


def plain_argument_overwritten_inside(c, x):
    def part(z, b):
        b *= 2.0
        return z**2 * b

    b = np.ones(3)
    return np.sum(c(part)(x, b) * b)


def filled_buffer(c, x):
    b = anp.ones(3)
    y = c(lambda z: z**2 * b)(x)
    b[:] = 5.0
    return np.sum(y)


def filled_result(c, x):
    def part(z):
        h = anp.zeros(3)
        for t in range(3):
            h[t] = z[t] ** 2
        return h, np.sum(z)

    h, total = c(part)(x)
    h[0] = 1.0 * total
    return np.sum(h**2)


def filled_argument(c, x):
    h = anp.zeros(3)
    h[1:] = x[1:]

    def part(h):
        h *= 2.0
        return h**2

    return np.sum(c(part)(h)) + np.sum(h * x)


def dropout(c, x):
    rng = np.random.default_rng(3)
    y = c(lambda z: z**2 * (rng.random(3) < 0.5))(x)
    return np.sum(y * rng.random(3))


def dropout_of_an_argument(c, x):
    rng = np.random.RandomState(3)
    y = c(lambda z, rng: z**2 * rng.random_sample(3))(x, rng)
    return np.sum(y * rng.random_sample(3))


def argument_changed(c, x):
    def part(b):
        b *= 2.0
        return b**2

    z = x * 1.0
    y = c(part)(z)
    return np.sum(y * z)


def argument_changed_and_returned(c, x):
    def part(b, scale):
        b *= scale["s"]
        return {"b": b, "sum": np.sum(b)}

    z = x * 1.0
    found = c(part)(z, {"s": x[0]})
    found["b"] += x**2
    return np.sum(z**2) * found["sum"]


def argument_passed_twice(c, x):
    def part(a, b):
        a *= 2.0
        return a * b

    z = x * 1.0
    return np.sum(c(part)(z, z) * z)


def counter(c, x):
    count = 0

    def part(z):
        nonlocal count
        count += 1
        return z**count

    return np.sum(c(part)(x) * c(part)(x) * c(part)(x))


def checkpoint_in_a_checkpoint(c, x):
    h = x
    for t in (1.0, 2.0):
        inner = c(lambda z: np.sin(z * t))  # noqa: B023
        h = c(lambda h: inner(h) * h + t)(h)  # noqa: B023
    return np.sum(h)


def no_argument_varies(c, x):
    return np.sum(x * c(np.sin)(w))


def counts_beside_the_result(c, x):
    h, t = c(lambda h, t: (h**2, t + 1))(x, 0)
    return np.sum(h) * t


FUNCTIONS = [
    loop_variable,
    loop_variable_of_a_function_inside,
    loop_variable_in_a_partial,
    one_function_for_all_steps,
    recursive,
    buffer_overwritten,
    buffer_of_ones_that_hide,
    plain_argument_overwritten,
    plain_argument_overwritten_inside,
    filled_buffer,
    filled_result,
    filled_argument,
    dropout,
    dropout_of_an_argument,
    argument_changed,
    argument_changed_and_returned,
    argument_passed_twice,
    counter,
    checkpoint_in_a_checkpoint,
    no_argument_varies,
    counts_beside_the_result,
]


@pytest.mark.parametrize("f", FUNCTIONS)
def test_derivatives_are_those_without_a_checkpoint(f):
    plain, saved = functools.partial(f, as_it_is), functools.partial(f, checkpoint)
    # The derivatives without a checkpoint are themselves compared with differences.
    step = 1e-5
    slopes = [(plain(w + step * e) - plain(w - step * e)) / (2 * step) for e in np.eye(3)]
    # Differences: rounding over the step, and its square.
    np.testing.assert_allclose(grad(plain)(w), slopes, rtol=1e-7, atol=1e-8)
    close = functools.partial(np.testing.assert_allclose, rtol=1e-12, atol=1e-13)  # rounding
    assert plain(w) == saved(w)
    value, slope = value_and_grad(saved)(w)
    close(value, plain(w))
    close(slope, grad(plain)(w))
    close(hessian(saved)(w), hessian(plain)(w))
    close(jvp(saved, (w,), (v,))[1], grad(plain)(w) @ v)
    close(jacobian(saved)(w), grad(plain)(w))
    close(hessian_vector_product(saved)(w, v), hessian(plain)(w) @ v)
    close(grad(lambda x: jvp(saved, (x,), (v,))[1])(w), hessian(plain)(w) @ v)
    close(vjp(saved, w)[1](2.0), 2.0 * grad(plain)(w))


def test_derivatives_by_hand():
    def last_state(x):
        return loop_variable(checkpoint, x)

    np.testing.assert_allclose(grad(lambda x: argument_changed(checkpoint, x))(w), 24 * w**2)
    h, dh = 0.0, 0.0
    for t in (1.0, 2.0, 3.0):  # h' = tanh(wh + t), dh' = (1 - h'²)(h + w dh), at w = 1/2
        new = np.tanh(0.5 * h + t)
        h, dh = new, (1 - new**2) * (h + 0.5 * dh)
    np.testing.assert_allclose(grad(last_state)(0.5), dh, rtol=1e-12)


def test_forward_mode_calls_the_function_once():
    calls = []

    def part(z):
        calls.append(None)
        return z**2

    jvp(checkpoint(part), (w,), (v,))
    assert len(calls) == 1


def test_what_is_kept_for_reading_alone_does_not_matter():
    def f(x):
        seen = []

        def part(z):
            seen.append(np.max(z))
            return z**2

        return np.sum(checkpoint(part)(x)), seen

    slope, seen = grad(f, has_aux=True)(w)
    np.testing.assert_array_equal(slope, 2 * w)
    assert type(seen[0]) in (np.float64, np.ndarray)
    assert seen[0] == 3.0


def test_sums_of_exponentials_do_not_overflow_inside():
    with np.errstate(over="ignore"):  # np.exp is called before it is recognised
        value, slope = value_and_grad(checkpoint(lambda z: np.log(1 + np.exp(z))))(1000.0)
    assert (value, slope) == (1000.0, 1.0)


def test_limits_inside():
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = grad(lambda x: checkpoint(lambda z: (1 - np.cos(z)) / z**2 + z)(x))(0.0)
    np.testing.assert_allclose(slope, 1.0, atol=1e-12)  # a series in rounded points


def test_results_in_containers_keep_nothing():
    """The values that were computed first are dropped, also if a dict held them."""
    alive = []

    def part(state):
        inner = np.sin(state["h"]) * 2.0
        alive.append(weakref.ref(inner.tracer))
        return {"h": inner + 1.0}

    def last(h):
        state = {"h": h}
        for _ in range(5):
            state = checkpoint(part)(state)
        gc.collect()
        assert not [ref for ref in alive if ref() is not None]
        return np.sum(state["h"])

    grad(last)(w)


@pytest.mark.parametrize(
    "solved",
    [
        lambda p: optimize.root(lambda x: x**3 + x - p, np.ones(2)).x,
        lambda p: optimize.brentq(lambda x: x**3 + p[0] * x - p[1], 0.0, 5.0),
        lambda p: optimize.minimize(lambda x: np.sum((x - p) ** 2 + x**4), np.ones(2)).x,
        lambda p: integrate.solve_ivp(
            lambda t, y: -p * y**2, (0.0, 1.0), [1.0, 2.0], method="Radau", rtol=1e-6
        ).y[:, -1],
    ],
)
def test_what_takes_as_many_steps_as_derivatives(solved):
    """A root takes a step of Newton for each derivative, also when it is computed again."""
    p = np.array([0.3, 0.7])
    for derivative in (grad, hessian):
        with_it = derivative(lambda p: np.sum(checkpoint(solved)(p) ** 2))(p)
        # The solutions are exact to rounding, which the derivatives of a few terms multiply.
        expected = derivative(lambda p: np.sum(solved(p) ** 2))(p)
        np.testing.assert_allclose(with_it, expected, rtol=1e-11, atol=1e-12)
