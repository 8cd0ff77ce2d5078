"""
Differentiate through a simulation
==================================

A ball is thrown into the wind. Where it lands is computed by a loop of two hundred steps. Its
derivative by the throw is exact, so that Newton's method finds the throw that hits a target.
"""

import matplotlib.pyplot as plt
import numpy as np

from mcmodels.autodiff import jacobian

WIND = np.array([-4.0, 0.0])


def fly(velocity, seconds=2.0, steps=200):
    """The place after some seconds, and the way there."""
    dt = seconds / steps
    place, way = np.zeros(2), []
    for _ in range(steps):
        relative = velocity - WIND
        drag = 0.05 * np.sqrt(relative @ relative) * relative
        velocity = velocity - dt * (drag + np.array([0.0, 9.81]))
        place = place + dt * velocity
        way.append(place)
    return place, way


# %%
# The derivative of the place by the velocity at the start: a matrix of 2×2. Differences agree.

throw = np.array([10.0, 12.0])
J = jacobian(lambda v: fly(v)[0])(throw)
h = 1e-5
differences = [(fly(throw + h * e)[0] - fly(throw - h * e)[0]) / (2 * h) for e in np.eye(2)]
print(J.round(4))
print(
    "largest difference to finite differences:", f"{abs(J - np.transpose(differences)).max():.0e}"
)
assert np.allclose(J, np.transpose(differences), atol=1e-7)

# %%
# Newton's method for the throw that is at the target after two seconds.

target = np.array([14.0, 2.0])
figure, ax = plt.subplots(figsize=(7.2, 3.4))
for step in range(5):
    place, way = fly(throw)
    miss = np.linalg.norm(place - target)
    ax.plot(*np.transpose(way), label=f"step {step}: misses by {miss:.1g} m")
    throw = throw - np.linalg.solve(jacobian(lambda v: fly(v)[0])(throw), place - target)
ax.plot(*target, "k*", markersize=12)
ax.set(xlabel="distance (m)", ylabel="height (m)")
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))

# %%
# Three steps are enough to come within a millimetre of the star.

print("throw:", throw.round(3), "metres a second")
assert miss < 1e-6

# %%
# More on this: :doc:`/autodiff`.
