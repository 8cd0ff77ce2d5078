"""A stream gives what its stacked arrays give, however it is cut; one that changes is refused."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone

from mcmodels import (
    PCA,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveClassifier,
    ObjectiveRegressor,
    RowStream,
)

N, P = 60, 3
# Sums of 60 rows in another order differ by tens of rounding errors; the condition of the problems
# below (about 10) and the tolerance of Newton's method (gradients of 1e-8, whose next step is
# quadratically smaller) leave ten digits.
CLOSE = 1e-9


def problem(seed, kind):
    rng = np.random.default_rng(seed)
    X = np.round(rng.normal(size=(N, P)), 3) + np.array([0.0, 5.0, -20.0])
    X[rng.random((N, P)) < 0.2] = 0.0
    eta = X @ [1.0, -0.3, 0.05] + 0.7
    w = rng.integers(0, 4, N).astype(float)
    w[0] = 1.0
    if kind == "regression":
        return X, eta + rng.normal(size=N), w
    if kind == "counts":
        return X, rng.poisson(np.exp(np.clip(eta / 4, -3, 3))).astype(float), w
    n = 2 if kind == "two" else 3
    score = np.outer(eta - eta.mean(), np.arange(n)) / n + rng.gumbel(size=(N, n))
    return X, np.array(["lo", "mid", "very high"])[score.argmax(axis=1)], w


MODELS = {
    "linear": (LinearRegression(), "regression"),
    "normal": (LinearRegression(solver="normal", fit_intercept=False), "regression"),
    "two": (LogisticRegression(C=np.inf), "two"),
    "three": (LogisticRegression(C=2.0, class_weight="balanced"), "three"),
    "counts": (ObjectiveRegressor("exp(eta) - y*eta", log_likelihood=True), "counts"),
    "glm": (GeneralizedLinearRegressor("negative_binomial"), "counts"),
    "hinge": (ObjectiveClassifier("softplus(eta) - y*eta", inverse_link="sigmoid(eta)"), "two"),
    "pca": (PCA(2), "regression"),
}
CUTS = {
    "first row alone": lambda rng: [1],
    "last row alone": lambda rng: [N - 1],
    "rows": lambda rng: list(range(1, N)),
    "empty": lambda rng: [0, 0, 7, 7, 30, N],
    "any": lambda rng: sorted(rng.integers(0, N + 1, 5)),
}
STORES = {
    "float64": lambda X: X,
    "fortran": np.asfortranarray,
    "sparse": sparse.csr_array,
    "frame": lambda X: pd.DataFrame(X, columns=["a", "b", "c"]),
    "float32": lambda X: X.astype(np.float32),
    "integers": lambda X: np.round(4 * X).astype(int),
}


def stream_of(X, y, w, cuts):
    bounds = [0, *cuts, N]

    def blocks():
        for a, b in itertools.pairwise(bounds):
            yield X[a:b], None if y is None else y[a:b], None if w is None else w[a:b]

    return RowStream(blocks)


def close(found, expected, tolerance=CLOSE):
    if isinstance(found, pd.DataFrame):
        assert list(found.columns) == list(expected.columns)
        found, expected = found.to_numpy(), expected.to_numpy()
    if isinstance(found, tuple):
        for one, other in zip(found, expected, strict=True):
            close(one, other, tolerance)
        return
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    if found.dtype.kind in "OU":
        assert found.tolist() == expected.tolist()
        return
    scale = np.abs(expected[np.isfinite(expected)]).max(initial=1e-300)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale)


def results_of_any_rows(model, X, y, w, stream):
    """Pairs of a result of the arrays and the same of the stream."""
    for name in ("predict", "decision_function", "predict_proba", "predict_log_proba"):
        if hasattr(model, name):
            yield name, getattr(model, name)(X), getattr(model, name)(stream)
    if isinstance(model, PCA):
        for name in ("transform", "score_samples", "score"):
            yield name, getattr(model, name)(X), getattr(model, name)(stream)
    else:
        yield "score", model.score(X, y, w), model.score(stream)
    point = model.params_ + 0.01
    for name in ("objective", "gradient", "hessian"):
        of = getattr(model, name)
        yield name, of(X, y, point, w), of(stream, params=point)
    of = model.hessian_vector_product
    direction = np.ones_like(point)
    yield (
        "product",
        of(X, y, point, w, vector=direction),
        of(stream, params=point, vector=direction),
    )


def results_of_training_rows(model, X, y, w, stream):
    groups = np.arange(N) % 11
    if isinstance(model, PCA):
        return
    several = isinstance(model, LogisticRegression) and len(model.classes_) > 2
    for kind in ("HC0", "HC1") if several else ("HC0", "HC1", "HC2", "HC3"):
        yield kind, model.covariance(X, y, w, kind=kind), model.covariance(stream, kind=kind)
    options = {"kind": "cluster", "groups": groups}
    yield "cluster", model.covariance(X, y, w, **options), model.covariance(stream, **options)
    options = {"kind": "HAC", "max_lags": 4}
    yield "HAC", model.covariance(X, y, w, **options), model.covariance(stream, **options)
    yield (
        "intervals",
        model.confidence_intervals(0.9, X, y, w, kind="HC1"),
        model.confidence_intervals(0.9, stream, kind="HC1"),
    )
    yield (
        "summary",
        model.summary(X, y, w, kind="HC1").to_frame(),
        model.summary(stream, kind="HC1").to_frame(),
    )
    if isinstance(model, LinearRegression):
        yield "influence", model.influence(X, y, w), model.influence(stream)
        yield "leverage", model.leverage(X, w), model.leverage(stream)
        yield "hat matrix", model.hat_matrix(X, w), model.hat_matrix(stream)
        test, streamed = model.breusch_pagan(X, y, w), model.breusch_pagan(stream)
        yield "breusch_pagan", test.statistic, streamed.statistic
        options = {"kind": "CR2", "groups": groups}
        yield "CR2", model.covariance(X, y, w, **options), model.covariance(stream, **options)
        options = {"groups": groups, "draws": 99, "random_state": 0}
        wild, first = model.wild_bootstrap_test, np.eye(model.params_.size)[0]
        yield (
            "wild bootstrap",
            wild(first, X, y, w, **options).interval,
            wild(first, stream, **options).interval,
        )
        yield "outliers", model.outlier_test(X, y, w).table, model.outlier_test(stream).table
        yield "interval", model.predict_interval(X), model.predict_interval(stream)
        yield "std", model.predict(X, return_std=True), model.predict(stream, return_std=True)
    if isinstance(model, LogisticRegression):
        yield "interval", model.predict_interval(X), model.predict_interval(stream)
        effects = model.marginal_effects
        yield "effects", effects(X, sample_weight=w), effects(stream)
        yield "effects at rows", effects(X, at="rows"), effects(stream, at="rows")
        if not several:
            yield "influence", model.influence(X, y, w), model.influence(stream)
            yield "residuals", model.residuals(X, y), model.residuals(stream)
            candidate = np.cos(np.arange(N))
            yield (
                "score_test",
                model.score_test(X, y, candidate, w).statistic,
                model.score_test(stream, candidate=candidate).statistic,
            )


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.LeverageWarning")
def models_and_stores():
    """All pairs; those of which each part is in another pair are slow."""
    for name, store in itertools.product(MODELS, STORES):
        is_slow = name not in ("linear", "two", "glm") and store not in ("float64", "frame")
        yield pytest.param(name, store, marks=[pytest.mark.slow] if is_slow else [])


@pytest.mark.parametrize(("name", "store"), list(models_and_stores()))
def test_every_result_is_that_of_the_stacked_arrays(name, store):
    model, kind = MODELS[name]
    seed = sum(map(ord, name + store))
    rng = np.random.default_rng(seed)
    X, y, w = problem(seed, kind)
    X = STORES[store](X)
    w = None if store in ("float64", "integers") else w
    if isinstance(model, PCA):
        y = None
    whole = clone(model).fit(X, y, sample_weight=w)
    for cut, cuts in CUTS.items():
        if cut == "rows" and store not in ("sparse", "float64"):
            continue  # one block a row is slow to read
        stream = stream_of(X, y, w, cuts(rng))
        streamed = clone(model).fit(stream)
        assert streamed.status_ == whole.status_ == "converged", cut
        close(streamed.params_, whole.params_)
        if hasattr(whole, "classes_"):
            close(streamed.classes_, whole.classes_)
        if cut in ("empty", "first row alone"):
            model = whole if cut == "empty" else streamed
            for _, expected, found in results_of_any_rows(model, X, y, w, stream):
                close(found, expected)
            for _, expected, found in results_of_training_rows(model, X, y, w, stream):
                close(found, expected)


def test_rows_of_scores_that_arrive_in_blocks():
    X, _, _ = problem(1, "regression")
    model = PCA(2, whiten=True).fit(X)
    scores = model.transform(X)
    found = model.inverse_transform(stream_of(scores, None, None, [1, 20]))
    close(found, model.inverse_transform(scores), 1e-14)  # the same products, row by row


def test_the_first_block_decides_nothing():
    """Coefficients of a 2×2 table are its log odds, in closed form."""
    rng = np.random.default_rng(0)
    tables = [(6, 1, 9, 74), *rng.integers(1, 60, (10, 4)).tolist()]
    for a, b, c, d in tables:
        X = np.repeat([[0.0], [0.0], [1.0], [1.0]], [a, b, c, d], axis=0)
        y = np.repeat([0, 1, 0, 1], [a, b, c, d])
        n = len(y)
        for cuts in ([1], [1, 2], [n - 1], [n // 2], range(1, n, 9)):
            stream = RowStream(
                [(p, q) for p, q in zip(np.split(X, cuts), np.split(y, cuts), strict=True)]
            )
            model = LogisticRegression(C=np.inf).fit(stream)
            assert model.converged_
            expected = [np.log(a * d / (b * c)), np.log(b / a)]
            # Newton ends with a gradient below 1e-8 of the rows, and a negligible next step.
            np.testing.assert_allclose(model.params_, expected, rtol=1e-8, atol=1e-8)


def test_a_first_row_that_lies_alone_and_far_away_is_no_scale():
    """Centres and scales come from all rows: one row of 1e6 first costs no digits."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(400, 2))
    X[0] = 1e3
    y = (X[:, 0] + rng.logistic(size=400) > 0).astype(int)
    y[0] = 1
    w = np.ones(400)
    w[0] = 1e-6
    cuts = [1, 2, 200]
    blocks = list(zip(np.split(X, cuts), np.split(y, cuts), np.split(w, cuts), strict=True))
    streamed = LogisticRegression().fit(RowStream(blocks))
    close(streamed.params_, LogisticRegression().fit(X, y, w).params_)


