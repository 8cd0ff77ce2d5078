"""A network in units of its columns is the same objective, of other parameters."""

import numpy as np
import pytest
from scipy import sparse

from mcmodels.differences import difference_quotient
from mcmodels.objectives.network_units import NetworkInUnits
from tests.objectives.networks import TASKS, network_problem

SIZES = np.array([1e4, 1.0, 1e6, 30.0, 1.0, 1.0])


def both(task, hidden, *, is_sparse=False):
    problem = network_problem(task, "tanh", hidden)
    p = problem.X.shape[1]
    size = np.resize(SIZES, p)
    centre = np.zeros(p) if is_sparse else np.resize([5e3, 0.0, -2e6], p)
    X = problem.X * size + centre
    objective = problem.objective(sparse.csr_array(X) if is_sparse else X, block_rows=7)
    return problem, objective, NetworkInUnits(objective, centre, size)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("hidden", [(), (4, 3)])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_the_value_is_that_of_the_parameters_as_given(task, hidden, is_sparse):
    problem, objective, units = both(task, hidden, is_sparse=is_sparse)
    params = units.params(problem.params)
    # Terms of the size of the centre cancel in the columns as given: 1e6/30 times rounding.
    assert units.value(problem.params) == pytest.approx(objective.value(params), rel=1e-10)
    np.testing.assert_allclose(units.inside(params), problem.params, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("hidden", [(), (4, 3)])
def test_derivatives_by_differences(task, hidden):
    problem, objective, units = both(task, hidden)
    v = np.random.default_rng(0).standard_normal(problem.params.size)
    slope = difference_quotient(lambda t: np.array([units.value(problem.params + t * v)]))
    # Extrapolated differences of a smooth function are good to 1e-9 or so.
    assert units.gradient(problem.params) @ v == pytest.approx(slope[0], rel=1e-7)
    given = objective.gradient(units.params(problem.params))
    # The columns as given are 3e4 times as far from zero as they are wide.
    found = units.gradient_inside(given)
    np.testing.assert_allclose(found, units.gradient(problem.params), rtol=1e-8, atol=1e-8)
    product = difference_quotient(lambda t: units.gradient(problem.params + t * v))
    found = units.hessian_vector_product(problem.params, v)
    np.testing.assert_allclose(found, product, rtol=1e-7, atol=1e-7 * np.abs(product).max())


def test_the_penalty_is_that_of_the_coefficients_as_given():
    problem, objective, units = both("counts", (4,))
    none = type(objective)(objective.rows, objective.network, objective.loss, 0.0)
    params = units.params(problem.params)
    coefs = objective.network.unflatten(params).coefs
    penalty = objective.alpha / 2 * sum(float((W**2).sum()) for W in coefs)
    without = NetworkInUnits(none, *units.columns)
    found = units.value(problem.params) - without.value(problem.params)
    # A difference of two values: their rounding.
    assert found == pytest.approx(penalty, abs=1e-12 * abs(units.value(problem.params)))
