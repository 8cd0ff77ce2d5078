"""Rules of the user, their check, and checkpoints."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from scipy.special import erf as exact_erf

from mcmodels import check_rule
from mcmodels.autodiff import (
    NoRuleError,
    checkpoint,
    grad,
    hessian,
    hessian_vector_product,
    jacobian,
    jvp,
    rule,
    vjp,
)

X = np.array([[0.3, -1.2], [1.1, 0.4]])


def derivative(x):
    return 2 / np.sqrt(np.pi) * np.exp(-(x**2))


def plain_erf(x):
    return np.reshape([math.erf(number) for number in np.ravel(x)], np.shape(x))


RULES = {
    "vjp": rule(vjp=lambda g, y, x: g * derivative(x)),
    "jvp": rule(jvp=lambda t, y, x: t[0] * derivative(x)),
    "both": rule(
        vjp=lambda g, y, x: (g * derivative(x),), jvp=lambda t, y, x: t[0] * derivative(x)
    ),
}


@pytest.fixture(params=RULES)
def erf(request):
    return RULES[request.param](plain_erf)


def test_both_modes_and_orders(erf):
    np.testing.assert_array_equal(erf(X), plain_erf(X))
    v = np.array([[1.0, 2.0], [-1.0, 0.5]])
    # Closed forms, a few operations: some units in the last place.
    np.testing.assert_allclose(grad(lambda x: np.sum(erf(x)))(X), derivative(X), rtol=1e-14)
    np.testing.assert_allclose(jvp(erf, (X,), (v,))[1], v * derivative(X), rtol=1e-14)
    np.testing.assert_allclose(vjp(erf, X)[1](v), v * derivative(X), rtol=1e-14)
    second = -2 * X * derivative(X)
    H = hessian(lambda x: np.sum(erf(x)))(X)
    np.testing.assert_allclose(H.reshape(4, 4), np.diag(second.ravel()), atol=1e-14)
    product = hessian_vector_product(lambda x: np.sum(erf(x) ** 2))(X, v)
    expected = (2 * derivative(X) ** 2 + 2 * exact_erf(X) * second) * v
    np.testing.assert_allclose(product, expected, rtol=1e-13)
    assert check_rule(erf, X)


@pytest.mark.parametrize("given", ["vjp", "jvp"])
def test_several_arguments(given):
    def back(g, y, A, x):
        return np.outer(g, x), A.T @ g

    def forth(t, y, A, x):
        return t[0] @ x + A @ t[1]

    product = rule(**{given: back if given == "vjp" else forth})(lambda A, x: np.dot(A, x))
    x = np.array([2.0, -1.0])
    np.testing.assert_array_equal(
        jacobian(product, (0, 1))(X, x)[1], jacobian(np.matmul, (0, 1))(X, x)[1]
    )
    np.testing.assert_array_equal(jacobian(product, 0)(X, x), jacobian(np.matmul, 0)(X, x))
    assert check_rule(product, X, x)


def test_an_argument_without_a_derivative_is_refused():
    power = rule(vjp=lambda g, y, x, n: (g * n * x ** (n - 1), None))(lambda x, n: x**n)
    assert grad(power)(3.0, 2.0) == 6.0
    with pytest.raises(NoRuleError, match="by its argument 2"):
        grad(power, 1)(3.0, 2.0)
    check = check_rule(power, 3.0, 2.0)
    assert check
    assert check.not_given == (1,)
    assert "argument 1: no derivative" in repr(check)


def test_what_cannot_be_followed_is_refused():
    scaled = rule(vjp=lambda g, y, x: g)(lambda x, scale=1.0: np.asarray(x) * scale)
    with pytest.raises(NoRuleError, match="keyword argument 'scale'"):
        grad(lambda s: scaled(2.0, scale=s))(3.0)

    def outer(t):
        @rule(vjp=lambda g, y, x: g)
        def hidden(x):
            return np.asarray(x) * 1.0 if t is None else x * t

        return hidden(2.0)

    with pytest.raises(NoRuleError, match="none of its arguments"):
        grad(lambda t: outer(t) + rule(vjp=lambda g, y, x: g)(lambda x: x * t)(t))(3.0)


@pytest.mark.parametrize(
    ("maps", "says"),
    [
        ({"vjp": lambda g, y, x: g[0]}, r"returned shape \(2,\); argument 1 has shape \(2, 2\)"),
        ({"vjp": lambda g, y, x: (g, g)}, "returned 2 parts"),
        ({"jvp": lambda t, y, x: t[0][0]}, r"returned shape \(2,\); the result has"),
    ],
)
def test_results_of_other_shapes_are_refused(maps, says):
    f = rule(**maps)(lambda x: np.sin(np.asarray(x)))
    with pytest.raises(ValueError, match=says):
        grad(lambda x: np.sum(f(x)))(X)


def test_a_rule_needs_a_derivative():
    with pytest.raises(TypeError, match="vjp=…, jvp=…, or both"):
        rule()


@pytest.mark.parametrize(
    "wrong",
    [
        rule(vjp=lambda g, y, x: g * derivative(x) * 1.0001),
        rule(vjp=lambda g, y, x: -g * derivative(x)),
        rule(jvp=lambda t, y, x: t[0] * derivative(x) + 1e-4),
        rule(vjp=lambda g, y, x: g * derivative(x), jvp=lambda t, y, x: 2 * t[0] * derivative(x)),
        rule(vjp=lambda g, y, x: g.T * derivative(x)),
        rule(vjp=lambda g, y, x: g * derivative(x) * (x > 0)),
    ],
)
def test_the_check_sees_planted_errors(wrong):
    check = check_rule(wrong(plain_erf), X)
    assert not check
    assert repr(check).startswith("rule wrong")


def test_the_check_needs_something_to_vary():
    with pytest.raises(ValueError, match="floating-point"):
        check_rule(np.abs, 3)


# ---- checkpoints -------------------------------------------------------------------------------


def step(state, w, t, scale=1.0):
    h, c = state
    c = np.tanh(w["a"] @ h + t * c)
    return h + scale * c * w["b"], c


def run(step):
    def last(w, h):
        state = h, np.zeros(3)
        for t in range(4):
            state = step(state, w, t, scale=0.5)
        return np.sum(state[0] ** 2)

    return last


rng = np.random.default_rng(4)
WEIGHTS = {"a": rng.standard_normal((3, 3)), "b": rng.standard_normal(3)}
START = rng.standard_normal(3)


def test_checkpoints_change_no_derivative():
    plain, saved = run(step), run(checkpoint(step))
    assert saved(WEIGHTS, START) == plain(WEIGHTS, START)
    for argnums in (0, 1):
        one, two = grad(plain, argnums)(WEIGHTS, START), grad(saved, argnums)(WEIGHTS, START)
        for a, b in zip(_parts(one), _parts(two), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13)  # the sums are in another order
    np.testing.assert_allclose(
        hessian(saved, 1)(WEIGHTS, START), hessian(plain, 1)(WEIGHTS, START), rtol=1e-11
    )
    v = np.array([1.0, -1.0, 0.5])
    np.testing.assert_allclose(
        jvp(lambda h: saved(WEIGHTS, h), (START,), (v,))[1],
        grad(plain, 1)(WEIGHTS, START) @ v,
        rtol=1e-13,
    )


def _parts(x):
    return list(x.values()) if isinstance(x, dict) else [x]


def test_checkpoints_keep_less():
    """Of 50 steps with ten arrays of 80 kB each, the tape holds the states alone."""

    def many(h):
        for _ in range(10):
            h = np.sin(h) + 0.1 * h
        return h

    def peak(step):
        def last(h):
            for _ in range(50):
                h = step(h)
            return np.sum(h)

        tracemalloc.start()
        grad(last)(np.linspace(0.0, 1.0, 10_000))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    # 50 states and one step of 30 arrays, in place of 1,500 arrays.
    assert peak(checkpoint(many)) < peak(many) / 8


def test_checkpoints_refuse_what_they_cannot_see():
    def f(t):
        return checkpoint(lambda x: x * t)(t)

    with pytest.raises(NoRuleError, match="none of its arguments"):
        grad(f)(2.0)
