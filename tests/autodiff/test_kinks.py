"""Points without a derivative: a warning and the documented value, or an error with the remedy."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from mcmodels.autodiff import (
    NonDifferentiableWarning,
    grad,
    hessian,
    jacobian,
    jvp,
    linalg,
    special,
)


def both_modes(f, x):
    """The gradient by either mode, which warn alike."""
    x = np.asarray(x, dtype=float)
    with pytest.warns(NonDifferentiableWarning) as reverse:
        g = grad(lambda x: np.sum(f(x)))(x)
    units = np.eye(x.size).reshape(x.size, *x.shape)
    with pytest.warns(NonDifferentiableWarning):
        forward = [jvp(lambda x: np.sum(f(x)), (x,), (v,))[1] for v in units]
    np.testing.assert_allclose(np.reshape(forward, x.shape), g, rtol=1e-15)
    return g, str(reverse[0].message)


@pytest.mark.parametrize(
    ("f", "x", "expected", "says"),
    [
        (np.abs, [0.0, -2.0], [0.0, -1.0], "abs"),
        (np.fabs, [0.0, 3.0], [0.0, 1.0], "abs"),
        (abs, [-0.0, 3.0], [0.0, 1.0], "abs"),
        (lambda x: np.maximum(x, 0.0), [0.0, -1.0, 2.0], [0.5, 0.0, 1.0], "half"),
        (lambda x: np.maximum(0.0, x), [0.0, -1.0, 2.0], [0.5, 0.0, 1.0], "half"),
        (lambda x: np.minimum(x, 1.0), [1.0, -1.0, 2.0], [0.5, 1.0, 0.0], "half"),
        (lambda x: np.fmax(x, 0.0), [0.0, 2.0], [0.5, 1.0], "half"),
        (lambda x: np.fmin(x, 0.0), [0.0, -2.0], [0.5, 1.0], "half"),
        (lambda x: np.clip(x, -1.0, 1.0), [1.0, -1.0, 0.3, 2.0], [0.5, 0.5, 1.0, 0.0], "half"),
        (np.max, [3.0, 1.0, 3.0], [0.5, 0.0, 0.5], "equal shares"),
        (np.min, [1.0, 1.0, 1.0, 2.0], [1 / 3, 1 / 3, 1 / 3, 0.0], "equal shares"),
        (np.ptp, [1.0, 1.0], [0.0, 0.0], "equal shares"),
        (np.linalg.norm, [0.0, 0.0], [0.0, 0.0], "norm"),
        (lambda x: np.linalg.norm(x, 3), [0.0, 0.0], [0.0, 0.0], "norm"),
        (lambda x: np.linalg.norm(x, 1), [0.0, 2.0], [0.0, 1.0], "abs"),
        (lambda x: np.linalg.norm(x, np.inf), [2.0, -2.0], [0.5, -0.5], "equal shares"),
        (lambda x: np.hypot(x[0], x[1]), [0.0, 0.0], [0.0, 0.0], "norm"),
        (np.std, [2.0, 2.0], [0.0, 0.0], "norm"),
        (lambda x: np.sort(x)[:2], [3.0, 1.0, 3.0], [1.0, 1.0, 0.0], "sort"),
        (lambda x: np.sort(x, axis=None)[1], [[2.0], [2.0]], [[0.0], [1.0]], "sort"),
    ],
)
def test_kinks_of_entries(f, x, expected, says):
    g, message = both_modes(f, x)
    np.testing.assert_array_equal(g, expected)
    assert says in message


def test_a_norm_of_one_row_that_is_zero():
    X = np.array([[0.0, 0.0], [3.0, 4.0]])
    g, _ = both_modes(lambda X: np.linalg.norm(X, axis=1), X)
    np.testing.assert_allclose(g, [[0.0, 0.0], [0.6, 0.8]], rtol=1e-15)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (np.abs, [1.0, -2.0]),
        (lambda x: np.maximum(x, 0.0), [1.0, -1.0]),
        (lambda x: np.max(x), [1.0, 2.0]),
        (lambda x: np.linalg.norm(x, 4), [0.0, 2.0]),  # smooth where one entry is 0
        (lambda x: np.linalg.norm(x, np.inf), [0.0, 2.0]),
        (lambda x: x**2, [0.0, 0.0]),
        (lambda x: x ** np.array([1.0, 2.0]), [0.0, 0.0]),
        (np.sort, [1.0, -1.0, 2.0]),
        (np.prod, [0.0, 0.0]),
        (np.square, [0.0]),
        (special.softmax, [0.0, 0.0]),
    ],
)
def test_smooth_points_do_not_warn(f, x):
    x = np.array(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grad(lambda x: np.sum(f(x)))(x)
        hessian(lambda x: np.sum(f(x)))(x)


# ---- spectra ---------------------------------------------------------------------------------

I3 = np.eye(3)


@pytest.mark.parametrize(
    "f",
    [
        lambda A: np.linalg.eigh(A)[1][0, 0],
        lambda A: np.sum(np.linalg.svd(A)[0]),
        lambda A: np.sum(np.linalg.svd(A, full_matrices=False)[2]),
    ],
)
def test_vectors_of_equal_values_are_refused_with_the_remedy(f):
    for derive in (lambda: grad(f)(I3), lambda: jvp(f, (I3,), (I3 + 0.1,))):
        with pytest.raises(np.linalg.LinAlgError, match=r"eigvalsh, or np\.linalg\.svd"):
            derive()


def test_singular_vectors_beyond_the_rank_are_refused():
    A = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    with pytest.raises(np.linalg.LinAlgError, match="without full rank"):
        grad(lambda A: np.sum(np.linalg.svd(A, full_matrices=False)[0]))(A)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda A: np.sum(np.linalg.eigvalsh(A)), I3),
        (lambda A: np.sum(np.log(np.linalg.eigvalsh(A))), I3),
        (lambda A: np.sum(np.linalg.svd(A, compute_uv=False) ** 2), 2 * I3),
        (lambda A: np.linalg.norm(A, "nuc"), I3),
    ],
)
def test_functions_that_treat_equal_values_alike_are_smooth(f, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Products of orthogonal matrices: a few roundings.
        np.testing.assert_allclose(grad(f)(I3), expected, atol=1e-15)
        assert jvp(f, (I3,), (I3,))[1] == pytest.approx(np.trace(expected), rel=1e-15)


@pytest.mark.parametrize(
    ("f", "A", "says"),
    [
        (lambda A: np.linalg.eigvalsh(A)[-1], I3, "equal eigenvalues"),
        (lambda A: np.linalg.norm(A, 2), I3, "equal singular values"),
        (lambda A: np.linalg.norm(A, "nuc"), np.ones((2, 2)), "singular value of 0"),
        (lambda A: np.linalg.norm(A, -2), np.ones((2, 2)), "singular value of 0"),
    ],
)
def test_kinks_of_spectra_warn(f, A, says):
    with pytest.warns(NonDifferentiableWarning, match=says):
        grad(f)(A)
    T = np.arange(A.size, dtype=float).reshape(A.shape) ** 2
    with pytest.warns(NonDifferentiableWarning, match=says):
        jvp(f, (A,), (T + T.T,))


@pytest.mark.parametrize("f", [np.linalg.det, lambda A: np.linalg.slogdet(A)[1]])
def test_determinants_of_singular_matrices_are_refused(f):
    with pytest.raises(np.linalg.LinAlgError, match="written with the inverse"):
        grad(f)(np.zeros((2, 2)))


@pytest.mark.parametrize(
    "f",
    [
        np.linalg.cholesky,
        np.linalg.eigvalsh,
        lambda A: np.linalg.eigh(A)[1],
        linalg.cholesky,
        linalg.eigvalsh,
    ],
)
def test_one_triangle_of_another_matrix_warns(f):
    A = np.array([[2.0, 0.9], [0.1, 1.0]])
    with pytest.warns(NonDifferentiableWarning, match=r"not symmetric.*\(A \+ A.T\)/2"):
        grad(lambda A: np.sum(f(A)))(A)
    with pytest.warns(NonDifferentiableWarning, match="not symmetric"):
        jvp(f, (A,), (A,))


def test_rounding_is_no_asymmetry():
    X = np.random.default_rng(0).standard_normal((5, 5))
    A = X @ np.diag(np.arange(1.0, 6.0)) @ X.T
    A[0, 1] *= 1 + 1e-12
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grad(lambda A: np.sum(np.linalg.cholesky(A)))(A)


def test_cholesky_of_an_indefinite_matrix_is_refused():
    with pytest.raises(np.linalg.LinAlgError):
        grad(lambda A: np.sum(np.linalg.cholesky(A)))(-I3)


# ---- never NaN in silence --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (np.sqrt, 0.0),
        (np.log, 0.0),
        (lambda x: x**0.5, 0.0),
        (lambda x: x ** np.array(-1.0), 0.0),
        (lambda x: 1 / x, 0.0),
        (np.cbrt, 0.0),
        (np.arcsin, 1.0),
        (np.arctanh, 1.0),
        (lambda x: np.power(-1.0, x), 0.5),
        (special.logit, 0.0),
        (special.entr, 0.0),
        (lambda x: np.arctan2(x, 0.0), 0.0),
        (lambda x: np.linalg.norm(x[None], 0.5), 0.0),
        (lambda x: np.var(x[None], ddof=1), 1.0),
    ],
)
def test_infinite_and_missing_derivatives_warn(f, x):
    x = np.array(x)
    with pytest.warns((RuntimeWarning, NonDifferentiableWarning)):
        g = grad(f)(x)
    assert not np.isfinite(g)
    with pytest.warns((RuntimeWarning, NonDifferentiableWarning)):
        assert not np.isfinite(jvp(f, (x,), (1.0,))[1])


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: special.xlogy(0.0, x), 0.0, 0.0),
        (lambda x: special.xlog1py(0.0, x), -1.0, 0.0),
        (lambda x: x ** np.array([0.0]), 0.0, 0.0),
        (lambda x: 0.0**x, 2.0, 0.0),
        (lambda x: np.fmax(np.nan, x), 2.0, 1.0),
        (lambda x: np.fmin(x, np.nan), 2.0, 1.0),
        (lambda x: np.hypot(x, 0.0), -2.0, -1.0),
        (special.expit, -800.0, 0.0),
        (special.log_expit, -800.0, 1.0),
        (special.log_ndtr, -50.0, 50.01998402),  # φ/Φ → -x - 1/x
        (np.tanh, 400.0, 0.0),
        (lambda x: np.logaddexp(0.0, x), 1000.0, 1.0),
        (lambda x: special.logsumexp(np.stack([x, x - 1e4])), 1e5, 1.0),
    ],
)
def test_extremes_that_have_a_derivative(f, x, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        g = grad(lambda x: np.sum(f(x)))(np.array(x))
    np.testing.assert_allclose(g, expected, rtol=2e-6)  # the digits written above


@np.errstate(invalid="ignore")  # NumPy's own logaddexp warns of NaN
def test_logaddexp_at_the_edges_is_numpys():
    edges = np.array([0, 1e-300, 36, -36, 700, 1e300, -1e300, np.inf, -np.inf, np.nan])
    a, b = np.meshgrid(edges, edges)
    one = np.ones_like(a)
    value = jvp(np.logaddexp, (a, b), (one, one))[0]
    np.testing.assert_allclose(value, np.logaddexp(a, b), rtol=1e-15)  # a rounding or two
    assert (value == jvp(np.logaddexp, (b, a), (one, one))[0])[~np.isnan(value)].all()


@pytest.mark.parametrize("derivative", [grad, hessian, jacobian])
def test_warnings_point_at_the_line_of_the_user(derivative):
    with pytest.warns(NonDifferentiableWarning) as caught:
        derivative(lambda x: np.sum(np.abs(x)))(np.zeros(2))
    assert {warning.filename for warning in caught} == {__file__}


def test_nan_stays_nan():
    x = np.array([1.0, np.nan])
    for f in (np.sin, np.square, np.exp, lambda x: x * x, lambda x: x / (1 + x)):
        assert np.isnan(grad(lambda x, f=f: np.sum(f(x)))(x)[1])
    with pytest.warns(RuntimeWarning):
        assert np.isnan(grad(np.max)(x)).any()
    assert np.isnan(jacobian(lambda A: np.linalg.norm(A))(x)).all()
