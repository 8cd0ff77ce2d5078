"""Training networks: passes over the rows, and loss against seconds, beside scikit-learn, PyTorch.

Run ``python docs/benchmarks/networks.py`` for the tables on the terminal, and with ``--write`` to
put them into networks.md and draw networks.png. PyTorch is left out where it is not installed;
``pip install 'mcmodels[bench]'`` installs it.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import results
from network_training import (
    DETERMINISTIC,
    STOCHASTIC,
    Problem,
    Training,
    Watch,
    installed,
    watched,
    with_lbfgs,
    with_newton,
)
from sklearn.datasets import load_digits, make_classification
from timing import SETTLE, in_units

PAGE = Path(__file__).parent / "networks.md"
PICTURE = PAGE.with_suffix(".png")
VERSIONS = ("mcmodels", "numpy", "scipy", "scikit-learn", "torch")
RATES = (0.001, 0.003, 0.01)
WITHIN = (0.1, 0.03, 0.01)
CHOSEN_BY = WITHIN[1]
KEPT_FOR = 1.5  # a second solver is worth having where it is so many times as fast by the median
LIMIT = 6.0  # seconds of a training

INTRO = """# Training networks

The objective is the same for all: cross-entropy and a penalty, `1/n Σ ℓᵢ + α/2n Σ ‖W‖²`, in
float64. So is the start, scikit-learn's for a `random_state`. Objectives of networks have several
minima: from the same start two solvers may end in different ones.
"""

PASSES = """## Passes over the rows until the loss that lbfgs reaches

The rows are those of `load_digits` (1,797 rows of 64 pixels, divided by 16; 10 classes), and 3,000
rows of 20 columns whose matrix has a condition number of about 100: the standard deviations of the
columns fall from 1 to 0.01, and the two classes depend on the small ones as much as on the large
ones. From each start `"lbfgs"` is run until no entry of the gradient of the mean loss exceeds
`tol`, or float64 shows no further decrease; `tol` is 1e-4, the default, for the digits, and 1e-5
for the other rows. The table tells after how many passes and seconds `"newton-cg"` has a loss as
low, or — where it never has, and what the loss is at its end, with `tol=1e-5`. A pass is an
evaluation of value and gradient or a Hessian-vector product. They do not cost the same:
newton-cg's evaluations also sum the Kronecker factors that condition its steps, which with K
outputs takes up to K more backward sweeps.
"""

SECONDS = """## Loss against seconds

Seconds of training until the loss is within 10 %, 3 % and 1 % of the least that anyone found from
that start, in {limit:g} seconds of training each; medians over {starts} starts, everybody trained
from one before the next; — where fewer than half of the starts came there. Evaluations of the loss
that are only for this table are not timed. Adam takes batches of 200 rows, with the best of the
learning rates {rates} (by the seconds to 3 %, else by the least loss); PyTorch's L-BFGS has
`strong_wolfe` line searches and `history_size=10`, as the others. PyTorch runs two threads,
uncompiled. Each batch carries the penalty of the objective.

