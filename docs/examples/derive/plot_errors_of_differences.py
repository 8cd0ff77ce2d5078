"""
See what finite differences lose
================================

A derivative can be taken as a difference of two values. With large steps the curve is not
straight; with small ones the values have too few digits. The best step still loses a third to a
half of all digits. Automatic differentiation loses none.
"""

import matplotlib.pyplot as plt
import numpy as np

from mcmodels.autodiff import grad


def f(x):
    return np.exp(x) * np.sin(x) / (1 + x**2)


def exact(x):  # by hand
    quotient = np.exp(x) / (1 + x**2)
    return quotient * (np.sin(x) + np.cos(x) - 2 * x * np.sin(x) / (1 + x**2))


x = 1.3
steps = np.geomspace(1e-16, 1, 120)
true = exact(x)
forward = abs((f(x + steps) - f(x)) / steps - true) / abs(true)
central = abs((f(x + steps) - f(x - steps)) / (2 * steps) - true) / abs(true)
complex_step = abs(np.imag(f(x + 1j * steps)) / steps - true) / abs(true)
automatic = abs(grad(f)(x) - true) / abs(true)

# %%
figure, ax = plt.subplots()
ax.loglog(steps, forward, label="(f(x + h) − f(x)) / h")
ax.loglog(steps, central, "--", label="(f(x + h) − f(x − h)) / 2h")
ax.loglog(steps, np.maximum(complex_step, 1e-17), ":", label="imaginary part of f(x + ih) / h")
ax.axhline(max(automatic, 1e-17), color="C3", linewidth=2, label="grad(f)(x)")
ax.set(xlabel="step h", ylabel="relative error", ylim=(5e-18, 10))
ax.legend(loc="center left", fontsize=8)

# %%
# The forward difference has at best about eight digits, the central one ten or eleven. The step
# into the complex plane has all digits if h is small, for functions that take complex numbers. The
# automatic derivative has no h.

print(f"smallest errors: forward {forward.min():.0e}, central {central.min():.0e}")
print(f"automatic: {automatic:.0e}")
assert automatic < 1e-15
assert np.median(np.sort(forward)[:5]) > 1e-12

# %%
# At a given step the differences are worse: choose h = 1e-12, say.

print(f"forward at h = 1e-12: {forward[np.argmin(abs(steps - 1e-12))]:.0e}")

# %%
# More on this: :doc:`/autodiff`.
