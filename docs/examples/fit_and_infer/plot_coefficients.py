"""
Show the coefficients of two models side by side
================================================

A coefficient says how much a column counts. Its interval says how well the data know it. This
example fits two logistic models of survival on the Titanic, and draws the odds ratios of both.
"""

import numpy as np
import pandas as pd

from mcmodels import LogisticRegression, compare
from mcmodels.plots import CoefficientDisplay

passengers = pd.read_csv("../../../datasets/titanic_survival.csv")
X, survived = passengers.drop(columns="survived"), passengers["survived"]

small = LogisticRegression(C=np.inf).fit(X[["sexmale", "age"]], survived)
large = LogisticRegression(C=np.inf).fit(X, survived)

# %%
# ``C=np.inf`` means: no penalty. The numbers are the logarithms of the odds ratios, with their
# standard errors.

print(compare(small, large, names=["sex and age", "with class"]))

# %%
# ``exponentiate=True`` shows the odds ratios themselves, with intervals of 95 %. A ratio of one
# means that the column does not count.

CoefficientDisplay.from_estimator(
    [small, large], exponentiate=True, labels=["sex and age", "with class"]
)

# %%
# With the class of the ticket in the model, the ratio of age moves away from one: a year more
# lowers the odds by more than three percent. The ratio of sex hardly moves.

age_small, age_large = np.exp(small.coef_[0, 1]), np.exp(large.coef_[0, 1])
print(f"odds ratio of a year of age: {age_small:.3f} without the class, {age_large:.3f} with it")
assert age_large < 0.97 < age_small < 1

# %%
# More on this: :doc:`/publishing`.
