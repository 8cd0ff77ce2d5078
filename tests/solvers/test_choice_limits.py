"""Limits of several classes: which margins rest, by linear programs, and exact arithmetic."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog

from mcmodels.objectives.choices import ChoiceLoss, ChoiceObjective
from mcmodels.rows import ArrayRows, PairRows
from mcmodels.solvers.choice_limits import ChoiceLimits
from mcmodels.solvers.exact_units import ExactUnits
from tests.exact_separation import exactly_separated


def choices(X, y, K, w=None, **rows):
    return ChoiceObjective(PairRows(ArrayRows(X, y, w, **rows), K, 0), ChoiceLoss())


def resting(A):
    """How many margins rest in the end, and their rank: a linear program for each round.

    ``Σ s`` is largest, with ``aᵀd ≥ s`` and ``0 ≤ s ≤ 1``, where all margins grow that can.
    """
    while len(A):
        n, m = A.shape
        found = linprog(
            np.append(np.zeros(m), -np.ones(n)),
            A_ub=np.column_stack([-A, np.eye(n)]),
            b_ub=np.zeros(n),
            bounds=[(None, None)] * m + [(0, 1)] * n,
        )
        still = found.x[m:] < 0.5  # of whole numbers it is zero or one, as d may be any multiple
        if still.all():
            break
        A = A[still]
    return len(A), np.linalg.matrix_rank(A) if len(A) else 0


@pytest.mark.parametrize("seed", range(24))
def test_margins_that_rest_are_those_of_linear_programs(seed):
    """No separated set counts as one that is not, and none the other way round."""
    rng = np.random.default_rng(seed)
    n, K, p = (int(rng.integers(*between)) for between in ((8, 25), (3, 5), (1, 3)))
    X = rng.integers(-2, 3, (n, p)).astype(float)
    y = (
        X @ rng.normal(size=(p, K)) + rng.gumbel(size=(n, K)) * rng.choice([0.1, 0.5, 1.0])
    ).argmax(axis=1)
    objective = choices(X, y, K)
    A = np.concatenate(objective.rows.reduce(lambda block: [block.X.dense()]))
    limits = ChoiceLimits(objective)
    limit = limits.limit_of()
    assert bool(limit.directions) == exactly_separated(X, y, n_classes=K)
    count, rank = resting(A)
    assert (limit.n_resting, limit.rank) == (count, rank if count else 0)
    for k in range(0, A.shape[1], 2):
        held = limits.limit_of(k, 0.5)
        count, rank = resting(np.delete(A, k, axis=1))
        assert (held.n_resting, held.rank) == (count, rank if count else 0)
        assert held.params[k] == 0.5


def test_classes_leave_in_turn():
    """Along the first column class 2 leaves, then class 1 where the first is zero; a row rests."""
    X = np.array([[0.0, 0.0], [0, 1], [0, 2], [1, 0], [1, 3], [0, -1]])
    y = np.array([0, 1, 1, 2, 2, 0])
    limit = ChoiceLimits(choices(X, y, 3, intercept=False)).limit_of()
    # The row of zeros has all of its classes, with a share of a third.
    assert limit.n_resting == 2
    assert limit.value == pytest.approx(np.log(3), rel=1e-14)
    assert len(limit.directions) >= 1


def test_a_limit_is_reached_along_its_directions():
    """The objective over all rows at ``θ + t²d₁ + t d₂`` falls to the limit, never below."""
    rng = np.random.default_rng(3)
    X = np.column_stack([np.repeat([0.0, 1.0], 15), rng.integers(-2, 3, 30)])
    y = np.where(X[:, 0] > 0, rng.integers(1, 3, 30), rng.integers(0, 3, 30))
    objective = choices(X, y, 3)
    limit = ChoiceLimits(objective).limit_of()
    assert limit.directions
    values = []
    for t in (1.0, 3.0, 1000.0):
        powers = t ** np.arange(len(limit.directions), 0, -1)
        values.append(objective.value(limit.params + powers @ np.array(limit.directions)))
    assert values[0] > values[1] > limit.value
    # Margins of some hundreds have no loss; predictors of 1e7 are rounded by 1e-9.
    assert values[2] == pytest.approx(limit.value, abs=1e-7)


def test_a_planted_cone_is_no_proof():
    """Were margins that grow taken for some that rest, or the rank for another, nothing is said."""
    X = np.column_stack([np.repeat([0.0, 1.0], 15), np.tile([-2.0, 0, 1], 10)])
    y = np.where(X[:, 0] > 0, 1 + np.arange(30) % 2, np.arange(30) % 3)
    limits = ChoiceLimits(choices(X, y, 3))
    cone = limits._cone(None)
    assert cone.directions
    for planted in (replace(cone, directions=(), rank=6), replace(cone, rank=cone.rank - 1)):
        limits._cones[None] = planted
        assert limits.limit_of() is None


def exact(X, centre, unit):
    """Whether ``(x - centre)/unit`` is exact, in rational numbers."""
    moved = (X - centre) / unit
    return all(
        Fraction(m) == (Fraction(x) - Fraction(c)) / Fraction(u)
        for x, m, c, u in zip(X, moved, [centre] * len(X), [unit] * len(X), strict=True)
    )


def test_units_and_origins_are_exact():
    rng = np.random.default_rng(0)
    columns = {
        "whole": rng.integers(1990, 2030, 50) * 1.0,
        "far": 1e8 + rng.normal(size=50),
        "near": rng.lognormal(1.0, 0.5, 50),
        "small": 1e-100 * rng.normal(size=50),
        "both": np.append(rng.normal(size=49) * 1e-9 + 1.0, 1e-40),
    }
    X = np.column_stack([*columns.values()])
    units = ExactUnits.of(ArrayRows(X))
    for name, x, centre, unit in zip(columns, X.T, units.centre, units.unit, strict=True):
        assert exact(x, centre, unit), name
        assert np.log2(unit) == np.round(np.log2(unit))
        assert 1 <= x.std() / unit < 2
    # A difference of numbers that are not within a factor of two may be rounded: such stay.
    assert units.centre[0] > 1990
    assert abs(units.centre[1] - 1e8) < 4
    assert units.centre[2] == units.centre[4] == 0
    assert not ExactUnits.of(ArrayRows(X, intercept=False)).centre.any()
    moved = np.concatenate(units.rows(ArrayRows(X)).reduce(lambda b: [b.X.dense().copy()]))
    np.testing.assert_array_equal(moved, (X - units.centre) / units.unit)
