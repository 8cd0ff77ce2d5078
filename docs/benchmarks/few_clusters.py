"""Times of few-cluster inference beside a product of the rows: medians of interleaved runs.

Run ``python docs/benchmarks/few_clusters.py`` from the repository; wildboottest is compared with
where it is installed, and statsmodels with HAC.
"""

import argparse
import statistics
import time

import numpy as np
import statsmodels.api as sm

from mcmodels import LinearRegression


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
    """Print the median of each, in milliseconds, and beside the product."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--clusters", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    named = runs(*problem(options.rows, options.columns, options.clusters))
    seconds = {name: [] for name in named}
    for repeat in range(options.repeats + 1):
        for name, run in named.items():
            start = time.perf_counter()
            run()
            if repeat:  # the first is a warm-up
                seconds[name].append(time.perf_counter() - start)
    unit = statistics.median(seconds["X.T @ X"])
    for name, times in seconds.items():
        median = statistics.median(times)
        print(f"{name:<36} {1e3 * median:9.1f} ms  {median / unit:8.1f} × X.T @ X")


if __name__ == "__main__":
    main()
