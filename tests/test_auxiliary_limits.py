"""Auxiliary parameters that grow for ever: the limit is named; nothing else is taken for one."""

import warnings

import numpy as np
import pytest

from mcmodels import ObjectiveRegressor
from mcmodels.estimators.auxiliary_arguments import auxiliary_shapes
from mcmodels.estimators.auxiliary_pointwise import pointwise_with_auxiliary
from mcmodels.exceptions import ConvergenceWarning, InferenceError, NoMinimumWarning
from mcmodels.objectives.auxiliary import AuxiliaryLoss, AuxiliaryObjective
from mcmodels.rows import ArrayRows
from mcmodels.solvers.auxiliary_limits import towards_limit
from mcmodels.solvers.newton import NewtonIterate
from mcmodels.solvers.newton_direction import direction_of
from tests.auxiliary_problems import data, model, negative_binomial, student_of_any_freedom


def said(estimator, X, y):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator.fit(X, y)
    return {found.category: str(found.message) for found in caught}


def limit_in(text):
    return float(text.split("to a limit of ")[1].split(",")[0])


def binomial_counts(seed=0, n=200):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2)), rng.binomial(3, 0.5, size=n).astype(float)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("way", [None, negative_binomial])
def test_underdispersed_counts_tend_to_the_poisson_distribution(seed, way):
    X, y = binomial_counts(seed)
    found = model("negative binomial", way)
    text = said(found, X, y)[NoMinimumWarning]
    assert "as log_alpha falls for ever: it has no minimum" in text
    poisson = ObjectiveRegressor("exp(eta) - y*eta").fit(X, y)
    # Seven digits are shown.
    assert limit_in(text) == pytest.approx(poisson.objective_, rel=1e-6)
    assert found.status_ == "no minimum"
    assert not found.converged_
    # Where the fit has stopped, what is left of the way to the limit is about 1e-6.
    np.testing.assert_allclose(found.params_[:-1], poisson.params_, atol=1e-5)
    with pytest.raises(InferenceError, match="no minimum"):
        found.summary()


@pytest.mark.parametrize("form", ["log_df", "log_df as a function", "df"])
def test_errors_without_long_tails_tend_to_normal_ones(form):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 1))
    y = X[:, 0] + rng.uniform(-1, 1, size=200)
    found = model("student of any freedom", student_of_any_freedom if "fun" in form else None)
    if form == "df":  # it falls like a power, not like an exponential
        found = ObjectiveRegressor(
            "log_scale + gammaln(df/2) - gammaln(df/2 + 1/2) + log(df)/2"
            " + (df/2 + 1/2)*log(1 + (y - eta)**2 * exp(-2*log_scale)/df)",
            auxiliary={"log_scale": 0.0, "df": 3.0},
            max_iter=30,
        )
    text = said(found, X, y)[NoMinimumWarning]
    assert f"as {form.split()[0]} rises for ever: it has no minimum" in text
    design = np.column_stack([X, np.ones(200)])
    sigma = np.sqrt(np.mean((y - design @ np.linalg.lstsq(design, y)[0]) ** 2))
    # Of a power, what is left is extrapolated from ratios that are equal up to three per cent.
    expected = 200 * (np.log(sigma) + 0.5 + np.log(2) / 2)
    assert limit_in(text) == pytest.approx(expected, rel=1e-4 if form == "df" else 2e-7)


def test_counts_without_an_excess_of_zeros():
    def zero_inflated(y, eta, logit):
        zero = np.logaddexp(0, logit) - np.logaddexp(logit, -np.exp(eta))
        return np.where(y > 0, np.logaddexp(0, logit) + np.exp(eta) - y * eta, zero)

    X, y = binomial_counts()
    text = said(ObjectiveRegressor(zero_inflated, auxiliary={"logit": 0.0}), X, y)[NoMinimumWarning]
    assert "as logit falls for ever" in text
    poisson = ObjectiveRegressor("exp(eta) - y*eta").fit(X, y)
    assert limit_in(text) == pytest.approx(poisson.objective_, rel=1e-6)


def test_a_class_that_is_absent():
    X, y = data("ordered")
    text = said(model("ordinal logit"), X, np.minimum(y, 1.0))[NoMinimumWarning]
    assert "as cuts[1] rises for ever" in text


@pytest.mark.parametrize("alpha", [0.3, 0.03])
def test_small_dispersions_have_a_minimum(alpha):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(4000, 1))
    mean = np.exp(0.5 * X[:, 0] + 1.0)
    y = rng.negative_binomial(1 / alpha, 1 / (1 + alpha * mean)).astype(float)
    found = model("negative binomial")
    assert NoMinimumWarning not in said(found, X, y)
    assert found.converged_


def test_an_auxiliary_parameter_that_goes_to_zero_is_named():
    X, y = binomial_counts()
    found = ObjectiveRegressor(
        "gammaln(1/alpha) - gammaln(y + 1/alpha) - y*(log(alpha) + eta)"
        " + (y + 1/alpha)*softplus(log(alpha) + eta)",
        auxiliary={"alpha": 1.0},
    )
    assert "alpha from 1 to" in said(found, X, y)[ConvergenceWarning]
    assert not found.converged_


def ladder(text, start, end):
    """What is said of an objective of one auxiliary parameter, from a start to an end."""
    rng = np.random.default_rng(0)
    rows = ArrayRows(rng.normal(size=(30, 1)), rng.normal(size=30))
    shapes = auxiliary_shapes({"a": 0.0})
    loss = AuxiliaryLoss(pointwise_with_auxiliary(f"(y - eta)**2 + {text}", shapes))
    objective = AuxiliaryObjective(rows, loss)
    params = np.array([0.0, 0.0, end])
    known = objective.derivatives(params)
    direction = direction_of(params, known, np.zeros(3), 3, np.inf)
    current = NewtonIterate(params, known, direction, 0, None)
    return towards_limit(objective, current, np.array([0.0, 0.0, start]))


def test_of_ladders():
    assert ladder("a**2", 1.0, 9.0) is None  # it rises
    for text, start, end in (
        ("exp(-a)", 0.0, 9.0),
        ("exp(-a/3) + exp(-a)", 0.0, 9.0),
        ("exp(a)", 0.0, -30.0),
        ("1/a", 1.0, 50.0),
        ("1/a**3", 1.0, 50.0),
    ):
        found = ladder(text, start, end)
        least = ladder_minimum()
        # What is left of a power is extrapolated from a ratio.
        assert found.direction.limit == pytest.approx(least, rel=1e-8)
    for text, start, end in (
        ("exp(-a) + 1e-9*a**2", 0.0, 30.0),  # a minimum at 18
        ("exp(-a) + 1e-12*a", 0.0, 30.0),  # at 28
        ("exp(-a) - 1e-9*a", 0.0, 30.0),  # falls without limit
        ("log(1 + exp(-a)) + 1e-7*exp(a/10)", 0.0, 30.0),  # a minimum at 16
        ("exp(-a) + 1e-6*cos(a/10)", 0.0, 30.0),  # another minimum beyond
        ("-a**0.5", 1.0, 50.0),
        ("-log(a)", 1.0, 50.0),
        ("-a", 0.0, 50.0),
        ("1/a + 1e-9*a", 1.0, 5000.0),
    ):
        assert ladder(text, start, end) is None


def ladder_minimum():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 1)), rng.normal(size=30)
    design = np.column_stack([X, np.ones(30)])
    return float(np.sum((y - design @ np.linalg.lstsq(design, y)[0]) ** 2))
