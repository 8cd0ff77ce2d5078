"""
Let the data choose the penalties
=================================

A penalty keeps coefficients small, and a good one predicts new rows better. ``C="evidence"``
chooses it: by the marginal likelihood of the data, with its exact derivative, so that no grid and
no folds are needed. Here are 13 columns of a spline for age on the Titanic, which get a penalty of
their own.
"""

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

from mcmodels import LogisticRegression
from mcmodels.plots import EffectDisplay, PenaltyCurveDisplay

passengers = pd.read_csv("../../../datasets/titanic_survival.csv").sample(frac=1, random_state=0)
X, survived = passengers.drop(columns="survived"), passengers["survived"]
spline = make_column_transformer(
    (SplineTransformer(n_knots=12, include_bias=False), ["age"]),
    remainder="passthrough",
    verbose_feature_names_out=False,
)
model = LogisticRegression(C="evidence", penalty_groups={"age": range(13)})
tuned = make_pipeline(spline, model).fit(X, survived)
chosen = tuned[-1]
print({name: round(value, 2) for name, value in chosen.C_.items()})
print(f"effective degrees of freedom: {chosen.effective_freedom_:.1f} of 17")

# %%
# The criterion along each penalty, the other held. Ticks at the bottom are what the search tried.

PenaltyCurveDisplay.from_estimator(tuned, X, survived)

# %%
# Both are at the bottom of their curves. Of 13 columns for age, this penalty leaves about seven
# degrees of freedom: the dashed line falls to four, which are those of the other columns, where C
# is small. The derivatives are zero:

slopes = chosen.criterion_gradient_
print("derivatives by log C:", {name: round(slope, 4) for name, slope in slopes.items()})
print("values that were tried:", len(chosen.criterion_path_))
assert max(abs(slope) for slope in slopes.values()) < 0.01

# %%
# The effect of age with these penalties.

EffectDisplay.from_estimator(tuned, X, variable="age", by="sexmale")

# %%
# Does it help for new rows? The mean log score by five folds, with hardly any penalty, and with the
# chosen ones:

free = make_pipeline(spline, LogisticRegression(C=1e4))
fixed = make_pipeline(spline, LogisticRegression(C=chosen.C_, penalty_groups=model.penalty_groups))
for name, one in (("hardly any", free), ("chosen", fixed)):
    score = cross_val_score(one, X, survived, cv=5, scoring="neg_log_loss").mean()
    print(f"{name:10} {score:.4f}")

# %%
# More on this: :doc:`/tuning`.
