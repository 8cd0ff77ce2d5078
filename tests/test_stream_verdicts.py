"""What is said of a fit to a stream is what is said of the fit to its rows."""

import itertools
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from mcmodels import LogisticRegression, ObjectiveClassifier, ObjectiveRegressor, RowStream
from mcmodels.exceptions import (
    FitWarning,
    FlatObjectiveWarning,
    NoMinimumWarning,
    SeparationWarning,
)

# The verdict is known from the loss: (model, kind of targets, status, warning that must be there).
# A loss that falls for ever along the intercept has no minimum, whatever the rows; one that is zero
# around all rows is flat; one that is convex and grows both ways, with overlapping classes or
# counts, has a single minimum.
LOSSES = {
    "wrong sign": (
        ObjectiveClassifier("y*eta - softplus(eta)"), "classes", "no minimum", NoMinimumWarning,
    ),
    "penalised, but not the intercept": (
        ObjectiveClassifier("y*eta - softplus(eta)", alpha=3.0),
        "classes", "no minimum", NoMinimumWarning,
    ),
    "falls fast": (
        ObjectiveClassifier("y*eta - exp(eta)"), "classes", "no minimum", NoMinimumWarning,
    ),
    "separated": (
        ObjectiveClassifier("softplus(eta) - y*eta"), "separated", "no minimum", NoMinimumWarning,
    ),
    "separated likelihood": (
        LogisticRegression(C=np.inf), "separated", "separated", SeparationWarning,
    ),
    "linear": (ObjectiveRegressor("eta*y"), "counts", "no minimum", NoMinimumWarning),
    "wrong sign of counts": (
        ObjectiveRegressor("y*eta - exp(eta)"), "counts", "no minimum", NoMinimumWarning,
    ),
    "concave": (ObjectiveRegressor("-(y - eta)**2"), "counts", "no minimum", NoMinimumWarning),
    "a function": (
        ObjectiveRegressor(lambda y, eta: y * eta - np.exp(eta)),
        "counts", "no minimum", NoMinimumWarning,
    ),
    "flat": (ObjectiveRegressor("relu(eta - 50)**2"), "counts", "converged", FlatObjectiveWarning),
    "classes": (ObjectiveClassifier("softplus(eta) - y*eta"), "classes", "converged", None),
    "counts": (ObjectiveRegressor("exp(eta) - y*eta"), "counts", "converged", None),
    "penalised without intercept": (
        ObjectiveRegressor("exp(eta) - y*eta", alpha=1.0, fit_intercept=False),
        "counts", "converged", None,
    ),
}  # fmt: skip
CUTS = [
    lambda n, rng: [1],
    lambda n, rng: [n - 1],
    lambda n, rng: sorted(rng.integers(0, n + 1, 4)),
]


def problem(kind, seed):
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(20, 50)), int(rng.integers(1, 4))
    X = rng.normal(size=(n, p))
    if seed % 3 == 1:
        X = X * 10.0 ** rng.integers(-3, 4, p) + 10.0 ** rng.integers(-1, 3, p)
    eta = (X - X.mean(axis=0)) @ (rng.normal(size=p) / X.std(axis=0))
    w = None if seed % 2 else rng.integers(0, 3, n).astype(float)
    if kind == "counts":
        y = rng.poisson(np.exp(np.clip(eta, -2, 2))).astype(float)
        y[:3] = 3.0  # not all are zero
    else:
        y = (eta > np.median(eta)).astype(int)
        if kind == "classes":
            # Two pairs of equal rows with both labels, at the ends: the classes overlap.
            order = np.argsort(eta)
            for a, b in (order[[0, 1]], order[[-1, -2]]):
                X[b], y[a], y[b] = X[a], 0, 1
            y[rng.integers(0, n, n // 3)] ^= 1
            for a, b in (order[[0, 1]], order[[-1, -2]]):
                y[a], y[b] = 0, 1
            if w is not None:
                w[order[[0, 1, -1, -2]]] = 1.0
        elif w is not None:
            w[[int(y.argmin()), int(y.argmax())]] = 1.0
    if w is not None:
        w[:3] = np.maximum(w[:3], 1.0)
    return (sparse.csr_array(X) if seed % 5 == 0 else X), y, w


def said_of(model, *rows):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*rows)
    return model, [type(w.message) for w in caught if issubclass(w.category, FitWarning)]


@pytest.mark.parametrize("name", LOSSES)
def test_verdicts_are_those_of_the_rows(name):
    model, kind, status, warning = LOSSES[name]
    for seed, cut in enumerate(CUTS):
        X, y, w = problem(kind, seed)
        n = len(y)
        bounds = [0, *cut(n, np.random.default_rng(seed)), n]
        parts = [
            (X[a:b], y[a:b], None if w is None else w[a:b]) for a, b in itertools.pairwise(bounds)
        ]
        whole, of_rows = said_of(clone(model), X, y, w)
        streamed, of_stream = said_of(clone(model), RowStream(parts))
        assert streamed.status_ == whole.status_ == status
        assert of_stream == of_rows
        assert warning is None or warning in of_stream
        if warning is None:
            assert not of_stream
            # The next step is negligible at both ends, so ten digits of the parameters are left;
            # columns a thousand deviations from zero take three of the intercept.
            np.testing.assert_allclose(streamed.params_, whole.params_, rtol=1e-6, atol=1e-7)
