"""Kinks of order statistics, running extrema and interpolation; lists of traced numbers."""

from __future__ import annotations

import warnings

import mpmath
import numpy as np
import pytest

from mcmodels.autodiff import NonDifferentiableWarning, NoRuleError, grad, hessian, jacobian, jvp
from tests.autodiff.test_kinks import both_modes

X = np.array([0.3, 1.2, 0.7])


@pytest.mark.parametrize(
    ("f", "x", "expected", "says"),
    [
        (lambda x: np.quantile(x, 0.25), [1.0, 2.0, 2.0, 2.0, 5.0], [0, 1.0, 0, 0, 0], "quantile"),
        (np.median, [1.0, 2.0, 2.0], [0.0, 1.0, 0.0], "quantile"),
        (np.median, [2.0, 2.0, 2.0, 1.0], [0.5, 0.5, 0.0, 0.0], "quantile"),
        (np.nanmedian, [1.0, 2.0, 2.0, np.nan], [0.0, 1.0, 0.0, 0.0], "quantile"),
        (lambda x: np.percentile(x, 100), [1.0, 2.0, 2.0], [0.0, 0.0, 1.0], "quantile"),
        (lambda x: np.partition(x, 1)[:1], [3.0, 1.0, 1.0], [0.0, 1.0, 0.0], "partition"),
        (lambda x: np.maximum.accumulate(x), [1.0, 1.0, 0.0], [3.0, 0.0, 0.0], "running"),
        (lambda x: np.minimum.accumulate(x), [1.0, 2.0, 1.0], [3.0, 0.0, 0.0], "running"),
        (
            lambda x: np.interp(x, [0.0, 1.0, 2.0], [0.0, 1.0, 4.0]),
            [1.0, 0.5],
            [2.0, 1.0],
            "interp",
        ),
        (
            lambda x: np.interp(x, [0.0, 1.0, 2.0], [0.0, 1.0, 4.0]),
            [0.0, 2.0],
            [0.5, 1.5],
            "interp",
        ),
        (lambda x: np.copysign(x, -1.0), [0.0, 2.0], [0.0, -1.0], "copysign"),
        (np.nanmax, [2.0, np.nan, 2.0], [0.5, 0.0, 0.5], "equal shares"),
        (np.nanstd, [2.0, np.nan, 2.0], [0.0, 0.0, 0.0], "norm"),
    ],
)
def test_kinks_of_order_and_interpolation(f, x, expected, says):
    g, message = both_modes(f, x)
    np.testing.assert_array_equal(g, expected)
    assert says in message


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (np.median, [1.0, 2.0, 2.0, 3.0]),  # the mean of the two equal ones: smooth
        (np.median, [1.0, 1.0, 2.0, 3.0, 3.0]),  # equal entries that do not count
        (lambda x: np.quantile(x, 0.5), [1.0, 5.0, 3.0, np.inf, 9.0]),
        (lambda x: np.interp(x, [0.0, 1.0, 2.0], [0.0, 2.0, 4.0]), [1.0]),  # one line
        (lambda fp: np.interp([1.0, 0.0], [0.0, 1.0, 2.0], fp), [0.0, 1.0, 4.0]),
        (lambda x: np.maximum.accumulate(x), [1.0, 0.5, 0.5, 2.0]),
        (np.cumprod, [0.0, 0.0, 2.0]),
        (np.sinc, [0.0, 1.0]),
        (np.nansum, [np.nan, 0.0]),
    ],
)
def test_points_that_are_smooth_do_not_warn(f, x):
    x = np.array(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        g = grad(lambda x: np.sum(f(x)))(x)
        hessian(lambda x: np.sum(f(x)))(x)
    assert np.isfinite(g).all()


def test_the_slope_of_a_quantile_by_q():
    x = np.array([1.0, 4.0, 2.0])
    assert grad(lambda q: np.quantile(x, q))(0.3) == 2.0
    with pytest.warns(NonDifferentiableWarning, match="by q"):
        assert grad(lambda q: np.quantile(x, q))(0.5) == 4.0


def test_quantiles_of_missing_entries_are_missing():
    x = np.array([1.0, np.nan, 2.0])
    assert np.isnan(grad(np.median)(x)).any()
    J = jacobian(lambda x: np.nanquantile(x, [0.0, 1.0]))(x)
    np.testing.assert_array_equal(J, [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("x", [0.0, 1e-9, -3e-4, 0.02, 0.7, 12.3])
def test_sinc_at_high_precision(order, x):
    """Near 0 the quotient loses the digits of its derivatives; Bessel functions keep them."""
    f = np.sinc
    for _ in range(order):
        f = grad(f)
    with mpmath.workdps(60):
        expected = mpmath.diff(mpmath.sincpi, mpmath.mpf(x) if x else mpmath.mpf("1e-25"), order)
    # The derivatives are at most πⁿ; each is a sum of a few terms of that size.
    assert abs(f(x) - float(expected)) < 1e-13 * np.pi**order


def test_pseudo_inverse_and_least_squares_at_high_precision():
    """The derivative of A⁺b along a direction, for a matrix of condition 1e4."""
    rng = np.random.default_rng(5)
    A, D, b = rng.standard_normal((5, 3)), rng.standard_normal((5, 3)), rng.standard_normal(5)
    A[:, 2] = A[:, 0] + 1e-4 * A[:, 2]
    with mpmath.workdps(50):

        def solution(t):
            M = mpmath.matrix(A.tolist()) + t * mpmath.matrix(D.tolist())
            return mpmath.lu_solve(M.T * M, M.T * mpmath.matrix(b.tolist()))

        h = mpmath.mpf(10) ** -15  # truncation 1e-30 times third derivatives of 1e24 at most
        expected = (solution(h) - solution(-h)) / (2 * h)
        expected = np.array([float(v) for v in expected])
    for solve in (
        lambda t: np.linalg.lstsq(A + t * D, b)[0],
        lambda t: np.linalg.pinv(A + t * D) @ b,
    ):
        # The second power of the condition, 1e8, times some roundings of 1e-16.
        np.testing.assert_allclose(jacobian(solve)(0.0), expected, rtol=1e-7)


LISTS = {
    "mean": lambda x: np.mean([x[0], x[1] * x[2]]),
    "std": lambda x: np.std([x[0], x[1] * x[2], 3.0], ddof=1),
    "var": lambda x: np.var([x[0], x[1] * x[2]]),
    "sum": lambda x: np.sum([x[0], 2.0, x[1] * x[2]]),
    "prod": lambda x: np.prod([x[0], x[1] * x[2]]),
    "mean of vectors": lambda x: np.mean([x, x**2], axis=0)[1],
    "sum of vectors": lambda x: np.sum([x, x**2]),
    "average": lambda x: np.average([x[0], x[1]], weights=[1.0, 2.0]),
    "norm": lambda x: np.linalg.norm([x[0], x[1] * x[2]]),
    "cumsum": lambda x: np.cumsum([x[0], x[1]]) @ np.array([1.0, 3.0]),
    "diff": lambda x: np.sum(np.diff([x[0], x[1] ** 2, 1.0]) ** 2),
    "trapezoid": lambda x: np.trapezoid([x[0], x[1] ** 2]),
    "polyval": lambda x: np.polyval([x[0], x[1]], 3.0),
    "r_": lambda x: np.sum(np.r_[x, x[0], 3.0, x**2] ** 2),
    "solve with r_": lambda x: np.linalg.solve(
        np.c_[np.eye(2), x[:2]][:, 1:] + np.eye(2), np.r_[x[0], 1.0]
    )[1],
    "r_ of numbers": lambda x: np.sum(np.r_[x[0], 1.0, x[1]] ** 2),
    "c_": lambda x: np.sum(np.c_[x, x**2] @ np.array([1.0, 2.0])),
    "stack": lambda x: np.sum(np.stack([[x[0], x[1]], [x[2], 3.0]]) ** 2),
    "hstack": lambda x: np.sum(np.hstack([[x[0], 1.0], [x[2]]]) ** 2),
    "vstack": lambda x: np.sum(np.vstack([[x[0], x[1]], [x[2], 3.0]]) ** 2),
    "reshape": lambda x: np.sum(np.reshape([x[0], x[1] * x[2]], (2, 1)) ** 2),
    "tile": lambda x: np.sum(np.tile([x[0], x[1] * x[2]], 3) ** 2),
    "stacked inside": lambda x: np.sum(np.stack([x[0], x[1]]) ** 2) + np.mean([x[2], x[2]]),
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_traced_numbers(name):
    f, h = LISTS[name], 1e-20
    # Complex step: exact to rounding, since these functions are analytic; norm and the moments of
    # complex numbers take absolute values, so these are compared with differences.
    if name in ("norm", "std", "var"):
        step = 1e-5
        expected = [(f(X + step * e) - f(X - step * e)) / (2 * step) for e in np.eye(3)]
        np.testing.assert_allclose(grad(f)(X), expected, rtol=1e-8, atol=1e-9)
    else:
        expected = [np.imag(f(X + 1j * h * e)) / h for e in np.eye(3)]
        np.testing.assert_allclose(grad(f)(X), expected, rtol=1e-14, atol=1e-15)
    H = hessian(f)(X)
    step = 1e-5
    rows = [(grad(f)(X + step * e) - grad(f)(X - step * e)) / (2 * step) for e in np.eye(3)]
    np.testing.assert_allclose(H, rows, atol=1e-8)  # differences: 1e-10 times third derivatives


def test_arguments_with_numpys_own_default_are_taken():
    g = grad(
        lambda x: np.sum(
            np.take(x, [0, 0], mode="raise") * np.vstack([x], casting="same_kind")[0, :2]
        )
    )
    np.testing.assert_allclose(g(X), [2 * X[0] + X[1], X[0], 0.0], rtol=1e-15)


def test_the_type_that_an_array_has_may_be_asked_for():
    np.testing.assert_array_equal(grad(lambda x: np.sum(x, dtype=float))(X), np.ones(3))
    np.testing.assert_array_equal(grad(lambda x: x.cumsum(dtype=np.float64)[1])(X), [1.0, 1.0, 0])
    with pytest.raises(NoRuleError, match="dtype="):
        grad(lambda x: np.sum(x, dtype=np.float32))(X)


# A Gram matrix of three vectors in two dimensions has rank 2 wherever they move.
WIDE = np.array([[1.0, 0.3, -0.7], [0.2, 1.1, 0.4]])
TURNED = np.array([[0.5, -0.2, 0.3], [0.1, 0.4, -0.6]])


@pytest.mark.parametrize(
    "f",
    [
        lambda X: np.linalg.pinv(X.T @ X),
        lambda X: np.linalg.lstsq(X.T @ X, np.array([1.0, 2.0, -1.0]))[0],
        lambda X: np.linalg.lstsq(X.T @ X, X.T[:, :1] + 1.0)[0],
    ],
)
def test_a_rank_that_stays_the_same(f):
    step = 1e-4

    def at(k):
        return f(WIDE + k * step * TURNED)

    expected = (at(-2) - 8 * at(-1) + 8 * at(1) - at(2)) / (12 * step)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tangent = jvp(f, (WIDE,), (TURNED,))[1]
    # Five points: truncation of 1e-16 times fifth derivatives, rounding of 1e-16/1e-4.
    np.testing.assert_allclose(tangent, expected, rtol=1e-9, atol=1e-10)
    u = np.cos(np.arange(expected.size)).reshape(expected.shape)
    with pytest.warns(NonDifferentiableWarning, match="rank stays the same"):
        g = grad(lambda X: np.sum(u * f(X)))(WIDE)
    np.testing.assert_allclose(np.sum(g * TURNED), np.sum(u * expected), rtol=1e-8)


@pytest.mark.parametrize(
    "f", [lambda A: np.linalg.pinv(A), lambda A: np.linalg.lstsq(A, np.ones(3))[0]]
)
def test_a_rank_that_changes_is_refused(f):
    with pytest.raises(np.linalg.LinAlgError, match="without full rank is not differentiable"):
        jvp(f, (WIDE.T @ WIDE,), (np.eye(3),))
