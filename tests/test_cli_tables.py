"""The command line with tables that are read in blocks: fits, predictions, refusals."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from mcmodels import PCA, LinearRegression, LogisticRegression, scan
from mcmodels.cli.model_files import load_model
from mcmodels.tables import sources, table_stream
from tests.test_cli import accepted, contents, facts, refused

# The same float64 numbers, summed in other blocks and another layout in memory: units of 2e-16
# times the condition of these small problems (< 1e4). Newton's method stops at a gradient of 1e-8 a
# row and converges quadratically, so that coefficients are nearer than that to the minimum: fits
# that start elsewhere differ by 3e-11 here.
ROUNDING = 1e-10
FEATURES = ["--features", "distance", "zone", "--categorical", "zone"]
SMALL = 64


def trips(n=900, seed=0):
    rng = np.random.default_rng(seed)
    distance, zone = rng.gamma(2.0, 2.0, n), rng.choice(["Bronx", "Harlem", "SoHo"], n)
    eta = 0.5 * distance - (zone == "SoHo") - 1.5
    return pd.DataFrame(
        {
            "id": [f"{k:04d}" for k in range(n)],
            "distance": distance,
            "zone": zone,
            "driver": rng.integers(0, 30, n),
            "times": rng.integers(0, 4, n),
            "tipped": np.where(rng.random(n) < 1 / (1 + np.exp(-eta)), "yes", "no"),
        }
    )


def coded(frame):
    """The features as a scan codes them."""
    levels = {f"zone_{name}": (frame["zone"] == name) * 1.0 for name in ("Harlem", "SoHo")}
    return pd.DataFrame({"distance": frame["distance"], **levels})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A current directory with the trips of three months, read in blocks of few rows."""
    monkeypatch.chdir(tmp_path)
    for module in (sources, table_stream):
        monkeypatch.setattr(module, "BATCH_ROWS", SMALL)
    Path("trips").mkdir()
    for month, rows in enumerate(np.array_split(trips(), 3)):
        pd.DataFrame(rows, columns=trips().columns).to_parquet(f"trips/{month}.parquet")
    return tmp_path


@pytest.fixture
def model(capsys, folder):
    """A logistic model of the trips; returns the name of its file."""
    options = ["--target", "tipped", *FEATURES, "--C", "inf", "--save", "t.model"]
    accepted(capsys, "fit", "logistic", "trips/*.parquet", *options)
    return "t.model"


def fitted(frame, **fit):
    return LogisticRegression(C=np.inf).fit(coded(frame), frame["tipped"], **fit)


def report_of(capsys, *argv):
    report = json.loads(accepted(capsys, "fit", *argv, "--format", "json"))
    (table,) = report["tables"]
    return report, pd.DataFrame(table["rows"]).set_index("name")


# What fit reads


@pytest.mark.parametrize(
    "data",
    [
        ["trips/*.parquet"],
        ["trips"],
        ["trips/0.parquet", "trips/1.parquet", "trips/2.parquet"],
        ["all.parquet"],
        ["all.arrow"],
        ["all.feather"],
        ["parts/*.csv"],
    ],
    ids=lambda data: data[0],
)
def test_a_fit_to_a_table_is_the_one_in_memory(capsys, folder, data):
    frame = trips()
    frame.to_parquet("all.parquet")
    for name in ("all.arrow", "all.feather"):
        pyarrow.feather.write_feather(frame, name, compression="uncompressed")
    Path("parts").mkdir()
    frame[:500].to_csv("parts/a.csv", index=False)
    frame[500:].to_csv("parts/b.csv", index=False)
    argv = ["logistic", *data, "--target", "tipped", *FEATURES, "--C", "inf"]
    report, table = report_of(capsys, *argv, "--save", "t.model")
    expected = fitted(frame)
    shown = [*expected.feature_names_in_, "(intercept)"]
    assert list(table.index) == shown
    np.testing.assert_allclose(table["coefficient"], expected.params_, rtol=ROUNDING)
    reference = expected.summary().tables[""]["standard_error"]
    np.testing.assert_allclose(table["standard_error"], reference, rtol=ROUNDING)
    counts = frame["tipped"].value_counts()
    assert report["facts"]["rows"] == "900"
    assert report["facts"]["classes"] == f"no ({counts['no']} rows), yes ({counts['yes']} rows)"
    value = expected.objective(coded(frame), frame["tipped"])
    assert report["statistics"]["objective"] == f"{value:.6g}"
    right = expected.score(coded(frame), frame["tipped"])
    assert report["statistics"]["accuracy"] == f"{right:.6g}"
    # In Python, the saved model takes a scan.
    again = load_model("t.model").predict(scan("all.parquet"))
    assert again.tolist() == expected.predict(coded(frame)).tolist()


