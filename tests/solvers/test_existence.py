"""Steps that prove that a cross-entropy has a minimum: which rows and columns count."""

import numpy as np
import pytest

from mcmodels.objectives import BinaryCrossEntropy, LinearPredictorObjective
from mcmodels.rows import ArrayRows
from mcmodels.solvers.existence import MinimumProof
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