![Loss against seconds](networks.png)
"""


# -- problems --------------------------------------------------------------------------------------


def digits(hidden: tuple[int, ...], activation: str, alpha: float) -> Problem:
    X, codes = load_digits(return_X_y=True)
    units = "–".join(map(str, hidden))
    name = f"digits, {units} {activation}, α = {alpha:g}"
    return Problem(name, X / 16, codes, hidden, activation, alpha)


def ill_conditioned() -> Problem:
    """Two classes; the columns with the smallest scale say as much of them as the others."""
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((3000, 20))
    A = np.linalg.qr(rng.standard_normal((20, 20)))[0] * np.logspace(0, -2, 20)
    codes = (Z[:, -1] + Z[:, 0] + 0.5 * Z[:, 19] * Z[:, 1] > 0).astype(int)
    name = "columns with condition number 100, 20 tanh, α = 0.01"
    return Problem(name, Z @ A, codes, (20,), "tanh", 0.01)


# -- passes ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """newton-cg against lbfgs from one start, until both have the loss that lbfgs reaches.

    Parameters
    ----------
    lower : bool
        Whether newton-cg ends with a lower loss than lbfgs.
    passes, seconds : float
        Those of newton-cg as a share of those of lbfgs; infinite where its loss never is as low.
    """

    lower: bool
    passes: float
    seconds: float


PASSES_HEAD = (
    "| network | start | loss of lbfgs | its passes | passes of newton-cg | ratio | "
    "seconds: lbfgs | newton-cg | last loss of newton-cg |"
)


def compared(problem: Problem, seed: int, tolerance: float, limit: float) -> tuple[str, Comparison]:
    """A line of the table, and what it says."""
    first = watched(with_lbfgs, problem, seed, limit, tolerance=tolerance)
    second = watched(with_newton, problem, seed, limit, tolerance=1e-5)
    least, last = first.least, second.least
    there = second.place(least)
    cells = ["—", "—", "—"]
    found = Comparison(last < least, np.inf, np.inf)
    if there is not None:
        passes = second.passes[there] / first.passes[-1]
        found = Comparison(last < least, passes, second.seconds[there] / first.seconds[-1])
        cells = [str(second.passes[there]), f"{passes:.2f}", in_units(second.seconds[there])]
    line = (
        f"| {problem.name} | {seed} | {least:.6f} | {first.passes[-1]} | {cells[0]} | {cells[1]} | "
        f"{in_units(first.seconds[-1])} | {cells[2]} | {last:.6f} |"
    )
    return line, found


def passes(starts: int, limit: float) -> Iterator[tuple[str, str, Comparison]]:
    """Name of a problem, line of the table, and what it says, start by start."""
    pairs = (("tanh", 0.1), ("tanh", 1.0), ("tanh", 10.0), ("relu", 1.0))
    cases = [(digits((20,), activation, alpha), 1e-4) for activation, alpha in pairs]
    for problem, tolerance in [*cases, (ill_conditioned(), 1e-5)]:
        for seed in range(starts):
            yield problem.name, *compared(problem, seed, tolerance, limit)


def verdict(found: dict[str, list[Comparison]]) -> str:
    """What the table says, in words."""
    lines, wins = [], []
    for name, races in found.items():
        there = [race for race in races if np.isfinite(race.seconds)]
        if not there:
            lines.append(f"- {name}: `newton-cg` has the loss of `lbfgs` from no start.")
            continue
        text = (
            f"- {name}: `newton-cg` has the loss of `lbfgs` from {len(there)} of {len(races)} "
            f"starts, after {between([race.passes for race in there])} times the passes and "
            f"{between([race.seconds for race in there])} times the seconds. It ends with a lower "
            f"loss from {sum(race.lower for race in races)}."
        )
        lines.append(text)
        middle = statistics.median(race.seconds for race in races)
        if middle * KEPT_FOR < 1:
            wins.append(f"{name} ({1 / middle:.1f} times as fast)")
    where = "; ".join(wins) if wins else "on none of these problems"
    summary = (
        "By the median of the starts, one that never has the loss of `lbfgs` counted as infinitely "
        f"slow, `newton-cg` is more than {KEPT_FOR:g} times as fast on: {where}."
    )
    return "\n".join([*lines, "", summary, ""])


def between(values: list[float]) -> str:
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low} to {high}"


# -- seconds ---------------------------------------------------------------------------------------


def problems() -> list[Problem]:
    """What is trained against the clock."""
    X, codes = make_classification(
        20_000, 30, n_informative=15, n_classes=5, n_clusters_per_class=3, random_state=0
    )
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    many = Problem("20,000×30, 50–50 tanh, α = 10", X, codes, (50, 50), "tanh", 10.0)
    return [digits((20,), "tanh", 1.0), digits((100,), "relu", 1.0), many, ill_conditioned()]


def trained(problem: Problem, seed: int, limit: float) -> dict[str, Watch]:
    """Everyone's training from a start, in an order that rotates with it."""
    runs: list[tuple[str, Training, dict[str, float]]] = [
        (name, train, {}) for name, train in DETERMINISTIC.items() if installed(name)
    ]
    for name, train in STOCHASTIC.items():
        for rate in RATES if installed(name) else ():
            runs.append((f"{name} {rate:g}", train, {"rate": rate}))
    shift = seed % len(runs)
    found = {}
    for name, train, options in runs[shift:] + runs[:shift]:
        gc.collect()
        time.sleep(SETTLE)
        found[name] = watched(train, problem, seed, limit, **options)
    return found


def with_best_rates(watches: dict[str, Watch], least: float) -> dict[str, Watch]:
    """One training for each kind of Adam, that with the best rate."""

    def merit(watch: Watch) -> tuple[float, float]:
        there = watch.place((1 + CHOSEN_BY) * least)
        return (np.inf if there is None else watch.seconds[there], watch.least)

    chosen = {name: watches[name] for name in DETERMINISTIC if name in watches}
    for name in STOCHASTIC:
        rated = [watch for label, watch in watches.items() if label.startswith(name)]
        if rated:
            chosen[name] = min(rated, key=merit)
    return chosen


def medians(found: list[dict[str, Watch]]) -> dict[str, list[float]]:
    """For each who trains, median seconds to each share above the least loss of a start."""
    middles: dict[str, list[float]] = {name: [] for name in found[0]}
    for share in WITHIN:
        for name, line in middles.items():
            times = []
            for watches in found:
                least = min(watch.least for watch in watches.values())
                there = watches[name].place((1 + share) * least)
                times.append(np.inf if there is None else watches[name].seconds[there])
            line.append(statistics.median(times))
    return middles