def test_weights_clusters_conditions_and_missing_values(capsys, folder):
    frame = trips()
    frame.loc[[3, 500], "distance"] = np.nan
    frame.loc[7, "zone"] = None
    frame.to_parquet("gaps.parquet")
    options = ["--target", "tipped", *FEATURES, "--weights", "times", "--cluster", "driver"]
    condition = ["--where", "distance > 1 or id == '0003'", "--drop-missing", "--C", "inf"]
    report, table = report_of(capsys, "logistic", "gaps.parquet", *options, *condition)
    # Where the distance is missing, the condition is not true.
    kept = frame[(frame["distance"] > 1) | (frame["id"] == "0003")]
    used = kept.dropna(subset=["distance", "zone"])
    rows = (coded(used), used["tipped"], used["times"].to_numpy(float))
    expected = fitted(used, sample_weight=rows[2])
    summary = expected.summary(*rows, kind="cluster", groups=used["driver"])
    reference = summary.tables[""]
    for column in ("coefficient", "standard_error"):
        np.testing.assert_allclose(table[column], reference[column], rtol=ROUNDING)
    assert report["facts"]["where"] == "distance > 1 or id == '0003'"
    assert report["facts"]["rows"] == str(len(used))
    dropped = len(kept) - len(used)
    assert report["facts"]["dropped"] == f"{dropped} of {len(kept)} rows, for missing values"
    assert report["facts"]["weights"] == f"times, sum {used['times'].sum():.6g}"


def test_least_squares_and_robust_covariances(capsys, folder):
    frame = trips()
    options = ["--target", "distance", "--features", "zone", "driver", "--categorical", "zone"]
    report, table = report_of(capsys, "linear", "trips", *options, "--covariance", "HC1")
    X = coded(frame).drop(columns="distance").assign(driver=frame["driver"])
    expected = LinearRegression().fit(X, frame["distance"])
    reference = expected.summary(X, frame["distance"], kind="HC1").tables[""]
    for column in ("coefficient", "standard_error"):
        np.testing.assert_allclose(table[column], reference[column], rtol=ROUNDING)
    assert report["statistics"]["R²"] == f"{expected.r_squared_:.6g}"
    value = expected.objective(X, frame["distance"])
    assert report["statistics"]["objective"] == f"{value:.6g}"
    assert report["facts"]["baseline"] == "zone_Bronx"


def test_one_text_file_is_read_in_blocks_only_for_a_condition(capsys, folder):
    trips().to_csv("all.csv", index=False)
    argv = ["fit", "logistic", "all.csv", "--target", "tipped", *FEATURES]
    in_memory = accepted(capsys, *argv)
    assert facts(in_memory)["baseline"] == "zone=Bronx"
    everything = facts(accepted(capsys, *argv, "--where", "distance > -1"))
    for name in ("rows", "classes", "penalty", "objective", "accuracy"):
        assert everything[name] == facts(in_memory)[name]
    in_blocks = accepted(capsys, *argv, "--where", "distance > 1")
    assert facts(in_blocks)["baseline"] == "zone_Bronx"
    assert facts(in_blocks)["rows"] == str((trips()["distance"] > 1).sum())


def test_options_of_columns_may_be_repeated(capsys, folder):
    argv = ["fit", "logistic", "trips", "--target", "tipped"]
    once = accepted(
        capsys, *argv, "--features", "zone", "driver", "--categorical", "zone", "driver"
    )
    again = ["--features", "zone", "--features", "driver", "--categorical", "zone"]
    assert accepted(capsys, *argv, *again, "--categorical", "driver") == once


