"""
Get finite estimates from separated classes
===========================================

Where a column separates the classes, maximum likelihood has no estimate. Firth's method adds a
small prior, Jeffreys', which needs no number from you. Its estimates are finite. This example has
79 patients, and one column that separates.
"""

import warnings

import numpy as np
import pandas as pd

from mcmodels import FirthLogisticRegression, LogisticRegression
from mcmodels.plots import ProfileDisplay

patients = pd.read_csv("../../../datasets/endometrial.csv")
X, high = patients[["NV", "PI", "EH"]], patients["HG"]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the separation is what this example is about
    likelihood = LogisticRegression(C=np.inf).fit(X, high)
firth = FirthLogisticRegression().fit(X, high)

print("maximum likelihood:", likelihood.status_)
print("Firth:             ", firth.coef_.round(3))

# %%
# Intervals by the profile of the penalised likelihood suit small data best. Zero is not in that
# of ``NV``, although its coefficient could not be estimated before.

profile = firth.profile_intervals(X, high)
print(profile.round(3))

# %%
ProfileDisplay.from_estimator(firth, X, high, parameter="NV")

# %%
# The profile is far from a parabola: it is steep towards zero and flat towards large values.
# Wald's interval does not see this, and contains values below zero.

wald = firth.confidence_intervals().loc["NV"]
print(f"Wald's interval of NV: {wald['lower']:.2f} to {wald['upper']:.2f}")
assert wald["lower"] < 0 < profile.loc["NV", "lower"]

# %%
# More on this: :doc:`/firth`.
