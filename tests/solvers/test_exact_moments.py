"""Exact moments against rational arithmetic, and the fits that they correct."""

from fractions import Fraction

import numpy as np
import pytest

from mcmodels.rows import ArrayRows, Moments
from mcmodels.solvers import least_squares
from mcmodels.solvers.corrections import by_exact_moments
from mcmodels.solvers.error_estimates import ErrorEstimates
from mcmodels.solvers.exact_moments import ExactMoments, rounding_of_exact_moments


def hard(n, p, condition, seed=0):
    rng = np.random.default_rng(seed)
    U = np.linalg.qr(rng.standard_normal((n, p)))[0]
    V = np.linalg.qr(rng.standard_normal((p, p)))[0]
    X = (U * (np.geomspace(1, 1 / condition, p) * np.sqrt(n))) @ V.T
    return X, (X @ rng.standard_normal((p, 2)) + rng.standard_normal((n, 2)))


def as_fractions(A):
    return [[Fraction(float(v)) for v in row] for row in A]


def exact_scatter(Z, weights, intercept):
    """Scatter about the mean, or about zero, as rationals."""
    Z, w = as_fractions(Z), [Fraction(float(v)) for v in weights]
    q, total = len(Z[0]), sum(w)
    shift = [sum(v * z[j] for v, z in zip(w, Z, strict=True)) / total for j in range(q)]
    centred = [[z[j] - shift[j] * intercept for j in range(q)] for z in Z]
    pairs = list(zip(w, centred, strict=True))
    return [[sum(v * c[j] * c[k] for v, c in pairs) for k in range(q)] for j in range(q)]


def solved(S, b):
    """``S⁻¹ b`` for rationals, by elimination."""
    rows = [[*row, *right] for row, right in zip(S, b, strict=True)]
    for k in range(len(rows)):
        rows[k] = [v / rows[k][k] for v in rows[k]]
        for i in range(len(rows)):
            if i != k:
                rows[i] = [a - rows[i][k] * c for a, c in zip(rows[i], rows[k], strict=True)]
    return [row[len(rows) :] for row in rows]


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("offset", [0.0, 3.0, 1e4])
def test_scatter(weighted, intercept, offset):
    X, Y = hard(40, 3, 100)
    X = X * [1.0, 1e30, 1e-30] + offset * np.array([1.0, 1e30, 1e-30])
    weights = np.random.default_rng(1).random(40) if weighted else None
    if weighted:
        weights[::7] = 0
    rows = ArrayRows(X, Y, weights, intercept=intercept, block_rows=17)
    moments = Moments.of(rows)
    exact = ExactMoments.of(rows, moments if intercept else moments.about_origin())
    expected = exact_scatter(
        np.hstack([X, Y]), np.ones(40) if weights is None else weights, intercept
    )
    lengths = np.sqrt(np.array(expected, dtype=float).diagonal())
    # Each sum has the rounding of the products of entries up to the largest of a column, which is
    # at most so many times the root mean square of the 40; offsets of 1e4 lie in the point x₀.
    bound = 40 * 8 * rounding_of_exact_moments(40)
    for j, row in enumerate(expected):
        for k, value in enumerate(row):
            found = Fraction(exact.scatter.hi[j, k]) + Fraction(exact.scatter.lo[j, k])
            assert abs(found - value) <= bound * lengths[j] * lengths[k]


@pytest.mark.parametrize("condition", [100, 1e3, 1e4])
@pytest.mark.parametrize("shape", [(60, 4), (300, 6)])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("shift", [None, 0.1, 2.0])
def test_fits_have_every_digit(shape, condition, weighted, shift):
    """Sums about zero and about a point near the mean, with an intercept, and without one."""
    X, Y = hard(*shape, condition)
    (n, p), intercept = shape, shift is not None
    X, Y = X + (shift or 0.0), Y - intercept
    weights = np.random.default_rng(1).random(n) if weighted else None
    rows = ArrayRows(X, Y, weights, intercept=intercept)
    moments = Moments.of(rows)
    rough = least_squares._normal(moments if intercept else moments.about_origin(), rows, None)
    fit = by_exact_moments(rough, rows, ErrorEstimates.of(rough, rows)).value
    w = np.ones(n) if weights is None else weights
    design = np.hstack([X, np.ones((n, 1)), Y]) if intercept else np.hstack([X, Y])
    P = p + intercept
    products = exact_scatter(design, w, False)
    params = solved([row[:P] for row in products[:P]], [row[P:] for row in products[:P]])
    for k in range(2):
        for j in range(P):
            # The nearest float64, or its neighbour where the value is nearly halfway.
            found = Fraction(float(fit.params[k, j]))
            assert abs(found - params[j][k]) <= Fraction(np.finfo(float).eps) * abs(params[j][k])
        left = products[P + k][P + k] - sum(products[j][P + k] * params[j][k] for j in range(P))
        # The rounding of a difference of products, and of float64.
        np.testing.assert_allclose(fit.residual_scatter[k, k], float(left), rtol=1e-15)
    scatter = exact_scatter(X, w, intercept)
    identity = [[Fraction(int(i == j)) for j in range(p)] for i in range(p)]
    inverse = solved(scatter, identity)
    variances = [float(inverse[j][j]) for j in range(p)]
    # A root is solved for by a factor of this condition number.
    np.testing.assert_allclose(
        (fit.inverse.root**2).sum(axis=1), variances, rtol=100 * condition * 2.2e-16
    )


def test_a_perfect_fit_needs_residuals_of_the_rows():
    X, _ = hard(60, 4, 1e4)
    rows = ArrayRows(X, X @ np.ones((4, 1)), intercept=True)
    rough = least_squares._normal(Moments.of(rows), rows, None)
    assert by_exact_moments(rough, rows, ErrorEstimates.of(rough, rows)) is None


@pytest.mark.parametrize("scale", [1e-120, 1e120])
def test_lengths_whose_squares_lose_digits(scale):
    X, Y = hard(60, 4, 1e3)
    rows = ArrayRows(X * scale, Y, intercept=True)
    rough = least_squares._normal(Moments.of(rows), rows, None)
    assert by_exact_moments(rough, rows, ErrorEstimates.of(rough, rows)) is None
