"""
Tell a saddle point from a minimum
==================================

Where the gradient is zero there may be a minimum, a maximum or a saddle. The eigenvalues of the
Hessian tell which. A network with one hidden unit and no curve, which predicts ``v·w·x``, has a
saddle where both weights are zero.
"""

import matplotlib.pyplot as plt
import numpy as np

from mcmodels.calculus import critical_point, parse

loss = parse("(1 - v*w)**2 / 2 + (v**2 + w**2) / 20", v="scalar", w="scalar")
print("by v:", loss.gradient("v"))
print("by w:", loss.gradient("w"))

# %%
# With both weights in one vector the Hessian is a matrix. ``critical_point`` says by its
# eigenvalues what a point is.

loss = parse("(1 - x[0]*x[1])**2 / 2 + norm(x)**2 / 20", x=2)
gradient, hessian = loss.gradient("x").compile(), loss.hessian("x").compile()

minimum = np.sqrt(0.9) * np.ones(2)
for name, point in (("zero", np.zeros(2)), ("minimum", minimum)):
    print(f"{name}: {critical_point(loss, 'x', point)}")

# %%
# Paths of gradient descent from both sides of a line that leads into the saddle.


def descend(x, steps=1500, rate=0.05):
    path = [np.array(x, dtype=float)]
    for _ in range(steps):
        path.append(path[-1] - rate * gradient(x=path[-1]))
    return np.array(path)


figure, ax = plt.subplots(figsize=(5.2, 4.6))
v, w = np.meshgrid(np.linspace(-2, 2, 100), np.linspace(-2, 2, 100))
height = (1 - v * w) ** 2 / 2 + (v**2 + w**2) / 20
ax.contour(v, w, height, levels=np.geomspace(0.1, 6, 18), cmap="viridis")
for begin in ([-1.5, 1.6], [-1.6, 1.5], [-1.5, 1.505]):
    path = descend(begin)
    ax.plot(*path.T, ".-", markersize=3)
ax.plot(0, 0, "kX", markersize=9, label="saddle")
ax.plot(*np.outer(minimum, [1, -1]), "k*", markersize=11, label="minima")
ax.set(xlabel="v", ylabel="w")
ax.legend(loc="lower left", frameon=True)

# %%
# All three paths first run towards the saddle, and then leave it, to one minimum or the other.
# One eigenvalue is negative there, so that there is a way down. At the minima both are positive.

assert np.allclose(gradient(x=np.zeros(2)), 0)
assert np.prod(np.linalg.eigvalsh(hessian(x=np.zeros(2)))) < 0
assert np.linalg.eigvalsh(hessian(x=minimum)).min() > 0
assert np.allclose(np.abs(descend([-1.5, 1.6])[-1]), minimum, atol=1e-3)

# %%
# More on this: :doc:`/calculus`.
