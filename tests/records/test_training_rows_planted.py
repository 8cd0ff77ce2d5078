"""Training rows: rounding of columns far from zero, parameters set after the fit, other rows."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from mcmodels import (
    LinearRegression,
    LogisticRegression,
    MLPRegressor,
    ObjectiveClassifier,
    ObjectiveRegressor,
    RowStream,
    likelihood_ratio_test,
)
from mcmodels.rows import ArrayRows, RowsWithCrossSums

rng = np.random.default_rng(0)
X = rng.normal(size=(80, 3))
TARGET = X @ [1.0, -2.0, 0.5] + rng.normal(size=80)
CLASSES = X[:, 0] + 2 * rng.normal(size=80) > 0
WEIGHTS = rng.random(80) + 0.5
ORDER = rng.permutation(80)
NOT_THEM = "not the rows that the model was fitted to"
POISSON = "exp(eta) - y*eta"
MODELS = {
    "linear": (LinearRegression(), TARGET),
    "linear, no intercept": (LinearRegression(fit_intercept=False, solver="pinv"), TARGET),
    "logistic": (LogisticRegression(class_weight="balanced"), CLASSES),
    "three classes": (LogisticRegression(), np.digitize(TARGET, [-1.0, 1.0])),
    "own loss": (ObjectiveRegressor("sqrt(1 + (y - eta)**2)"), TARGET),
    "own loss of classes": (ObjectiveClassifier("log(1 + exp(-(2*y - 1)*eta))"), CLASSES),
}


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FitWarning")
@pytest.mark.parametrize("n", [10, 40])
@pytest.mark.parametrize("mean", [1e8, 1e12])
@pytest.mark.parametrize("model", ["logistic", "stopped", "counts"])
def test_columns_far_from_zero_are_no_other_rows(model, mean, n):
    """The linear predictor then has few digits, and the objective no more."""
    model = {
        "logistic": LogisticRegression(),
        "stopped": LogisticRegression(max_iter=2, C=np.inf),
        "counts": ObjectiveRegressor(POISSON, alpha=1.0),
    }[model]
    for seed in range(5):
        draws = np.random.default_rng(seed)
        scaled = draws.normal(size=(n, 2))
        far = mean * (1.0 + 1e-8 * scaled)
        y = (scaled[:, 0] + 2 * draws.normal(size=n) > 0).astype(int)
        y[:2] = 0, 1
        model.fit(far, y)
        record, order = model._record(), draws.permutation(n)
        for rows, labels in ((far, y), (far[order], y[order])):
            objective = model._objective_on(rows, labels, None)
            record.require_training_rows(objective.rows, objective)
        changed = np.where(np.arange(n) == np.flatnonzero(y == 0)[0], 1, y)
        objective = model._objective_on(far, changed, None)
        with pytest.raises(ValueError, match=NOT_THEM):
            record.require_training_rows(objective.rows, objective)


def test_laplace_takes_the_penalty_of_the_fit():
    model = MLPRegressor((3,), "tanh", alpha=1.0, random_state=0, max_iter=500).fit(X, TARGET)
    expected = model.laplace(X, TARGET).covariance
    model.set_params(alpha=3.0, activation="relu")
    np.testing.assert_array_equal(model.laplace(X, TARGET).covariance, expected)


def test_covariances_take_the_loss_of_the_fit():
    model = ObjectiveRegressor("(y - eta)**2", alpha=1.0).fit(X, TARGET)
    expected = model.covariance(X, TARGET)
    model.set_params(loss="(y - eta)**4", alpha=3.0)
    np.testing.assert_array_equal(model.covariance(X, TARGET), expected)


def given_again(X, y, weights):
    """The same rows, in other ways."""
    dense = np.asfortranarray(X)
    yield X[ORDER], y[ORDER], weights[ORDER]
    yield dense, y, weights
    yield scipy.sparse.csr_array(X), y, weights
    yield X.tolist(), y.tolist(), weights.tolist()


def other_rows(X, y, weights):
    """Rows that are as many, of the same total weight."""
    changed = X.copy()
    changed[7, 1] += 0.01
    yield changed, y, weights
    first, second = 0, int(np.flatnonzero(y != y[0])[0])
    swapped = y.copy()
    swapped[[first, second]] = swapped[[second, first]]
    yield X, swapped, weights
    moved = weights.copy()
    moved[3] += 0.1
    moved[4] -= 0.1
    yield X, y, moved
    yield X[:, [1, 0, 2]], y, weights
    yield X, y[::-1], weights


@pytest.mark.parametrize("case", MODELS)
@pytest.mark.parametrize("source", ["arrays", "stream"])
def test_same_rows_pass_and_others_are_refused(case, source):
    model, y = MODELS[case]
    if source == "arrays":
        model.fit(X, y, sample_weight=WEIGHTS)
    else:
        parts = [slice(0, 30), slice(30, 80)]
        model.fit(RowStream(lambda: [(X[p], y[p], WEIGHTS[p]) for p in parts]))
    expected = model.covariance(X, y, WEIGHTS, kind="HC0")
    for rows in given_again(X, y, WEIGHTS):
        found = model.covariance(*rows, kind="HC0")
        # Sums over rows in another order.
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    for rows in other_rows(X, y, WEIGHTS):
        with pytest.raises(ValueError, match=rf"{NOT_THEM}|the weights of the rows sum to"):
            model.covariance(*rows, kind="HC0")


def test_rows_in_float32_are_other_rows_unless_their_numbers_are_the_same():
    rounded = X.astype(np.float32)
    model = LinearRegression().fit(X, TARGET)
    with pytest.raises(ValueError, match=NOT_THEM):
        model.covariance(rounded, TARGET)
    model.fit(rounded, TARGET).covariance(rounded.astype(np.float64), TARGET)


def test_a_hat_matrix_of_other_rows_is_refused():
    model = LinearRegression(fit_intercept=False).fit(X, TARGET)
    model.hat_matrix(X[ORDER])
    with pytest.raises(ValueError, match="sum of squares of column"):
        model.hat_matrix(X + 0.01)
    model = LinearRegression().fit(X, TARGET, sample_weight=WEIGHTS)
    model.hat_matrix(X, WEIGHTS)
    with pytest.raises(ValueError, match=NOT_THEM):
        model.hat_matrix(X, WEIGHTS[::-1])


@pytest.mark.parametrize("case", ["linear", "logistic"])
def test_models_of_the_same_rows_in_another_order_are_compared(case):
    model, other, y = {
        "linear": (LinearRegression(), LinearRegression(), TARGET),
        "logistic": (LogisticRegression(C=np.inf), LogisticRegression(C=np.inf), CLASSES),
    }[case]
    small, big = model.fit(X[:, :2], y), other.fit(X[ORDER], y[ORDER])
    assert likelihood_ratio_test(small, big).df == 1
    with pytest.raises(ValueError, match="not fitted to the same rows and target"):
        likelihood_ratio_test(small, other.fit(X, np.roll(y, 1) * 2 if case == "linear" else ~y))


@pytest.mark.parametrize("apart", [1.0, 1e-5])
@pytest.mark.parametrize("case", MODELS)
def test_entries_exchanged_between_rows_of_the_same_target(case, apart):
    """All sums by target stay; the objective does not."""
    model, y = MODELS[case]
    y, given = y.copy(), X.copy()
    y[6] = y[0]
    given[[0, 6]] = [[0.0, -2.0, 1.0], [apart, 2.0, -1.0]]
    changed = given.copy()
    changed[[0, 6], 0] = given[[6, 0], 0]
    model.fit(given, y).covariance(given, y, kind="HC0")
    with pytest.raises(ValueError, match="the objective at the fit"):
        model.covariance(changed, y, kind="HC0")


def test_entries_exchanged_in_the_rows_of_a_network():
    y = TARGET.copy()
    y[6] = y[0]
    model = MLPRegressor((3,), "tanh", alpha=1.0, random_state=0, max_iter=500).fit(X, y)
    changed = X.copy()
    changed[[0, 6], 0] = X[[6, 0], 0]
    with pytest.raises(ValueError, match="the objective at the fit"):
        model.laplace(changed, y)


def test_what_differs_is_named():
    model = LinearRegression().fit(X, TARGET)
    design = np.column_stack([X, np.ones(80)])
    noise = np.cos(np.arange(80.0))
    across = noise - design @ np.linalg.lstsq(design, noise)[0]
    for what, *changed in (
        ("the sum of target 'y'", X, TARGET + 1e-8),
        ("the sum of squares of target 'y'", X, TARGET + across),
        ("the sum of column 'x1'", X + np.array([0.0, 1e-8, 0.0]), TARGET),
        ("the sum of products of 'x0' with 'y'", X, TARGET[::-1]),
    ):
        with pytest.raises(ValueError, match=what):
            model.covariance(*changed)


@pytest.mark.parametrize("case", ["linear", "logistic", "own loss"])
def test_a_shift_of_all_rows_by_little_more_than_rounding(case):
    """Sums of 80 numbers of size one are right to 1e-13 of their length, and it moves them 1e-9."""
    model, y = MODELS[case]
    model.fit(X, y)
    with pytest.raises(ValueError, match="the sum of column 'x1'"):
        model.covariance(X + np.array([0.0, 1e-11, 0.0]), y, kind="HC0")
    if case != "logistic":
        with pytest.raises(ValueError, match="the sum of target 'y'"):
            model.covariance(X, y + 1e-11, kind="HC0")


def test_targets_that_differ_across_all_columns_are_not_the_same():
    """Sums of the target and its products with the columns stay; its squares do not."""
    design = np.column_stack([X, np.ones(80)])
    noise = np.cos(np.arange(80.0))
    across = noise - design @ np.linalg.lstsq(design, noise)[0]
    small, big = LinearRegression().fit(X[:, :2], TARGET), LinearRegression()
    assert likelihood_ratio_test(small, big.fit(X, TARGET)).df == 1
    with pytest.raises(ValueError, match="the sums of target 'y' differ"):
        likelihood_ratio_test(small, big.fit(X, TARGET + across))


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_cross_sums(weights):
    codes = np.arange(80) % 3
    w = np.ones(80) if weights is None else weights
    indicators = (codes[:, np.newaxis] == np.arange(3)).astype(float)
    for y, n_classes, targets in ((codes, 3, indicators), (TARGET, None, TARGET[:, np.newaxis])):
        for storage in (X, scipy.sparse.csr_array(X)):
            rows = RowsWithCrossSums(ArrayRows(storage, y, weights, block_rows=17), n_classes)
            sums = rows.cross_sums
            expected = w @ X, w @ targets, w @ targets**2, (targets.T * w) @ X
            for found, value in zip(
                (sums.x, sums.y, sums.y_squares, sums.xy), expected, strict=True
            ):
                # Sums of 80 numbers of the size of one, in another order.
                np.testing.assert_allclose(found, value, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_a_model_without_intercept_is_nested_in_one_with_it(shift):
    named = pd.DataFrame(X + shift, columns=["a", "b", "c"])
    small = LinearRegression(fit_intercept=False).fit(named[["a", "b"]], TARGET + shift)
    big = LinearRegression().fit(named, TARGET + shift)
    assert likelihood_ratio_test(small, big).df == 2
    for y in (TARGET[::-1] + shift, TARGET + shift + 0.01):
        with pytest.raises(ValueError, match="not fitted to the same rows and target"):
            likelihood_ratio_test(small.fit(named[["a", "b"]], y), big)


def test_a_hat_matrix_compares_weights_and_columns():
    model = LinearRegression().fit(X, TARGET, sample_weight=WEIGHTS)
    for weights in (2 * WEIGHTS, None):
        with pytest.raises(ValueError, match="the weights of the rows sum to"):
            model.hat_matrix(X, weights)
    with pytest.raises(ValueError, match="the sum of column 'x1'"):
        model.hat_matrix(X + np.array([0.0, 1e-8, 0.0]), WEIGHTS)


def test_parameters_set_after_the_fit_change_nothing_that_it_says():
    model = LogisticRegression().fit(X, CLASSES)
    expected = model.covariance(X, CLASSES)
    shape = model.params_.shape
    model.set_params(C=5.0, fit_intercept=False, class_weight="balanced")
    np.testing.assert_array_equal(model.covariance(X, CLASSES), expected)
    assert model.params_.shape == shape
    assert model.influence(X, CLASSES).shape == (80, 9)
    without = LinearRegression(fit_intercept=False).fit(X, TARGET).set_params(fit_intercept=True)
    assert without.params_.shape == (3,)
    assert without.hessian(X, TARGET).shape == without.hessian_.shape


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("outputs", [1, 3])
def test_sums_of_offsets(weights, outputs):
    codes, w = np.arange(80) % 3, np.ones(80) if weights is None else weights
    offset = np.random.default_rng(1).normal(size=(80, outputs))
    extras = {"offset": offset[:, 0] if outputs == 1 else offset}
    indicators = (codes[:, np.newaxis] == np.arange(3)).astype(float)
    for y, n_classes, targets in ((codes, 3, indicators), (TARGET, None, TARGET[:, np.newaxis])):
        for storage in (X, scipy.sparse.csr_array(X)):
            rows = ArrayRows(storage, y, weights, extras, block_rows=17)
            sums = RowsWithCrossSums(rows, n_classes).cross_sums.offset
            of = (offset.T * w).T
            expected = of.sum(axis=0), (of * offset).sum(axis=0), of.T @ targets, of.T @ X
            found = sums.total, sums.squares, sums.y, sums.x
            for ours, value in zip(found, expected, strict=True):
                # Sums of 80 numbers of the size of one, in another order.
                np.testing.assert_allclose(ours, value, rtol=1e-12, atol=1e-12)
