"""
Find the mistake in a gradient
==============================

A wrong gradient may still lead downhill, so that nobody notices. Taylor's theorem shows it: if the
gradient is right, what it leaves of a change falls with the square of the step. ``diagnose`` also
says which mistake it is.
"""

import matplotlib.pyplot as plt
import numpy as np

from mcmodels import check_gradient
from mcmodels.calculus import diagnose, matrix, norm, vector

A, x, b = matrix("A", "m", "n"), vector("x", "n"), vector("b", "m")
loss = norm(A @ x - b) ** 2

claims = {
    "right": 2 * A.T @ (A @ x - b),
    "factor": A.T @ (A @ x - b),
    "sign": 2 * A.T @ (A @ x + b),
}
for name, claim in claims.items():
    print(f"--- {name}\n{diagnose(loss, x, claim)}")

# %%
# What a step along a direction changes, less what the gradient says:

rng = np.random.default_rng(0)
values = {"A": rng.normal(size=(6, 4)), "b": rng.normal(size=6)}
point, direction = rng.normal(size=4), rng.normal(size=4)
f = loss.compile()

steps = np.geomspace(1e-5, 1, 40)
figure, ax = plt.subplots()
for (name, claim), style in zip(claims.items(), ("o-", "s--", "^:"), strict=True):
    slope = claim.compile()(**values, x=point) @ direction
    left = [f(**values, x=point + h * direction) - f(**values, x=point) - h * slope for h in steps]
    ax.loglog(steps, np.abs(left), style, markersize=3, label=name)
ax.set(xlabel="step h", ylabel="|f(x + hd) − f(x) − h·gᵀd|")
ax.legend(title="gradient")

# %%
# The right gradient leaves h², a line of slope two. The wrong ones leave h: for small steps their
# lines have slope one, so that ten times smaller steps are only ten times better.
#
# For code without a formula there is ``check_gradient``, which takes functions.

A0, b0 = values["A"], values["b"]
checked = check_gradient(
    lambda x: np.sum((A0 @ x - b0) ** 2), lambda x: A0.T @ (A0 @ x - b0), point
)
print(checked)

# %%
# More on this: :doc:`/calculus` and :doc:`/autodiff`.
