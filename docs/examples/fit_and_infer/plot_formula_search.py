"""
Search over formulas in a pipeline
==================================

``Formula`` is the right side of a formula, as a transformer. It can stand in any pipeline, and a
search can choose among formulas. How curved is the effect of power on miles per gallon?
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline

from mcmodels import Formula, LinearRegression, anova, fit_formula, results

cars = pd.read_csv("../../../datasets/mtcars.csv")
formulas = ["hp", "log(hp)", "poly(hp, 2)", "poly(hp, 4)", "poly(hp, 7)"]
search = GridSearchCV(
    make_pipeline(Formula("hp"), LinearRegression()),
    {"formula__formula": formulas},
    cv=KFold(8, shuffle=True, random_state=0),
    scoring="neg_mean_squared_error",
).fit(cars, cars["mpg"])

found = pd.DataFrame({"formula": formulas, "error": -search.cv_results_["mean_test_score"]})
print(found.round(2).to_string(index=False))

# %%
grid = pd.DataFrame({"hp": np.linspace(52, 335, 200)})
figure, ax = plt.subplots()
ax.plot(cars["hp"], cars["mpg"], "o", color="0.6", markersize=4)
for formula, dash in (("hp", "--"), ("poly(hp, 2)", "-"), ("poly(hp, 7)", ":")):
    model = make_pipeline(Formula(formula), LinearRegression()).fit(cars, cars["mpg"])
    band = results(model).predict_interval(grid)
    (line,) = ax.plot(grid["hp"], band["prediction"], dash, label=formula)
    ax.fill_between(grid["hp"], band["lower"], band["upper"], alpha=0.2, color=line.get_color())
ax.set(xlabel="gross horsepower", ylabel="miles per gallon", ylim=(5, 38))
ax.legend()

# %%
# The straight line misses both ends. The polynomial of degree seven follows single cars, and its
# band explodes where there are few. The square has the smallest error for cars that were left out.

assert search.best_params_["formula__formula"] == "poly(hp, 2)"

# %%
# Nested formulas can be tested against each other: does a square add to the line?

line, square = (
    fit_formula(f"mpg ~ {right}", cars, LinearRegression()) for right in ("hp", "hp + I(hp**2)")
)
print(anova(line, square).round(4))

# %%
# More on this: :doc:`/formulas`.
