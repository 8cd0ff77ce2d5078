"""A warning of a fit points at the line of the user, whoever called the estimator on the way."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import (
    PCA,
    LinearRegression,
    LogisticRegression,
    MLPRegressor,
    ObjectiveRegressor,
    RowStream,
)
from mcmodels.exceptions import FitWarning
from tests.estimators.states import CLASSES, DEPENDENT, SEPARATED, TARGET, X

CASES = {
    "rank": (LinearRegression(), DEPENDENT, TARGET),
    "constant target": (LinearRegression(), X, np.ones(60)),
    "separated": (LogisticRegression(C=np.inf), X, SEPARATED),
    "rank of a logistic fit": (LogisticRegression(C=np.inf), DEPENDENT, CLASSES),
    "stopped": (LogisticRegression(max_iter=1), X, CLASSES),
    "whitened": (PCA(whiten=True), DEPENDENT, None),
    "no minimum": (ObjectiveRegressor("-y*eta"), X, TARGET),
    "not convex": (ObjectiveRegressor("cos(eta) + eta**2/8 - y*eta"), X, TARGET),
    "network stopped": (MLPRegressor((2,), max_iter=1, random_state=0), X, TARGET),
}
WAYS = {
    "fit": lambda model, X, y: model.fit(X, y),
    "pipeline": lambda model, X, y: make_pipeline(StandardScaler(), model).fit(X, y),
    "search": lambda model, X, y: GridSearchCV(model, {}, cv=2, scoring=_one).fit(X, y),
    "cross-validation": lambda model, X, y: cross_validate(model, X, y, cv=2, scoring=_one),
}


def _one(model, X, y=None):
    return 1.0


def caught(call, *arguments):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        call(*arguments)
    return [warning for warning in found if issubclass(warning.category, FitWarning)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES)
def test_it_points_here(case, way):
    if case == "constant target" and way == "pipeline":
        return
    found = caught(WAYS[way], *CASES[case])
    assert found
    for warning in found:
        assert Path(warning.filename) == Path(__file__)
        line = Path(__file__).read_text().splitlines()[warning.lineno - 1]
        assert line.strip().startswith(f'"{way}":')


def test_streams_and_parts_point_here():
    blocks = [(DEPENDENT[:30], TARGET[:30]), (DEPENDENT[30:], TARGET[30:])]
    (of_stream,) = caught(lambda: LinearRegression().fit(RowStream(blocks)))
    (of_parts,) = caught(lambda: LinearRegression().partial_fit(DEPENDENT, TARGET))
    assert Path(of_stream.filename) == Path(of_parts.filename) == Path(__file__)
    assert of_stream.lineno + 1 == of_parts.lineno
