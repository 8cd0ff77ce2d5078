"""Newton's method on functions whose minimum is known, and where it must say that it failed."""

import numpy as np
import pytest

from mcmodels.rows import Derivatives
from mcmodels.solvers import Status
from mcmodels.solvers.newton import newton_iterates
from tests.numerics import relative_error


class Function:
    """An objective from its value, gradient and Hessian."""

    def __init__(self, value, gradient, hessian):
        self.value, self._gradient, self._hessian = value, gradient, hessian

    def derivatives(self, params):
        return Derivatives(self.value(params), self._gradient(params), self._hessian(params))

    def with_shift_curvature(self, hessian, shape):
        return hessian


def quadratic(A, b, floor=0.0):
    return Function(lambda x: x @ A @ x / 2 - b @ x + floor, lambda x: A @ x - b, lambda x: A)


def solve(function, start, tolerance=1e-10, max_iter=50):
    return list(newton_iterates(function, start, gradient_tolerance=tolerance, max_iter=max_iter))


def test_a_quadratic_takes_one_step():
    A, b = np.array([[4.0, 1.0], [1.0, 3.0]]), np.array([1.0, 2.0])
    path = solve(quadratic(A, b), np.array([10.0, -7.0]))
    assert path[-1].status is Status.CONVERGED
    assert relative_error(path[1].params, np.linalg.solve(A, b)) < 1e-14
    assert [state.count for state in path] == list(range(len(path)))


def test_a_singular_quadratic_gets_the_shortest_step():
    A, b = np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([2.0, 2.0])
    path = solve(quadratic(A, b), np.zeros(2))
    assert relative_error(path[-1].params, [1.0, 1.0]) < 1e-14
    assert path[-1].direction.rank == 1
    assert path[-1].direction.dependent == (0, 1)


def hyperbolic():
    """Σ √(1 + x²): full Newton steps x → -x³ diverge from anywhere outside the unit box."""
    return Function(
        lambda x: np.sqrt(1 + x**2).sum(),
        lambda x: x / np.sqrt(1 + x**2),
        lambda x: np.diag((1 + x**2) ** -1.5),
    )


@pytest.mark.parametrize("start", [[1.5, -3.0], [30.0, 0.1], [-1e3, 1e3]])
def test_every_step_decreases_where_full_steps_diverge(start):
    function, start = hyperbolic(), np.array(start)
    assert function.value(-(start**3)) > function.value(start)
    path = solve(function, start, max_iter=200)
    values = [state.derivatives.value for state in path]
    assert np.all(np.diff(values) <= 1e-15 * np.abs(values[1:]))
    assert path[-1].status is Status.CONVERGED
    assert np.abs(path[-1].params).max() < 1e-8


def test_converges_quadratically():
    function = Function(
        lambda x: float(np.cosh(x[0]) + x[0] ** 4),
        lambda x: np.sinh(x) + 4 * x**3,
        lambda x: np.diag(np.cosh(x) + 12 * x**2),
    )
    sizes = [abs(state.params[0]) for state in solve(function, np.array([1.0]), tolerance=1e-12)]
    last = [s for s in sizes if s > 1e-14]
    assert last[-1] <= 10 * last[-2] ** 2


def test_stops_at_the_precision_of_float64_when_the_gradient_cannot_meet_its_tolerance():
    A = np.diag([1e12, 1.0])
    path = solve(quadratic(A, A @ np.array([0.1, 0.3]), floor=1e12), np.ones(2), tolerance=1e-30)
    assert path[-1].status is Status.CONVERGED
    assert len(path) < 10
    assert relative_error(path[-1].params, [0.1, 0.3]) < 1e-8


def test_a_flat_point_that_is_no_minimum_is_not_called_converged():
    """Curvature that has underflowed leaves a gradient that no step answers."""
    flat = Function(lambda x: x.sum(), np.ones_like, lambda x: np.zeros((2, 2)))
    path = solve(flat, np.array([5.0, 5.0]))
    assert path[-1].status is Status.NOT_CONVERGED
    assert np.isfinite(path[-1].params).all()


def test_counts_its_steps():
    path = solve(hyperbolic(), np.array([0.9]), tolerance=0.0, max_iter=3)
    assert path[-1].status is Status.NOT_CONVERGED
    assert path[-1].count == 3


def test_overflow_at_the_start_is_refused_and_on_the_way_is_halved():
    infinite = Function(lambda x: np.inf, np.ones_like, lambda x: np.array([[np.inf]]))
    with pytest.raises(ValueError, match="overflow float64"):
        solve(infinite, np.zeros(1))
    steep = Function(
        lambda x: float(np.exp(x[0] ** 2) + 1e-3 * (x[0] - 1) ** 2),
        lambda x: 2 * x * np.exp(x**2) + 2e-3 * (x - 1),
        lambda x: np.diag((2 + 4 * x**2) * np.exp(x**2) + 2e-3),
    )
    path = solve(steep, np.array([20.0]), max_iter=800)
    assert path[-1].status is Status.CONVERGED
    assert abs(path[-1].derivatives.gradient[0]) < 1e-10
