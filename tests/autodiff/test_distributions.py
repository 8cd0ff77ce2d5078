"""``mcmodels.autodiff.stats``: SciPy's values, derivatives by mpmath and by differences, tails."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.special
import scipy.stats

from mcmodels.autodiff import (
    NonDifferentiableWarning,
    NoRuleError,
    grad,
    hessian,
    jvp,
    special,
    stats,
    vjp,
)
from mcmodels.autodiff.tables import call

SHAPES = {
    "t": (3.5,), "gamma": (2.5,), "invgamma": (2.5,), "chi2": (3.0,), "beta": (2.0, 3.5),
    "lognorm": (0.7,), "weibull_min": (1.5,), "pareto": (2.0,), "vonmises": (1.5,),
    "poisson": (3.2,), "binom": (7, 0.3), "bernoulli": (0.3,), "geom": (0.3,),
    "nbinom": (2.5, 0.3), "norm": (), "halfnorm": (), "cauchy": (), "uniform": (), "expon": (),
    "laplace": (), "logistic": (), "gumbel_r": (), "gumbel_l": (),
}  # fmt: skip
DISCRETE = ["bernoulli", "binom", "geom", "nbinom", "poisson"]
CONTINUOUS = [name for name in SHAPES if name not in DISCRETE]
VECTORS = ["dirichlet", "multinomial", "multivariate_normal", "multivariate_t"]
FUNCTIONS = ["cdf", "sf", "logcdf", "logsf"]


def test_every_distribution_is_tested():
    assert sorted([*SHAPES, *VECTORS]) == sorted(stats.__all__)


def methods(name):
    first = ["logpmf", "pmf"] if name in DISCRETE else ["logpdf", "pdf"]
    return first + (FUNCTIONS if name != "vonmises" else [])


EVERY = [(name, method) for name in SHAPES for method in methods(name)]


@pytest.mark.parametrize(("name", "method"), EVERY)
def test_values_are_scipys(name, method):
    """Inside the support, outside it, and at its edge."""
    ours, theirs = (
        getattr(getattr(stats, name), method),
        getattr(getattr(scipy.stats, name), method),
    )
    if name in DISCRETE:
        x, rest = np.array([-2.0, 0, 1, 2, 3, 6, 7, 8, 1.5]), (1,)
    else:
        x, rest = np.array([-3.0, -0.2, 0.31, 0.9, 1.6, 2.7, 5.0]), (0.3, 1.7)
    with np.errstate(divide="ignore"):  # SciPy takes the logarithm of 0
        expected = theirs(x, *SHAPES[name], *rest)
    found = ours(x, *SHAPES[name], *rest)
    # The same functions in another order: digits of logarithms of up to some tens.
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-300)
    named = {"loc": rest[0], **({"scale": rest[1]} if len(rest) > 1 else {})}
    np.testing.assert_array_equal(ours(list(x), *SHAPES[name], **named), found)


def central(f, x, step=1e-4):
    return (f(x - 2 * step) - 8 * f(x - step) + 8 * f(x + step) - f(x + 2 * step)) / (12 * step)


@pytest.mark.parametrize(("name", "method"), EVERY)
def test_derivatives_by_every_parameter(name, method):
    """Against differences of our values, which are SciPy's."""
    function, shapes = getattr(getattr(stats, name), method), SHAPES[name]
    discrete = name in DISCRETE
    k = 0.0 if name == "bernoulli" else 2.0
    args = (k, *shapes, 0) if discrete else (1.1 + (name == "pareto"), *shapes, 0.3, 1.7)
    for i in range(len(args)):
        if discrete and (i in (0, len(args) - 1)):
            continue
        by = lambda v, i=i: function(*args[:i], v, *args[i + 1 :])  # noqa: E731
        point = np.array(float(args[i]))
        if name == "binom" and i == 1:
            continue  # whole numbers
        found = grad(by)(point)
        # Rounding 1e-16/1e-4, times some tens; fifth derivatives of some thousands times 1e-16.
        assert found == pytest.approx(central(by, point), rel=1e-9, abs=1e-10)
        tangent = jvp(by, (point,), (np.array(1.0),))[1]
        assert tangent == pytest.approx(found, rel=1e-14, abs=1e-300)
        second = central(lambda v, by=by: grad(by)(v), point)
        assert hessian(by)(point) == pytest.approx(second, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_the_derivative_of_the_distribution_is_the_density(name):
    if name == "vonmises":
        return
    d, shapes = getattr(stats, name), SHAPES[name]
    for x in (0.05, 0.7, 1.4, 4.0):
        x = np.array(x)
        density = d.pdf(x, *shapes, 0.3, 1.7)
        assert grad(lambda x: d.cdf(x, *shapes, 0.3, 1.7))(x) == pytest.approx(density, rel=1e-12)
        assert grad(lambda x: d.sf(x, *shapes, 0.3, 1.7))(x) == pytest.approx(-density, rel=1e-12)


# ---- shape parameters, against mpmath ----------------------------------------------------------


@pytest.mark.parametrize("a", [0.05, 0.7, 4.0, 60.0])
@pytest.mark.parametrize("ratio", [0.1, 0.8, 1.3, 2.5])
def test_incomplete_gamma_by_its_parameter(a, ratio):
    x = a * ratio
    for name, ends in (("gammainc", (0, x)), ("gammaincc", (x, mpmath.inf))):
        with mpmath.workdps(40):
            f = lambda a, e=ends: mpmath.gammainc(a, *e, regularized=True)  # noqa: E731
            expected = [float(mpmath.diff(f, mpmath.mpf(a), k)) for k in (1, 2)]
        ours = lambda a, n=name: getattr(special, n)(a, x)  # noqa: E731
        # 1e-14 by the quadrature, times a few for sums of moments that cancel.
        assert grad(ours)(np.array(a)) == pytest.approx(expected[0], rel=1e-12)
        assert hessian(ours)(np.array(a)) == pytest.approx(expected[1], rel=1e-10)


@pytest.mark.parametrize(("a", "b"), [(0.05, 3.0), (2.0, 0.1), (3.0, 5.0), (40.0, 25.0)])
@pytest.mark.parametrize("at", [0.1, 0.9, 1.05])
def test_incomplete_beta_by_its_parameters(a, b, at):
    mean = a / (a + b)
    x = min(mean * at, 1 - (1 - mean) / (1 + at))
    with mpmath.workdps(40):
        f = lambda a, b: mpmath.betainc(a, b, 0, x, regularized=True)  # noqa: E731
        point = (mpmath.mpf(a), mpmath.mpf(b))
        first = [float(mpmath.diff(f, point, k)) for k in ((1, 0), (0, 1))]
        second = [float(mpmath.diff(f, point, k)) for k in ((2, 0), (1, 1), (0, 2))]
    ours = lambda p: special.betainc(p[0], p[1], x)  # noqa: E731
    p = np.array([a, b])
    np.testing.assert_allclose(grad(ours)(p), first, rtol=1e-11)
    H = hessian(ours)(p)
    np.testing.assert_allclose([H[0, 0], H[0, 1], H[1, 1]], second, rtol=1e-9)
    np.testing.assert_allclose(
        grad(lambda p: special.betaincc(p[0], p[1], x))(p), -np.array(first), rtol=1e-10
    )


def test_the_quadrature_gives_the_incomplete_functions():
    """The moments of order 0, over nine decades of the parameters, against SciPy's algorithms."""
    rng, n = np.random.default_rng(0), 2000
    a, b = 10 ** rng.uniform(-3, 6, (2, n))
    x = a * np.exp(rng.normal(0, 1, n) / np.sqrt(a))
    x[::2] = a[::2] * 10 ** rng.uniform(-2, 2, n // 2)
    for name, f in (
        ("lower_gamma_moment", scipy.special.gammainc),
        ("upper_gamma_moment", scipy.special.gammaincc),
    ):
        # The other side is one minus it: errors are relative to one there.
        expected = f(a, x)
        small = (expected > 1e-200) & (expected < 0.5)
        np.testing.assert_allclose(call(name, 0, a, x)[small], expected[small], rtol=2e-11)
        np.testing.assert_allclose(call(name, 0, a, x), expected, atol=1e-13)
    mean = a / (a + b)
    x = mean * rng.uniform(0, 1, n)
    expected = scipy.special.betainc(a, b, x)
    inner = (expected > 1e-200) & (x < 1)
    found = call("lower_beta_moment", 0, 0, a, b, x)[inner]
    # Where x is 1 but for rounding, so is what is known of 1 - x.
    np.testing.assert_allclose(found, expected[inner], rtol=1e-8)
    error = np.abs(found / expected[inner] - 1)
    assert np.quantile(error, 0.98) < 1e-10


@pytest.mark.parametrize("df", [0.8, 4.0, 50.0])
@pytest.mark.parametrize("x", [-30.0, -2.0, -0.1, 0.0, 1.5])
def test_student_by_its_degrees_of_freedom(df, x):
    def f(v):
        z, v = mpmath.mpf(x), mpmath.mpf(v)
        half = mpmath.betainc(v / 2, 0.5, 0, v / (v + z * z), regularized=True) / 2
        return half if x < 0 else 1 - half

    expected = high(f, df, 1) if x else 0.0
    found = grad(lambda v: special.stdtr(v, x))(np.array(df))
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-300)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: stats.norm.logpdf(1.0, 0.0, -1.0), r"norm\.logpdf needs scale > 0; found -1"),
        (lambda: stats.gamma.logpdf(1.0, -2.0), r"stats\.gamma\.logpdf needs a > 0"),
        (lambda: stats.binom.logpmf(1, 2, 1.5), r"0 ≤ p ≤ 1; found 1.5"),
        (lambda: stats.poisson.logpmf(1, -1.0), "mu ≥ 0"),
        (lambda: stats.dirichlet.logpdf([0.5, 0.6], [1.0, 2.0]), "sum 1"),
        (lambda: stats.multinomial.logpmf([1, 2], 3, [0.5, 0.6]), "sum 1"),
        (lambda: stats.multivariate_normal.logpdf(np.ones(2), np.ones(3), np.eye(3)), "dimensions"),
    ],
)  # fmt: skip
def test_parameters_that_are_not_allowed(call, says):
    with pytest.raises(ValueError, match=says):
        call()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: stats.norm.logpdf(1.0, mean=0.0), "no parameter 'mean'; it has loc, scale"),
        (lambda: stats.gamma.logpdf(1.0), "needs a"),
        (lambda: stats.norm.logpdf(1.0, 0.0, 1.0, 2.0), "at most 2"),
        (lambda: stats.norm.logpdf(1.0, 0.0, loc=1.0), "twice"),
        (lambda: grad(lambda k: stats.poisson.logpmf(k, 2.0))(1.0), "no derivative by k"),
        (lambda: stats.vonmises.cdf(1.0, 2.0), r"vonmises\.cdf has no rule"),
    ],
)
def test_arguments_that_are_not_there(call, says):
    with pytest.raises(TypeError, match=says):
        call()


