"""Time and error on hard data: columns that depend on each other ever more closely.

``python docs/benchmarks/hardness.py`` prints a Markdown table for least squares; ``--only TEXT``
takes the cases whose name holds the text. Times are medians, interleaved, as ratios to ``X.T @ X``
of the same run. The error of a coefficient is relative to it or to its standard error, whichever is
larger; the reference is refined in the extended precision of ``numpy.longdouble``, which this
needs to be longer than float64.
"""

import argparse
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from results import stamp
from scipy import linalg
from sklearn.linear_model import LinearRegression as SklearnRegression
from tables import markdown
from timing import Patience, interleave

from mcmodels import LinearRegression

Fit = Callable[[], Any]
KAPPAS = (1e1, 1e2, 1e3, 1e4, 1e6, 1e8, 1e10, 1e12)
CORRECTIONS = 12  # of the reference; each gains several digits


@dataclass(frozen=True)
class Hard:
    """Rows, a target, and what they are."""

    name: str
    X: np.ndarray
    y: np.ndarray


def with_condition(n: int, p: int, kappa: float, seed: int = 3) -> np.ndarray:
    """Rows with logarithmically spaced singular values."""
    rng = np.random.default_rng(seed)
    U = np.linalg.qr(rng.standard_normal((n, p)))[0]
    V = np.linalg.qr(rng.standard_normal((p, p)))[0]
    X = U * (np.logspace(0, -np.log10(kappa), p) * np.sqrt(n))
    return np.ascontiguousarray(X @ V.T)


def problems() -> Iterator[Hard]:
    """The cases, one after another."""
    rng = np.random.default_rng(0)

    def hard(name: str, X: np.ndarray) -> Hard:
        y = X @ rng.standard_normal(X.shape[1]) + 0.5 * rng.standard_normal(len(X)) + 1.0
        return Hard(f"{name}, {len(X):,}×{X.shape[1]}", X, y)

    for n, p in ((200_000, 20), (100_000, 100)):
        for kappa in KAPPAS:
            yield hard(f"κ = {kappa:.0e}", with_condition(n, p, kappa))
    for degree in (3, 6, 10):
        t = rng.random(200_000)
        yield hard("powers of t", np.column_stack([t**k for k in range(1, degree + 1)]))
    a, b = (np.eye(8)[rng.integers(0, 8, 200_000)][:, 1:] for _ in range(2))
    crossed = np.einsum("ni,nj->nij", a, b).reshape(len(a), -1)
    yield hard("indicators and interactions", np.column_stack([a, b, crossed]))
    base = rng.standard_normal((200_000, 10))
    for gap in (1e-3, 1e-6, 1e-9):
        near = base + gap * rng.standard_normal(base.shape)
        yield hard(f"columns twice, {gap:g} apart", np.column_stack([base, near]))
    for n, p in ((150, 4), (1_000, 10), (5_000, 30)):
        for kappa in (2.0, 20.0, 1e4):
            yield hard(f"κ = {kappa:g}", with_condition(n, p, kappa))


def reference(case: Hard) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients in extended precision, and their sizes: the larger of each and its error."""
    X, y = case.X.astype(np.longdouble), case.y.astype(np.longdouble)
    X -= X.mean(axis=0)
    y -= y.mean()
    (R,) = linalg.qr(X.astype(np.float64), mode="r", check_finite=False)
    R = R[: X.shape[1]]
    beta = np.zeros(X.shape[1], dtype=np.longdouble)
    for _ in range(CORRECTIONS):
        residual = y - X @ beta
        gradient = (residual @ X).astype(np.float64)
        half = linalg.solve_triangular(R, gradient, trans="T")
        beta = beta + linalg.solve_triangular(R, half)
    deviation = float(np.sqrt(residual @ residual / (len(y) - len(beta) - 1)))
    errors = deviation * np.linalg.norm(np.linalg.inv(R), axis=1)
    return beta, np.maximum(np.abs(beta).astype(np.float64), errors)


def peers(case: Hard) -> dict[str, Fit]:
    """What is timed, by name."""
    X, y = case.X, case.y
    centred = np.column_stack([X, np.ones(len(X))])
    fits: dict[str, Fit] = {
        "X.T @ X": lambda: X.T @ X,
        "mcmodels": lambda: LinearRegression().fit(X, y).coef_,
        "scikit-learn": lambda: SklearnRegression().fit(X, y).coef_,
        "numpy.linalg.lstsq": lambda: np.linalg.lstsq(centred, y, rcond=None)[0][:-1],
    }
    try:
        from statsmodels.api import OLS
    except ImportError:
        return fits
    return fits | {"statsmodels": lambda: OLS(y, centred).fit(method="qr").params[:-1]}


def row(case: Hard, patience: Patience) -> list[str]:
    """A row of the table: the case, and time and error of each."""
    fits = peers(case)
    times = interleave(fits, {}, patience)
    beta, sizes = reference(case)
    base = times["X.T @ X"].median
    cells = [case.name, f"{base * 1e3:.2f} ms"]
    for name, fit in fits.items():
        if name == "X.T @ X":
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            error = np.max(np.abs(fit() - beta).astype(np.float64) / sizes)
        cells.append(f"{times[name].median / base:.1f} ({error:.0e})")
    return cells


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    parser.add_argument("--rounds", type=int, default=5, help="timed runs of each")
    options = parser.parse_args()
    if np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps:
        raise SystemExit("numpy.longdouble is no longer than float64 on this machine")
    rows, header = [], ["data", "X.T @ X"]
    for case in problems():
        if options.only in case.name:
            header = ["data", *peers(case)]
            rows.append(row(case, Patience(repeats=options.rounds)))
            print("|", " | ".join(rows[-1]), "|", flush=True)
    print(markdown(header, rows))
    print(stamp("hardness.py", ("numpy", "scipy", "scikit-learn", "statsmodels")))


if __name__ == "__main__":
    main()
