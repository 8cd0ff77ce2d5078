"""A start whose outputs are huge exponents is shrunk, and no other."""

import numpy as np
import pytest

from mcmodels.objectives.network_losses import HalfPoissonDeviance
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.rows import ArrayRows
from mcmodels.solvers.network_start import moderate_start
from tests.objectives.networks import TASKS, network_problem


def largest_output(objective, params):
    outputs = objective.rows.map(lambda block: objective.network.outputs(block.X, params))
    return np.abs(outputs).max()


@pytest.mark.parametrize("task", ["counts", "two counts"])
@pytest.mark.parametrize("hidden", [(), (4, 3)])
@pytest.mark.parametrize("size", [1e2, 1e6, 1e150])
def test_huge_outputs_are_shrunk_to_one(task, hidden, size):
    problem = network_problem(task, "relu", hidden)
    objective = problem.objective(size * problem.X, block_rows=7)
    if np.array_equal(hidden, ()):
        assert largest_output(objective, problem.params) > 30
    start = moderate_start(objective, problem.params)
    if largest_output(objective, problem.params) > 30:
        assert largest_output(objective, start) == pytest.approx(1.0, rel=1e-12)
        assert np.isfinite(objective.value(start))
    inner = np.setdiff1d(np.arange(start.size), problem.network.last_layer)
    np.testing.assert_array_equal(start[inner], problem.params[inner])


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
    assert moderate_start(objective, problem.params) is problem.params
