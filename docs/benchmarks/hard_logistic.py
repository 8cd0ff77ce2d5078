"""Time and error of unpenalised logistic fits on hard data.

``python docs/benchmarks/hard_logistic.py`` prints a Markdown table; ``--only TEXT`` takes the cases
whose name holds the text. Times are medians, interleaved, as ratios to ``X.T @ X`` of the same run.
The error is the largest Newton step left over at what a fit returns, relative to the standard error
of its parameter. The gradient in it is summed in the extended precision of ``numpy.longdouble``,
which this needs to be longer than float64.
"""

import argparse
import warnings
from collections.abc import Callable, Iterator

import numpy as np
from hardness import Hard, with_condition
from results import stamp
from scipy import linalg, special
from sklearn.linear_model import LogisticRegression as SklearnLogistic
from tables import markdown
from timing import Patience, interleave

from mcmodels import LogisticRegression

Fit = Callable[[], np.ndarray]
KAPPAS = (1e2, 1e4, 1e6, 1e8)
TOL = 1e-9  # of everybody's gradient; scikit-learn's lbfgs stops long before
SLICE = 20_000  # rows in extended precision at a time


def problems() -> Iterator[Hard]:
    """The cases, one after another; linear predictors are of size one."""
    rng = np.random.default_rng(0)

    def hard(name: str, X: np.ndarray) -> Hard:
        basis = np.linalg.qr(X - X.mean(axis=0))[0] * np.sqrt(len(X))
        eta = basis @ rng.standard_normal(X.shape[1]) / np.sqrt(X.shape[1])
        y = (rng.random(len(X)) < special.expit(eta)).astype(int)
        return Hard(f"{name}, {len(X):,}×{X.shape[1]}", X, y)

    for n, p in ((200_000, 20), (100_000, 100)):
        for kappa in KAPPAS:
            yield hard(f"κ = {kappa:.0e}", with_condition(n, p, kappa))
    t = rng.random(200_000)
    yield hard("powers of t", np.column_stack([t**k for k in range(1, 7)]))


def left_over(case: Hard, params: np.ndarray) -> float:
    """The largest step of Newton's method at the parameters, in standard errors."""
    params, gradient, parts = params.astype(np.longdouble), 0.0, []
    for start in range(0, len(case.X), SLICE):
        part = slice(start, start + SLICE)
        Z = np.column_stack([case.X[part], np.ones(len(case.X[part]))]).astype(np.longdouble)
        p = 1 / (1 + np.exp(-(Z @ params)))
        gradient = gradient + Z.T @ (p - case.y[part])
        weighted = (Z * np.sqrt(p * (1 - p))[:, np.newaxis]).astype(np.float64)
        parts.append(linalg.qr(weighted, mode="r", check_finite=False)[0][: Z.shape[1]])
    (R,) = linalg.qr(np.vstack(parts), mode="r", check_finite=False)
    R = R[: R.shape[1]]
    half = linalg.solve_triangular(R, np.asarray(gradient, dtype=np.float64), trans="T")
    step = linalg.solve_triangular(R, half)
    return float(np.max(np.abs(step) / np.linalg.norm(np.linalg.inv(R), axis=1)))


def peers(case: Hard) -> dict[str, Fit]:
    """What is timed, by name; each returns coefficients and intercept."""
    X, y = case.X, case.y

    def sklearn(solver: str) -> Fit:
        def fit() -> np.ndarray:
            model = SklearnLogistic(C=np.inf, tol=TOL, solver=solver, max_iter=1000).fit(X, y)
            return np.append(model.coef_, model.intercept_)

        return fit

    fits: dict[str, Fit] = {
        "X.T @ X": lambda: X.T @ X,
        "mcmodels": lambda: LogisticRegression(C=np.inf, tol=TOL).fit(X, y).params_,
        "scikit-learn, lbfgs": sklearn("lbfgs"),
        "scikit-learn, newton-cholesky": sklearn("newton-cholesky"),
    }
    try:
        from statsmodels.api import Logit
    except ImportError:
        return fits
    design = np.column_stack([X, np.ones(len(X))])
    return fits | {"statsmodels": lambda: Logit(y, design).fit(disp=0).params}


def row(case: Hard, patience: Patience) -> list[str]:
    """A row of the table: the case, and time and error of each."""
    fits = peers(case)
    errors = {name: lambda params: left_over(case, params) for name in fits if name != "X.T @ X"}
    times = interleave(fits, errors, patience)
    base = times["X.T @ X"].median
    cells = [case.name, f"{base * 1e3:.2f} ms"]
    for name in errors:
        timing = times[name]
        error = "" if timing.error else f"{timing.median / base:.1f} ({timing.result:.0e})"
        cells.append(timing.error or ", ".join([error, *timing.notes]))
    return cells


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    parser.add_argument("--rounds", type=int, default=5, help="timed runs of each")
    options = parser.parse_args()
    if np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps:
        raise SystemExit("numpy.longdouble is no longer than float64 on this machine")
    warnings.simplefilter("ignore")
    rows, header = [], ["data", "X.T @ X"]
    for case in problems():
        if options.only in case.name:
            header = ["data", *peers(case)]
            rows.append(row(case, Patience(repeats=options.rounds)))
            print("|", " | ".join(rows[-1]), "|", flush=True)
    print(markdown(header, rows))
    print(stamp("hard_logistic.py", ("numpy", "scipy", "scikit-learn", "statsmodels")))


if __name__ == "__main__":
    main()
