"""Limits of objectives without a minimum, and what proves them."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from mcmodels import GeneralizedLinearRegressor as Glm
from mcmodels import LogisticRegression
from mcmodels.estimators.family_choice import chosen_loss
from mcmodels.exceptions import ConvergenceWarning, SeparationWarning
from mcmodels.objectives import BinaryCrossEntropy, LinearPredictorObjective
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.rows import ArrayRows
from mcmodels.solvers.coordinates import Coordinates
from mcmodels.solvers.fit_state import Placed
from mcmodels.solvers.limits import limit_of
from mcmodels.solvers.proved_recession import coded_rows, has_minimum, proved_direction
from mcmodels.solvers.separation import proposed_by_linear_program, separates
from tests.exact_separation import exactly_separated

POISSON = UserLoss(chosen_loss("poisson", "log", 1.5, 1.0))


def test_rows_that_must_rest_do():
    """Counts of 1 and 2 hold the direction that the zeros alone would have."""
    X, y = np.array([[1.0], [2.0], [3.0]]), np.array([0.0, 0.0, 0.0])
    held = UserObjective(ArrayRows(X, np.array([0.0, 1.0, 0.0])), POISSON)
    free = UserObjective(ArrayRows(X, y), POISSON)
    assert coded_rows(held).map(lambda block: block.y).tolist() == [0.0, 0.5, 0.0]
    assert separates(coded_rows(free), np.array([-1.0, 0.0])) is not None
    assert separates(coded_rows(held), np.array([-1.0, 0.0])) is None
    # Both zeros would have to lie on one side of the count of one.
    assert proposed_by_linear_program(coded_rows(held), (2,)) is None
    one_side = UserObjective(ArrayRows(X, np.array([0.0, 0.0, 1.0])), POISSON)
    proposed = proposed_by_linear_program(coded_rows(one_side), (2,))
    assert separates(coded_rows(one_side), proposed) is not None


def state_at(objective, params):
    """The state of a fit that has ended at a point, in the user's coordinates."""
    placed = Placed(objective, Coordinates(np.zeros(objective.rows.n_features)))
    return placed, next(placed.newton_iterates(params, 0.0, 0, 0))


@pytest.mark.parametrize("seed", range(20))
def test_a_step_proves_a_minimum_only_where_there_is_one(seed):
    rng = np.random.default_rng(seed)
    X, y = rng.integers(-2, 3, (7, 2)).astype(float), rng.integers(0, 2, 7)
    objective = LinearPredictorObjective(ArrayRows(X, y), BinaryCrossEntropy())
    separated = exactly_separated(X, y)
    for scale in (0.0, 1.0, 5.0, 20.0):
        placed, state = state_at(objective, scale * rng.normal(size=3))
        assert not (separated and has_minimum(placed, state))
    limit = limit_of(objective, None)
    assert bool(limit.directions) == separated


def test_a_planted_step_is_no_proof():
    """Of a Poisson mean far from the counts the step is long beside the slopes."""
    X, y = np.arange(6.0)[:, np.newaxis], np.array([0.0, 0, 1, 0, 2, 3])
    objective = UserObjective(ArrayRows(X, y), POISSON)
    placed, near = state_at(objective, Glm("poisson").fit(X, y).params_)
    assert has_minimum(placed, near)
    for factor in (1e9, 1e12):
        step = near.direction.step + factor * 1e-9 * np.array([1.0, 1.0])
        planted = replace(near, direction=replace(near.direction, step=step))
        assert not has_minimum(placed, planted)
    singular = replace(near, direction=replace(near.direction, condition=np.inf))
    assert not has_minimum(placed, singular)


def test_rows_grow_in_turn():
    """Along the first direction some rows rest that grow along the next; the supremum is 1."""
    X = np.array([[0.0, 0.0], [0, 1], [1, 0], [2, 3], [-1, 5]])
    y = np.array([0, 1, 1, 1, 0])
    objective = LinearPredictorObjective(ArrayRows(X, y, intercept=False), BinaryCrossEntropy())
    limit = limit_of(objective, None)
    assert limit.n_resting == 1  # a row of zeros alone
    assert limit.value == pytest.approx(np.log(2), rel=1e-14)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_binomial_fits_of_all_links_end_as_separated(link):
    """Verdicts are those of exact arithmetic, whatever the link, the weights and the offsets."""
    seen = set()
    for seed in range(60):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(8, 40))
        if seed % 3 == 0:
            X = rng.normal(size=(n, 2))
            y = (X[:, 0] + 0.3 * rng.normal() > 0).astype(float)
        elif seed % 3 == 1:
            X, y = rng.integers(-2, 3, (n, 2)).astype(float), rng.integers(0, 2, n).astype(float)
        else:
            group = rng.integers(0, 4, n)
            X = np.column_stack([np.eye(4)[group][:, 1:], rng.normal(size=n).round(1)])
            y = rng.integers(0, 2, n) * (group != 1.0)
        if len(np.unique(y)) < 2:
            continue
        w = 10.0 ** rng.integers(-2, 4, n) if seed % 5 == 0 else None
        offset = rng.normal(size=n) if seed % 4 == 0 else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = Glm("binomial", link=link).fit(X, y, w, offset=offset)
        separated = exactly_separated(X, y.astype(int))
        assert (model.status_ == "separated") == separated, seed
        seen.add(separated)
    assert seen == {True, False}


def test_proportions_must_rest():
    """A row of both classes holds the direction of the others."""
    X, y = np.array([[-1.0], [0.5], [1.0]]), np.array([0.0, 0.5, 1.0])
    with pytest.warns(SeparationWarning, match="alpha > 0"):
        model = Glm("binomial").fit(X, y, [2.0, 2.0, 2.0])
    # The line through 0.5 may become ever steeper.
    assert model.status_ == "separated"
    assert expit(model.params_ @ [0.5, 1.0]) == pytest.approx(0.5, abs=1e-6)
    held = np.array([[-1.0], [0.5], [0.7], [1.0]])
    held_y = np.array([0.0, 0.5, 0.5, 1.0])
    assert Glm("binomial").fit(held, held_y, np.full(4, 2.0)).status_ == "converged"


def test_no_direction_is_proved_where_there_is_none():
    X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 1, 0, 1])
    objective = LinearPredictorObjective(ArrayRows(X, y), BinaryCrossEntropy())
    placed, state = state_at(objective, np.array([30.0, -40.0]))
    assert proved_direction(placed, state) is None


def test_many_rows_on_the_border():
    """One rare group has a single class; the others are the rows without it, in a fit of their own.

    There are more than rational arithmetic takes. Newton's step has no digits left in the direction
    of the group, whose curvature is far below that of the other columns.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 4))
    X[:, 0] = rng.random(20_000) < 0.1
    y = (X @ [0.5, 2.0, -1.0, 0.3] + rng.logistic(size=20_000) > 0).astype(np.intp)
    y[X[:, 0] > 0] = 1
    objective = LinearPredictorObjective(ArrayRows(X, y), BinaryCrossEntropy())
    limit = limit_of(objective, None)
    rest = X[:, 0] == 0
    assert limit.n_resting == np.count_nonzero(rest)
    alone = LogisticRegression(C=np.inf).fit(X[rest, 1:], y[rest])
    # Sums of 18,000 terms.
    assert limit.value == pytest.approx(alone.objective_, rel=1e-12)