# ---- tails, against mpmath -------------------------------------------------------------------


def high(f, x, order):
    with mpmath.workdps(60):
        return float(mpmath.diff(f, mpmath.mpf(x), order))


def log_ncdf(x):
    return mpmath.log(mpmath.erfc(-x / mpmath.sqrt(2)) / 2)


@pytest.mark.parametrize("x", [-1e8, -1e4, -300.0, -30.0, -1.5, -1.4999, 0.0, 3.0, 20.0, 36.0])
def test_log_ndtr_keeps_its_digits(x):
    point = np.array(x)
    second = grad(grad(special.log_ndtr))
    # A few roundings for each product; beyond -300 mpmath is replaced by the asymptotic series.
    if x >= -300:
        expected = [high(log_ncdf, x, k) for k in (1, 2, 3)]
    else:
        t = -x  # h = t + 1/t - 2/t³ …, NIST Digital Library of Mathematical Functions, 7.12.1
        expected = [t + 1 / t, -1 + 1 / t**2, 2 / t**3]
    assert grad(special.log_ndtr)(point) == pytest.approx(expected[0], rel=1e-14)
    assert hessian(special.log_ndtr)(point) == pytest.approx(expected[1], rel=1e-13)
    if -300 <= x <= 3:
        # The third derivative cancels where it is small: some units of h³.
        assert grad(second)(point) == pytest.approx(expected[2], rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("x", [-5.0, 0.3, 4.0, 40.0, 1e6])
def test_erfcx_keeps_its_digits(x):
    f = lambda z: mpmath.exp(z * z) * mpmath.erfc(z)  # noqa: E731
    far = -1 / (np.sqrt(np.pi) * x**2) * (1 - 1.5 / x**2)
    expected = high(f, x, 1) if x < 1e3 else far
    assert grad(special.erfcx)(np.array(x)) == pytest.approx(expected, rel=2e-14)


@pytest.mark.parametrize(("a", "x"), [(0.5, 1e-3), (3.0, 2.0), (200.0, 230.0), (1e6, 1e6 + 2e3)])
def test_density_of_gamma(a, x):
    with mpmath.workdps(60):
        expected = float(mpmath.mpf(x) ** (a - 1) * mpmath.exp(-x) / mpmath.gamma(a))
    # ε(x - a) of the exponent: 2e3 roundings for the last.
    found = grad(lambda x: special.gammainc(a, x))(np.array(x))
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("a", "b", "x"), [(0.5, 2.0, 1e-3), (30.0, 20.0, 0.7), (1e5, 2e5, 0.334), (2.0, 1e6, 3e-6)]
)
def test_density_of_beta(a, b, x):
    with mpmath.workdps(60):
        z = mpmath.mpf(x)
        expected = float(z ** (a - 1) * (1 - z) ** (b - 1) / mpmath.beta(a, b))
    found = grad(lambda x: special.betainc(a, b, x))(np.array(x))
    assert found == pytest.approx(expected, rel=1e-10)  # ε times 1e5, the sum of exponents


