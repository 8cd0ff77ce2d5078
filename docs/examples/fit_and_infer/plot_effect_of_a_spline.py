"""
Show the effect of a variable that enters by a spline
=====================================================

A spline lets an effect be a curve. Its coefficients mean nothing to a reader, but the curve does.
This example draws the probability to survive the Titanic against age, for women and men.
"""

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

from mcmodels import LogisticRegression, results
from mcmodels.plots import EffectDisplay

passengers = pd.read_csv("../../../datasets/titanic_survival.csv")
X, survived = passengers.drop(columns="survived"), passengers["survived"]

spline = make_column_transformer(
    (SplineTransformer(n_knots=4, include_bias=False), ["age"]),
    remainder="passthrough",
)
model = make_pipeline(spline, LogisticRegression(C=np.inf)).fit(X, survived)

# %%
# ``EffectDisplay`` takes the variable as you know it, before the pipeline makes columns of it.

EffectDisplay.from_estimator(model, X, variable="age", by="sexmale")

# %%
# Men have ``sexmale = 1``. Both curves fall for children, and hardly change from 20 to 50. The
# bands are wide at the right end, where there are few passengers: the ticks at the bottom. So the
# rise there says nothing.
#
# The slopes at three ages, as a table. They are averages over the passengers.

slopes = results(model).marginal_effects(X, "age", at={"age": [5, 30, 60]})
print(slopes[["estimate", "standard_error", "p_value"]].round(4))

# %%
# At 5 years a year costs more than two percent of probability. At 30 and at 60 the slope is not
# told from zero.

assert slopes["estimate"].iloc[0] < -0.02
assert (slopes["p_value"].iloc[1:] > 0.05).all()

# %%
# More on this: :doc:`/effects`.
