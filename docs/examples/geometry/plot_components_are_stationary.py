"""
See that every principal component solves the same equation
===========================================================

The variance along a direction v is ``vᵀSv``. Where it is stationary on the sphere, ``Sv = λv``.
The first component is the maximum, the last one the minimum; those between are saddles. With
three columns the sphere can be drawn as a map.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import PCA

arrests = pd.read_csv("../../../datasets/usarrests.csv")[["Murder", "Assault", "UrbanPop"]]
X = (arrests - arrests.mean()) / arrests.std()
model = PCA().fit(X)
S = model.get_covariance()

# %%
# The gradient of the Lagrangian, ``2Sv − 2λv``, is zero at each component. Its Hessian,
# ``2(S − λI)``, has a negative eigenvalue for each direction upwards.

print("largest entry of the gradient:", f"{abs(model.gradient_).max():.1e}")
for name, H in zip(("first", "second", "third"), model.hessian_, strict=True):
    values = np.linalg.eigvalsh(H).round(2) + 0.0
    print(f"{name}: eigenvalues of the Hessian {values}")

# %%
longitude, latitude = np.meshgrid(np.linspace(-180, 180, 181), np.linspace(-90, 90, 91))
east, north = np.radians(longitude), np.radians(latitude)
v = np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)])
variance = np.einsum("iab,ij,jab->ab", v, S, v)

figure, ax = plt.subplots(figsize=(7.2, 3.6))
filled = ax.contourf(longitude, latitude, variance, levels=20)
figure.colorbar(filled, label="variance along the direction")
for component, marker, name in zip(
    model.components_, "^Xv", ("maximum", "saddle", "minimum"), strict=True
):
    for sign in (1, -1):
        x, y, z = sign * component
        place = np.degrees([np.arctan2(y, x), np.arcsin(z)])
        ax.plot(
            *place,
            marker,
            color="white",
            markeredgecolor="black",
            markersize=10,
            label=name if sign == 1 else None,
        )
ax.set(xlabel="longitude", ylabel="latitude")
ax.legend(loc="lower left", frameon=True)

# %%
# Each component stands twice, as v and as −v. At a saddle contours cross; at the other two they
# are closed.

assert abs(model.gradient_).max() < 1e-10
assert sorted(np.sign(np.linalg.eigvalsh(model.hessian_[1]).round(8))) == [-1, 0, 1]

# %%
# More on this: :doc:`/conventions`.
