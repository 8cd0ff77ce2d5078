"""Random regressions for inference: columns correlated, far from zero, scaled by decades."""

import numpy as np


def rows_of(seed, n=120, p=4):
    """Features, a target with unequal noise, weights that count rows, and labels of groups."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) @ (np.eye(p) + 0.5 * rng.standard_normal((p, p)))
    X = X * np.logspace(-1, 1, p) + 3 * rng.standard_normal(p) * np.logspace(-1, 1, p)
    noise = rng.standard_normal(n) * (1 + np.abs(X[:, 0] - X[:, 0].mean()))
    y = X @ (rng.standard_normal(p) / np.logspace(-1, 1, p)) + 2 + noise
    weights = rng.integers(0, 4, n).astype(float)
    groups = np.column_stack([rng.integers(0, 17, n), rng.integers(0, 9, n)])
    return X, y, weights, groups


def with_ones(X, intercept=True):
    """The design of statsmodels whose parameters have our order: the intercept last."""
    return np.column_stack([X, np.ones(len(X))]) if intercept else X
