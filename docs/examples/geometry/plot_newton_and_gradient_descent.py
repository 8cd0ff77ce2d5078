"""
See why Newton's method needs few steps
=======================================

Gradient descent goes at right angles to the contours. In a narrow valley this is not the way to
the minimum. Newton's method knows the curvature, and takes the valley into account. Both minimise
the same logistic objective here, from the same start.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import LogisticRegression
from mcmodels.calculus import parse

cars = pd.read_csv("../../../datasets/mtcars.csv")
X = np.column_stack([cars["wt"] - 2, np.ones(len(cars))])
y = cars["am"].to_numpy(float)

formula = parse("sum(softplus(X @ w)) - y.T @ X @ w", X=("n", 2), y="n", w=2)
objective, gradient = formula.compile(), formula.gradient("w").compile()
hessian = formula.hessian("w").compile()
print("gradient:", repr(formula.gradient("w")))
print("Hessian: ", repr(formula.hessian("w")))

# %%
# Newton's step solves a linear system with the Hessian. The rate of gradient descent is one over
# the largest eigenvalue at the start, which is as fast as it may safely go.

newton, descent = [np.zeros(2)], [np.zeros(2)]
while np.linalg.norm(gradient(X=X, y=y, w=newton[-1])) > 1e-8:
    w = newton[-1]
    newton.append(w - np.linalg.solve(hessian(X=X, w=w), gradient(X=X, y=y, w=w)))

rate = 1 / np.linalg.eigvalsh(hessian(X=X, w=np.zeros(2)))[-1]
while np.linalg.norm(slope := gradient(X=X, y=y, w=descent[-1])) > 1e-8:
    descent.append(descent[-1] - rate * slope)

newton, descent = np.array(newton), np.array(descent)
print(f"steps: Newton {len(newton) - 1}, gradient descent {len(descent) - 1}")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.6))
a, b = np.meshgrid(np.linspace(-6, 1, 100), np.linspace(-1, 6, 100))
eta = X[:, 0, None, None] * a + b
heights = np.sum(np.logaddexp(0, eta) - y[:, None, None] * eta, axis=0)
left.contour(a, b, heights, levels=np.geomspace(9.65, 60, 14), colors="0.75", linewidths=0.8)
left.plot(*descent.T, ".-", markersize=3, linewidth=0.8, label="gradient descent")
left.plot(*newton.T, "o-", markersize=4, label="Newton")
left.set(xlabel="coefficient of wt", ylabel="intercept")
left.legend(loc="upper right", frameon=True)

for path, style in ((descent, "-"), (newton, "o-")):
    sizes = [np.linalg.norm(gradient(X=X, y=y, w=w)) for w in path]
    right.loglog(np.arange(1, len(path) + 1), sizes, style, markersize=4)
right.set(xlabel="number of the point", ylabel="length of the gradient")

# %%
# Gradient descent runs to the bottom of the valley first, and then creeps along it. Newton's last
# steps double the number of correct digits each. The minimum is that of ``LogisticRegression``.

model = LogisticRegression(C=np.inf).fit(cars[["wt"]] - 2, cars["am"])
assert np.allclose(newton[-1], model.params_, atol=1e-8)
assert np.isclose(objective(X=X, y=y, w=newton[-1]), model.objective_)
assert len(newton) < 12 < 1000 < len(descent)

# %%
# More on this: :doc:`/choosing`.
