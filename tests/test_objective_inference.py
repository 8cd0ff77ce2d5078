"""Inference of losses that users write: as likelihoods, and by sandwiches."""

import functools
import warnings

import numpy as np
import pytest
import statsmodels.api as sm

from mcmodels import (
    ObjectiveRegressor,
    likelihood_ratio_test,
    summarize,
)
from mcmodels.exceptions import InferenceError
from tests.numerics import central_differences, relative_error
from tests.objective_problems import POISSON, pair, quietly
from tests.objectives.user_losses import LOSSES, poisson, problem


@pytest.mark.parametrize("kind", ["HC0", "HC1", "cluster"])
@pytest.mark.parametrize("name", ["poisson", "student", "smoothed quantile"])
def test_sandwich_of_an_m_estimator(kind, name):
    X, y = problem(LOSSES[name].targets)
    for model in pair(name):
        quietly(model, X, y)
        groups = np.arange(200) // 5
        options = {"groups": groups, "use_correction": False} if kind == "cluster" else {}
        V = model.covariance(X, y, kind=kind, **options)
        design = np.column_stack([X, np.ones(200)])
        A = np.linalg.inv(model.hessian_)
        loss = LOSSES[name].function
        eta = design @ model.params_
        first = np.diagonal(central_differences(lambda e, y=y: loss(y, e), eta))  # noqa: B023
        scores = first[:, np.newaxis] * design
        if kind == "cluster":
            scores = scores.reshape(40, 5, 4).sum(axis=1)
        factor = 200 / 196 if kind == "HC1" else 1.0
        # Scores by five-point differences.
        assert relative_error(V, factor * A @ scores.T @ scores @ A) < 1e-8
        table = model.summary(X, y, kind=kind, **options).to_frame()
        np.testing.assert_allclose(table["standard_error"], np.sqrt(np.diag(V)), rtol=1e-12)


def test_robust_poisson_is_statsmodels():
    X, y = problem("counts")
    design = np.column_stack([X, np.ones(200)])
    fit = sm.GLM(y, design, family=sm.families.Poisson()).fit(tol=1e-14, cov_type="HC0")
    model = ObjectiveRegressor(POISSON, log_likelihood=True).fit(X, y)
    assert relative_error(model.covariance(X, y, kind="HC0"), fit.cov_params()) < 1e-8


def test_an_m_estimator_has_no_covariance_of_its_own():
    X, y = problem("numbers")
    model = ObjectiveRegressor(LOSSES["huber"].text).fit(X, y)
    for ask in (lambda: model.standard_errors_, model.summary, model.confidence_intervals):
        with pytest.raises(InferenceError, match=r"not declared to be.*covariance\(X, y, kind='HC"):
            ask()
    with pytest.raises(InferenceError, match="a log-likelihood is defined only for a likelihood"):
        _ = model.log_likelihood_
    g = model.delta_method(lambda theta: theta[0] / theta[1], X, y, kind="HC0")
    V = model.covariance(X, y, kind="HC0")
    J = np.array([1 / model.coef_[1], -model.coef_[0] / model.coef_[1] ** 2])
    assert g.standard_error == pytest.approx(np.sqrt(J @ V[:2, :2] @ J), rel=1e-8)
    test = model.wald_test("x0 = 0", X, y, kind="HC0")
    assert test.statistic == pytest.approx(model.coef_[0] ** 2 / V[0, 0], rel=1e-10)


def test_a_loss_without_curvature_has_no_sandwich_and_no_stray_warnings():
    X, y = problem("numbers")
    for loss in ("abs(y - eta)", "relu(y - eta) + relu(eta - y)"):
        model = quietly(ObjectiveRegressor(loss), X, y)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(InferenceError, match="ℓ″ is nearly zero"):
                model.covariance(X, y, kind="HC0")


def test_functions_of_parameters_are_checked():
    X, y = problem("counts")
    model = ObjectiveRegressor(POISSON, log_likelihood=True).fit(X, y)
    with pytest.raises(TypeError, match=r"g is a str; give a function of an array of shape \(4,"):
        model.delta_method("x0 / x1")
    for g, found in ((lambda t: 1j * t[0], "complex128"), (lambda t: None, "object")):
        with pytest.raises(TypeError, match=f"g returned {found} values; it must return a real"):
            model.delta_method(g)


def test_a_summary_names_a_partial_loss_by_its_function_and_arguments():
    X, y = problem("counts")
    loss = functools.partial(squared_of, width=2.0)
    text = str(ObjectiveRegressor(loss).fit(X, y).summary(X, y, kind="HC0"))
    assert "squared_of(width=2.0)" in text


def squared_of(y, eta, width):
    return ((y - eta) / width) ** 2


def test_a_likelihood_up_to_a_constant():
    X, y = problem("counts")
    big = ObjectiveRegressor(POISSON, log_likelihood=True).fit(X, y)
    for name in ("aic_", "bic_"):
        with pytest.raises(InferenceError, match=r"up to terms without eta\. Compare fits"):
            getattr(big, name)
    other = ObjectiveRegressor(poisson, log_likelihood=True).fit(X[:, :2], y)
    with pytest.raises(ValueError, match="different losses"):
        likelihood_ratio_test(other, big)
    penalised = ObjectiveRegressor(POISSON, log_likelihood=True, alpha=1.0).fit(X[:, :2], y)
    with pytest.raises(ValueError, match=r"penalty \(alpha=1.0\)"):
        likelihood_ratio_test(penalised, big)
    text = str(summarize(penalised))
    assert "exp(eta) - y * eta" in text
    assert "alpha = 1" in text
    assert "p-value" not in text
