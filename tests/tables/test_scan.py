"""Fits of scanned tables are those of the same rows in memory, whatever holds the table."""

import datetime
import decimal
import importlib
import itertools
import sqlite3

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import OneHotEncoder

from mcmodels import PCA, LinearRegression, LogisticRegression, ObjectiveRegressor, scan

pa = pytest.importorskip("pyarrow")
dataset = pytest.importorskip("pyarrow.dataset")
parquet = pytest.importorskip("pyarrow.parquet")
feather = pytest.importorskip("pyarrow.feather")

# Sums over the same rows in other blocks differ by rounding errors; the fits are well conditioned.
RTOL = 1e-10
N = 3000
ZONES = ["Bronx", "Harlem", "Queens", "SoHo"]


def trips(n=N, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "distance": rng.gamma(2.0, 2.0, n),
            "zone": rng.choice(ZONES, n),
            "hour": rng.integers(0, 4, n),
            "night": rng.random(n) < 0.3,
            "weight": rng.uniform(0.5, 2.0, n),
            "driver": rng.integers(0, 40, n),
            "unused": rng.normal(size=n),
        }
    )
    eta = 0.3 * frame["distance"] - (frame["zone"] == "SoHo") + 0.2 * frame["hour"] - 1.0
    frame["fare"] = eta + rng.normal(size=n)
    frame["tipped"] = np.where(rng.random(n) < 1 / (1 + np.exp(-eta)), "yes", "no")
    return frame


FRAME = trips()
FEATURES = ["distance", "zone", "hour", "night"]
OPTIONS = {"features": FEATURES, "categorical": ["zone", "hour"]}


def dense(frame, features=FEATURES, categorical=("zone", "hour")):
    """The design, by scikit-learn's encoder."""
    parts = []
    for name in features:
        if name in categorical:
            encoder = OneHotEncoder(drop="first", sparse_output=False)
            codes = encoder.fit_transform(frame[[name]])
            parts.append(pd.DataFrame(codes, columns=encoder.get_feature_names_out()))
        else:
            parts.append(frame[[name]].astype(float).reset_index(drop=True))
    return pd.concat(parts, axis=1)


# -- every source ----------------------------------------------------------------------------------


def _parts(frame):
    table = pa.Table.from_pandas(frame, preserve_index=False)
    bounds = np.linspace(0, len(frame), 4).astype(int)
    return [table.slice(a, b - a) for a, b in itertools.pairwise(bounds)]


def parquet_pattern(frame, folder):
    for k, part in enumerate(_parts(frame)):
        parquet.write_table(part, folder / f"part-{k}.parquet", row_group_size=300)
    return str(folder / "part-*.parquet")


def parquet_directory(frame, folder):
    parquet_pattern(frame, folder)
    return folder


def list_of_paths(frame, folder):
    parquet_pattern(frame, folder)
    return sorted(folder.glob("*.parquet"))


def feather_file(frame, folder):
    feather.write_feather(pa.Table.from_pandas(frame, preserve_index=False), folder / "t.feather")
    return folder / "t.feather"


def csv_file(frame, folder):
    frame.to_csv(folder / "t.csv", index=False)
    return folder / "t.csv"


def tsv_file(frame, folder):
    frame.to_csv(folder / "t.tsv.gz", index=False, sep="\t")
    return folder / "t.tsv.gz"


def arrow_table(frame, folder):
    return pa.Table.from_pandas(frame, preserve_index=False)


def arrow_dataset(frame, folder):
    return dataset.dataset(parquet_pattern(frame, folder) and folder, format="parquet")


def reader_factory(frame, folder):
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return lambda: pa.RecordBatchReader.from_batches(table.schema, table.to_batches(700))


def pandas_frame(frame, folder):
    return frame


def pandas_categories(frame, folder):
    return frame.astype({"zone": "category"})


def polars_frame(frame, folder):
    return pytest.importorskip("polars").from_pandas(frame)


def polars_lazy(frame, folder):
    return pytest.importorskip("polars").scan_parquet(parquet_pattern(frame, folder))


