"""Threads over rows: the same result however many, their errors, and nothing left behind."""

import contextlib
import functools
import gc
import json
import multiprocessing
import os
import random
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
import sklearn
import threadpoolctl
from scipy import sparse
from sklearn.model_selection import cross_val_score

from mcmodels import PCA, LinearRegression, LogisticRegression
from mcmodels.rows import ArrayRows, Moments, threads
from mcmodels.rows.threads import ordered_sum, single_threaded_blas
from mcmodels.solvers.cholesky import ScaledCholesky

ROOT = Path(__file__).parents[2]
# Longer than any of this takes, on the slowest machine; a hang would last for ever.
PATIENCE = 120
ROWS, COLUMNS = 60_000, 40

MODELS = {
    "linear": lambda: LinearRegression(),
    "triangle": lambda: LinearRegression(solver="pinv"),
    "binary": lambda: LogisticRegression(C=np.inf),
    "multinomial": lambda: LogisticRegression(),
    "pca": lambda: PCA(5),
}
STORAGES = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "float32": lambda X: X.astype(np.float32),
    "csr": lambda X: sparse.csr_array(np.where(np.abs(X) > 0.3, X, 0.0)),
}
# Environment variables that limit the threads of BLAS or of joblib.
THREAD_LIMITS = (
    "OPENBLAS_NUM_THREADS",
    "GOTO_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OMP_NUM_THREADS",
    "OMP_THREAD_LIMIT",
    "LOKY_MAX_CPU_COUNT",
)
PUBLISHED = ("params_", "coef_", "gradient_", "hessian_", "components_", "eigenvalues_", "n_iter_")


