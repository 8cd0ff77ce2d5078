"""
Find principal components one by one: deflation
===============================================

Multiplying by the covariance S again and again turns any vector towards the first component. Take
this component out of S, and the same finds the second. That is deflation. The data are crimes in
50 states.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import PCA

arrests = pd.read_csv("../../../datasets/usarrests.csv")
X = (arrests - arrests.mean()) / arrests.std()
model = PCA().fit(X)

S = X.cov().to_numpy()
left_over, components, angles = S.copy(), [], []
for j in range(3):
    v = np.ones(4) / 2
    path = []
    for _ in range(30):
        v = left_over @ v
        v /= np.linalg.norm(v)
        cosine = min(1.0, abs(v @ model.components_[j]))
        path.append(np.arccos(cosine))
    variance = v @ left_over @ v
    components.append(v)
    angles.append(path)
    left_over = left_over - variance * np.outer(v, v)

# %%
# What is found are the components of ``PCA``, up to their sign.

for j, v in enumerate(components):
    print(f"component {j}: {(v * np.sign(v @ model.components_[j])).round(4)}")
assert all(abs(v @ w) > 0.999 for v, w in zip(components, model.components_, strict=False))

# %%
figure, panels = plt.subplots(1, 4, figsize=(7.6, 3.2))
rest = S.copy()
for j, ax in enumerate(panels[:3]):
    picture = ax.imshow(rest, cmap="RdBu_r", vmin=-1, vmax=1)
    ax.set(title=f"{j} taken out", xticks=range(4), yticks=range(4))
    ax.set_xticklabels(X.columns, rotation=90)
    ax.set_yticklabels(X.columns if j == 0 else [])
    value = model.eigenvalues_[j]
    rest = rest - value * np.outer(model.components_[j], model.components_[j])
for j, path in enumerate(angles):
    panels[3].semilogy(np.degrees(path), label=f"component {j}")
panels[3].set(title="angle (degrees)", xlabel="step", ylim=(1e-5, 90))
panels[3].legend(fontsize=8)

# %%
# The last panel has the angle that is left to the component. Each step multiplies it by the ratio
# of two eigenvalues: the farther apart they are, the faster. After each deflation less of the
# covariance is left; the total variance falls by the eigenvalue.

print("eigenvalues:", model.eigenvalues_.round(4), " left:", np.trace(left_over).round(4))
assert np.isclose(np.trace(left_over), model.eigenvalues_[3], atol=1e-4)

# %%
# More on this: :doc:`/conventions`.
