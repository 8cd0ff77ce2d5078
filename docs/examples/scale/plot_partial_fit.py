"""
Fit rows that arrive in parts, exactly
======================================

Rows may come day by day, and not be kept. ``partial_fit`` of ``LinearRegression`` adds a part to
sums of the size of the Hessian. The fit is then that of all rows so far, not an approximation.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import LinearRegression

pupils = pd.read_csv("../../../datasets/star_math.csv").dropna()
X = pd.get_dummies(pupils[["class", "lunch", "gender"]], drop_first=True).astype(float)
y = pupils["math"]
order = np.random.default_rng(0).permutation(len(X))
X, y = X.iloc[order], y.iloc[order]

parts = np.array_split(np.arange(len(X)), 60)
model, coefficients, errors = LinearRegression(), [], []
for part in parts:
    model.partial_fit(X.iloc[part], y.iloc[part])
    coefficients.append(model.coef_.copy())
    errors.append(model.standard_errors_[:-1].copy())
coefficients, errors = np.array(coefficients), np.array(errors)

# %%
# The fit to all rows at once is the same, up to rounding.

whole = LinearRegression().fit(X, y)
print(pd.DataFrame({"in parts": model.coef_, "at once": whole.coef_}, index=X.columns))
print(f"largest relative difference: {np.max(abs(model.coef_ / whole.coef_ - 1)):.0e}")
assert np.allclose(model.coef_, whole.coef_, rtol=1e-10)
assert np.allclose(model.standard_errors_, whole.standard_errors_, rtol=1e-9)

# %%
seen = np.cumsum([len(part) for part in parts])
figure, ax = plt.subplots()
for j, name in enumerate(X.columns):
    (line,) = ax.plot(seen, coefficients[:, j], label=name)
    low, high = coefficients[:, j] - 1.96 * errors[:, j], coefficients[:, j] + 1.96 * errors[:, j]
    ax.fill_between(seen, low, high, alpha=0.2, color=line.get_color())
    ax.plot(seen[-1], whole.coef_[j], "o", color=line.get_color())
ax.set(xlabel="rows so far", ylabel="coefficient, 95 % interval", ylim=(-35, 45))
ax.legend(ncols=2, fontsize=8)

# %%
# Every part makes the bands narrower. They end at the points, which are the fit to all rows.

assert (errors[-1] < errors[5] / 2).all()

# %%
# More on this: :doc:`/choosing` and :doc:`/scale`.
