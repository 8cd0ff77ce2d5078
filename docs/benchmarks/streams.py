"""Rows that come in parts: fits to streams and partial_fit, as multiples of ``X.T @ X``.

``python docs/benchmarks/streams.py [--repeats R] [--rows N] [--columns P]`` prints a Markdown table
of medians; ``--write`` writes streams.md. In each round every fit is timed once, between two
products ``X.T @ X`` of the whole array. Beside it is what scikit-learn has for parts:
``SGDRegressor`` and ``SGDClassifier``, one epoch, which do not minimise anything in one pass; the
last column says how far they are from it.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from results import HERE, stamp
from sklearn.linear_model import SGDClassifier, SGDRegressor
from tables import markdown

from mcmodels import LinearRegression, LogisticRegression, RowStream

SIZES = (1_000, 10_000, 100_000)


def problem(n: int, p: int) -> tuple[Any, Any, Any]:
    """Columns of standard deviation one about zero, a target, and two classes."""
    rng = np.random.default_rng(0)
    X, beta = rng.standard_normal((n, p)), rng.standard_normal(p)
    eta = X @ beta
    return X, eta + rng.standard_normal(n), (rng.random(n) < 1 / (1 + np.exp(-eta / 3))).astype(int)


def parts(X: Any, y: Any, size: int) -> Iterator[tuple[Any, Any]]:
    """Blocks of so many rows."""
    for start in range(0, len(X), size):
        yield X[start : start + size], y[start : start + size]


def added(model: Any, X: Any, y: Any, size: int, **options: Any) -> Any:
    """The model after ``partial_fit`` of each block."""
    for block in parts(X, y, size):
        model.partial_fit(*block, **options)
    return model


def fits(X: Any, y: Any, labels: Any) -> dict[str, Callable[[int], Any]]:
    """What is timed, by name, for a size of blocks."""
    return {
        "LinearRegression, stream": lambda size: LinearRegression().fit(
            RowStream(lambda: parts(X, y, size))
        ),
        "LinearRegression, partial_fit": lambda size: added(LinearRegression(), X, y, size),
        "SGDRegressor, partial_fit": lambda size: added(SGDRegressor(), X, y, size),
        "LogisticRegression, stream": lambda size: LogisticRegression().fit(
            RowStream(lambda: parts(X, labels, size))
        ),
        "SGDClassifier, partial_fit": lambda size: added(
            SGDClassifier(loss="log_loss"), X, labels, size, classes=[0, 1]
        ),
    }


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """How long a call takes, and what it returns."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


PAGE = """# Rows in parts

Fits to a stream of blocks, and `partial_fit` of each block, as multiples of `X.T @ X` of the whole
array in the same run: {shape}. The error is the largest
difference of a coefficient from that of a fit to the whole array, relative to the largest
coefficient. What scikit-learn has for parts makes one epoch of stochastic gradient steps.

A stream in small blocks is gathered into larger ones; a second thread sums these while the caller
reads on. The walk of a linear fit is its survey, too. A logistic fit takes four walks.

After each call of `partial_fit` the model is fitted. With blocks of 1,000 rows of 30 columns, a
third of a call is the reflections that add the rows to the triangular factor, and a tenth their
copy by column. The rest is some hundred small steps: the checks, the solution, its rank, the record
of the fit. The intercept is summed in float64 there, where that leaves an error of less than 1e-13
of it; else exactly. A fit that waits until somebody reads it would save a sixth, but its errors and
warnings would come too late. Tried in vain: other routines for the reflections (recursive ones,
ones over all columns at once), whitened rows in their place, and copies in smaller parts. The Gram
matrix of a block and its Cholesky factor would take 0.03 ms of 0.35 less, and serve
well-conditioned blocks alone.

{table}

{stamp}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--write", action="store_true", help="write streams.md")
    given = parser.parse_args()
    X, y, labels = problem(given.rows, given.columns)
    best = {
        "Li": LinearRegression().fit(X, y),
        "SGDR": LinearRegression().fit(X, y),
        "Lo": LogisticRegression().fit(X, labels),
        "SGDC": LogisticRegression().fit(X, labels),
    }
    rows = []
    for name, fit in fits(X, y, labels).items():
        ratios, error = [], 0.0
        for size in SIZES:
            fit(size)
            found = []
            for _ in range(given.repeats):
                before, _ = seconds(lambda: X.T @ X)
                took, model = seconds(lambda: fit(size))  # noqa: B023
                after, _ = seconds(lambda: X.T @ X)
                found.append(took / ((before + after) / 2))
            ratios.append(statistics.median(found))
            (exact,) = (m for start, m in best.items() if name.startswith(start))
            away = np.abs(model.coef_ - exact.coef_).max() / np.abs(exact.coef_).max()
            error = max(error, float(away))
        rows.append([name, *(f"{ratio:.1f}" for ratio in ratios), f"{error:.0e}"])
        print("|", " | ".join(rows[-1]), "|", flush=True)
    header = ["fit", *(f"blocks of {size:,}" for size in SIZES), "error"]
    shape = f"{given.rows:,} rows of {given.columns} columns, medians of {given.repeats} runs"
    made = stamp("streams.py", ("numpy", "scipy", "scikit-learn"))
    page = PAGE.format(shape=shape, table=markdown(header, rows), stamp=made)
    print(page)
    if given.write:
        (HERE / "streams.md").write_text(page)


if __name__ == "__main__":
    main()
