"""Generalized linear models against scikit-learn, glum and statsmodels: time, gradient, agreement.

Run ``python docs/benchmarks/glm.py`` for the tables on the terminal, and with ``--write`` to put
them into glm.md. Peers that are not installed are left out; ``pip install 'mcmodels[bench]'``
installs them.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import results
from scipy import sparse
from tables import markdown
from timing import Patience, in_units, interleave

from mcmodels import GeneralizedLinearRegressor, LogisticRegression, scan

PAGE = Path(__file__).parent / "glm.md"
VERSIONS = ("mcmodels", "numpy", "scipy", "scikit-learn", "glum", "statsmodels")
OURS = "mcmodels"
SCAN = "mcmodels by scan"
NAMES = (OURS, "glum", "sklearn newton-cholesky", "sklearn lbfgs", "statsmodels")

INTRO = """# Generalized linear models: how long a fit takes

Fits with an intercept and no penalty to {n:,} rows of {p} columns, float64; medians of runs that
were interleaved, one untimed warm-up each. In brackets is the largest entry of the gradient of the
mean half deviance at what was found. Peers were asked for 1e-9. Fits of `mcmodels` end with the
exact Hessian, Pearson's sum, the deviance and the log-likelihood.
"""

INDEPENDENT = """
A fit reads the rows about nine times: six gradients, with a Hessian from an eighth of the rows, one
Hessian of all rows, which takes as long as three gradients, and sums. Where columns are
independent, L-BFGS needs seven to nine steps, each of which reads the rows twice; in the next table
about a hundred. By count of passes, a larger first sample or a second Hessian half-way would take
as long as what is done.
"""

CATEGORICALS = """
## Categorical columns

{n:,} rows, {p} columns: {levels} levels of four categorical columns, but the first of each, and
{numeric} numeric ones. Peers take the sparse matrix, glum the data frame, whose categories its
tabmat matrices keep as codes; `scan` is ours of the same data frame, levels and all. statsmodels
takes no sparse matrix, and is left out: the dense one would take {dense:.1f} GB, and each step
several of its size. In brackets the largest entry of the gradient, as above.

"""
LEVELS = {"region": 150, "brand": 90, "trade": 40, "month": 12}

PROFILES = """
## Profile intervals

Of all {p} coefficients and the intercept, {n:,} rows: multiples of the time of one fit.

"""


def problem(n: int, p: int, *, hard: bool) -> tuple[np.ndarray, np.ndarray]:
    """Columns, and the linear predictor; the hard ones are correlated and far from zero."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    beta = rng.standard_normal(p) / np.sqrt(4 * p)
    eta = X @ beta
    if hard:
        X = 100.0 + X + 5.0 * rng.standard_normal((n, 1))
        eta = (X - X.mean(axis=0)) @ beta / 5.0
        eta *= 0.5 / eta.std()
    return X, eta


def targets(eta: np.ndarray) -> dict[str, np.ndarray]:
    """Targets of each family."""
    rng, mu = np.random.default_rng(1), np.exp(eta)
    n = eta.size
    return {
        "poisson": rng.poisson(mu).astype(float),
        "gamma": mu * rng.gamma(2.0, 0.5, n),
        "binomial": (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float),
        "negative_binomial": rng.poisson(mu * rng.gamma(1.0, 1.0, n)).astype(float),
    }


def runs_of(family: str, X: np.ndarray, y: np.ndarray) -> dict[str, Callable[[], Any]]:
    """Who fits the family."""
    import sklearn.linear_model as theirs

    runs: dict[str, Callable[[], Any]] = {
        OURS: lambda: GeneralizedLinearRegressor(family).fit(X, y)
    }
    kinds = {"poisson": "PoissonRegressor", "gamma": "GammaRegressor"}
    if family in kinds:
        kind = getattr(theirs, kinds[family])
        for solver in ("newton-cholesky", "lbfgs"):
            runs[f"sklearn {solver}"] = lambda solver=solver: kind(
                alpha=0.0, solver=solver, tol=1e-9, max_iter=1000
            ).fit(X, y)
    elif family == "binomial":
        for solver in ("newton-cholesky", "lbfgs"):
            runs[f"sklearn {solver}"] = lambda solver=solver: theirs.LogisticRegression(
                C=np.inf, solver=solver, tol=1e-9, max_iter=1000
            ).fit(X, y)
    try:
        import glum

        name = family.replace("_", ".")
        runs["glum"] = lambda: glum.GeneralizedLinearRegressor(
            family=name, alpha=0.0, gradient_tol=1e-9, max_iter=100
        ).fit(X, y)
    except ImportError:
        pass
    try:
        import statsmodels.api as sm

        kinds_of_statsmodels = {
            "poisson": sm.families.Poisson,
            "gamma": lambda: sm.families.Gamma(sm.families.links.Log()),
            "binomial": sm.families.Binomial,
            "negative_binomial": lambda: sm.families.NegativeBinomial(alpha=1.0),
        }

        def by_statsmodels() -> Any:
            design = np.column_stack([X, np.ones(len(X))])
            return sm.GLM(y, design, family=kinds_of_statsmodels[family]()).fit(tol=1e-12)

        runs["statsmodels"] = by_statsmodels
    except ImportError:
        pass
    return runs


