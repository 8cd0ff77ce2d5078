"""Newton's method by conjugate gradients finds what the dense one finds, and forms no Hessian."""

import tracemalloc
import warnings

import numpy as np
import pytest
import sklearn.linear_model
from scipy import sparse

from mcmodels import LogisticRegression
from mcmodels.exceptions import ConvergenceWarning, SeparationWarning
from mcmodels.objectives import (
    BinaryCrossEntropy,
    LinearPredictorObjective,
    SoftmaxCrossEntropy,
    SquaredError,
)
from mcmodels.rows import ArrayRows
from mcmodels.solvers import Status, room
from mcmodels.solvers.conjugate_gradients import Jacobi, conjugate_gradients
from mcmodels.solvers.newton_cg import newton_cg_iterates
from tests.numerics import relative_error
from tests.problems import classes_problem


@pytest.fixture
def no_room(monkeypatch):
    """Everything is too large for a matrix."""
    monkeypatch.setattr(room, "LARGEST_SIDE", 1)


def matrix_of_condition(seed, size, condition):
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))[0]
    return (Q * np.geomspace(1, condition, size)) @ Q.T


def solve(A, b, tolerance=1e-12, diagonal=None):
    preconditioner = Jacobi.of(np.ones(len(b)) if diagonal is None else diagonal)
    return conjugate_gradients(
        lambda v: A @ v, b, preconditioner, tolerance=tolerance, max_steps=500
    )


def test_conjugate_gradients_solve_and_know_the_extreme_eigenvalues():
    A, b = matrix_of_condition(0, 30, 1e3), np.random.default_rng(1).standard_normal(30)
    found = solve(A, b)
    assert relative_error(found.x, np.linalg.solve(A, b)) < 1e-9
    assert found.smallest == pytest.approx(1.0, rel=1e-6)
    assert found.largest == pytest.approx(1e3, rel=1e-6)
    scaled = np.geomspace(1e-4, 1e4, 30)
    other = solve(A * np.outer(scaled, scaled), b * scaled, diagonal=np.diag(A) * scaled**2)
    assert relative_error(other.x * scaled, np.linalg.solve(A, b)) < 1e-9


def test_every_truncated_solution_is_a_direction_of_descent():
    A, b = matrix_of_condition(2, 20, 1e3), np.random.default_rng(3).standard_normal(20)
    for tolerance in (0.9, 0.5, 0.1, 1e-3):
        x = solve(A, b, tolerance).x
        assert x @ A @ x == pytest.approx(b @ x, rel=1e-3)
        assert b @ x > 0


def test_a_singular_system_gets_its_shortest_solution():
    A = np.diag([2.0, 3.0, 0.0, 0.0])
    found = solve(A, np.array([2.0, 6.0, 0.0, 0.0]))
    np.testing.assert_allclose(found.x, [1, 2, 0, 0], rtol=1e-14)
    assert found.smallest == pytest.approx(2.0)
    assert solve(A, np.zeros(4)).steps == 0


