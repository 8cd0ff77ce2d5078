"""Steps that prove that a cross-entropy has a minimum: which rows and columns count."""

import numpy as np
import pytest

from mcmodels.objectives import (
    BinaryCrossEntropy,
    LinearPredictorObjective,
    SoftmaxCrossEntropy,
)
from mcmodels.rows import ArrayRows
from mcmodels.solvers.existence import MinimumProof, _bound_of_reach
from mcmodels.solvers.newton_direction import newton_direction
from mcmodels.solvers.recession import curvature_is_everywhere


@pytest.mark.parametrize(("margin", "counts"), [(100.0, True), (740.0, True), (750.0, False)])
def test_a_row_counts_as_long_as_its_loss_is_a_number(margin, counts):
    """exp(-740) is 5e-322, the smallest numbers of float64; exp(-750) is zero."""
    assert (np.exp(-margin) > 0) == counts
    X, y = np.array([[margin], [1.0], [1.0]]), np.array([1, 0, 1])
    proof = MinimumProof(LinearPredictorObjective(ArrayRows(X, y), BinaryCrossEntropy()))
    step = np.array([0.6 / margin, 0.0])
    assert proof.reach(np.array([1.0, 0.0]), step) == pytest.approx(0.6 if counts else step[0])


@pytest.mark.parametrize(("share", "everywhere"), [(1e-5, True), (1e-7, False), (0.0, False)])
def test_curvature_in_every_column_whatever_their_units(share, everywhere):
    """The mean of ℓ″ in a column is its entry of the Hessian over its squares."""
    X = np.random.default_rng(0).normal(size=(50, 2)) * [1e4, 1e-3]
    hessian = np.diag((X**2).sum(axis=0) * [1.0, share])
    assert curvature_is_everywhere(ArrayRows(X, intercept=False), hessian) == everywhere


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("weighted", [False, True])
def test_no_linear_predictor_changes_by_more_than_the_bound(n_classes, weighted):
    """Law: the bound holds for every row and pair of classes, by brute force over all of them."""
    rng = np.random.default_rng([n_classes, weighted])
    loss = BinaryCrossEntropy() if n_classes == 2 else SoftmaxCrossEntropy()
    for _ in range(100):
        n, p = rng.integers(20, 60), rng.integers(1, 5)
        X, y = (
            rng.normal(size=(n, p)) * 10.0 ** rng.uniform(-3, 3, p),
            rng.integers(0, n_classes, n),
        )
        weights = 10.0 ** rng.uniform(-3, 3, n) if weighted else None
        objective = LinearPredictorObjective(
            ArrayRows(X, y, weights), loss, rng.choice([0.0, 0.1]) * np.square(X).mean()
        )
        shape = (p + 1,) if n_classes == 2 else (n_classes, p + 1)
        params = rng.normal(size=shape) / np.append(np.abs(X).max(axis=0), 1.0)
        params -= params.mean(axis=0) if n_classes > 2 else 0.0
        derivatives = objective.derivatives(params)
        direction = newton_direction(objective, params, derivatives)
        eta = np.column_stack([X, np.ones(n)]) @ np.atleast_2d(direction.step).T
        eta = np.column_stack([np.zeros(n), eta]) if n_classes == 2 else eta
        assert np.ptp(eta, axis=1).max() <= _bound_of_reach(derivatives, direction)


@pytest.mark.parametrize("weight", [1e-6, 1.0, 1e6])
def test_the_bound_is_twice_the_change_of_a_single_row(weight):
    """With one row and an intercept, ``δᵀHδ = w p q δ²`` exactly, and the bound has a factor 2."""
    rows = ArrayRows(np.empty((1, 0)), np.array([1]), np.array([weight]))
    objective = LinearPredictorObjective(rows, BinaryCrossEntropy())
    params = np.array([-2.0])
    derivatives = objective.derivatives(params)
    direction = newton_direction(objective, params, derivatives)
    bound = _bound_of_reach(derivatives, direction)
    # Rounding errors of a few operations.
    assert bound == pytest.approx(2 * abs(direction.step[0]), rel=1e-14)


def test_no_bound_where_a_row_has_no_curvature():
    """Its predictor may change by any amount; the walk over the rows then tells."""
    rows = ArrayRows(np.array([[1.0], [800.0]]), np.array([0, 1]))
    objective = LinearPredictorObjective(rows, BinaryCrossEntropy())
    derivatives = objective.derivatives(np.array([1.0, 0.0]))
    assert derivatives.least_curvature == 0
    direction = newton_direction(objective, np.array([1.0, 0.0]), derivatives)
    assert _bound_of_reach(derivatives, direction) == np.inf
