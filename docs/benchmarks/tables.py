"""Pieces of the results page: cells, targets, and the memory table."""

from typing import Any

from competitors import OURS
from results import Record, select

TASKS = {"linear": "Linear regression", "logistic": "Logistic regression", "pca": "PCA"}
INFERENCE_TASKS = {
    "linear": "Linear regression: fit and summary",
    "logistic": "Logistic regression: fit and summary",
    "influence": "Influence of every row",
}

ASKED = 1e-9  # largest gradient entry per row that logistic fits were asked for

FLOAT32 = """The same numbers in both precisions, so both have the same exact solution; a peer's
error is that of what it returns for float32 rows. To reach: about twice as fast, error ≤ 1e-5.
"""
SMALL = """Everybody's defaults, 40 times as many rounds; ratios to scikit-learn's default solver.
"""
SPARSE = """Bags of words with Zipf-like frequencies; C = 1 for logistic regression. Of scikit-learn
the solvers that solve the same problem without a dense p × p matrix. Ratios to SciPy's sparse
`X.T @ X`.
"""
INFERENCE = """A fit with the coefficient table that it prints, and the measures of influence of
every row (leverage, residuals, Cook's distance, DFFITS, DFBETAS) of a fit that is there. To
reach: a tenth of the time of statsmodels; influence in less than 5 times the floor.
"""
MEMORY = """Each fit in a process of its own, warmed up on a tiny table; the peak of resident memory
during the fit minus that just before, when the data are in memory already. For a memory map only
anonymous memory counts (the map's pages belong to the file). Bound: 64 MB + 4·p²·8 bytes.
"""


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """A table; figures are aligned to the right."""
    lines = ["| " + " | ".join(header) + " |"]
    words = {"fit", "shape", "n × p", "method", "data", "family", "model", ""}
    lines.append("|" + "|".join("---" if name in words else "---:" for name in header) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def cell(value: float | None, form: str) -> str:
    return "—" if value is None else form.format(value)


def milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return "—"
    value = 1e3 * seconds
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def megabytes(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def ratio(value: float | None) -> str:
    if value is None:
        return "—"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def shape_of(record: Record) -> str:
    return f"{record['n']:,} × {record['p']:,}"


def method(record: Record, name: str) -> Record | None:
    return next((m for m in record["methods"] if m["name"] == name), None)


def base_of(record: Record) -> float | None:
    """Median seconds of what the record's ratios are taken to."""
    found = method(record, record["base"])
    return found["median"] if found else None


def target(record: Record) -> float | None:
    """The ratio to the floor that the fit is meant to reach, for the shapes that have one."""
    shapes = ((1_000_000, 10), (400_000, 50), (100_000, 300), (20_000, 1_000))
    bounds = {
        "linear": (1.2, 1.0, 1.0, 1.2),
        "logistic": (8.0, 4.0, 4.0, 4.0),
        "pca": (1.5, 1.1, 1.1, 1.5),
    }
    found = dict(zip(shapes, bounds[record["task"]], strict=True))
    return found.get((record["n"], record["p"]))


def bounded(value: float, bound: float) -> list[str]:
    """The value, its bound, and whether it is reached or by how much it is missed."""
    verdict = "reached" if value <= bound else f"missed by {100 * (value / bound - 1):.0f} %"
    return [ratio(value), f"≤ {bound:g}", verdict]


def remarks(record: Record, entry: Record) -> str:
    """What is to be said of a method: whether it ended where it was asked to."""
    said = [*entry["notes"], *filter(None, [entry["error"]])]
    short = record["task"] == "logistic" and entry.get("gradient", 0.0) > ASKED
    if record["case"] == "dense" and short and "did not converge" not in said:
        said.append("short of 1e-9")
    return ", ".join(said)


def best_peer(record: Record) -> Record | None:
    """The fastest of the others that did what it was asked for."""
    done = [
        m
        for m in record["methods"]
        if m["package"] not in (OURS, "numpy")
        and m["median"] is not None
        and "did not converge" not in m["notes"]
        and m.get("gradient", 0.0) <= (ASKED if record["task"] == "logistic" else float("inf"))
    ]
    return min(done, key=lambda m: m["median"], default=None)


def peak(stored: Record, record: Record, name: str) -> str:
    """Peak memory of a method on float64 rows in C order, where it was measured."""
    same = {key: record[key] for key in ("task", "n", "p")}
    plain: dict[str, Any] = {"order": "C", "dtype": "float64", "storage": "memory"}
    found = select(stored, "memory", method=name, **same, **plain)
    return megabytes(found[0]["above_mb"]) if found else "—"


def memory(stored: Record) -> str:
    """The memory table: ours in every storage, then the others."""
    rows = []
    for record in sorted(select(stored, "memory"), key=lambda r: r["method"] != OURS):
        kind = "memory map" if record["storage"] == "map" else f"{record['order']} order"
        ours = record["method"] == OURS
        reached = "reached" if record["above_mb"] <= record["bound_mb"] else "missed"
        rows.append(
            [
                record["method"],
                TASKS[record["task"]],
                shape_of(record),
                f"{record['dtype']}, {kind}",
                megabytes(record["data_mb"]),
                megabytes(record["above_mb"]),
                f"≤ {record['bound_mb']:,.0f}" if ours else "",
                reached if ours else "",
            ]
        )
    return markdown(
        ["method", "fit", "shape", "data", "X, MB", "peak above, MB", "to reach", ""], rows
    )