SPECIAL = {
    "jv": (1.5, lambda v, x: mpmath.besselj(v, x)), "yv": (1.5, lambda v, x: mpmath.bessely(v, x)),
    "iv": (0.5, lambda v, x: mpmath.besseli(v, x)), "kv": (0.5, lambda v, x: mpmath.besselk(v, x)),
    "stdtr": (3.5, lambda v, x: mpmath.quad(
        lambda s: (1 + s * s / v) ** (-(v + 1) / 2) / (mpmath.sqrt(v) * mpmath.beta(v / 2, 0.5)),
        [0, x])),
    "gammaincc": (2.5, lambda a, x: mpmath.gammainc(a, x, regularized=True)),
    "zeta": (2.5, lambda s, q: mpmath.zeta(s, q)),
    "hyp1f1": ((1.5, 2.5), lambda p, x: mpmath.hyp1f1(*p, x)),
}  # fmt: skip


@pytest.mark.parametrize("name", SPECIAL)
@pytest.mark.parametrize("x", [0.4, 2.5])
def test_special_functions_against_mpmath(name, x):
    parameter, f = SPECIAL[name]
    parameters = parameter if isinstance(parameter, tuple) else (parameter,)
    ours = lambda z: getattr(special, name)(*parameters, z)  # noqa: E731
    for order, derivative in ((1, grad(ours)), (2, hessian(ours))):
        with mpmath.workdps(30):
            expected = float(mpmath.diff(lambda z: f(parameter, z), mpmath.mpf(x), order))
        # SciPy's Bessel functions are good to some tens of roundings.
        assert derivative(np.array(x)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("f", "point", "slope"),
    [
        (stats.norm.logcdf, -1e5, 1e5 + 1e-5),
        (stats.norm.logsf, 1e5, -1e5 - 1e-5),
        (stats.logistic.logpdf, -800.0, 1.0),
        (stats.expon.logsf, 1e5, -1.0),
        (stats.expon.logcdf, 1e-9, 1e9 - 0.5),
        (stats.expon.logcdf, 50.0, 1 / np.expm1(50.0)),
        (stats.gumbel_l.logsf, -700.0, -np.exp(-700.0)),
        (stats.cauchy.sf, 1e9, -1 / (np.pi * 1e18)),
        (stats.laplace.cdf, 0.0, 0.5),
        (stats.laplace.logsf, 0.0, -1.0),
        (stats.laplace.logcdf, -1e4, 1.0),
    ],
)
def test_tails(f, point, slope):
    assert grad(f)(np.array(point)) == pytest.approx(slope, rel=1e-14)


