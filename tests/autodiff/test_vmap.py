"""vmap: the same as a loop over the rows."""

from __future__ import annotations

import numpy as np
import pytest

from mcmodels.autodiff import grad, hessian, jacobian, jvp, vmap

rng = np.random.default_rng(8)
X, y, w = rng.standard_normal((5, 3)), rng.standard_normal(5), rng.standard_normal(3)


def loss(w, x, y):
    return np.log1p(np.exp(-y * (x @ w)))


def test_gradients_of_each_row():
    found = vmap(grad(loss), in_axes=(None, 0, 0))(w, X, y)
    expected = -(y / (1 + np.exp(y * (X @ w))))[:, np.newaxis] * X
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
@pytest.mark.parametrize("out", [0, 1, -1])
def test_axes(axis, out):
    Z = np.moveaxis(X, 0, axis)
    found = vmap(lambda x: x[::-1] * 2, in_axes=axis, out_axes=out)(Z)
    np.testing.assert_array_equal(found, np.stack([2 * x[::-1] for x in X], axis=out))


def test_containers_and_keywords():
    def f(p, scale=1.0):
        return {"sum": np.sum(p["x"]) * scale, "both": (p["x"], p["y"])}

    found = vmap(f)({"x": X, "y": y}, scale=3.0)
    np.testing.assert_array_equal(found["sum"], [3.0 * np.sum(x) for x in X])
    np.testing.assert_array_equal(found["both"][0], X)
    np.testing.assert_array_equal(found["both"][1], y)


def test_two_of_them_are_an_outer_product():
    outer = vmap(vmap(np.multiply, in_axes=(None, 0)), in_axes=(0, None))
    np.testing.assert_array_equal(outer(y, w), np.outer(y, w))


def test_derivatives_go_through():
    def total(w):
        return np.sum(vmap(loss, in_axes=(None, 0, 0))(w, X, y))

    p = 1 / (1 + np.exp(y * (X @ w)))
    np.testing.assert_allclose(grad(total)(w), -X.T @ (y * p), rtol=1e-13)
    np.testing.assert_allclose(hessian(total)(w), (X.T * (y**2 * p * (1 - p))) @ X, rtol=1e-12)
    jac = jacobian(lambda w: vmap(loss, in_axes=(None, 0, 0))(w, X, y))(w)
    np.testing.assert_allclose(jac, -(y * p)[:, np.newaxis] * X, rtol=1e-13)
    v = np.array([1.0, -1.0, 2.0])
    np.testing.assert_allclose(jvp(total, (w,), (v,))[1], grad(total)(w) @ v, rtol=1e-13)


@pytest.mark.parametrize(
    ("axes", "args", "says"),
    [
        ((0,), (X, y), "1 entries, and there are 2"),
        (None, (X,), "in_axes has none"),
        (0, (X, w), r"5 \(argument 0\) and 3 \(argument 1\)"),
        (2, (X,), r"shape \(5, 3\), and no axis 2"),
        (0, (np.zeros((0, 3)),), "no entries"),
    ],
)
def test_refusals(axes, args, says):
    with pytest.raises(ValueError, match=says):
        vmap(lambda *x: x[0], in_axes=axes)(*args)
