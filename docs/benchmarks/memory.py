"""Peak memory of the fits above their data, each in a child process of its own.

``python docs/benchmarks/memory.py`` adds to results.json and writes speed.md from it.
"""

import argparse
import ctypes
import gc
import json
import select
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import competitors
import numpy as np
import problems
import report
import results
from competitors import OURS
from problems import Problem
from results import Record
from speed import SHAPES, TASKS, shape

MB = 1e6
ORDERS = ("C", "F")
DTYPES = ("float64", "float32")


def status(process: int | str, *fields: str) -> list[int]:
    """Bytes of these lines of /proc/…/status."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    found = dict(line.split(":", 1) for line in lines)
    return [1024 * int(found[name].split()[0]) for name in fields]


def return_free_memory() -> None:
    """Give freed heap back to the system, so that it is not there to be used again unseen."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def load(job: Record) -> Problem:
    """The rows in the storage that the job names, resident unless they are a map."""
    folder = Path(job["folder"])
    y, labels, scale = (np.load(folder / f"{name}.npy") for name in ("y", "labels", "scale"))
    if job["storage"] == "map":
        X = np.load(folder / f"X.{job['dtype']}.npy", mmap_mode="r")
        return Problem(X, y.astype(job["dtype"]), labels, scale)
    X = np.load(folder / "X.float64.npy")
    return Problem(X, y, labels, scale).astype(job["dtype"], job["order"])


def child(job: Record) -> None:
    """Warm up, say that it is ready, fit when told to, and print what the kernel saw."""
    chosen = {c.name: c for c in competitors.DENSE[job["task"]]()}[job["method"]]
    fit = chosen.load()
    data = load(job)
    warnings.simplefilter("ignore")
    fit(problems.dense(2_000, 5))
    return_free_memory()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts from here
    before, anonymous = status("self", "VmRSS", "RssAnon")
    print("ready", flush=True)
    sys.stdin.readline()
    model = fit(data)
    (peak,) = status("self", "VmHWM")
    del model
    print(json.dumps({"before": before, "anonymous": anonymous, "peak": peak}), flush=True)


def last_line(process: subprocess.Popen) -> str:
    """What a child that failed said last."""
    return (process.stderr.read().strip().splitlines() or ["ended without a word"])[-1]


def watch(job: Record) -> Record:
    """Run a child; sample its anonymous memory every millisecond while it fits."""
    command = [sys.executable, __file__, "--child", json.dumps(job)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        line = process.stdout.readline()
        if line.strip() != "ready":
            return {"error": last_line(process)}
        process.stdin.write("go\n")
        process.stdin.flush()
        most, end = 0, time.monotonic() + job["give_up"]
        while not select.select([process.stdout], [], [], 0.001)[0]:
            with suppress(OSError, KeyError):  # it has just ended
                most = max(most, *status(process.pid, "RssAnon"))
            if time.monotonic() > end:
                process.kill()
                return {"error": f"gave up after {job['give_up']:.0f} s"}
        line = process.stdout.readline()
        if not line:
            return {"error": last_line(process)}
        found = json.loads(line)
    sampled = max(0, most - found["anonymous"])
    resident = max(0, found["peak"] - found["before"])
    above = sampled if job["storage"] == "map" else max(sampled, resident)
    return {"above_mb": above / MB, "sampled_mb": sampled / MB, "resident_mb": resident / MB}


def storages(options: argparse.Namespace, method: str) -> Iterator[dict[str, str]]:
    """All storages for ours; the plainest for the others."""
    if method != OURS:
        yield {"storage": "memory", "order": "C", "dtype": "float64"}
        return
    for dtype in options.dtypes:
        for order in options.orders:
            yield {"storage": "memory", "order": order, "dtype": dtype}
    for dtype in options.dtypes if options.map else ():
        yield {"storage": "map", "order": "C", "dtype": dtype}


def methods(task: str, peers: bool) -> list[str]:
    """Ours, and the headline methods of the others that can be imported."""
    listed = competitors.DENSE[task]()
    chosen = [c for c in listed if c.package == OURS or (peers and c.headline)]
    return list(competitors.load_all(chosen)[0])


def measured(options: argparse.Namespace) -> Iterator[Record]:
    """Write each shape's data once, then one child a fit."""
    for n, p in options.shapes:
        with tempfile.TemporaryDirectory() as folder:
            data = problems.dense(n, p)
            for name in ("y", "labels", "scale"):
                np.save(Path(folder) / f"{name}.npy", getattr(data, name))
            for dtype in {"float64", *options.dtypes}:
                np.save(Path(folder) / f"X.{dtype}.npy", data.X.astype(dtype, copy=False))
            del data
            for task in options.tasks:
                for method in methods(task, options.peers):
                    for storage in storages(options, method):
                        job: dict[str, Any] = {"task": task, "n": n, "p": p, "method": method}
                        job |= storage
                        bound = (64e6 + 4 * p**2 * 8) / MB
                        size = n * p * np.dtype(storage["dtype"]).itemsize / MB
                        found = watch(job | {"folder": folder, "give_up": options.give_up})
                        yield {"case": "memory", "bound_mb": bound, "data_mb": size} | job | found


def show(record: Record) -> None:
    kind = f"{record['dtype']} {record['order']} {record['storage']}"
    said = record.get("error") or f"{record['above_mb']:9.1f} MB, bound {record['bound_mb']:.1f}"
    where = f"{record['task']} {record['n']:,} x {record['p']:,}"
    print(f"{where:<28} {record['method']:<44} {kind:<18} {said}", flush=True)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__)
    add = made.add_argument
    add("--tasks", nargs="+", choices=TASKS, default=TASKS)
    add("--shapes", nargs="+", type=shape, default=[shape(s) for s in SHAPES], metavar="NxP")
    add("--orders", nargs="+", choices=ORDERS, default=ORDERS)
    add("--dtypes", nargs="+", choices=DTYPES, default=DTYPES)
    add("--map", action=argparse.BooleanOptionalAction, default=True, help="memory maps too")
    add("--peers", action=argparse.BooleanOptionalAction, default=True)
    add("--give-up", type=float, default=240.0, help="seconds after which a child is ended")
    add("--output", type=Path, default=results.DEFAULT, help="results file; the page is beside it")
    add("--child", type=json.loads, help=argparse.SUPPRESS)
    return made


def main() -> None:
    options = parser().parse_args()
    if options.child:
        child(options.child)
        return
    for record in measured(options):
        show(record)
        if "error" not in record:
            results.add(options.output, [record])
    report.write(options.output)


if __name__ == "__main__":
    main()