def test_outside_the_support_the_derivative_is_zero():
    x = np.array([-1.0, 0.5, 2.0])
    np.testing.assert_array_equal(stats.expon.logpdf(x)[:1], [-np.inf])
    np.testing.assert_array_equal(grad(lambda x: np.sum(stats.expon.sf(x)))(x)[:1], [0.0])
    g = grad(lambda a: np.sum(stats.beta.logpdf(np.array([0.2, 0.5]), a, 2.0)))(np.array(1.5))
    assert np.isfinite(g)
    # An observation that is impossible adds a constant.
    found = grad(lambda s: stats.gamma.pdf(np.array([-1.0, 1.0]), 2.0, scale=s)[0])(np.array(1.0))
    assert found == 0.0


# ---- vectors ---------------------------------------------------------------------------------

MEAN = np.array([0.3, -0.2, 0.5])
COV = np.array([[1.5, 0.3, 0.1], [0.3, 1.0, -0.2], [0.1, -0.2, 0.8]])
POINTS = np.array([[0.1, 0.2, 0.3], [1.0, -1.0, 0.5]])


@pytest.mark.parametrize("x", [POINTS[0], POINTS, POINTS[:, np.newaxis]])
@pytest.mark.parametrize("matrix", [COV, np.array([1.5, 1.0, 0.8]), 0.7])
def test_values_of_vectors_are_scipys(x, matrix):
    np.testing.assert_allclose(
        np.squeeze(stats.multivariate_normal.logpdf(x, MEAN, matrix)),
        scipy.stats.multivariate_normal.logpdf(x, MEAN, matrix),
        rtol=1e-13,
    )
    if np.ndim(matrix) == 2:
        np.testing.assert_allclose(
            np.squeeze(stats.multivariate_t.logpdf(x, MEAN, matrix, 4.5)),
            scipy.stats.multivariate_t.logpdf(x, MEAN, matrix, 4.5),
            rtol=1e-13,
        )


