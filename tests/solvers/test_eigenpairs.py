"""The leading eigenpairs of a matrix, however many of its eigenvalues are equal."""

import numpy as np
import pytest

from mcmodels import PCA
from mcmodels.solvers.eigenpairs import leading_eigenpairs
from tests.problems import orthonormal


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [20, 50])
def test_equal_eigenvalues_are_all_found(size, count):
    """LAPACK finds no eigenvalue, or too few, of one in six such matrices."""
    for seed in range(60):
        V = orthonormal(np.random.default_rng(seed), 2 * size, size)
        S = V.T @ V  # the identity, but for rounding
        pairs = leading_eigenpairs(S, count)
        # Rounding of the products and of the eigenvalues: some multiples of the size times ε.
        tolerance = 10 * size * np.finfo(float).eps
        np.testing.assert_allclose(pairs.values, np.ones(count), atol=tolerance)
        np.testing.assert_allclose(pairs.vectors.T @ pairs.vectors, np.eye(count), atol=tolerance)
        np.testing.assert_allclose(S @ pairs.vectors, pairs.vectors, atol=tolerance)


@pytest.mark.parametrize("shape", [(120, 20), (21, 40)])
def test_components_of_sphered_rows_have_their_variance(shape):
    """With more rows than columns and with fewer: all variances are one."""
    n, p = shape
    for seed in range(40):
        rng = np.random.default_rng(seed)
        Q, _ = np.linalg.qr(np.column_stack([np.ones(n), rng.standard_normal((n, min(n - 1, p)))]))
        X = Q[:, 1:] * np.sqrt(n - 1) @ orthonormal(rng, p, min(n - 1, p)).T
        model = PCA(2).fit(X)
        np.testing.assert_allclose(model.explained_variance_, 1.0, rtol=1e-12)
        assert model.rank_ == 2
