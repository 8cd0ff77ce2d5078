"""Derivatives by differences of values alone, to compare with exact ones."""

import copy

import numpy as np


def romberg(f, h, levels=5):
    """The derivative of f at 0 by central differences, extrapolated (Richardson; Ridders 1982).

    Steps are h, h/2, …; errors are a series in h², and each level removes one of its terms.
    """
    table = [(f(h / 2**k) - f(-h / 2**k)) / (2 * h / 2**k) for k in range(levels)]
    for order in range(1, levels):
        factor = 4.0**order
        table = [(factor * b - a) / (factor - 1) for a, b in zip(table, table[1:], strict=False)]
    return table[0]


def predicted(fitted, X, **offsets):
    """Predictions of a pipeline, shape (n, K): means, or probabilities (of two, the second)."""
    found = fitted.predict_proba(X) if hasattr(fitted, "predict_proba") else fitted.predict(X)
    found = np.asarray(found, dtype=float)
    found = found[:, 1:] if hasattr(fitted, "classes_") and found.shape[1] == 2 else found
    return found.reshape(len(found), -1)


def with_params(fitted, params):
    """A copy of a pipeline whose model has other parameters."""
    changed = copy.deepcopy(fitted)
    model = changed[-1] if hasattr(changed, "steps") else changed
    model.params_ = np.reshape(params, model.params_.shape)
    return changed


def moved(X, name, change):
    """X with ``change`` added to an input."""
    copied = X.copy()
    copied[name] = copied[name] + change
    return copied


def replaced(X, name, value):
    """X with an input set to a value in every row."""
    copied = X.copy()
    if isinstance(value, str | bool):
        copied[name] = np.full(len(X), value, dtype=object)
        copied[name] = copied[name].astype(X[name].dtype)
    else:
        copied[name] = value
    return copied


def slopes(fitted, X, name, h):
    """Slopes of the predictions in every row along an input, shape (n, K)."""
    return romberg(lambda t: predicted(fitted, moved(X, name, t)), h)


def standard_errors(fitted, function, covariance):
    """Of a function of a pipeline by the delta method, its Jacobian by differences.

    Each step is in the direction of an eigenvector of the covariance, half its standard deviation
    long: all parts of the error are then of one size.
    """
    model = fitted[-1] if hasattr(fitted, "steps") else fitted
    theta = np.ravel(model.params_)
    values, vectors = np.linalg.eigh(covariance)
    roots = vectors * np.sqrt(np.clip(values, 0, None))
    columns = [
        romberg(lambda t, of=of: np.ravel(function(with_params(fitted, theta + t * of))), 0.5)
        for of in roots.T
        if of.any()
    ]
    return np.sqrt(np.sum(np.square(columns), axis=0))
