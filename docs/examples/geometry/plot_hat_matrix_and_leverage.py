"""
Read leverage from the hat matrix
=================================

Least squares predictions are ``ŷ = Hy``. The hat matrix H says how much each target counts in
each prediction. Its diagonal has the leverages: the share that a row has in its own prediction.
The model here is a polynomial of degree three through fifteen points.
"""

import matplotlib.pyplot as plt
import numpy as np

from mcmodels import LinearRegression
from mcmodels.calculus import inv, matrix

X = matrix("X", "n", "p")
H = X @ inv(X.T @ X) @ X.T
print("H   =", repr(H))
print("H H =", repr(H @ H), "  H X =", repr(H @ X))

# %%
# The engine simplifies: H is a projection, and keeps the columns of X. Now the numbers.

x = np.linspace(0, 1, 14)
x = np.r_[x, 1.6]  # one point far from the others
powers = np.column_stack([x, x**2, x**3])
y = np.sin(3 * x) + 0.1 * np.random.default_rng(0).normal(size=15)
model = LinearRegression().fit(powers, y)

hat = model.hat_matrix(powers)
leverage = model.leverage(powers)
print("sum of the leverages:", round(leverage.sum(), 10), " parameters:", model.params_.size)
assert np.allclose(np.diag(hat), leverage)
assert np.allclose(hat @ y, model.predict(powers))
assert np.allclose(hat @ hat, hat)

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4))
largest = abs(hat).max()
picture = left.imshow(hat, cmap="RdBu_r", vmin=-largest, vmax=largest)
figure.colorbar(picture, ax=left)
left.set(title="hat matrix", xlabel="target of row", ylabel="prediction of row")
left.set(xticks=range(0, 15, 2), yticks=range(0, 15, 2))

grid = np.linspace(0, 1.65, 200)
right.plot(grid, model.predict(np.column_stack([grid, grid**2, grid**3])), color="0.6")
right.scatter(x, y, s=20 + 150 * leverage, c=leverage, zorder=2)
right.set(title="size: leverage", xlabel="x", ylabel="y")

# %%
# The point on the right has a leverage near one. It has its prediction almost for itself: the
# curve must go through it, whatever its target is.

moved = y.copy()
moved[-1] += 1.0
again = LinearRegression().fit(powers, moved)
rise = again.predict(powers) - model.predict(powers)
print("its target rises by 1, its prediction by", rise[-1].round(4))
assert np.isclose(rise[-1], leverage[-1])
assert leverage[-1] > 0.95

# %%
# More on this: :doc:`/inference`.
