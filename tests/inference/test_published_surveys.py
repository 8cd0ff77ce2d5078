"""Samples of clusters with sampling weights against figures of R's survey package."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mcmodels import GeneralizedLinearRegressor, LinearRegression, LogisticRegression
from tests.inference.published import agree, data, indicators


def errors(model, X, y, w, clusters, *, population=np.inf):
    """Standard errors of svyglm: ``G/(G-1)``, and in finite populations ``1 - G/population``."""
    G = clusters.nunique()
    options = {"kind": "cluster", "groups": clusters, "use_correction": False}
    factor = np.sqrt(G / (G - 1) * (1 - G / population))
    return model.summary(X, y, w, **options).to_frame()["standard_error"] * factor


def test_districts_of_schools():
    """survey 4.5, vignette survey.pdf (2026-02-24), p. 4: 15 of 757 districts."""
    schools = data("apiclus1")
    X, w, y = schools[["ell", "meals"]], schools["pw"], schools["api00"]
    model = LinearRegression(weights="probability").fit(X, y, w)
    agree(model.params_, "-0.5088 -3.1456 817.1823")
    found = errors(model, X, y, w, schools["dnum"], population=757)
    agree(found, "0.3259 0.3018 18.6709")
    t = model.params_ / found
    agree(t, "-1.561 -10.423 43.768")
    # Its degrees of freedom are G - P.
    agree(2 * stats.t.sf(np.abs(t), 15 - 3), "0.144 2.29e-07 1.32e-14")


def test_means_and_ratios_of_schools():
    """The same vignette, pp. 2–4: svymean, svyby and svyratio, which are weighted fits, too."""
    schools = data("apiclus1")
    w, districts = schools["pw"], schools["dnum"]
    model = LinearRegression(weights="probability", fit_intercept=False)

    def fitted(X, target, weights):
        model.fit(X, schools[target], weights)
        found = errors(model, X, schools[target], weights, districts, population=757)
        return np.column_stack([model.params_, found])

    types = indicators(schools["stype"], "EHM")
    agree(fitted(types, "ell", w), "29.69444 1.411617 15.00000 5.347065 22.68000 2.952862")
    agree(fitted(types, "meals", w), "53.09028 7.070399 37.57143 5.912262 43.08000 6.017110")
    one = pd.DataFrame({"one": np.ones(len(schools))})
    agree(fitted(one, "api00", w), "644.17 23.542")
    # A ratio of totals is a slope through zero with the weights w/x.
    agree(fitted(schools[["enroll"]], "api_stu", w / schools["enroll"]), "0.8497087 0.008386297")


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(C=np.inf, weights="probability", tol=1e-10),
        GeneralizedLinearRegressor("binomial", weights="probability", tol=1e-10),
    ],
)
def test_districts_whose_schools_reached_their_target(model):
    """The same page: svyglm(I(sch.wide == "Yes") ~ ell + meals, family = quasibinomial())."""
    schools = data("apiclus1")
    X, w, y = schools[["ell", "meals"]], schools["pw"], (schools["sch_wide"] == "Yes").astype(int)
    model.fit(X, y, w)
    agree(model.params_, "0.039925 -0.019115 1.899557")
    found = errors(model, X, y, w, schools["dnum"], population=757)
    agree(found, "0.012443 0.008825 0.509915")


def test_two_stages_with_replacement():
    """r-survey.r-forge.r-project.org, example-regression: dclus2, unequal weights, 40 districts.

    The variance of a sample in stages, with replacement, is that of its first stage.
    """
    schools = data("apiclus2")
    w, y, districts = schools["pw"], schools["api00"], schools["dnum"]
    X = schools[["ell", "meals", "mobility"]]
    model = LinearRegression(weights="probability").fit(X, y, w)
    agree(model.params_, "-2.0592 -1.7772 0.3253 811.4907")
    agree(errors(model, X, y, w, districts), "1.4075 1.1053 0.5305 30.8795")
    X = indicators(schools["stype"], "EHM")
    model = LinearRegression(weights="probability", fit_intercept=False).fit(X, y, w)
    agree(model.params_, "692.81 598.34 642.35")
    agree(errors(model, X, y, w, districts), "30.28 16.96 45.34")