def test_the_index_that_pandas_has_written_is_no_feature(capsys, folder):
    frame = trips()[["distance", "driver"]]
    frame.sample(frac=1, random_state=0).to_parquet("shuffled.parquet")
    report = accepted(capsys, "fit", "linear", "shuffled.parquet", "--target", "distance")
    assert facts(report)["features"] == "1: driver"


# What predict writes


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".csv.gz", ".tsv"])
def test_predictions_of_blocks_are_those_of_the_whole(capsys, folder, model, suffix):
    out = f"out{suffix}"
    argv = ["predict", model, "trips/*.parquet", "-o", out, "--keep", "id", "times", "--intervals"]
    assert accepted(capsys, *argv) == f"900 rows written to {out}\n"
    frame, keys = trips(), {"id": str}
    separator = "\t" if suffix == ".tsv" else ","
    parquet = suffix == ".parquet"
    found = pd.read_parquet(out) if parquet else pd.read_csv(out, dtype=keys, sep=separator)
    expected = load_model(model)["model"]
    assert found["id"].to_list() == frame["id"].to_list()
    assert found["times"].to_list() == frame["times"].to_list()
    assert found["prediction"].to_list() == expected.predict(coded(frame)).tolist()
    probabilities = found[["probability_no", "probability_yes"]]
    np.testing.assert_allclose(probabilities, expected.predict_proba(coded(frame)), rtol=ROUNDING)
    bounds = expected.predict_interval(coded(frame))
    np.testing.assert_allclose(found["lower_yes"], bounds["lower"], rtol=ROUNDING)
    np.testing.assert_allclose(found["upper_yes"], bounds["upper"], rtol=ROUNDING)
    if parquet:
        assert pq.ParquetFile(out).num_row_groups > 10  # it was written in blocks


def test_rows_that_lack_a_feature_are_left_out_with_their_keys(capsys, folder, model):
    frame = trips()
    frame.loc[: 2 * SMALL, "distance"] = np.nan  # two whole blocks, and more
    frame.loc[[4, 700], "times"] = None  # keys may be missing
    frame.astype({"times": "Int64"}).to_parquet("gaps.parquet")
    argv = ["predict", model, "gaps.parquet", "--drop-missing", "--keep", "id", "times", "-o"]
    said = accepted(capsys, *argv, "out.csv")
    assert said.endswith(
        "771 rows written to out.csv; dropped 129 of 900 rows, for missing values\n"
    )
    found = pd.read_csv("out.csv", dtype=str, keep_default_na=False)
    assert found["id"].to_list() == frame["id"].to_list()[129:]
    assert found["times"].to_list()[700 - 129] == ""
    assert "." not in "".join(found["times"])


def test_keys_of_text_files_stay_text(capsys, folder, model):
    frame = trips().assign(id=[f"{k:05d}" for k in range(900)])
    frame.to_csv("new.csv", index=False)
    accepted(capsys, "predict", model, "new.csv", "-o", "out.csv", "--keep", "id")
    found = pd.read_csv("out.csv", dtype=str)
    assert found["id"].to_list() == frame["id"].to_list()
    assert found["prediction"].to_list() == fitted(trips()).predict(coded(frame)).tolist()


@pytest.mark.parametrize("kind", ["linear", "pca"])
def test_a_model_of_a_text_file_predicts_tables(capsys, folder, kind):
    frame = trips()
    frame.to_csv("all.csv", index=False)
    options = ["--target", "times"] if kind == "linear" else []
    accepted(capsys, "fit", kind, "all.csv", *options, *FEATURES, "--save", "m")
    accepted(capsys, "predict", "m", "all.csv", "-o", "memory.parquet")
    accepted(capsys, "predict", "m", "trips", "-o", "blocks.parquet")
    # One model; a row's own products may round otherwise in another place. Scores have mean zero.
    pd.testing.assert_frame_equal(
        pd.read_parquet("blocks.parquet"),
        pd.read_parquet("memory.parquet"),
        rtol=ROUNDING,
        atol=1e-12,
    )


