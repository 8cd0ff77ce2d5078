"""Where a table is: whatever holds one, read as batches of Arrow any number of times."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mcmodels.tables.packages import pyarrow

__all__ = [
    "BATCH_ROWS",
    "Batches",
    "ReaderSource",
    "Source",
    "TableSource",
    "without_views",
]

# Rows of a batch that is asked for; those of a file may be fewer. A block of twenty columns has
# 20 MB then.
BATCH_ROWS = 2**17
# What a batch comes from, and the batch.
Batches = Generator[tuple[str, Any]]


class Source(Protocol):
    """A table that can be read any number of times."""

    @property
    def filters(self) -> bool:
        """Whether it needs no columns of a condition beside those that are asked for."""
        ...

    @property
    def schema(self) -> Any:
        """Names and types of the columns: a ``pyarrow.Schema``."""
        ...

    @property
    def description(self) -> str:
        """What and where it is."""
        ...

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Columns that are not in the schema because Arrow cannot hold them, and why."""
        ...

    def stamp(self) -> Any:
        """Something that changes when the rows do; None where nothing is known of that."""
        ...

    def count(self) -> int | None:
        """The number of rows, where it is known without reading them."""
        ...

    def grouped(self, keys: Sequence[str], weights: str | None, target: str | None) -> Any:
        """The distinct rows, where an engine groups them; None where they are to be found here."""
        ...

    def batches(self, columns: Sequence[str], where: Any) -> Batches:
        """The rows of some columns, in the same order each time.

        Parameters
        ----------
        columns : sequence of str
            The columns that are read.
        where : pyarrow.compute.Expression or None
            Rows for which it is not true are left out.
        """
        ...


@dataclass(frozen=True)
class TableSource:
    """A table of Arrow in memory, which can be pickled, as a dataset of it cannot.

    Parameters
    ----------
    table : pyarrow.Table
        The table.
    description : str
        What it is.
    fixed : bool, default=True
        Whether nobody can change it; a table may share memory with a data frame of pandas.
    unreadable : mapping of str to str
        Columns that Arrow cannot hold, and why.
    """

    table: Any
    description: str
    fixed: bool = True
    unreadable: Mapping[str, str] = field(default_factory=dict)
    filters = True

    @property
    def schema(self) -> Any:
        """Names and types of the columns."""
        return self.table.schema

    def stamp(self) -> str | None:
        """Tables of Arrow do not change."""
        return "in memory" if self.fixed else None

    def count(self) -> int:
        """The number of rows."""
        return int(self.table.num_rows)

    def grouped(self, keys: Sequence[str], weights: str | None, target: str | None) -> Any:
        """None: rows are grouped as they are read."""
        return None

    def batches(self, columns: Sequence[str], where: Any) -> Batches:
        """The rows of some columns."""
        table = self.table if where is None else self.table.filter(where)
        for batch in table.select(list(columns)).to_batches(BATCH_ROWS):
            yield self.description, batch


@dataclass(frozen=True)
class ReaderSource:
    """Anything that a function opens as a reader.

    Parameters
    ----------
    open : callable
        Takes the names of columns, or None for all; returns an iterator over batches with these
        columns, and maybe others.
    schema : pyarrow.Schema
        Names and types of the columns.
    description : str
        What and where it is.
    unreadable : mapping of str to str
        Columns that Arrow cannot hold, and why.
    group : callable, default=None
        Finds the distinct rows, as the functions of :mod:`mcmodels.tables.grouping` do.
    """

    open: Callable[[list[str] | None], Any]
    schema: Any
    description: str
    filters = False
    unreadable: Mapping[str, str] = field(default_factory=dict)
    group: Callable[..., Any] | None = None

    def stamp(self) -> None:
        """Nothing is known of changes."""

    def count(self) -> None:
        """The rows are not counted before they are read."""

    def grouped(self, keys: Sequence[str], weights: str | None, target: str | None) -> Any:
        """The distinct rows, where the engine can tell them."""
        return None if self.group is None else self.group(keys, weights, target)

    def batches(self, columns: Sequence[str], where: Any) -> Batches:
        """The rows of some columns, filtered after they were read."""
        arrow, reader = pyarrow("scan"), self.open(list(columns))
        try:
            for batch in reader:
                lacking = [name for name in columns if name not in batch.schema.names]
                if lacking:
                    raise ValueError(
                        f"{self.description} had the column {lacking[0]!r} before, and has it no "
                        "more; every walk must give the same rows."
                    )
                parts = [batch]
                if where is not None or has_views(batch.schema):
                    table = without_views(arrow.Table.from_batches([batch]))
                    parts = (table if where is None else table.filter(where)).to_batches()
                for part in parts:
                    yield self.description, part
        finally:
            # An open result would block the next query of a connection.
            if hasattr(reader, "close"):
                reader.close()


def has_views(schema: Any) -> bool:
    """Whether a column is a view of text, which Arrow cannot filter."""
    types = pyarrow("scan").types
    return any(types.is_string_view(column.type) for column in schema)


def without_views(table: Any) -> Any:
    """A table with text in place of views of text."""
    arrow = pyarrow("scan")
    if not has_views(table.schema):
        return table
    text = arrow.large_string()
    fields = [
        column.with_type(text) if arrow.types.is_string_view(column.type) else column
        for column in table.schema
    ]
    return table.cast(arrow.schema(fields))
