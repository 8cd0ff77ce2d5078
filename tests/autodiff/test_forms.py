"""Forms of calls that people write mean what they do in NumPy: both modes, both orders."""

from __future__ import annotations

import types
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse

import mcmodels.autodiff.numpy as anp
from mcmodels.autodiff import NoRuleError, grad, hessian, jacobian, jvp, value_and_grad, vjp, vmap
from tests.autodiff.checkers import DIFFERENCES, differences

X = np.array([0.5, -1.2, 2.0])


def filled(x, k=1):
    h = anp.zeros(3)
    h[k] = x[0] * x[1]
    return h


def inverse_where(x):
    return np.sum(anp.divide(x[::-1], x, out=anp.zeros(3), where=x > 0) ** 2)


FORMS = {
    "item": lambda x: x[0].item() * x.item(1) + x.reshape(3, 1).item(2, 0) ** 3,
    "item at a tuple": lambda x: x.reshape(3, 1).item((1, 0)) ** 2,
    "item of a filled array": lambda x: filled(x)[1].item() ** 2 + filled(x).item(1),
    "polyval at a list": lambda x: np.polyval(x, [1.0, 2.0, 0.5]) @ x,
    "trapezoid of a list": lambda x: np.trapezoid([1.0, 2.0, 0.5], x**3),
    "trapezoid over a list": lambda x: np.trapezoid(x**3, [0.0, 1.0, 2.5]),
    "tolist": lambda x: sum(v**3 for v in x.tolist()),
    "tolist of rows": lambda x: x.reshape(3, 1).tolist()[2][0] ** 2,
    "tolist of a filled array": lambda x: sum(v * v for v in filled(x).tolist()),
    "astype without a copy": lambda x: np.sum(x.astype(float, copy=False) ** 3),
    "where and out": inverse_where,
    "where and out of a copy": lambda x: np.sum(
        np.log(x, out=np.zeros_like(x), where=x > 0) * x[0]
    ),
    "where and out, broadcast": lambda x: np.sum(
        anp.multiply(x, x[:, np.newaxis], out=anp.ones((3, 3)), where=np.tri(3) > 0) ** 2
    ),
    "extremum of nothing": lambda x: np.max(x[x > 9], initial=0.0) + np.sum(x**3),
    "extrema of empty rows": lambda x: np.sum(
        np.min(x.reshape(3, 1)[:, :0], axis=1, keepdims=True, initial=x[0] ** 2) * x
    ),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.filterwarnings("error")
def test_derivatives(name):
    f, v, w = FORMS[name], np.array([0.3, 1.0, -0.7]), np.array([1.1, -0.4, 0.2])
    slope = differences(f, (X,), (v,))
    bound = DIFFERENCES * (1 + abs(slope))
    assert abs(grad(f)(X) @ v - slope) < bound
    assert abs(jvp(f, (X,), (v,))[1] - slope) < bound
    curvature = differences(lambda x: grad(f)(x) @ w, (X,), (v,))
    bound = DIFFERENCES * (1 + abs(curvature))
    assert abs(w @ hessian(f)(X) @ v - curvature) < bound
    assert abs(w @ jacobian(grad(f))(X) @ v - curvature) < bound
    twice = jvp(lambda x: jvp(f, (x,), (w,))[1], (X,), (v,))[1]
    assert abs(twice - curvature) < bound


@pytest.mark.parametrize("size", [1e200, 1e-200])
@pytest.mark.filterwarnings("error")
def test_angles_of_large_and_small_numbers(size):
    """``(b, -a)/(a² + b²)``, where the squares are no numbers of float64: a few roundings."""
    slope = grad(lambda v: np.arctan2(v[0], v[1]))(size * np.array([3.0, 4.0]))
    np.testing.assert_allclose(slope, np.array([0.16, -0.12]) / size, rtol=1e-15)


def test_where_leaves_the_others_as_they_are():
    h = []

    def f(x):
        out = anp.array([7.0, 8.0, 9.0])
        returned = np.sqrt(x, out=out, where=[True, False, True])
        h.append(returned is out)
        return out

    with pytest.warns(RuntimeWarning):  # the entry -1.2 is computed by nobody else
        np.sqrt(X)
    np.testing.assert_array_equal(
        jacobian(f)(X), np.diag([0.5 / np.sqrt(0.5), 0.0, 0.5 / np.sqrt(2.0)])
    )
    np.testing.assert_array_equal(vjp(f, X)[0], [np.sqrt(0.5), 8.0, np.sqrt(2.0)])
    assert all(h)


@pytest.mark.parametrize(
    ("f", "says"),
    [
        (lambda x: np.sum(np.log(x, where=x > 0)), "where="),
        (lambda x: np.sum(np.log(x, out=np.zeros(3), where=x > 0)), r"np\.where"),
        (lambda x: np.sum(x @ scipy.sparse.csr_array(np.eye(3))), "scipy.sparse.csr_array"),
        (lambda x: np.sum(scipy.sparse.csr_array(np.eye(3)) @ x), "mcmodels.autodiff.rule"),
        (lambda x: round(x[0]), "numpy.round is constant"),
        (lambda x: divmod(2.0, x[0])[1], r"floor_divide\(constant\(x\), …\)"),
    ],
)
def test_refusals(f, says):
    for derive in (grad(f), lambda x: jvp(f, (x,), (x,))):
        with pytest.raises(NoRuleError, match=says):
            derive(X)


@pytest.mark.parametrize("x", [None, types.SimpleNamespace(w=X), {"a": object()}])
def test_what_is_no_container(x):
    with pytest.raises(TypeError, match="dicts, lists, tuples and named tuples"):
        grad(lambda x: 1.0)(x)


def test_positions_and_truth_values_are_mapped_over():
    places = np.array([2, 0])
    np.testing.assert_array_equal(vmap(lambda k, x: x[k], in_axes=(0, None))(places, X), X[places])
    chosen = vmap(lambda b, x: x if b else -x)(X > 0, X)
    np.testing.assert_array_equal(chosen, np.abs(X))
    np.testing.assert_array_equal(vmap(grad(lambda x: x**2))([1, 3]), [2.0, 6.0])


def test_what_is_returned_beside_the_value_is_plain():
    gradient, aux = grad(
        lambda x: (np.sum(x**2), {"h": filled(x), "z": anp.zeros(2)}), has_aux=True
    )(X)
    np.testing.assert_array_equal(gradient, 2 * X)
    for made, expected in ((aux["h"], [0.0, X[0] * X[1], 0.0]), (aux["z"], [0.0, 0.0])):
        assert type(made) is np.ndarray
        assert made.flags.writeable
        np.testing.assert_array_equal(made, expected)


def test_derivatives_in_threads_of_a_function():
    """Threads that a function starts may take derivatives of values that it is traced with."""

    def slopes(x):
        with ThreadPoolExecutor(2) as pool:
            inner = lambda k: np.sum(grad(lambda y: np.sum(y**k))(x))  # noqa: E731
            return sum(pool.map(inner, [2, 3]))

    np.testing.assert_allclose(grad(slopes)(X), 2 + 6 * X, rtol=1e-15)
    np.testing.assert_allclose(jvp(slopes, (X,), (X,))[1], (2 + 6 * X) @ X, rtol=1e-14)


def test_results_hold_no_value_of_a_derivative_that_has_ended():
    kept = []
    grad(lambda x: kept.append(x**2) or np.sum(x))(X)
    f = lambda x: np.sum(kept[0] * x**2)  # noqa: E731
    for derive in (
        grad(f),
        hessian(f),
        value_and_grad(lambda x: np.sum(kept[0])),
        lambda x: jvp(f, (x,), (x,)),
        lambda x: vjp(f, x),
    ):
        with pytest.raises(ValueError, match="has ended"):
            derive(X)
