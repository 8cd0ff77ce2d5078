"""
Predict a set of classes instead of one
=======================================

A classifier that must name one class hides its doubt. A conformal set has all classes that are
plausible, and holds the true one as often as you ask for. Here are iris flowers by the two lengths
of the sepal.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import LogisticRegression, leave_one_out

flowers = pd.read_csv("../../../datasets/iris.csv")
X, species = flowers[["Sepal.Length", "Sepal.Width"]], flowers["Species"]
model = LogisticRegression().fit(X, species)
rows = leave_one_out(model, X, species)

# %%
# Sets at three flowers, of level 95 %.

print(rows.predict_set(X.iloc[[0, 60, 148]], level=0.95))

# %%
# The size of the set over the plane.

x0, x1 = np.meshgrid(np.linspace(4, 8.2, 90), np.linspace(1.8, 4.6, 90))
grid = pd.DataFrame({X.columns[0]: x0.ravel(), X.columns[1]: x1.ravel()})
size = rows.predict_set(grid, level=0.95)["size"].to_numpy().reshape(x0.shape)

figure, ax = plt.subplots(figsize=(6.4, 4))
filled = ax.contourf(x0, x1, size, levels=[0.5, 1.5, 2.5, 3.5], cmap="Greys", alpha=0.5)
figure.colorbar(filled, ticks=[1, 2, 3], label="classes in the set")
for name, marker in zip(model.classes_, "os^", strict=True):
    chosen = X[species == name]
    ax.plot(*chosen.to_numpy().T, marker, markersize=4, label=name)
ax.set(xlabel="length of the sepal (cm)", ylabel="width of the sepal (cm)")
ax.legend(loc="upper right", frameon=True)

# %%
# Where two species overlap, the set has both. Setosa stands alone, so that its sets
# nearly always have one class.

sets = rows.predict_set(X, level=0.95)
print(sets.groupby(species)["size"].mean().round(2))
covered = np.mean([sets[name].iloc[i] for i, name in enumerate(species)])
print(f"sets that hold the species: {covered:.3f}")
assert sets["size"][species == "setosa"].mean() < 1.1 < sets["size"][species == "virginica"].mean()

# %%
# More on this: :doc:`/conformal`.
