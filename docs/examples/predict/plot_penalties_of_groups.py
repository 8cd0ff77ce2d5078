"""
Give each column a penalty of its own
=====================================

With one penalty, columns that predict nothing keep small coefficients. With a penalty for each
column, chosen by the evidence, they go to zero: automatic relevance determination. The data are
made here, so that the truth is known: 4 of 20 columns count.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

from mcmodels import GeneralizedLinearRegressor

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 20))
truth = np.zeros(20)
truth[:4] = [1.0, -0.8, 0.5, 0.3]
y = X @ truth + rng.normal(size=200)

free = GeneralizedLinearRegressor("normal").fit(X, y)
one = GeneralizedLinearRegressor("normal", alpha="evidence").fit(X, y)
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    each = GeneralizedLinearRegressor("normal", alpha="evidence", penalty_groups="each").fit(X, y)

# %%
# A warning says which columns have no use.

for warning in said:
    print(type(warning.message).__name__, "-", str(warning.message)[:62], "…")

# %%
figure, ax = plt.subplots(figsize=(6.8, 3.4))
place = np.arange(20)
for shift, (name, model) in zip(
    (-0.25, 0, 0.25),
    {"no penalty": free, "one penalty": one, "one for each": each}.items(),
    strict=True,
):
    ax.bar(place + shift, model.coef_, width=0.25, label=name)
ax.plot(place, truth, "k_", markersize=14, label="truth")
ax.set(xlabel="column", ylabel="coefficient", xticks=place)
ax.legend()

# %%
# The green bars are zero in 13 of the 16 columns that do not count, and are hardly shrunk in the
# four that do. One penalty for all helps little here.

errors = {
    name: float(np.sum((model.coef_ - truth) ** 2))
    for name, model in (("no penalty", free), ("one penalty", one), ("one for each", each))
}
print({name: round(error, 3) for name, error in errors.items()})
print("columns with a coefficient above 0.01:", np.flatnonzero(abs(each.coef_) > 0.01))
assert errors["one for each"] < errors["no penalty"] / 2
assert (abs(each.coef_[4:]) < 0.01).sum() == 13

# %%
# More on this: :doc:`/tuning`.