def duckdb_relation(frame, folder):
    duckdb = pytest.importorskip("duckdb")
    return duckdb.read_parquet(parquet_pattern(frame, folder))


def ibis_table(frame, folder):
    ibis = pytest.importorskip("ibis")
    of_sqlite(frame, folder).close()
    return ibis.sqlite.connect(folder / "trips.db").table("trips")


SOURCES = [
    parquet_pattern,
    parquet_directory,
    list_of_paths,
    feather_file,
    csv_file,
    tsv_file,
    arrow_table,
    arrow_dataset,
    reader_factory,
    pandas_frame,
    pandas_categories,
    polars_frame,
    polars_lazy,
    duckdb_relation,
    ibis_table,
]


def of_duckdb(frame, folder):
    connection = pytest.importorskip("duckdb").connect()
    connection.register("trips", frame)
    return connection


def of_sqlite(frame, folder):
    connection = sqlite3.connect(folder / "trips.db")
    frame.to_sql("trips", connection, index=False)
    return connection


def of_adbc(frame, folder):
    adbc = pytest.importorskip("adbc_driver_sqlite.dbapi")
    of_sqlite(frame, folder).close()
    return adbc.connect(str(folder / "trips.db"))


CONNECTIONS = [of_duckdb, of_sqlite, of_adbc]


def agree(model, other):
    """Parameters, standard errors and Hessian of two fits."""
    np.testing.assert_allclose(model.params_, other.params_, rtol=RTOL, atol=1e-12)
    np.testing.assert_allclose(model.standard_errors_, other.standard_errors_, rtol=RTOL)
    np.testing.assert_allclose(model.hessian_, other.hessian_, rtol=RTOL, atol=1e-8)


@pytest.mark.parametrize("source", SOURCES)
def test_fits_are_those_of_the_rows_in_memory(source, tmp_path):
    table, X = source(FRAME, tmp_path), dense(FRAME)
    linear = LinearRegression().fit(scan(table, "fare", **OPTIONS))
    agree(linear, LinearRegression().fit(X, FRAME["fare"]))
    assert linear.feature_names_in_.tolist() == X.columns.tolist()
    logistic = LogisticRegression(C=np.inf).fit(scan(table, "tipped", **OPTIONS))
    expected = LogisticRegression(C=np.inf).fit(X, FRAME["tipped"])
    agree(logistic, expected)
    assert logistic.classes_.tolist() == ["no", "yes"]
    np.testing.assert_array_equal(logistic.predict(scan(table)), expected.predict(X))


@pytest.mark.parametrize("source", CONNECTIONS)
def test_queries(source, tmp_path):
    connection = source(FRAME, tmp_path)
    rows = scan("SELECT * FROM trips", "fare", connection=connection, **OPTIONS)
    agree(LinearRegression().fit(rows), LinearRegression().fit(dense(FRAME), FRAME["fare"]))
    connection.close()


@pytest.mark.parametrize("source", [parquet_pattern, pandas_frame, polars_lazy])
def test_inference_from_the_same_rows(source, tmp_path):
    table, X = source(FRAME, tmp_path), dense(FRAME)
    rows = scan(table, "fare", weights="weight", groups="driver", **OPTIONS)
    model = LinearRegression().fit(rows)
    fare, weight = FRAME["fare"].to_numpy(), FRAME["weight"].to_numpy()
    expected = LinearRegression().fit(X.to_numpy(), fare, weight)
    agree(model, expected)
    in_memory = X.to_numpy(), fare, weight
    for kind in ("HC0", "HC1", "HC2", "HC3"):
        np.testing.assert_allclose(
            model.covariance(rows, kind=kind),
            expected.covariance(*in_memory, kind=kind),
            rtol=RTOL,
            atol=1e-12,
        )
    np.testing.assert_allclose(
        model.covariance(rows, kind="cluster"),
        expected.covariance(*in_memory, kind="cluster", groups=FRAME["driver"].to_numpy()),
        rtol=RTOL,
        atol=1e-12,
    )
    drivers = FRAME["driver"].to_numpy()
    np.testing.assert_allclose(
        model.summary(rows, kind="CR2").to_frame(),
        expected.summary(*in_memory, kind="CR2", groups=drivers).to_frame(),
        rtol=1e-8,
    )
    first, options = np.eye(model.params_.size)[0], {"draws": 99, "random_state": 0}
    np.testing.assert_allclose(
        model.wild_bootstrap_test(first, rows, **options).interval,
        expected.wild_bootstrap_test(first, *in_memory, groups=drivers, **options).interval,
        rtol=1e-8,
    )
    np.testing.assert_allclose(model.score(rows), expected.score(*in_memory), rtol=RTOL)
    np.testing.assert_allclose(model.predict(rows), expected.predict(X.to_numpy()), rtol=RTOL)
    np.testing.assert_allclose(
        model.influence(rows).to_numpy(), expected.influence(*in_memory).to_numpy(), rtol=1e-8
    )


