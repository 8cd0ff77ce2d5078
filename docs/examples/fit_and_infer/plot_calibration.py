"""
Check whether predicted probabilities are right
===============================================

A classifier that says 0.7 should be right in 70 of 100 cases. Calibration compares predicted
probabilities with observed rates, on rows that the model has not seen. Half of the passengers of
the Titanic predict the other half here.
"""

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from mcmodels import LogisticRegression
from mcmodels.plots import CalibrationDisplay

passengers = pd.read_csv("../../../datasets/titanic_survival.csv")
passengers = passengers.sample(frac=1, random_state=0)
X, survived = passengers.drop(columns="survived"), passengers["survived"]
seen, new = slice(None, None, 2), slice(1, None, 2)

model = LogisticRegression(C=np.inf).fit(X[seen], survived[seen])
straight = CalibrationDisplay.from_estimator(model, X[new], survived[new])
straight

# %%
# Points on the line are right. The bars are intervals for the observed rates. The model adds up
# the effects of sex, class and age. Let them depend on each other:

products = PolynomialFeatures(2, interaction_only=True, include_bias=False)
crossed = make_pipeline(products, LogisticRegression(C=1.0)).fit(X[seen], survived[seen])
bent = CalibrationDisplay.from_estimator(crossed, X[new], survived[new])
bent

# %%
# The second picture is nearer to the line. The table of a display has its numbers.

distance = [abs(one.table["observed"] - one.table["predicted"]).mean() for one in (straight, bent)]
print(f"mean distance from the line: {distance[0]:.3f} and {distance[1]:.3f}")


# %%
# The mean log-likelihood of the new rows is larger, too: the probabilities are better.


def log_score(fitted):
    p = fitted.predict_proba(X[new])
    return np.log(p[np.arange(len(p)), survived[new]]).mean()


print(f"mean log score without products {log_score(model):.3f}, with them {log_score(crossed):.3f}")
assert log_score(crossed) > log_score(model)
assert distance[1] < distance[0]

# %%
# More on this: :doc:`/gallery`.
