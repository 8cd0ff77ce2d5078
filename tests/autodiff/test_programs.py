"""Random programs: chains of functions on small arrays, differentiated in every way."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mcmodels.autodiff import grad, hessian, jacobian, jvp, special, value_and_grad, vjp
from tests.autodiff.checkers import differences

# Steps keep entries between -3 and 3, and are smooth, so that chains of them stay so.
UNARY = [
    np.sin, np.cos, np.tanh, np.arctan, special.expit, special.erf, special.ndtr, np.negative,
    lambda x: x / 2, lambda x: np.exp(-x * x), lambda x: np.sqrt(1 + x * x),
    lambda x: np.log1p(x * x), lambda x: np.logaddexp(0.0, x) - 1, lambda x: np.hypot(x, 1.0),
    lambda x: 1 / (1 + x**2), lambda x: np.arcsinh(x), lambda x: special.log_expit(x) / 2,
    lambda x: special.gammaln(2.5 + np.sin(x)), lambda x: np.power(1.5 + np.cos(x), np.sin(x)),
]  # fmt: skip
BINARY = [
    lambda x, y: x + y / 2, lambda x, y: x - y, lambda x, y: np.sin(x) * y,
    lambda x, y: x / (1 + y * y), lambda x, y: np.arctan2(x, 2 + np.cos(y)),
    lambda x, y: np.logaddexp(x, y) - 1, lambda x, y: np.where(np.arange(3) > 0, x, y),
    lambda x, y: np.tanh(x @ y), lambda x, y: np.einsum("i,j->ij", x, y).sum(axis=0) / 3,
    lambda x, y: x * np.mean(y),
]  # fmt: skip
SHAPING = [
    lambda x: np.cumsum(x) / 3, lambda x: x[::-1], lambda x: x[[0, 2, 2]], lambda x: np.roll(x, 1),
    lambda x: x - np.mean(x), lambda x: x / np.linalg.norm(np.append(x, 1.0)),
    lambda x: special.softmax(x),
    lambda x: np.concatenate([x[1:], x[:1] ** 2]), lambda x: np.stack([x[0], x[1] * x[2], x[0]]),
    lambda x: np.diff(np.append(x, 0.5)), lambda x: np.tanh(np.outer(x, x)).sum(axis=1) / 2,
    lambda x: np.linalg.solve(np.outer(x, x) + 2 * np.eye(3), x),
    lambda x: np.diagonal(np.linalg.cholesky(np.outer(x, x) + 2 * np.eye(3))),
    lambda x: np.broadcast_to(special.logsumexp(x), (3,)) - 1,
    lambda x: np.linalg.slogdet(np.outer(x, x) + np.eye(3))[1] * x / 3,
    lambda x: np.repeat(np.var(x), 3), lambda x: np.prod(np.cos(x)) + x,
    lambda x: np.linalg.inv(np.diag(x**2) + np.eye(3))[1] + np.tril(np.outer(x, x))[2] / 5,
]  # fmt: skip

step = st.one_of(
    st.tuples(st.just(1), st.integers(0, len(UNARY) - 1), st.integers(0, 3), st.just(0)),
    st.tuples(st.just(2), st.integers(0, len(BINARY) - 1), st.integers(0, 3), st.integers(0, 3)),
    st.tuples(st.just(3), st.integers(0, len(SHAPING) - 1), st.integers(0, 3), st.just(0)),
)
programs = st.lists(step, min_size=1, max_size=6)
points = st.lists(st.floats(-1.5, 1.5, width=16), min_size=3, max_size=3).map(np.array)


def run(program):
    """The function that a program is: each step reads one or two of the latest four values."""

    def f(x):
        values = [x]
        for arity, which, i, j in program:
            a, b = values[-1 - i % len(values)], values[-1 - j % len(values)]
            if arity == 1:
                value = UNARY[which](a)
            elif arity == 2:
                value = BINARY[which](a, b)
            else:
                value = SHAPING[which](a)
            values.append(np.broadcast_to(value, (3,)))
        return values[-1]

    return f


@settings(max_examples=150, deadline=None)
@given(program=programs, x=points)
def test_every_way_agrees(program, x):
    f = run(program)
    u, v = np.array([0.3, -1.0, 0.7]), np.array([1.0, 0.4, -0.8])

    def phi(x):
        return f(x) @ u

    value, tangent = jvp(f, (x,), (v,))
    again, pullback = vjp(f, x)
    # Means and products are taken in another order than NumPy's: some roundings of 3 at most.
    np.testing.assert_allclose(value, f(x), rtol=0, atol=1e-13)
    np.testing.assert_array_equal(again, value)
    gradient = grad(phi)(x)
    # Six steps of entries up to 3, each with derivatives up to some tens: 1e-16 times thousands.
    scale = 1 + np.max(np.abs(tangent)) + np.max(np.abs(gradient))
    assert abs(u @ tangent - pullback(u) @ v) < 1e-13 * scale
    np.testing.assert_allclose(pullback(u), gradient, rtol=0, atol=1e-13 * scale)
    J = jacobian(f)(x)
    np.testing.assert_allclose(J @ v, tangent, rtol=0, atol=1e-13 * scale)
    np.testing.assert_allclose(u @ J, gradient, rtol=0, atol=1e-13 * scale)
    H = hessian(phi)(x)
    curvature = scale + np.max(np.abs(H))
    np.testing.assert_allclose(H, H.T, rtol=0, atol=1e-12 * curvature)
    np.testing.assert_allclose(jacobian(grad(phi))(x), H, rtol=0, atol=1e-12 * curvature)
    bumpiness = np.max(np.abs(grad(lambda x: jvp(phi, (x,), (v,))[1])(x))) + curvature
    # Differences: fifth derivatives of chains may be a million times the first.
    np.testing.assert_allclose(differences(f, (x,), (v,)), tangent, rtol=0, atol=1e-6 * bumpiness)
    of_gradient = differences(lambda x: grad(phi)(x), (x,), (v,))
    np.testing.assert_allclose(of_gradient, H @ v, rtol=0, atol=1e-5 * bumpiness)


shapes = st.sampled_from([(), (1,), (3,), (2, 1), (1, 3), (2, 3), (4, 2, 3), (0, 3), (1, 1, 1)])


@settings(max_examples=100, deadline=None)
@given(left=shapes, right=shapes, wide=st.booleans(), operation=st.integers(0, 5))
def test_broadcasting(left, right, wide, operation):
    """Gradients have the shape and the type of what they belong to, however it was stretched."""
    rng = np.random.default_rng(0)
    a = rng.uniform(0.5, 2.0, left).astype(np.float64 if wide else np.float32)
    b = rng.uniform(0.5, 2.0, right)
    f = (np.add, np.subtract, np.multiply, np.divide, np.power, np.hypot)[operation]
    try:
        y = f(a, b)
    except ValueError:
        return  # these do not broadcast
    value, (by_a, by_b) = value_and_grad(lambda a, b: np.sum(f(a, b) ** 2), (0, 1))(a, b)
    assert (by_a.shape, by_a.dtype) == (a.shape, a.dtype)
    assert (by_b.shape, by_b.dtype) == (b.shape, b.dtype)
    assert value == np.sum(y**2)
    # The slope along (1, 1), by differences in double precision.
    a = a.astype(float)
    expected = differences(
        lambda a, b: np.sum(f(a, b) ** 2), (a, b), (np.ones(left), np.ones(right))
    )
    # Single precision where a has it: 6e-8, times some tens of entries.
    bound = (1e-9 if wide else 1e-5) * (1 + np.sum(np.abs(by_a)) + np.sum(np.abs(by_b)))
    assert abs(np.sum(by_a) + np.sum(by_b) - expected) < bound
