"""Two checkouts of mcmodels, timed alternately: fits, small data, calculus, autodiff, imports.

``python docs/benchmarks/old_and_new.py OLD NEW`` prints a Markdown table of medians. OLD and NEW
are the folders of the checkouts; both are run by the Python that runs this script, each in
processes of its own. Before each round the order changes, so that what else the machine does
falls upon both.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import problems
from timing import AT_LEAST, SETTLE, in_units

SHAPES = ((1_000_000, 10), (400_000, 50), (100_000, 300), (20_000, 1000))
SMALL = (200, 5)
ESTIMATORS = ("LinearRegression", "LogisticRegression", "PCA")
IMPORTS = {
    "mcmodels": f"from mcmodels import {', '.join(ESTIMATORS)}",
    "scikit-learn": (
        "from sklearn.linear_model import LinearRegression, LogisticRegression; "
        "from sklearn.decomposition import PCA"
    ),
}


# -- what is timed, in a process of a checkout -----------------------------------------------------


def fit(estimator: str, n: int, p: int) -> Callable[[], Any]:
    import mcmodels

    if (n, p) == SMALL:
        data, options = problems.dense(n, p, C=1.0), {}
    else:
        data = problems.dense(n, p)
        options = {
            "LinearRegression": {},
            "LogisticRegression": {"C": np.inf, "tol": 1e-9},
            "PCA": {"n_components": 10},
        }[estimator]
    target = {"LinearRegression": (data.y,), "LogisticRegression": (data.labels,), "PCA": ()}
    make = getattr(mcmodels, estimator)
    return lambda: make(**options).fit(data.X, *target[estimator])


def _least_squares() -> tuple[Any, Any]:
    from mcmodels.calculus import matrix, norm, scalar, vector

    X, y, w, c = matrix("X", "n", "p"), vector("y", "n"), vector("w", "p"), scalar("c")
    return norm(X @ w - y) ** 2 + c * norm(w) ** 2, w


def derivation() -> Callable[[], Any]:
    def run() -> str:
        f, w = _least_squares()
        return str(f.derivation(w))

    return run


def compiling() -> Callable[[], Any]:
    def run() -> Any:
        f, w = _least_squares()
        return f.gradient(w).compile()

    return run


def compiled_gradient() -> Callable[[], Any]:
    f, w = _least_squares()
    data = problems.dense(20_000, 50)
    gradient, at = f.gradient(w).compile(), np.linspace(-1, 1, 50)
    return lambda: gradient(X=data.X, y=data.y, w=at, c=0.5)


def autodiff_gradient() -> Callable[[], Any]:
    from mcmodels.autodiff import grad

    data = problems.dense(20_000, 50)

    def loss(w: Any) -> Any:
        eta = data.X @ w
        return np.sum(np.logaddexp(0.0, eta) - data.labels * eta)

    gradient, at = grad(loss), np.linspace(-0.1, 0.1, 50)
    return lambda: gradient(at)


def cases() -> dict[str, Callable[[], Callable[[], Any]]]:
    """What is timed in a process that goes on, by name; each makes its data and returns a run."""
    found: dict[str, Callable[[], Callable[[], Any]]] = {}
    for n, p in (*SHAPES, SMALL):
        for estimator in ESTIMATORS:
            found[f"{estimator}, {n:,}×{p}"] = lambda e=estimator, n=n, p=p: fit(e, n, p)
    found["derivation of a ridge gradient"] = derivation
    found["its gradient, compiled"] = compiling
    found["that gradient, 20,000×50"] = compiled_gradient
    found["autodiff gradient, logistic loss, 20,000×50"] = autodiff_gradient
    return found


def work(checkout: Path, name: str) -> None:
    """For each number that comes in, call so many times, and print the seconds of one call."""
    import mcmodels

    if checkout not in Path(mcmodels.__file__).resolve().parents:
        raise SystemExit(f"mcmodels is that of {mcmodels.__file__}, not of {checkout}")
    warnings.simplefilter("ignore")
    run = cases()[name]()
    run()
    print("ready", flush=True)
    for times in map(int, sys.stdin):
        start = time.perf_counter()
        for _ in range(times):
            run()
        print((time.perf_counter() - start) / times, flush=True)


# -- who asks for it -------------------------------------------------------------------------------


def environment(checkout: Path) -> dict[str, str]:
    """The environment of a process that imports a checkout."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(checkout)}


