"""
Say how sure a network is
=========================

A network predicts a number for every input, also where there were no data. The curvature at its
minimum says how sure it is. This network with five hidden units learns a curve from 120 noisy
points with a gap.
"""

import matplotlib.pyplot as plt
import numpy as np

from mcmodels import MLPRegressor

rng = np.random.default_rng(1)
x = np.sort(np.concatenate([rng.uniform(-3, -0.5, 60), rng.uniform(1.0, 3, 60)]))
X, y = x[:, None], np.sin(2 * x) + 0.2 * rng.normal(size=120)

network = MLPRegressor(
    (5,), "tanh", solver="newton-cg", alpha=0.05, tol=1e-6, max_iter=1000, random_state=0
).fit(X, y)
print(f"R² {network.score(X, y):.3f}, converged {network.converged_}, {network.n_iter_} steps")

# %%
# ``laplace`` takes the rows once more, and hands back predictions with intervals.

grid = np.linspace(-3.6, 3.6, 200)[:, None]
last = network.laplace(X, y).predict_interval(grid)
full = network.laplace(X, y, curvature="full").predict_interval(grid)

figure, panels = plt.subplots(1, 2, figsize=(7.2, 3.4), sharey=True)
for ax, found, name in zip(panels, (last, full), ("last layer", "all parameters"), strict=True):
    ax.plot(x, y, ".", color="0.6", markersize=4)
    ax.plot(grid[:, 0], np.sin(2 * grid[:, 0]), "k--", linewidth=1, label="truth")
    ax.plot(grid[:, 0], found["prediction"], label="network")
    ax.fill_between(grid[:, 0], found["lower"], found["upper"], alpha=0.25)
    ax.set(
        title=f"curvature of the {name}" if name == "last layer" else f"curvature of {name}",
        xlabel="x",
        ylim=(-3, 3),
    )
panels[0].legend(loc="lower left")

# %%
# The bands are narrow where there are points. In the gap, and beyond the ends, those by all
# parameters become wide. The last layer alone takes the rest of the network as known, and is too
# sure.

width = (full["upper"] - full["lower"]).to_numpy()
gap = (grid[:, 0] > -0.2) & (grid[:, 0] < 0.7)
seen = (grid[:, 0] > -2.8) & (grid[:, 0] < -0.8)
print(f"mean width: {width[seen].mean():.2f} with data, {width[gap].mean():.2f} in the gap")
assert width[gap].mean() > 2 * width[seen].mean()

# %%
# More on this: :doc:`/networks`.
