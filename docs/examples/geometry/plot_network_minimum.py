"""
Look at the curvature of a network's minimum
============================================

A network has many parameters, and its objective is no bowl. The Hessian at the end of the fit
says whether there is a minimum, and which directions are steep. This network has 35 parameters and
three kinds of iris to tell apart.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import MLPClassifier

flowers = pd.read_csv("../../../datasets/iris.csv")
X, species = flowers.drop(columns="Species"), flowers["Species"]
X = (X - X.mean()) / X.std()

network = MLPClassifier(
    (4,), "tanh", alpha=0.5, tol=1e-6, max_iter=2000, random_state=0, compute_hessian=True
).fit(X, species)
print("converged:", network.converged_, "  parameters:", network.params_.size)
print(network.critical_point_)

# %%
# One eigenvalue is zero: adding the same number to all three outputs changes no probability. All
# others are positive, because the penalty ``alpha`` holds the coefficients.

values, vectors = np.linalg.eigh(network.hessian_)
print("smallest eigenvalues:", values[:3].round(6) + 0.0, "  largest:", values[-1].round(1))

# %%
# The objective along the steepest and along a flat direction, and the parabolas of the Hessian.

figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2))
left.semilogy(values[::-1].clip(1e-12), "o", markersize=4)
left.set(xlabel="number", ylabel="eigenvalue of the Hessian", ylim=(1e-2, None))

steps = np.linspace(-3, 3, 61)
for index, name in ((-1, "steepest"), (1, "flattest")):
    direction = vectors[:, index] / np.sqrt(values[index])
    rise = [network.objective(X, species, network.params_ + t * direction) for t in steps]
    right.plot(steps, np.array(rise) - network.objective_, label=name)
right.plot(steps, steps**2 / 2, "k:", label="quadratic")
right.set(xlabel="distance / √(1/eigenvalue)", ylabel="rise of the objective", ylim=(0, 9))
right.legend(loc="upper center")

# %%
# The largest eigenvalue is some 800 times the smallest that is not zero. Along the steepest
# direction the objective stays near the parabola; along the flattest one it leaves it at a
# distance of one.

assert 700 < values[-1] / values[1] < 900
assert abs(values[0]) < 1e-8

# %%
# More on this: :doc:`/networks`.
