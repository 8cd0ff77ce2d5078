"""Penalties chosen by a criterion: time against one fit and against cross-validation, and losses.

Run ``python docs/benchmarks/tuning.py`` from the repository for the tables on the terminal, and
with ``--write`` to put them into tuning.md. Times are those of the processor, the least of runs
that were interleaved: a machine that does other things changes them least.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import results
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.preprocessing import StandardScaler
from tables import markdown
from timing import in_units

from mcmodels import GeneralizedLinearRegressor, LogisticRegression

PAGE = Path(__file__).parent / "tuning.md"
VERSIONS = ("mcmodels", "numpy", "scipy", "scikit-learn")
SIZES = (
    (200, 10, 2),
    (500, 20, 2),
    (2_000, 20, 2),
    (20_000, 20, 2),
    (100_000, 50, 2),
    (20_000, 200, 2),
    (20_000, 20, 4),
)
CV = {"l1_ratios": (0,), "use_legacy_attributes": False, "scoring": "neg_log_loss"}
SPLITS = 10

INTRO = """# Penalties chosen by a criterion: how long it takes, and what it is worth

Processor time, the least of {repeats} interleaved runs. `C="loo"` and its like
([tuning](../tuning.md)) as multiples of one fit with the number that was chosen:

"""
CROSS_VALIDATION = """
Against `LogisticRegressionCV(Cs=10, cv=5)`, {n:,} rows of {p} columns; the loss is the mean
cross-entropy of as many new rows:

"""
RIDGE = """
`GeneralizedLinearRegressor(alpha="loo")` against `RidgeCV` with 25 penalties, which has the same
criterion in closed form:

"""
MANY = """
Forty penalties at once, one for each five of {p} columns, {n:,} rows, as multiples of one fit:

"""
LOSSES = """
The mean cross-entropy of test rows, less that of `LogisticRegressionCV(Cs=10, cv=5)` with its own
criterion: the mean of {splits} splits in halves, and its standard error. Negative is better.

"""


def of_classes(n: int, p: int, K: int, seed: int = 0, scale: float = 1.0) -> tuple[Any, Any]:
    """Rows of K classes."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    eta = scale * X @ rng.standard_normal((p, K)) / np.sqrt(p)
    return X, np.argmax(eta + rng.gumbel(size=(n, K)), axis=1)


