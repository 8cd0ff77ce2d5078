"""What kernels compiled by numba gain over NumPy and BLAS, in the passes that take the time.

``python docs/benchmarks/compiled_kernels.py`` prints a Markdown table; it needs numba, and
``--write`` writes compiled_kernels.md. Compile times are left out. Times are medians, interleaved.
"""

import argparse
import math
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import numba
import numpy as np
from problems import dense
from results import HERE, stamp
from scipy import sparse
from tables import markdown
from timing import Patience, interleave

from mcmodels.objectives import BinaryCrossEntropy, LinearPredictorObjective
from mcmodels.rows import ArrayRows, Moments, TransformedRows
from mcmodels.solvers import compiled_residuals
from mcmodels.solvers.double_double import DoubleDouble
from mcmodels.solvers.residuals import exact_residuals

Kernel = Callable[[], Any]
PARTS = 64  # sums of as many parts of the rows are added in order, as in the package


@numba.njit(parallel=True, fastmath={"contract", "reassoc"}, cache=True)
def logistic_derivatives(X: Any, y: Any, theta: Any) -> Any:
    """Value, gradient and Hessian of the cross-entropy in one loop over the rows."""
    n, p = X.shape
    values, gradients = np.zeros(PARTS), np.zeros((PARTS, p + 1))
    hessians = np.zeros((PARTS, p + 1, p + 1))
    for part in numba.prange(PARTS):
        row = np.ones(p + 1)
        gradient, hessian = np.zeros(p + 1), np.zeros((p + 1, p + 1))
        value = 0.0
        for i in range(part * n // PARTS, (part + 1) * n // PARTS):
            eta = theta[p]
            for j in range(p):
                row[j] = X[i, j]
                eta += row[j] * theta[j]
            small = math.exp(-abs(eta))
            value += math.log1p(small) + max(eta, 0.0) - y[i] * eta
            mu = 1 / (1 + small) if eta > 0 else small / (1 + small)
            curvature = small / (1 + small) ** 2
            for j in range(p + 1):
                gradient[j] += (mu - y[i]) * row[j]
                scaled = curvature * row[j]
                for k in range(j + 1):
                    hessian[j, k] += scaled * row[k]
        values[part], gradients[part], hessians[part] = value, gradient, hessian
    return values.sum(), gradients.sum(axis=0), hessians.sum(axis=0)


@numba.njit(parallel=True, cache=True)
def category_products(codes: Any, weights: Any, levels: int) -> Any:
    """``ZᵀWZ`` of the indicators of categorical columns, given by their codes."""
    n, m = codes.shape
    found = np.zeros((PARTS, m * levels, m * levels))
    for part in numba.prange(PARTS):
        total = np.zeros((m * levels, m * levels))
        for i in range(part * n // PARTS, (part + 1) * n // PARTS):
            for a in range(m):
                for b in range(m):
                    total[a * levels + codes[i, a], b * levels + codes[i, b]] += weights[i]
        found[part] = total
    return found.sum(axis=0)


@numba.njit(nogil=True, fastmath={"contract", "reassoc"}, cache=True)
def joint_products(X: Any, y: Any) -> Any:
    """``Σ zzᵀ`` of the rows ``z = (x, y, 1)`` about their first, in one loop."""
    n, p = X.shape
    found, z = np.zeros((p + 2, p + 2)), np.ones(p + 2)
    for i in range(n):
        for j in range(p):
            z[j] = X[i, j] - X[0, j]
        z[p] = y[i] - y[0]
        for j in range(p + 2):
            for k in range(j + 1):
                found[j, k] += z[j] * z[k]
    return found


@numba.njit(parallel=True, fastmath={"contract", "reassoc"}, cache=True)
def whitened_products(X: Any, root: Any) -> Any:
    """``Σ zzᵀ`` of the rows ``z = Bᵀx`` for an upper triangular B, many rows side by side."""
    n, p = X.shape
    together = 64
    found = np.zeros((PARTS, p, p))
    for part in numba.prange(PARTS):
        x, z = np.zeros((p, together)), np.zeros((p, together))
        lanes = np.zeros((p, p, 8))
        stop = (part + 1) * n // PARTS
        for start in range(part * n // PARTS, stop, together):
            count = min(together, stop - start)
            for i in range(count):
                for j in range(p):
                    x[j, i] = X[start + i, j]
            for j in range(p):
                x[j, count:] = 0.0
                z[j] = 0.0
                for k in range(j + 1):
                    for i in range(together):
                        z[j, i] += root[k, j] * x[k, i]
            for j in range(p):
                for k in range(j + 1):
                    for first in range(0, together, 8):
                        for i in range(8):
                            lanes[j, k, i] += z[j, first + i] * z[k, first + i]
        for j in range(p):
            for k in range(j + 1):
                found[part, j, k] = lanes[j, k].sum()
    return found.sum(axis=0)


def cases() -> Iterator[tuple[str, Kernel, Kernel]]:
    """What is computed, by the package and by a compiled loop."""
    for n, p in ((1_000_000, 10), (400_000, 20), (400_000, 30)):
        data = dense(n, p)
        labels = np.unique(data.labels, return_inverse=True)[1]
        y = labels.astype(float)
        theta = np.append(0.1 / np.abs(data.X[:1000]).mean(axis=0), 0.0)
        objective = LinearPredictorObjective(ArrayRows(data.X, labels), BinaryCrossEntropy())
        yield (
            f"logistic value, gradient and Hessian, {n:,}×{p}",
            lambda objective=objective, theta=theta: objective.derivatives(theta),
            lambda data=data, y=y, theta=theta: logistic_derivatives(data.X, y, theta),
        )
    rng = np.random.default_rng(0)
    for n, p in ((200_000, 20), (100_000, 100)):
        X, y, beta = rng.standard_normal((n, p)), rng.standard_normal(n), rng.standard_normal(p)
        rows = ArrayRows(X, y[:, np.newaxis], intercept=False)
        moments = Moments.of(rows).about_origin()
        coef = DoubleDouble.of(beta[:, np.newaxis])
        with mock.patch.object(compiled_residuals, "compiled", return_value=None):
            sliced = exact_residuals(rows, moments, 2)
        compiled = exact_residuals(rows, moments, 2)
        yield (
            f"exact residuals and their gradient, {n:,}×{p}",
            lambda sliced=sliced, coef=coef: sliced(coef),
            lambda compiled=compiled, coef=coef: compiled(coef),
        )
    X, root = rng.standard_normal((200_000, 20)), np.triu(rng.standard_normal((20, 20)))
    whitened = TransformedRows(ArrayRows(X), np.zeros(20), root)
    yield (
        "products of whitened rows, 200,000×20",
        lambda: Moments.of(whitened, origin=np.zeros(20)),
        lambda: whitened_products(X, root),
    )
    few = dense(150, 4)
    yield (
        "moments of 150×4",
        lambda: Moments.of(ArrayRows(few.X, few.y[:, np.newaxis])),
        lambda: joint_products(few.X, few.y),
    )
    codes, weights = rng.integers(0, 20, (1_000_000, 3)), rng.random(1_000_000)
    stored = (codes + 20 * np.arange(3)).ravel().astype(np.int32)
    indicators = sparse.csr_array(
        (np.ones(stored.size), stored, np.arange(0, stored.size + 1, 3, dtype=np.int32)),
        shape=(len(codes), 60),
    )
    rows = ArrayRows(indicators, None, weights, intercept=False)
    yield (
        "products of 3 categorical columns of 20 levels, 1,000,000 rows",
        lambda: rows.reduce(lambda block: block.X.sandwich(block.weights_or_ones)),
        lambda: category_products(codes, weights, 20),
    )


PAGE = """# Compiled loops

What loops compiled by numba gain over NumPy and BLAS. The package takes a compiled loop where a fit
gains half of its time or more: for the exact residuals alone, if `mcmodels[fast]` is installed. It
takes about 2 s to compile the first time on a machine, and 0.3 s to load in a process. That is
also why small data get none: a fit takes less than a thousandth of it. Where rows are multiplied
with themselves, BLAS is the quicker. Products of categorical columns gain most, and are left to
tables, which know the codes of their columns before they become indicators.

{table}

{stamp}"""


def main() -> None:
    """Print the table, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="timed runs of each")
    parser.add_argument("--write", action="store_true", help="write compiled_kernels.md")
    options = parser.parse_args()
    numba.set_num_threads(min(numba.get_num_threads(), 2))
    table = []
    for name, ours, compiled in cases():
        compiled()
        times = interleave({"ours": ours, "compiled": compiled}, {}, Patience(options.rounds))
        pair = [times[key].median for key in ("ours", "compiled")]
        cells = [f"{1e3 * seconds:.2f} ms" for seconds in pair]
        table.append([name, *cells, f"{pair[0] / pair[1]:.2f}"])
        print("|", " | ".join(table[-1]), "|", flush=True)
    made = stamp("compiled_kernels.py", ("numpy", "scipy", "numba"))
    page = PAGE.format(
        table=markdown(["data", "NumPy and BLAS", "numba", "gain"], table), stamp=made
    )
    print(page)
    if options.write:
        (HERE / "compiled_kernels.md").write_text(page)


if __name__ == "__main__":
    main()
