"""Fits to Parquet files that need not fit in memory: time and peak memory beside peers.

``python docs/benchmarks/parquet_fits.py [--rows N] [--columns P] [--repeats R]`` makes seeded files
in a temporary folder (``--folder`` names another one), prints a Markdown table of medians, and
deletes the files; ``--write`` writes parquet_fits.md. Each run is a process of its own, so that its
peak memory is known; in each round every one runs once. Reading is what pyarrow needs to read and
decode the same columns.
"""

import argparse
import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
from results import HERE, stamp
from tables import markdown

FILE_ROWS, GROUP_ROWS = 1_000_000, 250_000


def make(folder: Path, n: int, p: int) -> None:
    """Files of normal columns, a target, and two classes."""
    beta = np.random.default_rng(0).standard_normal(p) / np.sqrt(p)
    for part, start in enumerate(range(0, n, FILE_ROWS)):
        rng = np.random.default_rng([1, part])
        X = rng.standard_normal((min(FILE_ROWS, n - start), p)).round(4)
        eta = X @ beta
        table = {f"x{j}": X[:, j] for j in range(p)}
        table["y"] = eta + rng.standard_normal(len(X))
        table["label"] = (rng.random(len(X)) < 1 / (1 + np.exp(-eta))).astype(np.int8)
        pa.parquet.write_table(
            pa.table(table),
            folder / f"part-{part:03}.parquet",
            row_group_size=GROUP_ROWS,
            compression="zstd",
        )


def features(p: int) -> list[str]:
    """The names of the features."""
    return [f"x{j}" for j in range(p)]


def read(folder: Path, p: int, target: str) -> Any:
    """Read and decode the columns, and add up nothing."""
    dataset = pa.dataset.dataset(folder)
    for batch in dataset.to_batches(columns=[*features(p), target]):
        del batch


def ours(folder: Path, p: int, target: str) -> Any:
    """A scan and a fit."""
    from mcmodels import LinearRegression, LogisticRegression, scan

    model = LinearRegression() if target == "y" else LogisticRegression(C=np.inf)
    return model.fit(scan(folder, target, features(p))).params_


def in_memory(folder: Path, p: int, target: str) -> Any:
    """DuckDB reads all rows into memory, and scikit-learn fits them."""
    import duckdb
    from sklearn.linear_model import LinearRegression, LogisticRegression

    names = ", ".join([*features(p), target])
    query = f"SELECT {names} FROM '{folder}/*.parquet'"
    columns = duckdb.sql(query).fetchnumpy()
    y = columns.pop(target)
    X = np.column_stack([columns.pop(name) for name in features(p)])
    model = LinearRegression() if target == "y" else LogisticRegression(C=np.inf)
    model.fit(X, y)
    return np.append(model.coef_.ravel(), model.intercept_)


def duckreg(folder: Path, p: int, target: str) -> Any:
    """Duckreg: least squares on the distinct rows that DuckDB groups."""
    from duckreg.estimators import DuckRegression

    with tempfile.TemporaryDirectory() as place:
        database = f"{place}/rows.db"
        import duckdb

        with duckdb.connect(database) as connection:
            connection.execute(f"CREATE VIEW rows AS SELECT * FROM '{folder}/*.parquet'")
        model = DuckRegression(
            db_name=database,
            table_name="rows",
            formula=f"{target} ~ {' + '.join(features(p))}",
            cluster_col="",
            n_bootstraps=0,
            seed=0,
        )
        model.fit()
        intercept, *coef = np.ravel(model.point_estimate)
        return np.append(coef, intercept)


class Workers:
    """Two workers of Dask, each a process with one thread."""

    def __enter__(self) -> Any:
        """The partitions of the files are taken by row group, so that few rows are in memory."""
        from distributed import Client, LocalCluster

        self._cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
        self._client = Client(self._cluster)
        return self._client

    def __exit__(self, *_: Any) -> None:
        self._client.close()
        self._cluster.close()


def frame(folder: Path, names: list[str]) -> Any:
    """The files as a data frame of Dask, a partition for each row group."""
    import dask.dataframe

    return dask.dataframe.read_parquet(folder, columns=names, split_row_groups=True)


def on_dask(folder: Path, p: int, target: str) -> Any:
    """A scan of a data frame of Dask, and a fit, on the workers."""
    from mcmodels import LinearRegression, LogisticRegression, scan

    rows = scan(frame(folder, [*features(p), target]), target, features(p))
    model = LinearRegression() if target == "y" else LogisticRegression(C=np.inf)
    return model.fit(rows).params_


def dask_ml(folder: Path, p: int, target: str) -> Any:
    """dask-ml on the workers; it has no fit without a penalty, so that C is large."""
    import dask
    import dask.array as da
    from dask_ml.linear_model import LinearRegression, LogisticRegression

    # Arrays of frames of known lengths fail in this dask-ml with this Dask, so they are made here.
    parts = frame(folder, [*features(p), target]).to_delayed()
    lengths = dask.compute(*map(dask.delayed(len), parts))
    cut = dask.delayed(lambda part, names: part[names].to_numpy(dtype=float))
    pairs = list(zip(parts, lengths, strict=True))
    X = da.concatenate([da.from_delayed(cut(a, features(p)), (n, p), float) for a, n in pairs])
    y = da.concatenate([da.from_delayed(cut(a, target), (n,), float) for a, n in pairs])
    kind = LinearRegression if target == "y" else LogisticRegression
    model = kind(solver="newton", C=1e12).fit(X, y)
    return np.append(np.ravel(model.coef_), model.intercept_)


