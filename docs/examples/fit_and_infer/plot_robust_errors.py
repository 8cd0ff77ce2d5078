"""
Choose standard errors that fit the data
========================================

The usual standard errors assume that all rows have the same noise, and that no row tells of
another. Robust errors drop the first assumption, clustered errors both. This example has deaths
on the road in the states of the United States, one row a state and year.
"""

import pandas as pd

from mcmodels import LinearRegression, results
from mcmodels.plots import CoefficientDisplay

deaths = pd.read_csv("../../../datasets/mv_deaths.csv").dropna()
X, rate = deaths[["beertaxa", "beerpercap", "winepercap"]], deaths["rate"]
model = LinearRegression().fit(X, rate)

# %%
# One fit, three covariances. The coefficients are the same, only their errors differ. Years of a
# state are alike, so that 1361 rows hold much less information than 1361 states would.

plain = results(model)
unequal = plain.with_covariance(X, rate, kind="HC3")
clustered = plain.with_covariance(X, rate, kind="cluster", groups=deaths["state"])

CoefficientDisplay.from_estimator(
    [plain, unequal, clustered],
    labels=["equal noise", "unequal noise (HC3)", "clusters of states"],
)

# %%
# The intervals by clusters are several times as wide. They are those to report here.

errors = pd.DataFrame(
    {
        "plain": model.standard_errors_,
        "HC3": model.summary(X, rate, kind="HC3").to_frame()["standard_error"].to_numpy(),
        "cluster": model.summary(X, rate, kind="cluster", groups=deaths["state"])
        .to_frame()["standard_error"]
        .to_numpy(),
    },
    index=[*X.columns, "(intercept)"],
)
print(errors.round(2))
assert (errors["cluster"] > 2 * errors["plain"]).all()

# %%
# More on this: :doc:`/inference`.
