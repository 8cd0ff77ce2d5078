"""Blocks of a stream that are gathered, and summed while the next ones are read."""

import itertools
import sqlite3
import threading
import time

import joblib
import numpy as np
import pytest
from scipy import sparse
from threadpoolctl import threadpool_limits

from mcmodels import PCA, LinearRegression, LogisticRegression, RowStream
from mcmodels.rows import (
    ArrayRows,
    Gatherer,
    Seen,
    StreamRows,
    gathered,
    single_threaded_blas,
    sum_behind,
)
from mcmodels.rows import threads as row_threads
from mcmodels.rows.sizes import BLOCK_ENTRIES, FEW_ENTRIES
from mcmodels.rows.threads import ordered_sum

STORES = [
    np.asarray,
    np.asfortranarray,
    lambda X: X.astype(np.float32),
    lambda X: X.astype(np.float16),
    lambda X: X.astype(int),
    sparse.csr_array,
]


def dense(X):
    return X.toarray() if sparse.issparse(X) else np.array(X, dtype=float)


def several_threads():
    with single_threaded_blas() as n_threads:
        return n_threads > 1


def large_problem(seed=0, n=90_000, p=20):
    """More rows than a chunk has, so that some are read while others are summed."""
    assert n * p > 3 * BLOCK_ENTRIES
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + rng.uniform(-3, 3, p)
    y = X @ rng.standard_normal(p) + rng.standard_normal(n)
    return X, y


def stream_of(X, y, size, w=None):
    def blocks():
        for k in range(0, len(X), size):
            yield X[k : k + size], y[k : k + size], None if w is None else w[k : k + size]

    return RowStream(blocks)


@pytest.mark.parametrize("weighted", ["all", "some", "none"])
def test_chunks_are_the_rows_of_the_blocks_in_their_order(weighted):
    for seed in range(25):
        rng = np.random.default_rng(seed)
        n, p = int(rng.integers(1, 400)), int(rng.integers(1, 5))
        X, y = rng.integers(0, 9, (n, p)).astype(float), rng.standard_normal((n, 2))
        w = rng.random(n)
        cuts = [0, *np.unique(rng.integers(1, n + 1, 6)), n]
        parts = [slice(a, b) for a, b in itertools.pairwise(cuts) if a < b]
        store = [STORES[k] for k in rng.integers(0, len(STORES), len(parts))]
        has_weights = [
            weighted == "all" or (weighted == "some" and rng.random() < 0.5) for _ in parts
        ]
        blocks = [
            (of(X[part]), y[part], w[part] if has else None)
            for of, part, has in zip(store, parts, has_weights, strict=True)
        ]
        chunks = [
            (dense(chunk.X), np.array(chunk.y), chunk.weights) for chunk in gathered(iter(blocks))
        ]
        np.testing.assert_array_equal(np.concatenate([c[0] for c in chunks]), X)
        np.testing.assert_array_equal(np.concatenate([c[1] for c in chunks]), y)
        expected = [
            w[part] if has else np.ones(part.stop - part.start)
            for part, has in zip(parts, has_weights, strict=True)
        ]
        found = [np.ones(len(c[0])) if c[2] is None else c[2] for c in chunks]
        np.testing.assert_array_equal(np.concatenate(found), np.concatenate(expected))
        assert any(c[2] is not None for c in chunks) == any(has_weights)


def test_precision_of_the_blocks_is_kept():
    """Rounding of float32 entries is judged by their type, so it must not be lost."""
    X = np.ones((3, 2))
    blocks = [(X.astype(t), None, None) for t in ("f4", "f4", "f8", "i8", "f2", "f4")]
    assert [chunk.X.dtype.char for chunk in gathered(blocks)] == ["f", "d", "e", "f"]


def test_chunks_are_bounded_and_large_blocks_are_not_copied():
    p, small, large = 10, 1000, BLOCK_ENTRIES // 10 + 1
    X = np.zeros((large, p))
    sizes = [small] * 150 + [large] + [small] * 3 + [large, large]
    chunks = [
        (chunk.X.shape[0], chunk.stays, np.shares_memory(chunk.X, X))
        for chunk in gathered((X[:n], None, None) for n in sizes)
    ]
    assert sum(n for n, *_ in chunks) == sum(sizes)
    assert all(n * p <= 2 * BLOCK_ENTRIES for n, stays, _ in chunks if stays)
    assert [n for n, stays, _ in chunks if not stays] == [large] * 3
    assert all(stays != shared for _, stays, shared in chunks)
    assert len(chunks) < 8


