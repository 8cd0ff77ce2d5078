"""Fits to distinct rows with their sums are fits to all rows."""

import contextlib
import itertools
import sqlite3
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from mcmodels import PCA, LinearRegression, LogisticRegression, ObjectiveClassifier, scan
from mcmodels.tables.distinct import MEAN, WEIGHT, _standing_for, distinct, in_two_parts

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
    for kind in (*KINDS, "CR2"):
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
        weight, mean, rest, squares = found.loc[key]
        w, y = part["weight"], part["y"] - 1e3
        assert weight == w.sum()
        centre = np.average(y, weights=w)
        # The two parts of a mean hold all digits of its deviation from 1e3; y itself has 1e-13.
        assert (mean - 1e3) + rest == pytest.approx(centre, abs=1e-14)
        assert abs(rest) <= np.spacing(mean) / 2
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
    np.testing.assert_array_equal(found[WEIGHT], expected["size"])
    np.testing.assert_allclose(found[MEAN], expected["mean"], atol=1e-15)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6, 1e9])
@pytest.mark.parametrize("here", [True, False])
def test_targets_far_from_zero_keep_their_digits(offset, here, relation):
    """Slopes, residuals and covariances do not depend on a constant that is added to y.

    Multiples of 2⁻²⁰ stay exact when it is added.
    """
    y = np.round((FRAME["y"] - 1e3) * 2**20) / 2**20
    near = scan(FRAME.assign(y=y), "y", **OPTIONS, compress=False)
    far = FRAME.assign(y=y + offset)
    rows = scan(far, "y", **OPTIONS, compress=True) if here else relation(far, "y")
    expected, found = LinearRegression().fit(near), LinearRegression().fit(rows)
    scale = np.maximum(np.abs(expected.params_), expected.standard_errors_)
    found_params = found.params_ - [*np.zeros(len(scale) - 1), offset]
    # An intercept near 1e9 is rounded to 1e-7.
    rounding = [*np.zeros(len(scale) - 1), np.spacing(offset)]
    assert (np.abs(found_params - expected.params_) <= 1e-10 * scale + rounding).all()
    np.testing.assert_allclose(found.standard_errors_, expected.standard_errors_, rtol=1e-10)
    robust, other = found.covariance(rows, kind="HC3"), expected.covariance(near, kind="HC3")
    sizes = np.sqrt(np.outer(np.diagonal(other), np.diagonal(other)))
    # The intercept near 1e9 is rounded, and all residuals with it: by 6e-8 of their scatter.
    assert np.max(np.abs(robust - other) / sizes) < 1e-9


@pytest.mark.parametrize("scatter", [0.0, 1e-9, 1e-3, 1.0])
def test_three_rows_stand_for_equal_ones(scatter):
    """Their sums, in rationals, are those of the rows."""
    rng = np.random.default_rng(1)
    for origin in (0.0, 1.0, 1e6, -1e9):
        deviation, weight = rng.normal(size=5) * scatter, rng.uniform(1, 50, 5)
        squares = weight * (scatter * rng.uniform(0.5, 2, 5)) ** 2
        mean, rest = in_two_parts(origin, deviation)
        parts = list(_standing_for(weight, mean, rest, squares))
        for k in range(5):
            pairs = [(Fraction(float(w[k])), Fraction(float(y[k]))) for y, w in parts]
            centre = Fraction(float(mean[k])) + Fraction(float(rest[k]))
            assert float(centre - Fraction(origin) - Fraction(float(deviation[k]))) == 0.0
            total = sum(w for w, _ in pairs)
            first = sum(w * (y - centre) for w, y in pairs) / total
            second = sum(w * (y - centre) ** 2 for w, y in pairs)
            spacing = np.spacing(abs(mean[k]))
            s = np.sqrt(squares[k] / weight[k])
            assert float(total) == pytest.approx(weight[k], rel=1e-15)
            # Where s is below the rounding of the mean, the mean stands for the rows.
            lost = spacing if s <= 4 * spacing else 0.0
            assert abs(float(first)) <= 4e-16 * s + lost
            assert float(second) == pytest.approx(
                squares[k], rel=4e-15, abs=weight[k] * 17 * lost**2
            )
            assert min(w for w, _ in pairs) >= 0


