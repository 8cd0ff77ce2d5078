"""
Model ordered answers with a loss of your own
=============================================

Low, medium, high: such answers have an order, but no distances. One linear predictor and two
thresholds model them. The thresholds are parameters of the loss, and are estimated with the
coefficients. 1681 tenants said how content they are with their housing.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import ObjectiveRegressor

table = pd.read_csv("../../../datasets/housing.csv")
answers = ["Low", "Medium", "High"]
y = table["Sat"].map(answers.index)
X = pd.get_dummies(table[["Infl", "Type", "Cont"]], dtype=float)
X = X.drop(columns=["Infl_Low", "Type_Tower", "Cont_Low"])  # what the others are compared with
count = table["Freq"]

# %%
# The probability of an answer up to k is ``σ(cuts[k] − eta)``. The loss is minus the logarithm of
# the probability of the answer, a difference of two of these.


def ordered(y, eta, cuts):
    up_to = 1 / (1 + np.exp(-np.stack([cuts[0] - eta, cuts[1] - eta])))
    probability = np.where(y == 0, up_to[0], np.where(y == 1, up_to[1] - up_to[0], 1 - up_to[1]))
    return -np.log(probability)


model = ObjectiveRegressor(
    ordered, auxiliary={"cuts": [-0.5, 0.5]}, fit_intercept=False, log_likelihood=True
).fit(X, y, count)
print(model.summary().to_frame()[["coefficient", "standard_error", "p_value"]].round(3))

# %%
# Probabilities of the answers by the influence that tenants have on their housing, of those in
# apartments with few contacts.

cuts, figure = model.auxiliary_["cuts"], plt.figure(figsize=(6.4, 3.2))
kinds = ["Low", "Medium", "High"]
new = pd.DataFrame(0.0, index=kinds, columns=X.columns)
new["Type_Apartment"] = 1.0
new.loc["Medium", "Infl_Medium"] = new.loc["High", "Infl_High"] = 1.0
eta = model.predict(new)
below = 1 / (1 + np.exp(-(cuts[None, :] - eta[:, None])))
shares = np.diff(np.column_stack([np.zeros(3), below, np.ones(3)]), axis=1)
left = np.zeros(3)
for share, answer, colour in zip(shares.T, answers, ("C1", "0.8", "C0"), strict=True):
    plt.barh(kinds, share, left=left, color=colour, label=answer)
    left += share
plt.xlabel("probability")
plt.ylabel("influence")
plt.legend(title="satisfaction", loc="center left", bbox_to_anchor=(1, 0.5))

# %%
# Those with high influence are the most content. The coefficient is a log-odds: they have more than
# three times the odds to be above any threshold.

ratio = np.exp(model.params_[X.columns.get_loc("Infl_High")])
print(f"odds ratio of high against low influence: {ratio:.2f}")
assert ratio > 3

# %%
# More on this: :doc:`/own_objectives`.
