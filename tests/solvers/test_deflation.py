"""Deflation: hard spectra, and that the leading pair is never passed over."""

import numpy as np
import pytest

from mcmodels.solvers.deflation import deflated_eigenpairs
from mcmodels.solvers.eigenpairs import leading_eigenpairs
from tests.numerics import relative_error
from tests.problems import orthonormal

SPECTRA = {
    "spread": np.geomspace(1, 1e-6, 20),
    "clustered at the top": np.concatenate([[1, 1 - 1e-7, 1 - 2e-7], np.linspace(0.5, 0.1, 17)]),
    "repeated": np.repeat([3.0, 2.0, 1.0, 0.5], 5),
    "deficient": np.concatenate([[5.0, 2.0, 1.0], np.zeros(17)]),
    "flat": np.ones(20),
    "zero": np.zeros(20),
}


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("count", [1, 5, 20])
def test_spectra(name, seed, count):
    rng = np.random.default_rng(seed)
    V = orthonormal(rng, 20, 20)
    S = (V * SPECTRA[name]) @ V.T
    S = (S + S.T) / 2
    pairs = deflated_eigenpairs(S, count, tol=1e-12, random=np.random.RandomState(seed))
    scale = max(SPECTRA[name][0], 1e-300)
    assert pairs.converged
    expected = leading_eigenpairs(S, count)
    np.testing.assert_allclose(pairs.values, np.clip(expected.values, 0, None), atol=1e-12 * scale)
    assert relative_error(pairs.vectors.T @ pairs.vectors, np.eye(count)) < 1e-10
    residual = S @ pairs.vectors - pairs.vectors * pairs.values
    assert np.abs(residual).max() <= 1e-11 * scale


def test_the_matrix_is_not_changed():
    S = np.diag([3.0, 2.0, 1.0])
    before = S.copy()
    deflated_eigenpairs(S, 2, tol=1e-12, random=np.random.RandomState(0))
    np.testing.assert_array_equal(S, before)