@pytest.mark.parametrize("f", [
    lambda x, m, S: np.sum(stats.multivariate_normal.logpdf(x, m, 0.5 * (S + S.T))),
    lambda x, m, S: np.sum(stats.multivariate_t.logpdf(x, m, 0.5 * (S + S.T), 4.5)),
    lambda x, m, S: np.sum(stats.multivariate_normal.logpdf(x, m, np.diagonal(S))),
])  # fmt: skip
def test_derivatives_of_densities_of_vectors(f):
    from tests.autodiff.checkers import differences

    rng = np.random.default_rng(3)
    args = (POINTS, MEAN, COV)
    directions = tuple(rng.standard_normal(a.shape) for a in args)
    found = grad(f, argnums=(0, 1, 2))(*args)
    along = sum(np.sum(g * v) for g, v in zip(found, directions, strict=True))
    expected = differences(f, args, directions)
    assert along == pytest.approx(float(expected), rel=1e-8)  # fifth derivatives of tens
    assert jvp(f, args, directions)[1] == pytest.approx(along, rel=1e-12)


def test_gradient_of_the_normal_likelihood_is_the_textbooks():
    """Magnus and Neudecker (2019), §15.3."""
    W = np.linalg.inv(COV)
    residual = POINTS - MEAN
    by_mean, by_cov = grad(
        lambda m, S: np.sum(stats.multivariate_normal.logpdf(POINTS, m, S)), argnums=(0, 1)
    )(MEAN, COV)
    np.testing.assert_allclose(by_mean, W @ residual.sum(axis=0), rtol=1e-12)
    expected = 0.5 * (W @ residual.T @ residual @ W - 2 * W)
    np.testing.assert_allclose(by_cov, expected, rtol=1e-11)


def test_counts_and_proportions():
    p, alpha = np.array([0.2, 0.3, 0.5]), np.array([1.5, 2.0, 0.7])
    counts = np.array([[1, 2, 3], [0, 1, 5], [1, 1, 1]])
    np.testing.assert_allclose(
        stats.multinomial.logpmf(counts, 6, p), scipy.stats.multinomial.logpmf(counts, 6, p)
    )
    np.testing.assert_allclose(
        stats.dirichlet.logpdf(p, alpha), scipy.stats.dirichlet.logpdf(p, alpha)
    )
    by_alpha = grad(lambda a: stats.dirichlet.logpdf(p, a))(alpha)
    expected = scipy.special.psi(alpha.sum()) - scipy.special.psi(alpha) + np.log(p)
    np.testing.assert_allclose(by_alpha, expected, rtol=1e-13)
    by_p = grad(lambda q: stats.multinomial.logpmf(counts[0], 6, q))(p)
    np.testing.assert_allclose(by_p, counts[0] / p, rtol=1e-14)


def test_lists_of_traced_numbers():
    g = grad(lambda x: np.sum(stats.norm.logpdf([x[0], x[0] * x[1]], np.array([x[1], 0.0]))))(
        np.array([0.5, 0.7])
    )
    expected = grad(lambda x: -0.5 * (x[0] - x[1]) ** 2 - 0.5 * (x[0] * x[1]) ** 2)(
        np.array([0.5, 0.7])
    )
    np.testing.assert_allclose(g, expected, rtol=1e-14)
    value, pull = vjp(lambda m: stats.norm.pdf(np.zeros(3), m), np.ones(3))
    np.testing.assert_allclose(pull(np.ones(3)), -value, rtol=1e-14)