def test_squares_are_kept_where_all_means_are_zero(monkeypatch):
    """The origin is the mean of the first rows, from which those of every later row is away."""
    monkeypatch.setattr("mcmodels.tables.distinct._FEWEST_TOGETHER", 100)
    monkeypatch.setattr("mcmodels.tables.table_stream.BATCH_ROWS", 40)
    n = 4000
    y = np.tile([-1.0, 1.0, 1.0, -1.0], n // 4)
    y[3600:] = 0.0
    frame = pd.DataFrame({"g": np.tile(["a", "b"], n // 2), "y": y})
    rows, plain = (scan(frame, "y", categorical=["g"], compress=c) for c in (True, False))
    model, other = LinearRegression().fit(rows), LinearRegression().fit(plain)
    np.testing.assert_allclose(model.standard_errors_, other.standard_errors_, rtol=RTOL)
    np.testing.assert_allclose(model.log_likelihood_, other.log_likelihood_, rtol=RTOL)


@pytest.mark.parametrize("name", ["mean of y", "sum of weights", "number of rows", "least weight"])
def test_a_feature_may_have_the_name_of_a_sum(relation, name):
    frame = FRAME.assign(extra=np.arange(len(FRAME)) % 3).rename(columns={"extra": name})
    features = {"features": ["zone", name], "categorical": ["zone"]}
    found = LinearRegression().fit(relation(frame, "y", **features)).params_
    here = LinearRegression().fit(scan(frame, "y", compress=True, **features)).params_
    expected = LinearRegression().fit(scan(frame, "y", compress=False, **features)).params_
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(here, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("compress", [None, True, False])
def test_levels_of_half_precision(compress):
    levels = np.tile(np.array([1.0, 2.0], dtype=np.float16), 50)
    frame = pd.DataFrame({"g": levels, "y": np.arange(100.0)})
    model = LinearRegression().fit(scan(frame, "y", categorical=["g"], compress=compress))
    np.testing.assert_allclose(model.params_, [1.0, 49.0], rtol=RTOL)


def test_negative_weights_are_refused():
    frame = FRAME.assign(weight=-1.0)
    with pytest.raises(ValueError, match=r"'weight' must not be negative; found -1"):
        LinearRegression().fit(scan(frame, "y", weights="weight", compress=True, **OPTIONS))


# -- in the engine ---------------------------------------------------------------------------------


ENGINES = ["duckdb", "ibis", "polars"]


def _held_by(engine, folder):
    """A function from a frame to what holds it."""
    if engine == "polars":
        polars = pytest.importorskip("polars")
        return lambda frame: polars.from_pandas(frame).lazy(), {}
    if engine == "duckdb":
        connection = pytest.importorskip("duckdb").connect()

        def registered(frame):
            connection.register("trips", frame)
            return "SELECT * FROM trips"

        return registered, {"connection": connection}
    ibis = pytest.importorskip("ibis")
    numbers = itertools.count()

    def written(frame):
        path = folder / f"trips-{next(numbers)}.db"
        with contextlib.closing(sqlite3.connect(path)) as connection:
            frame.to_sql("trips", connection, index=False)
        return ibis.sqlite.connect(path).table("trips")

    return written, {}


@pytest.fixture(params=ENGINES)
def relation(request, tmp_path):
    """A function that scans a frame that an engine holds, for the distinct rows."""
    held, given = _held_by(request.param, tmp_path)

    def scanned(frame, target, **options):
        return scan(held(frame), target, **given, **(OPTIONS | options), compress=True)

    return scanned


@pytest.mark.parametrize("target", ["y", "label"])
@pytest.mark.parametrize("weights", [None, "weight"])
def test_the_engine_groups_the_rows(relation, target, weights, monkeypatch):
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


def test_what_an_engine_would_hide_is_refused(relation):
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
    lacking = FRAME.assign(weight=np.where(np.arange(len(FRAME)) % 5 == 0, np.nan, 1.0))
    with pytest.raises(ValueError, match="'weight'"):
        LogisticRegression().fit(relation(lacking, "label", weights="weight"))
    with pytest.raises(ValueError, match="'weight'"):
        PCA(1).fit(relation(lacking, None, weights="weight"))
    rows = relation(gaps.drop(index=3), "y", missing="drop")
    expected = LinearRegression().fit(scan(gaps.drop(index=3), "y", **OPTIONS))
    np.testing.assert_allclose(LinearRegression().fit(rows).params_, expected.params_, rtol=RTOL)


def test_rows_are_grouped_once_for_a_fit_and_its_covariances(relation, monkeypatch):
    """A new fit groups them again, because nothing tells whether the table has changed."""
    rows, calls = relation(FRAME, "y"), []
    grouped = type(rows._source).grouped
    monkeypatch.setattr(
        type(rows._source), "grouped", lambda *given: calls.append(1) or grouped(*given)
    )
    model = LinearRegression().fit(rows)
    model.covariance(rows, kind="HC1")
    model.covariance(rows, kind="cluster")
    assert len(calls) == 1
    model.fit(rows)
    assert len(calls) == 2
