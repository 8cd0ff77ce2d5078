"""Fits to rows that repeat: time beside duckreg, and exactness beside the rows in memory.

``python docs/benchmarks/distinct_rows.py [--rows N] [--repeats R]`` makes seeded Parquet files of
four discrete columns in a temporary folder, prints a Markdown table of medians, and deletes the
files; ``--write`` writes distinct_rows.md. In each round every fit runs once, in this process.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
from duckreg.estimators import DuckLogisticRegression, DuckRegression
from results import HERE, stamp

from mcmodels import LinearRegression, LogisticRegression, scan

FILE_ROWS = 5_000_000
LEVELS = {"hour": 24, "zone": 15, "day": 5, "night": 2}  # 3,600 distinct rows
FEATURES = list(LEVELS)
FIRMS, DRAWS = 50, 20  # clusters, and draws of duckreg's bootstrap
TOL = 1e-11  # of logistic fits, so that what is left of the last step does not show
PART = 1_000_000  # rows that are compared with the fit in memory


def make(folder: Path, n: int) -> None:
    """Files with four discrete columns, the firm, a target, and two classes."""
    for part, start in enumerate(range(0, n, FILE_ROWS)):
        rng, rows = np.random.default_rng([2, part]), min(FILE_ROWS, n - start)
        table = {name: rng.integers(0, k, rows, dtype=np.int32) for name, k in LEVELS.items()}
        eta = 0.05 * table["hour"] - 0.1 * table["zone"] + 0.2 * table["night"]
        table["firm"] = rng.integers(0, FIRMS, rows, dtype=np.int32)
        table["y"] = np.round(eta + rng.standard_normal(rows), 3)
        table["label"] = (rng.random(rows) < 1 / (1 + np.exp(-eta))).astype(np.int8)
        pa.parquet.write_table(
            pa.table(table), folder / f"part-{part:03}.parquet", compression="zstd"
        )


def read(folder: Path) -> None:
    """Read and decode the columns."""
    for batch in pa.dataset.dataset(folder).to_batches(columns=[*FEATURES, "y"]):
        del batch


def ours(folder: Path, target: str, kind: str, *, by_duckdb: bool) -> tuple[Any, Any]:
    """Parameters and standard errors of this kind."""
    groups = "firm" if kind == "cluster" else None
    if by_duckdb:
        query = f"SELECT * FROM '{folder}/*.parquet'"
        connection = duckdb.connect()
        rows = scan(query, target, FEATURES, groups=groups, compress=True, connection=connection)
    else:
        rows = scan(folder, target, FEATURES, groups=groups, compress=True)
    return fitted(target, kind, rows)


def fitted(target: str, kind: str, *given: Any, **options: Any) -> tuple[Any, Any]:
    """A fit with its standard errors."""
    model = LinearRegression() if target == "y" else LogisticRegression(C=np.inf, tol=TOL)
    covariance = model.fit(*given).covariance(*given, kind=kind, **options)
    return model.params_, np.sqrt(np.diagonal(covariance))


def theirs(folder: Path, target: str, kind: str) -> tuple[Any, Any]:
    """The same by duckreg, whose errors by cluster are those of a bootstrap."""
    with tempfile.TemporaryDirectory() as place:
        database = f"{place}/rows.db"
        with duckdb.connect(database) as connection:
            connection.execute(f"CREATE VIEW rows AS SELECT * FROM '{folder}/*.parquet'")
        given = {"db_name": database, "table_name": "rows", "seed": 0}
        given["formula"] = f"{target} ~ {' + '.join(FEATURES)}"
        draws = DRAWS if kind == "cluster" else 0
        if target == "y":
            model = DuckRegression(**given, cluster_col="firm" if draws else "", n_bootstraps=draws)
        else:
            model = DuckLogisticRegression(**given)
        model.fit()
        if not draws:
            model.fit_vcov()
        intercept, *coef = np.ravel(model.point_estimate)
        errors = np.sqrt(np.diagonal(model.vcov))
        return np.append(coef, intercept), np.append(errors[1:], errors[0])


RUNS: dict[str, tuple[str, str, Callable[..., Any]]] = {
    "linear, HC1: mcmodels, files": ("y", "HC1", lambda *a: ours(*a, by_duckdb=False)),
    "linear, HC1: mcmodels, DuckDB": ("y", "HC1", lambda *a: ours(*a, by_duckdb=True)),
    "linear, HC1: duckreg": ("y", "HC1", theirs),
    "linear, 50 clusters: mcmodels, files": ("y", "cluster", lambda *a: ours(*a, by_duckdb=False)),
    "linear, 50 clusters: mcmodels, DuckDB": ("y", "cluster", lambda *a: ours(*a, by_duckdb=True)),
    f"linear, 50 clusters: duckreg, {DRAWS} draws": ("y", "cluster", theirs),
    "logistic: mcmodels, files": ("label", "nonrobust", lambda *a: ours(*a, by_duckdb=False)),
    "logistic: mcmodels, DuckDB": ("label", "nonrobust", lambda *a: ours(*a, by_duckdb=True)),
    "logistic: duckreg": ("label", "nonrobust", theirs),
    "logistic, 50 clusters: mcmodels, DuckDB": (
        "label",
        "cluster",
        lambda *a: ours(*a, by_duckdb=True),
    ),
}

PAGE = """# Fits to rows that repeat