def features():
    """Correlated columns, made without BLAS, whose sums depend on its threads."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((ROWS, COLUMNS)) + rng.standard_normal((ROWS, 1)) / 2


def target(name, X):
    rng = np.random.default_rng(1)
    eta = X[:, 0] - X[:, 1] / 2 + 2 * rng.standard_normal(len(X))
    return {"binary": eta > 0, "multinomial": np.digitize(eta, [-1, 1])}.get(name, eta)


def results(name, storage, X):
    """What a fit publishes, by name."""
    model = MODELS[name]().fit(STORAGES[storage](X), target(name, X))
    return {a: np.array(getattr(model, a)) for a in PUBLISHED if hasattr(model, a)}


def differing(actual, expected):
    """Names of results that are not equal bit by bit."""
    assert actual.keys() == expected.keys()
    return [key for key in expected if not np.array_equal(actual[key], expected[key])]


def save_all(path):
    """The results of every case, and how many threads were started for them; run by a child."""
    X, counter = features(), CountedThreads()
    threading.Thread = counter
    found = {
        f"{name} {storage} {key}": value
        for name in MODELS
        for storage in STORAGES
        for key, value in results(name, storage, X).items()
    }
    np.savez(path, **found)
    print(json.dumps({"threads": counter.count}))


class CountedThreads:
    """Stands for threading.Thread and counts what it makes."""

    def __init__(self):
        self.count = 0
        self._thread = threading.Thread

    def __call__(self, *args, **kwargs):
        self.count += 1
        return self._thread(*args, **kwargs)


def in_time(work, *args):
    """What the work returns or raises, in a thread that is given up when it hangs."""
    outcome = {}

    def run():
        try:
            outcome["value"] = work(*args)
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive(), "hangs"
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def child(code, *args, **environment):
    """Run Python code in another process; its stdout.

    Limits of threads in the environment of the tests do not hold there, only those given here.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in THREAD_LIMITS}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        env={**inherited, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def blas_threads():
    """The number of threads of each thread pool of the process."""
    return {pool["filepath"]: pool["num_threads"] for pool in threadpoolctl.threadpool_info()}


def blas_with(count):
    return threadpoolctl.threadpool_limits(limits=count, user_api="blas")


@pytest.fixture(scope="module")
def X():
    return features()


@pytest.fixture(scope="module")
def small():
    """Enough entries for threads to start, and little else: (X, y, classes)."""
    rng = np.random.default_rng(2)
    X = rng.standard_normal((100_000, 12))
    y = X[:, 0] + rng.standard_normal(len(X))
    assert X.size > 2**18
    return X, y, np.digitize(y, [-1, 1])


@pytest.fixture(scope="module")
def expected(X):
    """The results with one thread, made when first asked for."""
    made = {}

    def of(name, storage):
        if (name, storage) not in made:
            with blas_with(1):
                made[name, storage] = results(name, storage, X)
        return made[name, storage]

    return of


@pytest.fixture
def many_cores(monkeypatch):
    """As many cores as anyone asks for: more threads than there are here, in any order."""
    monkeypatch.setattr(joblib, "cpu_count", lambda *args, **kwargs: 64)


@pytest.fixture
def started(monkeypatch):
    """Counts the threads that are started."""
    counter = CountedThreads()
    monkeypatch.setattr(threading, "Thread", counter)
    return counter


class TestTheNumberOfThreadsChangesNothing:
    @pytest.mark.parametrize("count", [2, 4])
    @pytest.mark.parametrize("storage", STORAGES)
    @pytest.mark.parametrize("name", MODELS)
    def test_under_threadpoolctl(self, name, storage, count, X, expected, many_cores, started):
        reference = expected(name, storage)
        before = started.count
        with blas_with(count):
            assert differing(results(name, storage, X), reference) == []
        assert started.count >= before + count, "threads were to be compared"

    @pytest.mark.parametrize(
        "environment",
        [{"OPENBLAS_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "1"}],
        ids=lambda e: " ".join(f"{k}={v}" for k, v in e.items()),
    )
    def test_under_the_environment(self, environment, expected, tmp_path):
        path = tmp_path / "results.npz"
        code = "import sys; from tests.rows.test_threads import save_all; save_all(sys.argv[1])"
        report = json.loads(child(code, path, **environment))
        assert report["threads"] == 0
        with np.load(path) as found:
            for name in MODELS:
                for storage in STORAGES:
                    reference = expected(name, storage)
                    actual = {key: found[f"{name} {storage} {key}"] for key in reference}
                    assert differing(actual, reference) == [], (name, storage)

    @pytest.mark.parametrize("limited", [False, True], ids=["", "limited"])
    @pytest.mark.parametrize("name", MODELS)
    def test_in_another_thread_than_the_first_fit(self, name, limited, X, expected):
        """threadpoolctl heeds one thread at a time; BLAS is single-threaded for all the same."""
        reference = expected(name, "C")
        with blas_with(4) if limited else contextlib.nullcontext():
            LinearRegression().fit(X, X[:, 0])
            assert differing(in_time(results, name, "C", X), reference) == []

    def test_one_bit_is_seen(self, expected):
        reference = expected("linear", "C")
        spoiled = {key: value.copy() for key, value in reference.items()}
        spoiled["hessian_"][3, 2] = np.nextafter(spoiled["hessian_"][3, 2], np.inf)
        assert differing(spoiled, reference) == ["hessian_"]
        assert differing(reference, reference) == []

    def test_sums_that_are_taken_as_they_come_are_seen(self, X, many_cores, monkeypatch):
        """The comparison can fail: without the order, sums differ in their last bits."""

        def added_at_once(self, index, part):
            time.sleep(0.001 * (index % 3))  # some are overtaken
            with self._progress:
                self.total = threads.in_place_sum(self.total, part)
                self._summed += 1
                self._progress.notify_all()

        monkeypatch.setattr(threads._SharedSum, "_add", added_at_once)
        rows = ArrayRows(X, X[:, :1], block_rows=1000)
        scatters = []
        with blas_with(4):
            for _ in range(20):
                scatters.append(Moments.of(rows).scatter.tobytes())
        assert len(set(scatters)) > 1


class TestLimits:
    def fit_all(self, small):
        X, y, classes = small
        LinearRegression().fit(X, y).predict(X)
        LogisticRegression().fit(X, classes).predict(X)
        PCA(2).fit(X).transform(X)

    def test_of_one_thread_start_none(self, small, started, many_cores):
        with blas_with(1):
            self.fit_all(small)
        assert started.count == 0

    def test_of_one_core_start_none(self, small, started, monkeypatch):
        monkeypatch.setattr(joblib, "cpu_count", lambda *args, **kwargs: 1)
        with blas_with(4):
            self.fit_all(small)
        assert started.count == 0

    @pytest.mark.parametrize("count", [2, 3])
    def test_are_the_number_of_threads(self, small, started, many_cores, count):
        X, y, _ = small
        with blas_with(count):
            Moments.of(ArrayRows(X, y[:, None], block_rows=1000))
            # A pass over a sample, which is small, and one over the rows.
            assert started.count == count

    def test_little_data_starts_none(self, started, many_cores):
        rng = np.random.default_rng(3)
        X = rng.standard_normal((1000, 20))
        with blas_with(4):
            self.fit_all((X, X[:, 0], (X[:, 0] > 0) * 1))
        assert started.count == 0

    @pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="affinity is Linux's")
    def test_one_core_is_one_thread(self):
        code = """
import os, threading
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import numpy as np, threadpoolctl
from tests.rows.test_threads import CountedThreads
from mcmodels import LinearRegression
threading.Thread = counter = CountedThreads()
X = np.random.default_rng(0).standard_normal((100_000, 12))
with threadpoolctl.threadpool_limits(4):
    LinearRegression().fit(X, X[:, 0])
assert counter.count == 0
assert len(os.sched_getaffinity(0)) == 1
"""
        child(code)


def process_state():
    """What a fit must leave alone, by name."""
    state = {
        "thread pools": blas_threads(),
        "threads": threading.active_count(),
        "error state": np.geterr(),
        "error callback": np.geterrcall(),
        "print options": np.get_printoptions(),
        "warning filters": list(warnings.filters),
        "environment": dict(os.environ),
        "random state": random.getstate(),
        "numpy's random state": [np.array(v).tolist() for v in np.random.get_state()],  # noqa: NPY002
        "scikit-learn": sklearn.get_config(),
        "thread hook": threading.excepthook,
        "stack size": threading.stack_size(),
        "switch interval": sys.getswitchinterval(),
        "directory": os.getcwd(),
    }
    if hasattr(os, "sched_getaffinity"):
        state["affinity"] = os.sched_getaffinity(0)
    return state


def changed(before):
    """Names of what is not as it was."""
    now = process_state()
    return [key for key in before if now[key] != before[key]]


@contextlib.contextmanager
def one_thread_more():
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    yield
    end.set()
    thread.join()


@contextlib.contextmanager
def numpy_seeded():
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(12345)  # noqa: NPY002
    yield
    np.random.set_state(before)  # noqa: NPY002


@contextlib.contextmanager
def fewer_cores():
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


class TestNothingIsLeftBehind:
    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("threads", one_thread_more),
            ("thread pools", lambda: blas_with(1 if max(blas_threads().values()) > 1 else 2)),
            ("error state", lambda: np.errstate(over="raise", divide="raise")),
            ("warning filters", lambda: ignored_warnings()),
            ("environment", lambda: pytest.MonkeyPatch.context()),
            ("numpy's random state", numpy_seeded),
            pytest.param(
                "affinity",
                fewer_cores,
                marks=pytest.mark.skipif(
                    len(getattr(os, "sched_getaffinity", lambda _: ())(0)) < 2,
                    reason="needs two cores",
                ),
            ),
        ],
        ids=lambda v: v if isinstance(v, str) else "",
    )
    def test_planted_changes_are_seen(self, name, change):
        before = process_state()
        with change() as context:
            if name == "environment":
                context.setenv("MCMODELS_PLANTED", "1")
            assert changed(before) == [name]
        assert changed(before) == []

    @pytest.mark.parametrize("name", MODELS)
    def test_after_a_fit(self, name, X):
        with blas_with(3), np.errstate(under="ignore", divide="warn"):
            before = process_state()
            results(name, "C", X)
            assert changed(before) == []

    @pytest.mark.parametrize("name", MODELS)
    def test_after_predictions_and_derivatives(self, name, small):
        X, y, classes = small
        y = classes if name in ("binary", "multinomial") else y
        model = MODELS[name]().fit(X, y)
        before = process_state()
        (model.transform if name == "pca" else model.predict)(X)
        model.objective(X, y)
        model.hessian(X, y)
        model.hessian_vector_product(X, y, vector=model.params_)
        assert changed(before) == []

    @pytest.mark.parametrize("where", [0, 99_999])
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    @pytest.mark.parametrize("name", MODELS)
    def test_after_a_fit_that_is_refused(self, name, value, where, small, many_cores):
        X, y, classes = small
        X = X.copy()
        X[where, 3] = value
        y = classes if name in ("binary", "multinomial") else y
        with blas_with(3):
            before = process_state()
            with pytest.raises(ValueError, match=r"NaN|infinity"):
                in_time(MODELS[name]().fit, X, y)
            assert changed(before) == []

    @pytest.mark.parametrize("block", [0, 5, 99])
    def test_after_a_summary_that_raises(self, block, small, many_cores):
        X = small[0]

        def summarise(rows):
            if np.shares_memory(rows.X.X, X[block * 1000]):
                raise LookupError(f"block {block}")
            return rows.X.X.sum(axis=0)

        with blas_with(3):
            before = process_state()
            with pytest.raises(LookupError, match=f"^'?block {block}'?$"):
                in_time(ArrayRows(X, block_rows=1000).reduce, summarise)
            assert changed(before) == []

    def test_after_fits_in_threads(self, X, many_cores):
        y = target("linear", X)
        classes = target("multinomial", X)
        works = [
            lambda: LinearRegression().fit(X, y).params_,
            lambda: LogisticRegression().fit(X, classes).params_,
            lambda: PCA(2).fit(X).params_,
            lambda: LinearRegression().fit(X[:30_000], y[:30_000]).params_,
            lambda: LogisticRegression(C=np.inf).fit(X, y > 0).params_,
        ]
        with blas_with(1):
            alone = [work() for work in works]
        found = [[] for _ in works]
        with blas_with(3):
            before = process_state()
            gate = threading.Barrier(len(works))

            def repeated(k):
                gate.wait()
                for _ in range(2):
                    found[k].append(works[k]())

            fits = [threading.Thread(target=repeated, args=(k,)) for k in range(len(works))]
            for fit in fits:
                fit.start()
            for fit in fits:
                fit.join(PATIENCE)
                assert not fit.is_alive()
            assert changed(before) == []
        for k, params in enumerate(alone):
            assert len(found[k]) == 2
            assert all(np.array_equal(again, params) for again in found[k])

    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
    @pytest.mark.parametrize("fails", [None, 0, 1, 2])
    def test_whichever_fit_ends_first(self, order, fails):
        """Each but the last leaves BLAS alone; the last gives it its threads back."""
        inside = [threading.Event() for _ in order]
        leave = [threading.Event() for _ in order]
        seen = []

        def fit(k):
            with contextlib.suppress(ZeroDivisionError), single_threaded_blas() as n_threads:
                seen.append(n_threads)
                inside[k].set()
                leave[k].wait(PATIENCE)
                if k == fails:
                    raise ZeroDivisionError

        fits = [threading.Thread(target=fit, args=(k,), daemon=True) for k in range(3)]
        with blas_with(3):
            before = blas_threads()
            try:
                for k, thread in enumerate(fits):
                    thread.start()
                    assert inside[k].wait(PATIENCE)
                for k in order:
                    assert set(self.of_blas().values()) == {1}
                    leave[k].set()
                    fits[k].join(PATIENCE)
                assert blas_threads() == before
                assert seen == [3, 3, 3], "each is told how many threads the user allows"
            finally:
                for k, thread in enumerate(fits):
                    leave[k].set()
                    thread.join(PATIENCE)

    @staticmethod
    def of_blas():
        pools = threadpoolctl.threadpool_info()
        return {p["filepath"]: p["num_threads"] for p in pools if p["user_api"] == "blas"}

    def test_a_limit_that_is_set_during_a_fit_stays(self, small):
        with blas_with(3):
            with single_threaded_blas():
                threadpoolctl.threadpool_limits(limits=2, user_api="blas")
            assert set(self.of_blas().values()) == {2}
            with single_threaded_blas() as n_threads:
                assert n_threads == 2

    def test_limits_of_other_threads_hold_after_a_fit(self, small):
        """threadpoolctl heeds one thread at a time; a fit does not stay that one."""

        def limited():
            with blas_with(1):
                return set(self.of_blas().values())

        assert in_time(limited) == {1}
        LinearRegression().fit(*small[:2])
        assert in_time(limited) == {1}

    def test_fits_that_overlap_in_threads_that_live_on(self):
        """Those of a pool do: whoever entered first need not be the one who leaves last."""
        code = """
import threading
from tests.rows.test_threads import blas_threads, blas_with
from mcmodels.rows import single_threaded_blas
before = blas_threads()
inside, leave, left, end = [threading.Event() for _ in range(4)]
def worker():
    with single_threaded_blas():
        inside.set()
        leave.wait(60)
    left.set()
    end.wait(60)
threading.Thread(target=worker, daemon=True).start()
assert inside.wait(60)
with single_threaded_blas():
    leave.set()
    assert left.wait(60)
assert blas_threads() == before, "BLAS stays single-threaded"
with blas_with(3):
    assert 3 in blas_threads().values(), "limits are not heeded any more"
end.set()
"""
        child(code, OPENBLAS_NUM_THREADS="2")

    def test_an_interrupted_fit_leaves_no_threads(self):
        """Ctrl-C reaches the caller, who gets it; the workers end, too."""
        code = """
import signal, threading, time
import numpy as np, joblib, threadpoolctl
joblib.cpu_count = lambda *a, **k: 4
from mcmodels.rows import ArrayRows
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background job
begun = []
def summarise(block):
    begun.append(None)
    time.sleep(0.05)
    return 1
rows = ArrayRows(np.zeros((100_000, 12)), block_rows=500)
with threadpoolctl.threadpool_limits(3, user_api="blas"):
    before = threadpoolctl.threadpool_info()
    main = threading.main_thread().ident
    threading.Timer(0.5, signal.pthread_kill, [main, signal.SIGINT]).start()
    start = time.perf_counter()
    try:
        rows.reduce(summarise)
    except KeyboardInterrupt:
        pass
    else:
        raise SystemExit("no interrupt")
    assert time.perf_counter() - start < 2, "200 blocks take more than 3 s"
    assert threadpoolctl.threadpool_info() == before
    time.sleep(0.5)
    count = len(begun)
    time.sleep(0.5)
    assert len(begun) == count, "blocks are still read after the fit was interrupted"
    assert threading.active_count() == 1
"""
        child(code)

    @pytest.mark.parametrize("moment", ["before", "after"])
    def test_an_interrupt_while_blas_is_limited_or_released(self, moment, monkeypatch):
        """Whichever call to a library it comes in, BLAS has its threads again."""
        for count in range(1, 20):
            pools = InterruptedPools(count, moment)
            monkeypatch.setattr(threads, "_blas_libraries", pools.libraries)
            ended = True
            try:
                with single_threaded_blas(), single_threaded_blas():
                    assert pools.sizes == [1, 1]
            except KeyboardInterrupt:
                ended = False
            pools.moment = "never"
            assert pools.sizes == [4, 3]
            with single_threaded_blas() as n_threads:
                assert n_threads == 3
            if ended:
                break
        assert ended
        assert count > 6, "each of the two libraries is read, limited and released"

    def test_an_interrupt_at_the_very_start_of_the_exit(self):
        """Python looks for signals when a function begins, so that its code may not run at all."""
        exits = single_threaded_blas.__exit__.__code__

        def interrupt(frame, event, argument):
            if frame.f_code is exits:
                sys.settrace(None)
                raise KeyboardInterrupt

        def interrupted_fit():
            with single_threaded_blas():
                sys.settrace(interrupt)

        before, traced = blas_threads(), sys.gettrace()
        with blas_with(2):
            limited = blas_threads()
            try:
                with pytest.raises(KeyboardInterrupt):
                    interrupted_fit()
            finally:
                sys.settrace(traced)
            gc.collect()
            assert blas_threads() == limited
            with single_threaded_blas() as n_threads:
                assert n_threads == 2
        assert blas_threads() == before


