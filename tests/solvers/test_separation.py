"""Margins over rows, and directions that separate."""

import warnings

import numpy as np
import pytest
from scipy.optimize import brentq, linprog
from scipy.special import expit

from mcmodels import LogisticRegression
from mcmodels.exceptions import ConvergenceWarning, SeparationWarning
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


# -- a verdict only where it is proved -------------------------------------------------------------


def can_be_separated(X, y):
    """Whether some direction prefers no row's other class and some row's own: by a linear program.

    The sum of ``(2yᵢ - 1) xᵢᵀd`` is maximised over directions of at most one in each entry for
    which none of them is negative.
    """
    signed = (2.0 * y - 1.0)[:, np.newaxis] * X
    found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(X)), bounds=(-1, 1))
    return -found.fun > 1e-9  # of a sum of products near 1; the solver is exact to 1e-12


@pytest.mark.parametrize("small", [0.3, 0.1, 0.05, 0.01, 0.003])
@pytest.mark.parametrize("max_iter", [1, 2, 3, 4, 100])
def test_a_row_that_loses_little_keeps_the_classes_together(small, max_iter):
    """Of the rows 1 and ``small``, of two classes, one is better the larger t, the other worse.

    At the maximum ``σ(-t) = small σ(small t)``. Early steps add more than 1 to the margin of the
    one, and take 0.3 to 0.003 from the other's.
    """
    X, y = np.array([[1.0], [small]]), np.array([1, 0])
    assert not can_be_separated(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("error", SeparationWarning)
        model = LogisticRegression(C=np.inf, fit_intercept=False, max_iter=max_iter).fit(X, y)
    assert model.status_ == ("converged" if max_iter == 100 else "not converged")
    if max_iter == 100:
        exact = brentq(lambda t: expit(-t) - small * expit(small * t), 0, 50, xtol=1e-14)
        # Newton's method ends with a gradient of 1e-8 or less, where the curvature is above 1e-3.
        assert model.coef_[0, 0] == pytest.approx(exact, abs=1e-5)


def test_separation_is_that_of_a_linear_program():
    """Small designs of whole numbers are separated about as often as not."""
    rng = np.random.default_rng(0)
    count = 0
    for _ in range(300):
        n, p = int(rng.integers(5, 12)), int(rng.integers(2, 4))
        X = rng.integers(-2, 3, (n, p)).astype(float)
        y = rng.integers(0, 2, n)
        if y.min() == y.max() or np.linalg.matrix_rank(X) < p:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SeparationWarning)
            model = LogisticRegression(C=np.inf, fit_intercept=False).fit(X, y)
        expected = can_be_separated(X, y)
        assert (model.status_ == "separated") == expected, (X, y)
        count += expected
    assert 50 < count < 250
