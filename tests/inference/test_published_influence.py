"""Influence of rows against figures of R (linear fits) and SAS (logistic ones)."""

import json
import os

import numpy as np
import pandas as pd
import pytest
import statsmodels
import statsmodels.api as sm

from mcmodels import GeneralizedLinearRegressor, LinearRegression, LogisticRegression
from tests.inference.published import agree

RESULTS = f"{os.path.dirname(statsmodels.__file__)}/stats/tests/results"


def test_linear_influence_in_r():
    """R's ls.diag and influence.measures of 202 quarters, as statsmodels ships them."""
    rows = sm.datasets.macrodata.load_pandas().data
    X = pd.DataFrame(
        {"growth": 400 * np.log(rows["realgdp"]).diff(), "lint": rows["realint"].shift()}
    ).iloc[1:]
    y = (400 * np.log(rows["realinv"]).diff()).iloc[1:]
    model = LinearRegression().fit(X, y)
    table = model.influence(X, y)
    with open(f"{RESULTS}/influence_lsdiag_R.json") as file:
        printed = json.load(file)
    outliers = model.outlier_test(X, y).table["studentized_residual"]
    # R's numbers have 12 to 15 digits; residuals are differences of numbers 100 times as large.
    close = {"rtol": 1e-10, "atol": 1e-12}
    for ours, theirs in (
        (table["leverage"], "hat"),
        (table["standardized_residual"], "std.res"),
        (table["studentized_residual"], "stud.res"),
        (outliers, "stud.res"),
        (table["cooks_distance"], "cooks"),
        (table["dffits"], "dfits"),
    ):
        np.testing.assert_allclose(ours, printed[theirs], **close, err_msg=theirs)
    measures = pd.read_csv(f"{RESULTS}/influence_measures_R.csv", index_col=0)
    found = table[["dfbetas_(intercept)", "dfbetas_growth", "dfbetas_lint"]]
    np.testing.assert_allclose(found, measures.iloc[:, :3], **close)


@pytest.mark.parametrize(
    "model",
    [LogisticRegression(C=np.inf, tol=1e-10), GeneralizedLinearRegressor("binomial", tol=1e-10)],
)
def test_logistic_influence_in_sas(model):
    """PROC LOGISTIC, influence: Finney's 39 rows of Pregibon (1981), as statsmodels ships them."""
    rows = pd.read_csv(f"{RESULTS}/binary_constrict.csv", index_col=0)
    X, y = rows[["log_rate", "log_volumne"]], rows["constrict"]
    table = model.fit(X, y).influence(X, y)
    printed = pd.read_csv(f"{RESULTS}/results_influence_logit.csv", index_col=0, dtype=str)
    pearson = table["standardized_residual"] ** 2
    for ours, theirs in (
        (table["pearson_residual"], "resid_pearson"),
        (table["deviance_residual"], "resid_deviance"),
        (table["leverage"], "hat_matrix_diagonal"),
        (table["dfbetas_(intercept)"], "dfb_intercept"),
        (table["dfbetas_log_rate"], "dfb_lograte"),
        (table["dfbetas_log_volumne"], "dfb_logvolumne"),
        (3 * table["cooks_distance"], "Cooks C"),  # C is not divided by the 3 parameters
        (3 * table["cooks_distance"] * (1 - table["leverage"]), "Cooks Cbar"),
        (pearson, "d_pearson_chi2"),
    ):
        agree(ours, " ".join(printed[theirs]))
