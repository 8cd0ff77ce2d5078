"""Sparse Jacobians: the same as dense ones, by fewer sweeps; missing entries are seen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from mcmodels.autodiff import grad, jacobian, sparse_jacobian
from mcmodels.autodiff.recorded import Recorded
from mcmodels.autodiff.reverse import Tape
from mcmodels.autodiff.sparse_jacobians import _colours


def laplacian(x):
    """Tridiagonal, and not linear."""
    inner = x[:-2] - 2 * x[1:-1] + x[2:] + np.sin(x[1:-1]) * x[2:]
    return np.concatenate([x[:1] ** 2, inner, x[-1:] ** 3])


def random_function(seed):
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 12, 2)
    A = rng.standard_normal((m, n)) * (rng.random((m, n)) < 0.25)
    return (lambda x: np.tanh(A @ x) + A @ x**2), rng.standard_normal(n)


@pytest.mark.parametrize("seed", range(30))
def test_random_patterns(seed):
    f, x = random_function(seed)
    dense = jacobian(f)(x)
    found = sparse_jacobian(f)
    # The same sweeps, added: rounding errors of sums of twelve terms.
    np.testing.assert_allclose(found(x).toarray(), dense, atol=1e-13)
    np.testing.assert_allclose(found(2 * x).toarray(), jacobian(f)(2 * x), atol=1e-13)
    given = sparse_jacobian(f, sparse.coo_array(dense != 0))
    np.testing.assert_allclose(given(x).toarray(), dense, atol=1e-13)


def test_a_tridiagonal_jacobian_takes_three_sweeps(monkeypatch):
    n, counts = 200, []
    push, pull = Tape.push, Tape.pull
    monkeypatch.setattr(Tape, "push", lambda *a: (counts.append("push"), push(*a))[1])
    monkeypatch.setattr(Tape, "pull", lambda *a: (counts.append("pull"), pull(*a))[1])
    pattern = sparse.diags_array([np.ones(n - 1), np.ones(n), np.ones(n - 1)], offsets=[-1, 0, 1])
    x = np.linspace(-1.0, 2.0, n)
    found = sparse_jacobian(laplacian, pattern)(x)
    assert len(counts) <= 4  # three, and one that makes sure
    np.testing.assert_allclose(found.toarray(), jacobian(laplacian)(x), atol=1e-13)


def test_rows_are_taken_where_they_need_fewer_sweeps(monkeypatch):
    counts = []
    pull = Recorded.pull
    monkeypatch.setattr(Recorded, "pull", lambda self, u: (counts.append(1), pull(self, u))[1])
    arrow = np.eye(50)
    arrow[0] = 1.0  # one full row: each column shares it with all others
    found = sparse_jacobian(lambda x: arrow @ x**2, arrow)(np.arange(1.0, 51.0))
    assert len(counts) <= 2
    np.testing.assert_array_equal(found.toarray(), arrow * 2 * np.arange(1.0, 51.0))


@pytest.mark.parametrize("seed", range(20))
def test_columns_of_one_colour_share_no_row(seed):
    rng = np.random.default_rng(seed)
    pattern = rng.random(rng.integers(1, 25, 2)) < 0.2
    colours = _colours(sparse.csr_array(pattern))
    assert colours.min() == 0
    for colour in range(colours.max() + 1):
        assert pattern[:, colours == colour].sum(axis=1).max() <= 1


def test_a_pattern_that_misses_an_entry_is_refused():
    n = 30
    x = np.linspace(0.5, 1.5, n)
    missing = np.eye(n) + np.eye(n, k=1) + np.eye(n, k=-1)
    missing[4, 5] = 0.0
    with pytest.raises(ValueError, match="row 4"):
        sparse_jacobian(laplacian, missing)(x)
    with pytest.raises(ValueError, match=r"pattern has shape \(2, 2\)"):
        sparse_jacobian(laplacian, np.ones((2, 2)))(x)


def test_refusals():
    with pytest.raises(ValueError, match=r"function returned of shape \(\)"):
        sparse_jacobian(np.sum)(np.ones(3))
    with pytest.raises(ValueError, match=r"argument is of shape \(2, 2\)"):
        sparse_jacobian(lambda X: X[0])(np.ones((2, 2)))
    with pytest.raises(TypeError, match="use jacobian inside"):
        grad(lambda x: np.sum(sparse_jacobian(np.sin)(x).toarray()))(np.ones(2))


def test_a_function_that_ignores_its_argument():
    found = sparse_jacobian(lambda x: np.ones(3))(np.ones(2))
    assert found.shape == (3, 2)
    assert found.nnz == 0
