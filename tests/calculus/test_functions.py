"""Special functions, choices, norms and functions of matrices: values, kinks, texts, refusals."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest
import scipy.linalg
import scipy.special
import scipy.stats
from mpmath import mp

from mcmodels import calculus as mc
from mcmodels.calculus import (
    DerivativeError,
    EvaluationError,
    NonDifferentiableWarning,
    ParseError,
    ShapeError,
    matrix,
    parse,
    scalar,
    vector,
)

RNG = np.random.default_rng(7)
x, y = vector("x", "n"), vector("y", "n")
X, A, B = matrix("X", "m", "n"), matrix("A", "n", "n"), matrix("B", "n", "n")
S = matrix("S", "n", "n", symmetric=True)
P = matrix("P", "n", "n", positive_definite=True)
a, t = scalar("a"), scalar("t")

AT = {
    "x": np.array([-1.3, 0.4, 2.1]),
    "y": np.array([0.2, 0.9, -1.1]),
    "X": RNG.standard_normal((4, 3)),
    "A": RNG.standard_normal((3, 3)),
    "B": RNG.standard_normal((3, 3)),
    "a": 0.7,
    "t": 0.3,
}
AT["S"] = AT["A"] + AT["A"].T
AT["P"] = AT["A"] @ AT["A"].T + np.eye(3)

# Both sides are one call of NumPy or SciPy on numbers near 1.
ROUNDING = 1e-13


def given(expression):
    return {symbol.name: AT[symbol.name] for symbol in expression.known if symbol.name in AT}


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


# -- kinks ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "at", "slope"),
    [
        (mc.maximum(t, 0), 0.0, 0.0),
        (mc.maximum(0, t), 0.0, 1.0),
        (mc.minimum(t, 2 * t), 0.0, 2.0),
        (mc.clip(t, -1, 1), 1.0, 0.0),
        (mc.clip(t, -1, 1), -1.0, 0.0),
        (mc.where(t > 0, 3 * t, 5 * t), 0.0, 5.0),
        (mc.where(t >= 0, 3 * t, 5 * t), 0.0, 3.0),
        (mc.where(t < 0, 3 * t, 5 * t), 0.0, 5.0),
        (mc.where(t <= 0, 3 * t, 5 * t), 0.0, 3.0),
        (mc.norm(t, 1), 0.0, 0.0),
    ],
    ids=str,
)
def test_at_a_kink_the_documented_slope_and_a_warning(f, at, slope):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f.evaluate(t=at)  # a value has no kink
    with pytest.warns(NonDifferentiableWarning):
        assert f.gradient(t).evaluate(t=at) == slope


def test_the_largest_of_equal_entries():
    G = mc.amax(x).gradient(x)
    with pytest.warns(NonDifferentiableWarning, match="more than once"):
        np.testing.assert_array_equal(G.evaluate(x=[1.0, 2.0, 2.0]), [0, 1, 0])
    np.testing.assert_array_equal(G.compile()(x=[1.0, 2.0, 2.0]), [0, 1, 0])


def test_maximum_with_zero_is_relu():
    f, g = mc.sum(mc.maximum(x, 0)), mc.sum(mc.relu(x))
    assert f.gradient(x) == g.gradient(x)


@pytest.mark.parametrize(
    ("f", "note"),
    [
        (mc.sum(mc.maximum(x, y)), "where its arguments are equal"),
        (mc.sum(mc.hypot(x, y)), "both its arguments are 0"),
        (mc.sum(mc.where(x > 0, x, y)), "the two sides of its condition"),
        (mc.amax(x), "more than once"),
    ],
    ids=str,
)
def test_a_derivation_notes_kinks(f, note):
    derivation = f.derivation(x)
    assert note in str(derivation)
    assert derivation.check() < 1e-9
    assert derivation.steps[-1].after == f.gradient(x)


def test_there_is_no_derivative_where_hypot_is_zero():
    with pytest.raises(EvaluationError):
        mc.hypot(t, a).gradient(t).evaluate(t=0, a=0)


# -- parts that are not chosen ----------------------------------------------------------------

ENTROPY = mc.where(x > 0, x * mc.log(x), 0)


def test_what_is_not_chosen_may_be_undefined():
    at = np.array([-1.0, 0.0, 2.0])
    f = mc.sum(ENTROPY)
    value, slope = 2 * np.log(2), np.array([0, 0, np.log(2) + 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", NonDifferentiableWarning)
        assert f.evaluate(x=at) == pytest.approx(value)
        assert f.compile()(x=at) == pytest.approx(value)
        for G in (f.gradient(x), f.derivation(x).steps[-1].after):
            np.testing.assert_allclose(G.evaluate(x=at), slope)
            np.testing.assert_allclose(G.compile()(x=at), slope)
        H = f.hessian(x)
        np.testing.assert_allclose(H.evaluate(x=at), np.diag([0, 0, 0.5]))
        np.testing.assert_allclose(H.compile()(x=at), np.diag([0, 0, 0.5]))


def test_what_is_chosen_may_not_be_undefined():
    for f in (mc.where(x < 0, mc.log(x), 0), mc.where(x > 0, x, mc.log(x))):
        with pytest.raises(EvaluationError):
            mc.sum(f).evaluate(x=[-1.0, 2.0])
        with pytest.raises(EvaluationError):
            mc.sum(f).compile()(x=[-1.0, 2.0])
    # Inside a branch entries may be mixed: what is undefined then reaches all of them.
    with pytest.raises(EvaluationError):
        mc.sum(mc.where(x > 0, mc.ones("n") * mc.sum(mc.log(x)), 0)).evaluate(x=[-1.0, 2.0])
    # Undefined beside the choice, not inside it.
    with pytest.raises(EvaluationError, match="log"):
        (mc.sum(ENTROPY) + mc.sum(mc.log(x))).evaluate(x=[-1.0, 2.0])


# -- matrices ----------------------------------------------------------------


def test_matrix_functions_in_normal_form():
    one = mc.eye("n")
    assert mc.expm(mc.zeros("n", "n")) == one
    assert mc.sqrtm(one) == one
    assert mc.logm(one) == mc.zeros("n", "n")
    assert mc.expm(mc.diag(x)) == mc.diag(mc.exp(x))
    assert mc.expm(A.T) == mc.expm(A).T
    assert mc.expm(t) == mc.exp(t)
    assert mc.pinv(2 * X) == 0.5 * mc.pinv(X)
    assert mc.pinv(mc.pinv(X)) == X
    assert mc.solve(A, x) == mc.inv(A) @ x
    assert mc.expm(S).T == mc.expm(S)


def test_derivatives_in_closed_form():
    assert mc.trace(mc.expm(A)).gradient(A) == mc.expm(A).T
    assert mc.trace(mc.logm(P)).gradient(P) == mc.inv(P)
    assert mc.sum(mc.expm(t * A)).gradient(t) == mc.sum(mc.expm(t * A) @ A)
    V, e = mc.eigvecsh(S), mc.unit(-1, "n")
    assert mc.eigvalsh(S)[-1].gradient(S) == V @ mc.diag(e) @ V.T
    assert mc.norm(X, "nuc").gradient(X) == mc.polar(X)


@pytest.mark.parametrize("order", [1, 2])
def test_symmetric_functions_of_eigenvalues(order):
    """Σλᵏ is tr Sᵏ, and Σ log λ is log det."""
    k = order + 1
    pairs = [
        (mc.sum(mc.eigvalsh(S) ** k), mc.trace(mc.matrix_power(S, k)), S),
        (mc.sum(mc.log(mc.eigvalsh(P))), mc.logdet(P), P),
    ]
    for f, g, at in pairs:
        value = {at.name: AT[at.name]}
        one, other = (h.gradient(at) if order == 1 else h.hessian(at) for h in (f, g))
        D = np.eye(3).ravel()
        found, expected = one.evaluate(**value), other.evaluate(**value)
        if order == 2:  # both for symmetric directions alone
            found, expected = D @ found @ D, D @ expected @ D
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


def test_repeated_eigenvalues_are_refused():
    G = mc.eigvalsh(S)[0].gradient(S)
    with pytest.raises(EvaluationError, match="two eigenvalues coincide"):
        G.evaluate(S=np.eye(3))
    with pytest.raises(np.linalg.LinAlgError, match="two eigenvalues coincide"):
        G.compile()(S=np.eye(3))
    assert mc.eigvalsh(S)[0].evaluate(S=np.eye(3)) == 1


def test_matrices_without_a_value_are_refused():
    for f in (mc.logm, mc.sqrtm):
        for bad in (-np.eye(3), np.zeros((3, 3)), np.diag([1.0, 2.0, -3.0])):
            with pytest.raises(EvaluationError, match="neither 0 nor negative"):
                mc.sum(f(A)).evaluate(A=bad)
        with pytest.raises((np.linalg.LinAlgError, EvaluationError)):
            mc.sum(f(A)).compile()(A=np.diag([1.0, 2.0, -3.0]))
    G = mc.norm(X, "nuc").gradient(X)
    with pytest.raises(EvaluationError, match="full rank"):
        G.evaluate(X=np.ones((3, 2)))
    with pytest.raises(np.linalg.LinAlgError, match="full rank"):
        G.compile()(X=np.ones((3, 2)))


@pytest.mark.parametrize(
    ("derive", "message"),
    [
        (lambda: mc.norm(X, "nuc").hessian(X), "a gradient, and no Hessian"),
        (lambda: mc.sum(mc.expm(A) * B).hessian(A), r"expm\(A.*no second one in closed form"),
        (lambda: mc.sum(mc.logm(A)).hessian(A), r"trace\(logm\(…\)\) has both"),
    ],
)
def test_second_derivatives_that_have_no_closed_form_are_refused(derive, message):
    with pytest.raises(DerivativeError, match=message):
        derive()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: mc.eigvalsh(A), r"Declare it with symmetric=True, or take eigvalsh\(\(A \+ A.T"),
        (lambda: mc.expm(X), "expm needs a square matrix; found m×n"),
        (lambda: mc.maximum(x, X), "maximum needs equal shapes, or scalars; found vector of n"),
        (lambda: mc.where(x, x, y), "the condition of where is a comparison such as x > 0"),
        (lambda: mc.where(x == y, x, y), "== and != compare how two expressions are written"),
        (lambda: mc.solve(A, X), "as many rows on both sides"),
        (lambda: mc.solve(X, x), "solve needs a square matrix"),
        (lambda: mc.norm(x, 0.5), "the order of a norm is at least 1"),
        (lambda: mc.norm(X, 3), "1, 2, inf, 'fro' or 'nuc'"),
        (lambda: mc.norm(a, "nuc"), "that of a matrix"),
        (lambda: mc.norm(x, "two"), "a number or inf"),
        (lambda: mc.polygamma(-1, x), "a whole number of at least 0"),
        (lambda: mc.reciprocal_gaps(X), "takes a vector"),
        (lambda: mc.expm_frechet(A, matrix("K", "k", "k")), "two matrices of one size"),
    ],
)
def test_wrong_arguments_are_refused(build, message):
    with pytest.raises(ShapeError, match=message):
        build()


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


def test_comparisons_have_no_truth_value():
    with pytest.raises(TypeError, match=r"where\(x > y, …\), and write maximum\(x, y\)"):
        bool(x > y)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (a >= 0.7, [True, True, True]),
        ((a < 0.5) * (x > 0), [False, False, False]),
        ((x >= 0.4) * (x >= 0.4), [False, True, True]),
        ((a > 0.5) * (x > 0) * (y <= 0), [False, False, True]),
        (((x > 0).T).T, [False, True, True]),
        (x[0] < x[1], [True, True, True]),
    ],
    ids=str,
)
def test_conditions_of_every_form(condition, holds):
    f = mc.where(condition, x, -y)
    np.testing.assert_array_equal(f.evaluate(**given(f)), np.where(holds, AT["x"], -AT["y"]))
    np.testing.assert_array_equal(f.compile()(**given(f)), np.where(holds, AT["x"], -AT["y"]))
    assert parse(str(f), a="scalar", x="n", y="n") == f


def test_products_with_a_pseudoinverse():
    M = mc.pinv(X)
    shorter = [
        (X @ M @ X, X),
        (M @ X @ M, M),
        (X.T @ M.T @ X.T, X.T),
        (M.T @ X.T @ M.T, M.T),
        (M @ X @ X.T, X.T),
        (X @ M @ M.T, M.T),
        (X.T @ X @ M, X.T),
        (M.T @ M @ X, M.T),
        ((X @ M).T, X @ M),
        ((M @ X).T, M @ X),
        ((X @ M).T @ (X @ M), X @ M),
    ]
    for product, expected in shorter:
        assert product == expected
    full, low = AT["X"], np.outer(AT["x"], AT["y"])
    for value in (full, low):
        inverse = np.linalg.pinv(value)
        np.testing.assert_allclose((X @ M).evaluate(X=value), value @ inverse, atol=1e-12)
        np.testing.assert_allclose(
            (M @ X @ X.T).evaluate(X=value), inverse @ value @ value.T, atol=1e-12
        )


WEIGHTS = [
    mc.polygamma(1, x),
    mc.polygamma(2, x),
    mc.maximum(x, y),
    mc.maximum(x, mc.exp(y)),
    mc.minimum(x, 1),
    mc.minimum(mc.exp(x), mc.exp(y)),
    mc.hypot(x, y),
    mc.where(x > y, mc.exp(x), 2),
    mc.where(x > y, mc.exp(x), -2),
    mc.amax(y) * mc.exp(x),
    mc.amax(-mc.exp(x)) * mc.exp(y),
    mc.hardmax(x),
]


@pytest.mark.parametrize("weights", WEIGHTS, ids=str)
def test_weighted_cross_products_whatever_the_signs(weights):
    """A root of the weights is taken only where none is negative."""
    f = X @ mc.diag(weights) @ X.T
    expected = (AT["X"] * weights.evaluate(**given(weights))) @ AT["X"].T
    # Sums of three products of numbers below 1e3.
    np.testing.assert_allclose(f.compile()(**given(f)), expected, rtol=0, atol=1e-10)


def test_kinks_inside_a_branch_that_is_chosen_are_still_said():
    f = mc.where(t > 0, mc.relu(t - 1) * mc.log(t), 0)
    with pytest.warns(NonDifferentiableWarning, match=r"step\(t - 1\)"):
        f.gradient(t).evaluate(t=1.0)


def test_a_system_with_an_exponential_is_solved_by_cholesky():
    assert "cho_solve" in (mc.inv(mc.expm(S)) @ x).compile().source
    f = mc.inv(mc.expm(S) + P) @ x
    np.testing.assert_allclose(
        f.compile()(**given(f)),
        np.linalg.solve(scipy.linalg.expm(AT["S"]) + AT["P"], AT["x"]),
        rtol=1e-11,
    )


def test_determinants_of_an_exponential():
    """det exp A = exp tr A."""
    assert mc.logdet(mc.expm(A)) == mc.trace(A)
    assert mc.det(mc.expm(A)) == mc.exp(mc.trace(A))
    assert mc.det(mc.expm(A)).evaluate(A=AT["A"]) == pytest.approx(
        np.linalg.det(scipy.linalg.expm(AT["A"])), rel=1e-12
    )
