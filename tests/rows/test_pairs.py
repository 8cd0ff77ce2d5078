"""Pairs of the own class of a row and each other class: against loops over rows."""

import numpy as np
import pytest
from scipy import sparse

from mcmodels.rows import ArrayRows, PairRows, SelectedRows
from mcmodels.rows import pairs as module


def by_loops(X, y, K, reference, weights, offset, intercept):
    """The margins' rows, numbers of their rows, weights and offsets, one at a time."""
    others = [k for k in range(K) if k != reference]
    found = []
    for i, x in enumerate(np.column_stack([X, np.ones(len(X))]) if intercept else X):
        for k in (k for k in range(K) if k != y[i]):
            signs = [(c == y[i]) * 1.0 - (c == k) for c in others]
            found.append((i, np.kron(signs, x), weights[i], offset[i, y[i]] - offset[i, k]))
    return found


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("reference", [0, 2])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_pairs_are_those_of_loops(intercept, reference, storage, monkeypatch):
    rng = np.random.default_rng(0)
    n, K, p = 23, 4, 3
    X, y = rng.integers(-2, 3, (n, p)).astype(float), rng.integers(0, K, n)
    w, offset = rng.choice([0.0, 1, 2], n), rng.normal(size=(n, K))
    rows = ArrayRows(storage(X), y, w, {"offset": offset}, intercept=intercept, block_rows=9)
    for entries in (module.BLOCK_ENTRIES, 100):  # blocks as they are, and in parts of few rows
        monkeypatch.setattr(module, "BLOCK_ENTRIES", entries)
        found = PairRows(rows, K, reference)
        assert found.n_params == (K - 1) * (p + intercept)
        assert not found.intercept
        assert found.n_present == (K - 1) * np.count_nonzero(w)
        assert found.total_weight == pytest.approx((K - 1) * w.sum(), rel=1e-15)
        parts = found.reduce(
            lambda block: [(block.X.dense(), block.y, block.weights, block.extras["offset"])]
        )
        D, weights, offsets = (np.concatenate([part[k] for part in parts]) for k in (0, 2, 3))
        expected = by_loops(X[w > 0], y[w > 0], K, reference, w[w > 0], offset[w > 0], intercept)
        np.testing.assert_array_equal(D, [one[1] for one in expected])
        np.testing.assert_array_equal(weights, [one[2] for one in expected])
        np.testing.assert_array_equal(offsets, [one[3] for one in expected])
        for _, codes, *_ in parts:  # K - 1 pairs of each row, in their order
            np.testing.assert_array_equal(codes, np.repeat(np.arange(len(codes) // 3), 3))


def test_margins_are_differences_of_predictors():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(8, 2)), rng.integers(0, 3, 8)
    params = rng.normal(size=(3, 3))
    eta = X @ params[:, :2].T + params[:, 2]
    for reference in range(3):
        pairs = PairRows(ArrayRows(X, y), 3, reference)
        delta = np.delete(params - params[reference], reference, axis=0).ravel()
        margins = pairs.map(lambda block, d=delta: block.X.predictor(d))
        others = np.array([[k for k in range(3) if k != own] for own in y])
        expected = eta[np.arange(8), y][:, np.newaxis] - np.take_along_axis(eta, others, axis=1)
        np.testing.assert_allclose(margins, expected.ravel(), rtol=1e-13, atol=1e-14)


def test_samples_and_selections_keep_rows_together():
    X, y = np.arange(6000.0).reshape(-1, 1), np.arange(6000) % 3
    rows = PairRows(ArrayRows(X, y), 3, 0)
    sample = rows.sample(400)
    assert 100 < sample.n_present < rows.n_present
    assert sample.n_present % 2 == 0
    few = SelectedRows(rows, lambda block: block.X.dense()[:, 0] > 0)
    assert 0 < few.n_present < rows.n_present
