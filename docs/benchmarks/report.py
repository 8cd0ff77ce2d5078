"""The results page, written from the results file alone."""

from pathlib import Path

import results
import tables
from competitors import FLOOR, OURS
from results import Record, select
from tables import TASKS, bounded, cell, markdown, milliseconds, ratio, shape_of

INTRO = """# Speed and memory

Every table comes from one process in which all methods ran interleaved (round robin, the order
rotated each round, one untimed warm-up each); times are medians. The floor is the bare product
`X.T @ X` on the same rows, which NumPy makes with a symmetric BLAS kernel: ratios to it carry over
from machine to machine better than times do. Columns share three common factors (80 % of their
variance) and have scales from 0.1 to 10 and means of their own size, so that first-order methods
struggle as on real data. The dense regressions of `mcmodels` include the exact Hessian.
"""

READING = """*Largest gradient / n*: computed by NumPy from the rows at the parameters that were
returned; every method with such an option was asked for 1e-9, and scikit-learn given 2,000
iterations. *Error*: largest difference from a reference solution, each coefficient in units of its
column, relative to the largest (of PCA: largest difference of any entry of a component); 0 marks
the reference itself. A method whose single run took longer than the benchmark's patience ran once
(*one run*). *Peak memory* is that above the data, from [memory.py](memory.py).
"""


def machine(about: Record) -> str:
    """What it was measured on."""
    versions = ", ".join(
        f"{name} {found}" if found else f"{name} (not installed)"
        for name, found in about["versions"].items()
    )
    return (
        f"Made by `docs/benchmarks/speed.py` and `memory.py` on {about['date']}: "
        f"{about['processor']}, {about['cores']} cores, cache {about['cache']}, "
        f"{about['memory_gb']} GB; {about['system']}; Python {about['python']}; "
        f"{'; '.join(about['blas'])}. {versions}.\n"
    )


def targets(stored: Record) -> str:
    """Every figure that was set as a target, beside what was measured."""
    rows = []
    for record in select(stored, "dense"):
        base, ours = tables.base_of(record), tables.method(record, OURS)
        bound = tables.target(record)
        if bound is None or not base or not ours or ours["median"] is None:
            continue
        best = tables.best_peer(record)
        peer = f"{best['name']}: {ratio(best['median'] / base)}" if best else "—"
        rows.append(
            [
                TASKS[record["task"]],
                shape_of(record),
                *bounded(ours["median"] / base, bound),
                peer,
            ]
        )
    header = ["fit", "shape", "time / floor", "to reach", "", "best peer that converged"]
    return markdown(header, rows) if rows else "Not measured.\n"


def dense(stored: Record, task: str) -> str:
    """One table a shape."""
    parts = []
    for record in select(stored, "dense", task=task):
        base = tables.base_of(record)
        rows = []
        for entry in sorted(record["methods"], key=lambda m: m["median"] or 1e9):
            name = f"**{entry['name']}**" if entry["package"] == OURS else entry["name"]
            rows.append(
                [
                    name,
                    milliseconds(entry["median"]),
                    ratio(entry["median"] / base) if entry["median"] and base else "—",
                    *([cell(entry.get("gradient"), "{:.0e}")] if task != "pca" else []),
                    cell(entry.get("difference"), "{:.0e}"),
                    tables.peak(stored, record, entry["name"]),
                    tables.remarks(record, entry),
                ]
            )
        gradient = ["largest gradient / n"] if task != "pca" else []
        header = ["method", "ms", "ratio", *gradient, "error", "peak memory, MB", ""]
        parts.append(f"### {shape_of(record)}\n\n" + markdown(header, rows))
    return "\n".join(parts)


