"""Fits to distinct rows with their sums are fits to all rows."""

import numpy as np
import pandas as pd
import pytest

from mcmodels import PCA, LinearRegression, LogisticRegression, ObjectiveClassifier, scan
from mcmodels.tables.distinct import distinct

pa = pytest.importorskip("pyarrow")

# The fits are well conditioned, and sums in another order differ by rounding errors.
RTOL = 1e-10
KINDS = ("HC0", "HC1", "HC2", "HC3", "cluster")


def table(seed=0, n=4000):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "zone": rng.choice(["a", "b", "c", "d"], n),
            "hour": rng.integers(0, 5, n),
            "night": rng.random(n) < 0.4,
            "firm": rng.integers(0, 12, n),
            "weight": rng.integers(1, 4, n) / 2,
        }
    )
    eta = (frame["zone"] == "c") + 0.3 * frame["hour"] - frame["night"] - 0.5
    frame["y"] = 1e3 + eta + rng.normal(size=n)
    frame["label"] = rng.random(n) < 1 / (1 + np.exp(-eta))
    frame["kind"] = rng.choice(["x", "y", "z"], n)
    return frame


FRAME = table()
OPTIONS = {"features": ["zone", "hour", "night"], "categorical": ["zone"], "groups": "firm"}


def pair(target, **options):
    """Scans of all rows and of the distinct ones."""
    plain = scan(FRAME, target, **(OPTIONS | options), compress=False)
    return plain, scan(FRAME, target, **(OPTIONS | options), compress=True)


@pytest.mark.parametrize("weights", [None, "weight"])
def test_least_squares(weights):
    plain, few = pair("y", weights=weights)
    model, other = LinearRegression().fit(few), LinearRegression().fit(plain)
    assert "distinct rows" in few.explain()
    np.testing.assert_allclose(model.params_, other.params_, rtol=RTOL)
    np.testing.assert_allclose(model.standard_errors_, other.standard_errors_, rtol=RTOL)
    np.testing.assert_allclose(model.r_squared_, other.r_squared_, rtol=RTOL)
    np.testing.assert_allclose(model.log_likelihood_, other.log_likelihood_, rtol=RTOL)
    assert model.n_observations_ == pytest.approx(other.n_observations_, rel=1e-14)
    for kind in KINDS:
        found, expected = (m.covariance(r, kind=kind) for m, r in ((model, few), (other, plain)))
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14, err_msg=kind)
    np.testing.assert_allclose(model.predict(few), other.predict(plain), rtol=RTOL)
    np.testing.assert_allclose(model.score(few), other.score(plain), rtol=RTOL)
    # What is of each row is of every row of the table; a model takes the training rows either way.
    found, expected = model.influence(few), other.influence(plain)
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=1e-7, atol=1e-12)
    found, expected = model.covariance(plain, kind="HC3"), other.covariance(few, kind="HC3")
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("weights", [None, "weight"])
@pytest.mark.parametrize("target", ["label", "kind"])
def test_logistic_regression(target, weights):
    plain, few = pair(target, weights=weights)
    model, other = (LogisticRegression(C=np.inf, tol=1e-12).fit(rows) for rows in (few, plain))
    np.testing.assert_allclose(model.params_, other.params_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(model.standard_errors_, other.standard_errors_, rtol=1e-8)
    for kind in KINDS if target == "label" else ("HC0", "HC1", "cluster"):
        found, expected = (m.covariance(r, kind=kind) for m, r in ((model, few), (other, plain)))
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-12, err_msg=kind)
    np.testing.assert_array_equal(model.predict(few), other.predict(plain))


def test_other_estimators():
    plain, few = (
        scan(FRAME, features=["hour", "night", "firm"], compress=choice) for choice in (False, True)
    )
    found, expected = PCA().fit(few), PCA().fit(plain)
    np.testing.assert_allclose(found.explained_variance_, expected.explained_variance_, rtol=RTOL)
    plain, few = pair("label")
    loss = "softplus(eta) - y*eta"
    found, expected = (ObjectiveClassifier(loss, tol=1e-12).fit(rows) for rows in (few, plain))
    np.testing.assert_allclose(found.params_, expected.params_, rtol=1e-7, atol=1e-9)


def test_levels_alone_are_compressed_and_numbers_are_not():
    levels = {"categorical": ["zone", "hour"]}
    assert "distinct" in scan(FRAME, "y", **(OPTIONS | levels)).explain()
    assert "distinct" not in scan(FRAME, "y", **OPTIONS).explain()
    features = {"features": ["zone", "y"], "categorical": ["zone"]}
    rows = scan(FRAME, "label", **(OPTIONS | features), compress=True)
    assert rows.for_sums() is rows  # rows that do not repeat


