"""The trust region and L-BFGS: models minimised exactly, saddles left, passes counted."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der, rosen_hess

from mcmodels.rows import Slope
from mcmodels.solvers import Status
from mcmodels.solvers.lbfgs import minimise_by_lbfgs
from mcmodels.solvers.trust_region import (
    minimise_in_trust_region,
    minimise_within,
    trust_region_iterates,
)
from tests.numerics import relative_error
from tests.objectives.networks import network_problem


@dataclass(frozen=True)
class Plain:
    """No conditioning."""

    def solve(self, vector, damping):
        return vector.copy()


@dataclass(frozen=True)
class PlainSlope(Slope):
    curvature: Plain


class Function:
    """A function as the solvers see objectives; it counts what is asked."""

    def __init__(self, value, gradient, hessian):
        self.at, self.asked = (value, gradient, hessian), 0

    def slope(self, x):
        self.asked += 1
        return Slope(float(self.at[0](x)), self.at[1](x))

    def conditioned_slope(self, x):
        slope = self.slope(x)
        return PlainSlope(slope.value, slope.gradient, Plain())

    def hessian_vector_product(self, x, v):
        self.asked += 1
        return self.at[2](x) @ v


def rosenbrock():
    return Function(rosen, rosen_der, rosen_hess)


def double_well():
    """Saddle at the origin, minima at x₁ = ±1."""
    return Function(
        lambda x: (x[0] ** 2 - 1) ** 2 / 4 + x[1] ** 2,
        lambda x: np.array([x[0] * (x[0] ** 2 - 1), 2 * x[1]]),
        lambda x: np.diag([3 * x[0] ** 2 - 1, 2.0]),
    )


SOLVERS = {
    "lbfgs": lambda f, x, **options: minimise_by_lbfgs(f, x, scale=1.0, **options),
    "newton-cg": minimise_in_trust_region,
}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n", [2, 5, 10])
def test_the_bottom_of_a_curved_valley(solver, n):
    f = rosenbrock()
    start = np.full(n, -1.2)
    start[1::2] = 1.0
    # L-BFGS sees values alone on its way: their rounding leaves gradients of 1e-7.
    tolerance = 1e-6 if solver == "lbfgs" else 1e-9
    solution = SOLVERS[solver](f, start, gradient_tolerance=tolerance, max_iter=2000)
    assert solution.status is Status.CONVERGED
    assert solution.method == solver
    assert solution.value.passes == f.asked
    slope = solution.value.slope
    np.testing.assert_array_equal(slope.gradient, rosen_der(solution.value.params))
    assert np.abs(slope.gradient).max() <= tolerance
    assert np.linalg.eigvalsh(rosen_hess(solution.value.params))[0] > 0
    if n == 2:
        # The least curvature at (1, 1) is 0.4.
        np.testing.assert_allclose(solution.value.params, 1, atol=5 * tolerance)


def test_negative_curvature_is_followed():
    f = double_well()
    start = np.array([1e-3, 0.5])
    path = list(trust_region_iterates(f, start, gradient_tolerance=1e-10, max_iter=100))
    np.testing.assert_allclose(path[-1].params, [1, 0], atol=1e-9)
    values = [state.slope.value for state in path]
    assert all(after <= before for before, after in pairwise(values))
    assert [state.count for state in path] == list(range(len(path)))
    with pytest.raises(AttributeError):
        path[0].radius = 2.0


def test_convergence_is_superlinear_in_the_end():
    problem = network_problem("one target", "tanh", (3,))
    objective = problem.objective()
    solution = minimise_in_trust_region(
        objective, problem.params, gradient_tolerance=1e-11, max_iter=3000
    )
    assert solution.status is Status.CONVERGED
    assert np.linalg.eigvalsh(objective.hessian(solution.value.params))[0] > 0
    norms = [
        np.linalg.norm(state.slope.gradient)
        for state in trust_region_iterates(
            objective, problem.params, gradient_tolerance=1e-11, max_iter=3000
        )
    ]
    late = np.array(norms)[np.array(norms) < 1e-6 * norms[0]]
    # Each step is precise to the root of the gradient: the digits grow by half with each, at least.
    assert len(late) <= 4


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("radius", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("kind", ["definite", "indefinite", "hard case", "singular"])
def test_models_are_minimised_within_the_radius(seed, radius, kind):
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    low = {"definite": 0.5, "indefinite": -2.0, "hard case": -2.0, "singular": 0.0}[kind]
    eigenvalues = np.array([low, 1.0, 3.0, 7.0])
    components = rng.standard_normal(4)
    if kind == "hard case":
        components[0] = 0.0
    H, g = (Q * eigenvalues) @ Q.T, Q @ components
    step, decrease, interior = minimise_within(H, g, radius)
    length = np.linalg.norm(step)
    assert length <= radius * (1 + 1e-9)
    assert decrease == pytest.approx(-(g @ step + step @ H @ step / 2), rel=1e-9)
    # Theorem 4.1: (H + λI)s = -g with λ ≥ 0 and H + λI positive semidefinite.
    shift = 0.0 if interior else -float(step @ (H @ step + g)) / length**2
    # Of the hard case g has no component along the lowest curvature but rounding.
    tolerance = 1e-6 * (np.linalg.norm(g) + abs(shift) * length)
    assert np.linalg.norm(H @ step + shift * step + g) <= tolerance
    assert shift >= -1e-9
    assert low + shift >= -1e-6
    if radius != 1.0:
        assert interior == (kind == "definite" and radius > 1)
    assert interior or length == pytest.approx(radius, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-25, 1e-12, 1e20])
@pytest.mark.parametrize("radius", [1e-11, 1.0, 1e6])
def test_models_of_any_scale(scale, radius):
    """A factor of the model changes no step; with many orders of size none leaves the radius."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        k = int(rng.integers(1, 5))
        Q = np.linalg.qr(rng.standard_normal((k, k)))[0]
        eigenvalues, components = (
            rng.standard_normal(k) * 10.0 ** rng.integers(-12, 3, k) for _ in range(2)
        )
        H, g = (Q * eigenvalues) @ Q.T, Q @ components
        found = minimise_within(scale * (H + H.T) / 2, scale * g, radius)
        assert np.linalg.norm(found.step) <= radius * (1 + 1e-9)
        assert found.decrease >= 0


