"""Intervals of probabilities: GLM, the delta method, where they stay, and what they keep."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats
from scipy.special import logit as log_odds

from mcmodels import LogisticRegression, RowStream
from tests import certified
from tests.inference.test_logistic_model import FAR, THEIRS, fitted, glm, rows_of
from tests.inference.test_marginal_effects import near_one, probabilities
from tests.numerics import complex_step, relative_error


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("level", [0.5, 0.95])
def test_two_classes_against_glm(seed, level):
    X, y = rows_of(seed)
    ours = fitted(X, y).predict_interval(X, level)
    theirs = glm(X, y).get_prediction().summary_frame(alpha=1 - level)
    assert list(ours.columns) == ["probability", "standard_error", "lower", "upper"]
    np.testing.assert_allclose(ours, theirs, rtol=THEIRS)


def test_titanic_against_glm():
    about, data = certified.answers("titanic_survival"), certified.table("titanic_survival")
    X, y = data[about["terms"]], data[about["response"]]
    theirs = glm(X.to_numpy(), y.to_numpy()).get_prediction().summary_frame()
    # Columns of condition 1e2: all but a few digits agree.
    np.testing.assert_allclose(fitted(X, y, tol=0).predict_interval(X), theirs, rtol=1e-11)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("C", [np.inf, 0.5])
def test_delta_method_by_the_complex_step(n_classes, intercept, C):
    X, y = near_one(1, n_classes)
    model = fitted(X, y, C=C, fit_intercept=intercept)
    ours = model.predict_interval(X, 0.8).to_numpy().reshape(len(X), -1, 4)
    theta = model.params_.ravel()

    def log_odds_of(t):
        p = probabilities(t.reshape(model.params_.shape), X, intercept)
        return np.log(p) - np.log(1 - p)

    J = complex_step(log_odds_of, theta)
    s = np.sqrt(np.einsum("ikp,pq,ikq->ik", J, model.covariance_, J))
    p = probabilities(model.params_, X, intercept)
    # The complex step is exact; covariances have the condition of these columns, about 1e2.
    np.testing.assert_allclose(ours[..., 0], p, rtol=1e-12)
    np.testing.assert_allclose(ours[..., 1], p * (1 - p) * s, rtol=1e-10)
    reach = stats.norm.isf(0.1) * s
    np.testing.assert_allclose(log_odds(ours[..., 2]), log_odds(p) - reach, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(log_odds(ours[..., 3]), log_odds(p) + reach, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_they_never_leave_what_probabilities_are(n_classes):
    X, y = near_one(2, n_classes)
    model = fitted(X, y)
    for factor in (1, 30, 1e3, 1e6):
        ours = model.predict_interval(factor * X, 0.99).to_numpy().reshape(len(X), -1, 4)
        p, s, lower, upper = np.moveaxis(ours, -1, 0)
        assert not np.isnan(ours).any()
        assert (lower >= 0).all()
        assert (upper <= 1).all()
        assert (lower <= p).all()
        assert (p <= upper).all()
        assert (s >= 0).all()
    # A wider level is a wider interval.
    wide, narrow = (model.predict_interval(X, level).to_numpy() for level in (0.99, 0.5))
    lower = np.arange(2, wide.shape[1], 4)
    assert (wide[:, lower] < narrow[:, lower]).all()
    assert (wide[:, lower + 1] > narrow[:, lower + 1]).all()


def test_nearly_separated_classes_with_a_weak_penalty():
    x = np.concatenate([np.linspace(-3, -1, 40), np.linspace(1, 3, 40)])[:, np.newaxis]
    for y in (np.repeat([0, 1], 40), np.repeat([0, 1, 2], [20, 20, 40])):
        model = LogisticRegression(C=1e8).fit(x, y)
        assert np.isfinite(model.standard_errors_).all()
        for of in (model.predict_interval(x), model.marginal_effects(x)):
            assert not of.isna().any(axis=None)
        assert model.predict_interval(x).to_numpy().max() <= 1


@pytest.mark.parametrize("n_classes", [2, 3])
def test_units_origins_and_order(n_classes):
    X, y = rows_of(3, n_classes)
    expected = fitted(X, y).predict_interval(X)
    units = np.array([1e-9, 1e9, 1e4, 1.0])
    np.testing.assert_allclose(
        fitted(X * units, y).predict_interval(X * units), expected, rtol=1e-9
    )
    there = X + FAR
    # The entries are rounded to 1e-10; squares about zero would leave four digits.
    assert relative_error(fitted(there, y).predict_interval(there), expected) < 1e-8
    order = np.random.default_rng(0).permutation(len(y))
    np.testing.assert_allclose(fitted(X[order], y[order]).predict_interval(X), expected, rtol=1e-9)


def test_columns_close_together_in_any_unit():
    rng = np.random.default_rng(1)
    x = rng.standard_normal(300)
    X = np.column_stack([x, x + 1e-6 * rng.standard_normal(300), rng.standard_normal(300)]) + 3
    y = x + rng.logistic(size=300) > 0
    units = np.array([1e-12, 1e12, 1.0])
    model, other = fitted(X, y), fitted(X * units, y)
    # A condition of 1e6 leaves ten digits in whatever unit; 1e-10 is seen.
    ours, expected = other.predict_interval(X * units), model.predict_interval(X)
    assert relative_error(ours, expected) < 1e-8
    ours, expected = other.influence(X * units, y), model.influence(X, y)
    assert relative_error(ours, expected) < 1e-8
    errors = other.standard_errors_[:3] * units
    assert relative_error(errors, model.standard_errors_[:3]) < 1e-8


def test_weights_are_counts():
    X, y = rows_of(4)
    w = np.random.default_rng(4).integers(0, 3, len(y))
    weighted, repeated = fitted(X, y, w), fitted(np.repeat(X, w, axis=0), np.repeat(y, w))
    np.testing.assert_allclose(
        weighted.predict_interval(X), repeated.predict_interval(X), rtol=1e-10
    )


@pytest.mark.parametrize("n_classes", [2, 3])
def test_storages_names_and_index(n_classes):
    X, y = rows_of(5, n_classes)
    labels = np.array(["a", "b", "c"])[y]
    data = pd.DataFrame(X, columns=list("pqrs"), index=np.arange(len(X)) + 1000)
    # Fits go on until rounding ends them: within tol, each way of summing may stop elsewhere.
    model = LogisticRegression(C=np.inf, tol=0).fit(data, labels)
    ours = model.predict_interval(data)
    assert list(ours.index) == list(data.index)
    if n_classes == 3:
        assert list(ours.columns[:5]) == [
            *((("a", of)) for of in ("probability", "standard_error", "lower", "upper")),
            ("b", "probability"),
        ]
        np.testing.assert_allclose(ours.xs("probability", axis=1, level=1).sum(axis=1), 1)
    plain = fitted(X, y, tol=0)
    streamed = LogisticRegression(C=np.inf, tol=0).fit(
        RowStream(lambda: ((X[i : i + 70], y[i : i + 70]) for i in range(0, len(y), 70)))
    )
    for other, rows in (
        (plain, sparse.csr_array(X)),
        (plain, np.asfortranarray(X)),
        (pickle.loads(pickle.dumps(plain)), X),
        (streamed, X),
        (fitted(sparse.csc_array(X), y, tol=0), X),
    ):
        # Sums in another order, of squares about zero in the sparse case.
        np.testing.assert_allclose(other.predict_interval(rows), ours, rtol=1e-9)
    single = X.astype(np.float32)
    np.testing.assert_allclose(
        plain.predict_interval(single), plain.predict_interval(single.astype(float)), rtol=1e-12
    )


@pytest.mark.parametrize("level", [0, 1, 95, np.nan])
def test_a_level_is_a_probability(level):
    X, y = rows_of(0)
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        fitted(X, y).predict_interval(X, level)
