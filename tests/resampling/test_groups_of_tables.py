"""Groups that a scanned table holds are those of every function that leaves rows out."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mcmodels import (
    GeneralizedLinearRegressor,
    LinearRegression,
    MLPRegressor,
    attribution,
    leave_one_out,
    most_influential,
    results,
    scan,
)
from mcmodels.exceptions import InferenceError

pytest.importorskip("pyarrow")
NAMES = ["a", "b"]


def frame():
    rng = np.random.default_rng(11)
    table = pd.DataFrame(rng.normal(size=(80, 2)), columns=NAMES)
    table["school"] = np.array(["u", "v", "w", "x"])[rng.integers(0, 4, 80)]
    table["y"] = table["a"] / 4 + rng.normal(size=80)
    return table


def held(table):
    return scan(table, "y", NAMES, groups="school")


MODELS = {
    "linear": LinearRegression(),
    "poisson": GeneralizedLinearRegressor("poisson", tol=1e-12),
    "pipeline": make_pipeline(StandardScaler(), LinearRegression()),
}


@pytest.mark.parametrize("name", MODELS)
def test_attribution(name):
    table, model = frame(), MODELS[name]
    if name == "poisson":
        table["y"] = np.floor(np.exp(table["y"]))
    model.fit(table[NAMES], table["y"])
    given = attribution(model, table[NAMES], table["y"], of="a", groups=table["school"])
    found = attribution(model, held(table), of="a")
    assert found.effects.index.tolist() == ["u", "v", "w", "x"]
    # The same sums in other blocks.
    assert found.effects.to_numpy() == pytest.approx(given.effects.to_numpy(), rel=1e-8)
    assert found.refit("v").to_numpy() == pytest.approx(given.refit("v").to_numpy(), rel=1e-6)


def test_attribution_of_networks():
    table = frame()
    network = MLPRegressor((2,), activation="tanh", alpha=1.0, tol=1e-8, random_state=0)
    network.fit(table[NAMES], table["y"])
    of = {"of": lambda theta: theta[0]}
    given = attribution(network, table[NAMES], table["y"], groups=table["school"], **of)
    found = attribution(network, held(table), **of)
    # Conjugate gradients end at 1e-10 of the first residual, from sums in other blocks.
    assert found.effects.to_numpy() == pytest.approx(given.effects.to_numpy(), rel=1e-6)


@pytest.mark.parametrize("of_model", [False, True])
def test_clusters_of_influential_rows(of_model):
    table = frame()
    X, y, school = table[NAMES], table["y"], table["school"]
    model = LinearRegression().fit(X, y)
    asked = {"of": "a", "change": "significance", "kind": None if of_model else "cluster"}
    robust = results(model).with_covariance(X, y, kind="cluster", groups=school)
    robust = robust if of_model else model
    given = most_influential(robust, X, y, groups=school, **asked)
    found = most_influential(robust, held(table), **asked)
    assert given.found
    assert found.rows.tolist() == given.rows.tolist()
    # The same sums in other blocks.
    assert found.table.to_numpy() == pytest.approx(given.table.to_numpy(), rel=1e-8)


def test_influential_rows_by_another_covariance_do_not_ask_for_the_clusters():
    table = frame()
    model = LinearRegression().fit(table[NAMES], table["y"])
    expected = most_influential(model, table[NAMES], table["y"], of="a", change="significance")
    found = most_influential(model, held(table), of="a", change="significance")
    assert found.rows.tolist() == expected.rows.tolist()


def test_leave_one_out_with_a_prior_asks_for_arrays():
    table = frame()
    table["y"] = (table["y"] > 0) * 1
    model = GeneralizedLinearRegressor("binomial", prior="jeffreys").fit(table[NAMES], table["y"])
    with pytest.raises(InferenceError, match="pass arrays"):  # groups are fitted from the start
        leave_one_out(model, held(table))


@pytest.mark.parametrize("given", [False, True])
def test_clusters_of_a_table_of_levels(given):
    """Its distinct rows, which a fit takes, are in another order than its rows."""
    rng = np.random.default_rng(14)
    table = pd.DataFrame({"s": rng.choice(list("pqr"), 60), "t": rng.choice(list("mn"), 60)})
    table["school"], table["y"] = np.arange(60) // 6, rng.normal(size=60)
    groups = rng.permutation(table["school"]) if given else table["school"].to_numpy()
    levels = ["s", "t"]
    rows = scan(table, "y", levels, categorical=levels, groups="school")
    X = pd.get_dummies(table[levels], drop_first=True, dtype=float)
    asked = {"of": "t_n", "kind": "cluster", "max_share": 0.2}
    model, dense = LinearRegression().fit(rows), LinearRegression().fit(X, table["y"])
    found = most_influential(model, rows, **asked, **({"groups": groups} if given else {}))
    expected = most_influential(dense, X, table["y"], **asked, groups=groups)
    assert found.rows.tolist() == expected.rows.tolist()
    # The same sums in other blocks.
    assert found.table.to_numpy() == pytest.approx(expected.table.to_numpy(), rel=1e-8)
    errors = [
        fitted.covariance(*of, kind="cluster", groups=groups)
        for fitted, of in ((model, (rows,)), (dense, (X, table["y"])))
    ]
    assert errors[0] == pytest.approx(errors[1], rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("options", [{}, {"groups": "school"}])
def test_other_groups_beside_a_table_in_parts_are_refused(options):
    """Its rows stay where they are: before, the groups of the table were taken in silence."""
    dd = pytest.importorskip("dask.dataframe")
    table = frame()
    rows = scan(dd.from_pandas(table, npartitions=3), "y", NAMES, **options)
    model = LinearRegression().fit(rows)
    with pytest.raises(ValueError, match=r"^groups was given as an array beside a table"):
        model.covariance(rows, kind="cluster", groups=np.arange(len(table)) % 7)
