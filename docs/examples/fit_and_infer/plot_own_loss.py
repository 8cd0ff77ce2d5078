"""
Fit a loss of your own
======================

Squared errors give an outlier much weight. The pseudo-Huber loss does not. You write the loss as
a formula in ``y`` and the linear predictor ``eta``; its derivatives are found for you. The data
are expenditures on schools in the United States, a row for each state.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone

from mcmodels import LinearRegression, ObjectiveRegressor

states = pd.read_csv("../../../datasets/public_schools.csv", index_col="state").dropna()
X, y = states[["Income"]] / 1000, states["Expenditure"] / 100

squares = LinearRegression().fit(X, y)
huber = ObjectiveRegressor("sqrt(1 + ((y - eta)/0.3)**2)").fit(X, y)
print(f"slopes: squared errors {squares.coef_[0]:.3f}, pseudo-Huber {huber.coef_[0]:.3f}")

# %%
# The loss is no likelihood, so that standard errors are robust ones, and need the rows.

print(huber.summary(X, y, kind="HC0").to_frame().iloc[:, :2].round(3))

# %%
grid = pd.DataFrame({"Income": np.linspace(X["Income"].min(), X["Income"].max(), 50)})
figure, ax = plt.subplots()
ax.plot(X["Income"], y, "o", color="0.6", markersize=4)
ax.annotate(
    "Alaska",
    (X["Income"]["Alaska"], y["Alaska"]),
    (-8, -3),
    "data",
    textcoords="offset points",
    ha="right",
)
ax.plot(grid["Income"], squares.predict(grid), label="squared errors")
ax.plot(grid["Income"], huber.predict(grid), "--", label="pseudo-Huber")
ax.set(xlabel="income a head (1000 dollars)", ylabel="expenditure a head (100 dollars)")
ax.legend()

# %%
# Alaska pulls the line of the squared errors upwards. Without Alaska its slope falls three times as
# much as that of the pseudo-Huber loss.

rest = states.index != "Alaska"
falls = {}
for name, model in (("squared errors", squares), ("pseudo-Huber", huber)):
    falls[name] = model.coef_[0] - clone(model).fit(X[rest], y[rest]).coef_[0]
    print(f"{name}: without Alaska the slope falls by {falls[name]:.3f}")
assert falls["squared errors"] > 2.9 * falls["pseudo-Huber"]

# %%
# A loss may also be a NumPy function of two arrays. The fit is the same.


def loss(y, eta):
    return np.sqrt(1 + ((y - eta) / 0.3) ** 2)


again = ObjectiveRegressor(loss).fit(X, y)
assert np.allclose(again.params_, huber.params_)

# %%
# More on this: :doc:`/own_objectives`.