def test_missing_values_are_dropped_once_and_counted():
    frame = FRAME.copy()
    frame.loc[[1, 5, 7], "zone"] = None
    frame.loc[9, "y"] = np.nan
    rows = scan(frame, "y", missing="drop", compress=True, **OPTIONS)
    model = LinearRegression().fit(rows)
    assert rows.n_dropped == 4
    kept = frame.drop(index=[1, 5, 7, 9])
    expected = LinearRegression().fit(scan(kept, "y", compress=False, **OPTIONS))
    np.testing.assert_allclose(model.params_, expected.params_, rtol=RTOL)
    with pytest.raises(ValueError, match="'zone': 3"):
        LinearRegression().fit(scan(frame, "y", compress=True, **OPTIONS))


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_sums_do_not_depend_on_the_batches(size):
    """Means and squares of numbers far from zero keep their digits, however rows are cut."""
    keys = ["zone", "night"]
    rows = pa.Table.from_pandas(FRAME[:2000], preserve_index=False)
    found = distinct(iter(rows.to_batches(size)), keys, "weight", "y").to_pandas()
    found = found.sort_values(keys).set_index(keys)
    for key, part in FRAME[:2000].groupby(keys):
        weight, mean, squares = found.loc[key]
        w, y = part["weight"], part["y"] - 1e3
        assert weight == w.sum()
        centre = np.average(y, weights=w)
        # Means near 1e3 hold 1e-13; squares about them a few parts in 1e13.
        assert mean - 1e3 == pytest.approx(centre, abs=1e-12)
        assert squares == pytest.approx((w * (y - centre) ** 2).sum(), rel=1e-12)


def test_many_combinations_are_numbered_anew_as_values_appear():
    """Values that first appear in later batches, and more combinations than a table can hold."""
    rng = np.random.default_rng(3)
    n = 30_000
    frame = pd.DataFrame({name: rng.integers(0, 9, n) * 10**9 for name in "abcdefgh"})
    frame["late"] = np.arange(n) // 1000
    frame = pd.concat([frame, frame], ignore_index=True)
    frame["y"] = rng.normal(size=2 * n)
    batches = pa.Table.from_pandas(frame, preserve_index=False).to_batches(500)
    keys = [*"abcdefgh", "late"]
    found = distinct(iter(batches), keys, None, "y").to_pandas().sort_values(keys)
    expected = frame.groupby(keys)["y"].agg(["size", "mean"]).reset_index()
    np.testing.assert_array_equal(found[keys], expected[keys])
    np.testing.assert_array_equal(found["sum of weights"], expected["size"])
    np.testing.assert_allclose(found["mean of y"], expected["mean"], atol=1e-15)


def test_negative_weights_are_refused():
    frame = FRAME.assign(weight=-1.0)
    with pytest.raises(ValueError, match=r"'weight' must not be negative; found -1"):
        LinearRegression().fit(scan(frame, "y", weights="weight", compress=True, **OPTIONS))


# -- in the engine ---------------------------------------------------------------------------------


@pytest.fixture
def relation():
    """A function that scans a frame as a relation of DuckDB, whose rows may not be read."""
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()

    def scanned(frame, target, **options):
        connection.register("trips", frame)
        query = "SELECT * FROM trips"
        return scan(query, target, connection=connection, **(OPTIONS | options), compress=True)

    return scanned


@pytest.mark.parametrize("target", ["y", "label"])
@pytest.mark.parametrize("weights", [None, "weight"])
def test_duckdb_groups_the_rows(relation, target, weights, monkeypatch):
    levels = {"categorical": {"zone": ["a", "b", "c", "d"]}, "weights": weights}
    rows, plain = relation(FRAME, target, **levels), pair(target, **levels)[0]
    if not (weights and target == "y"):  # a weighted variance is found here
        monkeypatch.setattr(type(rows), "_without_missing", None)
    kind, options = (LinearRegression, {}) if target == "y" else (LogisticRegression, {"C": np.inf})
    model, other = kind(**options).fit(rows), kind(**options).fit(plain)
    np.testing.assert_allclose(model.params_, other.params_, rtol=1e-8, atol=1e-10)
    for robust in ("HC0", "HC3", "cluster"):
        found, expected = (m.covariance(r, kind=robust) for m, r in ((model, rows), (other, plain)))
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-12)


def test_what_duckdb_would_hide_is_refused(relation):
    gaps = FRAME.copy()
    gaps.loc[[1, 2], "zone"] = None
    with pytest.raises(ValueError, match="'zone': 2"):
        LinearRegression().fit(relation(gaps, "y"))
    gaps = FRAME.copy()
    gaps.loc[3, "y"] = np.nan
    with pytest.raises(ValueError, match="'y': 1"):
        LinearRegression().fit(relation(gaps, "y"))
    gaps.loc[3, "y"] = np.inf
    with pytest.raises(ValueError, match="'y' contains infinity"):
        LinearRegression().fit(relation(gaps, "y"))
    negative = FRAME.assign(weight=np.where(np.arange(len(FRAME)) == 5, -1.0, 1.0))
    with pytest.raises(ValueError, match="must not be negative"):
        LogisticRegression().fit(relation(negative, "label", weights="weight"))
    rows = relation(gaps.drop(index=3), "y", missing="drop")
    expected = LinearRegression().fit(scan(gaps.drop(index=3), "y", **OPTIONS))
    np.testing.assert_allclose(LinearRegression().fit(rows).params_, expected.params_, rtol=RTOL)
