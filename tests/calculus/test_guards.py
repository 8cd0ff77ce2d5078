"""What a step leaves out of a product: for numbers it is a choice, of the shape of the product."""

import numpy as np
import pytest

from mcmodels.calculus import exp, log, matrix, scalar, step, vector

c = scalar("c")
ARGUMENTS = {
    "scalar": (scalar("A"), 0.3),
    "vector": (vector("A", "n"), np.array([0.3, -0.2, 0.5])),
    "row": (matrix("A", 1, "n"), np.array([[0.3, -0.2, 0.5]])),
    "matrix": (matrix("A", "n", "n"), np.array([[0.3, -0.2], [-0.5, 0.7]])),
}
# A number that may be undefined beside a step of an array: each with what NumPy makes of it.
PRODUCTS = {
    "alone": (lambda A: log(c) * step(A), lambda A, c, s: np.log(c) * s(A)),
    "plain number": (lambda A: 2 ** step(A), lambda A, c, s: 2 ** s(A)),
    "in a sum": (lambda A: log(c) * step(A) + A, lambda A, c, s: np.log(c) * s(A) + A),
    "not": (lambda A: log(c) * (1 - step(A)) + A, lambda A, c, s: np.log(c) * (1 - s(A)) + A),
    "with the array": (lambda A: log(c) * step(A) * A, lambda A, c, s: np.log(c) * s(A) * A),
    "with a function": (
        lambda A: c**0.5 * step(A) * exp(A),
        lambda A, c, s: c**0.5 * s(A) * np.exp(A),
    ),
    "two steps": (
        lambda A: log(c) * step(A) * (1 - step(A - 0.4)),
        lambda A, c, s: np.log(c) * s(A) * (1 - s(A - 0.4)),
    ),
    "step of a number": (lambda A: log(c) * step(c) * A, lambda A, c, s: np.log(c) * s(c) * A),
}


@pytest.mark.parametrize("shape", ARGUMENTS)
@pytest.mark.parametrize("product", PRODUCTS)
def test_a_number_beside_a_step_of_an_array(product, shape):
    A, value = ARGUMENTS[shape]
    build, of_numpy = PRODUCTS[product]
    f = build(A)
    arguments = {s.name: {"A": value, "c": 0.7}[s.name] for s in f.used}
    expected = of_numpy(np.asarray(value), 0.7, lambda z: np.where(np.asarray(z) > 0, 1.0, 0.0))
    for found in (f.compile()(**arguments), f.evaluate(**arguments)):
        assert np.shape(found) == np.shape(expected)
        # Two roundings of a product, and those of log and exp.
        np.testing.assert_allclose(found, expected, rtol=1e-15)


@pytest.mark.parametrize("shape", ARGUMENTS)
def test_what_the_step_leaves_out_need_not_be_defined(shape):
    A, value = ARGUMENTS[shape]
    f = log(c) * step(A - 1) + A
    assert np.array_equal(f.compile()(A=value, c=0.0), value)
    assert np.array_equal(f.evaluate(A=value, c=0.0), value)
