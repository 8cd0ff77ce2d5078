"""Checkpoints that do not compute the same twice are refused."""

from __future__ import annotations

import numpy as np
import pytest

from mcmodels.autodiff import NoRuleError, checkpoint, grad, hessian, hessian_vector_product, jvp

w = np.array([1.0, 2.0, 3.0])
v = np.array([0.5, -1.0, 2.0])


class Layer:
    def __init__(self):
        self.scale = 1.0

    def __call__(self, z):
        self.scale += 1.0
        return self.scale * z


def attribute(x):
    return checkpoint(Layer())(x)


def attribute_of_a_method(x):
    return checkpoint(Layer().__call__)(x)


def list_changed(x):
    scales = [1.0]
    y = checkpoint(lambda z: z * scales[0])(x)
    scales[0] = 2.0
    return y


def list_changed_where_the_value_is_the_same(x):
    scales = [1.0]
    y = checkpoint(lambda z: (z - w) * scales[0])(x)
    scales[0] = 2.0
    return y


def hidden_in_a_checkpoint(x):
    scales = [1.0]
    inner = checkpoint(lambda z, s: (z - w) * s)
    y = checkpoint(lambda z: inner(z, scales[0]))(x)
    scales[0] = 2.0
    return y


def other_branch(x):
    linear = [True]
    y = checkpoint(lambda z: z - w if linear[0] else np.sin(z - w))(x)
    linear[0] = False
    return y


def other_axis(x):
    axes = [-1]
    y = checkpoint(lambda z: np.cumsum(np.outer(z, z) * 0.0 + z, axis=axes[0])[:, 0])(x)
    axes[0] = -2
    return y


def global_random_numbers(x):
    return checkpoint(lambda z: z * np.random.random(3))(x)  # noqa: NPY002


def iterator(x):
    numbers = iter(range(1, 100))
    return checkpoint(lambda z: z * next(numbers))(x)


def large_buffer(x):
    b = np.ones(3000)
    y = checkpoint(lambda z: np.sum(z) * b)(x)
    b[:] = 5.0
    return y


def large_argument(x):
    b = np.ones(3000)
    y = checkpoint(lambda z, b: np.sum(z) * b)(x, b)
    b[:] = 5.0
    return y


@pytest.mark.parametrize(
    "f",
    [
        attribute,
        attribute_of_a_method,
        list_changed,
        list_changed_where_the_value_is_the_same,
        hidden_in_a_checkpoint,
        other_branch,
        other_axis,
        global_random_numbers,
        iterator,
        large_buffer,
        large_argument,
    ],
)
def test_another_computation_is_refused(f):
    def total(x):
        return np.sum(f(x))

    for derivative in (grad(total), hessian(total), lambda x: hessian_vector_product(total)(x, v)):
        with pytest.raises(NoRuleError, match=r"something else when it was called|overwritten"):
            derivative(w)


def test_a_value_that_is_not_returned_is_refused():
    def f(x):
        kept = []

        def part(z):
            kept.append(np.sum(z))
            return z

        return np.sum(checkpoint(part)(x)) + kept[0]

    for derivative in (grad, hessian):
        with pytest.raises(ValueError, match="checkpointed function beside its result"):
            derivative(f)(w)
    assert jvp(f, (w,), (np.ones(3),))[1] == 6.0  # f is called as it is: 2 Σx


def test_outer_values_are_refused_wherever_they_come_in():
    def of_a_closure(x):
        return np.sum(checkpoint(lambda z: z * 1.0 + x[0])(x))

    def in_a_list(x):
        held = [x[0]]
        return np.sum(checkpoint(lambda z: z * held[0])(x))

    for f in (of_a_closure, in_a_list):
        with pytest.raises(NoRuleError, match="none of its arguments"):
            grad(f)(w)
