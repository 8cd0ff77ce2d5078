"""Distinct rows by the engine that holds a table: DuckDB, the databases of Ibis, Polars.

Each function takes the table, the names of the keys, and those of the weights and the target or
None. It returns what :func:`mcmodels.tables.distinct.distinct` returns. None says that this
function must look closer: with values that are missing, infinite, or negative weights; for weighted
targets, of which SQL has no variance that keeps digits; and where the engine refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mcmodels.tables.distinct import MEAN, MOST_DISTINCT, REST, SQUARES, WEIGHT, in_two_parts
from mcmodels.tables.packages import imported
from mcmodels.tables.sources import BATCH_ROWS
from mcmodels.tables.values import is_missing

__all__ = ["by_duckdb", "by_ibis", "by_polars", "opened", "quoted"]

# Columns of a grouped table beside its keys and sums.
_COUNT, _PRESENT, _LEAST = (
    "mcmodels: number of rows",
    "mcmodels: rows without nulls",
    "mcmodels: least weight",
)
_MOST = MOST_DISTINCT + 1
# Rows in which the target is looked at, and how many standard deviations from zero it is near it.
_LOOKED_AT, _NEAR_ZERO = 1000, 16.0


def by_duckdb(relation: Any, keys: Sequence[str], weights: str | None, target: str | None) -> Any:
    """The distinct rows of a relation of DuckDB."""
    if weights and target:
        return None
    weight = f"sum({quoted(weights)})" if weights else "count(*)"
    least = f"min({quoted(weights)})" if weights else "1"
    y, origin = "0.0", 0.0
    present = f"count({quoted(weights)})" if weights else "count(*)"
    if target:
        y, present = f"CAST({quoted(target)} AS DOUBLE)", f"count({quoted(target)})"
        found = relation.project(y).limit(_LOOKED_AT).fetchall()
        origin = _origin([value for (value,) in found])
        y = f"({y} - CAST('{origin!r}' AS DOUBLE))" if origin else y
    groups = ", ".join(map(quoted, keys))
    grouped = relation.aggregate(
        f"{groups}, CAST({weight} AS DOUBLE) AS {quoted(WEIGHT)}, "
        f"favg({y}) AS {quoted(MEAN)}, var_pop({y}) * count(*) AS {quoted(SQUARES)}, "
        f"count(*) AS {quoted(_COUNT)}, {present} AS {quoted(_PRESENT)}, "
        f"CAST({least} AS DOUBLE) AS {quoted(_LEAST)}",
        groups,
    )
    try:
        table = opened(grouped.limit(_MOST)).read_all()
    except imported("duckdb", "duckdb", "a scan of a relation").Error:
        return None  # such as a variance that is out of range
    return _checked(table, keys, origin)


def by_ibis(table: Any, keys: Sequence[str], weights: str | None, target: str | None) -> Any:
    """The distinct rows of a table of Ibis, by the database that holds it."""
    if weights and target:
        return None
    ibis = imported("ibis", "ibis", "a scan of an Ibis table")
    try:
        y, origin = ibis.literal(0.0), 0.0
        if target:
            found = table.select(target).limit(_LOOKED_AT).to_pyarrow().column(0).to_pylist()
            origin = _origin(found)
            y = table[target].cast("float64") - origin
        named = table.mutate(**{_COUNT: ibis.literal(1), MEAN: y})
        w = named[weights] if weights else named[_COUNT]
        grouped = named.group_by(list(keys)).aggregate(
            **{
                WEIGHT: w.cast("float64").sum(),
                SQUARES: named[MEAN].var(how="pop") * named[_COUNT].sum(),
                _LEAST: w.cast("float64").min(),
                _PRESENT: (w if weights else named[MEAN]).count(),
                _COUNT: named[_COUNT].sum(),
                MEAN: named[MEAN].mean(),
            }
        )
        found = grouped.limit(_MOST).to_pyarrow()
    except Exception:  # whatever a database refuses: then its rows are grouped here
        return None
    return _checked(found, keys, origin)


def by_polars(frame: Any, keys: Sequence[str], weights: str | None, target: str | None) -> Any:
    """The distinct rows of a LazyFrame of Polars."""
    if weights and target:
        return None
    polars = imported("polars", "polars", "a scan of a Polars frame")
    y, origin = polars.lit(0.0), 0.0
    if target:
        first = frame.select(target).head(_LOOKED_AT).collect().to_series()
        if not first.dtype.is_numeric():
            return None
        origin = _origin(first.to_list())
        y = polars.col(target).cast(polars.Float64) - origin
    w = polars.col(weights).cast(polars.Float64) if weights else polars.lit(1.0)
    grouped = (
        frame.select(*keys, w.alias(WEIGHT), y.alias(MEAN))
        .group_by(list(keys))
        .agg(
            polars.len().alias(_COUNT),
            polars.col(WEIGHT if weights else MEAN).count().alias(_PRESENT),
            polars.col(WEIGHT).min().alias(_LEAST),
            polars.col(WEIGHT).sum(),
            (polars.col(MEAN).var(ddof=0) * polars.col(MEAN).count()).alias(SQUARES),
            polars.col(MEAN).mean(),
        )
        .head(_MOST)
    )
    return _checked(grouped.collect(engine="streaming").to_arrow(), keys, origin)


def quoted(name: str | None) -> str:
    """A name in SQL."""
    return '"' + str(name).replace('"', '""') + '"'


def opened(relation: Any) -> Any:
    """A reader of a relation; the second name is that of DuckDB 1."""
    found = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    return found(BATCH_ROWS)


def _origin(first: Sequence[Any]) -> float:
    """A point near some values of the target: about it, means and squares have more digits.

    It is zero where they are near zero already, so that nothing is subtracted from the rows.
    """
    values = np.array([value for value in first if value is not None], dtype=np.float64)
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0
    mean = float(values.mean())
    return 0.0 if abs(mean) <= _NEAR_ZERO * float(values.std()) else mean


def _checked(table: Any, keys: Sequence[str], origin: float) -> Any:
    """The distinct rows; None where a value is missing or out of range, or rows hardly repeat."""
    count, present = (np.asarray(table.column(name)) for name in (_COUNT, _PRESENT))
    sums = [np.asarray(table.column(name), float) for name in (WEIGHT, MEAN, SQUARES, _LEAST)]
    chunks = [chunk for name in keys for chunk in table.column(name).chunks]
    if (
        any(is_missing(chunk) is not None for chunk in chunks)
        or (present < count).any()
        or not np.isfinite(sums).all()
        or sums[3].min(initial=0.0) < 0
        or not 2 * table.num_rows <= min(count.sum(), 2 * MOST_DISTINCT)
    ):
        return None
    mean, rest = in_two_parts(origin, sums[1])
    further = {WEIGHT: sums[0], MEAN: mean, REST: rest, SQUARES: sums[2]}
    table = table.select(list(keys))
    for name, column in further.items():
        table = table.append_column(name, [column])
    return table
