"""Directions that separate classes, and proofs that there is a minimum."""

import warnings
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import brentq, linprog
from scipy.special import expit

from mcmodels import LogisticRegression
from mcmodels.exceptions import ConvergenceWarning, SeparationWarning
from mcmodels.objectives import BinaryCrossEntropy, LinearPredictorObjective
from mcmodels.rows import ArrayRows
from mcmodels.solvers.existence import MinimumProof
from mcmodels.solvers.newton_direction import newton_direction
from mcmodels.solvers.null_space import null_space
from mcmodels.solvers.separation import (
    _checked,
    margins_of,
    proposed_by_linear_program,
    separates,
)
from tests.exact_separation import exactly_separated


def test_margins_of_two_and_of_three_classes():
    X = np.array([[1.0], [2.0], [-3.0]])
    two = margins_of(np.array([1, 0, 0]), X @ np.array([1.0]))
    assert two.tolist() == [[1.0], [-2.0], [3.0]]
    eta = X @ np.array([[0.0, 1.0, 2.0]])
    # Row by row: own minus the two others.
    three = margins_of(np.array([2, 2, 0]), eta)
    assert three.tolist() == [[2.0, 1.0], [4.0, 2.0], [3.0, 6.0]]


# -- directions that are proved --------------------------------------------------------------------

GROUPS = np.array([[0.1, 1.0], [0.1, 2.0], [0.1, 3.0], [0.7, 1.0], [0.7, 2.0]])


@pytest.mark.parametrize("block_rows", [1, 2, 10])
def test_a_direction_is_proved_where_rows_do_not_change_at_all(block_rows):
    """One group has a single class; 0.1 has no exact binary fraction, nor has the proposal."""
    rows = ArrayRows(GROUPS, np.array([0, 1, 0, 1, 1]), block_rows=block_rows)
    proposed = np.array([1 / 0.6, 1e-5, -0.1 / 0.6 + 1e-4])
    found = separates(rows, proposed)
    eta = GROUPS @ found[:2] + found[2]
    assert eta[3:].min() > 0.9
    assert np.abs(eta[:3]).max() < 1e-15  # one rounding of each of three terms of at most 0.2
    assert found[1] == 0


def test_a_direction_is_not_proved_where_a_row_changes_by_a_rounding_error():
    """The same rows, one of them changed in its last place: the classes overlap by that much."""
    X = GROUPS.copy()
    X[1, 0] = np.nextafter(0.1, 0)
    y = np.array([0, 1, 0, 1, 1])
    assert separates(ArrayRows(X, y), np.array([1 / 0.6, 0, -0.1 / 0.6])) is None
    assert not exactly_separated(X, y)


def test_a_margin_that_is_positive_by_rounding_alone_proves_nothing():
    """Rows that a direction puts on the right side in float64, and exactly on the wrong one."""
    rng = np.random.default_rng(7)
    direction = rng.normal(size=3)
    exact_direction = [Fraction(value) for value in direction.tolist()]
    rows = []
    while len(rows) < 8:
        x = rng.normal(size=3)
        x[2] = -(x[0] * direction[0] + x[1] * direction[1]) / direction[2]
        x[2] = np.nextafter(x[2], rng.choice([-np.inf, np.inf]))
        exact = sum(Fraction(a) * d for a, d in zip(x.tolist(), exact_direction, strict=True))
        if x @ direction > 0 > exact:
            rows.append(x)
    X = np.array([*rows, *(-x for x in rng.normal(size=(4, 3)) if x @ direction < -0.5)])
    y = np.ones(len(X), dtype=int)
    assert (X @ direction > -1e-15).all()  # a matrix product may sum in another order
    found = separates(ArrayRows(X, y, intercept=False), direction)
    assert (found is not None) == exactly_separated(X, y, intercept=False)
    assert found is None


def test_a_row_that_shrinks_a_little_is_no_resting_row():
    """Only rows that rest along the given direction are known not to change along another one."""
    rows = ArrayRows(np.array([[1.0, 0.0], [-5e-3, 1.0]]), np.ones(2, dtype=int), intercept=False)
    direction, resting = np.array([1.0, 0.0]), np.array([1.0, 5e-3])
    assert _checked(rows, direction, resting).separated  # as if the second row did not change
    assert not _checked(rows, direction, np.array([1.0, 1.0])).separated
    assert not _checked(rows, direction, None).separated


def test_rows_without_weight_do_not_count():
    y = np.array([0, 1, 0, 1, 0])
    direction = np.array([1 / 0.6, 0, -0.1 / 0.6])
    assert separates(ArrayRows(GROUPS, y), direction) is None
    assert separates(ArrayRows(GROUPS, y, np.array([1.0, 1, 1, 1, 0])), direction) is not None


def test_a_direction_along_which_nothing_changes_is_no_proof():
    rows = ArrayRows(np.ones((4, 1)), np.array([0, 1, 0, 1]))
    assert separates(rows, np.array([1.0, -1.0])) is None
    assert separates(rows, np.zeros(2)) is None


