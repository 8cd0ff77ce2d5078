"""Roots and minima: closed forms, differences of SciPy's solutions, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize as so

from mcmodels.autodiff import NoRuleError, grad, hessian, jacobian, jvp
from mcmodels.autodiff import optimize as ours

P = np.array([1.3, 0.7])


def system(x, p):
    return np.stack([x[0] ** 3 + p[0] * x[1] - 2.0, x[1] - p[1] * np.exp(-x[0])])


SOLVERS = {
    "root": lambda p: ours.root(system, np.ones(2), args=(p,)).x,
    "root lm": lambda p: ours.root(lambda x: system(x, p), [1.0, 1.0], method="lm").x,
    "fsolve": lambda p: ours.fsolve(lambda x: system(x, p), np.ones(2)),
    "lists": lambda p: (
        ours.root(
            lambda x: [x[0] ** 3 + p[0] * x[1] - 2.0, x[1] - p[1] * np.exp(-x[0])], [1.0, 1.0]
        ).x
    ),
}


@pytest.mark.parametrize("name", SOLVERS)
def test_systems(name):
    """Against the implicit function theorem, by hand; second derivatives against differences."""
    f = SOLVERS[name]
    x = so.root(lambda x: system(x, P), np.ones(2), tol=1e-14).x
    by_x = np.array([[3 * x[0] ** 2, P[0]], [P[1] * np.exp(-x[0]), 1.0]])
    by_p = np.array([[x[1], 0.0], [0.0, -np.exp(-x[0])]])
    expected = -np.linalg.solve(by_x, by_p)
    np.testing.assert_allclose(jacobian(f)(P), expected, rtol=1e-12)
    for k in range(2):
        np.testing.assert_allclose(jvp(f, (P,), (np.eye(2)[k],))[1], expected[:, k], rtol=1e-12)
    g = lambda p: np.sum(f(p) ** 2)  # noqa: E731
    steps = 1e-5 * np.eye(2)
    slopes = [(grad(g)(P + s) - grad(g)(P - s)) / 2e-5 for s in steps]
    np.testing.assert_allclose(hessian(g)(P), slopes, rtol=1e-7)  # differences: 1e-10 and rounding


@pytest.mark.parametrize("name", ["brentq", "brenth", "bisect", "ridder"])
def test_numbers(name):
    """``x³ = a``: derivatives of a cube root, to the third order."""
    f = lambda a: getattr(ours, name)(lambda x, a: x**3 - a, 0.0, 5.0, args=(a,))  # noqa: E731
    a = 2.0
    assert abs(grad(f)(a) - a ** (-2 / 3) / 3) < 1e-14
    assert abs(grad(grad(f))(a) + 2 * a ** (-5 / 3) / 9) < 1e-13
    assert abs(grad(grad(grad(f)))(a) - 10 * a ** (-8 / 3) / 27) < 1e-12
    assert f(a) == getattr(so, name)(lambda x: x**3 - a, 0.0, 5.0)


def test_fixed_points():
    """``x = cos(kx)``: dx/dk = -x sin(kx)/(1 + k sin(kx))."""
    f = lambda k: ours.fixed_point(lambda x: np.cos(k * x), np.array([0.5, 0.9]))  # noqa: E731
    x = f(0.8)
    expected = -x * np.sin(0.8 * x) / (1 + 0.8 * np.sin(0.8 * x))
    np.testing.assert_allclose(jvp(f, (0.8,), (1.0,))[1], expected, rtol=1e-7)  # SciPy's x: 1e-8


@pytest.mark.parametrize("method", [None, "BFGS", "Nelder-Mead", "Newton-CG", "trust-exact"])
def test_minima(method):
    """Ridge regression, whose solution is known; as hyper-parameters are tuned."""
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((8, 2)), rng.standard_normal(8)
    options = {"hess": lambda w: np.eye(2)} if method == "trust-exact" else {}

    def fitted(penalty):
        loss = lambda w: np.sum((X @ w - y) ** 2) + penalty * w @ w  # noqa: E731
        return ours.minimize(loss, np.zeros(2), method=method, **options).x

    exact = lambda penalty: np.linalg.solve(X.T @ X + penalty * np.eye(2), X.T @ y)  # noqa: E731
    np.testing.assert_allclose(jacobian(fitted)(0.6), jacobian(exact)(0.6), rtol=1e-10)
    g, h = (lambda f: lambda s: np.sum(f(s) ** 3))(fitted), lambda s: np.sum(exact(s) ** 3)
    np.testing.assert_allclose(hessian(g)(0.6), hessian(h)(0.6), rtol=1e-9)


def test_the_value_at_the_minimum():
    """Its derivative is that of the function at fixed x (envelope theorem)."""

    def f(a):
        pair = lambda x: (np.sum((x - a) ** 4 + a * x**2), None)  # noqa: E731
        return ours.minimize(pair, [0.3], jac=True).fun

    x = so.minimize_scalar(lambda x: (x - 1.5) ** 4 + 1.5 * x**2, tol=1e-12).x
    assert abs(grad(f)(1.5) - (-4 * (x - 1.5) ** 3 + x**2)) < 1e-6  # SciPy's x: 1e-8


@pytest.mark.parametrize("size", [1e-12, 1e-6, 1.0, 1e6])
def test_solutions_of_any_size(size):
    """``x = size·√a`` and ``size·eᵃ``, and the a that a sum of squares is nearest to."""
    root = lambda a: ours.root(lambda x: x**2 - a * size**2, [1.1 * size]).x[0]  # noqa: E731
    assert grad(root)(1.3) == pytest.approx(size * 0.5 * 1.3**-0.5, rel=1e-12)

    def number(a):
        return ours.brentq(lambda x: np.log(x / size) - a, 0.1 * size, 10 * size)

    assert grad(number)(0.3) == pytest.approx(size * np.exp(0.3), rel=1e-12)

    def least(a):
        found = ours.minimize(
            lambda x: np.sum((x / size - a) ** 2 + (x / size) ** 4), [0.3 * size], method="Powell"
        )
        return found.x[0] / size

    z = so.brentq(lambda z: 2 * (z - 0.4) + 4 * z**3, 0.0, 1.0, xtol=1e-15)
    assert grad(least)(0.4) == pytest.approx(1 / (1 + 6 * z**2), rel=1e-12)


@pytest.mark.parametrize("method", ["hybr", "lm", "krylov"])
def test_a_start_without_axes(method):
    """The solution has the shape that SciPy gives it."""
    f = lambda a: ours.root(lambda x: x**3 - a, 1.0, method=method).x  # noqa: E731
    found = jacobian(f)(0.7)
    assert found.shape == so.root(lambda x: x**3 - 0.7, 1.0, method=method).x.shape
    np.testing.assert_allclose(found, 0.7 ** (-2 / 3) / 3, rtol=1e-12)


def test_a_function_that_returns_its_jacobian_too():
    pair = lambda x, a: (x**2 - a, np.diag(2 * x))  # noqa: E731
    f = lambda a: ours.root(pair, np.ones(2), args=(a,), jac=True).x  # noqa: E731
    a = np.array([1.2, 2.0])
    np.testing.assert_allclose(jacobian(f)(a), np.diag(0.5 * a**-0.5), rtol=1e-12)


@pytest.mark.parametrize(
    "residual",
    [
        lambda x, a: np.cos(a * x) - 1.0,
        lambda x, a: a * x**3,
        lambda x, a: x**2 - 2 * a * x + a**2,
        lambda x, a: np.exp(-a * x),
        lambda x, a: np.abs(x) + a,
    ],
)
def test_double_roots_and_none(residual):
    with pytest.raises(NoRuleError, match="no derivative here"):
        grad(lambda a: ours.root(residual, [0.5], args=(a,)).x[0])(1.0)


def test_a_jump_is_no_root():
    jump = lambda x, a: np.where(x > a, 1.0 + x, 0.1 * x - 1.0)  # noqa: E731
    with pytest.raises(NoRuleError, match="no derivative here"):
        grad(lambda a: ours.brentq(jump, 0.0, 3.0, args=(a,)))(1.3)


def test_plain_calls_are_those_of_scipy():
    def loss(z):
        assert ours.brentq(np.cos, 1.0, 2.0) == so.brentq(np.cos, 1.0, 2.0)
        assert len(ours.brentq(np.cos, 1.0, 2.0, full_output=True)) == 2
        assert ours.fsolve(np.cos, 1.0) == so.fsolve(np.cos, 1.0)
        bounded = ours.minimize(lambda x: np.sum(x**2), [1.0], bounds=[(0.5, 2.0)])
        np.testing.assert_allclose(bounded.x, 0.5)
        return z * ours.root(np.cos, [1.0]).x[0]

    assert grad(loss)(2.0) == so.root(np.cos, [1.0]).x[0]


def test_refusals():
    with pytest.raises(NoRuleError, match="singular"):
        grad(lambda a: ours.root(lambda x: (x - a) ** 2, np.array([0.5])).x[0])(1.0)
    with pytest.raises(NoRuleError, match="singular"):
        grad(lambda a: ours.root(lambda x: x * x + a, np.array([0.5])).x[0])(1.0)
    with pytest.raises(NoRuleError, match="no derivative here"):
        grad(lambda a: ours.minimize(lambda x: a * np.sum(x) ** 4, np.ones(2)).x[0])(1.0)
    with pytest.raises(NoRuleError, match="bounds="):
        grad(lambda a: ours.minimize(lambda x: a * x[0], [1.0], bounds=[(0.5, 2.0)]).x[0])(1.0)
    with pytest.raises(NoRuleError, match="full_output="):
        grad(lambda a: ours.brentq(lambda x: x - a, 0.0, 3.0, full_output=True)[0])(1.0)
    with pytest.raises(NoRuleError, match=r"mcmodels\.autodiff\.optimize\.brentq"):
        grad(lambda a: so.brentq(lambda x: x - a, 0.0, 3.0))(1.0)
