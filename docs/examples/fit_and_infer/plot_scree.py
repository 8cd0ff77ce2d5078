"""
Decide how many principal components there are
==============================================

Principal components are sorted by their variance. Also columns without any relation have
components of unequal variance, by chance. The scree plot shows both: the data's variances, and
those by chance.
"""

import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import PCA, results
from mcmodels.plots import ScreeDisplay

arrests = pd.read_csv("../../../datasets/usarrests.csv")
model = make_pipeline(StandardScaler(), PCA()).fit(arrests)
ScreeDisplay.from_estimator(model)

# %%
# The first component is above what chance gives. The second is not: its variance is near one,
# that of a single column.
#
# The table has the variances with their standard errors and intervals.

print(results(model).summary().tables["Variances"].round(3))

# %%
# Are the columns related at all? The sphericity test asks whether the covariance is a multiple of
# the identity.

print(model[-1].sphericity_test())

# %%
# The numbers by chance come from random data of the same size.

chance = model[-1].parallel_analysis(random_state=0)
print(chance)

# %%
# More on this: :doc:`/recipes`.
