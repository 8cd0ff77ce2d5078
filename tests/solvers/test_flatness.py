"""Directions without curvature: which eigenvalues count as zero, and which directions matter."""

from types import SimpleNamespace

import numpy as np
import pytest

from mcmodels.rows import ArrayRows
from mcmodels.solvers.flatness import flat_directions

# Orthonormal columns, so that the metric of the rows is the identity.
X = np.linalg.qr(np.random.default_rng(0).normal(size=(20, 3)))[0]
V = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]


def directions(least, X=X):
    hessian = (V * [4.0, 1.0, 4.0 * least]) @ V.T
    return flat_directions(SimpleNamespace(rows=ArrayRows(X, intercept=False)), hessian)


@pytest.mark.parametrize("least", [0.0, -1e-10, -1e-16])
def test_an_eigenvalue_of_rounding_is_zero(least):
    (found,) = directions(least).T
    assert abs(found @ V[:, 2]) == pytest.approx(1.0, rel=1e-12)
    assert np.sum((X @ found) ** 2) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("least", [-1e-8, 1e-8, -0.5])
def test_curvature_of_either_sign_is_not(least):
    assert directions(least).shape == (3, 0)


def test_a_direction_that_changes_no_predictor_is_left_out():
    within = X @ V[:, :2] @ V[:, :2].T
    assert directions(0.0, within).shape == (3, 0)
