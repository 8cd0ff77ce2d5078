"""Criteria of a penalty: derivatives against refits, and each against its definition."""

import numpy as np
import pytest
from scipy import integrate, linalg, special
from sklearn.linear_model import Ridge

from mcmodels.objectives import BinaryCrossEntropy, LinearPredictorObjective
from mcmodels.reweighting.criteria import CRITERIA, Aic, Evidence, LeaveOneOut
from mcmodels.reweighting.penalised_fit import Groups, PenalisedFit
from mcmodels.rows import ArrayRows
from mcmodels.solvers import irls
from tests.reweighting.penalised_problems import KINDS, Problem, differences


@pytest.mark.parametrize("dispersion", [1.3, None])
@pytest.mark.parametrize("of_column", [(0, 0, 0, 0), (0, 1, 1, 2)])
@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_are_those_of_refits(kind, of_column, dispersion):
    problem = Problem(kind, of_column)
    at = np.array([0.3, -0.7, 1.1])[: problem.groups.count]
    for name in CRITERIA:
        criterion = CRITERIA[name](problem.values, dispersion, problem.total_weight)
        found = criterion.at(problem.fit(at))
        numerical = differences(lambda t, c=criterion: c.at(problem.fit(t)).value, at)
        # Rounding of refits over the step of 1e-4: the largest seen is 4e-8.
        scale = np.abs(numerical).max()
        np.testing.assert_allclose(found.gradient, numerical, atol=1e-6 * scale, err_msg=name)


@pytest.mark.parametrize("kind", ["binary", "softmax", "poisson"])
def test_derivatives_without_an_intercept(kind):
    problem, at = Problem(kind, intercept=False), np.array([0.4])
    for name in CRITERIA:
        criterion = CRITERIA[name](problem.values, 1.0, problem.total_weight)
        numerical = differences(lambda t, c=criterion: c.at(problem.fit(t)).value, at)
        np.testing.assert_allclose(criterion.at(problem.fit(at)).gradient, numerical, rtol=1e-6)


def test_columns_far_from_zero_change_no_criterion():
    near, far = Problem("binary"), Problem("binary")
    far.rows = ArrayRows(far.X + 1e6, far.y, far.weights, None, intercept=True)
    for name in CRITERIA:
        criterion = CRITERIA[name](near.values, 1.0, near.total_weight)
        a, b = criterion.at(near.fit(0.5)), criterion.at(far.fit(0.5))
        # X + 1e6 has lost six of its digits.
        assert b.value == pytest.approx(a.value, rel=1e-8)
        np.testing.assert_allclose(b.gradient, a.gradient, rtol=1e-7)


def test_more_columns_than_rows_work_in_the_space_of_the_rows():
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((20, 50)), np.arange(20) % 2
    rows, loss = ArrayRows(X, y, None, None, intercept=True), BinaryCrossEntropy()
    groups = Groups.single(50)

    def fitted(t):
        objective = LinearPredictorObjective(rows, loss, float(np.exp(t[0])))
        *_, last = irls.fit(objective, np.zeros(51), tol=1e-15, max_iter=60)
        return PenalisedFit.of(objective, groups, last)

    at = np.array([1.0])
    # About their mean the rows span 19 dimensions; with the intercept there are 20.
    assert fitted(at).hessian.shape == (20, 20)
    # The evidence differs from that over all columns by nothing: the others have prior variance
    # and no information, so that determinant and prior cancel.
    for name in CRITERIA:
        criterion = CRITERIA[name](loss.value, 1.0, 20.0)
        numerical = differences(lambda t, c=criterion: c.at(fitted(t)).value, at)
        np.testing.assert_allclose(criterion.at(fitted(at)).gradient, numerical, rtol=1e-6)


def test_leave_one_out_of_least_squares_is_that_of_refits():
    problem = Problem("normal")
    alpha, total = 0.8, 0.0
    for i in range(len(problem.y)):
        others = np.delete(np.arange(len(problem.y)), i)
        ridge = Ridge(alpha=alpha).fit(
            problem.X[others], problem.y[others], sample_weight=problem.weights[others]
        )
        left = problem.y[i] - ridge.predict(problem.X[[i]])[0]
        total += problem.weights[i] * left**2 / 2
    found = LeaveOneOut(problem.values, None, 1.0).at(problem.fit(np.log(alpha)))
    assert found.value == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("kind", ["binary", "softmax", "poisson", "probit"])
def test_leave_one_out_is_near_that_of_refits(kind):
    problem, at = Problem(kind), np.array([0.5])
    total = 0.0
    for i in range(len(problem.y)):
        left = Problem(kind)
        weights = left.weights.copy()
        weights[i] = 0.0
        left.rows = ArrayRows(left.X, left.y, weights, None, intercept=True)
        fit = left.fit(at)
        x = np.append(left.X[i], 1.0)
        eta = (x @ np.atleast_2d(fit.params).T).reshape(1, -1)
        eta = eta if kind == "softmax" else eta[:, 0]
        total += problem.weights[i] * left.values(left.y[[i]], eta)[0]
    found = LeaveOneOut(problem.values, 1.0, 1.0).at(problem.fit(at))
    in_sample = Aic(problem.values, 1.0, 1.0).at(problem.fit(at))
    excess = total - (in_sample.value / 2 - problem.fit(at).loss_freedom)
    # One step from the fit, of rows that count up to three times among 60: within a tenth of what
    # leaving them out costs; 6 % is the largest seen.
    assert abs(found.value - total) < 0.1 * excess