class InterruptedPools:
    """Two libraries of which one call, the ``count``-th, is interrupted before or after it acts."""

    def __init__(self, count, moment):
        self.sizes, self._left, self.moment = [4, 3], count, moment

    def libraries(self):
        return [InterruptedPool(self, k) for k in range(2)]

    def at(self, moment):
        if moment == self.moment:
            self._left -= 1
            if self._left == 0:
                raise KeyboardInterrupt


class InterruptedPool:
    def __init__(self, pools, k):
        self._pools, self._k = pools, k

    def get_num_threads(self):
        self._pools.at("before")
        found = self._pools.sizes[self._k]
        self._pools.at("after")
        return found

    def set_num_threads(self, count):
        self._pools.at("before")
        self._pools.sizes[self._k] = count
        self._pools.at("after")


@contextlib.contextmanager
def ignored_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BytesWarning)
        yield


class Unusual(Exception):
    """An exception with a constructor of its own."""

    def __init__(self, code, *, detail):
        super().__init__(f"code {code}: {detail}")
        self.code = code


class TestErrors:
    @pytest.mark.parametrize("n_threads", [1, 2, 4])
    @pytest.mark.parametrize("at", [0, 1, 17, 39])
    @pytest.mark.parametrize(
        "error",
        [
            ValueError("a message"),
            Unusual(7, detail="of its own"),
            np.linalg.LinAlgError("singular"),
            KeyboardInterrupt("enough"),
            SystemExit(3),
            StopIteration("the end"),
        ],
        ids=lambda e: type(e).__name__,
    )
    def test_reach_the_caller(self, error, at, n_threads, many_cores):
        def part(k):
            if k == at:
                raise error
            return k

        parts = [lambda k=k: part(k) for k in range(40)]
        with pytest.raises(type(error)) as caught:
            in_time(ordered_sum, parts, n_threads)
        assert caught.value is error

    def test_reach_the_caller_when_every_part_fails(self, many_cores):
        def fails(k):
            raise LookupError(k)

        with pytest.raises(LookupError):
            in_time(ordered_sum, [lambda k=k: fails(k) for k in range(40)], 4)

    def test_of_the_sum_reach_the_caller(self, many_cores):
        class Refuses:
            def __add__(self, other):
                raise ArithmeticError("do not add")

        with pytest.raises(ArithmeticError, match="do not add"):
            in_time(ordered_sum, [Refuses] * 40, 4)

    def test_end_the_others_soon(self, many_cores):
        """Parts that nobody needs any more are not begun."""
        begun = []

        def part(k):
            begun.append(k)
            if k == 2:
                raise ValueError
            time.sleep(0.02)
            return k

        with pytest.raises(ValueError):  # noqa: PT011
            in_time(ordered_sum, [lambda k=k: part(k) for k in range(1000)], 4)
        # Four threads, each with one part under way and one after it at most.
        assert len(begun) <= 2 * 4 + 2

    def test_of_a_storage_reach_the_caller(self, many_cores):
        """A file that can be read no longer."""

        class Broken(np.ndarray):
            def __getitem__(self, key):
                if isinstance(key, slice) and (key.start or 0) >= 50_000:
                    raise OSError(5, "Input/output error")
                return super().__getitem__(key)

        X = np.ones((100_000, 12)).view(Broken)
        with blas_with(3), pytest.raises(OSError, match="Input/output") as caught:
            in_time(ArrayRows(X, block_rows=1000).reduce, lambda block: block.total_weight)
        assert caught.value.errno == 5

    def test_numpys_error_state_is_that_of_the_caller(self, many_cores):
        def summarise(block):
            return block.X.X.sum() / np.float64(0)

        rows = ArrayRows(np.ones((100_000, 12)), block_rows=1000)

        def reduced(**state):
            with np.errstate(**state):
                return rows.reduce(summarise)

        with blas_with(3):
            with pytest.raises(FloatingPointError):
                in_time(lambda: reduced(divide="raise"))
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                assert in_time(lambda: reduced(divide="ignore")) == np.inf


