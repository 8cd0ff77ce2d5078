"""The memory of predictions that are written in blocks."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

PEAK = """
import resource, sys
from mcmodels.cli import main
code = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def peak_of(*argv):
    """The most memory of a process that runs a command, in MB."""
    root = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", PEAK, *map(str, argv)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return int(done.stderr) / unit


def write(path, table, count):
    """The rows of a table, several times."""
    if path.suffix == ".parquet":
        with pq.ParquetWriter(path, table.schema) as writer:
            for _ in range(count):
                writer.write_table(table, row_group_size=250_000)
    elif path.suffix == ".csv":
        with pacsv.CSVWriter(path, table.schema) as writer:
            for _ in range(count):
                writer.write_table(table)
    else:
        with ipc.new_file(path, table.schema) as writer:
            for _ in range(count):
                writer.write_table(table, max_chunksize=250_000)


@pytest.mark.slow
@pytest.mark.parametrize(
    # Of an Arrow file some batches are read ahead, more than a million rows.
    ("suffix", "few"),
    [("parquet", 1), ("arrow", 3), ("csv", 1)],
)
@pytest.mark.parametrize("of_scan", [True, False])
def test_predictions_take_the_same_memory_for_any_number_of_rows(suffix, few, of_scan, tmp_path):
    """By a model of a pattern of files, and by one of a text file, which reads text otherwise."""
    rng = np.random.default_rng(0)
    million = {f"x{j}": rng.normal(size=1_000_000).round(6) for j in range(10)}
    table = pa.table({"id": np.arange(1_000_000), **million, "y": rng.normal(size=1_000_000)})
    for count in (few, few + 3):
        write(tmp_path / f"{count}.{suffix}", table, count)
    trained = tmp_path / ("t.parquet" if of_scan else "t.csv")
    write(trained, table.slice(0, 1000), 1)
    model, features = tmp_path / "m", ["--features", *million]
    peak_of("fit", "linear", trained, "--target", "y", *features, "--save", model)
    less, more = (
        peak_of("predict", model, tmp_path / f"{n}.{suffix}", "-o", tmp_path / "o.parquet")
        for n in (few, few + 3)
    )
    assert pq.ParquetFile(tmp_path / "o.parquet").metadata.num_rows == (few + 3) * 1_000_000
    # Three million rows more are 264 MB of features. Which batches are decoded at a time differs
    # from run to run, by a few of 12 MB each.
    assert more < less + 80
