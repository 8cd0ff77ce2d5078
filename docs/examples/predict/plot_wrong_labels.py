"""
Find wrong labels by what they do to other rows
===============================================

A row with a wrong label makes predictions of other rows worse. ``attribution`` with ``loss_on``
says by how much, for every row at once. Twelve labels are turned around here on purpose, to see
whether they are found.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import LogisticRegression, attribution, loss_on

penguins = pd.read_csv("../../../datasets/penguins.csv").sample(frac=1, random_state=0)
penguins = penguins[penguins["species"] != "Gentoo"].reset_index(drop=True)
X = penguins[["bill_length_mm", "flipper_length_mm"]]
X = (X - X.mean()) / X.std()
y = (penguins["species"] == "Chinstrap").astype(int)
seen, others = X.index[:150], X.index[150:]

wrong = np.random.default_rng(0).choice(150, 12, replace=False)
labels = y[seen].copy()
labels[wrong] = 1 - labels[wrong]

model = LogisticRegression(C=1.0).fit(X.loc[seen], labels)
found = attribution(model, X.loc[seen], labels, of=loss_on(X.loc[others], y[others]))

# %%
# The effect of a row is the change of the loss on the other penguins without the row. Rows with
# negative effects do harm.

effects = found.effects
order = np.argsort(effects)
figure, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3.4))
is_wrong = np.isin(order, wrong)
left.bar(np.arange(150), effects[order], width=1.0, color=np.where(is_wrong, "C1", "0.75"))
left.set(xlabel="rows, sorted", ylabel="change of the loss without the row")
caught = np.cumsum(is_wrong)
right.plot(np.arange(1, 151), caught, color="C1")
right.plot([0, 150], [0, 12], ":", color="0.5")
right.set(xlabel="rows looked at, worst first", ylabel="wrong labels found")

# %%
# Most of the wrong labels (coloured) are at the left end. Who looks at the first twelve rows finds
# ten of them; the dotted line is what looking at random finds.

print(f"of 12 wrong labels, {caught[11]} are among the first 12 rows, {caught[19]} among 20")
assert caught[11] == 10

# %%
# Without the twenty worst rows the other penguins are predicted better.

kept = np.setdiff1d(np.arange(150), order[:20])
cleaner = LogisticRegression(C=1.0).fit(X.loc[kept], labels[kept])


def loss(fitted):
    p = fitted.predict_proba(X.loc[others])
    return -np.log(p[np.arange(len(p)), y[others]]).mean()


print(f"loss on the others: {loss(model):.3f} with all rows, {loss(cleaner):.3f} without twenty")
assert loss(cleaner) < loss(model)

# %%
# More on this: :doc:`/attribution`.
