"""Least squares below the shell: routes, corrections, and what refinement does not spoil."""

from dataclasses import replace

import numpy as np
import pytest

from mcmodels.rows import ArrayRows, Moments
from mcmodels.solvers import Status, least_squares
from mcmodels.solvers.cholesky_qr import whitened_scatter
from mcmodels.solvers.error_estimates import ErrorEstimates
from mcmodels.solvers.refinement import refine
from tests.certified import linear_data, linear_params
from tests.numerics import relative_error
from tests.problems import linear_problem


def rows_of(problem, **options):
    return ArrayRows(problem.X, problem.y.reshape(len(problem.X), -1), problem.weights, **options)


@pytest.mark.parametrize(
    ("condition", "method", "corrected"),
    [(5, "normal", False), (300, "normal", True), (1e5, "pinv", True), (1e9, "pinv", True)],
)
def test_auto_takes_the_cheapest_route_that_keeps_the_digits(condition, method, corrected):
    problem = linear_problem(0, 60, 4, condition=condition)
    solution = least_squares.solve(rows_of(problem))
    assert solution.method == method
    assert (solution.iterations > 0) == corrected
    assert solution.status is Status.CONVERGED
    assert solution.condition == pytest.approx(condition, rel=0.9)


@pytest.mark.parametrize(
    ("condition", "corrections"), [(5, 0), (300, 1), (1e4, 1), (1e6, 1), (1e7, 2)]
)
def test_large_data_get_a_correction_when_nine_digits_are_at_stake(condition, corrections):
    problem = linear_problem(6, 70_000, 3, condition=condition)
    solution = least_squares.solve(rows_of(problem))
    assert solution.iterations == corrections
    fit = solution.value
    residual = problem.y - problem.X @ fit.params[0, :3] - fit.params[0, 3]
    deviation = residual.std() * np.linalg.norm(fit.inverse.root, axis=1)
    error = np.abs(fit.params[0, :3] - problem.coef)
    # The construction knows its solution to about ε times the condition.
    assert np.all(
        error <= np.maximum(np.abs(problem.coef), deviation) * (1e-10 + 1e-15 * condition)
    )


def test_a_parameter_much_smaller_than_the_others_gets_its_digits_back():
    """Pontius: mild condition, but a coefficient that is 1e-9 of another."""
    X, y = linear_data("pontius")
    rows = ArrayRows(X, y[:, None])
    exact = linear_params("pontius", "float64_inputs")
    plain = least_squares.solve(rows, method="normal").value.params[0]
    corrected = least_squares.solve(rows)
    assert corrected.iterations > 0
    assert np.abs(corrected.value.params[0] / exact - 1).max() < 1e-14
    # The order of sums in BLAS decides how many digits are lost without: three or four.
    assert np.abs(plain / exact - 1).max() > 1e-13


def about_mean(problem):
    """Rows, their scatter, and their moments about the mean."""
    rows = rows_of(problem)
    moments = Moments.of(rows)
    return rows, moments.Sxx, moments


def moved(problem, by, **changes):
    """Rows, and a solution of them whose coefficients have a planted relative error."""
    rows = rows_of(problem)
    solution = least_squares.solve(rows, method="normal")
    params = solution.value.params.copy()
    params[:, :-1] *= 1 + by
    return rows, replace(solution, value=replace(solution.value, params=params, **changes))


def refined(rows, solution, goal=0.0):
    return refine(solution, rows, ErrorEstimates.of(solution, rows), goal)


@pytest.mark.parametrize("goal", [0.0, 1e-12, 1e-9])
def test_refinement_mends_a_planted_error(goal):
    problem = linear_problem(1, 50, 3, weighted=True)
    found = refined(*moved(problem, 1e-6), goal)
    # Two units of the construction, or what the goal leaves.
    assert relative_error(found.value.params[0, :3], problem.coef) < max(1e-13, goal)
    assert 1 <= found.iterations <= 3


def test_squares_of_residuals_keep_their_digits():
    """A correction of a thousand times the coefficients leaves a millionth of the squares."""
    problem = linear_problem(1, 50, 3)
    found = refined(*moved(problem, 1e3), goal=1e-9).value
    residual = problem.y - problem.X @ problem.coef
    residual -= residual.mean()
    # Sums of fifty terms; a difference of the squares before would have ten digits at most.
    assert found.residual_scatter[0, 0] == pytest.approx(residual @ residual, rel=1e-12)


def test_a_factor_that_is_worse_than_it_should_be_takes_more_corrections():
    """Each of twelve corrections mends nine tenths, where one was thought to be enough."""
    problem = linear_problem(1, 50, 3)
    rows, start = moved(problem, 0.5)
    exact = start.value.inverse

    class Rough:
        root = exact.root

        def apply(self, b):
            return 0.9 * exact.apply(b)

    start = replace(start, value=replace(start.value, inverse=Rough()))
    found = refined(rows, start, goal=1e-17)
    assert relative_error(found.value.params[0, :3], problem.coef) < 1e-12


def test_refinement_that_does_not_contract_keeps_what_it_had():
    problem = linear_problem(2, 30, 3)

    class Factor:
        def __init__(self, apply):
            self.apply, self.root = apply, np.eye(3)

    wild = np.random.default_rng(3)
    rows, start = moved(problem, 0.1, inverse=Factor(lambda s: wild.standard_normal(s.shape)))
    kept = refined(rows, start)
    assert kept.iterations <= 2
    assert np.isfinite(kept.value.params).all()
    rows, start = moved(problem, 0.1, inverse=Factor(lambda s: np.full(s.shape, np.nan)))
    broken = refined(rows, start)
    assert broken.iterations == 0
    np.testing.assert_array_equal(broken.value.params[:, :3], start.value.params[:, :3])


