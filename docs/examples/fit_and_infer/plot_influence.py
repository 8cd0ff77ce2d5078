"""
Find the rows that change a fit most
====================================

One unusual row can move a whole fit. Cook's distance measures how far. This example finds such
rows in the prestige of 45 occupations, and fits again without them.
"""

import pandas as pd

from mcmodels import LinearRegression, compare
from mcmodels.plots import InfluenceDisplay

jobs = pd.read_csv("../../../datasets/duncan.csv", index_col="occupation")
X, prestige = jobs[["income", "education"]], jobs["prestige"]
model = LinearRegression().fit(X, prestige)
InfluenceDisplay.from_estimator(model, X, prestige)

# %%
# The minister and the conductor stand out. The table says why: ``dfbetas_income`` is the change
# of the coefficient of income without the row, in standard errors.

measures = model.influence(X, prestige)
shown = ["leverage", "cooks_distance", "dfbetas_income", "dfbetas_education"]
print(measures[shown].nlargest(3, "cooks_distance").round(2))

# %%
# Both pull the coefficients in the same direction. Without them, income counts more and education
# less.

kept = jobs.index.difference(["minister", "conductor"], sort=False)
without = LinearRegression().fit(X.loc[kept], prestige[kept])
print(compare(model, without, names=["all rows", "without two"]))

# %%
# Another measure has a picture, too.

InfluenceDisplay.from_estimator(model, X, prestige, measure="dfbetas_income")

# %%
# The bars below zero are rows without which the coefficient of income would be larger.

assert set(measures["cooks_distance"].nlargest(2).index) == {"minister", "conductor"}
assert without.coef_[0] > model.coef_[0]
assert without.coef_[1] < model.coef_[1]

# %%
# More on this: :doc:`/inference`.
