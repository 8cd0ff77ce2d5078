"""
Model a choice among several classes
====================================

With more than two classes, logistic regression has a row of coefficients for each class. They are
hard to read; probabilities are easy. This example has the party that 944 Americans identified
with in 1996, by their political views from 1 (liberal) to 7 (conservative).
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import LogisticRegression

people = pd.read_csv("../../../datasets/anes96_mnlogit.csv")
X = people[["selfLR", "age", "educ", "income"]]
party = people["PID"]  # 0: strong Democrat, …, 6: strong Republican

model = LogisticRegression(C=np.inf).fit(X, party)
print("parameters:", model.params_.shape, "  Hessian:", model.hessian_.shape)

# %%
# Does a column count at all? The test takes its coefficients in all classes together.

print(model.likelihood_ratio_tests(X, party).round(4))

# %%
# Probabilities along the views, with the other columns at their means.

views = np.linspace(1, 7, 61)
grid = pd.DataFrame({name: np.full(61, X[name].mean()) for name in X.columns})
grid["selfLR"] = views
probabilities = model.predict_proba(grid)

figure, ax = plt.subplots()
colours = plt.get_cmap("RdBu_r")(np.linspace(0.1, 0.9, 7))
names = ["strong Democrat", "weak Democrat", "leans to Democrats", "independent"]
names += ["leans to Republicans", "weak Republican", "strong Republican"]
areas = ax.stackplot(views, probabilities.T, colors=colours, labels=names)
ax.set(xlim=(1, 7), ylim=(0, 1), xlabel="views: liberal to conservative", ylabel="probability")
ax.legend(areas[::-1], names[::-1], loc="center left", bbox_to_anchor=(1, 0.5))

# %%
# At the left nearly all are Democrats, at the right nearly all Republicans. Independents without
# a side are never many.

assert probabilities[0, :3].sum() > 0.85
assert probabilities[-1, 4:].sum() > 0.85
assert probabilities[:, 3].max() < 0.1

# %%
# More on this: :doc:`/inference`.
