"""Plots of time against rows and against columns, from the sweeps in results.json.

``python docs/benchmarks/speed.py --sweep`` measures; ``python docs/benchmarks/plots.py`` draws
time_against_n.png and time_against_p.png, and writes speed.md, which shows them.
"""

import argparse
from pathlib import Path

import matplotlib
import numpy as np
import report
import results
from competitors import FLOOR, GLUM, INTELEX, OURS, SKLEARN
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator
from results import Record
from sklearn.isotonic import isotonic_regression
from tables import TASKS

matplotlib.use("Agg")

INK = "#222222"
# Okabe and Ito's palette, which the colour-blind can tell apart; a marker for each package as well.
STYLES = {
    "numpy": ("black", ""),
    OURS: ("#D55E00", "o"),
    SKLEARN: ("#0072B2", "s"),
    INTELEX: ("#56B4E9", "D"),
    GLUM: ("#009E73", "^"),
    "statsmodels": ("#CC79A7", "v"),
}
LABEL_GAP = 0.062  # least distance of two labels, as a share of the axis


def series(records: list[Record], axis: str) -> dict[str, tuple[str, list[float], list[float]]]:
    """For each method its package, and sizes and milliseconds where it was measured."""
    found: dict[str, tuple[str, list[float], list[float]]] = {}
    for record in sorted(records, key=lambda r: r[axis]):
        for method in record["methods"]:
            if method["median"] is not None:
                _, sizes, times = found.setdefault(method["name"], (method["package"], [], []))
                sizes.append(record[axis])
                times.append(1e3 * method["median"])
    return found


def spread(heights: list[float], gap: float) -> list[float]:
    """Ascending heights, moved as little as possible to be at least the gap apart, within 0..1."""
    steps = gap * np.arange(len(heights))
    return list(isotonic_regression(heights - steps, y_min=0.0, y_max=1.0 - steps[-1]) + steps)


def label_ends(axes: Axes, found: dict[str, tuple[str, list[float], list[float]]]) -> None:
    """Each line's name beside its end, apart from the others, with a thin leader to it."""
    to_share = axes.transData + axes.transAxes.inverted()
    ends = []
    for name, (package, sizes, times) in found.items():
        x, y = to_share.transform((sizes[-1], times[-1]))
        ends.append((y, x, name, package))
    ends.sort()
    for (y, x, name, package), height in zip(
        ends, spread([end[0] for end in ends], LABEL_GAP), strict=True
    ):
        colour = STYLES[package][0]
        text = "X.T @ X (floor)" if name == FLOOR else name.replace(f"{INTELEX} ", "intelex ")
        axes.annotate(
            text.replace(SKLEARN, "sklearn"),
            (x, y),
            (1.04, height),
            xycoords="axes fraction",
            textcoords="axes fraction",
            color=colour,
            fontsize=8.5,
            fontweight="bold" if package == OURS else "normal",
            va="center",
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.6, "shrinkA": 1, "shrinkB": 3},
        )


def panel(axes: Axes, task: str, records: list[Record], axis: str) -> None:
    """One task: the floor in black, ours thick and on top."""
    found = series(records, axis)
    for name, (package, sizes, times) in found.items():
        colour, marker = STYLES[package]
        ours = package == OURS
        twin = package == SKLEARN and name.endswith("randomized")
        axes.plot(
            sizes,
            times,
            color=colour,
            marker=marker,
            markersize=5.5 if ours else 4,
            linewidth=2.8 if ours else 1.8 if package == "numpy" else 1.2,
            linestyle="--" if twin else "-",
            zorder=4 if ours else 3 if package == "numpy" else 2,
        )
    axes.set(xscale="log", yscale="log")
    for side in (axes.xaxis, axes.yaxis):
        side.set_major_locator(LogLocator())
        side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.set_title(TASKS[task], loc="left", fontsize=11, color=INK)
    axes.grid(True, which="major", color="#e4e4e4", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9, colors=INK)


def caption(stored: Record, records: list[Record]) -> str:
    """Versions, machine and date, in one line."""
    about = stored["about"]
    ours, day = records[-1]["mcmodels"], records[-1]["date"]
    names = {r["package"] for record in records for r in record["methods"]} - {OURS}
    shown = [f"{n} {about['versions'][n]}" for n in about["versions"] if n in names]
    machine = f"{about['processor']}, {about['cores']} cores"
    return f"mcmodels {ours}, {', '.join(shown)}; {machine}; {day}"


def draw(stored: Record, axis: str, path: Path) -> bool:
    """The figure of one sweep, if it was measured."""
    records = results.select(stored, f"sweep {axis}")
    if not records:
        return False
    tasks = [task for task in TASKS if any(r["task"] == task for r in records)]
    figure = Figure(figsize=(5.2 * len(tasks), 4.6))
    panels = figure.subplots(1, len(tasks), sharey=True, squeeze=False)[0]
    for axes, task in zip(panels, tasks, strict=True):
        panel(axes, task, [r for r in records if r["task"] == task], axis)
    fixed = "p" if axis == "n" else "n"
    value = f"{records[0][fixed]:,}"
    names = {"n": "rows n", "p": "columns p"}
    panels[0].set_ylabel("milliseconds for a fit", fontsize=10, color=INK)
    for axes in panels:
        axes.set_xlabel(f"{names[axis]} ({fixed} = {value})", fontsize=10, color=INK)
        axes.tick_params(labelleft=True)
    figure.subplots_adjust(left=0.055, right=0.87, top=0.85, bottom=0.19, wspace=0.82)
    for axes, task in zip(panels, tasks, strict=True):
        label_ends(axes, series([r for r in records if r["task"] == task], axis))
    title = f"Time of a fit against {names[axis]}, beside the bare product X.T @ X"
    figure.text(0.012, 0.95, title, fontsize=13, color=INK, fontweight="bold")
    figure.text(0.012, 0.02, caption(stored, records), fontsize=8, color="#666666")
    figure.savefig(path, dpi=110, bbox_inches="tight")
    return True


def main() -> None:
    """Draw both, then the page."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--output", type=Path, default=results.DEFAULT, help="results file")
    path = made.parse_args().output
    stored = results.load(path)
    for axis in ("n", "p"):
        picture = path.with_name(f"time_against_{axis}.png")
        print(picture.name, "drawn" if draw(stored, axis, picture) else "not measured")
    report.write(path)


if __name__ == "__main__":
    main()