@pytest.mark.parametrize("noise", [1e-9, 1e-6])
def test_nearly_dependent_columns_are_solved_when_full_rank(noise):
    """Rank is judged on scaled columns: small columns are not dependent ones."""
    rng = np.random.default_rng(4)
    X = rng.standard_normal((80, 3)) * [1.0, 1e-8, 1e8]
    X = np.column_stack([X, X[:, 0] + noise * rng.standard_normal(80)])
    beta = np.array([1.0, 2e8, 3e-8, -1.0])
    solution = least_squares.solve(ArrayRows(X, (X @ beta)[:, None]))
    assert solution.rank == 4
    # y itself is rounded: 1e-16 of its size, against directions that are `noise` long.
    error = np.abs(solution.value.params[0, :4] / beta - 1).max()
    assert error < 1e-15 / noise


def test_weights_over_many_decades():
    problem = linear_problem(5, 60, 3)
    weights = np.geomspace(1e-8, 1e8, 60)
    rows = ArrayRows(problem.X, problem.y[:, None], weights)
    root = np.sqrt(weights)[:, None]
    Z = np.column_stack([problem.X, np.ones(60)])
    expected = np.linalg.lstsq(Z * root, problem.y * root[:, 0], rcond=None)[0]
    for method in ("auto", "pinv"):
        params = least_squares.solve(rows, method=method).value.params[0]
        assert relative_error(params, expected) < 1e-10


# -- sums about a point that is not quite the mean -------------------------------------------------


def displaced(problem, by=1e-3):
    """Rows, their scatter, and a point beside their mean."""
    rows, Sxx, moments = about_mean(problem)
    beside = by * np.sqrt(np.arange(1.0, len(moments.offset) + 1))
    return rows, Sxx, replace(moments, offset=moments.offset + beside)


@pytest.mark.parametrize("weighted", [False, True])
def test_refinement_about_a_point_beside_the_mean_ends_at_the_same(weighted):
    """Solution and residuals are those about the mean, wherever the sums are taken."""
    problem = linear_problem(5, 60, 3, weighted=weighted)
    rows, _, beside = displaced(problem)
    _, start = moved(problem, 0.0, moments=beside)
    found = refined(rows, start).value
    assert relative_error(found.params[0, :3], problem.coef) < 1e-14
    w = np.ones(60) if problem.weights is None else problem.weights
    residual = problem.y - problem.X @ problem.coef
    # The intercept is ȳ - x̄ᵀβ where ȳ and x̄ are means, wherever the sums are taken.
    assert found.params[0, 3] == pytest.approx(w @ residual / w.sum(), rel=1e-12)
    residual = residual - w @ residual / w.sum()
    # The reference is formed in float64, of sixty terms.
    assert relative_error(found.residual_scatter, [[w @ residual**2]]) < 1e-11


@pytest.mark.parametrize("weighted", [False, True])
def test_the_mean_of_the_residuals_is_that_after_the_last_correction(weighted):
    """About a point beside the mean, a correction of the coefficients changes it."""
    problem = linear_problem(8, 60, 3, weighted=weighted)
    rows, _, beside = displaced(problem)
    _, start = moved(problem, 0.01, moments=beside)
    solution = refined(rows, start, goal=1e-14)
    found = solution.value
    assert solution.iterations == 1
    w = np.ones(60) if problem.weights is None else problem.weights
    residual = problem.y - problem.X @ found.params[0, :3]
    # Without the change it would be off by 1e-5.
    assert found.params[0, 3] == pytest.approx(w @ residual / w.sum(), abs=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_whitened_scatter_is_about_the_mean(weighted):
    problem = linear_problem(6, 60, 3, weighted=weighted)
    rows, Sxx, beside = displaced(problem)
    root = np.random.default_rng(0).standard_normal((3, 3)) / 8
    L = whitened_scatter(rows, root, beside.origin[:3], beside.offset[:3])
    # Sxx is summed about the mean itself; 1e-3 beside it costs three digits of sixty terms.
    assert relative_error(L @ L.T, root.T @ Sxx @ root) < 1e-12


@pytest.mark.parametrize("weighted", [False, True])
def test_one_correction_mends_parameters_and_residuals(weighted):
    """``(r - Xδ)ᵀW(r - Xδ) = rᵀWr - gᵀδ`` where δ solves the normal equations for ``g = XᵀWr``."""
    problem = linear_problem(7, 60, 3, weighted=weighted)
    rows, start = moved(problem, 1e-2)
    found = refined(rows, start, goal=1e-9)
    assert found.iterations == 1
    params = found.value.params[0]
    assert relative_error(params[:3], problem.coef) < 1e-12
    w = np.ones(60) if problem.weights is None else problem.weights
    residual = problem.y - problem.X @ params[:3]
    residual = residual - w @ residual / w.sum()
    squares = [[w @ residual**2]]
    # A difference: of squares as large as those that a hundredth of the parameters makes.
    before = problem.y - problem.X @ start.value.params[0, :3]
    lost = np.abs(before).max() ** 2 * w.sum() / squares[0][0]
    assert relative_error(found.value.residual_scatter, squares) < 1e-14 * lost
