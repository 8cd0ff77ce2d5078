"""Eigenpairs by a Gram matrix in float32: as exact as float64, or refused."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from mcmodels import PCA
from mcmodels.solvers import single_gram
from mcmodels.solvers.single_gram import eigenpairs_of_rows

ROWS, COLUMNS, COUNT, STEPS = 600, 700, 5, 40
# A sum of COLUMNS products, relative to the largest eigenvalue.
ROUNDING = COLUMNS * np.finfo(float).eps

SPECTRA = {
    "geometric": 0.9 ** np.arange(ROWS),
    "polynomial": 1 / np.arange(1, ROWS + 1),
    "spiked": np.r_[[50, 40, 30, 20, 15], np.ones(ROWS - 5)],
    "repeated": np.r_[5, 5, 5, 4, 4, 3, np.full(ROWS - 6, 0.5)],
    "tiny gaps": np.r_[5, 5 - 1e-9, 4, 4 - 1e-10, 3, 2, np.full(ROWS - 6, 0.5)],
}


def with_eigenvalues(values, seed=0):
    """Rows F with these eigenvalues of FFᵀ; reflections mix rows and columns."""
    rng = np.random.default_rng(seed)
    F = np.zeros((ROWS, COLUMNS))
    np.fill_diagonal(F, np.sqrt(values))
    for _ in range(3):
        u, v = rng.standard_normal(ROWS), rng.standard_normal(COLUMNS)
        F -= np.outer(u, 2 / (u @ u) * (u @ F))
        F -= np.outer(F @ v, 2 / (v @ v) * v)
    return F


def found(F, count=COUNT, steps=STEPS):
    return eigenpairs_of_rows(F, count, np.square(F).sum(axis=0), steps)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("name", SPECTRA)
def test_eigenvalues_have_the_digits_of_float64(name, scale):
    values = np.sort(SPECTRA[name])[::-1] * scale**2
    F = with_eigenvalues(values)
    pairs = found(F)
    assert pairs is not None
    assert pairs.converged
    # The proof is for 1e-9; beyond it is the rounding of products in float64.
    errors = np.abs(pairs.values - values[:COUNT])
    assert np.all(errors <= 1e-9 * values[:COUNT] + ROUNDING * values[0])
    V = pairs.vectors
    np.testing.assert_allclose(V.T @ V, np.eye(COUNT), atol=ROUNDING)
    residual = F @ (F.T @ V) - V * pairs.values
    # Float32 leaves 5e-8 and more. Two corrections take at least nine tenths of it each, or all.
    assert np.linalg.norm(residual, 2) <= 5e-9 * values[0]


def test_a_spectrum_that_float32_cannot_hold_is_left_to_float64():
    for share in (1e-4, 1e-8, 1e-14, 0.0):
        values = np.r_[1.0, np.full(COUNT + 1, share), np.full(ROWS - COUNT - 2, share / 2)]
        assert found(with_eigenvalues(values)) is None


@pytest.mark.parametrize("scale", [1e-160, 1e-30, 1e30, 1e150])
def test_rows_beyond_the_range_of_float32_are_left_to_float64(scale):
    assert found(with_eigenvalues(SPECTRA["spiked"]) * scale) is None


def test_too_few_steps_are_not_converged():
    pairs = found(np.random.default_rng(0).standard_normal((ROWS, COLUMNS)), steps=6)
    assert pairs is not None
    assert not pairs.converged


@pytest.mark.parametrize("place", [0, 2, COUNT - 1, COUNT, ROWS - 1])
@pytest.mark.parametrize("error", [-1.0, 1.0])
def test_a_gram_matrix_with_a_large_error_proves_nothing(monkeypatch, place, error):
    """An eigenvalue that is missing from G, or that is in G alone, is noticed."""
    F = with_eigenvalues(SPECTRA["polynomial"])
    values, U = np.linalg.eigh(F @ F.T)
    values, u = values[::-1], U[:, ROWS - 1 - place]
    exact = single_gram._single_gram
    size = max(values[place], values[COUNT])

    def wrong(parts):
        return exact(parts) + error * size * np.outer(u, u)

    monkeypatch.setattr(single_gram, "_single_gram", wrong)
    assert found(F) is None


@pytest.mark.parametrize("rank", [1, 3, 200])
def test_the_distance_is_seldom_too_small(monkeypatch, rank):
    """The bound on the norm of a matrix, at probabilities that can be counted."""
    rng = np.random.default_rng(rank)
    trials, width = 3000, 12
    sizes = np.ones(rank) / np.sqrt(rank)  # Frobenius' norm is one
    for probability in (0.5, 0.1, 0.01):
        monkeypatch.setattr(single_gram, "FAILURE", probability)
        bounds = [
            single_gram._distance(rng.standard_normal((width, rank)) * sizes) for _ in range(trials)
        ]
        seldom = np.mean(np.array(bounds) < 1.0)
        # Three standard errors of the share that is counted.
        assert seldom <= probability + 3 * np.sqrt(probability / trials)


def test_components_of_wide_data_are_those_of_the_whole_problem():
    """With weights, far from zero, and in units of their own."""
    rng = np.random.default_rng(5)
    X = rng.standard_normal((1300, 1500)) * np.linspace(2, 1, 1500) + 100.0
    weights = rng.integers(1, 4, 1300).astype(float)
    few = PCA(4).fit(X, sample_weight=weights)
    whole = PCA(4, solver="eigh").fit(X, sample_weight=weights)
    assert few.solver_ == "krylov"
    np.testing.assert_allclose(few.explained_variance_, whole.explained_variance_, rtol=1e-9)
    np.testing.assert_allclose(few.noise_variance_, whole.noise_variance_, rtol=1e-12)


def test_the_number_of_threads_does_not_matter():
    X = np.random.default_rng(6).standard_normal((1250, 1300))
    many = PCA(3).fit(X)
    with threadpool_limits(1):
        one = PCA(3).fit(X)
    np.testing.assert_array_equal(one.components_, many.components_)
    assert one.solver_ == "krylov"