@pytest.mark.parametrize("solver", SOLVERS)
def test_running_out_of_steps_and_being_stopped(solver):
    start = np.array([-1.2, 1.0])
    solution = SOLVERS[solver](rosenbrock(), start, gradient_tolerance=1e-9, max_iter=3)
    assert (solution.status, solution.iterations) == (Status.NOT_CONVERGED, 3)
    seen = []

    def after_step(params):
        seen.append(params)
        return len(seen) == 2

    options = {"gradient_tolerance": 1e-9, "max_iter": 50, "after_step": after_step}
    solution = SOLVERS[solver](rosenbrock(), start, **options)
    assert (solution.status, solution.iterations) == (Status.NOT_CONVERGED, 2)
    np.testing.assert_array_equal(seen[-1], solution.value.params)


@pytest.mark.parametrize("solver", SOLVERS)
def test_no_tolerance_ends_where_float64_does(solver):
    problem = network_problem("three classes", "tanh", (3,))
    objective = problem.objective()
    solution = SOLVERS[solver](objective, problem.params, gradient_tolerance=0.0, max_iter=5000)
    assert solution.status is Status.CONVERGED
    # A decrease of 1e-13 of the value is the most that is left; gradients are its root.
    assert np.abs(solution.value.slope.gradient).max() < 1e-4


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("activation", ["tanh", "logistic"])
@pytest.mark.parametrize("seed", range(6))
def test_no_tolerance_ends_soon_where_nothing_is_left(solver, activation, seed):
    """Penalised: rejected steps do not repeat for ever, and the end is a stationary point."""
    problem = network_problem("one target", activation, (4,), seed=seed)
    objective = problem.objective()
    options = {"gradient_tolerance": 0.0, "max_iter": 3000}
    solution = SOLVERS[solver](objective, problem.params, **options)
    assert solution.status is Status.CONVERGED
    # Of values near 10 some 1e-13 are left, its root times that of the curvature.
    assert np.abs(solution.value.slope.gradient).max() < 1e-5


