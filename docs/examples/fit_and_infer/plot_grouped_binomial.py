"""
Model shares of groups, with three links
========================================

Data are often given as counts in groups: of 3918 girls in 25 groups by age, how many had had
their first menstruation? A binomial model takes the shares, and the number of girls as weights.
The link says which curve is fitted.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import GeneralizedLinearRegressor

girls = pd.read_csv("../../../datasets/menarche.csv")
X, share, total = girls[["Age"]], girls["Menarche"] / girls["Total"], girls["Total"]

models = {
    link: GeneralizedLinearRegressor("binomial", link=link).fit(X, share, total)
    for link in ("logit", "probit", "cloglog")
}

# %%
# The deviance says how far the shares are from the curve: the smaller, the better.

for link, model in models.items():
    print(f"{link:8} deviance {model.deviance_:7.2f}   AIC {model.aic_:7.1f}")

# %%
grid = pd.DataFrame({"Age": np.linspace(9, 18, 200)})
figure, ax = plt.subplots()
ax.plot(X["Age"], share, "o", color="black", markersize=4, label="groups of girls")
for (link, model), dash in zip(models.items(), ("-", "--", ":"), strict=True):
    found = model.predict_interval(grid)
    (line,) = ax.plot(grid["Age"], found["prediction"], dash, label=link)
    ax.fill_between(grid["Age"], found["lower"], found["upper"], alpha=0.2, color=line.get_color())
ax.set(xlabel="age in years", ylabel="share with menarche")
ax.legend()

# %%
# Logit and probit are hard to tell apart, and follow the points. The curve of the complementary
# log-log link is not symmetric: it is above the points of the youngest girls, and below most of
# those around 13 years.

assert models["cloglog"].deviance_ > 2 * models["logit"].deviance_

# %%
# More on this: :doc:`/glm`.
