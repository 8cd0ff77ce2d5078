"""Newton's method without convexity: saddles left, steps within reach, descents without end."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from mcmodels.estimators.pointwise import pointwise
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.rows import ArrayRows
from mcmodels.solvers import Status, newton
from mcmodels.solvers.modified_newton import _shift, modified_newton_iterates
from mcmodels.solvers.recession import curvature_is_everywhere, predictors_grow, recedes
from mcmodels.solvers.starts import intercept_start
from tests.numerics import relative_error


def objective(loss, X, y, w=None, *, intercept=True, penalty=0.0):
    return UserObjective(
        ArrayRows(X, y, w, intercept=intercept), UserLoss(pointwise(loss)), penalty
    )


def drawn(seed=0, n=100):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3))
    return X, X @ [1.0, -2.0, 0.5] + rng.standard_normal(n)


def last_of(f, start, tolerance=1e-8, max_iter=100):
    *_, last = modified_newton_iterates(f, start, gradient_tolerance=tolerance, max_iter=max_iter)
    return last


def test_it_is_newtons_method_where_the_objective_is_convex():
    X, y = drawn()
    f = objective("softplus(y - eta) + 0.1 * (y - eta)**2", X, y)
    ours = list(modified_newton_iterates(f, np.zeros(4), gradient_tolerance=1e-8, max_iter=50))
    theirs = list(newton.newton_iterates(f, np.zeros(4), gradient_tolerance=1e-8, max_iter=50))
    assert [s.count for s in ours] == [s.count for s in theirs]
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.params, b.params)
        np.testing.assert_array_equal(a.direction.step, b.direction.step)


def test_every_step_goes_down_and_the_end_is_a_minimum():
    X, y = drawn()
    f = objective("log(1 + (y - eta)**2)", X, 5 * y)
    for seed in range(10):
        start = 10 * np.random.default_rng(seed).standard_normal(4)
        states = list(modified_newton_iterates(f, start, gradient_tolerance=1e-8, max_iter=200))
        values = [state.derivatives.value for state in states]
        # Up to the rounding of a sum of 100 terms.
        assert max(np.diff(values)) <= 1e-14 * values[0]
        assert states[-1].status is Status.CONVERGED
        assert np.linalg.eigvalsh(states[-1].derivatives.hessian)[0] > 0


def test_a_saddle_is_left():
    X = np.eye(2)
    f = objective("(eta**2 - 1)**2 + (0 * y)", X, np.zeros(2), intercept=False)
    for start in ([0.0, 0.0], [0.0, 1.0]):  # a maximum, and a saddle
        last = last_of(f, np.array(start))
        assert last.status is Status.CONVERGED
        # Quadratic convergence ends at rounding.
        np.testing.assert_allclose(np.abs(last.params), 1.0, rtol=1e-9)


@pytest.mark.parametrize("loss", ["y * eta", "-(y - eta)**2", "eta**3"])
def test_a_descent_without_end_is_unbounded_and_ends_where_it_began(loss):
    X, y = drawn()
    last = last_of(objective(loss, X, y), np.full(4, 0.1))
    assert last.status is Status.UNBOUNDED
    assert np.isfinite(last.params).all()


def test_the_shift_is_that_of_a_trust_region():
    rng = np.random.default_rng(0)
    values, along = np.array([1e-20, 1e-3, 1.0, 50.0]), rng.standard_normal(4)
    for reach in (1e-6, 1.0, 1e3):
        mu = _shift(along, values, reach)
        length = np.linalg.norm(along / (values + mu))
        # Six bisections of a factor of two at most: 2^(1/64), or 1.1 %.
        assert 0.95 * reach <= length <= reach * (1 + 1e-12)
    assert _shift(along, values, 1e30) == 0.0


def test_a_loss_that_is_not_finite_at_the_start_names_the_row():
    X, _ = drawn()
    f = objective("log(eta - y)", X, np.where(np.arange(100) == 40, 7.0, -5.0))
    with pytest.raises(ValueError, match="at y=7, eta=0 it is nan"):
        last_of(f, np.zeros(4))


def test_what_overflows_on_the_way_is_no_step():
    X = np.ones((10, 1))
    f = objective("exp(eta) - y * eta", X, np.full(10, 1e8), intercept=False)
    last = last_of(f, np.zeros(1), tolerance=1e-2)
    assert last.status is Status.CONVERGED
    assert last.params[0] == pytest.approx(np.log(1e8), rel=1e-12)


def test_recession():
    X = np.array([[1.0], [2.0]])
    falling = objective("exp(-eta)", X, np.zeros(2), intercept=False)
    theta, step = np.array([20.0]), np.array([1.0])
    assert recedes(falling, theta, step)
    assert predictors_grow(falling.rows, theta, step)
    bowl = objective("(y - eta)**2", X, np.zeros(2), intercept=False)
    assert not recedes(bowl, theta, -theta)  # the step of Newton's method
    assert not predictors_grow(bowl.rows, theta, 1e-6 * step)
    blocked = objective("exp(-eta) + exp(eta - 25)", X, np.zeros(2), intercept=False)
    assert not recedes(blocked, theta, step)


def test_columns_that_have_lost_their_curvature_are_noticed():
    X = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    rows = ArrayRows(X, intercept=False)
    assert curvature_is_everywhere(rows, np.diag([2.0, 1e-3]))
    assert not curvature_is_everywhere(rows, np.diag([2.0, 1e-9]))


@pytest.mark.parametrize(
    ("loss", "y", "start"),
    [
        ("exp(eta) - y * eta", [1e6, 3e6, 2e6], np.log(2e6)),
        ("softplus(eta) - y * eta", [0.0, 1.0, 1.0, 1.0], np.log(3.0)),
        ("(y - eta)**2", [1e9, 1e9 + 2], 1e9 + 1),
        ("y / eta + log(eta)", [1.0, 2.0, 6.0], 3.0),
    ],
)
def test_the_start_is_about_the_best_constant(loss, y, start):
    y = np.array(y)
    X = np.random.default_rng(0).standard_normal((len(y), 2))
    found = intercept_start(objective(loss, X, y))
    assert not found[:2].any()
    assert found[2] == pytest.approx(start, rel=1e-2)
    assert not intercept_start(objective(loss, X, y, intercept=False)).any()


def test_a_start_that_runs_away_is_not_followed():
    X, _ = drawn()
    found = intercept_start(objective("exp(eta) - y * eta", X, np.zeros(100)))
    assert found[3] in (0.0, -1.0)


def test_the_sample_of_a_weighted_problem_is_weighted():
    X = np.zeros((4, 1))
    f = objective("(y - eta)**2", X, np.array([0.0, 0.0, 0.0, 8.0]), np.array([1.0, 1.0, 1.0, 3.0]))
    assert intercept_start(f)[1] == pytest.approx(4.0, rel=1e-12)
    assert relative_error(last_of(f, np.zeros(2)).derivatives.gradient, np.zeros(2)) < 1e-12


# -- the step of the modified Hessian --------------------------------------------------------------


def first_step(f, start):
    state = next(modified_newton_iterates(f, start, gradient_tolerance=1e-8, max_iter=10))
    return state.derivatives, state.direction.step


def test_negative_eigenvalues_are_reflected_in_closed_form():
    """Of (η² - 1)² the slope is 4η(η² - 1), the curvature 12η² - 4, negative near zero."""
    f = objective("(eta**2 - 1)**2 + (0 * y)", np.eye(2), np.zeros(2), intercept=False)
    for eta in ([0.1, 1.2], [0.3, -0.9], [-0.2, 0.4]):
        eta = np.array(eta)
        derivatives, step = first_step(f, eta)
        slope, curvature = 4 * eta * (eta**2 - 1), 12 * eta**2 - 4
        np.testing.assert_allclose(np.diag(derivatives.hessian), curvature, rtol=1e-12)
        assert curvature.min() < 0
        # Short enough to be taken whole; a product and a quotient of rounding.
        np.testing.assert_allclose(step, -slope / np.abs(curvature), rtol=1e-12)


def test_the_step_is_that_of_the_absolute_value_of_the_hessian():
    """``-D⁻¹ |D⁻¹HD⁻¹|⁻¹ D⁻¹ g`` with D the lengths of the columns, and |A| the root of A²."""
    compared = shortened = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((6, 2)) * [1.0, 30.0]
        w = rng.uniform(0.5, 2, 6)
        f = objective("log(1 + (y - eta)**2)", X, 3 * rng.standard_normal(6), w, intercept=False)
        start = rng.standard_normal(2) / [1.0, 30.0]
        derivatives, step = first_step(f, start)
        D = np.sqrt(w @ X**2)
        A, g = derivatives.hessian / np.outer(D, D), derivatives.gradient / D
        values = np.linalg.eigvalsh(A)
        # Smaller eigenvalues are raised, or leave too few digits to a root of A².
        if values[0] >= 0 or np.abs(values).min() < 0.01 * np.abs(values).max():
            continue
        expected = -np.linalg.solve(sqrtm(A @ A).real, g)
        reach = max(np.sqrt(w.sum()), np.linalg.norm(D * start))
        if np.linalg.norm(expected) > reach:  # it is kept within the size of the predictors
            shortened += 1
            assert 0.95 * reach <= np.linalg.norm(D * step) <= reach * (1 + 1e-9)
            assert g @ (D * step) < 0
        else:
            compared += 1
            np.testing.assert_allclose(D * step, expected, rtol=0, atol=1e-10)
    assert min(compared, shortened) > 20, (compared, shortened)
