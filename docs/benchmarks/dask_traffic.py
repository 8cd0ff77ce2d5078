"""What a pass of a fit moves between the machines of a Dask cluster, beside its formula.

``python docs/benchmarks/dask_traffic.py [--repeats R]`` starts a cluster of two workers here, fits,
counts what their sockets write, measures the rates of a pass, and simulates one pass on 1,000
workers; ``--write`` writes dask_traffic.md. docs/scale.md explains the formulas.
"""

import argparse
import contextlib
import math
import pickle
import statistics
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cloudpickle
import dask
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster, WorkerPlugin, wait
from distributed.comm.tcp import TCP
from distributed.utils import key_split
from results import HERE, stamp
from tables import markdown

from mcmodels import LinearRegression, LogisticRegression
from mcmodels.tables import dask_parts
from mcmodels.tables.dask_parts import DaskParts
from mcmodels.tables.dask_stream import DaskStream

FAN_IN = 8
# A setting with which the scheduler holds a transfer for dear, so that it moves no rows.
ROWS_STAY = {
    "distributed.scheduler.bandwidth": "10 kB",
    "distributed.scheduler.work-stealing": False,
}

# --- The formulas -------------------------------------------------------------------------------


def job_bytes(p: int, classes: int, partitions: int, start_bytes: int = 5) -> float:
    """J, what a Newton step sends to each worker once: parameters, sums of the columns, starts.

    The rest is code, settings and names, and was measured: 4 kB. So was the size of a start, which
    is 5 bytes up to 2³¹ rows, and 7 above.
    """
    outputs = 1 if classes == 2 else classes
    return 4000 + 8 * (outputs * (p + 1) + (classes + 2) * p) + start_bytes * partitions


# What a result has beside numbers, measured: the names of what it is.
NAMES = 900


def check_numbers(p: int, targets: int, *, first: bool = False) -> int:
    """The sums by which a pass is compared with the first, and the mixtures that they are of."""
    return (4 if first else 2) * (p + targets + 1) + 3 * (p + targets)


