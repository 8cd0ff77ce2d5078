"""
Learn which rows a result owes itself to
========================================

What would a coefficient be without this row? ``attribution`` answers for every row at once, from
one fit. This example compares its answers with real fits without the rows, for the days that
children were absent from school.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import GeneralizedLinearRegressor, attribution, prediction_at

school = pd.read_csv("../../../datasets/quine.csv")
days = school["Days"]
X = pd.get_dummies(school.drop(columns="Days"), drop_first=True).astype(float)
model = GeneralizedLinearRegressor("poisson").fit(X, days)

first = attribution(model, X, days, of="Sex_M")
second = attribution(model, X, days, of="Sex_M", order=2)
exact = first.refit(X.index)
print(first)

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4))
left.axline((0, 0), slope=1, color="0.6", linewidth=1)
left.plot(exact, first.effects, "o", markersize=4)
for row in (103, 71):
    left.annotate(
        f"row {row}", (exact[row], first.effects[row]), (8, -3), "data", textcoords="offset points"
    )
left.set(xlabel="effect by a fit without the row", ylabel="effect from one fit")
for name, found, marker in (("order 1", first, "o"), ("order 2", second, "s")):
    errors = abs(found.effects - exact)
    right.loglog(abs(exact), errors, marker, markersize=3, alpha=0.7, label=name)
right.set(xlabel="size of the effect", ylabel="error of the effect")
right.legend()

# %%
# All points are on the line: two rows, 103 and 71, would take a third of the coefficient each. With
# ``order=2`` the errors are smaller still.

for name, found in (("order 1", first), ("order 2", second)):
    print(f"{name}: largest error {abs(found.effects - exact).max():.6f}")
assert abs(second.effects - exact).max() < abs(first.effects - exact).max() < 0.003

# %%
# A prediction has effects, too: here for the first child.

at_first_child = attribution(model, X, days, of=prediction_at(X.iloc[0]))
print(at_first_child.top(3).round(2))
assert np.isclose(at_first_child.value, model.predict(X[:1])[0])

# %%
# More on this: :doc:`/attribution`.
