"""Solutions of differential equations: closed forms, SciPy's values, and what is refused."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.integrate as si

import mcmodels.autodiff.numpy as anp
from mcmodels.autodiff import (
    NoRuleError,
    constant,
    grad,
    hessian,
    integrate,
    jacobian,
    jvp,
    linalg,
    vjp,
)
from mcmodels.autodiff.integrate import odeint, solve_ivp
from mcmodels.autodiff.tracing import Traced

A = np.array([[-0.4, 1.1], [-0.9, -0.2]])
START = np.array([1.0, -0.5])
METHODS = ["RK45", "RK23", "DOP853", "Radau", "BDF", "LSODA"]
TIGHT = {"rtol": 1e-10, "atol": 1e-11}
# The others take many steps for that.
TOLERANCES = {
    "RK45": 1e-9, "DOP853": 1e-11, "RK23": 1e-6, "Radau": 1e-7, "BDF": 1e-7, "LSODA": 1e-7,
}  # fmt: skip
TIMES = np.array([0.0, 0.3, 0.9, 1.5])


def by_solver(method, **options):
    def solution(M, y0, end):
        rtol = TOLERANCES[method]
        found = solve_ivp(
            lambda t, y: M @ y, (0.0, end), y0, method, rtol=rtol, atol=0.1 * rtol, **options
        )
        return found.y[:, -1]

    return solution


def in_closed_form(M, y0, end):
    return linalg.expm(end * M) @ y0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("argnum", [0, 1, 2])
def test_a_linear_equation(method, argnum):
    """By the matrix, the start, and the end of the interval: first and second derivatives."""
    point = (A, START, np.array(1.2))

    def loss(f):
        return lambda *args: np.sum(f(*args) ** 2 * np.array([1.0, 2.0]))

    found = jacobian(by_solver(method), argnum)(*point)
    error = 100 * TOLERANCES[method]  # it grows over the steps
    np.testing.assert_allclose(found, jacobian(in_closed_form, argnum)(*point), atol=error)
    found = hessian(loss(by_solver(method)), argnum)(*point)
    expected = hessian(loss(in_closed_form), argnum)(*point)
    # RK23 is of order 3: a second derivative by the time is of order 1 in the last step.
    bound = 1e-2 if (method, argnum) == ("RK23", 2) else 10 * error
    np.testing.assert_allclose(found, expected, atol=bound)


@pytest.mark.parametrize("method", METHODS)
def test_both_modes(method):
    f = by_solver(method)
    args, tangents = (A, START, np.array(1.2)), (np.ones((2, 2)), np.ones(2), np.array(0.5))
    pushed = jvp(f, args, tangents)[1]
    u = np.array([0.3, -1.0])
    pulled = vjp(f, *args)[1](u)
    total = sum(np.sum(g * t) for g, t in zip(pulled, tangents, strict=True))
    assert abs(total - u @ pushed) < 1e-12  # one is the transpose of the other: rounding


@pytest.mark.parametrize("method", ["RK45", "Radau", "DOP853"])
def test_third_derivatives(method):
    """d³ exp(-kt)/dk³ = -t³ exp(-kt)."""
    f = lambda k: solve_ivp(lambda t, y: -k * y, (0, 1.5), [1.0], method, rtol=1e-8).y[0, -1]  # noqa: E731
    found = grad(grad(grad(f)))(0.7)
    assert abs(found + 1.5**3 * np.exp(-0.7 * 1.5)) < 1e-4  # ten times its growth over the steps


def pendulum(t, y, k):
    return [y[1], -k * anp.sin(y[0]) + 0.1 * t]


@pytest.mark.parametrize("method", ["RK45", "RK23", "DOP853"])
@pytest.mark.parametrize("times", [None, TIMES, TIMES[1:-1]])
@pytest.mark.parametrize("span", [(0.0, 1.5), (1.5, 0.0)])
def test_values_are_those_of_scipy(method, times, span):
    """The explicit methods take the same steps, and interpolate in the same way."""
    if times is not None and span[0] > span[1]:
        times = times[::-1]
    expected = si.solve_ivp(pendulum, span, [1.0, 0.2], method, times, args=(2.0,))

    def solution(k):
        found = solve_ivp(pendulum, span, [1.0, 0.2], method, times, args=(k,))
        np.testing.assert_array_equal(found.t, expected.t)
        return found.y

    actual = jvp(solution, (2.0,), (1.0,))[0]
    np.testing.assert_allclose(actual, expected.y, rtol=1e-13, atol=1e-14)  # of other sums
    plain = solve_ivp(pendulum, span, [1.0, 0.2], method, times, args=(2.0,))
    np.testing.assert_array_equal(plain.y, expected.y)


@pytest.mark.parametrize("method", ["Radau", "BDF", "LSODA"])
def test_values_of_implicit_methods(method):
    expected = si.solve_ivp(pendulum, (0, 1.5), [1.0, 0.2], "DOP853", TIMES, args=(2.0,), **TIGHT)

    def solution(k):
        return solve_ivp(
            pendulum, (0, 1.5), [1.0, 0.2], method, TIMES, args=(k,), rtol=1e-8, atol=1e-9
        ).y

    value, tangent = jvp(solution, (2.0,), (1.0,))
    np.testing.assert_allclose(value, expected.y, atol=1e-6)
    np.testing.assert_allclose(tangent, (solution(2.001) - solution(1.999)) / 0.002, atol=1e-5)


def test_odeint_against_closed_forms():
    """By all arguments; times ascending and descending; the derivative by a time is the slope."""

    def solution(M, y0, t):
        return odeint(lambda y, t, M: M @ y, y0, t, args=(M,))

    for times in (TIMES, TIMES[::-1].copy()):
        first = times[0]
        expected = np.stack([in_closed_form(A, START, t - first) for t in times])
        value, pullback = vjp(solution, A, START, times)
        np.testing.assert_allclose(value, expected, atol=1e-7)  # its rtol is 1.5e-8
        u = np.random.default_rng(0).standard_normal(value.shape)

        def closed(M, y0, t, u=u):
            rows = [in_closed_form(M, y0, t[k] - t[0]) for k in range(4)]
            return np.sum(u * np.stack(rows))

        wanted = grad(closed, (0, 1, 2))(A, START, times)
        for g, e in zip(pullback(u), wanted, strict=True):
            np.testing.assert_allclose(g, e, atol=1e-6)


def test_what_the_right_hand_side_may_be():
    """Lists, filled arrays, arrays of objects, dicts in args, states as columns, a closure."""
    k = np.array([0.5, 0.8])

    def end(fun, **options):
        return lambda k: solve_ivp(fun(k), (0, 1), START, **TIGHT, **options).y[:, -1]

    def filled(k):
        def f(t, y):
            d = anp.zeros(2)
            d[0], d[1] = -k[0] * y[1], k[1] * y[0]
            return d

        return f

    expected = jacobian(end(lambda k: lambda t, y: np.stack([-k[0] * y[1], k[1] * y[0]])))(k)
    forms = [
        end(lambda k: lambda t, y: [-k[0] * y[1], k[1] * y[0]]),
        end(lambda k: lambda t, y: np.array([-k[0] * y[1], k[1] * y[0]])),
        end(filled),
        end(lambda k: lambda t, y: np.stack([-k[0] * y[1], k[1] * y[0]]), vectorized=True),
        lambda k: solve_ivp(
            lambda t, y, p, s: np.stack([-p["k"][0] * y[1], p["k"][1] * y[0]]) * s,
            (0, 1), START, args=({"k": k}, 1.0), **TIGHT,
        ).y[:, -1],
        lambda k: odeint(
            lambda t, y: [-k[0] * y[1], k[1] * y[0]], START, [0, 1], tfirst=True, rtol=1e-10,
            atol=1e-11,
        )[-1],
    ]  # fmt: skip
    for form in forms:
        np.testing.assert_allclose(jacobian(form)(k), expected, atol=1e-9)


def test_a_parameter_that_is_read_late_is_not_lost():
    f = lambda k: solve_ivp(  # noqa: E731
        lambda t, y: -y * (k if t > 0.5 else 1.0), (0, 1), [1.0], max_step=0.05, **TIGHT
    ).y[0, -1]
    expected = -0.5 * np.exp(-0.5 - 0.5 * 0.3)
    assert abs(grad(f)(0.3) - expected) < 1e-3  # steps of 0.05 meet the jump inside


def test_dense_output():
    def value(k, t):
        return solve_ivp(pendulum, (0, 1.5), [1.0, 0.2], args=(k,), dense_output=True, **TIGHT).sol(
            t
        )

    def slope(k, t):
        return jvp(lambda t: value(k, t), (t,), (np.ones_like(t),))[1]

    times = np.array([0.2, 0.7, 1.3])
    y = value(2.0, times)
    expected = np.stack([y[1], -2.0 * np.sin(y[0]) + 0.1 * times])
    np.testing.assert_allclose(slope(2.0, times), expected, atol=1e-6)  # order 4 in a step
    found = jvp(lambda k: value(k, 0.7), (2.0,), (1.0,))[1]
    np.testing.assert_allclose(found, (value(2.001, 0.7) - value(1.999, 0.7)) / 0.002, atol=1e-6)


def robertson(t, y, k):
    a, b, c = k
    flow = [a * y[0], b * y[1] ** 2, c * y[1] * y[2]]
    return [-flow[0] + flow[2], flow[0] - flow[2] - flow[1], flow[1]]


@pytest.mark.slow
def test_a_stiff_equation():
    """Robertson's reaction: by its logarithms, so that all columns are of size 1."""

    def end(logs):
        found = solve_ivp(
            robertson, (0, 40.0), [1.0, 0.0, 0.0], "Radau", args=(np.exp(logs),), rtol=1e-7,
            atol=1e-11,
        )  # fmt: skip
        return found.y[:, -1]

    logs = np.log([0.04, 3e7, 1e4])
    found = jacobian(end)(logs)
    step = 1e-3
    columns = [(end(logs + step * v) - end(logs - step * v)) / (2 * step) for v in np.eye(3)]
    np.testing.assert_allclose(found, np.transpose(columns), atol=1e-6, rtol=1e-4)
    stiff = lambda k: odeint(lambda y, t: -k * (y - np.cos(t)), 0.0, [0.0, 2.0])[-1, 0]  # noqa: E731
    k = 1e4  # y = (k² cos t + k sin t)/(1 + k²) up to a part that has decayed
    exact = lambda k: (k**2 * np.cos(2.0) + k * np.sin(2.0)) / (1 + k**2)  # noqa: E731
    assert abs(grad(stiff)(k) - grad(exact)(k)) < 1e-5 * abs(grad(exact)(k)) + 1e-12