def ahead(found: dict[str, dict[str, list[float]]]) -> str:
    """Where newton-cg comes to a share before lbfgs, and before everyone, in words."""
    lines = []
    for name, middles in found.items():
        ours, other = middles["mcmodels newton-cg"], middles["mcmodels lbfgs"]
        said = []
        for k, share in enumerate(WITHIN):
            if not np.isfinite(ours[k]):
                said.append(f"it does not come within {share:.0%}")
            elif not np.isfinite(other[k]):
                said.append(f"within {share:.0%} it comes alone")
            else:
                said.append(f"within {share:.0%} it takes {ours[k] / other[k]:.2f} times as long")
        first = [
            f"{share:.0%}"
            for k, share in enumerate(WITHIN)
            if ours[k] < min(line[k] for line in middles.values() if line is not ours)
        ]
        text = f"- {name}: {'; '.join(said)}."
        if first:
            text += f" It is the first of all within {', '.join(first)}."
        lines.append(text)
    return "\n".join(["`newton-cg` against our `lbfgs`:", "", *lines, ""])


STYLES = {
    "mcmodels lbfgs": ("#D55E00", "-"),
    "mcmodels newton-cg": ("#D55E00", "--"),
    "scikit-learn lbfgs": ("#0072B2", "-"),
    "scikit-learn adam": ("#0072B2", ":"),
    "PyTorch L-BFGS": ("#009E73", "-"),
    "PyTorch Adam": ("#009E73", ":"),
}


def draw(shown: list[tuple[Problem, dict[str, Watch]]]) -> None:
    """Loss above the least of a start, against seconds."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5 * len(shown), 4.6))
    panels = figure.subplots(1, len(shown), squeeze=False)[0]
    for axes, (problem, watches) in zip(panels, shown, strict=True):
        least = min(watch.least for watch in watches.values())
        for name, watch in watches.items():
            colour, line = STYLES[name]
            above = np.minimum.accumulate(watch.losses) / least - 1
            ours = name.startswith("mcmodels")
            axes.plot(
                watch.seconds,
                np.maximum(above, 1e-7),
                color=colour,
                linestyle=line,
                linewidth=2.4 if ours else 1.3,
                label=name,
            )
        axes.set(xscale="log", yscale="log", ylim=(5e-7, None))
        axes.set_title(problem.name, loc="left", fontsize=10)
        axes.set_xlabel("seconds of training")
        axes.grid(True, color="#e4e4e4", linewidth=0.7)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("loss above the least found, relative")
    panels[0].legend(fontsize=8, frameon=False)
    about = results.about()
    versions = ", ".join(f"{name} {results.version(name)}" for name in VERSIONS)
    figure.text(
        0.01,
        0.01,
        f"From the first start. {versions}; {about['processor']}, {about['cores']} cores; "
        f"{about['date']}",
        fontsize=8,
        color="#666666",
    )
    figure.subplots_adjust(left=0.06, right=0.99, top=0.92, bottom=0.17)
    figure.savefig(PICTURE, dpi=110)


def main() -> None:
    """Measure, print, and write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--races", type=int, default=5, help="starts of the first table")
    parser.add_argument("--starts", type=int, default=3, help="starts of the second table")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds of a training")
    parser.add_argument(
        "--most", type=float, default=np.inf, help="seconds of a training of the first table"
    )
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    first = [PASSES_HEAD, f"|---|{'---:|' * 8}"]
    comparisons: dict[str, list[Comparison]] = {}
    for name, line, comparison in passes(options.races, options.most):
        print(line, flush=True)
        first.append(line)
        comparisons.setdefault(name, []).append(comparison)
    print(verdict(comparisons), flush=True)
    second = [
        f"| network | trained by | {' | '.join(f'{share:.0%}' for share in WITHIN)} |",
        "|---|---|---:|---:|---:|",
    ]
    shown, middles = [], {}
    for problem in problems():
        found = []
        for seed in range(options.starts):
            watches = trained(problem, seed, options.limit)
            least = min(watch.least for watch in watches.values())
            found.append(with_best_rates(watches, least))
        shown.append((problem, found[0]))
        middles[problem.name] = medians(found)
        for name, times in middles[problem.name].items():
            cells = [in_units(time) if np.isfinite(time) else "—" for time in times]
            second.append(f"| {problem.name} | {name} | {' | '.join(cells)} |")
            print(second[-1], flush=True)
    print(ahead(middles), flush=True)
    if options.write:
        draw(shown)
        about = SECONDS.format(
            limit=options.limit,
            starts=options.starts,
            rates=", ".join(map(str, RATES)),
        )
        stamp = results.stamp(Path(__file__).name, VERSIONS)
        tables = ["\n".join(lines) + "\n" for lines in (first, second)]
        parts = [INTRO, stamp, PASSES, tables[0], verdict(comparisons), about, tables[1]]
        PAGE.write_text("\n".join([*parts, ahead(middles)]))


if __name__ == "__main__":
    main()
