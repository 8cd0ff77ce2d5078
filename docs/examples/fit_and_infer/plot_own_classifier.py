"""
Make a classifier of a loss of your own
=======================================

A classifier can minimise another loss than the logistic one. The squared hinge is zero for rows
that are on the right side by a margin, so that only rows near the border count. The penguins here
are of two species.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import LogisticRegression, ObjectiveClassifier

penguins = pd.read_csv("../../../datasets/penguins.csv")
penguins = penguins[penguins["species"] != "Gentoo"]
lengths = penguins[["bill_length_mm", "flipper_length_mm"]]
X = (lengths - lengths.mean()) / lengths.std()
species = penguins["species"]

# %%
# In the loss, y is 0 for the first class and 1 for the second. ``relu`` is the larger of its
# argument and zero.

hinge = ObjectiveClassifier("relu(1 - (2*y - 1)*eta)**2", alpha=1.0).fit(X, species)
logistic = LogisticRegression(C=1.0).fit(X, species)
print(f"share that is right: hinge {hinge.score(X, species):.3f}, ", end="")
print(f"logistic {logistic.score(X, species):.3f}")

# %%
figure, ax = plt.subplots(figsize=(6.4, 4.2))
for name, marker in (("Adelie", "o"), ("Chinstrap", "^")):
    chosen = (species == name).to_numpy()
    ax.plot(*X[chosen].to_numpy().T, marker, markersize=4, alpha=0.7, label=name)

x0, x1 = np.meshgrid(np.linspace(-2, 3, 200), np.linspace(-3, 3.2, 200))
grid = pd.DataFrame({X.columns[0]: x0.ravel(), X.columns[1]: x1.ravel()})
score = hinge.decision_function(grid).reshape(x0.shape)
ax.contour(x0, x1, score, levels=[-1, 0, 1], colors="black", linestyles=[":", "-", ":"])
score = logistic.decision_function(grid).reshape(x0.shape)
ax.contour(x0, x1, score, levels=[0], colors="#009E73", linestyles="--")
ax.set(xlabel="length of the bill (standardised)", ylabel="length of the flipper (standardised)")
ax.legend(loc="lower right")

# %%
# The solid line is the border of the hinge, the dotted lines its margin; the dashed line is the
# border of logistic regression. Rows outside of the margin have no curvature:

eta = hinge.decision_function(X)
sign = np.where(species == hinge.classes_[1], 1, -1)
inside = sign * eta < 1
Z = np.column_stack([X, np.ones(len(X))])
by_hand = 2 * Z[inside].T @ Z[inside] + np.diag([1.0, 1.0, 0.0])
print(f"{inside.sum()} of {len(X)} rows count")
assert np.allclose(hinge.hessian_, by_hand)

# %%
# More on this: :doc:`/own_objectives`.