def changing(change):
    """A stream whose rows are changed in every walk but the first."""

    def of(X, y, w):
        walks = 0

        def blocks():
            nonlocal walks
            walks += 1
            parts = [np.array(a) for a in (X, y, w)]
            if walks > 1:
                change(*parts, np.random.default_rng(walks))
            for k in range(0, N, 13):
                yield tuple(a[k : k + 13] for a in parts)

        return RowStream(blocks)

    return of


def _one_entry(X, y, w, rng):
    X[17, 1] += 0.01


def _a_billionth(X, y, w, rng):
    X[17, 1] += 1e-9  # sums over the column are about 300, with a rounding error of 1e-13


def _sampled(X, y, w, rng):
    at = rng.integers(0, N, N)
    X[:], y[:], w[:] = X[at], y[at], w[at]


def _other_weights(X, y, w, rng):
    w[:] = w[::-1]


def _other_targets(X, y, w, rng):
    y[:] = y[::-1].copy()


def _shuffled_column(X, y, w, rng):
    X[:, 0] = rng.permutation(X[:, 0])


@pytest.mark.parametrize(
    "change",
    [_one_entry, _a_billionth, _sampled, _other_weights, _other_targets, _shuffled_column],
)
@pytest.mark.parametrize("name", MODELS)
def test_a_stream_that_changes_between_walks_is_refused(name, change):
    model, kind = MODELS[name]
    X, y, w = problem(5, kind)
    w = np.maximum(w, 1.0) + np.arange(N) / N
    if isinstance(model, PCA) and change is _other_targets:
        pytest.skip("PCA reads no targets")
    model = clone(model)
    with pytest.raises(ValueError, match="every walk must give the same rows"):
        model.fit(changing(change)(X, y, w))
    assert not hasattr(model, "n_features_in_")