def test_a_jacobian_that_reads_what_is_differentiated():
    def end(k, **options):
        found = solve_ivp(lambda t, y: -k * (y - np.cos(t)), (0, 1), [0.0], "BDF", **options)
        return found.y[0, -1]

    found = grad(lambda k: end(k, jac=lambda t, y: np.array([[-k]]), rtol=1e-7))(3.0)
    assert abs(found - grad(lambda k: end(k, jac=[[-k]], rtol=1e-7))(3.0)) < 1e-6
    assert abs(found - grad(lambda k: end(k, rtol=1e-7))(3.0)) < 1e-6


def test_an_interval_of_length_zero():
    f = lambda y: solve_ivp(lambda t, y: -y, (1.0, 1.0), y).y[:, -1]  # noqa: E731
    np.testing.assert_array_equal(jacobian(f)(START), np.eye(2))
    g = lambda y: odeint(lambda y, t: -y, y, [1.0, 1.0])[1]  # noqa: E731
    np.testing.assert_array_equal(jacobian(g)(START), np.eye(2))


def test_odeint_refuses_times_in_no_order():
    with pytest.raises(ValueError, match="ascend"):
        grad(lambda k: odeint(lambda y, t: -k * y, 1.0, [0.0, 2.0, 1.0])[-1, 0])(1.0)


