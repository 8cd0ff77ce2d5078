"""Tables in memory, and those of Polars, DuckDB, Ibis and databases, as sources of batches."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mcmodels.tables import grouping
from mcmodels.tables.datasets import DatasetSource
from mcmodels.tables.packages import imported, pyarrow
from mcmodels.tables.sources import (
    BATCH_ROWS,
    Batches,
    ReaderSource,
    Source,
    TableSource,
    without_views,
)

__all__ = [
    "PACKAGES",
    "DaskSource",
    "of_function",
    "of_query",
    "source_of_partition",
    "table_of_pandas",
]

# How a statement begins that gives rows and changes nothing.
_READS = r"[\s(]*(select|with|from|values|table|pivot|unpivot|describe|show|summarize)\b"
# Batches of a query in which a value of each column is looked for.
_LOOKED_AT = 20


def _of_arrow(table: Any) -> Source:
    arrow = pyarrow("scan")
    if isinstance(table, arrow.dataset.Dataset):
        return DatasetSource(table, f"a {type(table).__name__} of pyarrow")
    if isinstance(table, arrow.RecordBatch):
        table = arrow.Table.from_batches([table])
    if isinstance(table, arrow.Table):
        return TableSource(without_views(table), "a Table of pyarrow")
    raise TypeError(
        f"a {type(table).__name__} can be read only once; pass a function that returns a new one "
        "each time it is called."
    )


def _of_pandas(frame: Any) -> TableSource:
    pyarrow("a scan of a data frame")
    if not hasattr(frame, "columns"):
        raise TypeError(f"a {type(frame).__name__} of pandas is no table; pass a DataFrame.")
    columns = [(str(name), frame.iloc[:, j]) for j, name in enumerate(frame.columns)]
    return _of_columns(columns, "a DataFrame of pandas", fixed=False)


def _of_dask(frame: Any) -> Source:
    if not hasattr(frame, "partitions") or getattr(frame, "ndim", 0) != 2:
        raise TypeError(
            f"a {type(frame).__name__} of Dask is no table; pass a DataFrame, or an array to fit."
        )
    return DaskSource(frame)


@dataclass(frozen=True)
class DaskSource:
    """A data frame of Dask, whose partitions are read where they are.

    Parameters
    ----------
    frame : dask.dataframe.DataFrame
        The data frame.
    """

    frame: Any
    filters = False

    @functools.cached_property
    def _like(self) -> TableSource:
        """A table of the same types; those of Python objects are those of the first values."""
        like = self.frame._meta_nonempty
        unknown = [name for name, kind in like.dtypes.items() if pd.api.types.is_object_dtype(kind)]
        for partition in self.partitions(unknown) if unknown else ():
            rows = partition.compute()
            seen = {name: rows[name].dropna() for name in unknown}
            found = {name: values.iloc[0] for name, values in seen.items() if len(values)}
            like = like.assign(**{name: [value] * len(like) for name, value in found.items()})
            unknown = [name for name in unknown if name not in found]
            if not unknown:
                break
        return _of_pandas(like)

    @property
    def schema(self) -> Any:
        """Names and types of the columns."""
        return self._like.schema

    @property
    def description(self) -> str:
        """What it is."""
        return f"a DataFrame of Dask in {self.frame.npartitions} partitions"

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Columns that Arrow cannot hold, and why."""
        return self._like.unreadable

    def stamp(self) -> None:
        """Nothing is known of changes."""

    def count(self) -> None:
        """The rows are not counted before they are read."""

    def grouped(self, keys: Sequence[str], weights: str | None, target: str | None) -> None:
        """None: rows are grouped as they are read."""

    def partitions(self, columns: Sequence[str]) -> list[Any]:
        """The partitions of some columns, each a delayed data frame of pandas."""
        return list(self.frame[list(columns)].to_delayed(optimize_graph=True))

    def batches(self, columns: Sequence[str], where: Any) -> Batches:
        """The rows of some columns, one partition after another in this process."""
        for number, partition in enumerate(self.partitions(columns)):
            source = source_of_partition(partition.compute(), number, self.schema)
            yield from source.batches(columns, where)


