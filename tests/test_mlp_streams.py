"""Networks fitted to streams: the numbers of arrays, whatever the blocks, in bounded memory."""

import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from mcmodels import MLPClassifier, MLPRegressor, RowStream
from mcmodels.exceptions import ConstantTargetWarning
from tests.numerics import relative_error
from tests.test_memory import peak_of

RNG = np.random.default_rng(0)
N = 90
X = RNG.standard_normal((N, 3))
LABELS = np.column_stack([X[:, 0] > 0, X[:, 1] + RNG.standard_normal(N) > 0.5]).astype(int)
COUNTS = RNG.poisson(np.exp(0.5 * X[:, 0])).astype(float)
CASES = {
    "labels": (MLPClassifier, {}, LABELS),
    "counts": (MLPRegressor, {"loss": "poisson"}, COUNTS),
    "two counts": (MLPRegressor, {"loss": "poisson"}, np.column_stack([COUNTS, LABELS[:, 0]])),
    "balanced": (MLPClassifier, {"class_weight": "balanced"}, np.array(["a", "b"])[LABELS[:, 0]]),
    "numbers": (MLPRegressor, {}, X @ [1.0, 2.0, 0.5]),
}
OPTIONS = {"activation": "tanh", "alpha": 1.0, "tol": 1e-10, "max_iter": 5000, "random_state": 0}
BLOCKS = {
    "one": [0, N],
    "rows": list(range(N + 1)),
    "some": [0, 1, 1, 40, 41, N],
}


def stream_of(cuts, *parts):
    return RowStream([tuple(part[a:b] for part in parts) for a, b in pairwise(cuts)])


@pytest.mark.parametrize("blocks", BLOCKS)
@pytest.mark.parametrize("case", CASES)
def test_streams_are_arrays(case, blocks):
    kind, options, y = CASES[case]
    w = RNG.integers(0, 4, N) / 2.0
    model = kind((3,), solver="newton-cg", **OPTIONS, **options)
    whole = clone(model).fit(X, y, w)
    stream = stream_of(BLOCKS[blocks], X, y, w)
    found = model.fit(stream)
    assert found.status_ == whole.status_ == "converged"
    # Both at one minimum, to a gradient of 1e-10 of the rows over a curvature of 1.
    assert relative_error(found.params_, whole.params_) < 1e-7
    assert found.objective_ == pytest.approx(whole.objective_, rel=1e-12)
    assert found.loss_ == pytest.approx(whole.loss_, rel=1e-12)
    predicted = whole.predict(stream)
    if kind is MLPClassifier:
        np.testing.assert_array_equal(predicted, whole.predict(X))
    else:  # products of other blocks round otherwise
        assert relative_error(predicted, whole.predict(X)) < 1e-14
    assert whole.score(stream) == pytest.approx(whole.score(X, y, w), rel=1e-12)
    at = whole.params_ + 0.1
    for method in ("objective", "gradient", "hessian"):
        of_stream = getattr(whole, method)(stream, params=at)
        assert relative_error(of_stream, getattr(whole, method)(X, y, at, w)) < 1e-12
    table = found.laplace(stream).predict_interval(stream)
    expected = whole.laplace(X, y, w).predict_interval(X)
    np.testing.assert_allclose(table.to_numpy(), expected.to_numpy(), rtol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_each_walk_is_of_the_stream_alone(case):
    """The targets of the first walk are not kept: other walks read them, and are compared."""
    kind, options, y = CASES[case]
    walks = 0

    def blocks():
        nonlocal walks
        walks += 1
        other = y.copy()
        if walks == 3:
            other[:2] = y[N - 2 :][::-1] if case == "numbers" else y[:2][::-1]
            other[0] = y[np.flatnonzero((y != y[0]).reshape(N, -1).any(axis=1))[0]]
        yield X[:50], other[:50]
        yield X[50:], other[50:]

    model = kind((3,), **OPTIONS, **options)
    with pytest.raises(ValueError, match="every walk must give the same rows"):
        model.fit(RowStream(blocks))
    assert walks == 3
    assert not hasattr(model, "coefs_")


def test_names_of_targets_and_columns():
    frame, y = pd.DataFrame(X, columns=["p", "q", "r"]), pd.DataFrame(LABELS, columns=["s", "t"])
    stream = RowStream([(frame[:40], y[:40]), (frame[40:], y[40:])])
    model = MLPClassifier((3,), **OPTIONS).fit(stream)
    assert list(model.feature_names_in_) == ["p", "q", "r"]
    assert list(model.laplace(stream).predict_interval(frame).columns.levels[0]) == ["s", "t"]


def test_refusals_name_the_block():
    for y, match in (
        (np.where(np.arange(N)[:, np.newaxis] == 70, 2, LABELS), "holds 2: several columns"),
        (np.array(["no", "yes"])[LABELS], "y has 2 columns and holds"),
        (np.array(["no", "yes"])[LABELS].astype(object), "y has 2 columns and holds"),
    ):
        with pytest.raises(ValueError, match=match):
            MLPClassifier((3,)).fit(stream_of([0, 50, N], X, y))
    with pytest.raises(ValueError, match=r"y must not be negative .* found -1 in a block"):
        MLPRegressor((3,), loss="poisson").fit(stream_of([0, 50, N], X, -np.ones(N)))
    with pytest.raises(ValueError, match="only one class in the rows of positive weight: 1"):
        MLPClassifier((3,)).fit(stream_of([0, 50, N], X, LABELS[:, 0], LABELS[:, 0] * 1.0))
    spoilt = X.copy()
    spoilt[53, 2] = np.nan
    with pytest.raises(ValueError, match="block 1 of the stream, row 3, column x2"):
        MLPRegressor((3,)).fit(stream_of([0, 50, N], spoilt, COUNTS))


@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_constant_targets_are_seen_and_others_are_not_accused(offset):
    """Far from zero, the difference of two sums has lost the variance of the second target."""
    y = np.column_stack([np.full(N, 3.0), X[:, 0]]) + offset
    options = {**OPTIONS, "max_iter": 2}
    with pytest.warns(ConstantTargetWarning) as caught:
        MLPRegressor((3,), **options).fit(stream_of([0, 50, N], X, y))
    texts = [str(w.message) for w in caught if w.category is ConstantTargetWarning]
    assert [text.split(" take")[0] for text in texts] == ["targets [0] of y each"]


@pytest.mark.slow
def test_nothing_as_long_as_the_rows_is_held_in_memory():
    """Targets and weights of 400,000 rows more are 6.4 MB more, if they are held."""

    def peak(n, **options):
        def blocks():
            rng = np.random.default_rng(0)
            for _ in range(0, n, 20_000):
                rows = rng.standard_normal((20_000, 8))
                yield rows, (rows[:, 0] > 0).astype(int), rng.uniform(1.0, 2.0, 20_000)

        model = MLPClassifier((2,), "tanh", max_iter=2, random_state=0, **options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # In one thread: the peak of two depends on whether both hold their most at a time.
            return peak_of(lambda: model.fit(RowStream(blocks)), threads=1)

    assert peak(800_000) - peak(400_000) < 1e6
    # With early stopping they are held, as is said; so the measure sees them.
    early = [peak(n, early_stopping=True) for n in (400_000, 800_000)]
    assert early[1] - early[0] > 6.4e6