def single(stored: Record) -> str:
    """float32 beside float64, one row a method."""
    rows = []
    for record in select(stored, "float32"):
        names = [m["name"].removesuffix(", float64") for m in record["methods"]]
        for name in names[: len(names) // 2]:
            wide, narrow = (tables.method(record, f"{name}, float{bits}") for bits in (64, 32))
            if not wide["median"] or not narrow["median"]:
                continue
            rows.append(
                [
                    TASKS[record["task"]],
                    shape_of(record),
                    name,
                    milliseconds(wide["median"]),
                    milliseconds(narrow["median"]),
                    ratio(wide["median"] / narrow["median"]),
                    cell(wide.get("difference"), "{:.0e}"),
                    cell(narrow.get("difference"), "{:.0e}"),
                    ", ".join(narrow["notes"]),
                ]
            )
    times = ["float64, ms", "float32, ms", "times as fast"]
    header = ["fit", "shape", "method", *times, "error, float64", "error, float32", ""]
    return markdown(header, rows)


def longer(stored: Record) -> str:
    """Four times as many rows."""
    rows = []
    for record in select(stored, "longer"):
        short, long, floor, floor_long = (
            (tables.method(record, f"{who}, {size}") or {}).get("median")
            for who in (OURS, FLOOR)
            for size in ("n", "4n")
        )
        if not all((short, long, floor, floor_long)):
            continue
        times = [milliseconds(short), milliseconds(long)]
        verdict = bounded(long / short, 4.2)
        floors = ratio(floor_long / floor)
        rows.append([TASKS[record["task"]], shape_of(record), *times, *verdict, floors])
    header = ["fit", "n × p", "n, ms", "4n, ms", "ratio", "to reach", "", "the floor's own ratio"]
    return markdown(header, rows)


def plain(stored: Record, case: str, bound: float | None = None) -> str:
    """One table for all records of a case, relative to each record's base."""
    rows = []
    for record in select(stored, case):
        base = tables.base_of(record)
        for entry in record["methods"]:
            times = entry["median"] / base if entry["median"] and base else None
            verdict = ["", ""]
            if bound and entry["package"] == OURS and times:
                verdict = bounded(times, bound)[1:]
            rows.append(
                [
                    TASKS[record["task"]],
                    shape_of(record),
                    entry["name"],
                    milliseconds(entry["median"]),
                    ratio(times),
                    *(verdict if bound else []),
                    cell(entry.get("gradient"), "{:.0e}"),
                    cell(entry.get("difference"), "{:.0e}"),
                    tables.remarks(record, entry),
                ]
            )
    header = ["fit", "shape", "method", "ms", "ratio", *(["to reach", ""] if bound else [])]
    return markdown([*header, "largest gradient / n", "error", ""], rows)


def inference(stored: Record) -> str:
    """Fit and summary, and influence, beside statsmodels and the floor."""
    rows = []
    for record in select(stored, "inference"):
        base = tables.base_of(record)
        ours, theirs = (tables.method(record, name) for name in (OURS, "statsmodels"))
        if not base or not ours or not ours["median"]:
            continue
        their_time = theirs["median"] if theirs else None
        times = their_time / ours["median"] if their_time else None
        rows.append(
            [
                tables.INFERENCE_TASKS[record["task"]],
                shape_of(record),
                milliseconds(ours["median"]),
                ratio(ours["median"] / base),
                milliseconds(their_time)
                if their_time
                else tables.remarks(record, theirs)
                if theirs
                else "—",
                ratio(times),
            ]
        )
    header = ["fit", "shape", "mcmodels, ms", "to the floor", "statsmodels, ms", "times as fast"]
    return markdown(header, rows)


def absent(stored: Record) -> str:
    """Who could not be measured, and why."""
    found = {name: why for r in stored["records"] for name, why in r.get("absent", {}).items()}
    return "\n".join(f"- {name}: {why}" for name, why in sorted(found.items())) + "\n"


def page(stored: Record, folder: Path) -> str:
    """The whole page; sections without results are left out."""
    parts = [INTRO, machine(stored["about"]), "## Against the targets\n", targets(stored)]
    remarks = folder / "remarks.md"
    if remarks.exists():
        parts.append(remarks.read_text())
    for axis in ("n", "p"):
        picture = f"time_against_{axis}.png"
        if (folder / picture).exists():
            parts.append(f"![Time against {axis}]({picture})\n")
    if select(stored, "dense"):
        parts.append(READING)
    for task, title in TASKS.items():
        if select(stored, "dense", task=task):
            parts += [f"## {title}\n", dense(stored, task)]
    if select(stored, "float32"):
        parts += ["## float32 rows\n", tables.FLOAT32, single(stored)]
    if select(stored, "longer"):
        parts += ["## A four times longer X\n", longer(stored)]
    if select(stored, "small"):
        parts += ["## Small data\n", tables.SMALL, plain(stored, "small", 1.5)]
    if select(stored, "sparse"):
        parts += ["## Sparse rows\n", tables.SPARSE, plain(stored, "sparse")]
    if select(stored, "inference"):
        parts += ["## Inference\n", tables.INFERENCE, inference(stored)]
    if select(stored, "memory"):
        parts += ["## Peak memory above the data\n", tables.MEMORY, tables.memory(stored)]
    if any(record.get("absent") for record in stored["records"]):
        parts += ["## Absent\n", absent(stored)]
    return "\n".join(parts)


def write(path: Path) -> None:
    """speed.md beside the results."""
    stored = results.load(path)
    if stored["records"]:
        path.with_name("speed.md").write_text(page(stored, path.parent))