def test_an_empty_cell_of_three_classes():
    """Group 1 has no row of class 2: its parameter alone goes to minus infinity."""
    groups, y = np.repeat([0.0, 1.0], [3, 2]), np.array([0, 1, 2, 0, 1])
    rows = ArrayRows(groups[:, np.newaxis], y)
    proposed = np.array([[1 / 3, 1e-6], [1 / 3, -1e-6], [-2 / 3, 0.0]])
    found = separates(rows, proposed)
    eta = np.outer(groups, found[:, 0]) + found[:, 1]
    assert (eta[:3] == 0).all()
    assert (eta[3:, 2] < eta[3:, :2].min(axis=1) - 0.9).all()


def test_the_linear_program_finds_what_a_step_does_not():
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(100):
        X, y = rng.integers(-2, 3, (8, 2)).astype(float), rng.integers(0, 3, 8)
        codes = np.unique(y, return_inverse=True)[1]
        K = codes.max() + 1
        if K < 2:
            continue
        shape = (3,) if K == 2 else (K, 3)
        proposed = proposed_by_linear_program(ArrayRows(X, codes), shape)
        separated = proposed is not None and separates(ArrayRows(X, codes), proposed) is not None
        assert separated == exactly_separated(X, codes, n_classes=K)
        found += separated
    assert 10 < found < 90


# -- proofs that there is a minimum ----------------------------------------------------------------


def proof_at(X, y, params):
    objective = LinearPredictorObjective(ArrayRows(X, y), BinaryCrossEntropy())
    derivatives = objective.derivatives(params)
    direction = newton_direction(objective, params, derivatives)
    return MinimumProof(objective), params, derivatives, direction


def test_a_newton_step_proves_a_minimum_only_near_it():
    X, y = np.array([[0.0], [1], [2], [3]]), np.array([0, 1, 0, 1])
    proof, *state = proof_at(X, y, np.zeros(2))
    assert proof.reach(state[0], np.array([2.0, -1.0])) == 5.0
    assert not proof.holds(*state)  # the first step changes a linear predictor by 1.2
    optimum = LogisticRegression(C=np.inf).fit(X, y).params_
    proof, *state = proof_at(X, y, optimum + 0.01)
    assert proof.holds(*state)


def test_rounding_errors_of_the_gradient_prove_nothing():
    """Where separated rows have margins of 80, the gradient along the direction is rounding."""
    y = np.array([0, 1, 0, 1, 1])
    inner = LogisticRegression(C=np.inf).fit(GROUPS[:3, 1:], y[:3]).params_
    for margin in (5.0, 20.0, 80.0, 300.0):
        params = np.array([margin / 0.6, inner[0], inner[1] - 0.1 * margin / 0.6])
        proof, *state = proof_at(GROUPS, y, params)
        assert not proof.holds(*state), margin


def test_a_row_whose_loss_is_zero_is_left_out():
    """It changes by far more than 1, but the others have a minimum without it."""
    X, y = np.array([[0.0], [1], [2], [3], [1e6]]), np.array([0, 1, 0, 1, 1])
    optimum = LogisticRegression(C=np.inf).fit(X[:4], y[:4]).params_
    proof, *state = proof_at(X, y, optimum + np.array([1e-3, 0]))
    assert proof.holds(*state)


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


@pytest.mark.parametrize("size", [3, 12, 40])
@pytest.mark.parametrize("whole", [True, False])
def testnull_spaces_are_exact(size, whole):
    """Each vector is orthogonal to every equation in rational arithmetic, and none is missing."""
    rng = np.random.default_rng(size)
    for lost in (1, size // 2):
        B = rng.standard_normal((size - lost, size)) * 10.0 ** rng.integers(-6, 7, size)
        B = np.round(B) if whole else B
        B[:, 0] = 1.0
        equations = np.concatenate([B[:1], B, B[-1:] * 4, np.zeros((1, size))])
        basis = null_space(equations, size)
        rank = np.linalg.matrix_rank(B / np.abs(B).max(axis=0).clip(1e-300))
        assert len(basis) == size - rank
        for vector in basis:
            for equation in equations.tolist():
                products = (Fraction(a) * v for a, v in zip(equation, vector, strict=True))
                assert sum(products, Fraction(0)) == 0
    assert null_space(np.eye(size), size) is None
    assert len(null_space(np.zeros((0, size)), size)) == size


@pytest.mark.parametrize("gap", [1e-2, 2e-4, 1e-5])
def test_a_class_that_lies_apart_by_a_tiny_gap_beside_others_that_overlap(gap):
    """The curvature of the few rows at the gap is lost in that of all others, and is looked for."""
    n, rng = 60_000, np.random.default_rng(60_000)
    X, y = rng.normal(size=(n, 3)), rng.integers(0, 4, n)
    y = np.where(X[:, 0] > 1, 4, y)
    X[:, 0] += gap * (y == 4)
    with pytest.warns(SeparationWarning, match="x0|column"):
        model = LogisticRegression(C=np.inf).fit(X, y)
    assert model.status_ == "separated"
    # The same rows, but for one that lies on the other side: there is a maximum.
    X[np.flatnonzero(y == 4)[0], 0] = -1.0
    with warnings.catch_warnings():
        warnings.simplefilter("error", SeparationWarning)
        assert LogisticRegression(C=np.inf).fit(X, y).status_ == "converged"
