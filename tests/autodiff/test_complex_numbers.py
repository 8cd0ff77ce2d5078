"""Complex numbers inside real functions: what they mean, kinks, refusals, and known derivatives."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.linalg

from mcmodels.autodiff import (
    NonDifferentiableWarning,
    grad,
    hessian,
    jacobian,
    jvp,
    linalg,
    vjp,
)

X = np.array([0.3, -1.2, 0.7, 0.4])


def test_parsevals_theorem():
    """The energy of the spectrum is n times that of the signal."""
    for transform, factor in ((np.fft.fft, 4.0), (np.fft.ifft, 0.25)):
        f = lambda x, t=transform: np.sum(np.abs(t(x)) ** 2)  # noqa: E731
        np.testing.assert_allclose(grad(f)(X), 2 * factor * X, rtol=1e-14)
        np.testing.assert_allclose(hessian(f)(X), 2 * factor * np.eye(4), atol=1e-14)


def test_the_jacobian_of_a_transform_is_its_matrix():
    for n in (3, 4, 6):
        F = np.fft.fft(np.eye(4), n, axis=0)
        np.testing.assert_allclose(jacobian(lambda x, n=n: np.real(np.fft.fft(x, n)))(X), F.real)
        np.testing.assert_allclose(
            jacobian(lambda x, n=n: np.fft.rfft(x, n).imag)(X), F.imag[: n // 2 + 1], atol=1e-15
        )
    for n in (5, 6):  # odd and even numbers of real values
        columns = [np.fft.irfft(e, n) for e in np.eye(4)]
        np.testing.assert_allclose(
            jacobian(lambda x, n=n: np.fft.irfft(x, n))(X), np.transpose(columns), atol=1e-15
        )
        columns = [np.fft.irfft(1j * e, n) for e in np.eye(4)]
        np.testing.assert_allclose(
            jacobian(lambda x, n=n: np.fft.irfft(1j * x, n))(X), np.transpose(columns), atol=1e-15
        )


def test_a_convolution_by_transforms_is_the_convolution():
    h = np.array([1.0, -0.5, 0.25])

    def by_transforms(x):
        return np.fft.irfft(np.fft.rfft(x, 6) * np.fft.rfft(h, 6), 6)

    expected = np.stack([np.convolve(e, h) for e in np.eye(4)], axis=1)
    np.testing.assert_allclose(jacobian(by_transforms)(X), expected, atol=1e-15)
    u = np.arange(6.0)
    np.testing.assert_allclose(vjp(by_transforms, X)[1](u), expected.T @ u, atol=1e-14)


def test_results_are_real():
    def f(x):
        z = np.exp(1j * x)
        return np.sum(np.real(z * np.conj(z[::-1])))

    value, g = f(X), grad(f)(X)
    assert g.dtype == np.float64
    assert jvp(f, (X,), (X,))[1].dtype == np.float64
    assert hessian(f)(X).dtype == np.float64
    # Σ cos(xᵢ - xₙ₋ᵢ), and each pair occurs twice.
    assert value == pytest.approx(np.sum(np.cos(X - X[::-1])), rel=1e-15)
    np.testing.assert_allclose(g, -2 * np.sin(X - X[::-1]), rtol=1e-14)
    single = grad(f)(X.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, g, rtol=1e-5)


def test_the_phase_of_a_product_is_the_sum_of_phases():
    f = lambda a: np.angle(np.exp(1j * a[0]) * np.exp(2j * a[1]))  # noqa: E731
    np.testing.assert_allclose(grad(f)(np.array([0.3, 0.4])), [1.0, 2.0], rtol=1e-14)


def test_abs_of_zero_warns():
    f = lambda x: np.sum(np.abs(x + 1j * x))  # noqa: E731
    for derive in (lambda: grad(f)(np.zeros(2)), lambda: jvp(f, (np.zeros(2),), (np.ones(2),))):
        with pytest.warns(NonDifferentiableWarning, match="abs is not differentiable at 0"):
            derive()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = grad(lambda x: np.sum(np.real(x * np.conj(x + 0j))))(np.zeros(2))
    np.testing.assert_array_equal(found, np.zeros(2))


@pytest.mark.parametrize(
    ("f", "says"),
    [
        (lambda x: np.sum(np.exp(1j * x)), "return np.real"),
        (lambda x: np.real(np.ptp(np.exp(1j * x))), "numpy.ptp"),
        (lambda x: np.real(np.median(np.exp(1j * x))), "numpy.median"),
        (lambda x: np.linalg.lstsq(np.outer(x, x) * 1j, x)[0][0], "real numbers only"),
        (lambda x: np.real(np.logaddexp(1j * x, 0.0))[0], "real ones only"),
        (lambda x: np.real(np.linalg.pinv(np.outer(x, x) * 1j)[0, 0]), "real numbers only"),
        (lambda x: np.linalg.qr(np.outer(x, x) * 1j)[1][0, 0], "real numbers only"),
        (lambda x: (1j * x).astype(np.float64)[0], "np.real"),
    ],
)
def test_what_is_for_real_numbers_only_is_refused(f, says):
    for derive in (lambda: grad(f)(X), lambda: jvp(f, (X,), (X,))):
        with pytest.raises(TypeError, match=says):
            derive()


def test_complex_arguments_are_refused():
    with pytest.raises(TypeError, match="real numbers"):
        grad(lambda z: np.abs(z[0]))(X * 1j)


def test_an_inner_derivative_by_a_complex_value_is_refused():
    """It was half of the answer: the part along the real axis."""
    inner = lambda z: grad(lambda z: np.real(z * z * z))(z)  # noqa: E731
    for derive in (
        lambda: grad(lambda x: np.real(inner(x + 1j * x)))(1.0),
        lambda: jvp(lambda x: np.real(inner(x + 1j * x)), (1.0,), (1.0,)),
    ):
        with pytest.raises(TypeError, match="by real and imaginary parts"):
            derive()


def test_singular_values_of_a_complex_matrix_of_rank_one():
    """``‖i xxᵀ‖ = xᵀx``; the vectors of the other values, which are 0, do not matter."""
    for norm in (2, "nuc"):
        f = lambda x, norm=norm: np.linalg.norm(np.outer(x, x) * 1j, norm)  # noqa: E731
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NonDifferentiableWarning)
            np.testing.assert_allclose(grad(f)(X), 2 * X, rtol=1e-12)
    with pytest.raises(np.linalg.LinAlgError, match="full rank"):
        grad(lambda x: np.real(np.linalg.svd(np.outer(x, x) * 1j)[0][0, 0]))(X)


def test_equal_eigenvalues_of_a_hermitian_matrix():
    """Their sum has a derivative, which is the trace; each of them has none."""
    turn = np.array([[0.0, 1j], [-1j, 0.0]])
    total = lambda x: np.sum(np.linalg.eigvalsh(x * np.eye(2) + 0.0 * turn))  # noqa: E731
    np.testing.assert_allclose(grad(total)(0.7), 2.0, rtol=1e-14)
    one = lambda x: np.linalg.eigvalsh(x * turn + 0.5 * np.eye(2))[0]  # noqa: E731
    with pytest.warns(NonDifferentiableWarning, match="equal eigenvalues"):
        grad(one)(0.0)


def test_the_phase_of_eigenvectors_may_jump():
    """Of a circulant matrix all entries of a vector are of one size."""
    circulant = np.array([[1.0, 2.0, 0.5], [0.5, 1.0, 2.0], [2.0, 0.5, 1.0]])
    f = lambda x: np.real(np.linalg.eig(circulant + x * np.eye(3))[1][0, 0])  # noqa: E731
    with pytest.warns(NonDifferentiableWarning, match="phase"):
        grad(f)(0.1)


def test_sylvester_of_real_and_complex_matrices():
    """SciPy 1.16 finds another X where one of the matrices is complex, and another real."""
    rng = np.random.default_rng(3)
    A, B = rng.standard_normal((3, 3)), rng.standard_normal((2, 2))
    Q = rng.standard_normal((3, 2)) + 1j * rng.standard_normal((3, 2))
    for a, b in ((A, B), (A + 1j * A.T, B), (A, B + 1j * B.T)):
        X = linalg.solve_sylvester(a, b, Q)
        np.testing.assert_allclose(a @ X + X @ b, Q, rtol=1e-12, atol=1e-12)


def test_a_root_of_a_singular_matrix_is_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", scipy.linalg.LinAlgWarning)
        with pytest.raises(np.linalg.LinAlgError, match="singular"):
            grad(lambda x: np.sum(linalg.sqrtm(np.diag(x))))(np.array([1.0, 0.0]))
