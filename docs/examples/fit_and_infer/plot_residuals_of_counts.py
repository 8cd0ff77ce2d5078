"""
Check a model of counts
=======================

Counts are not normal, so that plain residuals are hard to judge. Quantile residuals are standard
normal if the model is right. This example checks a Poisson model of the days that children were
absent from school, and then a negative binomial one.
"""

import pandas as pd

from mcmodels import GeneralizedLinearRegressor
from mcmodels.plots import ResidualsDisplay

school = pd.read_csv("../../../datasets/quine.csv")
days = school.pop("Days")
X = pd.get_dummies(school, drop_first=True, dtype=float)

poisson = GeneralizedLinearRegressor("poisson").fit(X, days)
ResidualsDisplay.from_estimator(poisson, X, days)

# %%
# The residuals reach far beyond ±3: the days vary more than Poisson counts do. The negative
# binomial distribution has one number more, theta, for this. It is estimated with the
# coefficients.

wider = GeneralizedLinearRegressor("negative_binomial", theta="estimate").fit(X, days)
ResidualsDisplay.from_estimator(wider, X, days)

# %%
# Now they stay between -3 and 3, on the line of the normal quantiles. The standard errors of the
# Poisson model were too small:

table = pd.DataFrame(
    {
        "Poisson": poisson.standard_errors_,
        "negative binomial": wider.standard_errors_[: X.shape[1] + 1],
    },
    index=[*X.columns, "(intercept)"],
)
print(table.round(3))

# %%
# AIC says the same: the smaller, the better.

print(f"AIC: Poisson {poisson.aic_:.0f}, negative binomial {wider.aic_:.0f}")
assert wider.aic_ < poisson.aic_
assert abs(wider.residuals(X, days, kind="quantile", random_state=0)).max() < 3.2
assert abs(poisson.residuals(X, days, kind="quantile", random_state=0)).max() > 4

# %%
# More on this: :doc:`/glm`.