def test_other_estimators(tmp_path):
    table, X = parquet_pattern(FRAME, tmp_path), dense(FRAME)
    pca = PCA(n_components=2).fit(scan(table, **OPTIONS))
    expected = PCA(n_components=2).fit(X)
    np.testing.assert_allclose(pca.explained_variance_, expected.explained_variance_, rtol=RTOL)
    np.testing.assert_allclose(pca.transform(scan(table)), expected.transform(X), atol=1e-9)
    loss = ObjectiveRegressor("(y - eta)**2").fit(scan(table, "fare", **OPTIONS))
    np.testing.assert_allclose(
        loss.params_, LinearRegression().fit(X, FRAME["fare"]).params_, rtol=1e-8
    )


def test_two_way_clusters_and_several_targets(tmp_path):
    table, X = parquet_pattern(FRAME, tmp_path), dense(FRAME)
    rows = scan(table, "fare", groups=["driver", "hour"], **OPTIONS)
    model, expected = LinearRegression().fit(rows), LinearRegression().fit(X, FRAME["fare"])
    found = model.covariance(rows, kind="cluster")
    groups = FRAME[["driver", "hour"]]
    reference = expected.covariance(X, FRAME["fare"], kind="cluster", groups=groups)
    np.testing.assert_allclose(found, reference, rtol=RTOL, atol=1e-12)
    both = LinearRegression().fit(scan(table, ["fare", "unused"], **OPTIONS))
    targets = FRAME[["fare", "unused"]]
    np.testing.assert_allclose(both.params_, LinearRegression().fit(X, targets).params_, rtol=RTOL)


# -- conditions ------------------------------------------------------------------------------------

CONDITIONS = {
    "distance > 2": FRAME["distance"] > 2,
    "distance > 2 and zone == 'SoHo' or hour in [0, 3]": (
        (FRAME["distance"] > 2) & (FRAME["zone"] == "SoHo") | FRAME["hour"].isin([0, 3])
    ),
    "not (night) and 1 <= hour < 3": ~FRAME["night"] & FRAME["hour"].between(1, 2),
    "zone not in ('SoHo', 'Queens')": ~FRAME["zone"].isin(["SoHo", "Queens"]),
    "unused < distance": FRAME["unused"] < FRAME["distance"],
    "`unused` != -1.5": FRAME["unused"] != -1.5,
}


@pytest.mark.parametrize("where", CONDITIONS)
@pytest.mark.parametrize("source", [parquet_pattern, polars_lazy, duckdb_relation, reader_factory])
def test_conditions_choose_rows(where, source, tmp_path):
    rows = scan(source(FRAME, tmp_path), "fare", ["distance"], where=where)
    kept = FRAME[CONDITIONS[where]]
    expected = LinearRegression().fit(kept[["distance"]], kept["fare"])
    model = LinearRegression().fit(rows)
    assert model.n_observations_ == len(kept)
    agree(model, expected)


def test_a_condition_of_pyarrow(tmp_path):
    kept = FRAME[FRAME["hour"] == 2]
    expression = dataset.field("hour") == 2
    for source in (parquet_pattern, polars_frame):
        rows = scan(source(FRAME, tmp_path), "fare", ["distance"], where=expression)
        agree(
            LinearRegression().fit(rows), LinearRegression().fit(kept[["distance"]], kept["fare"])
        )


