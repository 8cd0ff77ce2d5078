"""
See in the residuals whether a line is enough
=============================================

Residuals are what a model leaves unexplained. If they have a pattern, the model misses something.
This example fits miles per gallon by weight and power, finds a curve, and removes it.
"""

import numpy as np
import pandas as pd

from mcmodels import LinearRegression
from mcmodels.plots import ResidualsDisplay

cars = pd.read_csv("../../../datasets/mtcars.csv")
X, y = cars[["wt", "hp"]], cars["mpg"]
line = LinearRegression().fit(X, y)
ResidualsDisplay.from_estimator(line, X, y)

# %%
# The first panel bends: residuals are above zero at both ends, and below zero in the middle. So
# the straight line is not enough. Logarithms of both columns let the effect become weaker where
# cars are heavy or strong.

curve = LinearRegression().fit(np.log(X), y)
ResidualsDisplay.from_estimator(curve, np.log(X), y)

# %%
# The curve is gone. The residuals are smaller, too:

print(f"residual deviation of the line:  {np.std(y - line.predict(X)):.2f} miles per gallon")
print(f"residual deviation of the curve: {np.std(y - curve.predict(np.log(X))):.2f}")

# %%
# The pattern can be measured: the correlation of the residuals with the square of the centred
# predictions.


def bend(model, rows):
    predicted = model.predict(rows)
    return np.corrcoef((predicted - predicted.mean()) ** 2, y - predicted)[0, 1]


print(f"bend of the line {bend(line, X):.2f}, of the curve {bend(curve, np.log(X)):.2f}")
assert bend(line, X) > 0.5 > abs(bend(curve, np.log(X)))

# %%
# More on this: :doc:`/inference`.
