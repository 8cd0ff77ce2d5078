"""Time and error on hard data: columns that depend on each other ever more closely.

``python docs/benchmarks/hardness.py`` prints a Markdown table for least squares; ``--only TEXT``
takes the cases whose name holds the text, and ``--write`` writes hardness.md and hardness.png.
Times are medians, interleaved, as ratios to ``X.T @ X`` of the same run. The error of a coefficient
is relative to it or to its standard error, whichever is larger; the reference is refined in the
extended precision of ``numpy.longdouble``, which this needs to be longer than float64.
"""

import argparse
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from results import stamp
from scipy import linalg
from sklearn.linear_model import LinearRegression as SklearnRegression
from tables import markdown
from timing import Patience, interleave

from mcmodels import LinearRegression

Fit = Callable[[], Any]
SHAPES = ((200_000, 20), (100_000, 100))
KAPPAS = (1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e8, 1e10, 1e12, 1e14)
HERE = Path(__file__).parent
CORRECTIONS = 12  # of the reference; each gains several digits


@dataclass(frozen=True)
class Hard:
    """Rows, a target, what they are, and the condition number that they were made with."""

    name: str
    X: np.ndarray
    y: np.ndarray
    kappa: float | None = None


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

    def hard(name: str, X: np.ndarray, kappa: float | None = None) -> Hard:
        y = X @ rng.standard_normal(X.shape[1]) + 0.5 * rng.standard_normal(len(X)) + 1.0
        return Hard(f"{name}, {len(X):,}×{X.shape[1]}", X, y, kappa)

    for n, p in SHAPES:
        for kappa in KAPPAS:
            yield hard(f"κ = {kappa:.0e}", with_condition(n, p, kappa), kappa)
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
    columns, beta = np.ascontiguousarray(X.T), np.zeros(X.shape[1], dtype=np.longdouble)
    for _ in range(CORRECTIONS):
        residual = y - X @ beta
        # NumPy adds by pairs along contiguous rows, with few roundings.
        gradient = (columns * residual).sum(axis=1).astype(np.float64)
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


@dataclass(frozen=True)
class Result:
    """Time of ``X.T @ X`` in seconds; and of each fit its ratio to that, and its error.

    What is to be said of a fit stands in ``notes``; one that gave up has no error.
    """

    case: Hard
    base: float
    fits: dict[str, tuple[float, float]]
    notes: dict[str, list[str]] = field(default_factory=dict)

    @property
    def cells(self) -> list[str]:
        """A row of the table."""
        found = []
        for name, (ratio, error) in self.fits.items():
            said = [] if np.isnan(ratio) else [f"{ratio:.1f} ({error:.0e})"]
            found.append(", ".join(said + self.notes.get(name, [])))
        return [self.case.name, f"{self.base * 1e3:.2f} ms", *found]


def measured(case: Hard, patience: Patience) -> Result:
    """Times and errors of all fits to a case."""
    fits = peers(case)
    times = interleave(fits, {}, patience)
    beta, sizes = reference(case)
    base, found = times["X.T @ X"].median, {}
    for name, fit in fits.items():
        if name == "X.T @ X":
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            error = float(np.max(np.abs(fit() - beta).astype(np.float64) / sizes))
        found[name] = times[name].median / base, error
    return Result(case, base, found)


STYLES = {
    "mcmodels": ("#D55E00", "o"),
    "scikit-learn": ("#0072B2", "s"),
    "scikit-learn, newton-cholesky": ("#0072B2", "s"),
    "scikit-learn, lbfgs": ("#56B4E9", "D"),
    "numpy.linalg.lstsq": ("#222222", "x"),
    "statsmodels": ("#CC79A7", "v"),
}


def tabulated(
    cases: Iterator[Hard], options: argparse.Namespace, measure: Callable[[Hard, Patience], Result]
) -> tuple[list[Result], str]:
    """The results of the cases that are asked for, each printed at once, and their table."""
    results = []
    for case in cases:
        if options.only in case.name:
            results.append(measure(case, Patience(repeats=options.rounds)))
            print("|", " | ".join(results[-1].cells), "|", flush=True)
    header = ["data", "X.T @ X", *results[0].fits] if results else []
    return results, markdown(header, [result.cells for result in results])