class Worker:
    """A process of a checkout that times one case when it is asked to."""

    def __init__(self, checkout: Path, name: str) -> None:
        command = [sys.executable, __file__, "--work", name, str(checkout)]
        self.process = subprocess.Popen(
            command,
            env=environment(checkout),
            cwd=checkout,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()

    def _read(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"a worker has ended with status {self.process.wait()}")
        return line

    def time(self, times: int) -> float:
        """Seconds of one call, of so many."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{times}\n")
        self.process.stdin.flush()
        return float(self._read())

    def end(self) -> None:
        """Close its input, at which it stops."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def alternated(runs: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Median seconds of each, after so many rounds, each starting with another one."""
    names, seconds = list(runs), {name: [] for name in runs}
    for turn in range(rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            time.sleep(SETTLE)
            seconds[name].append(runs[name]())
    return {name: statistics.median(found) for name, found in seconds.items()}


def timed_case(name: str, checkouts: dict[str, Path], rounds: int) -> dict[str, float]:
    workers = {}
    try:
        for label, checkout in checkouts.items():
            workers[label] = Worker(checkout, name)
        quickest = min(worker.time(1) for _ in range(3) for worker in workers.values())
        # As many calls of either: the first after a pause is slower than the others.
        times = max(1, math.ceil(AT_LEAST / quickest))
        runs = {label: partial(worker.time, times) for label, worker in workers.items()}
        return alternated(runs, rounds)
    finally:
        for worker in workers.values():
            worker.end()


def timed_imports(checkouts: dict[str, Path], rounds: int) -> dict[str, float]:
    """Seconds of a fresh Python that imports the three estimators, less those of one that does not.

    The first round compiles the modules to bytecode, as an installation does, and does not count.
    """

    def run(code: str, checkout: Path) -> Callable[[], float]:
        def once() -> float:
            start = time.perf_counter()
            command = [sys.executable, "-c", code]
            subprocess.run(command, env=environment(checkout), cwd=checkout, check=True)
            return time.perf_counter() - start

        return once

    runs = {label: run(IMPORTS["mcmodels"], checkout) for label, checkout in checkouts.items()}
    new = checkouts["new"]
    runs |= {"scikit-learn": run(IMPORTS["scikit-learn"], new), "nothing": run("pass", new)}
    alternated(runs, 1)
    found = alternated(runs, rounds)
    nothing = found.pop("nothing")
    return {label: seconds - nothing for label, seconds in found.items()}


def line(name: str, found: dict[str, float]) -> str:
    cells = [in_units(found["old"]), in_units(found["new"]), f"{found['new'] / found['old']:.2f}"]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("checkouts", nargs="+", type=lambda text: Path(text).resolve(), metavar="OLD NEW")
    add("--rounds", type=int, default=7, help="timed runs of each")
    add("--only", default="", help="cases whose name contains this")
    add("--work", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.checkouts[0], options.work)
        return
    if len(options.checkouts) != 2:
        parser.error("give the folders of two checkouts, the old and the new")
    checkouts = dict(zip(("old", "new"), options.checkouts, strict=True))
    print("| what | old | new | new/old |\n|---|---:|---:|---:|", flush=True)
    for name in cases():
        if options.only in name:
            print(line(name, timed_case(name, checkouts, options.rounds)), flush=True)
    if options.only in "imports":
        found = timed_imports(checkouts, options.rounds)
        print(line("imports of three estimators", found), flush=True)
        peer = found["scikit-learn"]
        ratios = ", ".join(f"{label} {found[label] / peer:.2f}" for label in checkouts)
        print(f"\nThe same three of scikit-learn are imported in {in_units(peer)}: {ratios} times.")


if __name__ == "__main__":
    main()