def test_levels_are_those_of_the_rows_that_are_used(tmp_path):
    rows = scan(parquet_pattern(FRAME, tmp_path), "fare", where="zone != 'Bronx'", **OPTIONS)
    names = LinearRegression().fit(rows).feature_names_in_.tolist()
    assert names[:3] == ["distance", "zone_Queens", "zone_SoHo"]


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("distance + 1 > 2", "'distance + 1', which is no column"),
        ("distanc > 2", "did you mean 'distance'"),
        ("distance > '2'", "without quotes"),
        ("zone == 1", "in quotes"),
        ("distance is None", "'is'"),
        ("distance == None", "missing='drop'"),
        ("sum(distance) > 1", "'sum(distance)'"),
        ("distance", "alone"),
        ("distance >", "cannot be read"),
        ("1 < 2", "two constants"),
        ("zone in 'SoHo'", "a list"),
        ("zone in []", "empty"),
        ("day > 'soon'", "2024-12-31"),
        ("hour == 99999999999999999999", "out of range"),
        ("zone == [1]", "no number and no text"),
        ("lambda: 1", "no comparison"),
    ],
)
def test_conditions_that_are_refused_say_why(where, words):
    frame = FRAME.assign(day=datetime.date(2024, 5, 1))
    with pytest.raises(ValueError, match=r"where=") as caught:
        scan(frame, "fare", ["distance"], where=where)
    assert words in str(caught.value)


def test_a_condition_on_dates():
    days = pd.date_range("2024-01-01", periods=N, freq="h")
    frame = FRAME.assign(time=days, day=days.date)
    kept = frame[days >= "2024-02-01"]
    for where in ("time >= '2024-02-01'", "day >= '2024-02-01'"):
        rows = scan(frame, "fare", ["distance"], where=where)
        expected = LinearRegression().fit(kept[["distance"]], kept["fare"])
        agree(LinearRegression().fit(rows), expected)


# -- levels ----------------------------------------------------------------------------------------


def test_levels_and_baseline_may_be_given():
    rows = scan(
        FRAME, "fare", ["zone"], categorical={"zone": ["SoHo", "Bronx", "Queens", "Harlem"]}
    )
    assert rows.table_columns.names == ("zone_Bronx", "zone_Queens", "zone_Harlem")
    rows = scan(FRAME, "fare", ["zone"], categorical=["zone"], baseline={"zone": "Queens"})
    assert rows.table_columns.levels == {"zone": ("Queens", "Bronx", "Harlem", "SoHo")}
    model = LinearRegression().fit(rows)
    means = FRAME.groupby("zone")["fare"].mean()
    np.testing.assert_allclose(model.intercept_, means["Queens"], rtol=1e-12)
    np.testing.assert_allclose(model.coef_[2], means["SoHo"] - means["Queens"], rtol=1e-12)


@pytest.mark.parametrize("source", [pandas_frame, pandas_categories, polars_frame])
def test_the_levels_of_the_fit_code_new_rows(source, tmp_path):
    model = LinearRegression().fit(scan(source(FRAME, tmp_path), "fare", **OPTIONS))
    few = FRAME[FRAME["zone"] == "SoHo"].iloc[:5]
    found = model.predict(scan(source(few, tmp_path)))
    whole = model.predict(scan(source(FRAME, tmp_path)))
    np.testing.assert_allclose(found, whole[few.index], rtol=1e-14)
    new = few.assign(zone=["SoHo", "Mars", "SoHo", "SoHo", "Mars"])
    with pytest.raises(ValueError, match=r"'zone' .*'Mars', which is none of its 4 levels"):
        model.predict(scan(source(new, tmp_path)))
    found = model.predict(scan(source(new, tmp_path), unseen="baseline"))
    at_baseline = model.predict(scan(source(few.assign(zone="Bronx"), tmp_path)))
    np.testing.assert_allclose(found[[1, 4]], at_baseline[[1, 4]], rtol=1e-14)


def test_a_model_of_arrays_forgets_the_table():
    model = LinearRegression().fit(scan(FRAME, "fare", **OPTIONS))
    assert model.table_columns_.levels["zone"] == tuple(ZONES)
    model.fit(FRAME[["distance"]], FRAME["fare"])
    assert not hasattr(model, "table_columns_")


