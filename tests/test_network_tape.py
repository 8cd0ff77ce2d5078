"""Backpropagation layer by layer is the tape: gradient, Hessian and its products."""

import numpy as np
import pytest

from mcmodels import autodiff
from tests.numerics import relative_error
from tests.objectives.networks import TASKS, network_problem, plain_objective


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("activation", ["identity", "tanh", "logistic", "relu"])
def test_backpropagation_is_the_tape(task, activation):
    problem = network_problem(task, activation)
    objective, at = problem.objective(), problem.params

    def plain(params):
        return plain_objective(problem, params)

    # The same sums in another order: a few ulps of the largest entry.
    assert relative_error(objective.gradient(at), autodiff.grad(plain)(at)) < 1e-13
    assert relative_error(objective.hessian(at), autodiff.hessian(plain)(at)) < 1e-12
    v = np.random.default_rng(1).standard_normal(at.size)
    product = autodiff.hessian_vector_product(plain)(at, v)
    assert relative_error(objective.hessian_vector_product(at, v), product) < 1e-12
