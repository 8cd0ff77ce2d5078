"""Some of the rows, and rows without a column, of every storage: against arrays of them."""

import numpy as np
import pytest

from mcmodels.objectives import BinaryCrossEntropy, LinearPredictorObjective
from mcmodels.rows import ArrayRows, SelectedRows, WithoutColumn
from tests.numerics import relative_error
from tests.problems import storages

ROUNDING = 1e-13  # sums of sixty products


def problem():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), rng.integers(0, 2, 60)
    return X, y, rng.choice([0.0, 1, 2.5], 60), rng.normal(size=60)


def objective(rows):
    return LinearPredictorObjective(rows, BinaryCrossEntropy())


def assert_same(found, expected, params):
    found, expected = objective(found).derivatives(params), objective(expected).derivatives(params)
    assert relative_error(found.value, expected.value) < ROUNDING
    assert relative_error(found.gradient, expected.gradient) < ROUNDING
    assert relative_error(found.hessian, expected.hessian) < ROUNDING


@pytest.mark.parametrize("storage", storages(np.eye(2)))
@pytest.mark.parametrize("block_rows", [1, 7, 100])
@pytest.mark.parametrize("intercept", [True, False])
def test_selected_rows_are_those_of_which_the_condition_holds(storage, block_rows, intercept):
    X, y, w, offset = problem()
    taken = X[:, 0] > 0.4
    whole = ArrayRows(
        storages(X)[storage],
        y,
        w,
        {"offset": offset},
        intercept=intercept,
        block_rows=block_rows,
    )
    rows = SelectedRows(whole, lambda block: block.X.dense()[:, 0] > 0.4)
    alone = ArrayRows(X[taken], y[taken], w[taken], {"offset": offset[taken]}, intercept=intercept)
    assert rows.n_present == alone.n_present
    assert rows.total_weight == pytest.approx(alone.total_weight, rel=1e-14)
    assert_same(rows, alone, np.linspace(-1, 1, 3 + intercept))


@pytest.mark.parametrize("storage", storages(np.eye(2)))
@pytest.mark.parametrize("value", [0.0, 1.7])
@pytest.mark.parametrize("with_offset", [True, False])
@pytest.mark.parametrize("position", range(4))
def test_a_column_that_is_held_is_an_offset(storage, value, with_offset, position):
    X, y, w, offset = problem()
    offset = offset if with_offset else 0.0 * offset
    extras = {"offset": offset} if with_offset else None
    whole = ArrayRows(storages(X)[storage], y, w, extras, block_rows=7)
    column = X[:, position] if position < 3 else np.ones(60)
    left = np.delete(X, position, axis=1) if position < 3 else X
    held = {"offset": offset + value * column}
    alone = ArrayRows(left, y, w, held, intercept=position < 3)
    assert_same(WithoutColumn(whole, position, value), alone, np.linspace(-1, 1, 3))


def test_samples_are_samples_of_what_is_selected():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40_000, 2))
    whole = ArrayRows(X, (X[:, 1] > 0).astype(int))
    rows = SelectedRows(whole, lambda block: block.X.X[:, 0] > 0)
    sample = rows.sample(2000)
    assert 1000 < sample.n_present < 4000
    assert sample.reduce(lambda block: float(block.X.X[:, 0].min() < 0)) == 0
    rare = SelectedRows(whole, lambda block: block.X.X[:, 0] > 3.5)
    assert rare.sample(2000).n_present == rare.n_present
