"""No fit copies X: above the data it needs 64 MB and four matrices of p×p, whatever the storage.

NumPy's allocations are counted by tracemalloc. What allocates behind NumPy's back is seen from
outside: by the anonymous memory of a child process, and by a limit on it that the fit must survive.
"""

import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from mcmodels import PCA, LinearRegression, LogisticRegression, RowStream

ROOT = Path(__file__).parents[1]
# A thread has blocks of its own, so the bound is for a number of them.
THREADS = 2
PATIENCE = 300

MODELS = {
    "least squares": lambda: LinearRegression(),
    "pinv": lambda: LinearRegression(solver="pinv"),
    "logistic": lambda: LogisticRegression(C=np.inf),
    "multinomial": lambda: LogisticRegression(),
    "pca": lambda: PCA(3),
    "deflation": lambda: PCA(3, solver="deflation", random_state=0),
}
LAYOUTS = ["C float64", "F float64", "C float32", "C int8", "memory map"]


def bound(p):
    """The bytes that a fit may take above the data."""
    return 64e6 + 4 * p**2 * 8


def rows(n, p):
    """Features that int8 holds, and a target for each model; X in float64 exceeds the bound."""
    assert n * p * 8 > bound(p)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p), dtype=np.float32)
    X *= 3
    np.round(X, out=X)
    y = X[:, 0] + 3 * rng.standard_normal(n)
    return X, {"logistic": (y > 0).astype(int), "multinomial": np.digitize(y, [-2, 2])}, y


def in_layout(X, layout, folder):
    if layout == "memory map":
        path = folder / "X.npy"
        written = np.lib.format.open_memmap(path, "w+", np.float64, X.shape)
        written[:] = X
        del written
        return np.load(path, mmap_mode="r")
    order, dtype = layout.split()
    return X.astype(dtype, order=order)


def peak_of(work, threads=THREADS):
    """The most that was allocated at a time while the work ran."""
    tracemalloc.start()
    try:
        with threadpool_limits(threads):
            work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def tall():
    return rows(410_000, 20)


@pytest.fixture(scope="module")
def wide():
    return rows(12_500, 1000)


@pytest.fixture(scope="module", params=LAYOUTS)
def tall_layout(request, tall, tmp_path_factory):
    return in_layout(tall[0], request.param, tmp_path_factory.mktemp("tall"))


@pytest.fixture(scope="module", params=[layout for layout in LAYOUTS if "int8" not in layout])
def wide_layout(request, wide, tmp_path_factory):
    return in_layout(wide[0], request.param, tmp_path_factory.mktemp("wide"))


@pytest.mark.parametrize("name", MODELS)
def test_tall_rows(name, tall_layout, tall):
    _, classes, y = tall
    peak = peak_of(lambda: MODELS[name]().fit(tall_layout, classes.get(name, y)))
    assert peak < bound(20)


@pytest.mark.parametrize("name", ["least squares", "logistic", "pca"])
def test_wide_rows(name, wide_layout, wide):
    _, classes, y = wide
    peak = peak_of(lambda: MODELS[name]().fit(wide_layout, classes.get(name, y)))
    assert peak < bound(1000)


@pytest.mark.parametrize("name", MODELS)
def test_weighted_rows(name, tall):
    X, classes, y = tall
    weights = np.random.default_rng(1).integers(0, 3, len(X)).astype(float)
    peak = peak_of(lambda: MODELS[name]().fit(X, classes.get(name, y), sample_weight=weights))
    assert peak < bound(20)


@pytest.mark.parametrize("block", [700, 12_000, 50_000])
@pytest.mark.parametrize("name", MODELS)
def test_streams(name, block, tall):
    """Blocks of 8 MB at most are there twice: as they are read, and the one before."""
    X, classes, y = tall
    target = classes.get(name, y)

    def blocks():
        for k in range(0, len(X), block):
            yield X[k : k + block].astype(np.float64), target[k : k + block]

    assert peak_of(lambda: MODELS[name]().fit(RowStream(blocks))) < bound(20)


