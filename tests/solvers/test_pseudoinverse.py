"""Minimum-norm pseudo-inverses from factors and from Gram matrices, whatever the scaling."""

import mpmath
import numpy as np
import pytest

from mcmodels import LinearRegression
from mcmodels.exceptions import RankDeficiencyWarning
from mcmodels.rows import ArrayRows
from mcmodels.solvers.pseudoinverse import (
    from_factor,
    from_gram,
    rank_tolerance,
    with_left_vectors,
)
from tests.numerics import relative_error


@pytest.mark.parametrize("scales", [np.ones(5), np.geomspace(1e-3, 1e3, 5)])
@pytest.mark.parametrize("rank", [2, 4, 5])
def test_root_of_the_moore_penrose_inverse(scales, rank):
    rng = np.random.default_rng(0)
    M = rng.standard_normal((12, rank)) @ rng.standard_normal((rank, 5)) * scales
    lengths = np.linalg.norm(M, axis=0)
    # NumPy judges the rank on raw columns; these scalings leave its cutoff far below 1e-3.
    expected = np.linalg.pinv(M, rcond=1e-11) @ np.linalg.pinv(M, rcond=1e-11).T
    by_factor = from_factor(M, lengths, 1e-12, np.zeros(5))
    by_gram = from_gram(M.T @ M, lengths, 1e-6)
    for inverse, tolerance in ((by_factor, 1e-8), (by_gram, 1e-5)):
        assert inverse.rank == rank
        assert relative_error(inverse.root @ inverse.root.T, expected) < tolerance
        s = M.T @ rng.standard_normal(12)
        assert relative_error(inverse.apply(s), expected @ s) < tolerance
        assert (inverse.condition == np.inf) == (rank < 5)


def test_columns_of_a_dependency_are_named_and_no_others():
    rng = np.random.default_rng(1)
    M = rng.standard_normal((20, 6))
    M[:, 4] = M[:, 1] * 1e6 - M[:, 3] * 1e6
    inverse = from_factor(M, np.linalg.norm(M, axis=0), 1e-12, np.zeros(6))
    assert inverse.dependent == (1, 3, 4)


@pytest.mark.parametrize(("share", "involved"), [(1e-2, (0, 1, 2)), (1e-4, (0, 2))])
def test_columns_of_a_small_share_in_a_dependency(share, involved):
    """The null vector with unit columns is about (1, share, -1)/√2; 1e-3 of it counts."""
    M = np.linalg.qr(np.random.default_rng(2).standard_normal((20, 4)))[0]
    M[:, 2] = M[:, 0] + share * M[:, 1]
    lengths = np.linalg.norm(M, axis=0)
    assert from_factor(M, lengths, 1e-12, np.zeros(4)).dependent == involved
    assert from_gram(M.T @ M, lengths, 1e-6).dependent == involved


def test_nothing_at_all():
    inverse = from_factor(np.zeros((3, 2)), np.zeros(2), 1e-12, np.zeros(2))
    assert inverse.rank == 0
    np.testing.assert_array_equal(inverse.apply(np.ones(2)), np.zeros(2))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(100, 5), (100_000, 5), (50, 400)])
def test_tolerance_lies_between_noise_and_signal(dtype, shape):
    """Rounded dependent columns fall below it; it stays far below a usable condition."""
    n, p = shape
    rng = np.random.default_rng(2)
    k = min(n, p) // 2 + 1
    X = (rng.standard_normal((n, k)) @ rng.standard_normal((k, p))).astype(dtype)
    tolerance = rank_tolerance(ArrayRows(X))
    singular = np.linalg.svd(
        X.astype(float) / np.linalg.norm(X.astype(float), axis=0), compute_uv=False
    )
    assert singular[k] < tolerance * singular[0] < singular[k - 1] / 10
    assert tolerance < (1e-5 if dtype == np.float32 else 1e-11)


@pytest.mark.parametrize("far", [1e2, 1e5, 1e8, 1e11])
@pytest.mark.parametrize("n", [40, 3000])
@pytest.mark.parametrize("how", ["auto", "pinv", "partial_fit"])
def test_predictions_of_dependent_columns_that_are_ill_conditioned(how, n, far):
    """Products with a column far from zero, and doubled columns: very different units, κ ~ far.

    Integers, so that the columns are exact, and span what well-conditioned ones span.
    """
    rng = np.random.default_rng(n)
    level, d = rng.integers(-1, 2, n), rng.integers(-3, 4, n)
    y = d + rng.standard_normal(n)
    X = np.column_stack([far + level, d, (far + level) * d, 2 * d, 2 * (far + level) * d])
    span = np.column_stack([np.ones(n), level, d, level * d])
    best = span @ np.linalg.lstsq(span, y, rcond=None)[0]
    in_parts = how == "partial_fit"
    model = LinearRegression(solver="auto" if in_parts else how)
    with pytest.warns(RankDeficiencyWarning):
        (model.partial_fit if in_parts else model.fit)(X, y)
    assert model.rank_ == 3
    # A backward stable solution, and products of numbers of the size of far that cancel.
    limit = 50 * np.finfo(float).eps * far
    np.testing.assert_allclose(model.predict(X), best, atol=limit * np.abs(y).max())


@pytest.mark.parametrize("unit", [-14, 0, 14])
def test_the_root_is_the_shortest_in_the_units_of_the_user(unit):
    """Beside the pseudo-inverse of scaled columns of a matrix that is small enough for mpmath."""
    rng = np.random.default_rng(3)
    M = rng.integers(-5, 6, (8, 3)).astype(float)
    M = np.column_stack([M, 2 * M[:, 0], M[:, 1] - M[:, 2]]) * [1.0, 2.0**unit, 1.0, 1.0, 1.0]
    inverse, U = with_left_vectors(M, np.linalg.norm(M, axis=0), 1e-12, np.zeros(5))
    with mpmath.workdps(60):
        exact = mpmath.matrix(M.tolist())
        gram = exact.T * exact
        values, vectors = mpmath.eigsy(gram)
        kept = [k for k in range(5) if values[k] > values[4] * mpmath.mpf(10) ** -40]
        pseudo = sum((vectors[:, k] * vectors[:, k].T / values[k] for k in kept), mpmath.zeros(5))
        expected = np.array((pseudo * exact.T).tolist(), dtype=float)
    assert len(kept) == 3
    # The condition number of M, about 1e4 at the most unequal units, times the rounding error.
    found = inverse.root @ U.T
    np.testing.assert_allclose(found, expected, atol=1e-10 * np.abs(expected).max())
