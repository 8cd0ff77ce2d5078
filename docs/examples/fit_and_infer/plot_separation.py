"""
Understand an infinite coefficient
==================================

Sometimes a column separates the classes: then the likelihood grows for ever, and the coefficient
has no estimate. A program that returns a large number hides it. This example finds the separation
in data on cancer of the endometrium, and shows it.
"""

import textwrap
import warnings

import numpy as np
import pandas as pd

from mcmodels import LogisticRegression
from mcmodels.plots import SeparationDisplay

patients = pd.read_csv("../../../datasets/endometrial.csv")
X, high = patients[["NV", "PI", "EH"]], patients["HG"]

with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    model = LogisticRegression(C=np.inf).fit(X, high)

print(type(said[0].message).__name__)
print(textwrap.fill(str(said[0].message), 90))
print("status:", model.status_)

# %%
# The table shows why: no patient with ``NV = 1`` has a low grade.

print(pd.crosstab(patients["NV"], patients["HG"]))

# %%
SeparationDisplay.from_estimator(model, X, high)

# %%
# The lower panel has the direction that separates: the column ``NV`` alone. The upper panel has
# each row along this direction. Rows with ``NV = 1`` are all of grade 1; the others rest at zero.
# The other two coefficients have estimates, given that of ``NV``.
#
# The likelihood along the direction rises, and comes near to a limit that it never reaches:

direction = np.array([1.0, 0.0, 0.0, 0.0])  # NV, PI, EH, intercept
start = LogisticRegression(C=np.inf).fit(X[["PI", "EH"]], high).params_
start = np.r_[0.0, start]
heights = [-model.objective(X, high, start + t * direction) for t in range(0, 31, 5)]
print(np.round(heights, 4))
assert np.all(np.diff(heights) > 0)

# %%
# More on this: :doc:`/firth`.
