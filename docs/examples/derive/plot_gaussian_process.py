"""
Tune a Gaussian process by its exact gradient
=============================================

A Gaussian process has a few parameters: how far points tell of each other, how large the curve is,
how large the noise. They maximise a likelihood with a determinant and an inverse. Its gradient
comes from plain NumPy code.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.optimize import minimize

from mcmodels.autodiff import hessian, value_and_grad

cars = pd.read_csv("../../../datasets/mtcars.csv")
x = (cars["disp"].to_numpy() - 230) / 120
y = (cars["mpg"].to_numpy() - 20) / 6


def kernel(a, b, params):
    return np.exp(2 * params[1] - (a[:, None] - b[None, :]) ** 2 / (2 * np.exp(2 * params[0])))


def minus_log_likelihood(params):  # logarithms of range, size and noise
    K = kernel(x, x, params) + np.exp(2 * params[2]) * np.eye(len(x))
    return 0.5 * (y @ np.linalg.solve(K, y) + np.linalg.slogdet(K)[1])


start = np.array([-2.0, 0.0, -1.0])
value, slope = value_and_grad(minus_log_likelihood)(start)
print("value", round(float(value), 3), " gradient", slope.round(3))

# %%
# SciPy's minimiser takes value and gradient together.

found = minimize(value_and_grad(minus_log_likelihood), start, jac=True, method="BFGS")
print("range, size, noise:", np.exp(found.x).round(3), " evaluations:", found.nfev)

# %%
grid = np.linspace(-1.6, 2.2, 200)
figure, panels = plt.subplots(1, 2, figsize=(7.2, 3.4), sharey=True)
for ax, params, title in zip(panels, (start, found.x), ("at the start", "tuned"), strict=True):
    K = kernel(x, x, params) + np.exp(2 * params[2]) * np.eye(len(x))
    across = kernel(grid, x, params)
    mean = across @ np.linalg.solve(K, y)
    variance = np.exp(2 * params[1]) - np.sum(across * np.linalg.solve(K, across.T).T, axis=1)
    spread = 1.96 * np.sqrt(variance)
    ax.plot(120 * x + 230, 6 * y + 20, "o", color="0.6", markersize=4)
    ax.plot(120 * grid + 230, 6 * mean + 20)
    ax.fill_between(
        120 * grid + 230, 6 * (mean - spread) + 20, 6 * (mean + spread) + 20, alpha=0.25
    )
    ax.set(title=title, xlabel="engine size (cubic inches)")
panels[0].set(ylabel="miles per gallon")

# %%
# At the start the curve runs after single cars. Tuned, it is smoother, and its band narrower. The
# Hessian, from the same code, shows that there is a minimum.

print("eigenvalues:", np.linalg.eigvalsh(hessian(minus_log_likelihood)(found.x)).round(2))
assert np.linalg.eigvalsh(hessian(minus_log_likelihood)(found.x))[0] > 0

# %%
# More on this: :doc:`/autodiff`.
