"""
Compare two intervals for a coefficient
=======================================

The usual interval, Wald's, is the estimate plus and minus two standard errors. It takes the
log-likelihood for a parabola. In small data it is none, and the profile interval follows its true
shape. This example has 32 cars: has a car a manual gearbox?
"""

import numpy as np
import pandas as pd

from mcmodels import LogisticRegression
from mcmodels.plots import ProfileDisplay

cars = pd.read_csv("../../../datasets/mtcars.csv")
X, manual = cars[["wt", "hp"]], cars["am"]
model = LogisticRegression(C=np.inf).fit(X, manual)

# %%
# The profile holds one coefficient at a value, and fits the others anew. It falls with every step
# away from the estimate. The interval ends where twice the log-likelihood has fallen by 3.84, the
# 95 % quantile of chi-squared with one degree of freedom.

ProfileDisplay.from_estimator(model, X, manual, parameter="wt")

# %%
# The curve is steep on the right and flat on the left, so that the profile interval reaches
# farther to the left than Wald's, and less far to the right.

profile = model.profile_intervals(X, manual).loc["wt"]
wald = model.confidence_intervals().loc["wt"]
print(pd.DataFrame({"profile": profile, "Wald": wald}).round(2))
assert profile["lower"] < wald["lower"]
assert profile["upper"] < wald["upper"]

# %%
# The likelihood at the end of the profile interval can be checked by hand: hold the coefficient
# there as an offset, and fit the other column.

end = float(profile["lower"])
held = LogisticRegression(C=np.inf).fit(X[["hp"]], manual, offset=end * X["wt"])
fall = 2 * (model.log_likelihood_ - held.log_likelihood_)
print(f"twice the fall of the log-likelihood at {end:.2f}: {fall:.3f}")
assert abs(fall - 3.841) < 0.01

# %%
# More on this: :doc:`/inference`.
