"""
Fit a formula, and compare the levels of a factor
=================================================

A formula says which columns a model has. Text columns become factors. This example asks whether
small classes help in mathematics, for pupils with and without a free lunch.
"""

import pandas as pd

from mcmodels import LinearRegression, fit_formula, results
from mcmodels.plots import EffectDisplay

pupils = pd.read_csv("../../../datasets/star_math.csv").rename(columns={"class": "kind"})
pupils["kind"] = pupils["kind"].map({"r": "regular", "s": "small", "a": "with aide"})
pupils["lunch"] = pupils["lunch"].map({"f": "free", "n": "paid"})
pupils = pupils.dropna(subset=["kind", "lunch", "math"])

model = fit_formula("math ~ kind * lunch", pupils, LinearRegression())

# %%
# ``kind * lunch`` has both factors, and lets the effect of one depend on the other. The analysis
# of variance tests each term.

print(results(model).anova(pupils, type=2).round(4))

# %%
EffectDisplay.from_estimator(model, pupils, variable="kind", by="lunch")

# %%
# Small classes are ahead of regular ones, with both kinds of lunch; an aide makes no difference
# that can be seen. The differences to regular classes, with their errors:

differences = results(model).marginal_effects(pupils, "kind", by="lunch")
print(differences[["estimate", "standard_error", "p_value"]].round(3))

# %%
# Without a free lunch the difference is smaller, but still there.

small = differences.xs("small - regular", level="effect")
aide = differences.xs("with aide - regular", level="effect")
assert (small["p_value"] < 0.001).all()
assert (aide["p_value"] > 0.1).all()

# %%
# Schools differ, and pupils of one school are alike. Standard errors by clusters of schools take
# that into account.

by_school = results(model).summary(pupils, kind="cluster", groups="school")
print(by_school.to_frame()[["coefficient", "standard_error", "p_value"]].round(3))

# %%
# More on this: :doc:`/effects` and :doc:`/formulas`.