def test_entries_that_moved_to_other_rows_are_not_called_other_weights():
    X, y, _ = problem(5, "regression")

    def swapped(X, y, w, rng):
        y[[3, 30]] = y[[30, 3]]

    with pytest.raises(
        ValueError, match="the sums of the columns agree, but the entries are in other rows"
    ):
        LinearRegression().fit(changing(swapped)(X, y, np.ones(N)))


@pytest.mark.parametrize("solver", ["auto", "eigh", "deflation"])
def test_pca_sees_that_one_column_is_shuffled_without_targets_or_weights(solver):
    """Sums of columns and of their squares stay the same, and the answer does not."""
    X, _, _ = problem(5, "regression")
    walks = 0

    def blocks():
        nonlocal walks
        walks += 1
        changed = X.copy()
        if walks > 1:
            changed[:, 1] = np.random.default_rng(walks).permutation(X[:, 1])
        yield from np.array_split(changed, 4)

    with pytest.raises(ValueError, match="every walk must give the same rows"):
        PCA(2, solver=solver).fit(RowStream(blocks))


def test_a_column_shuffled_within_classes_is_seen():
    """Sums over each class stay the same, too."""
    X, y, _ = problem(5, "two")
    of_class = [np.flatnonzero(y == label) for label in np.unique(y)]
    for model in (LogisticRegression(), ObjectiveClassifier("softplus(eta) - y*eta")):
        walks = 0

        def blocks():
            nonlocal walks
            walks += 1
            changed = X.copy()
            if walks > 1:
                for rows in of_class:
                    changed[rows, 0] = np.roll(X[rows, 0], walks)
            yield changed[:25], y[:25]
            yield changed[25:], y[25:]

        with pytest.raises(ValueError, match="every walk must give the same rows"):
            model.fit(RowStream(blocks))


