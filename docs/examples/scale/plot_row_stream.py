"""
Fit a stream of rows that is too long for memory
================================================

A function that yields blocks of rows is enough for a fit. Nothing of the length of the stream is
held. The rows here are made when they are asked for: 200,000 of them, never all at once.
"""

import matplotlib.pyplot as plt
import numpy as np

from mcmodels import LogisticRegression, RowStream

TRUTH = np.array([1.0, -0.5, 0.25, 0.0, 0.0])
walks = []


def blocks(n_blocks=20, size=10_000):
    """The same rows in every walk, because each block has its own seed."""
    walks.append(0)
    for seed in range(n_blocks):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(size, 5))
        y = (X @ TRUTH - 1 + rng.logistic(size=size) > 0).astype(int)
        walks[-1] += size
        yield X, y


model = LogisticRegression(C=np.inf).fit(RowStream(blocks))
print(
    f"{model.n_observations_:.0f} rows, {model.n_iter_[0]} steps, {len(walks)} walks over the rows"
)

# %%
# The same rows in one array give the same fit.

together = [np.concatenate(part) for part in zip(*blocks(), strict=True)]
whole = LogisticRegression(C=np.inf).fit(*together)
print(f"largest difference of a coefficient: {abs(model.params_ - whole.params_).max():.0e}")
assert np.allclose(model.params_, whole.params_, atol=1e-8)

# %%
# How many rows are enough? The same stream, cut after so many blocks.

counts = [1, 2, 5, 10, 20]
fits = []
for count in counts:
    fits.append(LogisticRegression(C=np.inf).fit(RowStream(lambda count=count: blocks(count))))

figure, ax = plt.subplots()
sizes = np.array(counts) * 10_000
for j in range(5):
    shift = sizes * (1 + 0.05 * (j - 2))
    values = [fit.coef_[0, j] - TRUTH[j] for fit in fits]
    ax.errorbar(
        shift,
        values,
        yerr=[1.96 * fit.standard_errors_[j] for fit in fits],
        fmt="o",
        markersize=4,
        capsize=2,
        label=f"x{j}",
    )
ax.axhline(0, color="black", linewidth=1)
ax.set(xscale="log", xlabel="rows", ylabel="estimate less truth, 95 % interval")
ax.legend(ncols=5, fontsize=8)

# %%
# The intervals shrink with the square root of the number of rows, towards the truth.

ratio = fits[0].standard_errors_[0] / fits[-1].standard_errors_[0]
print(f"20 times the rows, intervals shorter by {ratio:.2f}; √20 is {np.sqrt(20):.2f}")
assert abs(ratio - np.sqrt(20)) < 0.15

# %%
# More on this: :doc:`/choosing` and :doc:`/scale`.