def test_evidence_of_normal_targets_is_exact():
    problem = Problem("normal", (0, 1, 1, 2), weighted=False)
    phi, at = 0.9, np.array([0.2, 1.0, -1.0])
    prior = phi / np.exp(at)[[0, 1, 1, 2]]
    X, y = problem.X, problem.y
    # Minus the logarithm of the density of y, with a normal intercept that becomes flat.
    flat = 1e8
    V = phi * np.eye(len(y)) + (X * prior) @ X.T + flat
    exact = (np.linalg.slogdet(V)[1] + y @ linalg.solve(V, y, assume_a="pos")) / 2
    constants = len(y) / 2 * np.log(phi) + np.log(flat) / 2
    criterion = Evidence(problem.values, phi, float(len(y)))
    # Of the flat prior, 1e-8 is left in the determinant, and rounding of 1e8.
    assert criterion.at(problem.fit(at)).value == pytest.approx(exact - constants, rel=1e-6)


def test_evidence_with_an_estimated_dispersion_is_at_the_best_one():
    problem, at = Problem("normal", weighted=False), np.array([0.6])
    n = float(len(problem.y))

    def given(phi):
        criterion = Evidence(problem.values, phi, n)
        # What a given dispersion leaves out as a constant.
        return criterion.at(problem.fit(at)).value + n / 2 * np.log(phi)

    fit = problem.fit(at)
    eta = problem.X @ fit.params[:-1] + fit.params[-1]
    f = fit.half_penalty + float(problem.values(problem.y, eta).sum())
    best = 2 * f / (n - 1)
    free = Evidence(problem.values, None, n).at(problem.fit(at)).value
    assert given(best) < min(given(best * 1.01), given(best / 1.01))
    constants = (n - 1) / 2 * (1 + np.log(2 / (n - 1)))
    assert given(best) == pytest.approx(free + constants, rel=1e-12)


def test_evidence_is_near_the_integral():
    rng = np.random.default_rng(4)
    x = rng.standard_normal((40, 1))
    y = (rng.random(40) < special.expit(1.5 * x[:, 0])).astype(int)
    rows, loss, alpha = ArrayRows(x, y, None, None, intercept=True), BinaryCrossEntropy(), 0.7
    objective = LinearPredictorObjective(rows, loss, alpha)
    *_, last = irls.fit(objective, np.zeros(2), tol=1e-14, max_iter=60)
    fit = PenalisedFit.of(objective, Groups.single(1), last)
    found = Evidence(loss.value, 1.0, 40.0).at(fit).value

    def density(b, a):
        eta = a * x[:, 0] + b
        return np.exp(fit.value - loss.value(y, eta).sum() - alpha * a**2 / 2)

    integral, _ = integrate.dblquad(density, -4.0, 6.0, -5.0, 5.0)
    exact = fit.value - np.log(integral) - np.log(alpha) / 2 + np.log(2 * np.pi)
    # Laplace's approximation is off by terms of the order of 1/n.
    assert found == pytest.approx(exact, abs=0.1)


def test_evidence_of_classes_ignores_the_shift_of_intercepts():
    """Pinning the sum of the intercepts by a curvature of one changes it by a constant."""
    problem = Problem("softmax")
    criterion = Evidence(problem.values, 1.0, problem.total_weight)

    def difference(t):
        fit = problem.fit(t)
        H = fit.hessian.copy()
        last = np.arange(1, 4) * 5 - 1
        H[np.ix_(last, last)] += 1.0
        value = fit.value + np.linalg.slogdet(H)[1] / 2 - 12 / 2 * t
        return criterion.at(fit).value - value

    assert difference(0.3) == pytest.approx(difference(-1.2), abs=1e-9)


def test_aic_has_the_trace_of_the_hat_matrix():
    problem = Problem("normal", weighted=False)
    alpha = 2.0
    X = problem.X - problem.X.mean(axis=0)
    hat = X @ np.linalg.solve(X.T @ X + alpha * np.eye(4), X.T)
    fit = problem.fit(np.log(alpha))
    assert fit.loss_freedom == pytest.approx(1 + np.trace(hat), rel=1e-12)
    centred = problem.y - problem.y.mean()
    deviance = float(((centred - hat @ centred) ** 2).sum())
    n = len(problem.y)
    found = Aic(problem.values, None, float(n)).at(fit).value
    assert found == pytest.approx(n * np.log(deviance) + 2 * (1 + np.trace(hat)), rel=1e-12)
