"""
See what a penalty does to each direction
=========================================

A squared penalty does not shrink all directions alike. Along an eigenvector of the Hessian with
eigenvalue λ the estimate is multiplied by ``λ/(λ + α)``: directions that the data know well stay,
others go. The data are six economic series of sixteen years that nearly depend on each other.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import GeneralizedLinearRegressor

years = pd.read_csv("../../../datasets/longley.csv")
X = years.drop(columns="y")
X.columns = ["prices", "GNP", "unemployed", "army", "population", "year"]
X = (X - X.mean()) / X.std()
y = (years["y"] - years["y"].mean()) / years["y"].std()

alphas = np.geomspace(1e-4, 1e3, 60)
fits = [GeneralizedLinearRegressor("normal", alpha=a).fit(X, y) for a in alphas]
free = GeneralizedLinearRegressor("normal").fit(X, y)

# %%
# The Hessian of the objective without the penalty, by the coefficients alone, and its
# eigenvectors.

values, vectors = np.linalg.eigh(free.hessian_[:6, :6])
print("eigenvalues:", values[::-1].round(3))
along = np.array([fit.coef_ @ vectors for fit in fits])
shares = along / (free.coef_ @ vectors)
assert np.allclose(shares, values / (values + alphas[:, None]), atol=1e-6)

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.4), sharex=True)
for name, path in zip(X.columns, np.array([fit.coef_ for fit in fits]).T, strict=True):
    left.semilogx(alphas, path, label=name)
left.set(xlabel="alpha", ylabel="coefficient")
left.legend(fontsize=8)
for value, path in zip(values[::-1], shares.T[::-1], strict=True):
    right.semilogx(alphas, path, label=f"λ = {value:.3g}")
right.set(xlabel="alpha", ylabel="share that is left along the eigenvector")
right.legend(fontsize=8)

# %%
# Coefficients cross and change signs; the shares along eigenvectors all fall on the same curve,
# each shifted to its eigenvalue. At ``alpha = λ`` one half is left.

# %%
# More on this: :doc:`/tuning`.