def draw(results: list[Result], error: str, path: Path) -> None:
    """Time and error against the condition number, one above the other, for both shapes."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, len(SHAPES), figsize=(10, 7), sharex=True, sharey="row")
    for column, (n, p) in zip(axes.T, SHAPES, strict=True):
        swept = [r for r in results if r.case.kappa is not None and r.case.X.shape == (n, p)]
        kappas = [r.case.kappa for r in swept]
        for name in results[0].fits:
            colour, marker = STYLES[name]
            values = [r.fits.get(name, (np.nan, np.nan)) for r in swept]
            for axis, line in zip(column, np.transpose(values), strict=True):
                axis.plot(kappas, line, color=colour, marker=marker, ms=4, lw=1.3, label=name)
        column[0].set_title(f"{n:,} rows, {p} columns")
        column[1].set_xlabel("condition number of the columns")
    axes[0, 0].set_ylabel("time, as a multiple of X.T @ X")
    axes[1, 0].set_ylabel(error)
    for axis in axes.flat:
        axis.set(xscale="log", yscale="log")
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=len(labels), frameon=False, fontsize=9)
    figure.tight_layout(rect=(0, 0.04, 1, 1))
    figure.savefig(path, dpi=130)


PAGE = """# Hard data

Least squares on columns that depend on each other ever more closely: time and error side by side.
The time is the median of several interleaved runs, as a multiple of `X.T @ X` in the same run. In
brackets is the largest error of a coefficient, relative to it or to its standard error, whichever
is larger. The reference was refined in extended precision. The condition number κ is that which
the rows were made with. From κ = 1e14 on, float64 does not determine the coefficients.

Up to κ = 300 the normal equations do; up to about 1e6 the whitened rows alone, or with a correction
in working precision; beyond, one or two corrections by exact products. Numba compiles the
exact products where it is installed, as it was here.

![Time and error against the condition number](hardness.png)

{table}

With 20 columns and κ from 1e4 to 1e6, a fit takes about 2.2 times `X.T @ X`: the walk over the
whitened rows 1.4, the sample that tells that they are needed and the start of the threads 0.3, a
correction 0.7 to 1. Tried in vain: a compiled walk over the whitened rows (BLAS is the
quicker), a general product in place of the triangular one, smaller blocks, and corrections with the
Cholesky factor of the rows themselves, of which three are needed. Ill-conditioned small data get
every digit, which takes 1.2 to 1.7 times as long as scikit-learn where rows are few and columns ten
or less: the exact moments are some hundred calls of NumPy on arrays of a few numbers. With κ = 20,
1,000 rows of ten columns take as long: a third of it is one correction, and the estimates that ask
for it.

Beside this page: [logistic regression on such columns and with many classes](hard_logistic.md),
[a few principal components of large rows](pca_few.md), [rows in many small parts](streams.md), and
[what compiled loops gain](compiled_kernels.md).

{stamp}"""


def main() -> None:
    """Print the table, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    parser.add_argument("--rounds", type=int, default=5, help="timed runs of each")
    parser.add_argument("--write", action="store_true", help="write hardness.md and hardness.png")
    options = parser.parse_args()
    if np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps:
        raise SystemExit("numpy.longdouble is no longer than float64 on this machine")
    results, table = tabulated(problems(), options, measured)
    made = stamp("hardness.py", ("numpy", "scipy", "numba", "scikit-learn", "statsmodels"))
    print(table, made, sep="\n")
    if options.write:
        error = "error of a coefficient, relative to\nit or its standard error"
        draw(results, error, HERE / "hardness.png")
        (HERE / "hardness.md").write_text(PAGE.format(table=table, stamp=made))


if __name__ == "__main__":
    main()
