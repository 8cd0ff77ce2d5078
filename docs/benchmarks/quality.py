"""How good what a fit returned is, computed by NumPy from the rows: gradients and references."""

from collections.abc import Iterator

import numpy as np
from problems import Matrix, Problem
from scipy import linalg, sparse
from scipy.special import expit


def blocks(X: Matrix) -> Iterator[tuple[slice, Matrix]]:
    """Row blocks in float64: checking must not need a copy of X."""
    size = len_rows(X) if sparse.issparse(X) else max(1, 2_000_000 // X.shape[1])
    for start in range(0, len_rows(X), size):
        where = slice(start, start + size)
        yield where, X if sparse.issparse(X) else np.asarray(X[where], dtype=np.float64)


def len_rows(X: Matrix) -> int:
    return X.shape[0]


def gradient_per_row(task: str, data: Problem, params: np.ndarray) -> float:
    """Largest gradient entry of the sum over rows (and the penalty), divided by the rows."""
    coef, intercept = np.asarray(params[:-1], dtype=np.float64), float(params[-1])
    gradient = np.zeros(params.size)
    for where, rows in blocks(data.X):
        eta = rows @ coef + intercept
        linear, labels = 2 * (eta - data.y[where]), data.labels[where]
        slope = linear if task == "linear" else expit(eta) - labels
        gradient[:-1] += rows.T @ slope
        gradient[-1] += slope.sum()
    if task == "logistic":
        gradient[:-1] += coef / data.C
    return float(np.abs(gradient).max() / len_rows(data.X))


def least_squares(data: Problem) -> np.ndarray:
    """Coefficients: normal equations of centred, scaled columns, corrected from the rows."""
    n, p = data.X.shape
    mean = sum(rows.sum(axis=0) for _, rows in blocks(data.X)) / n
    gram = np.zeros((p, p))
    for _, rows in blocks(data.X):
        unit = (rows - mean) / data.scale
        gram += unit.T @ unit
    factor = linalg.cho_factor(gram)
    coef, intercept = np.zeros(p), data.y.mean(dtype=np.float64)
    for _ in range(4):
        score, total = np.zeros(p), 0.0
        for where, rows in blocks(data.X):
            unit = (rows - mean) / data.scale
            residual = data.y[where] - intercept - unit @ coef
            score += unit.T @ residual
            total += residual.sum()
        coef += linalg.cho_solve(factor, score)
        intercept += total / n
    coef /= data.scale
    return np.append(coef, intercept - mean @ coef)


def principal_axes(data: Problem, count: int) -> np.ndarray:
    """Leading eigenvectors of the covariance matrix, made from centred rows."""
    n, p = data.X.shape
    mean = sum(rows.sum(axis=0) for _, rows in blocks(data.X)) / n
    covariance = np.zeros((p, p))
    for _, rows in blocks(data.X):
        centred = rows - mean
        covariance += centred.T @ centred
    vectors = linalg.eigh(covariance / (n - 1), subset_by_index=(p - count, p - 1))[1]
    return vectors[:, ::-1].T


def difference(task: str, params: np.ndarray, reference: np.ndarray, scale: np.ndarray) -> float:
    """Largest difference; coefficients in units of their columns, relative to the largest one."""
    params = np.asarray(params, dtype=np.float64)
    if task == "pca":
        signs = np.sign((params * reference).sum(axis=1, keepdims=True))
        return float(np.abs(params * signs - reference).max())
    error = np.abs(params[:-1] - reference[:-1]) * scale
    return float(error.max() / np.abs(reference[:-1] * scale).max())


def judge(task: str, data: Problem, found: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """For each method its gradient (none for PCA) and its distance from the reference.

    The reference of logistic and of sparse fits is the parameters with the smallest gradient.
    """
    judged: dict[str, dict[str, float]] = {name: {} for name in found}
    if not found:
        return judged
    if task == "pca":
        reference = principal_axes(data, next(iter(found.values())).shape[0])
    else:
        for name, params in found.items():
            judged[name]["gradient"] = gradient_per_row(task, data, params)
        if task == "linear" and not sparse.issparse(data.X):
            reference = least_squares(data)
        else:
            reference = found[min(found, key=lambda name: judged[name]["gradient"])]
    for name, params in found.items():
        judged[name]["difference"] = difference(task, params, reference, data.scale)
    return judged
