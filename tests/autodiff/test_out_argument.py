"""``out=`` of a value that is differentiated: it takes the result under all its names."""

from __future__ import annotations

import numpy as np
import pytest

from mcmodels.autodiff import NoRuleError, grad, hessian, jvp

X = np.array([0.3, -0.2, 0.8])


def product(x):
    y = x * 1.0
    other_name = y
    result = np.multiply(y, x, out=y)
    assert result is y
    return np.sum(other_name**2)


def exponential(x):
    y = x + 0.0
    np.exp(y, out=y)
    np.add(y, 1, y)  # out by position
    return np.sum(np.log(y) * x)


def matrix_product(x):
    A = np.outer(x, x) + np.eye(3)
    y = x * 2
    np.matmul(A, y, out=y)
    return y @ x


def clipped(x):
    y = 2 * x
    np.clip(y, -1.0, 1.0, out=y)
    np.cumsum(y, out=y)
    return np.sum(y * x)


PLAIN = {
    product: lambda x: np.sum(x**4),
    exponential: lambda x: np.sum(np.logaddexp(x, 0) * x),
    matrix_product: lambda x: (np.outer(x, x) + np.eye(3)) @ (2 * x) @ x,
    clipped: lambda x: np.sum(np.cumsum(np.clip(2 * x, -1.0, 1.0)) * x),
}


@pytest.mark.parametrize("f", PLAIN, ids=lambda f: f.__name__)
def test_out(f):
    plain = PLAIN[f]
    before = X.copy()
    # A few roundings each.
    np.testing.assert_allclose(f(X), plain(X), rtol=1e-14)
    np.testing.assert_allclose(grad(f)(X), grad(plain)(X), rtol=1e-13)
    np.testing.assert_allclose(hessian(f)(X), hessian(plain)(X), rtol=1e-13, atol=1e-14)
    for v in np.eye(3):
        found, expected = (jvp(g, (X,), (v,))[1] for g in (f, plain))
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)
    np.testing.assert_array_equal(X, before)


def test_the_shape_has_to_fit():
    with pytest.raises(ValueError, match="shape"):
        grad(lambda x: np.multiply(x, x, out=x[0] * 1.0))(X)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda y: np.multiply(y, y, out=y, where=[True, False, True]), "numpy.multiply"),
        (lambda y: np.add.accumulate(y, out=y), "numpy.add.accumulate"),
        (lambda y: np.multiply(y, y, out=np.zeros(3)), "numpy.multiply"),
        (lambda y: np.cumsum(y, out=np.zeros(3)), "numpy.cumsum"),
    ],
)
def test_what_cannot_be_followed_is_refused_by_name(call, name):
    def f(x):
        y = x * 1.0
        call(y)
        return np.sum(y)

    with pytest.raises(NoRuleError, match=rf"{name} with .*(leave it out|np\.where)"):
        grad(f)(X)
