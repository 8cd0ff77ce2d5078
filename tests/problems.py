"""Problems with known solutions, built from their singular value decomposition or by sampling."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy import sparse


class LinearProblem(NamedTuple):
    """Rows with the least-squares solution that they were built around."""

    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None
    coef: np.ndarray
    intercept: np.ndarray


def orthonormal(rng, n, k, away_from=None):
    """k orthonormal columns of length n, orthogonal to ``away_from``."""
    A = rng.standard_normal((n, k))
    if away_from is not None:
        A = np.column_stack([away_from, A])
    Q = np.linalg.qr(A)[0]
    return Q[:, Q.shape[1] - k :]


def linear_problem(
    seed, n, p, *, rank=None, intercept=True, weighted=False, n_targets=None, condition=10.0
) -> LinearProblem:
    """Rows whose weighted, centred features have a chosen SVD and a known shortest solution.

    With ``√W (X - x̄) = U diag(s) Vᵀ`` and ``√W (y - ȳ) = U diag(s) Vᵀβ + r`` for r orthogonal to U
    (and to √w, when there is an intercept), β in the row space is the shortest minimiser.
    """
    rng = np.random.default_rng(seed)
    k = 1 if n_targets is None else n_targets
    free = n - 1 if intercept else n
    rank = min(free, p) if rank is None else rank
    weights = rng.uniform(0.5, 2.0, n) if weighted else np.ones(n)
    root = np.sqrt(weights)
    U = orthonormal(rng, n, rank, away_from=root[:, None] if intercept else None)
    V = orthonormal(rng, p, rank)
    s = np.geomspace(condition, 1.0, rank) * np.sqrt(n)
    coef = V @ rng.standard_normal((rank, k))
    noise = rng.standard_normal((n, k))
    used = np.column_stack([root, U]) if intercept else U
    basis = np.linalg.qr(used)[0]
    noise -= basis @ (basis.T @ noise)
    centre = rng.standard_normal(p) * 3 if intercept else np.zeros(p)
    b = rng.standard_normal(k) if intercept else np.zeros(k)
    X = (U * s) @ V.T / root[:, None] + centre
    y = ((U * s) @ (V.T @ coef) + noise) / root[:, None] + centre @ coef + b
    if n_targets is None:
        y, coef, b = y[:, 0], coef[:, 0], b[0]
    return LinearProblem(X, y, weights if weighted else None, coef.T, b)


def classes_problem(seed, n, p, n_classes, *, scale=1.0):
    """Rows of overlapping classes, drawn from a softmax model; every class is present."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * scale + rng.standard_normal(p)
    eta = X @ rng.standard_normal((p, n_classes)) / np.sqrt(p)
    y = (eta + rng.gumbel(size=eta.shape)).argmax(axis=1)
    y[:n_classes] = np.arange(n_classes)
    return X, y


def storages(X):
    """The same rows in every storage that a fit accepts, by name."""
    return {
        "C": np.ascontiguousarray(X),
        "F": np.asfortranarray(X),
        "strided": np.repeat(X, 2, axis=0)[::2],
        "csr": sparse.csr_array(X),
        "csc": sparse.csc_array(X),
        "coo matrix": sparse.coo_matrix(X),
    }


def exact_least_squares(Z, y, w):
    """Solution of the weighted normal equations in rational arithmetic, rounded once."""
    Z = [[Fraction(v) for v in row] for row in Z.tolist()]
    y, w = [Fraction(v) for v in y.tolist()], [Fraction(v) for v in w.tolist()]
    P = len(Z[0])
    A = [
        [sum(wi * zi[a] * zi[b] for wi, zi in zip(w, Z, strict=True)) for b in range(P)]
        + [sum(wi * zi[a] * yi for wi, zi, yi in zip(w, Z, y, strict=True))]
        for a in range(P)
    ]
    for a in range(P):
        pivot = A[a][a]
        A[a] = [v / pivot for v in A[a]]
        for b in range(P):
            if b != a:
                factor = A[b][a]
                A[b] = [v - factor * u for v, u in zip(A[b], A[a], strict=True)]
    return [float(row[-1]) for row in A]
