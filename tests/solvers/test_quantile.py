"""Exact quantile regression: against all vertices, linear programs, laws, and planted errors."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog

from mcmodels.rows import ArrayRows
from mcmodels.solvers import Status, quantile_vertex
from mcmodels.solvers import quantile as module
from mcmodels.solvers.quantile import fit_quantile

QUANTILES = (0.5, 0.25, 0.1, 0.9, 1 / 3)


def fitted(X, y, quantile, weights=None, *, intercept=True):
    rows = ArrayRows(np.asarray(X, float), np.asarray(y, float), weights, intercept=intercept)
    return fit_quantile(rows, quantile)


def least_by_linear_program(X, y, weights, quantile):
    """The minimum by HiGHS, of the problem as it stands in textbooks."""
    n, P = X.shape
    costs = np.r_[np.zeros(P), quantile * weights, (1 - quantile) * weights]
    bounds = [(None, None)] * P + [(0, None)] * (2 * n)
    return linprog(costs, A_eq=np.c_[X, np.eye(n), -np.eye(n)], b_eq=y, bounds=bounds).fun


def least_at_any_vertex(x, y, quantile):
    """The minimum over the lines through two points each, in exact fractions."""
    tau, best = Fraction(quantile), None
    for i, j in itertools.combinations(range(len(x)), 2):
        if x[i] == x[j]:
            continue
        slope = Fraction(int(y[j] - y[i]), int(x[j] - x[i]))
        residuals = [b - (y[i] + slope * (a - x[i])) for a, b in zip(x, y, strict=True)]
        loss = sum(max(tau * r, (tau - 1) * r) for r in residuals)
        best = loss if best is None else min(best, loss)
    return best


@pytest.mark.parametrize("seed", range(12))
def test_no_line_through_two_points_has_a_smaller_objective(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(-9, 10, 15).tolist(), rng.integers(-20, 21, 15).tolist()
    for quantile in (0.5, 0.25, 0.125):
        exact = float(least_at_any_vertex(x, y, quantile))
        found = fitted(np.array(x)[:, np.newaxis], y, quantile).value
        # Sums of 15 numbers of two digits: a few rounding errors.
        assert found.objective == pytest.approx(exact, rel=1e-14)
        assert found.bound == pytest.approx(exact, rel=1e-13)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(30))
def test_agrees_with_a_linear_program(seed, ties):
    rng = np.random.default_rng(seed)
    n, p, quantile = int(rng.integers(2, 80)), int(rng.integers(1, 5)), QUANTILES[seed % 5]
    X = rng.integers(0, 3, (n, p)).astype(float) if ties else rng.normal(size=(n, p))
    y = rng.integers(0, 5, n).astype(float) if ties else rng.standard_t(2, n)
    weights = np.ones(n) if seed % 2 else rng.integers(1, 4, n).astype(float)
    solution = fitted(X, y, quantile, None if seed % 2 else weights)
    design = np.column_stack([X, np.ones(n)])
    least = least_by_linear_program(design, y, weights, quantile)
    residuals = y - design @ solution.value.params
    at_params = weights @ np.maximum(quantile * residuals, (quantile - 1) * residuals)
    assert solution.status in (Status.CONVERGED, Status.RANK_DEFICIENT)
    # HiGHS is feasible to 1e-7 of each row; the fit must not be above it by more than rounding.
    assert solution.value.objective <= least + 1e-10 * max(least, 1.0)
    assert at_params == pytest.approx(solution.value.objective, rel=1e-11, abs=1e-11)
    assert solution.value.bound <= least + 1e-7


@pytest.mark.parametrize("quantile", QUANTILES)
def test_the_vertex_passes_through_as_many_rows_as_parameters(quantile):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(500, 4)), rng.normal(size=500)
    value = fitted(X, y, quantile).value
    assert np.count_nonzero(value.residuals == 0) == 5
    above, below = (value.residuals > 0).sum(), (value.residuals < 0).sum()
    # Koenker and Bassett (1978), theorem 3.4: the shares of rows above and below.
    assert below <= quantile * 500 <= below + 5
    assert above <= (1 - quantile) * 500 <= above + 5


@pytest.mark.parametrize("ties", [False, True])
def test_the_order_of_the_rows_changes_nothing(ties):
    rng = np.random.default_rng(1)
    X = rng.integers(0, 3, (60, 2)).astype(float)
    y = rng.integers(0, 4, 60).astype(float) if ties else rng.normal(size=60)
    weights = rng.integers(1, 3, 60).astype(float)
    order = rng.permutation(60)
    first = fitted(X, y, 0.5, weights).value.params
    second = fitted(X[order], y[order], 0.5, weights[order]).value.params
    np.testing.assert_array_equal(first, second)


def test_equivariance():
    """Koenker and Bassett (1978), theorem 3.2, with factors that round nothing."""
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(80, 3)), rng.standard_t(2, 80)
    params = fitted(X, y, 0.3).value.params
    # Rounding errors of a solution of four equations.
    close = {"rtol": 1e-12, "atol": 1e-13}
    np.testing.assert_allclose(fitted(X, 1024 * y, 0.3).value.params, 1024 * params, **close)
    np.testing.assert_allclose(fitted(X, -y, 0.7).value.params, -params, **close)
    moved = fitted(X, y + X @ [1, -2, 4], 0.3).value.params
    np.testing.assert_allclose(moved - params, [1, -2, 4, 0], rtol=1e-11, atol=1e-11)
    scales = np.array([2.0**-300, 1.0, 2.0**300])
    scaled = fitted(X * scales, y, 0.3).value.params
    np.testing.assert_allclose(scaled * np.append(scales, 1), params, **close)


def test_columns_that_depend_on_each_other_get_the_shortest_coefficients():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(50, 2)), rng.normal(size=50)
    full = fitted(X, y, 0.4).value.params
    solution = fitted(np.column_stack([X, X[:, 0] + X[:, 1]]), y, 0.4)
    assert solution.status is Status.RANK_DEFICIENT
    assert solution.rank == 2
    coef = solution.value.params[:3]
    # The null vector is (1, 1, -1): the shortest coefficients have no part of it.
    assert abs(coef @ [1, 1, -1]) < 1e-12
    np.testing.assert_allclose(coef[:2] + coef[2], full[:2], rtol=1e-11, atol=1e-12)


def test_columns_far_from_zero_and_nearly_dependent_keep_their_vertex():
    rng = np.random.default_rng(4)
    z = rng.integers(-50, 50, (200, 2)).astype(float)
    X = np.column_stack([z[:, 0] + 2.0**30, z[:, 0] + z[:, 1] * 2.0**-20])
    y = z @ [3.0, 1.0] + rng.standard_t(3, 200)
    least = fitted(z, y, 0.5).value.objective
    solution = fitted(X, y, 0.5)
    assert solution.status is Status.CONVERGED
    # The columns have condition 1e8, and predictions lose as many digits.
    assert solution.value.objective == pytest.approx(least, rel=1e-8)


def test_other_minimisers_are_said_only_where_there_are_some():
    one = np.zeros((4, 1)), np.array([1.0, 2.0, 3.0, 10.0])
    assert fitted(*one, 0.5).value.has_others  # every number from 2 to 3
    assert not fitted(*one, 0.4).value.has_others
    assert not fitted(one[0][:3], one[1][:3], 0.5).value.has_others
    tied = np.array([1.0, 2.0, 2.0, 10.0])
    assert not fitted(one[0], tied, 0.5).value.has_others  # only 2
    weighted = fitted(one[0][:3], one[1][:3], 0.5, np.array([1.0, 1.0, 2.0]))
    assert weighted.value.has_others  # every number from 2 to 3


def test_a_vertex_that_is_not_optimal_is_not_called_so(monkeypatch):
    """Planted: no edge is ever taken, from a basis that is the worst of all."""
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(100, 2)), rng.normal(size=100)
    right = fitted(X, y, 0.5)
    with monkeypatch.context() as patched:
        patched.setattr(quantile_vertex, "_where_it_rises", lambda *_: None)
        patched.setattr(module, "first_basis", lambda A, _: np.argsort(A[:, 0])[:3])
        wrong = fitted(X, y, 0.5)
    assert wrong.status is Status.NOT_CONVERGED
    assert wrong.value.objective > right.value.objective
    assert wrong.value.bound <= right.value.objective


def test_without_the_interior_point_method_pivots_reach_the_same_minimum(monkeypatch):
    rng = np.random.default_rng(6)
    X, y = rng.normal(size=(300, 3)), rng.standard_t(2, 300)
    right = fitted(X, y, 0.2)
    with monkeypatch.context() as patched:
        patched.setattr(module, "interior_dual", lambda A, b, _: (np.full(len(b), 0.5), 0))
        slow = fitted(X, y, 0.2)
    np.testing.assert_allclose(slow.value.params, right.value.params, rtol=1e-12)
    assert slow.iterations > right.iterations


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_as_many_rows_as_parameters_or_fewer_are_fitted_exactly(n):
    rng = np.random.default_rng(7)
    value = fitted(rng.normal(size=(n, 3)), rng.normal(size=n), 0.3).value
    assert value.objective < 1e-15
    np.testing.assert_array_equal(value.residuals, 0.0)


def test_integer_data_with_many_ties_take_few_pivots():
    """Ties are where simplex methods walk in circles."""
    rng = np.random.default_rng(8)
    X = rng.integers(0, 2, (5000, 6)).astype(float)
    y = rng.poisson(1.0, 5000).astype(float)
    solution = fitted(X, y, 0.5)
    assert solution.status is Status.CONVERGED
    assert solution.iterations < 500


@pytest.mark.parametrize("seed", range(20))
def test_a_column_that_varies_only_in_light_rows_is_not_taken_for_a_constant(seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 2, (6, 2)).astype(float)
    X[3:] = X[3]
    y, weights = rng.normal(size=6), np.array([1e-5, 1e-5, 1e-5, 1e5, 1e5, 1e5])
    design = np.column_stack([X, np.ones(6)])
    solution = fitted(X, y, 0.3, weights)
    assert solution.rank + 1 == np.linalg.matrix_rank(design)
    least = least_by_linear_program(design, y, weights, 0.3)
    # HiGHS is feasible to 1e-7 of each row.
    assert solution.value.objective <= least + 1e-10 * weights.sum()