@pytest.mark.parametrize("name", MODELS)
def test_what_a_fit_needs_does_not_grow_with_the_columns_of_long_rows(name, tall):
    """Half the rows need no less than the vectors as long as y: blocks stay as they are.

    In one thread, or the peak depends on whether two hold their most at the same moment.
    """
    X, classes, y = tall
    half = slice(0, len(X) // 2)
    target = classes.get(name, y)
    whole = peak_of(lambda: MODELS[name]().fit(X, target), threads=1)
    part = peak_of(lambda: MODELS[name]().fit(X[half], target[half]), threads=1)
    # Codes of the classes and checks of y: at most two vectors of eight bytes a row at a time, of
    # twenty columns; and 1 MB for what else allocates.
    assert whole - part < 16 * len(X) / 2 + 1e6


@pytest.mark.slow
@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if "int8" not in layout])
@pytest.mark.parametrize(
    "shape", [(1_000_000, 10), (400_000, 50), (100_000, 300), (20_000, 1000)], ids=str
)
def test_the_shapes_of_the_benchmark(shape, layout, tmp_path):
    X, classes, y = rows(*shape)
    X = in_layout(X, layout, tmp_path)
    for name in ("least squares", "logistic", "pca"):
        peak = peak_of(lambda name=name: MODELS[name]().fit(X, classes.get(name, y)))
        assert peak < bound(shape[1]), name


@pytest.mark.parametrize("spoil", [np.array, lambda X: X - X.mean(axis=0)], ids=["copy", "centred"])
def test_a_planted_copy_is_seen(spoil, tall, wide):
    for X, _, y in (tall, wide):
        peak = peak_of(lambda X=X, y=y: LinearRegression().fit(spoil(X.astype(float)), y))
        assert peak > bound(X.shape[1])


# What a child process does with a file: for each model, a fit to a part of it, so that whatever is
# allocated once is there, then fits to the whole, limited and watched.
_CHILD = """
import json, resource, sys, threading
import numpy as np
from threadpoolctl import threadpool_limits
from tests.test_memory import MODELS, THREADS, bound

planted, folder, *names = sys.argv[1:]
X = np.load(f"{folder}/X.npy", mmap_mode="r")
y = np.load(f"{folder}/y.npy")
classes = {name: np.load(f"{folder}/{name}.npy") for name in ("logistic", "multinomial")}
allowed = int(bound(X.shape[1]))

def status(key):
    for line in open("/proc/self/status"):
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024

def fit(name, n_rows):
    rows = np.array(X) if planted == "copy" and n_rows == len(X) else X[:n_rows]
    MODELS[name]().fit(rows, classes.get(name, y)[:n_rows])

def limited(name):
    limit = status("VmData") + allowed
    resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.RLIM_INFINITY))
    try:
        fit(name, len(X))
    except MemoryError:
        return "MemoryError"
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY,) * 2)
    return "fitted"

def watched(name):
    before, samples, done = status("RssAnon"), [], threading.Event()
    def sample():
        while not done.wait(0.001):
            samples.append(status("RssAnon"))
    sampler = threading.Thread(target=sample)
    sampler.start()
    fit(name, len(X))
    done.set()
    sampler.join()
    return max(samples) - before

found = {}
with threadpool_limits(THREADS):
    for name in names:
        fit(name, 100_000)
        found[name] = limited(name), watched(name)
print(json.dumps(found))
"""

_STATUS = Path("/proc/self/status")
in_proc = pytest.mark.skipif(
    not Path("/proc/self/status").exists()
    or "RssAnon:" not in Path("/proc/self/status").read_text(),
    reason="anonymous memory is read from Linux's /proc",
)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A folder with X, larger than the bound, in a file that a child maps, and its targets."""
    folder = tmp_path_factory.mktemp("file")
    X, classes, y = rows(500_000, 20)
    in_layout(X, "memory map", folder)
    for name, target in {**classes, "y": y}.items():
        np.save(folder / f"{name}.npy", target)
    return folder


def child(file, *names, planted="nothing"):
    """What became of each fit: how it ended under the limit, and the memory that it took."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, planted, str(file), *names],
        cwd=ROOT,
        # Large arrays go back to the system as soon as they are free, so that none that a fit has
        # left is taken again unseen.
        env={
            **os.environ,
            "OPENBLAS_NUM_THREADS": str(THREADS),
            "MALLOC_MMAP_THRESHOLD_": str(2**20),
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@in_proc
class TestInAChildProcess:
    def test_a_copy_would_not_fit_and_the_fit_does(self, file):
        for name, (ended, peak) in child(file, *MODELS).items():
            assert ended == "fitted", name
            assert peak < bound(20), name

    def test_a_planted_copy_is_refused_by_the_limit_and_seen_in_resident_memory(self, file):
        for ended, peak in child(file, "least squares", "pca", planted="copy").values():
            assert ended == "MemoryError"
            assert peak > bound(20)