# -- missing values --------------------------------------------------------------------------------


def with_gaps():
    frame = FRAME.copy()
    frame["hour"] = frame["hour"].astype("Int64")
    frame.loc[[3, 1500], "distance"] = np.nan
    frame.loc[[4, 3], "zone"] = None
    frame.loc[[7], "hour"] = pd.NA
    frame.loc[[2999], "fare"] = np.nan
    return frame


def test_missing_values_are_counted_by_column_and_file(tmp_path):
    rows = scan(parquet_pattern(with_gaps(), tmp_path), "fare", **OPTIONS)
    with pytest.raises(ValueError, match="missing values") as caught:
        LinearRegression().fit(rows)
    message = str(caught.value)
    first, second, last = (tmp_path / f"part-{k}.parquet" for k in range(3))
    assert f"'distance': 1 in {first}, 1 in {second}" in message
    assert f"'zone': 2 in {first}" in message
    assert f"'hour': 1 in {first}" in message
    assert f"'fare': 1 in {last}" in message
    assert "missing='drop'" in message


@pytest.mark.parametrize("source", [parquet_pattern, pandas_frame, polars_lazy, duckdb_relation])
def test_rows_with_missing_values_are_dropped_and_counted(source, tmp_path):
    frame = with_gaps()
    rows = scan(source(frame, tmp_path), "fare", missing="drop", groups="driver", **OPTIONS)
    model = LinearRegression().fit(rows)
    assert rows.n_dropped == 5
    kept = frame.dropna(subset=[*FEATURES, "fare"]).reset_index(drop=True)
    kept["hour"] = kept["hour"].astype(int)
    X = dense(kept)
    expected = LinearRegression().fit(X, kept["fare"])
    agree(model, expected)
    np.testing.assert_allclose(
        model.covariance(rows, kind="cluster"),
        expected.covariance(X, kept["fare"], kind="cluster", groups=kept["driver"]),
        rtol=RTOL,
        atol=1e-12,
    )


def test_a_level_of_dropped_rows_alone_is_none():
    frame = FRAME.copy()
    frame.loc[0, ["zone", "distance"]] = "Mars", np.nan
    rows = scan(frame, "fare", missing="drop", **OPTIONS)
    assert rows.table_columns.levels["zone"] == tuple(ZONES)


# -- types -----------------------------------------------------------------------------------------


def test_booleans_decimals_dates_and_small_floats_become_numbers():
    days = pd.date_range("2024-01-01", periods=N, freq="6h")
    table = pa.table(
        {
            "flag": pa.array(FRAME["night"]),
            "price": pa.array([decimal.Decimal(f"{v:.2f}") for v in FRAME["distance"]]),
            "day": pa.array(days.date),
            "time": pa.array(days),
            "small": pa.array(FRAME["unused"].to_numpy(), pa.float32()),
            "fare": pa.array(FRAME["fare"]),
        }
    )
    features = ["flag", "price", "day", "time", "small"]
    ((X, y, _),) = scan(table, "fare", features, dates="days")
    np.testing.assert_array_equal(X["flag"], FRAME["night"].astype(float))
    np.testing.assert_array_equal(X["price"], FRAME["distance"].round(2))
    np.testing.assert_array_equal(X["time"], 19723 + np.arange(N) / 4)
    np.testing.assert_array_equal(X["day"], 19723 + np.arange(N) // 4)
    np.testing.assert_array_equal(X["small"], FRAME["unused"].astype(np.float32))
    np.testing.assert_array_equal(y, FRAME["fare"])
    ((X, _, _),) = scan(table, None, ["small"])
    assert X["small"].dtype == np.float32
    ((X, _, _),) = scan(table, None, ["time"], dates="hours")
    np.testing.assert_array_equal(X["time"], 24 * 19723 + 6.0 * np.arange(N))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (pa.array(["a", "b"]), "categorical=['odd']"),
        (pa.array([[1.0], [2.0]]), "columns of their own"),
        (pa.array([{"a": 1}, {"a": 2}]), "columns of their own"),
        (pa.array([b"x", b"y"]), "leave it out"),
        (pa.array([datetime.date(2024, 1, 1)] * 2), "dates='days'"),
        (pa.nulls(2), "leave it out"),
    ],
)
def test_columns_that_are_no_numbers_are_refused_by_name(values, words):
    table = pa.table({"odd": values, "y": [1.0, 2.0]})
    with pytest.raises(TypeError, match="column 'odd' is") as caught:
        LinearRegression().fit(scan(table, "y"))
    assert words in str(caught.value)


