"""Time and error of unpenalised logistic fits on hard data, and with many classes.

``python docs/benchmarks/hard_logistic.py`` prints a Markdown table; ``--only TEXT`` takes the cases
whose name holds the text, and ``--write`` writes hard_logistic.md and hard_logistic.png. Times are
medians, interleaved, as ratios to ``X.T @ X`` of the same run. The error is the largest Newton step
left over at what a fit returns, relative to the standard error of its parameter. The gradient in it
is summed in the extended precision of ``numpy.longdouble``, which this needs to be longer than
float64.
"""

import argparse
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from hardness import HERE, SHAPES, Hard, Result, draw, tabulated, with_condition
from results import stamp
from scipy import linalg, special
from sklearn.linear_model import LogisticRegression as SklearnLogistic
from timing import Patience, interleave

from mcmodels import LogisticRegression

Fit = Callable[[], np.ndarray]
KAPPAS = (1e2, 1e4, 1e6, 1e8)
TOL = 1e-9  # of everybody's gradient; scikit-learn's lbfgs stops long before
SLICE = 20_000  # rows in extended precision at a time


def problems() -> Iterator[Hard]:
    """The cases, one after another; linear predictors are of size one, or ten."""
    rng = np.random.default_rng(0)

    def hard(name: str, X: np.ndarray) -> Hard:
        basis = np.linalg.qr(X - X.mean(axis=0))[0] * np.sqrt(len(X))
        eta = basis @ rng.standard_normal(X.shape[1]) / np.sqrt(X.shape[1])
        y = (rng.random(len(X)) < special.expit(eta)).astype(int)
        return Hard(f"{name}, {len(X):,}×{X.shape[1]}", X, y)

    for n, p in SHAPES:
        for kappa in KAPPAS:
            yield replace(hard(f"κ = {kappa:.0e}", with_condition(n, p, kappa)), kappa=kappa)
    for n, p, K, size, kind in (
        (100_000, 20, 3, 1, ""),
        (50_000, 50, 10, 1, ""),
        (50_000, 50, 10, 10, " far apart"),
    ):
        X = rng.standard_normal((n, p))
        chances = size * X @ rng.standard_normal((p, K)) / np.sqrt(p) + rng.gumbel(size=(n, K))
        yield Hard(f"{K} classes{kind}, {n:,}×{p}", X, chances.argmax(axis=1))
    t = rng.random(200_000)
    yield hard("powers of t", np.column_stack([t**k for k in range(1, 7)]))


def left_over(case: Hard, params: np.ndarray) -> float:
    """The largest step of Newton's method at the parameters, in standard errors."""
    if params.ndim == 2:
        return left_over_of_classes(case, params)
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


def left_over_of_classes(case: Hard, params: np.ndarray) -> float:
    """The same for several classes: the step of the differences from the first class."""
    K, P = params.shape
    gradient, hessian = np.zeros((K, P), dtype=np.longdouble), np.zeros((K, P, K, P))
    for start in range(0, len(case.X), SLICE):
        part = slice(start, start + SLICE)
        Z = np.column_stack([case.X[part], np.ones(len(case.X[part]))])
        shares = special.softmax(Z.astype(np.longdouble) @ params.T.astype(np.longdouble), axis=1)
        gradient += (shares - np.eye(K)[case.y[part]]).T @ Z
        p = shares.astype(np.float64)
        for k in range(1, K):
            for j in range(1, k + 1):
                weights = p[:, k] * ((k == j) - p[:, j])
                hessian[k, :, j, :] += (Z * weights[:, np.newaxis]).T @ Z
                hessian[j, :, k, :] = hessian[k, :, j, :].T
    inverse = linalg.inv(hessian[1:, :, 1:, :].reshape((K - 1) * P, -1))
    step = inverse @ gradient[1:].astype(np.float64).ravel()
    return float(np.max(np.abs(step) / np.sqrt(np.diagonal(inverse))))


def peers(case: Hard) -> dict[str, Fit]:
    """What is timed, by name; each returns coefficients and intercept, of every class if many."""
    X, y = case.X, case.y
    many = y.max() > 1

    def sklearn(solver: str) -> Fit:
        def fit() -> np.ndarray:
            model = SklearnLogistic(C=np.inf, tol=TOL, solver=solver, max_iter=1000).fit(X, y)
            both = np.column_stack([model.coef_, model.intercept_])
            return both if many else both[0]

        return fit

    fits: dict[str, Fit] = {
        "X.T @ X": lambda: X.T @ X,
        "mcmodels": lambda: LogisticRegression(C=np.inf, tol=TOL).fit(X, y).params_,
        "scikit-learn, lbfgs": sklearn("lbfgs"),
        "scikit-learn, newton-cholesky": sklearn("newton-cholesky"),
    }
    try:
        from statsmodels.api import Logit, MNLogit
    except ImportError:
        return fits
    design = np.column_stack([X, np.ones(len(X))])

    def of_classes() -> np.ndarray:
        params = MNLogit(y, design).fit(disp=0).params
        return np.vstack([np.zeros(len(params)), params.T])

    binary = lambda: Logit(y, design).fit(disp=0).params  # noqa: E731
    return fits | {"statsmodels": of_classes if many else binary}


def measured(case: Hard, patience: Patience) -> Result:
    """Times and errors of all fits to a case."""
    fits = peers(case)
    errors = {name: lambda params: left_over(case, params) for name in fits if name != "X.T @ X"}
    times = interleave(fits, errors, patience)
    base, found, notes = times["X.T @ X"].median, {}, {}
    for name in errors:
        timing = times[name]
        failed = bool(timing.error)
        found[name] = (np.nan, np.nan) if failed else (timing.median / base, timing.result)
        notes[name] = [timing.error] if failed else timing.notes
    return Result(case, base, found, notes)


PAGE = """# Hard data: logistic regression

Without a penalty, everybody asked for a gradient of 1e-9 per row. Time is the median of several
interleaved runs, as a multiple of `X.T @ X` in the same run. In brackets is the error: the largest
Newton step left over at what a fit returns, in standard errors of the parameter; with more than two
classes, of the differences from the first class. One means that the estimate is off by a standard
error. The gradient of the error is summed in extended precision. A fit that takes longer than 20 s
is run once.

![Time and error against the condition number](hard_logistic.png)

{table}

{stamp}"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    parser.add_argument("--rounds", type=int, default=5, help="timed runs of each")
    parser.add_argument("--write", action="store_true", help="write hard_logistic.md and .png")
    options = parser.parse_args()
    if np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps:
        raise SystemExit("numpy.longdouble is no longer than float64 on this machine")
    warnings.simplefilter("ignore")
    results, table = tabulated(problems(), options, measured)
    made = stamp("hard_logistic.py", ("numpy", "scipy", "scikit-learn", "statsmodels"))
    print(table, made, sep="\n")
    if options.write:
        draw(results, "Newton step left over,\nin standard errors", HERE / "hard_logistic.png")
        (HERE / "hard_logistic.md").write_text(PAGE.format(table=table, stamp=made))


if __name__ == "__main__":
    main()
