"""
Model quantiles instead of the mean
===================================

The mean says nothing about the spread. Quantile regression has a line for each quantile. Here are
the subscriptions of 180 journals of economics by their price for a citation, on logarithmic
scales.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import QuantileRegressor

journals = pd.read_csv("../../../datasets/journals.csv")
X = np.log10(journals[["price"]].div(journals["citations"], axis=0))
y = np.log10(journals["subs"])

quantiles = [0.1, 0.5, 0.9]
models = {q: QuantileRegressor(q).fit(X, y) for q in quantiles}

# %%
# Each line is fitted by itself. The model hands out standard errors, too.

for q, model in models.items():
    print(f"{q:.1f}: slope {model.coef_[0]:.3f} ± {model.standard_errors_[0]:.3f}")

# %%
grid = pd.DataFrame({"price": np.linspace(X["price"].min(), X["price"].max(), 50)})
figure, ax = plt.subplots()
ax.plot(X["price"], y, "o", color="0.6", markersize=4)
for q, model in models.items():
    found = model.predict_interval(grid)
    (line,) = ax.plot(grid["price"], found["prediction"], label=f"quantile {q}")
    ax.fill_between(
        grid["price"], found["lower"], found["upper"], alpha=0.2, color=line.get_color()
    )
ax.set(xlabel="log₁₀ of price for a citation", ylabel="log₁₀ of subscriptions")
ax.legend()

# %%
# A tenth of the journals is below the lowest line, a tenth above the highest; the bands are 95 %
# intervals of each line.

shares = {q: float((y <= model.predict(X) + 1e-9).mean()) for q, model in models.items()}
print("share of journals on or below each line:", {q: round(s, 2) for q, s in shares.items()})
assert all(abs(share - q) < 0.02 for q, share in shares.items())

# %%
# More on this: :doc:`/quantile`.
