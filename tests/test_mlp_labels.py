"""MLPClassifier of several labels a row, and with weights of classes."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.neural_network
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import accuracy_score
from sklearn.utils.class_weight import compute_class_weight

from mcmodels import LogisticRegression, MLPClassifier, RowStream
from mcmodels.exceptions import ConstantTargetWarning
from mcmodels.objectives.network import NetworkParameters
from tests.numerics import central_differences, relative_error

RNG = np.random.default_rng(0)
X = RNG.standard_normal((80, 3))
LABELS = np.column_stack([X[:, 0] > 0, X[:, 1] + RNG.standard_normal(80) > 0.5, X[:, 2] > -0.5])
LABELS = LABELS.astype(int)
CLASSES = np.array(["a", "b", "c"])[np.digitize(X[:, 0] + 0.3 * RNG.standard_normal(80), [-0.7, 1])]
W = RNG.uniform(0.5, 2.0, 80)
PENALISED = {"activation": "tanh", "alpha": 1.0, "tol": 1e-10, "max_iter": 5000, "random_state": 3}
# Both at one minimum, to a gradient of 1e-10 of the rows over a curvature of 1.
SAME = 1e-7


def test_scikit_learns_path_loss_and_predictions():
    options = {"alpha": 0.1, "random_state": 7, "max_iter": 8, "tol": 0.0}
    model = MLPClassifier((5, 3), "tanh", **options)
    theirs = sklearn.neural_network.MLPClassifier((5, 3), "tanh", solver="lbfgs", **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, LABELS, W)
        theirs.fit(X, LABELS, W)
    at_theirs = NetworkParameters(theirs.coefs_, theirs.intercepts_)
    total = model.objective(X, LABELS, at_theirs, W)
    assert total == pytest.approx(W.sum() * theirs.loss_, rel=1e-12)
    # The same steps; rounding grows with each of them.
    assert relative_error(model.predict_proba(X), theirs.predict_proba(X)) < 1e-6
    for name in ("classes_", "n_outputs_", "out_activation_", "n_layers_"):
        np.testing.assert_array_equal(getattr(model, name), getattr(theirs, name))
    model.coefs_, model.intercepts_ = theirs.coefs_, theirs.intercepts_
    found, expected = model.predict(X), theirs.predict(X)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
    assert relative_error(model.predict_proba(X), theirs.predict_proba(X)) < 1e-13
    assert relative_error(model.predict_log_proba(X), theirs.predict_log_proba(X)) < 1e-12
    assert model.score(X, LABELS) == theirs.score(X, LABELS) == accuracy_score(LABELS, expected)


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
def test_without_hidden_layers_each_label_is_a_model_of_its_own(solver):
    model = MLPClassifier((), solver=solver, **PENALISED).fit(X, LABELS, W)
    for k in range(3):
        one = LogisticRegression(C=1.0, tol=1e-12).fit(X, LABELS[:, k], W)
        params = np.append(model.coefs_[0][:, k], model.intercepts_[0][k])
        assert relative_error(params, one.params_) < SAME
        found = model.laplace(X, LABELS, W).predict_interval(X[:7])[str(k)]
        np.testing.assert_allclose(found, one.predict_interval(X[:7]), rtol=1e-5)


def test_on_hidden_layers_held_fixed_each_label_is_a_model_of_its_own():
    """The gradient and the Hessian of the last layer are those of each label by itself."""
    model = MLPClassifier((4,), **PENALISED).fit(X, LABELS, W)
    whole = model.gradient(X, LABELS, model.params_ + 0.1, W)
    layers = model._network.unflatten(whole)
    for k in range(3):
        one = MLPClassifier((4,), **PENALISED).fit(X, LABELS[:, k], W)
        moved = model._network.unflatten(model.params_ + 0.1)
        one.coefs_ = [moved.coefs[0], moved.coefs[1][:, [k]]]
        one.intercepts_ = [moved.intercepts[0], moved.intercepts[1][[k]]]
        gradient = one._network.unflatten(one.gradient(X, LABELS[:, k], sample_weight=W))
        # The same sums over rows.
        assert relative_error(layers.coefs[1][:, k], gradient.coefs[1][:, 0]) < 1e-12
        assert relative_error(layers.intercepts[1][k], gradient.intercepts[1][0]) < 1e-12


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
def test_derivatives_at_the_fit(solver):
    model = MLPClassifier((3,), solver=solver, compute_hessian=True, **PENALISED)
    model.fit(X, LABELS, W)
    assert model.status_ == "converged"
    assert model.critical_point_.kind == "minimum"
    assert len(model.critical_point_.eigenvalues) == model.params_.size  # nothing is unseen
    at = model.params_ + 0.1

    def gradient(params):
        return model.gradient(X, LABELS, params, W)

    numerical = central_differences(lambda params: model.objective(X, LABELS, params, W), at)
    # Five-point differences: truncation and rounding near 1e-11 of values of some hundred.
    assert relative_error(gradient(at), numerical) < 1e-8
    assert relative_error(model.hessian(X, LABELS, at, W), central_differences(gradient, at)) < 1e-8


def test_forms_of_indicators():
    options = {**PENALISED, "solver": "newton-cg"}
    expected = MLPClassifier((3,), **options).fit(X, LABELS)
    frame = pd.DataFrame(LABELS, columns=["red", "green", "blue"])
    for y in (LABELS.astype(bool), LABELS.astype(float), LABELS.tolist(), frame):
        np.testing.assert_array_equal(
            MLPClassifier((3,), **options).fit(X, y).params_, expected.params_
        )
    named = MLPClassifier((3,), **options).fit(X, frame)
    table = named.laplace(X, frame).predict_interval(X[:2])
    assert table.columns.names[0] == "label"
    assert list(table.columns.get_level_values(0).unique()) == ["red", "green", "blue"]
    # One column is a vector of classes, as in scikit-learn.
    with pytest.warns(UserWarning, match="column-vector y was passed"):
        model = MLPClassifier((3,), **options).fit(X, LABELS[:, :1])
    np.testing.assert_array_equal(model.classes_, [0, 1])
    assert model.predict(X).shape == (80,)


def test_labels_and_classes_follow_each_other():
    model = MLPClassifier((3,), **PENALISED).fit(X, LABELS)
    assert model.predict(X).shape == (80, 3)
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(restored.predict_proba(X), model.predict_proba(X))
    model.fit(X, CLASSES)
    assert model.predict(X).shape == (80,)
    assert model.out_activation_ == "softmax"
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    model.set_params(warm_start=True).fit(X, LABELS)  # the layers are the same, the loss is not
    assert model.out_activation_ == "logistic"


def test_probabilities_are_never_those_of_the_impossible():
    model = MLPClassifier((), alpha=1e-6, max_iter=500, random_state=0).fit(X, LABELS)
    far = np.vstack([1e4 * X, 1e6 * X])
    p = model.predict_proba(far)
    assert ((p > 0) & (p < 1)).all()
    assert np.isfinite(model.predict_log_proba(far)).all()
    single = model.predict_proba(far.astype(np.float32))
    assert single.dtype == np.float32
    assert ((single > 0) & (single < 1)).all()


def test_a_label_that_all_rows_or_none_have_warns():
    odd = LABELS.copy()
    odd[:, 1], odd[:, 2] = 1, 0
    with pytest.warns(ConstantTargetWarning, match=r"labels \[1, 2\] of y are in every row or in"):
        model = MLPClassifier((3,), alpha=1.0, random_state=0, max_iter=1000).fit(X, odd)
    assert (model.predict(X)[:, 1:] == [1, 0]).all()
    with pytest.warns(ConstantTargetWarning, match=r"labels \['b', 'c'\]"):
        MLPClassifier((3,), alpha=1.0, random_state=0, max_iter=1000).fit(
            RowStream([(X, pd.DataFrame(odd, columns=["a", "b", "c"]))])
        )


def test_refusals_of_labels():
    model = MLPClassifier((3,), random_state=0)
    with pytest.raises(
        ValueError, match="y has 3 columns and holds 2: several columns are several"
    ):
        model.fit(X, LABELS + 1)
    with pytest.raises(ValueError, match="y has 2 columns and holds 'b'"):
        model.fit(X, np.column_stack([CLASSES, CLASSES]))
    with pytest.raises(TypeError, match="y is a sparse matrix"):
        model.fit(X, sparse.csr_array(LABELS))
    with pytest.raises(ValueError, match="class_weight='balanced' was given, and y has 3 columns"):
        clone(model).set_params(class_weight="balanced").fit(X, LABELS)
    assert not hasattr(model, "coefs_")
    model.set_params(alpha=1.0, max_iter=1000).fit(X, LABELS)
    with pytest.raises(ValueError, match=r"y has 2 label\(s\); the model was fitted to 3"):
        model.objective(X, LABELS[:, :2])
    with pytest.raises(ValueError, match=r"y has 3 columns and holds 0\.5"):
        model.gradient(X, LABELS / 2)
    with pytest.raises(ValueError, match=r"y has 1 label\(s\); the model was fitted to 3"):
        model.objective(X, LABELS[:, 0])
    model.fit(X, LABELS[:, 0])
    for call in (model.objective, model.partial_fit):
        with pytest.raises(ValueError, match="y has 3 columns, as indicators of labels have"):
            call(X, LABELS)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("class_weight", ["balanced", {"a": 3, "b": 0.5}])
def test_weights_of_classes_multiply_those_of_rows(n_classes, class_weight):
    y = CLASSES if n_classes == 3 else np.where(CLASSES == "c", "b", CLASSES)
    labels = np.unique(y)
    if class_weight == "balanced":  # of the weights, as in LogisticRegression
        totals = np.array([W[y == label].sum() for label in labels])
        factors = dict(zip(labels, totals.sum() / (len(labels) * totals), strict=True))
    else:
        factors = {"c": 1} | class_weight
    rows = W * np.array([factors[label] for label in y])
    options = {**PENALISED, "solver": "newton-cg"}
    model = MLPClassifier((3,), class_weight=class_weight, **options).fit(X, y, W)
    expected = MLPClassifier((3,), **options).fit(X, y, rows)
    # The same weights, up to the rounding of the sums that balance them.
    assert relative_error(model.params_, expected.params_) < 1e-11
    assert model.objective_ == pytest.approx(expected.objective_, rel=1e-14)
    # Objective, derivatives and intervals of the fit have the factors, too.
    assert model.objective(X, y, sample_weight=W) == model.objective_
    at = model.params_ + 0.1
    gradient = expected.gradient(X, y, at, rows)
    assert relative_error(model.gradient(X, y, at, W), gradient) < 1e-13
    pd.testing.assert_frame_equal(
        model.laplace(X, y, W).predict_interval(X), expected.laplace(X, y, rows).predict_interval(X)
    )
    streamed = clone(model).fit(RowStream([(X[:9], y[:9], W[:9]), (X[9:], y[9:], W[9:])]))
    assert relative_error(streamed.params_, expected.params_) < SAME
    # Without hidden layers it is LogisticRegression with the same weights of classes.
    linear = MLPClassifier((), class_weight=class_weight, **options).fit(X, y, W)
    logistic = LogisticRegression(C=1.0, tol=1e-12, class_weight=class_weight).fit(X, y, W)
    found = np.vstack([linear.coefs_[0], linear.intercepts_[0]]).T
    if n_classes == 3:
        found[:, -1] -= found[:, -1].mean()  # softmax does not see a common number
    assert relative_error(found.squeeze(), logistic.params_) < SAME


def test_whole_weights_of_classes_are_repeated_rows():
    factors = {"a": 3, "b": 1, "c": 2}
    times = np.array([factors[label] for label in CLASSES])
    options = {**PENALISED, "solver": "newton-cg"}
    model = MLPClassifier((3,), class_weight=factors, **options).fit(X, CLASSES)
    repeated = MLPClassifier((3,), **options).fit(np.repeat(X, times, 0), np.repeat(CLASSES, times))
    assert relative_error(model.params_, repeated.params_) < SAME
    balanced = compute_class_weight("balanced", classes=np.unique(CLASSES), y=CLASSES)
    by_hand = dict(zip(np.unique(CLASSES), balanced, strict=True))
    one, other = (
        MLPClassifier((3,), class_weight=weight, **options).fit(X, CLASSES).params_
        for weight in ("balanced", by_hand)
    )
    assert relative_error(one, other) < SAME


def test_a_class_of_weight_zero_is_absent():
    options = {**PENALISED, "solver": "newton-cg"}
    model = MLPClassifier((3,), class_weight={"c": 0}, **options).fit(X, CLASSES)
    expected = MLPClassifier((3,), **options).fit(X[CLASSES != "c"], CLASSES[CLASSES != "c"])
    np.testing.assert_array_equal(model.classes_, ["a", "b"])
    assert relative_error(model.params_, expected.params_) < SAME
    streamed = clone(model).fit(RowStream([(X[:9], CLASSES[:9]), (X[9:], CLASSES[9:])]))
    assert relative_error(streamed.params_, expected.params_) < SAME


def test_refusals_of_weights_of_classes():
    for wrong, match in (
        ("even", "class_weight='even' is not known; choose one of 'balanced'"),
        ({"a": -1}, "must hold finite numbers of at least 0"),
        ({"a": 0, "b": 0}, "only one class of positive class_weight: c"),
        (5, "class_weight=5 is not known"),
        (
            {"d": 2},
            r"class_weight holds \['d'\], of which y has no rows; its classes are \['a', 'b",
        ),
    ):
        with pytest.raises(ValueError, match=match):
            MLPClassifier((3,), class_weight=wrong).fit(X, CLASSES)