@pytest.mark.parametrize("size", [750, 30_000])
@pytest.mark.parametrize("store", [np.array, sparse.csr_array])
def test_a_reader_may_put_each_block_into_the_same_array(size, store):
    """A block is not looked at once the next has been asked for."""
    X, y = large_problem()
    labels, w = (y > 0).astype(int), 1.0 + np.arange(len(y)) % 3

    def blocks(target):
        rows, values, weights = store(X[:size]), target[:size].copy(), w[:size].copy()
        entries = rows.data if sparse.issparse(rows) else rows
        for k in range(0, len(X), size):
            entries[:] = X[k : k + size].reshape(entries.shape)
            values[:], weights[:] = target[k : k + size], w[k : k + size]
            yield rows, values, weights

    for model, target in ((LinearRegression(), y), (LogisticRegression(), labels)):
        streamed = type(model)().fit(RowStream(lambda target=target: blocks(target)))
        # Sums of the same 90,000 rows in another order; Newton ends within 1e-10.
        whole = model.fit(X, target, w)
        np.testing.assert_allclose(streamed.params_, whole.params_, rtol=1e-9, atol=1e-10)
        score = whole.score(RowStream(lambda target=target: blocks(target)))
        assert score == pytest.approx(whole.score(X, target, w), rel=1e-12)  # the same sums


@pytest.mark.parametrize("size", [900, 60_000])
def test_blocks_of_a_walk_know_their_position_in_the_stream(size):
    X, _ = large_problem()
    X[:, 0] = np.arange(len(X))
    parts = [(X[k : k + size], None, None) for k in range(0, len(X), size)]
    rows = StreamRows(lambda: gathered(parts), Seen.of(ArrayRows(X)), X.dtype)
    starts = rows.reduce(lambda block: [(block.start, block.X.X[0, 0], block.X.n_rows)])
    assert [start for start, _, _ in starts] == [first for _, first, _ in starts]
    assert sum(n for _, _, n in starts) == len(X)
    assert len(starts) > 3


def test_targets_count_as_entries():
    """Many targets of few columns are gathered, and copied, in no larger pieces than rows are."""
    X, y = np.zeros((1000, 1)), np.zeros((1000, 40))
    chunks = [chunk.X.shape[0] for chunk in gathered([(X, y, None)] * 60)]
    assert sum(chunks) == 60_000
    assert max(chunks) * 41 <= 2 * BLOCK_ENTRIES


@pytest.mark.parametrize("size", [900, 9_000, 60_000])
def test_no_result_depends_on_the_number_of_threads(size):
    X, y = large_problem()
    for model, target in (
        (LinearRegression(), y),
        (LogisticRegression(), (y > 0).astype(int)),
        (PCA(2), y),
    ):
        found = []
        for threads in (1, 2, 5):
            with threadpool_limits(threads):
                found.append(type(model)(**model.get_params()).fit(stream_of(X, target, size)))
        for other in found[1:]:
            np.testing.assert_array_equal(other.params_, found[0].params_)


def test_a_large_stream_of_good_condition_is_walked_once_by_least_squares():
    X, y = large_problem()
    w = 0.5 + np.arange(len(y)) % 2
    for options in ({}, {"solver": "normal"}, {"fit_intercept": False}):
        for columns in (y, np.column_stack([y, X[:, 0] - y])):
            walks = 0

            def blocks(columns=columns):
                nonlocal walks
                walks += 1
                yield from stream_of(X, columns, 1000, w)

            model = LinearRegression(**options).fit(RowStream(blocks))
            assert walks == 1
            whole = LinearRegression(**options).fit(X, columns, w)
            # Condition below 10 in units of the columns: errors of 1e-16 times its square.
            np.testing.assert_allclose(model.params_, whole.params_, rtol=1e-11, atol=1e-11)
            np.testing.assert_allclose(model.standard_errors_, whole.standard_errors_, rtol=1e-11)


