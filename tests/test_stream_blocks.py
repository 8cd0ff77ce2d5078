"""What the blocks of a stream may be: labels, targets, storages; and what refuses them."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import (
    PCA,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    ObjectiveClassifier,
    ObjectiveRegressor,
    RowStream,
    summarize,
)

N, HALF = 60, 30
_rng = np.random.default_rng(0)
X = _rng.normal(size=(N, 3))
Y = X @ [1.0, 2.0, 3.0] + _rng.normal(size=N)
CODES = (X[:, 0] + _rng.normal(size=N) > 0).astype(int)
WORDS = np.array(["no", "yes"])[CODES]
# Sums of 60 rows in another order differ by tens of rounding errors, and Newton's method ends with
# a negligible step: ten digits are left.
CLOSE = {"rtol": 1e-9, "atol": 1e-10}

CLASSIFIERS = [
    LogisticRegression(),
    ObjectiveClassifier("softplus(eta) - y*eta"),
    MLPClassifier((2,), "tanh", random_state=0, tol=1.0),
]


def halves(y, weights=None, rows=X):
    part = [(rows[:HALF], y[:HALF]), (rows[HALF:], y[HALF:])]
    if weights is not None:
        part = [(*p, w) for p, w in zip(part, (weights[:HALF], weights[HALF:]), strict=True)]
    return RowStream(part)


def with_second(y, second):
    return RowStream([(X[:HALF], y[:HALF]), (X[HALF:], second)])


def missing_at(y, row, value):
    changed = np.array(y, dtype=object)
    changed[row] = value
    return changed


@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize(
    ("first", "second", "classes"),
    [
        (CODES, CODES.astype(bool), [0, 1]),
        (CODES.astype(bool), CODES.astype(float), [0, 1]),
        (WORDS, [np.str_(word) for word in WORDS], ["no", "yes"]),
        (WORDS, WORDS.astype(object), ["no", "yes"]),
        (WORDS, pd.Categorical(WORDS), ["no", "yes"]),
        (WORDS, pd.Series(WORDS, dtype="string"), ["no", "yes"]),
        (CODES, pd.Series(CODES, dtype="Int64"), [0, 1]),
        (np.array([b"a", b"bcd"])[CODES], np.array([b"a", b"bcd"])[CODES], [b"a", b"bcd"]),
    ],
    ids=["bool", "float", "np.str_", "object", "categorical", "string", "Int64", "bytes"],
)
def test_labels_of_one_kind_in_blocks_of_other_types(model, first, second, classes):
    part = second[HALF:]
    if classes[0] == b"a":  # blocks whose longest labels have other lengths
        first, part = np.where(CODES == 1, b"bcd", b"a"), second[HALF:]
        first[:HALF] = np.where(np.arange(HALF) % 2, b"bcd", b"a")
        stream = RowStream(
            [(X[:1], np.array([b"a"])), (X[1:HALF], first[1:HALF]), (X[HALF:], part)]
        )
    else:
        stream = with_second(first, part)
    model = clone(model).fit(stream)
    assert model.classes_.tolist() == classes
    if classes[0] != b"a":  # scikit-learn scores no bytes
        assert 0 <= model.score(stream) <= 1


@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (CODES, CODES.astype(str), r"block 1 of the stream are text \(such as '.'\), and numbers"),
        (WORDS, CODES, r"block 1 of the stream are numbers \(such as .\), and text"),
        (CODES.astype(bool), WORDS, "block 1 of the stream are text"),
        (WORDS, missing_at(WORDS, HALF + 4, None), r"block 1 of the stream, row 4 of y"),
        (missing_at(WORDS, 2, None), WORDS, r"block 0 of the stream, row 2 of y"),
        (WORDS, missing_at(WORDS, HALF + 4, np.nan), r"block 1 of the stream, row 4 of y"),
        (WORDS, missing_at(WORDS, HALF + 4, 1), r"block 1 .*several types \(numbers, text\)"),
        (WORDS, missing_at(WORDS, HALF + 4, True), r"block 1 .*several types \(numbers, text\)"),
        (CODES, np.where(np.arange(N) == HALF + 4, np.nan, CODES), "block 1 .*, row 4 of y"),
    ],
    ids=[
        "text",
        "numbers",
        "bool",
        "None",
        "None first",
        "nan",
        "mixed",
        "mixed bool",
        "nan float",
    ],
)
def test_labels_of_other_kinds_are_refused_where_they_are(model, first, second, message):
    stream = with_second(first, second[HALF:])
    with pytest.raises(ValueError, match=message):
        clone(model).fit(stream)
    model = clone(model).fit(X, CODES if first.dtype.kind in "bi" else WORDS)
    for of in (model.score, model.objective, model.gradient):
        with pytest.raises(ValueError, match=message):
            of(stream)


@pytest.mark.parametrize("late", [2, 3])
def test_labels_whose_kind_changes_in_a_later_walk_are_refused(late):
    walks = 0

    def blocks():
        nonlocal walks
        walks += 1
        yield X[:HALF], CODES[:HALF]
        yield X[HALF:], CODES[HALF:].astype(str) if walks == late else CODES[HALF:]

    with pytest.raises(ValueError, match=r"block 1 of the stream are text .* and numbers"):
        LogisticRegression(C=np.inf).fit(RowStream(blocks))


@pytest.mark.parametrize("y", [missing_at(WORDS, 7, None), missing_at(WORDS, 7, 1)])
@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda model: type(model).__name__)
def test_arrays_of_mixed_labels_are_refused_with_a_reason(model, y):
    with pytest.raises(ValueError, match=r"missing labels, the first in row 7|several types"):
        clone(model).fit(X, y)


def test_targets_in_another_order_in_a_later_block_are_refused():
    two = pd.DataFrame({"rent": Y, "price": 1 - Y**2})
    swapped = two[["price", "rent"]]
    stream = RowStream([(X[:HALF], two[:HALF]), (X[HALF:], swapped[HALF:])])
    for model in (LinearRegression(), MLPRegressor((2,))):
        with pytest.raises(ValueError, match=r"y of block 1 .* price, rent, and rent, price"):
            model.fit(stream)
    model = LinearRegression().fit(X, two)
    for of in (model.objective, model.gradient):
        with pytest.raises(ValueError, match=r"y of block 1 .* price, rent, and rent, price"):
            of(stream)
    streamed = LinearRegression().fit(halves(two))
    assert streamed.summary().to_frame().index.equals(model.summary().to_frame().index)


def test_another_number_of_targets_in_a_later_walk_is_refused():
    walks = 0

    def blocks():
        nonlocal walks
        walks += 1
        yield X, np.column_stack([Y] * walks)

    with pytest.raises(ValueError, match=r"other targets in this walk; every walk must give"):
        LinearRegression().fit(RowStream(blocks))


def test_a_score_needs_the_targets_of_its_rows():
    """Blocks are checked one by one: lengths that cancel pair other rows in silence."""
    model, weights = LinearRegression().fit(X, Y), np.ones(N)
    shifted = RowStream([(X[:HALF], Y[: HALF + 1]), (X[HALF:], Y[HALF + 1 :])])
    with pytest.raises(ValueError, match=r"block 0 of the stream .*\[30, 31\]"):
        model.score(shifted)
    bad = Y.copy()
    bad[HALF + 4] = np.nan
    with pytest.raises(ValueError, match="block 1 of the stream, row 4 of y"):
        model.score(halves(bad))
    with pytest.raises(ValueError, match=r"block 1 of the stream.* masked"):
        model.score(with_second(Y, np.ma.array(Y[HALF:], mask=np.arange(HALF) == 0)))
    frame, reversed_ = pd.DataFrame(X[HALF:]), pd.Series(Y[HALF:], index=np.arange(HALF)[::-1])
    with pytest.raises(ValueError, match=r"block 1 of the stream.*in another order"):
        model.score(RowStream([(X[:HALF], Y[:HALF]), (frame, reversed_)]))
    with pytest.raises(ValueError, match=r"block 1 of the stream.*in another order"):
        clone(model).fit(RowStream([(X[:HALF], Y[:HALF]), (frame, reversed_)]))
    weights[HALF + 2] = -1
    with pytest.raises(ValueError, match=r"block 1 of the stream.*-1 in row 2"):
        model.score(halves(Y, weights))
    with pytest.raises(ValueError, match="no blocks with rows"):
        model.score(RowStream([]))


@pytest.mark.parametrize("y", [WORDS, np.full(N, np.nan), missing_at(WORDS, 3, None)])
def test_what_reads_no_targets_takes_any(y):
    expected = PCA(2).fit(X)
    model = PCA(2).fit(halves(y))
    np.testing.assert_allclose(model.components_, expected.components_, **CLOSE)
    PCA().fit(RowStream([(X[:HALF], y[:HALF]), X[HALF:]]))
    stream = halves(y)
    assert model.objective(stream) == pytest.approx(expected.objective(X))
    linear = LinearRegression().fit(X, Y)
    np.testing.assert_allclose(linear.leverage(stream), linear.leverage(X), **CLOSE)


@pytest.mark.parametrize(
    "stores",
    [
        [np.asarray, sparse.csr_array, sparse.csc_matrix, sparse.coo_array],
        [sparse.csr_matrix, np.asfortranarray, lambda part: part.tolist(), np.asarray],
        [pd.DataFrame] * 4,
    ],
    ids=["dense first", "sparse first", "frames"],
)
def test_blocks_of_several_storages(stores):
    cuts = np.array_split(np.arange(N), 4)
    weights = np.arange(1.0, N + 1)
    for model, y in (
        (LinearRegression(), Y),
        (LogisticRegression(), CODES),
        (ObjectiveRegressor("(y - eta)**2"), Y),
        (GeneralizedLinearRegressor(), Y),
        (PCA(2), None),
    ):
        expected = clone(model).fit(X, y, sample_weight=weights)
        blocks = [
            (store(X[rows]), None if y is None else pd.Series(y[rows]), weights[rows].tolist())
            for store, rows in zip(stores, cuts, strict=True)
        ]
        streamed = clone(model).fit(RowStream(blocks))
        np.testing.assert_allclose(streamed.params_, expected.params_, **CLOSE)


def test_polars_blocks():
    pl = pytest.importorskip("polars")
    parts = [
        (pl.DataFrame(X[a:b], schema=["a", "b", "c"]), pl.Series("t", Y[a:b]))
        for a, b in ((0, 0), (0, 20), (20, N))
    ]
    model = LinearRegression().fit(RowStream(parts))
    np.testing.assert_allclose(model.params_, LinearRegression().fit(X, Y).params_, **CLOSE)
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]


def test_tables_keep_the_index_of_the_blocks():
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = LinearRegression().fit(frame, Y)
    for part in (frame[10:], frame.set_axis(np.arange(N)[::-1])):
        stream = RowStream([part[:20], part[20:]])
        expected = model.predict_interval(part)
        pd.testing.assert_frame_equal(model.predict_interval(stream), expected, check_exact=False)
    part = frame.set_axis([f"r{i}" for i in range(N)])
    stream = RowStream([(part[:0], Y[:0]), (part[:20], Y[:20]), (part[20:], Y[20:])])
    linear, logistic = LinearRegression().fit(part, Y), LogisticRegression().fit(part, CODES)
    pd.testing.assert_frame_equal(linear.influence(stream), linear.influence(part, Y))
    found = logistic.marginal_effects(stream, at="rows")
    pd.testing.assert_frame_equal(found, logistic.marginal_effects(part, at="rows"))
    stream = RowStream([(part[:20], CODES[:20]), (part[20:], CODES[20:])])
    pd.testing.assert_frame_equal(logistic.influence(stream), logistic.influence(part, CODES))
    assert linear.influence(halves(Y)).index.tolist() == list(range(N))
    again = [frame[:20], frame[20:].reset_index(drop=True)]
    assert model.predict_interval(RowStream(again)).index.tolist() == list(range(N))


def test_groups_and_candidates_in_another_order_than_the_blocks_are_refused():
    names = [f"r{i}" for i in range(N)]
    frame, values = pd.DataFrame(X, names), pd.Series(np.arange(N) % 7, names)
    model = LogisticRegression(C=np.inf).fit(frame, CODES)
    stream = RowStream([(frame[:20], CODES[:20]), (frame[20:], CODES[20:])])
    found = model.covariance(stream, kind="cluster", groups=values)
    np.testing.assert_allclose(
        found, model.covariance(frame, CODES, kind="cluster", groups=values), **CLOSE
    )
    with pytest.raises(ValueError, match="X and groups have the same index labels in another"):
        model.covariance(stream, kind="cluster", groups=values[::-1])
    with pytest.raises(ValueError, match="X and candidate have the same index labels in another"):
        model.score_test(stream, candidate=values[::-1])


def test_a_single_row_is_called_that():
    with pytest.raises(ValueError, match="there is one row"):
        PCA().fit(RowStream([X[:0], X[:1]]))


@pytest.mark.parametrize("blocks", [pd.DataFrame(X), X, "rows.csv", {"X": X}, sparse.csr_array(X)])
def test_what_is_no_sequence_of_blocks_is_refused(blocks):
    with pytest.raises(TypeError, match="no sequence of blocks"):
        RowStream(blocks)


def test_blocks_that_are_no_tuples_are_refused():
    for block in ([X, Y], {"X": X, "y": Y}, "a"):
        with pytest.raises(TypeError, match=r"block 0 of the stream is a .*tuple \(X, y\)"):
            LinearRegression().fit(RowStream([block]))
    with pytest.raises(TypeError, match="returned a NoneType"):
        LinearRegression().fit(RowStream(lambda: None))


def test_an_iterator_made_once_is_named_as_such():
    for model in (LinearRegression(), LogisticRegression(), PCA(), MLPClassifier((2,))):
        blocks = iter([(X[:HALF], CODES[:HALF]), (X[HALF:], CODES[HALF:])])
        with pytest.raises(ValueError, match="at its end already: the function must make a new"):
            model.fit(RowStream(lambda blocks=blocks: blocks))


def test_what_reads_no_streams_says_what_to_do():
    stream = halves(Y)
    for of in (
        LinearRegression().partial_fit,
        PCA().partial_fit,
    ):
        with pytest.raises(TypeError, match="Pass the stream to fit"):
            of(stream)
    pipeline = make_pipeline(StandardScaler(), LinearRegression())
    for of in (np.asarray, StandardScaler().fit, pipeline.fit, pipeline.fit(X, Y).predict):
        with pytest.raises(TypeError, match=r"apply a transformer to each block: RowStream\("):
            of(stream)


def test_a_pipeline_is_summarized_from_a_stream():
    pipeline = make_pipeline(StandardScaler(), LinearRegression()).fit(X, Y)
    empty = (X[:0], Y[:0])
    stream = RowStream([empty, (X[:HALF], Y[:HALF]), (X[HALF:], Y[HALF:])])
    found = summarize(pipeline, stream, kind="HC3").to_frame()
    pd.testing.assert_frame_equal(found, summarize(pipeline, X, Y, kind="HC3").to_frame())


NETWORKS = {
    "two": (MLPClassifier, CODES),
    "words": (MLPClassifier, np.array(["a", "b", "c"])[np.digitize(Y, [-2, 2])]),
    "regression": (MLPRegressor, Y),
    "targets": (MLPRegressor, np.column_stack([Y, 1 - Y])),
}


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_from_a_stream(name, solver):
    kind, y = NETWORKS[name]
    weights = np.arange(N) % 3 + 0.5
    model = kind((2,), "tanh", solver=solver, alpha=1.0, tol=1e-9, max_iter=3000, random_state=0)
    whole = clone(model).fit(X, y, weights)
    stream = RowStream(
        [(X[a:b], y[a:b], weights[a:b]) for a, b in ((0, 1), (1, 1), (1, 40), (40, N))]
    )
    streamed = model.fit(stream)
    assert whole.status_ == streamed.status_ == "converged"
    # A gradient of 1e-9 of the rows, over curvatures of about 1 (the penalty) and more.
    np.testing.assert_allclose(streamed.params_, whole.params_, rtol=1e-5, atol=1e-6)
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        if hasattr(whole, method):
            found, expected = getattr(whole, method)(stream), getattr(whole, method)(X)
            assert found.dtype == expected.dtype
            if found.dtype.kind == "f":
                np.testing.assert_allclose(found, expected, **CLOSE)
            else:
                assert found.tolist() == expected.tolist()
    assert whole.score(stream) == pytest.approx(whole.score(X, y, weights), rel=1e-12)
    point = whole.params_ + 0.1
    for method in ("objective", "gradient", "hessian"):
        of = getattr(whole, method)
        found, expected = of(stream, params=point), of(X, y, point, weights)
        if method == "gradient":
            found, expected = found.ravel(), expected.ravel()
        np.testing.assert_allclose(found, expected, **CLOSE)
    found = whole.laplace(stream).predict_interval(stream)
    expected = whole.laplace(X, y, weights).predict_interval(X)
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), **CLOSE)


def test_a_network_refuses_a_stream_that_changes():
    walks = 0

    def blocks(of_codes=False):
        nonlocal walks
        walks += 1
        rows = np.random.default_rng(walks).permutation(N)
        yield X[rows], CODES[rows] if of_codes else CODES

    model = MLPClassifier((2,), random_state=0)
    with pytest.raises(ValueError, match="every walk must give the same rows"):
        model.fit(RowStream(blocks))
    assert not hasattr(model, "coefs_")
    # With early stopping the codes of the first walk are held in memory, so their order counts.
    model.set_params(early_stopping=True)
    with pytest.raises(ValueError, match="every walk must give the same rows"):
        model.fit(RowStream(lambda: blocks(of_codes=True)))
    assert not hasattr(model, "coefs_")


def test_a_network_takes_the_same_rows_in_another_order():
    """Each row comes with its target, and sums over rows do not depend on their order."""
    walks = 0

    def blocks():
        nonlocal walks
        walks += 1
        rows = np.random.default_rng(walks).permutation(N)
        yield X[rows], CODES[rows]

    options = {"alpha": 1.0, "tol": 1e-9, "max_iter": 3000, "random_state": 0}
    model = MLPClassifier((2,), "tanh", solver="newton-cg", **options)
    expected = clone(model).fit(X, CODES).params_
    # As above: a gradient of 1e-9 of the rows, over curvatures of about 1 and more.
    np.testing.assert_allclose(model.fit(RowStream(blocks)).params_, expected, rtol=1e-5, atol=1e-6)
    assert walks > 3


FAULTS = ["error", "interrupt", "nan", "fewer", "more", "columns"]


@pytest.mark.parametrize("late", [1, 2, 3])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("fitted", [False, True])
def test_a_walk_that_fails_leaves_the_estimator_as_it_was(fault, late, fitted):
    models = [
        (LinearRegression(solver="pinv"), Y),
        (LogisticRegression(warm_start=True), CODES),
        (ObjectiveRegressor("(y - eta)**2", warm_start=True), Y),
        (PCA(2), Y),
        (MLPRegressor((2,), "tanh", warm_start=True, random_state=0, tol=1.0), Y),
    ]
    for model, y in models:
        if fitted:
            model.fit(X, y)
        before = dict(vars(model))
        values = {name: np.array(a) for name, a in before.items() if isinstance(a, np.ndarray)}
        walks = 0

        def blocks(y=y):
            nonlocal walks
            walks += 1
            wrong = walks == late
            yield X[:20], y[:20]
            if wrong and fault == "error":
                raise OSError("the file is gone")
            if wrong and fault == "interrupt":
                raise KeyboardInterrupt
            if wrong and fault == "columns":
                yield X[20:40, :2], y[20:40]
            middle = X[20:40].copy()
            if wrong and fault == "nan":
                middle[3, 1] = np.nan
            yield middle, y[20:40]
            if not (wrong and fault == "fewer"):
                yield X[40:], y[40:]
            if wrong and fault == "more":
                yield X[40:], y[40:]

        reasons = {
            "error": "file is gone",
            "nan": r"block 1 of the stream, row 3, column x1",
            "columns": "block 1 of the stream.*2 features",
        }
        failure = None
        try:
            model.fit(RowStream(blocks))
        except (OSError, KeyboardInterrupt, ValueError) as error:
            failure = error
        if walks < late:
            continue  # the solver needs fewer walks
        assert failure is not None
        assert re.search(reasons.get(fault, ""), str(failure))
        assert vars(model).keys() == before.keys()
        assert all(vars(model)[name] is value for name, value in before.items())
        assert all(np.array_equal(vars(model)[name], value) for name, value in values.items())
