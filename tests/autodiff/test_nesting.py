"""Derivatives of derivatives: perturbations do not mix, whatever is nested in what."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mcmodels.autodiff import (
    constant,
    grad,
    hessian,
    hessian_vector_product,
    jacobian,
    jvp,
    special,
    value_and_grad,
    vjp,
)
from tests.numerics import central_differences, relative_error


def by_grad(f):
    return grad(f)


def by_jvp(f):
    return lambda x: jvp(f, (x,), (np.ones(np.shape(constant(x))),))[1]


def by_vjp(f):
    return lambda x: vjp(f, x)[1](1.0)


def by_value_and_grad(f):
    return lambda x: value_and_grad(f)(x)[1]


def by_jacobian(f):
    return jacobian(f)


MODES = [by_grad, by_jvp, by_vjp, by_value_and_grad, by_jacobian]
pairs = pytest.mark.parametrize(("D", "E"), list(itertools.product(MODES, MODES)))


@pytest.mark.parametrize(
    ("D", "E", "expected"), [(*modes, 2.0) for modes in itertools.product(MODES, MODES)]
)
def test_perturbation_confusion(D, E, expected):
    """``d/dx (x · d/dy (x + y))`` is 1, and with x·y inside 2x: Siskind and Pearlmutter, §2."""
    assert D(lambda x: x * E(lambda y: x + y)(1.0))(1.0) == 1.0
    assert D(lambda x: x * E(lambda y: x * y)(2.0))(3.0) == 6.0
    assert D(lambda x: E(lambda y: x * y)(x) * expected)(3.0) == expected


@pairs
def test_an_inner_point_that_moves(D, E):
    """``d/dx f′(x²)`` with f = sin is ``-2x sin x²``."""
    x = 0.7
    actual = D(lambda x: E(np.sin)(x * x))(x)
    np.testing.assert_allclose(actual, -2 * x * np.sin(x * x), rtol=1e-15)


@pairs
def test_the_inner_function_ignores_the_inner_variable(D, E):
    assert D(lambda x: E(lambda y: x * 1.0)(2.0) + x)(3.0) == 1.0
    assert D(lambda x: x * E(lambda y: constant(x) * y)(2.0))(3.0) == 3.0


@pytest.mark.parametrize("modes", list(itertools.product(MODES[:3], repeat=3)))
def test_three_levels(modes):
    """``∂³/∂x∂y∂z`` of x³y²z + xyz², each variable at a level of its own, and reused inside."""
    D, E, F = modes

    def innermost(x, y):
        return F(lambda z: x**3 * y**2 * z + x * y * z**2)(1.5)

    actual = D(lambda x: x * E(lambda y: y * innermost(x, y))(2.0))(0.5)
    # d/dx x·d/dy y(x³y² + 3xy) = d/dx (3x⁴y² + 6x²y)
    np.testing.assert_allclose(actual, 12 * 0.5**3 * 4 + 12 * 0.5 * 2, rtol=1e-14)


def test_amazing_bug():
    """A function that returns a function keeps its perturbation: Manzyuk et al. (2019), §5."""

    def shift(h):
        return lambda f: lambda x: f(x + h)

    D = by_jvp
    # d/dh of f ↦ f(· + h) applied to a derivative: both perturb the same argument.
    actual = D(lambda h: D(lambda y: shift(h)(np.exp)(y))(1.0))(0.0)
    np.testing.assert_allclose(actual, np.exp(1.0), rtol=1e-15)
    actual = D(lambda h: shift(h)(lambda x: D(lambda k: shift(k)(np.sin)(x))(0.0))(0.3))(0.0)
    np.testing.assert_allclose(actual, -np.sin(0.3), rtol=1e-15)


@pytest.mark.parametrize("modes", list(itertools.product([by_grad, by_jvp], repeat=4)))
def test_fourth_derivative(modes):
    f = np.exp
    for D in modes:
        f = D(lambda x, f=f: np.sin(x) * 0 + f(2 * x) / 2)
    # Each pass makes f′(2x); after four of them f(x) = e^(16x), times 2⁰⁺¹⁺²⁺³ of the inner passes.
    np.testing.assert_allclose(f(0.1), 2**6 * np.exp(1.6), rtol=1e-13)


def test_jacobian_of_jacobian():
    A = np.random.default_rng(0).standard_normal((2, 3))

    def f(x):
        return np.tanh(A @ x)

    x = np.array([0.1, -0.4, 0.3])
    second = jacobian(jacobian(f))(x)
    y = f(x)
    expected = np.einsum("i,ij,ik->ijk", -2 * y * (1 - y * y), A, A)
    np.testing.assert_allclose(second, expected, rtol=1e-13)
    np.testing.assert_allclose(hessian(lambda x: f(x)[1])(x), expected[1], rtol=1e-13)


def test_hessian_of_a_function_that_takes_directional_derivatives():
    v = np.array([1.0, -2.0])

    def slope(x):
        return jvp(lambda z: np.sum(np.exp(z * x[::-1])), (x,), (v,))[1]

    x = np.array([0.3, 0.2])
    H = hessian(slope)(x)
    np.testing.assert_allclose(H, H.T, rtol=1e-14)
    assert relative_error(H, central_differences(grad(slope), x)) < 1e-10  # differences


def test_hessian_of_hessian():
    x = np.array([0.5, -1.0])
    fourth = hessian(lambda x: np.sum(hessian(lambda z: np.sum(z**4) + z[0] ** 2 * z[1] ** 2)(x)))(
        x
    )
    # The sum of the entries of the Hessian is 12x² + 12y² + 2x² + 2y² + 8xy.
    np.testing.assert_allclose(fourth, [[28.0, 8.0], [8.0, 28.0]], rtol=1e-14)


def test_a_newton_step_is_differentiated():
    """Derivative of x⁺ = x - H⁻¹g by x and by a parameter inside the loss."""
    A = np.array([[1.0, 2.0], [0.5, -1.0], [0.3, 0.8]])

    def loss(x, a):
        return np.sum(np.logaddexp(0.0, A @ x)) + a * np.sum(x**4)

    def step(x, a):
        return x - np.linalg.solve(hessian(loss)(x, a), grad(loss)(x, a))

    x, a = np.array([0.3, -0.2]), np.array(0.7)
    J, b = jacobian(step, (0, 1))(x, a)
    # Differences of a step with a condition of some tens: 1e-9.
    assert relative_error(J, central_differences(lambda x: step(x, a), x)) < 1e-8
    assert relative_error(b, central_differences(lambda a: step(x, a), a)) < 1e-8


def test_hypergradient():
    """d/dλ of a validation loss at the ridge solution, by the formula and through solve."""
    rng = np.random.default_rng(1)
    X, y, Z, t = (
        rng.standard_normal((8, 3)),
        rng.standard_normal(8),
        rng.standard_normal((5, 3)),
        1.0,
    )

    def solution(log_penalty):
        G = X.T @ X + np.exp(log_penalty) * np.eye(3)
        return np.linalg.solve(G, X.T @ y)

    def validation(log_penalty):
        return np.sum((Z @ solution(log_penalty) - t) ** 2)

    penalty = 0.3
    theta = solution(penalty)
    G = X.T @ X + np.exp(penalty) * np.eye(3)
    implicit = -np.linalg.solve(G, np.exp(penalty) * theta)
    expected = 2 * (Z @ theta - t) @ Z @ implicit
    np.testing.assert_allclose(grad(validation)(penalty), expected, rtol=1e-13)
    np.testing.assert_allclose(
        hessian(validation)(penalty),
        central_differences(grad(validation), np.array(penalty)),
        rtol=1e-9,  # differences
    )


def test_gradient_descent_is_unrolled():
    """Derivative of the end of ten steps by the step size, with a gradient inside each."""

    def end(rate):
        x = np.array([1.0, -0.5])
        for _ in range(10):
            x = x - rate * grad(lambda z: np.sum(np.log(np.cosh(z))) + 0.1 * z[0] * z[1])(x)
        return np.sum(x**2)

    rate = np.array(0.2)
    expected = central_differences(end, rate, step=3e-4)  # its fifth derivative is large
    for D in MODES:
        np.testing.assert_allclose(D(end)(rate), expected, rtol=1e-9)  # differences


def test_hessian_vector_product_inside_and_outside():
    def f(x):
        return np.sum(np.sin(x) * x[::-1] ** 2)

    x, v = np.array([0.3, -1.0, 0.5]), np.array([1.0, 0.5, -2.0])
    H = hessian(f)(x)
    np.testing.assert_allclose(hessian_vector_product(f)(x, v), H @ v, rtol=1e-13)
    # d/dv of vᵀH(x)v is 2Hv, and by x a third derivative.
    np.testing.assert_allclose(
        grad(lambda v: v @ hessian_vector_product(f)(x, v))(v), 2 * H @ v, rtol=1e-13
    )
    third = grad(lambda x: v @ hessian_vector_product(f)(x, v))(x)
    expected = central_differences(lambda x: v @ hessian(f)(x) @ v, x)
    assert relative_error(third, expected) < 1e-9  # differences


def test_a_pullback_is_differentiated():
    """``u ↦ Jᵀu`` is linear; x ↦ Jᵀu has the derivative of a second-order adjoint."""
    x, u = np.array([0.3, 0.4]), np.array([1.0, -2.0])

    def pulled(x, u):
        return vjp(lambda z: np.exp(z) * z[::-1], x)[1](u)

    by_x, by_u = jacobian(pulled, (0, 1))(x, u)
    assert relative_error(by_x, central_differences(lambda x: pulled(x, u), x)) < 1e-10
    assert relative_error(by_u, central_differences(lambda u: pulled(x, u), u)) < 1e-10
    # A pullback that is called after, and inside another derivative.
    _, pullback = vjp(np.exp, x)
    np.testing.assert_allclose(jacobian(pullback)(u), np.diag(np.exp(x)), rtol=1e-15)


def test_tangents_are_differentiated():
    x, v = np.array([0.3, 0.4]), np.array([1.0, -2.0])
    J = jacobian(lambda v: jvp(np.exp, (x,), (v,))[1])(v)
    np.testing.assert_allclose(J, np.diag(np.exp(x)), rtol=1e-15)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: special.logsumexp(x),
        lambda x: np.linalg.norm(x) ** 3,
        lambda x: np.prod(x),
        lambda x: np.linalg.slogdet(np.outer(x, x) + np.eye(3))[1],
        lambda x: np.max(x) * np.min(x),
        lambda x: np.std(x) / np.mean(x),
    ],
)
def test_second_derivatives_by_every_pair(f):
    x, v = np.array([0.4, 1.3, -0.6]), np.array([1.0, 0.5, -0.3])
    expected = hessian(f)(x) @ v

    def forward(x):
        return jvp(f, (x,), (v,))[1]

    def reverse(x):
        return grad(f)(x) @ v

    for g in (forward, reverse):
        # A few dozen roundings of numbers of size ten.
        np.testing.assert_allclose(grad(g)(x), expected, rtol=1e-13, atol=1e-14)
        columns = [jvp(g, (x,), (e,))[1] for e in np.eye(3)]
        np.testing.assert_allclose(columns, expected, rtol=1e-13, atol=1e-14)


# ---- values that outlive their derivative ----------------------------------------------------


@pairs
def test_a_value_that_was_kept_is_refused(D, E):
    kept = []

    def outer(x):
        E(lambda y: kept.append(y * x) or y * x)(1.0)
        return kept[-1] * x

    with pytest.raises(ValueError, match="has ended"):
        D(outer)(3.0)


@pytest.mark.parametrize("D", MODES)
def test_a_value_kept_from_a_finished_derivative_is_no_number(D):
    kept = []
    D(lambda x: kept.append(x) or x * x)(3.0)
    for later in (lambda y: y * kept[0], lambda y: kept[0], lambda y: y + kept[0]):
        with pytest.raises(ValueError, match="has ended"):
            D(later)(2.0)
    assert constant(kept[0]) == 3.0


def test_a_generator_may_be_in_the_way():
    def parts(x):
        for k in range(3):
            yield grad(lambda y: x * y**2)(float(k + 1))

    # Σ 2x(k + 1), differentiated while the generator is suspended.
    assert grad(lambda x: sum(parts(x)))(5.0) == 12.0
