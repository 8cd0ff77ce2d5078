"""Profiles, score intervals and tests where links bound the means, and of unfinished fits."""

import warnings

import numpy as np
import pytest
from scipy import optimize, stats

from mcmodels import (
    FirthLogisticRegression,
    LogisticRegression,
    ObjectiveRegressor,
    likelihood_ratio_test,
)
from mcmodels import GeneralizedLinearRegressor as Glm
from mcmodels.exceptions import FitWarning, InferenceError

X = np.arange(8.0).reshape(-1, 1)
Y = np.array([0.0, 1.0, 0.0, 2.0, 2.0, 5.0, 4.0, 9.0])
Z = np.column_stack([X, np.ones(8)])
# For each pair of family and link the kernel ℓ(y, η), its slope and the expected curvature.
LOSSES = {
    ("poisson", "sqrt"): (
        lambda y, eta: eta**2 - 2 * y * np.log(eta),
        lambda y, eta: 2 * eta - 2 * y / eta,
        lambda eta: 4.0 + 0 * eta,
    ),
    ("gamma", "identity"): (
        lambda y, eta: y / eta + np.log(eta),
        lambda y, eta: (eta - y) / eta**2,
        lambda eta: eta**-2,
    ),
    ("inverse_gaussian", "inverse_squared"): (
        lambda y, eta: y * eta / 2 - np.sqrt(eta),
        lambda y, eta: y / 2 - 0.5 / np.sqrt(eta),
        lambda eta: 0.25 * eta**-1.5,
    ),
}


