"""Parameters in dicts, lists, tuples and named tuples; named arguments; what is returned beside."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from typing import NamedTuple

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

rng = np.random.default_rng(5)
A, b, c = rng.standard_normal((2, 3)), rng.standard_normal(2), 0.7


class Layer(NamedTuple):
    weights: np.ndarray
    bias: np.ndarray


def of_vector(v):
    """A smooth function of nine numbers, that containers hold in this order."""
    W, d, e = np.reshape(v[:6], (2, 3)), v[6:8], v[8]
    return np.sum(np.tanh(W @ np.array([0.3, -1.0, 0.5]) * e + d) * d) + e**3 * W[0, 1]


VECTOR = np.concatenate([A.ravel(), b, [c]])
# Containers of the same nine numbers, and how a function reads them.
CONTAINERS = {
    "dict": ({"W": A, "d": b, "e": c}, lambda p: (p["W"], p["d"], p["e"])),
    "list": ([A, b, c], tuple),
    "tuple": ((A, b, c), tuple),
    "named tuple": (
        {"layer": Layer(A, b), "e": c},
        lambda p: (p["layer"].weights, p["layer"].bias, p["e"]),
    ),
    "nested": (
        [{"a": (A, {"b": [b, None]})}, c],
        lambda p: (p[0]["a"][0], p[0]["a"][1]["b"][0], p[1]),
    ),
    "ordered": (OrderedDict(W=A, d=b, e=c), lambda p: (p["W"], p["d"], p["e"])),
    "default": (
        defaultdict(list, {"W": A, "d": b, "e": c}),
        lambda p: (p["W"], p["d"], p["e"]),
    ),
}


def function_of(read):
    def f(params):
        W, d, e = read(params)
        return of_vector(np.concatenate([np.ravel(W), d, np.reshape(e, (1,))]))

    return f


def flat(read, params):
    return np.concatenate([np.ravel(part) for part in read(params)])


@pytest.fixture(params=CONTAINERS)
def case(request):
    params, read = CONTAINERS[request.param]
    return params, read, function_of(read)


def test_gradients_are_containers_like_the_argument(case):
    params, read, f = case
    value, found = value_and_grad(f)(params)
    assert type(found) is type(params)
    assert [np.shape(x) for x in read(found)] == [(2, 3), (2,), ()]
    # The same operations in the same order, but for the division of the vector.
    np.testing.assert_allclose(flat(read, found), grad(of_vector)(VECTOR), rtol=1e-14)
    assert value == of_vector(VECTOR)
    np.testing.assert_array_equal(flat(read, jacobian(f)(params)), flat(read, found))
    assert read(params)[0] is A  # nothing was changed in place


def test_products_and_second_derivatives(case):
    params, read, f = case
    H, v = hessian(of_vector)(VECTOR), rng.standard_normal(9)
    parts = v[:6].reshape(2, 3), v[6:8], v[8]
    # A tangent is a container like the argument: the gradient, filled with other numbers.
    numbers = dict(zip([(2, 3), (2,), ()], parts, strict=True))
    direction = _filled(params, numbers)
    np.testing.assert_allclose(
        jvp(f, (params,), (direction,))[1], grad(of_vector)(VECTOR) @ v, rtol=1e-13
    )
    _, back = vjp(f, params)
    np.testing.assert_allclose(flat(read, back(2.0)), 2.0 * grad(of_vector)(VECTOR), rtol=1e-14)
    product = hessian_vector_product(f)(params, direction)
    np.testing.assert_allclose(flat(read, product), H @ v, atol=1e-13 * np.abs(H).sum())
    blocks = hessian(f)(params)
    by_rows = [
        [np.reshape(block, (np.size(x), -1)) for block in read(row)]
        for x, row in zip(read(params), read(blocks), strict=True)
    ]
    np.testing.assert_allclose(np.block(by_rows), H, atol=1e-14 * np.abs(H).max())


def _filled(x, numbers):
    if isinstance(x, dict):
        return {key: _filled(part, numbers) for key, part in x.items()}
    if isinstance(x, Layer):
        return Layer(*(_filled(part, numbers) for part in x))
    if isinstance(x, list | tuple):
        return type(x)(_filled(part, numbers) for part in x)
    return None if x is None else numbers[np.shape(x)]


def test_a_list_of_numbers_is_an_array():
    for point in ([1.0, 2.0], (1.0, 2.0), [np.float64(1.0), 2]):
        found = grad(lambda x: x[0] ** 2 * x[1])(point)
        assert type(found) is np.ndarray
        np.testing.assert_array_equal(found, [4.0, 1.0])
    assert hessian(lambda x: np.sum(x @ x))([[1.0, 2.0], [0.0, 1.0]]).shape == (2, 2, 2, 2)


def test_arrays_of_one_shape_stay_apart():
    found = grad(lambda pair: pair[0] @ pair[1])([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    assert isinstance(found, list)
    np.testing.assert_array_equal(found, [[3.0, 4.0], [1.0, 2.0]])


def test_numbers_without_axes_in_a_list_have_a_hessian():
    blocks = hessian(lambda p: p[0] ** 2 * p[1])([np.array(2.0), np.array(3.0)])
    assert np.array_equal(blocks, [[6.0, 4.0], [4.0, 0.0]])


def test_containers_inside_other_derivatives():
    def inner(t):
        found = grad(lambda p: p["a"] ** 3 * p["b"])({"a": t, "b": t**2})
        return found["a"] + found["b"]  # 3t⁴ + t³

    np.testing.assert_allclose(grad(inner)(1.5), 12 * 1.5**3 + 3 * 1.5**2, rtol=1e-14)


def test_empty_containers_and_none_hold_nothing():
    assert grad(lambda p: np.sum(np.zeros(2)))({}) == {}
    assert hessian(lambda p: np.sum(np.zeros(2)))({}) == {}
    found = grad(lambda p: p["w"] ** 2)({"w": 3.0, "b": None})
    assert found["b"] is None
    assert found["w"] == 6.0


def test_what_is_no_real_number_is_named_by_its_place():
    with pytest.raises(TypeError, match=r"\['layers'\]\[1\].*<U4"):
        grad(lambda p: 1.0)({"layers": [np.ones(2), "tanh"]})


@pytest.mark.parametrize(
    ("tangent", "says"),
    [
        ({"a": np.ones(2)}, r"arrays at \['a'\].*\['a'\], \['b'\]"),
        ({"a": np.ones(2), "b": np.ones(3)}, r"tangents\[0\]\['b'\] has shape \(3,\)"),
        (np.ones(2), "its top"),
    ],
)
def test_tangents_of_other_containers_are_refused(tangent, says):
    params = {"a": np.ones(2), "b": np.ones(2)}
    with pytest.raises(ValueError, match=says):
        jvp(lambda p: p["a"] @ p["b"], (params,), (tangent,))


# ---- several arguments, by position and by name ----------------------------------------------


def cubic(x, y, *, z=2.0):
    return x**2 * y * z


def test_arguments_by_name():
    assert grad(cubic, "y")(3.0, 5.0) == 18.0
    assert grad(cubic, "y")(3.0, y=5.0) == 18.0
    assert grad(cubic, "z")(3.0, 5.0, z=2.0) == 45.0
    assert grad(cubic, ("z", 0))(3.0, 5.0, z=2.0) == (45.0, 60.0)
    assert hessian(cubic, "z")(3.0, 5.0, z=2.0) == 0.0
    assert hessian_vector_product(cubic, "x")(3.0, 5.0, 10.0) == 200.0
    assert jacobian(cubic, ["x"])(3.0, 5.0) == (60.0,)


@pytest.mark.parametrize(
    ("argnums", "says"),
    [("w", "no argument 'w' was passed; those passed: x, y"), ("z", "'z'"), (("x", 0), "twice")],
)
def test_names_of_arguments_that_were_not_passed(argnums, says):
    with pytest.raises(ValueError, match=says):
        grad(cubic, argnums)(3.0, 5.0)


def test_hessian_by_several_arguments():
    def f(x, y):
        return np.sum(x**2) * y[0] * y[1]

    x, y = np.array([1.0, 2.0, 3.0]), np.array([2.0, 5.0])
    blocks = hessian(f, (0, 1))(x, y)
    np.testing.assert_array_equal(blocks[0][0], 20 * np.eye(3))
    np.testing.assert_array_equal(blocks[0][1], np.outer(2 * x, [5.0, 2.0]))
    np.testing.assert_array_equal(blocks[1][0], blocks[0][1].T)
    np.testing.assert_array_equal(blocks[1][1], [[0.0, 14.0], [14.0, 0.0]])
    v = np.ones(3), np.array([1.0, -1.0])
    first, second = hessian_vector_product(f, (0, 1))(x, y, v)
    np.testing.assert_array_equal(first, blocks[0][0] @ v[0] + blocks[0][1] @ v[1])
    np.testing.assert_array_equal(second, blocks[1][0] @ v[0] + blocks[1][1] @ v[1])
    with pytest.raises(ValueError, match=r"1 parts.*2 arguments"):
        hessian_vector_product(f, (0, 1))(x, y, (v[0],))


# ---- what is returned beside the value -------------------------------------------------------


def test_aux_comes_back_as_plain_values():
    def f(x):
        y = x**2
        return np.sum(y), {"squares": y, "note": "ok", "n": len(x)}

    x = np.array([1.0, 2.0])
    (value, aux), g = value_and_grad(f, has_aux=True)(x)
    assert value == 5.0
    assert type(aux["squares"]) is np.ndarray
    assert (aux["squares"].tolist(), aux["note"], aux["n"]) == ([1.0, 4.0], "ok", 2)
    np.testing.assert_array_equal(g, [2.0, 4.0])
    again, other = grad(f, has_aux=True)(x)
    np.testing.assert_array_equal(again, g)
    assert other["n"] == 2
    value, back, aux = vjp(f, x, has_aux=True)
    np.testing.assert_array_equal(back(1.0), g)
    assert jacobian(f, has_aux=True)(x)[1]["note"] == "ok"


def test_aux_of_an_inner_derivative_keeps_the_outer_one():
    def outer(t):
        _, aux = grad(lambda x: (x**2, x * t), has_aux=True)(3.0)
        return aux * t  # 3 t²

    assert grad(outer)(2.0) == 12.0


def test_without_a_pair_aux_is_refused():
    with pytest.raises(TypeError, match=r"pair \(value, aux\)"):
        grad(lambda x: np.sum(x), has_aux=True)(np.ones(2))
    assert constant(1.0) == 1.0


def test_a_hessian_hands_back_what_else_was_returned():
    def f(p, power):
        x = p["x"]
        return np.sum(x**power), {"x": 2 * x, "text": "as it is", "numbers": [x[0], 1.0]}

    x = np.array([1.0, 2.0])
    found, aux = hessian(f, has_aux=True)({"x": x}, 3)
    np.testing.assert_array_equal(found["x"]["x"], np.diag(6 * x))
    np.testing.assert_array_equal(aux["x"], 2 * x)
    assert type(aux["x"]) is np.ndarray
    assert aux["text"] == "as it is"
    assert not any(hasattr(number, "tracer") for number in aux["numbers"])
    with pytest.raises(TypeError, match="must return a pair"):
        hessian(lambda x: x @ x, has_aux=True)(x)


def test_lists_of_lists_of_other_lengths_are_containers():
    """NumPy makes no array of them."""
    gradient = grad(lambda p: p[0][0] * p[1] + 3.0 * p[2][1])([[2.0], 5.0, [1.0, 4.0]])
    assert [np.asarray(part).tolist() for part in gradient] == [[5.0], 2.0, [0.0, 3.0]]
    found = grad(lambda p: np.sum(p * p))([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(found, [[2.0, 4.0], [6.0, 8.0]])
