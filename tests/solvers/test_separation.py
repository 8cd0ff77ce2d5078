"""Margins over rows, and directions that separate."""

import numpy as np
import pytest

from mcmodels.rows import ArrayRows
from mcmodels.solvers.separation import margins, separated


def test_margins_of_two_and_of_three_classes():
    X = np.array([[1.0], [2.0], [-3.0]])
    two = margins(ArrayRows(X, np.array([1, 0, 0]), intercept=False), np.array([1.0]))
    assert (two.smallest, two.largest) == (-2.0, 3.0)
    params = np.array([[0.0], [1.0], [2.0]])
    three = margins(ArrayRows(X, np.array([2, 2, 0]), intercept=False), params)
    # Row by row: own minus the two others: (2, 1), (4, 2), (3, 6).
    assert (three.smallest, three.largest) == (1.0, 6.0)


@pytest.mark.parametrize("block_rows", [1, 2, 10])
def test_rows_without_weight_do_not_count(block_rows):
    X = np.array([[1.0], [2.0], [-3.0]])
    rows = ArrayRows(
        X, np.array([1, 0, 0]), np.array([1.0, 0.0, 1.0]), intercept=False, block_rows=block_rows
    )
    found = margins(rows, np.array([1.0]))
    assert (found.smallest, found.largest) == (1.0, 3.0)


def test_a_step_near_an_optimum_does_not_separate():
    X = np.array([[1.0], [2.0], [-3.0], [0.5]])
    rows = ArrayRows(X, np.array([1, 0, 0, 1]), intercept=False)
    assert not separated(rows, np.array([0.1]), np.array([1e-9]), np.array([1e-12]))
    assert not separated(rows, np.array([0.1]), np.array([2.0]), np.array([1.0]))
