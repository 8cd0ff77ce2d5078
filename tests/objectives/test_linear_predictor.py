"""Hessians of several classes: no more products of rows than are needed, and their right sums."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import softmax

from mcmodels.objectives import BinaryCrossEntropy, LinearPredictorObjective
from mcmodels.objectives.losses import SoftmaxCrossEntropy
from mcmodels.rows import ArrayRows
from mcmodels.rows.blocks import DenseDesign, SparseDesign

ROWS, COLUMNS = 60, 3
STORAGES = {"dense": np.asarray, "sparse": sparse.csr_array}


def problem(n_classes, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((ROWS, COLUMNS)) * [1e-3, 1.0, 30.0] + [0.0, 2.0, -5.0]
    return X, rng.integers(0, n_classes, ROWS), rng.uniform(0.2, 5.0, ROWS)


def parameters(kind, n_classes, intercept):
    """Zeros, zeros but for the intercepts, or all different from zero."""
    rng = np.random.default_rng(1)
    params = rng.standard_normal((n_classes, COLUMNS + intercept)) / 5
    if kind != "any":
        params[:, :COLUMNS] = 0.0
    return 0 * params if kind == "zero" else params


def row_by_row(X, weights, params, penalty, intercept):
    """Σ wᵢ (diag(p) - ppᵀ) ⊗ x̃x̃ᵀ + α on the coefficients, a row at a time."""
    Z = np.column_stack([X, np.ones(len(X))]) if intercept else X
    hessian = np.zeros((params.size, params.size))
    for z, weight in zip(Z, weights, strict=True):
        p = softmax(params @ z)
        hessian += weight * np.kron(np.diag(p) - np.outer(p, p), np.outer(z, z))
    penalised = np.full(params.shape, penalty)
    penalised[:, COLUMNS:] = 0.0
    return hessian + np.diag(penalised.ravel())


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("kind", ["zero", "intercepts", "any"])
@pytest.mark.parametrize("n_classes", [3, 5])
def test_the_hessian_is_the_sum_over_the_rows(n_classes, kind, weighted, intercept, storage):
    X, y, weights = problem(n_classes)
    weights = weights if weighted else np.ones(ROWS)
    given = weights if weighted else None
    rows = ArrayRows(STORAGES[storage](X), y, given, intercept=intercept, block_rows=7)
    objective = LinearPredictorObjective(rows, SoftmaxCrossEntropy(), penalty=0.3)
    params = parameters(kind, n_classes, intercept)
    expected = row_by_row(X, weights, params, 0.3, intercept)
    length = np.sqrt(np.diagonal(expected))
    at = objective.derivatives(params)
    for hessian in (at.hessian, objective.hessian(params)):
        assert np.array_equal(hessian, hessian.T)
        # Sums of 60 rows in another order; the entries are compared with the lengths of columns.
        assert np.abs((hessian - expected) / np.outer(length, length)).max() < 1e-14
    p = softmax(X @ params[:, :COLUMNS].T + (params[:, -1] if intercept else 0.0), axis=1)
    entries = [p[:, k] * p[:, j] for k in range(n_classes) for j in range(k)]
    least = (np.array(entries) * weights).min()
    # A bound, which may not be above the least curvature of any row.
    assert at.least_curvature == pytest.approx(least, rel=1e-12) or at.least_curvature < least


@pytest.mark.parametrize(("kind", "products"), [("zero", 1), ("intercepts", 1), ("any", 6)])
def test_no_product_of_the_rows_is_formed_that_follows_from_others(monkeypatch, kind, products):
    """Of four classes there are ten blocks; six of them, or one at zero, determine all."""
    count = 0
    for design in (DenseDesign, SparseDesign):
        sandwich = design.sandwich

        def counted(self, weights, sandwich=sandwich):
            nonlocal count
            count += 1
            return sandwich(self, weights)

        monkeypatch.setattr(design, "sandwich", counted)
    X, y, weights = problem(4)
    rows = ArrayRows(X, y, weights)
    objective = LinearPredictorObjective(rows, SoftmaxCrossEntropy())
    objective.derivatives(parameters(kind, 4, intercept=True))
    assert count == products


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("offset", [True, False])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_remainder_is_what_the_hessian_leaves_out_of_the_gradient(
    n_classes, offset, intercept, storage
):
    X, y, weights = problem(n_classes)
    rng = np.random.default_rng(2)
    shape = (COLUMNS + intercept,) if n_classes == 2 else (n_classes, COLUMNS + intercept)
    extras = {"offset": rng.standard_normal((ROWS, *shape[:-1]))} if offset else {}
    loss = BinaryCrossEntropy() if n_classes == 2 else SoftmaxCrossEntropy()
    rows = ArrayRows(STORAGES[storage](X), y, weights, extras, intercept=intercept, block_rows=7)
    objective = LinearPredictorObjective(rows, loss, penalty=0.3)
    params, step = rng.standard_normal(shape) / 5, rng.standard_normal(shape) / 5
    linear = objective.hessian(params) @ step.ravel()
    change = objective.gradient(params + step) - objective.gradient(params)
    found = objective.gradient_remainder(params, step)
    # Terms of the sums are at most |x|; a thousand rounding errors of 60 of them.
    length = (np.abs(X).T @ weights).max()
    assert np.abs(found - (change.ravel() - linear).reshape(shape)).max() < 2e-13 * length
    # It is of second order: half the step leaves about a quarter of it.
    small = [objective.gradient_remainder(params, share * step) for share in (1e-3, 5e-4)]
    assert np.abs(small[0] / 4 - small[1]).max() < 1e-3 * np.abs(small[0]).max()
