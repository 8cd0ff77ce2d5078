"""Data and losses that tests of ObjectiveRegressor and ObjectiveClassifier share."""

import warnings

from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.preprocessing import StandardScaler

from mcmodels import (
    ObjectiveClassifier,
    ObjectiveRegressor,
)
from mcmodels.exceptions import FitWarning
from tests.objectives.user_losses import LOSSES

POISSON = "exp(eta) - y * eta"
BINARY = "softplus(eta) - y * eta"


def squared(y, eta):
    return (y - eta) ** 2


class Named:
    """A loss whose repr is the same in every process, as names of tests must be."""

    def __init__(self, function):
        self.function = function

    def __call__(self, y, eta):
        return self.function(y, eta)

    def __repr__(self):
        return self.function.__name__


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return X / X.std(axis=0), y  # targets 25 to 346, whole numbers


def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X)[:, :6], y


def quietly(model, X, y, w=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return model.fit(X, y, w)


def pair(name, **options):
    loss = LOSSES[name]
    kind = ObjectiveClassifier if loss.targets == "classes" else ObjectiveRegressor
    return [kind(way, **options) for way in (loss.text, loss.function)]
