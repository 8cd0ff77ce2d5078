"""Targets that take one value only, told from targets that hardly vary."""

from types import SimpleNamespace

import numpy as np
import pytest

from mcmodels.rows import ArrayRows, ColumnMoments, Moments
from mcmodels.solvers.constant_targets import constant_targets

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3))
ROUGH = RNG.normal(size=200)
HARDLY = np.full(200, 0.1)
HARDLY[7] = np.nextafter(0.1, 1)


def found(*targets, intercept=True, weights=None, moments=Moments):
    rows = ArrayRows(X, np.column_stack(targets), weights, intercept=intercept)
    return constant_targets(rows, moments.of(rows)).tolist()


@pytest.mark.parametrize("moments", [Moments, ColumnMoments])
@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 1e9 / 3, -1e-9])
def test_constant_targets_are_found_by_position(value, moments):
    assert found(ROUGH, np.full(200, value), ROUGH + 1e6, moments=moments) == [1]


def test_a_target_that_varies_by_one_rounding_is_not_constant():
    assert found(ROUGH, HARDLY) == []
    assert found(HARDLY, np.full(200, 0.1)) == [1]


@pytest.mark.parametrize(("units", "expected"), [(4, [0]), (16, [])])
def test_the_mean_of_a_constant_may_be_off_by_a_few_roundings(units, expected):
    """Up to eight of them the rows are asked; beyond, they vary."""
    off = units * np.finfo(float).eps * 0.1
    moments = SimpleNamespace(weight=200.0, y_mean=np.array([0.1]), y_squares=[200.0 * off**2])
    rows = ArrayRows(X, np.full((200, 1), 0.1))
    assert constant_targets(rows, moments).tolist() == expected


def test_without_an_intercept_a_constant_is_a_target_like_others():
    assert found(np.ones(200), intercept=False) == []


def test_rows_without_weight_do_not_make_a_target_vary():
    y = np.ones(200)
    y[:50] = 5.0
    assert found(y) == []
    assert found(y, weights=np.repeat([0.0, 1.0], [50, 150])) == [0]
