"""Fits of rank 0, of one row, of as many rows as columns: answers, or errors of this package."""

import linecache
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

import mcmodels
from mcmodels import (
    FirthLogisticRegression,
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    ObjectiveRegressor,
    compare,
    glance,
    results,
    tidy,
)
from mcmodels.exceptions import InferenceError
from tests.rotation import rotated

PACKAGE = str(Path(mcmodels.__file__).parent)
FREE = LogisticRegression(C=np.inf)


def half_square(y, eta):
    return 0.5 * (y - eta) ** 2


MODELS = {
    "linear": LinearRegression(),
    "two targets": LinearRegression(),
    "logistic": FREE,
    "penalised": LogisticRegression(),
    "classes": FREE,
    "Firth": FirthLogisticRegression(),
    "Firth, classes": FirthLogisticRegression(),
    "poisson": GeneralizedLinearRegressor("poisson"),
    "gamma": GeneralizedLinearRegressor("gamma"),
    "ridge": GeneralizedLinearRegressor("poisson", alpha=1.0),
    "own": ObjectiveRegressor(half_square, log_likelihood=True),
}
RNG = np.random.default_rng(0)
DESIGNS = {
    "zeros": np.zeros((30, 1)),
    "constants": np.column_stack([np.full(30, 3.0), np.full(30, 1e6)]),
    "one constant": np.full((30, 1), 3.0),
    "one row": np.array([[1.0, 2.0]]),
    "as many rows as columns": RNG.normal(size=(3, 3)),
    "one row more": RNG.normal(size=(4, 3)),
    "more columns": RNG.normal(size=(3, 4)),
    "doubled": RNG.normal(size=(30, 1)) @ np.ones((1, 2)),
}


def target(name, n):
    numbers = np.arange(n)
    return {
        "linear": np.sin(numbers),
        "own": np.sin(numbers),
        "two targets": np.column_stack([np.sin(numbers), np.cos(numbers)]),
        "logistic": np.where(numbers % 3 == 1, "b", "a"),
        "penalised": np.where(numbers % 3 == 1, "b", "a"),
        "Firth": np.where(numbers % 3 == 1, "b", "a"),
        "classes": numbers % 3,
        "Firth, classes": numbers % 3,
    }.get(name, 1.0 + numbers % 4)


def fitted(name, X, intercept):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = clone(MODELS[name]).set_params(fit_intercept=intercept)
        return model.fit(X, target(name, len(X)))


def questions(said, X, y):
    """Every method of results, and the tables of models."""
    clusters, first = np.arange(len(X)) // 2, {"x0": [1.0, 2.0]}
    yield from (
        lambda: said._repr_html_(),
        lambda: said.summary(),
        lambda: said.summary(X, y, kind="HC1"),
        lambda: said.confidence_intervals(),
        lambda: said.covariance(),
        lambda: said.covariance(X, y, kind="HC3"),
        lambda: said.covariance(X, y, kind="cluster", groups=clusters),
        lambda: said.delta_method(lambda params: 2 * params.ravel()[:1]),
        lambda: said.likelihood_ratio_tests(X, y),
        lambda: said.profile_intervals(X, y),
        lambda: said.likelihood_profile(X, y),
        lambda: said.influence(X, y),
        lambda: said.wald_test(f"`{said._estimate().names[0]}` = 0"),
        lambda: said.wald_test(terms=True),
        *(lambda type=k: said.anova(type=type) for k in (1, 2, 3)),
        lambda: said.anova(X, y, kind="HC1"),
        *(lambda type=k: said.deviance_table(X, y, type=type) for k in (1, 2)),
        lambda: said.predict_interval(X),
        lambda: said.predictions(X),
        lambda: said.marginal_effects(X),
        lambda: said.marginal_effects(X, at="means"),
        lambda: said.marginal_means(X, first),
        lambda: said.contrasts(X, first),
        lambda: said.with_covariance(X, y, kind="HC1").summary(),
        lambda: tidy(said),
        lambda: glance(said),
        lambda: compare(said.fitted, said.fitted),
    )


def is_raised_here(error):
    """Whether a statement of this package raises it, and not NumPy below it."""
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    file = trace.tb_frame.f_code.co_filename
    return file.startswith(PACKAGE) and "raise" in linecache.getline(file, trace.tb_lineno)


# Profiles of a prior over classes take seconds each where the likelihood has no maximum.
SLOW = {("Firth, classes", "one row more"), ("Firth, classes", "as many rows as columns")}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "intercept", "design"),
    [
        of
        for of in rotated(MODELS, [True, False], DESIGNS)
        if (of.values[0], of.values[2]) not in SLOW
    ],
)
def test_every_method_answers_or_says_why_not(name, design, intercept):
    X = DESIGNS[design]
    y = target(name, len(X))
    try:
        said = results(fitted(name, X, intercept))
    except ValueError as error:  # a single class, say
        assert "class" in str(error) and len(X) == 1, error  # noqa: PT017, PT018
        return
    answered = 0
    for ask in questions(said, X, y):
        try:
            ask()
            answered += 1
        except (InferenceError, ValueError, TypeError) as error:
            assert is_raised_here(error), error  # noqa: PT017
    assert answered or len(X) < 6


@pytest.mark.parametrize("name", ["linear", "poisson", "gamma", "own", "logistic", "classes"])
@pytest.mark.parametrize("design", ["one constant", "constants"])
def test_constant_columns_beside_an_intercept(name, design):
    """No parameter is determined, and every prediction: as of the intercept alone."""
    X = DESIGNS[design]
    beside, alone = fitted(name, X, True), fitted(name, np.ones((30, 1)), False)
    assert np.isnan(beside.covariance_).all()
    assert beside.status_ == "rank deficient"
    assert beside._fit.rank == 0
    assert beside.n_free_params_ == alone.n_free_params_
    ours = results(beside).predictions(X)
    expected = results(alone).predictions(np.ones((30, 1)))
    # The same maximum; the gradients of both are below 1e-8 of the total weight.
    np.testing.assert_allclose(ours, expected, rtol=1e-7)


@pytest.mark.parametrize("name", MODELS)
def test_zeros_without_an_intercept(name):
    """Linear predictors are zero, and known without error; no parameter is determined."""
    X = DESIGNS["zeros"]
    model = fitted(name, X, False)
    assert not np.any(model.predict(X) != model.predict(X + 0.0))
    shown = results(model).confidence_intervals()
    if name not in ("penalised", "ridge"):
        assert np.isnan(model.covariance_).all()
        assert shown.isna().all(axis=None)
    if name == "linear":
        table = results(model).summary()
        # No parameter: all of the squares of y are residuals, over n.
        deviation = np.sqrt(np.mean(target("linear", 30) ** 2))
        assert table.conclusions["residual deviation"] == f"{deviation:.6g}"
        anova = results(model).anova()
        assert anova["df"].tolist() == [0, 30]


@pytest.mark.parametrize("intercept", [True, False])
def test_r_squared_of_rank_zero_is_zero(intercept):
    """It was minus an epsilon, by two sums of the same squares."""
    for y in np.random.default_rng(3).normal(size=(20, 120)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # RankDeficiencyWarning
            fit = LinearRegression(fit_intercept=intercept).fit(np.zeros((120, 1)), y)
        assert fit.r_squared_ == 0.0
        assert fit.adjusted_r_squared_ == 0.0
