"""The memory of predictions that are written in blocks."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
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


@pytest.mark.slow
def test_predictions_take_the_same_memory_for_any_number_of_rows(tmp_path):
    rng = np.random.default_rng(0)
    million = {f"x{j}": rng.normal(size=1_000_000) for j in range(10)}
    table = pa.table({"id": np.arange(1_000_000), **million, "y": rng.normal(size=1_000_000)})
    for count in (1, 4):
        path = tmp_path / f"{count}.parquet"
        with pq.ParquetWriter(path, table.schema) as writer:
            for _ in range(count):
                writer.write_table(table, row_group_size=250_000)
    model, features = tmp_path / "m", ["--features", *million]
    peak_of("fit", "linear", tmp_path / "1.parquet", "--target", "y", *features, "--save", model)
    one, four = (
        peak_of("predict", model, tmp_path / f"{n}.parquet", "-o", tmp_path / "o.parquet")
        for n in (1, 4)
    )
    assert pq.ParquetFile(tmp_path / "o.parquet").metadata.num_rows == 4_000_000
    # Three million rows more are 264 MB of features. Which batches are decoded at a time differs
    # from run to run, by a few of 12 MB each.
    assert four < one + 80
