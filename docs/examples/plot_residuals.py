"""
Residuals of least squares
==========================

Four panels that show whether a line is enough.
"""

import pandas as pd

from mcmodels import LinearRegression
from mcmodels.plots import ResidualsDisplay

cars = pd.read_csv("../../datasets/mtcars.csv")
X, y = cars[["wt", "hp"]], cars["mpg"]
model = LinearRegression().fit(X, y)
ResidualsDisplay.from_estimator(model, X, y)