def late(k, seconds):
    time.sleep(seconds)
    return [k]


def delays(kind, count):
    """Seconds that each part takes."""
    return {
        "none": np.zeros(count),
        "falling": np.linspace(0.01, 0, count),
        "the first": np.r_[0.05, np.zeros(count - 1)],
        "by chance": np.random.default_rng(count).uniform(0, 0.01, count),
    }[kind]


class TestOrder:
    @pytest.mark.parametrize("n_threads", [1, 2, 3, 8])
    @pytest.mark.parametrize("count", [1, 2, 5, 40])
    @pytest.mark.parametrize("kind", ["none", "falling", "the first", "by chance"])
    def test_is_that_of_the_parts(self, kind, count, n_threads, many_cores):
        parts = [lambda k=k, s=s: late(k, s) for k, s in enumerate(delays(kind, count))]
        assert in_time(ordered_sum, parts, n_threads) == list(range(count))
        short = functools.partial(ordered_sum, short=True)
        assert in_time(short, parts, n_threads) == list(range(count))

    def test_parts_do_end_in_another_order(self, many_cores):
        """The test above is one: later parts end before earlier ones."""
        ended = []

        def part(k, seconds):
            value = late(k, seconds)
            ended.append(k)
            return value

        seconds = delays("the first", 40)
        in_time(ordered_sum, [lambda k=k, s=s: part(k, s) for k, s in enumerate(seconds)], 4)
        assert ended != sorted(ended)
        assert sorted(ended) == list(range(40))

    @pytest.mark.parametrize("n_threads", [1, 2, 8])
    def test_rounds_as_one_thread_does(self, n_threads, many_cores):
        values = np.random.default_rng(0).standard_normal(200) * 10.0 ** np.arange(-100, 100)
        values = np.random.default_rng(1).permutation(values)
        total = 0.0
        for value in values:
            total += value
        assert total != values[::-1].cumsum()[-1], "the order shows"
        parts = [lambda v=v: v for v in values]
        assert in_time(ordered_sum, parts, n_threads) == total

    @pytest.mark.parametrize("n_threads", [1, 2, 8])
    @pytest.mark.parametrize("nothing", [[0], [0, 1, 2], [39], [0, 5, 6, 7, 39], range(39)])
    def test_none_adds_nothing(self, nothing, n_threads, many_cores):
        parts = [lambda k=k: None if k in nothing else [k] for k in range(40)]
        expected = [k for k in range(40) if k not in nothing]
        assert in_time(ordered_sum, parts, n_threads) == expected

    @pytest.mark.parametrize("n_threads", [1, 4])
    def test_of_nothing_is_none(self, n_threads, many_cores):
        assert in_time(ordered_sum, [lambda: None] * 9, n_threads) is None
        assert in_time(ordered_sum, [], n_threads) is None

    def test_threads_run_only_a_little_ahead(self, many_cores):
        """While the first part takes its time, the others do not pile up in memory."""
        begun, held = [], threading.Event()

        def part(k):
            begun.append(k)
            if k == 0:
                held.wait(1)
                return len(begun)
            return 0

        n_threads = 4
        parts = [lambda k=k: part(k) for k in range(1000)]
        assert in_time(ordered_sum, parts, n_threads) <= 2 * n_threads + n_threads
        assert len(begun) == 1000

    @pytest.mark.parametrize("storage", STORAGES)
    def test_of_blocks_is_that_of_rows(self, storage, many_cores):
        X = np.arange(300_000.0).reshape(25_000, 12)
        rows = ArrayRows(STORAGES[storage](X), np.arange(25_000.0), block_rows=190)
        with blas_with(4):
            found = in_time(rows.reduce, lambda block: [block.y.copy()])
        np.testing.assert_array_equal(np.concatenate(found), np.arange(25_000.0))

    def test_runs_and_their_scratch_do_not_depend_on_what_came_before(self, small, many_cores):
        """The same walk ten times: bit by bit the same."""
        X, y, _ = small
        rows = ArrayRows(X.astype(np.float32), y[:, None], block_rows=500)
        with blas_with(4):
            sums = {Moments.of(rows).scatter.tobytes() for _ in range(10)}
        assert len(sums) == 1


