"""Mergeable sums: moments and triangles of parts, added, are those of the whole."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from mcmodels.rows import ArrayRows, Moments, RowsCovariance, Triangle
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