# -- what is refused before any work ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"target": "fair"}, "target names 'fair'.* did you mean 'fare'"),
        ({"features": ["distanc"]}, "did you mean 'distance'"),
        ({"categorical": ["colour"], "features": None}, "categorical names 'colour'"),
        ({"categorical": ["hour"], "features": ["zone"]}, "not in features"),
        ({"weights": "wait"}, "weights names 'wait'"),
        ({"groups": "drivers"}, "groups names 'drivers'"),
        ({"groups": ["driver", "hour", "zone"]}, "one or two"),
        ({"baseline": {"distance": 1}}, "not in categorical"),
        ({"features": ["distance", "distance"]}, "twice"),
        ({"features": ["fare", "distance"]}, "both a target and a feature"),
        ({"missing": "ignore"}, "missing='ignore' is none of"),
    ],
)
def test_arguments_are_refused_at_once(options, words):
    with pytest.raises(ValueError, match=words):
        scan(FRAME, **({"target": "fare", "features": ["distance"]} | options))


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(ValueError, match="no file matches"):
        scan(str(tmp_path / "*.parquet"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="directory without files"):
        scan(tmp_path / "empty")
    parquet_pattern(FRAME, tmp_path)
    (tmp_path / "part-1.parquet").write_bytes(b"no parquet")
    with pytest.raises(ValueError, match=r"part-1\.parquet"):
        LinearRegression().fit(scan(str(tmp_path / "part-*.parquet"), "fare", **OPTIONS))
    (tmp_path / "t.xlsx").touch()
    with pytest.raises(ValueError, match="unknown kind"):
        scan(tmp_path / "t.xlsx")


def test_what_can_be_read_only_once_is_refused():
    table = pa.Table.from_pandas(FRAME)
    with pytest.raises(TypeError, match="only once"):
        scan(table.to_reader())
    with pytest.raises(TypeError, match="is no table"):
        scan(3)
    with pytest.raises(TypeError, match="pass the query as text"):
        scan(FRAME, connection=sqlite3.connect(":memory:"))


def test_a_missing_package_is_named(monkeypatch):
    def without(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(ImportError, match=r"pip install 'mcmodels\[tables\]'"):
        scan(FRAME)


# -- rows of all kinds, as conditions see them -----------------------------------------------------


@pytest.mark.parametrize(
    ("values", "where", "kept"),
    [
        (pa.array(["q", None, "r"]), "v not in ['q']", [2]),
        (pa.array(["q", None, "r"]), "not (v in ['q'])", [2]),
        (pa.array(["q", None, "r"]), "v != 'q'", [2]),
        (pa.array(["a`b`c", "x", "y"]), "v == 'a`b`c'", [0]),
        (pa.array(["it's", "x", "y"]), 'v == "it\'s"', [0]),
        (pa.array([0.1, 0.2, 0.3], pa.float32()), "v == 0.1", [0]),
        (pa.array([0.1, 0.2, 0.3], pa.float32()), "v in [0.1, 0.3]", [0, 2]),
        (pa.array([0, 8, 9], pa.decimal128(5, 2)), "v < 8.5", [0, 1]),
        (pa.array([0, 8, 9], pa.decimal128(38, 2)), "v == 8", [1]),
        (pa.array([True, False, True]), "v == 1", [0, 2]),
        (pa.array([True, False, True]), "not v", [1]),
        (pa.array([2023, 2024, 2025]).dictionary_encode(), "v >= 2024", [1, 2]),
        (pa.array(["a", "b", "c"], pa.string_view()), "v > 'a'", [1, 2]),
        (
            pa.array(pd.date_range("2024-01-01", periods=3, freq="h", tz="Europe/Paris")),
            "v > '2024-01-01 01:00:00'",
            [2],
        ),
    ],
)
def test_conditions_on_all_types(values, where, kept):
    table = pa.table({"v": values, "x": [0.0, 1.0, 2.0]})
    found = pd.concat([X for X, _, _ in scan(table, features=["x"], where=where)])
    assert found["x"].tolist() == kept


# -- what a reader of files meets ------------------------------------------------------------------


def test_a_table_that_has_changed_is_read_anew(tmp_path):
    connection = sqlite3.connect(tmp_path / "t.db")
    frame = FRAME.assign(zone=FRAME["zone"])
    frame.to_sql("trips", connection, index=False)
    options = {"features": ["zone"], "categorical": ["zone"], "connection": connection}
    rows = scan("SELECT * FROM trips", "fare", **options)
    before = LinearRegression().fit(rows).intercept_
    connection.execute("UPDATE trips SET fare = fare + 100")
    assert LinearRegression().fit(rows).intercept_ == pytest.approx(before + 100, rel=1e-12)
    path = tmp_path / "t.parquet"
    frame.to_parquet(path)
    rows = scan(path, "fare", ["zone"], categorical=["zone"])
    LinearRegression().fit(rows)
    frame.iloc[:100].to_parquet(path)
    with pytest.raises(ValueError, match="scan it again"):
        LinearRegression().fit(rows)


def test_empty_cells_of_text_files_are_missing(tmp_path):
    frame = FRAME.copy()
    frame.loc[[2, 3], "zone"] = None
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(ValueError, match="'zone': 2 in"):
        LinearRegression().fit(scan(tmp_path / "t.csv", "fare", **OPTIONS))


def test_hidden_files_are_left_out_and_none_is_read_twice(tmp_path):
    parquet_pattern(FRAME, tmp_path)
    for folder in (".ipynb_checkpoints", "_delta_log"):
        (tmp_path / folder).mkdir()
        FRAME.to_parquet(tmp_path / folder / "old.parquet")
    model = LinearRegression().fit(scan(tmp_path, "fare", **OPTIONS))
    assert model.n_observations_ == N
    with pytest.raises(ValueError, match="named twice"):
        scan([tmp_path, tmp_path / "part-0.parquet"], "fare")


def test_directories_may_be_a_column(tmp_path):
    for year, part in FRAME.assign(year=2023 + FRAME["hour"] // 2).groupby("year"):
        (tmp_path / f"year={year}").mkdir()
        part.drop(columns="year").to_parquet(tmp_path / f"year={year}" / "part.parquet")
    model = LinearRegression().fit(scan(tmp_path, "fare", ["distance", "year"]))
    X = FRAME[["distance"]].assign(year=2023 + FRAME["hour"] // 2)
    np.testing.assert_allclose(model.params_, LinearRegression().fit(X, FRAME["fare"]).params_)


def test_files_of_different_types_are_read_as_the_wider_one(tmp_path):
    whole = pa.table({"x": [1, 2, 3], "y": [1.0, 2.0, 3.0]})
    parquet.write_table(whole, tmp_path / "a.parquet")
    parquet.write_table(pa.table({"y": [4.5, 5.0], "x": [4.5, 5.0]}), tmp_path / "b.parquet")
    model = LinearRegression().fit(scan(tmp_path, "y"))
    np.testing.assert_allclose(model.params_, [1.0, 0.0], atol=1e-12)
    parquet.write_table(pa.table({"y": [4.5, 5.0]}), tmp_path / "c.parquet")
    with pytest.raises(ValueError, match=r"'x': 2 in .*c\.parquet"):
        LinearRegression().fit(scan(tmp_path, "y"))
    parquet.write_table(pa.table({"y": [4.5], "x": ["one"]}), tmp_path / "d.parquet")
    with pytest.raises(
        ValueError, match=r"'x' .* it is string in .*d\.parquet, and double in files"
    ):
        LinearRegression().fit(scan(tmp_path, "y"))


@pytest.mark.parametrize("write", [pd.DataFrame.to_parquet, pd.DataFrame.to_csv])
def test_types_that_conflict_matter_only_where_the_column_is_used(write, tmp_path):
    suffix = "csv" if write is pd.DataFrame.to_csv else "parquet"
    for k, code in enumerate((1, "a", 2.5)):
        part = FRAME[k::3].assign(code=code)
        write(part[["code", "distance", "fare"]], tmp_path / f"{k}.{suffix}", index=False)
    model = LinearRegression().fit(scan(tmp_path, "fare", ["distance"]))
    expected = LinearRegression().fit(FRAME[["distance"]], FRAME["fare"])
    np.testing.assert_allclose(model.params_, expected.params_, rtol=1e-12)  # rounding
    for given in ({"features": ["code"]}, {}):
        with pytest.raises(ValueError, match=r"'code' of .* cannot be used: it is .* in .*1\."):
            LinearRegression().fit(scan(tmp_path, "fare", **given))


def test_missing_values_of_a_relation_are_counted():
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    connection.register("trips", with_gaps())
    rows = scan("SELECT * FROM trips", "fare", connection=connection, **OPTIONS)
    with pytest.raises(ValueError, match="'distance': 2"):
        LinearRegression().fit(rows)


def test_columns_that_are_not_used_may_be_anything():
    frame = FRAME.assign(odd=[1, "a"] * (N // 2), wide=1j)
    frame.insert(0, "fare ", 1.0)
    agree(
        LinearRegression().fit(scan(frame, "fare", **OPTIONS)),
        LinearRegression().fit(dense(FRAME), FRAME["fare"]),
    )
    with pytest.raises(ValueError, match=r"'odd' .* cannot be used"):
        scan(frame, "fare", ["odd"])


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"categorical": {"zone": 4}}, TypeError, "pass a list of levels"),
        ({"categorical": {"zone": "abc"}}, TypeError, "pass a list of levels"),
        ({"categorical": {"zone": {"a", "b"}}}, TypeError, "pass a list of levels"),
        ({"baseline": "SoHo"}, TypeError, "a level by column"),
        ({"target": 1}, TypeError, "names no columns"),
        ({"target": []}, ValueError, "names no column"),
        ({"weights": "zone"}, TypeError, "weights='zone' is a column of"),
    ],
)
def test_what_is_no_name_is_refused(options, error, words):
    with pytest.raises(error, match=words):
        scan(FRAME, **({"target": "fare", "features": ["distance", "zone"]} | options))


def test_missing_levels_and_other_types_of_levels_are_refused():
    rows = scan(FRAME, "fare", ["zone"], categorical={"zone": ["SoHo", None]})
    with pytest.raises(ValueError, match="missing value"):
        LinearRegression().fit(rows)
    rows = scan(FRAME, "fare", ["hour"], categorical={"hour": ["0", "1", "2", "3"]})
    with pytest.raises(ValueError, match=r"'hour' .* convert one of them"):
        LinearRegression().fit(rows)
    zeros = pd.DataFrame({"v": [0.0, -0.0, 1.0] * 5, "y": np.arange(15.0)})
    rows = scan(zeros, "y", categorical=["v"])
    assert rows.table_columns.levels["v"] == (0.0, 1.0)
    np.testing.assert_allclose(LinearRegression().fit(rows).predict(rows)[:2], 6.5)


def test_dropped_rows_are_counted_by_predictions_too():
    model = LinearRegression().fit(scan(FRAME, "fare", **OPTIONS))
    rows = scan(with_gaps(), missing="drop")
    assert len(model.predict(rows)) == N - 4
    assert rows.n_dropped == 4


def test_a_statement_that_is_no_query_is_not_run(tmp_path):
    connection = of_sqlite(FRAME, tmp_path)
    with pytest.raises(ValueError, match="no query"):
        scan("DELETE FROM trips", connection=connection)
    assert connection.execute("SELECT count(*) FROM trips").fetchone() == (N,)
    with pytest.raises(ValueError, match="several columns 'fare'"):
        scan("SELECT fare, fare FROM trips", connection=connection)
    with pytest.raises(ValueError, match="connection="):
        scan("SELECT * FROM trips")