@pytest.mark.parametrize(
    ("loss", "shape"),
    [(BinaryCrossEntropy(), (5,)), (SoftmaxCrossEntropy(), (3, 5)), (SquaredError(), (2, 5))],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_the_diagonal_is_that_of_the_hessian(loss, shape, intercept, storage):
    rng = np.random.default_rng(4)
    X, w = rng.standard_normal((40, shape[-1] - intercept)), rng.uniform(0, 2, 40)
    y = rng.standard_normal((40, 2)) if shape[0] == 2 else rng.integers(0, shape[0] % 4, 40) % 2
    y = rng.integers(0, 3, 40) if shape[0] == 3 else y
    rows = ArrayRows(storage(X), y, w, intercept=intercept)
    objective = LinearPredictorObjective(rows, loss, penalty=0.3)
    at = rng.standard_normal(shape)
    diagonal = objective.hessian_diagonal(at)
    assert diagonal.shape == shape
    assert relative_error(diagonal.ravel(), np.diag(objective.hessian(at))) < 1e-14


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("C", [0.01, 1.0, 100.0, np.inf])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_agrees_with_the_dense_route_and_with_scikit_learn(n_classes, C, intercept, weighted):
    X, y = classes_problem(0, 200, 4, n_classes)
    w = np.random.default_rng(1).uniform(0, 2, 200) if weighted else None
    shared = {"C": C, "fit_intercept": intercept, "max_iter": 1000}
    dense = LogisticRegression(**shared).fit(X, y, w)
    model = LogisticRegression(solver="newton-cg", **shared).fit(X, y, w)
    assert model.solver_ == "newton-cg"
    assert model.status_ == "converged"
    assert relative_error(model.params_, dense.params_) < 1e-9
    assert relative_error(model.hessian_, dense.hessian_) < 1e-8
    assert np.abs(model.gradient_).max() <= 1e-8 * (200 if w is None else w.sum())
    assert model.objective_ == pytest.approx(dense.objective_, rel=1e-13)
    if n_classes > 2:
        assert np.abs(model.params_.sum(axis=0)).max() < 1e-12
    reference = sklearn.linear_model.LogisticRegression(
        solver="newton-cholesky", tol=1e-13, **shared
    ).fit(X, y, w)
    assert relative_error(model.coef_, reference.coef_) < 1e-8


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array, np.asfortranarray])
def test_takes_over_where_a_hessian_has_no_room(no_room, n_classes, storage):
    X, y = classes_problem(2, 150, 6, n_classes)
    X[np.abs(X) < 1] = 0
    model = LogisticRegression().fit(storage(X), y)
    assert model.solver_ == "newton-cg"
    with pytest.raises(AttributeError, match=r"hessian_vector_product\(X, y, vector="):
        _ = model.hessian_
    direction = np.random.default_rng(0).standard_normal(model.params_.shape)
    product = model.hessian_vector_product(X, y, vector=direction)
    expected = model.hessian(X, y) @ direction.ravel()
    assert relative_error(product.ravel(), expected) < 1e-13


def test_columns_far_from_zero_and_of_all_sizes():
    rng = np.random.default_rng(5)
    size = np.logspace(-4, 4, 12)
    X = rng.standard_normal((800, 12)) * size + 30 * size
    y = ((X[:, 0] - X[:, 0].mean()) / size[0] + rng.logistic(size=800) > 0).astype(int)
    for C in (1.0, np.inf):
        dense = LogisticRegression(C=C).fit(X, y)
        model = LogisticRegression(C=C, solver="newton-cg").fit(X, y)
        assert model.converged_
        assert relative_error(model.coef_ * size, dense.coef_ * size) < 1e-8


def test_the_condition_is_estimated():
    X, y = classes_problem(6, 300, 8, 2)
    objective = LinearPredictorObjective(ArrayRows(X, y), BinaryCrossEntropy(), penalty=1.0)
    states = newton_cg_iterates(objective, np.zeros(9), gradient_tolerance=1e-9, max_iter=50)
    *_, last = states
    H = objective.hessian(last.params)
    scale = np.sqrt(np.diag(H))
    expected = np.sqrt(np.linalg.cond(H / np.outer(scale, scale)))
    assert last.status is Status.CONVERGED
    assert last.direction.condition == pytest.approx(expected, rel=0.2)


def test_a_wrong_hessian_is_no_way_to_a_wrong_optimum():
    """The gradient decides: a planted error in the curvature costs steps, not digits."""

    class Planted(LinearPredictorObjective):
        def hessian_vector_product(self, params, vector):
            return 1.3 * super().hessian_vector_product(params, vector)

    X, y = classes_problem(7, 200, 4, 2)
    dense = LogisticRegression().fit(X, y)
    at = (ArrayRows(X, y), BinaryCrossEntropy(), 1.0)
    counts = []
    for kind in (LinearPredictorObjective, Planted):
        path = newton_cg_iterates(kind(*at), np.zeros(5), gradient_tolerance=1e-8, max_iter=90)
        *_, last = path
        assert relative_error(last.params, dense.params_) < 1e-9
        counts.append(last.count)
    assert counts[1] > 2 * counts[0], "the plant is seen in how slowly it converges"


def test_a_wrong_gradient_is_caught_by_the_comparison():
    class Planted(LinearPredictorObjective):
        def _with_penalty(self, slope, params):
            return super()._with_penalty(slope, 1.001 * params)

    X, y = classes_problem(7, 200, 4, 2)
    dense = LogisticRegression().fit(X, y)
    objective = Planted(ArrayRows(X, y), BinaryCrossEntropy(), 1.0)
    *_, last = newton_cg_iterates(objective, np.zeros(5), gradient_tolerance=1e-8, max_iter=90)
    assert relative_error(last.params, dense.params_) > 1e-6


