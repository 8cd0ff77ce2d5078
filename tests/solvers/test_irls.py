"""The start of a fit that continues an earlier one, and the Hessian that has most digits."""

import numpy as np
import pytest

from mcmodels.objectives import BinaryCrossEntropy, LinearPredictorObjective, SoftmaxCrossEntropy
from mcmodels.objectives.families import PowerFamily
from mcmodels.objectives.family_loss import FamilyLoss
from mcmodels.objectives.links import LogLink
from mcmodels.objectives.user_loss import UserLoss, UserObjective
from mcmodels.rows import ArrayRows
from mcmodels.solvers import irls
from mcmodels.solvers.conclusion import conclude
from mcmodels.solvers.solution import Status
from mcmodels.solvers.starts import better_start, log_odds_start


def objective_of(n_classes, offset=0.0):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(90, 2)) + offset
    y = np.digitize((X - offset).sum(axis=1) + rng.normal(size=90), np.arange(n_classes - 1) - 0.5)
    loss = BinaryCrossEntropy() if n_classes == 2 else SoftmaxCrossEntropy()
    return LinearPredictorObjective(ArrayRows(X, y), loss, penalty=1.0)


def start_of(objective, n_classes):
    counts = objective.rows.reduce(lambda block: np.bincount(block.y, minlength=n_classes))
    return log_odds_start(counts, objective.rows)


def solved(objective, start):
    *_, last = irls.fit(objective, start, tol=1e-8, max_iter=50)
    return conclude(objective, last).value


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_the_better_of_two_starts_is_taken(n_classes):
    objective = objective_of(n_classes)
    start = start_of(objective, n_classes)
    best = solved(objective, start).params
    taken = better_start(objective, best, start)
    np.testing.assert_allclose(taken, best, atol=1e-12)
    assert better_start(objective, 100.0 - best, start) is start
    assert better_start(objective, None, start) is start
    assert better_start(objective, best[..., :-1], start) is start


def test_softmax_parameters_are_centred_before_they_are_compared():
    objective = objective_of(3)
    start = start_of(objective, 3)
    best = solved(objective, start).params
    shifted = best + np.array([50.0, -20.0, 3.0])  # as likely, but with a large penalty
    assert objective.value(shifted) > objective.value(start)
    taken = better_start(objective, shifted, start)
    np.testing.assert_allclose(taken, best, atol=1e-12)
    np.testing.assert_allclose(taken.sum(axis=0), 0, atol=1e-12)


def test_losses_of_users_are_compared_as_they_are():
    rows = ArrayRows(np.arange(4.0).reshape(-1, 1), np.array([1.0, 3.0, 5.0, 7.0]))
    square = UserLoss(
        lambda y, eta, orders: tuple(
            [(y - eta) ** 2, 2 * (eta - y), np.full(y.shape, 2.0)][order] for order in orders
        )
    )
    previous, start = np.array([2.0, 1.0]), np.array([0.0, 4.0])
    assert better_start(UserObjective(rows, square), previous, start) is previous
    assert better_start(UserObjective(rows, square), start, previous) is previous


def test_the_accurate_hessian_is_that_of_the_coordinates_of_the_fit():
    near, far = objective_of(2), objective_of(2, offset=1e6)
    start = start_of(near, 2)
    plain = solved(near, start)
    assert plain.accurate_hessian is plain.hessian
    shifted = solved(far, start)
    # Of coefficients the two differ by where the columns are centred.
    coefficients = shifted.accurate_hessian[:2, :2]
    np.testing.assert_allclose(coefficients, plain.hessian[:2, :2], rtol=0.05)
    assert shifted.hessian[0, 0] > 1e10 * shifted.accurate_hessian[0, 0]


@pytest.mark.parametrize("loss", ["logistic", "poisson"])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_a_fit_that_starts_at_its_optimum_knows_its_rank(loss, offset):
    """Its first state has converged, and no step shows that columns depend on each other."""
    rng = np.random.default_rng(2)
    group = rng.integers(0, 3, 90)
    X = np.column_stack([np.eye(3)[group], rng.normal(size=90) + offset])
    if loss == "logistic":
        y = (rng.random(90) < 0.3 + 0.2 * (group == 1)).astype(np.int64)
        made = LinearPredictorObjective(ArrayRows(X, y), BinaryCrossEntropy(), 0.0)
    else:
        y = rng.poisson(1.0 + group)
        poisson = UserLoss(FamilyLoss(PowerFamily("poisson", 1.0), LogLink()))
        made = UserObjective(ArrayRows(X, y), poisson, 0.0)
    *_, last = irls.fit(made, np.zeros(5), tol=1e-8, max_iter=50)
    first = conclude(made, last)
    *_, last = irls.fit(made, first.value.params, tol=1e-8, max_iter=50)
    again = conclude(made, last)
    for found in (first, again):
        assert (found.status, found.rank) == (Status.RANK_DEFICIENT, 3)
        assert set(found.columns) == {0, 1, 2}
    assert again.iterations <= 1
    # Where the columns are independent there is nothing to find out.
    regular = type(made)(ArrayRows(X[:, 1:], y), made.loss, 0.0)
    *_, last = irls.fit(regular, np.zeros(4), tol=1e-8, max_iter=50)
    *_, last = irls.fit(regular, conclude(regular, last).value.params, tol=1e-8, max_iter=50)
    found = conclude(regular, last)
    assert (found.status, found.rank) == (Status.CONVERGED, 3)