def test_a_small_stream_is_walked_again_to_see_that_it_can_be():
    X, y = large_problem()
    few = FEW_ENTRIES // X.shape[1]
    walks = 0

    def blocks():
        nonlocal walks
        walks += 1
        yield X[:few], y[:few] + walks

    with pytest.raises(ValueError, match="every walk must give the same rows"):
        LinearRegression().fit(RowStream(blocks))


def test_rows_that_drift_lose_no_digits():
    """Moments of chunks are merged: here each has its own mean, 1e6 deviations from the last."""
    X, _ = large_problem()
    X = X + 1e6 * (np.arange(len(X)) // 10_000)[:, np.newaxis]
    beta = np.linspace(-1, 1, X.shape[1])
    y = X @ beta + np.cos(np.arange(len(X)))
    whole = LinearRegression().fit(X, y)
    streamed = LinearRegression().fit(stream_of(X, y, 1000))
    # What is promised of large data: 1e-9 of the larger of the coefficient and its standard error.
    size = np.maximum(np.abs(whole.coef_), whole.standard_errors_[:-1])
    assert (np.abs(streamed.coef_ - whole.coef_) < 2e-9 * size).all()


def test_rows_of_a_connection_that_refuses_other_threads():
    X, y = large_problem(n=90_000, p=20)
    connection = sqlite3.connect(":memory:")
    columns = ", ".join(f"x{j} REAL" for j in range(X.shape[1]))
    connection.execute(f"CREATE TABLE t (y REAL, {columns})")
    marks = ", ".join("?" * (X.shape[1] + 1))
    connection.executemany(f"INSERT INTO t VALUES ({marks})", np.column_stack([y, X]).tolist())

    def blocks():
        cursor = connection.execute("SELECT * FROM t")
        while part := cursor.fetchmany(5_000):
            rows = np.array(part)
            yield rows[:, 1:], rows[:, 0]

    streamed = LinearRegression().fit(RowStream(blocks))
    np.testing.assert_allclose(streamed.params_, LinearRegression().fit(X, y).params_, rtol=1e-10)


@pytest.mark.parametrize("error", [OSError("gone"), KeyboardInterrupt(), StopIteration()])
@pytest.mark.parametrize("late", [0, 40, 89])
def test_errors_of_the_reader_come_through_and_leave_no_thread(error, late):
    X, y = large_problem()
    before, readers, closed = threading.active_count(), set(), []

    def blocks(target):
        try:
            for k in range(90):
                readers.add(threading.get_ident())
                if k == late:
                    raise error
                yield X[1000 * k : 1000 * (k + 1)], target[1000 * k : 1000 * (k + 1)]
        finally:
            closed.append(threading.get_ident())

    for model in (LinearRegression(), LogisticRegression()):
        target = y if isinstance(model, LinearRegression) else (y > 0).astype(int)
        expected = RuntimeError if isinstance(error, StopIteration) else type(error)
        with pytest.raises(expected) as raised:
            model.fit(RowStream(lambda target=target: blocks(target)))
        assert isinstance(error, StopIteration) or raised.value is error
        assert threading.active_count() == before
    assert readers == {threading.get_ident()} == set(closed)


def test_an_error_of_a_sum_comes_through_when_the_reader_has_gone_on():
    closed = []

    def tasks():
        try:
            yield (lambda: 1), True
            yield (lambda: 1 // 0), True
            yield (lambda: 1), True
        finally:
            closed.append(True)

    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        sum_behind(tasks())
    assert closed == [True]
    assert threading.active_count() == before


def test_an_error_of_a_sum_comes_before_one_of_the_next_rows():
    def tasks():
        yield (lambda: 1 // 0), True
        raise KeyError("the next rows")

    for n_threads in (1, 2):
        with threadpool_limits(n_threads), pytest.raises(ZeroDivisionError):
            sum_behind(tasks())


def test_an_interrupt_of_the_caller_waits_for_what_is_summed(monkeypatch):
    if not several_threads():
        pytest.skip("one thread is allowed")
    ended = []

    def interrupted(task):
        raise KeyboardInterrupt

    def slow():
        time.sleep(0.3)
        ended.append(True)
        return 1

    def tasks():
        yield slow, True
        yield (lambda: 1), True

    monkeypatch.setattr(row_threads._Task, "result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sum_behind(tasks())
    assert ended == [True]


def test_the_next_rows_are_read_while_these_are_summed():
    if not several_threads():
        pytest.skip("one thread is allowed")
    read = threading.Event()

    def tasks():
        yield (lambda: [read.wait(60)]), True
        read.set()
        yield (lambda: ["second"]), True
        yield (lambda: ["third"]), False

    assert sum_behind(tasks()) == [True, "second", "third"]


@pytest.mark.parametrize(
    ("reading", "summing", "expected"),
    [(0.2, 0.001, [1, 1, 1]), (0.0, 0.1, [1, 2, 2])],
    ids=["reading is slow", "summing is slow"],
)
def test_a_task_takes_one_thread_while_reading_is_slower(reading, summing, expected, monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)
    used = []

    def walk():
        names = set()

        def part():
            names.add(threading.get_ident())
            time.sleep(summing)
            return 0

        ordered_sum([part] * 4, 2)
        used.append(len(names))
        return 0

    def tasks():
        for _ in range(3):
            yield walk, True
            time.sleep(reading)

    with threadpool_limits(2):
        if not several_threads():
            pytest.skip("BLAS has one thread")
        sum_behind(tasks())
    assert used == expected


def test_no_thread_is_started_where_one_is_allowed():
    threads = []

    def tasks():
        for _ in range(3):
            yield (lambda: threads.append(threading.get_ident()) or 1), True

    with threadpool_limits(1):
        assert sum_behind(tasks()) == 3
    assert set(threads) == {threading.get_ident()}
    assert sum_behind(x for x in ()) is None


class TestSeveralWalks:
    """A gatherer copies the blocks of later walks into the arrays of earlier ones."""

    def blocks(self, seed=0, n_blocks=40, size=5_000, p=20):
        rng = np.random.default_rng(seed)
        return [(rng.standard_normal((size, p)), None, None) for _ in range(n_blocks)]

    def rows_of(self, gather, blocks):
        return np.concatenate([chunk.X.copy() for chunk in gather(blocks)])

    def test_each_gives_its_rows_in_the_same_arrays(self):
        gather, arrays = Gatherer(), []
        for seed in (0, 1):
            blocks = self.blocks(seed)
            expected = np.concatenate([X for X, *_ in blocks])
            np.testing.assert_array_equal(self.rows_of(gather, blocks), expected)
            arrays.append([chunk.X for chunk in gather(blocks)][:2])
        assert all(any(np.shares_memory(a, b) for b in arrays[1]) for a in arrays[0])

    @pytest.mark.parametrize("taken", [0, 1, 2])
    def test_one_that_was_given_up_leaves_no_rows(self, taken):
        gather, blocks = Gatherer(), self.blocks()
        walk = gather(blocks)
        list(itertools.islice(walk, taken))
        walk.close()
        other = self.blocks(1)
        expected = np.concatenate([X for X, *_ in other])
        np.testing.assert_array_equal(self.rows_of(gather, other), expected)

    def test_one_that_failed_leaves_no_rows(self):
        def broken():
            yield from self.blocks(n_blocks=3)
            raise OSError("the source has gone")

        gather = Gatherer()
        with pytest.raises(OSError, match="gone"):
            self.rows_of(gather, broken())
        other = self.blocks(1)
        expected = np.concatenate([X for X, *_ in other])
        np.testing.assert_array_equal(self.rows_of(gather, other), expected)

    def test_two_at_a_time_do_not_share(self):
        gather, blocks, others = Gatherer(), self.blocks(), self.blocks(1)
        pairs = [
            (a.X.copy(), b.X.copy()) for a, b in zip(gather(blocks), gather(others), strict=True)
        ]
        for k, given in enumerate((blocks, others)):
            found = np.concatenate([pair[k] for pair in pairs])
            np.testing.assert_array_equal(found, np.concatenate([X for X, *_ in given]))
