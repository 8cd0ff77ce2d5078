"""Models of a criterion: exact slopes where they are made, exact everywhere for least squares."""

import numpy as np
import pytest

from mcmodels.reweighting.criteria import CRITERIA, Aic, Evidence
from mcmodels.reweighting.penalty_models import BentModel, Tried, penalty_model
from tests.reweighting.penalised_problems import Problem, differences

GROUPS = [(0, 0, 0, 0), (0, 1, 1, 2)]


def modelled(problem, criterion, at):
    fit = problem.fit(at)
    return penalty_model(fit, criterion, criterion.at(fit))


@pytest.mark.parametrize("of_column", GROUPS)
@pytest.mark.parametrize("kind", ["binary", "softmax", "gamma"])
def test_slopes_are_exact_at_the_fit_and_derivatives_everywhere(kind, of_column):
    problem = Problem(kind, of_column)
    at = np.array([0.3, -0.7, 1.1])[: problem.groups.count]
    for name in CRITERIA:
        criterion = CRITERIA[name](problem.values, 1.0, problem.total_weight)
        model, exact = modelled(problem, criterion, at), criterion.at(problem.fit(at))
        value, gradient = model(at)
        assert value == pytest.approx(exact.value, rel=1e-12)
        # Rounding of matrices of size ten.
        np.testing.assert_allclose(gradient, exact.gradient, rtol=1e-9, atol=1e-10, err_msg=name)
        away = at + np.array([1.0, -2.0, 0.5])[: len(at)]
        numerical = differences(lambda t, m=model: m(t)[0], away)
        np.testing.assert_allclose(model(away)[1], numerical, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("of_column", GROUPS)
def test_of_least_squares_they_are_exact_everywhere(of_column):
    problem = Problem("normal", of_column)
    at = np.zeros(problem.groups.count)
    away = at + np.array([2.0, -1.5, 3.0])[: len(at)]
    for kind in (Evidence, Aic):
        criterion = kind(problem.values, 0.8, problem.total_weight)
        exact = criterion.at(problem.fit(away))
        value, gradient = modelled(problem, criterion, at)(away)
        assert value == pytest.approx(exact.value, rel=1e-11)
        np.testing.assert_allclose(gradient, exact.gradient, rtol=1e-8)


@pytest.mark.parametrize("of_column", GROUPS)
def test_they_predict_the_minimum_of_least_squares(of_column):
    problem = Problem("normal", of_column)
    at = np.zeros(problem.groups.count)
    predicted = problem.fit(at).predicted(np.exp(at + 2.0))
    np.testing.assert_allclose(predicted, problem.fit(at + 2.0).params, rtol=1e-10)


def test_bent_models_have_the_slopes_of_the_last_point():
    problem = Problem("binary", (0, 1, 1, 2))
    criterion = CRITERIA["loo"](problem.values, 1.0, 1.0)
    at, near = np.zeros(3), np.array([0.2, -0.1, 0.3])
    model = modelled(problem, criterion, at)
    found = criterion.at(problem.fit(near))
    bent = BentModel.of(model, at, [Tried(near, found, 1.0)])
    np.testing.assert_allclose(bent(near)[1], found.gradient, rtol=1e-10)
    np.testing.assert_allclose(bent(at)[1], model(at)[1], rtol=1e-12)
    np.testing.assert_allclose(bent.bend, bent.bend.T)
    assert np.abs(model(near)[1] - found.gradient).max() > 1e-4