{rows:,} rows of four discrete columns, 3,600 of them distinct, in Parquet ({size:.2f} GB), with the
standard errors that are named; medians of {repeats} rounds. "Files" are read and grouped by
`scan`, "DuckDB" is a query on them, which DuckDB groups. The differences are from the fit to the
first {part:,} rows, each by itself in memory: the largest of a parameter, relative to the
parameter or its standard error, and of a standard error.

| | time | parameters | standard errors |
|---|---:|---:|---:|
{table}

Reading and decoding the columns takes pyarrow {reading:.2f} s. duckreg's standard errors by cluster
are those of a bootstrap: they are estimates, and its logistic fit has none by cluster.

{stamp}"""


def differences(folder: Path, name: str) -> list[str]:
    """How far a fit to some rows is from that to the rows in memory."""
    target, kind, function = RUNS[name]
    table = pa.dataset.dataset(folder).head(PART)
    frame = table.to_pandas()
    options = {"groups": frame["firm"]} if kind == "cluster" else {}
    expected, errors = fitted(target, kind, frame[FEATURES], frame[target], **options)
    few = Path(tempfile.mkdtemp())
    try:
        pa.parquet.write_table(table, few / "part.parquet")
        found, others = function(few, target, kind)
    finally:
        shutil.rmtree(few)
    scale = np.maximum(np.abs(expected), errors)
    return [
        f"{np.max(np.abs(found - expected) / scale):.0e}",
        f"{np.max(np.abs(others / errors - 1)):.0e}",
    ]


def main() -> None:
    """Print the table, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    seconds: dict[str, list[float]] = {"read": [], **{name: [] for name in RUNS}}
    try:
        make(folder, options.rows)
        size = sum(file.stat().st_size for file in folder.iterdir()) / 1e9
        exact = {name: differences(folder, name) for name in RUNS}  # and first calls
        for _ in range(options.repeats):
            start = time.perf_counter()
            read(folder)
            seconds["read"].append(time.perf_counter() - start)
            for name, (target, kind, function) in RUNS.items():
                start = time.perf_counter()
                function(folder, target, kind)
                seconds[name].append(time.perf_counter() - start)
    finally:
        shutil.rmtree(folder)
    lines = [
        f"| {name} | {statistics.median(seconds[name]):.2f} s | {' | '.join(exact[name])} |"
        for name in RUNS
    ]
    page = PAGE.format(
        rows=options.rows,
        size=size,
        repeats=options.repeats,
        part=PART,
        table="\n".join(lines),
        reading=statistics.median(seconds["read"]),
        stamp=stamp("distinct_rows.py", ("numpy", "pyarrow", "duckdb", "duckreg")),
    )
    if options.write:
        (HERE / "distinct_rows.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
