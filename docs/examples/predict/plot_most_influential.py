"""
Find how few rows would overturn a finding
==========================================

A significant coefficient may rest on a handful of rows. ``most_influential`` looks for the
smallest set of rows without which the finding is gone, and confirms it by a fit. The finding here
is that boys were absent from school more often than girls.
"""

import matplotlib.pyplot as plt
import pandas as pd

from mcmodels import GeneralizedLinearRegressor, most_influential
from mcmodels.plots import CoefficientDisplay

school = pd.read_csv("../../../datasets/quine.csv")
days = school["Days"]
X = pd.get_dummies(school.drop(columns="Days"), drop_first=True).astype(float)
model = GeneralizedLinearRegressor("poisson").fit(X, days)
found = most_influential(model, X, days, of="Sex_M", change="significance")
print(found)

# %%
# Two of 146 children are enough. Who are they?

print(school.loc[found.rows])

# %%
CoefficientDisplay.from_estimator([model, found.model], labels=["all children", "without two"])

# %%
# Without the two the interval of ``Sex_M`` contains zero. Other coefficients move, too, but all
# keep their signs.
#
# That does not make the finding wrong. But it says that the answer rests on two children, who were
# absent for many days.

figure, ax = plt.subplots(figsize=(6.4, 3))
ax.hist(days[school["Sex"] == "M"], bins=range(0, 90, 3), alpha=0.6, label="boys")
ax.hist(days[school["Sex"] == "F"], bins=range(0, 90, 3), alpha=0.6, label="girls")
ax.plot(days[found.rows], [0.5] * len(found.rows), "kX", markersize=9, label="the two")
ax.set(xlabel="days absent", ylabel="children")
ax.legend()
assert len(found.rows) == 2
assert (model.coef_ * found.model.coef_ > 0).all()
assert days[found.rows].min() > 50

# %%
# More on this: :doc:`/attribution`.
