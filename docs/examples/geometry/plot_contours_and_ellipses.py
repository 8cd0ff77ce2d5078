"""
Compare the objective with the ellipses of its Hessian
======================================================

Standard errors come from the Hessian at the minimum. It stands for a quadratic function, whose
contours are ellipses. This example shows how far the true contours of a small logistic model are
from them.
"""

import numpy as np
import pandas as pd

from mcmodels import LogisticRegression
from mcmodels.plots import CurvatureDisplay

cars = pd.read_csv("../../../datasets/mtcars.csv")
X, manual = cars[["wt", "hp"]], cars["am"]
X = (X - X.mean()) / X.std()
model = LogisticRegression(C=np.inf).fit(X, manual)
CurvatureDisplay.from_estimator(model, X, manual)

# %%
# Solid lines are contours of the objective: joint regions of 50, 80 and 95 % for the two
# coefficients. Dashed ellipses are those of the Hessian. They agree near the minimum. Farther
# away the regions reach out to large coefficients, because 32 cars do not exclude them.
#
# The objective and its Hessian are methods, so that the difference can be measured along a line.

center, hessian = model.params_, model.hessian_
values, vectors = np.linalg.eigh(hessian)
flat = vectors[:, 0] / np.sqrt(values[0])  # one standard error along the flattest direction
flat *= np.sign(flat @ center)  # towards larger coefficients
for t in (-2, -1, 1, 2):
    rise = model.objective(X, manual, center + t * flat) - model.objective_
    print(
        f"{t:+d} standard errors: the objective rises by {rise:.3f}, the quadratic by {t * t / 2}"
    )

# %%
# Outwards the objective rises less than the quadratic; inwards it rises more.

rises = [model.objective(X, manual, center + t * flat) - model.objective_ for t in (-2, 2)]
assert rises[1] < 2 < rises[0]

# %%
# More on this: :doc:`/inference` and :doc:`/conventions`.