def test_without_a_value_that_is_differentiated():
    """A solution of constants inside of a function that is differentiated is SciPy's."""

    def loss(x):
        found = solve_ivp(pendulum, (0, 1), [1.0, 0.2], "LSODA", args=(2.0,))
        assert not isinstance(found.y, Traced)
        t = odeint(pendulum, [1.0, 0.2], [0, 1], args=(2.0,), tfirst=True, full_output=1)
        assert len(t) == 2
        return x * found.y[0, -1]

    expected = si.solve_ivp(pendulum, (0, 1), [1.0, 0.2], "LSODA", args=(2.0,)).y[0, -1]
    assert grad(loss)(3.0) == expected


@pytest.mark.parametrize("depth", [1, 2])
def test_refusals(depth, monkeypatch):
    def of(f):
        return (grad if depth == 1 else lambda f: grad(grad(f)))(f)

    event = lambda t, y: y[0] - 0.5  # noqa: E731
    with pytest.raises(NoRuleError, match="events="):
        of(lambda k: solve_ivp(lambda t, y: -k * y, (0, 1), [1.0], events=event).y[0, -1])(1.0)
    with pytest.raises(NoRuleError, match="full_output="):
        of(lambda k: odeint(lambda y, t: -k * y, 1.0, [0, 1], full_output=1)[0][0, 0])(1.0)
    turned = lambda k: solve_ivp(lambda t, y: 1j * k * y, (0, 1), [1 + 0j], "BDF").y  # noqa: E731
    with pytest.raises(NoRuleError, match="'BDF' has a rule for real"):
        of(lambda k: np.real(turned(k)[0, -1]))(1.0)
    monkeypatch.setattr(integrate, "_MOST_CALLS", 3000)
    with pytest.raises(NoRuleError, match="Radau"):
        of(lambda k: solve_ivp(lambda t, y: -k * (y - np.cos(t)), (0, 90), [1.0]).y[0, -1])(1e5)
    with pytest.raises(NoRuleError, match=r"mcmodels\.autodiff\.integrate\.solve_ivp"):
        of(lambda k: si.solve_ivp(lambda t, y: -k * y, (0, 1), [1.0]).y[0, -1])(1.0)


def test_a_wrong_derivative_is_seen(monkeypatch):
    """Planted: the weights of the last stage of RK45 are taken 0.1 % too large."""
    from mcmodels.autodiff import ode_steps

    right = ode_steps.combination
    monkeypatch.setattr(
        ode_steps, "combination",
        lambda w, xs: right([*w[:-1], 1.001 * w[-1]], xs),
    )  # fmt: skip
    with pytest.raises(AssertionError):
        test_a_linear_equation("RK45", 0)


def test_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grad(lambda k: solve_ivp(lambda t, y: -k * y, (0, 1), [1.0], "Radau").y[0, -1])(1.0)
        grad(lambda k: odeint(lambda y, t: -k * y, 1.0, [0, 1])[-1, 0])(1.0)
        assert constant(1.0) == 1.0