def test_a_stream_that_changes_is_refused_by_methods_that_walk_twice():
    X, y, w = problem(5, "regression")
    w = np.ones(N)
    model = LinearRegression().fit(X, y)

    def in_another_order(X, y, w, rng):
        at = rng.permutation(N)
        X[:], y[:] = X[at], y[at]

    for change in (_one_entry, _sampled, in_another_order):
        for of in (model.objective, model.influence, model.covariance):
            with pytest.raises(ValueError, match="every walk must give the same rows"):
                of(changing(change)(X, y, w))


def test_other_cuts_in_later_walks_are_the_same_rows():
    X, y, _ = problem(5, "two")
    X = X * [1e-8, 1.0, 1e8] + [0.0, 1e4, 0.0]
    walks = 0

    def blocks():
        nonlocal walks
        walks += 1
        for k in range(0, N, walks):
            yield X[k : k + walks], y[k : k + walks]

    model = LogisticRegression(C=np.inf).fit(RowStream(blocks))
    assert model.converged_
    assert walks > 2


@pytest.mark.parametrize("labels", [["a", "b", "c"], [0, 1, 2], [False, True, 2], [1.0, 2.0, 9.0]])
def test_a_label_first_seen_in_a_later_walk_is_refused(labels):
    X, _, _ = problem(2, "two")
    new = np.array(labels).tolist()[2]
    for late in (2, 3):
        walks = 0

        def blocks(late=late):
            nonlocal walks
            walks += 1
            y = np.array(labels)[np.arange(N) % 2]
            if walks >= late:
                y[40] = labels[2]
            yield X[:30], y[:30]
            yield X[30:], y[30:]

        for model in (LogisticRegression(), ObjectiveClassifier("softplus(eta) - y*eta")):
            walks = 0
            with pytest.raises(
                ValueError, match=f"block 1 .* label {new!r} in row 10 .*first walk"
            ):
                model.fit(RowStream(blocks))


def test_labels_of_several_types_are_refused():
    X, _, _ = problem(2, "two")
    numbers, text = np.arange(30) % 2, np.array(["0", "1"])[np.arange(30) % 2]
    for model in (LogisticRegression(), ObjectiveClassifier("softplus(eta) - y*eta")):
        with pytest.raises(ValueError, match=r"block 1 of the stream are text .* and numbers in"):
            model.fit(RowStream([(X[:30], numbers), (X[30:], text)]))
        with pytest.raises(ValueError, match=r"several types|mix"):
            model.fit(RowStream([(X[:30], np.array([1, "a"] * 15, dtype=object))]))
    mixed = [(X[:30], numbers), (X[30:], numbers.astype(float))]
    assert LogisticRegression().fit(RowStream(mixed)).classes_.tolist() == [0, 1]


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.float32, bool, "U4", object])
def test_labels_keep_their_type(dtype):
    X, _, _ = problem(2, "two")
    y = (np.arange(N) % 2).astype(dtype)
    if dtype is object:
        y = np.array(["no", "yes"], dtype=object)[np.arange(N) % 2]
    streamed = LogisticRegression().fit(stream_of(X, y, None, [1, 20]))
    close(streamed.classes_, LogisticRegression().fit(X, y).classes_)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("store", ["float64", "sparse", "frame"])