@pytest.mark.parametrize("kind", ["matrix", "diagonal", "number"])
def test_the_entropy_of_the_normal_distribution(kind):
    rng = np.random.default_rng(6)
    A = rng.standard_normal((3, 3))
    S = {"matrix": A @ A.T + np.eye(3), "diagonal": np.array([0.5, 2.0, 3.0]), "number": 2.5}[kind]
    mean = None if kind == "matrix" else np.zeros(3)
    expected = scipy.stats.multivariate_normal.entropy(mean, S)
    np.testing.assert_allclose(stats.multivariate_normal.entropy(mean, S), expected, rtol=1e-14)
    slope = grad(lambda S: stats.multivariate_normal.entropy(mean, S))(S)
    # ∂ log det Σ = Σ⁻¹; of the variance of all, n/σ².
    inverse = {
        "matrix": lambda: np.linalg.inv(S),
        "diagonal": lambda: 1 / S,
        "number": lambda: 3 / S,
    }
    np.testing.assert_allclose(slope, 0.5 * inverse[kind](), rtol=1e-12)


def test_the_density_of_dirichlet():
    p, alpha = np.array([0.2, 0.3, 0.5]), np.array([1.5, 2.0, 0.7])
    expected = scipy.stats.dirichlet.pdf(p, alpha)
    np.testing.assert_allclose(stats.dirichlet.pdf(p, alpha), expected, rtol=1e-13)
    slope = grad(lambda a: stats.dirichlet.pdf(p, a))(alpha)
    by_log = grad(lambda a: stats.dirichlet.logpdf(p, a))(alpha)
    np.testing.assert_allclose(slope, expected * by_log, rtol=1e-13)


def test_multivariate_normal_that_allows_singular_covariances():
    """SciPy's parameter is taken; the derivative by a singular covariance is refused."""
    x, full = np.array([0.3, -0.2]), np.array([[1.0, 0.4], [0.4, 0.5]])
    logpdf = stats.multivariate_normal.logpdf
    value = logpdf(x, np.zeros(2), full, allow_singular=True)
    assert abs(value - scipy.stats.multivariate_normal.logpdf(x, np.zeros(2), full)) < 1e-14
    with pytest.raises(NoRuleError, match="multiple of the identity"):
        grad(lambda c: logpdf(x, np.zeros(2), np.ones((2, 2)) * c, allow_singular=True))(1.0)


def test_the_density_of_a_singular_normal_distribution():
    """On the plane in which it varies: SciPy's values, and slopes by differences along it."""
    half = np.array([[1.0, 0.2], [0.3, 0.8], [0.5, -0.4]])
    cov, mean = half @ half.T, np.array([0.1, -0.2, 0.3])
    theirs = scipy.stats.multivariate_normal
    ours = stats.multivariate_normal
    z = np.array([0.4, -0.7])
    for name in ("logpdf", "pdf"):
        f, g = getattr(ours, name), getattr(theirs, name)
        points = mean + np.array([[0.3, 0.1], [-0.5, 0.2]]) @ half.T
        np.testing.assert_allclose(
            f(points, mean, cov, allow_singular=True),
            g(points, mean, cov, allow_singular=True), rtol=1e-10,
        )  # fmt: skip
        along = lambda z, f=f: f(mean + half @ z, mean, cov, allow_singular=True)  # noqa: E731
        with pytest.warns(NonDifferentiableWarning, match="plane"):
            slope = grad(along)(z)
        steps = [1e-5 * np.eye(2)[k] for k in range(2)]
        expected = [(along(z + s) - along(z - s)) / 2e-5 for s in steps]
        np.testing.assert_allclose(slope, expected, rtol=1e-8)
        with pytest.warns(NonDifferentiableWarning, match="plane"):
            by_mean = grad(lambda m, f=f: f(mean, m, cov, allow_singular=True))(mean)
        np.testing.assert_allclose(by_mean, 0.0, atol=1e-12)
    outside = mean + np.array([0.3, 0.1]) @ half.T + np.linalg.svd(half)[0][:, 2]
    assert ours.logpdf(outside, mean, cov, allow_singular=True) == -np.inf
    with pytest.raises(ValueError, match="negative"):
        ours.logpdf(mean, mean, np.diag([1.0, 0.0, -1.0]), allow_singular=True)