def source_of_partition(frame: Any, number: int, schema: Any) -> TableSource:
    """A partition of a data frame of Dask; columns without a value have the type in ``schema``."""
    arrow = pyarrow("a scan of a data frame")
    table = _of_pandas(frame).table
    for at, column in enumerate(table.schema):
        if arrow.types.is_null(column.type) and column.name in schema.names:
            kind = schema.field(column.name).type
            table = table.set_column(at, column.name, table.column(at).cast(kind))
    return TableSource(table, f"partition {number}", fixed=False)


def table_of_pandas(frame: Any) -> Any:
    """A table of Arrow with the columns of a data frame."""
    return _of_pandas(frame).table


def _of_columns(columns: list[tuple[str, Any]], description: str, *, fixed: bool) -> TableSource:
    """A table of the columns that Arrow can hold."""
    arrow = pyarrow("scan")
    names, arrays, unreadable = [], [], {}
    for name, column in columns:
        try:
            array = column.to_arrow() if hasattr(column, "to_arrow") else arrow.array(column)
        except BaseException as error:  # Polars panics with one that is no Exception
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            unreadable[name] = str(error)
            continue
        names.append(name)
        arrays.append(array)
    table = without_views(arrow.table(arrays, names=names))
    return TableSource(table, description, fixed, unreadable)


def _of_polars(frame: Any) -> Source:
    polars = imported("polars", "polars", "a scan of a Polars frame")
    pyarrow("a scan of a Polars frame")
    if isinstance(frame, polars.DataFrame):
        columns = [(column.name, column) for column in frame.get_columns()]
        return _of_columns(columns, "a DataFrame of Polars", fixed=True)
    if not isinstance(frame, polars.LazyFrame):
        raise TypeError(f"a {type(frame).__name__} of Polars is no table; pass a DataFrame.")

    def read(columns: list[str] | None) -> Iterator[Any]:
        wanted = frame if columns is None else frame.select(columns)
        for part in wanted.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
            yield from part.to_arrow().to_batches()

    empty = polars.DataFrame(schema=frame.collect_schema()).get_columns()
    table = _of_columns([(column.name, column) for column in empty], "", fixed=True)
    group = functools.partial(grouping.by_polars, frame)
    return ReaderSource(read, table.schema, "a LazyFrame of Polars", table.unreadable, group=group)


def _of_duckdb(relation: Any) -> Source:
    pyarrow("a scan of a relation")
    if not hasattr(relation, "project"):
        raise TypeError(
            f"a {type(relation).__name__} of DuckDB is no table; pass a relation, such as "
            "connection.table('t'), or a query with connection=."
        )

    def read(columns: list[str] | None) -> Any:
        names = [grouping.quoted(name) for name in columns or ()]
        # A new relation each time: DuckDB 1 gives the rows of one only once.
        return grouping.opened(relation.project(", ".join(names) or "*"))

    return ReaderSource(
        read,
        read(None).schema,
        "a relation of DuckDB",
        group=functools.partial(grouping.by_duckdb, relation),
    )


def _of_ibis(table: Any) -> Source:
    pyarrow("a scan of an Ibis table")
    if not hasattr(table, "to_pyarrow_batches") or not hasattr(table, "columns"):
        raise TypeError(f"a {type(table).__name__} of Ibis is no table; pass a table expression.")

    def read(columns: list[str] | None) -> Any:
        wanted = table if columns is None else table.select(*columns)
        return wanted.to_pyarrow_batches(chunk_size=BATCH_ROWS)

    group = functools.partial(grouping.by_ibis, table)
    return ReaderSource(read, table.schema().to_pyarrow(), "a table of Ibis", group=group)


PACKAGES: dict[str, Callable[[Any], Source]] = {
    "pyarrow": _of_arrow,
    "pandas": _of_pandas,
    "polars": _of_polars,
    "duckdb": _of_duckdb,
    "_duckdb": _of_duckdb,
    "ibis": _of_ibis,
    "dask": _of_dask,
}


