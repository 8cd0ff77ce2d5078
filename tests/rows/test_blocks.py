"""One suite over every storage: products of design rows against their plain definition."""

import numpy as np
import pytest
from scipy import sparse

from mcmodels.rows import ArrayRows, DenseDesign, RowBlock, SparseDesign
from tests.numerics import relative_error
from tests.problems import storages

ROUNDING = 1e-14  # sums of thirty products


def copied(block):
    """The block with rows of its own: a walk uses its arrays again."""
    X = block.X
    return RowBlock(type(X)(X.X.copy(), intercept=X.intercept), block.y, block.weights)


def rows_of(density):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 4))
    return X * (rng.random((30, 4)) < density)


@pytest.fixture(params=["dense", "sparse"])
def storage(request):
    return (
        DenseDesign
        if request.param == "dense"
        else lambda X, **k: SparseDesign(sparse.csr_array(X), **k)
    )


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("density", [0.2, 1.0])
class TestDesign:
    def design(self, storage, density, intercept):
        X = rows_of(density)
        explicit = np.column_stack([X, np.ones(30)]) if intercept else X
        return storage(X, intercept=intercept), explicit

    @pytest.mark.parametrize("outputs", [None, 1, 3])
    def test_predictor_and_adjoint(self, storage, density, intercept, outputs):
        design, explicit = self.design(storage, density, intercept)
        P = explicit.shape[1]
        rng = np.random.default_rng(1)
        params = rng.standard_normal(P if outputs is None else (outputs, P))
        eta = design.predictor(params)
        assert relative_error(eta, explicit @ params.T) < ROUNDING
        r = rng.standard_normal(eta.shape)
        adjoint = design.adjoint(r)
        assert adjoint.shape == params.shape
        assert relative_error(adjoint, (explicit.T @ r).T) < ROUNDING
        # ⟨X̃θ, r⟩ = ⟨θ, X̃ᵀr⟩
        assert np.vdot(eta, r) == pytest.approx(np.vdot(params, adjoint), rel=1e-12)

    @pytest.mark.parametrize("weighted", [True, False])
    def test_sandwich(self, storage, density, intercept, weighted):
        design, explicit = self.design(storage, density, intercept)
        w = np.random.default_rng(2).uniform(0, 2, 30) if weighted else None
        sandwich = design.sandwich(w).matrix()
        unit = np.ones(30) if w is None else w
        assert relative_error(sandwich, explicit.T @ np.diag(unit) @ explicit) < ROUNDING
        np.testing.assert_array_equal(sandwich, sandwich.T)

    def test_centring_about_any_point(self, storage, density, intercept):
        design, explicit = self.design(storage, density, intercept)
        X = explicit[:, :4]
        for centre in (np.zeros(4), np.array([0.0, 2.0, 0.0, -1.0])):
            assert relative_error(design.centred(centre).dense(), X - centre) < ROUNDING
        near = design.centre_near(X.mean(axis=0))
        kept = np.isin(near, [0.0]) | np.isclose(near, X.mean(axis=0))
        assert kept.all()
        assert relative_error(design.square_sums(), (X**2).sum(axis=0)) < ROUNDING


def test_sparse_columns_are_centred_only_where_they_are_filled():
    X = np.zeros((10, 3))
    X[:, 0] = 7
    X[:3, 1] = 7
    X[:6, 2] = 7
    design = SparseDesign(sparse.csr_array(X), intercept=True)
    np.testing.assert_allclose(design.centre_near(X.mean(axis=0)), [7, 0, 4.2])


@pytest.mark.parametrize("name", ["C", "F", "strided", "csr", "csc", "coo matrix"])
@pytest.mark.parametrize("block_rows", [1, 7, 30, 100])
def test_blocks_are_the_rows_in_order(name, block_rows):
    X = rows_of(0.5)
    y, w = np.arange(30.0), np.linspace(1, 2, 30)
    rows = ArrayRows(storages(X)[name], y, w, block_rows=block_rows)
    blocks = rows.reduce(lambda block: [copied(block)])
    np.testing.assert_array_equal(np.concatenate([b.X.dense() for b in blocks]), X)
    np.testing.assert_array_equal(np.concatenate([b.y for b in blocks]), y)
    np.testing.assert_array_equal(np.concatenate([b.weights for b in blocks]), w)
    assert max(b.X.n_rows for b in blocks) <= block_rows
    assert rows.n_params == 5
    assert rows.total_weight == pytest.approx(45)
    assert rows.n_present == 30


def test_float64_blocks_are_views():
    X = np.random.default_rng(3).standard_normal((5000, 40))
    assert all(ArrayRows(X).reduce(lambda block: [np.shares_memory(block.X.X, X)]))
