"""
See why two intervals are no region
===================================

Intervals for two coefficients look like a rectangle of plausible values. But estimates are
correlated, so that the plausible pairs fill an ellipse. The size of an engine and the number of
its cylinders say nearly the same, so that their coefficients are hard to tell apart.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import f

from mcmodels import LinearRegression

cars = pd.read_csv("../../../datasets/mtcars.csv")
X, y = cars[["disp", "cyl"]], cars["mpg"]
X = (X - X.mean()) / X.std()
model = LinearRegression().fit(X, y)

intervals = model.confidence_intervals()
print(intervals.round(2))

# %%
# The ellipse of 95 %: all pairs whose distance from the estimate, in the metric of the
# covariance, is below the quantile of F.

covariance = model.covariance_[:2, :2]
radius = np.sqrt(2 * f.ppf(0.95, 2, len(y) - 3))
angle = np.linspace(0, 2 * np.pi, 200)
circle = np.vstack([np.cos(angle), np.sin(angle)])
ellipse = model.coef_[:, None] + radius * np.linalg.cholesky(covariance) @ circle

figure, ax = plt.subplots(figsize=(5.2, 4.4))
ax.plot(*ellipse, label="joint region of 95 %")
low, high = intervals.to_numpy()[:2].T
corners = np.array([[0, 1, 1, 0, 0], [0, 0, 1, 1, 0]])
ax.plot(*(low[:, None] + (high - low)[:, None] * corners), "--", label="two intervals of 95 %")
ax.plot(*model.coef_, "ko")
ax.plot(0, 0, "kX", markersize=9)
ax.annotate("both zero", (0, 0), (-6, 8), "data", textcoords="offset points", ha="right")
ax.set(xlabel="coefficient of disp", ylabel="coefficient of cyl")
ax.set(ylim=(-8.5, 2.5))
ax.legend(loc="lower right")

# %%
# The interval of ``disp`` contains zero, that of ``cyl`` nearly. But the pair of zeros is far
# outside of the ellipse: at least one of the columns counts. The test of both says so.

test = model.wald_test("disp = 0, cyl = 0")
print(test)
correlation = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
print(f"correlation of the estimates: {correlation:.2f}")
assert test.p_value < 1e-6

# %%
# More on this: :doc:`/inference`.
