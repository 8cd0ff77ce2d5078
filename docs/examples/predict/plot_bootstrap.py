"""
Draw ten thousand fits from one
===============================

The bootstrap asks how a fit would vary with other data. It usually fits again, many times. Here
one fit and its curvature give ten thousand draws. They also give intervals for anything that is
computed from the coefficients.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from mcmodels import LogisticRegression, bootstrap

passengers = pd.read_csv("../../../datasets/titanic_survival.csv")
X, survived = passengers.drop(columns="survived"), passengers["survived"]
model = LogisticRegression(C=np.inf).fit(X, survived)
found = bootstrap(model, X, survived, random_state=0)
print(found)

# %%
# A function of the coefficients: the probability of a woman of 30 in the first class, less that
# of a man like her.


def difference(params):
    woman = params @ [0.0, 30.0, 0.0, 0.0, 1.0]
    return 1 / (1 + np.exp(-woman)) - 1 / (1 + np.exp(-woman - params[0]))


of_difference = found.function(difference)
print(of_difference.to_frame()[["estimate", "lower", "upper"]].round(3))

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4))
a, b = found.names_.index("age"), found.names_.index("class3rd")
left.hexbin(found.draws_[:, a], found.draws_[:, b], gridsize=40, cmap="Blues", mincnt=1)
angle = np.linspace(0, 2 * np.pi, 100)
circle = np.sqrt(5.99) * np.vstack([np.cos(angle), np.sin(angle)])
factor = np.linalg.cholesky(model.covariance_[np.ix_([a, b], [a, b])])
left.plot(*(model.params_[[a, b], None] + factor @ circle), color="C1", label="95 % by the Hessian")
left.set(xlabel="coefficient of age", ylabel="coefficient of class3rd")
left.legend(loc="upper right")
right.hist(of_difference.draws_[:, 0], bins=60, color="C2")
right.set(xlabel="woman less man", ylabel="draws")

# %%
# The cloud has the shape of the ellipse by the Hessian, although it does not use that the model is
# right: only the rows decide.

inside = np.linalg.solve(factor, (found.draws_[:, [a, b]] - model.params_[[a, b]]).T)
share = np.mean((inside**2).sum(axis=0) < 5.99)
print(f"share of the draws in the ellipse: {share:.3f}")
assert 0.92 < share < 0.97

# %%
# More on this: :doc:`/bootstrap`.
