"""
Choose columns by an absolute penalty
=====================================

A penalty on absolute values makes coefficients exactly zero. The stronger it is, the fewer columns
are left. Any loss can have it; here it is the squared error of miles per gallon by ten columns.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import ObjectiveRegressor

cars = pd.read_csv("../../../datasets/mtcars.csv")
X, y = cars.drop(columns="mpg"), cars["mpg"]
X = (X - X.mean()) / X.std()  # the penalty sees the units

# %%
# From the largest entry of the gradient at zero on, all coefficients are zero.

null = ObjectiveRegressor("(y - eta)**2 / 2", l1=1e9).fit(X, y)
largest = np.abs(null.gradient_[:-1]).max()
strengths = largest * np.geomspace(1, 0.002, 26)
fits = [ObjectiveRegressor("(y - eta)**2 / 2", l1=l1).fit(X, y) for l1 in strengths]
path = np.array([fit.coef_ for fit in fits])

# %%
figure, ax = plt.subplots(figsize=(6.8, 3.8))
for j, (name, values) in enumerate(zip(X.columns, path.T, strict=True)):
    ax.semilogx(strengths / largest, values, ("-", "--")[j // 7], label=name)
ax.invert_xaxis()
ax.set(xlabel="strength of the penalty, share of the largest", ylabel="coefficient")
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))

# %%
# From left to right the penalty becomes weaker. Weight and the number of cylinders come first, then
# power. At the right end all ten columns are there.

entered = [X.columns[j] for j in np.argsort((path != 0).argmax(axis=0), kind="stable")]
print("in the order in which they enter:", entered)
assert set(entered[:3]) == {"wt", "cyl", "hp"}

# %%
# At a minimum the slope of the loss is ±l1 where a coefficient is not zero, and smaller elsewhere.

fit = fits[10]
slopes = np.abs(fit.gradient_[:-1])
print(pd.DataFrame({"coefficient": fit.coef_, "slope / l1": slopes / fit.l1}, X.columns).round(3))
assert np.allclose(slopes[fit.coef_ != 0], fit.l1, rtol=1e-4)
assert (slopes <= fit.l1 * (1 + 1e-6)).all()

# %%
# More on this: :doc:`/own_objectives`.
