"""Seeded data for the benchmarks: correlated columns over two decades of scale, and sparse text."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.special import expit

Matrix = np.ndarray | sparse.csr_array
CHUNK = 10_000  # rows drawn at once; the first n rows of a longer problem are those of the shorter
SHARED = 0.8  # share of each column's variance that comes from the common factors


@dataclass(frozen=True)
class Problem:
    """Rows with a linear and a binary target; C is the penalty that the classifiers are given."""

    X: Matrix
    y: np.ndarray
    labels: np.ndarray
    scale: np.ndarray
    C: float = np.inf

    def head(self, n: int) -> "Problem":
        """The first n rows, as views."""
        return replace(self, X=self.X[:n], y=self.y[:n], labels=self.labels[:n])

    def astype(self, dtype: type, order: str = "C") -> "Problem":
        """The same with X and y in another precision or order (a copy)."""
        X = np.array(self.X, dtype=dtype, order=order)
        return replace(self, X=X, y=self.y.astype(dtype))


@dataclass(frozen=True)
class Law:
    """What the columns and the targets are drawn from."""

    loadings: np.ndarray
    scale: np.ndarray
    mean: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, p: int, seed: int) -> "Law":
        """Three factors (fewer for few columns); scales 0.1 .. 10; means of the columns' size."""
        rng = np.random.default_rng([seed, p])
        loadings = rng.standard_normal((max(1, min(3, p // 2)), p))
        loadings *= np.sqrt(SHARED) / np.linalg.norm(loadings, axis=0)
        scale = rng.permutation(np.logspace(-1, 1, p))
        mean = scale * rng.uniform(-3, 3, p)
        weights = rng.standard_normal(p)
        variance = ((loadings @ weights) ** 2).sum() + (1 - SHARED) * (weights**2).sum()
        return cls(loadings, scale, mean, weights / np.sqrt(variance))

    def draw(self, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows, and their linear predictor of mean 0 and variance 1."""
        rows = rng.standard_normal((n, self.scale.size))
        rows *= np.sqrt(1 - SHARED)
        rows += rng.standard_normal((n, len(self.loadings))) @ self.loadings
        signal = rows @ self.weights
        rows *= self.scale
        rows += self.mean
        return rows, signal


def dense(n: int, p: int, *, seed: int = 0, C: float = np.inf) -> Problem:
    """Gaussian rows; a target with as much noise as signal; log-odds of mean 0.3 and spread 1.5."""
    law = Law.of(p, seed)
    X, y, labels = np.empty((n, p)), np.empty(n), np.empty(n, dtype=np.int64)
    for chunk, start in enumerate(range(0, n, CHUNK)):
        rng = np.random.default_rng([seed, p, chunk])
        rows, signal = law.draw(rng, CHUNK)
        noise, level = rng.standard_normal(CHUNK), rng.random(CHUNK)
        stop = min(start + CHUNK, n)
        size = stop - start
        X[start:stop] = rows[:size]
        y[start:stop] = (1 + 2 * signal + noise)[:size]
        labels[start:stop] = (level < expit(0.3 + 1.5 * signal))[:size]
    return Problem(X, y, labels, law.scale, C)


def text(
    n: int = 200_000, p: int = 20_000, density: float = 1e-3, *, seed: int = 0, C: float = 1.0
) -> Problem:
    """Bags of words: Zipf-like word frequencies, documents of uneven length, rows of unit norm."""
    rng = np.random.default_rng([seed, n, p])
    lengths = 1 + rng.poisson(max(0.0, 1.01 * density * p - 1) * rng.gamma(4.0, 0.25, n))
    frequency = 1.0 / (np.arange(p) + 20.0) ** 0.9
    cumulative = np.cumsum(frequency)
    words = np.searchsorted(cumulative, rng.random(lengths.sum()) * cumulative[-1])
    words = rng.permutation(p)[np.minimum(words, p - 1)]
    starts = np.append(0, np.cumsum(lengths))
    X = sparse.csr_array((np.ones(words.size), words.astype(np.int32), starts), shape=(n, p))
    X.sum_duplicates()
    X.data = 1.0 + np.log(X.data)
    norms = np.sqrt(X.multiply(X).sum(axis=1))
    X.data /= np.repeat(norms, np.diff(X.indptr))
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    signal = X @ rng.standard_normal(p)
    signal = (signal - signal.mean()) / signal.std()
    y = 1 + 2 * signal + rng.standard_normal(n)
    labels = (rng.random(n) < expit(0.3 + 1.5 * signal)).astype(np.int64)
    squares = X.multiply(X).mean(axis=0) - X.mean(axis=0) ** 2
    return Problem(X, y, labels, np.sqrt(np.maximum(squares, 0)), C)
