"""
Compare two models by rows that they have not seen
==================================================

Leaving out each row in turn, and predicting it, is the fairest use of few data. It seems to need
as many fits as rows. ``leave_one_out`` finds all of them from one fit. Which columns predict who
is admitted to a graduate school?
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import LogisticRegression, leave_one_out

data = pd.read_csv("../../../datasets/admissions.csv")
X, admitted = data[["gre", "gpa", "rank"]], data["admit"]

large = leave_one_out(LogisticRegression(C=np.inf).fit(X, admitted), X, admitted)
rank = X[["rank"]]
small = leave_one_out(LogisticRegression(C=np.inf).fit(rank, admitted), rank, admitted)
print(large.compare(small))

# %%
# The log score of a row is the logarithm of the probability that its class was given. The
# difference of two models is known better than each score, because their errors are alike.

scores = large.to_frame()["log_score"], small.to_frame()["log_score"]
figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4))
left.axline((-1, -1), slope=1, color="0.6", linewidth=1)
for label, marker, name in ((0, "o", "not admitted"), (1, "^", "admitted")):
    chosen = admitted == label
    left.plot(scores[1][chosen], scores[0][chosen], marker, markersize=3, alpha=0.6, label=name)
left.set(xlabel="log score by rank alone", ylabel="log score by all three")
left.legend()
right.hist(scores[0] - scores[1], bins=40, color="C2")
right.axvline(0, color="black", linewidth=1)
right.set(xlabel="difference of log scores", ylabel="rows")
right.locator_params(axis="x", nbins=5)

# %%
# Points above the line are predicted better with all three columns. The sum of the differences is
# positive, but only 1.5 times its standard error.
#
# The same by real fits without a row, as a check for twenty of the 400 rows:

found = large.to_frame()["probability_1"]
differences = []
for row in range(0, 400, 20):
    fit = LogisticRegression(C=np.inf).fit(X.drop(index=row), admitted.drop(index=row))
    differences.append(fit.predict_proba(X.loc[[row]])[0, 1] - found[row])
print(f"largest difference to fits without the row: {np.abs(differences).max():.1e}")
assert np.abs(differences).max() < 1e-9

# %%
# More on this: :doc:`/leave_one_out`.
