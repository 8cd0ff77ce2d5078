"""Special functions, norms and functions of matrices: values, tails, text and copies."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import scipy.linalg
import scipy.special
from mpmath import mp

from mcmodels import calculus as mc
from mcmodels.calculus import ParseError, ShapeError, parse, scalar
from tests.calculus.function_points import AT, A, B, P, S, X, a, given, x, y

# Both sides are one call of NumPy or SciPy on numbers near 1.
ROUNDING = 1e-13


VALUES = {
    "maximum": (mc.maximum(x, y), lambda v: np.maximum(v.x, v.y)),
    "maximum with a number": (mc.maximum(X, 0.5), lambda v: np.maximum(v.X, 0.5)),
    "minimum": (mc.minimum(x, 2 * y), lambda v: np.minimum(v.x, 2 * v.y)),
    "clip": (mc.clip(x, -1, 1), lambda v: np.clip(v.x, -1, 1)),
    "clip, bounds in the wrong order": (mc.clip(x, 1, -1), lambda v: np.clip(v.x, 1, -1)),
    "hypot": (mc.hypot(x, y), lambda v: np.hypot(v.x, v.y)),
    "where": (mc.where(x > y, x, y**2), lambda v: np.where(v.x > v.y, v.x, v.y**2)),
    "where >=": (mc.where(x >= 0.4, 1, x), lambda v: np.where(v.x >= 0.4, 1, v.x)),
    "where <": (mc.where(x < 0.4, 1, x), lambda v: np.where(v.x < 0.4, 1, v.x)),
    "where <=": (mc.where(x <= 0.4, 1, x), lambda v: np.where(v.x <= 0.4, 1, v.x)),
    "where of two": (
        mc.where((x > 0) * (x < 1), x, -x),
        lambda v: np.where((v.x > 0) & (v.x < 1), v.x, -v.x),
    ),
    "where of a scalar": (mc.where(a > 0.5, X, -X), lambda v: v.X),
    "comparison": ((x > y) * x, lambda v: (v.x > v.y) * v.x),
    "comparison >=": ((0.5 >= x) * x, lambda v: (v.x <= 0.5) * v.x),
    "amax": (mc.amax(X), lambda v: v.X.max()),
    "amin": (mc.amin(X), lambda v: v.X.min()),
    "hardmax": (mc.hardmax(x), lambda v: np.array([0.0, 0.0, 1.0])),
    "norm 1": (mc.norm(x, 1), lambda v: np.linalg.norm(v.x, 1)),
    "norm 2": (mc.norm(x, 2), lambda v: np.linalg.norm(v.x, 2)),
    "norm inf": (mc.norm(x, np.inf), lambda v: np.linalg.norm(v.x, np.inf)),
    "norm 3": (mc.norm(x, 3), lambda v: np.linalg.norm(v.x, 3)),
    "norm 4": (mc.norm(x, 4), lambda v: np.linalg.norm(v.x, 4)),
    "norm 1.5": (mc.norm(x, 1.5), lambda v: np.linalg.norm(v.x, 1.5)),
    "norm of order a + 1": (mc.norm(x, a + 1), lambda v: np.linalg.norm(v.x, v.a + 1)),
    "matrix norm 1": (mc.norm(X, 1), lambda v: np.linalg.norm(v.X, 1)),
    "matrix norm inf": (mc.norm(X, "inf"), lambda v: np.linalg.norm(v.X, np.inf)),
    "matrix norm 2": (mc.norm(X, 2), lambda v: np.linalg.norm(v.X, 2)),
    "matrix norm fro": (mc.norm(X, "fro"), lambda v: np.linalg.norm(v.X, "fro")),
    "matrix norm nuc": (mc.norm(X, "nuc"), lambda v: np.linalg.norm(v.X, "nuc")),
    "norm of a row": (mc.norm(x.T, 1), lambda v: np.abs(v.x).sum()),
    "pinv": (mc.pinv(X), lambda v: np.linalg.pinv(v.X)),
    "pinv of a wide one": (mc.pinv(X.T), lambda v: np.linalg.pinv(v.X.T)),
    "pinv of a vector": (mc.pinv(x), lambda v: np.linalg.pinv(v.x[:, None])),
    "pinv of less than full rank": (
        mc.pinv(x @ y.T),
        lambda v: np.linalg.pinv(np.outer(v.x, v.y)),
    ),
    "solve": (mc.solve(A, x), lambda v: np.linalg.solve(v.A, v.x)),
    "solve a matrix": (mc.solve(A, X.T), lambda v: np.linalg.solve(v.A, v.X.T)),
    "expm": (mc.expm(A), lambda v: scipy.linalg.expm(v.A)),
    "logm": (mc.logm(P), lambda v: scipy.linalg.logm(v.P)),
    "sqrtm": (mc.sqrtm(P), lambda v: scipy.linalg.sqrtm(v.P)),
    "expm_frechet": (
        mc.expm_frechet(A, B),
        lambda v: scipy.linalg.expm_frechet(v.A, v.B, compute_expm=False),
    ),
    "sqrtm_frechet": (
        # Of the Sylvester equation √P L + L √P = B.
        mc.sqrtm_frechet(P, B),
        lambda v: scipy.linalg.solve_sylvester(
            scipy.linalg.sqrtm(v.P), scipy.linalg.sqrtm(v.P), v.B
        ),
    ),
    "eigvalsh": (mc.eigvalsh(S), lambda v: np.linalg.eigvalsh(v.S)),
    "eigenvalue": (mc.eigvalsh(S)[-1], lambda v: np.linalg.eigvalsh(v.S)[-1]),
    "eigenvectors": (
        mc.eigvecsh(S) @ mc.diag(mc.eigvalsh(S)) @ mc.eigvecsh(S).T,
        lambda v: v.S,
    ),
}


class Named:
    def __init__(self, values):
        self.__dict__.update(values)


@pytest.mark.parametrize("name", VALUES)
def test_values_are_those_of_numpy_and_scipy(name):
    expression, peer = VALUES[name]
    expected = peer(Named(AT))
    found = expression.evaluate(**given(expression))
    np.testing.assert_allclose(found, expected, rtol=10 * ROUNDING, atol=ROUNDING)
    compiled = expression.compile()(**given(expression))
    np.testing.assert_allclose(compiled, expected, rtol=10 * ROUNDING, atol=ROUNDING)
    assert np.shape(found) == np.shape(compiled)


@pytest.mark.parametrize("name", VALUES)
def test_text_latex_and_copies(name):
    expression, _ = VALUES[name]
    symbols = {symbol.name: symbol for symbol in expression.symbols}
    assert parse(str(expression), **symbols) == expression
    assert expression.latex().isascii()
    assert pickle.loads(pickle.dumps(expression)) == expression
    assert copy.deepcopy(expression) == expression


# -- tails and limits ----------------------------------------------------------------

# Relative; SciPy promises about 1e-14, and z + φ/Φ loses up to 200² roundings by its difference.
TAILS = {
    "log1p": ([1e-20, -0.999, 1e10], lambda z: mp.log1p(z), 1e-15),
    "expm1": ([1e-20, -700.0, 700.0], mp.expm1, 1e-14),
    "erf": ([1e-20, -3.0, 5.0], mp.erf, 1e-14),
    "erfc": ([-5.0, 10.0, 26.0], mp.erfc, 1e-12),
    "norm_cdf": ([-37.0, 0.0, 8.0], mp.ncdf, 1e-12),
    "norm_logcdf": ([-1e8, -1e4, -30.0, 0.0, 8.0], lambda z: mp.log(mp.ncdf(z)), 1e-12),
    "inverse_mills": (
        [-1e8, -1e4, -30.0, 0.0, 8.0, 30.0],
        lambda z: mp.npdf(z) / mp.ncdf(z),
        1e-12,
    ),
    "inverse_mills_gap": (
        [-1e8, -1e4, -201.0, -199.0, -30.0, 0.0, 8.0, 100.0],
        lambda z: z + mp.npdf(z) / mp.ncdf(z),
        2e-11,
    ),
    "gammaln": ([1e-10, 1e10, -0.5, -3.7], lambda z: mp.log(abs(mp.gamma(z))), 1e-13),
    "digamma": ([1e-10, 1e10, -0.5, -3.7], mp.digamma, 1e-13),
    "gelu": ([-30.0, -1.0, 50.0], lambda z: z * mp.ncdf(z), 1e-12),
}


@pytest.mark.parametrize("name", TAILS)
def test_tails_against_mpmath(name):
    points, peer, tolerance = TAILS[name]
    with mp.workdps(60):
        expected = np.array([float(peer(mp.mpf(point))) for point in points])
    f = getattr(mc, name)(x)
    for found in (f.evaluate(x=points), f.compile()(x=np.array(points))):
        np.testing.assert_allclose(found, expected, rtol=tolerance)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_polygamma_against_mpmath_also_below_zero(k):
    points = [1e-3, 0.5, 30.0, -0.5, -3.7]
    with mp.workdps(40):
        expected = [float(mp.psi(k, mp.mpf(point))) for point in points]
    found = mc.polygamma(k, x).evaluate(x=points)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(mc.polygamma(k, x).compile()(x=points), expected, rtol=1e-12)


def test_the_second_derivative_of_log_phi_far_below_zero():
    # d² log Φ tends to −1; mpmath to 60 digits.
    H = mc.norm_logcdf(a).hessian(a)
    for z in (-1e8, -1e4, -50.0, 0.0, 5.0):
        with mp.workdps(60):
            m = mp.npdf(z) / mp.ncdf(z)
            expected = float(-m * (z + m))
        assert H.evaluate(a=z) == pytest.approx(expected, rel=1e-10)


# -- text ----------------------------------------------------------------

SHAPES = {"x": "n", "y": "n", "X": ("m", "n"), "A": ("n", "n"), "P": "n,n:positive_definite"}


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("where(x > 0, x, 0.1 * x)", mc.where(x > 0, x, 0.1 * x)),
        ("where(x <= y + 1, x, y)", mc.where(x <= y + 1, x, y)),
        ("where((x > 0) * (x < 1), x, 0)", mc.where((x > 0) * (x < 1), x, 0)),
        ("sum((x >= y) * x)", mc.sum((x >= y) * x)),
        ("clip(x, -1, 1)", mc.clip(x, -1, 1)),
        ("norm(x, 1)", mc.norm(x, 1)),
        ("norm(x, inf)", mc.norm(x, "inf")),
        ("norm(X, nuc)", mc.norm(X, "nuc")),
        ("norm(X, fro)", mc.norm(X)),
        ("norm(x, p)", mc.norm(x, scalar("p"))),
        ("polygamma(2, x)", mc.polygamma(2, x)),
        ("solve(A, x)", mc.inv(A) @ x),
        ("trace(expm(A))", mc.trace(mc.expm(A))),
    ],
)
def test_texts(text, same):
    assert parse(text, **SHAPES) == same


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 < x < 1", "a comparison is one of > >= < <= between two expressions"),
        ("where(x == 0, 1, x)", "a comparison is one of"),
        ("where(x, 1, x)", "the condition of where is a comparison"),
        ("norm(x, 2, 3)", "norm takes 1 or 2"),
        ("polygamma(x, x)", "expected a whole number"),
    ],
)
def test_texts_that_are_refused(text, message):
    with pytest.raises((ParseError, ShapeError), match=message):
        parse(text, **SHAPES)
