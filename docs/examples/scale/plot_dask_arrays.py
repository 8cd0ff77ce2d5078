"""
Fit arrays of Dask where they are
=================================

Arrays of Dask are cut into chunks, which may be on many machines. A fit sends parameters to the
chunks and gets sums back, never rows. The coefficients are those of the same rows in one array.
"""

import dask.array as da
import matplotlib.pyplot as plt
import numpy as np

from mcmodels import LinearRegression, LogisticRegression

rng = np.random.default_rng(0)
rows = rng.normal(size=(60_000, 8))
truth = np.linspace(-1, 1, 8)
chance = 1 / (1 + np.exp(-rows @ truth))
labels = (rng.random(60_000) < chance).astype(int)

X = da.from_array(rows, chunks=(10_000, 8))
y = da.from_array(labels, chunks=10_000)
print(X)

model = LogisticRegression(C=np.inf).fit(X, y)
local = LogisticRegression(C=np.inf).fit(rows, labels)
print(f"largest difference: {abs(model.params_ - local.params_).max():.0e}")
assert np.allclose(model.params_, local.params_, atol=1e-8)

# %%
# Predictions are lazy: nothing is computed before it is asked for.

probability = model.predict_proba(X)[:, 1]
print(probability)

# %%
# How it is cut changes nothing but rounding. Here are least squares with chunks of different
# sizes, beside the estimates of the logistic fit.

sizes = [2_000, 5_000, 10_000, 30_000]
whole = LinearRegression().fit(rows, chance)
differences = []
for size in sizes:
    cut = LinearRegression().fit(
        da.from_array(rows, chunks=(size, 8)), da.from_array(chance, chunks=size)
    )
    differences.append(abs(cut.coef_ / whole.coef_ - 1).max())

figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2))
left.axline((0, 0), slope=1, color="0.6", linewidth=1)
left.errorbar(truth, model.coef_[0], yerr=1.96 * model.standard_errors_[:-1], fmt="o", markersize=4)
left.set(xlabel="truth", ylabel="estimate, 95 % interval")
right.loglog(sizes, np.maximum(differences, 1e-17), "o-", color="C1")
right.axhline(np.finfo(float).eps, color="0.6", linestyle=":")
right.set(xlabel="rows in a chunk", ylabel="relative difference to one array", ylim=(1e-17, 1e-12))
right.set_xticks(sizes, [f"{size:,}" for size in sizes])
right.minorticks_off()

# %%
# The points of the right panel are some ten times the rounding of one number (dotted).

assert max(differences) < 1e-13

# %%
# More on this: :doc:`/dask`.