def with_categoricals(n: int) -> tuple[pd.DataFrame, sparse.csr_array, np.ndarray]:
    """The data frame, its columns of zeros and ones, and the linear predictor."""
    rng = np.random.default_rng(2)
    numeric = pd.DataFrame(rng.standard_normal((n, 12)), columns=[f"x{j}" for j in range(12)])
    parts, frame = [sparse.csr_array(numeric.to_numpy())], numeric
    for name, k in LEVELS.items():
        shares = np.arange(1, k + 1) ** -0.5
        codes = rng.choice(k, n, p=shares / shares.sum())
        codes[:k] = np.arange(k)  # each level has a row
        names = [f"{name}{j:03d}" for j in range(k)]
        frame[name] = pd.Categorical.from_codes(codes, categories=names)
        one_hot = sparse.csr_array((np.ones(n), codes, np.arange(n + 1)), shape=(n, k))
        parts.append(one_hot[:, 1:])
    X = sparse.csr_array(sparse.hstack(parts))
    eta = X @ (0.2 * rng.standard_normal(X.shape[1]))
    return frame, X, eta - eta.mean()


def runs_of_categoricals(
    family: str, frame: pd.DataFrame, X: sparse.csr_array, y: np.ndarray
) -> dict[str, Callable[[], Any]]:
    """Who fits the family to columns with levels."""
    runs = {name: run for name, run in runs_of(family, X, y).items() if name != "statsmodels"}
    table, features = frame.assign(y=y), list(frame.columns)

    def by_scan() -> Any:
        rows = scan(table, target="y", features=features, categorical=list(LEVELS))
        return GeneralizedLinearRegressor(family).fit(rows)

    runs[SCAN] = by_scan
    if "glum" in runs:
        import glum

        runs["glum"] = lambda: glum.GeneralizedLinearRegressor(
            family=family.replace("_", "."),
            alpha=0.0,
            gradient_tol=1e-9,
            max_iter=100,
            drop_first=True,
        ).fit(frame, y)
    return runs


def parameters(model: Any, p: int) -> np.ndarray:
    """Coefficients, then the intercept."""
    if hasattr(model, "coef_"):
        return np.append(np.ravel(model.coef_), np.ravel(model.intercept_))
    return np.asarray(model.params)


def fits(n: int, p: int, repeats: int, *, hard: bool) -> str:
    """The table of one kind of columns."""
    X, eta = problem(n, p, hard=hard)
    return compared(X, targets(eta), lambda family, y: runs_of(family, X, y), repeats, NAMES)


def fits_of_categoricals(n: int, repeats: int) -> str:
    """The text and the table of columns with levels."""
    frame, X, eta = with_categoricals(n)

    def runs(family: str, y: np.ndarray) -> dict[str, Callable[[], Any]]:
        return runs_of_categoricals(family, frame, X, y)

    p, names = X.shape[1], (OURS, SCAN, *NAMES[1:-1])
    intro = CATEGORICALS.format(
        n=n, p=p, levels=sum(LEVELS.values()), numeric=12, dense=8e-9 * n * p
    )
    return intro + compared(X, targets(eta), runs, repeats, names)


def compared(
    X: Any,
    by_family: dict[str, np.ndarray],
    runs_for: Callable[[str, np.ndarray], dict[str, Callable[[], Any]]],
    repeats: int,
    names: tuple[str, ...],
) -> str:
    """A table of times and gradients, a row for each family."""
    n, p = X.shape
    rows = []
    for family, y in by_family.items():
        runs = runs_for(family, y)
        reads = {name: lambda model: parameters(model, p) for name in runs}
        timings = interleave(runs, reads, Patience(repeats=repeats))
        judge = GeneralizedLinearRegressor(family).fit(X, y)
        cells = []
        for name in names:
            if name not in timings or timings[name].error:
                cells.append("—" if name not in timings else timings[name].error)
                continue
            left = np.abs(judge.gradient(X, y, timings[name].result)).max() / n
            ratio = timings[name].median / timings[OURS].median
            time = in_units(timings[name].median) if name == OURS else f"{ratio:.1f}"
            cells.append(f"{time} ({left:.0e})")
        rows.append([family.replace("_", " "), *cells])
        print(rows[-1], flush=True)
    heads = ["family", OURS, *(f"{name}, times as long" for name in names[1:])]
    return markdown(heads, rows)


def profiles(n: int, p: int, repeats: int) -> str:
    """The table of profile intervals."""
    X, eta = problem(n, p, hard=False)
    rows = []
    for family, y in targets(eta).items():
        if family == "binomial":
            model: Any = LogisticRegression(C=np.inf)
        else:
            model = GeneralizedLinearRegressor(family)
        model.fit(X, y)
        runs = {
            "fit": lambda model=model, y=y: model.fit(X, y),
            "profiles": lambda model=model, y=y: model.profile_intervals(X, y),
            "tests": lambda model=model, y=y: model.likelihood_ratio_tests(X, y),
        }
        timings = interleave(runs, {name: lambda _: None for name in runs}, Patience(repeats))
        fit = timings["fit"].median
        shares = [f"{timings[name].median / fit:.0f}" for name in ("profiles", "tests")]
        rows.append([type(model).__name__, family.replace("_", " "), in_units(fit), *shares])
        print(rows[-1], flush=True)
    return markdown(["model", "family", "fit", "profile intervals", "likelihood-ratio tests"], rows)


def main() -> None:
    """Measure, print, and write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rows", type=int, default=600_000)
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    n, p = options.rows, options.columns
    text = INTRO.format(n=n, p=p)
    for hard in (False, True):
        title = "Correlated columns far from zero" if hard else "Independent columns"
        text += f"\n## {title}\n\n{fits(n, p, options.repeats, hard=hard)}\n"
        text += "" if hard else INDEPENDENT
    text += fits_of_categoricals(n, options.repeats) + "\n"
    text += PROFILES.format(n=100_000, p=20) + profiles(100_000, 20, options.repeats) + "\n"
    print(text)
    if options.write:
        PAGE.write_text(f"{text}\n{results.stamp(Path(__file__).name, VERSIONS)}\n")


if __name__ == "__main__":
    main()