def test_unseen_levels_are_refused_or_the_baseline(capsys, folder, model):
    frame = trips()
    frame.assign(zone=frame["zone"].where(frame.index != 800, "Queens")).to_parquet("new.parquet")
    argv = ["predict", model, "new.parquet", "-o", "out.parquet"]
    assert refused(capsys, *argv) == (
        f"column 'zone' of {folder}/new.parquet holds 'Queens', which is none of its 3 levels "
        "('Bronx', 'Harlem', 'SoHo'); add --unseen baseline to count it as the first"
    )
    accepted(capsys, *argv, "--unseen", "baseline")
    frame.loc[800, "zone"] = "Bronx"
    expected = load_model(model)["model"].predict_proba(coded(frame))[:, 1]
    found = pd.read_parquet("out.parquet")["probability_yes"]
    np.testing.assert_allclose(found, expected, rtol=ROUNDING)


def test_unseen_levels_of_a_model_in_memory(capsys, folder):
    frame = trips()
    frame.to_csv("all.csv", index=False)
    frame.assign(zone=["Queens", *frame["zone"][1:]]).to_csv("new.csv", index=False)
    frame.assign(zone=["Bronx", *frame["zone"][1:]]).to_csv("old.csv", index=False)
    accepted(capsys, "fit", "linear", "all.csv", "--target", "times", *FEATURES, "--save", "m")
    accepted(capsys, "predict", "m", "new.csv", "-o", "new.out.csv", "--unseen", "baseline")
    accepted(capsys, "predict", "m", "old.csv", "-o", "old.out.csv")
    assert Path("new.out.csv").read_bytes() == Path("old.out.csv").read_bytes()
    accepted(capsys, "fit", "pca", "all.csv", *FEATURES, "--save", "m")
    argv = ["predict", "m", "new.csv", "-o", "new.out.csv", "--unseen", "baseline"]
    message = "--unseen baseline: each level of these components has a column"
    assert refused(capsys, *argv) == message


@pytest.mark.parametrize(
    "levels", [[1, 2, 3], [True, False], [0.5, 0.25], ["a", "b"], pd.Categorical(["u", "v"])]
)
def test_levels_of_any_kind_are_saved(capsys, folder, levels):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"s": pd.Series(levels).sample(60, replace=True, random_state=0)})
    frame = frame.reset_index(drop=True).assign(x=rng.normal(size=60), y=rng.normal(size=60))
    frame.to_parquet("d.parquet")
    options = ["--target", "y", "--categorical", "s", "--save", "m"]
    accepted(capsys, "fit", "linear", "d.parquet", *options)
    accepted(capsys, "predict", "m", "d.parquet", "-o", "out.parquet")
    rows = scan("d.parquet", target="y", categorical=["s"])
    direct = LinearRegression().fit(rows)
    assert load_model("m")["model"].table_columns_ == direct.table_columns_
    found = pd.read_parquet("out.parquet")["prediction"]
    np.testing.assert_allclose(found, direct.predict(rows), rtol=ROUNDING)


def test_components_of_a_table(capsys, folder):
    accepted(capsys, "fit", "pca", "trips", *FEATURES, "--n-components", "2", "--save", "m")
    accepted(capsys, "predict", "m", "trips", "-o", "out.parquet")
    expected = PCA(2).fit_transform(coded(trips()))
    # Scores have mean zero; signs are fixed by the largest loading.
    np.testing.assert_allclose(pd.read_parquet("out.parquet"), expected, rtol=ROUNDING, atol=1e-12)


# Refusals


