"""Networks fitted to collections of Dask: sums of the partitions, the numbers of arrays."""

import numpy as np
import pytest
from sklearn.base import clone

from mcmodels import MLPClassifier, MLPRegressor
from tests.numerics import relative_error

da = pytest.importorskip("dask.array")

RNG = np.random.default_rng(0)
N = 200
X = RNG.standard_normal((N, 3))
LABELS = np.column_stack([X[:, 0] > 0, X[:, 1] > 0.3]).astype(int)
W = RNG.uniform(0.5, 2.0, N)
CASES = {
    "labels": (MLPClassifier, {}, LABELS),
    "balanced": (MLPClassifier, {"class_weight": "balanced"}, np.array(["a", "b"])[LABELS[:, 0]]),
    "counts": (MLPRegressor, {"loss": "poisson"}, RNG.poisson(np.exp(0.5 * X[:, 0]))),
    "two targets": (MLPRegressor, {}, X[:, :2] + RNG.standard_normal((N, 2))),
}
OPTIONS = {"activation": "tanh", "alpha": 1.0, "tol": 1e-10, "max_iter": 5000, "random_state": 0}


def chunked(array):
    return da.from_array(array, chunks=(60, *array.shape[1:]))


@pytest.mark.parametrize("case", CASES)
def test_partitions_are_arrays(case):
    kind, options, y = CASES[case]
    model = kind((3,), solver="newton-cg", **OPTIONS, **options)
    whole = clone(model).fit(X, y, W)
    found = model.fit(chunked(X), chunked(y), chunked(W))
    # Both at one minimum, to a gradient of 1e-10 of the rows over a curvature of 1.
    assert relative_error(found.params_, whole.params_) < 1e-7
    predicted = found.predict(chunked(X))
    assert predicted.shape == y.shape
    if kind is MLPClassifier:
        np.testing.assert_array_equal(predicted.compute(), whole.predict(X))
    score = found.score(chunked(X), chunked(y), chunked(W))
    assert score == pytest.approx(whole.score(X, y, W), rel=1e-6)
    value = found.objective(chunked(X), chunked(y), sample_weight=chunked(W))
    assert value == pytest.approx(whole.objective_, rel=1e-12)


def test_early_stopping_holds_the_targets():
    model = MLPClassifier((20,), "tanh", early_stopping=True, random_state=0, max_iter=50)
    whole = clone(model).fit(X, LABELS[:, 0], W)
    found = model.fit(chunked(X), chunked(LABELS[:, 0]), chunked(W))
    # The same steps, with sums in another order.
    assert found.validation_scores_ == pytest.approx(whole.validation_scores_)
    assert relative_error(found.params_, whole.params_) < 1e-5


def test_partial_fit_takes_arrays():
    with pytest.raises(TypeError, match="its partitions, computed"):
        MLPRegressor((3,)).partial_fit(chunked(X), chunked(X[:, 0]))
