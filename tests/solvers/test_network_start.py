"""Large columns start in their own units; a start whose outputs are huge exponents is shrunk."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from mcmodels import MLPRegressor
from mcmodels.objectives.network_losses import HalfPoissonDeviance
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.rows import ArrayRows
from mcmodels.solvers.network_start import in_units_of_columns, moderate_start
from tests.objectives.networks import TASKS, network_problem


def largest_output(objective, params):
    outputs = objective.rows.map(lambda block: objective.network.outputs(block.X, params))
    return np.abs(outputs).max()


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("hidden", [(), (4, 3)])
@pytest.mark.parametrize("size", [1e2, 1e6, 1e100])
def test_large_columns_start_as_those_of_a_standard_scaler(task, hidden, size):
    problem = network_problem(task, "tanh", hidden)
    X = size * (problem.X + 3.0)
    objective = problem.objective(X, block_rows=7)
    units = in_units_of_columns(objective)
    found = objective.rows.map(
        lambda block: objective.network.outputs(block.X, units.params(problem.params))
    )
    standard = StandardScaler().fit(X, sample_weight=problem.weights).transform(X)
    of_standard = problem.objective(standard, block_rows=7)
    expected = of_standard.rows.map(
        lambda block: objective.network.outputs(block.X, problem.params)
    )
    # A few products, each rounded, of terms some three times as large as their sum.
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("task", ["counts", "two counts"])
@pytest.mark.parametrize("hidden", [(), (4, 3)])
@pytest.mark.parametrize("size", [1e2, 1e6, 1e150, 1e160])
def test_huge_outputs_are_no_longer_huge(task, hidden, size):
    """Squares of columns of 1e160 overflow: the last layer alone is shrunk."""
    problem = network_problem(task, "relu", hidden)
    objective = problem.objective(size * problem.X, block_rows=7)
    inside = in_units_of_columns(objective)
    assert (inside is None) == (size == 1e160)
    inside = inside or objective
    start = moderate_start(inside, problem.params)
    assert largest_output(inside, start) <= 30
    assert np.isfinite(inside.value(start))
    if size == 1e160:
        assert largest_output(objective, start) == pytest.approx(1.0, rel=1e-12)
        inner = np.setdiff1d(np.arange(start.size), problem.network.last_layer)
        np.testing.assert_array_equal(start[inner], problem.params[inner])


def test_units_are_those_of_large_columns():
    problem = network_problem("counts", "relu", (4,))
    sizes = np.ones(problem.X.shape[1])
    sizes[1] = 1e5
    assert in_units_of_columns(problem.objective()) is None
    found = in_units_of_columns(problem.objective(problem.X * sizes))
    assert (np.delete(found.columns[1], 1) == 1).all()
    assert (np.delete(found.columns[0], 1) == 0).all()
    weights = np.ones(len(problem.X)) if problem.weights is None else problem.weights
    mean = weights @ problem.X[:, 1] / weights.sum()
    deviation = np.sqrt(weights @ (problem.X[:, 1] - mean) ** 2 / weights.sum())
    assert found.columns[1][1] == pytest.approx(1e5 * deviation, rel=1e-12)
    assert found.columns[0][1] == pytest.approx(1e5 * mean, rel=1e-10)


def test_a_constant_column_is_zero_in_its_units():
    problem = network_problem("counts", "relu", (4,))
    X = problem.X.copy()
    X[:, 2] = 3e4 + 0.1
    found = in_units_of_columns(problem.objective(X))
    assert found.columns[1][2] == pytest.approx(X[0, 2])
    z = (X[:, 2] - found.columns[0][2]) / found.columns[1][2]
    assert np.abs(z).max() < 1e-14  # rounding of the mean


def test_sparse_columns_are_scaled_and_not_shifted():
    problem = network_problem("counts", "relu", (4,))
    X = np.abs(problem.X) * 1e5
    found = in_units_of_columns(problem.objective(sparse.csr_array(X)))
    assert (found.columns[0] == 0).all()
    weights = np.ones(len(X)) if problem.weights is None else problem.weights
    np.testing.assert_allclose(
        found.columns[1], np.sqrt(weights @ X**2 / weights.sum()), rtol=1e-12
    )


def test_small_sparse_columns_are_scaled_by_the_entries_that_they_have():
    problem = network_problem("counts", "relu", (4,))
    X = np.abs(problem.X) + 0.5
    X[1:, 1] = 0.0  # rare, and not small
    X[5:, 2] = 0.0
    X[:, 2] *= 1e-4
    found = in_units_of_columns(problem.objective(sparse.csr_array(X), block_rows=7))
    assert (found.columns[0] == 0).all()
    weights = np.ones(len(X)) if problem.weights is None else problem.weights
    expected = np.ones(X.shape[1])
    expected[2] = np.sqrt(weights[:5] @ X[:5, 2] ** 2 / weights[:5].sum())
    np.testing.assert_allclose(found.columns[1], expected, rtol=1e-12)


@pytest.mark.parametrize("task", TASKS)
def test_other_starts_are_as_they_were(task):
    problem = network_problem(task, "relu")
    assert moderate_start(problem.objective(), problem.params) is problem.params
    if "counts" not in task:
        huge = problem.objective(1e6 * problem.X)
        assert moderate_start(huge, problem.params) is problem.params


def test_what_is_not_finite_is_left_to_be_refused():
    problem = network_problem("counts", "relu", ())
    problem.X[3, 1] = np.inf
    assert moderate_start(problem.objective(), problem.params) is problem.params


def test_rows_without_weight_do_not_count():
    problem = network_problem("counts", "relu", ())
    X, weights = problem.X.copy(), np.ones(len(problem.X))
    X[4], weights[4] = 1e9, 0.0
    rows = ArrayRows(X, problem.y, weights, intercept=False)
    objective = NetworkObjective(rows, problem.network, HalfPoissonDeviance(), 0.1)
    assert in_units_of_columns(objective) is None
    assert moderate_start(objective, problem.params) is problem.params


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_plateau_of_large_columns_is_no_minimum(activation, seed):
    """What converged without a tolerance is not lowered by a second-order descent from there."""
    rng = np.random.default_rng(7)
    X = rng.standard_normal((200, 5)) * np.array([1e4, 1.0, 1.0, 1e4, 1.0])
    y = np.tanh(X[:, 1]) + 1e-4 * X[:, 0] + 0.1 * rng.standard_normal(200)
    model = MLPRegressor((4,), activation=activation, random_state=seed, max_iter=300, tol=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)
        found, said = model.objective_, model.converged_
        model.set_params(warm_start=True, solver="newton-cg", max_iter=20).fit(X, y)
    # A minimum has at most rounding to gain; on a plateau 15 % are left.
    assert not said or model.objective_ >= found * (1 - 1e-6)


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg"])
@pytest.mark.parametrize("activation", ["tanh", "logistic"])
@pytest.mark.parametrize("size", [1e3, 1e6])
def test_large_columns_are_fitted_as_well_as_scaled_ones(solver, activation, size):
    """Without a penalty the objective is the same function of the parameters in units."""
    rng = np.random.default_rng(1)
    Z = rng.standard_normal((150, 3))
    y = np.tanh(Z[:, 1]) + 0.5 * Z[:, 0] + 0.1 * rng.standard_normal(150)
    X = size * (Z + 2.0)
    options = {"activation": activation, "solver": solver, "alpha": 0.0, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLPRegressor((3,), max_iter=60, tol=1e-3, **options).fit(X, y)
        scaled = MLPRegressor((3,), max_iter=60, tol=1e-3, **options)
        scaled.fit(StandardScaler().fit_transform(X), y)
    assert model.converged_ == scaled.converged_
    # The same steps, but for rounding: some 60 steps let it grow to 1e-6 or so.
    assert model.loss_ == pytest.approx(scaled.loss_, rel=1e-3)
    assert model.objective_ == pytest.approx(model.objective(X, y), rel=1e-12)
    assert model.status_ == scaled.status_


def test_the_verdict_is_of_the_gradient_in_units_of_the_columns():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((200, 2)) * 1e4 + 5e4
    y = np.tanh((X[:, 0] - 5e4) / 1e4) + 0.1 * rng.standard_normal(200)
    model = MLPRegressor((3,), "tanh", alpha=0.0, random_state=0, max_iter=3000, tol=1e-4).fit(X, y)
    assert model.converged_
    (W, _), (b, _) = model.gradient_
    in_units = (W - np.multiply.outer(X.mean(axis=0), b)) / X.std(axis=0)[:, np.newaxis]
    assert np.abs(in_units).max() <= 1.01e-4 * 200  # rounding of the gradient in the given columns
