"""
Give any function of the coefficients an interval
=================================================

Often the answer is not a coefficient, but a function of several. The delta method carries their
errors over, with the exact gradient of your function. At what age have half of the girls had
their first menstruation?
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import GeneralizedLinearRegressor

girls = pd.read_csv("../../../datasets/menarche.csv")
X, share, total = girls[["Age"]], girls["Menarche"] / girls["Total"], girls["Total"]
model = GeneralizedLinearRegressor("binomial").fit(X, share, total)


def age_at(level):
    """The age at which a share of the girls has had it."""
    logit = np.log(level / (1 - level))
    return lambda params: (logit - params[1]) / params[0]


median = model.delta_method(age_at(0.5))
print(f"median age {median.estimate:.3f} ± {median.standard_error:.3f} years")

# %%
# The gradient by hand says the same.

slope, intercept = model.params_
by_hand = np.array([intercept / slope**2, -1 / slope])
error = np.sqrt(by_hand @ model.covariance_ @ by_hand)
assert np.isclose(float(median.standard_error), error)

# %%
# Ages for other shares, with 95 % intervals.

levels = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
found = [model.delta_method(age_at(level)) for level in levels]
ages = np.array([float(one.estimate) for one in found])
errors = np.array([float(one.standard_error) for one in found])

grid = pd.DataFrame({"Age": np.linspace(9, 18, 200)})
figure, ax = plt.subplots()
ax.plot(X["Age"], share, ".", color="0.6", label="groups of girls")
ax.plot(grid["Age"], model.predict(grid), color="0.3", linewidth=1, label="model")
ax.errorbar(
    ages,
    levels,
    xerr=1.96 * errors,
    fmt="o",
    color="C1",
    capsize=3,
    markersize=4,
    label="age at this share",
)
ax.set(xlabel="age in years", ylabel="share with menarche")
ax.legend()

# %%
# The intervals are shortest in the middle, where most of the information is, and widest at the
# ends.

print(pd.DataFrame({"share": levels, "age": ages, "error": errors}).round(3).to_string(index=False))
assert errors.argmin() in (2, 3, 4)
assert errors[0] > 1.5 * errors[3]

# %%
# More on this: :doc:`/inference`.
