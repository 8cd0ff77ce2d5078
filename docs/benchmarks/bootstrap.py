"""Times of the bootstrap as multiples of a fit: the least of several runs, in processor seconds.

Run ``python docs/benchmarks/bootstrap.py`` from the repository for the table on the terminal, and
with ``--write`` to put it into bootstrap.md. Refits of resampled rows are timed for a few draws,
and multiplied.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import results
from sklearn.utils import resample
from tables import markdown
from timing import in_units

from mcmodels import LinearRegression, LogisticRegression, bootstrap

PAGE = Path(__file__).parent / "bootstrap.md"
VERSIONS = ("mcmodels", "numpy", "scipy", "scikit-learn")
DRAWS, REFITS = 10_000, 5
# (kind, rows, columns, draws that are fully iterated in a timed run)
PROBLEMS = (
    ("linear", 1_000, 10, 2_000),
    ("linear", 100_000, 20, 80),
    ("logistic", 1_000, 10, 500),
    ("logistic", 10_000, 20, 100),
    ("logistic", 100_000, 20, 40),
    ("logistic", 1_000_000, 20, 0),
)

INTRO = f"""# The bootstrap: how long 10,000 draws take

Fits and bootstraps of float64 rows, in processor time (of all threads): the least of {{repeats}}
runs that were interleaved. The times of 10,000 draws are multiples of that of the fit. Refits are
`clone(model).fit(*sklearn.utils.resample(X, y))`, {REFITS} of them, times {DRAWS // REFITS:,};
draws that are fully iterated (`steps="converged"`) are some of 10,000, multiplied likewise.
"""


def problem(kind, n, p):
    """A model and its rows."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, p))
    eta = X[:, :3].sum(axis=1)
    if kind == "linear":
        return LinearRegression, X, eta + rng.normal(size=n)
    return lambda: LogisticRegression(C=np.inf), X, (eta + rng.logistic(size=n) > 0).astype(int)


def runs(kind, n, p, some):
    """What is timed, by name, with the number that each time is multiplied by."""
    new, X, y = problem(kind, n, p)
    model = new().fit(X, y)

    def refits():
        for seed in range(REFITS):
            new().fit(*resample(X, y, random_state=seed))

    found = {
        "fit": (lambda: new().fit(X, y), 1.0),
        "one step, Bayesian": (lambda: bootstrap(model, X, y, random_state=0), 1.0),
        "one step, multipliers": (
            lambda: bootstrap(model, X, y, kind="multiplier", random_state=0),
            1.0,
        ),
        "refits of resampled rows": (refits, DRAWS / REFITS),
    }
    if some:
        options = {"draws": some, "steps": "converged", "random_state": 0}
        found["converged, Bayesian"] = (lambda: bootstrap(model, X, y, **options), DRAWS / some)
    return found


def main():
    """Print the least time of each as a multiple of the fit, and write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    columns = (
        "one step, Bayesian",
        "one step, multipliers",
        "converged, Bayesian",
        "refits of resampled rows",
    )
    rows = []
    for kind, n, p, some in PROBLEMS:
        named = runs(kind, n, p, some)
        least = dict.fromkeys(named, np.inf)
        for _ in range(options.repeats):
            for name, (run, factor) in named.items():
                start = time.process_time()
                run()
                least[name] = min(least[name], factor * (time.process_time() - start))
        unit = least["fit"]
        times = [f"{least[name] / unit:,.1f}" if name in least else "–" for name in columns]
        rows.append([kind, f"{n:,}×{p}", in_units(unit), *times])
        print(rows[-1], flush=True)
    intro = INTRO.format(repeats=options.repeats)
    text = f"{intro}\n{markdown(['model', 'rows', 'fit', *columns], rows)}\n"
    print(text)
    if options.write:
        PAGE.write_text(f"{text}\n{results.stamp(Path(__file__).name, VERSIONS)}\n")


if __name__ == "__main__":
    main()
