"""The minimum of a quadratic plus absolute values: by all signs, and by its conditions."""

import itertools

import numpy as np
import pytest

from mcmodels.solvers import absolute_quadratic
from mcmodels.solvers.absolute_quadratic import minimise_with_absolute_values


def problem(seed, size, log_condition=1.0):
    """B with eigenvalues over so many powers of ten, a gradient, strengths and a start."""
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.normal(size=(size, size)))
    B = (Q * 10.0 ** rng.uniform(-log_condition, 0, size)) @ Q.T
    g, strengths = 3 * rng.normal(size=size), rng.uniform(0, 3, size)
    strengths[rng.uniform(size=size) < 0.2] = 0.0
    return B, g, strengths, rng.normal(size=size) * (rng.uniform(size=size) < 0.5)


def value(u, B, g, strengths, start):
    change = u - start
    return g @ change + change @ B @ change / 2 + strengths @ np.abs(u)


def by_brute_force(B, g, strengths, start):
    """The least value over all patterns of signs; each is a linear system."""
    best, at = np.inf, None
    for signs in itertools.product((-1.0, 0.0, 1.0), repeat=len(g)):
        signs = np.array(signs)
        taken = (signs != 0) | (strengths == 0)
        u = np.zeros(len(g))
        if taken.any():
            right = B @ start - g - strengths * signs
            u[taken] = np.linalg.solve(B[np.ix_(taken, taken)], right[taken])
        # Patterns that are not those of their solution have a larger value, too.
        if value(u, B, g, strengths, start) < best:
            best, at = value(u, B, g, strengths, start), u
    return at


@pytest.mark.parametrize("seed", range(60))
def test_no_pattern_of_signs_is_better(seed):
    size = 1 + seed % 4
    B, g, strengths, start = problem(seed, size)
    found = minimise_with_absolute_values(B, g, strengths, start)
    expected = by_brute_force(B, g, strengths, start)
    # One linear system, of condition up to 1e4: rounding of 1e-12.
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)
    np.testing.assert_array_equal(found == 0, expected == 0)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("log_condition", [1, 8])
def test_larger_ones_meet_the_conditions_of_a_minimum(seed, log_condition):
    B, g, strengths, start = problem(seed, 60, log_condition=log_condition)
    u = minimise_with_absolute_values(B, g, strengths, start)
    slope = g + B @ (u - start)
    size = np.abs(B) @ np.abs(u - start) + np.abs(g) + strengths
    # Sums of 60 terms, each rounded to 1e-16 of it.
    rounding = 1e-12 * size
    moving = u != 0
    assert (np.abs(slope + strengths * np.sign(u)) <= rounding)[moving | (strengths == 0)].all()
    assert (np.abs(slope) <= strengths + rounding)[~moving].all()


def test_zeros_are_exact_where_the_strength_is_the_largest_slope():
    B, g, _, _ = problem(3, 30)
    strengths = np.full(30, np.abs(g).max())
    assert not minimise_with_absolute_values(B, g, strengths, np.zeros(30)).any()
    moved = minimise_with_absolute_values(B, g, 0.999 * strengths, np.zeros(30))
    assert np.count_nonzero(moved) == 1


def test_a_start_at_the_minimum_stays():
    B, g, strengths, start = problem(5, 12)
    u = minimise_with_absolute_values(B, g, strengths, start)
    again = minimise_with_absolute_values(B, g + B @ (u - start), strengths, u)
    np.testing.assert_allclose(again, u, rtol=1e-12, atol=1e-14)


def test_nothing_but_unpenalised_entries_is_a_linear_system():
    B, g, _, start = problem(7, 8)
    found = minimise_with_absolute_values(B, g, np.zeros(8), start)
    np.testing.assert_allclose(found, start - np.linalg.solve(B, g), rtol=1e-10)


def test_many_columns_of_low_rank_take_small_systems(monkeypatch):
    """At a minimum, no more entries than the rank are other than zero: more are not tried at once.

    Where all that could leave zero did so, each of the 600 took a system of up to 600 to return.
    """
    sizes = []
    factorised = absolute_quadratic.linalg.cho_factor

    def counted(matrix, **options):
        sizes.append(len(matrix))
        return factorised(matrix, **options)

    monkeypatch.setattr(absolute_quadratic.linalg, "cho_factor", counted)
    rng = np.random.default_rng(0)
    rank, size = 40, 600
    X = rng.normal(size=(rank, 10)) @ rng.normal(size=(10, size))
    X += 0.1 * rng.normal(size=(rank, size))
    B = X.T @ X
    B += 1e-12 * np.trace(B) * np.eye(size)
    g, strengths = X.T @ rng.normal(size=rank), np.full(size, 1e-2)
    u = minimise_with_absolute_values(B, g, strengths, np.zeros(size))
    slope = g + B @ u
    moving = u != 0
    assert np.count_nonzero(moving) <= rank
    # The smallest eigenvalue of the active block of B may be 1e-9 of its largest, 4e3: the
    # rounding of a solve, 1e-16 of that, over slopes of 1e-2.
    assert np.abs(slope + strengths * np.sign(u))[moving].max() < 1e-8
    assert np.abs(slope).max() <= 1e-2 + 1e-8
    # The support and 100 that are admitted with it; half of the 600 without the bound.
    assert max(sizes) <= rank + 100 + 1
