"""Times of few-cluster inference beside a product of the rows: medians of interleaved runs.

Run ``python docs/benchmarks/few_clusters.py`` from the repository for the table on the terminal,
and with ``--write`` to put it into few_clusters.md. wildboottest is compared with where it is
installed, and statsmodels with HAC.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import results
import statsmodels.api as sm
from tables import markdown
from timing import in_units

from mcmodels import LinearRegression

PAGE = Path(__file__).parent / "few_clusters.md"
VERSIONS = ("mcmodels", "numpy", "scipy", "statsmodels", "wildboottest")

INTRO = """# Few clusters, serial correlation, outliers: how long they take

Linear fits to {n:,} rows of {p} columns in {clusters} unequal clusters, float64; medians of
{repeats} runs that were interleaved, one untimed warm-up each. The last column is the time as a
multiple of that of the product `X.T @ X` of the same rows. Methods take the rows of a model that
was fitted before; statsmodels fits, too.
"""


def problem(n, p, n_clusters):
    """Rows in unequal clusters."""
    rng = np.random.default_rng(0)
    shares = np.arange(1, n_clusters + 1) / (n_clusters * (n_clusters + 1) / 2)
    groups = np.sort(rng.choice(n_clusters, n, p=shares))
    X = rng.normal(size=(n, p)) + rng.normal(size=(n_clusters, p))[groups]
    y = X @ np.ones(p) + rng.normal(size=n_clusters)[groups] + rng.normal(size=n)
    return X, y, groups


def runs(X, y, groups):
    """What is timed, by name."""
    model = LinearRegression().fit(X, y)
    A = np.column_stack([X, np.ones(len(X))])
    lags = {"maxlags": 20}
    found = {
        "X.T @ X": lambda: X.T @ X,
        "fit": lambda: LinearRegression().fit(X, y),
        "cluster": lambda: model.covariance(X, y, kind="cluster", groups=groups),
        "CR2": lambda: model.summary(X, y, kind="CR2", groups=groups),
        "wild bootstrap, 9999 draws": lambda: model.wild_bootstrap_test(
            "x0", X, y, groups=groups, random_state=0
        ),
        "HAC, 20 lags": lambda: model.covariance(X, y, kind="HAC", max_lags=20),
        "HAC, 500 lags": lambda: model.covariance(X, y, kind="HAC", max_lags=500),
        "outlier_test": lambda: model.outlier_test(X, y),
        "statsmodels: fit and HAC, 20 lags": lambda: sm.OLS(y, A).fit(
            cov_type="HAC", cov_kwds=lags
        ),
    }
    try:
        from wildboottest.wildboottest import wildboottest
    except ImportError:
        return found
    found["wildboottest, 9999 draws"] = lambda: wildboottest(
        sm.OLS(y, A), param="x1", cluster=groups, B=9999
    )
    return found


def main():
    """Print the median of each, beside the product, and write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--clusters", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    n, p = options.rows, options.columns
    named = runs(*problem(n, p, options.clusters))
    seconds = {name: [] for name in named}
    for repeat in range(options.repeats + 1):
        for name, run in named.items():
            start = time.perf_counter()
            run()
            if repeat:  # the first is a warm-up
                seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    unit = medians["X.T @ X"]
    rows = [[name, in_units(found), f"{found / unit:.1f}"] for name, found in medians.items()]
    intro = INTRO.format(n=n, p=p, clusters=options.clusters, repeats=options.repeats)
    text = f"{intro}\n{markdown(['what', 'time', 'times `X.T @ X`'], rows)}\n"
    print(text)
    if options.write:
        PAGE.write_text(f"{text}\n{results.stamp(Path(__file__).name, VERSIONS)}\n")


if __name__ == "__main__":
    main()
