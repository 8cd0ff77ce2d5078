"""ObjectiveRegressor and ObjectiveClassifier against the built-in models and peers.

Run ``python docs/benchmarks/own_objectives.py`` for the table on the terminal, and with ``--write``
to put it into own_objectives.md. Peers that are not installed are left out; ``pip install
'mcmodels[bench]'`` installs them.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import results
from timing import Patience, in_units, interleave

from mcmodels import LinearRegression, LogisticRegression, ObjectiveClassifier, ObjectiveRegressor

PAGE = Path(__file__).parent / "own_objectives.md"
VERSIONS = ("mcmodels", "numpy", "scipy", "scikit-learn", "glum", "statsmodels")
EXPRESSION, FUNCTION, BUILT_IN = "expression", "NumPy function", "built-in"

INTRO = """# Your own loss: how long it takes

Time of a fit with an intercept and no penalty, {n:,}×{p} standard normal columns, float64; medians
of runs that were interleaved (round robin, the order rotated each round, one untimed warm-up each).
*Built-in* is `LinearRegression` and `LogisticRegression(C=inf)`. All coefficients were compared
with those by the expression before they were timed: to 1e-6 of the largest, the peers' own
tolerances being 1e-8. Every fit of `mcmodels` ends with the exact Hessian; the peers' with none.
"""

REMARKS = """## What was aimed at

Twice the time of the built-in model at 400,000×50. A quadratic loss is recognised by its second
derivative: one pass for the Hessian, one for the gradient at the solution; the built-in model needs
one pass in all.
"""


def squared(y: Any, eta: Any) -> Any:
    return (y - eta) ** 2


def cross_entropy(y: Any, eta: Any) -> Any:
    return np.logaddexp(0.0, eta) - y * eta


def poisson(y: Any, eta: Any) -> Any:
    return np.exp(eta) - y * eta


def runs_of(n: int, p: int) -> dict[str, dict[str, Callable[[], Any]]]:
    """For each loss, who fits it."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    eta = X @ (rng.standard_normal(p) / np.sqrt(p))
    target = eta + rng.standard_normal(n)
    label = (eta + rng.logistic(size=n) > 0).astype(int)
    counts = rng.poisson(np.exp(0.5 * eta))
    tables: dict[str, dict[str, Callable[[], Any]]] = {
        "squared error": {
            BUILT_IN: lambda: LinearRegression().fit(X, target),
            EXPRESSION: lambda: ObjectiveRegressor("(y - eta)**2").fit(X, target),
            FUNCTION: lambda: ObjectiveRegressor(squared).fit(X, target),
        },
        "binary cross-entropy": {
            BUILT_IN: lambda: LogisticRegression(C=np.inf).fit(X, label),
            EXPRESSION: lambda: ObjectiveClassifier("softplus(eta) - y*eta").fit(X, label),
            FUNCTION: lambda: ObjectiveClassifier(cross_entropy).fit(X, label),
        },
        "Poisson": {
            EXPRESSION: lambda: ObjectiveRegressor("exp(eta) - y*eta").fit(X, counts),
            FUNCTION: lambda: ObjectiveRegressor(poisson).fit(X, counts),
        },
    }
    from sklearn.linear_model import PoissonRegressor

    def newton_cholesky() -> Any:
        model = PoissonRegressor(alpha=0.0, solver="newton-cholesky", tol=1e-8, max_iter=100)
        return model.fit(X, counts)

    tables["Poisson"]["scikit-learn"] = newton_cholesky
    try:
        import glum

        def by_glum() -> Any:
            model = glum.GeneralizedLinearRegressor(
                family="poisson", alpha=0.0, gradient_tol=1e-8, max_iter=100
            )
            return model.fit(X, counts.astype(float))

        tables["Poisson"]["glum"] = by_glum
    except ImportError:
        pass
    try:
        import statsmodels.api as sm

        design = np.column_stack([X, np.ones(n)])

        def by_statsmodels() -> Any:
            return sm.GLM(counts, design, family=sm.families.Poisson()).fit(tol=1e-10)

        tables["Poisson"]["statsmodels"] = by_statsmodels
    except ImportError:
        pass
    return tables


def coefficients(model: Any, p: int) -> np.ndarray:
    found = model.coef_ if hasattr(model, "coef_") else model.params
    return np.ravel(found)[:p]


def main() -> None:
    """Measure, print, and write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--shape", type=int, nargs=2, default=(400_000, 50), metavar=("N", "P"))
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    n, p = options.shape
    names = (BUILT_IN, EXPRESSION, FUNCTION, "scikit-learn", "glum", "statsmodels")
    lines = [
        f"| loss | {' | '.join(names)} | expression / built-in | function / built-in |",
        f"|---|{'---:|' * (len(names) + 2)}",
    ]
    for loss, runs in runs_of(n, p).items():
        reads = {name: lambda model: coefficients(model, p) for name in runs}
        timings = interleave(runs, reads, Patience(repeats=options.repeats))
        reference = timings[EXPRESSION].result
        for name, timing in timings.items():
            error = np.abs(timing.result - reference).max() / np.abs(reference).max()
            assert error <= 1e-6, f"{name} disagrees on {loss}: {error:.1e}"
        cells = [in_units(timings[name].median) if name in timings else "—" for name in names]
        for name in (EXPRESSION, FUNCTION):
            known = BUILT_IN in timings
            ratio = timings[name].median / timings[BUILT_IN].median if known else 0.0
            cells.append(f"{ratio:.2f}" if known else "—")
        lines.append(f"| {loss} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    table = "\n".join(lines) + "\n"
    print(table)
    if options.write:
        stamp = results.stamp(Path(__file__).name, VERSIONS)
        PAGE.write_text(f"{INTRO.format(n=n, p=p)}\n{stamp}\n{table}\n{REMARKS}")


if __name__ == "__main__":
    main()
