"""Errors name the function as the user called it, and what exists instead."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.fft
import scipy.integrate
import scipy.interpolate
import scipy.linalg
import scipy.optimize
import scipy.signal
import scipy.sparse
import scipy.special
import scipy.stats
from sklearn.metrics import mean_squared_error

from mcmodels.autodiff import NoRuleError, grad, jvp

X = np.array([0.3, 1.2, 0.7])
EYE = np.eye(3)


def filled(x):
    h = np.zeros(3)
    for t in range(3):
        h[t] = t * x[0]
    return np.sum(h)


def filled_with_complex_numbers(x):
    z = np.zeros(3, complex)
    z[0] = np.exp(1j * x[0])
    return np.abs(z[0])


def filled_with_integers(x):
    z = np.zeros(3, int)
    z[1] = x[0]
    return z[1]


def filled_by_slice(x):
    h = np.zeros(3)
    h[:] = x
    return np.sum(h)


def added_in_place(x):
    h = np.zeros(3)
    h += x
    return np.sum(h)


def correlation(x):
    return np.array([[1, x[0]], [x[0], 1]])


OURS = "mcmodels.autodiff.numpy"
# What is called, the name that the message has, and the remedy.
CALLS = {
    "filled": (filled, "h[t]", OURS),
    "filled with complex numbers": (filled_with_complex_numbers, "z[0]", OURS),
    "filled with integers": (filled_with_integers, "z[1]", OURS),
    "filled by a slice": (filled_by_slice, "h[:]", OURS),
    "in place": (added_in_place, "numpy.add with out=", OURS),
    "det": (lambda x: np.linalg.det(correlation(x)), "numpy.linalg.det", OURS),
    "inv": (lambda x: np.linalg.inv(correlation(x))[0, 0], "numpy.linalg.inv", OURS),
    "solve": (lambda x: np.linalg.solve(correlation(x), X[:2])[0], "numpy.linalg.solve", OURS),
    "exp": (lambda x: np.sum(np.exp(correlation(x))), "numpy.exp", OURS),
    "log of a list": (lambda x: np.sum(np.log([x[0], 2.0])), "numpy.log", OURS),
    "max": (lambda x: np.max([x[0], x[1]]), "numpy.max", OURS),
    "full": (lambda x: np.sum(np.full(3, x[0])), "numpy.full", OURS),
    "array of rows": (lambda x: np.sum(np.array([x, x])), "numpy.array", OURS),
    "asarray": (lambda x: np.sum(np.asarray(x)), "numpy.asarray", OURS),
    "vectorize": (lambda x: np.sum(np.vectorize(abs)(x)), "numpy.vectorize", OURS),
    "method dot": (lambda x: np.sum(EYE.dot(x)), "ndarray.dot", "A @ x"),
    "cholesky": (
        lambda x: np.sum(scipy.linalg.cholesky(EYE + np.outer(x, x))),
        "scipy.linalg.cholesky",
        "linalg.cholesky, which can be followed",
    ),
    "inv of scipy": (
        lambda x: np.sum(scipy.linalg.inv(EYE + np.outer(x, x))),
        "scipy.linalg.inv",
        "linalg.inv, which can be followed",
    ),
    "logsumexp": (
        lambda x: scipy.special.logsumexp(x),
        "scipy.special.logsumexp",
        "mcmodels.autodiff.special.logsumexp",
    ),
    "softmax": (
        lambda x: np.sum(scipy.special.softmax(x)),
        "scipy.special.softmax",
        "mcmodels.autodiff.special.softmax",
    ),
    "polygamma": (
        lambda x: np.sum(scipy.special.polygamma(1, x)),
        "scipy.special.polygamma",
        "mcmodels.autodiff.special.polygamma",
    ),
    "distribution": (lambda x: scipy.stats.norm.logpdf(x[0]), "scipy.stats.norm.logpdf", ""),
    "frozen": (lambda x: scipy.stats.norm(x[0], 1.0).pdf(0.3), "scipy.stats.norm", ""),
    "discrete": (lambda x: scipy.stats.poisson.logpmf(2, x[0]), "scipy.stats.poisson.logpmf", ""),
    "quad": (
        lambda x: scipy.integrate.quad(lambda t: t * x[0], 0, 1)[0],
        "scipy.integrate.quad",
        "",
    ),
    "ivp": (
        lambda x: scipy.integrate.solve_ivp(lambda t, z: -z * x[0], (0, 1), [1.0]).y[0, -1],
        "scipy.integrate.solve_ivp",
        "",
    ),
    "minimum": (
        lambda x: scipy.optimize.minimize(lambda z: (z[0] - x[0]) ** 2, [0.0]).fun,
        "scipy.optimize.minimize",
        "",
    ),
    "interpolator": (
        lambda x: scipy.interpolate.interp1d(X, x)(0.5),
        "scipy.interpolate.interp1d",
        "",
    ),
    "signal": (lambda x: np.sum(scipy.signal.fftconvolve(x, x)), "scipy.signal.fftconvolve", ""),
    "sparse": (lambda x: np.sum(scipy.sparse.csr_array(EYE) @ x), "scipy.sparse.csr_array", ""),
    "series": (lambda x: pd.Series(x).sum(), "pandas.Series", ""),
    "sklearn": (lambda x: mean_squared_error(x, X), "sklearn.metrics.mean_squared_error", ""),
    "math": (lambda x: float(x[0]), "float(x[0])", ""),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_function_and_the_remedy_are_named(name):
    f, called, remedy = CALLS[name]
    for derive in (lambda: grad(f)(X), lambda: jvp(f, (X,), (X,))):
        with pytest.raises(NoRuleError) as caught:
            derive()
        assert called in str(caught.value)
        assert remedy in str(caught.value)
        assert len(str(caught.value)) < 480


def test_other_errors_are_left_alone():
    """A TypeError of the function itself is not taken for one of NumPy."""

    def own(x):
        np.array([x[0], x[1]])
        raise TypeError("an object of mine")

    def wrong_call(x):
        np.array([x[0], x[1]])
        return np.sum(x, 1, 2, 3, 4, 5, 6, 7)

    for f in (own, wrong_call, lambda x: x.undefined, lambda x: "text" + 1):
        with pytest.raises((TypeError, AttributeError)) as caught:
            grad(f)(X)
        assert not isinstance(caught.value, NoRuleError)


def test_without_source_text():
    """Functions that were not read from a file: the expression is left out."""
    scope = {"np": np, "EYE": EYE}
    exec("def f(x):\n    return np.sum(EYE.dot(x))", scope)
    with pytest.raises(NoRuleError, match=r"wants a plain array .* mcmodels.autodiff.numpy"):
        grad(scope["f"])(X)


@pytest.mark.parametrize("name", ["brentq", "bisect", "ridder", "brenth"])
@pytest.mark.parametrize(
    "residual", [lambda x, p: np.exp(-p[0] * x) - p[1] * x, lambda x, p: p[0] - x]
)
@pytest.mark.parametrize("repeat", range(2))
def test_refusals_that_c_drops(name, residual, repeat):
    """SciPy's root finders go on after the error, with whatever number they have."""
    solver = getattr(scipy.optimize, name)
    p = np.array([0.3, 0.8])
    for derive in (grad, lambda f: lambda p: jvp(f, (p,), (p,))):
        with pytest.raises(NoRuleError, match=rf"scipy.optimize.{name} calls float"):
            derive(lambda p: solver(lambda x: residual(x, p), 0.0, 5.0))(p)


