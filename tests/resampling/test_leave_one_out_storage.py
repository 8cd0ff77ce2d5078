"""The same result wherever the rows are."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    RowStream,
    leave_one_out,
    scan,
)

N = 200
MODELS = {
    "linear": LinearRegression(),
    "two classes": LogisticRegression(),
    "three classes": LogisticRegression(C=2.0),
    "gamma": GeneralizedLinearRegressor("gamma"),
}


def problem(name):
    rng = np.random.default_rng(4)
    X, noise = rng.normal(size=(N, 3)), rng.logistic(size=N)
    eta = X @ [1.0, -0.5, 0.2]
    y = {
        "linear": eta + noise,
        "two classes": np.where(eta + noise > 0, "yes", "no"),
        "three classes": (eta + noise > 0).astype(int) + (eta - noise > 1),
        "gamma": rng.gamma(2.0, np.exp(eta / 2)),
    }[name]
    w = rng.integers(0, 4, N).astype(float)
    return clone(MODELS[name]), X, y, w, np.repeat(np.arange(N // 4), 4)


def stream(X, y, w):
    return RowStream(lambda: ((X[k : k + 64], y[k : k + 64], w[k : k + 64])
                              for k in range(0, N, 64)))  # fmt: skip


def same(found, expected, rel=1e-9):
    # The rows are summed in other blocks.
    assert found.log_scores == pytest.approx(expected.log_scores, rel=rel, abs=rel)
    assert np.array_equal(found.exact_rows, expected.exact_rows)


@pytest.mark.parametrize("of_groups", [False, True])
@pytest.mark.parametrize("method", ["newton", "second-order", "exact"])
@pytest.mark.parametrize("name", MODELS)
def test_streams(name, method, of_groups):
    model, X, y, w, groups = problem(name)
    options = {"method": method, "random_state": 0, "groups": groups if of_groups else None}
    expected = leave_one_out(model.fit(X, y, w), X, y, w, **options)
    rows = stream(X, y, w)
    same(leave_one_out(model.fit(rows), rows, **options), expected)


@pytest.mark.parametrize("name", MODELS)
def test_sparse_rows_memory_maps_and_single_precision(name, tmp_path):
    model, X, y, w, _ = problem(name)
    expected = leave_one_out(model.fit(X, y, w), X, y, w)
    rows = sparse.csr_array(X)
    same(leave_one_out(model.fit(rows, y, w), rows, y, w), expected)
    mapped = np.memmap(tmp_path / "rows", np.float64, "w+", shape=X.shape)
    mapped[:] = X
    same(leave_one_out(model.fit(mapped, y, w), mapped, y, w), expected)
    single = X.astype(np.float32)
    same(leave_one_out(model.fit(single, y, w), single, y, w), expected, rel=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_tables(name):
    model, X, y, w, groups = problem(name)
    table = pd.DataFrame(X, columns=["a", "b", "c"]).assign(y=y, w=w, g=groups)
    expected = leave_one_out(model.fit(X, y, w), X, y, w, groups=groups)
    rows = scan(table, "y", ["a", "b", "c"], weights="w", groups="g")
    same(leave_one_out(model.fit(rows), rows), expected)  # groups are those of the table


def test_streams_whose_rows_are_fitted_from_the_start():
    model, X, y, w, _ = problem("linear")
    X = np.column_stack([X, np.arange(N) == 5])
    w[5] = 2.0
    expected = leave_one_out(model.fit(X, y, w), X, y, w)
    rows = stream(X, y, w)
    same(leave_one_out(model.fit(rows), rows), expected, rel=1e-8)


@pytest.mark.parametrize("name", MODELS)
def test_dask(name):
    array = pytest.importorskip("dask.array")
    model, X, y, w, _ = problem(name)
    expected = leave_one_out(model.fit(X, y, w), X, y, w)
    rows, targets, weights = (array.from_array(part, chunks=(64, 3)[: part.ndim])
                              for part in (X, y, w))  # fmt: skip
    same(leave_one_out(model.fit(rows, targets, weights), rows, targets, weights), expected)


def test_offsets_of_streams():
    rng = np.random.default_rng(0)
    X, offset = rng.normal(size=(N, 3)), rng.normal(size=N) / 3
    y = rng.poisson(np.exp(X[:, 0] / 2 + offset))
    model = GeneralizedLinearRegressor("poisson").fit(X, y, offset=offset)
    expected = leave_one_out(model, X, y, offset=offset)
    exposed = GeneralizedLinearRegressor("poisson").fit(X, y, exposure=np.exp(offset))
    same(leave_one_out(exposed, X, y, exposure=np.exp(offset)), expected)
    rows = RowStream(lambda: ((X[k : k + 64], y[k : k + 64], None, offset[k : k + 64])
                              for k in range(0, N, 64)))  # fmt: skip
    same(leave_one_out(GeneralizedLinearRegressor("poisson").fit(rows), rows), expected)


def test_nothing_is_as_large_as_the_square_of_the_rows():
    tracemalloc = pytest.importorskip("tracemalloc")
    rng = np.random.default_rng(0)
    n = 20_000
    X = rng.normal(size=(n, 4))
    y = X[:, 0] + rng.logistic(size=n) > 0
    model = LogisticRegression().fit(X, y)
    for groups in (None, np.arange(n) // 2):
        tracemalloc.start()
        leave_one_out(model, X, y, groups=groups, random_state=0)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < n * n  # a byte for each pair of rows; an array of them has eight
