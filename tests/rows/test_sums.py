"""Mergeable sums: moments and triangles of parts, added, are those of the whole."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from mcmodels.rows import ArrayRows, ColumnMoments, Moments, RowsCovariance, Triangle
from tests.numerics import relative_error


def exact_moments(Z, w):
    """Mean and scatter in rational arithmetic."""
    Z = [[Fraction(v) for v in row] for row in Z.tolist()]
    w = [Fraction(v) for v in w.tolist()]
    q, W = len(Z[0]), sum(w)
    mean = [sum(wi * z[a] for wi, z in zip(w, Z, strict=True)) / W for a in range(q)]
    scatter = [
        [
            float(sum(wi * (z[a] - mean[a]) * (z[b] - mean[b]) for wi, z in zip(w, Z, strict=True)))
            for b in range(q)
        ]
        for a in range(q)
    ]
    return np.array([float(m) for m in mean]), np.array(scatter)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    block_rows=st.integers(1, 30),
    offset=st.sampled_from([0.0, 1.0, 1e4, 1e8]),
    is_sparse=st.booleans(),
)
def test_moments_against_rational_arithmetic(seed, block_rows, offset, is_sparse):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((25, 3)) + offset
    y = rng.standard_normal((25, 2))
    w = rng.integers(0, 4, 25).astype(float)
    w[0] = 1
    rows = ArrayRows(sparse.csr_array(X) if is_sparse else X, y, w, block_rows=block_rows)
    moments = Moments.of(rows)
    mean, scatter = exact_moments(np.column_stack([X, y]), w)
    assert np.abs(moments.mean - mean).max() < 1e-15 * np.abs(np.column_stack([X, y])).max()
    # The offset costs nothing: entries minus a point near them are exact. A raw sum of squares
    # would lose (1e8)² = 16 digits, and a mean held as one float64 would lose 8.
    assert relative_error(moments.scatter, scatter) < 1e-12
    np.testing.assert_array_equal(moments.scatter, moments.scatter.T)
    assert moments.weight == w.sum()


def test_adding_moments_is_commutative():
    X = np.random.default_rng(0).standard_normal((20, 3))
    first = Moments.of(ArrayRows(X[:10]))
    second = Moments.of(ArrayRows(X[10:]))
    assert relative_error((first + second).scatter, (second + first).scatter) < 1e-14
    assert relative_error((first + second).scatter, 19 * np.cov(X.T)) < 1e-14
    raw = (first + second).about_origin()
    assert relative_error(raw.Sxx, X.T @ X) < 1e-14


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("block_rows", [1, 4, 50])
@pytest.mark.parametrize("n", [3, 5, 20])
def test_triangle_squares_to_the_scatter(intercept, block_rows, n):
    rng = np.random.default_rng(1)
    X, y, w = rng.standard_normal((n, 4)) + 9, rng.standard_normal((n, 1)), rng.uniform(0.5, 2, n)
    rows = ArrayRows(X, y, w, intercept=intercept, block_rows=block_rows)
    moments = Moments.of(rows)
    centre = rng.standard_normal(5) if intercept else np.zeros(5)
    triangle = rows.reduce(Triangle.about(centre))
    expected = moments if intercept else moments.about_origin()
    R = triangle.Rxx
    assert relative_error(R.T @ R, expected.Sxx) < 1e-13
    assert relative_error(R.T @ triangle.Qy, expected.Sxy) < 1e-12
    assert np.array_equal(R, np.triu(R))


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("is_sparse", [True, False])
def test_covariance_through_rows(weighted, is_sparse):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((40, 4)) * (rng.random((40, 4)) < [0.2, 0.6, 1, 1]) + [0, 0, 50, 0]
    w = rng.integers(0, 3, 40) if weighted else None
    S = np.cov(X.T, fweights=w)
    rows = ArrayRows(
        sparse.csr_array(X) if is_sparse else X,
        weights=None if w is None else w * 1.0,
        block_rows=9,
    )
    through = RowsCovariance(rows)
    V = rng.standard_normal((2, 4))
    assert relative_error(through.matrix(), S) < 1e-13
    assert relative_error(through.apply(V), V @ S) < 1e-13


# -- sums against their definitions ----------------------------------------------------------------


def some_rows(offset=3.0, n=40, p=3, m=2):
    """X, y and weights away from one, so that a weight dropped or squared shows."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((n, p)) + offset, rng.standard_normal((n, m)) - offset
    return X, y, rng.uniform(0.3, 3.0, n)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("block_rows", [2, 7, 40])
def test_the_residual_scatter_of_a_triangle(weighted, intercept, block_rows):
    """``Σ wᵢ rᵢ rᵢᵀ`` at coefficients that minimise nothing, the intercept the best for them."""
    X, y, w = some_rows()
    w = w if weighted else np.ones(len(X))
    rows = ArrayRows(X, y, w, intercept=intercept, block_rows=block_rows)
    centre = np.array([1.0, 0.0, 2.0, 0.0, -1.0]) if intercept else np.zeros(5)
    triangle = rows.reduce(Triangle.about(centre))
    coef = np.random.default_rng(1).standard_normal((3, 2))
    residual = y - X @ coef
    if intercept:
        residual = residual - w @ residual / w.sum()
    # A QR of 40 rows; entries near 100.
    np.testing.assert_allclose(
        triangle.residual_scatter(coef), (residual.T * w) @ residual, rtol=1e-12, atol=1e-11
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("block_rows", [7, 40])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_moments_of_columns_about_their_means_and_about_zero(weighted, block_rows, storage):
    X, y, w = some_rows()
    w = w if weighted else None
    rows = ArrayRows(storage(X), y, w, block_rows=block_rows)
    unit, Z = np.ones(len(X)) if w is None else w, np.column_stack([X, y])
    moments, whole = ColumnMoments.of(rows), Moments.of(rows)
    mean = unit @ Z / unit.sum()
    # Forty terms in another order.
    np.testing.assert_allclose(moments.mean, mean, rtol=1e-13)
    np.testing.assert_allclose(moments.squares, unit @ (Z - mean) ** 2, rtol=1e-13)
    about_zero = moments.about_origin()
    assert not about_zero.mean.any()
    np.testing.assert_allclose(about_zero.squares, unit @ Z**2, rtol=1e-13)
    np.testing.assert_allclose(whole.about_origin().scatter, (Z.T * unit) @ Z, rtol=1e-12)


@pytest.mark.parametrize("block_rows", [7, 1000])
def test_covariance_through_rows_of_a_large_offset(block_rows):
    """Whole numbers plus 2⁴⁰: their sum is rounded, and the mean of a thousand of them by 1e-4."""
    rng = np.random.default_rng(0)
    X = rng.integers(-8, 9, (1000, 3)).astype(float)
    V = rng.standard_normal((2, 3))
    exact = np.cov(X.T)
    far = RowsCovariance(ArrayRows(X + 2.0**40, block_rows=block_rows))
    # Each is an exact difference from one point; the mean of differences is rounded at 1e-16.
    np.testing.assert_allclose(far.matrix(), exact, rtol=0, atol=1e-13 * exact.max())
    np.testing.assert_allclose(far.apply(V), V @ exact, rtol=0, atol=1e-12 * exact.max())