@pytest.mark.parametrize("name", ["fsolve", "root"])
def test_refusals_of_minpack(name):
    solver = getattr(scipy.optimize, name)
    with pytest.raises(NoRuleError, match=rf"scipy.optimize.{name}.*autodiff.optimize.{name}"):
        grad(lambda p: np.sum(solver(lambda x: x - p, np.zeros(1))))(np.ones(1))


def test_an_own_error_after_a_refusal_that_was_caught():
    class Own(Exception):
        pass

    def f(x):
        try:
            float(x)
        except TypeError:
            raise Own("ours") from None

    with pytest.raises(Own, match="ours"):
        grad(f)(1.0)


@pytest.mark.parametrize(
    "write",
    [
        lambda x: np.add.at(np.zeros(3), [0, 1, 2], x),
        lambda x: np.fill_diagonal(np.outer(x, x), 0.0),
        lambda x: np.put(2.0 * x, [0], 1.0),
        lambda x: np.copyto(np.zeros(3), x),
    ],
)
def test_functions_that_write_name_what_can_be_written_to(write):
    with pytest.raises(NoRuleError, match=r"numpy\.\w+.*x\.copy\(\).*mcmodels\.autodiff\.numpy"):
        grad(write)(np.ones(3))


def test_assertions_of_numpy_see_the_values():
    def f(x):
        np.testing.assert_allclose(x, 1.0)
        np.testing.assert_array_less(2 * x[0], 3.0)
        np.testing.assert_array_equal(x, np.ones(3))
        return x @ x

    np.testing.assert_array_equal(grad(f)(np.ones(3)), 2.0)
    with pytest.raises(AssertionError):
        grad(lambda x: np.testing.assert_allclose(x, 2.0))(np.ones(3))


@pytest.mark.parametrize(
    ("f", "instead"),
    [
        # numpy.fft has no cosine transform, but the matrix of one does the same.
        (lambda x: scipy.fft.dct(x), r"scipy\.fft\.dct\(np\.eye\(n\), axis=0\) @ x"),
        (lambda x: np.polynomial.legendre.legval(0.3, x), r"legendre\.legvander\(x, degree\) @ c"),
    ],
)
def test_linear_functions_are_given_their_matrix(f, instead):
    with pytest.raises(NoRuleError, match=instead):
        grad(lambda x: np.sum(f(x)))(np.ones(4))


def test_the_matrices_are_right():
    x = np.array([0.3, -1.0, 2.0])
    np.testing.assert_allclose(scipy.fft.dct(np.eye(3), axis=0) @ x, scipy.fft.dct(x), rtol=1e-14)
    legendre = np.polynomial.legendre
    t = np.array([0.1, 0.5])
    np.testing.assert_allclose(legendre.legvander(t, 2) @ x, legendre.legval(t, x), rtol=1e-14)
