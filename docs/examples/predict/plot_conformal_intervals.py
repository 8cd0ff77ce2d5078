"""
Get prediction intervals that hold for any distribution
=======================================================

Intervals by a model are right if the model is. Conformal intervals cover also if it is wrong. They
are made of the predictions of rows that were left out. Days absent from school vary far more than
Poisson counts, and show the difference.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import GeneralizedLinearRegressor, leave_one_out

school = pd.read_csv("../../../datasets/quine.csv").sample(frac=1, random_state=0)
days = school.pop("Days").to_numpy()
X = pd.get_dummies(school, drop_first=True, dtype=float)
seen, new = slice(0, 100), slice(100, None)

model = GeneralizedLinearRegressor("poisson").fit(X[seen], days[seen])
by_model = model.predict_interval(X[new], level=0.9, kind="observation")
rows = leave_one_out(model, X[seen], days[seen])
conformal = rows.predict_interval(X[new], level=0.9)

# %%
# Both ask for 90 %. How many of the 46 new children are inside?


def coverage(found):
    return float(np.mean((found["lower"] <= days[new]) & (days[new] <= found["upper"])))


print(f"by the Poisson model {coverage(by_model):.2f}, conformal {coverage(conformal):.2f}")

# %%
order = np.argsort(by_model["prediction"].to_numpy(), kind="stable")
place = np.arange(len(order))
figure, panels = plt.subplots(1, 2, figsize=(7.2, 3.4), sharey=True)
for ax, found, name in zip(
    panels, (by_model, conformal), ("by the model", "conformal"), strict=True
):
    sorted_rows = found.iloc[order]
    ax.vlines(place, sorted_rows["lower"], sorted_rows["upper"], color="C5", linewidth=3)
    observed = days[new][order]
    inside = ((sorted_rows["lower"] <= observed) & (observed <= sorted_rows["upper"])).to_numpy()
    ax.plot(place[inside], observed[inside], "ko", markersize=3, label="inside")
    ax.plot(place[~inside], observed[~inside], "X", color="C1", markersize=6, label="outside")
    ax.set(title=name, xlabel="children, by predicted days")
panels[0].set(ylabel="days absent")
panels[0].legend(loc="upper left")

# %%
# The model's bars miss most children. The conformal ones are long, as they must be; they are
# longer where more days are expected.
#
# The share of 46 children depends on chance. So the same again, with twenty random halves:

shares = []
for seed in range(20):
    order = np.random.default_rng(seed).permutation(len(days))
    seen, new = order[:73], order[73:]
    model = GeneralizedLinearRegressor("poisson").fit(X.iloc[seen], days[seen])
    rows = leave_one_out(model, X.iloc[seen], days[seen])
    shares.append(coverage(rows.predict_interval(X.iloc[new], level=0.9)))
print(f"mean share inside of conformal intervals: {np.mean(shares):.3f}")
assert abs(np.mean(shares) - 0.9) < 0.03

# %%
# More on this: :doc:`/conformal`.