def newton_bytes(p: int, classes: int) -> int:
    """R, the result of a Newton step: value, gradient, the distinct blocks of the Hessian."""
    outputs, blocks = (1, 1) if classes == 2 else (classes, classes * (classes - 1) // 2)
    numbers = blocks * (p * p + p + 1) + outputs * (p + 1) + 1 + check_numbers(p, 1)
    return NAMES + 8 * numbers


def first_pass_bytes(p: int, held_rows: int, *, linear: bool) -> int:
    """R, the result of the first pass: a sample of the rows; moments for a linear fit."""
    numbers = held_rows * (p + 1) + check_numbers(p, 1, first=True)
    return NAMES + 8 * (numbers + ((p + 1) ** 2 + 2 * (p + 1) if linear else 0))


def crossings(homes: Sequence[int], fan_in: int = FAN_IN) -> int:
    """E, results that cross the network where each sum is taken at home of most of its terms.

    Of several such homes, it is the one with the fewest sums so far.
    """
    total, level, sums = 0, list(homes), Counter[int]()
    while len(level) > 1:
        groups = [level[k : k + fan_in] for k in range(0, len(level), fan_in)]
        level = []
        for group in groups:
            home = max(group, key=lambda at: (group.count(at), -sums[at]))
            sums[home] += 1
            total += len(group) - group.count(home)
            level.append(home)
    return total


@dataclass(frozen=True)
class Pass:
    """What one pass moves, in bytes.

    Parameters
    ----------
    name : str
        Which pass.
    job, result : float
        Sizes of J and R.
    between_workers : float
        Of jobs and results.
    rows : float
        Of rows that the scheduler moved between workers.
    others : float
        Between client and scheduler, and scheduler and workers.
    seconds : float
        Time of the pass.
    """

    name: str
    job: float
    result: float
    between_workers: float
    rows: float
    others: float
    seconds: float


def formula(
    name: str, job: float, result: float, workers: int, crossing: int, messages: float
) -> Pass:
    """A pass by the formulas, of J, R, the results that cross, and the bytes of all messages.

    Workers get the job from one another, all but the first. Client, scheduler and a worker pass on
    the job and the last result.
    """
    between = (workers - 1) * job + crossing * result
    return Pass(name, job, result, between, 0.0, 2 * job + 2 * result + messages, math.nan)


def held_rows(n: int, partitions: int, most: int) -> int:
    """Rows of the sample that the first pass brings: every k-th, k a power of two.

    ``most`` is 2¹⁶, and 2¹³ for a linear fit.
    """
    most, height, every = max(most // partitions, 64), n // partitions, 1
    while True:
        held = partitions * math.ceil(height / every) if every < height else n // every
        if held <= most:
            return held
        every *= 2


# --- What sockets write -------------------------------------------------------------------------


class Traffic(WorkerPlugin):
    """Counts what this process writes, by both addresses and what it is."""

    name = "traffic"

    def __init__(self) -> None:
        self.written: Counter[tuple[str, str, str]] = Counter()

    def setup(self, worker: Any) -> None:
        """Begin to count."""
        self.start()

    def start(self) -> None:
        """Begin to count."""
        original, written = TCP.write, self.written

        async def write(comm: Any, msg: Any, **options: Any) -> int:
            count = await original(comm, msg, **options)
            shares = _shares(msg)
            for kind, share in shares.items():
                written[comm.local_address, comm.peer_address, kind] += count * share
            return count

        TCP.write = write


def _shares(message: Any) -> dict[str, float]:
    """Which share of a message is of results of which kind of task."""
    data = message.get("data") if isinstance(message, dict) else None
    if not isinstance(data, dict) or not data:
        return {"": 1.0}
    sizes: Counter[str] = Counter()
    for key, value in data.items():
        sizes[key_split(key)] += len(cloudpickle.dumps(getattr(value, "data", value)))
    return {kind: size / sizes.total() for kind, size in sizes.items()}


def _written_by_worker(dask_worker: Any) -> Any:
    return dict(dask_worker.plugins["traffic"].written)


class Measured:
    """A cluster whose traffic is counted.

    Parameters
    ----------
    workers : int
        How many.
    settings : dict
        Settings of Dask.
    """

    def __init__(self, workers: int, settings: dict[str, Any]) -> None:
        with dask.config.set(settings):
            self.cluster = LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=None
            )
            self.client = Client(self.cluster)
        self._here = Traffic()
        self._original = TCP.write
        self._here.start()
        self.client.register_plugin(Traffic())
        self.workers = sorted(self.client.scheduler_info(n_workers=-1)["workers"])

    def __enter__(self) -> "Measured":
        return self

    def __exit__(self, *_: object) -> None:
        TCP.write = self._original
        self.client.close()
        self.cluster.close()

    def links(self) -> Counter[str]:
        """Bytes written so far: between workers by kind of task, and on all other links."""
        time.sleep(0.3)
        by_process = [dict(self._here.written), *self.client.run(_written_by_worker).values()]
        here, *theirs = by_process
        # Those of connections that a worker has made to another one.
        of_workers = {a for of in theirs for a, b, _ in of if b in self.workers}
        found: Counter[str] = Counter({"others": sum(here.values())})
        for of in theirs:
            for (local, peer, kind), count in of.items():
                among = peer in of_workers or (peer in self.workers and local in of_workers)
                found[f"workers:{kind}" if among else "others"] += count
        return found

    def rows(self, n: int, p: int, classes: int, partitions: int, *, turns: bool) -> Any:
        """X and y in partitions with known homes: contiguous ones, or by turns."""
        height, W = n // partitions, len(self.workers)
        homes = [k % W if turns else k * W // partitions for k in range(partitions)]
        tables = [
            self.client.submit(
                _table, k, height, p, classes, workers=self.workers[home], pure=False
            )
            for k, home in enumerate(homes)
        ]
        X, y = (
            [
                self.client.submit(_part, table, part, workers=self.workers[home], pure=False)
                for table, home in zip(tables, homes, strict=True)
            ]
            for part in range(2)
        )
        wait(X + y)
        # As persist() makes them.
        lengths, name = (height,) * partitions, str(uuid.uuid4())
        blocks = {(f"X-{name}", k, 0): future for k, future in enumerate(X)}
        labels = {(f"y-{name}", k): future for k, future in enumerate(y)}
        return (
            da.Array(blocks, f"X-{name}", (lengths, (p,)), dtype=float),
            da.Array(labels, f"y-{name}", (lengths,), dtype=int),
            homes,
        )

    @contextlib.contextmanager
    def passes(self) -> Iterator[list[Pass]]:
        """The passes of what is done meanwhile."""
        found: list[Pass] = []
        original = DaskParts.sum

        def watched(parts: DaskParts, function: Any) -> Any:
            job = len(cloudpickle.dumps(dask_parts._Job(parts._open, function)))
            before, start = self.links(), time.perf_counter()
            result = original(parts, function)
            seconds = time.perf_counter() - start
            moved = self.links()
            moved.subtract(before)
            others = moved.pop("others")
            sums = sum(moved.pop(f"workers:{kind}", 0.0) for kind in ("summed", "added", "Job", ""))
            size = len(pickle.dumps(result))
            name = "first pass" if "Look" in type(function).__name__ else "later pass"
            rows = float(sum(moved.values()))
            found.append(Pass(name, job, size, sums, rows, others, seconds))
            return result

        DaskParts.sum = watched  # type: ignore[method-assign]
        try:
            yield found
        finally:
            DaskParts.sum = original  # type: ignore[method-assign]

    def messages(self, X: Any, y: Any) -> tuple[float, float, float]:
        """Of a pass that does nothing, for each partition: bytes, seconds, and those of processor.

        The time of the processor is that of client and scheduler, which are this process.
        """
        parts, busy = DaskStream(X, y).parts, []
        with self.passes() as found:
            for _ in range(3):
                parts.sum(_one)
        for _ in range(3):
            start = time.process_time()
            parts.sum(_one)
            busy.append(time.process_time() - start)
        others = statistics.median(of.others for of in found)
        seconds = statistics.median(of.seconds for of in found)
        messages = others - 2 * found[0].job
        return tuple(x / parts.count for x in (messages, seconds, statistics.median(busy)))

    def transfer_rate(self) -> float:
        """Bytes a second between two workers here, of an array of 64 MB."""
        here, there = self.workers[:2]
        times = []
        for _ in range(5):
            array = self.client.submit(np.ones, 2**23, workers=here, pure=False)
            wait(array)
            start = time.perf_counter()
            wait(self.client.submit(len, array, workers=there, pure=False))
            times.append(time.perf_counter() - start)
        return 2**26 / statistics.median(times)


def _one(_: Any) -> int:
    return 1


def _table(k: int, height: int, p: int, classes: int) -> Any:
    rng = np.random.default_rng([p, k])
    X = rng.standard_normal((height, p))
    shares = np.random.default_rng(p).standard_normal((p, classes)) / math.sqrt(p)
    return X, (X @ shares + rng.gumbel(size=(height, classes))).argmax(axis=1)


def _part(table: Any, part: int) -> Any:
    return table[part]


# --- Rates and a simulation ---------------------------------------------------------------------


def seconds_a_row(p: int) -> tuple[float, float]:
    """Of the first pass of a linear fit and of a Newton step, in one thread: s for each row."""
    n = max(20_000_000 // p, 20_000)
    X, y = _table(0, n, p, 2)
    X, y = da.from_array(X, chunks=(n, p)), da.from_array(y, chunks=n)
    found: list[tuple[str, float]] = []
    original = DaskParts.sum

    def timed(parts: DaskParts, function: Any) -> Any:
        start = time.perf_counter()
        result = original(parts, function)
        found.append((type(function).__name__, time.perf_counter() - start))
        return result

    DaskParts.sum = timed  # type: ignore[method-assign]
    try:
        with dask.config.set(scheduler="synchronous"):
            LinearRegression().fit(X, y)
            LogisticRegression(C=1.0).fit(X, y)
    finally:
        DaskParts.sum = original  # type: ignore[method-assign]
    later = [seconds for name, seconds in found if name == "_SumOfPart"]
    return found[0][1] / n, statistics.median(later) / n


def add_rate() -> float:
    """Bytes a second at which results are added in a task, of eight results of 8 MB."""
    results = [np.ones(2**20) for _ in range(FAN_IN)]
    times = []
    for _ in range(5):
        start = time.perf_counter()
        dask_parts._added(results)
        times.append(time.perf_counter() - start)
    return FAN_IN * 2**23 / statistics.median(times)


@dataclass(frozen=True)
class Rates:
    """What a simulation is made of: rows, transfers, sums, and a partition in the scheduler."""

    row: float
    transfer: float
    add: float
    partition: float


def simulated(
    n: float, workers: int, partitions: int, job: float, result: float, rates: Rates
) -> float:
    """Seconds of a pass: one scheduler, and workers of one thread that receive one at a time.

    Partitions are at home in order, and stay. The scheduler takes the same time for a sum of sums
    as for a partition.
    """
    homes = [k * workers // partitions for k in range(partitions)]
    arrived = math.ceil(math.log2(workers + 1)) * job / rates.transfer
    scheduler, free = 0.0, [arrived] * workers
    level: list[tuple[float, int]] = []
    for home in homes:
        scheduler += rates.partition
        free[home] = max(free[home], scheduler) + n / partitions * rates.row
        level.append((free[home], home))
    while len(level) > 1:
        groups = [level[k : k + FAN_IN] for k in range(0, len(level), FAN_IN)]
        level = []
        for group in sorted(groups, key=max):
            places = [home for _, home in group]
            home = max(places, key=places.count)
            scheduler = max(scheduler, max(group)[0]) + rates.partition
            moved = (len(group) - places.count(home)) * result / rates.transfer
            free[home] = max(free[home], scheduler) + moved + len(group) * result / rates.add
            level.append((free[home], home))
        level.sort(key=lambda of: of[1])
    return level[0][0] + 2 * result / rates.transfer


# --- The page -----------------------------------------------------------------------------------

HEIGHT = 2000
# Columns, classes, partitions, whether the workers have them by turns, and workers.
SHAPES = (
    (20, 2, 16, False, 2),
    (100, 2, 16, False, 2),
    (300, 2, 16, False, 2),
    (100, 4, 16, False, 2),
    (100, 2, 128, False, 2),
    (100, 2, 16, True, 2),
    (100, 2, 16, False, 1),
)
TRAFFIC = [
    "fit",
    "p",
    "classes",
    "workers",
    "partitions",
    "J, kB",
    "R, kB",
    "E",
    "between workers, kB",
    "ratio",
    "all other links, kB",
    "ratio",
]
SIMULATED = [
    "p",
    "partitions",
    "compute, s",
    "pass, s",
    "scheduler, s",
    "between workers, GB",
    "all other links, GB",
    "memory of a worker, GB",
]
FIRST, STEP = "first pass", "Newton step"

PAGE = """# Traffic of a pass on a Dask cluster

Measured at the sockets of client, scheduler and workers on one machine, in fits to partitions of
{height:,} rows, beside the formulas of [scale.md](../scale.md). J is the job that each worker
gets, R the result of a partition, E the number of results that cross between workers. Ratios are
measured bytes to bytes by formula. The formula takes every result for as large as the last; in the
first pass, those of single partitions hold fewer rows than the sample of all. Partitions are in
order at their workers, or "by turns".
The bytes of messages are those of a pass that sums nothing, measured before. So that the scheduler
moved no rows, it was told of a slow network (`distributed.scheduler.bandwidth`), and not to steal.

{traffic}

With the settings of Dask as they come, the scheduler moves rows to workers that have less to do.
The job is one reason: each worker that has it may get any partition. Rows moved in a pass, in
partitions, least and most of all passes of a logistic fit; two workers, partitions in order:

{moved}

## Rates

Medians of {repeats} runs; other work ran on the machine.

{rates}

A row of the first pass is that of a linear fit, a row of a step that of a logistic fit; both in one
thread, from memory. The time of a partition is that of a pass that sums nothing, over {many}
partitions: of the clock, and of the processor in the process of client and scheduler.

## Newton steps on one and two workers, beside their simulation

{steps}

The cluster has two cores for workers, scheduler and client. Median of the steps of a fit to
{step_rows:,} rows of 100 columns in 16 partitions.

## One pass by simulation

1e10 rows on 1,000 workers of one thread: **extrapolated**, not measured. Rates of rows, sums, and
client and scheduler are those above; the network is the loopback of one machine. Compute is the
time of the rows alone. Memory of a worker is its rows, and nine results of a sum of eight.

{simulation}

{stamp}"""


def traffic_of(shape: tuple[int, int, int, bool, int]) -> list[list[str]]:
    """Rows of the table: the first pass of both fits, and a Newton step."""
    p, classes, partitions, turns, workers = shape
    n, lines = HEIGHT * partitions, []
    with Measured(workers, ROWS_STAY) as measured:
        X, y, homes = measured.rows(n, p, classes, partitions, turns=turns)
        messages = partitions * measured.messages(X, y)[0]
        with measured.passes() as linear:
            LinearRegression().fit(X, y)
        with measured.passes() as logistic:
            LogisticRegression(C=np.inf).fit(X, y)
    E, step = crossings(homes), newton_bytes(p, classes)
    job = job_bytes(p, classes, partitions)
    steps = [of for of in logistic[2:] if abs(of.result - step) < step / 5]
    for fit, of, J, R in (
        (
            "linear",
            linear[0],
            linear[0].job,
            first_pass_bytes(p, held_rows(n, partitions, 2**13), linear=True),
        ),
        (
            "logistic",
            logistic[0],
            logistic[0].job,
            first_pass_bytes(p, held_rows(n, partitions, 2**16), linear=False),
        ),
        ("logistic", steps[0], job, step),
    ):
        what = STEP if of is steps[0] else FIRST
        by = formula(what, J, R, workers, E, messages)
        between = of.between_workers / by.between_workers if by.between_workers else None
        where = f"{partitions}, by turns" if turns else f"{partitions}"
        lines.append(
            [
                f"{fit}, {what}",
                *map(str, (p, classes, workers, where)),
                f"{of.job / 1e3:.1f}",
                f"{of.result / 1e3:,.1f}",
                str(E),
                f"{of.between_workers / 1e3:,.1f}",
                "" if between is None else f"{between:.2f}",
                f"{of.others / 1e3:,.1f}",
                f"{of.others / by.others:.2f}",
            ]
        )
    return lines


def moved_of(p: int, height: int, partitions: int) -> list[str]:
    """A row of the table of rows that were moved."""
    with Measured(2, {}) as measured:
        X, y, _ = measured.rows(height * partitions, p, 2, partitions, turns=False)
        with measured.passes() as passes:
            LogisticRegression(C=np.inf).fit(X, y)
    size = 8 * height * (p + 1)
    moved = [of.rows / size for of in passes]
    return [str(p), f"{partitions}", f"{size / 1e6:.1f}", f"{min(moved):.0f}", f"{max(moved):.0f}"]


def measured_rates(
    many: int, repeats: int
) -> tuple[dict[int, tuple[float, float]], dict[str, float]]:
    """Seconds a row by columns, and the other rates; medians of some runs."""
    rows: dict[int, list[tuple[float, float]]] = {20: [], 100: [], 1000: []}
    others: dict[str, list[float]] = {}
    for _ in range(repeats):
        for p, found in rows.items():
            found.append(seconds_a_row(p))
        with Measured(2, ROWS_STAY) as measured:
            X, y, _ = measured.rows(10 * many, 2, 2, many, turns=False)
            size, seconds, busy = measured.messages(X, y)
            transfer = measured.transfer_rate()
        found_now = {"bytes": size, "clock": seconds, "processor": busy, "transfer": transfer}
        for name, value in (found_now | {"add": add_rate()}).items():
            others.setdefault(name, []).append(value)
    medians = {
        p: tuple(map(statistics.median, zip(*found, strict=True))) for p, found in rows.items()
    }
    return medians, {name: statistics.median(values) for name, values in others.items()}


STEP_ROWS = 800_000


def steps_of(workers: int, row: float, rates: dict[str, float]) -> list[str]:
    """A row of the table of Newton steps: seconds measured and simulated."""
    p, partitions = 100, 16
    with Measured(workers, ROWS_STAY) as measured:
        X, y, _ = measured.rows(STEP_ROWS, p, 2, partitions, turns=False)
        with measured.passes() as passes:
            LogisticRegression(C=np.inf).fit(X, y)
    R, job = newton_bytes(p, 2), job_bytes(p, 2, partitions)
    seconds = statistics.median(of.seconds for of in passes[1:] if of.result > R / 2)
    of_rates = Rates(row, rates["transfer"], rates["add"], rates["processor"])
    expected = simulated(STEP_ROWS, workers, partitions, job, R, of_rates)
    return [str(workers), f"{seconds:.2f}", f"{expected:.2f}", f"{seconds / expected:.2f}"]


def simulation(rows: dict[int, tuple[float, float]], rates: dict[str, float]) -> list[list[str]]:
    """The table of the simulated passes."""
    n, workers, lines = 1e10, 1000, []
    for p, (_, row) in rows.items():
        for partitions in (1_000, 10_000, 100_000):
            R = newton_bytes(p, 2)
            job = job_bytes(p, 2, partitions, start_bytes=7)
            of = Rates(row, rates["transfer"], rates["add"], rates["processor"])
            seconds = simulated(n, workers, partitions, job, R, of)
            E = crossings([k * workers // partitions for k in range(partitions)])
            by = formula(STEP, job, R, workers, E, rates["bytes"] * partitions)
            held = 8 * n * (p + 1) / workers + 9 * R
            lines.append(
                [
                    f"{p:,}",
                    f"{partitions:,}",
                    f"{n * row / workers:,.1f}",
                    f"{seconds:,.1f}",
                    f"{partitions * rates['processor']:,.1f}",
                    f"{by.between_workers / 1e9:.2f}",
                    f"{by.others / 1e9:.2f}",
                    f"{held / 1e9:.1f}",
                ]
            )
    return lines


def main() -> None:
    """Print the page, or write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--many", type=int, default=512, help="partitions of a pass that is timed")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    rows, rates = measured_rates(options.many, options.repeats)
    traffic = [line for shape in SHAPES for line in traffic_of(shape)]
    moved = [moved_of(*of) for of in ((100, 500, 128), (100, 2000, 128), (100, 50_000, 16))]
    steps = [steps_of(workers, rows[100][1], rates) for workers in (1, 2)]
    of_rows = [
        [f"a row, p = {p:,}, {what}", f"{1e6 * row:.3g} µs", f"{p * p / row / 1e9:.1f} GFLOP/s"]
        for p, pair in rows.items()
        for what, row in zip((FIRST, STEP), pair, strict=True)
    ]
    of_others = [
        ["a partition, clock", f"{1e3 * rates['clock']:.2f} ms", ""],
        ["a partition, client and scheduler", f"{1e3 * rates['processor']:.2f} ms", ""],
        ["messages a partition", f"{rates['bytes'] / 1e3:.1f} kB", ""],
        ["worker to worker, 64 MB", f"{rates['transfer'] / 1e9:.2f} GB/s", ""],
        ["sums of results of 8 MB", f"{rates['add'] / 1e9:.1f} GB/s", ""],
    ]
    page = PAGE.format(
        height=HEIGHT,
        repeats=options.repeats,
        many=options.many,
        traffic=markdown(
            TRAFFIC,
            traffic,
        ),
        moved=markdown(["p", "partitions", "MB each", "least", "most"], moved),
        rates=markdown(["", "time or rate", "p² a row"], of_rows + of_others),
        steps=markdown(["workers", "a step, s", "simulated, s", "ratio"], steps),
        step_rows=STEP_ROWS,
        simulation=markdown(
            SIMULATED,
            simulation(rows, rates),
        ),
        stamp=stamp("dask_traffic.py", ("mcmodels", "numpy", "dask", "distributed")),
    )
    if options.write:
        (HERE / "dask_traffic.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