ON_WORKERS = (on_dask, dask_ml)

RUNS: dict[str, tuple[Callable[[Path, int, str], Any], str]] = {
    "read and decode": (read, "y"),
    "linear: mcmodels.scan": (ours, "y"),
    "linear: DuckDB, scikit-learn": (in_memory, "y"),
    "linear: duckreg": (duckreg, "y"),
    "linear: mcmodels, 2 workers of Dask": (on_dask, "y"),
    "linear: dask-ml, 2 workers": (dask_ml, "y"),
    "logistic: mcmodels.scan": (ours, "label"),
    "logistic: DuckDB, scikit-learn": (in_memory, "label"),
    "logistic: mcmodels, 2 workers of Dask": (on_dask, "label"),
    "logistic: dask-ml, 2 workers": (dask_ml, "label"),
}

PAGE = """# Fits to Parquet files

{rows:,} rows of {columns} columns in files of {file_rows:,} rows, zstd: {size:.1f} GB. Each run is
a process of its own, imports left out; medians of {repeats} rounds. The ratio is to the time that
pyarrow needs to read and decode the same columns. Memory is the peak of the whole process. The
difference is the largest one of a coefficient from that of the first fit to the same target.

{table}

DuckDB with scikit-learn holds all rows in memory. duckreg groups distinct rows, of which there are
as many as rows here; it is made for rows that repeat.

A linear fit is one pass: beside decoding, which takes both processors, are the sums of products,
and the copy of the columns into blocks. A logistic fit is four passes, of which each decodes the
rows anew. On Dask each pass is one graph, and the workers decode by pandas. The peak is that of the
client, and of the larger worker, each with some 0.2 GB of imports.

{stamp}"""


def run(name: str, folder: Path, p: int) -> dict[str, Any]:
    """Time, memory and parameters of one run, in a process of its own."""
    command = [
        sys.executable,
        __file__,
        "--run",
        name,
        "--folder",
        str(folder),
        "--columns",
        str(p),
    ]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode:
        return {"failed": ended.stderr.strip().splitlines()[-1:] or ["killed"]}
    return json.loads(ended.stdout.splitlines()[-1])


def run_here(name: str, folder: Path, p: int) -> None:
    """Print what :func:`run` reads."""
    function, target = RUNS[name]
    on_workers = function in ON_WORKERS
    workers = 0.0
    with Workers() if on_workers else contextlib.nullcontext() as client:
        if function in (ours, *ON_WORKERS):
            function(_first_rows(folder), p, target)  # imports and first calls
        start = time.perf_counter()
        params = function(folder, p, target)
        seconds = time.perf_counter() - start
        if on_workers:
            workers = max(client.run(_peak).values())
    found = None if params is None else np.ravel(params).tolist()
    result = {"seconds": seconds, "gigabytes": _peak(), "workers": workers, "params": found}
    print(json.dumps(result))


def _peak() -> float:
    """Gigabytes; not getrusage's, which counts what the parent held at the start."""
    status = Path("/proc/self/status").read_text()
    return float(status.split("VmHWM:")[1].split()[0]) / 1e6


def _first_rows(folder: Path) -> Path:
    """A folder with a few rows."""
    few = Path(tempfile.mkdtemp())
    table = next(pa.dataset.dataset(folder).to_batches(batch_size=1000))
    pa.parquet.write_table(pa.Table.from_batches([table]), few / "few.parquet")
    return few


def main() -> None:
    """Print the table, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where a folder for the files is made")
    parser.add_argument("--run")
    parser.add_argument("--only", default="", help="runs whose names begin so")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if options.run:
        run_here(options.run, options.folder, options.columns)
        return
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        make(folder, options.rows, options.columns)
        size = sum(file.stat().st_size for file in folder.iterdir()) / 1e9
        names = [name for name in RUNS if name.startswith((options.only, "read"))]
        results: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        for _ in range(options.repeats):
            for name in names:
                results[name].append(run(name, folder, options.columns))
    finally:
        shutil.rmtree(folder)
    reading = statistics.median(found["seconds"] for found in results["read and decode"])
    first: dict[str, Any] = {}
    lines = []
    for name, found in results.items():
        if "failed" in found[0]:
            lines.append([name, "failed", "", "", found[0]["failed"][0][:80]])
            continue
        seconds = statistics.median(one["seconds"] for one in found)
        memory = max(one["gigabytes"] for one in found)
        params = found[0]["params"]
        difference = ""
        if params is not None:
            expected = first.setdefault(RUNS[name][1], params)
            difference = f"{np.abs(np.subtract(params, expected)).max():.0e}"
        held = f"{memory:.2f} GB"
        workers = max(one["workers"] for one in found)
        held += f", {workers:.2f} GB a worker" if workers else ""
        lines.append([name, f"{seconds:.2f} s", f"{seconds / reading:.2f}", held, difference])
    table = markdown(["fit", "time", "ratio", "peak memory", "difference"], lines)
    page = PAGE.format(
        rows=options.rows,
        columns=options.columns,
        file_rows=FILE_ROWS,
        size=size,
        repeats=options.repeats,
        table=table,
        stamp=stamp(
            "parquet_fits.py",
            ("numpy", "pyarrow", "duckdb", "scikit-learn", "duckreg", "dask", "dask-ml"),
        ),
    )
    if options.write:
        (HERE / "parquet_fits.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
