"""Batches of files are what pyarrow reads of them at once."""

import numpy as np
import pandas as pd
import pytest

from mcmodels.tables import datasets
from mcmodels.tables.datasets import DatasetSource
from mcmodels.tables.files import of_files

pa = pytest.importorskip("pyarrow")
csv = pytest.importorskip("pyarrow.csv")
ds = pytest.importorskip("pyarrow.dataset")

FRAME = pd.DataFrame(
    {
        "fare": [1.5, np.nan, -3.25e10, 4.0, 5.0],
        "zone": ["north", "", "a, b", 'quo"ted', "ü"],
        "n": [1, 2, None, 4, 5],
    }
).astype({"n": "Int64"})


def read(source, columns, where=None):
    """All batches together."""
    batches = [batch for _, batch in source.batches(columns, where)]
    return pa.Table.from_batches(batches).to_pylist()


@pytest.mark.parametrize("part", [1, 7, 40, 2**22])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last_line_ends", [True, False])
@pytest.mark.parametrize("suffix", ["csv", "tsv", "csv.gz"])
def test_parts_of_text(part, end, last_line_ends, suffix, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "_PART_BYTES", part)
    path = tmp_path / f"t.{suffix}"
    written = FRAME.to_csv(index=False, sep="\t" if "tsv" in suffix else ",", lineterminator=end)
    written = written if last_line_ends else written[: -len(end)]
    if suffix.endswith("gz"):
        with pa.output_stream(str(path), compression="gzip") as out:
            out.write(written.encode())
    else:
        path.write_bytes(written.encode())
    source = of_files(path)
    for columns in (["fare", "zone", "n"], ["n", "fare"]):
        assert str(read(source, columns)) == str(source.dataset.to_table(columns).to_pylist())
    where = pa.compute.field("fare") > 1
    expected = source.dataset.to_table(["zone", "fare"], filter=where).to_pylist()
    assert read(source, ["zone", "fare"], where) == expected


@pytest.mark.parametrize("part", [5, 2**22])
def test_directories_and_columns_that_one_file_lacks(part, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "_PART_BYTES", part)
    for year in (2023, 2024):
        (tmp_path / f"year={year}").mkdir()
        columns = ["fare", "zone"] if year == 2023 else ["zone", "fare", "n"]
        FRAME[columns].to_csv(tmp_path / f"year={year}" / "t.csv", index=False)
    source = of_files(tmp_path)
    columns = ["year", "n", "fare"]
    assert str(read(source, columns)) == str(source.dataset.to_table(columns).to_pylist())
    where = pa.compute.field("year") == 2024
    assert [row["year"] for row in read(source, columns, where)] == [2024] * len(FRAME)


@pytest.mark.parametrize("part", [1, 7, 16, 2**22])
@pytest.mark.parametrize("count", [1, 100_000])
def test_line_breaks_in_quoted_values(part, count, tmp_path, monkeypatch):
    """They are no rows of their own, wherever a part or a block of Arrow ends."""
    if count > 1 and part < 2**22:
        pytest.skip("so many parts take long")
    monkeypatch.setattr(datasets, "_PART_BYTES", part)
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n" + '1,2,"x\n5,6,y"\n3,4,z\n' * count)
    rows = read(of_files(path), ["a", "b", "c"])
    expected = [{"a": 1, "b": 2, "c": "x\n5,6,y"}, {"a": 3, "b": 4, "c": "z"}]
    assert rows == expected * count


@pytest.mark.parametrize("part", [1, 7, 64, 1000])
@pytest.mark.parametrize("seed", range(5))
def test_quotation_marks_inside_values_open_nothing(part, seed, tmp_path, monkeypatch):
    """Beside quoted values with line breaks and doubled marks; pandas reads them the same."""
    monkeypatch.setattr(datasets, "_PART_BYTES", part)
    rng = np.random.default_rng(seed)
    cells = ['5" pipe', '"x\ny"', "plain", '"a ""b"" c"', '12"', '"p,\n""q"', "é"]
    chosen = rng.choice(cells, 60)
    path = tmp_path / "t.csv"
    path.write_text("n,c\n" + "".join(f"{k},{cell}\n" for k, cell in enumerate(chosen)))
    expected = pd.read_csv(path).to_dict("records")
    assert read(of_files(path), ["n", "c"]) == expected


@pytest.mark.parametrize("quote", ["", '"'])
def test_missing_values_of_text_are_those_of_pandas(quote, tmp_path):
    words = ["", "NA", "None", "NULL", "NaN", "nan", "N/A", "<NA>", "#N/A", "none", "na", "-", "x"]
    path = tmp_path / "t.csv"
    path.write_text("n,c\n" + "".join(f"{k},{quote}{w}{quote}\n" for k, w in enumerate(words)))
    found = [row["c"] for row in read(of_files(path), ["n", "c"])]
    expected = pd.read_csv(path)["c"]
    assert found == [None if value is np.nan else value for value in expected]


def test_a_broken_file_is_named(tmp_path):
    for k in range(2):
        FRAME.to_parquet(tmp_path / f"{k}.parquet")
    whole = (tmp_path / "1.parquet").read_bytes()
    (tmp_path / "1.parquet").write_bytes(whole[:4] + b"\xff" * 60 + whole[64:])
    with pytest.raises((OSError, ValueError), match=r"cannot be read further than .*parquet"):
        read(of_files(tmp_path / "*.parquet"), list(FRAME.columns))


def test_a_dataset_of_text_has_its_own_options(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a;b\n1;-\n2;é\n")
    form = ds.CsvFileFormat(
        parse_options=csv.ParseOptions(delimiter=";"),
        convert_options=csv.ConvertOptions(null_values=["-"], strings_can_be_null=True),
    )
    source = DatasetSource(ds.dataset(str(path), format=form), "t")
    assert read(source, ["b", "a"]) == [{"b": None, "a": 1}, {"b": "é", "a": 2}]
