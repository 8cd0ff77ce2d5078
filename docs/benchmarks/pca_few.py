"""A few principal components of large rows: time and error beside the whole problem and peers.

``python docs/benchmarks/pca_few.py`` prints a Markdown table; ``--only TEXT`` takes the cases whose
name holds the text, and ``--write`` writes pca_few.md. Times are medians, interleaved. Errors are
those of the variances, relative to each, and the share of the whole variance that the components
miss; the reference is the whole problem in float64. It takes some minutes, most of them for the
whole problem.
"""

import argparse
import warnings
from collections.abc import Iterator

import numpy as np
import scipy.linalg
from results import HERE, stamp
from sklearn.decomposition import PCA as SklearnPCA
from tables import markdown
from timing import Patience, interleave

from mcmodels import PCA

SHAPES = ((2_000, 5_000), (5_000, 5_000), (200_000, 200))
COMPONENTS = {200: 50}  # of so many columns; else 10
WHOLE = "whole problem (`eigh`)"


def spectra(p: int) -> dict[str, np.ndarray]:
    """Standard deviations of the columns before they are rotated."""
    return {
        "decaying": np.arange(1, p + 1) ** -0.5,
        "spiked": np.r_[np.linspace(30, 10, 10), np.ones(p - 10)],
        "flat": np.ones(p),
    }


def cases() -> Iterator[tuple[str, np.ndarray]]:
    """Rows by name, one after another. A reflection mixes the columns and costs no time."""
    for n, p in SHAPES:
        for name, deviations in spectra(p).items():
            rng = np.random.default_rng(0)
            X = rng.standard_normal((n, p)) * deviations
            u = rng.standard_normal(p)
            u /= np.linalg.norm(u)
            X -= 2 * np.outer(X @ u, u)
            yield f"{name}, {n:,}×{p:,}", X


def exact(X: np.ndarray) -> np.ndarray:
    """All variances, descending."""
    Z = X - X.mean(axis=0)
    gram = Z @ Z.T if len(Z) < Z.shape[1] else Z.T @ Z
    values = scipy.linalg.eigvalsh(gram, overwrite_a=True, check_finite=False)
    return values[::-1] / (len(X) - 1)


def table(name: str, X: np.ndarray, repeats: int) -> list[list[str]]:
    """One row a method."""
    k = COMPONENTS.get(X.shape[1], 10)
    runs = {
        "mcmodels": lambda: PCA(k).fit(X),
        WHOLE: lambda: PCA(k, solver="eigh").fit(X),
        "scikit-learn, randomized": lambda: SklearnPCA(
            k, svd_solver="randomized", random_state=0
        ).fit(X),
        "scikit-learn, arpack": lambda: SklearnPCA(k, svd_solver="arpack", random_state=0).fit(X),
    }
    variances = exact(X)
    timings = interleave(
        runs, dict.fromkeys(runs, lambda model: model), Patience(repeats=repeats, once_above=8.0)
    )
    peer = timings["scikit-learn, randomized"].median
    lines = []
    for method, timing in timings.items():
        found = timing.result.explained_variance_
        error = np.abs(found / variances[:k] - 1).max()
        missed = max((variances[:k] - found).sum() / variances.sum(), 0.0)
        solver = getattr(timing.result, "solver_", "")
        lines.append(
            [
                name,
                f"{method} {f'(`{solver}`)' if method == 'mcmodels' else ''}".strip(),
                f"{timing.median * 1e3:,.0f}",
                f"{timing.median / peer:.2f}",
                f"{error:.0e}",
                f"{missed:.0e}",
            ]
        )
    return lines


PAGE = """# A few principal components

The first 10 components (50 of 200 columns): time, and what is wrong with the variances. The error
is the largest relative error of a variance; beside it stands the share of the whole variance that
the components miss. The reference is the whole problem in float64. The method that `mcmodels` took
is in brackets. A spectrum is *decaying* with standard deviations 1/√j, *spiked* with ten large
ones, and *flat* with equal ones, where axes are hardly determined but variances are.

Of 2,000 rows the Gram matrix is formed first, in float32, where that takes half as long. What is
proved of its eigenvalues holds for the rows, too, up to its distance from the exact matrix, which
products with the rows bound. Rayleigh-Ritz steps with the rows, in float64, make variances exact,
and leave residuals of components of some 1e-9 of the largest variance. Where the variances lie too
far apart for float32, the matrix is formed in float64. Products with the rows alone, as ARPACK
takes them, are fewer for decaying and spiked spectra; but a flat one needs thirty of them, which is
known too late. Of the flat one a quarter is the Gram matrix, a quarter thirty products with it; the
rest is the orthogonal basis, and the proof that no component is missing. Its time beside that of
the randomized method, whose variances are wrong by 6 % there, differs from run to run: the
randomized method alone took 450 to 880 ms.

{table}

{stamp}"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--repeats", type=int, default=5, help="timed runs of each")
    parser.add_argument("--write", action="store_true", help="write pca_few.md")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for name, X in cases():
        if options.only in name:
            rows += table(name, X, options.repeats)
            print(*("| " + " | ".join(row) + " |" for row in rows[-4:]), sep="\n", flush=True)
    header = ["data", "method", "ms", "of randomized", "error of a variance", "share missed"]
    made = stamp("pca_few.py", ("numpy", "scipy", "scikit-learn"))
    page = PAGE.format(table=markdown(header, rows), stamp=made)
    print(page)
    if options.write:
        (HERE / "pca_few.md").write_text(page)


if __name__ == "__main__":
    main()
