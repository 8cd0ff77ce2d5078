"""
Draw rows and columns in one picture: the biplot
================================================

Two principal components have most of what four lengths of iris flowers tell. Points are flowers,
arrows are the columns. Ellipses show how well the data know the arrows.
"""

import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import PCA
from mcmodels.plots import BiplotDisplay

flowers = pd.read_csv("../../../datasets/iris.csv")
X, species = flowers.drop(columns="Species"), flowers["Species"]
model = make_pipeline(StandardScaler(), PCA()).fit(X)

print("share of the variance:", model[-1].explained_variance_ratio_[:2].round(3))

# %%
BiplotDisplay.from_estimator(model, X, species)

# %%
# The first component parts the species. Its loadings are of nearly equal size for three of the
# lengths, so that it measures the size of a flower. The width of the sepal has the second
# component nearly for itself.

table = pd.DataFrame(index=X.columns)
for i, name in enumerate(["first", "second"]):
    table[name] = model[-1].components_[i].round(2)
    table[f"error of {name}"] = model[-1].loading_standard_errors_[i].round(2)
print(table)

# %%
# The scores are what the pipeline's ``transform`` returns. They have no correlation.

scores = model.transform(X)
assert abs(pd.DataFrame(scores).corr().iloc[0, 1]) < 1e-10

# %%
# More on this: :doc:`/recipes`.
