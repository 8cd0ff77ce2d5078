"""No fit copies X: what it allocates does not grow with the number of rows."""

import tracemalloc

import numpy as np
import pytest

from mcmodels import PCA, LinearRegression, LogisticRegression

ROWS, COLUMNS = 200_000, 20


def peak_of(work):
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("layout", ["C float64", "F float64", "C float32", "C int8"])
@pytest.mark.parametrize(
    "model",
    [
        LinearRegression(),
        LinearRegression(solver="pinv"),
        LogisticRegression(C=np.inf),
        PCA(3),
        PCA(solver="deflation", random_state=0),
    ],
    ids=str,
)
def test_fit_allocates_blocks_and_targets_only(model, layout):
    order, dtype = layout.split()
    rng = np.random.default_rng(0)
    X = np.round(rng.standard_normal((ROWS, COLUMNS)) * 3).astype(dtype, order=order)
    y = (X[:, 0] + rng.standard_normal(ROWS) > 0).astype(float)
    peak = peak_of(lambda: model.fit(X, y))
    # Blocks of a megabyte, a few at a time, and some vectors as long as y (1.6 MB each: class
    # codes and scikit-learn's checks of y). X in float64 has 32 MB.
    assert peak < 16e6


def test_weights_cost_vectors():
    rng = np.random.default_rng(1)
    X, w = rng.standard_normal((ROWS, COLUMNS)), rng.uniform(0.5, 2, ROWS)
    for model in (LinearRegression(), LogisticRegression(), PCA(2)):
        y = (X[:, 0] > rng.standard_normal(ROWS)).astype(int)
        assert peak_of(lambda model=model, y=y: model.fit(X, y, sample_weight=w)) < 16e6
