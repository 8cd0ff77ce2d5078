"""Times of leave-one-out beside a fit: medians of interleaved runs.

Run ``python docs/benchmarks/leave_one_out.py`` from the repository for the table on the terminal,
and with ``--write`` to put it into leave_one_out.md. Times are of the processor, all threads
together.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import results
from tables import markdown
from timing import in_units

from mcmodels import LinearRegression, LogisticRegression, leave_one_out

PAGE = Path(__file__).parent / "leave_one_out.md"
VERSIONS = ("mcmodels", "numpy", "scipy", "scikit-learn")

INTRO = """# Leave-one-out: how long it takes

Of a fit that is there, with its sum and its log scores, beside the time of the fit; float64,
medians of {repeats} runs that were interleaved, one untimed warm-up each. Times are of the
processor, all threads together. To reach: one step at 1,000,000×20 within 3 times the fit.
"""
SHAPES = ((1_000_000, 20), (100_000, 50), (20_000, 20), (1_000, 10))
# What is left out of shapes in which it would take minutes.
MOST_ROWS = {"exact": 5_000, "second-order": 200_000}


def problems(n, p):
    """Models, with their rows and what is timed beside the fit, by name."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, p))
    eta = X @ rng.normal(size=p) / np.sqrt(p)
    number, label = eta + rng.normal(size=n), (eta + rng.logistic(size=n) > 0).astype(int)
    yield "linear", LinearRegression(), X, number, {"one step": "newton"}
    methods = {"one step": "newton", "second order": "second-order", "exact": "exact"}
    allowed = {
        name: method for name, method in methods.items() if n <= MOST_ROWS.get(method, 10**9)
    }
    yield "logistic", LogisticRegression(), X, label, allowed


def timed(runs, repeats):
    """Median seconds of the processor of each run, interleaved."""
    seconds = {name: [] for name in runs}
    for repeat in range(repeats + 1):
        for name, run in runs.items():
            start = time.process_time()
            run()
            if repeat:  # the first is a warm-up
                seconds[name].append(time.process_time() - start)
    return {name: statistics.median(found) for name, found in seconds.items()}


def main():
    """Print the median of each, beside the fit, and write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    rows = []
    for n, p in SHAPES:
        for name, model, X, y, methods in problems(n, p):
            runs = {"fit": lambda m=model, X=X, y=y: m.fit(X, y)} | {
                what: lambda m=model, X=X, y=y, method=method: (
                    leave_one_out(m, X, y, method=method).log_score_
                )
                for what, method in methods.items()
            }
            medians = timed(runs, options.repeats)
            for what, found in medians.items():
                ratio = f"{found / medians['fit']:.1f}"
                rows.append([name, f"{n:,} × {p}", what, in_units(found), ratio])
    table = markdown(["fit", "n × p", "what", "time", "times the fit"], rows)
    text = f"{INTRO.format(repeats=options.repeats)}\n{table}\n"
    print(text)
    if options.write:
        PAGE.write_text(f"{text}\n{results.stamp(Path(__file__).name, VERSIONS)}\n")


if __name__ == "__main__":
    main()