def of_function(function: Callable[[], Any]) -> Source:
    """The source of a function that opens a new reader each time it is called."""
    arrow = pyarrow("a scan of a reader")

    def read(columns: list[str] | None) -> Any:
        reader = function()
        if isinstance(reader, arrow.RecordBatchReader):
            return reader
        if hasattr(reader, "__arrow_c_stream__"):
            return arrow.RecordBatchReader.from_stream(reader)
        raise TypeError(
            f"the function returned a {type(reader).__name__}; it must return a new "
            "pyarrow.RecordBatchReader each time it is called."
        )

    name = getattr(function, "__qualname__", type(function).__name__)
    return ReaderSource(read, read(None).schema, f"the reader that {name}() opens")


# -- queries ---------------------------------------------------------------------------------------


def of_query(sql: Any, connection: Any) -> Source:
    """The source of a query in SQL, through a connection of DuckDB, ADBC or Python's DB-API."""
    arrow = pyarrow("a scan of a query")
    if not isinstance(sql, str):
        raise TypeError(
            f"a connection was given with a {type(sql).__name__}; with a connection, pass the "
            "query as text."
        )
    if not re.match(_READS, sql, re.IGNORECASE):
        raise ValueError(f"the statement {sql!r} is no query; pass a SELECT.")
    if type(connection).__module__.partition(".")[0] in ("duckdb", "_duckdb"):
        relation = connection.sql(sql)
        if relation is None:
            raise ValueError(f"the statement {sql!r} returns no rows; pass a SELECT.")
        return _of_duckdb(relation)
    if not hasattr(connection, "cursor"):
        raise TypeError(
            f"connection is a {type(connection).__name__}; pass one of DuckDB, of ADBC, or of "
            "Python's DB-API (with a method cursor)."
        )

    def read() -> Iterator[Any]:
        cursor = connection.cursor()
        try:
            cursor.execute(sql)
            if hasattr(cursor, "fetch_record_batch"):  # ADBC
                yield from cursor.fetch_record_batch()
            else:
                yield from _fetched(cursor, sql)
        finally:
            cursor.close()

    schema = _schema_of(read(), sql)

    def cast(columns: list[str] | None) -> Iterator[Any]:
        """The batches, of the types of the first one."""
        for batch in read():
            if batch.schema.equals(schema):
                yield batch
                continue
            try:
                yield from arrow.Table.from_batches([batch]).cast(schema).to_batches()
            except arrow.ArrowInvalid as error:
                raise ValueError(
                    f"later rows of the query are of other types than the first ({error}); use "
                    "CAST in the query."
                ) from error

    return ReaderSource(cast, schema, f"the query {sql!r}")


def _schema_of(batches: Iterator[Any], sql: str) -> Any:
    """The types of the first rows; of later ones where a column is missing in all of those."""
    arrow, schema = pyarrow("a scan of a query"), None
    for batch in itertools.islice(batches, _LOOKED_AT):
        names = batch.schema.names
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the query {sql!r} returns several columns {name!r}; use AS.")
        both = [batch.schema] if schema is None else [schema, batch.schema]
        schema = arrow.unify_schemas(both, promote_options="permissive")
        if not any(arrow.types.is_null(column.type) for column in schema):
            break
    if schema is None:
        raise ValueError(f"the query {sql!r} returns no rows.")
    if hasattr(batches, "close"):
        batches.close()
    return schema


def _fetched(cursor: Any, sql: str) -> Iterator[Any]:
    """The rows of a cursor of Python's DB-API, as batches."""
    arrow = pyarrow("a scan of a query")
    if cursor.description is None:
        raise ValueError(f"the statement {sql!r} returns no rows; pass a SELECT.")
    names = [column[0] for column in cursor.description]
    while rows := cursor.fetchmany(BATCH_ROWS):
        arrays = []
        for name, values in zip(names, zip(*rows, strict=True), strict=True):
            try:
                arrays.append(arrow.array(values))
            except (arrow.ArrowInvalid, arrow.ArrowTypeError) as error:
                raise ValueError(
                    f"column {name!r} of the query holds values of several kinds ({error}); use "
                    "CAST in the query."
                ) from error
        yield arrow.RecordBatch.from_arrays(arrays, names=names)
