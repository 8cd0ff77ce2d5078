"""Ellipses: every point at the radius; covariances of loadings by differences of eigenvectors."""

import numpy as np
import pytest
from scipy import stats

from mcmodels import PCA
from mcmodels.inference.ellipses import ellipse, loading_covariances, squared_radius


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_points_lie_at_the_radius(scale):
    V = scale * np.array([[4.0, -1.5], [-1.5, 0.7]])
    c = np.array([3.0, -2.0]) * np.sqrt(scale)
    d = ellipse(c, V, 2.5) - c
    # V has condition number 30: fifteen digits less two.
    np.testing.assert_allclose(np.einsum("ni,ij,nj->n", d, np.linalg.inv(V), d), 6.25, rtol=1e-12)
    np.testing.assert_allclose(d[0], d[-1], atol=1e-14 * np.sqrt(scale) * 10)


def test_radius_covers_two_normal_quantities():
    # P(χ²₂ ≤ q²) = 1 - exp(-q²/2), and F(2, df) by its closed form 1 - (1 + q²/df)^(-df/2).
    assert squared_radius(0.95) == pytest.approx(-2.0 * np.log(0.05), rel=1e-12)
    q = squared_radius(0.9, 7.0)
    assert 1.0 - (1.0 + q / 7.0) ** -3.5 == pytest.approx(0.9, rel=1e-12)


def test_covariances_of_loadings_are_the_delta_method_of_eigenvectors():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 4))
    pca = PCA().fit(X)
    S, nu, axes = np.cov(X.T), 59.0, pca._fit.spectrum.axes
    for pair in ((0, 1), (2, 1), (0, 3)):

        def loadings(S, pair=pair):
            vectors = np.linalg.eigh(S)[1][:, ::-1].T
            signs = np.sign(np.einsum("kj,kj->k", vectors, axes))
            return (signs[:, np.newaxis] * vectors)[list(pair)].ravel()

        # Derivatives by entries of S, kept symmetric; then cov(Sᵢⱼ, Sₖₗ) = (SᵢₖSⱼₗ + SᵢₗSⱼₖ)/ν.
        p, step = 4, 1e-5
        J = np.zeros((8, p * p))
        for i in range(p):
            for j in range(p):
                E = np.zeros((p, p))
                E[i, j] += 0.5 * step
                E[j, i] += 0.5 * step
                J[:, p * i + j] = (loadings(S + E) - loadings(S - E)) / (2.0 * step)
        cov = (np.einsum("ik,jl->ijkl", S, S) + np.einsum("il,jk->ijkl", S, S)) / nu
        expected = J @ cov.reshape(p * p, p * p) @ J.T
        found = loading_covariances(pca._fit.spectrum, *pair)
        for j in range(p):
            block = expected[np.ix_([j, p + j], [j, p + j])]
            # Central differences: errors of step² and of ε/step, both about 1e-10 of the values.
            np.testing.assert_allclose(found[j], block, rtol=1e-6, atol=1e-9)


def test_diagonals_are_the_standard_errors_of_loadings():
    X = np.random.default_rng(2).normal(size=(30, 5)) * [5, 3, 2, 1, 0.5]
    pca = PCA().fit(X)
    found = loading_covariances(pca._fit.spectrum, 0, 2)
    errors = pca.loading_standard_errors_
    np.testing.assert_allclose(np.sqrt(found[:, 0, 0]), errors[0], rtol=1e-13)
    np.testing.assert_allclose(np.sqrt(found[:, 1, 1]), errors[2], rtol=1e-13)
    # A covariance: no correlation beyond one.
    assert (found[:, 0, 1] ** 2 <= found[:, 0, 0] * found[:, 1, 1] * (1 + 1e-12)).all()


def test_coverage_of_ellipses_in_simulations():
    rng = np.random.default_rng(3)
    q2, inside, repetitions = squared_radius(0.9), 0, 400
    true = np.eye(3)
    for _ in range(repetitions):
        pca = PCA().fit(rng.normal(size=(400, 3)) * np.sqrt([8.0, 3.0, 1.0]))
        signs = np.sign(np.diagonal(pca.components_))
        loadings = (signs[:, np.newaxis] * pca.components_)[:2]
        V = loading_covariances(pca._fit.spectrum, 0, 1)
        V[:, 0, 1] *= signs[0] * signs[1]
        V[:, 1, 0] *= signs[0] * signs[1]
        d = loadings[:, 2] - true[:2, 2]  # the column with its own loading in neither component
        inside += d @ np.linalg.inv(V[2]) @ d <= q2
    # Binomial: four standard deviations of 400 draws are 0.06.
    assert stats.binom.sf(inside - 1, repetitions, 0.9) > 3e-5
    assert stats.binom.cdf(inside, repetitions, 0.9) > 3e-5