class TestInsideOthers:
    @pytest.mark.parametrize("backend", ["loky", "threading"])
    def test_joblib(self, small, backend):
        X, _, classes = small
        X, classes = X[:60_000], classes[:60_000]

        def scores(**how):
            return cross_val_score(
                LogisticRegression(), X, classes, cv=3, scoring="neg_log_loss", **how
            )

        alone = scores()
        before = process_state()
        with joblib.parallel_config(backend):
            together = scores(n_jobs=2)
        np.testing.assert_array_equal(together, alone)
        assert len(set(alone)) == 3
        # joblib keeps threads that serve its workers; scikit-learn sets the filters in each job.
        assert set(changed(before)) <= {"threads", "warning filters"}

    def test_joblib_in_joblib(self, small):
        X, y, _ = small

        def params(part):
            return LinearRegression().fit(X[part::2], y[part::2]).params_

        def both():
            fits = joblib.Parallel(2, backend="threading")(map(joblib.delayed(params), (0, 1)))
            return np.concatenate(fits)

        alone = np.concatenate([params(0), params(1)])
        before = process_state()
        outer = joblib.Parallel(2, backend="threading")(joblib.delayed(both)() for _ in range(4))
        assert all(np.array_equal(found, alone) for found in outer)
        for _ in range(200):  # joblib's own threads may end a moment later
            if not changed(before):
                break
            time.sleep(0.05)
        assert changed(before) == []

    @pytest.mark.slow
    def test_a_worker_of_loky_takes_its_share_of_the_cores(self):
        """As many workers as cores, none with threads, unless the environment says otherwise."""
        code = """
import threading
import joblib, numpy as np
from mcmodels import LinearRegression
def threads_of_a_fit(X, y):
    count, thread = [], threading.Thread
    def counted(*args, **kwargs):
        count.append(None)
        return thread(*args, **kwargs)
    threading.Thread = counted
    try:
        LinearRegression().fit(X, y)
    finally:
        threading.Thread = thread
    return len(count)
X = np.random.default_rng(2).standard_normal((100_000, 12))
workers = joblib.cpu_count()
counts = joblib.Parallel(workers, backend="loky")(
    joblib.delayed(threads_of_a_fit)(X, X[:, 0]) for _ in range(2)
)
print([counts, threads_of_a_fit(X, X[:, 0]), workers])
"""
        counts, alone, cores = json.loads(child(code))
        assert counts == [0, 0]
        assert (alone > 0) == (cores > 1)  # the same fit with all cores to itself

    @pytest.mark.skipif(
        "fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork"
    )
    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
    @pytest.mark.parametrize("name", MODELS)
    def test_a_forked_child(self, name, small):
        X, y, classes = small
        y = classes if name in ("binary", "multinomial") else y

        def params(queue=None):
            with blas_with(2):
                found = MODELS[name]().fit(X, y).params_
                left = blas_threads()
            if queue is not None:
                queue.put((found, left))
            return found

        here = params()
        with blas_with(2):
            pools = blas_threads()
        context = multiprocessing.get_context("fork")
        queue = context.SimpleQueue()
        process = context.Process(target=params, args=(queue,))
        process.start()
        process.join(PATIENCE)
        hangs = process.is_alive()
        process.kill()
        assert not hangs
        assert process.exitcode == 0
        there, left = queue.get()
        np.testing.assert_array_equal(there, here)
        assert left == pools

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
    def test_a_child_that_is_forked_during_a_fit(self):
        """Another thread's fit, which does not go on in the child, is not waited for there."""
        code = """
import os, sys, threading, warnings
import numpy as np
from mcmodels import LinearRegression
from mcmodels.rows import threads
warnings.simplefilter("ignore", DeprecationWarning)
X = np.random.default_rng(0).standard_normal((100_000, 12))
here = LinearRegression().fit(X, X[:, 0]).params_
inside, leave = threading.Event(), threading.Event()
def fit():
    with MOMENT:
        inside.set()
        leave.wait(60)
threading.Thread(target=fit).start()
inside.wait()
child = os.fork()
if child == 0:
    there = LinearRegression().fit(X, X[:, 0]).params_
    os._exit(0 if np.array_equal(here, there) else 3)
for _ in range(300):
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
        break
    leave.wait(0.1)
else:
    os.kill(child, 9)
leave.set()
sys.exit("the child hangs" if not done else os.waitstatus_to_exitcode(status))
"""
        child(code.replace("MOMENT", "threads.single_threaded_blas()"))


@pytest.mark.parametrize("name", ["linear", "binary", "multinomial"])
def test_between_walks_blas_has_one_thread(name, monkeypatch):
    """Threads of OpenBLAS that wait for the next call would slow down the walk that follows."""
    seen = []
    factor = ScaledCholesky.of

    def watched(*args, **options):
        seen.extend(library.get_num_threads() for library in threads._blas_libraries())
        return factor(*args, **options)

    monkeypatch.setattr(ScaledCholesky, "of", watched)
    X = features()
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        MODELS[name]().fit(X, target(name, X))
        after = [library.get_num_threads() for library in threads._blas_libraries()]
    assert set(seen) == {1}
    assert set(after) == {2}
