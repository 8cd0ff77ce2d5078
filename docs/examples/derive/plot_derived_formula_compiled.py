"""
Derive a gradient, compile it, and use it
=========================================

A penalised logistic loss is written as a formula. The engine derives its gradient and Hessian,
shows the steps, and writes NumPy functions. Newton's method in a few lines then fits survival on
the Titanic.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import LogisticRegression
from mcmodels.calculus import matrix, norm, scalar, softplus, sum, vector

X, w, y = matrix("X", "n", "p"), vector("w", "p"), vector("y", "n")
penalty = scalar("lam")
loss = sum(softplus(X @ w)) - y.T @ X @ w + penalty / 2 * norm(w) ** 2

print(repr(loss.gradient(w)))
print(repr(loss.hessian(w)))

# %%
# How the gradient comes about: each step has its rule and its source.

print(loss.derivation(w))

# %%
# ``compile`` writes a function. Its text can be read:

value, gradient, hessian = (f.compile() for f in (loss, loss.gradient(w), loss.hessian(w)))
print(hessian.source)

# %%
# Newton's method.

passengers = pd.read_csv("../../../datasets/titanic_survival.csv")
target = passengers.pop("survived").to_numpy(float)
rows = np.column_stack([(passengers - passengers.mean()) / passengers.std(), np.ones(len(target))])
data = {"X": rows, "lam": 1.0}

point, lengths, heights = np.zeros(5), [], []
for _ in range(7):
    slope = gradient(**data, y=target, w=point)
    lengths.append(np.linalg.norm(slope))
    heights.append(value(**data, y=target, w=point))
    point = point - np.linalg.solve(hessian(**data, w=point), slope)

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2))
left.plot(heights, "o-")
left.set(xlabel="step", ylabel="loss")
right.semilogy(lengths, "o-", color="C1")
right.set(xlabel="step", ylabel="length of the gradient")

# %%
# Near the minimum each step doubles the number of correct digits, until rounding is left. The
# result is that of ``LogisticRegression`` with the same penalty on all five parameters.

model = LogisticRegression(C=1.0, fit_intercept=False).fit(rows, target)
print("largest difference:", f"{abs(model.params_ - point).max():.1e}")
assert np.allclose(model.params_, point, atol=1e-9)
assert loss.check(w) < 1e-8  # against finite differences, at random numbers

# %%
# More on this: :doc:`/calculus`.