def test_errors_name_block_row_and_column(store, bad):
    X, y, w = problem(2, "regression")
    X[25, 1] = bad
    column = "'b'" if store == "frame" else "x1"
    place = rf"block 2 of the stream, row 5, column {column} \(counted from 0\)"
    stream = stream_of(STORES[store](X), y, w, [10, 20])
    for model in (LinearRegression(), PCA(2), ObjectiveRegressor("(y - eta)**2")):
        with pytest.raises(ValueError, match=place):
            model.fit(stream)
    X[25, 1] = 0.0
    model = LinearRegression().fit(STORES[store](X), y)
    X[25, 1] = bad
    stream = stream_of(STORES[store](X), y, w, [10, 20])
    for of in (model.predict, model.objective, model.score, model.influence):
        with pytest.raises(ValueError, match=place):
            of(stream)


def test_errors_name_the_row_of_targets_and_weights():
    X, y, w = problem(2, "regression")
    y[21] = np.nan
    with pytest.raises(ValueError, match="block 2 of the stream, row 1 of y"):
        LinearRegression().fit(stream_of(X, y, w, [10, 20]))
    y[21], w[22] = 0.0, -1.0
    with pytest.raises(ValueError, match=r"block 2 of the stream.*-1 in row 2"):
        LinearRegression().fit(stream_of(X, y, w, [10, 20]))
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).astype(object)
    frame.iloc[21, 2] = "n/a?"
    with pytest.raises(ValueError, match="block 2 of the stream, row 1, column 'c'"):
        LinearRegression().fit(stream_of(frame, np.abs(y), None, [10, 20]))


def test_empty_blocks_are_ignored_and_nothing_but_them_is_refused():
    empty = np.empty((0, P))
    for model in (LinearRegression(), LogisticRegression(), PCA(2)):
        with pytest.raises(ValueError, match="no blocks with rows"):
            model.fit(RowStream([(empty, np.empty(0))]))
    X, y, _ = problem(2, "regression")
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    parts = [frame[frame.a > 100], frame[frame.a > 0], frame[frame.a <= 0]]
    stream = RowStream([(part, y[part.index]) for part in parts])
    close(LinearRegression().fit(stream).params_, LinearRegression().fit(X, y).params_)


UNREAD = {
    "text": np.array(["a"] * N),
    "missing": np.full(N, np.nan),
    "two": np.zeros((N, 2)),
}


@pytest.mark.parametrize("y", UNREAD)
def test_targets_that_a_method_does_not_take_are_not_read(y):
    X, target, w = problem(0, "regression")
    stream = RowStream([(X[part], UNREAD[y][part], w[part]) for part in (slice(0, 9), slice(9, N))])
    bare = RowStream([(X[part], None, w[part]) for part in (slice(0, 9), slice(9, N))])
    pca = PCA(2).fit(stream)
    np.testing.assert_array_equal(pca.components_, PCA(2).fit(bare).components_)
    linear = LinearRegression().fit(X, np.column_stack([target, -target]), w)
    logistic = LogisticRegression().fit(X, target > np.median(target))
    for result in (pca.objective, linear.hat_matrix, linear.leverage, logistic.marginal_effects):
        np.testing.assert_array_equal(result(stream), result(bare))


def test_arguments_beside_a_stream_are_refused():
    X, y, w = problem(2, "regression")
    model, stream = LinearRegression().fit(X, y), stream_of(X, y, w, [9])
    for of in (model.score, model.objective, model.covariance, model.influence):
        with pytest.raises(ValueError, match="was given together with a RowStream"):
            of(stream, y)


def test_no_walk_is_added():
    """One walk to see what there is, and no more than the solver takes."""
    X, y, _ = problem(2, "regression")
    walks = 0

    def blocks():
        nonlocal walks
        walks += 1
        yield X[:1], y[:1]
        yield X[1:], y[1:]

    model = LinearRegression(solver="normal").fit(RowStream(blocks))
    assert walks <= 4  # survey, moments, refinement, gradient
    for of, count in ((model.predict, 1), (model.score, 1), (model.objective, 2)):
        walks = 0
        of(RowStream(blocks))
        assert walks == count


def test_blocks_without_weights_count_once():
    """Large blocks, which are not gathered, some of them without weights."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2**18, 4))
    y, w = X[:, 0] + rng.standard_normal(len(X)), rng.uniform(0.5, 2, len(X))
    w[: len(X) // 2] = 1.0
    first, second = np.split(np.arange(len(X)), 2)
    stream = RowStream([(X[first], y[first]), (X[second], y[second], w[second])])
    model = LinearRegression().fit(X, y, w)
    for of in (model.objective, model.score):
        assert of(stream) == pytest.approx(of(X, y, sample_weight=w), rel=1e-12)
