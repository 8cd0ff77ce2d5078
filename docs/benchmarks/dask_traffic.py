"""What a pass of a fit moves between the machines of a Dask cluster, beside its formula.

``python docs/benchmarks/dask_traffic.py [--repeats R]`` starts a cluster of two workers here, fits,
counts what their sockets write, measures the rates of a pass, and simulates one pass on 1,000
workers; ``--write`` writes dask_traffic.md. docs/scale.md explains the formulas.
"""

import argparse
import statistics
import time
from functools import partial
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask_formulas import (
    FAN_IN,
    Rates,
    crossings,
    first_pass_bytes,
    formula,
    held_rows,
    job_bytes,
    newton_bytes,
    simulated,
)
from dask_sockets import ROWS_STAY, Measured, table_of
from results import HERE, stamp
from tables import markdown

from mcmodels import LinearRegression, LogisticRegression
from mcmodels.tables import dask_parts
from mcmodels.tables.dask_parts import DaskParts

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
gets, R the last result, E the number of results that cross between workers. Ratios are
measured bytes to bytes by formula. Partitions are in order at their workers, or "by turns".
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


def seconds_a_row(p: int) -> tuple[float, float]:
    """Of the first pass of a linear fit and of a Newton step, in one thread: s for each row."""
    n = max(20_000_000 // p, 20_000)
    X, y = table_of(0, n, p, 2)
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


def first_of(p: int, partitions: int, linear: bool, count: int, height: int = HEIGHT) -> int:
    """R of so many of the partitions in the first pass."""
    held = held_rows(height, p, count, partitions, 2**13 if linear else 2**16)
    return first_pass_bytes(p, held, linear=linear)


def _constant(result: float, count: int) -> float:
    return result


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
    step = newton_bytes(p, classes)
    job = job_bytes(p, classes, partitions)
    steps = [of for of in logistic[2:] if abs(of.result - step) < step / 5]
    for fit, of, what in (
        ("linear", linear[0], FIRST),
        ("logistic", logistic[0], FIRST),
        ("logistic", steps[0], STEP),
    ):
        J, result_of = job, partial(_constant, step)
        if what == FIRST:
            J, result_of = of.job, partial(first_of, p, partitions, fit == "linear")
        by = formula(what, J, result_of, homes, messages)
        between = of.between_workers / by.between_workers if by.between_workers else None
        where = f"{partitions}, by turns" if turns else f"{partitions}"
        lines.append(
            [
                f"{fit}, {what}",
                *map(str, (p, classes, workers, where)),
                f"{of.job / 1e3:.1f}",
                f"{of.result / 1e3:,.1f}",
                str(crossings(homes).total()),
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
            homes = [k * workers // partitions for k in range(partitions)]
            messages = rates["bytes"] * partitions
            by = formula(STEP, job, partial(_constant, R), homes, messages)
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
