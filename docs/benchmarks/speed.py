"""Time of the fits beside their peers and beside the bare product ``X.T @ X``, interleaved.

``python docs/benchmarks/speed.py`` measures, adds to results.json and writes speed.md from it.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cases
import report
import results
from results import Record
from timing import Patience

TASKS = ("linear", "logistic", "pca")
CASES = ("dense", "float32", "longer", "small", "sparse", "inference")
SHAPES = ("1000000x10", "400000x50", "100000x300", "20000x1000")
SWEEP_ROWS = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
SWEEP_COLUMNS = (5, 10, 20, 50, 100, 200, 500)


def shape(text: str) -> tuple[int, int]:
    """``rows x columns``."""
    n, p = text.lower().split("x")
    return int(n), int(p)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__)
    add = made.add_argument
    add("--tasks", nargs="+", choices=TASKS, default=TASKS)
    add("--cases", nargs="+", choices=CASES, default=CASES)
    add("--shapes", nargs="+", type=shape, default=[shape(s) for s in SHAPES], metavar="NxP")
    add("--sparse-shape", type=shape, default=(200_000, 20_000), metavar="NxP")
    add("--repeats", type=int, default=5, help="timed runs of each method")
    add("--once-above", type=float, default=20.0, help="seconds from which a method runs once")
    add("--give-up", type=float, default=240.0, help="seconds after which a run is interrupted")
    add("--peers", action=argparse.BooleanOptionalAction, default=True)
    add("--sweep", action="store_true", help="measure what the plots show, instead of the cases")
    add("--sweep-rows", nargs="+", type=int, default=SWEEP_ROWS, metavar="N", help="at p = 50")
    add("--sweep-columns", nargs="+", type=int, default=SWEEP_COLUMNS, metavar="P")
    add("--sweep-fixed-rows", type=int, default=100_000, metavar="N", help="n of the p sweep")
    add("--render", action="store_true", help="only write the page from the results")
    add("--output", type=Path, default=results.DEFAULT, help="results file; the page is beside it")
    return made


def measured(options: argparse.Namespace) -> Iterator[list[Record]]:
    """Run what was asked for, a record (or one sweep) at a time."""
    patience = Patience(options.repeats, options.once_above, options.give_up)
    settings = cases.Settings(options.peers, patience)
    if options.sweep:
        for task in options.tasks:
            yield cases.sweep("n", task, [(n, 50) for n in options.sweep_rows], settings)
            columns = [(options.sweep_fixed_rows, p) for p in options.sweep_columns]
            yield cases.sweep("p", task, columns, settings)
        return
    by_shape = {"dense": cases.dense, "float32": cases.single, "longer": cases.longer}
    for case in options.cases:
        if case == "inference":
            for task in ("linear", "logistic", "influence"):
                yield [cases.inference(task, settings)]
            continue
        for task in options.tasks:
            if case in by_shape:
                for n, p in options.shapes:
                    yield [by_shape[case](task, n, p, settings)]
            elif case == "small":
                yield [cases.small(task, settings)]
            elif task in cases.competitors.SPARSE:
                n, p = options.sparse_shape
                yield [cases.text(task, n, p, settings)]


def show(record: Record) -> None:
    """A record on the terminal, while the next one runs."""
    print(f"\n{record['case']}: {record['task']}, {record['n']:,} x {record['p']:,}")
    base = next((m["median"] for m in record["methods"] if m["name"] == record["base"]), None)
    for method in record["methods"]:
        said = ", ".join([*method["notes"], *filter(None, [method["error"]])])
        if method["median"] is None:
            print(f"  {method['name']:<48} {said}")
            continue
        ratio = f"{method['median'] / base:9.2f}" if base else " " * 9
        print(f"  {method['name']:<48} {1e3 * method['median']:12.2f} ms {ratio}  {said}")
    for name, reason in record["absent"].items():
        print(f"  {name:<48} absent ({reason})")
    sys.stdout.flush()


def main() -> None:
    options = parser().parse_args()
    if not options.render:
        for records in measured(options):
            for record in records:
                show(record)
            results.add(options.output, records)
    report.write(options.output)


if __name__ == "__main__":
    main()