def least(runs: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """The least processor time of each of some runs, interleaved after a warm-up."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in range(repeats + 1):
        for name, run in runs.items():
            start = time.process_time()
            run()
            if repeat:
                found[name].append(time.process_time() - start)
    return {name: min(times) for name, times in found.items()}


def fits(repeats: int) -> str:
    """The table of multiples of one fit."""
    rows = []
    for n, p, K in SIZES:
        X, y = of_classes(n, p, K)
        C = LogisticRegression(C="loo").fit(X, y).C_
        runs = {"one": lambda C=C, X=X, y=y: LogisticRegression(C=C).fit(X, y)} | {
            name: lambda name=name, X=X, y=y: LogisticRegression(C=name).fit(X, y)
            for name in ("loo", "evidence", "aic")
        }
        times = least(runs, repeats)
        multiples = [f"{times[name] / times['one']:.1f}" for name in ("loo", "evidence", "aic")]
        rows.append([f"{n:,} × {p}, {K} classes", in_units(times["one"]), *multiples])
        print(rows[-1], flush=True)
    return markdown(["rows", "one fit", '`"loo"`', '`"evidence"`', '`"aic"`'], rows)


def cross_validation(n: int, p: int, repeats: int) -> str:
    """The table against cross-validation in many rows."""
    X, y = of_classes(2 * n, p, 2)
    X, X_new, y, y_new = X[:n], X[n:], y[:n], y[n:]
    models = {
        '`C="loo"`': LogisticRegression(C="loo"),
        "`LogisticRegressionCV`": LogisticRegressionCV(Cs=10, cv=5, **CV),
    }
    times = least({name: lambda m=model: m.fit(X, y) for name, model in models.items()}, repeats)
    first = min(times.values())
    rows = [
        [name, in_units(times[name]), f"{times[name] / first:.1f}", f"{loss(m, X_new, y_new):.6f}"]
        for name, m in models.items()
    ]
    return markdown(["", "time", "times as long", "loss of new rows"], rows)


def loss(model: Any, X: Any, y: Any) -> float:
    """The mean cross-entropy."""
    return float(-np.log(model.predict_proba(X)[np.arange(len(y)), y]).mean())


def ridge(repeats: int) -> str:
    """The table of normal targets."""
    rows = []
    for n, p in ((500, 20), (5_000, 100), (100_000, 50)):
        rng = np.random.default_rng(0)
        X = rng.standard_normal((n, p))
        y = X @ rng.standard_normal(p) / np.sqrt(p) + rng.standard_normal(n)
        ours, theirs = GeneralizedLinearRegressor(alpha="loo"), RidgeCV(np.logspace(-4, 8, 25))
        runs = {
            "ours": lambda m=ours, X=X, y=y: m.fit(X, y),
            "theirs": lambda m=theirs, X=X, y=y: m.fit(X, y),
        }
        times = least(runs, repeats)
        better = -theirs.best_score_ * n / 2 - ours.criterion_
        ratio = times["theirs"] / times["ours"]
        rows.append([f"{n:,} × {p}", in_units(times["ours"]), f"{ratio:.1f}", f"{better:.2g}"])
        print(rows[-1], flush=True)
    heads = ["rows", 'alpha="loo"', "RidgeCV, times as long", "its criterion is larger by"]
    return markdown(heads, rows)


def many(n: int, p: int, repeats: int) -> str:
    """The table of forty penalties."""
    X, y = of_classes(n, p, 2)
    groups = {f"g{k}": range(5 * k, 5 * k + 5) for k in range(p // 5)}
    runs: dict[str, Callable[[], Any]] = {"one": lambda: LogisticRegression().fit(X, y)}
    for name in ("loo", "evidence", "aic"):
        model = LogisticRegression(C=name, penalty_groups=groups)
        runs[name] = lambda model=model: model.fit(X, y)
    times = least(runs, repeats)
    multiples = [f"{times[name] / times['one']:.1f}" for name in ("loo", "evidence", "aic")]
    return markdown(
        ["one fit", '`"loo"`', '`"evidence"`', '`"aic"`'], [[in_units(times["one"]), *multiples]]
    )


def data_sets() -> dict[str, tuple[Any, Any]]:
    """Four that come with scikit-learn, and six random ones."""
    loaders = (load_breast_cancer, load_iris, load_wine, load_digits)
    found = {load.__name__.removeprefix("load_"): load(return_X_y=True) for load in loaders}
    sizes = ((200, 10, 2), (200, 50, 2), (1000, 30, 2), (300, 8, 3), (2000, 100, 2), (400, 200, 2))
    for k, (n, p, K) in enumerate(sizes):
        scale = (0.5, 2.0, 5.0)[k % 3]
        found[f"{n} × {p}, {K} classes, signal {scale:g}"] = of_classes(n, p, K, k, scale)
    return found


def losses(splits: int) -> str:
    """The table of losses of test rows."""
    rows, criteria = [], ("loo", "evidence", "aic")
    for name, (X, y) in data_sets().items():
        differences = []
        for train, test in StratifiedShuffleSplit(splits, test_size=0.5, random_state=0).split(
            X, y
        ):
            scaler = StandardScaler().fit(X[train])
            A, B = scaler.transform(X[train]), scaler.transform(X[test])
            theirs = LogisticRegressionCV(Cs=10, cv=5, max_iter=1000, **CV).fit(A, y[train])
            reference = loss(theirs, B, y[test])
            ours = [LogisticRegression(C=c).fit(A, y[train]) for c in criteria]
            differences.append([loss(model, B, y[test]) - reference for model in ours])
        mean = np.mean(differences, axis=0)
        error = np.std(differences, axis=0, ddof=1) / np.sqrt(splits)
        cells = [f"{m:+.4f} ± {e:.4f}" for m, e in zip(mean, error, strict=True)]
        rows.append([name.replace("_", " "), *cells])
        print(rows[-1], flush=True)
    return markdown(["data", '`"loo"`', '`"evidence"`', '`"aic"`'], rows)


def main() -> None:
    """Measure, print, and write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--splits", type=int, default=SPLITS)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of penalties at bounds, of L-BFGS
    repeats = options.repeats
    text = INTRO.format(repeats=repeats) + fits(repeats)
    text += CROSS_VALIDATION.format(n=100_000, p=50) + cross_validation(100_000, 50, 2)
    text += RIDGE + ridge(repeats)
    text += MANY.format(n=20_000, p=200) + many(20_000, 200, min(repeats, 3))
    text += LOSSES.format(splits=options.splits) + losses(options.splits)
    text += f"\n{results.stamp(Path(__file__).name, VERSIONS)}\n"
    print(text)
    if options.write:
        PAGE.write_text(text)


if __name__ == "__main__":
    main()
