"""Leave-one-out of real data sets against fits without each row."""

import numpy as np
import pandas as pd
import pytest

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    LogisticRegression,
    leave_one_out,
)
from tests.certified import DATASETS
from tests.resampling.brute_force import judged_without

GLM, TIGHT = GeneralizedLinearRegressor, {"tol": 1e-12}
# Model, target, features (levels become columns), column of the trials.
CASES = {
    "mtcars": (LinearRegression(), "mpg", ["cyl", "disp", "hp", "wt", "qsec"], None),
    "longley": (LinearRegression(), "y", ["x1", "x2", "x3", "x4", "x5", "x6"], None),
    "duncan": (LinearRegression(), "prestige", ["type", "income", "education"], None),
    "auto_noise": (GLM(alpha=0.5), "noise", ["size", "type", "side"], None),
    "mtcars, am": (LogisticRegression(), "am", ["wt", "hp"], None),
    "admissions": (LogisticRegression(C=np.inf), "admit", ["gre", "gpa", "rank"], None),
    "endometrial": (LogisticRegression(), "HG", ["NV", "PI", "EH"], None),
    "iris": (LogisticRegression(), "Species", ["Sepal.Width", "Petal.Width"], None),
    "womenlf": (LogisticRegression(C=np.inf), "partic", ["hincome", "children"], None),
    "penguins": (LogisticRegression(C=0.1), "island", ["species", "flipper_length_mm"], None),
    "quine": (GLM("poisson"), "Days", ["Eth", "Sex", "Age", "Lrn"], None),
    "quine, θ": (
        GLM("negative_binomial", theta=0.78),
        "Days",
        ["Eth", "Sex", "Age", "Lrn"],
        None,
    ),
    "menarche": (GLM("binomial"), "share", ["Age"], "Total"),
    "pigs": (GLM("gamma"), "conc", ["source", "percent"], None),
}


def problem(name):
    model, target, features, trials = CASES[name]
    table = pd.read_csv(DATASETS / f"{name.partition(',')[0]}.csv")
    if name == "menarche":
        table["share"] = table["Menarche"] / table["Total"]
    X = pd.get_dummies(table[features], drop_first=True).to_numpy(dtype=float)
    y = table[target].to_numpy()
    if y.dtype.kind not in "if":
        y = y.astype(str)
    weights = None if trials is None else table[trials].to_numpy(dtype=float)
    if hasattr(model, "tol"):
        model = type(model)(**(model.get_params() | TIGHT))
    return model, X, y, weights


@pytest.mark.parametrize("name", CASES)
def test_every_score_is_that_of_a_fit_without_the_row(name):
    model, X, y, weights = problem(name)
    model.fit(X, y, weights)
    found = leave_one_out(model, X, y, weights, method="exact")
    assert found.error_ == 0.0
    # Of many rows some are fitted again: the others are alike.
    rows = np.random.default_rng(0).choice(len(y), min(len(y), 50), replace=False)
    scores = [judged_without(model, X, y, np.array([row]), weights)[0][0] for row in rows]
    # A longley fit keeps about eleven digits; others have ended at a tolerance.
    assert found.log_scores[rows] == pytest.approx(np.array(scores), rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_approximations_are_within_their_stated_error(name):
    model, X, y, weights = problem(name)
    model.fit(X, y, weights)
    exact = leave_one_out(model, X, y, weights, method="exact")
    for method in ("newton", "second-order"):
        found = leave_one_out(model, X, y, weights, method=method, random_state=0)
        assert abs(found.log_score_ - exact.log_score_) <= found.error_ + 1e-8
