"""
Get a large Jacobian from few sweeps
====================================

Where each output depends on few inputs, the Jacobian is nearly empty. Columns that share no row
can then be found together, in one sweep. The function here is one step of heat on a plate with a
source that depends on the temperature.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.sparse import eye_array
from scipy.sparse.linalg import spsolve

from mcmodels.autodiff import jacobian, sparse_jacobian

SIZE = 12


def step(u, dt=0.1):
    """The temperatures after a short time; the border is held at zero."""
    T = np.pad(u.reshape(SIZE, SIZE), 1)
    flow = T[2:, 1:-1] + T[:-2, 1:-1] + T[1:-1, 2:] + T[1:-1, :-2] - 4 * T[1:-1, 1:-1]
    return (T[1:-1, 1:-1] + dt * (flow + 0.03 * np.exp(T[1:-1, 1:-1]))).ravel()


u = np.random.default_rng(0).uniform(size=SIZE**2)
J = sparse_jacobian(step)(u)
print(f"shape {J.shape}, entries {J.nnz}: {J.nnz / np.prod(J.shape):.1%} of all")
assert np.allclose(J.toarray(), jacobian(step)(u))

# %%
# Newton's method for the temperatures that stay as they are, ``step(u) = u``, solves sparse
# systems.

u, changes = np.zeros(SIZE**2), []
for _ in range(6):
    residual = step(u) - u
    changes.append(np.linalg.norm(residual))
    u = u - spsolve((sparse_jacobian(step)(u) - eye_array(SIZE**2)).tocsc(), residual)

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4))
left.spy(J, markersize=1.5)
left.set(title="entries of the Jacobian")
picture = right.imshow(u.reshape(SIZE, SIZE), cmap="inferno")
right.set(title="where it stays", xticks=[], yticks=[])
figure.colorbar(picture, ax=right, label="temperature")

# %%
# Five diagonals: each place has four neighbours. The changes that are left after each step of
# Newton's method:

print(" ".join(f"{change:.0e}" for change in changes))
assert changes[-1] < 1e-12

# %%
# More on this: :doc:`/autodiff`.
