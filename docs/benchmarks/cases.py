"""What is measured: each case makes its data, times everybody interleaved and returns a record."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import competitors
import numpy as np
import problems
import quality
from competitors import FLOOR, OURS, Competitor
from problems import Problem
from results import Record
from timing import Patience, Timing, interleave

SPARSE_FLOOR = "SciPy `X.T @ X`"


@dataclass(frozen=True)
class Settings:
    """What the command line chose."""

    peers: bool = True
    patience: Patience = field(default_factory=Patience)


def _chosen(listed: list[Competitor], settings: Settings, base: str = OURS) -> list[Competitor]:
    """All, or without peers ours and whatever the ratio is taken to."""
    return [c for c in listed if settings.peers or c.package == OURS or c.name == base]


def _methods(
    timings: dict[str, Timing], packages: dict[str, str], judged: dict[str, dict[str, float]]
) -> list[Record]:
    """What the record says of each method."""
    return [
        {
            "name": name,
            "package": packages.get(name, "numpy"),
            "seconds": [float(f"{seconds:.6g}") for seconds in timing.seconds],
            "median": timing.median if timing.seconds else None,
            "notes": timing.notes,
            "error": timing.error,
        }
        | judged.get(name, {})
        for name, timing in timings.items()
    ]


def _measure(
    chosen: list[Competitor],
    data: Problem,
    floor: dict[str, Callable[[], Any]],
    patience: Patience,
    task: str | None,
) -> Record:
    """Time the floor and all that can be imported; judge what they return if a task is named."""
    fits, absent = competitors.load_all(chosen)
    present = [c for c in chosen if c.name in fits]
    runs = floor | {c.name: (lambda fit=fits[c.name]: fit(data)) for c in present}
    timings = interleave(runs, {c.name: c.read for c in present}, patience)
    found = {c.name: timings[c.name].result for c in present if not timings[c.name].error}
    judged = quality.judge(task, data, found) if task else {}
    packages = {c.name: c.package for c in present}
    return {"methods": _methods(timings, packages, judged), "absent": absent}


def dense(task: str, n: int, p: int, settings: Settings) -> Record:
    """Everybody on one shape, against the bare product."""
    data = problems.dense(n, p)
    chosen = _chosen(competitors.DENSE[task](), settings)
    floor = {FLOOR: lambda: data.X.T @ data.X}
    measured = _measure(chosen, data, floor, settings.patience, task)
    return {"case": "dense", "task": task, "n": n, "p": p, "base": FLOOR} | measured


def single(task: str, n: int, p: int, settings: Settings) -> Record:
    """The same numbers as float64 and as float32; the exact answer is that of the numbers."""
    narrow = problems.dense(n, p).astype(np.float32)
    wide = narrow.astype(np.float64)
    listed = [c for c in _chosen(competitors.DENSE[task](), settings) if c.headline]
    fits, absent = competitors.load_all([c for c in listed if c.package != "statsmodels"])
    present = [c for c in listed if c.name in fits]
    runs: dict[str, Callable[[], Any]] = {}
    reads, packages = {}, {}
    for label, data in (("float64", wide), ("float32", narrow)):
        runs[f"{FLOOR}, {label}"] = lambda data=data: data.X.T @ data.X
        for c in present:
            name = f"{c.name}, {label}"
            runs[name] = lambda fit=fits[c.name], data=data: fit(data)
            reads[name], packages[name] = c.read, c.package
    timings = interleave(runs, reads, settings.patience)
    found = {name: timings[name].result for name in reads if not timings[name].error}
    methods = _methods(timings, packages, quality.judge(task, wide, found))
    head = {"case": "float32", "task": task, "n": n, "p": p, "base": f"{FLOOR}, float64"}
    return head | {"methods": methods, "absent": absent}


def longer(task: str, n: int, p: int, settings: Settings) -> Record:
    """Ours and the floor on n rows and on four times as many."""
    long = problems.dense(4 * n, p)
    short = long.head(n)
    ours = _chosen(competitors.DENSE[task](), Settings(peers=False))[0]
    fit = ours.load()
    runs = {
        f"{FLOOR}, n": lambda: short.X.T @ short.X,
        f"{OURS}, n": lambda: fit(short),
        f"{FLOOR}, 4n": lambda: long.X.T @ long.X,
        f"{OURS}, 4n": lambda: fit(long),
    }
    timings = interleave(runs, {}, settings.patience)
    head = {"case": "longer", "task": task, "n": n, "p": p, "base": f"{OURS}, n"}
    return head | {"methods": _methods(timings, {}, {}), "absent": {}}


def small(task: str, settings: Settings, n: int = 200, p: int = 5) -> Record:
    """Everybody's defaults on a table that fits in cache; many rounds."""
    data = problems.dense(n, p, C=1.0)
    listed = competitors.SMALL[task]()
    base = listed[1].name
    rounds = Patience(repeats=40 * settings.patience.repeats)
    measured = _measure(_chosen(listed, settings, base), data, {}, rounds, task)
    return {"case": "small", "task": task, "n": n, "p": p, "base": base} | measured


def text(task: str, n: int, p: int, settings: Settings) -> Record:
    """Sparse rows; the floor is SciPy's sparse product."""
    data = problems.text(n, p)
    chosen = _chosen(competitors.SPARSE[task](), settings)
    floor = {SPARSE_FLOOR: lambda: data.X.T @ data.X}
    measured = _measure(chosen, data, floor, settings.patience, task)
    head = {"case": "sparse", "task": task, "n": n, "p": p, "base": SPARSE_FLOOR}
    return head | {"nonzeros": int(data.X.nnz)} | measured


def inference(task: str, settings: Settings) -> Record:
    """Fit and summary at 400,000×50, or the influence of the rows of 100,000×50."""
    import inference_runs

    n, p = (100_000, 50) if task == "influence" else (400_000, 50)
    data = problems.dense(n, p)
    of = inference_runs.influences(data) if task == "influence" else None
    runs = of or inference_runs.summaries(task, data)
    if not settings.peers:
        del runs["statsmodels"]
    floor = {FLOOR: lambda: data.X.T @ data.X}
    timings = interleave(floor | runs, {}, settings.patience)
    packages = {name: name for name in runs}
    head = {"case": "inference", "task": task, "n": n, "p": p, "base": FLOOR}
    return head | {"methods": _methods(timings, packages, {}), "absent": {}}


def sweep(
    axis: str, task: str, shapes: list[tuple[int, int]], settings: Settings, drop_above: float = 6.0
) -> list[Record]:
    """One record a shape, one method a package; who gets too slow is left out of larger ones."""
    listed = [c for c in _chosen(competitors.DENSE[task](), settings) if c.headline]
    records = []
    for n, p in shapes:
        data = problems.dense(n, p)
        repeats = settings.patience.repeats * (5 if n * p < 1_000_000 else 1)
        patience = Patience(repeats, once_above=drop_above / 3, give_up=5 * drop_above)
        floor = {FLOOR: lambda data=data: data.X.T @ data.X}
        measured = _measure(listed, data, floor, patience, None)
        slow = {
            m["name"]
            for m in measured["methods"]
            if m["error"] or (m["median"] > drop_above and m["package"] != OURS)
        }
        listed = [c for c in listed if c.name not in slow]
        head = {"case": f"sweep {axis}", "task": task, "n": n, "p": p, "base": FLOOR}
        records.append(head | measured)
    return records
