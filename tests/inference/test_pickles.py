"""Fitted models are small, hold no row of the data, and say the same after unpickling."""

import pickle

import numpy as np
import pandas as pd
import pytest

from mcmodels import PCA, LinearRegression, LogisticRegression
from tests.inference.problems import rows_of


def fitted(name, X, y):
    binary = (y > np.median(y)).astype(int)
    classes = np.array(["a", "b", "c"])[np.digitize(y, np.quantile(y, [0.3, 0.6]))]
    far = X + 1e6
    nearly = X.copy()
    nearly[:, 1] = X[:, 0] + 1e-5 * X[:, 1]
    return {
        "linear": lambda: LinearRegression().fit(X, y),
        "pinv": lambda: LinearRegression(solver="pinv").fit(X, y),
        "linear, ill-conditioned": lambda: LinearRegression().fit(nearly, y),
        "linear, in parts": lambda: LinearRegression().partial_fit(X, y),
        "linear, in parts by moments": lambda: LinearRegression(solver="normal").partial_fit(X, y),
        "linear, two targets": lambda: LinearRegression().fit(X, np.column_stack([y, y**2])),
        "logistic": lambda: LogisticRegression(C=np.inf).fit(X, binary),
        "logistic, penalised": lambda: LogisticRegression().fit(X, binary),
        "logistic, far from zero": lambda: LogisticRegression(C=np.inf).fit(far, binary),
        "logistic, ill-conditioned": lambda: LogisticRegression(C=np.inf).fit(nearly, binary),
        "three classes": lambda: LogisticRegression(C=np.inf).fit(X, classes),
        "pca": lambda: PCA().fit(X),
        "pca, in parts": lambda: PCA(1).partial_fit(X),
    }[name]()


NAMES = [
    "linear",
    "pinv",
    "linear, ill-conditioned",
    "linear, in parts",
    "linear, in parts by moments",
    "linear, two targets",
    "logistic",
    "logistic, penalised",
    "logistic, far from zero",
    "logistic, ill-conditioned",
    "three classes",
    "pca",
    "pca, in parts",
]


@pytest.mark.parametrize("p", [2, 20, 60, 300])
@pytest.mark.parametrize("name", NAMES)
def test_size(name, p):
    """At most 3 KB + 3·8·P² bytes; of PCA, P is the number of columns where few are kept."""
    if p == 300 and name in ("three classes", "linear, two targets"):
        pytest.skip("the Hessian of 900 parameters takes seconds, and is the largest part")
    X, y, *_ = rows_of(0, n=3000, p=p)
    y = X[:, 0] / X[:, 0].std() + np.random.default_rng(1).standard_normal(3000)
    model = fitted(name, X, y)
    P = max(model.params_.size, p)
    assert len(pickle.dumps(model)) <= 3 * 1024 + 3 * 8 * P**2


@pytest.mark.parametrize("name", NAMES)
def test_no_row_is_kept(name):
    """Twice the rows take no more bytes, but for the digits of counters.

    Both fits are of data for which extra precision is not free, and so hold the same factor.
    """
    X, y, *_ = rows_of(0, n=8000, p=5)
    few, many = (len(pickle.dumps(fitted(name, X[:n], y[:n]))) for n in (4000, 8000))
    assert abs(many - few) < 64


@pytest.mark.parametrize("name", NAMES)
def test_unpickled_models_say_the_same(name):
    X, y, *_ = rows_of(1, n=300)
    model = fitted(name, X, y)
    again = pickle.loads(pickle.dumps(model))
    assert str(again.summary()) == str(model.summary())
    pd.testing.assert_frame_equal(again.confidence_intervals(), model.confidence_intervals())