def fitted(family, link, y, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # the largest likelihood may be at the bounds
        return Glm(family, link=link, **options).fit(X, y)


def statistic(family, link, y, j, value, dispersion):
    """The score statistic of ``θⱼ = value`` over a grid-free minimum of the other, by hand."""
    loss, slope, curvature = LOSSES[family, link]
    column, fixed = Z[:, 1 - j], value * Z[:, j]
    # Every η is positive where the other parameter is between these.
    with np.errstate(divide="ignore"):
        ends = -fixed / column
    low = ends[column > 0].max()
    with np.errstate(all="ignore"):
        found = optimize.minimize_scalar(
            lambda u: loss(y, column * u + fixed).sum(),
            bounds=(low, low + 50.0),
            method="bounded",
            options={"xatol": 1e-13, "maxiter": 1000},
        )
    eta = column * found.x + fixed
    information = Z.T @ (curvature(eta)[:, None] * Z)
    score = Z[:, j] @ slope(y, eta)
    return score**2 * np.linalg.inv(information)[j, j] / dispersion


@pytest.mark.parametrize(
    ("family", "link", "y"),
    [("poisson", "sqrt", Y), ("inverse_gaussian", "inverse_squared", Y + 1)],
)
def test_a_score_interval_ends_at_the_border_that_no_test_rejects(family, link, y):
    """The intercept is the η of the first row, which must be positive."""
    model = fitted(family, link, y)
    lower, upper = model.score_intervals(X, y, parameters="(intercept)").to_numpy()[0]
    quantile = stats.t.ppf(0.975, model._record().df) ** 2
    near = [statistic(family, link, y, 1, value, model.dispersion_) for value in (1e-6, 1e-3, 0.1)]
    assert max(near) < quantile
    assert 0 <= lower < 1e-8  # a border is found to 1e-10 standard errors, of 0.3 at most
    # The minimum by hand is known to the root of the rounding of its objective, 1e-8.
    assert statistic(family, link, y, 1, upper, model.dispersion_) == pytest.approx(
        quantile, rel=1e-6
    )


def test_ends_are_found_where_the_profile_steps_out_of_the_domain():
    """A large intercept needs a falling mean, which no step along the profile keeps positive."""
    model = fitted("gamma", "identity", Y + 1)
    quantile = stats.t.ppf(0.975, 6) ** 2
    for value in model.score_intervals(X, Y + 1).to_numpy()[1]:
        found = statistic("gamma", "identity", Y + 1, 1, value, model.dispersion_)
        assert found == pytest.approx(quantile, rel=1e-6)


def test_where_the_others_are_at_the_bounds_there_is_no_score_test():
    """At slopes above 0.43 the best intercept is 0, and the statistic by hand has no meaning."""
    model = fitted("poisson", "sqrt", Y)
    with pytest.raises(InferenceError, match=r"x0.*bounds of the means.*profile_intervals"):
        model.score_intervals(X, Y, parameters="x0")


@pytest.mark.parametrize(
    ("family", "link", "y"),
    [
        ("poisson", "identity", Y),
        ("poisson", "sqrt", Y),
        ("binomial", "identity", (Y > 2) * 1.0),
    ],
)
def test_ends_at_the_border_are_parameters_of_the_model(family, link, y):
    """They were up to a billionth of a standard error outside, where a mean is negative."""
    model = fitted(family, link, y)
    lower = model.profile_intervals(X, y, parameters="(intercept)").iloc[0, 0]
    assert 0 <= lower < 1e-8
    rest = [optimize_rest(family, link, y, lower, slope) for slope in (0.1, 0.14)]
    assert np.isfinite(rest).all()


def optimize_rest(family, link, y, intercept, slope):
    return fitted(family, link, y).objective(X, y, np.array([slope, intercept]))


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (Glm("poisson", max_iter=1), Y),
        (Glm("poisson", link="identity", max_iter=1), Y + 1),
        (Glm("poisson", prior="jeffreys", max_iter=1), Y),
        (ObjectiveRegressor("exp(eta) - y*eta", log_likelihood=True, max_iter=1), Y),
        (LogisticRegression(C=np.inf, max_iter=1), [0, 1, 0, 1, 1, 0, 1, 1]),
        (LogisticRegression(C=np.inf, max_iter=1), [0, 1, 2, 1, 0, 1, 2, 2]),
        (FirthLogisticRegression(max_iter=1), [0, 1, 0, 1, 1, 0, 1, 1]),
    ],
    ids=str,
)
def test_a_fit_that_has_not_converged_has_no_maximum_to_compare_with(model, y):
    """Intervals about the point where it stopped were given in silence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        model.fit(X, y)
    assert model.status_ == "not converged"
    methods = [model.profile_intervals, model.likelihood_ratio_tests, model.likelihood_profile]
    if "jeffreys" not in str(model) and not isinstance(model, FirthLogisticRegression):
        methods.append(model.score_intervals)
    for method in methods:
        with pytest.raises(InferenceError, match=r"did not converge.*max_iter"):
            method(X, y)


def test_a_maximum_at_the_bounds_is_one_although_its_gradient_is_not_zero():
    model = fitted("poisson", "identity", Y)
    assert model.status_ == "not converged"
    upper = model.profile_intervals(X, Y, parameters="x0").iloc[0, 1]

    def drop(slope):
        """Of ``2Σ(μ - y log μ)``, with the best intercept that is not negative."""

        def objective(intercept):
            mu = slope * X[:, 0] + intercept
            with np.errstate(divide="ignore", invalid="ignore"):
                return 2 * (mu.sum() - np.where(Y > 0, Y * np.log(mu), 0.0).sum())

        return min(objective(b) for b in (0.0, *np.geomspace(1e-9, 1.0, 50)))

    least = optimize.minimize_scalar(drop, bounds=(0.5, 1.2), options={"xatol": 1e-10}).fun
    # The last barrier is 1e-8 for each row; the slope of the drop is about 14 here.
    assert drop(upper) - least == pytest.approx(stats.chi2.ppf(0.95, 1), abs=1e-5)


@pytest.mark.parametrize(
    ("make", "y"),
    [
        (lambda **o: Glm("poisson", **o), Y),
        (lambda **o: LogisticRegression(C=np.inf, **o), [0, 1, 2, 0, 1, 2, 0, 1]),
        (lambda **o: ObjectiveRegressor("exp(eta) - y*eta", log_likelihood=True, **o), Y),
    ],
    ids=["poisson", "classes", "own"],
)
def test_fits_that_have_not_converged_are_not_compared(make, y):
    both = np.column_stack([X, np.sin(X)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        early = make(max_iter=1).fit(both, y)
    assert early.status_ == "not converged"
    with pytest.raises(InferenceError, match=r"big did not converge.*max_iter"):
        likelihood_ratio_test(make().fit(X, y), early)
    likelihood_ratio_test(make().fit(X, y), make().fit(both, y))


def test_maxima_at_the_bounds_are_compared():
    both = np.column_stack([X, np.sin(X)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        big = Glm("poisson", link="identity").fit(both, Y)
    small = fitted("poisson", "identity", Y)
    found = likelihood_ratio_test(small, big)
    # The deviances are those of the last barrier, 1e-8 for each row.
    assert found.statistic == pytest.approx(small.deviance_ - big.deviance_, abs=1e-9)