REFUSALS = {
    "no match": ("fit", ["none*.parquet"], "no file matches '{here}/none*.parquet'."),
    "no file": ("fit", ["none.parquet"], "no such file: none.parquet"),
    "no column": (
        "fit",
        ["trips", "--features", "distnce"],
        "unknown column 'distnce' in trips; did you mean 'distance'?",
    ),
    "text": (
        "fit",
        ["text.parquet", "--features", "zone"],
        "column 'zone' is string, which is no number; name it with --categorical zone, leave it "
        "out with --features, or convert it to numbers",
    ),
    "damaged": ("fit", ["bad/*.parquet"], "{here}/bad/b.parquet cannot be read as parquet: "),
    "condition": (
        "fit",
        ["trips", "--features", "distance", "--where", "distnce > 1"],
        "--where 'distnce > 1' names the column 'distnce', which is not in the table; did you "
        "mean 'distance'",
    ),
    "several kinds": (
        "fit",
        ["trips", "one.csv"],
        "the files are of several kinds (csv, parquet); scan one kind at a time.",
    ),
    "missing": (
        "fit",
        ["gaps.parquet", *FEATURES],
        "gaps.parquet has missing values (column 'distance': 2 in {here}/gaps.parquet); fill them "
        "in, or drop those rows with --drop-missing",
    ),
    "single level": (
        "fit",
        ["level.parquet", *FEATURES],
        "categorical column 'zone' of level.parquet is 'SoHo' in every row; leave it out of the "
        "features",
    ),
    "separator": (
        "fit",
        ["trips", "--sep", ";"],
        "--sep is for one text file that is read into memory, and trips is read in blocks; leave "
        "it out, and store other text as Parquet",
    ),
    "input as output": (
        "predict",
        ["trips", "-o", "trips/1.parquet"],
        "trips/1.parquet is the input file; write to another",
    ),
    "no feature": (
        "predict",
        ["less.parquet"],
        "unknown column 'zone' in less.parquet; it has id, distance, driver, times, tipped",
    ),
    "no key": ("predict", ["trips", "--keep", "key"], "unknown column 'key' in trips; it has "),
    "key of a prediction": (
        "predict",
        ["named.parquet", "--keep", "prediction"],
        "--keep prediction: the predictions have a column of that name",
    ),
    "a gap": (
        "predict",
        ["gaps.parquet"],
        "gaps.parquet has missing values (column 'distance': 2 in {here}/gaps.parquet); fill them "
        "in, or drop those rows with --drop-missing",
    ),
    "infinite": (
        "predict",
        ["infinite.parquet"],
        "column 'distance' of infinite.parquet holds 'inf'; numbers must be finite",
    ),
    "nothing left": (
        "predict",
        ["empty.parquet", "--drop-missing"],
        "empty.parquet has no rows without missing values; there is nothing to predict",
    ),
    "damaged, predict": (
        "predict",
        ["bad/*.parquet"],
        "{here}/bad/b.parquet cannot be read as parquet: ",
    ),
    "standard input": (
        "predict",
        ["-"],
        "standard input gives its rows once, and here they are read in blocks, more than once; "
        "write them to a file, and name that",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_refused_leaves_everything_as_it_was(capsys, folder, model, case):
    command, argv, message = REFUSALS[case]
    frame = trips()
    late = frame.index.isin([700, 850])  # blocks before it have been written by then
    for name, changed in {
        "gaps": frame.assign(distance=frame["distance"].where(~late)),
        "infinite": frame.assign(distance=frame["distance"].where(~late, np.inf)),
        "level": frame.assign(zone="SoHo"),
        "less": frame.drop(columns="zone"),
        "named": frame.assign(prediction=1),
        "empty": frame.assign(distance=np.nan),
    }.items():
        changed.to_parquet(f"{name}.parquet")
    pq.write_table(pa.table({"zone": ["a", "b"], "tipped": ["yes", "no"]}), "text.parquet")
    Path("bad").mkdir()
    frame.to_parquet("bad/a.parquet")
    Path("bad/b.parquet").write_text("no table")
    frame.to_csv("one.csv", index=False)
    Path("out.parquet").write_text("old")
    before = contents(folder)
    if command == "fit":
        argv = ["logistic", *argv, "--target", "tipped", "--save", model]
    else:
        argv = [model, *argv, *([] if "-o" in argv else ["-o", "out.parquet"])]
    assert refused(capsys, command, *argv).startswith(message.replace("{here}", str(folder)))
    assert contents(folder) == before


def test_what_is_missing_does_not_depend_on_how_a_text_file_is_read(capsys, folder):
    frame = trips(200)
    frame["zone"] = frame["zone"].where(np.arange(200) % 7 > 0, "None")
    frame.to_csv("t.csv", index=False)
    options = ["--target", "tipped", *FEATURES, "--C", "inf", "--drop-missing"]
    whole = report_of(capsys, "logistic", "t.csv", *options)
    blocks = report_of(capsys, "logistic", "t.csv", *options, "--where", "distance > -1")
    np.testing.assert_allclose(blocks[1].to_numpy(), whole[1].to_numpy(), rtol=1e-7)


def test_weights_of_components_are_summed(capsys, folder):
    frame = trips(200)
    frame.to_parquet("t.parquet")
    frame.to_csv("t.csv", index=False)
    options = ["--features", "distance", "driver", "--weights", "times"]
    expected = f"times, sum {frame['times'].sum()}"
    for name in ("t.parquet", "t.csv"):
        assert facts(accepted(capsys, "fit", "pca", name, *options))["weights"] == expected


def test_levels_that_are_digits_stay_text_in_text_files(capsys, folder):
    frame = trips(300)
    frame["zone"] = frame["zone"].map({"Bronx": "01", "Harlem": "1", "SoHo": "02"})
    frame.to_parquet("t.parquet")
    options = ["--target", "tipped", *FEATURES, "--C", "inf", "--save", "d.model"]
    accepted(capsys, "fit", "logistic", "t.parquet", *options)
    frame.to_csv("t.csv", index=False)
    frame[:100].to_csv("u.csv", index=False)
    for name, output in (("t.parquet", "a.csv"), ("t.csv", "b.csv")):
        accepted(capsys, "predict", "d.model", name, "--output", output)
    assert Path("a.csv").read_text() == Path("b.csv").read_text()
    accepted(capsys, "predict", "d.model", "u.csv", "t.csv", "--output", "c.csv")
    assert len(pd.read_csv("c.csv")) == 400


def test_kept_columns_whose_types_conflict(capsys, folder, model):
    first, second = trips(50), trips(50)
    second["id"] = range(50)
    first.assign(id=first["id"] + "x").to_csv("1.csv", index=False)
    second.to_csv("2.csv", index=False)
    accepted(capsys, "predict", model, "1.csv", "2.csv", "--keep", "id", "--output", "p.csv")
    kept = pd.read_csv("p.csv", dtype=str)["id"]
    assert list(kept) == [*(first["id"] + "x"), *map(str, range(50))]
    first.to_parquet("1.parquet")
    second.to_parquet("2.parquet")
    said = refused(
        capsys, "predict", model, "1.parquet", "2.parquet", "--keep", "id", "--output", "q.csv"
    )
    assert "'id'" in said
    assert not Path("q.csv").exists()


def test_a_condition_that_no_row_meets(capsys, folder):
    options = ["--target", "tipped", "--features", "distance", "--where", "distance < -1"]
    assert "has no rows for which (distance < -1)" in refused(
        capsys, "fit", "logistic", "trips/*.parquet", *options
    )


def test_codes_that_look_like_numbers_stay_apart(capsys, folder):
    frame = trips(300)
    names = {"Bronx": "02134", "Harlem": "2134", "SoHo": "1e1"}
    frame["zone"] = frame["zone"].map(names)
    frame.to_csv("t.csv", index=False)
    frame.to_parquet("t.parquet")
    options = ["--target", "tipped", *FEATURES, "--C", "inf"]
    parquet = report_of(capsys, "logistic", "t.parquet", *options)[1]
    memory = report_of(capsys, "logistic", "t.csv", *options, "--save", "m.model")[1]
    blocks = report_of(capsys, "logistic", "t.csv", *options, "--where", "distance > -1")[1]
    for other in (memory, blocks):
        np.testing.assert_allclose(other.to_numpy(), parquet.to_numpy(), rtol=1e-7)
    accepted(capsys, "predict", "m.model", "t.csv", "--output", "p.csv")
    assert len(pd.read_csv("p.csv")) == 300
    frame["zone"] = frame["zone"].map({"02134": "1", "2134": "2", "1e1": "10"})
    frame.to_csv("n.csv", index=False)
    numbers = report_of(capsys, "logistic", "n.csv", *options)[1]
    assert list(numbers.index)[1:3] == ["zone=2", "zone=10"]  # in the order of numbers
