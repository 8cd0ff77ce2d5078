"""Intervals and sets by models that were fitted again without each row."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression as OfScikitLearn
from sklearn.linear_model import LogisticRegression as ClassesOfScikitLearn

from mcmodels import (
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    MLPRegressor,
    ObjectiveRegressor,
    QuantileRegressor,
    RowStream,
    leave_one_out,
)
from mcmodels.exceptions import FewRowsWarning, InferenceError
from tests.resampling.test_conformal_definition import jackknife_plus, means_without

N = 24
pytestmark = pytest.mark.filterwarnings("ignore::mcmodels.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X, new = rng.normal(size=(N, 2)), rng.normal(size=(7, 2))
    return X, X @ [1.0, -0.5] + rng.normal(size=N), new, np.arange(N)


@pytest.mark.parametrize(
    "model",
    [
        QuantileRegressor(quantile=0.4),
        ObjectiveRegressor("(y - eta)**2", l1=0.5),
        MLPRegressor(hidden_layer_sizes=(2,), random_state=0, max_iter=30),
        OfScikitLearn(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_jackknife_plus_is_its_definition(data, model):
    X, y, new, codes = data
    loo = leave_one_out(clone(model).fit(X, y), X, y)
    found = loo.predict_interval(new, 0.8)
    expected = jackknife_plus(*means_without(model, X, y, new, codes), y, 0.8)
    np.testing.assert_allclose(found[["lower", "upper"]], expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found["prediction"], clone(model).fit(X, y).predict(new))
    again = pickle.loads(pickle.dumps(loo)).predict_interval(new, 0.8)
    pd.testing.assert_frame_equal(again, found)


def test_they_are_those_of_steps(data):
    X, y, new, codes = data
    w = np.arange(N) % 3 + 1.0
    for groups in (None, codes % 6):
        for weights in (None, w):
            refitted = leave_one_out(
                OfScikitLearn().fit(X, y, weights), X, y, weights, groups=groups
            )
            stepped = leave_one_out(
                LinearRegression().fit(X, y, weights), X, y, weights, groups=groups
            )
            pd.testing.assert_frame_equal(
                refitted.predict_interval(new, 0.8),
                stepped.predict_interval(new, 0.8),
            )
    Y = np.column_stack([y, -2 * y + X[:, 0] ** 2])
    refitted = leave_one_out(OfScikitLearn().fit(X, Y), X, Y).predict_interval(new, 0.8)
    stepped = leave_one_out(LinearRegression().fit(X, Y), X, Y).predict_interval(new, 0.8)
    pd.testing.assert_frame_equal(refitted, stepped)


def test_counts_with_an_estimated_theta_are_not_negative(data):
    X, _, new, _ = data
    counts = np.random.default_rng(3).negative_binomial(2, 0.4, N) * 1.0
    exposure, of_new = np.linspace(1, 2, N), np.ones(7)
    model = GeneralizedLinearRegressor("negative_binomial", theta="estimate")
    loo = leave_one_out(model.fit(X, counts, exposure=exposure), X, counts, exposure=exposure)
    found = loo.predict_interval(new, 0.8, exposure=of_new)
    assert (found["lower"] >= 0).all()
    assert (found["lower"] <= found["upper"]).all()
    assert np.isfinite(found["upper"]).all()


@pytest.mark.parametrize("options", [{}, {"by_class": True}, {"score": "adaptive"}], ids=str)
def test_sets_are_those_of_steps(data, options):
    X, y, new, _ = data
    kinds = np.array(["a", "b", "c"])[np.digitize(y, [-0.5, 0.7])]
    for of in (kinds, np.where(y > 0, "yes", "no")):
        ours = LogisticRegression(C=1.0, tol=1e-12).fit(X, of)
        theirs = ClassesOfScikitLearn(C=1.0, tol=1e-12, max_iter=1000).fit(X, of)
        np.testing.assert_allclose(ours.predict_proba(new), theirs.predict_proba(new), atol=1e-6)
        pd.testing.assert_frame_equal(
            leave_one_out(theirs, X, of).predict_set(new, 0.7, **options),
            leave_one_out(ours, X, of).predict_set(new, 0.7, **options),
        )


def test_sets_of_firth_with_groups_and_of_certain_probabilities(data):
    X, y, new, codes = data
    two = y > 0
    firth = leave_one_out(FirthLogisticRegression().fit(X, two), X, two, groups=codes % 8)
    assert firth.predict_set(new, 0.8)["size"].between(1, 2).all()
    apart = np.where(X[:, 0] > 0, 1, 0)
    forest = RandomForestClassifier(5, random_state=0).fit(X, apart)
    sets = leave_one_out(forest, X, apart).predict_set(np.array([[-2.0, 0.0], [2.0, 0.0]]), 0.7)
    assert sets["size"].tolist() == [1, 1]
    assert sets[1].tolist() == [False, True]


def test_what_is_refused_and_warned_of(data):
    X, y, new, _ = data
    loo = leave_one_out(QuantileRegressor().fit(X, y), X, y)
    with pytest.raises(InferenceError, match="QuantileRegressor is a regressor"):
        loo.predict_set(new)
    with pytest.raises(InferenceError, match="rows in memory"):
        loo.predict_interval(RowStream(lambda: iter([(new,)])))
    with pytest.raises(TypeError, match="takes no offset"):
        loo.predict_interval(new, offset=np.zeros(7))
    with pytest.warns(FewRowsWarning, match="at least 99 rows"):
        found = loo.predict_interval(new, 0.99)
    assert np.isposinf(found["upper"]).all()
    table = pd.DataFrame(X, columns=["u", "v"])
    loo = leave_one_out(QuantileRegressor().fit(table, y), table, y)
    assert loo.predict_interval(table.iloc[[3, 5]], 0.8).index.tolist() == [3, 5]
