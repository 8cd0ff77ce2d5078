"""GeneralizedLinearRegressor against results of R and Stata, as statsmodels ships them."""

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.genmod.tests.results import results_glm as published

from mcmodels import GeneralizedLinearRegressor as Glm

POISSON_COLUMNS = ["INCOME", "SOUTH"]


def cpunish(*, logarithm):
    data = sm.datasets.cpunish.load_pandas()
    X = data.exog.to_numpy(copy=True)
    if logarithm:
        X[:, 3] = np.log(X[:, 3])
    return X, data.endog.to_numpy()


def star98():
    data = sm.datasets.star98.load_pandas()
    counts = data.endog.to_numpy()
    trials = counts.sum(axis=1)
    return data.exog.to_numpy(), counts[:, 0] / trials, trials


def scotland():
    data = sm.datasets.scotland.load_pandas()
    return data.exog.to_numpy(), data.endog.to_numpy()


def committee():
    data = sm.datasets.committee.load_pandas()
    X = data.exog.to_numpy(copy=True)
    X[:, 2] = np.log(X[:, 2])
    return np.column_stack([X, X[:, 2] * X[:, 1]]), data.endog.to_numpy()


def fair():
    data = sm.datasets.fair.load_pandas()
    return data.exog[["rate_marriage", "age", "yrs_married"]].to_numpy(), data.endog.to_numpy()


def of_results(results):
    """The rows that statsmodels keeps with some results; the last column is one."""
    return np.asarray(results.exog)[:, :-1], np.asarray(results.endog, dtype=float)


def two_columns():
    data = sm.datasets.cpunish.load_pandas()
    return data.exog[POISSON_COLUMNS].to_numpy(), data.endog.to_numpy()


WITHOUT = {"fit_intercept": False}
# Results, the rows, the model, and relative tolerances of parameters and standard errors: the
# digits that were printed, or those at which R and Stata stopped where the link is not canonical.
CASES = {
    "star98": (published.Star98, star98, Glm("binomial"), 1e-7, 1e-5),
    "lbw": (published.Lbw, None, Glm("binomial"), 1e-6, 5e-5),
    "scotvote": (published.Scotvote, scotland, Glm("gamma", link="inverse"), 1e-5, 1e-5),
    "cancer, log": (published.CancerLog, None, Glm("gamma"), 1e-4, 1e-6),
    "cancer, identity": (
        published.CancerIdentity,
        None,
        Glm("gamma", link="identity"),
        1e-4,
        1e-4,
    ),
    "cpunish": (published.Cpunish, lambda: cpunish(logarithm=True), Glm("poisson"), 1e-6, 1e-5),
    "medpar, log": (published.InvGaussLog, None, Glm("inverse_gaussian"), 1e-4, 1e-4),
    "medpar, identity": (
        published.InvGaussIdentity,
        None,
        Glm("inverse_gaussian", link="identity"),
        2e-4,
        2e-4,
    ),
    "committee": (
        published.Committee,
        committee,
        Glm("negative_binomial", dispersion="pearson"),
        5e-4,
        1e-4,
    ),
    "tweedie 1.5, identity": (
        published.CpunishTweediePower15,
        two_columns,
        Glm("tweedie", power=1.5, link="identity", **WITHOUT),
        1e-4,
        1e-4,
    ),
    "tweedie 2, identity": (
        published.CpunishTweediePower2,
        two_columns,
        Glm("tweedie", power=2.0, link="identity", **WITHOUT),
        1e-4,
        1e-4,
    ),
    "tweedie 1, log": (
        published.CpunishTweedieLog1,
        two_columns,
        Glm("tweedie", power=1.0, **WITHOUT),
        1e-6,
        1e-6,
    ),
    "tweedie 1.5, log": (
        published.FairTweedieLog15,
        fair,
        Glm("tweedie", power=1.5, **WITHOUT),
        5e-5,
        1e-4,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_published(name):
    results, rows, model, of_params, of_errors = CASES[name]
    wanted = results()
    X, y, *trials = of_results(wanted) if rows is None else rows()
    model.fit(X, y, *trials)
    assert model.status_ == "converged"
    np.testing.assert_allclose(model.params_, wanted.params, rtol=of_params)
    expected = model.covariance(X, y, *trials, kind="expected")
    np.testing.assert_allclose(np.sqrt(np.diag(expected)), wanted.bse, rtol=of_errors)
    # A deviance is stationary at the maximum: as many digits as were printed, and never larger.
    np.testing.assert_allclose(model.deviance_, wanted.deviance, rtol=1e-6)
    printed = 10.0 ** -max(len(repr(wanted.deviance).partition(".")[2]), 1)
    assert model.deviance_ <= wanted.deviance * (1 + 1e-12) + printed
    if hasattr(wanted, "scale"):
        np.testing.assert_allclose(model.dispersion_, wanted.scale, rtol=5e-5)
    if name in ("star98", "lbw", "cpunish"):
        np.testing.assert_allclose(model.log_likelihood_, wanted.llf, rtol=1e-8)