def test_small_values_are_minimised_as_others_are():
    """SciPy's own criterion stops L-BFGS at 1e-14 of 1, whatever the value."""
    small = Function(
        lambda x: 1e-14 * (rosen(x) + 1), lambda x: 1e-14 * rosen_der(x), lambda x: None
    )
    solution = minimise_by_lbfgs(
        small, np.array([-1.2, 1.0]), scale=1.0, gradient_tolerance=0.0, max_iter=2000
    )
    assert solution.value.passes == small.asked
    assert solution.status is Status.CONVERGED
    # The value is 1 + 0.2 (x - 1)² along the valley: rounding leaves its root, times ten.
    np.testing.assert_allclose(solution.value.params, 1, atol=1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_start_that_overflows_is_refused(solver):
    f = Function(lambda x: np.inf, lambda x: x, lambda x: np.eye(2))
    with pytest.raises(ValueError, match="overflows float64 at the start"):
        SOLVERS[solver](f, np.ones(2), gradient_tolerance=1e-9, max_iter=3)


def test_a_stationary_start_is_where_it_ends():
    solution = minimise_in_trust_region(
        double_well(), np.zeros(2), gradient_tolerance=1e-9, max_iter=9
    )
    assert (solution.status, solution.iterations) == (Status.CONVERGED, 0)


def test_a_wrong_curvature_costs_passes_not_digits():
    """The gradient decides; the plant is seen in the passes."""
    problem = network_problem("one target", "tanh", (3,))
    options = {"gradient_tolerance": 1e-7, "max_iter": 5000}
    basin = minimise_in_trust_region(problem.objective(), problem.params, **options).value.params
    start = basin + 0.05 * np.random.default_rng(0).standard_normal(basin.size)
    passes, ends = [], []
    for factor in (1.0, 3.0):
        objective = problem.objective()
        product = objective.hessian_vector_product
        objective.hessian_vector_product = lambda x, v, p=product, f=factor: f * p(x, v)
        solution = minimise_in_trust_region(objective, start, **options)
        assert solution.status is Status.CONVERGED
        passes.append(solution.value.passes)
        ends.append(solution.value.params)
    assert passes[1] > 1.5 * passes[0]
    # Gradients of 1e-7 where the least curvature is near 0.1.
    assert relative_error(ends[1], ends[0]) < 1e-5


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_kink_is_not_called_a_minimum(solver):
    """|x| + y²/2 from a point where no step along the gradient helps."""
    f = Function(
        lambda x: 1 + abs(x[0]) + x[1] ** 2 / 2,
        lambda x: np.array([1.0 if x[0] >= 0 else -1.0, x[1]]),
        lambda x: np.diag([0.0, 1.0]),
    )
    solution = SOLVERS[solver](f, np.zeros(2), gradient_tolerance=1e-9, max_iter=500)
    assert solution.status is Status.NOT_CONVERGED
    assert solution.iterations < 100
    assert solution.value.passes == f.asked


# -- the hard case ---------------------------------------------------------------------------------


def rotated(rng, eigenvalues, components):
    Q = np.linalg.qr(rng.standard_normal((len(eigenvalues),) * 2))[0]
    return (Q * eigenvalues) @ Q.T, Q @ components, Q


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("low", [-2.0, -1e-3])
@pytest.mark.parametrize("aligned", [0.0, 1e-17, -1e-17, 1e-12, -1e-12])
def test_the_hard_case_in_closed_form(seed, low, aligned):
    """A gradient (nearly) orthogonal to the lowest eigenvector v: Moré and Sorensen (1983), §3.

    With λ = -λ₁ the step is ``-(H + λI)⁺g + τv``, τ such that it ends at the radius. Where g has
    a small component along v, the step goes down along it, and differs by no more than its size.
    """
    rng = np.random.default_rng(seed)
    eigenvalues = np.array([low, 1.0, 3.0, 7.0])
    components = np.r_[0.0, rng.standard_normal(3)]
    short = -components[1:] / (eigenvalues[1:] - low)
    for radius in (1.01, 2.0, 100.0):
        radius = radius * np.linalg.norm(short)
        tau = np.sqrt(radius**2 - short @ short)
        s = np.r_[tau, short]
        expected = -(components @ s + s @ (eigenvalues * s) / 2)
        H, g, Q = rotated(rng, eigenvalues, components + np.r_[aligned, 0, 0, 0])
        step, decrease, interior = minimise_within(H, g, radius)
        assert not interior
        assert np.linalg.norm(step) == pytest.approx(radius, rel=1e-12)
        # What g has along v moves λ by |aligned| / τ, so the step by that over the gap in
        # eigenvalues, which is above one; eigh rounds H to 1e-15 of its size, and g likewise, and τ
        # magnifies what comes of that by at most radius / τ < 10.
        close = 1e-10 * radius
        found = Q.T @ step
        np.testing.assert_allclose(found[1:], short, rtol=0, atol=close)
        assert abs(found[0]) == pytest.approx(tau, abs=10 * close)
        if abs(aligned) > 1e-15:  # beyond rounding, the sign is that of descent
            assert found[0] * aligned < 0
        assert decrease == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("radius", [0.1, 1.0, 30.0])
def test_no_point_within_the_radius_is_lower(radius):
    """In two dimensions all points of the circle and of the disc can be looked at."""
    angles = np.linspace(0, 2 * np.pi, 20_001)
    circle = np.stack([np.cos(angles), np.sin(angles)])
    rng = np.random.default_rng(0)
    for eigenvalues in ([-1.0, 2.0], [-3.0, -1.0], [0.5, 2.0], [0.0, 1.0], [-1.0, -1.0]):
        for components in ([0.0, 1.0], [1.0, 0.0], [1e-9, 0.3], [0.0, 0.0], [0.7, -0.4]):
            H, g, _ = rotated(rng, np.array(eigenvalues), np.array(components))
            step, decrease, _ = minimise_within(H, g, radius)
            assert np.linalg.norm(step) <= radius * (1 + 1e-12)
            for share in np.linspace(0.02, 1, 50):
                points = share * radius * circle
                values = g @ points + np.sum(points * (H @ points), axis=0) / 2
                # Rounding of numbers of the size of the model.
                size = np.linalg.norm(g) * radius + np.abs(eigenvalues).max() * radius**2
                assert -decrease <= values.min() + 1e-13 * size


def test_a_saddle_is_left_whatever_the_rounding_of_its_gradient():
    """Exactly on the ridge between two wells, the gradient never points into either."""
    f = double_well()
    path = list(
        trust_region_iterates(f, np.array([1e-160, 0.5]), gradient_tolerance=0.0, max_iter=200)
    )
    np.testing.assert_allclose(path[-1].params, [1, 0], atol=1e-7)