@pytest.mark.parametrize("n_classes", [2, 3])
def test_separation_is_named(n_classes):
    rng = np.random.default_rng(9)
    y = np.repeat(np.arange(n_classes), 20)
    X = np.column_stack([rng.standard_normal(y.size), y * 10 + rng.uniform(-1, 1, y.size)])
    with pytest.warns(SeparationWarning, match="x1"):
        model = LogisticRegression(C=np.inf, solver="newton-cg").fit(X, y)
    assert model.status_ == "separated"
    assert np.isfinite(model.params_).all()


def test_running_out_of_steps_warns():
    X, y = classes_problem(12, 100, 3, 2)
    with pytest.warns(ConvergenceWarning, match="after 2 steps"):
        model = LogisticRegression(C=100, max_iter=2, solver="newton-cg").fit(X, y)
    assert model.status_ == "not converged"


def test_warm_start_and_callbacks(no_room):
    class Recorder:
        steps = 0

        def setup(self, estimator, context): ...

        def teardown(self, estimator, context): ...

        def on_fit_task_begin(self, estimator, context): ...

        def on_fit_task_end(self, estimator, context):
            self.steps += context.task_name == "newton-step"

    X, y = classes_problem(6, 100, 4, 3)
    model, recorder = LogisticRegression(warm_start=True), Recorder()
    model.set_callbacks(recorder).fit(X, y)
    assert recorder.steps == model.n_iter_[0] > 1
    first = model.params_.copy()
    model.fit(X, y)
    assert model.n_iter_[0] <= 1
    assert relative_error(model.params_, first) < 1e-9


def test_overflow_is_refused():
    X, y = np.array([[1e200], [2e200], [-1e200]]), np.array([0, 1, 1])
    with pytest.raises(ValueError, match="overflow float64"):
        LogisticRegression(solver="newton-cg").fit(X, y)


def test_no_matrix_of_the_parameters_is_allocated():
    """9000 columns: a Hessian would take 648 MB."""
    X = sparse.random_array((12_000, 9_000), density=1e-3, rng=0, format="csr")
    y = (np.asarray(X.sum(axis=1)) > 4.5).astype(int)
    tracemalloc.start()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LogisticRegression().fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert model.solver_ == "newton-cg"
    assert np.abs(model.gradient_).max() <= 1e-8 * 12_000
    assert peak < 40e6


def test_the_last_step_is_bounded_by_the_least_ritz_value():
    """``gᵀH⁻¹g ≤ gᵀM⁻¹g / μ ≤ κ gᵀH⁻¹g``, M the diagonal of H, κ the condition of M⁻¹H."""
    X, y = classes_problem(0, 400, 6, 2)
    objective = LinearPredictorObjective(ArrayRows(X, y), BinaryCrossEntropy(), 1.0)
    *_, last = newton_cg_iterates(objective, np.zeros(7), gradient_tolerance=1e-4, max_iter=50)
    assert last.status is Status.CONVERGED
    H, g = objective.hessian(last.params), last.derivatives.gradient
    exact = g @ np.linalg.solve(H, g)
    root = np.sqrt(np.diag(H))
    values = np.linalg.eigvalsh(H / np.outer(root, root))
    # Ritz values of the last solve are within a share of the eigenvalues at the end.
    assert exact <= 1.01 * last.direction.decrease
    assert last.direction.decrease <= 1.1 * exact * values[-1] / values[0]


@pytest.mark.filterwarnings("ignore")  # the columns are nearly parallel
@pytest.mark.parametrize("seed", range(8))
def test_columns_far_from_zero_do_not_end_in_an_error(seed):
    """Rounding may leave the smallest eigenvalue that was seen below zero, as it does of seed 4."""
    rng = np.random.default_rng(seed)
    X, y = 1e8 + rng.standard_normal((100, 2)), rng.integers(0, 2, 100)
    model = LogisticRegression(fit_intercept=False, solver="newton-cg").fit(X, y)
    assert np.isfinite(model.params_).all()
