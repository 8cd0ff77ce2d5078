"""Jeffreys' prior of several classes: weights over six decades, few rows, many columns."""

import numpy as np
import pytest
from mpmath import mp

from mcmodels import FirthLogisticRegression
from mcmodels.objectives import LinearPredictorObjective, SoftmaxCrossEntropy
from mcmodels.objectives.jeffreys import JeffreysObjective, Prior
from mcmodels.rows import ArrayRows
from tests import jeffreys_in_mpmath as exact


def problem(seed):
    """Rows with weights of 1e-3 to 1e3, often no more than parameters, often separated."""
    rng = np.random.default_rng(seed)
    n, p, K = int(rng.integers(6, 80)), int(rng.integers(1, 6)), int(rng.integers(3, 6))
    X = rng.normal(size=(n, p)) if seed % 2 else rng.integers(-2, 3, (n, p)).astype(float)
    y = rng.integers(0, K, n)
    w = 10.0 ** (rng.integers(-3, 4, n) if seed % 3 else rng.uniform(-3, 3, n))
    if seed % 4 == 0:
        y = (X @ rng.normal(size=(p, K))).argmax(axis=1)
    return X, np.unique(y, return_inverse=True)[1], w


# In these, steps ended where the information had no digits left, or where none was short enough;
# in the last four, the path is a valley of hundreds of linear predictors, or a ridge on which the
# curvature is a hundredth of the information's: more than 100 steps of one length.
HARD = (77, 108, 123, 340, 446, 450, 591, 598, 947, 988, 375, 2065, 3279, 3468)


@pytest.mark.parametrize("seed", HARD)
def test_weights_of_many_sizes(seed):
    """They converge, to a point at which 40 digits show no slope in any direction that is tried."""
    X, y, w = problem(seed)
    model = FirthLogisticRegression().fit(X, y, w)
    assert model.status_ == "converged"
    assert model.n_iter_[0] <= 50
    K, rng = len(model.classes_), np.random.default_rng(seed)
    D = np.column_stack([X, np.ones(len(X))])
    params = (model.params_[1:] - model.params_[0]).ravel()
    value = exact.objective_of_classes(D, y, w, K)
    for _ in range(2):
        step = rng.normal(size=params.shape)
        # A change of the largest predictor by 1e-5.
        step *= 1e-5 / np.abs(D @ step.reshape(K - 1, -1).T).max()
        with mp.workdps(exact.DIGITS):
            low, mid, high = (
                value([mp.mpf(a) + t * mp.mpf(b) for a, b in zip(params, step, strict=True)])
                for t in (-1, 0, 1)
            )
            slope, curvature = float(high - low) / 2, float(high + low - 2 * mid)
        # The Newton step along the line is at most 1e-8 of a predictor.
        assert curvature > 0
        assert abs(slope) < 1e-3 * curvature


@pytest.mark.parametrize("seed", range(5))
def test_generated_data(seed):
    for k in range(20):
        X, y, w = problem(20 * seed + k)
        if y.max() > 1:
            model = FirthLogisticRegression().fit(X, y, w)
            assert model.status_ == "converged", 20 * seed + k


def test_the_reference_does_not_depend_on_the_class_that_is_left_out():
    """``log det`` over parameters that sum to zero, by an orthonormal basis of them."""
    rng = np.random.default_rng(0)
    X, y, w = rng.normal(size=(30, 2)), rng.integers(0, 4, 30), rng.uniform(0.5, 2, 30)
    params = rng.normal(size=(4, 3))
    params -= params.mean(axis=0)
    objective = JeffreysObjective(ArrayRows(X, y, w), SoftmaxCrossEntropy(), Prior(None))
    basis = np.linalg.svd(np.ones((1, 4)))[2][1:]
    B = np.kron(basis, np.eye(3))
    log_det = np.linalg.slogdet(B @ objective.information(params) @ B.T)[1]
    root, _ = objective.information_root(params)
    losses = LinearPredictorObjective(objective.rows, objective.loss).value(params)
    assert objective.value(params) == pytest.approx(losses - log_det / 2, rel=1e-12)
    # A generalized inverse: between parameters that sum to zero it is the inverse.
    inverse = B @ root @ root.T @ B.T
    np.testing.assert_allclose(
        np.linalg.inv(inverse), B @ objective.information(params) @ B.T, rtol=1e-9
    )
