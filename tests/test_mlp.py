"""The network estimators: scikit-learn's start, path and minimum; laws; derivatives; refusals."""

import io
import warnings

import joblib
import numpy as np
import pytest
import sklearn.neural_network
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from mcmodels import MLPClassifier, MLPRegressor
from mcmodels.exceptions import ConstantTargetWarning, ConvergenceWarning
from mcmodels.objectives import SoftmaxCrossEntropy
from mcmodels.objectives.network import Network, NetworkParameters
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.rows import ArrayRows
from mcmodels.solvers import room
from mcmodels.solvers.lbfgs import minimise_by_lbfgs
from mcmodels.solvers.trust_region import trust_region_iterates
from tests.callbacks import Recorder
from tests.numerics import relative_error
from tests.problems import classes_problem
from tests.versions import needs_callbacks

SOLVERS = ["lbfgs", "newton-cg"]
ESTIMATORS = {
    "two classes": MLPClassifier,
    "three classes": MLPClassifier,
    "one target": MLPRegressor,
    "two targets": MLPRegressor,
}
# A penalty that leaves one basin near a start, whose least curvature is near 1: entries of the
# gradient of 1e-9 leave eight digits.
PENALISED = {"activation": "tanh", "alpha": 2.0, "tol": 1e-11, "max_iter": 5000, "random_state": 3}
SAME = 1e-7


