"""Text files of the command line: separators, marks, encodings, and where their faults are."""

import csv
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from scipy import stats

from mcmodels import PCA, LinearRegression, LogisticRegression
from tests.certified import DATASETS
from tests.test_cli import accepted, facts, refused, run, table, warned

MTCARS, IRIS, USARRESTS = (DATASETS / f"{name}.csv" for name in ("mtcars", "iris", "usarrests"))
RNG = np.random.default_rng(11)
# Numbers of every size with all their digits, and text with every separator in it.
FRAME = pd.DataFrame(
    {
        "x": RNG.normal(size=30) * 10.0 ** RNG.integers(-20, 20, 30),
        "s, or; not": RNG.choice(["a,b", "c;d", "e\tf", "ü"], 30),
        "y": RNG.normal(size=30),
    }
)
CODED = ["--target", "y", "--categorical", "s, or; not"]


def fitted(capsys, path, *options):
    """The numbers of a fit, unrounded."""
    out = accepted(capsys, "fit", "linear", path, *CODED, "--format", "json", *options)
    return json.loads(out)["tables"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize(
    ("sep", "decimal"),
    [(sep, decimal) for sep in ",;\t|" for decimal in ".," if sep != decimal],
)
def test_any_text_file_is_the_same_table(capsys, tmp_path, sep, decimal, encoding):
    FRAME.to_csv(tmp_path / "plain.csv", index=False)
    path = tmp_path / "other.csv"
    FRAME.to_csv(path, index=False, sep=sep, decimal=decimal, encoding=encoding)
    options = ["--decimal", decimal] if decimal != "." else []
    options += ["--encoding", encoding] if encoding != "utf-8" else []
    options += ["--sep", sep] if sep == "|" else []
    # The same float64 numbers in the same order: equal to the last bit.
    assert fitted(capsys, path, *options) == fitted(capsys, tmp_path / "plain.csv")


@pytest.mark.parametrize("named", ["tab", "\\t", "\t"])
def test_a_tab_may_be_named(capsys, tmp_path, named):
    FRAME.to_csv(tmp_path / "plain.csv", index=False)
    FRAME.to_csv(tmp_path / "t.csv", index=False, sep="\t")
    expected = fitted(capsys, tmp_path / "plain.csv")
    assert fitted(capsys, tmp_path / "t.csv", "--sep", named) == expected


@pytest.mark.parametrize("suffix", [".tsv", ".tsv.gz", ".TSV"])
def test_tsv_is_read_and_written(capsys, tmp_path, suffix):
    path, out = tmp_path / f"d{suffix}", tmp_path / f"o{suffix}"
    compression = "gzip" if suffix.endswith("gz") else None
    pd.read_csv(MTCARS).to_csv(path, index=False, sep="\t", compression=compression)
    accepted(capsys, "fit", "linear", path, "--target", "mpg", "--save", tmp_path / "m")
    accepted(capsys, "predict", tmp_path / "m", path, "--output", out, "--keep", "cyl")
    written = pd.read_csv(out, sep="\t", compression=compression)
    assert list(written.columns) == ["cyl", "prediction"]


def test_decimal_commas_with_semicolons_need_the_mark(capsys, tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("x;y\n1,5;2\n2,5;3\n4,0;6\n")
    message = refused(capsys, "fit", "linear", path, "--target", "y", "--features", "x")
    assert message.startswith(f"{path}: 3 of 3 values of 'x' are not numbers: '1,5' in line 2; ")
    assert "write --decimal , if that is the decimal mark" in message
    message = refused(capsys, "fit", "linear", path, "--target", "x")
    assert "; write --decimal , if that is the decimal mark, or the target" in message
    out = accepted(capsys, "fit", "linear", path, "--target", "y", "--decimal", ",")
    expected = LinearRegression().fit([[1.5], [2.5], [4.0]], [2, 3, 6]).params_
    # Six digits are printed.
    np.testing.assert_allclose(table(out)["coefficient"].astype(float), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sep", ";;"], "argument --sep: ';;' cannot separate values; write one character, such"),
        (["--sep", "\n"], "cannot separate values"),
        (["--sep", ",", "--decimal", ","], "--sep and --decimal are both ','; they must differ"),
        (["--encoding", "klingon"], "unknown encoding: klingon"),
        (["--decimal", ";"], "argument --decimal: invalid choice: ';'"),
    ],
)
def test_options_without_a_meaning_are_refused(capsys, options, message):
    assert message in refused(capsys, "fit", "pca", USARRESTS, *options)


@pytest.mark.parametrize("option", [["--sep", ";"], ["--decimal", ","], ["--encoding", "utf-8"]])
def test_parquet_has_no_separators(capsys, tmp_path, option):
    FRAME.to_parquet(tmp_path / "d.parquet")
    message = refused(capsys, "fit", "pca", tmp_path / "d.parquet", *option)
    assert message == f"{option[0]} is for text files, and {tmp_path}/d.parquet is Parquet"


def test_another_encoding_is_offered(capsys, tmp_path):
    path = tmp_path / "d.csv"
    path.write_bytes("größe,y\n1,2\n2,3\n4,1\n".encode("latin-1"))
    assert "; name its encoding, as in --encoding latin-1" in refused(capsys, "fit", "pca", path)
    assert facts(accepted(capsys, "fit", "pca", path, "--encoding", "latin-1"))["features"] == (
        "2: größe, y"
    )


# Where a fault is


def written(rng, sep, end, stray):
    """A text file with blank lines and quoted line breaks, and the line of each stray value."""
    blanks = ["", "  ", " \t" if sep != "\t" else " "]
    line, parts, lines = 1, [], []

    def add(text):
        nonlocal line
        parts.append(text)
        line += text.count(end)

    for row in range(-1, 40):
        for _ in range(rng.choice([0, 0, 0, 1, 2])):
            add(rng.choice(blanks) + end)
        note = rng.choice(["plain", f'"two{end}lines"', f'"{end}{end}"', f'"""{sep}{end}"'])
        if row == -1:
            add(sep.join([note, "x", "y"]) + end)
            continue
        if row in stray:
            lines.append(line)
        x = stray.get(row, f"{rng.normal():.3f}")
        add(sep.join([note, x, f"{rng.normal():.3f}"]) + end)
    return "".join(parts), lines


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("sep", [",", ";", "\t"])
def test_the_line_is_the_one_that_an_editor_shows(capsys, tmp_path, sep, end):
    path = tmp_path / "d.csv"
    for seed in range(5):
        rng = np.random.default_rng(seed)
        stray = {int(row): f"n/a?{row}" for row in rng.choice(40, size=2, replace=False)}
        text, lines = written(rng, sep, end, stray)
        path.write_bytes(text.encode())
        cells = [stray[row] for row in sorted(stray)]
        shown = ", ".join(f"'{c}' in line {n}" for c, n in zip(cells, lines, strict=True))
        options = ["--target", "y", "--features", "x", "--sep", sep]
        message = refused(capsys, "fit", "linear", path, *options)
        assert message.startswith(f"{path}: 2 of 40 values of 'x' are not numbers: {shown}; ")


def test_one_stray_cell_is_counted_and_located(capsys, tmp_path):
    path = tmp_path / "d.csv"
    cells = [f"{k},{k % 7}" for k in range(400)]
    cells[15] = "n/a?,3"
    path.write_text("\n".join(["x,y", *cells]))
    message = refused(capsys, "fit", "linear", path, "--target", "y")
    assert message == (
        f"{path}: 1 of 400 values of 'x' is not a number: 'n/a?' in line 17; correct these values, "
        "or empty them and add --drop-missing, or leave this column out with --features"
    )
    cells[15] = "2024-01-31,3"
    path.write_text("\n".join(["x,y", *cells]))
    message = refused(capsys, "fit", "linear", path, "--target", "y")
    assert "is not a number: '2024-01-31' in line 17; " in message
    assert "--categorical" not in message


@pytest.mark.parametrize(
    "column", [["2024-01-01", "2024-01-01", "2024-02-01"] * 4, list("abcdefg")]
)
def test_dates_and_names_of_rows_are_no_levels(capsys, tmp_path, column):
    frame = pd.DataFrame({"when": column, "y": np.arange(len(column))})
    frame.to_csv(tmp_path / "d.csv", index=False)
    message = refused(capsys, "fit", "linear", tmp_path / "d.csv", "--target", "y")
    assert message.endswith("; leave this column out with --features")


def test_many_stray_cells_are_counted(capsys, tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("x\n" + "".join(f"{k}\n" for k in range(20)) + "?\n" * 5)
    message = refused(capsys, "fit", "pca", path)
    shown = "'?' in line 22, '?' in line 23, '?' in line 24 and 2 more"
    assert f"5 of 25 values of 'x' are not numbers: {shown}; " in message


def test_a_long_record_is_located(capsys, tmp_path):
    path = tmp_path / "d.csv"
    path.write_text('x,y\n\n"a\nb",1\n1,2\n1,2,3\n')
    message = refused(capsys, "fit", "pca", path)
    assert message == f"cannot read {path}: Expected 2 fields in line 6, saw 3"


@pytest.mark.parametrize("header", ["x,x,y", "x, x,y", '"x",x,y', "y,x,z,x", "\n\nx,x.1,x"])
def test_a_name_that_occurs_twice_is_refused(capsys, tmp_path, header):
    path = tmp_path / "d.csv"
    n_columns = header.count(",") + 1
    rows = np.arange(4 * n_columns).reshape(4, n_columns) ** 2
    path.write_text(f"{header}\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    message = refused(capsys, "fit", "pca", path)
    assert message == f"{path} has 2 columns named 'x'; rename them"


def test_a_written_index_is_said(capsys, tmp_path):
    path = tmp_path / "d.csv"
    pd.read_csv(USARRESTS).to_csv(path)
    warning = warned(capsys, "fit", "pca", path)[1]
    assert f"{path} has columns without a name, which are used as features: Unnamed: 0." in warning
    accepted(capsys, "fit", "pca", path, "--features", "Murder", "Rape")
    accepted(capsys, "fit", "pca", path, "--features", "Unnamed: 0", "Rape")


# Rows with missing values


def test_dropped_rows_are_counted_and_leave_the_fit_of_the_others(capsys, tmp_path):
    frame = pd.read_csv(MTCARS)
    whole = frame.drop(index=[3, 7, 20]).reset_index(drop=True)
    frame.loc[[3, 7], "wt"] = np.nan
    frame.loc[[7, 20], "mpg"] = np.nan
    frame.loc[30, "hp"] = np.nan  # no feature, so no reason to drop the row
    frame.to_csv(tmp_path / "gaps.csv", index=False)
    whole.to_csv(tmp_path / "whole.csv", index=False)
    options = ["--target", "mpg", "--features", "wt", "cyl", "--save", tmp_path / "m"]
    out = accepted(capsys, "fit", "linear", tmp_path / "gaps.csv", *options, "--drop-missing")
    assert facts(out)["rows"] == "29"
    assert facts(out)["dropped"] == "3 of 32 rows, for missing values"
    expected = accepted(capsys, "fit", "linear", tmp_path / "whole.csv", *options)
    pd.testing.assert_frame_equal(table(out), table(expected))

    argv = ["predict", tmp_path / "m", tmp_path / "gaps.csv", "--output", tmp_path / "o.csv"]
    assert "2, first in data row 4" in refused(capsys, *argv)
    said = accepted(capsys, *argv, "--keep", "hp", "wt", "--drop-missing")
    assert (
        said == f"30 rows written to {tmp_path}/o.csv; dropped 2 of 32 rows, for missing values\n"
    )
    kept = pd.read_csv(tmp_path / "o.csv")
    complete = frame.drop(index=[3, 7]).reset_index(drop=True)
    pd.testing.assert_frame_equal(kept[["hp", "wt"]], complete[["hp", "wt"]])
    params = LinearRegression().fit(whole[["wt", "cyl"]], whole["mpg"])
    # A row's dot product of three terms.
    np.testing.assert_allclose(
        kept["prediction"], params.predict(complete[["wt", "cyl"]]), rtol=1e-12
    )


def test_lines_and_rows_are_those_of_the_file_after_dropping(capsys, tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("x,y\n1,2\n,3\n\n?,4\n5,1\n")
    options = ["--target", "y", "--drop-missing"]
    message = refused(capsys, "fit", "linear", path, *options)
    assert message.startswith(f"{path}: 1 of 3 values of 'x' is not a number: '?' in line 5; ")
    path.write_text("x,y\n1,2\n,3\ninf,4\n5,1\n")
    message = refused(capsys, "fit", "linear", path, *options)
    assert message == f"column 'x' of {path} holds 'inf' in data row 3; numbers must be finite"


def test_no_row_left_is_refused(capsys, tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("x,y\n1,\n,3\n")
    message = refused(capsys, "fit", "linear", path, "--target", "y", "--drop-missing")
    assert message == f"every row of {path} has missing values, in 'x', 'y'; none is left"
    out = accepted(capsys, "fit", "pca", USARRESTS, "--drop-missing")
    assert facts(out)["dropped"] == "0 of 50 rows, for missing values"


# Intervals and keys


def test_linear_intervals_are_those_of_new_observations(capsys, tmp_path):
    frame = pd.read_csv(MTCARS)
    options = ["--target", "mpg", "--features", "wt", "hp", "--save", tmp_path / "m"]
    accepted(capsys, "fit", "linear", MTCARS, *options)
    argv = ["predict", tmp_path / "m", MTCARS, "--output", tmp_path / "o.csv", "--intervals"]
    accepted(capsys, *argv, "--level", "0.9")
    found = pd.read_csv(tmp_path / "o.csv")
    assert list(found.columns) == ["prediction", "lower", "upper"]
    # The textbook formula, from the normal equations: κ of this design is 1e6 at most.
    design = np.column_stack([np.ones(32), frame["wt"], frame["hp"]])
    inverse = np.linalg.inv(design.T @ design)
    center = design @ (inverse @ design.T @ frame["mpg"])
    sigma = np.sqrt(((frame["mpg"] - center) ** 2).sum() / 29)
    error = sigma * np.sqrt(1 + np.einsum("ij,jk,ik->i", design, inverse, design))
    half = stats.t.ppf(0.95, 29) * error
    np.testing.assert_allclose(found["prediction"], center, rtol=1e-9)
    np.testing.assert_allclose(found["lower"], center - half, rtol=1e-9)
    np.testing.assert_allclose(found["upper"], center + half, rtol=1e-9)


@pytest.mark.parametrize(("path", "target"), [(MTCARS, "am"), (IRIS, "Species")])
def test_logistic_intervals_are_the_estimators(capsys, tmp_path, path, target):
    frame = pd.read_csv(path)
    X = frame[list(frame.columns.drop(target)[:2])]
    options = ["--target", target, "--features", *X.columns, "--C", "10", "--save", tmp_path / "m"]
    accepted(capsys, "fit", "logistic", path, *options)
    out = tmp_path / "o.csv"
    accepted(capsys, "predict", tmp_path / "m", path, "--output", out, "--intervals")
    found = pd.read_csv(out)
    model = LogisticRegression(C=10).fit(X, frame[target])
    expected = model.predict_interval(X)
    several = len(model.classes_) > 2
    for label in model.classes_ if several else [1]:
        wanted = expected[label] if several else expected
        # Newton stops at a gradient of 1e-8 a row, quadratically.
        np.testing.assert_allclose(found[f"lower_{label}"], wanted["lower"], rtol=1e-8)
        np.testing.assert_allclose(found[f"upper_{label}"], wanted["upper"], rtol=1e-8)
        assert (found[f"lower_{label}"] < found[f"probability_{label}"]).all()
    assert several or "lower_0" not in found


def test_intervals_that_cannot_be_had_are_refused(capsys, tmp_path):
    accepted(capsys, "fit", "pca", USARRESTS, "--save", tmp_path / "m")
    argv = ["predict", tmp_path / "m", USARRESTS, "--output", tmp_path / "o.csv"]
    message = refused(capsys, *argv, "--intervals")
    assert message == "--intervals: scores of principal components have no intervals"
    message = refused(capsys, *argv, "--level", "0.9")
    assert message == "--level is the level of intervals; add --intervals"
    accepted(capsys, "fit", "linear", MTCARS, "--target", "mpg", "--save", tmp_path / "m")
    few = tmp_path / "few.csv"
    few.write_text("x,y\n1,2\n2,5\n")
    accepted(capsys, "fit", "linear", few, "--target", "y", "--save", tmp_path / "m")
    argv = ["predict", tmp_path / "m", few, "--output", tmp_path / "o.csv", "--intervals"]
    assert "nothing is left to estimate the noise from" in refused(capsys, *argv)
    assert not (tmp_path / "o.csv").exists()


def test_keys_are_kept_as_they_are_written(capsys, tmp_path):
    path = tmp_path / "d.csv"
    keys = ["007", "1e3", "NA", "", "a,b", '"q"']
    frame = pd.DataFrame({"id": keys, "x": [1.0, 2, 3, 4, 5, 7], "y": [1.0, 3, 2, 4, 6, 5]})
    frame.to_csv(path, index=False)
    options = ["--target", "y", "--features", "x", "--save", tmp_path / "m"]
    accepted(capsys, "fit", "linear", path, *options)
    out = tmp_path / "o.csv"
    argv = ["predict", tmp_path / "m", path, "--output", out, "--keep", "id", "x", "id"]
    accepted(capsys, *argv)
    kept = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert list(kept.columns) == ["id", "x", "prediction"]
    assert kept["id"].to_list() == keys
    assert kept["x"].to_list() == ["1.0", "2.0", "3.0", "4.0", "5.0", "7.0"]


def test_keys_of_parquet_keep_their_type(capsys, tmp_path):
    frame = pd.read_csv(MTCARS).assign(when=pd.Timestamp("2024-05-01").as_unit("ms"))
    frame.to_parquet(tmp_path / "d.parquet")
    accepted(capsys, "fit", "linear", MTCARS, "--target", "mpg", "--save", tmp_path / "m")
    argv = ["predict", tmp_path / "m", tmp_path / "d.parquet", "--output", tmp_path / "o.parquet"]
    accepted(capsys, *argv, "--keep", "when", "cyl")
    kept = pd.read_parquet(tmp_path / "o.parquet")
    pd.testing.assert_frame_equal(kept[["when", "cyl"]], frame[["when", "cyl"]])


def test_keys_that_cannot_be_kept_are_refused(capsys, tmp_path):
    accepted(capsys, "fit", "pca", USARRESTS, "--save", tmp_path / "m")
    new = pd.read_csv(USARRESTS).assign(pca0=1)
    new.to_csv(tmp_path / "d.csv", index=False)
    argv = ["predict", tmp_path / "m", tmp_path / "d.csv", "--output", tmp_path / "o.csv"]
    message = refused(capsys, *argv, "--keep", "pca0")
    assert message == "--keep pca0: the predictions have a column of that name"
    message = refused(capsys, *argv, "--keep", "rape")
    assert message == f"unknown column 'rape' in {tmp_path}/d.csv; did you mean 'Rape'?"


# Tables for machines


def test_json_has_every_digit_of_the_tables(capsys, tmp_path):
    options = ["--target", "mpg", "--features", "wt", "--save", tmp_path / "m"]
    found = json.loads(accepted(capsys, "fit", "linear", MTCARS, *options, "--format", "json"))
    frame = pd.read_csv(MTCARS)
    expected = LinearRegression().fit(frame[["wt"]], frame["mpg"])
    [only] = found["tables"]
    assert [row["name"] for row in only["rows"]] == ["wt", "(intercept)"]
    # Sums in another order, of a design with a condition below 100.
    for name in ("coefficient", "standard_error", "t", "p_value", "lower", "upper"):
        values = [row[name] for row in only["rows"]]
        wanted = expected.summary().to_frame()[name]
        np.testing.assert_allclose(values, wanted, rtol=1e-11)
    assert found["model"] == "Linear regression"
    assert found["facts"]["target"] == "mpg"
    assert found["statistics"]["status"] == "converged"
    assert found["saved"] == str(tmp_path / "m")


@pytest.mark.parametrize(
    "argv",
    [
        ["pca", USARRESTS],
        ["logistic", IRIS, "--target", "Species"],
        ["logistic", IRIS, "--target", "Species", "--C", "inf"],
        ["linear", MTCARS, "--target", "mpg"],
    ],
)
def test_json_and_csv_have_the_tables_of_the_text(capsys, argv):
    code, out, _ = run(capsys, "fit", *argv, "--format", "json")
    assert code == 0

    def no_constants(text):
        raise AssertionError(f"{text} is no JSON")

    found = json.loads(out, parse_constant=no_constants)
    several = len(found["tables"]) > 1
    expected = [
        ({"table": part["heading"]} if several else {}) | row
        for part in found["tables"]
        for row in part["rows"]
    ]
    code, out, _ = run(capsys, "fit", *argv, "--format", "csv")
    assert code == 0
    texts = ("table", "name")
    rows = [
        {key: cell if key in texts else float(cell) for key, cell in row.items() if cell}
        for row in csv.DictReader(out.splitlines())
    ]
    assert rows == [{k: v for k, v in row.items() if v is not None} for row in expected]


def test_numbers_that_json_lacks_are_null(capsys, tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("x,y\n1,2\n2,4\n3,6\n")
    _, out, _ = run(capsys, "fit", "linear", path, "--target", "y", "--format", "json")
    assert "NaN" not in out
    assert "Infinity" not in out
    json.loads(out)


def test_components_are_unchanged_by_the_form(capsys):
    found = json.loads(accepted(capsys, "fit", "pca", USARRESTS, "--format", "json"))
    expected = PCA().fit(pd.read_csv(USARRESTS)).explained_variance_
    values = [row["variance"] for row in found["tables"][0]["rows"]]
    # Sums in another order; κ of the covariance is below 1e4.
    np.testing.assert_allclose(values, expected, rtol=1e-11)


# What is read is what is written


NULLABLE = {"id": "Int64", "deck": "Int64", "alive": "boolean"}


def written_by_others(frame, path):
    """Writes a file that says nothing about the types that the columns have in pandas."""
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
        return
    rows = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pyarrow.parquet.write_table(rows, path)


def with_gaps(rng):
    """Rows of every kind of level and number, and the same rows with missing values among them."""
    n = 60
    big = 2**53 + rng.integers(0, 3, n)  # neighbours are the same float64
    whole = pd.DataFrame(
        {
            "id": big,
            "deck": rng.integers(1, 12, n),  # as text, 10 would stand before 2
            "alive": rng.random(n) < 0.5,
            "word": rng.choice(["u", "v", "w"], n),
            "size": rng.choice([0.5, 1.0, np.pi], n),
            "x": rng.normal(size=n),
            "y": rng.normal(size=n),
        }
    )
    positions = np.sort(rng.choice(np.arange(1, n), 8, replace=False))
    more = whole.iloc[positions].astype(NULLABLE)
    for row in range(len(more)):
        more.iloc[row, rng.integers(len(whole.columns))] = None
    gaps = pd.concat([whole.astype(NULLABLE), more])
    return whole.dtypes, gaps.sort_index(kind="stable").reset_index(drop=True)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "options",
    [
        ["linear", "--target", "y", "--categorical", "id", "deck", "alive", "word", "size"],
        ["linear", "--target", "y", "--features", "x", "alive", "size", "--cluster", "id"],
        ["logistic", "--target", "deck", "--features", "x", "y"],
        ["logistic", "--target", "alive", "--features", "x", "word", "--categorical", "word"],
    ],
)
def test_a_row_that_is_dropped_might_as_well_not_be_there(capsys, tmp_path, suffix, seed, options):
    dtypes, gaps = with_gaps(np.random.default_rng(seed))
    used = ["id", "deck", "alive", "word", "size", "x", "y"]
    if "--features" in options:
        used = [name for name in used if name in options]
    others = [
        options[k + 1] for k in range(len(options)) if options[k] in ("--target", "--cluster")
    ]
    expected = gaps.dropna(subset=used).astype(dtypes[used])
    results = []
    for name, frame in {"gaps": gaps, "whole": expected}.items():
        path, model, out = (tmp_path / f"{name}{end}" for end in (suffix, ".model", ".csv.gz"))
        written_by_others(frame, path)
        argv = ["fit", options[0], path, *options[1:], "--format", "json", "--save", model]
        report = json.loads(accepted(capsys, *argv, "--drop-missing"))
        report["facts"] = {k: v for k, v in report["facts"].items() if k not in ("file", "dropped")}
        written_by_others(frame.dropna(subset=others), path)  # predict drops rows without a feature
        accepted(capsys, "predict", model, path, "--output", out, "--drop-missing")
        results.append([report["facts"], report["tables"], pd.read_csv(out, dtype=str)])
    (facts_1, tables_1, predicted_1), (facts_2, tables_2, predicted_2) = results
    # The same numbers in the same order: equal to the last bit. Of a scan the rows that are left
    # have another layout in memory, so that products round otherwise, by units of 2e-16.
    if suffix == ".csv":
        assert (facts_1, tables_1) == (facts_2, tables_2)
        pd.testing.assert_frame_equal(predicted_1, predicted_2)
        return
    assert facts_1 == facts_2
    numbers_1, numbers_2 = (pd.json_normalize(found, "rows") for found in (tables_1, tables_2))
    pd.testing.assert_frame_equal(numbers_1, numbers_2, rtol=1e-10, atol=1e-12)
    for name, values in predicted_1.items():
        if options[0] == "logistic" and name == "prediction":
            assert values.to_list() == predicted_2[name].to_list()
        else:
            other = predicted_2[name].astype(float)
            np.testing.assert_allclose(values.astype(float), other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("levels", [[1, 2, 3], [True, False], [0.1, 0.5, 2.0], ["1", "2", "x"]])
def test_levels_are_known_though_a_dropped_row_has_a_word(capsys, tmp_path, levels):
    rng = np.random.default_rng(2)
    level = [*levels, *rng.choice(levels, 20)]
    frame = pd.DataFrame({"l": level, "x": rng.normal(size=len(level))})
    frame["y"] = rng.normal(size=len(level))
    path, model, out = tmp_path / "d.csv", tmp_path / "m", tmp_path / "o.csv"
    frame.to_csv(path, index=False)
    options = ["--target", "y", "--categorical", "l", "--save", model]
    accepted(capsys, "fit", "linear", path, *options)
    accepted(capsys, "predict", model, path, "--output", out)
    expected = out.read_bytes()
    with path.open("a") as file:
        file.write("new,,1\n")
    accepted(capsys, "predict", model, path, "--output", out, "--drop-missing")
    assert out.read_bytes() == expected


def test_keys_of_parquet_with_gaps_are_as_they_stand(capsys, tmp_path):
    frame = pd.read_csv(MTCARS)
    frame["key"] = pd.array([2**53 + 1, None, *range(30)], dtype="Int64")
    written_by_others(frame, tmp_path / "d.parquet")
    accepted(capsys, "fit", "linear", MTCARS, "--target", "mpg", "--save", tmp_path / "m")
    argv = ["predict", tmp_path / "m", tmp_path / "d.parquet", "--keep", "key", "--output"]
    accepted(capsys, *argv, tmp_path / "o.csv")
    keys = [line.split(",")[0] for line in (tmp_path / "o.csv").read_text().splitlines()]
    assert keys[:4] == ["key", "9007199254740993", "", "0"]
    accepted(capsys, *argv, tmp_path / "o.parquet")
    kept = pyarrow.parquet.read_table(tmp_path / "o.parquet")["key"]
    assert kept.to_pylist() == [2**53 + 1, None, *range(30)]


# Advice that helps


@pytest.mark.parametrize(
    "cells",
    [
        *(["1 Jan 2020", "1 Jan 2020"], ["Jan 2020", "Feb 2020"], ["20-Jan-2020", "May 3, 2021"]),
        *(["12:30", "12:30"], ["2020-01-31T12:00:00Z"] * 2, ["1st of May", "2nd March"]),
    ],
)
def test_dates_and_times_are_no_levels(capsys, tmp_path, cells):
    frame = pd.DataFrame({"when": cells * 5, "y": np.arange(10)})
    frame.to_csv(tmp_path / "d.csv", index=False)
    message = refused(capsys, "fit", "linear", tmp_path / "d.csv", "--target", "y")
    assert "--categorical" not in message


@pytest.mark.parametrize(
    "cells",
    [
        *(["10%", "5.5 %"], ["$1,250", "-$3"], ["1 200 €", "€ 5"], ["1,234,567", "2,000,000"]),
        *(["1'000", "2'000"], ["(5)", "(12.50)"], ["1_000", "2_000"], ["−1", "−2"]),
    ],
)
def test_numbers_with_marks_are_no_levels(capsys, tmp_path, cells):
    frame = pd.DataFrame({"x": cells * 5, "y": np.arange(10)})
    frame.to_csv(tmp_path / "d.csv", index=False)
    message = refused(capsys, "fit", "linear", tmp_path / "d.csv", "--target", "y")
    assert "write plain numbers, without other marks, currencies or percent signs" in message
    assert "--categorical" not in message


@pytest.mark.parametrize(
    "cells",
    [["18-24", "65+"], ["1st", "2nd"], ["march", "may"], ["A1", "2 marbles"], ["2x4", "5m"]],
)
def test_levels_with_digits_are_levels(capsys, tmp_path, cells):
    frame = pd.DataFrame({"x": cells * 5, "y": np.arange(10)})
    frame.to_csv(tmp_path / "d.csv", index=False)
    message = refused(capsys, "fit", "linear", tmp_path / "d.csv", "--target", "y")
    assert "; name text of few levels with --categorical x, or leave this column out" in message


ENCODINGS = ["latin-1", "utf-16", "utf-32", "utf-16-le", "utf-16-be"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("header", ["x,größe", "x,y"])
def test_the_encoding_that_is_offered_is_the_one(capsys, tmp_path, encoding, header):
    path = tmp_path / "d.csv"
    path.write_bytes(f"{header}\n1,2\n2,3\n4,1\n".encode(encoding))
    if (encoding, header) != ("latin-1", "x,y"):  # that is UTF-8, too
        message = refused(capsys, "fit", "pca", path)
        assert message.endswith(f"; name its encoding, as in --encoding {encoding}")
    out = accepted(capsys, "fit", "pca", path, "--encoding", encoding)
    assert facts(out)["features"] == f"2: {header.replace(',', ', ')}"


def test_utf_8_is_offered_to_who_named_another(capsys, tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("x,größe\n1,2\n2,3\n4,1\n")
    message = refused(capsys, "fit", "pca", path, "--encoding", "ascii")
    assert message.endswith("; name its encoding, as in --encoding utf-8")


def test_an_unclosed_quotation_mark_is_located(capsys, tmp_path):
    path = tmp_path / "d.csv"
    path.write_text('x,y\n\n"1\n",2\n3,"4\n5,6\n7,8\n')
    message = refused(capsys, "fit", "pca", path)
    assert message == (
        f"cannot read {path}: EOF inside string: "
        "the record of line 5 has an unclosed quotation mark"
    )


def test_a_long_cell_changes_no_line_and_no_separator(capsys, tmp_path):
    # csv.field_size_limit() is 131072 unless something is done.
    path = tmp_path / "d.csv"
    path.write_text(f"t\tx\ty\n{'a' * 200_000}\t1\t2\n\nb\t?\t3\nc\t4\t5\n")
    message = refused(capsys, "fit", "linear", path, "--features", "x", "--target", "y")
    assert message.startswith(f"{path}: 1 of 3 values of 'x' is not a number: '?' in line 4; ")
    message = refused(capsys, "fit", "linear", path, "--target", "y")
    assert f"'{'a' * 60}…' in line 2; " in message


def test_a_separator_that_is_not_guessed_is_asked_for(capsys, tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("x|y\n1|2\n2|3\n4|1\n")
    message = refused(capsys, "fit", "linear", path, "--target", "y")
    assert message.endswith("; name what separates values with --sep, if that is not one name")
    assert "name what separates values with --sep, or" in refused(capsys, "fit", "pca", path)
    accepted(capsys, "fit", "pca", path, "--sep", "|")


def test_columns_without_any_value_are_better_left_out(capsys, tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("x,y,\n1,2,\n2,3,\n4,1,\n")  # as spreadsheets write them
    message = refused(capsys, "fit", "pca", path)
    assert message.endswith("; fill them in, or leave out the columns without any value")


def test_messages_hold_nothing_that_a_terminal_obeys(capsys, tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("x,y\n\x1b[31m1,2\n\x7f,3\n1,3\n\ufeff1,3\n")
    message = refused(capsys, "fit", "pca", path)
    shown = r"'\x1b[31m1' in line 2, '\x7f' in line 3, '\ufeff1' in line 5"
    assert message.startswith(f"{path}: 3 of 4 values of 'x' are not numbers: {shown}; ")
    assert "one\\x1b two" in refused(capsys, "fit", "pca", "d.csv", "--nonsense", "one\x1b\ntwo")


def test_nested_columns_of_parquet_are_refused(capsys, tmp_path):
    frame = pd.DataFrame(
        {"x": [[1], [2], [3]], "z": [{"a": 1}, {"a": 2}, {"a": 1}], "y": [1, 2, 4]}
    )
    frame.to_parquet(tmp_path / "d.parquet")
    for name in "xz":
        options = ["--target", "y", "--features", name]
        message = refused(capsys, "fit", "linear", tmp_path / "d.parquet", *options)
        kind = {"x": "list", "z": "struct"}[name]
        assert message.startswith(f"column '{name}' is {kind}<")


@pytest.mark.parametrize("written", [("True", "False"), ("TRUE", "false")])
def test_a_stray_word_among_logical_values_is_the_one_that_is_named(capsys, tmp_path, written):
    path = tmp_path / "d.csv"
    rows = [f"{written[k % 3 == 0]},{k * k % 11}" for k in range(20)]
    path.write_text("\n".join(["x,y", *rows]))
    expected = table(accepted(capsys, "fit", "linear", path, "--target", "y"))
    path.write_text("\n".join(["x,y", *rows[:7], "maybe,3", *rows[7:]]))
    message = refused(capsys, "fit", "linear", path, "--target", "y")
    assert f"{path}: 1 of 21 values of 'x' is not a number: 'maybe' in line 9; " in message
    path.write_text("\n".join(["x,y", *rows[:7], "maybe,", *rows[7:]]))
    out = accepted(capsys, "fit", "linear", path, "--target", "y", "--drop-missing")
    pd.testing.assert_frame_equal(table(out), expected)
    path.write_text("\n".join(["x,y", *rows, "1,2"]))  # logical values among numbers are stray
    assert "20 of 21 values of 'x' are not numbers: " in refused(
        capsys, "fit", "linear", path, "--target", "y"
    )
