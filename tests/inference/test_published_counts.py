"""Counts against figures of R and Stata: Poisson and negative binomial fits, with robust errors."""

import os

import numpy as np
import pandas as pd
import pytest
import statsmodels
from scipy.special import gammaln
from statsmodels.discrete.tests.results import results_count_robust_cluster as counts

from mcmodels import GeneralizedLinearRegressor
from tests.inference.published import agree, data, same

INSTALLED = os.path.dirname(statsmodels.__file__)
# Stata's iterations end at a change of 1e-6 of the deviance.
STATAS_FIT = 2e-6


def ships(exposed):
    """Accidents of 34 ships; with years of service as exposure, or none."""
    rows = pd.read_csv(f"{INSTALLED}/discrete/tests/results/ships.csv").dropna()
    X, y = rows[["yr_con", "op_75_79"]].astype(float), rows["accident"]
    return X, y, rows["ship"], {"exposure": rows["service"]} if exposed else {}


@pytest.mark.parametrize("exposed", [False, True])
def test_ships_in_stata(exposed):
    """Stata's poisson accident yr_con op_75_79, vce(cluster ship): G/(G-1) alone."""
    X, y, ship, of_rows = ships(exposed)
    model = GeneralizedLinearRegressor("poisson", tol=1e-12).fit(X, y, **of_rows)
    name = "results_poisson_exposure" if exposed else "results_poisson"
    results = getattr(counts, f"{name}_clu")
    np.testing.assert_allclose(model.params_, results.params, rtol=STATAS_FIT)
    options = {"kind": "cluster", "groups": ship, "use_correction": False}
    same(model.covariance(X, y, **options, **of_rows) * 5 / 4, results.cov, STATAS_FIT)
    plain = model.covariance(X, y, kind="HC0", **of_rows)
    same(plain * 34 / 33, getattr(counts, f"{name}_hc1").cov, STATAS_FIT)


def log_densities(params, A, y, offset):
    """Of negative binomial counts; the last parameter is log θ."""
    mean, r = np.exp(A @ params[:-1] + offset), np.exp(-params[-1])
    heads = gammaln(y + r) - gammaln(r) - gammaln(y + 1)
    return heads + r * np.log(r / (r + mean)) + y * np.log(mean / (r + mean))


def derivatives(params, *rows, step=1e-4):
    """Scores of rows and the Hessian of minus their sum, by central differences."""
    moves = step * np.eye(len(params))
    scores = [log_densities(params + e, *rows) - log_densities(params - e, *rows) for e in moves]
    H = np.zeros((len(params), len(params)))
    for i, e in enumerate(moves):
        for j, f in enumerate(moves):
            for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                H[i, j] -= a * b * log_densities(params + a * e + b * f, *rows).sum()
    return np.array(scores).T / (2 * step), H / (4 * step**2)


@pytest.mark.parametrize("exposed", [False, True])
def test_ships_with_an_estimated_theta(exposed):
    """Stata's nbreg, vce(cluster ship): a sandwich of the coefficients and θ together.

    Here θ counts as known in robust covariances, as in R's sandwich of a glm.nb.
    """
    X, y, ship, of_rows = ships(exposed)
    model = GeneralizedLinearRegressor("negative_binomial", theta="estimate", tol=1e-12)
    model.fit(X, y, **of_rows)
    name = "results_negbin_exposure" if exposed else "results_negbin"
    results = getattr(counts, f"{name}_clu")
    params = np.append(model.params_, np.log(model.theta_))
    np.testing.assert_allclose(params, results.params[:4], rtol=STATAS_FIT)
    if exposed:
        same(model.covariance_, counts.results_negbin_exposure_nonrobust.cov[:3, :3], STATAS_FIT)
    offset = np.log(of_rows["exposure"].to_numpy()) if exposed else 0.0
    A = np.column_stack([X, np.ones(len(y))])
    scores, H = derivatives(params, A, y.to_numpy(float), offset)
    totals = np.array([scores[ship == label].sum(axis=0) for label in sorted(set(ship))])
    bread = np.linalg.inv(H)
    # Second differences with this step have errors of 1e-6.
    same(bread @ totals.T @ totals @ bread * 5 / 4, results.cov, 1e-5)
    bread = np.linalg.inv(H[:3, :3])
    expected = bread @ totals[:, :3].T @ totals[:, :3] @ bread
    options = {"kind": "cluster", "groups": ship, "use_correction": False}
    same(model.covariance(X, y, **options, **of_rows), expected, 1e-5)


def test_trips_in_r():
    """R's AER 1.2-15, tests/Ch-Microeconometrics.Rout.save: sandwich of a glm, and glm.nb."""
    X = data("recreation")
    y = X.pop("trips")
    model = GeneralizedLinearRegressor("poisson", tol=1e-10).fit(X, y)
    params = "0.47173 0.41821 -0.11132 0.89817 -0.00343 -0.04254 0.03613 0.26499"
    agree(model.params_, params)
    agree(
        model.standard_errors_,
        "0.01709 0.05719 0.01959 0.07899 0.00312 0.00167 0.00271 0.09372",
    )
    table = model.summary(X, y, kind="HC0").to_frame()
    errors = "0.04885 0.19387 0.05031 0.24691 0.01470 0.01173 0.00939"
    agree(table["standard_error"].iloc[:-1], errors)
    # Its iterations end where the deviance changes by a share of 1e-8, and errors by 2e-5.
    agree(table["standard_error"].iloc[-1], "0.43248", units=1.1)
    agree(table["z"], "9.66 2.16 -2.21 3.64 -0.23 -3.62 3.85 0.61")
    agree(model.log_likelihood_, "-1529")
    # glm.nb has the expected information, in which θ has no cross terms.
    model = GeneralizedLinearRegressor("negative_binomial", theta="estimate", tol=1e-10).fit(X, y)
    agree(
        model.params_,
        "0.72200 0.61214 -0.02606 0.66917 0.04801 -0.09269 0.03884 -1.12194",
    )
    errors = np.sqrt(np.diag(model.covariance(X, y, kind="expected")))
    agree(errors, "0.04012 0.15030 0.04245 0.35302 0.00918 0.00665 0.00775 0.21430")
    agree(model.log_likelihood_, "-825.6")
