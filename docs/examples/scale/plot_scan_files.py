"""
Fit from files without loading them
===================================

``scan`` takes rows from files of Parquet, Arrow or CSV by the names of their columns. A few
batches are in memory at a time. This example writes twelve monthly files of trips, and asks what
makes a passenger tip.
"""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mcmodels import LogisticRegression, results, scan
from mcmodels.plots import CoefficientDisplay

folder = Path(tempfile.mkdtemp())
rng = np.random.default_rng(0)
for month in range(12):
    distance, driver = rng.gamma(2.0, 2.0, 2000), rng.integers(0, 200, 2000)
    zone = np.array(["Bronx", "Harlem", "SoHo"])[driver % 3]  # a driver has one zone
    kindness = np.random.default_rng(1).normal(size=200)[driver]  # the same in every month
    eta = 0.3 * distance - (zone == "SoHo") + kindness - 1
    tipped = np.where(rng.random(2000) < 1 / (1 + np.exp(-eta)), "yes", "no")
    table = pa.table({"distance": distance, "zone": zone, "driver": driver, "tipped": tipped})
    pq.write_table(table, folder / f"trips-{month:02}.parquet")

# %%
# Text becomes columns of zeros and ones. A condition leaves rows out while the files are read.

rows = scan(
    folder / "trips-*.parquet",
    target="tipped",
    features=["distance", "zone"],
    categorical=["zone"],
    groups="driver",
    where="distance > 0.5",
)
model = LogisticRegression(C=np.inf).fit(rows)
print(f"{model.n_observations_:.0f} rows, {model.n_iter_[0]} steps of Newton's method")

# %%
# Trips of one driver are alike, so that standard errors are those of clusters. For them the files
# are read once more.

found = results(model)
clustered = found.with_covariance(rows, kind="cluster")
CoefficientDisplay.from_estimator(
    [found, clustered], labels=["rows are independent", "clusters of drivers"]
)

# %%
# The zone ``Bronx`` is what the others are compared with. The intervals of the zones are much
# wider by clusters, because a driver has one zone. That of ``zone_Harlem`` contains zero, as it
# should: the zone has no effect in this simulation.

table = model.summary(rows, kind="cluster").to_frame()
print(table[["coefficient", "standard_error", "lower", "upper"]].round(3))
assert table.loc["zone_Harlem", "lower"] < 0 < table.loc["zone_Harlem", "upper"]
assert table.loc["zone_SoHo", "upper"] < 0 < table.loc["distance", "lower"]

# %%
# More on this: :doc:`/tables`.
