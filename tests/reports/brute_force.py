"""Derivatives by differences of values alone, to compare with exact ones."""

import copy
import itertools

import numpy as np
import pandas as pd

# Many parameters are tried with the same rows. Keys are ids of objects that the values keep alive.
_KNOWN = {}


def _kept(make, *objects, key=()):
    ids = make.__name__, *map(id, objects), key
    if ids not in _KNOWN:
        _KNOWN[ids] = make(*objects, *key), objects
    return _KNOWN[ids][0]


_LEVELS = 5


def romberg(f, h, levels=_LEVELS):
    """The derivative of f at 0 by central differences, extrapolated (Richardson; Ridders 1982).

    Steps are h, h/2, …; errors are a series in h², and each level removes one of its terms.
    """
    table = [(f(h / 2**k) - f(-h / 2**k)) / (2 * h / 2**k) for k in range(levels)]
    for order in range(1, levels):
        factor = 4.0**order
        table = [(factor * b - a) / (factor - 1) for a, b in itertools.pairwise(table)]
    return table[0]


def predicted(fitted, X):
    """Predictions of a pipeline, shape (n, K): means, or probabilities (of two, the second)."""
    model = fitted[-1] if hasattr(fitted, "steps") else fitted
    if hasattr(fitted, "steps"):
        X = _kept(_through, X, *(step for _, step in fitted.steps[:-1]))
    found = model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)
    found = np.asarray(found, dtype=float)
    found = found[:, 1:] if hasattr(model, "classes_") and found.shape[1] == 2 else found
    return found.reshape(len(found), -1)


def _through(X, *steps):
    for step in steps:
        X = step.transform(X)
    return X


def with_params(fitted, params):
    """A pipeline with the same steps, whose model has other parameters."""
    model = copy.copy(fitted[-1] if hasattr(fitted, "steps") else fitted)
    model.params_ = np.reshape(params, model.params_.shape)
    if not hasattr(fitted, "steps"):
        return model
    changed = copy.copy(fitted)
    changed.steps = [*fitted.steps[:-1], (fitted.steps[-1][0], model)]
    return changed


def moved(X, name, change):
    """X with ``change`` added to an input."""
    return _kept(_moved, X, key=(name, change))


def replaced(X, name, value):
    """X with an input set to a value in every row."""
    return _kept(_replaced, X, key=(name, value))


def slopes(fitted, X, name, h):
    """Slopes of the predictions in every row along an input, shape (n, K).

    All rows that are moved are predicted in one call: calls cost more than rows.
    """
    steps = [sign * h / 2**k for k in range(_LEVELS) for sign in (1, -1)]
    rows = _kept(_stacked, X, key=(name, h))
    found = predicted(fitted, rows).reshape(len(steps), len(X), -1)
    return romberg(dict(zip(steps, found, strict=True)).__getitem__, h)


def _stacked(X, name, h):
    steps = [sign * h / 2**k for k in range(_LEVELS) for sign in (1, -1)]
    return pd.concat([_moved(X, name, step) for step in steps], ignore_index=True)


def _moved(X, name, change):
    return X.assign(**{name: X[name] + change})


def _replaced(X, name, value):
    column = np.full(len(X), value, dtype=object if isinstance(value, str | bool) else None)
    found = X.assign(**{name: column})
    return found.astype({name: X[name].dtype}) if column.dtype == object else found


def standard_errors(fitted, function, covariance):
    """Of a function of a pipeline by the delta method, its Jacobian by differences.

    Each step is in the direction of an eigenvector of the covariance, half its standard deviation
    long: all parts of the error are then of one size.
    """
    model = fitted[-1] if hasattr(fitted, "steps") else fitted
    theta = np.ravel(model.params_)
    values, vectors = np.linalg.eigh(covariance)
    columns = [
        romberg(
            lambda t, along=along: np.ravel(function(with_params(fitted, theta + t * along))), 0.5
        )
        for along in (vectors * np.sqrt(np.clip(values, 0, None))).T
        if along.any()
    ]
    return np.sqrt(np.sum(np.square(columns), axis=0))
