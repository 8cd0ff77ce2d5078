"""partial_fit of networks: scikit-learn's updates, the minimum they reach, and what is refused."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.neural_network
from scipy import sparse
from sklearn.base import clone

from mcmodels import MLPClassifier, MLPRegressor, RowStream
from mcmodels.exceptions import InferenceError
from mcmodels.solvers.adam import AdamState
from tests.numerics import relative_error

RNG = np.random.default_rng(0)
N = 450
X = RNG.standard_normal((N, 3))
TWO = (X[:, 0] > X[:, 1]).astype(int)
THREE = np.array(["a", "b", "c"])[np.digitize(X[:, 0], [-0.7, 0.9])]
LABELS = np.column_stack([TWO, X[:, 2] > 0]).astype(int)
NUMBERS = np.sin(X[:, 0]) + 0.1 * RNG.standard_normal(N)
COUNTS = RNG.poisson(np.exp(0.5 * X[:, 0]))
W = RNG.uniform(0.5, 2.0, N)
CASES = {
    "two classes": (MLPClassifier, {}, TWO, {"classes": [0, 1]}),
    "three classes": (MLPClassifier, {}, THREE, {"classes": ["a", "b", "c"]}),
    "labels": (MLPClassifier, {}, LABELS, {}),
    "numbers": (MLPRegressor, {}, NUMBERS, {}),
    "two targets": (MLPRegressor, {}, np.column_stack([NUMBERS, X[:, 1]]), {}),
    "counts": (MLPRegressor, {"loss": "poisson"}, COUNTS, {}),
}
OPTIONS = {"activation": "tanh", "random_state": 3, "alpha": 0.1}


def updated(case, calls=3, weights=W, **options):
    kind, of_case, y, first = CASES[case]
    model = kind((5, 4), **{**OPTIONS, **of_case, **options})
    for _ in range(calls):
        model.partial_fit(X, y, weights, **first)
    return model


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "relu", "logistic"])
@pytest.mark.parametrize("case", CASES)
def test_scikit_learns_updates(case, activation, weighted):
    """Of 450 rows, three batches in each call."""
    kind, options, y, first = CASES[case]
    weights = W if weighted else None
    model = updated(case, 5, weights, activation=activation)
    theirs = getattr(sklearn.neural_network, kind.__name__)(
        hidden_layer_sizes=(5, 4),
        solver="adam",
        shuffle=False,
        **{**OPTIONS, **options, "activation": activation},
    )
    classes = {"classes": np.arange(2)} if case == "labels" else first
    for _ in range(5):
        theirs.partial_fit(X, y, sample_weight=weights, **classes)
    for ours, other in zip(
        model.coefs_ + model.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        # The same updates; a root of small moments magnifies the rounding of sums over rows.
        np.testing.assert_allclose(ours, other, rtol=1e-8, atol=1e-10)
    outputs = "predict_proba" if kind is MLPClassifier else "predict"
    found, expected = (getattr(of, outputs)(X) for of in (model, theirs))
    np.testing.assert_allclose(found, expected, rtol=1e-7)
    if not weighted and case != "two targets":  # of two targets it reports the mean
        assert model.loss_ == pytest.approx(theirs.loss_, rel=1e-8)
    assert model.n_iter_ == 15


@pytest.mark.parametrize("case", CASES)
def test_many_calls_reach_the_minimum_of_fit(case):
    """All rows in one batch are the objective of fit; the last steps are 0.001 long."""
    kind, options, y, first = CASES[case]
    some = slice(200)
    model = kind((), **{**OPTIONS, **options, "alpha": 100.0})
    least = clone(model).set_params(solver="newton-cg", tol=1e-9).fit(X[some], y[some]).loss_
    losses = []
    for _ in range(3000):
        losses.append(model.partial_fit(X[some], y[some], **first).loss_)
    assert losses[-1] == pytest.approx(least, rel=1e-4)
    assert losses[0] > losses[-1]


def test_rows_that_arrive_in_parts_are_learnt():
    model = MLPRegressor((20,), "tanh", alpha=1e-3, random_state=0)
    order = np.random.default_rng(1).permutation(N)
    for _ in range(300):
        for part in np.array_split(order, 9):
            model.partial_fit(X[part], NUMBERS[part])
    best = MLPRegressor((20,), "tanh", alpha=1e-3, random_state=0, max_iter=3000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        least = best.fit(X, NUMBERS).score(X, NUMBERS)
    assert model.score(X, NUMBERS) > least - 0.05 > 0.9


@pytest.mark.parametrize("case", CASES)
def test_weight_zero_is_absent_and_storage_does_not_matter(case):
    kind, options, y, first = CASES[case]
    weights = RNG.integers(0, 2, N).astype(float)
    wild = np.where(weights[:, np.newaxis] > 0, X, 1e9)
    expected = kind((5,), **{**OPTIONS, **options})
    found, other = clone(expected), clone(expected)
    for _ in range(3):
        expected.partial_fit(X[weights > 0], y[weights > 0], **first)
        found.partial_fit(wild, y, weights, **first)
        other.partial_fit(sparse.csr_array(wild), y, weights, **first)
    np.testing.assert_allclose(found.params_, expected.params_, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(other.params_, expected.params_, rtol=1e-8, atol=1e-10)
    assert found.loss_ == pytest.approx(expected.loss_, rel=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_what_is_said_of_it_is_true_and_the_rest_refused(case):
    _, _, y, _ = CASES[case]
    model = updated(case)
    assert (model.status_, model.converged_, model.n_passes_) == ("not converged", False, 3)
    assert (model.n_iter_, model.n_features_in_) == (9, 3)
    assert model.validation_scores_ is model.best_validation_score_ is None
    for name in ("gradient_", "objective_", "hessian_", "critical_point_"):
        assert not hasattr(model, name)
        with pytest.raises(
            InferenceError, match=f"{name} is not available after partial_fit.*warm"
        ):
            getattr(model, name)
    with pytest.raises(InferenceError, match="laplace is not available after partial_fit"):
        model.laplace(X, y, W)
    # Derivatives at the parameters are there, on any rows.
    gradient = model.gradient(X, y, sample_weight=W)
    step = 1e-6 * gradient / np.linalg.norm(gradient)
    ahead, behind = (model.objective(X, y, model.params_ + s * step, W) for s in (1, -1))
    slope = np.linalg.norm(gradient)
    assert (ahead - behind) / 2e-6 == pytest.approx(slope, rel=1e-5)  # rounding of 1e-10 in 1e-6
    model._repr_html_()


def test_the_loss_is_that_before_each_batch_was_used():
    model = MLPRegressor((5,), **OPTIONS).partial_fit(X, NUMBERS, W)
    one = MLPRegressor((5,), **OPTIONS)
    total = weight = 0.0
    for start in range(0, N, 200):
        rows = slice(start, start + 200)
        before = copy.deepcopy(one)
        one.partial_fit(X[rows], NUMBERS[rows], W[rows])
        at = one if not start else before
        if start:
            total += at.objective(X[rows], NUMBERS[rows], sample_weight=W[rows])
        else:
            total += one.loss_ * W[rows].sum()
        weight += W[rows].sum()
    # Batches in one call, or in calls of their own: the same updates.
    np.testing.assert_array_equal(model.params_, one.params_)
    assert model.loss_ == pytest.approx(total / weight, rel=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_pickles_go_on_where_they_were_and_fit_starts_anew(case):
    _, _, y, _ = CASES[case]
    model = updated(case)
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(
        restored.partial_fit(X, y, W).params_, model.partial_fit(X, y, W).params_
    )
    fresh = clone(model).set_params(max_iter=2)
    again = model.set_params(max_iter=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_array_equal(again.fit(X, y).params_, fresh.fit(X, y).params_)


def test_fit_goes_on_from_it_and_it_from_fit():
    model = updated("two classes", 50, solver="newton-cg", alpha=5.0, tol=1e-8, max_iter=500)
    start = model.objective(X, TWO, sample_weight=W)
    model.set_params(warm_start=True).fit(X, TWO, W)
    assert model.converged_
    assert model.objective_ < start
    least = model.objective_
    moved = model.partial_fit(X, TWO, W)  # one step of 0.001 in each parameter, and two more
    assert moved.n_iter_ == 3
    assert least < moved.objective(X, TWO, sample_weight=W) < least * 1.05


def test_adam_by_hand():
    """The moments of the paper, with corrections for their start, in plain numbers."""
    gradients = np.random.default_rng(0).standard_normal((6, 4))
    params, state = np.ones(4), AdamState.start(4)
    theta, m, v = np.ones(4), np.zeros(4), np.zeros(4)
    for t, g in enumerate(gradients, 1):
        params, state = state.updated(params, g)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        root = np.sqrt(v / (1 - 0.999**t))
        # ε is added to the root before the correction, as in the efficient form of the paper.
        theta = theta - 0.001 * (m / (1 - 0.9**t)) / (root + 1e-8 / np.sqrt(1 - 0.999**t))
    assert relative_error(params, theta) < 1e-14
    assert state.count == 6


def test_names_of_columns_and_targets_are_kept():
    frame = pd.DataFrame(X, columns=["p", "q", "r"])
    model = MLPRegressor((5,), **OPTIONS).partial_fit(frame, NUMBERS)
    assert list(model.feature_names_in_) == ["p", "q", "r"]
    with pytest.raises(ValueError, match="feature names should match"):
        model.partial_fit(frame[["q", "p", "r"]], NUMBERS)
    assert model.n_passes_ == 1


def test_an_interrupt_leaves_the_model_as_it_was(monkeypatch):
    model = updated("two classes")
    before, updates = pickle.dumps(vars(model)), 0
    real = AdamState.updated

    def interrupted(*args):
        nonlocal updates
        updates += 1
        if updates == 2:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(AdamState, "updated", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X, TWO, W)
    assert updates == 2
    assert pickle.dumps(vars(model)) == before


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_hard_columns(unit):
    """Columns that are constant, zero, or in other units leave finite numbers."""
    hard = np.column_stack([unit * X, np.full(N, 7.0), np.zeros(N)])
    for case in CASES:
        kind, options, y, first = CASES[case]
        model = kind((5,), **{**OPTIONS, **options})
        losses = [model.partial_fit(hard, y, **first).loss_ for _ in range(20)]
        assert np.isfinite(losses).all()
        assert losses[-1] < losses[0]


def test_classes_that_come_late():
    model = MLPClassifier((5,), **OPTIONS)
    only = THREE == "b"
    model.partial_fit(X[only], THREE[only], classes=["c", "b", "a"])
    assert model.classes_.tolist() == ["a", "b", "c"]
    model.partial_fit(X, THREE).partial_fit(X, THREE, classes=["b", "a", "c"])
    assert model.predict_proba(X).shape == (N, 3)
    factors = {"a": 5.0}
    weighted = MLPClassifier((5,), class_weight=factors, **OPTIONS)
    by_rows = MLPClassifier((5,), **OPTIONS)
    for _ in range(2):
        weighted.partial_fit(X, THREE, classes=["a", "b", "c"])
        rows = np.where(THREE == "a", 5.0, 1.0)
        by_rows.partial_fit(X, THREE, rows, classes=["a", "b", "c"])
    np.testing.assert_array_equal(weighted.params_, by_rows.params_)


def test_refusals():
    model = MLPClassifier((5,), **OPTIONS)
    for wrong, match in (
        ({}, "classes must be passed on the first call to partial_fit"),
        ({"classes": [0]}, "y holds only one class in classes: 0"),
        ({"classes": [1, 2]}, "y holds the class 0"),
        ({"classes": ["a", "b"]}, "y holds labels that are numbers, and those of classes are text"),
        ({"classes": [0, 1], "sample_weight": np.ones(3)}, "sample_weight has 3 entries"),
    ):
        with pytest.raises(ValueError, match=match):
            model.partial_fit(X, TWO, **wrong)
        assert not hasattr(model, "coefs_")
    model.partial_fit(X, TWO, classes=[0, 1])
    before = pickle.dumps(vars(model))
    with pytest.raises(ValueError, match=r"classes=\[0, 1, 2\] are not those of earlier calls"):
        model.partial_fit(X, TWO, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="y holds the class 2, which was not"):
        model.partial_fit(X, TWO + 1)
    with pytest.raises(ValueError, match="X has 2 features"):
        model.partial_fit(X[:, :2], TWO)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        model.partial_fit(np.where(X > 1, np.nan, X), TWO)
    with pytest.raises(TypeError, match="Pass the stream to fit"):
        model.partial_fit(RowStream([(X, TWO)]), None)
    assert pickle.dumps(vars(model)) == before
    for options, match in (
        ({"hidden_layer_sizes": (6,)}, r"layers of \(3, 5, 1\).*ask for \(3, 6, 1\)"),
        ({"activation": "relu"}, "activation='tanh', and the parameters ask for .* and 'relu'"),
        ({"early_stopping": True}, "partial_fit does not support early_stopping=True"),
        ({"class_weight": "balanced"}, "class_weight='balanced' needs the rows of all classes"),
    ):
        with pytest.raises(ValueError, match=match):
            copy.deepcopy(model).set_params(**options).partial_fit(X, TWO, classes=[0, 1])
    large = MLPRegressor((5,), random_state=0).partial_fit(X, NUMBERS)
    before = large.params_.copy()
    for X_of_call, y in ((1e200 * X, NUMBERS), (X, 1e160 * NUMBERS)):
        with pytest.raises(ValueError, match=r"overflows float64.* The model is as it was"):
            large.partial_fit(X_of_call, y)
        np.testing.assert_array_equal(large.params_, before)
    regressor = MLPRegressor((5,), **OPTIONS).partial_fit(X, NUMBERS)
    with pytest.raises(ValueError, match=r"y has 2 target\(s\); the model was fitted to 1"):
        regressor.partial_fit(X, X[:, :2])
    with pytest.raises(ValueError, match="loss='poisson' is not that of the rows before"):
        regressor.set_params(loss="poisson").partial_fit(X, COUNTS)
    with pytest.raises(ValueError, match="y must not be negative"):
        MLPRegressor((5,), loss="poisson").partial_fit(X, NUMBERS)