@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FitWarning")
@parametrize_with_checks([MLPClassifier(), MLPRegressor()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::mcmodels.exceptions.FitWarning")
@parametrize_with_checks([kind((5,), solver="newton-cg") for kind in (MLPClassifier, MLPRegressor)])
def test_scikit_learn_checks_of_the_other_solver(estimator, check):
    check(estimator)


def data(task, n=60, seed=0):
    X, classes = classes_problem(seed, n, 4, 2 if task == "two classes" else 3)
    rng = np.random.default_rng(seed)
    if task == "one target":
        return X, np.sin(X[:, 0]) + 0.1 * rng.standard_normal(n)
    if task == "two targets":
        return X, np.column_stack([np.sin(X[:, 0]), X[:, 1] ** 2]) + rng.standard_normal((n, 2))
    return X, classes


def reference(model):
    """scikit-learn's estimator with the same parameters."""
    kind = getattr(sklearn.neural_network, type(model).__name__)
    shared = {k: v for k, v in model.get_params().items() if k in kind().get_params()}
    return kind(**shared)


@pytest.mark.parametrize("task", ["two classes", "three classes", "one target"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_scikit_learns_start_and_path(task, activation):
    X, y = data(task)
    model = ESTIMATORS[task]((5, 3), activation, alpha=0.1, random_state=7)
    theirs = reference(model).set_params(solver="adam", learning_rate_init=1e-300, max_iter=1)
    theirs.fit(X, y)
    start = clone(model).set_params(tol=np.inf).fit(X, y)
    for ours, other in zip(
        start.coefs_ + start.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        np.testing.assert_array_equal(ours, other)
    assert (start.n_iter_, start.n_passes_) == (0, 1)
    model.set_params(max_iter=8, tol=0).fit(X, y)
    path = reference(model).fit(X, y)
    assert model.n_iter_ == path.n_iter_ == 8
    # The same steps; rounding grows with each of them.
    for ours, other in zip(model.coefs_, path.coefs_, strict=True):
        assert relative_error(ours, other) < 1e-7
    assert model.loss_ == pytest.approx(path.loss_, rel=1e-9)
    use = "predict" if task == "one target" else "predict_proba"
    assert relative_error(getattr(model, use)(X), getattr(path, use)(X)) < 1e-7
    for name in ("n_layers_", "n_outputs_", "out_activation_"):
        assert getattr(model, name) == getattr(path, name)


@pytest.mark.parametrize("task", ["two classes", "three classes", "one target"])
@pytest.mark.parametrize("activation", ["tanh", "logistic"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_scikit_learns_minimum(task, activation, solver):
    """From one start in its basin: a unit's sign, or two units exchanged, make it another."""
    X, y = data(task)
    options = {**PENALISED, "activation": activation, "alpha": 0.5}
    model = ESTIMATORS[task]((2,), solver=solver, **options)
    theirs = reference(model).set_params(solver="lbfgs", max_fun=10**6, tol=1e-9, warm_start=True)
    theirs.fit(X, y)
    model.set_params(warm_start=True, max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    model.set_params(max_iter=5000)
    moved = NetworkParameters(theirs.coefs_, theirs.intercepts_).ravel()
    moved += 0.1 * np.random.default_rng(0).standard_normal(moved.size)
    model.params_ = moved.copy()
    theirs.coefs_, theirs.intercepts_ = map(list, model._network.unflatten(moved.copy()))
    model.fit(X, y)
    theirs.fit(X, y)
    # scikit-learn stops where a step gains less than 2e-9 of the loss: a root of that is left.
    for ours, other in zip(
        model.coefs_ + model.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        np.testing.assert_allclose(ours, other, atol=1e-3)
    assert relative_error(model.params_, moved) > 0.01
    assert model.loss_ <= theirs.loss_ * (1 + 1e-14)
    assert model.loss_ == pytest.approx(theirs.loss_, rel=1e-6)  # some hundred such steps
    at_theirs = NetworkParameters(theirs.coefs_, theirs.intercepts_)
    assert model.objective(X, y, at_theirs) == pytest.approx(60 * theirs.loss_, rel=1e-12)


@pytest.mark.parametrize("task", ESTIMATORS)
def test_both_solvers_find_the_same_minimum(task):
    X, y = data(task)
    shared = {**PENALISED, "warm_start": True}
    first, second = (ESTIMATORS[task]((2,), solver=s, **shared).fit(X, y) for s in SOLVERS)
    moved = second.params_ + 0.1 * np.random.default_rng(0).standard_normal(second.params_.size)
    first.params_, second.params_ = moved.copy(), moved.copy()
    for model in (first.fit(X, y), second.fit(X, y)):
        assert model.status_ == "converged"
        assert model.n_iter_ > 3
    # L-BFGS sees values alone on its way; their rounding has a root of 1e-8.
    difference = second.params_ - first.params_
    if task == "three classes":  # softmax does not see what is added to all its inputs
        difference[-3:] -= difference[-3:].mean()
    assert np.abs(difference).max() < 1e-5
    assert np.abs(second.gradient_.ravel()).max() <= 1e-8


def test_scikit_learns_two_targets_disagree_with_their_own_gradient():
    """Its loss is the mean over targets, its gradient that of the sum, which is minimised here."""
    X, y = data("two targets")
    model = MLPRegressor((5,), **PENALISED).fit(X, y)
    theirs = reference(model).set_params(solver="adam", learning_rate_init=1e-300, max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.fit(X, y)
    at = NetworkParameters(theirs.coefs_, theirs.intercepts_)
    alone = 60 * theirs.loss_ - sum((W**2).sum() for W in theirs.coefs_)
    squares = model.objective(X, y, at) - sum((W**2).sum() for W in theirs.coefs_)
    assert squares == pytest.approx(2 * alone, rel=1e-12)


def fitted(task, X, y, w=None, solver="newton-cg", **options):
    return ESTIMATORS[task]((4,), solver=solver, **{**PENALISED, **options}).fit(X, y, w)


@pytest.mark.parametrize("task", ESTIMATORS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_weight_zero_is_an_absent_row_and_two_a_row_twice(task, solver):
    X, y = data(task)
    w = np.ones(60)
    w[[3, 17, 40]] = 0
    X_wild = X.copy()
    X_wild[w == 0] = 1e6
    absent = fitted(task, X_wild, y, w, solver=solver)
    expected = fitted(task, X[w > 0], y[w > 0], solver=solver)
    # L-BFGS takes another path where sums round otherwise, and sees values alone.
    tolerance = SAME if solver == "newton-cg" else 1e-5
    assert relative_error(absent.params_, expected.params_) < tolerance
    assert absent.loss_ == pytest.approx(expected.loss_, rel=1e-12)
    counts = np.random.default_rng(1).integers(1, 3, 60)
    twice = fitted(task, X, y, counts, solver=solver)
    repeated = fitted(
        task, np.repeat(X, counts, axis=0), np.repeat(y, counts, axis=0), solver=solver
    )
    assert relative_error(twice.params_, repeated.params_) < tolerance
    assert twice.objective_ == pytest.approx(repeated.objective_, rel=1e-12)


@pytest.mark.parametrize("task", ESTIMATORS)
@pytest.mark.parametrize("storage", [sparse.csr_array, sparse.csc_matrix, np.asfortranarray])
def test_storage_and_float32(task, storage):
    X, y = data(task)
    X[np.abs(X) < 0.8] = 0
    X = X.astype(np.float32)
    expected = fitted(task, X.astype(float), y)
    model = fitted(task, storage(X), y)
    assert model.params_.dtype == np.float64
    assert relative_error(model.params_, expected.params_) < SAME
    assert relative_error(model.predict(storage(X)), expected.predict(X.astype(float))) < SAME


@pytest.mark.parametrize("task", ESTIMATORS)
def test_order_of_rows_does_not_matter(task):
    X, y = data(task)
    order = np.random.default_rng(2).permutation(60)
    moved, expected = fitted(task, X[order], y[order]), fitted(task, X, y)
    assert relative_error(moved.params_, expected.params_) < SAME


@pytest.mark.parametrize("task", ESTIMATORS)
def test_derivatives_at_the_fit_and_anywhere(task):
    X, y = data(task)
    w = np.random.default_rng(1).uniform(0.5, 2, 60)
    model = fitted(task, X, y, w, compute_hessian=True)
    rows = {"X": X, "y": y, "sample_weight": w}
    assert model.objective(**rows) == model.objective_ == pytest.approx(model.loss_ * w.sum())
    np.testing.assert_array_equal(model.gradient(**rows), model.gradient_.ravel())
    np.testing.assert_array_equal(model.hessian(**rows), model.hessian_)
    assert [W.shape for W in model.gradient_.coefs] == [W.shape for W in model.coefs_]
    assert [b.shape for b in model.gradient_.intercepts] == [b.shape for b in model.intercepts_]
    np.testing.assert_array_equal(
        NetworkParameters(model.coefs_, model.intercepts_).ravel(), model.params_
    )
    at = model.params_ + 0.1
    by_layers = NetworkParameters(
        [W + 0.1 for W in model.coefs_], [b + 0.1 for b in model.intercepts_]
    )
    np.testing.assert_array_equal(
        model.gradient(**rows, params=at), model.gradient(**rows, params=by_layers)
    )
    product = model.hessian_vector_product(**rows, params=at, vector=model.gradient_)
    expected = model.hessian(**rows, params=at) @ model.gradient_.ravel()
    # The gradient at the fit is tiny; its product with a matrix is rounded as any other.
    assert relative_error(product, expected) < 1e-12
    with pytest.raises(ValueError, match=r"params has shape \(2,\)"):
        model.objective(X, y, params=np.zeros(2))
    turned = NetworkParameters([W.T for W in model.coefs_], model.intercepts_)
    with pytest.raises(ValueError, match=r"params has layers of shapes \[\(4, 4\), \((1|2|3), 4\)"):
        model.objective(X, y, params=turned)
    with pytest.raises(ValueError, match="vector has layers of shapes"):
        model.hessian_vector_product(X, y, vector=turned)


@pytest.mark.parametrize("task", ESTIMATORS)
def test_the_critical_point_is_named(task):
    X, y = data(task)
    # A large penalty drives units to zero, whose intercepts then are not determined.
    model = fitted(task, X, y, compute_hessian=True, alpha=0.02)
    found = model.critical_point_
    # Softmax does not see a number that is added to all intercepts of the outputs.
    assert found.kind == "minimum"
    assert found.value == model.objective_
    # Softmax does not see a number that is added to all its inputs: that direction is left out.
    unseen = 1 if task == "three classes" else 0
    expected = np.linalg.eigvalsh(model.hessian_)[unseen:]
    np.testing.assert_allclose(found.eigenvalues, expected, atol=1e-11)
    assert "eigenvalues of the Hessian" in str(found)


def test_without_a_penalty_softmax_leaves_no_flat_directions_in_the_verdict():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((600, 2))
    eta = np.column_stack([3 * np.tanh(X[:, 0]), -(X[:, 0] ** 2), np.tanh(X[:, 0] + 1)])
    y = (eta + rng.gumbel(size=(600, 3))).argmax(axis=1)
    options = {"alpha": 0.0, "tol": 1e-9, "max_iter": 5000, "random_state": 0}
    model = MLPClassifier((1,), "tanh", solver="newton-cg", compute_hessian=True, **options).fit(
        X, y
    )
    # One for the hidden unit, one for the intercepts.
    assert len(model.critical_point_.eigenvalues) == model.params_.size - 2
    assert model.critical_point_.kind == "minimum"
    assert np.abs(np.linalg.eigvalsh(model.hessian_)[:2]).max() < 1e-9


def test_a_saddle_is_named():
    """All zero, a network is stationary where the targets have mean zero; the penalty decides."""
    X, y = data("one target")
    y = y - y.mean()
    model = MLPRegressor((2,), "tanh", warm_start=True, compute_hessian=True)
    model.fit(X, y)
    for alpha, kind in ((1e-4, "saddle"), (1e4, "degenerate")):
        model.params_ = np.zeros_like(model.params_)
        model.set_params(alpha=alpha).fit(X, y)
        assert model.n_iter_ == 0
        assert model.critical_point_.kind == kind


def test_the_hessian_is_there_when_asked_for():
    X, y = data("two classes")
    model = fitted("two classes", X, y)
    for name in ("hessian_", "critical_point_"):
        with pytest.raises(AttributeError, match=f"{name} is not available.*compute_hessian=True"):
            getattr(model, name)
    with pytest.warns(ConvergenceWarning):
        model.set_params(max_iter=1, compute_hessian=True).fit(X, y)
    assert model.hessian_.shape == (25, 25)
    with pytest.raises(AttributeError, match="stopped before the gradient was small"):
        _ = model.critical_point_


def test_a_hessian_without_room_is_refused(monkeypatch):
    X, y = data("two classes")
    model = fitted("two classes", X, y)
    monkeypatch.setattr(room, "LARGEST_SIDE", 20)
    with pytest.raises(ValueError, match=r"hessian\(X, y\) needs a matrix of 25 × 25"):
        model.hessian(X, y)
    with pytest.raises(ValueError, match="compute_hessian=True needs a matrix of 25 × 25"):
        model.set_params(compute_hessian=True).fit(X, y)


@pytest.mark.parametrize("scale", [1 / 16, "standard"])
def test_newton_reaches_the_loss_of_lbfgs_in_fewer_passes_over_digits(scale):
    """A pass evaluates value and gradient at one point, or multiplies one vector by the Hessian.

    With standardised columns L-BFGS needs so few passes that Newton's method needs more.
    """
    X, y = load_digits(return_X_y=True)
    X = X / 16 if scale != "standard" else (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-9)
    start = MLPClassifier(random_state=0, tol=np.inf).fit(X, y).params_
    network = Network((64, 100, 10), "relu")
    objective = NetworkObjective(
        ArrayRows(X, y, intercept=False), network, SoftmaxCrossEntropy(), 1e-4
    )
    options = {"gradient_tolerance": 1e-4 * 1797, "max_iter": 200}
    theirs = minimise_by_lbfgs(objective, start, scale=1797.0, **options).value
    path = trust_region_iterates(objective, start, gradient_tolerance=0.0, max_iter=200)
    reached = next(state for state in path if state.slope.value <= theirs.slope.value)
    assert (reached.passes < theirs.passes) == (scale != "standard")
    assert reached.passes < 40


def test_predictions():
    X, y = data("three classes")
    names = np.array(["a", "b", "c"])[y]
    model = MLPClassifier((4,), "tanh", alpha=0.5, random_state=0).fit(X, names)
    assert set(model.classes_) == {"a", "b", "c"}
    proba = model.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(np.log(proba), model.predict_log_proba(X), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(model.predict(X), model.classes_[proba.argmax(axis=1)])
    assert model.decision_function(X).shape == (60, 3)
    assert model.score(X, names) > 0.6
    binary = MLPClassifier((4,), "tanh", random_state=0).fit(X, y > 0)
    assert binary.decision_function(X).shape == (60,)
    assert binary.predict_proba(X).shape == binary.predict_log_proba(X).shape == (60, 2)
    assert binary.predict(X).dtype == bool
    far = MLPClassifier((), alpha=0, max_iter=1000).fit(np.array([[-1e3], [1e3]]), [0, 1])
    assert np.isfinite(far.predict_log_proba([[1e6]])).all()


@pytest.mark.parametrize("shape", [(60,), (60, 1), (60, 2)])
def test_predictions_have_the_shape_of_the_targets(shape):
    X, _ = data("one target")
    y = np.random.default_rng(0).standard_normal(shape)
    model = MLPRegressor((3,), "tanh", alpha=1.0, random_state=0).fit(X, y)
    assert model.predict(X).shape == shape
    assert model.n_outputs_ == (shape[1] if len(shape) == 2 else 1)
    assert np.isfinite(model.objective(X, y))


def test_absent_classes_and_rows_without_weight():
    X, y = data("three classes")
    w = (y < 2).astype(float)
    model = fitted("three classes", X, y, w)
    np.testing.assert_array_equal(model.classes_, [0, 1])
    expected = fitted("two classes", X[y < 2], y[y < 2])
    assert relative_error(model.params_, expected.params_) < SAME
    assert model.objective(X, y, sample_weight=w) == pytest.approx(model.objective_)
    with pytest.raises(ValueError, match="holds the class 2, which was not in the training rows"):
        model.objective(X, y)


@pytest.mark.parametrize("solver", SOLVERS)
def test_warm_start(solver):
    X, y = data("two classes")
    model = fitted("two classes", X, y, solver=solver, warm_start=True)
    first, steps = model.params_.copy(), model.n_iter_
    model.fit(X, y)
    assert model.n_iter_ <= 2 < steps
    assert relative_error(model.params_, first) < 1e-6
    model.set_params(hidden_layer_sizes=(3,)).fit(X, y)
    assert model.coefs_[0].shape == (4, 3)


def test_a_warm_start_after_a_refused_fit_draws_anew():
    X, y = data("two classes")
    model = fitted("two classes", X, y, warm_start=True)
    wider = np.column_stack([X, X[:, :2]])
    with pytest.raises(ValueError, match="contains NaN"):
        model.fit(np.where(wider > 0, wider, np.nan), y)
    model.fit(wider, y)
    expected = fitted("two classes", wider, y)
    np.testing.assert_array_equal(model.params_, expected.params_)


@pytest.mark.parametrize("hidden", [3, np.int64(3), (3,), [3], np.array(3), np.array([3])])
def test_ways_to_say_how_many_units(hidden):
    X, y = data("one target")
    assert MLPRegressor(hidden, tol=np.inf).fit(X, y).coefs_[0].shape == (4, 3)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_kink_of_relu_is_not_called_converged(solver):
    """Where no step is a decrease and the gradient is far from small, the fit says so."""
    X, y = data("three classes")
    options = {"alpha": 1.0, "tol": 1e-8, "max_iter": 5000, "random_state": 0}
    with pytest.warns(ConvergenceWarning, match="no further decrease.*a kink of relu"):
        model = MLPClassifier((4,), solver=solver, **options).fit(X, y)
    assert model.status_ == "not converged"
    # The penalty makes curvature 1 or more: with this gradient a smooth loss would fall visibly.
    assert np.abs(model.gradient_.ravel()).max() > 0.01


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("weight", [1e-170, 1e-30, 1e160, 1e290])
def test_weights_of_any_size(solver, weight):
    """A common factor of weights and penalty changes nothing."""
    X, y = data("three classes")
    options = {"solver": solver, "tol": 1e-6}
    expected = fitted("three classes", X, y, np.ones(60), **options)
    model = fitted("three classes", X, y, np.full(60, weight), alpha=2.0 * weight, **options)
    # Where rounding lets the paths differ, the tolerance bounds the gap: 60e-6 of a curvature of 2.
    assert model.converged_
    assert relative_error(model.params_, expected.params_) < 1e-4
    assert model.loss_ == pytest.approx(expected.loss_, rel=1e-8)


def test_a_rough_step_does_not_end_the_fit():
    """From this start a rough step that promises nothing visible raises the gradient."""
    X, y = load_iris(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    options = {"alpha": 0.5, "tol": 1e-10, "max_iter": 10_000, "random_state": 177}
    model = MLPClassifier((), solver="newton-cg", **options).fit(X, y)
    assert np.abs(model.gradient_.ravel()).max() <= 150e-10


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_overflows_on_the_way_is_no_nan(solver):
    X, y = data("one target")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = MLPRegressor((4,), solver=solver, random_state=0).fit(1e150 * X, y)
    assert np.isfinite(model.objective_)
    assert np.isfinite(model.params_).all()


def test_a_random_state_draws_anew():
    X, y = data("two classes")
    random = np.random.RandomState(0)
    model = MLPClassifier((3,), tol=np.inf, random_state=random)
    one, two = (model.fit(X, y).params_.copy() for _ in range(2))
    assert relative_error(one, two) > 0.1


@pytest.mark.parametrize("solver", SOLVERS)
def test_running_out_of_steps_warns_where_fit_was_called(solver):
    X, y = data("two classes")
    with pytest.warns(ConvergenceWarning, match="max_iter=2 steps") as caught:
        model = MLPClassifier((4,), solver=solver, max_iter=2, random_state=0).fit(X, y)
    assert caught[0].filename == __file__
    assert model.status_ == "not converged"
    assert model.n_iter_ == 2
    assert np.isfinite(model.predict_proba(X)).all()


def test_constant_targets_warn():
    X, _ = data("one target")
    with pytest.warns(ConstantTargetWarning, match="y takes a single value") as caught:
        model = MLPRegressor((3,), random_state=0).fit(X, np.full(60, 2.0))
    assert caught[0].filename == __file__
    np.testing.assert_allclose(model.predict(X), 2, atol=0.02)
    y = np.column_stack([X[:, 0], np.zeros(60)])
    with pytest.warns(ConstantTargetWarning, match=r"targets \[1\] of y"):
        MLPRegressor((3,), random_state=0).fit(X, y)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_not_finite_is_named(solver, activation, wrong):
    X, y = data("two classes")
    X[7, 2] = wrong
    with pytest.raises(ValueError, match="Input X contains"):
        MLPClassifier((4,), activation, solver=solver).fit(X, y)


def test_overflow_is_refused():
    X, y = data("one target")
    with pytest.raises(ValueError, match="overflows float64 at the start"):
        MLPRegressor((4,)).fit(X * 1e200, y)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"hidden_layer_sizes": (3, 0)}, r"hidden_layer_sizes=\(3, 0\) must hold integers"),
        ({"hidden_layer_sizes": 2.5}, "hidden_layer_sizes=2.5"),
        ({"activation": "sine"}, "activation='sine' is not known"),
        ({"solver": "adam"}, "solver='adam' is not known; choose one of 'lbfgs'"),
        ({"alpha": -1}, "alpha=-1 must be at least 0"),
        ({"alpha": np.inf}, "alpha=inf must be finite"),
        ({"tol": -1}, "tol=-1"),
        ({"max_iter": 0}, "max_iter=0"),
        ({"warm_start": 1}, "warm_start=1 must be True or False"),
        ({"compute_hessian": "yes"}, "compute_hessian='yes' must be True or False"),
    ],
)
def test_parameters_out_of_range(options, match):
    X, y = data("two classes")
    with pytest.raises(ValueError, match=match):
        MLPClassifier(**options).fit(X, y)


def test_targets_that_cannot_be_learnt():
    X, y = data("two classes")
    with pytest.raises(ValueError, match="only one class: 0"):
        MLPClassifier((3,)).fit(X, np.zeros(60, int))
    with pytest.raises(ValueError, match="only one class in the rows of positive weight: 1"):
        MLPClassifier((3,)).fit(X, y, sample_weight=y.astype(float))
    model = MLPRegressor((3,), random_state=0).fit(X, np.sin(X[:, 0]))
    with pytest.raises(ValueError, match=r"y has 2 target\(s\); the model was fitted to 1"):
        model.objective(X, X[:, :2])


@needs_callbacks
@pytest.mark.parametrize("solver", SOLVERS)
def test_callbacks_see_each_step_and_stop_the_fit(solver):
    X, y = data("two classes")
    recorder = Recorder()
    model = MLPClassifier((4,), "tanh", solver=solver, alpha=0.5, random_state=0)
    model.set_callbacks(recorder).fit(X, y)
    assert len(recorder.ends(f"{solver}-step")) == model.n_iter_ > 3
    with pytest.warns(ConvergenceWarning, match="was stopped by a callback after 3 steps"):
        model.set_callbacks(Recorder(stop_after=3)).fit(X, y)
    assert model.n_iter_ == 3


@pytest.mark.parametrize("task", ["two classes", "two targets"])
def test_pickles_clones_and_holds_no_rows(task, tmp_path):
    X, y = data(task, n=5000)
    # So much penalty that a fit converges in some hundred steps, whatever path rounding makes it
    # take: without, L-BFGS may wander for thousands.
    options = {"alpha": 50.0, "tol": 1e-2, "max_iter": 5000, "random_state": 0}
    model = ESTIMATORS[task]((3,), "tanh", compute_hessian=True, **options).fit(X, y)
    assert model.converged_
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    assert buffer.tell() < 20_000 < X.nbytes
    joblib.dump(model, tmp_path / "model.joblib")
    restored = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(restored.predict(X), model.predict(X))
    assert all(np.shares_memory(W, restored.params_) for W in restored.coefs_)
    assert all(np.shares_memory(b, restored.params_) for b in restored.intercepts_)
    np.testing.assert_array_equal(restored.hessian_, model.hessian_)
    assert restored.critical_point_.kind == model.critical_point_.kind
    assert not hasattr(clone(model), "params_")


def test_tags():
    classifier, regressor = get_tags(MLPClassifier()), get_tags(MLPRegressor())
    assert classifier.estimator_type == "classifier"
    assert classifier.classifier_tags.multi_class
    assert regressor.estimator_type == "regressor"
    assert regressor.target_tags.multi_output
    for tags in (classifier, regressor):
        assert tags.input_tags.sparse
        assert not tags.input_tags.allow_nan
