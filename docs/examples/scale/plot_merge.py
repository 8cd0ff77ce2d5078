"""
Merge models that were fitted on two machines
=============================================

Two laboratories may not share their rows. Each fits principal components to its own, and ``merge``
makes the fit to all rows of the two fits. It needs no row again. Here one has the flowers of one
species of iris, the other those of two.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import PCA

flowers = pd.read_csv("../../../datasets/iris.csv")
X, species = flowers.drop(columns="Species"), flowers["Species"]
here = species == "setosa"

one = PCA().partial_fit(X[here])
other = PCA().partial_fit(X[~here])
merged = PCA().partial_fit(X[here]).merge(other)
whole = PCA().fit(X)

# %%
# Merged, and fitted to all rows:

print(
    pd.DataFrame(
        {"merged": merged.explained_variance_ratio_, "all rows": whole.explained_variance_ratio_}
    )
)
assert np.allclose(merged.components_, whole.components_, atol=1e-10)
assert np.allclose(merged.eigenvalues_, whole.eigenvalues_, rtol=1e-9)
assert merged.n_samples_ == len(X)

# %%
# The first component of each, drawn in two of the four columns.

a, b = "Petal.Length", "Sepal.Width"
i, j = X.columns.get_loc(a), X.columns.get_loc(b)
figure, ax = plt.subplots(figsize=(6.6, 3.4))
for chosen, marker, name in ((here, "o", "one"), (~here, "^", "other")):
    ax.plot(X.loc[chosen, a], X.loc[chosen, b], marker, markersize=3, alpha=0.6, label=name)
for model, name, colour in ((one, "one", "C0"), (other, "other", "C1"), (merged, "merged", "C2")):
    component = model.components_[0] * 2 * np.sqrt(model.eigenvalues_[0])
    ends = model.mean_ + np.outer([-1, 1], component)
    ax.plot(
        ends[:, i], ends[:, j], "-", color=colour, linewidth=2.5, label="first component, " + name
    )
ax.set(xlabel="length of the petal (cm)", ylabel="width of the sepal (cm)", aspect="equal")
ax.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)

# %%
# The merged component points from one group to the other; those of the two fits do not.

between = X[~here].mean() - X[here].mean()
between = between / np.linalg.norm(between)
for name, model in (("one", one), ("other", other), ("merged", merged)):
    angle = np.degrees(np.arccos(abs(between @ model.components_[0])))
    print(f"{name}: {angle:.1f} degrees from the line between the groups")
assert abs(between @ merged.components_[0]) > 0.99

# %%
# More on this: :doc:`/choosing` and :doc:`/scale`.
