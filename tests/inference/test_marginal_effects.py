"""Marginal effects: statsmodels, differences of probabilities, the delta method, laws."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import sparse

from mcmodels import LogisticRegression
from tests import certified
from tests.inference.test_logistic_model import FAR, THEIRS, fitted, logit, rows_of
from tests.numerics import central_differences, complex_step, relative_error

# Five-point differences with steps of 1e-3 of columns and parameters of order one; 1e-11 is seen.
DIFFERENCES = 1e-9


def near_one(seed, n_classes, n=150):
    """Columns of order one, the last 0 or 1, so that differences keep their digits."""
    X, y = rows_of(seed, n_classes, n)
    X[:, :3] = (X[:, :3] - X[:, :3].mean(axis=0)) / X[:, :3].std(axis=0) + 0.5
    return X, y


def probabilities(theta, X, intercept=True):
    """Of every class (of the second, of two), for complex numbers, too; shape (n, classes)."""
    design = np.column_stack([X, np.ones(len(X))]) if intercept else X
    eta = design @ np.atleast_2d(theta).T
    if eta.shape[1] == 1:
        return 1 / (1 + np.exp(-eta))
    return np.exp(eta) / np.exp(eta).sum(axis=1, keepdims=True)


def effects_by_definition(theta, X, at, discrete, w=None, intercept=True):
    """Derivatives by the complex step, differences of probabilities; shape (classes, p)."""
    w = np.ones(len(X)) if w is None else w
    points = (w @ X / w.sum())[np.newaxis] if at == "means" else X
    w = np.ones(1) if at == "means" else w
    columns = []
    for j in range(X.shape[1]):
        ends = []
        if discrete and np.isin(X[:, j], [0, 1]).all():
            for value in (1.0, 0.0):
                moved = points.copy()
                moved[:, j] = value
                ends.append(w @ probabilities(theta, moved, intercept) / w.sum())
            columns.append(ends[0] - ends[1])
        else:
            h = 1e-3
            for k in (-2, -1, 1, 2):
                moved = points.astype(np.result_type(theta, float))
                moved[:, j] += k * h
                ends.append(w @ probabilities(theta, moved, intercept) / w.sum())
            columns.append((ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * h))
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("at", ["average", "means", "rows"])
@pytest.mark.parametrize("discrete", [True, False])
@pytest.mark.parametrize("intercept", [True, False])
def test_two_classes_against_logit(seed, at, discrete, intercept):
    X, y = rows_of(seed)
    X = X if intercept else np.column_stack([X[:, :3] - X[:, :3].mean(axis=0), X[:, 3]])
    ours = fitted(X, y, fit_intercept=intercept).marginal_effects(X, at=at, discrete=discrete)
    where = {"average": "overall", "means": "mean", "rows": "all"}[at]
    theirs = logit(X, y, intercept).get_margeff(at=where, dummy=discrete)
    if at == "rows":
        assert relative_error(ours, theirs.margeff) < THEIRS
        return
    np.testing.assert_allclose(ours["coefficient"], theirs.margeff, rtol=THEIRS)
    np.testing.assert_allclose(ours["standard_error"], theirs.margeff_se, rtol=THEIRS)
    np.testing.assert_allclose(ours["z"], theirs.tvalues, rtol=10 * THEIRS)
    np.testing.assert_allclose(ours["p_value"], theirs.pvalues, rtol=100 * THEIRS)
    assert relative_error(ours[["lower", "upper"]], theirs.conf_int()) < THEIRS


@pytest.mark.parametrize("at", ["average", "means", "rows"])
def test_several_classes_against_mnlogit(at):
    # With dummy=True statsmodels 0.15 raises unless there are as many classes as columns;
    # differences show that case below.
    X, y = rows_of(1, 4)
    ours = fitted(X, y).marginal_effects(X, at=at, discrete=False)
    where = {"average": "overall", "means": "mean", "rows": "all"}[at]
    theirs = logit(X, y, model=sm.MNLogit).get_margeff(at=where, dummy=False)
    if at == "rows":
        by_class = ours.to_numpy().reshape(len(X), 4, 4)
        assert relative_error(by_class, np.swapaxes(theirs.margeff, 1, 2)) < THEIRS
        return
    np.testing.assert_allclose(ours["coefficient"], theirs.margeff.T.ravel(), rtol=THEIRS)
    np.testing.assert_allclose(ours["standard_error"], theirs.margeff_se.T.ravel(), rtol=THEIRS)


def test_titanic_against_logit():
    about, data = certified.answers("titanic_survival"), certified.table("titanic_survival")
    X, y = data[about["terms"]], data[about["response"]]
    ours = fitted(X, y).marginal_effects(X)
    theirs = logit(X.to_numpy(), y.to_numpy()).get_margeff(dummy=True)
    assert list(ours.index) == about["terms"]
    np.testing.assert_allclose(ours["coefficient"], theirs.margeff, rtol=THEIRS)
    np.testing.assert_allclose(ours["standard_error"], theirs.margeff_se, rtol=THEIRS)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("at", ["average", "means"])
@pytest.mark.parametrize("discrete", [True, False])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("C", [np.inf, 0.7])
def test_definition_and_delta_method(n_classes, at, discrete, intercept, C):
    X, y = near_one(2, n_classes)
    w = np.random.default_rng(0).integers(0, 3, len(y)).astype(float)
    model = fitted(X, y, w, C=C, fit_intercept=intercept)
    ours = model.marginal_effects(X, at=at, discrete=discrete, sample_weight=w)
    shape = model.params_.shape

    def effects(theta):
        theta = theta.reshape(shape)
        return effects_by_definition(theta, X, at, discrete, w, intercept).ravel()

    assert relative_error(ours["coefficient"], effects(model.params_)) < DIFFERENCES
    J = complex_step(effects, model.params_.ravel())
    errors = np.sqrt(np.diagonal(J @ model.covariance_ @ J.T))
    assert relative_error(ours["standard_error"], errors) < DIFFERENCES
    # The other way round: the probabilities' own mean by differences of the parameters.
    J = central_differences(lambda t: np.real(effects(t)), model.params_.ravel())
    errors = np.sqrt(np.diagonal(J @ model.covariance_ @ J.T))
    assert relative_error(ours["standard_error"], errors) < 100 * DIFFERENCES
    assert ("p_value" in ours) == (C == np.inf)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_rows_are_averaged(n_classes):
    X, y = rows_of(3, n_classes)
    model = fitted(X, y)
    of_rows = model.marginal_effects(X, at="rows")
    average = model.marginal_effects(X)["coefficient"]
    # The same numbers in two orders of summation.
    np.testing.assert_allclose(of_rows.mean(), average, rtol=1e-12)
    assert list(of_rows.columns) == list(average.index)
    if n_classes == 3:  # probabilities sum to one, and their changes to zero
        total = of_rows.to_numpy().reshape(len(X), 3, 4).sum(axis=1)
        assert np.abs(total).max() < 1e-13 * of_rows.abs().to_numpy().max()
        assert list(average.index[:2]) == ["0:x0", "0:x1"]


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("at", ["average", "means"])
def test_weights_are_counts(n_classes, at):
    X, y = rows_of(4, n_classes)
    model = fitted(X, y)
    w = np.random.default_rng(4).integers(0, 3, len(y))
    X[np.argmin(w), 3] = 7.0  # an absent row decides nothing, not even that a column is 0 or 1
    weighted = model.marginal_effects(X, at=at, sample_weight=w)
    repeated = model.marginal_effects(np.repeat(X, w, axis=0), at=at)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-10, atol=1e-13)  # order of summation


@pytest.mark.parametrize("n_classes", [2, 3])
def test_far_from_zero(n_classes):
    X, y = rows_of(5, n_classes)
    there = X + FAR
    expected = fitted(X, y).marginal_effects(X)
    ours = fitted(there, y).marginal_effects(there)
    # The entries, rounded to 1e-10, are moved by as much; squares about zero would leave 1e-4.
    columns = ["coefficient", "standard_error", "lower", "upper"]
    assert relative_error(ours[columns], expected[columns]) < 1e-8


def test_storages_names_and_index():
    X, y = rows_of(6, 3)
    labels = np.array(["a", "b", "c"])[y]
    data = pd.DataFrame(X, columns=list("pqrs"), index=np.arange(len(X)) + 1000)
    model = LogisticRegression(C=np.inf).fit(data, labels)
    of_rows = model.marginal_effects(data, at="rows")
    assert list(of_rows.index) == list(data.index)
    assert list(of_rows.columns[:5]) == ["a:p", "a:q", "a:r", "a:s", "b:p"]
    plain = fitted(X, y)
    expected = plain.marginal_effects(X)
    for storage in (sparse.csr_array(X), sparse.csc_array(X), np.asfortranarray(X)):
        # Sums in another order.
        np.testing.assert_allclose(plain.marginal_effects(storage), expected, rtol=1e-9, atol=1e-13)
    single = X.astype(np.float32)
    expected = plain.marginal_effects(single.astype(float))
    np.testing.assert_allclose(plain.marginal_effects(single), expected, rtol=1e-10, atol=1e-14)


def test_effects_where_probabilities_are_all_but_one():
    X, y = near_one(7, 3)
    model = fitted(X, y)
    far = X[:5] * 40
    for at in ("average", "means", "rows"):
        assert np.isfinite(model.marginal_effects(far, at=at)).all(axis=None)
    # Of the all but certain class, too, relative to an effect that may be 1e-20: the others'.
    of_rows = model.marginal_effects(far, at="rows").to_numpy().reshape(5, 3, 4)
    theta, smallest = model.params_, []
    for x, effects in zip(far, of_rows, strict=True):
        p = probabilities(theta, x[np.newaxis])[0]
        k = p.argmax()
        smallest.append(1 - p[k])
        others = [j for j in range(3) if j != k]
        expected = -sum(p[j] * (theta[j, :3] - p @ theta[:, :3]) for j in others)
        np.testing.assert_allclose(effects[k, :3], expected, rtol=1e-9)
    assert min(smallest) == 0  # 1 - p would have no digit left


def test_refusals():
    X, y = rows_of(0)
    model = fitted(X, y)
    with pytest.raises(ValueError, match="at='rows' takes no mean"):
        model.marginal_effects(X, at="rows", sample_weight=np.ones(len(y)))
    with pytest.raises(ValueError, match="'median'"):
        model.marginal_effects(X, at="median")
    with pytest.raises(ValueError, match="level=95"):
        model.marginal_effects(X, level=95)
